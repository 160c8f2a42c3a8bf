//! The one way from a transaction to an alert: score, decide, explain.

use std::borrow::Cow;

use crible_alert::{Alert, Decision, Note, Policy, PolicyError};
use crible_core::{Batch, Meaning, Source, Timestamp, Transaction};
use rayon::prelude::*;

use crate::{Builder, Engine, Error, Model, Observation, Scored};

/// Reasons an alert gives by default.
const REASONS: usize = 3;

/// Makes decisions of scored transactions, lets a policy choose among them, and explains those it raises.
///
/// It knows no engine, so that one decider can serve several handles of a [`Shared`](crate::Shared) engine behind a
/// lock of the caller's. With one engine, [`Pipeline`] holds both.
#[derive(Clone, Debug)]
pub struct Decider<P> {
    policy: P,
    reasons: usize,
}

impl<P: Policy> Decider<P> {
    /// A decider that explains each alert with up to three reasons.
    pub fn new(policy: P) -> Self {
        Self { policy, reasons: REASONS }
    }

    /// The same with up to so many reasons.
    #[must_use]
    pub fn with_reasons(mut self, n: usize) -> Self {
        self.reasons = n;
        self
    }

    /// The policy.
    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// Decides about a transaction that was just observed; returns the alerts this settles, explained. Nothing is
    /// decided about one that was handed in before.
    ///
    /// # Errors
    /// As [`Policy::offer`].
    pub fn decide(&mut self, observed: &Observation<'_>, source: Option<Source>) -> Result<Vec<Alert>, PolicyError> {
        let (model, txn, score, severity) =
            (observed.model(), observed.transaction(), observed.score(), observed.severity());
        if observed.is_repeat() {
            return Ok(Vec::new());
        }
        // A time that is to be confirmed moves no clock.
        let is_certain = !observed.is_provisional();
        let mut alerts = if is_certain { self.policy.tick(txn.at) } else { Vec::new() };
        if self.policy.admits(txn.at, score, severity) {
            let mut decision = Decision::new(txn, score, severity, observed.row(), model.id());
            decision.source = source;
            decision.is_own = model.is_own(observed.row(), observed.detectors());
            alerts.extend(match is_certain {
                true => self.policy.offer(decision)?,
                false => self.policy.offer_ahead(decision)?,
            });
        }
        self.explain(model, &mut alerts);
        Ok(alerts)
    }

    /// The same for a run of scored transactions; `meaning` is what is known of the batch besides. Alerts are explained
    /// in the caller's rayon pool.
    ///
    /// # Errors
    /// As [`Policy::offer`].
    pub fn decide_all(
        &mut self,
        model: &Model,
        scored: &Scored<'_>,
        meaning: Option<&Meaning>,
    ) -> Result<Vec<Alert>, PolicyError> {
        let batch = scored.batch();
        let mut alerts = Vec::new();
        if scored.is_repeat() {
            return Ok(alerts);
        }
        for row in scored.rows() {
            let (at, score, severity) = (batch.times()[row], scored.score(row), scored.severity(row));
            let is_certain = !scored.is_provisional(row);
            if is_certain {
                alerts.extend(self.policy.tick(at));
            }
            // Nearly every row ends here, before it has been put together from its columns.
            if !self.policy.admits(at, score, severity) {
                continue;
            }
            let mut decision = Decision::new(&batch.get(row), score, severity, &scored.features(row), model.id());
            decision.source = Some(batch.source(row));
            decision.is_own = model.is_own(&decision.row, scored.detectors(row));
            let undone = meaning.and_then(|meaning| meaning.undone(row));
            decision.note =
                undone.map(|undone| Note::Undone { how: undone.how, at: batch.times()[undone.by as usize] });
            alerts.extend(match is_certain {
                true => self.policy.offer(decision)?,
                false => self.policy.offer_ahead(decision)?,
            });
        }
        self.explain(model, &mut alerts);
        Ok(alerts)
    }

    /// As [`Policy::tick`]; the alerts are explained.
    pub fn tick(&mut self, model: &Model, now: Timestamp) -> Vec<Alert> {
        let mut alerts = self.policy.tick(now);
        self.explain(model, &mut alerts);
        alerts
    }

    /// As [`Policy::finish`]; the alerts are explained.
    pub fn finish(&mut self, model: &Model) -> Vec<Alert> {
        let mut alerts = self.policy.finish();
        self.explain(model, &mut alerts);
        alerts
    }

    /// Explains whatever the policy holds back: what has to be done before its model is replaced, and before it is
    /// saved.
    pub fn explain_held(&mut self, model: &Model) {
        let reasons = self.reasons;
        self.policy.visit_held(&mut |decision| explain(model, decision, reasons));
    }

    fn explain(&self, model: &Model, alerts: &mut [Alert]) {
        let n = self.reasons;
        let explain = |alert: &mut Alert| explain(model, &mut alert.decision, n);
        // One alert, which is what a stream has mostly, is not worth another thread.
        match alerts {
            [] => {}
            [one] => explain(one),
            many => many.par_iter_mut().for_each(explain),
        }
    }
}

/// Explains a decision of this model that is not explained yet.
fn explain(model: &Model, decision: &mut Decision, n: usize) {
    if decision.reasons.is_empty() && decision.model == model.id() {
        decision.reasons = model.explain(&decision.txn, &decision.row, n);
        decision.view = model.looks_like(&decision.txn, &decision.row).map(Cow::Borrowed);
    }
}

