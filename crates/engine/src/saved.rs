//! A model as bytes: `CRIBLEM` and a format version, the length and the CRC-32 of the body, the body in postcard.

use std::hash::Hasher;
use std::io;

use crible_core::{Column, Has, Scale, Tail, Window};
use crible_feature::{FeatureSet, Limits, PeerHabits, Peers, Scales, Settings, Snapshot, Windows};
use crible_score::Snapshot as Scoring;
use fnv::FnvHasher;
use serde::{Deserialize, Serialize};

use crate::answered::{KeptAnswers, Written, WrittenV6};
use crate::scorer::Scorer;
use crate::standardize::Typical;
use crate::{Error, MAX_DETECTORS, Model};

const MAGIC: &[u8; 7] = b"CRIBLEM";
const STATE_MAGIC: &[u8; 7] = b"CRIBLES";
const PIPELINE_MAGIC: &[u8; 7] = b"CRIBLEP";
/// Of pipelines.
const PIPELINE_VERSION: u8 = 1;
/// Of models. Earlier ones are read.
const VERSION: u8 = 9;
/// Of states. Earlier ones are read. Up to 6 it was the format of what features keep, from 7 on one more.
const STATE_VERSION: u8 = 8;
const HEADER: usize = MAGIC.len() + 1 + 8 + 4;

/// Windows, limits and peers a model goes with, lengths in microseconds, and what a feed may have besides. Format 1 had
/// none: see [`first_settings`]. From format 8 on the warm-up follows the habits, from 9 on
/// whether payments in other currencies are refused.
#[derive(Serialize, Deserialize)]
struct Made {
    kept: MadeV4,
    /// How far ahead a payment may be dated, in microseconds.
    ahead: i64,
    /// How long verdicts are remembered, in microseconds.
    repeats: i64,
    /// Names of the optional columns the feed has.
    has: Vec<String>,
}

/// The same up to format 4: any date ahead was taken on trust.
#[derive(Serialize, Deserialize)]
struct MadeV4 {
    account: [i64; 4],
    counterparty: [i64; 3],
    pattern: [i64; 3],
    lateness: i64,
    forget_after: i64,
    memory: Option<u64>,
    /// Currency and direction, and the mean payment in minor units.
    peers: Vec<(u32, f64)>,
    device: bool,
    address: bool,
}

/// What amounts of different currencies are to each other; up to format 5 they were compared as numbers.
#[derive(Default, Serialize, Deserialize)]
struct MadeScales {
    of: Vec<(u32, f64)>,
    usual: f64,
}

impl Made {
    fn of(settings: &Settings, has: Has) -> Self {
        let Settings { windows: Windows { account, counterparty, pattern }, limits, peers } = settings;
        let kept = MadeV4 {
            account: account.map(|window| window.0),
            counterparty: counterparty.map(|window| window.0),
            pattern: pattern.map(|window| window.0),
            lateness: limits.lateness.0,
            forget_after: limits.forget_after.0,
            memory: limits.memory,
            peers: peers.means().to_vec(),
            device: has.device,
            address: has.address,
        };
        Self { kept, ahead: limits.ahead.0, repeats: limits.repeats.0, has: has.names().map(str::to_owned).collect() }
    }
}

impl From<MadeV4> for Made {
    fn from(kept: MadeV4) -> Self {
        Self { kept, ahead: i64::MAX, repeats: 0, has: Vec::new() }
    }
}

impl Made {
    fn settings(self) -> Result<Settings, Error> {
        let Self { kept, ahead, repeats, .. } = self;
        kept.settings(Window(ahead), Window(repeats))
    }
}

impl MadeV4 {
    fn settings(self, ahead: Window, repeats: Window) -> Result<Settings, Error> {
        let windows = Windows {
            account: self.account.map(Window),
            counterparty: self.counterparty.map(Window),
            pattern: self.pattern.map(Window),
        };
        let mut limits = Limits::default();
        (limits.lateness, limits.forget_after) = (Window(self.lateness), Window(self.forget_after));
        (limits.memory, limits.ahead, limits.repeats) = (self.memory, ahead, repeats);
        limits.check(&windows).map_err(Error::NotAModel)?;
        let unsound = || Error::NotAModel("means of peers that are out of order or no amounts".to_owned());
        Ok(Settings { windows, limits, peers: Peers::from_means(self.peers).ok_or_else(unsound)? })
    }
}

