#![doc = include_str!("../README.md")]

mod desk;
mod event;
mod facts;
mod id;
mod labels;
mod lists;
mod notice;
mod rules;
mod settings;
mod state;

pub use desk::{Action, BadHistory, Bulk, Case, Desk, Key, Order, Received, Refusal, Skipped, Summary, View};
pub use event::{Change, Closing, Disposition, Event, Origin, Personal, Subject, What};
pub use facts::{BadAlert, Facts, Payment};
pub use id::{Actor, BadWord, CaseId, OperationId, Tag, Text, User};
pub use labels::{BadMatcher, Label, Labels, Matcher};
pub use lists::{Listed, Listing, listing};
pub use notice::{BadSilence, Grouping, Inhibition, Notice, NoticeReason, Silence, Told};
pub use rules::{BadRule, Effect, Hits, RuleText, Rules, RulesText, Verdict};
pub use settings::{BadSettings, FourEyes, Settings, SettingsText};
pub use state::{Answer, Note, Phase, State, Status};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_cross_threads() {
        fn check<T: Send + Sync>() {}
        check::<Desk>();
        check::<Case>();
        check::<State>();
        check::<Event>();
        check::<Facts>();
        check::<BadAlert>();
        check::<BadHistory>();
        check::<Refusal>();
        check::<Bulk>();
        check::<Summary>();
        check::<Settings>();
    }
}
