//! The minimum spanning tree of a fit's rows, from one row on: Prim's algorithm, in memory for the rows.
//!
//! The next row is always the one with the least edge from any row visited. An edge's length is the
//! largest of the squared distance, a floor of the row it leads from, and one of the row it leads to:
//! mutual reachability (HDBSCAN), reachability (OPTICS), and whether a row is within a radius at all
//! (DBSCAN) are such lengths.
//!
//! A row just visited is not compared with all that are left. For each block of rows one bound is
//! computed of what it could be to any of them; where that improves nothing it is forgotten, and
//! elsewhere it waits, together with others, until the block might hold the next row. Then all that wait
//! are compared with the block at once, by 32-bit estimates and, where these leave it open, exactly.
//!
//! Cost: at most n² k / 2 multiplications, mostly of 32 bits, sixteen rows by four side by side; among
//! clusters a small part of it. On one thread. Memory: about 40 bytes a row beside the index.

use fearless_simd::{Level, dispatch};

use super::block::{Block, Estimates, LANES, TOGETHER, Views, reaching_keys};
use super::{BLOCK, Neighbours, square_distance};

/// Visited rows that wait at a block at most.
const WAITING: usize = 32;

/// No row.
const NONE: u32 = u32::MAX;

/// What edges there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edges<'a> {
    /// By place: what an edge from that row measures at least, squared.
    pub(crate) from: &'a [f64],
    /// The same for edges to that row; empty for none.
    pub(crate) to: &'a [f64],
    /// Longer edges do not exist: squared, ∞ for none such.
    pub(crate) limit: f64,
    /// Whether the first of the fit is next among rows equally near, which costs more.
    pub(crate) by_order: bool,
}

/// A row, in the order of visits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Visit {
    pub(crate) place: u32,
    /// The visited row it was reached from and the edge's squared length; none for the first row of all
    /// and of each part that no edge leads to.
    pub(crate) from: Option<(u32, f64)>,
}

/// Every row once, from the first of the fit on. `order` is the index in the fit by place.
pub(crate) fn spanning(index: &Neighbours, order: &[u32], edges: Edges<'_>) -> Vec<Visit> {
    let mut tree = Tree::new(index, order, edges);
    (0..index.len()).map(|_| tree.next()).collect()
}

/// The next row of a block: its key, its index in the fit and its place.
type Head = (f64, u32, u32);

struct Tree<'a> {
    index: &'a Neighbours,
    order: &'a [u32],
    edges: Edges<'a>,
    level: Level,
    /// By place: the shortest edge known, squared; −∞ once visited.
    keys: Vec<f64>,
    /// By place: where that edge leads from.
    source: Vec<u32>,
    /// By block: half of each key, rounded up; −∞ where there is none.
    halves: Vec<Estimates>,
    blocks: Vec<State>,
    /// By block: the longest of the keys; −∞ when all are visited.
    most: Vec<f64>,
    boxes: Boxes,
    /// By block: what no squared distance to a row is below.
    bounds: Vec<f64>,
    views: Views,
}

/// What Prim's algorithm keeps of a block.
#[derive(Debug, Clone)]
struct State {
    head: Head,
    /// The least floor of an edge to a row.
    floor: f64,
    waiting: Vec<u32>,
    /// What no edge from a waiting row is below; ∞ without any.
    bound: f64,
}

impl<'a> Tree<'a> {
    fn new(index: &'a Neighbours, order: &'a [u32], edges: Edges<'a>) -> Self {
        let n_blocks = index.blocks.len();
        let state = |b: usize| State {
            head: (0.0, 0, 0),
            floor: match edges.to {
                [] => 0.0,
                to => to[b * BLOCK..].iter().take(BLOCK).fold(f64::INFINITY, |m, x| if *x < m { *x } else { m }),
            },
            waiting: Vec::with_capacity(WAITING),
            bound: f64::INFINITY,
        };
        let start = edges.limit.next_up();
        let mut tree = Self {
            index,
            order,
            edges,
            level: Level::new(),
            keys: vec![start; index.len()],
            source: vec![NONE; index.len()],
            halves: vec![[[f32::NEG_INFINITY; LANES]; BLOCK / LANES]; n_blocks],
            blocks: (0..n_blocks).map(state).collect(),
            most: vec![f64::NEG_INFINITY; n_blocks],
            boxes: Boxes::new(&index.blocks, index.k),
            bounds: vec![0.0; n_blocks],
            views: Views::new(index.k),
        };
        for place in 0..index.len() {
            tree.halves[place / BLOCK].as_flattened_mut()[place % BLOCK] = half(start);
        }
        (0..n_blocks).for_each(|b| tree.refresh(b));
        tree
    }

