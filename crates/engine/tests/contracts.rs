//! The contracts a service builds on, as properties over invented feeds of every shape.
//!
//! The windows' exactness is `crible-feature`'s to show (`tests/oracle.rs` there), that of single detectors
//! `crible-score`'s. That no label is read needs no test: neither `Transaction` nor anything else the engine takes has
//! a place for one, and `Batch::truth` is passed to nothing (the first property below shows it all the same).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use crible::alert::{Alert, Budget, DailyBudget};
use crible::core::{Batch, Source, Timestamp, Transaction, Truth, TxnId, Window};
use crible::{Builder, Columns, Config, Decider, Engine, Error, Limits, Pipeline};
use proptest::prelude::*;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(12))]

    /// Contract 1: the same bits alone, in any chunking, on any number of threads, before saving and after loading.
    #[test]
    fn a_verdict_depends_on_model_and_row(
        txns in feed(),
        lengths in prop::collection::vec(1usize..900, 1..6),
        cut in 0.1f64..0.9,
        lateness in prop_oneof![Just(0), Just(2 * Window::HOUR.0)],
        memory in prop::option::of(200_000u64..1_000_000),
        forgetful in any::<bool>(),
    ) {
        let mut limits = Limits::default();
        (limits.lateness, limits.memory) = (Window(lateness), memory);
        let engine = thorough(forgetful, limits).fit(&batch(&txns)).unwrap();
        let saved = engine.save();
        let fresh = || Engine::load(&saved).unwrap();
        prop_assert_eq!(fresh().model().id(), engine.model().id());
        let want = { let mut engine = engine; observed(&mut engine, &txns) };
        prop_assert!(want.iter().flatten().all(|b| f64::from_bits(*b).is_finite()));
        prop_assert!(want.iter().collect::<HashSet<_>>().len() > txns.len() / 2, "verdicts distinguish rows");

        prop_assert_eq!(differ(&want, &observed(&mut fresh(), &txns)), None, "after loading");
        for threads in 1..=3 {
            let (whole, chunks) = with_threads(threads, || {
                (replayed(&mut fresh(), &txns), in_chunks(&mut fresh(), &txns, &lengths))
            });
            prop_assert_eq!(differ(&want, &whole), None, "{} threads", threads);
            prop_assert_eq!(differ(&want, &chunks), None, "{} threads, chunks of {:?}", threads, lengths);
        }
        // A batch for the past, then one by one: what a service does.
        let (past, live) = txns.split_at((txns.len() as f64 * cut) as usize);
        let mut mixed = fresh();
        let mut got = replayed(&mut mixed, past);
        got.extend(observed(&mut mixed, live));
        prop_assert_eq!(differ(&want, &got), None, "replayed, then observed");
        // Stopped and started again in between.
        let mut stopped = fresh();
        let mut got = replayed(&mut stopped, past);
        let state = stopped.save_state();
        let mut started = fresh();
        started.load_state(&state).unwrap();
        prop_assert!(started.save_state() == state);
        got.extend(observed(&mut started, live));
        prop_assert_eq!(differ(&want, &got), None, "saved, loaded, then observed");
        if memory.is_some() || forgetful {
            // Two halves of a budget forget other accounts than the whole, and two halves of a category forget it
            // sooner.
            return Ok(());
        }
        // Accounts on two engines until then.
        let (left, right): (Vec<_>, Vec<_>) = past.iter().copied().partition(|txn| txn.account.get() % 2 == 0);
        let [mut one, mut other] = [fresh(), fresh()];
        observed(&mut one, &left);
        replayed(&mut other, &right);
        one.merge(&other.save_state()).unwrap();
        prop_assert_eq!(differ(&want[past.len()..], &observed(&mut one, live)), None, "merged, then observed");
    }

    /// Handles on several threads that take from one queue give the verdicts of one engine, and leave its state.
    #[test]
    fn threads_that_share_an_engine_are_as_one(txns in feed(), threads in 1usize..5, forgetful in any::<bool>()) {
        let saved = thorough(forgetful, Limits::default()).fit(&batch(&txns)).unwrap().save();
        let mut one = Engine::load(&saved).unwrap();
        let want = observed(&mut one, &txns);
        let shared = Engine::load(&saved).unwrap().share();
        let next = AtomicUsize::new(0);
        let rows: HashMap<_, _> = txns.iter().enumerate().map(|(row, txn)| (txn.id, row)).collect();
        let got = Mutex::new(vec![Vec::new(); txns.len()]);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let mut handle = shared.clone();
                let (next, got, txns, rows) = (&next, &got, &txns, &rows);
                scope.spawn(move || {
                    let take = || {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        txns.get(at).copied()
                    };
                    let mut mine = Vec::new();
                    while let Some((txn, verdict)) = handle.observe_next(take) {
                        let verdict = verdict.unwrap();
                        mine.push((txn.id, bits(verdict.score(), verdict.detectors())));
                    }
                    let mut got = got.lock().unwrap();
                    mine.into_iter().for_each(|(id, bits)| got[rows[&id]] = bits);
                });
            }
        });
        prop_assert_eq!(differ(&want, &got.into_inner().unwrap()), None, "{} threads", threads);
        prop_assert!(shared.save_state() == one.save_state());
    }

    /// What comes late is placed where it belongs: afterwards verdicts and state are those of an engine that had it in
    /// order.
    #[test]
    fn late_transactions_are_placed(
        txns in feed(),
        delays in prop::collection::vec(0.0f64..1.0, 5..30),
        cut in 0.2f64..0.9,
        forgetful in any::<bool>(),
    ) {
        let lateness = 6 * Window::HOUR.0;
        let mut limits = Limits::default();
        limits.lateness = Window(lateness);
        // A verdict that was given before a late payment came is remembered as it was given.
        limits.repeats = Window(0);
        let saved = thorough(forgetful, limits).fit(&batch(&txns)).unwrap().save();
        let cut = (txns.len() as f64 * cut) as usize;
        let mut order: Vec<usize> = (0..cut).collect();
        order.sort_by_key(|&i| txns[i].at.0 + (lateness as f64 * delays[i % delays.len()]) as i64);
        let arrived: Vec<_> = order.into_iter().map(|i| txns[i]).collect();
        // Those of one time stand in the order in which they arrive.
        let mut in_order = arrived.clone();
        in_order.sort_by_key(|txn| txn.at);
        let mut one = Engine::load(&saved).unwrap();
        observed(&mut one, &in_order);
        // As they arrive: the first third one by one, then saved, loaded and divided.
        let (first, then) = arrived.split_at(arrived.len() / 3);
        let mut before = Engine::load(&saved).unwrap();
        observed(&mut before, first);
        let mut other = Engine::load(&saved).unwrap();
        other.load_state(&before.save_state()).unwrap();
        let mut other = other.share();
        for txn in then {
            other.observe(txn).unwrap();
        }
        prop_assert!(one.save_state() == other.save_state());
        prop_assert_eq!((one.late().placed, other.late().refused), (0, 0));
        prop_assert!(other.late().placed > 0);
        let live: Vec<_> = txns[cut..].iter().map(|txn| bits(one.observe(txn).unwrap().score(), &[])).collect();
        let same: Vec<_> = txns[cut..].iter().map(|txn| bits(other.observe(txn).unwrap().score(), &[])).collect();
        prop_assert_eq!(differ(&live, &same), None);
    }

    /// Contract 2, alerts: a ranker fed by `observe` and one fed by `replay` raise the same alerts for the same
    /// reasons.
    #[test]
    fn batch_and_stream_raise_the_same_alerts(txns in feed(), budget in 1u32..12, reasons in 1usize..6) {
        let saved = quick().fit(&batch(&txns)).unwrap().save();
        let budget = Budget::new(budget).unwrap();

        let pipeline = |saved| {
            let decider = Decider::new(DailyBudget::new(budget)).with_reasons(reasons);
            Pipeline::with_decider(Engine::load(saved).unwrap(), decider)
        };
        let batch = batch(&txns);

        let mut stream = pipeline(&saved);
        let mut streamed = Vec::new();
        for (row, txn) in txns.iter().enumerate() {
            // Stopped and started again now and then.
            if row % 1_000 == 999 {
                let state = stream.save_state();
                stream = pipeline(&saved);
                stream.load_state(&state).unwrap();
            }
            let (observed, alerts) = stream.observe(txn, Some(batch.source(row))).unwrap();
            prop_assert_eq!(observed.transaction(), txn);
            streamed.extend(alerts);
        }
        streamed.extend(stream.finish());

        let mut whole = pipeline(&saved);
        let mut replayed: Vec<Alert> = Vec::new();
        whole
            .replay(&batch, None, |_, _, alerts| {
                replayed.extend(alerts);
                Ok::<_, Error>(())
            })
            .unwrap();
        replayed.extend(whole.finish());

        prop_assert!(!replayed.is_empty() && replayed.iter().any(|a| !a.decision.reasons.is_empty()));
        prop_assert_eq!(streamed.len(), replayed.len());
        for (a, b) in streamed.iter().zip(&replayed) {
            // Equality of floats would let −0 pass for 0.
            let exact = |a: &Alert| {
                let reasons: Vec<_> = a.decision.reasons.iter().map(reason_bits).collect();
                (bits(a.decision.score, &[]), reasons)
            };
            prop_assert_eq!(a, b);
            prop_assert_eq!(exact(a), exact(b));
        }
    }

    /// Contract 2, fitting: `fit_replay` is `fit`, then `replay`, whether feature rows are kept or computed twice.
    #[test]
    fn fit_replay_is_fit_then_replay(txns in feed(), live in prop::option::of(0.2f64..0.9)) {
        let whole = batch(&txns);
        let until = live.map(|share| txns[(txns.len() as f64 * share) as usize].at);
        let before = until.map_or(txns.len(), |until| whole.rows_before(until));
        let mut apart = quick().fit(&batch(&txns[..before])).unwrap();
        let saved = apart.save();
        let want = replayed(&mut apart, &txns);
        // Nothing kept, and everything.
        for memory in [0, usize::MAX] {
            let mut got = Vec::new();
            let mut engine = quick().feature_memory(memory).fit_replay(&whole, until, keep(&mut got)).unwrap();
            prop_assert!(engine.save() == saved, "the model, {} bytes kept", memory);
            prop_assert_eq!(differ(&want, &got), None, "{} bytes kept", memory);
            // Both end in the same state.
            let next: Vec<_> = txns.iter().rev().take(20).map(|txn| later(txn, &txns)).collect();
            let want = observed(&mut replay_all(&saved, &txns), &next);
            prop_assert_eq!(differ(&want, &observed(&mut engine, &next)), None, "afterwards, {} bytes kept", memory);
        }
    }

    /// Contract 2, fitting a stream: batches of any size, handed out twice, teach what all of them together do.
    #[test]
    fn fit_passes_is_fit(
        txns in feed(),
        lengths in prop::collection::vec(1usize..900, 1..6),
        live in prop::option::of(0.2f64..0.9),
        fit_rows in prop_oneof![Just(usize::MAX), 1usize..400],
    ) {
        let until = live.map(|share| txns[(txns.len() as f64 * share) as usize].at);
        let builder = quick().fit_rows(fit_rows);
        let want = builder.fit_replay(&batch(&txns), until, |_, _| Ok::<_, Error>(())).unwrap();
        let mut passes = 0;
        let mut got = builder
            .fit_passes(until, |visit| {
                passes += 1;
                let (mut rest, mut lengths) = (&txns[..], lengths.iter().cycle());
                while let (false, Some(&length)) = (rest.is_empty(), lengths.next()) {
                    let (here, after) = rest.split_at(length.min(rest.len()));
                    rest = after;
                    if visit(&batch(here))?.is_break() {
                        break;
                    }
                }
                Ok::<_, Error>(())
            })
            .unwrap();
        prop_assert_eq!(passes, 2);
        prop_assert!(got.save() == want.save());
        // Without a past, as after `fit`.
        let mut fresh = Engine::load(&want.save()).unwrap();
        prop_assert_eq!(differ(&observed(&mut fresh, &txns), &observed(&mut got, &txns)), None);
    }

    /// Contract 3: cutting off the future changes nothing in the past.
    #[test]
    fn the_future_changes_no_verdict(txns in feed(), cut in 0.0f64..1.0) {
        let saved = quick().fit(&batch(&txns)).unwrap().save();
        let whole = replayed(&mut Engine::load(&saved).unwrap(), &txns);
        let cut = (txns.len() as f64 * cut) as usize;
        let past = replayed(&mut Engine::load(&saved).unwrap(), &txns[..cut]);
        prop_assert_eq!(differ(&whole[..cut], &past), None);
    }

    /// Contract 3: nothing is learned from what stands at or after `until`, not even which columns a feed fills.
    #[test]
    fn a_model_learns_from_before_until_alone(
        txns in feed(),
        cut in 0.1f64..0.9,
        other in feed(),
        factor in 2i64..900,
    ) {
        let at = txns[(txns.len() as f64 * cut) as usize].at;
        let fit = |txns: &[Transaction]| {
            let mut seen = Vec::new();
            let engine = quick().fit_replay(&batch(txns), Some(at), keep(&mut seen)).unwrap();
            (engine.save(), seen)
        };
        let (model, seen) = fit(&txns);
        let before = txns.partition_point(|txn| txn.at < at);
        // Other amounts and other columns filled, at the same times and at none.
        let mut changed = txns.clone();
        for (txn, other) in changed[before..].iter_mut().zip(&other) {
            txn.amount.minor *= factor;
            (txn.counterparty, txn.category) = (other.counterparty, other.category);
            (txn.position, txn.balance_before) = (other.position, other.balance_before);
        }
        for future in [&changed[..], &txns[..before]] {
            let (got, verdicts) = fit(future);
            prop_assert!(got == model);
            prop_assert_eq!(differ(&seen[..before], &verdicts[..before]), None);
        }
        // The test could fail: the past does change the model.
        changed[..before].iter_mut().for_each(|txn| txn.amount.minor *= factor);
        prop_assert!(fit(&changed).0 != model);
    }

    /// Contract 3: labels in a batch change nothing.
    #[test]
    fn labels_are_not_read(txns in feed(), labels in prop::collection::vec(any::<bool>(), 64)) {
        let mut labelled = Batch::default();
        for (row, txn) in txns.iter().enumerate() {
            let truth = if labels[row % labels.len()] { Truth::Fraud } else { Truth::Legitimate };
            labelled.push(txn, Source::default(), truth).unwrap();
        }
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let a = quick().fit_replay(&labelled, None, keep(&mut with)).unwrap();
        let b = quick().fit_replay(&batch(&txns), None, keep(&mut without)).unwrap();
        prop_assert!(labelled.has_truth() && a.save() == b.save());
        prop_assert_eq!(differ(&with, &without), None);
    }

    /// Contract 5: what comes late is refused, with its time and the time it missed, and leaves no trace.
    #[test]
    fn a_late_transaction_leaves_no_trace(
        txns in feed(),
        late in prop::collection::vec((0.3f64..0.99, 1i64..10 * Timestamp::DAY), 1..12),
    ) {
        let saved = quick().fit(&batch(&txns)).unwrap().save();
        let want = replayed(&mut Engine::load(&saved).unwrap(), &txns);
        let mut engine = Engine::load(&saved).unwrap();
        let mut places: Vec<_> = late.iter().map(|(share, by)| ((txns.len() as f64 * share) as usize, *by)).collect();
        places.sort_unstable();
        let (mut got, mut from) = (Vec::new(), 0);
        for (place, by) in places {
            got.extend(observed(&mut engine, &txns[from..place]));
            from = place;
            let watermark = txns[place - 1].at;
            let late = Transaction { at: Timestamp(watermark.0 - by), ..txns[place] };
            let refused = |error: Error| matches!(error, Error::Late { txn, at, watermark: w, .. } if (txn, at, w) == (late.id, late.at, watermark));
            prop_assert!(refused(engine.observe(&late).unwrap_err()));
            // Of a batch that begins late nothing is taken in, its timely rows included.
            let batch = batch(&[late, txns[place]]);
            prop_assert!(refused(engine.replay(&batch, |_, _| panic!("a row of a refused batch was scored")).unwrap_err()));
        }
        got.extend(observed(&mut engine, &txns[from..]));
        prop_assert_eq!(differ(&want, &got), None);
    }

    /// Contract 6: no identifier is in a saved model, neither as bytes in any order of them, nor as postcard would
    /// write it, nor in hexadecimal.
    #[test]
    fn a_model_holds_no_identifier(txns in feed()) {
        let mut engine = quick().fit(&batch(&txns)).unwrap();
        replayed(&mut engine, &txns);
        let forms: HashSet<[u8; 8]> = txns.iter().flat_map(forms).map(|form| form[..8].try_into().unwrap()).collect();
        let saved = engine.save();
        prop_assert!(!leaks(&saved, &forms));
        // The test could fail: one identifier written anywhere is found.
        let at = saved.len() / 2;
        for form in forms_of(&txns[txns.len() / 2]) {
            let leaked = [&saved[..at], &form, &saved[at..]].concat();
            prop_assert!(leaks(&leaked, &forms));
        }
    }

    /// Contract 7: the seed decides, and neither the number of threads nor the order of a hash map does. Each engine's
    /// maps and each pool's threads are its own, so engines side by side would disagree.
    #[test]
    fn a_seed_gives_one_answer(txns in feed(), seed in any::<u64>(), other in any::<u64>(), which in 1usize..64) {
        let detectors: Vec<_> = DETECTORS.into_iter().enumerate().filter(|(i, _)| which >> i & 1 == 1).map(|(_, d)| d).collect();
        let run = |seed: u64, threads: usize| {
            with_threads(threads, || {
                let mut verdicts = Vec::new();
                let builder = quick().seed(seed).detectors(&specs(&detectors));
                let engine = builder.fit_replay(&batch(&txns), None, keep(&mut verdicts)).unwrap();
                (engine.save(), verdicts)
            })
        };
        let (model, verdicts) = run(seed, 1);
        for threads in [1, 2, 3] {
            let (again, same) = run(seed, threads);
            prop_assert!(again == model, "the model on {} threads", threads);
            prop_assert_eq!(differ(&verdicts, &same), None);
        }
        prop_assume!(seed != other);
        let (different, verdicts_too) = run(other, 1);
        prop_assert!(different != model);
        prop_assert!(differ(&verdicts, &verdicts_too).is_some());
    }
}

