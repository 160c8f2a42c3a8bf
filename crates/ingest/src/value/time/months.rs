//! Names of months in the languages of the feeds.

use crate::value::text::unaccented;

/// Names by month, without accents: German, French, Spanish, Dutch, Polish, Italian, Portuguese, Czech, Turkish, Finnish,
/// Hungarian, Romanian, Russian, those of Scandinavia, and what English writes besides its own short names.
#[rustfmt::skip]
const NAMES: [&[&str]; 12] = [
    &[
        "januar", "jan", "jaenner", "janner", "janvier", "janv", "enero", "ene", "januari", "styczen", "stycznia",
        "sty", "gennaio", "gen", "janeiro", "january", "ledna", "leden", "ocak", "tammikuuta", "tammikuu", "ianuarie",
        "января", "январь",
    ],
    &[
        "februar", "feb", "feber", "fevrier", "fevr", "fev", "febrero", "februari", "luty", "lutego", "lut",
        "febbraio", "fevereiro", "february", "unora", "unor", "subat", "helmikuuta", "helmikuu", "februarie",
        "февраля", "февраль",
    ],
    &[
        "marz", "maerz", "mrz", "mar", "mars", "marzo", "maart", "mrt", "marzec", "marca", "marco", "march", "brezna",
        "brezen", "mart", "maaliskuuta", "maaliskuu", "marcius", "martie", "marts", "марта", "март",
    ],
    &[
        "april", "apr", "avril", "avr", "abril", "abr", "kwiecien", "kwietnia", "kwi", "aprile", "dubna", "duben",
        "nisan", "huhtikuuta", "huhtikuu", "aprilis", "aprilie", "апреля", "апрель",
    ],
    &[
        "mai", "may", "mayo", "mei", "maj", "maja", "maggio", "mag", "maio", "kvetna", "kveten", "mayis",
        "toukokuuta", "toukokuu", "majus", "мая", "май",
    ],
    &[
        "juni", "jun", "juin", "junio", "czerwiec", "czerwca", "cze", "giugno", "giu", "junho", "june", "cervna",
        "cerven", "haziran", "kesakuuta", "kesakuu", "junius", "iunie", "июня", "июнь",
    ],
    &[
        "juli", "jul", "juillet", "juil", "julio", "lipiec", "lipca", "lip", "luglio", "lug", "julho", "july",
        "cervence", "cervenec", "temmuz", "heinakuuta", "heinakuu", "julius", "iulie", "июля", "июль",
    ],
    &[
        "august", "aug", "aout", "agosto", "ago", "augustus", "sierpien", "sierpnia", "sie", "srpna", "srpen",
        "agustos", "elokuuta", "elokuu", "augusztus", "augusti", "августа", "август",
    ],
    &[
        "september", "sep", "sept", "septembre", "septiembre", "set", "wrzesien", "wrzesnia", "wrz", "settembre",
        "setembro", "setiembre", "zari", "eylul", "syyskuuta", "syyskuu", "szeptember", "septembrie", "сентября",
        "сентябрь",
    ],
    &[
        "oktober", "okt", "oct", "octobre", "octubre", "pazdziernik", "pazdziernika", "paz", "ottobre", "ott",
        "outubro", "out", "october", "rijna", "rijen", "ekim", "lokakuuta", "lokakuu", "octombrie", "октября",
        "октябрь",
    ],
    &[
        "november", "nov", "novembre", "noviembre", "listopad", "listopada", "lis", "novembro", "listopadu", "kasim",
        "marraskuuta", "marraskuu", "noiembrie", "ноября", "ноябрь",
    ],
    &[
        "dezember", "dez", "dec", "decembre", "diciembre", "dic", "december", "grudzien", "grudnia", "gru",
        "dicembre", "dezembro", "prosince", "prosinec", "aralik", "joulukuuta", "joulukuu", "desember", "des",
        "decembrie", "декабря", "декабрь",
    ],
];

/// Short names in English, which patterns read.
const ENGLISH: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The month that a word in lower case and without accents names, from 1.
pub(super) fn number(word: &str) -> Option<u32> {
    let named = |(names, english): (&&[&str], &str)| names.contains(&word) || english.eq_ignore_ascii_case(word);
    NAMES.iter().zip(ENGLISH).position(named).map(|month| month as u32 + 1)
}

/// A date with the month's name in English, and without what languages put around day and month (`5. März`, `1er mai`,
/// `5 de enero de 2024`). Nothing where no word of it names a month.
pub(super) fn in_english(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut found = false;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let end = rest.find(|next: char| next.is_alphabetic() != letter.is_alphabetic()).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        rest = behind;
        if !letter.is_alphabetic() {
            out.push_str(part);
            continue;
        }
        let word: String = part.chars().flat_map(char::to_lowercase).map(unaccented).collect();
        if let Some(month) = NAMES.iter().position(|names| names.contains(&word.as_str())).filter(|_| !found) {
            found = true;
            // The point of an ordinal number, and that of a short name.
            let day = out.trim_end();
            if let Some(day) = day.strip_suffix('.').filter(|_| out.ends_with(' ')) {
                out.truncate(day.len());
                out.push(' ');
            }
            out.push_str(ENGLISH[month]);
            rest = rest
                .strip_prefix('.')
                .filter(|behind| !behind.starts_with(|next: char| next.is_ascii_digit()))
                .unwrap_or(rest);
        } else if matches!(word.as_str(), "de" | "del" | "er" | "e") && !out.is_empty() {
            // What is left of the blank before it and of the one behind it is one.
            if out.ends_with(' ') {
                rest = rest.strip_prefix(' ').unwrap_or(rest);
            }
        } else {
            out.push_str(part);
        }
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_other_languages() {
        for (text, english) in [
            ("5. Januar 2024", "5 Jan 2024"),
            ("05 févr. 2024", "05 Feb 2024"),
            ("1er août 2024", "1 Aug 2024"),
            ("5 de enero de 2024", "5 Jan 2024"),
            ("05-mrt-2024", "05-Mar-2024"),
            ("5 października 2024", "5 Oct 2024"),
            ("05.Dez.2024", "05.Dec.2024"),
            ("31 sept. 2024 12:30", "31 Sep 2024 12:30"),
            ("Ene 5, 2024", "Jan 5, 2024"),
            ("5 Sept 2024", "5 Sep 2024"),
        ] {
            assert_eq!(in_english(text).as_deref(), Some(english), "{text}");
        }
        for text in ["5 Foo 2024", "2024-01-05", ""] {
            assert_eq!(in_english(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_of_one_month() {
        let all: Vec<&&str> = NAMES.iter().flat_map(|names| names.iter()).collect();
        let mut once = all.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), all.len());
    }
}
