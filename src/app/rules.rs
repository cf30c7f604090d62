//! The rules that a month is judged by: those in the binary, those with a contract of one's own, or a folder in their place.
//!
//! Rules are never mixed file by file: a folder is used whole, and what it lacks is an error.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::domain::reconcile::RuleError;
use crate::domain::run::Stamp;
use crate::pipeline::reconcile::Rules;
use crate::ports::{PortError, PortErrorKind};

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/rules");
static THRESHOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/thresholds");

/// What a contract of one's own is called among the rules.
const OWN_CONTRACT: &str = "rules/reconciliation/";
/// Where rules of each kind lie; a file elsewhere below `rules` is none of ours.
const KINDS: [&str; 4] = [
    "rules/reconciliation/",
    "rules/vouchers/",
    "rules/collections/",
    "thresholds/",
];
/// Files without which nothing can be judged: one below each of these folders, such as the first.
const NEEDED: [(&str, &str); 4] = [
    ("rules/reconciliation/", "v1.toml"),
    ("rules/vouchers/", "v1.toml"),
    ("rules/collections/", "v1.toml"),
    ("thresholds/DEFAULT/", "v1.toml"),
];
/// Folders below each other: the layout has two, and a link to a folder above it must come to an end.
const DEPTH_MAX: usize = 4;

/// Where the rules come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuleChoice {
    /// The newest that are built in.
    BuiltIn,
    /// Those, and the contract of a file in place of theirs.
    Contract(PathBuf),
    /// Those of a folder in the layout of `data`, and none that is built in.
    Folder(PathBuf),
}

impl RuleChoice {
    /// Why a month that is judged by them is no control evidence.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        match self {
            Self::BuiltIn => None,
            Self::Contract(_) => Some(Stamp::ContractOverride),
            Self::Folder(_) => Some(Stamp::RulesOverride),
        }
    }

    /// The rules, or the error that the caller shows; it names a file by the path at which its owner finds it.
    pub(super) fn rules(&self) -> Result<Rules, PortError> {
        let files = match self {
            Self::BuiltIn => Ok(Files::built_in()),
            Self::Contract(path) => Files::with_contract(path),
            Self::Folder(folder) => Files::of_folder(folder),
        };
        files.and_then(Files::read).map_err(|error| {
            PortError::new(PortErrorKind::Config, error.to_string())
                .hint("mend the rules, then reconcile again; nothing was read")
        })
    }
}

/// Writes a copy of the built-in rules into a new folder, in the layout in which a folder of rules is read.
///
/// # Shape
/// The files that were written, in their order.
/// # Errors
/// `Config` for a folder that is there already, which is left as it is, and for one that cannot be written.
pub fn write(folder: &Path) -> Result<Vec<PathBuf>, PortError> {
    let failed = |path: &Path, io: &io::Error| {
        let what = match io.kind() {
            ErrorKind::AlreadyExists => {
                "exists already and is left as it is; choose another name, or move it away first"
                    .to_owned()
            }
            _ => format!("cannot be written: {io}"),
        };
        let what = format!("{}: {what}", path.display());
        PortError::new(PortErrorKind::Config, what)
    };
    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent).map_err(|io| failed(parent, &io))?;
    }
    fs::create_dir(folder).map_err(|io| failed(folder, &io))?;
    let mut written = Vec::new();
    for (place, text) in Files::built_in().texts {
        let file = folder.join(place);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).map_err(|io| failed(parent, &io))?;
        }
        fs::File::create_new(&file)
            .and_then(|mut made| made.write_all(text.as_bytes()))
            .map_err(|io| failed(&file, &io))?;
        written.push(file);
    }
    Ok(written)
}

/// Rule files by their place, such as `rules/reconciliation/v1.toml`.
#[derive(Default)]
struct Files {
    texts: BTreeMap<String, String>,
    /// Path of each that is not built in.
    paths: BTreeMap<String, PathBuf>,
}

