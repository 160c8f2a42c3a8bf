//! Still more forms that files in the wild have: words that contradict signs, dates that others of the row decide,
//! fields that are empty by a word, currencies that each amount names, and names of files that no rule knows.

use crible_ingest::{Import, Mapping, Options, Preset, draft};

use crate::common::{Folder, bytes, import, options};

fn mapped(map: &str) -> Options {
    Options { map: Some(Mapping::parse(map).unwrap()), ..options() }
}

/// Amounts in minor units, in the order of the file.
fn minors(import: &Import) -> Vec<i64> {
    let row = |at| (import.batch.source(at).row, import.batch.get(at).amount.minor);
    let mut rows: Vec<(u64, i64)> = (0..import.batch.len()).map(row).collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, minor)| minor).collect()
}

fn days(import: &Import) -> Vec<String> {
    import.batch.times().iter().map(|at| at.to_string()[..10].to_owned()).collect()
}

fn read(name: &str, text: &str, options: &Options) -> Import {
    bytes(name, text, options).unwrap().0
}

fn warns(import: &Import, of: &str) -> bool {
    import.files.iter().flat_map(|file| &file.warnings).any(|warning| warning.contains(of))
}

const MAP: &str = "account=a,amount=m,time=t";
const CARD: &str = "Transaction Date,Post Date,Description,Category,Type,Amount,Memo\n";
const CHECKING: &str = "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #\n";
const DISCOVER: &str = "Trans. Date,Post Date,Description,Amount,Category\n";

#[test]
fn words_that_contradict_all_signs_turn_them() {
    let sales = "01/05/2024,01/06/2024,CAFE,Food,Sale,4.50,\n01/25/2024,01/26/2024,X,,Payment,-100.00,\n";
    let turned = read("c.csv", &format!("{CARD}{sales}"), &options());
    assert_eq!(minors(&turned), [-450, 10_000]);
    assert!(warns(&turned, "`Type` contradict the signs of 2 of 2 amounts") && warns(&turned, "all signs are turned"));
    // What agrees is read without a word.
    let right =
        read("c.csv", &format!("{CARD}{}", sales.replace(",4.50", ",-4.50").replace("-100", "100")), &options());
    assert_eq!((minors(&right), right.files[0].warnings.len()), (vec![-450, 10_000], 0));
    // A payment to a card, and purchases that nothing is told of.
    let thanks = "01/05/2024,01/06/2024,CAFE,-4.50,Restaurants\n01/15/2024,01/16/2024,SHOP,-14.50,Merchandise\n\
                  01/25/2024,01/26/2024,INTERNET PAYMENT - THANK YOU,100.00,Payments and Credits\n";
    let discover = read("d.csv", &format!("{DISCOVER}{thanks}"), &options());
    assert_eq!(minors(&discover), [-450, -1_450, 10_000]);
    assert!(warns(&discover, "all signs are turned"));
    // One payment that was taken back is no reason to turn a file.
    let back = "01/05/2024,01/06/2024,CAFE,4.50,Restaurants\n01/15/2024,01/16/2024,SHOP,14.50,Merchandise\n\
                01/25/2024,01/26/2024,RETURNED PAYMENT,100.00,Payments and Credits\n";
    let kept = read("d.csv", &format!("{DISCOVER}{back}"), &options());
    assert_eq!(minors(&kept), [-450, -1_450, -10_000]);
    assert!(warns(&kept, "they are read as `Amount` has them"));
    // Nor is a sign turned that the user has given.
    let text = "a,t,m,k\nx,2024-01-01,10.00,Debit\nx,2024-01-02,-5.00,Credit\n";
    assert_eq!(minors(&read("m.csv", text, &mapped(MAP))), [-1_000, 500]);
    let said = read("m.csv", text, &mapped(&format!("{MAP},sign=outflow-negative")));
    assert_eq!((minors(&said), said.files[0].warnings.len()), (vec![1_000, -500], 0));
    // A debit card is no debit.
    let kinds = "a,t,m,card_type\nx,2024-01-01,10.00,debit\nx,2024-01-02,5.00,credit\n";
    assert_eq!(minors(&read("m.csv", kinds, &mapped(MAP))), [-1_000, -500]);
}

