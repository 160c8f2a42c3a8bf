//! The default detector: views, each of what one kind of fraud does.

use crible_core::{Column, Topic};
use crible_feature::Windows;
use crible_score::views::{Member, Side, Together, View, Views};
use crible_score::{isolation_forest, sampled_knn};
use linfa::ParamGuard;

use crate::Config;

/// The view of what is usually paid at a counterparty.
pub(crate) const AMOUNT_AT_COUNTERPARTY: &str = "view_amount_at_counterparty";

/// A view: what it is called, what a transaction looks like that it speaks against, and its columns.
struct Group {
    name: &'static str,
    looks_like: &'static str,
    /// The same of money that comes in.
    received: &'static str,
    /// Names with `{hour}`, `{day}`, `{week}` and `{month}` for an account's windows, `{d}`, `{w}` and `{m}` for a
    /// counterparty's. Low values are strange of those that begin with `-`, high ones of the others.
    columns: &'static [&'static str],
}

/// Views of columns, in the order in which an alert of two that are as rare names the first.
const GROUPS: &[Group] = &[
    Group {
        name: "view_amount",
        looks_like: "a payment out of proportion for this account",
        received: "more money than this account usually receives",
        columns: &[
            "amount_to_usual_{month}",
            "amount_to_account_mean",
            "amount_to_largest_{month}",
            "amount_for_category",
            "amount",
        ],
    },
    Group {
        name: "view_spending",
        looks_like: "an account being emptied",
        received: "an account being filled",
        columns: &["account_sum_{hour}_to_expected", "account_sum_{day}_to_expected", "account_sum_{week}_to_expected"],
    },
    Group {
        name: AMOUNT_AT_COUNTERPARTY,
        looks_like: "an amount unusual for this counterparty",
        received: "an amount unusual for this counterparty",
        columns: &["amount_to_usual_at_counterparty_{m}"],
    },
    Group {
        name: "view_run",
        looks_like: "a run of large payments",
        received: "a run of large amounts",
        columns: &["account_outsized_{week}"],
    },
    Group {
        name: "view_novelty",
        looks_like: "something new for this account",
        received: "money from a new source",
        columns: &["first_at_counterparty", "channel_novelty", "country_novelty"],
    },
    Group {
        name: "view_new_category",
        looks_like: "a kind of purchase new for this account",
        received: "money of a kind new for this account",
        columns: &["category_novelty"],
    },
    Group {
        name: "view_new_device",
        looks_like: "an account in other hands",
        received: "an account in other hands",
        columns: &["device_novelty", "address_novelty"],
    },
    Group {
        name: "view_shared_device",
        looks_like: "one hand behind several accounts",
        received: "one hand behind several accounts",
        columns: &["device_accounts_{w}", "device_accounts_{m}", "address_accounts_{w}", "address_accounts_{m}"],
    },
    Group {
        name: "view_velocity",
        looks_like: "a card being tested",
        received: "an account that collects money",
        columns: &[
            "account_count_{hour}_to_expected",
            "account_count_{day}_to_expected",
            "account_count_{week}_to_expected",
            "account_first_counterparties_{day}",
        ],
    },
    Group {
        name: "view_again",
        looks_like: "a new payee being paid again and again",
        received: "a new payer who pays again and again",
        columns: &["amount_at_new_counterparty_{day}"],
    },
    Group {
        name: "view_place",
        looks_like: "a card far from its owner",
        received: "an account used far from its owner",
        columns: &["kilometres_from_home", "kilometres_from_last", "kilometres_per_hour"],
    },
    Group {
        name: "view_passed_on",
        looks_like: "an account passing money on",
        received: "an account passing money on",
        columns: &["account_passed_on_{day}"],
    },
    Group {
        name: "view_counterparty",
        looks_like: "a payment to somebody hardly anybody pays",
        received: "money from somebody who hardly pays anybody",
        columns: &["-counterparty_accounts_{m}", "-counterparty_count_{m}", "counterparty_new_to_feed"],
    },
    Group {
        name: "view_hour",
        looks_like: "a payment at an unusual hour",
        received: "money at an unusual hour",
        columns: &["hour_surprise"],
    },
    Group {
        name: "view_early",
        looks_like: "a payment taken twice",
        received: "money that came twice",
        columns: &["recurring_early"],
    },
];

/// What joint views look at: plain numbers, of which both sides count.
const PLAIN: &[&str] = &[
    "amount",
    "amount_to_account_mean",
    "account_count_{day}",
    "account_count_{week}",
    "account_count_{month}",
    "account_sum_{day}",
    "account_sum_{week}",
    "account_sum_{month}",
    "seconds_since_last",
    "counterparty_count_{d}",
    "counterparty_count_{w}",
    "counterparty_count_{m}",
    "first_at_counterparty",
    "account_counterparties_{week}",
    "counterparty_accounts_{w}",
    "hour",
];

