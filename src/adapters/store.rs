//! Opens store roots from text: a directory, `file:` or `memory:`; those in the cloud are opened elsewhere.
//!
//! May use `ports` and `object_store`; never reads or writes an object itself.
//!
//! A killed write leaves at most a temporary `name#1` beside the target. `object_store` neither lists nor reads such
//! names, so they are never taken for data; the target appears whole or not at all, by a link or a rename.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use url::Url;

use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// Opens a root for writing; a directory that is absent is made.
///
/// # Errors
/// `Config` for a scheme that is not known, `Unsupported` for a bucket, `Denied`.
pub fn open(location: &str) -> std::result::Result<StoreRoot, PortError> {
    match place(location)? {
        Place::Memory => Ok(memory()),
        Place::Directory(dir) => {
            make_durably(&dir).map_err(|e| PortError::from(e).at("path", location))?;
            directory(&dir)
        }
    }
}

/// Opens a root that must be there, for reading; makes nothing.
///
/// # Errors
/// As [`open`], and `Unreachable` when there is no such directory.
pub fn open_existing(location: &str) -> std::result::Result<StoreRoot, PortError> {
    match place(location)? {
        Place::Memory => Err(config(location, "memory of another process cannot be read")),
        Place::Directory(dir) if dir.is_dir() => directory(&dir),
        Place::Directory(_) => {
            let what = format!("there is no directory `{location}`");
            Err(PortError::new(PortErrorKind::Unreachable, what))
        }
    }
}

/// A root for reading, or `None` when there is nothing at its place; makes nothing.
///
/// # Errors
/// As [`open`].
pub fn existing(location: &str) -> std::result::Result<Option<StoreRoot>, PortError> {
    match open_existing(location) {
        Ok(root) => Ok(Some(root)),
        Err(error) if error.kind == PortErrorKind::Unreachable => Ok(None),
        Err(error) => Err(error),
    }
}

/// A root in memory, gone with its last clone.
#[must_use]
pub fn memory() -> StoreRoot {
    StoreRoot {
        store: Arc::new(InMemory::new()),
        uri: "memory://".to_owned(),
    }
}

enum Place {
    Memory,
    Directory(PathBuf),
}

fn config(location: &str, what: &str) -> PortError {
    let hint = "write a directory, file:///absolute/directory or memory://";
    PortError::new(PortErrorKind::Config, format!("`{location}`: {what}")).hint(hint)
}

fn place(location: &str) -> std::result::Result<Place, PortError> {
    let Some((scheme, _)) = location.split_once("://") else {
        if location.trim().is_empty() {
            return Err(config(location, "the location is empty"));
        }
        let absolute =
            std::path::absolute(location).map_err(|e| PortError::from(e).at("path", location))?;
        return Ok(Place::Directory(absolute));
    };
    match scheme {
        "memory" => Ok(Place::Memory),
        "file" => Url::parse(location)
            .ok()
            .filter(|url| url.query().is_none() && url.fragment().is_none())
            .and_then(|url| url.to_file_path().ok())
            .map(Place::Directory)
            .ok_or_else(|| config(location, "not an absolute file URL")),
        "gs" => Err(PortError::new(
            PortErrorKind::Unsupported,
            format!("`{location}`: a bucket cannot be a folder of this machine"),
        )
        .hint("write a directory, file:///absolute/directory or memory://")),
        _ => Err(config(location, "not a scheme that is known here")),
    }
}

fn directory(dir: &FsPath) -> std::result::Result<StoreRoot, PortError> {
    let shown = dir.display().to_string();
    let url = Url::from_file_path(dir).map_err(|()| config(&shown, "not an absolute directory"))?;
    let inner = LocalFileSystem::new_with_prefix(dir)
        .map_err(|e| PortError::new(PortErrorKind::Unreachable, e.to_string()).at("path", shown))?;
    let uri = url.as_str().trim_end_matches('/').to_owned();
    let root = dir.to_path_buf();
    Ok(StoreRoot {
        store: Arc::new(DurableFs { inner, root }),
        uri,
    })
}

