//! Arguments that say which server is read, the same for every command that reads one; the doc comments are the help text.

use std::path::PathBuf;

use clap::Args;

use crate::domain::plant::PlantProfile;
use crate::settings::{SecretsChoice, SourceSettings};

#[cfg(feature = "sandbox")]
const DEFAULT_SECRETS: &str = "sandbox";
#[cfg(not(feature = "sandbox"))]
const DEFAULT_SECRETS: &str = "env";

/// Which server.
#[derive(Debug, Args)]
pub(super) struct SourceArgs {
    /// Where connection strings come from: sandbox, env, file:DIR or gcp:PROJECT (Secret Manager; the latest versions, or
    /// pinned by gcp:PROJECT,NAME=VERSION)
    #[arg(long, env = "SOXAUTO_SECRETS", default_value = DEFAULT_SECRETS, value_name = "PLACE")]
    secrets: SecretsChoice,
    /// Open customer entries that the embedded stand-in holds [default: 20000, or no ledger with --sandbox-data]
    #[arg(long, env = "SOXAUTO_SANDBOX_ROWS", value_name = "N")]
    sandbox_rows: Option<u64>,
    /// Folder of own tables for the embedded stand-in: DIR/<database>/<schema>/<table>.csv or .parquet
    #[arg(long, env = "SOXAUTO_SANDBOX_DATA", value_name = "DIR")]
    sandbox_data: Option<PathBuf>,
    /// Differences planted in the ledger of the embedded stand-in: clean, recon (all items load) or hold (checks fail)
    #[arg(
        long,
        env = "SOXAUTO_SANDBOX_PLANT",
        default_value_t,
        value_name = "PROFILE"
    )]
    sandbox_plant: PlantProfile,
}

impl From<SourceArgs> for SourceSettings {
    fn from(args: SourceArgs) -> Self {
        let SourceArgs {
            secrets,
            sandbox_rows,
            sandbox_data,
            sandbox_plant,
        } = args;
        Self {
            secrets,
            sandbox_rows,
            sandbox_data,
            sandbox_plant,
        }
    }
}
