//! What a run is asked to do, as typed values; the faces fill it in, the root acts on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::check::Acceptance;
use crate::domain::ids::FolderId;
use crate::domain::job::JobName;
use crate::domain::limits::{DoctorLimits, Limits, ServerLimits};
use crate::domain::period::Period;
use crate::domain::plant::PlantProfile;
use crate::domain::run::Stamp;
use crate::domain::shard::Shard;
use crate::domain::uploaded::DeclaredForm;

/// Where connection strings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretsChoice {
    /// The embedded SQL Server stand-in.
    Sandbox,
    /// Environment variables named as the secrets are.
    Env,
    /// Files named as the secrets are, below a folder.
    File(PathBuf),
    /// Google Secret Manager.
    Gcp(GcpSecretsPlace),
}

/// A project whose Secret Manager keeps the secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcpSecretsPlace {
    /// Project id or number.
    pub project: String,
    /// Versions by name; of every other secret the latest is taken.
    pub pins: BTreeMap<String, u64>,
}

impl FromStr for GcpSecretsPlace {
    type Err = String;

    /// Reads `PROJECT` or `PROJECT,NAME=VERSION,…`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = text.split(',');
        let project = pieces.next().unwrap_or_default();
        if !is_gcp_project(project) {
            return Err(format!("`{project}` is no project of Google Cloud"));
        }
        let mut pins = BTreeMap::new();
        for piece in pieces {
            let pin = piece.split_once('=').and_then(|(name, version)| {
                let version = version.parse().ok().filter(|version| *version > 0);
                Some((name, version?)).filter(|_| is_secret_name(name))
            });
            let Some((name, version)) = pin else {
                return Err(format!("`{piece}` pins no version: write NAME=VERSION"));
            };
            if pins.insert(name.to_owned(), version).is_some() {
                return Err(format!("secret {name} is pinned twice"));
            }
        }
        Ok(Self {
            project: project.to_owned(),
            pins,
        })
    }
}

/// Letters, digits and the few marks that ids, numbers and ids with a domain have.
fn is_gcp_project(text: &str) -> bool {
    let fits =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | ':');
    !text.is_empty() && text.chars().all(fits)
}

/// Letters, digits, `-` and `_`: what Secret Manager allows.
pub(crate) fn is_secret_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    !text.is_empty() && text.chars().all(fits)
}

impl FromStr for SecretsChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "sandbox" => Ok(Self::Sandbox),
            "env" => Ok(Self::Env),
            other => match other.split_once(':') {
                Some(("file", dir)) if !dir.is_empty() => Ok(Self::File(PathBuf::from(dir))),
                Some(("gcp", place)) => place.parse().map(Self::Gcp),
                _ => Err("write sandbox, env, file:DIR or gcp:PROJECT[,NAME=VERSION…]".to_owned()),
            },
        }
    }
}

/// Who this program is at Google.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GoogleCredentials {
    /// The service account of the machine, from its metadata server; no key is kept.
    #[default]
    Metadata,
    /// What a file says: the key of a service account, or the login that gcloud keeps there.
    File(PathBuf),
    /// The same, of a file that was found at one of the usual places because nobody said who calls.
    Found(PathBuf),
    /// The key of a service account in the secret `GOOGLE_SERVICE_ACCOUNT_CREDENTIALS`.
    Secret,
}

impl FromStr for GoogleCredentials {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("file:")) {
            ("metadata", _) => Ok(Self::Metadata),
            ("secret", _) => Ok(Self::Secret),
            (_, Some(file)) if !file.is_empty() => Ok(Self::File(PathBuf::from(file))),
            _ => Err("write metadata, secret or file:KEY.json".to_owned()),
        }
    }
}

/// How Google Cloud is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GoogleSettings {
    /// Who calls.
    pub credentials: GoogleCredentials,
    /// Services that are elsewhere than Google says, as pairs of name and base URL.
    pub endpoints: Vec<(String, String)>,
}

/// Where months are loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WarehouseChoice {
    /// A folder, as a path or URL.
    Local(String),
    /// A dataset of BigQuery.
    BigQuery(BigQueryPlace),
}

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigQueryPlace {
    /// Project that holds it and pays for the jobs.
    pub project: String,
    /// Dataset.
    pub dataset: String,
    /// Where its data is, such as `EU` or `europe-west1`: it never moves, and jobs must run there.
    pub location: String,
}

impl FromStr for WarehouseChoice {
    type Err = String;

    /// Reads `bigquery://project/dataset?location=EU`; anything else is a folder.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some(place) = text.strip_prefix("bigquery://") else {
            return Ok(Self::Local(text.to_owned()));
        };
        let wanted = || format!("`{text}`: write bigquery://PROJECT/DATASET?location=EU");
        let (path, query) = place.split_once('?').ok_or_else(wanted)?;
        let (project, dataset) = path.split_once('/').ok_or_else(wanted)?;
        let location = query.strip_prefix("location=").ok_or_else(wanted)?;
        let word = |text: &str, mark: char| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == mark)
        };
        if !is_gcp_project(project) || !word(dataset, '_') || !word(location, '-') {
            return Err(wanted());
        }
        Ok(Self::BigQuery(BigQueryPlace {
            project: project.to_owned(),
            dataset: dataset.to_owned(),
            location: location.to_owned(),
        }))
    }
}