    fn next(&mut self) -> Visit {
        let (key, _, place) = self.nearest();
        let at = place as usize;
        let from = self.source[at];
        self.keys[at] = f64::NEG_INFINITY;
        self.halves[at / BLOCK].as_flattened_mut()[at % BLOCK] = f32::NEG_INFINITY;
        self.refresh(at / BLOCK);
        self.send(place);
        Visit { place, from: (from != NONE).then_some((from, key)) }
    }

    /// The row with the shortest edge, once no row that waits could offer a shorter one.
    fn nearest(&mut self) -> Head {
        let mut best = (f64::INFINITY, NONE, NONE);
        for (state, most) in self.blocks.iter().zip(&self.most) {
            if *most > f64::NEG_INFINITY && before(state.head, best) {
                best = state.head;
            }
        }
        for b in 0..self.blocks.len() {
            let bound = self.blocks[b].bound;
            if bound < best.0 || (self.edges.by_order && bound == best.0 && bound < f64::INFINITY) {
                self.meet(b);
                if self.most[b] > f64::NEG_INFINITY && before(self.blocks[b].head, best) {
                    best = self.blocks[b].head;
                }
            }
        }
        best
    }

    /// Has the row wait wherever it might improve a key.
    fn send(&mut self, place: u32) {
        let query = self.index.row(place);
        let (boxes, bounds) = (&mut self.boxes, &mut self.bounds);
        dispatch!(self.level, _simd => boxes.bound(query, bounds));
        let floor = self.edges.from[place as usize];
        for b in 0..self.blocks.len() {
            let bound = largest(self.bounds[b], floor, self.blocks[b].floor);
            if bound < self.most[b] {
                let state = &mut self.blocks[b];
                state.waiting.push(place);
                state.bound = if bound < state.bound { bound } else { state.bound };
                if state.waiting.len() == WAITING {
                    self.meet(b);
                }
            }
        }
    }

    /// Compares those that wait at block b with its rows.
    fn meet(&mut self, b: usize) {
        let index = self.index;
        let block = &index.blocks[b];
        let mut waiting = std::mem::take(&mut self.blocks[b].waiting);
        for together in waiting.chunks(TOGETHER) {
            self.views.look(self.level, block, together.iter().map(|&from| index.row(from)));
            for (slot, &from) in together.iter().enumerate() {
                let from_center = self.views.distances[slot];
                if !block.is_near(from_center) {
                    (0..block.len).for_each(|lane| self.offer(from, b * BLOCK + lane));
                    continue;
                }
                let mut hits = [0; BLOCK / LANES];
                let threshold = block.key_threshold(from_center);
                reaching_keys(self.level, &self.views.estimates[slot], &self.halves[b], threshold, &mut hits);
                for (g, &hits) in hits.iter().enumerate() {
                    let mut hits = hits;
                    while hits != 0 {
                        let lane = hits.trailing_zeros() as usize;
                        hits &= hits - 1;
                        self.offer(from, b * BLOCK + g * LANES + lane);
                    }
                }
            }
        }
        waiting.clear();
        self.blocks[b].waiting = waiting;
        self.blocks[b].bound = f64::INFINITY;
        self.refresh(b);
    }

    /// Keeps the edge if it is the shortest to the row at `place`.
    #[inline]
    fn offer(&mut self, from: u32, place: usize) {
        let square = square_distance(self.index.row(from), self.index.row(place as u32));
        let to = self.edges.to.get(place).copied().unwrap_or(0.0);
        let key = largest(square, self.edges.from[from as usize], to);
        if key < self.keys[place] {
            self.keys[place] = key;
            self.source[place] = from;
            self.halves[place / BLOCK].as_flattened_mut()[place % BLOCK] = half(key);
        }
    }

    /// Finds the block's next row and its longest key anew.
    fn refresh(&mut self, b: usize) {
        let mut head = (f64::INFINITY, NONE, NONE);
        let mut most = f64::NEG_INFINITY;
        let start = b * BLOCK;
        for (lane, &key) in self.keys[start..].iter().take(BLOCK).enumerate() {
            most = if key > most { key } else { most };
            if key > f64::NEG_INFINITY && key <= head.0 {
                let candidate = (key, self.order[start + lane], (start + lane) as u32);
                head = if before(candidate, head) { candidate } else { head };
            }
        }
        self.most[b] = most;
        self.blocks[b].head = head;
    }
}

fn before(a: Head, b: Head) -> bool {
    a.0 < b.0 || (a.0 == b.0 && a.1 < b.1)
}

fn half(key: f64) -> f32 {
    ((0.5 * key) as f32).next_up()
}

fn largest(a: f64, b: f64, c: f64) -> f64 {
    let a = if a > b { a } else { b };
    if a > c { a } else { c }
}

