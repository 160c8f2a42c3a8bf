//! Amounts in units of their currency's last decimal, in every form in which they are written.

use crible_ingest::{Mapping, Options};

use crate::common::{bytes, key, options};

/// A currency, an amount as it is written, and the minor units it is, rounded half to even.
const CASES: [(&str, &str, Option<i64>); 9] = [
    ("USD", "12.50", Some(1_250)),
    ("USD", "12.505", Some(1_250)),
    ("JPY", "1500", Some(1_500)),
    ("JPY", "1500.00", Some(1_500)),
    ("JPY", "1500.5", Some(1_500)),
    ("KWD", "1.234", Some(1_234)),
    ("KWD", "1.2345", Some(1_234)),
    ("CLF", "0.0001", Some(1)),
    ("XXX", "7", Some(700)),
];

#[track_caller]
fn check(name: &str, text: &str, map: Option<&str>, expect: Option<i64>) {
    let map = map.map(|map| Mapping::parse(map).unwrap());
    let (import, rejects) = bytes(name, text, &Options { key: Some(key()), map, ..Options::default() }).unwrap();
    let minor: Vec<i64> = import.batch.iter().map(|txn| txn.amount.minor).collect();
    assert_eq!(
        (minor.as_slice(), rejects.len()),
        (expect.as_slice(), usize::from(expect.is_none())),
        "{text}: {rejects:?}"
    );
}

#[test]
fn tables_by_column_by_constant_and_with_a_comma() {
    for (code, amount, minor) in CASES {
        let row = |amount: &str| format!("a;t;m;c\nada;2024-03-01;{amount};{}\n", code.to_lowercase());
        check(
            "in.csv",
            &row(amount),
            Some("account=a,time=t,amount=m,currency=c,sign=outflow-negative,amount-format=plain"),
            minor,
        );
        let constant = format!("account=a,time=t,amount=m,currency=@{code},sign=outflow-negative");
        check("in.csv", &row(amount), Some(&format!("{constant},amount-format=plain")), minor);
        let money = format!("{constant},amount-format=money");
        check("in.csv", &row(&format!("${amount}")), Some(&money), minor);
        let comma = format!("{constant},amount-format=money-comma");
        check("in.csv", &row(&amount.replace('.', ",")), Some(&comma), minor);
    }
}

#[test]
fn balances_and_fees() {
    let header = "Type,Product,Started Date,Completed Date,Description,Amount,Fee,Currency,State,Balance";
    let row = |fee: &str, balance: &str| {
        let at = "2024-06-27 14:03:11";
        format!("{header}\nExchange,Current,{at},{at},X,-10,{fee},KWD,COMPLETED,{balance}\n")
    };
    let (import, _) = bytes("in.csv", row("0.125", "5.005"), &options()).unwrap();
    let txn = import.batch.get(0);
    assert_eq!((txn.amount.minor, txn.balance_before, import.meaning.fee(0)), (-10_125, Some(15_130), -125));
    for (fee, balance) in [("0.1255", "5.005"), ("0.125", "5.0055")] {
        let (import, rejects) = bytes("in.csv", row(fee, balance), &options()).unwrap();
        assert_eq!((import.batch.len(), rejects.len()), (1, 0));
        assert!(import.files[0].warnings.iter().any(|told| told.contains("more digits")));
    }
}

#[test]
fn statements() {
    for (code, amount, minor) in CASES {
        let ofx = format!(
            "<OFX><STMTRS><CURDEF>{code}<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST><STMTTRN><TRNTYPE>DEBIT\
             <DTPOSTED>20240115<TRNAMT>{amount}<FITID>1</STMTTRN></BANKTRANLIST></STMTRS></OFX>"
        );
        check("in.ofx", &ofx, None, minor);
        let camt = format!(
            "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"><BkToCstmrStmt><Stmt><Acct><Id><Othr><Id>1\
             </Id></Othr></Id></Acct><Ntry><Amt Ccy=\"{code}\">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>\
             <BookgDt><Dt>2024-03-04</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>"
        );
        check("in.xml", &camt, None, minor);
        let amount = if amount.contains('.') { amount.replace('.', ",") } else { format!("{amount},") };
        let mt = format!(":20:1\n:25:1\n:28C:1\n:60F:C240101{code}0,\n:61:240102C{amount}NTRFX//Y\n");
        check("in.sta", &mt, None, minor);
    }
}

#[test]
fn codes_that_are_none_are_told() {
    let row = |code: &str| format!("a,t,m,c\nada,2024-03-01,1,{code}\n");
    for code in ["ABC", "BTC", "EU", "euros", "123"] {
        let map = Some(Mapping::parse("account=a,time=t,amount=m,currency=c,sign=outflow-negative").unwrap());
        let (_, rejects) =
            bytes("in.csv", row(code), &Options { key: Some(key()), map, ..Options::default() }).unwrap();
        assert_eq!((rejects[0].column.as_str(), rejects[0].value.as_str()), ("c", code));
        assert!(rejects[0].reason.contains("ISO 4217"), "{}", rejects[0].reason);
        assert!(Mapping::parse(&format!("account=a,time=t,amount=m,currency=@{code}")).is_err(), "{code}");
    }
    // Withdrawn, and still in old statements: without decimals, as it was.
    check("in.csv", &row("ITL"), Some("account=a,time=t,amount=m,currency=c,sign=outflow-negative"), Some(1));
}
