//! Items whose rows somebody uploads as a file of text: how such a file may be written, and what was found in one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text_file::encoding::Encoding;
use super::text_file::lines::LineForm;

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Pipe,
}

impl Separator {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// The character.
    #[must_use]
    pub fn character(self) -> char {
        char::from(self.byte())
    }

    /// The same as a byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }

    /// As people write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Pipe => "pipe",
        }
    }
}

/// What stands before the fraction of an amount; the other of the two may stand between thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `1,234.50`
    Point,
    /// `1.234,50`
    Comma,
}

impl DecimalMark {
    /// The character.
    #[must_use]
    pub fn character(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// As people write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Point => "decimal-point",
            Self::Comma => "decimal-comma",
        }
    }
}

/// How a day is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2024-04-30`
    #[default]
    Iso,
    /// `30/04/2024`
    DayFirst,
}

impl DateOrder {
    /// As people write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Iso => "iso",
            Self::DayFirst => "day-first",
        }
    }
}

/// The words of a declared form, for whoever wrote another one.
pub const FORM_WORDS: &str = "utf-8, utf-16 or windows-1252; comma, semicolon, tab or pipe; decimal-point or \
                              decimal-comma; iso or day-first";

/// What somebody declares of how a file is written; the rest is found out, or is an error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredForm {
    /// Encoding.
    pub encoding: Option<Encoding>,
    /// Separator.
    pub separator: Option<Separator>,
    /// Decimal mark.
    pub decimal: Option<DecimalMark>,
    /// Order of days; ISO unless it is said: no file shows it for sure.
    pub dates: Option<DateOrder>,
}

impl DeclaredForm {
    /// What is declared here, and elsewhere where it is not.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            encoding: self.encoding.or(other.encoding),
            separator: self.separator.or(other.separator),
            decimal: self.decimal.or(other.decimal),
            dates: self.dates.or(other.dates),
        }
    }
}

impl FromStr for DeclaredForm {
    type Err = String;

    /// Reads words joined by `+`, such as `semicolon+decimal-comma+day-first`.
    fn from_str(text: &str) -> Result<Self, String> {
        fn once<T>(slot: &mut Option<T>, value: T, word: &str) -> Result<(), String> {
            match slot.replace(value) {
                None => Ok(()),
                Some(_) => Err(format!("`{word}` says again what another word says")),
            }
        }
        let mut form = Self::default();
        for word in text.split('+') {
            let separator = Separator::ALL
                .into_iter()
                .find(|known| known.word() == word);
            match (word, separator) {
                (_, Some(separator)) => once(&mut form.separator, separator, word)?,
                ("utf-8", _) => once(&mut form.encoding, Encoding::Utf8, word)?,
                ("utf-16", _) => once(&mut form.encoding, Encoding::Utf16, word)?,
                ("windows-1252", _) => once(&mut form.encoding, Encoding::Windows1252, word)?,
                ("decimal-point", _) => once(&mut form.decimal, DecimalMark::Point, word)?,
                ("decimal-comma", _) => once(&mut form.decimal, DecimalMark::Comma, word)?,
                ("iso", _) => once(&mut form.dates, DateOrder::Iso, word)?,
                ("day-first", _) => once(&mut form.dates, DateOrder::DayFirst, word)?,
                _ => {
                    return Err(format!(
                        "`{word}` is no word for a form: write {FORM_WORDS}"
                    ));
                }
            }
        }
        Ok(form)
    }
}

/// A column of an item that the file may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileColumn {
    /// Canonical name.
    pub name: String,
    /// Names in the first line that mean it, whatever the case and the spaces around them.
    pub headers: Vec<String>,
    /// Whether the file must have it.
    pub required: bool,
    /// Whether its texts are identifiers, which a spreadsheet or a float may have spoiled.
    pub identifier: bool,
    /// Whether a negative value is refused.
    pub not_negative: bool,
}

/// How an item is read from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDefinition {
    /// Canonical name of the column that holds the line of the file, from 1.
    pub line: String,
    /// The columns that the file may have.
    pub columns: Vec<FileColumn>,
    /// Companies that must be in a file that names companies.
    pub companies: Vec<String>,
    /// What is declared of the form.
    pub form: DeclaredForm,
}

