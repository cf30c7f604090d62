//! What runs where: the program with its hash, and the name of the machine. Both go into every package.

use std::fs::File;
use std::io::Read;

use sha2::{Digest as _, Sha256};

use crate::domain::digest::hex;
use crate::domain::run::Program;

/// The program that runs, with the SHA-256 of its binary.
pub(super) fn program() -> Result<Program, std::io::Error> {
    let mut file = File::open(std::env::current_exe()?)?;
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        sha256.update(bytes);
    }
    Ok(Program {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: env!("SOXAUTO_COMMIT").to_owned(),
        dirty: env!("SOXAUTO_DIRTY") == "true",
        binary_sha256: hex(&sha256.finalize()),
    })
}

/// The name of the machine, or `unknown`.
pub(super) fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}
