//! Names of months in the languages of the feeds.

/// Names by month, without accents, their ends cut where languages differ in these alone: German, French, Spanish,
/// Dutch, Polish, Italian, Portuguese, and what English writes besides its own short names.
const NAMES: [&[&str]; 12] = [
    &[
        "januar", "jan", "jaenner", "janner", "janvier", "janv", "enero", "ene", "januari", "styczen", "stycznia",
        "sty", "gennaio", "gen", "janeiro",
    ],
    &[
        "februar",
        "feb",
        "feber",
        "fevrier",
        "fevr",
        "fev",
        "febrero",
        "februari",
        "luty",
        "lutego",
        "lut",
        "febbraio",
        "fevereiro",
    ],
    &["marz", "maerz", "mrz", "mar", "mars", "marzo", "maart", "mrt", "marzec", "marca", "marco"],
    &["april", "apr", "avril", "avr", "abril", "abr", "kwiecien", "kwietnia", "kwi", "aprile"],
    &["mai", "may", "mayo", "mei", "maj", "maja", "maggio", "mag", "maio"],
    &["juni", "jun", "juin", "junio", "czerwiec", "czerwca", "cze", "giugno", "giu", "junho"],
    &["juli", "jul", "juillet", "juil", "julio", "lipiec", "lipca", "lip", "luglio", "lug", "julho"],
    &["august", "aug", "aout", "agosto", "ago", "augustus", "sierpien", "sierpnia", "sie"],
    &[
        "september",
        "sep",
        "sept",
        "septembre",
        "septiembre",
        "set",
        "wrzesien",
        "wrzesnia",
        "wrz",
        "settembre",
        "setembro",
        "setiembre",
    ],
    &[
        "oktober",
        "okt",
        "oct",
        "octobre",
        "octubre",
        "pazdziernik",
        "pazdziernika",
        "paz",
        "ottobre",
        "ott",
        "outubro",
        "out",
    ],
    &["november", "nov", "novembre", "noviembre", "listopad", "listopada", "lis", "novembro"],
    &[
        "dezember",
        "dez",
        "dec",
        "decembre",
        "diciembre",
        "dic",
        "december",
        "grudzien",
        "grudnia",
        "gru",
        "dicembre",
        "dezembro",
    ],
];

/// Short names in English, which patterns read.
const ENGLISH: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A letter in lower case without its accent.
fn bare(letter: char) -> Option<char> {
    Some(match letter.to_lowercase().next()? {
        'á' | 'à' | 'â' | 'ä' | 'ą' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'ę' => 'e',
        'ç' | 'ć' => 'c',
        'ń' | 'ñ' => 'n',
        'ś' => 's',
        'ź' | 'ż' => 'z',
        'û' | 'ù' | 'ü' => 'u',
        other => other,
    })
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
        let word: String = part.chars().filter_map(bare).collect();
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
