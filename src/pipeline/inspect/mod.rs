//! Looking into staged and loaded Parquet: schema, rows, profile, totals, provenance.
//!
//! What a footer says is taken from the footers. Rows are read only as far as a question needs them, and
//! [`Reading`] says how many they were. Reads only. Run it on a blocking thread: it decodes where it is called.

mod columns;
pub mod find;
mod open;
mod questions;
mod runs;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::contract::Contract;
use crate::domain::ids::IpeId;
use crate::kernels::profile::{Bin, GroupLine};
use crate::kernels::sketch::Distinct;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

use columns::Columns;
use open::{Parts, RowAt};

pub use find::{PartAt, Subject};

/// Rows up to which everything is read by default: well below a second.
pub const ALL_ROWS_MAX: u64 = 20_000;

/// Row groups from which distinct values are counted by default in a larger table. Neighbours are alike: many groups and
/// few rows of each say more than a few whole groups.
pub const SAMPLE_GROUPS: usize = 16;

/// Rows of each of these row groups.
pub const SAMPLE_ROWS: u64 = 2_048;

/// Bins of a histogram, about.
const BINS: u32 = 20;

/// What stands for the value of a column that is marked personal.
pub const MASK: &str = "(masked)";

/// What is asked.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// Rows of the head and of the sample.
    pub rows: usize,
    /// Seed of the sample: the same seed and files give the same rows.
    pub seed: u64,
    /// Whether all rows are read for the profile, whatever their number.
    pub full: bool,
    /// Whether the content digest is computed again.
    pub digest: bool,
    /// Whether values marked personal are shown.
    pub show_personal: bool,
    /// Column of the histogram.
    pub histogram: Option<String>,
    /// Column by which totals are given.
    pub totals_by: Option<String>,
}

/// Where else there may be knowledge about the rows.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    /// Evidence root, for the records of runs.
    pub evidence: Option<&'a StoreRoot>,
    /// The contract that the catalog has for an item.
    pub contract: &'a (dyn Fn(&IpeId) -> Option<Contract> + Send + Sync),
    /// Rows that the second path may hold as text at once.
    pub recheck_rows_max: usize,
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// What was looked at.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Files.
    pub files: usize,
    /// Row groups.
    pub row_groups: usize,
    /// Bytes of the files.
    pub bytes: u64,
    /// How much was read for the profile.
    pub reading: Reading,
    /// Runs that wrote the rows; empty for a file of another program.
    pub runs: Vec<RunView>,
    /// Content digest.
    pub digest: DigestView,
    /// What a reader should know beside the numbers.
    pub notes: Vec<String>,
    /// Columns in order.
    pub columns: Vec<ColumnView>,
    /// First rows.
    pub head: Vec<RowView>,
    /// Random rows.
    pub sample: Vec<RowView>,
    /// Histogram, if it was asked for.
    pub histogram: Option<HistogramView>,
    /// Totals by a column, if they were asked for.
    pub totals_by: Option<TotalsView>,
}

/// How much was read for the profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Rows read.
    pub rows: u64,
    /// Whether these were all rows.
    pub all: bool,
    /// Seed of the sample.
    pub seed: u64,
}

/// A run that wrote some of the rows, by the footers and, where it was found, by its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// Run.
    pub run_id: String,
    /// Item.
    pub item: String,
    /// Month.
    pub period: String,
    /// Version of the contract.
    pub contract_version: String,
    /// SHA-256 of the definition.
    pub definition_sha256: String,
    /// Rows here.
    pub rows: u64,
    /// Outcome, from the record.
    pub status: Option<String>,
    /// Why it is no control evidence, from the record.
    pub not_control_evidence: Vec<String>,
    /// Evidence package that was found.
    pub evidence: Option<String>,
}