fn wrong(path: &Path, what: impl Into<String>) -> RuleError {
    RuleError {
        file: path.display().to_string(),
        place: "file".to_owned(),
        what: what.into(),
    }
}

impl Files {
    fn built_in() -> Self {
        let mut files = Self::default();
        embedded("rules", &RULES, &mut files.texts);
        embedded("thresholds", &THRESHOLDS, &mut files.texts);
        files
    }

    /// The built-in ones, and a contract of one's own in place of theirs.
    fn with_contract(path: &Path) -> Result<Self, RuleError> {
        let mut files = Self::built_in();
        files
            .texts
            .retain(|place, _| !place.starts_with(OWN_CONTRACT));
        let name = path.file_name().unwrap_or(path.as_os_str());
        files.add(format!("{OWN_CONTRACT}{}", name.to_string_lossy()), path)?;
        Ok(files)
    }

    /// Those of a folder alone.
    fn of_folder(root: &Path) -> Result<Self, RuleError> {
        let copy = "`soxauto reconcile --write-rules NEW` writes a copy of the built-in ones";
        if let Err(io) = fs::read_dir(root) {
            return Err(wrong(root, format!("cannot be read: {io}; {copy}")));
        }
        let mut files = Self::default();
        for folder in ["rules", "thresholds"] {
            files.below(root, folder, 0)?;
        }
        for (folder, file) in NEEDED {
            if !files.texts.keys().any(|place| place.starts_with(folder)) {
                let what = format!("is missing, and no built-in rule stands in for it; {copy}");
                return Err(wrong(&root.join(folder).join(file), what));
            }
        }
        Ok(files)
    }

    /// Adds every TOML file below a folder; one that is not there has none.
    fn below(&mut self, root: &Path, folder: &str, depth: usize) -> Result<(), RuleError> {
        let path = root.join(folder);
        let unreadable = |io: io::Error| wrong(&path, format!("cannot be read: {io}"));
        if depth > DEPTH_MAX {
            return Err(wrong(
                &path,
                "lies too deep: rules/KIND and thresholds/COUNTRY hold the files",
            ));
        }
        let entries = match fs::read_dir(&path) {
            Err(io) if io.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(unreadable)?,
        };
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let is_folder = path.is_dir();
            if !is_folder && path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let place = format!("{folder}/{name}");
            if is_folder {
                self.below(root, &place, depth + 1)?;
                continue;
            }
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
            if !place.chars().all(is_plain) {
                let what =
                    "a package cannot hold this name; rename it: letters, digits, `.`, `_`, `-`";
                return Err(wrong(&path, what));
            }
            if !KINDS.iter().any(|kind| place.starts_with(kind)) {
                let what = format!("is no rule; rules lie in {}: move it", KINDS.join(", "));
                return Err(wrong(&path, what));
            }
            self.add(place, &path)?;
        }
        Ok(())
    }

    fn add(&mut self, place: String, path: &Path) -> Result<(), RuleError> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|io| wrong(path, format!("cannot be read: {io}")))?;
        self.paths.insert(place.clone(), path.to_owned());
        self.texts.insert(place, text);
        Ok(())
    }

    fn read(self) -> Result<Rules, RuleError> {
        let shown = |place: String| match self.paths.get(&place) {
            Some(path) => path.display().to_string(),
            None => place,
        };
        let rules = Rules::read(&self.texts).map_err(|error| RuleError {
            file: shown(error.file),
            place: error.place,
            what: error.what,
        })?;
        Ok(Rules {
            place: shown(rules.place.clone()),
            ..rules
        })
    }
}

/// Puts the files of a folder of the binary among the rules, below the name that the folder has in `data`.
fn embedded(name: &str, folder: &Dir<'_>, texts: &mut BTreeMap<String, String>) {
    for file in folder.files() {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            texts.insert(format!("{name}/{path}"), text.to_owned());
        }
    }
    for folder in folder.dirs() {
        embedded(name, folder, texts);
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