#[test]
fn words_tell_the_way_where_a_feed_of_signs_has_none() {
    let rows = "DEBIT,01/05/2024,CAFE,4.50,DEBIT_CARD,,,\nCREDIT,01/04/2024,PAY,100.00,ACH_CREDIT,,,\n\
                DEBIT,01/03/2024,CAFE,20.00,DEBIT_CARD,,,\n";
    let import = read("c.csv", &format!("{CHECKING}{rows}"), &options());
    assert_eq!(minors(&import), [-450, 10_000, -2_000]);
    assert!(warns(&import, "amounts have one sign"), "{:?}", import.files[0].warnings);
    // Balances go before words.
    let rows = "DEBIT,01/05/2024,REVERSAL,4.50,DEBIT_CARD,104.50,,\nCREDIT,01/04/2024,PAY,100.00,ACH_CREDIT,100.00,,\n";
    let import = read("c.csv", &format!("{CHECKING}{rows}"), &options());
    assert_eq!((minors(&import), import.files[0].warnings.len()), (vec![450, 10_000], 0));
}

#[test]
fn words_of_a_feed_are_those_that_everybody_knows_too() {
    let head = "Account Number,Transaction Date,Transaction Amount,Transaction Type,Transaction Description,Balance\n";
    let rows = "4795,08/12/26,200.00,Withdrawal,CAFE,500.00\n4795,08/13/26,50.00,DEPOSIT,PAY,550.00\n";
    let import = read("c.csv", &format!("{head}{rows}"), &options());
    assert_eq!(minors(&import), [-20_000, 5_000]);
    assert!(import.files[0].why.contains("Withdrawal in Transaction Type flows out"), "{}", import.files[0].why);
    // What nobody knows is a reject.
    let (import, rejects) = bytes("c.csv", format!("{head}{}", rows.replace("DEPOSIT", "Other")), &options()).unwrap();
    assert_eq!((minors(&import), rejects[0].column.as_str()), (vec![-20_000], "Transaction Type"));
    let mint = "Date,Description,Original Description,Amount,Transaction Type,Category,Account Name,Labels,Notes\n\
                1/05/2024,Cafe,CAFE 1,4.50,,Food,CHECKING,,\n";
    assert_eq!(bytes("m.csv", mint, &options()).unwrap().1.len(), 1, "an empty word tells no way");
}

#[test]
fn words_that_may_tell_the_way_are_named() {
    let rows = |word: &str| {
        format!("a,t,m,k\nx,2024-01-01,10.00,Purchase\nx,2024-01-02,5.00,{word}\nx,2024-01-03,1.00,Purchase\n")
    };
    for word in ["Refund", "Return", "Salary", "Zwrot", "Rückerstattung"] {
        let import = read("w.csv", &rows(word), &mapped(MAP));
        assert_eq!(minors(&import), [-1_000, -500, -100]);
        assert!(warns(&import, &format!("inflow=k:{word}")), "{:?}", import.files[0].warnings);
    }
    assert!(!warns(&read("w.csv", &rows("Fee"), &mapped(MAP)), "inflow"));
    let plus = "a,t,m\nx,2024-01-01,84.12\nx,2024-01-02,+1.00\nx,2024-01-03,2.00\n";
    assert_eq!(minors(&read("p.csv", plus, &mapped(MAP))), [-8_412, 100, -200]);
}

#[test]
fn other_dates_of_a_row_tell_day_from_month() {
    let rows = |post: &str| format!("{CARD}05/01/2024,06/01/2024,A,,Sale,-1.00,\n12/01/2024,{post},B,,Sale,-2.00,\n");
    let import = read("c.csv", &rows("13/01/2024"), &options());
    assert_eq!(days(&import), ["2024-01-05", "2024-01-12"]);
    assert!(import.files[0].why.contains("%d/%m/%Y, unlike the feed's own"), "{}", import.files[0].why);
    assert_eq!(days(&read("c.csv", &rows("12/02/2024"), &options())), ["2024-05-01", "2024-12-01"]);
    let text = "a,t,u,m\nx,05/01/2024,25/01/2024,-1.00\n";
    assert_eq!(days(&read("m.csv", text, &mapped(MAP))), ["2024-01-05"]);
    let years = "a,t,m\nx,24/01/13,-1.00\nx,24/02/28,-1.00\n";
    assert_eq!(days(&read("y.csv", years, &mapped(MAP))), ["2024-01-13", "2024-02-28"]);
    let days_first = "a,t,m\nx,13/01/24,-1.00\nx,28/02/24,-1.00\n";
    assert_eq!(days(&read("y.csv", days_first, &mapped(MAP))), ["2024-01-13", "2024-02-28"]);
}

