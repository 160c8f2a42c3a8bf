//! Times as people and programs write them out: names of months and days of the week, ordinals, any mark between the
//! numbers, clocks of twelve hours, zones behind the clock. What an exact format reads costs less, and is read by that.

use crible_core::Timestamp;

use super::{Reading, months, number, signed_offset};
use crate::value::text::unaccented;

/// Which number of a date is the month, where no name of a month and no year in front tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Something tells: a name, a year in front, points between day and month.
    Told,
    DayFirst,
    MonthFirst,
}

/// Names of zones that mean one offset, in minutes. What means several in the world of payments (IST) is none.
const ZONES: [(&str, i64); 36] = [
    ("z", 0),
    ("utc", 0),
    ("gmt", 0),
    ("wet", 0),
    ("west", 60),
    ("bst", 60),
    ("cet", 60),
    ("met", 60),
    ("mez", 60),
    ("cest", 120),
    ("mest", 120),
    ("mesz", 120),
    ("eet", 120),
    ("sast", 120),
    ("eest", 180),
    ("msk", 180),
    ("sgt", 480),
    ("hkt", 480),
    ("awst", 480),
    ("jst", 540),
    ("kst", 540),
    ("aest", 600),
    ("aedt", 660),
    ("nzst", 720),
    ("nzdt", 780),
    ("brt", -180),
    ("ast", -240),
    ("edt", -240),
    ("est", -300),
    ("cdt", -300),
    ("cst", -360),
    ("mdt", -360),
    ("mst", -420),
    ("pdt", -420),
    ("pst", -480),
    ("hst", -600),
];

/// Words that stand in dates and say nothing of them: days of the week in the languages of the feeds, what makes a
/// number an ordinal, and what stands between a date and its clock.
const SILENT: &str = concat!(
    "mon|monday|tue|tues|tuesday|wed|wednesday|thu|thur|thurs|thursday|fri|friday|sat|saturday|sun|sunday|",
    "mo|montag|di|dienstag|mi|mittwoch|do|donnerstag|fr|freitag|sa|samstag|sonnabend|so|sonntag|",
    "lun|lundi|mardi|mer|mercredi|jeu|jeudi|ven|vendredi|sam|samedi|dim|dimanche|",
    "lunes|martes|mie|miercoles|jue|jueves|vie|viernes|sab|sabado|dom|domingo|",
    "ma|maandag|dinsdag|wo|woensdag|donderdag|vr|vrijdag|za|zaterdag|zo|zondag|",
    "lunedi|martedi|mercoledi|giovedi|gio|venerdi|sabato|domenica|segunda|terca|quarta|quinta|sexta|feira|",
    "pon|poniedzialek|wt|wtorek|sr|sroda|czw|czwartek|pt|piatek|sob|sobota|niedz|niedziela|",
    "st|nd|rd|th|er|e|o|de|del|of|the|den|le|el|um|uhr|kl|klo|at|a|as|om|г|",
    "年|月|日|년|월|일",
);

enum Token<'t> {
    Number(&'t str),
    Word(String),
    Mark(char),
}

/// Numbers, words and marks, blanks left out.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim().trim_start_matches('\'');
    while let Some(letter) = rest.chars().next() {
        let kind = |letter: char| match letter {
            '0'..='9' => 0,
            letter if letter.is_alphabetic() || ('\u{300}'..='\u{36f}').contains(&letter) => 1,
            _ => 2,
        };
        let same = |next: char| kind(next) == kind(letter);
        let end = match kind(letter) {
            2 => letter.len_utf8(),
            _ => rest.find(|next| !same(next)).unwrap_or(rest.len()),
        };
        let (token, behind) = rest.split_at(end);
        rest = behind;
        match kind(letter) {
            0 => tokens.push(Token::Number(token)),
            1 => tokens.push(Token::Word(token.chars().flat_map(char::to_lowercase).filter_map(bare).collect())),
            _ if letter.is_whitespace() => {}
            _ => tokens.push(Token::Mark(letter)),
        }
    }
    tokens
}

/// A letter without its accent; nothing of an accent alone.
fn bare(letter: char) -> Option<char> {
    (!('\u{300}'..='\u{36f}').contains(&letter)).then(|| unaccented(letter))
}

