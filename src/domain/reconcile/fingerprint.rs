//! What a signature is put to: the whole of what a run found, as one number.

use std::collections::BTreeMap;

use serde::Serialize;

use super::drift::Drift;
use super::result::Reconciliation;
use super::statement::{Change, Input, Since, Statement};
use super::zero::ZeroCheck;
use crate::domain::check::Acceptance;
use crate::domain::digest::sha256_hex;
use crate::domain::ids::RunId;
use crate::domain::run::{Program, Stamp};

/// What a fingerprint covers, in this order.
#[derive(Serialize)]
struct Covered<'a> {
    run_id: &'a RunId,
    stamps: &'a [Stamp],
    program: &'a Program,
    result: &'a Reconciliation,
    zero_checks: &'a [ZeroCheck],
    inputs: &'a [Input],
    accepted: &'a [Acceptance],
    #[serde(skip_serializing_if = "Option::is_none")]
    pins: Option<&'a BTreeMap<String, u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a Since>,
    changes: &'a [Change],
    #[serde(skip_serializing_if = "Option::is_none")]
    drift: Option<&'a Drift>,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside_sha256: Option<&'a str>,
}

impl Statement {
    /// SHA-256, in hex, of everything that the run found, and of everything that a report shows of it: what people said and
    /// signed afterwards, and whether the month is closed, does not change it.
    ///
    /// # Errors
    /// What cannot be written as JSON; no statement that was read back is.
    pub fn fingerprint(&self) -> Result<String, serde_json::Error> {
        let covered = Covered {
            run_id: &self.run_id,
            stamps: &self.stamps,
            program: &self.program,
            result: &self.result,
            zero_checks: &self.zero_checks,
            inputs: &self.inputs,
            accepted: &self.accepted,
            pins: Some(&self.pins).filter(|pins| !pins.is_empty()),
            since: self.since.as_ref(),
            changes: &self.changes,
            drift: self.drift.as_ref(),
            beside_sha256: self.beside_sha256.as_deref(),
        };
        Ok(sha256_hex(&serde_json::to_vec(&covered)?))
    }
}