/// Content digest of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct DigestView {
    /// As it was computed when the rows were staged.
    pub recorded: Option<String>,
    /// As it was computed now.
    pub recomputed: Option<String>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnView {
    /// Canonical name.
    pub name: String,
    /// Name in the source.
    pub source: Option<String>,
    /// Type in the source.
    pub sql_type: Option<String>,
    /// Physical and logical Parquet type.
    pub parquet: String,
    /// Whether the values are masked unless asked for.
    pub personal: bool,
    /// Whether it is summed in the control totals.
    pub amount: bool,
    /// Nulls in all rows; `None` where no footer counts them.
    pub nulls: Option<u64>,
    /// Distinct values in the rows that were read.
    pub distinct: Option<Distinct>,
    /// Least value of all rows.
    pub min: Option<String>,
    /// Greatest value of all rows.
    pub max: Option<String>,
    /// Whether both are values of rows; otherwise a footer has them cut, and they only bound the values.
    pub bounds_exact: bool,
    /// Exact sum of all rows of an amount.
    pub sum: Option<String>,
    /// Where the sum comes from: `rows` or `record`.
    pub sum_from: Option<&'static str>,
}

/// One row, its cells in the order of the columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowView {
    /// Position among all rows, from 0.
    pub row: u64,
    /// Texts; `None` for null.
    pub cells: Vec<Option<String>>,
}

/// Rows by ranges of a column, over all rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistogramView {
    /// Column.
    pub column: String,
    /// Rows without a value.
    pub nulls: u64,
    /// Ranges in order.
    pub bins: Vec<Bin>,
}

/// Rows and sums by the values of a column, over all rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TotalsView {
    /// Column.
    pub column: String,
    /// Names of the sums.
    pub amounts: Vec<String>,
    /// One line a value.
    pub groups: Vec<GroupLine>,
}

/// Looks into a subject.
///
/// # Errors
/// `Corrupt` for what is no Parquet file or parts that do not fit together; `Query` for a column that cannot answer
/// the question; `Config` when the digest needs a contract that is not known.
pub async fn inspect(
    subject: Subject,
    look: &Look,
    knowledge: Knowledge<'_>,
) -> Result<Inspection, PortError> {
    let parts = Parts::open(&subject.parts).await?;
    let runs = runs::find(&parts, subject.record.as_ref(), knowledge).await?;
    let of_runs = runs.iter().flat_map(|run| &run.contracts);
    let contracts: Vec<&Contract> = subject.contract.iter().chain(of_runs).collect();
    let columns = Columns::new(&parts, &contracts, look.show_personal);
    let mut notes = runs::notes(&runs);
    notes.extend(columns.note());
    let (views, reading) = columns.profile(&parts, look, &runs).await?;
    let rows = parts.rows();
    let wanted = u64::try_from(look.rows).unwrap_or(u64::MAX);
    let head: Vec<u64> = (0..rows.min(wanted)).collect();
    let sample = find::random_rows(rows, look.rows, look.seed);
    let masked = |found: Vec<RowAt>| found.into_iter().map(|at| columns.row(at)).collect();
    Ok(Inspection {
        head: masked(parts.rows_at(&head).await?),
        sample: masked(parts.rows_at(&sample).await?),
        histogram: match &look.histogram {
            Some(column) => Some(questions::histogram(&parts, &columns, column, BINS).await?),
            None => None,
        },
        totals_by: match &look.totals_by {
            Some(column) => Some(questions::totals_by(&parts, &columns, column).await?),
            None => None,
        },
        digest: DigestView {
            recorded: runs::digest(&runs).map(|digest| digest.to_string()),
            recomputed: match look.digest {
                true => Some(questions::digest(&parts, contracts.first(), knowledge).await?),
                false => None,
            },
        },
        name: subject.name,
        rows,
        files: parts.files(),
        row_groups: parts.row_groups(),
        bytes: parts.bytes(),
        reading,
        runs: runs.into_iter().map(|run| run.view).collect(),
        notes,
        columns: views,
    })
}

/// Key-values of a footer, by key.
type KeyValues = BTreeMap<String, String>;

fn refuse(what: String, hint: &str) -> PortError {
    PortError::new(PortErrorKind::Query, what).hint(hint)
}