/// Contracts 1 and 2 over a batch that is worked off in more than one block, reasons included.
#[test]
fn blocks_change_no_bit() {
    const BLOCK: usize = 262_144;
    let txns = population(2_600, 60, 5, FULL);
    assert!(txns.len() > BLOCK + 1_000, "{}", txns.len());
    let whole = batch(&txns);
    let saved = quick().fit(&whole).unwrap().save();

    let mut alone = Engine::load(&saved).unwrap();
    let mut want = observed(&mut alone, &txns[..BLOCK]);
    let mut reasons = Vec::new();
    for txn in &txns[BLOCK..] {
        let observed = alone.observe(txn).unwrap();
        want.push(bits(observed.score(), observed.detectors()));
        reasons.extend(observed.explain(3).iter().map(reason_bits));
    }
    for memory in [usize::MAX, 0] {
        let (mut got, mut batched, mut runs) = (Vec::new(), Vec::new(), 0);
        let mut keep = keep(&mut got);
        let engine = quick()
            .feature_memory(memory)
            .fit_replay(&whole, None, |model, scored| {
                for row in scored.rows().filter(|row| *row >= BLOCK) {
                    batched.extend(model.explain(&txns[row], &scored.features(row), 3).iter().map(reason_bits));
                }
                runs += 1;
                keep(model, scored)
            })
            .unwrap();
        drop(keep);
        assert!(runs > 2, "runs of 65,536 rows out of blocks of 262,144");
        assert!(engine.save() == saved);
        assert_eq!(differ(&want, &got), None, "{memory} bytes kept");
        assert!(batched == reasons);
    }
}