/// Where a column stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedColumn {
    /// Canonical name.
    pub name: String,
    /// Field of a line, from 0; `None` where the file does not have it.
    pub field: Option<usize>,
}

/// How the bytes of a file become rows: all that a second reader needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileLayout {
    /// Encoding.
    pub encoding: Encoding,
    /// Separator.
    pub separator: Separator,
    /// Decimal mark.
    pub decimal: DecimalMark,
    /// Order of days.
    pub dates: DateOrder,
    /// Fields of every line.
    pub fields: usize,
    /// Canonical name of the column that holds the line.
    pub line: String,
    /// Every other column of the contract, in its order.
    pub columns: Vec<PlacedColumn>,
}

impl FileLayout {
    /// How fields stand in a line.
    #[must_use]
    pub fn line_form(&self) -> LineForm {
        LineForm {
            delimiter: self.separator.character(),
            quotes: true,
        }
    }

    /// Field of a column, from 0.
    #[must_use]
    pub fn field_of(&self, name: &str) -> Option<usize> {
        let placed = self.columns.iter().find(|column| column.name == name);
        placed.and_then(|column| column.field)
    }
}

/// What was found in a file, and why it was taken so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFound {
    /// How it is read.
    pub layout: FileLayout,
    /// Why each part of the form is what it is: encoding, separator, decimal mark, order of days.
    pub reasons: Vec<String>,
    /// Names in its first line that mean no column; they are not read.
    pub left_out: Vec<String>,
    /// Lines.
    pub lines: u64,
    /// Rows.
    pub rows: u64,
}

/// A piece of the copy of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePiece {
    /// Path below the staging root.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, in hex.
    pub sha256: String,
}

/// The copy of a file that all else is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Name of the file that was copied, without its folder.
    pub name: String,
    /// URI of the object that was copied; `None` for a file of a machine, and in packages that are older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Version of that object: its generation, or the tag of its content where the store has no generations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of all bytes, in hex.
    pub sha256: String,
    /// The pieces, which joined are the file.
    pub pieces: Vec<FilePiece>,
}

/// What the record of an item says of its file; what was not reached is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Companies that must be in a file that names companies.
    pub expected: Vec<String>,
    /// What was declared of its form.
    pub declared: DeclaredForm,
    /// The copy.
    pub copy: Option<FileCopy>,
    /// What was found in it.
    pub found: Option<FileFound>,
}

impl FileRecord {
    /// What is known before the file is opened.
    #[must_use]
    pub fn begun(definition: &FileDefinition) -> Self {
        Self {
            expected: definition.companies.clone(),
            declared: definition.form,
            copy: None,
            found: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_words_in_any_order() {
        let form: DeclaredForm = "semicolon+day-first+decimal-comma+windows-1252"
            .parse()
            .unwrap();
        let expected = DeclaredForm {
            encoding: Some(Encoding::Windows1252),
            separator: Some(Separator::Semicolon),
            decimal: Some(DecimalMark::Comma),
            dates: Some(DateOrder::DayFirst),
        };
        assert_eq!(form, expected);
        let tab: DeclaredForm = "tab".parse().unwrap();
        let both = tab.or(expected);
        assert_eq!(both.separator, Some(Separator::Tab));
        assert_eq!(both.dates, Some(DateOrder::DayFirst));
        for wrong in ["", "tab+comma", "iso+day-first", "utf8", "tab+", "decimal"] {
            assert!(wrong.parse::<DeclaredForm>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_copy_of_an_older_package_reads_and_is_written_as_it_was() {
        let old = r#"{"name":"used.csv","bytes":3,"sha256":"ab","pieces":[]}"#;
        let copy: FileCopy = serde_json::from_str(old).unwrap();
        assert_eq!((&copy.from, &copy.version), (&None, &None));
        assert_eq!(serde_json::to_string(&copy).unwrap(), old);
        let new = FileCopy {
            from: Some("gs://files/used.csv".to_owned()),
            version: Some("7".to_owned()),
            ..copy
        };
        let text = serde_json::to_string(&new).unwrap();
        assert_eq!(serde_json::from_str::<FileCopy>(&text).unwrap(), new);
    }
}
