//! A root in an object store, and the few whole-object operations that staging, warehouse and evidence need.
//!
//! May use `object_store`; opens nothing (that is `adapters::store`) and never overwrites or deletes.

use std::error::Error as _;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{
    Error as StoreError, GetResult, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};

use super::{PortError, PortErrorKind};
use crate::domain::ids::RunId;
use crate::domain::period::Period;

/// An object store below one URI. Cheap to clone; nothing has to be closed.
#[derive(Clone)]
pub struct StoreRoot {
    /// The store; its paths are relative to `uri`.
    pub store: Arc<dyn ObjectStore>,
    /// Where it is, without a slash at the end and without secrets.
    pub uri: String,
}

/// One stored object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Stored {
    /// Path below the root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// What interrupted loads left in a warehouse; whether it may go is for others to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Table.
    pub table: String,
    /// Month; `None` for a file of the table itself.
    pub period: Option<Period>,
    /// Run whose folder this is; `None` for a file beside the run folders.
    pub run_id: Option<RunId>,
    /// Path of the folder or file below the warehouse.
    pub path: String,
    /// The files, by path below the warehouse.
    pub files: Vec<Stored>,
}

impl StoreRoot {
    /// URI of an object.
    #[must_use]
    pub fn uri_of(&self, path: &str) -> String {
        format!("{}/{path}", self.uri)
    }

    /// The directory of a `file:` root, `None` for any other store.
    #[must_use]
    pub fn local_dir(&self) -> Option<PathBuf> {
        url::Url::parse(&self.uri).ok()?.to_file_path().ok()
    }

    /// The same store seen from a folder below.
    #[must_use]
    pub fn below(&self, folder: &str) -> Self {
        Self {
            store: Arc::new(object_store::prefix::PrefixStore::new(
                Arc::clone(&self.store),
                folder,
            )),
            uri: self.uri_of(folder),
        }
    }

    /// Writes an object that must not be there. One that is there with equal bytes is success: the reply to an earlier
    /// try was lost.
    ///
    /// # Errors
    /// `Corrupt` when other bytes are there; `Limit` when storage is full; `Denied`, `Unreachable`.
    pub async fn create(&self, path: &str, bytes: Bytes) -> Result<(), PortError> {
        let options = PutOptions::from(PutMode::Create);
        let at = self.path(path).map_err(|e| self.error(&e, path))?;
        match self
            .store
            .put_opts(&at, bytes.clone().into(), options)
            .await
        {
            Ok(_) => Ok(()),
            Err(StoreError::AlreadyExists { .. } | StoreError::Precondition { .. }) => {
                let what = match self.find(path).await? {
                    Some(there) if there == bytes => return Ok(()),
                    Some(_) => {
                        "an object with other bytes is already there; nothing is overwritten"
                    }
                    None => {
                        "the store says that an object is there, and has none; nothing was written"
                    }
                };
                Err(PortError::new(PortErrorKind::Corrupt, what).at("uri", self.uri_of(path)))
            }
            Err(error) => Err(self.error(&error, path)),
        }
    }

    /// Reads a whole object; `None` when there is none.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub async fn find(&self, path: &str) -> Result<Option<Bytes>, PortError> {
        let read = async { self.store.get(&self.path(path)?).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(&error, path)),
        }
    }

    /// Opens an object for reading from its first byte on: its size and version, and its bytes as they come, all of that
    /// version. `None` when there is none.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub async fn content(&self, path: &str) -> Result<Option<GetResult>, PortError> {
        let open = async { self.store.get(&self.path(path)?).await };
        match open.await {
            Ok(found) => Ok(Some(found)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(&error, path)),
        }
    }

    /// Size of an object in bytes, of which nothing is read; `None` when there is none.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub async fn size(&self, path: &str) -> Result<Option<u64>, PortError> {
        let asked = async { self.store.head(&self.path(path)?).await };
        match asked.await {
            Ok(found) => Ok(Some(found.size)),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(&error, path)),
        }
    }

    /// Reads a whole object that must be there.
    ///
    /// # Errors
    /// `Corrupt` when it is not there; `Denied`, `Unreachable`.
    pub async fn get(&self, path: &str) -> Result<Bytes, PortError> {
        self.find(path).await?.ok_or_else(|| {
            PortError::new(PortErrorKind::Corrupt, "the object is not there")
                .at("uri", self.uri_of(path))
        })
    }

    /// Every object below a folder (all for the empty text), by path.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub async fn list(&self, folder: &str) -> Result<Vec<Stored>, PortError> {
        let prefix = self.path(folder).map_err(|e| self.error(&e, folder))?;
        let prefix = (!folder.is_empty()).then_some(&prefix);
        let found = self.store.list(prefix).map_ok(|meta| Stored {
            path: meta.location.to_string(),
            bytes: meta.size,
        });
        let mut found: Vec<Stored> = found
            .try_collect()
            .await
            .map_err(|error| self.error(&error, folder))?;
        found.sort();
        Ok(found)
    }

    fn path(&self, path: &str) -> Result<Path, StoreError> {
        Ok(Path::parse(path)?)
    }

    /// What a store's error means to a caller.
    #[must_use]
    pub fn error(&self, error: &StoreError, path: &str) -> PortError {
        if let Some(own) = own(error) {
            return own.at("uri", self.uri_of(path));
        }
        let (kind, hint) = match error {
            StoreError::NotFound { .. } | StoreError::AlreadyExists { .. } => {
                (PortErrorKind::Corrupt, None)
            }
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => {
                (PortErrorKind::Denied, None)
            }
            StoreError::InvalidPath { .. } => (PortErrorKind::Config, None),
            StoreError::NotSupported { .. } | StoreError::NotImplemented { .. } => {
                (PortErrorKind::Unsupported, None)
            }
            other => io_cause(other).map_or((PortErrorKind::Unreachable, None), kind_of_io),
        };
        let mut mapped =
            PortError::new(kind, format!("storage: {error}")).at("uri", self.uri_of(path));
        mapped.hint = hint;
        mapped.is_retryable = kind == PortErrorKind::Unreachable;
        mapped
    }
}

impl fmt::Debug for StoreRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreRoot({})", self.uri)
    }
}

impl From<io::Error> for PortError {
    /// An error of the local disk; the caller adds where.
    fn from(error: io::Error) -> Self {
        let (kind, hint) = kind_of_io(error.kind());
        let mut mapped = Self::new(kind, format!("disk: {error}"));
        mapped.hint = hint;
        mapped
    }
}

/// The error of one of our own stores, which knows its kind and its remedy.
fn own(error: &StoreError) -> Option<PortError> {
    let (StoreError::Generic { source, .. } | StoreError::PermissionDenied { source, .. }) = error
    else {
        return None;
    };
    source.downcast_ref::<PortError>().cloned()
}

/// The error of the operating system below a store's error.
fn io_cause(error: &StoreError) -> Option<io::ErrorKind> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        cause = inner.source();
    }
    None
}

fn kind_of_io(kind: io::ErrorKind) -> (PortErrorKind, Option<String>) {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            PortErrorKind::Limit,
            Some("the disk or its quota is full: free space, then run again".to_owned()),
        ),
        io::ErrorKind::FileTooLarge => (
            PortErrorKind::Limit,
            Some("a limit on file size was reached: raise it (ulimit -f), then run again".into()),
        ),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            let hint = "give this user the right to write there, or choose another root";
            (PortErrorKind::Denied, Some(hint.to_owned()))
        }
        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists => (PortErrorKind::Corrupt, None),
        _ => (PortErrorKind::Unreachable, None),
    }
}
