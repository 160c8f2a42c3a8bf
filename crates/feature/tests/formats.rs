//! States that earlier versions saved.
#![allow(clippy::unwrap_used, missing_docs)]

mod golden;

use crible_feature::FeatureSet;

/// A state of every format that had lateness goes on to the bit, late payments and those that are forgotten included.
#[test]
fn an_old_state_goes_on() {
    for format in 2..=FeatureSet::FORMAT {
        let (txns, seen) = golden::history(format);
        let bytes = std::fs::read(golden::path(format)).unwrap();
        let mut whole = golden::set_of(&txns[..seen]);
        if format == FeatureSet::FORMAT {
            assert!(whole.save() == bytes);
        }
        let mut set = golden::set();
        set.merge(&bytes, format).unwrap();
        // Of pay let go of, format 2 has nothing.
        let is_known = |name: &str| format > 2 || !name.contains("after_pay");
        let known: Vec<bool> = set.columns().iter().map(|column| is_known(&column.name)).collect();
        assert_eq!(known.iter().filter(|known| !**known).count(), if format > 2 { 0 } else { 3 });
        let mut row = vec![f32::NAN; set.columns().len()];
        let mut want = row.clone();
        for txn in &txns[seen..] {
            set.step(txn, &mut row).unwrap();
            whole.step(txn, &mut want).unwrap();
            let bits = |row: &[f32]| {
                row.iter().zip(&known).filter(|(_, known)| **known).map(|(x, _)| x.to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(bits(&row), bits(&want), "format {format}, {}", txn.id);
        }
        assert!(set.late().placed > 5);
        // Of categories format 2 lacks when they were first paid in, nor what pay was let go of, and so it stays.
        // Hours with payments came with format 4, when it has observed with format 6;
        // they end a state, ten bytes each at most.
        let (saved, want) = (set.save(), whole.save());
        let same = saved.iter().zip(&want).take_while(|(a, b)| a == b).count();
        let added = [10 * (txns.len() + 3), 22, 0][usize::from(format > 3) + usize::from(format > 5)];
        assert_eq!(same + added >= want.len(), format > 2, "format {format}");
        assert_eq!(saved == want, format > 5, "format {format}");
    }
}
