//! The world cannot stop an engine: dates ahead, silences, odd payments.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use crible::core::{Amount, Code, Currency, EntityId, Position, Timestamp, Transaction, TxnId};
use crible::{Engine, Error};
use proptest::prelude::*;

const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// A model, and payments of which the first half are its history.
fn model() -> &'static (Vec<u8>, Vec<Transaction>) {
    static MODEL: std::sync::OnceLock<(Vec<u8>, Vec<Transaction>)> = std::sync::OnceLock::new();
    MODEL.get_or_init(|| {
        let txns = population(60, 60, 5, FULL);
        (quick().fit(&batch(&txns[..txns.len() / 2])).unwrap().save(), txns)
    })
}

/// An engine that has seen the history, and what is to come.
fn live() -> (Engine, &'static [Transaction]) {
    let (model, txns) = model();
    let (past, rest) = txns.split_at(txns.len() / 2);
    let mut engine = Engine::load(model).unwrap();
    replayed(&mut engine, past);
    (engine, rest)
}

fn stray(at: Timestamp, n: u128) -> Transaction {
    Transaction::new(TxnId(n), at, pseudonym("account", 3), Amount::new(-100, Currency::USD))
        .at_counterparty(pseudonym("shop", 1))
}

/// An engine without a state judges its very first payment by when its model was learned: one dated a generation ahead
/// is refused, and what follows is scored as if it had not come.
#[test]
fn a_first_payment_dated_ahead_changes_nothing() {
    let (model, txns) = model();
    let mut engine = Engine::load(model).unwrap();
    let want = observed(&mut engine, &txns[..300]);
    for years in [12, 74, 200] {
        let early = stray(Timestamp(txns[0].at.0 + years * 366 * Timestamp::DAY), 1);
        let mut got = Engine::load(model).unwrap();
        assert!(matches!(got.observe(&early), Err(Error::Early { .. })));
        assert_eq!(differ(&want, &observed(&mut got, &txns[..300])), None);
        assert!(got.save_state() == engine.save_state());
    }
}