/// An engine and a policy: transactions in, alerts out, one at a time or a batch at a time, to the same alerts.
///
/// ```
/// use crible::alert::{Severity, Threshold};
/// use crible::core::{Amount, Batch, Currency, EntityId, Timestamp, Transaction, TxnId};
/// use crible::{Engine, Pipeline};
///
/// let payment = |n: i64, cents: i64| {
///     let account = EntityId::from_pseudorandom(1 + n as u64 % 5);
///     let at = Timestamp::from_seconds(1_735_689_600 + 3_600 * n);
///     Transaction::new(TxnId(n as u128), at, account, Amount::new(-cents, Currency::EUR))
/// };
/// let history = Batch::from_transactions((0..1_000).map(|n| payment(n, 900 + n * 7_919 % 400)));
/// let mut pipeline = Pipeline::new(Engine::builder().fit(&history)?, Threshold::new(Severity::High));
/// pipeline.warm_up(&history)?;
/// let (observed, alerts) = pipeline.observe(&payment(1_000, 412_000), None)?;
/// assert_eq!((observed.severity() >= Severity::High, alerts.len()), (true, 1));
/// println!("{}", alerts[0]);
/// # Ok::<(), crible::Error>(())
/// ```
#[derive(Debug)]
pub struct Pipeline<P> {
    engine: Engine,
    decider: Decider<P>,
}

impl<P: Policy> Pipeline<P> {
    /// A pipeline that explains each alert with up to three reasons. The policy lets transactions come as late as the
    /// engine does.
    pub fn new(engine: Engine, policy: P) -> Self {
        Self::with_decider(engine, Decider::new(policy))
    }

    /// The same with a decider of one's own.
    pub fn with_decider(engine: Engine, mut decider: Decider<P>) -> Self {
        decider.policy.allow_late(engine.model().state().lateness);
        Self { engine, decider }
    }

    /// Learns from what lies before `until`, then scores and decides about the whole batch: [`Builder::fit_replay`]
    /// with alerts. `visit` sees each run of scored transactions with the alerts that it settles. Alerts of the last
    /// days are still held: see [`Pipeline::finish`].
    ///
    /// # Errors
    /// As [`Builder::fit_replay`] and [`Policy::offer`].
    pub fn fit_replay<E: From<Error>>(
        builder: &Builder,
        mut decider: Decider<P>,
        batch: &Batch,
        meaning: Option<&Meaning>,
        until: Option<Timestamp>,
        mut visit: impl FnMut(&Model, &Scored<'_>, Vec<Alert>) -> Result<(), E>,
    ) -> Result<Self, E> {
        decider.policy.allow_late(builder.config().state.lateness);
        let engine = builder.fit_replay(batch, until, |model, scored| {
            let alerts = decider.decide_all(model, scored, meaning).map_err(Error::from)?;
            visit(model, scored, alerts)
        })?;
        Ok(Self { engine, decider })
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, without the policy.
    pub fn into_engine(self) -> Engine {
        self.engine
    }

    /// The decider.
    pub fn decider(&self) -> &Decider<P> {
        &self.decider
    }

    /// Reads a history that nobody wants alerts of: [`Engine::replay`] alone.
    ///
    /// # Errors
    /// As [`Engine::replay`].
    pub fn warm_up(&mut self, history: &Batch) -> Result<(), Error> {
        self.engine.replay(history, |_, _| Ok(()))
    }

    /// Observes one transaction and decides about it; returns the engine's answer, and the alerts that it
    /// settles. These may be about earlier transactions, where the policy waits for the end of a day.
    ///
    /// # Errors
    /// As [`Engine::observe`] and [`Policy::offer`].
    pub fn observe(
        &mut self,
        txn: &Transaction,
        source: Option<Source>,
    ) -> Result<(Observation<'_>, Vec<Alert>), Error> {
        let observed = self.engine.observe(txn)?;
        let alerts = self.decider.decide(&observed, source)?;
        Ok((observed, alerts))
    }

    /// Scores a batch and decides about it. `visit` sees each run of scored transactions with the alerts that it
    /// settles; `meaning` is what is known of the batch besides.
    ///
    /// # Errors
    /// As [`Engine::replay`] and [`Policy::offer`].
    pub fn replay<E: From<Error>>(
        &mut self,
        batch: &Batch,
        meaning: Option<&Meaning>,
        mut visit: impl FnMut(&Model, &Scored<'_>, Vec<Alert>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { engine, decider } = self;
        engine.replay(batch, |model, scored| {
            let alerts = decider.decide_all(model, scored, meaning).map_err(Error::from)?;
            visit(model, scored, alerts)
        })
    }

    /// Sets the time to `now`, for a clock that knows that a day is over before a transaction does.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Alert> {
        self.decider.tick(self.engine.model(), now)
    }

    /// Closes every day that is open, for the end of a file.
    pub fn finish(&mut self) -> Vec<Alert> {
        self.decider.finish(self.engine.model())
    }

    /// The state of the engine and what the policy holds, of one moment, as bytes for [`Pipeline::load_state`].
    pub fn save_state(&mut self) -> Vec<u8> {
        // Whoever loads it may have another model.
        self.decider.explain_held(self.engine.model());
        crate::saved::pipeline_to_bytes(&self.engine.save_state(), &self.decider.policy.save())
    }

    /// Puts a saved state in the place of this one. The state of an engine alone is taken, too, and leaves the policy
    /// as it is.
    ///
    /// # Errors
    /// As [`Engine::load_state`] and [`Policy::load`]; engine and policy are then as they were.
    pub fn load_state(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some((state, policy)) = crate::saved::pipeline_from_bytes(bytes)? else {
            return self.engine.load_state(bytes);
        };
        let before = self.decider.policy.save();
        self.decider.policy.load(&policy)?;
        self.engine.load_state(&state).inspect_err(|_| {
            // What it saved itself a moment ago it can read.
            let _whole = self.decider.policy.load(&before);
        })
    }
}