/// Where sealed packages are delivered to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriveSettings {
    /// Folder of Drive.
    pub folder: FolderId,
    /// Whether the whole package goes, and the rows, people's data among them.
    pub include_rows: bool,
}

/// What is read from.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// Where connection strings come from.
    pub secrets: SecretsChoice,
    /// Open customer entries of the embedded stand-in; `None` is its default, or no ledger where there are own tables.
    pub sandbox_rows: Option<u64>,
    /// Folder of own tables that the embedded stand-in serves.
    pub sandbox_data: Option<PathBuf>,
    /// Differences planted in the ledger of the embedded stand-in.
    pub sandbox_plant: PlantProfile,
}

/// A file that an item is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadSettings {
    /// Item.
    pub item: String,
    /// Where it lies: a path, or an object such as `gs://bucket/used-{period}.csv`. `{period}` stands for the month.
    pub location: String,
    /// What is declared of how it is written.
    pub form: DeclaredForm,
}

/// One run.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Month to close; `None` is the last one that has ended in Europe/Paris.
    pub period: Option<Period>,
    /// Whether a month that has not ended may be run.
    pub preliminary: bool,
    /// Checks whose findings somebody answers for.
    pub accepted: Vec<Acceptance>,
    /// Files with keys that are compared beside the drawn witnesses, by item.
    pub witnesses: Vec<(String, PathBuf)>,
    /// Files of the items that are read from one.
    pub files: Vec<UploadSettings>,
    /// Names of the items; empty is all, of those that are read from a file only those that have one.
    pub items: Vec<String>,
    /// Items that run at once.
    pub jobs: usize,
    /// Staging root.
    pub staging: String,
    /// Warehouse.
    pub warehouse: WarehouseChoice,
    /// Evidence root.
    pub evidence: String,
    /// Root of the leases; `None` is the evidence root.
    pub leases: Option<String>,
    /// Folder that replaces the embedded catalog.
    pub catalog: Option<PathBuf>,
    /// What is read from.
    pub source: SourceSettings,
    /// How Google Cloud is reached, if anything of it is used.
    pub google: GoogleSettings,
    /// Where packages are delivered to once they are sealed, if anywhere.
    pub drive: Option<DriveSettings>,
    /// Whether what lies on this machine's disk is gone with the run: no root may lie there.
    pub disk_is_memory: bool,
    /// Which of the items this process runs, where several share them; `None` is all.
    pub shard: Option<Shard>,
    /// Name of the secret with the URL of a webhook that hears of failures and findings.
    pub alert_webhook: Option<String>,
    /// What the face knows that keeps the run from being control evidence.
    pub stamps: Vec<Stamp>,
    /// Limits.
    pub limits: Limits,
}

/// Who may call the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches it; its runs are no control evidence.
    Anybody,
    /// Those who bring a token that an identity provider signed.
    Tokens(TokenRules),
}

/// Which tokens are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRules {
    /// For whom they are made; one of these.
    pub audiences: Vec<String>,
    /// Whom they name; one of these.
    pub emails: Vec<String>,
    /// Where the provider publishes its keys.
    pub keys_url: String,
}

/// The service.
#[derive(Debug, Clone)]
pub struct ServiceSettings {
    /// What every run has in common; month and items come with the request.
    pub run: RunSettings,
    /// Who may call.
    pub access: Access,
    /// Project that the service runs in, if it is known.
    pub project: Option<String>,
    /// Job that makes the runs for which nobody waits; `None` makes them here.
    pub async_job: Option<JobName>,
    /// How long a run may take to end when the service is asked to stop.
    pub grace: Duration,
    /// Limits.
    pub limits: ServerLimits,
}

/// A look at everything that a run needs.
#[derive(Debug, Clone)]
pub struct DoctorSettings {
    /// What the run would be set up with; items do not matter, and the month only for files in buckets.
    pub run: RunSettings,
    /// Job that makes runs for a service, if there is one.
    pub async_job: Option<JobName>,
    /// Whether types are proved on a scratch table of BigQuery.
    pub scratch: bool,
    /// Limits.
    pub limits: DoctorLimits,
}

/// Where things are.
#[derive(Debug, Clone)]
pub struct Roots {
    /// Staging root.
    pub staging: String,
    /// Warehouse.
    pub warehouse: String,
    /// Evidence root.
    pub evidence: String,
    /// How Google Cloud is reached, if one of them is there.
    pub google: GoogleSettings,
}

/// What is looked into.
#[derive(Debug, Clone)]
pub struct LookSettings {
    /// A file, a folder, a run or a table.
    pub target: String,
    /// Month of a table that is named without one; `None` is all.
    pub period: Option<Period>,
    /// Where things are.
    pub roots: Roots,
    /// Folder that replaces the embedded catalog.
    pub catalog: Option<PathBuf>,
}

#[cfg(test)]
mod tests;
