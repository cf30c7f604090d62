//! Opens store roots, wherever they are: in folders, in memory, in Cloud Storage.

use crate::adapters::google::storage;
use crate::adapters::store;
use crate::domain::limits::Limits;
use crate::pipeline::lease::Leases;
use crate::ports::{PortError, PortErrorKind, StoreRoot};
use crate::settings::{GoogleSettings, RunSettings, SecretsChoice, WarehouseChoice};

use super::google::{self, Google};

/// Opens roots with one identity.
pub struct RootOpener {
    google: Google,
}

impl RootOpener {
    /// An opener for those who have no source: a key that lies in a secret comes from the environment.
    ///
    /// # Errors
    /// What reading the secret says.
    pub async fn new(settings: &GoogleSettings) -> Result<Self, PortError> {
        Self::beside(settings, &SecretsChoice::Env, &Limits::default()).await
    }

    /// An opener for a run, whose secrets may hold the key.
    pub(super) async fn beside(
        settings: &GoogleSettings,
        secrets: &SecretsChoice,
        limits: &Limits,
    ) -> Result<Self, PortError> {
        let google = Google::new(settings, secrets, limits).await?;
        Ok(Self { google })
    }

    pub(super) fn google(&self) -> &Google {
        &self.google
    }

    /// The account at Google that it opened roots with, in words; `None` where none lies there.
    pub(super) async fn caller(&self) -> Option<String> {
        google::in_words(&self.google.callers().await)
    }

    /// Opens a root for writing; a folder that is absent is made, a bucket is not.
    ///
    /// # Errors
    /// As [`store::open`], [`storage::root`] and the settings of Google say it.
    pub fn open(&self, location: &str) -> Result<StoreRoot, PortError> {
        self.in_cloud(location)
            .unwrap_or_else(|| store::open(location))
    }

    /// Opens the leases of an evidence root: in a root of their own, if one is named.
    ///
    /// # Errors
    /// As [`RootOpener::open`].
    pub(super) fn leases(
        &self,
        location: Option<&str>,
        evidence: &StoreRoot,
    ) -> Result<Leases, PortError> {
        Ok(match location {
            Some(location) => Leases::new(self.open(location)?, evidence),
            None => Leases::within(evidence),
        })
    }

    /// Opens a root that must be there, for reading; a bucket that is not there is found out at its first use.
    ///
    /// # Errors
    /// As [`RootOpener::open`] and [`store::open_existing`].
    pub fn open_existing(&self, location: &str) -> Result<StoreRoot, PortError> {
        self.in_cloud(location)
            .unwrap_or_else(|| store::open_existing(location))
    }

    /// A root for reading, or `None` when there is no such folder.
    ///
    /// # Errors
    /// As [`RootOpener::open_existing`].
    pub fn existing(&self, location: &str) -> Result<Option<StoreRoot>, PortError> {
        self.in_cloud(location)
            .map_or_else(|| store::existing(location), |root| root.map(Some))
    }

    fn in_cloud(&self, location: &str) -> Option<Result<StoreRoot, PortError>> {
        let opened = || storage::root(self.google.session()?, location);
        location.starts_with(storage::SCHEME).then(opened)
    }
}

/// What opens the roots of a run; refuses a disk that does not keep them.
///
/// # Errors
/// `Config` names the flag and what to write there; what reading a key says.
pub(super) async fn of_run(settings: &RunSettings) -> Result<RootOpener, PortError> {
    if settings.disk_is_memory {
        let warehouse = match &settings.warehouse {
            WarehouseChoice::Local(folder) => Some(folder.as_str()),
            WarehouseChoice::BigQuery(_) => None,
        };
        let places = [
            ("staging", Some(settings.staging.as_str())),
            ("evidence", Some(&settings.evidence)),
            ("leases", settings.leases.as_deref()),
            ("warehouse", warehouse),
        ];
        let given = places
            .into_iter()
            .filter_map(|(flag, place)| Some((flag, place?)));
        refuse_memory_disk(&given.collect::<Vec<_>>())?;
    }
    let (google, secrets) = (&settings.google, &settings.source.secrets);
    RootOpener::beside(google, secrets, &settings.limits).await
}

/// Refuses places on the disk of a machine that does not keep it.
///
/// # Errors
/// `Config` names the flag and what to write there.
pub(super) fn refuse_memory_disk(places: &[(&str, &str)]) -> Result<(), PortError> {
    for (flag, location) in places {
        let is_local = !location.contains("://") || location.starts_with("file:");
        if is_local {
            let what = format!(
                "--{flag} {location}: the disk of Cloud Run is memory, and what lies there is gone with the instance"
            );
            return Err(PortError::new(PortErrorKind::Config, what).hint(format!(
                "write --{flag} gs://bucket/prefix, or --force-local-disk where a volume is mounted"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_memory_takes_nothing_that_is_to_stay() {
        for local in ["out/staging", "/data", "file:///data", "C:\\x"] {
            let places = [("staging", "gs://b"), ("evidence", local)];
            let error = refuse_memory_disk(&places).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Config);
            assert!(error.message.starts_with("--evidence"), "{error}");
            assert!(error.hint.unwrap().contains("--force-local-disk"));
        }
        let remote = [("staging", "gs://b/x"), ("evidence", "memory://")];
        assert!(refuse_memory_disk(&remote).is_ok());
    }
}
