//! The registry: a row for every sealed package of a month, of an item's run or of a judgement.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Kind::{Flag, Moment, Text, Whole};
use super::{Field, MonthTable, joined, maybe, moment, table, text, whole};
use crate::domain::amount::Amount;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::run::{Program, Stamp};
use crate::ports::Cell;

/// Name of the table.
pub const RUNS: &str = "soxauto_runs";

/// What stands in the place of the item where the package is the judgement of a month; no item has such a name.
pub const JUDGEMENT: &str = "reconciliation";

/// What the month's log says of a package; later ones hold over earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The month was never closed with it.
    Preliminary,
    /// The month was once closed with it, under this number, and is no more.
    Superseded(u32),
    /// The month is closed with it, under this number.
    Final(u32),
}

impl Standing {
    fn word(self) -> &'static str {
        match self {
            Self::Preliminary => "PRELIMINARY",
            Self::Superseded(_) => "SUPERSEDED",
            Self::Final(_) => "FINAL",
        }
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::Preliminary => None,
            Self::Superseded(number) | Self::Final(number) => Some(u64::from(number)),
        }
    }
}

/// A sealed package in a row. What is `None` is not known, or there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The item, or [`JUDGEMENT`].
    pub item: String,
    /// Its run.
    pub run_id: RunId,
    /// The month.
    pub period: Period,
    /// What came of it: the word of an item's run, or the control's.
    pub status: Option<&'static str>,
    /// What the month's log says of it.
    pub standing: Option<Standing>,
    /// Whether it is the newest of the item and month.
    pub is_newest: bool,
    /// Start.
    pub started_at: Option<DateTime<Utc>>,
    /// End; of a judgement when it was made.
    pub ended_at: Option<DateTime<Utc>>,
    /// Rows staged.
    pub rows: Option<u64>,
    /// Sums of its amounts over all companies, by column, as the source signs them.
    pub totals: Option<BTreeMap<String, Amount>>,
    /// SHA-256 that names the content: of the digest of an item's rows, or of all that a judgement found.
    pub fingerprint: Option<String>,
    /// SHA-256 of the package's manifest, in hex.
    pub manifest_sha256: Option<String>,
    /// SHA-256 over the files that define the item, or of the reconciliation contract, in hex.
    pub definition_sha256: Option<String>,
    /// Table and month that it was loaded into.
    pub destination_table: Option<String>,
    /// The program that ran.
    pub program: Option<Program>,
    /// Why it is no control evidence; none for a clean one.
    pub stamps: Option<Vec<Stamp>>,
    /// Where the package is.
    pub package_uri: String,
    /// What went wrong, or why the package could not be read.
    pub problem: Option<String>,
}

impl RunRow {
    /// A package of which no more is known than where it lies, and why.
    #[must_use]
    pub fn unread(
        item: impl Into<String>,
        (run_id, period): (RunId, Period),
        package_uri: String,
        problem: String,
    ) -> Self {
        Self {
            item: item.into(),
            run_id,
            period,
            status: None,
            standing: None,
            is_newest: false,
            started_at: None,
            ended_at: None,
            rows: None,
            totals: None,
            fingerprint: None,
            manifest_sha256: None,
            definition_sha256: None,
            destination_table: None,
            program: None,
            stamps: None,
            package_uri,
            problem: Some(problem),
        }
    }
}

type Of = Field<RunRow>;

/// The registry of a month.
#[must_use]
pub fn runs(rows: &[RunRow]) -> MonthTable {
    let fields: Vec<Of> = outcome().into_iter().chain(origin()).collect();
    let key = ["item", "run_id", "package_uri"];
    table(RUNS, &fields, rows, (&key, "item"))
}