/// How peers' amounts are spread and how often they come, which formats up to 6 did not save.
#[derive(Serialize, Deserialize)]
struct Habits {
    /// Mean and variance of the logarithms of amounts, and payments of an account in a second; as many as there are
    /// means, or none.
    of: Vec<(f64, f64, f64)>,
    hours: [u64; 24],
    since: i64,
}

impl Habits {
    fn of(peers: &Peers) -> Self {
        let of = |habits: &PeerHabits| (habits.log_mean, habits.log_variance, habits.per_second);
        Self { of: peers.habits().iter().map(of).collect(), hours: *peers.hours(), since: peers.since() }
    }

    fn complete(self, peers: Peers) -> Result<Peers, Error> {
        let Self { of, hours, since } = self;
        if of.is_empty() {
            return Ok(peers);
        }
        let habits = of.into_iter().map(|(log_mean, log_variance, per_second)| PeerHabits {
            log_mean,
            log_variance,
            per_second,
        });
        let unsound = || Error::NotAModel("habits of peers that are not theirs or no numbers".to_owned());
        peers.with_habits(habits.collect(), hours, since).ok_or_else(unsound)
    }
}

/// What a model of format 1 goes with: there was nothing else then, whatever is usual now.
fn first_settings() -> Settings {
    let [day, week, month] = [1, 7, 30].map(|days: i64| Window(days * Window::DAY.0));
    let windows = Windows {
        account: [Window::HOUR, day, week, month],
        counterparty: [day, week, month],
        pattern: [Window::HOUR, day, week],
    };
    let mut limits = Limits::default();
    (limits.ahead, limits.repeats) = (Window(i64::MAX), Window(0));
    Settings { windows, limits, ..Settings::default() }
}

#[derive(Serialize, Deserialize)]
struct Body<T> {
    /// counterparty, category, channel, country, position, balance.
    has: [bool; 6],
    columns: Vec<Signature>,
    usual: Vec<T>,
    ensemble: Vec<u8>,
}

/// What is usual in a column up to format 2, when distances were not transformed.
#[derive(Serialize, Deserialize)]
struct Straight {
    median: f32,
    per_scale: f64,
}

/// The same in format 3, when every column counted alike.
#[derive(Serialize, Deserialize)]
struct Powered {
    median: f32,
    per_scale: f64,
    power: f64,
}

impl From<Straight> for Typical {
    fn from(Straight { median, per_scale }: Straight) -> Self {
        Self { median, per_scale, power: 0.0, weight: 1.0 }
    }
}

impl From<Powered> for Typical {
    fn from(Powered { median, per_scale, power }: Powered) -> Self {
        Self { median, per_scale, power, weight: 1.0 }
    }
}

impl<T: Into<Typical>> Body<T> {
    fn upgrade(self) -> Body<Typical> {
        let Self { has, columns, usual, ensemble } = self;
        Body { has, columns, usual: usual.into_iter().map(T::into).collect(), ensemble }
    }
}

/// What a column has to agree in between the program that fitted a model and the one that loads it. Were they only
/// counted, a column that changed places or meaning would be scored as what it no longer is.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct Signature {
    name: String,
    tail: u8,
    scale: u8,
    input: bool,
}

impl Signature {
    fn of(column: &Column) -> Self {
        // Numbers that are written down: they may never change.
        let tail = match column.tail {
            Tail::Upper => 0,
            Tail::Lower => 1,
            Tail::Both => 2,
        };
        let scale = match column.scale {
            Scale::Linear => 0,
            Scale::Ln1p => 1,
            Scale::Ln => 2,
            Scale::NegLn => 3,
        };
        Self { name: column.name.to_string(), tail, scale, input: column.input }
    }
}

fn body<T: Serialize>(model: &Model, usual: impl Fn(&Typical) -> T) -> Vec<u8> {
    let Has { counterparty, category, channel, country, position, balance, device: _, address: _ } = model.has;
    let body = Body {
        has: [counterparty, category, channel, country, position, balance],
        columns: model.columns().iter().map(Signature::of).collect(),
        usual: model.usual.iter().map(usual).collect(),
        ensemble: model.scorer.snapshot().to_bytes(),
    };
    // Writing plain data to memory has nothing to fail on.
    postcard::to_allocvec(&body).unwrap_or_default()
}