/// Boxes and balls of all blocks, column after column.
struct Boxes {
    low: Vec<f64>,
    high: Vec<f64>,
    center: Vec<f64>,
    radius: Vec<f64>,
    cuboid: Vec<f64>,
}

impl Boxes {
    fn new(blocks: &[Block], k: usize) -> Self {
        let turned = |of: fn(&Block) -> &[f64]| -> Vec<f64> {
            (0..k).flat_map(|j| blocks.iter().map(move |block| of(block)[j])).collect()
        };
        Self {
            low: turned(|block| &block.low),
            high: turned(|block| &block.high),
            center: turned(|block| &block.center),
            radius: blocks.iter().map(|block| block.radius).collect(),
            cuboid: vec![0.0; blocks.len()],
        }
    }

    /// [`Block::lower_bounds`] of one query for all blocks.
    #[inline(always)]
    fn bound(&mut self, query: &[f64], out: &mut [f64]) {
        const ROOM: f64 = super::block::ROOM;
        let n = self.radius.len();
        let (out, cuboid) = (&mut out[..n], &mut self.cuboid[..n]);
        out.fill(0.0);
        cuboid.fill(0.0);
        for (j, &x) in query.iter().enumerate() {
            let (low, high) = (&self.low[j * n..][..n], &self.high[j * n..][..n]);
            let center = &self.center[j * n..][..n];
            for b in 0..n {
                let d = x - center[b];
                out[b] += d * d;
                let (under, over) = (low[b] - x, x - high[b]);
                let beyond = if under > over { under } else { over };
                let beyond = if beyond > 0.0 { beyond } else { 0.0 };
                cuboid[b] += beyond * beyond;
            }
        }
        for b in 0..n {
            let gap = out[b].sqrt() * (1.0 - ROOM) - self.radius[b] * (1.0 + ROOM);
            let gap = if gap > 0.0 { gap } else { 0.0 };
            let ball = gap * gap;
            let most = if ball > cuboid[b] { ball } else { cuboid[b] };
            out[b] = most * (1.0 - ROOM);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prim's algorithm with every distance, read literally.
    fn by_hand(index: &Neighbours, order: &[u32], edges: Edges<'_>) -> Vec<Visit> {
        let n = index.len();
        let mut keys = vec![(f64::INFINITY, NONE); n];
        let mut left: Vec<usize> = (0..n).collect();
        let mut out = Vec::new();
        while !left.is_empty() {
            left.sort_by(|&a, &b| keys[a].0.total_cmp(&keys[b].0).then(order[a].cmp(&order[b])));
            let place = left.remove(0);
            let (key, from) = keys[place];
            out.push(Visit { place: place as u32, from: (from != NONE).then_some((from, key)) });
            for &other in &left {
                let square = square_distance(index.row(place as u32), index.row(other as u32));
                let key = largest(square, edges.from[place], edges.to.get(other).copied().unwrap_or(0.0));
                if key <= edges.limit && key < keys[other].0 {
                    keys[other] = (key, place as u32);
                }
            }
        }
        out
    }

    fn total(visits: &[Visit]) -> (usize, Vec<u64>) {
        let mut lengths: Vec<u64> = visits.iter().filter_map(|v| v.from).map(|(_, square)| square.to_bits()).collect();
        lengths.sort_unstable();
        (visits.len() - lengths.len(), lengths)
    }

    #[test]
    fn trees_are_those_found_by_hand() {
        for (n, k, spread) in [(1, 2, 1.0), (130, 1, 1.0), (700, 3, 1e-3), (900, 12, 1.0), (400, 2, 0.0)] {
            let mut rng = crate::rng::stream(n as u64, 0);
            let rows: Vec<f64> = (0..n * k)
                .map(|i| [0.0, 3.0, 1e4][i / k % 3] + spread * (crate::rng::unit(&mut rng) * 8.0).round())
                .collect();
            let (index, order) = Neighbours::with_order(rows, k);
            let core = super::super::furthest(&index, 4);
            let radius = vec![0.5 * spread; n];
            for (from, to, limit) in
                [(&core, &[][..], f64::INFINITY), (&core, &core[..], f64::INFINITY), (&radius, &[][..], 0.5 * spread)]
            {
                let edges = Edges { from, to, limit, by_order: true };
                let expect = by_hand(&index, &order, edges);
                assert_eq!(spanning(&index, &order, edges), expect, "{n} × {k}");
                let any = spanning(&index, &order, Edges { by_order: false, ..edges });
                // Where edges tie their order is another, unless direction counts: then so are their lengths.
                if !to.is_empty() || limit < f64::INFINITY {
                    assert_eq!(total(&any), total(&expect), "{n} × {k}");
                }
            }
        }
    }
}
