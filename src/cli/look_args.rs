//! Arguments of the commands that look: `inspect` and `sql`; the doc comments are the help text.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::domain::period::Period;
use crate::settings::{Roots, WarehouseChoice};

use super::google_args::GoogleArgs;

const INSPECT_EXAMPLES: &str = "\
Examples:
  soxauto inspect 'pg01_validated_ipe_ipe_07$202404'      a month; quotes keep the $ from the shell
  soxauto inspect IPE_07@20240501T090000Z-1a2b3c4d        what a run staged
  soxauto inspect out/evidence/IPE_07/period=2024-04/run=20240501T090000Z-1a2b3c4d
  soxauto inspect part-00000.parquet --histogram rem_amt_lcy
  soxauto inspect pg01_validated_ipe_ipe_07 --totals-by id_company --json | jq .totals_by

Up to 20000 rows are read whole. Of a larger table the footers give nulls, min and max of all rows,
the record of the run gives the sums, and distinct values are counted in 2048 rows of each of 16
random row groups; the output says so. An approximate count is marked with ≈.";

/// Show what a staged file, a run or a table holds: columns, rows, figures, origin
#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(super) struct InspectArgs {
    /// Parquet file, folder of parts, evidence package, run, ITEM@RUN, table or table$YYYYMM
    #[arg(value_name = "WHAT")]
    pub(super) target: String,
    /// Month of a table that is named without one [default: all its months]
    #[arg(long, env = "SOXAUTO_PERIOD", value_name = "YYYY-MM")]
    pub(super) period: Option<Period>,
    /// Rows to show from the beginning, and as many random ones
    #[arg(long, env = "SOXAUTO_ROWS", default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(super) rows: u16,
    /// Seed of everything random: the same seed and files give the same output
    #[arg(long, env = "SOXAUTO_SEED", default_value_t = 1, value_name = "N")]
    pub(super) seed: u64,
    /// Read every row for the figures, whatever their number
    #[arg(long, env = "SOXAUTO_FULL")]
    pub(super) full: bool,
    /// Compute the content digest again from the rows; exit code 1 if it is not the recorded one
    #[arg(long, env = "SOXAUTO_DIGEST")]
    pub(super) digest: bool,
    /// Show the values of columns that are marked personal
    #[arg(long, env = "SOXAUTO_SHOW_PERSONAL")]
    pub(super) show_personal: bool,
    /// Draw the rows by ranges of a column of numbers, dates or times; reads all its values
    #[arg(long, env = "SOXAUTO_HISTOGRAM", value_name = "COLUMN")]
    pub(super) histogram: Option<String>,
    /// Give rows and exact sums of the amounts by the values of a column; reads all their values
    #[arg(long, env = "SOXAUTO_TOTALS_BY", value_name = "COLUMN")]
    pub(super) totals_by: Option<String>,
    /// Folder that replaces the catalog in the binary, which says what is personal where no record does
    #[arg(long, env = "SOXAUTO_CATALOG", value_name = "DIR")]
    pub(super) catalog: Option<PathBuf>,
    #[command(flatten)]
    pub(super) roots: RootArgs,
    /// Print the result as JSON on stdout, every value whole
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

/// Where things are.
#[derive(Debug, Args)]
pub(super) struct RootArgs {
    /// Where Parquet parts are staged
    #[arg(
        long,
        env = "SOXAUTO_STAGING",
        default_value = "out/staging",
        value_name = "URL"
    )]
    staging: String,
    /// Where months are loaded
    #[arg(
        long,
        env = "SOXAUTO_WAREHOUSE",
        default_value = "out/warehouse",
        value_name = "URL",
        value_parser = folder
    )]
    warehouse: String,
    /// Where evidence packages are sealed
    #[arg(
        long,
        env = "SOXAUTO_EVIDENCE",
        default_value = "out/evidence",
        value_name = "URL"
    )]
    evidence: String,
    #[command(flatten)]
    google: GoogleArgs,
}

/// What is loaded in BigQuery is asked there: nothing here reads it but the run that loaded it.
fn folder(text: &str) -> Result<String, String> {
    match text.parse::<WarehouseChoice>()? {
        WarehouseChoice::Local(folder) => Ok(folder),
        WarehouseChoice::BigQuery(place) => Err(format!(
            "this command looks into folders; ask BigQuery itself: bq query --project_id={} --location={} \
             --use_legacy_sql=false 'SELECT …'",
            place.project, place.location
        )),
    }
}

impl From<RootArgs> for Roots {
    fn from(args: RootArgs) -> Self {
        let RootArgs {
            staging,
            warehouse,
            evidence,
            google,
        } = args;
        Self {
            staging,
            warehouse,
            evidence,
            google: google.into(),
        }
    }
}

/// Forms of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Table,
    Csv,
    Json,
    Parquet,
}

const SQL_EXAMPLES: &str = "\
Names:
  pg01_validated_ipe_ipe_07              a table: the months that are loaded now
  pg01_validated_ipe_ipe_07$202404       one month of it
  \"IPE_07@20240501T090000Z-1a2b3c4d\"     what a run staged, loaded or not; in double quotes

Forms:
  table    columns for people, at most 1000 rows
  csv      RFC 4180; null is nothing, the empty text is \"\"
  json     one array, an object a line; decimals are texts, so that no reader rounds them
  parquet  one file with the types of the answer

Examples:
  soxauto sql 'SELECT currency, SUM(rem_amt_lcy) FROM pg01_validated_ipe_ipe_07 GROUP BY currency'
  soxauto sql 'SELECT * FROM pg01_validated_ipe_cr_04$202404' --format csv | head
  soxauto sql 'SELECT * FROM \"CR_04@20240501T090000Z-1a2b3c4d\"' --format parquet --output x.parquet
  soxauto sql - --format json < question.sql | jq '.[0]'

Decimals stay exact, and 12.50 in a query is one; 12.5e0 is a float. A quotient is rounded to the
scale of its column. AVG gives floats; a note on stderr names the columns that are. Values that are
marked personal are shown: a query says what it wants to see. Nothing is written but the answer.";

/// Answer a SQL query over loaded months and staged runs
#[derive(Debug, Args)]
#[command(after_help = SQL_EXAMPLES)]
pub(super) struct SqlArgs {
    /// One query in Polars SQL; - reads it from stdin
    #[arg(value_name = "QUERY", allow_hyphen_values = true)]
    pub(super) query: String,
    /// Form of the answer
    #[arg(long, env = "SOXAUTO_FORMAT", default_value = "table", value_enum)]
    pub(super) format: Format,
    /// File for the answer; it must not be there yet [default: stdout]
    #[arg(long, env = "SOXAUTO_OUTPUT", value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) roots: RootArgs,
}