/// A row dated far before a history that is learned from changes nothing of what is learned.
#[test]
fn a_row_dated_far_before_the_fit_changes_nothing() {
    let (_, txns) = model();
    let history = &txns[..txns.len() / 2];
    let want = quick().fit(&batch(history)).unwrap();
    let before = stray(Timestamp(txns[0].at.0 - 100 * 366 * Timestamp::DAY), 1);
    let with: Vec<_> = std::iter::once(before).chain(history.iter().copied()).collect();
    let got = quick().fit(&batch(&with)).unwrap();
    assert_eq!(got.model().warm_up(), want.model().warm_up());
    // An engine that was learned from both takes the same first payment.
    let next = Transaction { at: Timestamp(txns[0].at.0 + Timestamp::DAY), ..txns[0] };
    let mut engine = Engine::load(&got.save()).unwrap();
    assert!(engine.observe(&next).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Payments dated ahead are refused one by one, and change neither a verdict nor the state.
    #[test]
    fn dates_ahead_change_nothing(
        ahead in prop::collection::vec((0.0f64..1.0, 2i64..40_000), 1..20),
        shared in any::<bool>(),
    ) {
        let (mut engine, rest) = live();
        let rest = &rest[..rest.len().min(600)];
        let want = observed(&mut engine, rest);
        let state = engine.save_state();
        let (mut engine, _) = live();
        let mut ahead: Vec<_> = ahead.iter().map(|&(share, days)| ((rest.len() as f64 * share) as usize, days)).collect();
        ahead.sort_unstable();
        // One after the other, as a terminal with a wrong clock sends them among those of others.
        ahead.dedup_by_key(|(at, _)| *at);
        let mut handle = shared.then(|| std::mem::replace(&mut engine, live().0).share());
        let mut got = Vec::new();
        for (n, txn) in rest.iter().enumerate() {
            if let Some((_, days)) = ahead.iter().find(|(at, _)| *at == n) {
                let early = stray(Timestamp(txn.at.0 + days * Timestamp::DAY), n as u128);
                let error = match &mut handle {
                    Some(handle) => handle.observe(&early).unwrap_err(),
                    None => engine.observe(&early).unwrap_err(),
                };
                prop_assert!(matches!(error, Error::Early { txn, at, .. } if (txn, at) == (early.id, early.at)), "{}", error);
            }
            let verdict = match &mut handle {
                Some(handle) => handle.observe(txn).unwrap(),
                None => engine.observe(txn).unwrap(),
            };
            got.push(bits(verdict.score(), verdict.detectors()));
        }
        prop_assert_eq!(differ(&want, &got), None);
        let saved = handle.as_ref().map_or_else(|| engine.save_state(), |handle| handle.save_state());
        prop_assert!(saved == state, "the checkpoint is whole");
    }

    /// A feed that is silent for a month or more goes on: with its third payment, or at once where the time is known.
    #[test]
    fn a_silent_feed_goes_on(silence in 20i64..400, known in any::<bool>()) {
        let (mut engine, rest) = live();
        let watermark = engine.watermark().unwrap();
        let later = |txn: &Transaction| Transaction { at: Timestamp(txn.at.0 + silence * Timestamp::DAY), ..*txn };
        let rest: Vec<Transaction> = rest.iter().take(300).map(later).collect();
        if known {
            engine.advance(rest[0].at);
        }
        let refused: Vec<usize> = (0..rest.len()).filter(|&n| engine.observe(&rest[n]).is_err()).collect();
        prop_assert_eq!(refused, if known { vec![] } else { vec![0, 1] });
        prop_assert!(engine.watermark() == rest.last().map(|txn| txn.at) && engine.watermark() > Some(watermark));
        let mut again = Engine::load(&model().0).unwrap();
        again.load_state(&engine.save_state()).unwrap();
        prop_assert_eq!(again.watermark(), engine.watermark());
    }

    /// A batch that is known whole has silences of its own, and ends where its payments agree.
    #[test]
    fn a_batch_ends_where_its_payments_agree(silence in 20i64..400, strays in 1usize..3, days in 500i64..30_000) {
        let (mut engine, rest) = live();
        let before = engine.save_state();
        let later = |txn: &Transaction| Transaction { at: Timestamp(txn.at.0 + silence * Timestamp::DAY), ..*txn };
        let mut all: Vec<Transaction> = rest[..100].to_vec();
        all.extend(rest[100..200].iter().map(later));
        let last = all.last().unwrap().at;
        let with: Vec<_> = all.iter().copied().chain((0..strays).map(|n| stray(Timestamp(last.0 + days * Timestamp::DAY), n as u128))).collect();
        let error = engine.replay(&batch(&with), |_, _| Ok::<_, Error>(())).unwrap_err();
        prop_assert!(matches!(error, Error::Early { watermark, .. } if watermark == last), "{}", error);
        prop_assert!(engine.save_state() == before);
        prop_assert_eq!(replayed(&mut engine, &all).len(), all.len());
        let fitted = quick().fit(&batch(&with)).map(|_| ());
        prop_assert!(matches!(fitted, Err(Error::Early { .. })), "{:?}", fitted);
    }

    /// A transaction that is handed in again is answered with the verdict it was given and taken in once: by an engine,
    /// by handles on threads, in a batch, and after a restart.
    #[test]
    fn a_repeated_payment_is_answered_alike_and_taken_in_once(
        again in prop::collection::vec((0.0f64..1.0, 1usize..400), 1..60),
        way in 0u8..4,
        restart in 0.0f64..1.0,
    ) {
        let (mut engine, rest) = live();
        let rest = &rest[..rest.len().min(500)];
        let want = observed(&mut engine, rest);
        let state = engine.save_state();
        let (mut engine, _) = live();
        // A repeated row comes some rows later, within the two days by default.
        let mut all: Vec<(usize, bool)> = (0..rest.len()).map(|row| (row, false)).collect();
        for (share, later) in again {
            let row = (rest.len() as f64 * share) as usize;
            let day = Timestamp(rest[row].at.0 + Timestamp::DAY);
            let place = all.iter().position(|&(n, repeat)| n == row && !repeat).unwrap();
            let last = all.iter().rposition(|&(n, repeat)| !repeat && rest[n].at < day).unwrap();
            all.insert((place + later).min(last + 1).max(place + 1), (row, true));
        }
        let restart = (all.len() as f64 * restart) as usize;
        if way == 3 {
            // Of a batch, those that repeat stand at their own time.
            all.sort_by_key(|&(row, repeat)| (rest[row].at, repeat));
            let txns: Vec<_> = all.iter().map(|&(row, _)| rest[row]).collect();
            let mut got = Vec::new();
            let mut repeats = 0;
            engine.replay(&batch(&txns), |_, scored| {
                repeats += if scored.is_repeat() { scored.rows().len() } else { 0 };
                got.extend(scored.rows().map(|row| bits(scored.score(row), scored.detectors(row))));
                Ok::<_, Error>(())
            }).unwrap();
            let wanted: Vec<_> = all.iter().map(|&(row, _)| want[row].clone()).collect();
            prop_assert_eq!(differ(&wanted, &got), None);
            prop_assert_eq!(repeats, all.iter().filter(|(_, repeat)| *repeat).count());
            prop_assert!(engine.save_state() == state);
            // The last day again.
            let day = Timestamp(rest.last().unwrap().at.0 - Timestamp::DAY);
            let first = rest.partition_point(|txn| txn.at < day);
            let mut got = Vec::new();
            engine.replay(&batch(&rest[first..]), keep(&mut got)).unwrap();
            prop_assert_eq!(differ(&want[first..], &got), None);
            prop_assert!(engine.save_state() == state);
            return Ok(());
        }
        let mut handle = (way == 2).then(|| std::mem::replace(&mut engine, live().0).share());
        for (n, &(row, repeat)) in all.iter().enumerate() {
            if way == 1 && n == restart {
                engine.set_offset(n.to_le_bytes());
                let saved = engine.save_state();
                engine = Engine::load(&model().0).unwrap();
                engine.load_state(&saved).unwrap();
                prop_assert_eq!(engine.offset(), n.to_le_bytes());
                engine.set_offset(Vec::new());
            }
            let verdict = match &mut handle {
                Some(handle) => handle.observe_next(|| Some(rest[row])).unwrap().1.unwrap(),
                None => engine.observe(&rest[row]).unwrap(),
            };
            prop_assert_eq!(&bits(verdict.score(), verdict.detectors()), &want[row], "row {}, {}", row, repeat);
        }
        let saved = handle.as_ref().map_or_else(|| engine.save_state(), |handle| handle.save_state());
        prop_assert!(saved == state);
    }

    /// Whatever transactions there can be, the state they leave is saved and loaded.
    #[test]
    fn any_transactions_leave_a_state_that_loads(
        txns in prop::collection::vec(anything(), 1..60),
        budget in any::<bool>(),
    ) {
        let (model, history) = model();
        let mut engine = Engine::load(model).unwrap();
        if budget {
            observed(&mut engine, &history[..50]);
        }
        for txn in &txns {
            let before = engine.watermark();
            let is_taken = engine.observe(txn).is_ok();
            prop_assert!(is_taken || engine.watermark() == before);
        }
        let state = engine.save_state();
        let mut again = Engine::load(model).unwrap();
        again.load_state(&state).unwrap();
        prop_assert!(again.save_state() == state);
    }
}

/// Any transaction, of few accounts so that they meet.
fn anything() -> impl Strategy<Value = Transaction> {
    let at = prop_oneof![3 => 0..400 * 24 * HOUR, 1 => any::<i64>(), 1 => prop::sample::select(vec![i64::MIN, -1, 0, i64::MAX])];
    let minor =
        prop_oneof![2 => -100_000i64..100_000, 1 => any::<i64>(), 1 => prop::sample::select(vec![i64::MIN, i64::MAX])];
    let currency = prop::sample::select(vec!["USD", "EUR", "JPY", "BHD", "XXX"]);
    let place = (any::<i32>(), any::<i32>(), -90.0f64..90.0)
        .prop_map(|(a, b, c)| Position::from_e7(a, b).or(Position::from_degrees(c, c)));
    let rest = (any::<Option<i64>>(), place, "\\PC{0,20}", 0u64..4, 0u64..4);
    (any::<u8>(), at, 1u64..5, minor, currency, rest).prop_map(
        |(id, at, account, minor, currency, (balance, place, word, other, device))| {
            let currency = Currency::new(currency.as_bytes()).unwrap();
            let mut txn = Transaction::new(
                TxnId(id.into()),
                Timestamp(at),
                EntityId::new(account).unwrap(),
                Amount::new(minor, currency),
            );
            (txn.balance_before, txn.position, txn.counterparty) = (balance, place, EntityId::new(other));
            (txn.device, txn.address) = (EntityId::new(device), EntityId::new(other ^ device));
            (txn.category, txn.channel, txn.country) = (Code::new(&word), Code::new(&word), Code::new(&word));
            txn
        },
    )
}

/// Handles that are handed the same payments at once take each of them in once.
#[test]
fn handles_share_what_was_answered() {
    let (mut engine, rest) = live();
    // Within a day: a thread that is held up may then not come too late for what is remembered.
    let day = Timestamp(rest[0].at.0 + Timestamp::DAY);
    let rest = &rest[..rest.partition_point(|txn| txn.at < day)];
    let want = observed(&mut engine, rest);
    let handle = live().0.share();
    let queue = std::sync::Mutex::new(rest.iter().flat_map(|txn| [*txn; 3]));
    let got: Vec<Vec<(TxnId, Bits)>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3)
            .map(|_| {
                let mut handle = handle.clone();
                let queue = &queue;
                scope.spawn(move || {
                    let mut got = Vec::new();
                    while let Some((txn, verdict)) = handle.observe_next(|| queue.lock().unwrap().next()) {
                        let verdict = verdict.unwrap();
                        got.push((txn.id, bits(verdict.score(), verdict.detectors())));
                    }
                    got
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(got.iter().map(Vec::len).sum::<usize>(), 3 * rest.len());
    for (id, bits) in got.into_iter().flatten() {
        let row = rest.iter().position(|txn| txn.id == id).unwrap();
        assert_eq!(bits, want[row]);
    }
    assert!(handle.save_state() == engine.save_state());
}

/// A payment that is handed in again weeks later has the verdict it was given and is taken in once: after a restart,
/// after another model took the place of the first, and by a shared engine. It is not refused as late.
#[test]
fn a_repeat_after_weeks_is_answered() {
    let (model, txns) = model();
    let mut engine = Engine::load(model).unwrap();
    let want = observed(&mut engine, txns);
    let last = txns.last().unwrap().at.0;
    let within = |days: i64| txns.partition_point(|txn| txn.at.0 < last - days * Timestamp::DAY);
    let (month, weeks, days) = (within(30), within(20), within(2));
    assert!(month < weeks && weeks < days && days < txns.len());
    let other = quick().seed(5).fit(&batch(&txns[..txns.len() / 2])).unwrap().save();
    let fewer = quick().detectors(&specs(&DETECTORS[..3])).fit(&batch(&txns[..txns.len() / 2])).unwrap().save();
    // Raw score and tail; each detector's own score follows as long as it is remembered.
    let check = |again: &Bits, row: usize, is_detailed: bool| {
        assert_eq!(again[..], want[row][..if is_detailed { want[row].len() } else { 2 }], "row {row}");
    };
    for change in [None, Some(&other), Some(&fewer)] {
        let mut again = Engine::load(model).unwrap();
        again.load_state(&engine.save_state()).unwrap();
        if let Some(change) = change {
            again.replace_model(change).unwrap();
            assert_ne!(again.model().id(), engine.model().id());
        }
        let state = again.save_state();
        for row in (month..weeks).step_by(7) {
            let observed = again.observe(&txns[row]).unwrap();
            assert!(observed.is_repeat() && observed.verdict().score == observed.score());
            check(&bits(observed.score(), observed.detectors()), row, false);
        }
        for (row, txn) in txns.iter().enumerate().skip(days) {
            let observed = again.observe(txn).unwrap();
            check(&bits(observed.score(), observed.detectors()), row, change != Some(&fewer));
        }
        // As rows of a batch: no numbers where each detector's own score is not remembered.
        again
            .replay(&batch(&txns[weeks..weeks + 50]), |model, scored| {
                for row in scored.rows() {
                    assert!(scored.is_repeat() && scored.detectors(row).len() == model.detectors().len());
                    assert!(scored.detectors(row).iter().all(|score| score.is_nan()));
                    check(&bits(scored.score(row), &[]), weeks + row, false);
                }
                Ok::<_, Error>(())
            })
            .unwrap();
        assert!(again.save_state() == state);
        let mut shared = again.share();
        let observed = shared.observe(&txns[weeks]).unwrap();
        assert!(observed.is_repeat());
        check(&bits(observed.score(), observed.detectors()), weeks, false);
        assert!(shared.save_state() == state);
    }
    assert!(matches!(engine.observe(&txns[within(32)]), Err(Error::Late { .. })), "past what is remembered");
}

/// Remembering verdicts for as long as the longest window of accounts takes at most a fifth more memory than windows do.
/// Saved, references and scores are numbers that nothing makes smaller.
#[test]
fn remembering_verdicts_is_cheap() {
    let txns = population(400, 60, 9, FULL);
    let bytes = |repeats: i64| {
        let mut limits = crible::Limits::default();
        limits.repeats.0 = repeats;
        let builder = Engine::builder().state(limits).fit_rows(600);
        let mut engine = builder.fit(&batch(&txns)).unwrap();
        replayed(&mut engine, &txns);
        (engine.state_bytes(), engine.save_state().len())
    };
    let grown = |with: usize, without: usize| with as f64 / without as f64;
    let without = bytes(0);
    for (days, most_saved) in [(2, 1.2), (30, 1.4)] {
        let with = bytes(days * Timestamp::DAY);
        let (memory, saved) = (grown(with.0, without.0), grown(with.1, without.1));
        println!("{days} days: in memory × {memory:.3}, saved × {saved:.3}");
        assert!(memory <= 1.2 && saved <= most_saved, "{days}: {without:?} to {with:?}");
    }
}
