//! The evidence package of one item of one run: a BagIt bag of small files, sealed once, verified at any time.
//!
//! ```text
//! <ipe>/period=YYYY-MM/run=<run_id>/
//!   bagit.txt  bag-info.txt  manifest-sha256.txt (written last)
//!   data/record.json                 everything; the other files are views of it
//!   data/{context,access,schema,totals,digest,losses,checks,findings,witnesses,verification,parameters,parts,
//!         receipt}.json
//!   data/{query,executed}.sql  data/parts.sha256  data/summary.md  data/log.jsonl
//! ```
//! `record.json` is the one source of truth. Every other file but the log is a pure function of it ([`views`]); the
//! verifier makes them again and compares the bytes. Rows are not in the bag: `parts.json` names them by hash.
//!
//! May use `domain`, `kernels`, `ports` and the staging module; never overwrites, never deletes.

pub mod archive;
pub mod last_word;
mod outcome;
pub mod outline;
pub mod read;
pub mod reserve;
pub mod summary;
mod uploaded;
pub mod verify;
pub mod views;
mod witnesses;
pub mod write;

pub use last_word::{bury, is_sealed, seal_or_say};
pub use reserve::Reserve;
pub use verify::{Finding, Outcome, VerifyReport, VerifyRequest, verify_package};
pub use write::{SealedPackage, seal};

/// The manifest: every file under `data/` with its hash; its presence means that the package is whole.
pub const MANIFEST: &str = "manifest-sha256.txt";

/// The declaration that this is a bag.
pub const BAGIT: &str = "bagit.txt";

/// The description of the bag.
pub const BAG_INFO: &str = "bag-info.txt";

/// The record of the item, from which the other files are made.
pub const RECORD: &str = "data/record.json";

/// The log of the item, one JSON object a line.
pub const LOG: &str = "data/log.jsonl";

/// Content of [`BAGIT`].
///
/// # Source
/// RFC 8493, section 2.1.1.
pub const BAGIT_TEXT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// How the folder of a package ends that was sealed in the name of a dead run.
pub const ABANDONED: &str = ".abandoned";

/// Name of the control in people's files.
pub const CONTROL: &str = "PG-01";
