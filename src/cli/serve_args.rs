//! Arguments of the service; the doc comments are the help text.

use clap::Args;

use crate::adapters::google::oidc::GOOGLE_KEYS;
use crate::domain::job::JobName;

use super::work_args::WorkArgs;

const SERVE_EXAMPLES: &str = "\
Examples:
  soxauto serve --audience https://soxauto-pg01-xxxx-ew.a.run.app \\
    --allowed-email scheduler@my-project.iam.gserviceaccount.com --secrets gcp:my-project
  soxauto serve --allow-unauthenticated --host 127.0.0.1    to try it on this machine
  curl -X POST localhost:8080/ -H 'Content-Type: application/json' -d '{\"cutoff_date\": \"2024-05-01\"}'
  soxauto serve --check                                     whether the one on this port answers";

/// Run months on request over HTTP, as the service of the deployment guide
#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(super) struct ServeArgs {
    /// TCP port; 0 takes a free one
    #[arg(long, env = "PORT", default_value_t = 8080, value_name = "PORT")]
    pub(super) port: u16,
    /// Address to listen on
    #[arg(
        long,
        env = "SOXAUTO_HOST",
        default_value = "0.0.0.0",
        value_name = "ADDRESS"
    )]
    pub(super) host: std::net::IpAddr,
    /// For whom the callers' identity tokens must be made: the URL of the service, as Scheduler is told it
    #[arg(
        long = "audience",
        env = "SOXAUTO_AUDIENCE",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub(super) audiences: Vec<String>,
    /// Account that may call; repeat it or separate by commas. Needed with --audience: anybody can have Google sign a
    /// token for an audience
    #[arg(
        long = "allowed-email",
        env = "SOXAUTO_ALLOWED_EMAIL",
        value_name = "EMAIL",
        value_delimiter = ',',
        requires = "audiences"
    )]
    pub(super) emails: Vec<String>,
    /// Where the keys are published that tokens are signed with
    #[arg(long, env = "SOXAUTO_KEYS_URL", default_value = GOOGLE_KEYS, value_name = "URL")]
    pub(super) keys_url: String,
    /// Ask nobody who they are; every run is then stamped NOT CONTROL EVIDENCE
    #[arg(
        long,
        env = "SOXAUTO_ALLOW_UNAUTHENTICATED",
        conflicts_with = "audiences"
    )]
    pub(super) allow_unauthenticated: bool,
    /// Project of Google Cloud that the service runs in, for /config and to link log lines with requests
    #[arg(long, env = "GCP_PROJECT_ID", value_name = "PROJECT")]
    pub(super) project: Option<String>,
    /// The same, as some platforms of Google say it
    #[arg(
        long,
        env = "GOOGLE_CLOUD_PROJECT",
        hide = true,
        value_name = "PROJECT"
    )]
    pub(super) google_cloud_project: Option<String>,
    /// Job of Cloud Run that makes the runs that are asked for with Prefer: respond-async, projects/PROJECT/locations/REGION/jobs/JOB;
    /// it is told month and items, and has its own places and secrets [default: they are made here]
    #[arg(
        long,
        env = "SOXAUTO_ASYNC_JOB",
        value_name = "JOB",
        conflicts_with = "allow_unauthenticated"
    )]
    pub(super) async_job: Option<JobName>,
    /// Seconds that a run may take to seal its packages when the service is stopped; Cloud Run kills after 10
    #[arg(long, env = "SOXAUTO_GRACE_SECONDS", default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) grace_seconds: u64,
    /// Ask the service on this machine and port for /health, and end with 0 if it answers
    #[arg(long, env = "SOXAUTO_CHECK")]
    pub(super) check: bool,
    #[command(flatten)]
    pub(super) work: WorkArgs,
}
