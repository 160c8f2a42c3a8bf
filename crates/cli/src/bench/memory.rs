//! How much memory something takes, where the system tells: Linux counts the most a process had resident, and starts
//! the count anew when asked.

use std::fs;

/// A count under way.
#[derive(Debug)]
pub(super) struct Peak {
    before: u64,
}

impl Peak {
    /// `None` where the system does not tell.
    pub(super) fn begin() -> Option<Self> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Some(Self { before: status("VmRSS:")? })
    }

    /// Bytes taken since, beyond what was taken then.
    pub(super) fn end(self) -> Option<u64> {
        Some(status("VmHWM:")?.saturating_sub(self.before))
    }
}

/// A figure of the process's status, in bytes.
fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_vector_is_noticed() {
        // Elsewhere than on Linux there is nothing to see.
        let Some(peak) = Peak::begin() else { return };
        let bytes = vec![1u8; 64 << 20];
        assert_eq!(bytes.iter().map(|&b| u64::from(b)).sum::<u64>(), 64 << 20);
        drop(bytes);
        assert!(peak.end() >= Some(60 << 20));
    }
}
