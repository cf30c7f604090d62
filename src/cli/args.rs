//! Arguments as people type them; the doc comments are the help text.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::domain::period::Period;
#[cfg(feature = "sandbox")]
use crate::domain::plant::PlantProfile;
use crate::telemetry::LogFormat;

use super::catalog::CatalogArgs;
use super::clean::CleanArgs;
use super::doctor::DoctorArgs;
use super::drive_args::UploadArgs;
use super::file_args::of_item;
use super::google_args::GoogleArgs;
use super::look_args::{InspectArgs, SqlArgs};
use super::months::{CloseArgs, DisposeArgs, HistoryArgs, ReopenArgs, SignArgs};
use super::reconcile::ReconcileArgs;
use super::serve_args::ServeArgs;
use super::work_args::WorkArgs;

/// Stream financial extracts out of SQL Server into checked, sealed evidence
///
/// Every month: ask the ledger for its control totals, stream its rows, checksum them twice on two code paths, stage
/// them as Parquet, replace the month in the warehouse, count again there, and seal an evidence package that anyone
/// can verify.
#[derive(Debug, Parser)]
#[command(name = "soxauto", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// Log filter for stderr: error, warn, info, debug or a tracing filter
    #[arg(
        long,
        global = true,
        env = "SOXAUTO_LOG",
        default_value = "warn",
        value_name = "FILTER"
    )]
    pub(super) log: String,
    /// How log lines are written: text, json as Cloud Logging reads it, or auto, which is json on Cloud Run
    #[arg(
        long,
        global = true,
        env = "SOXAUTO_LOG_FORMAT",
        default_value = "auto",
        display_order = 0,
        value_name = "FORMAT"
    )]
    pub(super) log_format: LogFormat,
    /// What to do
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 nothing to report · 1 a check found something · 2 something could not be found out (2 wins)";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Extract, check, stage, load and seal the items of a month
    Run(Box<RunArgs>),
    /// Run months on request over HTTP, as the service of the deployment guide
    Serve(Box<ServeArgs>),
    /// Look at everything that a run needs, and say what to grant or do
    Doctor(Box<DoctorArgs>),
    /// Recompute an evidence package from its files and report every inconsistency
    Verify(VerifyArgs),
    /// List, show, check and begin items; plan what a run would meet
    Catalog(CatalogArgs),
    /// Show what a staged file, a run or a table holds: columns, rows, figures, origin
    Inspect(Box<InspectArgs>),
    /// Answer a SQL query over loaded months and staged runs
    Sql(SqlArgs),
    /// Compare the ledger with the source systems, from sealed packages
    Reconcile(Box<ReconcileArgs>),
    /// Say what becomes of an exception; another amount needs another word
    Dispose(DisposeArgs),
    /// Sign a sealed reconciliation; records are appended, never edited
    Sign(SignArgs),
    /// Close a month with a sealed reconciliation: no run loads it any more
    Close(CloseArgs),
    /// Open a closed month again; its final run stays readable
    Reopen(ReopenArgs),
    /// Show what happened to a month, and what keeps it from being closed
    History(HistoryArgs),
    /// List what interrupted runs left behind, and remove it with --remove
    Clean(CleanArgs),
    /// Deliver sealed packages to a folder of Google Drive
    Upload(UploadArgs),
    /// Serve the embedded SQL Server stand-in, and print how to connect to it
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  soxauto run --period 2024-04                          close April 2024 on the embedded stand-in
  soxauto run --cutoff-date 2024-05-01 --ipe IPE_07     the same month, one item, named by its cutoff
  soxauto run --secrets env --period 2024-04            a real server: DB_CREDENTIALS_NAV_BI holds the ODBC string
  soxauto run --secrets gcp:my-project                  the same from Secret Manager
  soxauto run --staging gs://b/staging --evidence gs://c/evidence    parts and packages in buckets
  soxauto run --catalog items --sandbox-data tables     your own items over your own tables
  soxauto run --period 2024-04 --sandbox-plant hold     a repeated entry, which holds its load
  soxauto run --witness IPE_07=sample.csv               the auditor's own sample of keys
  soxauto run --file JDASH=used.csv                     with the file of voucher usage that operations exported
  soxauto run --secrets file:secrets --json | jq .summary";

