//! Arguments that say how Google Cloud is reached; the doc comments are the help text.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use crate::settings::{GoogleCredentials, GoogleSettings};

/// File in which gcloud keeps the login for other programs.
const LOGIN_FILE: &str = "application_default_credentials.json";

/// How Google Cloud is reached, where anything of it is used.
#[derive(Debug, Args)]
pub(super) struct GoogleArgs {
    /// Who calls Google Cloud: metadata (the service account of the machine), file:FILE.json (what `gcloud auth
    /// application-default login` wrote, or the key of a service account), or secret
    /// (GOOGLE_SERVICE_ACCOUNT_CREDENTIALS from --secrets, or from the environment where there are none) [default: outside
    /// of Cloud Run the file of GOOGLE_APPLICATION_CREDENTIALS or of that login, if there is one; else metadata]
    #[arg(long, env = "SOXAUTO_GOOGLE_CREDENTIALS", value_name = "PLACE")]
    google_credentials: Option<GoogleCredentials>,
    /// A service that is reached elsewhere, NAME=URL: storage, bigquery, secretmanager, drive, run, metadata, oauth or
    /// iamcredentials
    #[arg(long = "google-endpoint", env = "SOXAUTO_GOOGLE_ENDPOINT", value_name = "NAME=URL", value_delimiter = ',', value_parser = endpoint)]
    google_endpoints: Vec<(String, String)>,
    /// File of credentials that every program of Google takes
    #[arg(
        long,
        env = "GOOGLE_APPLICATION_CREDENTIALS",
        hide = true,
        value_name = "FILE"
    )]
    google_application_credentials: Option<OsString>,
    /// Folder in which gcloud keeps what it knows
    #[arg(long, env = "CLOUDSDK_CONFIG", hide = true, value_name = "DIR")]
    cloudsdk_config: Option<OsString>,
    /// Folder of the person who calls
    #[arg(long, env = "HOME", hide = true, value_name = "DIR")]
    home: Option<OsString>,
    /// Name of the service of Cloud Run that this is
    #[arg(long, env = "K_SERVICE", hide = true, value_name = "NAME")]
    cloud_run_service: Option<String>,
    /// Name of the job of Cloud Run that this is
    #[arg(long, env = "CLOUD_RUN_JOB", hide = true, value_name = "NAME")]
    cloud_run_job: Option<String>,
}

impl GoogleArgs {
    /// Whether this is Cloud Run.
    pub(super) fn is_cloud_run(&self) -> bool {
        self.cloud_run_service.is_some() || self.cloud_run_job.is_some()
    }

    /// Who calls. Where nobody said it, Cloud Run calls as its service account whatever else is there; elsewhere it is who
    /// has logged in.
    fn caller(&self) -> GoogleCredentials {
        let found = || self.found().map(GoogleCredentials::Found);
        let said = self.google_credentials.clone();
        said.or_else(found).unwrap_or_default()
    }

    /// The file that other programs of Google would take; one that is named need not be there.
    fn found(&self) -> Option<PathBuf> {
        if self.is_cloud_run() {
            return None;
        }
        set(self.google_application_credentials.as_ref()).or_else(|| {
            let own = || set(self.home.as_ref()).map(|home| home.join(".config/gcloud"));
            let folder = set(self.cloudsdk_config.as_ref()).or_else(own)?;
            let file = folder.join(LOGIN_FILE);
            file.is_file().then_some(file)
        })
    }
}

/// A path that a variable says; one that is empty says none.
fn set(variable: Option<&OsString>) -> Option<PathBuf> {
    variable.filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Whether this machine keeps what lies on its disk.
#[derive(Debug, Args)]
pub(super) struct DiskArgs {
    /// Let roots lie on the disk of Cloud Run, which is memory unless a volume is mounted there
    #[arg(long, env = "SOXAUTO_FORCE_LOCAL_DISK")]
    force_local_disk: bool,
}

impl DiskArgs {
    /// Whether what lies on the disk is gone with the run.
    pub(super) fn is_memory(&self, google: &GoogleArgs) -> bool {
        google.is_cloud_run() && !self.force_local_disk
    }
}

fn endpoint(text: &str) -> Result<(String, String), String> {
    let (name, url) = text.split_once('=').ok_or("write NAME=URL")?;
    Ok((name.to_owned(), url.to_owned()))
}

impl From<GoogleArgs> for GoogleSettings {
    fn from(args: GoogleArgs) -> Self {
        Self {
            credentials: args.caller(),
            endpoints: args.google_endpoints,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A person with a login, on a machine where every variable is set that could say who calls.
    fn everything(home: &Path) -> GoogleArgs {
        let config = home.join("sdk");
        for folder in [&config, &home.join(".config/gcloud")] {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join(LOGIN_FILE), "{}").unwrap();
        }
        GoogleArgs {
            google_credentials: Some(GoogleCredentials::Secret),
            google_endpoints: Vec::new(),
            google_application_credentials: Some("named.json".into()),
            cloudsdk_config: Some(config.into()),
            home: Some(home.into()),
            cloud_run_service: Some("soxauto".to_owned()),
            cloud_run_job: None,
        }
    }

    #[test]
    fn what_is_said_goes_before_cloud_run_and_cloud_run_before_what_is_found() {
        let home = tempfile::tempdir().unwrap();
        let found = |file: &Path| GoogleCredentials::Found(file.to_owned());
        let mut args = everything(home.path());
        assert_eq!(args.caller(), GoogleCredentials::Secret);
        args.google_credentials = None;
        assert_eq!(args.caller(), GoogleCredentials::Metadata);
        (args.cloud_run_service, args.cloud_run_job) = (None, Some("soxauto".to_owned()));
        assert_eq!(args.caller(), GoogleCredentials::Metadata);
        args.cloud_run_job = None;
        assert_eq!(args.caller(), found(Path::new("named.json")));
        args.google_application_credentials = Some(OsString::new());
        assert_eq!(
            args.caller(),
            found(&home.path().join("sdk").join(LOGIN_FILE))
        );
        args.cloudsdk_config = None;
        let usual = home.path().join(".config/gcloud").join(LOGIN_FILE);
        assert_eq!(args.caller(), found(&usual));
        std::fs::remove_file(usual).unwrap();
        assert_eq!(args.caller(), GoogleCredentials::Metadata);
        args.home = None;
        assert_eq!(args.caller(), GoogleCredentials::Metadata);
    }

    #[test]
    fn a_folder_of_gcloud_that_is_named_is_the_only_one() {
        let home = tempfile::tempdir().unwrap();
        let mut args = everything(home.path());
        (args.google_credentials, args.cloud_run_service) = (None, None);
        args.google_application_credentials = None;
        std::fs::remove_file(home.path().join("sdk").join(LOGIN_FILE)).unwrap();
        assert_eq!(args.caller(), GoogleCredentials::Metadata);
    }
}