/// What the other joint view looks at: how far a payment is from what is usual for its account, counterparty and feed.
/// Between plain numbers few payments are near one that is usual for nobody but for this account; between these it is
/// one of many.
const UNUSUAL: &[&str] = &[
    "amount_to_usual_{month}",
    "account_sum_{day}_to_expected",
    "account_sum_{week}_to_expected",
    "account_count_{day}_to_expected",
    "seconds_since_last",
    "amount_to_usual_at_counterparty_{m}",
    "amount_for_category",
    "hour_surprise",
    "counterparty_accounts_{m}",
    "counterparty_count_{m}",
    "first_at_counterparty",
    "account_passed_on_{day}",
    "category_novelty",
    "kilometres_from_home",
    "device_novelty",
];

/// Columns of which how rare they are is added up: one of each kind, high values strange but of those that begin with
/// `-`.
const SEVERAL: &[&str] = &[
    "amount",
    "amount_to_account_mean",
    "account_in_run_{week}",
    "account_sum_{hour}",
    "hour_surprise_above_mean",
    "-counterparty_count_{m}",
    "kilometres_per_hour",
    "balance_share",
];

/// From which −ln p on a view counts in full.
const COUNTS_FROM: f64 = 2.0;

/// What of one that is no rarer counts: nothing, so that it need not be known how rare it is.
const REST: f64 = 0.0;

const ALL_TOGETHER: &str = "view_several";
const NEIGHBOURS: &str = "view_neighbours";
const FOREST: &str = "view_forest";
const UNUSUAL_NEIGHBOURS: &str = "view_unusual_neighbours";
const UNLIKE: &str = "a payment unlike any other here";

/// The column that says how much a payment was to be expected, and what share of its score that takes away at most.
const EXPECTED: &str = "payment_expected";
const EXPECTED_SHARE: f64 = 0.9;

/// Rows neighbours are looked for among, and which of the nearest counts. With 500 and the fifth nothing ranks better,
/// and it takes a third longer; with 256 and the third it depends on which rows are drawn whether ordinary first
/// payments are critical.
const REFERENCE_ROWS: usize = 384;
const NEIGHBOUR: usize = 4;

/// Trees of the forest: a hundred rank no better.
const TREES: usize = 32;

/// Columns of which it is known where they end on their strange side: a counterparty nobody has paid, one that was not
/// there a week ago, a first payment.
const ENDS: &[(&str, f64)] = &[
    ("-counterparty_count_{d}", 0.0),
    ("-counterparty_count_{w}", 0.0),
    ("-counterparty_count_{m}", 0.0),
    ("-counterparty_accounts_{w}", 0.0),
    ("-counterparty_accounts_{m}", 0.0),
    ("counterparty_new_to_feed", 2.0),
    ("first_at_counterparty", 3.0),
];

/// The most rows views are fitted on.
pub(crate) const MOST_ROWS: usize = 20_000;

/// How loud a view of one thing has to be beside the loudest, which may be one of several columns at once, for an alert
/// to be named after it, and of those that are the first may be beside the loudest.
const LOUD: f64 = 0.5;
const NEARLY: f64 = 0.9;

/// From which −ln p on a view is rare enough to name a transaction: one in twenty.
const RARE: f64 = 3.0;

/// What a transaction looks like whose views, by name, speak as loud as this.
pub(crate) fn looks_like<'a>(
    views: impl Iterator<Item = (&'a str, f64)> + Clone,
    is_received: bool,
) -> Option<&'static str> {
    let most = views.clone().map(|(_, neg_ln)| neg_ln).fold(0.0, f64::max);
    if most < RARE {
        return None;
    }
    let mut named = views.filter_map(|(name, neg_ln)| Some((group(name)?, neg_ln)));
    let loudest = named.clone().map(|(_, neg_ln)| neg_ln).fold(0.0, f64::max);
    let first = named.find(|(_, neg_ln)| *neg_ln >= NEARLY * loudest);
    Some(match first {
        Some((group, _)) if loudest >= LOUD * most => {
            if is_received {
                group.received
            } else {
                group.looks_like
            }
        }
        _ => UNLIKE,
    })
}

/// Views of what an account did around a payment, of which it may be an ordinary part.
const AROUND: [&str; 4] = ["view_spending", "view_run", "view_velocity", "view_passed_on"];

/// Whether a view of one thing that the payment itself is finds it rare, and speaks half as loud as the loudest. Views
/// of several columns look at what is around it as well.
pub(crate) fn is_own<'a>(views: impl Iterator<Item = (&'a str, f64)>) -> bool {
    let (mut own, mut most) = (0.0f64, 0.0f64);
    for (name, neg_ln) in views {
        most = most.max(neg_ln);
        if group(name).is_some() && !AROUND.contains(&name) {
            own = own.max(neg_ln);
        }
    }
    own >= RARE && own >= LOUD * most
}

fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}