#[derive(Default)]
struct Found<'t> {
    /// The numbers of the date, in their order.
    numbers: Vec<&'t str>,
    month: Option<u32>,
    /// Whether a point stands behind the first number.
    pointed: bool,
    clock: Option<(u32, u32, u32, u32)>,
    afternoon: Option<bool>,
    zone: Option<i64>,
}

impl Found<'_> {
    fn has_date(&self) -> bool {
        self.numbers.len() + usize::from(self.month.is_some()) == 3 || self.digits().is_some()
    }

    /// The digits of a date that is one number, eight of them: spreadsheets take the zero off the first.
    fn digits(&self) -> Option<String> {
        match self.numbers.as_slice() {
            [one] if matches!(one.len(), 7 | 8) && self.month.is_none() => Some(format!("{one:0>8}")),
            _ => None,
        }
    }
}

fn look(text: &str) -> Option<Found<'_>> {
    let tokens = tokens(text);
    let mut found = Found::default();
    let mut at = 0;
    let short = |at: usize| match tokens.get(at) {
        Some(Token::Number(digits)) if digits.len() <= 2 => number(digits.as_bytes()),
        _ => None,
    };
    let mark = |at: usize, wanted: char| matches!(tokens.get(at), Some(Token::Mark(mark)) if *mark == wanted);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Number(digits) => {
                let parts = |by: char| mark(at, by) && short(at + 1).is_some();
                let in_hours = matches!(tokens.get(at), Some(Token::Word(word)) if word == "h");
                let is_clock = parts(':') || in_hours || (found.has_date() && parts('.'));
                if found.clock.is_none() && is_clock {
                    let by = if parts(':') { ':' } else { '.' };
                    let (hour, minute) = (number(digits.as_bytes())?, short(at + 1).unwrap_or(0));
                    at += if short(at + 1).is_some() { 2 } else { 1 };
                    let mut clock = (hour, minute, 0, 0);
                    if (mark(at, by) || mark(at, ':')) && short(at + 1).is_some() {
                        clock.2 = short(at + 1)?;
                        at += 2;
                        if let (true, Some(Token::Number(part))) = (mark(at, '.') || mark(at, ','), tokens.get(at + 1))
                        {
                            // Finer than a microsecond orders nothing.
                            clock.3 = number(format!("{part:0<6.6}").as_bytes())?;
                            at += 2;
                        }
                    }
                    found.clock = Some(clock);
                } else if found.clock.is_none() && found.has_date() && matches!(digits.len(), 4 | 6) {
                    let part = |from: usize| digits.get(from..from + 2).and_then(|part| number(part.as_bytes()));
                    found.clock = Some((part(0)?, part(2)?, part(4).unwrap_or(0), 0));
                } else if found.has_date() {
                    // The year at the end, behind the clock: Thu Jan 25 09:05:00 2024.
                    return None;
                } else {
                    found.pointed |= found.numbers.is_empty() && mark(at, '.');
                    found.numbers.push(digits);
                }
            }
            Token::Word(word) => {
                let dotted = |letter: &str| word == letter && mark(at, '.');
                if let Some(month) = months::number(word).filter(|_| found.month.is_none()) {
                    found.month = Some(month);
                } else if let Some(afternoon) = half_of_day(word) {
                    found.afternoon = Some(afternoon);
                } else if (dotted("a") || dotted("p")) && matches!(tokens.get(at + 1), Some(Token::Word(m)) if m == "m")
                {
                    found.afternoon = Some(word == "p");
                    at += 2;
                } else if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| name == word)
                    && found.clock.is_some()
                    && found.zone.is_none()
                {
                    found.zone = Some(minutes * 60 * Timestamp::SECOND);
                } else if !(SILENT.split('|').any(|known| known == word) || (word == "t" && found.has_date())) {
                    return None;
                }
            }
            Token::Mark(sign @ ('+' | '-')) if found.clock.is_some() => {
                let Some(Token::Number(digits)) = tokens.get(at) else { return None };
                at += 1;
                let mut offset = if digits.len() == 1 { format!("0{digits}") } else { (*digits).to_owned() };
                if let (true, Some(Token::Number(minutes))) = (mark(at, ':'), tokens.get(at + 1)) {
                    offset.push_str(minutes);
                    at += 2;
                }
                found.zone = Some(signed_offset(if *sign == '+' { b'+' } else { b'-' }, offset.as_bytes())?);
            }
            // What stands in brackets behind an offset names it again.
            Token::Mark('(' | '[') if found.zone.is_some() => break,
            Token::Mark('.' | ',' | '/' | '-' | '\u{2013}') => {}
            Token::Mark(_) => return None,
        }
    }
    Some(found)
}

