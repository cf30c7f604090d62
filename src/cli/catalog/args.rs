//! Arguments of `soxauto catalog`; the doc comments are the help text.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::google_args::GoogleArgs;
use crate::cli::source_args::SourceArgs;
use crate::domain::ids::IpeId;
use crate::domain::period::Period;

const EXAMPLES: &str = "\
Examples:
  soxauto catalog list
  soxauto catalog show IPE_07
  soxauto catalog lint --catalog data/catalog           every mistake with file, line, column and remedy
  soxauto catalog new IPE_08 --catalog data/catalog
  soxauto catalog plan IPE_07 --secrets env             what a run would meet, before it reads a row

Exit codes: 0 nothing to report · 1 findings · 2 something could not be found out";

/// List, show, check and begin items; plan what a run would meet
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct CatalogArgs {
    /// What to do
    #[command(subcommand)]
    pub(super) command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// List the items: title, databases, secret, columns, key, definition hash
    List(ListArgs),
    /// Show one item: contract, parameters, SQL and checks
    Show(ShowArgs),
    /// Check definitions as text, without a server, and report every mistake
    Lint(LintArgs),
    /// Begin a new item, from nothing or from a query that a server describes
    New(NewArgs),
    /// Describe an item against its server: mapping, losses and the plan's estimate, without running it
    Plan(PlanArgs),
}

/// Which catalog.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Folder that replaces the catalog in the binary
    #[arg(long, env = "SOXAUTO_CATALOG", value_name = "DIR")]
    pub(super) catalog: Option<PathBuf>,
}

/// Which server.
#[derive(Debug, Args)]
pub(super) struct Server {
    #[command(flatten)]
    pub(super) source: SourceArgs,
    #[command(flatten)]
    pub(super) google: GoogleArgs,
    /// Month whose dates are bound, YYYY-MM [default: the last month that has ended in Europe/Paris]
    #[arg(long, env = "SOXAUTO_PERIOD", value_name = "YYYY-MM")]
    pub(super) period: Option<Period>,
}

const LIST_EXAMPLES: &str = "\
Examples:
  soxauto catalog list
  soxauto catalog list --json | jq -r '.[].id'";

/// List the items: title, databases, secret, columns, key, definition hash
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub(super) place: Place,
    /// Print the list as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

const SHOW_EXAMPLES: &str = "\
Examples:
  soxauto catalog show CR_04
  soxauto catalog show CR_04 --json | jq .contract.columns";

/// Show one item: contract, parameters, SQL and checks
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(super) struct ShowArgs {
    /// Item
    #[arg(value_name = "ITEM")]
    pub(super) item: String,
    #[command(flatten)]
    pub(super) place: Place,
    /// Print the item as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

const LINT_EXAMPLES: &str = "\
Examples:
  soxauto catalog lint                                  the items in the binary
  soxauto catalog lint --catalog data/catalog IPE_07    one item of a folder
  soxauto catalog lint --catalog data/catalog --json | jq '.[].rule'

`soxauto run` refuses an item with a finding before it connects.
Exit codes: 0 no finding · 1 findings · 2 a file cannot be read";

/// Check definitions as text, without a server, and report every mistake
#[derive(Debug, Args)]
#[command(after_help = LINT_EXAMPLES)]
pub(super) struct LintArgs {
    /// Items [default: all items of the catalog]
    #[arg(value_name = "ITEM")]
    pub(super) items: Vec<String>,
    #[command(flatten)]
    pub(super) place: Place,
    /// Print the findings as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}

const NEW_EXAMPLES: &str = "\
Examples:
  soxauto catalog new IPE_08 --catalog data/catalog
  soxauto catalog new IPE_08 --catalog data/catalog --from-query vouchers.sql --key id_company,id --secrets env

Nothing is overwritten: a folder of that name is refused. What is written has no finding.";

/// Begin a new item, from nothing or from a query that a server describes
#[derive(Debug, Args)]
#[command(after_help = NEW_EXAMPLES)]
pub(super) struct NewArgs {
    /// Name of the item and its folder, such as IPE_08
    #[arg(value_name = "ITEM")]
    pub(super) item: IpeId,
    /// Folder of the catalog in which the item's folder is made
    #[arg(long, env = "SOXAUTO_CATALOG", value_name = "DIR")]
    pub(super) catalog: PathBuf,
    /// What the item is, in one line [default: the item's name]
    #[arg(long, env = "SOXAUTO_TITLE", value_name = "TEXT")]
    pub(super) title: Option<String>,
    /// Name of the secret that holds the connection string
    #[arg(
        long,
        env = "SOXAUTO_SECRET",
        default_value = "DB_CREDENTIALS_NAV_BI",
        value_name = "NAME"
    )]
    pub(super) secret: String,
    /// SQL file whose columns the server describes; without it, a skeleton over a table of the general ledger
    #[arg(
        long,
        env = "SOXAUTO_FROM_QUERY",
        value_name = "FILE",
        requires = "key"
    )]
    pub(super) from_query: Option<PathBuf>,
    /// With --from-query: canonical names of the true key, which no server can know; separate by commas
    #[arg(
        long,
        env = "SOXAUTO_KEY",
        value_name = "COLUMN",
        value_delimiter = ',',
        requires = "from_query"
    )]
    pub(super) key: Vec<String>,
    /// With --from-query: canonical name of the column by which totals are grouped
    #[arg(
        long,
        env = "SOXAUTO_COMPANY",
        default_value = "id_company",
        value_name = "COLUMN"
    )]
    pub(super) company: String,
    #[command(flatten)]
    pub(super) server: Server,
}

const PLAN_EXAMPLES: &str = "\
Examples:
  soxauto catalog plan IPE_07                           against the embedded stand-in
  soxauto catalog plan IPE_07 --period 2024-04 --secrets env
  soxauto catalog plan IPE_07 --sandbox-plant recon     against the stand-in with planted differences
  soxauto catalog plan IPE_07 --json | jq '.columns[] | select(.loss)'

The estimate needs SHOWPLAN in the databases; without it the rest is shown all the same.
Exit codes: 0 a run would go ahead · 1 the description differs from the contract · 2 could not be found out";

/// Describe an item against its server: mapping, losses and the plan's estimate, without running it
#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub(super) struct PlanArgs {
    /// Item
    #[arg(value_name = "ITEM")]
    pub(super) item: String,
    #[command(flatten)]
    pub(super) place: Place,
    #[command(flatten)]
    pub(super) server: Server,
    /// Print the plan as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    pub(super) json: bool,
}
