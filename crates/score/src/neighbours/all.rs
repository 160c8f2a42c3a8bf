//! Neighbours of every row of a fit among the others.

use rayon::prelude::*;

use super::{Nearest, Neighbour, Neighbours};

/// The nearest of every row, by place: [`available`](Neighbours::available) of those asked for, nearest first.
pub(crate) fn every(index: &Neighbours, asked: usize) -> Vec<Neighbour> {
    let n = index.available(asked);
    let mut found = vec![Neighbour { square: 0.0, place: 0 }; index.len() * n];
    each(index, asked, found.par_chunks_mut(Nearest::BATCH * n), |out, i, neighbours| {
        out[i * n..][..n].copy_from_slice(neighbours);
    });
    found
}

/// The squared distance of every row to the last of its neighbours, by place; 0 where none are asked for.
pub(crate) fn furthest(index: &Neighbours, asked: usize) -> Vec<f64> {
    let mut found = vec![0.0; index.len()];
    if asked > 0 {
        each(index, asked, found.par_chunks_mut(Nearest::BATCH), |out, i, neighbours| {
            out[i] = neighbours.last().map_or(0.0, |f| f.square);
        });
    }
    found
}

/// Rows of one place after the other are near each other, and visit the same blocks.
fn each<'a, T: Send + 'a>(
    index: &Neighbours,
    asked: usize,
    out: rayon::slice::ChunksMut<'a, T>,
    put: impl Fn(&mut [T], usize, &[Neighbour]) + Sync,
) {
    out.zip(index.rows().par_chunks(Nearest::BATCH * index.k)).for_each_init(
        || Nearest::new(index, asked),
        |nearest, (out, rows)| nearest.search(rows, |i, neighbours| put(out, i, neighbours)),
    );
}
