//! A run: its context, fixed before the first row, and its outcome.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::check::Acceptance;
use super::ids::{IpeId, RunId};
use super::period::Period;

/// Value of the metadata column `_source_system`.
pub const SOURCE_SYSTEM: &str = "SOXauto_PG01";

/// What the embedded stand-in calls itself in the version that it tells: how a package shows that its rows are the stand-in's,
/// wherever the connection string came from.
pub const STAND_IN: &str = "stand-in of the sandbox";

/// What is known before the first row; adapters read no clock and make no id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunContext {
    /// Name of the run, the same for all its items.
    pub run_id: RunId,
    /// Period that is closed.
    pub period: Period,
    /// Start of the run.
    pub started_at: DateTime<Utc>,
    /// Why this run cannot serve as control evidence; empty for a clean run.
    pub stamps: Vec<Stamp>,
    /// Checks whose findings somebody answers for.
    pub accepted: Vec<Acceptance>,
    /// Program version and build.
    pub program: Program,
}

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Crate version.
    pub version: String,
    /// Git commit, `unknown` when built outside a checkout.
    pub commit: String,
    /// Whether the checkout had changes that were not committed.
    pub dirty: bool,
    /// SHA-256 of the running binary, in hex.
    pub binary_sha256: String,
}

/// Why a package says NOT CONTROL EVIDENCE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stamp {
    /// The binary was built from a checkout with changes, or from none.
    DirtyBuild,
    /// The catalog is not the one in the binary.
    CatalogOverride,
    /// The source is the embedded stand-in.
    SandboxSource,
    /// The connection string came from a file.
    FileSecrets,
    /// Anybody who reaches the service may start a run.
    UnauthenticatedService,
    /// A service of the cloud was asked at a place that is not its maker's.
    ReplacedEndpoint,
    /// The reconciliation contract is not the one in the binary.
    ContractOverride,
    /// None of the rules and thresholds are those in the binary.
    RulesOverride,
    /// Google was called with the login of a person.
    PersonalAccount,
}

impl Stamp {
    /// Whether the rules are not those in the binary: what is read, or how it is judged.
    #[must_use]
    pub fn is_own_rules(self) -> bool {
        matches!(
            self,
            Self::CatalogOverride | Self::ContractOverride | Self::RulesOverride
        )
    }

    /// The reason in words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::DirtyBuild => "the program was built from a checkout with uncommitted changes",
            Self::CatalogOverride => "the catalog was overridden with --catalog",
            Self::SandboxSource => "the source is the embedded sandbox",
            Self::FileSecrets => "secrets were read from files",
            Self::UnauthenticatedService => {
                "it was started through a service that asks nobody who they are (--allow-unauthenticated)"
            }
            Self::ReplacedEndpoint => {
                "a service of Google was asked at a place that is not Google's (--google-endpoint)"
            }
            Self::ContractOverride => "the reconciliation contract was overridden with --contract",
            Self::RulesOverride => "the rules and thresholds were overridden with --rules",
            Self::PersonalAccount => "Google was called with a person's own login",
        }
    }
}

/// The metadata columns that every staged row carries, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowMetadata {
    /// `_ipe_id`.
    pub ipe_id: IpeId,
    /// `_extraction_date`.
    pub extraction_date: DateTime<Utc>,
    /// `_cutoff_date`.
    pub cutoff_date: NaiveDate,
    /// `_processing_timestamp`.
    pub processing_timestamp: DateTime<Utc>,
    /// `_source_system`.
    pub source_system: String,
    /// `_run_id`.
    pub run_id: RunId,
    /// `_period`, first day of the closed month.
    pub period: NaiveDate,
}

impl RunContext {
    /// The metadata of one item's rows. Extraction date and processing timestamp are the run's start, so that the
    /// same rows and context give the same bytes.
    #[must_use]
    pub fn row_metadata(&self, ipe: &IpeId) -> RowMetadata {
        RowMetadata {
            ipe_id: ipe.clone(),
            extraction_date: self.started_at,
            cutoff_date: self.period.cutoff(),
            processing_timestamp: self.started_at,
            source_system: SOURCE_SYSTEM.to_owned(),
            run_id: self.run_id.clone(),
            period: self.period.start(),
        }
    }
}

/// Which process ran: enough to tell on the same machine that it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMark {
    /// Boot of the machine.
    pub boot: String,
    /// Namespace in which `pid` counts.
    pub namespace: String,
    /// Process id.
    pub pid: u32,
    /// Clock ticks from the boot to its start.
    pub started_ticks: u64,
}

