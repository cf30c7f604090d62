//! Room on the evidence disk, taken when an item starts and given back just before its package is sealed.
//!
//! Only for `file:` roots. The file lies beside the packages, never inside one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::domain::ids::{IpeId, RunId};
use crate::ports::{PortError, StoreRoot};

/// A file that holds room; removed when it is dropped.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
}

impl Reserve {
    /// Takes `bytes` of room for the package of one item; `None` where the root is no local disk. Blocking.
    ///
    /// # Errors
    /// `Limit` when the disk has no such room left: better to know before the rows are read; `Denied`.
    pub fn take(
        evidence: &StoreRoot,
        ipe: &IpeId,
        run_id: &RunId,
        bytes: usize,
    ) -> Result<Option<Self>, PortError> {
        let Some(folder) = evidence.local_dir() else {
            return Ok(None);
        };
        let path = folder.join(format!(".reserve-{ipe}-{run_id}"));
        let reserve = Self { path };
        // On an error the drop of `reserve` gives back what was written.
        fill(&reserve.path, bytes).map_err(|error| {
            PortError::from(error).at("path", reserve.path.display().to_string())
        })?;
        Ok(Some(reserve))
    }

    /// Gives the room back.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.path.display(), %error, "evidence reserve was not removed");
        }
    }
}

/// Writes bytes that neither a sparse nor a compressing file system stores smaller.
fn fill(path: &PathBuf, bytes: usize) -> io::Result<()> {
    let mut file = File::create(path)?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = Vec::with_capacity(64 << 10);
    let mut left = bytes;
    while left > 0 {
        block.clear();
        while block.len() < left.min(64 << 10) {
            // xorshift64: noise is enough, nothing is secret.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            block.extend_from_slice(&state.to_le_bytes());
        }
        file.write_all(&block)?;
        left = left.saturating_sub(block.len());
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn room_is_really_taken_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let root = StoreRoot {
            store: Arc::new(object_store::memory::InMemory::new()),
            uri: format!("file://{}", dir.path().display()),
        };
        let ipe = "IPE_07".parse().unwrap();
        let run_id = "20240501T090000Z-1a2b3c4d".parse().unwrap();
        let reserve = Reserve::take(&root, &ipe, &run_id, 200_000)
            .unwrap()
            .unwrap();
        let size = fs::metadata(&reserve.path).unwrap().len();
        assert!((200_000..200_016).contains(&size), "{size}");
        reserve.release();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let memory = StoreRoot {
            uri: "memory://".into(),
            ..root
        };
        assert!(Reserve::take(&memory, &ipe, &run_id, 10).unwrap().is_none());
    }
}
