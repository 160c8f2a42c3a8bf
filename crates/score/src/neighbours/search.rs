//! Which blocks a query visits, and what it keeps.

use fearless_simd::Level;

use super::block::{BOUNDS, Block, LANES, TOGETHER, Views, reaching};
use super::{BLOCK, Neighbour, Neighbours, square_distance};

/// Queries asked at most at once.
const BATCH: usize = 256;

/// After its nearest block, a query visits those within these shares of the limit, one after the other:
/// each lowers the limit for the next.
const WAVES: [f64; 3] = [0.2, 0.5, 1.0];

/// A row that may be among the nearest of a query: what its squared distance is not below, and its place.
type Maybe = (f32, u32);

/// A search with its scratch, for batches of queries.
#[derive(Debug)]
pub(crate) struct Nearest<'a> {
    index: &'a Neighbours,
    /// By place: what counts for a squared distance below it. Empty for none.
    floors: &'a [f64],
    level: Level,
    /// Neighbours to find.
    wanted: usize,
    /// The same and one more, which may be the query itself.
    kept: usize,
    found: Vec<Neighbour>,
    len: Vec<usize>,
    /// By query, as many as are kept: what the squared distances of different rows are not above, the least.
    tops: Vec<f32>,
    n_tops: Vec<usize>,
    /// By query, so many at most.
    aside: Vec<Maybe>,
    n_aside: Vec<usize>,
    most_aside: usize,
    /// The squared distance a row must not exceed to be kept.
    limits: [f64; BATCH],
    /// Groups of [`BOUNDS`] queries, k × lanes each.
    turned: Vec<[f64; BOUNDS]>,
    /// Blocks × batch: what the squared distance of no row is below; +∞ once visited.
    bounds: Vec<[[f64; BOUNDS]; BATCH / BOUNDS]>,
    views: Views,
}

impl<'a> Nearest<'a> {
    /// Queries asked at most at once.
    pub(crate) const BATCH: usize = BATCH;

    /// For `asked` neighbours of each query, or as many as there are.
    pub(crate) fn new(index: &'a Neighbours, asked: usize) -> Self {
        let wanted = index.available(asked);
        let kept = (wanted + 1).min(index.len());
        Self {
            index,
            floors: &[],
            level: Level::new(),
            wanted,
            kept,
            found: Vec::new(),
            len: Vec::new(),
            tops: Vec::new(),
            n_tops: Vec::new(),
            aside: Vec::new(),
            n_aside: Vec::new(),
            most_aside: (32 + 4 * kept).min(1_024),
            limits: [f64::INFINITY; BATCH],
            turned: Vec::new(),
            bounds: vec![[[0.0; BOUNDS]; BATCH / BOUNDS]; index.blocks.len()],
            views: Views::new(index.k),
        }
    }

    /// For the row with the least of max(squared distance, its floor), which is that neighbour's `square`.
    pub(crate) fn reached(index: &'a Neighbours, floors: &'a [f64]) -> Self {
        Self { floors, ..Self::new(index, 1) }
    }

    /// `visit(i, neighbours)` for each of the queries (at most [`BATCH`](Self::BATCH), k values each,
    /// |x| ≤ 1e100), nearest first.
    ///
    /// A row of the fit at no distance from the query is taken to be the query: one such row is left
    /// out, so that a row of the fit has the neighbours it has among the others.
    pub(crate) fn search(&mut self, queries: &[f64], mut visit: impl FnMut(usize, &[Neighbour])) {
        self.search_with_own(queries, |i, _, found| visit(i, found));
    }

