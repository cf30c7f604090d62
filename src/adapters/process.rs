//! Whether a process that once ran on this machine is gone: read from `/proc`, certain or not said.

use std::fs;

use crate::domain::run::ProcessMark;
use crate::ports::Processes;

/// The processes of this machine, as Linux shows them; on any other system nothing is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcProcesses;

impl Processes for ProcProcesses {
    fn mine(&self) -> Option<ProcessMark> {
        let pid = std::process::id();
        Some(ProcessMark {
            boot: boot()?,
            namespace: namespace()?,
            pid,
            started_ticks: started_ticks(pid)?,
        })
    }

    fn is_gone(&self, mark: &ProcessMark) -> bool {
        let is_here =
            boot().as_ref() == Some(&mark.boot) && namespace().as_ref() == Some(&mark.namespace);
        // A process id is given again to a later process, which started at another time.
        is_here && started_ticks(mark.pid) != Some(mark.started_ticks)
    }
}

fn boot() -> Option<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

/// Process ids mean something within one namespace only.
fn namespace() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_string_lossy().into_owned())
}

/// Clock ticks from the boot to the start of a process that is not a zombie: the 22nd field, counted from behind the
/// name, which may hold spaces.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_gone_only_when_that_is_certain() {
        let processes = ProcProcesses;
        let mine = processes.mine().expect("Linux shows this process");
        assert!(!processes.is_gone(&mine));
        let earlier = ProcessMark {
            started_ticks: mine.started_ticks - 1,
            ..mine.clone()
        };
        assert!(
            processes.is_gone(&earlier),
            "another process has its id now"
        );
        for elsewhere in [
            ProcessMark {
                boot: "another machine".into(),
                ..earlier.clone()
            },
            ProcessMark {
                namespace: "another container".into(),
                ..earlier
            },
        ] {
            assert!(!processes.is_gone(&elsewhere));
        }
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let mark = ProcessMark {
            pid: child.id(),
            started_ticks: started_ticks(child.id()).unwrap(),
            ..mine
        };
        assert!(!processes.is_gone(&mark));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(processes.is_gone(&mark));
    }
}