/// Whether a word names the second half of the day, or the first.
fn half_of_day(word: &str) -> Option<bool> {
    match word {
        "am" | "오전" | "午前" | "上午" => Some(false),
        "pm" | "오후" | "午後" | "下午" => Some(true),
        _ => None,
    }
}

/// The two first numbers of a date of which either could be the day.
pub(super) fn open_numbers(text: &str) -> Option<(u32, u32)> {
    let found = look(text).filter(|found| found.has_date() && found.month.is_none())?;
    if let Some(digits) = found.digits() {
        let numbers = (number(&digits.as_bytes()[..2])?, number(&digits.as_bytes()[2..4])?);
        return year(&digits[4..]).map(|_| numbers);
    }
    let [first, second, _] = found.numbers.as_slice() else { return None };
    let short = |digits: &str| number(digits.as_bytes()).filter(|_| digits.len() <= 2);
    Some((short(first)?, short(second)?)).filter(|_| !found.pointed)
}

/// Whether a text is a date that says nothing of the year: `25-Jan`, `01/25`, `25.01.`.
pub(super) fn lacks_year(text: &str) -> bool {
    let Some(found) = look(text) else { return false };
    let short = |digits: &&str| digits.len() <= 2;
    let numbers = if found.month.is_some() { 1 } else { 2 };
    found.numbers.len() == numbers
        && found.numbers.iter().all(short)
        && text.contains(|mark: char| !mark.is_ascii_digit())
}

/// A year of the years that payments are of, of two digits one of the years 1969 to 2068.
fn year(digits: &str) -> Option<i32> {
    let year = number(digits.as_bytes())? as i32;
    match digits.len() {
        4 if (1900..2200).contains(&year) => Some(year),
        2 => Some(if year < 69 { 2000 + year } else { 1900 + year }),
        _ => None,
    }
}