/// A hash of all that was learned: FNV-1a over the body, in which columns are named by their windows, and over what is
/// transformed or weighed. A model of an earlier format keeps its own.
pub(crate) fn fingerprint(model: &Model) -> u64 {
    let straight = |usual: &Typical| Straight { median: usual.median, per_scale: usual.per_scale };
    let powers = model.usual.iter().map(|usual| usual.power).filter(|power| *power != 0.0);
    let weights = model.usual.iter().map(|usual| usual.weight).filter(|weight| *weight != 1.0);
    let powers: Vec<u8> = powers.chain(weights).flat_map(f64::to_le_bytes).collect();
    let mut hash = FnvHasher::default();
    hash.write(&body(model, straight));
    hash.write(&powers);
    hash.finish()
}

pub(crate) fn to_bytes(model: &Model) -> Vec<u8> {
    // Writing plain data to memory has nothing to fail on.
    let made = postcard::to_allocvec(&Made::of(&model.settings, model.has)).unwrap_or_default();
    let (of, usual) = model.settings.peers.scales().parts();
    let scales = postcard::to_allocvec(&MadeScales { of: of.to_vec(), usual }).unwrap_or_default();
    let habits = postcard::to_allocvec(&(Habits::of(&model.settings.peers), model.warm_up.0, model.refuses_others))
        .unwrap_or_default();
    frame(MAGIC, VERSION, &[made, scales, habits, body(model, |usual| *usual)].concat())
}

/// What an engine keeps besides the state of its features.
#[derive(Debug, Default)]
pub(crate) struct KeptEngine {
    /// The caller's own.
    pub(crate) offset: Vec<u8>,
    pub(crate) answers: KeptAnswers,
}

/// A state as bytes: `CRIBLES`, then as a model, what the engine keeps before what its features keep.
pub(crate) fn state_to_bytes(engine: &KeptEngine, features: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Writing to memory has nothing to fail on.
    let _written = write_state(engine, features, &mut bytes);
    bytes
}

/// Writes a state piece by piece, without putting it together first.
pub(crate) fn write_state(engine: &KeptEngine, features: &Snapshot, mut out: impl io::Write) -> io::Result<()> {
    // Writing plain data to memory has nothing to fail on.
    let engine = postcard::to_allocvec(&(&engine.offset, Written::from(&engine.answers))).unwrap_or_default();
    let pieces = || std::iter::once(engine.as_slice()).chain(features.pieces());
    let mut checksum = crc32fast::Hasher::new();
    pieces().for_each(|piece| checksum.update(piece));
    let length = pieces().map(<[u8]>::len).sum();
    out.write_all(&header(STATE_MAGIC, STATE_VERSION, length, checksum.finalize()))?;
    pieces().try_for_each(|piece| out.write_all(piece))?;
    out.flush()
}

/// What the engine kept, the state of features within, and its format. Before format 4 an engine kept nothing of its
/// own.
pub(crate) fn state_body(bytes: &[u8]) -> Result<(KeptEngine, &[u8], u8), Error> {
    let (body, format) = unframe(STATE_MAGIC, STATE_VERSION, bytes).map_err(Error::NotAState)?;
    if format < 4 {
        return Ok((KeptEngine::default(), body, format));
    }
    let undecoded = |error: postcard::Error| Error::NotAState(format!("it does not decode ({error})"));
    if format < 7 {
        let ((offset, answers), features): ((_, WrittenV6), _) = postcard::take_from_bytes(body).map_err(undecoded)?;
        return Ok((KeptEngine { offset, answers: answers.try_into()? }, features, format));
    }
    let ((offset, answers), features): ((_, Written), _) = postcard::take_from_bytes(body).map_err(undecoded)?;
    Ok((KeptEngine { offset, answers: answers.try_into()? }, features, format - 1))
}

/// A pipeline as bytes: `CRIBLEP`, then as a model; the body is the state of the engine and what the policy holds.
pub(crate) fn pipeline_to_bytes(state: &[u8], policy: &[u8]) -> Vec<u8> {
    // Writing plain data to memory has nothing to fail on.
    frame(PIPELINE_MAGIC, PIPELINE_VERSION, &postcard::to_allocvec(&(state, policy)).unwrap_or_default())
}