#[test]
fn a_field_is_empty_by_a_word() {
    let head = "Transaction Date,Posted Date,Card No.,Description,Category,Debit,Credit\n";
    for word in ["", "-", "NaN", "null", "N/A", "—"] {
        let rows = format!(
            "2024-01-05,2024-01-06,1234,CAFE,Dining,4.50,{word}\n2024-01-06,2024-01-06,1234,PAY,,{word},9.00\n"
        );
        assert_eq!(minors(&read("c.csv", &format!("{head}{rows}"), &options())), [-450, 900], "{word}");
    }
    let (_, rejects) = bytes("c.csv", format!("{head}2024-01-05,2024-01-06,1,X,,-,-\n"), &options()).unwrap();
    assert!(rejects[0].reason.contains("in one of the two columns"), "{rejects:?}");
}

#[test]
fn amounts_are_written_in_the_ways_of_programs_and_countries() {
    let read = |amounts: &[&str]| {
        let row = |amount: &&str| format!("x,2024-01-01 10:00,\"{amount}\"\n");
        let text = format!("a,t,m\n{}", amounts.iter().map(row).collect::<String>());
        minors(&read("a.csv", &text, &mapped(MAP)))
    };
    assert_eq!(read(&["-1,23,456.78", "-12,345.00"]), [-12_345_678, -1_234_500]);
    assert_eq!(read(&["-1.500000E+03", "-12.00"]), [-150_000, -1_200]);
    assert_eq!(read(&["-19.99", "-5e-05"]), [-1_999, 0]);
    assert_eq!(read(&["$(2.00)", "$3.00"]), [-200, 300]);
    // Digits that are lost are not made up.
    let lost = bytes("l.csv", "a,t,m\nx,2024-01-01,-1.23457E+06\nx,2024-01-01,-1.00\n", &mapped(MAP)).unwrap();
    assert_eq!((minors(&lost.0), lost.1.len()), (vec![-100], 1));
}

#[test]
fn a_column_called_after_minor_units_holds_them() {
    let text = "account,time,amount_cents\nx,2024-01-01,-1999\nx,2024-01-02,-300\n";
    let map = "account=account,amount=amount_cents,time=time,currency=@USD";
    let import = read("c.csv", text, &mapped(map));
    assert_eq!(minors(&import), [-1_999, -300]);
    assert!(import.files[0].why.contains("minor units"), "{}", import.files[0].why);
    assert_eq!(minors(&read("c.csv", &text.replace("-300", "-3.00"), &mapped(map))), [-199_900, -300]);
    assert_eq!(minors(&read("c.csv", text, &mapped(&format!("{map},amount-format=plain")))), [-199_900, -30_000]);
    let folder = Folder::new();
    let toml = draft(&folder.file("draft.csv", text), None).unwrap().toml;
    Preset::from_toml(&toml, "draft.toml").unwrap();
    assert!(toml.contains("format = \"minor\""), "{toml}");
}

#[test]
fn drafts_know_sides_cards_and_currencies() {
    let drafted = |text: &str| {
        let folder = Folder::new();
        let toml = draft(&folder.file("draft.csv", text), None).unwrap().toml;
        Preset::from_toml(&toml, "draft.toml").unwrap_or_else(|error| panic!("{error}\n{toml}"));
        toml
    };
    for (out, into) in [("Dare", "Avere"), ("Cargo", "Abono"), ("Uscite", "Entrate"), ("Soll", "Haben"), ("Af", "Bij")]
    {
        let toml = drafted(&format!(
            "Data;Descrizione;{out};{into};Saldo\n05/01/2024;CAFE;4,50;;95,50\n25/01/2024;PAGA;;1.900,00;1.995,50\n"
        ));
        assert!(toml.contains(&format!("debit = \"{out}\"\ncredit = \"{into}\"")), "{toml}");
        assert!(toml.contains("column = \"Descrizione\""), "{toml}");
    }
    let cards = drafted(
        "time,card_number,merchant,card_type,amount\n2024-01-01,4111,CAFE,credit,10.00\n2024-01-02,4112,SHOP,debit,20.50\n",
    );
    assert!(!cards.contains("flow = {"), "what was paid with is no way: {cards}");
    let coins = drafted("Date,Payee,Amount\n2024-01-05,CAFE,-$4.50\n2024-01-25,SHOP,-€9.00\n");
    assert!(coins.contains("from = \"amount\""), "{coins}");
}

