//! Arguments that say how Google Cloud is reached; the doc comments are the help text.

use clap::Args;

use crate::settings::{GoogleCredentials, GoogleSettings};

/// How Google Cloud is reached, where anything of it is used.
#[derive(Debug, Args)]
pub(super) struct GoogleArgs {
    /// Who calls Google Cloud: metadata (the service account of the machine) or file:KEY.json
    #[arg(
        long,
        env = "SOXAUTO_GOOGLE_CREDENTIALS",
        default_value = "metadata",
        value_name = "PLACE"
    )]
    google_credentials: GoogleCredentials,
    /// A service that is reached elsewhere, NAME=URL: storage, bigquery, secretmanager, drive, metadata or oauth
    #[arg(long = "google-endpoint", env = "SOXAUTO_GOOGLE_ENDPOINT", value_name = "NAME=URL", value_delimiter = ',', value_parser = endpoint)]
    google_endpoints: Vec<(String, String)>,
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
