//! Arguments that say where a run reads and writes, the same for every command that runs; the doc comments are the help
//! text.

use std::path::PathBuf;

use clap::Args;

use crate::domain::limits::Limits;
use crate::settings::RunSettings;

use super::drive_args::DriveArgs;
use super::file_args::FileArgs;
use super::google_args::{DiskArgs, GoogleArgs};
use super::source_args::SourceArgs;
use super::warehouse_args::WarehouseArgs;

/// Where a run reads and writes.
#[derive(Debug, Args)]
pub(super) struct WorkArgs {
    /// Items that run at once
    #[arg(long, env = "SOXAUTO_JOBS", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16))]
    jobs: u16,
    /// Where Parquet parts are staged: a folder, file:///folder, gs://bucket/prefix or memory://
    #[arg(
        long,
        env = "SOXAUTO_STAGING",
        default_value = "out/staging",
        value_name = "URL"
    )]
    staging: String,
    #[command(flatten)]
    warehouse: WarehouseArgs,
    /// Where evidence packages are sealed: a folder, file:///folder or gs://bucket/prefix
    #[arg(
        long,
        env = "SOXAUTO_EVIDENCE",
        default_value = "out/evidence",
        value_name = "URL"
    )]
    evidence: String,
    /// Where the leases of runs at work lie, for every run of this evidence root; a bucket without retention, where
    /// evidence is retained [default: the evidence root]
    #[arg(long, env = "SOXAUTO_LEASES", value_name = "URL")]
    leases: Option<String>,
    /// Folder that replaces the catalog in the binary; the run is then stamped NOT CONTROL EVIDENCE
    #[arg(long, env = "SOXAUTO_CATALOG", value_name = "DIR")]
    catalog: Option<PathBuf>,
    /// Name of the secret, in the place of --secrets, that holds the URL of a webhook: it is told of failed runs and of
    /// findings, as JSON that Slack reads
    #[arg(long, env = "SOXAUTO_ALERT_WEBHOOK", value_name = "SECRET")]
    alert_webhook: Option<String>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    google: GoogleArgs,
    #[command(flatten)]
    drive: DriveArgs,
    #[command(flatten)]
    disk: DiskArgs,
}

impl WorkArgs {
    /// Whether this is Cloud Run.
    pub(super) fn is_on_cloud_run(&self) -> bool {
        self.google.is_cloud_run()
    }
}

impl TryFrom<WorkArgs> for RunSettings {
    type Error = anyhow::Error;

    /// All items of the last closed month.
    fn try_from(args: WorkArgs) -> anyhow::Result<Self> {
        let WorkArgs {
            jobs,
            staging,
            warehouse,
            evidence,
            leases,
            catalog,
            alert_webhook,
            files,
            source,
            google,
            drive,
            disk,
        } = args;
        let disk_is_memory = disk.is_memory(&google);
        Ok(Self {
            period: None,
            preliminary: false,
            accepted: Vec::new(),
            witnesses: Vec::new(),
            files: files.try_into()?,
            items: Vec::new(),
            jobs: usize::from(jobs),
            staging,
            warehouse: warehouse.try_into()?,
            evidence,
            leases,
            catalog,
            source: source.into(),
            google: google.into(),
            drive: drive.into(),
            disk_is_memory,
            shard: None,
            alert_webhook,
            stamps: Vec::new(),
            limits: Limits::default(),
        })
    }
}
