//! The copy of an uploaded file: pieces in staging, beside the parts, each with its SHA-256. The file itself is read once;
//! whatever else is asked of it is asked of the copy, so that nothing can change between two questions.
//!
//! Memory: one piece while it is copied, and one for each reader.

use std::io::{self, Read};
use std::vec;

use bytes::{Buf as _, Bytes};
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::domain::digest::{hex, sha256_hex};
use crate::domain::uploaded::{FileCopy, FilePiece};
use crate::ports::{PortError, PortErrorKind, StoreRoot, Upload};

/// Path of a piece below the staging root, in the folder of its run.
#[must_use]
pub(crate) fn piece_path(folder: &str, index: usize) -> String {
    format!("{folder}/file-{index:05}.bin")
}

/// Copies a file.
///
/// # Errors
/// `Corrupt` for a file that changes meanwhile; those of disk and storage.
pub(super) async fn copy(
    staging: &StoreRoot,
    folder: &str,
    upload: Upload,
    piece_bytes: usize,
) -> Result<FileCopy, PortError> {
    let mut copy = FileCopy {
        name: upload.name,
        from: upload.from,
        version: upload.version,
        bytes: 0,
        sha256: String::new(),
        pieces: Vec::new(),
    };
    let (mut content, mut whole) = (upload.content, Sha256::new());
    loop {
        let work = move || {
            let piece = fill(content.as_mut(), piece_bytes)?;
            whole.update(&piece);
            let sha256 = sha256_hex(&piece);
            Ok::<_, PortError>((content, whole, piece, sha256))
        };
        let piece;
        let sha256;
        (content, whole, piece, sha256) = spawn_blocking(work).await.map_err(|lost| {
            PortError::new(PortErrorKind::Corrupt, format!("copying the file: {lost}"))
        })??;
        if piece.is_empty() {
            break;
        }
        let path = piece_path(folder, copy.pieces.len());
        let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        staging.create(&path, piece).await?;
        copy.bytes += bytes;
        copy.pieces.push(FilePiece {
            path,
            bytes,
            sha256,
        });
    }
    copy.sha256 = hex(&whole.finalize());
    if copy.bytes != upload.bytes {
        let what = format!(
            "the file had {} bytes when it was opened, and {} were read: it changed meanwhile",
            upload.bytes, copy.bytes
        );
        return Err(PortError::new(PortErrorKind::Corrupt, what)
            .hint("wait until it is written, then run the item again"));
    }
    Ok(copy)
}

/// As many bytes as there are, up to `len`.
fn fill(from: &mut dyn Read, len: usize) -> Result<Bytes, PortError> {
    let limit = u64::try_from(len).unwrap_or(u64::MAX);
    let mut piece = Vec::with_capacity(len);
    from.take(limit).read_to_end(&mut piece)?;
    Ok(piece.into())
}

/// The bytes of a copy, from the first one on, each piece proven by its SHA-256. For blocking threads.
pub(crate) struct Pieces {
    staging: StoreRoot,
    left: vec::IntoIter<FilePiece>,
    piece: Bytes,
    runtime: Handle,
    stop: CancellationToken,
}

impl Pieces {
    /// Begins at the first byte. To be made on an async thread.
    pub(crate) fn of(staging: &StoreRoot, copy: &FileCopy, stop: &CancellationToken) -> Self {
        Self {
            staging: staging.clone(),
            left: copy.pieces.clone().into_iter(),
            piece: Bytes::new(),
            runtime: Handle::current(),
            stop: stop.clone(),
        }
    }

    /// The same, again from the first byte.
    pub(crate) fn again(&self, copy: &FileCopy) -> Self {
        Self {
            staging: self.staging.clone(),
            left: copy.pieces.clone().into_iter(),
            piece: Bytes::new(),
            runtime: self.runtime.clone(),
            stop: self.stop.clone(),
        }
    }

    fn next(&mut self) -> Result<bool, PortError> {
        let Some(piece) = self.left.next() else {
            return Ok(false);
        };
        if self.stop.is_cancelled() {
            let what = "the run was asked to stop while the file was read";
            return Err(PortError::new(PortErrorKind::Limit, what).hint("run the item again"));
        }
        let bytes = self.runtime.block_on(self.staging.get(&piece.path))?;
        if sha256_hex(&bytes) != piece.sha256 {
            let what = "a piece of the file's copy is not what was copied";
            return Err(PortError::new(PortErrorKind::Corrupt, what)
                .at("uri", self.staging.uri_of(&piece.path))
                .hint("the storage changed it, or another program wrote there; run again"));
        }
        self.piece = bytes;
        Ok(true)
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            // An error of ours goes through the reader as it is.
            if !self.next().map_err(io::Error::other)? {
                return Ok(0);
            }
        }
        let len = self.piece.len().min(into.len());
        if let Some(to) = into.get_mut(..len) {
            self.piece.copy_to_slice(to);
        }
        Ok(len)
    }
}
