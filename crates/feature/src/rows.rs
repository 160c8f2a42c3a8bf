/// Marks a row that is absorbed without being read.
pub(crate) const UNWANTED: u32 = u32::MAX;

/// One family's rows of a batch.
#[derive(Debug, Default)]
pub struct Rows {
    /// Rows × columns, in the order the family worked them off.
    pub(crate) numbers: Vec<f32>,
    /// Where in `numbers` each row stands.
    pub(crate) place: Vec<u32>,
    pub(crate) width: usize,
    /// Rows that `numbers` holds already.
    pub(crate) filled: usize,
}

impl Rows {
    pub(crate) fn reset(&mut self, rows: usize, width: usize) {
        (self.width, self.filled) = (width, 0);
        self.numbers.resize(rows * width, 0.0);
        self.place.resize(rows, 0);
    }

    /// Adds the row that `fill` writes as number `number`, or drops it where that is [`UNWANTED`].
    pub(crate) fn add(&mut self, number: u32, fill: impl FnOnce(&mut [f32])) {
        let at = self.filled * self.width;
        if self.numbers.len() < at + self.width {
            self.numbers.resize(at + self.width, 0.0);
        }
        fill(&mut self.numbers[at..at + self.width]);
        if number != UNWANTED {
            self.place[number as usize] = self.filled as u32;
            self.filled += 1;
        }
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row `row`, one number a column.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        let at = self.place[row] as usize * self.width;
        &self.numbers[at..at + self.width]
    }
}

/// Feature rows of a run of transactions. It is scratch: hand the same one in again and nothing is allocated.
#[derive(Debug, Default)]
pub struct Block {
    pub(crate) rows: usize,
    pub(crate) wanted: Vec<u32>,
    pub(crate) families: Vec<Rows>,
}

impl Block {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// So many rows of zeros, of families as wide as these.
    pub(crate) fn blank(&mut self, rows: usize, widths: impl ExactSizeIterator<Item = usize>) {
        self.rows = rows;
        self.families.resize_with(widths.len(), Rows::default);
        for (family, width) in self.families.iter_mut().zip(widths) {
            family.reset(rows, width);
            family.numbers.fill(0.0);
            family.place.fill(0);
        }
    }

    /// The families' rows, in the order of their columns.
    pub fn families(&self) -> &[Rows] {
        &self.families
    }

    /// Copies row `row` into `out`, all columns in the set's order.
    ///
    /// # Panics
    /// Where `row` is not below [`Block::rows`] or `out` is not as long as the set has columns.
    pub fn copy_row(&self, row: usize, out: &mut [f32]) {
        let mut rest = out;
        for family in &self.families {
            let (here, after) = rest.split_at_mut(family.width);
            here.copy_from_slice(family.row(row));
            rest = after;
        }
    }
}