/// A name for these windows, and which side of the column is strange.
fn named(name: &str, windows: &Windows) -> (String, Side) {
    let (name, side) = name.strip_prefix('-').map_or((name, Side::Upper), |name| (name, Side::Lower));
    let keys = ["{hour}", "{day}", "{week}", "{month}", "{d}", "{w}", "{m}"];
    let lengths = windows.account.iter().chain(&windows.counterparty);
    let name = keys.iter().zip(lengths).fold(name.to_owned(), |name, (key, window)| name.replace(key, &window.tag()));
    (name, side)
}

/// The column that counts payments at a counterparty within the longest of its windows.
pub(crate) fn payments_at_counterparty(windows: &Windows) -> String {
    named("counterparty_count_{m}", windows).0
}

/// Names of all views.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|group| group.name).chain([NEIGHBOURS, FOREST, UNUSUAL_NEIGHBOURS, ALL_TOGETHER])
}

/// Names of the columns views look at.
pub(crate) fn columns(windows: &Windows) -> Vec<String> {
    let all =
        GROUPS.iter().flat_map(|group| group.columns).chain(PLAIN).chain(UNUSUAL).chain(SEVERAL).chain([&EXPECTED]);
    all.map(|name| named(name, windows).0).collect()
}

/// The views of a feed that has these inputs: what is not there is left out, and columns that somebody added are a view
/// a topic.
pub(crate) fn params(
    inputs: &[&Column],
    config: &Config,
    seed: u64,
) -> Result<crible_score::Params<crible_score::views::ViewsConfig>, crible_score::Error> {
    let windows = &config.windows;
    let is_wanted = |name: &str| config.without_views.iter().all(|dropped| dropped != name);
    let at = |name: &str| inputs.iter().position(|column| column.name == name);
    let mut params = Views::params().counts_from(COUNTS_FROM).rest(REST);
    for group in GROUPS {
        let member = |name: &&str| {
            let (name, side) = named(name, windows);
            at(&name).map(|column| Member::Column { column, side })
        };
        let members: Vec<Member> = group.columns.iter().filter_map(member).collect();
        if !members.is_empty() && is_wanted(group.name) {
            params = params.view(View { name: group.name.to_owned(), members, together: Together::Rarest });
        }
    }
    let usual = columns(windows);
    // Were each a view, all columns together would be more than a verdict has room for.
    let mut others: Vec<(Topic, View)> = Vec::new();
    for (column, about) in inputs.iter().enumerate().filter(|(_, about)| !usual.contains(&about.name.to_string())) {
        let side = match about.tail {
            crible_core::Tail::Upper => Side::Upper,
            crible_core::Tail::Lower => Side::Lower,
            crible_core::Tail::Both => Side::Both,
        };
        let member = Member::Column { column, side };
        match others.iter_mut().find(|(topic, _)| *topic == about.topic) {
            Some((_, view)) => view.members.push(member),
            None => {
                let (name, members) = (format!("view_{}", about.name), vec![member]);
                others.push((about.topic, View { name, members, together: Together::Rarest }));
            }
        }
    }
    params = others.into_iter().fold(params, |params, (_, view)| params.view(view));
    let view = |name: &str, members, together| View { name: name.to_owned(), members, together };
    let there =
        |names: &[&str]| -> Vec<usize> { names.iter().filter_map(|name| at(&named(name, windows).0)).collect() };
    let neighbours = || {
        let neighbours = sampled_knn::SampledKnn::params().n_samples(1).max_samples(REFERENCE_ROWS);
        neighbours.n_neighbors(NEIGHBOUR).seed(seed).check()
    };
    let joint = |name: &str, columns: &Vec<usize>, detector| {
        view(name, vec![Member::Joint { columns: columns.clone(), detector }], Together::Rarest)
    };
    let (plain, unusual) = (there(PLAIN), there(UNUSUAL));
    if !plain.is_empty() {
        let forest = isolation_forest::IsolationForest::params().n_trees(TREES).seed(seed).check()?;
        if is_wanted(NEIGHBOURS) {
            params = params.view(joint(NEIGHBOURS, &plain, Box::new(neighbours()?)));
        }
        if is_wanted(FOREST) {
            params = params.view(joint(FOREST, &plain, Box::new(forest)));
        }
    }
    if !unusual.is_empty() && is_wanted(UNUSUAL_NEIGHBOURS) {
        params = params.view(joint(UNUSUAL_NEIGHBOURS, &unusual, Box::new(neighbours()?)));
    }
    let several: Vec<Member> = SEVERAL
        .iter()
        .filter_map(|name| {
            let (name, side) = named(name, windows);
            at(&name).map(|column| Member::Column { column, side })
        })
        .collect();
    if several.len() > 1 && is_wanted(ALL_TOGETHER) {
        params = params.view(view(ALL_TOGETHER, several, Together::Sum));
    }
    for (name, end) in ENDS {
        let (name, side) = named(name, windows);
        if let Some(column) = at(&name) {
            params = params.end(column, side, *end);
        }
    }
    Ok(match at(EXPECTED) {
        Some(column) => params.expected(column, EXPECTED_SHARE),
        None => params,
    })
}
