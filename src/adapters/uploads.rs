//! Uploaded files: one place an item, said by whoever runs it. Nothing is looked for, and nothing stands in for a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use futures::TryStreamExt as _;
use tokio_util::io::{StreamReader, SyncIoBridge};

use crate::domain::ids::IpeId;
use crate::ports::{PortError, PortErrorKind, StoreRoot, Upload};

/// Where a file lies.
#[derive(Debug, Clone)]
pub enum Place {
    /// On this machine.
    Path(PathBuf),
    /// In a store.
    Object {
        /// The folder.
        root: StoreRoot,
        /// The object in it.
        name: String,
    },
}

/// Files by item.
#[derive(Debug, Clone, Default)]
pub struct Uploads {
    files: BTreeMap<IpeId, Place>,
}

impl Uploads {
    /// These files.
    #[must_use]
    pub fn new(files: BTreeMap<IpeId, Place>) -> Self {
        Self { files }
    }

    /// Opens the file of an item.
    ///
    /// # Errors
    /// `Config` for an item without a file, and for what is no file; `Denied`, `Unreachable`.
    pub async fn open(&self, ipe: &IpeId) -> Result<Upload, PortError> {
        match self.files.get(ipe) {
            Some(Place::Path(path)) => on_disk(path),
            Some(Place::Object { root, name }) => in_store(root, name).await,
            None => {
                let what = format!("no file was said for {ipe}");
                Err(PortError::new(PortErrorKind::Config, what)
                    .hint(format!("say --file {ipe}=PATH")))
            }
        }
    }
}

fn on_disk(path: &Path) -> Result<Upload, PortError> {
    let shown = path.display().to_string();
    let failed = |error: io::Error| {
        if error.kind() == io::ErrorKind::NotFound {
            return missing(&shown);
        }
        PortError::from(error).at("file", shown.clone())
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(PortError::new(PortErrorKind::Config, "this is no file")
            .at("file", shown)
            .hint("say the path of one file: a folder may hold several, and nobody knows which is meant"));
    }
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Upload {
        name: name.to_string_lossy().into_owned(),
        from: None,
        version: None,
        bytes: metadata.len(),
        content: Box::new(file),
    })
}

/// One request for all of it, so that what is read is one version of the object.
async fn in_store(root: &StoreRoot, name: &str) -> Result<Upload, PortError> {
    let uri = root.uri_of(name);
    let found = root.content(name).await?;
    let found = found.ok_or_else(|| missing(&uri))?;
    let (bytes, meta) = (found.meta.size, &found.meta);
    let version = meta.version.clone().or_else(|| meta.e_tag.clone());
    let content = StreamReader::new(found.into_stream().map_err(io::Error::other));
    Ok(Upload {
        name: name.to_owned(),
        from: Some(uri),
        version,
        bytes,
        content: Box::new(SyncIoBridge::new(content)),
    })
}

fn missing(shown: &str) -> PortError {
    PortError::new(PortErrorKind::Config, "there is no such file")
        .at("file", shown.to_owned())
        .hint("put the file there, or mend --file, then run the month again")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[tokio::test]
    async fn only_the_file_that_was_said_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("used.csv");
        std::fs::write(&path, "abc").unwrap();
        let item: IpeId = "JDASH".parse().unwrap();
        let of = |place: Place| Uploads::new([(item.clone(), place)].into());
        let at = |path: PathBuf| of(Place::Path(path));
        let upload = at(path).open(&item).await.unwrap();
        assert_eq!((upload.name.as_str(), upload.bytes), ("used.csv", 3));
        assert_eq!((upload.from, upload.version), (None, None));
        let object = |name: &str| Place::Object {
            root: crate::adapters::store::memory(),
            name: name.to_owned(),
        };
        for (uploads, part) in [
            (Uploads::default(), "say --file JDASH=PATH"),
            (at(folder.path().into()), "no file"),
            (at(folder.path().join("other.csv")), "no such file"),
            (of(object("other.csv")), "no such file"),
        ] {
            let error = uploads.open(&item).await.unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[tokio::test]
    async fn an_object_is_read_to_its_last_byte() {
        let root = crate::adapters::store::memory();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(100_000).collect();
        root.create("used.csv", Bytes::from(bytes.clone()))
            .await
            .unwrap();
        let item: IpeId = "JDASH".parse().unwrap();
        let (name, uri) = ("used.csv".to_owned(), root.uri_of("used.csv"));
        let uploads = Uploads::new([(item.clone(), Place::Object { root, name })].into());
        let mut upload = uploads.open(&item).await.unwrap();
        assert_eq!((upload.name.as_str(), upload.bytes), ("used.csv", 100_000));
        assert_eq!(upload.from, Some(uri));
        assert!(upload.version.is_some(), "the store tells versions apart");
        let read = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            upload.content.read_to_end(&mut read).map(|_| read)
        });
        assert_eq!(read.await.unwrap().unwrap(), bytes);
    }
}
