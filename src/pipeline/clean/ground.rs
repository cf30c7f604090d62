//! A root as cleaning sees it: a folder, whose every file counts, or a store, which shows objects only.
//!
//! May use storage and the local disk; deletes the exact files of an orphan and nothing else.

use std::path::{Path, PathBuf};

use futures::TryStreamExt as _;
use object_store::path::Path as ObjectPath;
use object_store::{Error as StoreError, ObjectStoreExt as _};

use super::remove;
use super::walk::{FileAt, walk};
use crate::ports::{PortError, StoreRoot, Stored};

/// Where a root lies.
#[derive(Debug, Clone)]
pub(super) enum Ground {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket, or memory.
    Store(StoreRoot),
}

impl Ground {
    pub(super) fn of(root: &StoreRoot) -> Self {
        let folder = root.local_dir().map(Self::Folder);
        folder.unwrap_or_else(|| Self::Store(root.clone()))
    }

    /// A place below it, for people.
    pub(super) fn shown(&self, path: &str) -> String {
        match self {
            Self::Folder(folder) => folder.join(path).display().to_string(),
            Self::Store(root) => root.uri_of(path),
        }
    }

    /// The folder, where there is one.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Folder(folder) => Some(folder),
            Self::Store(_) => None,
        }
    }

    /// Every file by path.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`.
    pub(super) async fn files(&self) -> Result<Vec<FileAt>, PortError> {
        let root = match self {
            Self::Folder(folder) => return walk(folder),
            Self::Store(root) => root,
        };
        let listed = root.store.list(None).map_ok(|meta| FileAt {
            modified: meta.last_modified,
            stored: Stored {
                path: meta.location.to_string(),
                bytes: meta.size,
            },
        });
        let listed: Result<Vec<FileAt>, _> = listed.try_collect().await;
        let mut found = listed.map_err(|error| root.error(&error, ""))?;
        found.sort_by(|a, b| a.stored.cmp(&b.stored));
        Ok(found)
    }

    /// Deletes files, and the folder if that left it empty. What is gone already is no error.
    ///
    /// # Errors
    /// `Denied`, `Unreachable`; what comes after the file in question stays.
    pub(super) async fn delete(
        &self,
        files: &[Stored],
        folder: Option<&str>,
    ) -> Result<(), PortError> {
        let root = match self {
            Self::Folder(top) => return Ok(remove::delete(top, files, folder)?),
            Self::Store(root) => root,
        };
        for file in files {
            let at = ObjectPath::parse(&file.path).map_err(StoreError::from);
            let deleted = match at {
                Ok(at) => root.store.delete(&at).await,
                Err(error) => Err(error),
            };
            match deleted {
                Ok(()) | Err(StoreError::NotFound { .. }) => {}
                Err(error) => return Err(root.error(&error, &file.path)),
            }
        }
        Ok(())
    }
}

impl PartialEq for Ground {
    fn eq(&self, other: &Self) -> bool {
        self.shown("") == other.shown("")
    }
}

impl Eq for Ground {}