#[test]
fn each_amount_may_name_its_currency() {
    let coins = |rows: &[&str]| {
        let row = |amount: &&str| format!("x,2024-01-01 10:00,{amount}\n");
        let import = read("c.csv", &format!("a,t,m\n{}", rows.iter().map(row).collect::<String>()), &mapped(MAP));
        let coin = |at| {
            (
                import.batch.source(at).row,
                import.batch.get(at).amount.to_string() + import.batch.get(at).amount.currency.as_str(),
            )
        };
        let mut all: Vec<(u64, String)> = (0..import.batch.len()).map(coin).collect();
        all.sort();
        all.into_iter().map(|(_, coin)| coin).collect::<Vec<_>>()
    };
    assert_eq!(coins(&["-$84.12", "-€10.00", "-£5.00"]), ["-84.12USD", "-10.00EUR", "-5.00GBP"]);
    assert_eq!(coins(&["-84.12 USD", "-10 JPY", "-1.00"]), ["-84.12USD", "-10JPY", "-1.00XXX"]);
    assert_eq!(coins(&["-84.12 €", "-1.00 €"]), ["-84.12EUR", "-1.00EUR"]);
    assert_eq!(coins(&["-$84.12", "-$1.00"]), ["-84.12XXX", "-1.00XXX"], "dollars are many");
    let chase = format!(
        "{CARD}01/05/2024,01/06/2024,A,,Sale,-4.50,\n01/25/2024,01/26/2024,B,,Sale,-€4.50,\n01/25/2024,01/26/2024,C,,Sale,-4.50,\n"
    );
    assert!(warns(&read("c.csv", &chase, &options()), "read as USD, which is the feed's"));
}

#[test]
fn mapped_columns_are_found_however_they_are_spelled() {
    let text = "ACCOUNT,Posting Date,Amount\nx,2024-01-01,-1.00\n";
    assert_eq!(minors(&read("m.csv", text, &mapped("account=account,amount=amount,time=posting_date"))), [-100]);
    let twice = bytes("m.csv", "a,A,t,m\nx,y,2024-01-01,-1.00\n", &mapped("account=Á,amount=m,time=t"));
    assert!(twice.unwrap_err().to_string().contains("which of two columns"));
}

#[test]
fn case_is_none_in_other_alphabets_either() {
    let head =
        "Typ,Produkt,Datum des Beginns,Datum des Abschlusses,Beschreibung,Betrag,Gebühr,Währung,Status,Kontostand\n";
    let row =
        |state: &str| format!("X,Aktuell,2024-01-05 10:00:00,2024-01-05 10:00:00,CAFE,-4.50,0.00,EUR,{state},95.50\n");
    let text = format!("{head}{}{}{}", row("ABGESCHLOSSEN").repeat(2), row("Zurückgesetzt"), row("WIEDERHERGESTELLT"));
    let (import, rejects) = bytes("r.csv", text, &options()).unwrap();
    assert_eq!((import.batch.len(), rejects.len()), (3, 1));
    assert!(rejects[0].reason.contains("no transaction"), "{rejects:?}");
    // What no rule knows is told of where the feed speaks another language.
    assert!(warns(&import, "WIEDERHERGESTELLT, which the feed does not name"), "{:?}", import.files[0].warnings);
}

#[test]
fn wallets_speak_seven_languages() {
    for (name, text) in [
        (
            "revolut",
            "Tipo,Prodotto,Data di inizio,Data di completamento,Descrizione,Importo,Costo,Valuta,State,Saldo\n\
             Pagamento,Attuale,2024-01-25 10:00:00,2024-01-25 10:00:00,CAFE,-4.50,0.00,EUR,COMPLETATO,95.50\n",
        ),
        (
            "paypal-eu",
            "\"Datum\",\"Tijd\",\"Tijdzone\",\"Naam\",\"Type\",\"Status\",\"Valuta\",\"Bruto\",\"Kosten\",\"Net\",\"Transactiereferentie\"\n\
             \"25-01-2024\",\"10:00:00\",\"CET\",\"CAFE\",\"Betaling\",\"Voltooid\",\"EUR\",\"-4,50\",\"0,00\",\"-4,50\",\"ABC1\"\n",
        ),
        (
            "paypal-eu",
            "\"Data\",\"Orario\",\"Fuso orario\",\"Nome\",\"Tipo\",\"Stato\",\"Valuta\",\"Lordo\",\"Tariffa\",\"Netto\",\"Codice transazione\"\n\
             \"25/01/2024\",\"10:00:00\",\"CET\",\"CAFE\",\"Pagamento\",\"Completata\",\"EUR\",\"-4,50\",\"0,00\",\"-4,50\",\"ABC1\"\n",
        ),
    ] {
        let import = read("w.csv", text, &options());
        assert_eq!((import.files[0].feed.as_str(), minors(&import)), (name, vec![-450]), "{text}");
        assert_eq!(days(&import), ["2024-01-25"]);
    }
}