/// Bytes of a state and of what a policy holds.
type StateAndPolicy = (Vec<u8>, Vec<u8>);

/// The state of the engine and what the policy holds; none where this does not begin as a pipeline.
pub(crate) fn pipeline_from_bytes(bytes: &[u8]) -> Result<Option<StateAndPolicy>, Error> {
    if !bytes.starts_with(PIPELINE_MAGIC) {
        return Ok(None);
    }
    let (body, _) = unframe(PIPELINE_MAGIC, PIPELINE_VERSION, bytes).map_err(Error::NotAState)?;
    let undecoded = |error| Error::NotAState(format!("its body does not decode ({error})"));
    postcard::from_bytes(body).map(Some).map_err(undecoded)
}

fn frame(magic: &[u8; 7], version: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = header(magic, version, body.len(), crc32fast::hash(body));
    bytes.extend_from_slice(body);
    bytes
}

fn header(magic: &[u8; 7], version: u8, length: usize, checksum: u32) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER);
    bytes.extend_from_slice(magic);
    bytes.push(version);
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
    bytes.extend_from_slice(&checksum.to_le_bytes());
    bytes
}

/// The body, and which format of those up to `latest` it is of.
fn unframe<'a>(magic: &[u8; 7], latest: u8, bytes: &'a [u8]) -> Result<(&'a [u8], u8), String> {
    let Some((header, body)) = bytes.split_at_checked(HEADER) else {
        return Err(format!("{} bytes, expected at least {HEADER}", bytes.len()));
    };
    let (got, rest) = header.split_at(magic.len());
    if got != magic {
        return Err(format!("it does not begin with {}", String::from_utf8_lossy(magic)));
    }
    let [version, length @ .., c0, c1, c2, c3] = rest else {
        return Err("its header is incomplete".to_owned());
    };
    if !(1..=latest).contains(version) {
        return Err(format!("format version {version}, expected 1 to {latest}"));
    }
    let length = length.iter().rev().fold(0u64, |n, &byte| n << 8 | u64::from(byte));
    if length != body.len() as u64 {
        return Err(format!("{} bytes of body, expected {length}", body.len()));
    }
    let (got, expected) = (crc32fast::hash(body), u32::from_le_bytes([*c0, *c1, *c2, *c3]));
    if got != expected {
        return Err(format!("checksum {got:08x}, expected {expected:08x}: bytes were changed or lost"));
    }
    Ok((body, *version))
}

pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Model, Error> {
    let refuse = |what: String| Err(Error::NotAModel(what));
    let (mut body, version) = unframe(MAGIC, VERSION, bytes).map_err(Error::NotAModel)?;
    let undecoded = |error: postcard::Error| Error::NotAModel(format!("its body does not decode ({error})"));
    let mut settings = first_settings();
    let (mut device, mut address, mut names) = (false, false, None);
    if version > 1 {
        let mut made: Made;
        if version > 4 {
            (made, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
            names = Some(std::mem::take(&mut made.has));
        } else {
            let kept: MadeV4;
            (kept, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
            made = kept.into();
        }
        (device, address) = (made.kept.device, made.kept.address);
        settings = made.settings()?;
    }
    if version > 5 {
        let scales: MadeScales;
        (scales, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
        let Some(scales) = Scales::from_parts(scales.of, scales.usual) else {
            return refuse("its scales of currencies are out of order or none".to_owned());
        };
        settings.peers = settings.peers.scaled(scales);
    }
    if version > 6 {
        let habits: Habits;
        (habits, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
        settings.peers = habits.complete(settings.peers)?;
    }
    // Not saved up to format 7: windows of the account at most.
    let mut warm_up = settings.windows.account[3].min(Window::MONTH);
    if version > 7 {
        let micros: i64;
        (micros, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
        if !(0..=Window::MONTH.0).contains(&micros) {
            return refuse(format!("a warm-up of {micros} microseconds, expected 0 to those of 30 days"));
        }
        warm_up = Window(micros);
    }
    let mut refuses_others = false;
    if version > 8 {
        (refuses_others, body) = postcard::take_from_bytes(body).map_err(undecoded)?;
    }
    let body: Body<Typical> = match version {
        ..3 => postcard::from_bytes::<Body<Straight>>(body).map_err(undecoded)?.upgrade(),
        3 => postcard::from_bytes::<Body<Powered>>(body).map_err(undecoded)?.upgrade(),
        _ => postcard::from_bytes(body).map_err(undecoded)?,
    };
    let [counterparty, category, channel, country, position, balance] = body.has;
    let has = match &names {
        Some(names) => Has::from_names(names.iter().map(String::as_str)),
        None => Some(Has { counterparty, category, channel, country, position, balance, device, address }),
    };
    let Some(has) = has else {
        return refuse(format!(
            "it is about columns of {}, of which one is unknown",
            names.unwrap_or_default().join(", ")
        ));
    };
    let scorer = Scorer::from_snapshot(&Scoring::from_bytes(&body.ensemble)?)?;
    // A later version may compute more columns and let detectors see others: the model names its own.
    let names: Vec<&str> = body.columns.iter().map(|column| column.name.as_str()).collect();
    let mut columns = FeatureSet::of(has, &settings, &names).columns().to_vec();
    let alike = |(saved, column): (&Signature, &mut Column)| {
        column.input = saved.input;
        *saved == Signature::of(column)
    };
    let at = body.columns.iter().zip(&mut columns).position(|pair| !alike(pair)).unwrap_or(columns.len());
    if at < body.columns.len() {
        let got = &body.columns[at].name;
        let here = match columns.get(at) {
            None => "absent".to_owned(),
            Some(column) if column.name == got.as_str() => "of another scale, side or use".to_owned(),
            Some(column) => format!("`{}`", column.name),
        };
        return refuse(format!("column {at} is `{got}` in the model and {here} here"));
    }
    let inputs = columns.iter().filter(|c| c.input).count();
    let counts = [body.columns.len(), body.usual.len()];
    if counts.iter().any(|&count| count != columns.len()) || inputs != scorer.n_columns() {
        return refuse(format!(
            "it is about {} columns, {} of them scored, expected {} and {inputs}",
            body.usual.len(),
            scorer.n_columns(),
            columns.len()
        ));
    }
    if scorer.n_parts() > MAX_DETECTORS {
        return refuse(format!("{} detectors, expected at most {MAX_DETECTORS}", scorer.n_parts()));
    }
    if let Some(Typical { median, per_scale, power, weight }) = body.usual.iter().find(|typical| !typical.is_sound()) {
        return refuse(format!(
            "a median of {median}, one over a scale of {per_scale}, a power of {power} and a weight of {weight}, \
             expected finite numbers, the scale above 0, power and weight within what is fitted"
        ));
    }
    Ok(Model::new(has, settings, warm_up, columns, body.usual, scorer).refusing_others(refuses_others))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use crible_score::ecod::Ecod;
    use crible_score::ensemble::Ensemble;
    use linfa::ParamGuard;
    use ndarray::Array2;

    use super::*;

    /// The builder makes none of these, and its check stands elsewhere: a verdict has no room for more scores.
    #[test]
    fn more_detectors_than_a_verdict_holds_are_refused() {
        let check = |n: usize| {
            let has = Has::default();
            let columns = FeatureSet::to_score(has).columns().to_vec();
            let inputs = columns.iter().filter(|c| c.input).count();
            let rows = Array2::from_shape_fn((50, inputs), |(i, j)| ((i * (j + 7)) % 23) as f64);
            let params =
                (0..n).fold(Ensemble::params(), |params, _| params.member(Box::new(Ecod::params().check().unwrap())));
            let ensemble = params.check().unwrap().fit_rows(rows.view()).unwrap();
            let usual = vec![Typical { median: 0.0, per_scale: 1.0, power: 0.0, weight: 1.0 }; columns.len()];
            from_bytes(&to_bytes(&Model::new(
                has,
                Settings::default(),
                Window::DAY,
                columns,
                usual,
                Scorer::Ensemble(ensemble),
            )))
            .map(|model| model.detectors().len())
        };
        assert_eq!(check(MAX_DETECTORS).unwrap(), MAX_DETECTORS);
        let message = check(MAX_DETECTORS + 1).unwrap_err().to_string();
        assert_eq!(message, "this is no saved model: 33 detectors, expected at most 32");
    }
}
