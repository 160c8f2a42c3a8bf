//! # Views: several small detectors, each of one kind of strangeness
//!
//! A *view* is a group of columns that speak of one thing, or a detector on some of them. It says how rare a row is in
//! that respect: a tail probability p, as u = −ln p. A row's score is
//!
//! Σ max(u − 2, 0) + 0.02 Σ u, over all views:
//!
//! what is not rare (p > e⁻² = 0.135) hardly counts, so views that have nothing to say do not dilute the one that has,
//! and one strong view speaks as loud as several middling ones. Where the 0.02 are none, such a view says nothing: its
//! part is 0, and how rare it is exactly is not looked up.
//!
//! * **A column** is rare where few rows of the fit are as high (or as low, or either). Up to the 99th hundredth that
//!   is counted; beyond, it follows a generalised Pareto distribution, by probability-weighted moments, its shape
//!   within \[0, ½\], its scale at least the slope of the body that leads to it.
//! * **A view** of several columns takes the rarest of them, or adds up how rare they are, and how rare that is is
//!   counted and followed beyond in the same way.
//! * **Trimmed.** Strangers among the rows of the fit would make others like them as usual as they are many. So the 2 %
//!   of rows with the highest scores are left out and all tails are fitted anew, twice. Views that agree on a row clean
//!   each other; no label is needed. What is so left out becomes rarer, but not by more than e³, twenty times: whatever
//!   is of one kind and rare, be it ever so harmless, might be left out as a whole, and no view could tell it from what
//!   nobody has ever seen.
//! * **Damped.** One column, where there is such a one, says how much a row was to be expected, 0 to 1: that takes up
//!   to 0.7 of its score away.
//!
//! **Held.** Where a column can go much further than any row of the fit went, what lies beyond is held to what one row
//! in a hundred reaches: on what was never seen no column speaks alone.
//!
//! The score's own tail is what [`Views::score_parts`] gives as a probability. Where rows are held out it is made of
//! their scores by views that are fitted on the rows before them, and goes on straight beyond what one row in
//! ten exceeds, so that frauds among them have no say; all rows are then fitted anew. Else it is that of all rows of the fit,
//! and goes on straight beyond what three in ten exceed, as it falls from there to what one in twenty exceeds: a
//! twentieth of a person's statement may be frauds.
//!
//! Cost: the fit sorts columns; a score is a look-up in a bucketed table for each column (a comparison, where a view that
//! is not rare says nothing), and whatever the detectors of joint views take.
//!
//! References: J. R. M. Hosking and J. R. Wallis, *Parameter and quantile estimation for the generalized Pareto
//! distribution*, Technometrics 29(3), 1987. For sums of truncated log p-values: D. V. Zaykin and others, *Truncated
//! product method for combining P-values*, Genetic Epidemiology 22(2), 2002.

mod fit;
mod held;
mod model;
mod params;
mod quiet;
mod rarity;
mod saved;
mod tile;

pub use model::Views;
pub use params::{Member, Side, Together, View, ViewsConfig};