/// Which run it was and what came of it.
fn outcome() -> Vec<Of> {
    vec![
        Of::must(
            "item",
            Text,
            "Item of the catalog, or reconciliation",
            |row| text(&row.item),
        ),
        Of::must("run_id", Text, "Run that sealed the package", |row| {
            text(&row.run_id)
        }),
        Of::must("period", Text, "Month, as YYYY-MM", |row| text(row.period)),
        Of::may(
            "status",
            Text,
            "SUCCESS, FAILED, ERROR or ABANDONED; of a reconciliation NO_EXCEPTIONS, EXCEPTIONS or NOT_CONCLUDED",
            |row| maybe(row.status),
        ),
        Of::may(
            "state",
            Text,
            "PRELIMINARY, FINAL, or SUPERSEDED: the month was once closed with it and is no more",
            |row| maybe(row.standing.map(Standing::word)),
        ),
        Of::may(
            "final_number",
            Whole,
            "Number of the closing, from 1",
            |row| whole(row.standing.and_then(Standing::number)),
        ),
        Of::must(
            "is_newest",
            Flag,
            "Whether it is the newest package of the item and month",
            |row| Cell::Bool(row.is_newest),
        ),
        Of::may("started_at", Moment, "Start", |row| moment(row.started_at)),
        Of::may(
            "ended_at",
            Moment,
            "End; of a reconciliation when it was made",
            |row| moment(row.ended_at),
        ),
        Of::sum("row_count", Whole, "Rows staged", |row| whole(row.rows)),
        Of::may(
            "control_totals",
            Text,
            "Sums over all companies by column, as JSON with exact numbers as texts; currencies are mixed",
            |row| maybe(row.totals.as_ref().map(json)),
        ),
        Of::may(
            "problem",
            Text,
            "What went wrong, or why the package cannot be read",
            |row| maybe(row.problem.as_ref()),
        ),
    ]
}

/// What proves it and what it was made with.
fn origin() -> Vec<Of> {
    vec![
        Of::may(
            "fingerprint",
            Text,
            "SHA-256 of the content digest; of a reconciliation the fingerprint that people sign",
            |row| maybe(row.fingerprint.as_ref()),
        ),
        Of::may(
            "manifest_sha256",
            Text,
            "SHA-256 of the manifest: names the whole package",
            |row| maybe(row.manifest_sha256.as_ref()),
        ),
        Of::may(
            "definition_sha256",
            Text,
            "SHA-256 over the files of the catalog that define the item, or of the reconciliation contract",
            |row| maybe(row.definition_sha256.as_ref()),
        ),
        Of::may(
            "destination_table",
            Text,
            "Table and month that it was loaded into",
            |row| maybe(row.destination_table.as_ref()),
        ),
        Of::may("program_version", Text, "Version of soxauto", |row| {
            maybe(row.program.as_ref().map(|program| &program.version))
        }),
        Of::may(
            "program_commit",
            Text,
            "Commit that it was built from",
            |row| maybe(row.program.as_ref().map(|program| &program.commit)),
        ),
        Of::may(
            "is_dirty_build",
            Flag,
            "Whether it was built with changes that nobody committed",
            |row| flag(row.program.as_ref().map(|program| program.dirty)),
        ),
        Of::may("binary_sha256", Text, "SHA-256 of the binary", |row| {
            maybe(row.program.as_ref().map(|program| &program.binary_sha256))
        }),
        Of::may(
            "is_control_evidence",
            Flag,
            "Whether nothing speaks against it as control evidence",
            |row| flag(row.stamps.as_ref().map(Vec::is_empty)),
        ),
        Of::may(
            "not_control_evidence",
            Text,
            "What speaks against it",
            |row| reasons(row.stamps.as_deref().unwrap_or_default()),
        ),
        Of::must("package_uri", Text, "Where the package is", |row| {
            text(&row.package_uri)
        }),
    ]
}

fn flag(value: Option<bool>) -> Cell {
    value.map_or(Cell::Null, Cell::Bool)
}

/// Stamps in words; null without one.
pub(super) fn reasons(stamps: &[Stamp]) -> Cell {
    let reasons: Vec<&str> = stamps.iter().map(|stamp| stamp.reason()).collect();
    joined(&reasons)
}

/// Amounts by name as a JSON object; the same amounts give the same text.
pub(super) fn json(amounts: &BTreeMap<String, Amount>) -> String {
    // Names and exact numbers as texts can always be written.
    serde_json::to_string(amounts).unwrap_or_default()
}
