//! Everything that one item of one run leaves behind, as values: the source of the evidence package.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::check::CheckResult;
use crate::domain::contract::Contract;
use crate::domain::finding::Finding;
use crate::domain::ids::IpeId;
use crate::domain::ipe::Ipe;
use crate::domain::keys::KeyAudit;
use crate::domain::losses::ColumnLosses;
use crate::domain::manifest::{LoadReceipt, Recomputed, Staged, Submitted};
use crate::domain::population::Population;
use crate::domain::quality::{QualityRules, QualitySeen};
use crate::domain::query::BoundQuery;
use crate::domain::run::{ItemStatus, RunContext, RunState};
use crate::domain::totals::ControlTotals;
use crate::domain::uploaded::FileRecord;
use crate::domain::witness::WitnessAudit;
use crate::ports::{AccessEvidence, Consistency, Described};

use super::Tools;

/// What was executed on the source, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executed {
    /// What the statement is for: `rows`, `totals`.
    pub purpose: String,
    /// The text as executed and its bound values.
    pub query: BoundQuery,
}

/// Where the roots of this run are; no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Staging root URI.
    pub staging: String,
    /// Warehouse location.
    pub warehouse: String,
    /// Where secrets came from.
    pub secrets: String,
    /// Host name of the machine that ran.
    pub host: String,
    /// Kind and name of the account that Google was called with; `None` where nothing of Google was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Services of the cloud that were asked elsewhere than at their own places, as `name=URL`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// URI of the root that the leases lie in, where it is not the evidence root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leases: Option<String>,
}

/// The record of one item. What was not reached is `None`: it did not happen, it is never a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemRecord {
    /// The run.
    pub context: RunContext,
    /// The item.
    pub ipe: IpeId,
    /// What the item is.
    pub title: String,
    /// SHA-256 over the files that define the item, in hex.
    pub definition_sha256: String,
    /// Roots.
    pub places: Places,
    /// How far the closing has come.
    pub state: RunState,
    /// Outcome.
    pub status: ItemStatus,
    /// The error that ended it, without secrets and row values.
    pub error: Option<String>,
    /// Start of this item.
    pub started_at: DateTime<Utc>,
    /// End of this item, before sealing.
    pub ended_at: DateTime<Utc>,
    /// Who read.
    pub access: Option<AccessEvidence>,
    /// How rows and totals relate in time.
    pub consistency: Option<Consistency>,
    /// SQL file as the catalog has it; empty for an item that is read from a file.
    pub query_file: String,
    /// The file of an item that is read from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileRecord>,
    /// What was executed.
    pub executed: Vec<Executed>,
    /// The contract, which is also the name mapping.
    pub contract: Contract,
    /// What the source described.
    pub described: Option<Described>,
    /// Totals by separate SQL, before the rows (or in the same snapshot).
    pub source_totals: Option<ControlTotals>,
    /// Totals by separate SQL after the rows, only when bracketed.
    pub source_totals_after: Option<ControlTotals>,
    /// What was decoded and staged.
    pub staged: Option<Staged>,
    /// What the second path computed from the staged bytes.
    pub recomputed: Option<Recomputed>,
    /// Columns with nulls that the contract does not allow, one sentence each; `None` when not all rows passed.
    pub nulls: Option<Vec<String>>,
    /// The rules of the item's values.
    #[serde(default, skip_serializing_if = "QualityRules::is_empty")]
    pub quality_rules: QualityRules,
    /// What was counted for them; `None` without rules, or when not all rows passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<QualitySeen>,
    /// What the source said of the population; `None` where the catalog does not define one, or it was not reached.
    pub population: Option<Population>,
    /// Whether the catalog defines the population.
    pub population_defined: bool,
    /// What was found of the witnesses; `None` where the catalog does not define them, or they were not compared.
    pub witnesses: Option<WitnessAudit>,
    /// Whether the catalog defines witnesses.
    pub witnesses_defined: bool,
    /// Columns that do not carry every value as it was; empty when all do, `None` when not all rows passed.
    pub losses: Option<Vec<ColumnLosses>>,
    /// What the keys of the staged rows were found to be.
    pub keys: Option<KeyAudit>,
    /// Every check, also those that did not run.
    pub checks: Vec<CheckResult>,
    /// What is to be reported and held nothing.
    pub findings: Vec<Finding>,
    /// A load that was begun and whose end is not known; `None` before it, after its receipt, and when it is certain
    /// that nothing was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted: Option<Submitted>,
    /// What the warehouse said of the load.
    pub receipt: Option<LoadReceipt>,
    /// What was counted in the warehouse afterwards.
    pub read_back: Option<Recomputed>,
    /// Buckets of the digest in which the warehouse differs from the stream; `None` where it keeps only the whole.
    #[serde(default)]
    pub differing_buckets: Option<Vec<u16>>,
    /// Rows of the month by `_run_id`, as the warehouse then had them.
    pub read_back_runs: Option<BTreeMap<String, u64>>,
    /// Every way in which the table was then not that of the contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back_table: Option<Vec<String>>,
    /// Checks of the load and the read-back; empty when nothing was loaded.
    pub verification: Vec<CheckResult>,
}

impl ItemRecord {
    /// What is known of an item that begins: everything else is still to be found out.
    #[must_use]
    pub fn begun(tools: &Tools, context: &RunContext, ipe: &Ipe) -> Self {
        let now = tools.clock.now();
        Self {
            context: context.clone(),
            ipe: ipe.id.clone(),
            title: ipe.title.clone(),
            definition_sha256: ipe.definition_sha256.clone(),
            places: tools.places.clone(),
            state: RunState::Preliminary,
            status: ItemStatus::Error,
            error: None,
            started_at: now,
            ended_at: now,
            access: None,
            consistency: None,
            query_file: ipe.query.text.clone(),
            file: ipe.file.as_ref().map(FileRecord::begun),
            executed: Vec::new(),
            contract: ipe.contract.clone(),
            described: None,
            source_totals: None,
            source_totals_after: None,
            staged: None,
            recomputed: None,
            nulls: None,
            quality_rules: ipe.quality.clone(),
            quality: None,
            population: None,
            population_defined: ipe.population.is_some(),
            witnesses: None,
            witnesses_defined: ipe.witness.is_some() || ipe.file.is_some(),
            losses: None,
            keys: None,
            checks: Vec::new(),
            findings: Vec::new(),
            submitted: None,
            receipt: None,
            read_back: None,
            differing_buckets: None,
            read_back_runs: None,
            read_back_table: None,
            verification: Vec::new(),
        }
    }

    /// Notes where the secret that opened the source came from, more exactly than the run's places where that is known.
    pub(super) async fn opened_with(&mut self, tools: &Tools, secret: &str) {
        if let Some(origin) = tools.sources.origin_of(secret).await {
            self.places.secrets = origin;
        }
    }
}