/// Makes a directory and its parents and sees them onto the disk.
fn make_durably(dir: &FsPath) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(dir)?;
    dir.ancestors().skip(1).take(2).try_for_each(sync)
}

fn sync(path: &FsPath) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Local files whose write is acknowledged only when bytes and names are on the disk: `object_store` itself does
/// not sync, and a package or part that was reported as stored must outlive a power cut.
#[derive(Debug)]
struct DurableFs {
    inner: LocalFileSystem,
    root: PathBuf,
}

impl fmt::Display for DurableFs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DurableFs({})", self.root.display())
    }
}

impl DurableFs {
    /// Syncs a file and every folder from it up to the root, because each of them may be new.
    fn sync_path(root: &FsPath, file: &FsPath) -> io::Result<()> {
        sync(file)?;
        let folders = file.ancestors().skip(1);
        for folder in folders.take_while(|folder| folder.starts_with(root)) {
            sync(folder)?;
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for DurableFs {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let result = self.inner.put_opts(location, payload, opts).await?;
        let file = self.inner.path_to_filesystem(location)?;
        let root = self.root.clone();
        let generic = |source| Error::Generic {
            store: "file",
            source,
        };
        tokio::task::spawn_blocking(move || Self::sync_path(&root, &file))
            .await?
            .map_err(|e| generic(Box::new(e)))?;
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        _location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        // Objects here are small enough to be written whole; a streamed one would not be synced.
        Err(Error::NotImplemented {
            operation: "put_multipart_opts".to_owned(),
            implementer: self.to_string(),
        })
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[tokio::test]
    async fn creates_once_and_accepts_only_equal_bytes_again() {
        let dir = tempfile::tempdir().unwrap();
        let url = Url::from_file_path(dir.path().join("a b")).unwrap();
        for root in [memory(), open(url.as_str()).unwrap()] {
            root.create("x/y.txt", Bytes::from_static(b"1"))
                .await
                .unwrap();
            root.create("x/y.txt", Bytes::from_static(b"1"))
                .await
                .unwrap();
            let error = root
                .create("x/y.txt", Bytes::from_static(b"2"))
                .await
                .unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Corrupt);
            assert_eq!(root.get("x/y.txt").await.unwrap(), "1");
            assert_eq!(root.find("x/z.txt").await.unwrap(), None);
            assert_eq!(root.list("").await.unwrap()[0].path, "x/y.txt");
            assert_eq!(root.below("x").list("").await.unwrap()[0].path, "y.txt");
            assert_eq!(root.below("x").get("y.txt").await.unwrap(), "1");
        }
    }

    #[tokio::test]
    async fn leftovers_of_killed_writes_are_not_data() {
        let dir = tempfile::tempdir().unwrap();
        let root = open(dir.path().to_str().unwrap()).unwrap();
        std::fs::write(dir.path().join("part-00000.parquet#1"), "half").unwrap();
        assert_eq!(root.list("").await.unwrap(), vec![]);
        assert_eq!(root.find("part-00000.parquet").await.unwrap(), None);
        root.create("part-00000.parquet", Bytes::from_static(b"whole"))
            .await
            .unwrap();
        assert_eq!(root.get("part-00000.parquet").await.unwrap(), "whole");
    }

    #[test]
    fn locations_are_absolute_and_foreign_schemes_say_what_to_write() {
        let dir = tempfile::tempdir().unwrap();
        let root = open(dir.path().to_str().unwrap()).unwrap();
        assert!(root.uri.starts_with("file:///"), "{}", root.uri);
        assert_eq!(root.local_dir().unwrap(), dir.path());
        for (location, kind) in [
            ("gs://bucket/x", PortErrorKind::Unsupported),
            ("s3://bucket", PortErrorKind::Config),
            ("file://relative", PortErrorKind::Config),
            ("", PortErrorKind::Config),
        ] {
            let error = open(location).unwrap_err();
            assert_eq!(error.kind, kind, "{location}");
            assert!(
                error.hint.is_some_and(|hint| hint.contains("file:///")),
                "{location}"
            );
        }
        let absent = dir.path().join("absent");
        let error = open_existing(absent.to_str().unwrap()).unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unreachable);
        assert!(!absent.is_dir());
    }
}
