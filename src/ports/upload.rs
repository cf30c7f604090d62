//! A file that somebody uploaded for an item.

use std::fmt;
use std::io::Read;

/// The bytes of a file, from the first one on; they are copied once, and all else is read from the copy.
pub struct Upload {
    /// Its name, without the folder.
    pub name: String,
    /// URI of the object that it is; `None` for a path, which says nothing to other machines.
    pub from: Option<String>,
    /// Which version of the object it is, if the store says one.
    pub version: Option<String>,
    /// Its size in bytes when it was opened.
    pub bytes: u64,
    /// What it holds.
    pub content: Box<dyn Read + Send>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upload({}, {} bytes)", self.name, self.bytes)
    }
}
