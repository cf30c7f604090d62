//! Arguments that say how Google Cloud is reached; the doc comments are the help text.

use clap::Args;

use crate::settings::{GoogleCredentials, GoogleSettings};

/// How Google Cloud is reached, where anything of it is used.
#[derive(Debug, Args)]
pub(super) struct GoogleArgs {
    /// Who calls Google Cloud: metadata (the service account of the machine), file:KEY.json, or
    /// secret (GOOGLE_SERVICE_ACCOUNT_CREDENTIALS from --secrets, or from the environment where there are none)
    #[arg(
        long,
        env = "SOXAUTO_GOOGLE_CREDENTIALS",
        default_value = "metadata",
        value_name = "PLACE"
    )]
    google_credentials: GoogleCredentials,
    /// A service that is reached elsewhere, NAME=URL: storage, bigquery, secretmanager, drive, run, metadata or oauth
    #[arg(long = "google-endpoint", env = "SOXAUTO_GOOGLE_ENDPOINT", value_name = "NAME=URL", value_delimiter = ',', value_parser = endpoint)]
    google_endpoints: Vec<(String, String)>,
}

/// Whether this machine keeps what lies on its disk.
#[derive(Debug, Args)]
pub(super) struct DiskArgs {
    /// Let roots lie on the disk of Cloud Run, which is memory unless a volume is mounted there
    #[arg(long, env = "SOXAUTO_FORCE_LOCAL_DISK")]
    force_local_disk: bool,
    /// Name of the service of Cloud Run that this is
    #[arg(long, env = "K_SERVICE", hide = true, value_name = "NAME")]
    cloud_run_service: Option<String>,
    /// Name of the job of Cloud Run that this is
    #[arg(long, env = "CLOUD_RUN_JOB", hide = true, value_name = "NAME")]
    cloud_run_job: Option<String>,
}

impl DiskArgs {
    /// Whether this is Cloud Run.
    pub(super) fn is_cloud_run(&self) -> bool {
        self.cloud_run_service.is_some() || self.cloud_run_job.is_some()
    }

    /// Whether what lies on the disk is gone with the run.
    pub(super) fn is_memory(&self) -> bool {
        self.is_cloud_run() && !self.force_local_disk
    }
}

fn endpoint(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("write NAME=URL")?;
    Ok((name.to_owned(), url.to_owned()))
}

impl From<GoogleArgs> for GoogleSettings {
    fn from(args: GoogleArgs) -> Self {
        let GoogleArgs {
            google_credentials,
            google_endpoints,
        } = args;
        Self {
            credentials: google_credentials,
            endpoints: google_endpoints,
        }
    }
}
