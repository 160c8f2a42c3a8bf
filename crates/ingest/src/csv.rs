//! Delimited text: blocks cut at record boundaries, records cut into fields.

pub(crate) mod blocks;
mod cuts;
pub(crate) mod parse;
pub(crate) mod record;

/// How one file's text is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    /// `\n`, or `\r` in files that know no other line end. A `\r` before `\n` belongs to the line end.
    pub(crate) terminator: u8,
    /// Whether blanks may stand between a delimiter and a quote that opens a field: `"a", "b"`.
    pub(crate) spaced: bool,
    pub(crate) limits: Limits,
}

impl Dialect {
    /// How many blanks stand before the quote that opens the field at the beginning of a text; none where no quote
    /// does.
    fn blanks(self, text: &[u8]) -> usize {
        let blanks = if self.spaced { text.iter().take_while(|&&byte| byte == b' ').count() } else { 0 };
        if text.get(blanks) == Some(&b'"') { blanks } else { 0 }
    }
}

/// Bounds on what has to be held at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longest line that is read as a row.
    pub(crate) line: usize,
    /// The longest record over more than one line.
    pub(crate) multi_line: usize,
    /// Bytes read at a time: enough records to be worth a task, few enough for the second-level cache. Longer than
    /// either limit, so that a whole block always tells where its first record ends, or that it is too long.
    pub(crate) block: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: MAX_LINE, multi_line: 1 << 16, block: 2 << 20 }
    }
}

/// The longest line that is read as a row, in bytes.
pub(crate) const MAX_LINE: usize = 1 << 20;

#[cfg(test)]
mod tests;