/// Extract, check, stage, load and seal the items of a month
#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(super) struct RunArgs {
    /// Month to close, YYYY-MM; without it and without a cutoff, the last month that has ended in Europe/Paris
    #[arg(
        long,
        env = "SOXAUTO_PERIOD",
        value_name = "YYYY-MM",
        conflicts_with = "cutoff_date"
    )]
    pub(super) period: Option<Period>,
    /// The same, said by its cutoff: the first day that is not included, a first of month
    #[arg(long, env = "SOXAUTO_CUTOFF_DATE", value_name = "YYYY-MM-DD", value_parser = Period::from_cutoff_text)]
    pub(super) cutoff_date: Option<Period>,
    /// Run a month that has not ended in Europe/Paris: its books are still open
    #[arg(long, env = "SOXAUTO_PRELIMINARY")]
    pub(super) preliminary: bool,
    /// Check whose finding somebody answers for, so that its item is loaded all the same; the exception stands on page one
    #[arg(
        long = "accept-check",
        env = "SOXAUTO_ACCEPT_CHECK",
        value_name = "CHECK",
        value_delimiter = ',',
        requires = "reason",
        requires = "approver"
    )]
    pub(super) accepted: Vec<String>,
    /// Why the checks of --accept-check are accepted
    #[arg(long, env = "SOXAUTO_REASON", value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Who answers for them
    #[arg(long, env = "SOXAUTO_APPROVER", value_name = "NAME")]
    pub(super) approver: Option<String>,
    /// CSV file with keys of an item, the key's columns in its first line: these rows too are read again at the source and
    /// compared with the staged ones, beside the five of each company that every run draws
    #[arg(
        long = "witness",
        env = "SOXAUTO_WITNESS",
        value_name = "ITEM=FILE",
        value_delimiter = ',',
        value_parser = witness
    )]
    pub(super) witnesses: Vec<(String, PathBuf)>,
    /// Item to run; repeat it or separate by commas [default: all items of the catalog]
    #[arg(
        long = "ipe",
        env = "SOXAUTO_IPE",
        value_name = "ITEM",
        value_delimiter = ','
    )]
    pub(super) items: Vec<String>,
    #[command(flatten)]
    pub(super) work: WorkArgs,
    /// Which task this is, from 0, where several share the items; Cloud Run says it to each task of a job
    #[arg(
        long,
        env = "CLOUD_RUN_TASK_INDEX",
        default_value_t = 0,
        value_name = "N"
    )]
    pub(super) task_index: usize,
    /// How many tasks share the items
    #[arg(
        long,
        env = "CLOUD_RUN_TASK_COUNT",
        default_value_t = 1,
        value_name = "N"
    )]
    pub(super) task_count: usize,
    /// Print the result as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

