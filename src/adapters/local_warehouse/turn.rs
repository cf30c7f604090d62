//! Who may switch a month: one at a time, and nobody who stands behind the run that it shows (ADR-0024).
//!
//! May use the month's folder and what it shows; never changes either.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::layout::{Current, at};
use crate::ports::{PortError, PortErrorKind};

/// Attempts to get a turn; with the pause between them two seconds, and a switch takes milliseconds.
const ATTEMPTS_MAX: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// The turn at a month, given back when it is dropped or its process ends. Blocking.
///
/// # Errors
/// `Denied` when another run keeps it: it was stopped in the midst of its switch.
pub(super) fn take(month: &Path) -> Result<File, PortError> {
    let folder = File::open(month).map_err(|error| at(error, month))?;
    for _ in 0..ATTEMPTS_MAX {
        match folder.try_lock() {
            Ok(()) => return Ok(folder),
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            // A file system without locks: looking at what the month shows still keeps out who comes late.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                return Ok(folder);
            }
            Err(TryLockError::Error(error)) => return Err(at(error, month)),
        }
    }
    let what = "another run is switching this month and does not end; the old month stands";
    Err(PortError::new(PortErrorKind::Denied, what)
        .at("path", month.display().to_string())
        .hint("end the other run's process, or let it go on if it was stopped; then run again"))
}

/// Refuses a run that was overtaken by the one that the month shows.
pub(super) fn refuse_overtaken(shown: &Current, new: &Current) -> Result<(), PortError> {
    match (&new.fence, &shown.fence) {
        (Some(new), Some(old)) if new.is_before(old) => {}
        _ => return Ok(()),
    }
    let by = &shown.run_id;
    let what = format!("the month shows run {by}, which took it over from this run; it stays");
    Err(PortError::new(PortErrorKind::Denied, what)
        .hint("this run gave no sign of life for too long; see the other run's package"))
}
