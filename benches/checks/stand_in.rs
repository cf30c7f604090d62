//! The stand-in in a process of its own, which ends with the bench or by itself.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A running `soxauto sandbox --replay`.
pub(crate) struct StandIn {
    process: Child,
    pub(crate) connection_string: String,
}

impl StandIn {
    /// Starts it and waits until it listens.
    pub(crate) fn start(rows: u64) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_soxauto"))
            .args(["sandbox", "--replay", "--port", "0", "--seconds", "3600"])
            .args(["--rows", &rows.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let said = process.stdout.take().unwrap();
        BufReader::new(said).read_line(&mut first).unwrap();
        assert!(first.starts_with("DRIVER="), "the stand-in did not start");
        Self {
            process,
            connection_string: first.trim().to_owned(),
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