fn witness(text: &str) -> Result<(String, PathBuf), String> {
    let (item, file) = of_item(text, "ITEM=FILE, such as IPE_07=sample.csv")?;
    Ok((item, PathBuf::from(file)))
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  soxauto verify out/evidence/IPE_07/period=2024-04/run=20240501T090000Z-1a2b3c4d
  soxauto verify PACKAGE --staging copy/of/staging      when the parts were moved";

/// Recompute an evidence package from its files and report every inconsistency
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(super) struct VerifyArgs {
    /// Folder or URL of the package
    #[arg(value_name = "PACKAGE")]
    pub(super) package: String,
    /// Staging root that holds the parts, if not the one that the package names
    #[arg(long, env = "SOXAUTO_VERIFY_STAGING", value_name = "URL")]
    pub(super) staging: Option<String>,
    /// SHA-256 of the manifest as `run` printed it: proves that the manifest itself was not rewritten
    #[arg(long, env = "SOXAUTO_MANIFEST_SHA256", value_name = "HEX")]
    pub(super) manifest_sha256: Option<String>,
    #[command(flatten)]
    pub(super) google: GoogleArgs,
    /// Print the report as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

#[cfg(feature = "sandbox")]
const SANDBOX_EXAMPLES: &str = "\
Examples:
  soxauto sandbox --port 14330 --rows 1000000
  soxauto sandbox --data tables                         your own: tables/<database>/<schema>/<table>.csv
  soxauto sandbox --plant recon --answer-key key.json   differences to find, and where they are
  soxauto sandbox --writers 4 --no-snapshot             a busy ledger whose totals move while they are read
  soxauto sandbox --port 14330 > strings.txt &          the first line of the file begins with DRIVER=";

/// Serve the embedded SQL Server stand-in, and print how to connect to it
#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
#[command(after_help = SANDBOX_EXAMPLES)]
pub(super) struct SandboxArgs {
    /// TCP port on the loopback interface; 0 takes a free one
    #[arg(
        long,
        env = "SOXAUTO_SANDBOX_PORT",
        default_value_t = 14_330,
        value_name = "PORT"
    )]
    pub(super) port: u16,
    /// Open customer entries of the ledger [default: 20000, or no ledger with --data]
    #[arg(long, env = "SOXAUTO_SANDBOX_ROWS", value_name = "N")]
    pub(super) rows: Option<u64>,
    /// Folder of own tables, DIR/<database>/<schema>/<table>.csv or .parquet, typed by a <table>.toml beside each;
    /// served instead of the ledger, or beside it with --rows
    #[arg(long, env = "SOXAUTO_SANDBOX_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Seed of the ledger: the same seed and rows give the same ledger
    #[arg(
        long,
        env = "SOXAUTO_SANDBOX_SEED",
        default_value_t = 1,
        value_name = "N"
    )]
    pub(super) seed: u64,
    /// Writers, each of which commits a posting to the ledger every 20 ms, between and during statements
    #[arg(long, env = "SOXAUTO_SANDBOX_WRITERS", default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=64))]
    pub(super) writers: u16,
    /// Allow no SNAPSHOT: control totals are then taken before and after the rows
    #[arg(long, env = "SOXAUTO_SANDBOX_NO_SNAPSHOT")]
    pub(super) no_snapshot: bool,
    /// Send the rows of IPE_07 pre-encoded, a small ledger over and over: for measurements, not to reconcile
    #[arg(long, env = "SOXAUTO_SANDBOX_REPLAY", conflicts_with_all = ["data", "writers"])]
    pub(super) replay: bool,
    /// Plant no differences: every account of every company ties to zero [default]
    #[arg(long, env = "SOXAUTO_SANDBOX_CLEAN", conflicts_with = "plant")]
    pub(super) clean: bool,
    /// Plant the differences that the control must find in 2024-04: recon (all items load) or hold (checks fail)
    #[arg(
        long,
        env = "SOXAUTO_SANDBOX_PLANT",
        value_name = "PROFILE",
        conflicts_with = "replay"
    )]
    pub(super) plant: Option<PlantProfile>,
    /// File to write with what is planted: row keys, exact amounts, what the control must say, and what is not planted
    #[arg(
        long,
        env = "SOXAUTO_SANDBOX_ANSWER_KEY",
        value_name = "FILE",
        conflicts_with = "replay"
    )]
    pub(super) answer_key: Option<PathBuf>,
    /// Stop after so many seconds [default: until Ctrl-C]
    #[arg(long, env = "SOXAUTO_SANDBOX_SECONDS", value_name = "N")]
    pub(super) seconds: Option<u64>,
}
