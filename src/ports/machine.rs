//! What a run asks of the machine that it runs on.

use chrono::{DateTime, Utc};

use crate::domain::run::ProcessMark;

/// The time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The processes of this machine.
pub trait Processes: Send + Sync {
    /// This one; `None` where that cannot be told.
    fn mine(&self) -> Option<ProcessMark>;

    /// Whether a process is certainly gone; `false` when it runs, or ran elsewhere.
    fn is_gone(&self, mark: &ProcessMark) -> bool;
}
