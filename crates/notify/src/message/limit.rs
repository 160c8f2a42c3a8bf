/// What a channel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Text messages, joined of at most this many.
    Sms {
        /// How many.
        parts: usize,
    },
    /// Characters.
    Characters(usize),
}

impl Limit {
    /// A customer's text message: three parts, for names that need UCS-2.
    pub const SMS: Self = Self::Sms { parts: 3 };
    /// The body of a WhatsApp template.
    pub const WHATSAPP: Self = Self::Characters(1_024);
    /// A Messenger text.
    pub const MESSENGER: Self = Self::Characters(2_000);
    /// A section of a Slack message.
    pub const SLACK: Self = Self::Characters(3_000);
    /// A mail that anybody reads to the end.
    pub const EMAIL: Self = Self::Characters(20_000);

    /// Whether a text can be sent.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Sms { parts } => sms_parts(text) <= parts,
            Self::Characters(most) => text.chars().count() <= most,
        }
    }
}

/// The basic characters of GSM 03.38, which take seven bits.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
                   ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Those that take an escape before them.
const GSM_ESCAPED: &str = "^{}\\[~]|€\u{c}";

/// Septets that a text takes, if it can be written in them.
fn septets(text: &str) -> Option<usize> {
    text.chars().try_fold(0, |sum, c| {
        let septets = if GSM.contains(c) {
            1
        } else if GSM_ESCAPED.contains(c) {
            2
        } else {
            return None;
        };
        Some(sum + septets)
    })
}

/// Text messages that a text takes. Of several, each gives up room to say which it is.
fn sms_parts(text: &str) -> usize {
    let (units, alone, joined) = match septets(text) {
        Some(septets) => (septets, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if units <= alone { 1 } else { units.div_ceil(joined) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_text_messages() {
        for (text, parts) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("ê".repeat(70), 1),
            ("ê".repeat(71), 2),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            (String::new(), 1),
        ] {
            assert_eq!(sms_parts(&text), parts, "{text}");
        }
        assert_eq!((GSM.chars().count(), septets("É"), septets("ê"), septets("ç")), (127, Some(1), None, None));
    }

    #[test]
    fn characters_are_not_bytes() {
        assert!(Limit::Characters(3).fits("été"));
        assert!(!Limit::Characters(3).fits("étés"));
    }
}
