//! # From scores to tail probabilities
//!
//! Scores of different detectors have different scales; the probability that a usual row scores at
//! least this high has one. [`ScoreTail`] is fitted on the scores of reference rows and gives, for any
//! score, that probability p and −ln p, which adds up well. Both change strictly with the score, as
//! far as numbers resolve it, so ranking by either is ranking by score.
//!
//! * **Body.** At each kept reference score u, p = (#{> u} + ½ #{= u} + ½) / (n + 1): the middle rank,
//!   with one row's worth of doubt, so that p is neither 0 nor 1. In between −ln p is interpolated
//!   linearly. At most about 2,000 scores are kept as knots, so dense in the tail that p is nowhere
//!   off by more than 1/128.
//! * **ScoreTail.** The largest 25 reference scores, and all beyond them, follow a generalised Pareto
//!   distribution: p = p(u) (1 + ξ (s − u) / σ)^(−1/ξ). ξ and σ come by probability-weighted moments
//!   from the scores above a lower threshold, which a fiftieth of the reference exceeds (at least 50
//!   scores, at most 5,000, and never more than a quarter). ξ is kept in \[0, 0.9\]: below 0 the
//!   distribution would end and p be 0 beyond it, so the exponential (ξ = 0) is taken instead; 0.9 is
//!   where the estimator, which needs a mean, ceases to make sense. Fewer than 20 exceedances give an
//!   exponential tail that goes on at the body's average slope.
//! * **Below** the least reference score −ln p falls towards 0 and never gets there.
//!
//! Scores that are all equal teach a place and no scale; the scale is then the score's own size (1 for
//! a score of 0).
//!
//! Cost: the fit sorts; a lookup is a bucketed search, a multiplication and, in the tail, a logarithm.
//!
//! # p-values that hold whatever the scores look like
//!
//! [`Conformal`] makes no model of the scores: p = (1 + #{reference ≥ s}) / (n + 1). If the reference rows and
//! a usual new row are exchangeable (drawn alike, in no telling order) and the scoring model was fitted on
//! other rows, then P(p ≤ t) ≤ t for the new row, whatever the detector and the distribution; ties make p
//! larger, never smaller. [`benjamini_hochberg`] on the p-values of many new rows then selects alerts of which
//! at most a share of `level` is expected to be false: p-values that share a reference depend on each other in
//! the way under which the procedure still holds (Bates et al. 2023, theorem 2), and the share is in fact
//! at most `level` × the share of usual rows among those tested.
//!
//! What that does not promise:
//! * It is an expectation over references and tests. One reference may be unlucky: with n reference
//!   rows the realised rate of p ≤ t lies around t with a deviation of √(t (1 − t) / n).
//! * Reference rows that are themselves strange make p-values larger: fewer alerts, as a rule not more false ones.
//!   Usual rows that have changed since (drift) void the promise.
//! * p is never below 1 / (n + 1), so among m rows tested a single strange one can be selected only if
//!   n + 1 ≥ m / level, and i of them if n + 1 ≥ m / (i × level).
//! * Strangeness is not fraud: "false" means usual, by the reference.
//!
//! [`ScoreTail`] resolves what lies beyond the reference, for which it pays with an assumption about the tail;
//! rank by it, and use [`Conformal`] to decide how many to raise. [`HeldOut`] is both: counted up to the largest
//! reference score, resolved beyond it.
//!
//! References: J. Pickands, *Statistical inference using extreme order statistics*, Ann. Statist. 3,
//! 1975. J. R. M. Hosking and J. R. Wallis, *Parameter and quantile estimation for the generalized
//! Pareto distribution*, Technometrics 29(3), 1987. A. C. Davison and R. L. Smith, *Models for
//! exceedances over high thresholds*, JRSS B 52(3), 1990. V. Vovk, A. Gammerman and G. Shafer,
//! *Algorithmic Learning in a Random World*, Springer, 2005. S. Bates, E. Candès, L. Lei, Y. Romano and
//! M. Sesia, *Testing for outliers with conformal p-values*, Ann. Statist. 51(1), 2023. Y. Benjamini and
//! Y. Hochberg, *Controlling the false discovery rate*, JRSS B 57(1), 1995.

mod conformal;
mod held_out;
mod pareto;
mod select;
mod tail;
mod threshold;

pub use conformal::Conformal;
pub use held_out::{HeldOut, held_out_rows};
pub use select::{Selection, benjamini_hochberg, q_values};
pub(crate) use tail::Parts;
pub use tail::ScoreTail;
pub use threshold::threshold;