pub(super) fn read(text: &str, order: Order) -> Option<Reading> {
    // Longer texts hold no time alone.
    let found = look(text).filter(|found| text.len() < 80 && found.has_date())?;
    let whole = found.digits();
    let numbers: Vec<&str> = match &whole {
        Some(digits) if year(&digits[..4]).is_some() && order == Order::Told => {
            vec![&digits[..4], &digits[4..6], &digits[6..]]
        }
        Some(digits) => vec![&digits[..2], &digits[2..4], &digits[4..]],
        None => found.numbers.clone(),
    };
    let short = |digits: &str| number(digits.as_bytes()).filter(|_| digits.len() <= 2);
    let (year, month, day) = match (found.month, numbers.as_slice(), order) {
        (Some(month), [first, second], Order::Told) if first.len() == 4 => (year(first)?, month, short(second)?),
        (Some(month), [day, last], Order::Told) => (year(last)?, month, short(day)?),
        (None, [first, month, day], Order::Told) if first.len() == 4 => (year(first)?, short(month)?, short(day)?),
        (None, [day, month, last], Order::Told) if found.pointed => (year(last)?, short(month)?, short(day)?),
        (None, [day, month, last], Order::DayFirst) => (year(last)?, short(month)?, short(day)?),
        (None, [month, day, last], Order::MonthFirst) if !found.pointed => (year(last)?, short(month)?, short(day)?),
        _ => return None,
    };
    let (mut hour, minute, second, micro) = found.clock.unwrap_or_default();
    if let Some(afternoon) = found.afternoon {
        if found.clock.is_none() || !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if afternoon { 12 } else { 0 };
    }
    // The end of a day is the beginning of the next.
    let ends = (hour, minute, second, micro) == (24, 0, 0, 0);
    let local = Timestamp::from_civil(year, month, day, if ends { 0 } else { hour }, minute, second, micro)?.0
        + if ends { Timestamp::DAY } else { 0 };
    Some(match found.zone {
        Some(offset) => Reading::Instant(local - offset),
        None => Reading::Local(local),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(order: Order, text: &str, expect: &str) {
        let read = read(text, order).map(|reading| match reading {
            Reading::Instant(at) => format!("{} sharp", Timestamp(at)),
            Reading::Local(at) => Timestamp(at).to_string(),
        });
        assert_eq!(read.as_deref().unwrap_or("nothing"), expect, "{text}");
    }

    #[test]
    fn dates_are_read_however_they_are_written() {
        for (text, expect) in [
            ("Thursday, January 25th, 2024", "2024-01-25T00:00:00Z"),
            ("Do, 25. Januar 2024 um 09:05 Uhr", "2024-01-25T09:05:00Z"),
            ("jeudi 25 janvier 2024 à 9h05", "2024-01-25T09:05:00Z"),
            ("25. ledna 2024", "2024-01-25T00:00:00Z"),
            ("25 января 2024 г.", "2024-01-25T00:00:00Z"),
            ("3. helmikuuta 2024", "2024-02-03T00:00:00Z"),
            ("2024. január 25.", "2024-01-25T00:00:00Z"),
            ("3 Şubat 2024", "2024-02-03T00:00:00Z"),
            ("25JAN24", "2024-01-25T00:00:00Z"),
            ("25-JAN-24 09.05.07.123456 PM", "2024-01-25T21:05:07.123456Z"),
            ("2024年1月25日 9:05", "2024-01-25T09:05:00Z"),
            ("2024. 01. 25.", "2024-01-25T00:00:00Z"),
            ("2024-1-5 9:05 p. m.", "2024-01-05T21:05:00Z"),
            ("20240125T090507Z", "2024-01-25T09:05:07Z sharp"),
            ("2024-01-25T09:05:00+01:00[Europe/Paris]", "2024-01-25T08:05:00Z sharp"),
            ("Thu Jan 25 2024 09:05:00 GMT+0100 (CET)", "2024-01-25T08:05:00Z sharp"),
            ("Thu, 25 Jan 2024 09:05:00 -0500", "2024-01-25T14:05:00Z sharp"),
            ("Thu Jan 25 09:05:00 UTC 2024", "2024-01-25T09:05:00Z sharp"),
            ("Thu Jan 25 09:05:00 2024", "2024-01-25T09:05:00Z"),
            ("2024-07-25 09:05:00 EDT", "2024-07-25T13:05:00Z sharp"),
            ("25.1.2024 9.05", "2024-01-25T09:05:00Z"),
            ("'2024-01-25", "2024-01-25T00:00:00Z"),
            ("2024-01-25 24:00", "2024-01-26T00:00:00Z"),
            ("20240125 0905", "2024-01-25T09:05:00Z"),
        ] {
            check(Order::Told, text, expect);
        }
        for text in [
            "2024-01-25 - 2024-01-26",
            "01/02/2024",
            "2024-13-01",
            "2024-01-25 25:00",
            "2024-01-25 13:05 PM",
            "2024-01-25 09:05 IST",
            "10.0.0.1",
            "1.234.567",
            "Jan 25",
            "12.50",
            "25 Jan 2024 4294967305:05",
            "25 Jan 4294969320",
            "4294967297 Jan 2024",
            "",
        ] {
            check(Order::Told, text, "nothing");
        }
        check(Order::DayFirst, "25012024", "2024-01-25T00:00:00Z");
        check(Order::DayFirst, "5012024", "2024-01-05T00:00:00Z");
        check(Order::DayFirst, "9:05 25/01/24", "2024-01-25T09:05:00Z");
        check(Order::MonthFirst, "Thu 01/25/2024, 9:05:10 AM", "2024-01-25T09:05:10Z");
        check(Order::MonthFirst, "01252024 10:05", "2024-01-25T10:05:00Z");
        check(Order::MonthFirst, "01.02.2024 9.05", "nothing");
    }

    #[test]
    fn what_a_date_leaves_open_is_known() {
        assert_eq!(open_numbers("25012024"), Some((25, 1)));
        assert_eq!(open_numbers("Thu 01/25/2024"), Some((1, 25)));
        assert!(
            ["20240125", "25 Jan 2024", "2024-01-25", "25.01.2024"].iter().all(|text| open_numbers(text).is_none())
        );
        assert!(["25-Jan", "01/25", "25.01.", "Jan 25"].iter().all(|text| lacks_year(text)));
        assert!(["25-Jan-24", "0125", "12", "09:05", ""].iter().all(|text| !lacks_year(text)));
    }
}
