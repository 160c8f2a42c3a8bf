//! The codes of ISO 4217.

/// List one: currencies and funds in use, metals and the codes for testing and for none.
const IN_USE: &str = "\
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
    CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF \
    GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD \
    LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP \
    PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP \
    TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR \
    XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG";

/// List three, as far as electronic statements may still name them: withdrawn since the euro came.
const WITHDRAWN: &str = "\
    ADP AFA ATS AZM BEF BYB BYR CSD CUC CYP DEM EEK ESP FIM FRF GHC GRD GWP HRK IEP ITL LTL LUF LVL MGF MRO MTL MXP \
    MZM NLG PTE ROL RUR SDD SIT SKK SLL SRG STD SZL TMM TPE TRL USS VEB VEF YUM ZMK ZWD ZWL ZWN ZWR";

/// Whether ISO 4217 has, or had, a code.
pub(super) fn has(code: [u8; 3]) -> bool {
    let among = |list: &str| list.as_bytes().chunks(4).any(|word| word.get(..3) == Some(&code[..]));
    among(IN_USE) || among(WITHDRAWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_words_of_three_letters() {
        for list in [IN_USE, WITHDRAWN] {
            for word in list.as_bytes().chunks(4) {
                assert!(word[..3].iter().all(u8::is_ascii_uppercase) && word[3..] != *b"x", "{word:?}");
                assert!(word.len() == 3 || word[3] == b' ', "{word:?}");
            }
        }
        assert!(has(*b"EUR") && has(*b"ZWG") && has(*b"DEM") && has(*b"XXX"));
        assert!(!has(*b"BTC") && !has(*b"ABC") && !has(*b"EUS"));
    }
}
