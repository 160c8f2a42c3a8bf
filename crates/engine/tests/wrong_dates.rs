//! One wrong date at any position of a feed, the first included, changes nothing for the rest.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::sync::OnceLock;

use common::*;
use crible::alert::{Alert, DailyBudget, Severity};
use crible::core::{Timestamp, Transaction};
use crible::{Engine, Error, Pipeline};
use proptest::prelude::*;

/// A model whose windows fill for days, and payments of a busy feed.
fn busy() -> &'static (Vec<u8>, Vec<Transaction>) {
    static MODEL: OnceLock<(Vec<u8>, Vec<Transaction>)> = OnceLock::new();
    MODEL.get_or_init(|| {
        let txns = population(60, 60, 5, FULL);
        (quick().fit(&batch(&txns)).unwrap().save(), txns)
    })
}

/// The same of a person: a payment every day or three.
fn rare() -> &'static (Vec<u8>, Vec<Transaction>) {
    static MODEL: OnceLock<(Vec<u8>, Vec<Transaction>)> = OnceLock::new();
    MODEL.get_or_init(|| {
        let (_, busy) = self::busy();
        let mut at = busy[0].at;
        let apart = |(n, txn): (usize, &Transaction)| {
            at = Timestamp(at.0 + (20 + n as i64 * 7_919 % 52) * 3_600 * Timestamp::SECOND);
            Transaction { at, account: pseudonym("account", n as u64 % 2), ..*txn }
        };
        let txns: Vec<_> = busy.iter().take(120).enumerate().map(apart).collect();
        (quick().fit(&batch(&txns)).unwrap().save(), txns)
    })
}

/// Either of an engine or of one that is shared.
enum Either {
    One(Box<Engine>),
    Shared(crible::Shared),
}

impl Either {
    fn observe(&mut self, txn: &Transaction) -> Result<(Bits, bool, bool), Error> {
        let observed = match self {
            Self::One(engine) => engine.observe(txn)?,
            Self::Shared(shared) => shared.observe(txn)?,
        };
        Ok((bits(observed.score(), observed.detectors()), observed.is_provisional(), observed.is_repeat()))
    }

    fn save_state(&self) -> Vec<u8> {
        match self {
            Self::One(engine) => engine.save_state(),
            Self::Shared(shared) => shared.save_state(),
        }
    }
}

fn position() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(0usize), 2 => 1usize..4, 3 => 4usize..60, 1 => 60usize..110]
}

