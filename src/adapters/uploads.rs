//! Uploaded files: one path an item, said by whoever runs it. Nothing is looked for, and nothing stands in for a file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use crate::domain::ids::IpeId;
use crate::ports::{PortError, PortErrorKind, Upload};

/// Files by item.
#[derive(Debug, Clone, Default)]
pub struct Uploads {
    files: BTreeMap<IpeId, PathBuf>,
}

impl Uploads {
    /// These files.
    #[must_use]
    pub fn new(files: BTreeMap<IpeId, PathBuf>) -> Self {
        Self { files }
    }

    /// Opens the file of an item.
    ///
    /// # Errors
    /// `Config` for an item without a file, and for what is no file; `Denied`, `Unreachable`.
    pub fn open(&self, ipe: &IpeId) -> Result<Upload, PortError> {
        let Some(path) = self.files.get(ipe) else {
            let what = format!("no file was said for {ipe}");
            return Err(
                PortError::new(PortErrorKind::Config, what).hint(format!("say --file {ipe}=PATH"))
            );
        };
        let shown = path.display().to_string();
        let failed = |error: io::Error| {
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            let mut failed = PortError::from(error);
            if is_missing {
                failed = PortError::new(PortErrorKind::Config, "there is no such file")
                    .hint("compare the path of --file with where the file lies");
            }
            failed.at("file", shown.clone())
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
            bytes: metadata.len(),
            content: Box::new(file),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_that_was_said_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("used.csv");
        std::fs::write(&path, "abc").unwrap();
        let item: IpeId = "JDASH".parse().unwrap();
        let of = |path: PathBuf| Uploads::new([(item.clone(), path)].into());
        let upload = of(path).open(&item).unwrap();
        assert_eq!((upload.name.as_str(), upload.bytes), ("used.csv", 3));
        for (uploads, part) in [
            (Uploads::default(), "say --file JDASH=PATH"),
            (of(folder.path().into()), "no file"),
            (of(folder.path().join("other.csv")), "no such file"),
        ] {
            let error = uploads.open(&item).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