#[test]
fn two_downloads_of_one_account_are_told_of_where_no_rule_joins_them() {
    let row = |day: &str, payee: &str, amount: &str| format!("01/{day}/2024,01/{day}/2024,{payee},{amount},X\n");
    let both = |first: &str, second: &str, rows: String| {
        let folder = Folder::new();
        let january = format!("{DISCOVER}{}{}", row("05", "CAFE", "4.50"), row("15", "SHOP", "9.50"));
        let paths = [folder.file(first, january), folder.file(second, format!("{DISCOVER}{rows}"))];
        import(&paths, &options()).unwrap().0
    };
    let overlap = row("15", "SHOP", "9.50") + &row("25", "BAR", "7.50");
    let warned = both("Discover_1704067200.csv", "Discover_1709251200.csv", overlap.clone());
    assert!(warns(&warned, "which is read as another account by its name"), "{:?}", warned.files[1].warnings);
    assert_eq!(warned.batch.len(), 4);
    let other = row("15", "SHOP", "8.00") + &row("25", "BAR", "7.50");
    assert!(!warns(&both("joint.csv", "own.csv", other), "another account"));
    // Where a rule joins them, the row counts once.
    let joined = both("Discover week 3 2024.csv", "Discover_Maerz_2024.csv", overlap);
    assert_eq!((joined.batch.len(), joined.files[0].warnings.len() + joined.files[1].warnings.len()), (3, 0));
}

#[test]
fn statements_have_points_of_their_own() {
    let mt = |amount: &str, coin: &str| {
        let text = format!(
            ":20:S\n:25:DE02120300000000202051\n:28C:1/1\n:60F:C240101{coin}100,00\n:61:2401150115D{amount}NTRFNONREF\n:86:X\n"
        );
        bytes("m.sta", text, &options()).map(|(import, rejects)| (minors(&import), rejects.len())).unwrap()
    };
    assert_eq!(mt("10.50", "EUR"), (vec![-1_050], 0));
    assert_eq!(mt("1.010,50", "EUR"), (vec![-101_050], 0));
    assert_eq!(mt("1.010", "EUR"), (vec![], 1), "thousands, or decimals?");
    assert_eq!(mt("1.010", "KWD"), (vec![-1_010], 0));
}

#[test]
fn types_tell_the_way_of_ofx_amounts_without_signs() {
    let ofx = |rows: &[(&str, &str)]| {
        let row = |(at, (kind, amount)): (usize, &(&str, &str))| {
            format!(
                "<STMTTRN><TRNTYPE>{kind}<DTPOSTED>20240115003000[+5.30:IST]<TRNAMT>{amount}<FITID>{at}<NAME>X</STMTTRN>"
            )
        };
        let rows: String = rows.iter().enumerate().map(row).collect();
        let text = format!(
            "OFXHEADER:100\nDATA:OFXSGML\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>1<ACCTID>2\
             <ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>{rows}</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
        );
        read("o.ofx", &text, &options())
    };
    let unsigned = ofx(&[("DEBIT", "12.50"), ("CREDIT", "20.00"), ("FEE", "0.00")]);
    assert!(minors(&unsigned) == [-1_250, 2_000, 0] && warns(&unsigned, "no amount has a minus"));
    let signed = ofx(&[("DEBIT", "-12.50"), ("DEBIT", "3.00"), ("ATM", "4.00")]);
    assert!(minors(&signed) == [-1_250, 300, 400] && warns(&signed, "1 of 2 amounts whose TRNTYPE is a debit"));
    // What is empty is no transaction, and is counted as such.
    let text = "<OFX><STMTRS><CURDEF>USD<BANKACCTFROM><ACCTID>1</BANKACCTFROM><BANKTRANLIST><STMTTRN></STMTTRN></BANKTRANLIST></STMTRS></OFX>";
    let empty = read("e.ofx", text, &options());
    assert_eq!((empty.files[0].rejected, empty.files[0].no_transaction), (1, 1));
    // Half an hour may be written as minutes.
    let one = ofx(&[("DEBIT", "3.00"), ("DEBIT", "4.00")]);
    assert!(minors(&one) == [300, 400] && warns(&one, "they are read as they stand"), "nothing comes in by its type");
    assert_eq!(signed.batch.times()[0].to_string(), "2024-01-14T19:00:00Z");
}