    /// [`search`](Self::search); `visit(i, own, neighbours)` is also given the place of the row left out.
    pub(crate) fn search_with_own(&mut self, queries: &[f64], mut visit: impl FnMut(usize, Option<u32>, &[Neighbour])) {
        let index = self.index;
        let n = queries.len() / index.k;
        self.found.clear();
        self.found.resize(n * self.kept, Neighbour { square: f64::INFINITY, place: u32::MAX });
        self.tops.clear();
        self.tops.resize(n * self.kept, f32::INFINITY);
        self.aside.resize(n * self.most_aside, (0.0, 0));
        for counts in [&mut self.len, &mut self.n_tops, &mut self.n_aside] {
            counts.clear();
            counts.resize(n, 0);
        }
        self.limits = [f64::INFINITY; BATCH];
        let home = self.bound(queries, n);

        let mut visits: Vec<u16> = Vec::with_capacity(n);
        // Queries of one block together, so that its rows are fetched once.
        let mut order: Vec<(u32, u16)> = home[..n].iter().enumerate().map(|(i, &b)| (b, i as u16)).collect();
        order.sort_unstable();
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            visits.clear();
            visits.extend(group.iter().map(|g| g.1));
            self.visit(group[0].0 as usize, &visits, queries);
        }
        for share in WAVES {
            for b in 0..index.blocks.len() {
                visits.clear();
                let bounds = self.bounds[b].as_flattened();
                for (i, (bound, limit)) in bounds[..n].iter().zip(&self.limits).enumerate() {
                    // Also where both are infinite: with few rows, limits stay so to the end.
                    if *bound <= share * limit && *bound < f64::INFINITY {
                        visits.push(i as u16);
                    }
                }
                self.visit(b, &visits, queries);
            }
        }
        for i in 0..n {
            self.look_aside(i, &queries[i * index.k..][..index.k]);
            let found = &self.found[i * self.kept..][..self.len[i]];
            let is_own = found.len() > 1 && self.is_at(found[0], &queries[i * index.k..][..index.k]);
            let own = usize::from(is_own);
            visit(i, is_own.then_some(found[0].place), &found[own..][..self.wanted.min(found.len() - own)]);
        }
    }

    /// Whether the neighbour lies where the query does. With floors, all that do have one key.
    fn is_at(&self, neighbour: Neighbour, query: &[f64]) -> bool {
        let square = if self.floors.is_empty() {
            neighbour.square
        } else {
            square_distance(query, self.index.row(neighbour.place))
        };
        square == 0.0
    }

    /// Fills `bounds`, and gives the block with the least bound of each query.
    fn bound(&mut self, queries: &[f64], n: usize) -> [u32; BATCH] {
        let k = self.index.k;
        let groups = n.div_ceil(BOUNDS);
        self.turned.clear();
        self.turned.resize(groups * k, [0.0; BOUNDS]);
        for (i, query) in queries.chunks_exact(k).enumerate() {
            for (j, &x) in query.iter().enumerate() {
                self.turned[i / BOUNDS * k + j][i % BOUNDS] = x;
            }
        }
        let mut home = [0; BATCH];
        let mut least = [f64::INFINITY; BATCH];
        for (b, (block, bounds)) in self.index.blocks.iter().zip(&mut self.bounds).enumerate() {
            block.lower_bounds(self.level, &self.turned, &mut bounds[..groups]);
            for ((home, least), bound) in home.iter_mut().zip(&mut least).zip(&bounds.as_flattened()[..n]) {
                let is_less = *bound < *least;
                *home = if is_less { b as u32 } else { *home };
                *least = if is_less { *bound } else { *least };
            }
        }
        home
    }

    /// Has block b visited by some of the queries.
    fn visit(&mut self, b: usize, visits: &[u16], queries: &[f64]) {
        let index = self.index;
        let block = &index.blocks[b];
        let k = index.k;
        for together in visits.chunks(TOGETHER) {
            let query = |i: u16| &queries[usize::from(i) * k..][..k];
            self.views.look(self.level, block, together.iter().map(|&i| query(i)));
            for (slot, &i) in together.iter().enumerate() {
                let query = query(i);
                let i = usize::from(i);
                self.bounds[b].as_flattened_mut()[i] = f64::INFINITY;
                let from_center = self.views.distances[slot];
                if block.is_near(from_center) {
                    self.take(slot, i, b, block, from_center, query);
                } else {
                    (0..block.len).for_each(|lane| self.offer(i, (b * BLOCK + lane) as u32, query));
                }
            }
        }
    }

    /// Puts aside for query i the rows of block b whose estimates allow for a place among the nearest.
    ///
    /// An estimate bounds a squared distance. The rows whose upper ends are least give a limit before any
    /// distance is computed, and of most rows none ever is.
    fn take(&mut self, slot: usize, i: usize, b: usize, block: &Block, from_center: f64, query: &[f64]) {
        let between = block.between(from_center);
        let missing = self.kept - self.n_tops[i];
        if missing > 0 {
            // The likeliest first: after them, the others have a limit to stay below.
            let mut order: [u8; BLOCK] = std::array::from_fn(|lane| lane as u8);
            let order = &mut order[..block.len];
            let n = missing.min(order.len());
            let estimates = self.views.estimates[slot].as_flattened_mut();
            if n < order.len() {
                order.select_nth_unstable_by(n, |&x, &y| {
                    estimates[usize::from(y)].total_cmp(&estimates[usize::from(x)])
                });
            }
            let mut first = [0.0; BLOCK];
            for (to, &lane) in first.iter_mut().zip(&order[..n]) {
                *to = std::mem::replace(&mut estimates[usize::from(lane)], f32::NEG_INFINITY);
            }
            for (&estimate, &lane) in first.iter().zip(&order[..n]) {
                self.put_aside(i, (b * BLOCK) as u32 + u32::from(lane), between(estimate), query);
            }
            if n == block.len {
                return;
            }
        }
        // The least number there is, lest what was put aside, or is no row, be so again.
        let threshold = block.threshold(from_center, self.limits[i]).max(f32::MIN);
        let mut hits = [0; BLOCK / LANES];
        reaching(self.level, &self.views.estimates[slot], threshold, &mut hits);
        for (g, &hits) in hits[..block.len.div_ceil(LANES)].iter().enumerate() {
            let mut hits = hits;
            while hits != 0 {
                let lane = hits.trailing_zeros() as usize;
                hits &= hits - 1;
                let estimate = self.views.estimates[slot][g][lane];
                self.put_aside(i, (b * BLOCK + g * LANES + lane) as u32, between(estimate), query);
            }
        }
    }

    /// Keeps the row for query i to be looked at later, if by then it may still be among the nearest.
    #[inline]
    fn put_aside(&mut self, i: usize, place: u32, (least, most): (f64, f64), query: &[f64]) {
        let floor = self.floor(place);
        let least = if least > floor { least } else { floor };
        if least > self.limits[i] {
            return;
        }
        if self.n_aside[i] == self.most_aside {
            self.look_aside(i, query);
        }
        self.aside[i * self.most_aside + self.n_aside[i]] = ((least as f32).next_down(), place);
        self.n_aside[i] += 1;

        let most = if most > floor { most } else { floor };
        let most = (most as f32).next_up();
        let tops = &mut self.tops[i * self.kept..][..self.kept];
        let last = self.kept - 1;
        if most >= tops[last] {
            return;
        }
        let mut at = self.n_tops[i].min(last);
        while at > 0 && tops[at - 1] > most {
            tops[at] = tops[at - 1];
            at -= 1;
        }
        tops[at] = most;
        self.n_tops[i] = (self.n_tops[i] + 1).min(self.kept);
        if f64::from(tops[last]) < self.limits[i] {
            self.limits[i] = tops[last].into();
        }
    }

    /// Offers query i the rows put aside that may be among the nearest.
    fn look_aside(&mut self, i: usize, query: &[f64]) {
        for at in 0..std::mem::take(&mut self.n_aside[i]) {
            let (least, place) = self.aside[i * self.most_aside + at];
            if f64::from(least) <= self.limits[i] {
                self.offer(i, place, query);
            }
        }
    }

    fn floor(&self, place: u32) -> f64 {
        self.floors.get(place as usize).copied().unwrap_or(0.0)
    }

    /// Keeps the row for query i if it is among the nearest so far.
    #[inline]
    fn offer(&mut self, i: usize, place: u32, query: &[f64]) {
        let square = square_distance(query, self.index.row(place));
        let floor = self.floor(place);
        let square = if square > floor { square } else { floor };
        let found = &mut self.found[i * self.kept..][..self.kept];
        let len = self.len[i];
        let before = |n: &Neighbour| n.square < square || (n.square == square && n.place < place);
        if len == self.kept && before(&found[len - 1]) {
            return;
        }
        let at = found[..len].partition_point(before);
        let end = if len == self.kept { len - 1 } else { len };
        found.copy_within(at..end, at + 1);
        found[at] = Neighbour { square, place };
        self.len[i] = end + 1;
        if end + 1 == self.kept && found[end].square < self.limits[i] {
            self.limits[i] = found[end].square;
        }
    }
}