/// The run that is at work on an item and month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its name.
    pub run_id: RunId,
    /// When it took the item and month.
    pub since: DateTime<Utc>,
    /// Host that it runs on.
    pub host: String,
    /// When it counts as dead if it shows no further sign of life.
    pub expires_at: DateTime<Utc>,
}

/// The place of a run in the line of those that held an item and month: a month that shows a run does not go back to
/// one that stood before it (ADR-0024).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The first run of the line; places in different lines say nothing of each other.
    pub line: RunId,
    /// The place, from 1.
    pub generation: u64,
}

impl Fence {
    /// Whether this place stands before another of the same line.
    #[must_use]
    pub fn is_before(&self, other: &Self) -> bool {
        self.line == other.line && self.generation < other.generation
    }
}

/// How far the closing of a period has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// The books may still change.
    Preliminary,
    /// Closed.
    Final,
}

/// Outcome of one item, with the guide's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ItemStatus {
    /// Finished and passed its checks.
    Success,
    /// A check held it.
    Failed,
    /// Could not find out.
    Error,
    /// Never ended: killed, or cut off from storage. Another run said so in its place.
    Abandoned,
}

/// Who closed a month, when and with which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalMark {
    /// Run whose load is the final one.
    pub run_id: RunId,
    /// When.
    pub at: DateTime<Utc>,
    /// Person or service.
    pub by: String,
}

/// Outcome of a run, with the guide's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverallStatus {
    /// Every item succeeded.
    #[serde(rename = "SUCCESS")]
    Success,
    /// Some items succeeded.
    #[serde(rename = "PARTIAL_SUCCESS")]
    PartialSuccess,
    /// No item succeeded.
    #[serde(rename = "FAILED")]
    Failed,
}

/// What the control says; the reviewer concludes. Later ones are worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ControlResult {
    /// Nothing to report.
    #[serde(rename = "NO_EXCEPTIONS")]
    NoExceptions,
    /// Something to report.
    #[serde(rename = "EXCEPTIONS")]
    Exceptions,
    /// Something could not be found out.
    #[serde(rename = "NOT_CONCLUDED")]
    NotConcluded,
}

impl ItemStatus {
    /// The word that the guide uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Abandoned => "ABANDONED",
        }
    }
}

impl OverallStatus {
    /// The word that the guide uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::PartialSuccess => "PARTIAL_SUCCESS",
            Self::Failed => "FAILED",
        }
    }

    /// The status of a run from those of its items.
    #[must_use]
    pub fn of(items: &[ItemStatus]) -> Self {
        let succeeded = items
            .iter()
            .filter(|status| **status == ItemStatus::Success)
            .count();
        if succeeded == 0 {
            Self::Failed
        } else if succeeded == items.len() {
            Self::Success
        } else {
            Self::PartialSuccess
        }
    }
}

impl ControlResult {
    /// The control's word from the items: an error leaves it open, a held item is an exception.
    #[must_use]
    pub fn of(items: &[ItemStatus]) -> Self {
        let is_open = |status| matches!(status, &ItemStatus::Error | &ItemStatus::Abandoned);
        if items.is_empty() || items.iter().any(is_open) {
            Self::NotConcluded
        } else if items.contains(&ItemStatus::Failed) {
            Self::Exceptions
        } else {
            Self::NoExceptions
        }
    }

    /// The word in results and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoExceptions => "NO_EXCEPTIONS",
            Self::Exceptions => "EXCEPTIONS",
            Self::NotConcluded => "NOT_CONCLUDED",
        }
    }

    /// Exit code: 0 nothing to report, 1 any finding, 2 something could not be found out.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::NoExceptions => 0,
            Self::Exceptions => 1,
            Self::NotConcluded => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ItemStatus::{Error, Failed, Success};

    #[test]
    fn status_and_exit_code_follow_the_items() {
        for (items, overall, code) in [
            (&[Success, Success][..], OverallStatus::Success, 0),
            (&[Success, Failed], OverallStatus::PartialSuccess, 1),
            (&[Success, Failed, Error], OverallStatus::PartialSuccess, 2),
            (&[Failed], OverallStatus::Failed, 1),
            (&[Error], OverallStatus::Failed, 2),
            (&[], OverallStatus::Failed, 2),
        ] {
            assert_eq!(OverallStatus::of(items), overall, "{items:?}");
            assert_eq!(ControlResult::of(items).exit_code(), code, "{items:?}");
        }
    }
}
