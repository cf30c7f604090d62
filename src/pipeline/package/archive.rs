//! A package with its rows as one ZIP file: the same package gives the same bytes, wherever and whenever it is made.
//!
//! Entries stand sorted, stored as they are, all with one time and one permission; what was compressed (the parts) is so
//! already. Each entry is held whole while it is written, and none of them longer. Unpacked, it verifies:
//! `soxauto verify evidence/<package> --staging staging`.
//!
//! # Source
//! APPNOTE.TXT of PKWARE, version 6.3.10, sections 4.3 and 4.4.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use tokio::task::spawn_blocking;

use super::views::pieces;
use super::write::{Files, package_folder};
use crate::domain::digest::sha256_hex;
use crate::pipeline::keys::sidecar_path;
use crate::pipeline::record::ItemRecord;
use crate::ports::{Content, PortError, PortErrorKind, StoreRoot};

const LOCAL_ENTRY: u32 = 0x0403_4b50;
const DIRECTORY_ENTRY: u32 = 0x0201_4b50;
const DIRECTORY_END: u32 = 0x0605_4b50;
/// Version 1.0 is enough to unpack what is only stored.
const NEEDED: u16 = 10;
/// Made on Unix, by version 2.0 of the format.
const MADE_BY: u16 = 3 << 8 | 20;
/// 1 January 1980, the first day that the format knows, at midnight.
const DATE: u16 = 1 << 5 | 1;
/// A file that its owner may write and all may read.
const PERMISSIONS: u32 = 0o100_644 << 16;

/// What becomes an entry.
enum Source {
    /// A file of the package.
    Held(Bytes),
    /// A part or its sidecar, with its SHA-256.
    Staged { path: String, sha256: String },
}

/// The entries, by name.
pub struct Archive {
    staging: StoreRoot,
    entries: Vec<(String, Source)>,
    bytes_max: u32,
}

impl Archive {
    /// The files of a package, below `evidence/`, and what it names in staging, below `staging/`.
    #[must_use]
    pub fn new(files: &Files, record: &ItemRecord, staging: StoreRoot, bytes_max: u32) -> Self {
        let folder = package_folder(record);
        let mut entries = BTreeMap::new();
        for (path, bytes) in files {
            let name = format!("evidence/{folder}/{path}");
            entries.insert(name, Source::Held(bytes.clone()));
        }
        for part in record.staged.iter().flat_map(|staged| &staged.parts) {
            let sidecar = sidecar_path(&part.path);
            for (path, sha256) in [(&part.path, &part.sha256), (&sidecar, &part.keys_sha256)] {
                let (path, sha256) = (path.clone(), sha256.clone());
                entries.insert(format!("staging/{path}"), Source::Staged { path, sha256 });
            }
        }
        for piece in pieces(record) {
            let (path, sha256) = (piece.path.clone(), piece.sha256.clone());
            entries.insert(format!("staging/{path}"), Source::Staged { path, sha256 });
        }
        Self {
            staging,
            entries: entries.into_iter().collect(),
            bytes_max,
        }
    }

    async fn bytes_of(&self, source: &Source) -> Result<Bytes, PortError> {
        match source {
            Source::Held(bytes) => Ok(bytes.clone()),
            Source::Staged { path, sha256 } => {
                let bytes = self.staging.get(path).await?;
                let content = bytes.clone();
                let found = spawn_blocking(move || sha256_hex(&content)).await;
                if found.is_ok_and(|found| found == *sha256) {
                    return Ok(bytes);
                }
                let what = "a staged part is not the one that the package names";
                Err(PortError::new(PortErrorKind::Corrupt, what)
                    .at("uri", self.staging.uri_of(path))
                    .hint("run `soxauto verify` on the package: it says what was changed"))
            }
        }
    }

    fn too_large(&self) -> PortError {
        let what = format!(
            "package and rows are more than {} bytes, or more files than one archive names",
            self.bytes_max
        );
        PortError::new(PortErrorKind::Limit, what)
            .hint("leave --include-rows out: the parts stay in staging, named by their hashes")
    }

    /// The next piece of the file, from where `written` has come.
    async fn piece(&self, written: Written) -> Result<Option<(Vec<Bytes>, Written)>, PortError> {
        let Written {
            entries,
            bytes,
            mut directory,
        } = written;
        let Some((name, source)) = self.entries.get(entries) else {
            if entries > self.entries.len() {
                return Ok(None);
            }
            let end = self.end(bytes, directory)?;
            let done = Written {
                entries: entries + 1,
                ..Written::default()
            };
            return Ok(Some((vec![end], done)));
        };
        let content = self.bytes_of(source).await?;
        let same = self.same(name, &content)?;
        let mut head = BytesMut::new();
        head.put_u32_le(LOCAL_ENTRY);
        head.put_slice(&same);
        // No extra field.
        head.put_u16_le(0);
        head.put_slice(name.as_bytes());
        directory.put_u32_le(DIRECTORY_ENTRY);
        directory.put_u16_le(MADE_BY);
        directory.put_slice(&same);
        // No extra field, no comment, the first disk, no hint of what is in it.
        directory.put_bytes(0, 2 + 2 + 2 + 2);
        directory.put_u32_le(PERMISSIONS);
        directory.put_u32_le(self.size(bytes)?);
        directory.put_slice(name.as_bytes());
        let written = Written {
            entries: entries + 1,
            bytes: bytes + head.len() + content.len(),
            directory,
        };
        Ok(Some((vec![head.freeze(), content], written)))
    }

    /// The fields that an entry and its line in the directory share.
    fn same(&self, name: &str, content: &Bytes) -> Result<Bytes, PortError> {
        let size = self.size(content.len())?;
        let name_bytes = u16::try_from(name.len()).map_err(|_| self.too_large())?;
        let mut same = BytesMut::new();
        same.put_u16_le(NEEDED);
        // No flags, stored, at midnight.
        same.put_bytes(0, 2 + 2 + 2);
        same.put_u16_le(DATE);
        same.put_u32_le(crc32fast::hash(content));
        same.put_u32_le(size);
        same.put_u32_le(size);
        same.put_u16_le(name_bytes);
        Ok(same.freeze())
    }

    /// The directory and its end.
    fn end(&self, start: usize, mut directory: BytesMut) -> Result<Bytes, PortError> {
        let entries = u16::try_from(self.entries.len()).map_err(|_| self.too_large())?;
        let (start, bytes) = (
            self.size(start)?,
            self.size(start + directory.len())? - self.size(start)?,
        );
        directory.put_u32_le(DIRECTORY_END);
        // One disk, and this is it.
        directory.put_bytes(0, 2 + 2);
        directory.put_u16_le(entries);
        directory.put_u16_le(entries);
        directory.put_u32_le(bytes);
        directory.put_u32_le(start);
        // No comment.
        directory.put_u16_le(0);
        Ok(directory.freeze())
    }

    fn size(&self, bytes: usize) -> Result<u32, PortError> {
        let size = u32::try_from(bytes).ok();
        size.filter(|size| *size <= self.bytes_max)
            .ok_or_else(|| self.too_large())
    }
}

/// How far the file has come.
#[derive(Default)]
struct Written {
    entries: usize,
    bytes: usize,
    directory: BytesMut,
}

impl Content for Archive {
    fn open(&self) -> BoxStream<'_, Result<Bytes, PortError>> {
        stream::try_unfold(Written::default(), |written| self.piece(written))
            .map_ok(|pieces| stream::iter(pieces.into_iter().map(Ok)))
            .try_flatten()
            .boxed()
    }
}
