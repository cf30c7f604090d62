//! Names of items and runs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that cannot be a name of the given kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: use {allowed}")]
pub struct IdError {
    /// What was to be named.
    pub kind: &'static str,
    /// The offending text.
    pub text: String,
    /// What may stand there.
    pub allowed: &'static str,
}

/// How the warehouse tables of items begin.
const TABLE_PREFIX: &str = "pg01_validated_ipe_";

/// What stands where items have their name when the published tables of a month are leased.
const PUBLISHED: &str = "SOXAUTO_TABLES";

/// Name of an item of the catalog, such as `IPE_07` or `CR_04`: an upper-case letter, then upper-case letters,
/// digits and underscores, at most 40 in all. Safe in paths, table names and URIs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpeId(String);

impl IpeId {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name under which publications of a month stand in one line, as the runs of an item do under its own. An item
    /// that were called so would stand in the same line and wait for them; nothing else of the two meets.
    #[must_use]
    pub fn of_published() -> Self {
        Self(PUBLISHED.to_owned())
    }

    /// Warehouse table of this item: `pg01_validated_ipe_` and the name in lower case.
    #[must_use]
    pub fn table_name(&self) -> String {
        format!("{TABLE_PREFIX}{}", self.0.to_ascii_lowercase())
    }

    /// The item whose table has this name; `None` for the table of another program.
    #[must_use]
    pub fn of_table(table: &str) -> Option<Self> {
        let item: Self = table
            .strip_prefix(TABLE_PREFIX)?
            .to_ascii_uppercase()
            .parse()
            .ok()?;
        (item.table_name() == table).then_some(item)
    }
}

impl FromStr for IpeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut chars = text.chars();
        let valid = chars.next().is_some_and(|c| c.is_ascii_uppercase())
            && chars.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && text.len() <= 40;
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                kind: "item name",
                text: text.to_owned(),
                allowed: "an upper-case letter, then upper-case letters, digits and `_`, at most 40",
            })
        }
    }
}

impl TryFrom<String> for IpeId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<IpeId> for String {
    fn from(id: IpeId) -> Self {
        id.0
    }
}

impl fmt::Display for IpeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of one run over one period: `20240501T090000Z-1a2b3c4d` (UTC start, then 32 random bits in hex).
/// Sorts by time; safe in paths and labels.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Makes the name of a run that starts at `start` with `random` as its tail.
    #[must_use]
    pub fn new(start: chrono::DateTime<chrono::Utc>, random: u32) -> Self {
        Self(format!("{}-{random:08x}", start.format("%Y%m%dT%H%M%SZ")))
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the run began, to the second; `None` for no name that was ever given.
    #[must_use]
    pub fn started_at(&self) -> Option<chrono::DateTime<chrono::Utc>> {
        let (time, _) = self.0.split_once('-')?;
        Some(began(time).ok()?.and_utc())
    }
}

/// The time with which the name of a run begins.
fn began(text: &str) -> Result<chrono::NaiveDateTime, chrono::ParseError> {
    chrono::NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%SZ")
}

impl FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let valid = text.split_once('-').is_some_and(|(time, tail)| {
            began(time).is_ok()
                && tail.len() == 8
                && tail
                    .chars()
                    .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
        });
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                kind: "run id",
                text: text.to_owned(),
                allowed: "the form 20240501T090000Z-1a2b3c4d",
            })
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Name of a folder that evidence is delivered to, as the service behind it gives names: letters, digits, `-` and `_`, at
/// most 128. Safe in URLs and in questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderId(String);

impl FolderId {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FolderId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if (1..=128).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError {
                kind: "name of a folder",
                text: text.to_owned(),
                allowed: "the last part of the folder's URL: letters, digits, `-` and `_`, at most 128",
            })
        }
    }
}

impl fmt::Display for FolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn folders_are_named_without_their_url() {
        let name = "1aB-c_9";
        assert_eq!(name.parse::<FolderId>().unwrap().as_str(), name);
        let url = "https://drive.google.com/drive/folders/1aB-c_9";
        for bad in ["", "a b", "a'b", "a/b", url, &"a".repeat(129)] {
            assert!(bad.parse::<FolderId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn item_names() {
        assert_eq!(
            "IPE_07".parse::<IpeId>().unwrap().table_name(),
            "pg01_validated_ipe_ipe_07"
        );
        assert_eq!(
            IpeId::of_table("pg01_validated_ipe_cr_04"),
            "CR_04".parse().ok()
        );
        for other in [
            "cr_04",
            "pg01_validated_ipe_CR_04",
            "pg01_validated_ipe_",
            "x",
        ] {
            assert_eq!(IpeId::of_table(other), None, "{other}");
        }
        for bad in ["", "ipe_07", "IPE-07", "7", "A/B", "..", &"A".repeat(41)] {
            assert!(bad.parse::<IpeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn run_ids_read_back_and_nothing_else_does() {
        let start = chrono::Utc.with_ymd_and_hms(2024, 5, 1, 9, 0, 0).unwrap();
        let id = RunId::new(start, 0x1a2b_3c4d);
        assert_eq!(id.as_str(), "20240501T090000Z-1a2b3c4d");
        assert_eq!(id.started_at(), Some(start));
        assert_eq!(id.as_str().parse::<RunId>(), Ok(id));
        for bad in [
            "",
            "20240501T090000Z",
            "20240501T090000Z-1A2B3C4D",
            "../x-00000000",
        ] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