#[test]
fn what_cannot_be_fitted_is_an_error() {
    let txns = population(5, 30, 1, FULL);
    let none = Batch::default();
    let few = |result: Result<Engine, Error>| matches!(result, Err(Error::TooFew { got: 0, needed: 1 }));
    assert!(few(quick().fit(&none)));
    assert!(few(quick().fit_replay(&batch(&txns), Some(txns[0].at), |_, _| Ok(()))));
    let count = |names: &[&str]| quick().detectors(&specs(names)).fit(&batch(&txns));
    assert!(matches!(count(&[]), Err(Error::DetectorCount { got: 0 })));
    assert!(matches!(count(&["ecod"; 33]), Err(Error::DetectorCount { got: 33 })));
    assert!(count(&["ecod"; 32]).is_ok());
    assert!(count(&["lof"]).is_ok());
    let error = count(&["ecod", "ensemble"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "configuration: `ensemble` cannot be one of the detectors: the engine makes the ensemble of them"
    );
}

#[test]
fn a_single_transaction_is_enough_and_an_empty_batch_is_nothing() {
    let txns = population(5, 30, 1, FULL);
    let mut engine = quick().fit(&batch(&txns[..1])).unwrap();
    assert_eq!(replayed(&mut engine, &[]), Vec::<Bits>::new());
    let verdicts = observed(&mut engine, &txns);
    assert!(verdicts.iter().flatten().all(|b| f64::from_bits(*b).is_finite()));
}

/// Times and amounts at the ends of their types are strange, and nothing worse.
#[test]
fn numbers_at_their_limits_are_scored() {
    let usual = population(5, 30, 1, FULL);
    let mut txns = usual.clone();
    for (i, minor) in [i64::MIN, i64::MAX, i64::MIN, i64::MIN, i64::MAX, 0].into_iter().enumerate() {
        let mut txn = txns[i];
        txn.amount.minor = minor;
        txn.balance_before = Some(i64::MAX - i as i64);
        let n = 2 * i as u128;
        txns.push(Transaction { id: TxnId(n), at: Timestamp(i64::MAX), ..txn });
        txns.push(Transaction { id: TxnId(n + 1), at: Timestamp(i64::MIN + i as i64), ..txn });
    }
    txns.sort_by_key(|txn| (txn.at, txn.id));
    for learned in [&usual, &txns] {
        let mut limits = Limits::default();
        limits.ahead = Window(i64::MAX);
        let model = quick().state(limits).fit(&batch(learned)).unwrap().save();
        let alone = observed(&mut Engine::load(&model).unwrap(), &txns);
        assert!(alone.iter().flatten().all(|b| f64::from_bits(*b).is_finite()));
        assert_eq!(differ(&alone, &replayed(&mut Engine::load(&model).unwrap(), &txns)), None);
    }
}

#[test]
fn an_error_of_the_visitor_ends_a_replay() {
    #[derive(Debug)]
    enum Mine {
        Engine(#[expect(dead_code, reason = "shown where a test fails")] Error),
        Full,
    }
    impl From<Error> for Mine {
        fn from(error: Error) -> Self {
            Self::Engine(error)
        }
    }
    let txns = population(5, 30, 1, FULL);
    let mut engine = quick().fit(&batch(&txns)).unwrap();
    assert!(matches!(engine.replay(&batch(&txns), |_, _| Err(Mine::Full)), Err(Mine::Full)));
    assert!(matches!(quick().fit_replay(&batch(&txns), None, |_, _| Err(Mine::Full)), Err(Mine::Full)));
}

#[test]
fn public_types_cross_threads() {
    fn check<T: Send + Sync>() {}
    fn send<T: Send>() {}
    check::<crible::Model>();
    check::<crible::Builder>();
    check::<crible::Verdict>();
    check::<Error>();
    send::<Engine>();
}

/// A transaction after all of `txns`.
fn later(txn: &Transaction, txns: &[Transaction]) -> Transaction {
    Transaction { at: txns[txns.len() - 1].at, ..*txn }
}

fn replay_all(saved: &[u8], txns: &[Transaction]) -> Engine {
    let mut engine = Engine::load(saved).unwrap();
    replayed(&mut engine, txns);
    engine
}

fn forms(txn: &Transaction) -> impl Iterator<Item = Vec<u8>> {
    forms_of(txn).into_iter()
}

/// Every way a transaction's identifiers might be written: little and big endian, LEB128, hexadecimal of both cases.
fn forms_of(txn: &Transaction) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut push = |number: u128, width: usize| {
        let bytes = number.to_le_bytes();
        let hex = format!("{number:0digits$x}", digits = 2 * width);
        all.push(bytes[..width].to_vec());
        all.push(bytes[..width].iter().rev().copied().collect());
        all.push(leb128(number));
        all.push(hex.to_uppercase().into_bytes());
        all.push(hex.into_bytes());
    };
    push(txn.id.0, 16);
    push(txn.account.get().into(), 8);
    for entity in [txn.counterparty, txn.device, txn.address].into_iter().flatten() {
        push(entity.get().into(), 8);
    }
    // One pseudonym in thirty thousand is so small that its LEB128 is too short to be distinguished from chance.
    all.retain(|form| form.len() >= 8);
    all
}

fn leb128(mut number: u128) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

/// Whether eight bytes anywhere begin one of the forms: by chance, one in 2⁴⁰ populations.
fn leaks(bytes: &[u8], forms: &HashSet<[u8; 8]>) -> bool {
    bytes.windows(8).any(|window| forms.contains(window))
}

#[test]
fn a_configuration_is_kept() {
    let txns = population(20, 40, 3, FULL);
    let text = "seed = 11\nfit_rows = 600\n\
                detectors = ['robust_z', { name = 'isolation_forest', n_trees = 9 }, { alpha = 1e-3, name = 'hbos' }]\n[columns]\nadd = ['account_passed_on_12h', 'amount_round']\ndrop = ['amount']\n\
                [windows]\npattern = ['90min', '12h', '5d']\ncounterparty = ['1d', '7d', '60d']\n\
                [state]\nlateness = '10min'\nmemory_mib = 64\n";
    let config = Config::from_toml(text).unwrap();
    assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
    let usual = Config::default();
    assert_eq!(Config::from_toml(&usual.to_toml().unwrap()).unwrap(), usual);
    let specs: Vec<String> = config.detectors.iter().map(ToString::to_string).collect();
    assert_eq!(specs, ["robust_z", "isolation_forest:n_trees=9", "hbos:alpha=0.001"]);
    let engine = Builder::from(config.clone()).fit(&batch(&txns)).unwrap();
    let seen = |engine: &Engine| {
        let columns = engine.model().columns().iter().filter(|c| c.input).map(|c| c.name.to_string());
        columns.collect::<HashSet<_>>()
    };
    let mut want = seen(&Engine::builder().detectors(&config.detectors).fit(&batch(&txns)).unwrap());
    for gone in ["amount", "counterparty_count_90d"] {
        assert!(want.remove(gone));
    }
    want.extend(["account_passed_on_12h", "amount_round", "counterparty_count_60d"].map(str::to_owned));
    assert_eq!(seen(&engine), want);
    let loaded = Engine::load(&engine.save()).unwrap();
    assert_eq!(seen(&loaded), want);
    assert_eq!((loaded.model().windows(), loaded.model().state()), (config.windows, config.state));

    let message = |text: &str| Config::from_toml(text).unwrap_err().to_string();
    let unknown = message("[columns]\nadd = ['amount_ruond']");
    assert!(
        unknown.starts_with(
            "configuration: unknown column, or one that is not scored: `amount_ruond`; expected one of amount, "
        ),
        "{unknown}"
    );
    assert!(message("[columns]\nadd = ['account_mean']").contains("not scored: `account_mean`"));
    let both = message("[columns]\nadd = ['amount']\ndrop = ['amount']");
    assert_eq!(both, "configuration: `amount` is both added and dropped");
    assert!(message("adds = []").contains("unknown field `adds`"));
    let account = |list: &str| message(&format!("[windows]\naccount = {list}"));
    assert_eq!(account("['1h']"), "configuration: 1 windows of `account`, expected 4");
    let shrinks = "configuration: windows of `account`: 1h after 1d, expected longer ones";
    assert_eq!(account("['1d', '1h', '7d', '30d']"), shrinks);
    let long = "configuration: windows of `account`: 801d, expected 1s to 800d, the lateness included";
    assert_eq!(message("[windows]\naccount = ['1h', '1d', '7d', '801d']\n[state]\nforget_after = '900d'"), long);
    let length = "configuration: `a day` is no length of time: expected a whole number of d, h, min or s, as in 30d";
    assert_eq!(account("['1h', 'a day', '7d', '30d']"), length);
    let forgetful = "configuration: accounts forgotten after 20d, expected 30d at least";
    assert_eq!(message("[state]\nforget_after = '20d'"), forgetful);
    assert!(message("detectors = ['robust']").contains("there is no detector `robust`: expected one of robust_z, "));
    let detector = |parameters: &str| message(&format!("detectors = ['ecod', {{ name = 'hbos', {parameters} }}]"));
    assert!(detector("trees = 9").contains("hbos has no parameter `trees`: expected one of bins, alpha, tol"));
    assert!(detector("alpha = 'small'").contains("a number"));
    assert!(detector("alpha = 2.0").contains("0 < x < 1"));
    let mut large = Config::default();
    large.seed = u64::MAX;
    // Larger than TOML promises to hold: it comes back or is refused, and never becomes another.
    let again = large.to_toml().and_then(|text| Config::from_toml(&text));
    assert!(again.is_err() || again.is_ok_and(|again| again == large));
    let mut none = Columns::default();
    none.drop = Config::default().known_columns();
    assert!(quick().columns(none).fit(&batch(&txns)).is_err());
}
