//! A scratch file without a name: it is removed from its folder as soon as it is open, so that a killed process leaves
//! nothing behind and no other program finds it.
//!
//! The file lies in a folder that the caller names; where that folder is kept in memory, what waits there is memory.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::ports::{PortError, PortErrorKind, Scratch};

/// Bytes that wait in a file; it is made with the first of them.
#[derive(Debug)]
pub struct ScratchFile {
    folder: PathBuf,
    name: String,
    open: Mutex<Option<(File, u64)>>,
}

impl ScratchFile {
    /// A file in a folder that is there. `name` is free there, such as that of the run.
    #[must_use]
    pub fn new(folder: &Path, name: &str) -> Self {
        Self {
            folder: folder.to_owned(),
            name: name.to_owned(),
            open: Mutex::new(None),
        }
    }

    fn create(&self) -> io::Result<File> {
        let path = self.folder.join(format!("{}.scratch", self.name));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }

    fn failed(&self, doing: &str, error: &io::Error) -> PortError {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortErrorKind::Limit,
            io::ErrorKind::UnexpectedEof => PortErrorKind::Corrupt,
            _ => PortErrorKind::Denied,
        };
        PortError::new(
            kind,
            format!("the scratch file could not be {doing}: {error}"),
        )
        .at("folder", self.folder.display().to_string())
        .hint("name a folder of a disk with room, which this user may write")
    }
}

impl Scratch for ScratchFile {
    fn append(&self, bytes: &[u8]) -> Result<u64, PortError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error| self.failed("written", &error);
        let (file, end) = match &mut *open {
            Some(open) => open,
            None => open.insert((self.create().map_err(failed)?, 0)),
        };
        let at = *end;
        // Reading moves the place in the file, so it is found again; a write that failed halfway is written over.
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        *end += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(at)
    }

    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), PortError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |error| self.failed("read", &error);
        let Some((file, _)) = &mut *open else {
            return Err(failed(io::ErrorKind::UnexpectedEof.into()));
        };
        file.seek(SeekFrom::Start(at)).map_err(failed)?;
        file.read_exact(into).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_read_back_and_no_file_is_to_be_seen() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = ScratchFile::new(dir.path(), "r");
        let (first, second) = (
            scratch.append(b"abc").unwrap(),
            scratch.append(b"de").unwrap(),
        );
        let mut read = [0; 2];
        scratch.read(second, &mut read).unwrap();
        assert_eq!(&read, b"de");
        scratch.read(first + 1, &mut read).unwrap();
        assert_eq!(&read, b"bc");
        let third = scratch.append(b"fg").unwrap();
        scratch.read(third, &mut read).unwrap();
        assert_eq!(&read, b"fg");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn more_than_was_written_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let scratch = ScratchFile::new(dir.path(), "r");
        let mut read = [0; 4];
        let nothing = scratch.read(0, &mut read).unwrap_err();
        assert_eq!(nothing.kind, PortErrorKind::Corrupt);
        scratch.append(b"abc").unwrap();
        let short = scratch.read(0, &mut read).unwrap_err();
        assert_eq!(short.kind, PortErrorKind::Corrupt);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        let error = ScratchFile::new(&gone, "r").append(b"abc").unwrap_err();
        assert!(
            error.to_string().contains(gone.to_str().unwrap()),
            "{error}"
        );
    }
}
