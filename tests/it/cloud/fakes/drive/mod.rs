//! Drive: upload sessions in chunks, lists by name, ids that are given out before, and checksums of what was kept.
//!
//! As the service does, it lets several files have one name, takes an id once, counts what has arrived from the beginning,
//! and lets whoever knows a session write to it.

mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::identity::Issuer;

pub(crate) use routes::router;

/// The folder that the account may write to, in a shared drive.
pub(crate) const FOLDER: &str = "1-Shared_Folder";

/// A folder that somebody shared out of a drive of his own.
pub(crate) const OWN_FOLDER: &str = "1-Folder-Of-Somebody";

/// A file that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) labels: Value,
}

struct Session {
    metadata: Value,
    /// What is asked for of the file.
    fields: String,
    bytes: usize,
    arrived: Vec<u8>,
}

#[derive(Default)]
struct Held {
    files: Vec<Kept>,
    sessions: BTreeMap<String, Session>,
    ids: usize,
    /// Ids that were given out: no other can be taken.
    given: BTreeSet<String>,
    /// Sessions so far: what was forgotten is not given again.
    begun: usize,
    page: usize,
    /// Of the next chunk only this much is kept.
    cut_at: Option<usize>,
    /// Lists that do not show yet what came last.
    blind: usize,
    /// What somebody else uploads while the next session begins.
    racing: Option<Vec<u8>>,
    /// What the next session keeps is not what was sent.
    is_damaging: bool,
    /// The next session continues at another host.
    strays: bool,
    /// What is said of the folder beside what is so.
    folder: Value,
}

/// The files of Drive.
#[derive(Clone)]
pub(crate) struct Folders {
    issuer: Issuer,
    held: Arc<Mutex<Held>>,
}

impl Folders {
    pub(crate) fn new(issuer: Issuer) -> Self {
        let held = Held {
            page: 2,
            ..Held::default()
        };
        Self {
            issuer,
            held: Arc::new(Mutex::new(held)),
        }
    }

    /// Every file in the folder.
    pub(crate) fn files(&self) -> Vec<Kept> {
        self.held.lock().unwrap().files.clone()
    }

    /// The one file of a name that ends so.
    pub(crate) fn one(&self, end: &str) -> Kept {
        let files = self.files();
        let mut found = files.into_iter().filter(|file| file.name.ends_with(end));
        let one = found.next().unwrap_or_else(|| panic!("no {end}"));
        assert!(found.next().is_none(), "more than one {end}");
        one
    }

    /// Puts a file there, as somebody else would.
    pub(crate) fn add(&self, name: &str, bytes: &[u8]) {
        let mut held = self.held.lock().unwrap();
        held.ids += 1;
        let id = format!("other-{}", held.ids);
        held.files.push(Kept {
            id,
            name: name.to_owned(),
            bytes: bytes.to_vec(),
            labels: Value::Null,
        });
    }

    /// Changes the bytes of every file.
    pub(crate) fn change(&self) {
        for file in &mut self.held.lock().unwrap().files {
            file.bytes.push(b'!');
        }
    }

    /// Of the next chunk only this much is kept.
    pub(crate) fn cut_at(&self, bytes: usize) {
        self.held.lock().unwrap().cut_at = Some(bytes);
    }

    /// So many lists do not show what came last.
    pub(crate) fn blind(&self, lists: usize) {
        self.held.lock().unwrap().blind = lists;
    }

    /// While the next session begins, somebody else uploads these bytes under its name.
    pub(crate) fn race(&self, bytes: &[u8]) {
        self.held.lock().unwrap().racing = Some(bytes.to_vec());
    }

    /// What the next session keeps is not what was sent.
    pub(crate) fn damage(&self) {
        self.held.lock().unwrap().is_damaging = true;
    }

    /// The next session continues at another host.
    pub(crate) fn stray(&self) {
        self.held.lock().unwrap().strays = true;
    }

    /// What is said of the folder from now on, where it is something else.
    pub(crate) fn folder(&self, said: Value) {
        self.held.lock().unwrap().folder = said;
    }

    /// No session is known any more.
    pub(crate) fn forget_sessions(&self) {
        self.held.lock().unwrap().sessions.clear();
    }
}
