//! `soxauto reconcile`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::reconcile::{self, ReconcileSettings};
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::report::material::Material;
use crate::settings::{BigQueryPlace, WarehouseChoice};

use super::google_args::GoogleArgs;
use super::output;
use super::reconcile_text::{Shown, csv, table};
use super::report_args::ReportArgs;
use super::warehouse_args::WarehouseArgs;

const EXAMPLES: &str = "\
Examples:
  soxauto reconcile --period 2024-04                    from the newest sealed package of each item
  soxauto reconcile --period 2024-04 --from 20240501T090000Z-1a2b3c4d
  soxauto reconcile --period 2024-04 --company EC_NG --line L1
  soxauto reconcile --period 2024-04 --format csv > buckets.csv
  soxauto reconcile --period 2024-04 --format json | jq '.result.findings'
  soxauto reconcile --period 2024-04 --contract own.toml     a comparison of one's own
  soxauto reconcile --period 2024-04 --seal             and seal what it came to; verify it as any package
  soxauto reconcile --period 2024-04 --report april.html --language fr --workbook april.xlsx
  soxauto reconcile --period 2024-04 --tables april          every table as CSV, JSON and Parquet

Actual and target are in ledger sign; variance = actual - target = bridges + unexplained. --line and
--company choose what is printed: the result and the exit code are those of the whole month.

Exit codes: 0 every line is OK and there is nothing to report · 1 something is to be reported, also a
line that could not be concluded, or an input of which a check failed or did not run · 2 something
could not be found out";

/// How the result is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, in 100 columns
    Table,
    /// Everything, with its inputs
    Json,
    /// One line a bucket
    Csv,
}

/// Where sums are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// Here, over the staged parts
    Local,
    /// In BigQuery, over the loaded months of --warehouse
    Bigquery,
}

fn engine(engine: Engine, warehouse: WarehouseArgs) -> anyhow::Result<Option<BigQueryPlace>> {
    match (engine, WarehouseChoice::try_from(warehouse)?) {
        (Engine::Local, _) => Ok(None),
        (Engine::Bigquery, WarehouseChoice::BigQuery(place)) => Ok(Some(place)),
        (Engine::Bigquery, WarehouseChoice::Local(_)) => anyhow::bail!(
            "--engine bigquery needs a dataset\nhint: add --warehouse bigquery://PROJECT/DATASET?location=EU"
        ),
    }
}

/// Compare the ledger with the source systems, from sealed packages
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReconcileArgs {
    /// Month, as YYYY-MM
    #[arg(long, env = "SOXAUTO_PERIOD", value_name = "YYYY-MM")]
    period: Period,
    /// Run whose packages are used [default: the newest of each item]
    #[arg(long, env = "SOXAUTO_FROM", value_name = "RUN")]
    from: Option<RunId>,
    /// Print this line only; may be given several times
    #[arg(
        long = "line",
        env = "SOXAUTO_LINE",
        value_name = "LINE",
        value_delimiter = ','
    )]
    lines: Vec<String>,
    /// Print this company only; may be given several times
    #[arg(
        long = "company",
        env = "SOXAUTO_COMPANY",
        value_name = "CODE",
        value_delimiter = ','
    )]
    companies: Vec<String>,
    /// How the result is printed
    #[arg(long, env = "SOXAUTO_FORMAT", value_enum, default_value = "table")]
    format: Format,
    /// A reconciliation contract of one's own [default: the newest that is built in]
    #[arg(long, env = "SOXAUTO_CONTRACT", value_name = "FILE")]
    contract: Option<PathBuf>,
    /// Where the sums of the lines are computed
    #[arg(long, env = "SOXAUTO_ENGINE", value_enum, default_value = "local")]
    engine: Engine,
    #[command(flatten)]
    warehouse: WarehouseArgs,
    /// Seal the judgement beside the packages, with the rules that it was made by
    #[arg(long, env = "SOXAUTO_SEAL")]
    seal: bool,
    /// Where evidence packages are sealed
    #[arg(
        long,
        env = "SOXAUTO_EVIDENCE",
        default_value = "out/evidence",
        value_name = "URL"
    )]
    evidence: String,
    /// Where the parts are now [default: where their packages say]
    #[arg(long, env = "SOXAUTO_STAGING", value_name = "URL")]
    staging: Option<String>,
    #[command(flatten)]
    report: ReportArgs,
    #[command(flatten)]
    google: GoogleArgs,
}

/// Reconciles a month and prints it.
pub(super) async fn reconcile(args: ReconcileArgs) -> anyhow::Result<u8> {
    let settings = ReconcileSettings {
        period: args.period,
        run: args.from,
        evidence: args.evidence,
        staging: args.staging,
        contract: args.contract,
        seal: args.seal,
        engine: engine(args.engine, args.warehouse)?,
        google: args.google.into(),
    };
    let judged = reconcile::run(&settings).await?;
    let reconciled = &judged.judgement.reconciled;
    let result = &reconciled.result;
    for asked in &args.lines {
        if !result.lines.iter().any(|line| line.id == *asked) {
            let known: Vec<&str> = result.lines.iter().map(|line| line.id.as_str()).collect();
            anyhow::bail!("--line {asked}: the contract has {}", known.join(", "));
        }
    }
    let statement = judged.statement()?;
    if args.report.is_asked() {
        let judgement = &judged.judgement;
        let (matches, months) = (judgement.matches(), judgement.months());
        args.report.write(Material {
            statement: &statement,
            matches: &matches,
            months: &months,
            explained: judgement.explained(),
        })?;
    }
    let shown = Shown {
        lines: args.lines,
        companies: args.companies,
    };
    let text = match args.format {
        Format::Table => table(reconciled, &statement, &shown),
        Format::Json => serde_json::to_string_pretty(reconciled)?,
        Format::Csv => csv(result, &shown)?,
    };
    output::print(text.trim_end())?;
    if let Some(package) = &judged.package {
        output::tell(&format!(
            "sealed {}\nmanifest SHA-256 {}",
            package.uri, package.manifest_sha256
        ));
    }
    Ok(statement.exit_code())
}