/// By how many days a date is wrong: a day or two, a month, a digit of the year, a century.
fn wrong_by() -> impl Strategy<Value = i64> {
    prop_oneof![2i64..40, 40i64..400, 400i64..4_000, 4_000i64..60_000]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    /// All others have the verdicts they have without it, one at a time, shared, saved and loaded right after it or
    /// later, and where what follows comes as a batch; the state is the same to the byte in the end.
    #[test]
    fn a_wrong_date_anywhere_changes_nothing(
        at in position(),
        days in wrong_by(),
        is_past in prop::bool::weighted(0.3),
        is_rare in any::<bool>(),
        is_shared in any::<bool>(),
        restart in prop::option::of(0usize..6),
        batched in prop::option::of(0usize..4),
        again in any::<bool>(),
    ) {
        let (model, txns) = if is_rare { rare() } else { busy() };
        // A rare payment may come weeks after the one before; one that is further back cannot be told from it.
        let days = if is_rare { days.max(40) } else { days };
        let days = if is_past && at == 0 { days.max(402) } else { days };
        let txns = &txns[..txns.len().min(200)];
        let wrong_at = Timestamp(txns[at].at.0 + if is_past { -days } else { days } * Timestamp::DAY);
        let wrong = Transaction { at: wrong_at, ..txns[at] };
        let rest: Vec<Transaction> = txns.iter().filter(|txn| txn.id != wrong.id).copied().collect();
        let mut without = Engine::load(model).unwrap();
        let want = observed(&mut without, &rest);

        let mut engine = Engine::load(model).unwrap();
        let mut got = observed(&mut engine, &rest[..at]);
        let mut one = if is_shared { Either::Shared(engine.share()) } else { Either::One(Box::new(engine)) };
        let refused = match one.observe(&wrong) {
            Ok((first, is_provisional, is_repeat)) => {
                prop_assert!(is_provisional && !is_repeat, "it is taken in");
                if again {
                    prop_assert_eq!(one.observe(&wrong).unwrap(), (first, false, true));
                }
                false
            }
            Err(Error::Early { .. } | Error::Late { .. }) => true,
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        prop_assert!(!is_past || refused || at < 2, "a date long past is late as soon as a payment is certain");
        for (n, txn) in rest.iter().enumerate().skip(at) {
            if restart == Some(n - at) {
                let mut engine = Engine::load(model).unwrap();
                engine.load_state(&one.save_state()).unwrap();
                one = if is_shared { Either::Shared(engine.share()) } else { Either::One(Box::new(engine)) };
            }
            match &mut one {
                Either::One(engine) if batched == Some(n - at) => {
                    got.extend(replayed(engine, &rest[n..]));
                    break;
                }
                one => got.push(one.observe(txn).unwrap().0),
            }
        }
        prop_assert_eq!(differ(&want, &got), None);
        if !(is_past && at == 0) {
            prop_assert!(one.save_state() == without.save_state());
        }
    }

    /// What is provisional comes to the same whether payments come one at a time or in batches, alerts included.
    #[test]
    fn provisional_payments_are_one_way(
        is_rare in any::<bool>(),
        lengths in prop::collection::vec(1usize..9, 1..6),
        stop in 1usize..60,
    ) {
        let (model, txns) = if is_rare { rare() } else { busy() };
        let txns = &txns[..80];
        let (mut stream, mut batches) = (Engine::load(model).unwrap(), Engine::load(model).unwrap());
        let want = observed(&mut stream, &txns[..stop]);
        prop_assert_eq!(differ(&want, &in_chunks(&mut batches, &txns[..stop], &lengths)), None);
        prop_assert!(stream.save_state() == batches.save_state());
        let provisional = |engine: &Engine| engine.provisional().map(|txn| txn.id).collect::<Vec<_>>();
        prop_assert_eq!(provisional(&stream), provisional(&batches));
        let want = observed(&mut stream, &txns[stop..]);
        prop_assert_eq!(differ(&want, &in_chunks(&mut batches, &txns[stop..], &lengths)), None);
        prop_assert!(stream.save_state() == batches.save_state());

        let policy = || DailyBudget::new("2/day".parse().unwrap()).at_least(Severity::Low);
        let pipeline = || Pipeline::new(Engine::load(model).unwrap(), policy());
        let raised = |alerts: &[Alert]| alerts.iter().map(|alert| (alert.day, alert.rank, alert.decision.txn.id)).collect::<Vec<_>>();
        let (mut stream, mut whole) = (pipeline(), pipeline());
        let (mut want, mut got) = (Vec::new(), Vec::new());
        for txn in txns {
            let (_, alerts) = stream.observe(txn, None).unwrap();
            want.extend(raised(&alerts));
        }
        want.extend(raised(&stream.finish()));
        for txns in txns.chunks(lengths[0]) {
            whole.replay(&batch(txns), None, |_, _, alerts| { got.extend(raised(&alerts)); Ok::<_, Error>(()) }).unwrap();
        }
        got.extend(raised(&whole.finish()));
        prop_assert_eq!(want, got);
    }

    /// Two engines that each have seen the beginning of a feed alone become the one that has seen both.
    #[test]
    fn merging_confirms(cut in 1usize..20) {
        let (model, txns) = rare();
        let txns = &txns[..cut];
        let of = |own: u64| txns.iter().filter(|txn| txn.account == pseudonym("account", own)).copied().collect::<Vec<_>>();
        let (mut whole, mut one, mut other) =
            (Engine::load(model).unwrap(), Engine::load(model).unwrap(), Engine::load(model).unwrap());
        observed(&mut whole, txns);
        observed(&mut one, &of(0));
        observed(&mut other, &of(1));
        one.merge(&other.save_state()).unwrap();
        let rest = &rare().1[cut..];
        prop_assert_eq!(differ(&observed(&mut whole, rest), &observed(&mut one, rest)), None);
    }
}

/// A first payment of years ahead is left out as soon as two others agree, and the days of a policy stay open.
#[test]
fn a_first_payment_of_years_ahead_is_left_out() {
    let (model, txns) = busy();
    let policy = || DailyBudget::new("3/day".parse().unwrap());
    let run = |first: Option<Transaction>| {
        let mut pipeline = Pipeline::new(Engine::load(model).unwrap(), policy());
        if let Some(first) = first {
            let (observed, alerts) = pipeline.observe(&first, None).unwrap();
            assert!(observed.is_provisional() && alerts.is_empty());
        }
        let mut alerts: Vec<Alert> =
            txns[1..600].iter().flat_map(|txn| pipeline.observe(txn, None).unwrap().1).collect();
        let engine = pipeline.engine();
        let counted = (engine.late().contradicted, engine.watermark());
        alerts.extend(pipeline.finish());
        (alerts.iter().map(|alert| (alert.day, alert.rank, alert.decision.txn.id)).collect::<Vec<_>>(), counted)
    };
    let (want, (_, watermark)) = run(None);
    assert!(!want.is_empty());
    for days in [3, 30, 399, 401, 2_000, 3_600] {
        let wrong = Transaction { at: Timestamp(txns[0].at.0 + days * Timestamp::DAY), ..txns[0] };
        assert_eq!(run(Some(wrong)), (want.clone(), (1, watermark)), "{days} days");
    }
    // Whoever knows the time says so, and nothing is provisional.
    let mut engine = Engine::load(model).unwrap();
    engine.advance(txns[0].at);
    assert!(!engine.observe(&txns[0]).unwrap().is_provisional());
    assert_eq!(engine.watermark(), Some(txns[0].at));
}
