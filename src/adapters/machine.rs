//! What this machine gives to this process: memory and processors, as the control group or the kernel says.
//!
//! Reads small files of `/sys` and `/proc`; on any other system nothing is known.

use std::fs;
use std::path::Path;

/// What a processor's share is counted in: thousandths.
const WHOLE: u64 = 1_000;

/// What a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Bytes of memory, those of its disk in memory among them; `None` where nobody says.
    pub memory_bytes: Option<u64>,
    /// Thousandths of a processor; `None` where there is no share, and it may use all.
    pub millicpus: Option<u64>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        Self::below(Path::new("/"))
    }

    fn below(root: &Path) -> Self {
        let text = |path: &str| fs::read_to_string(root.join(path)).ok();
        let number = |path: &str| text(path)?.trim().parse::<u64>().ok();
        let group = number("sys/fs/cgroup/memory.max")
            .or_else(|| number("sys/fs/cgroup/memory/memory.limit_in_bytes"));
        let whole = text("proc/meminfo").as_deref().and_then(total);
        let quota = text("sys/fs/cgroup/cpu.max").as_deref().and_then(share);
        let older = || {
            let quota = number("sys/fs/cgroup/cpu/cpu.cfs_quota_us")?;
            of(quota, number("sys/fs/cgroup/cpu/cpu.cfs_period_us")?)
        };
        Self {
            // A group without a limit writes `max`, or more than there is.
            memory_bytes: group.into_iter().chain(whole).min(),
            millicpus: quota.or_else(older),
        }
    }
}

/// `MemTotal` in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1 << 10)
}

/// `QUOTA PERIOD`, where `max` is no quota.
fn share(text: &str) -> Option<u64> {
    let (quota, period) = text.trim().split_once(' ')?;
    of(quota.parse().ok()?, period.parse().ok()?)
}

fn of(quota: u64, period: u64) -> Option<u64> {
    quota.checked_mul(WHOLE)?.checked_div(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_files(files: &[(&str, &str)]) -> Machine {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        Machine::below(dir.path())
    }

    #[test]
    fn the_smaller_of_group_and_machine_counts_in_both_kinds_of_groups() {
        let machine = (
            "proc/meminfo",
            "MemFree: 1 kB\nMemTotal:        4194304 kB\n",
        );
        let found = of_files(&[
            machine,
            ("sys/fs/cgroup/memory.max", "2147483648\n"),
            ("sys/fs/cgroup/cpu.max", "200000 100000\n"),
        ]);
        let two = Machine {
            memory_bytes: Some(2 << 30),
            millicpus: Some(2_000),
        };
        assert_eq!(found, two);
        let older = of_files(&[
            machine,
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "200000"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000"),
        ]);
        assert_eq!(older, two);
        let free = of_files(&[
            machine,
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1"),
        ]);
        assert_eq!((free.memory_bytes, free.millicpus), (Some(4 << 30), None));
        let unknown = of_files(&[]);
        assert_eq!((unknown.memory_bytes, unknown.millicpus), (None, None));
    }
}
