//! A new item: the texts of its two files, ready to edit, and the one place that writes them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::contract::{ColumnType, is_canonical};
use crate::domain::ids::IpeId;
use crate::domain::sql_type::SqlType;

use super::lint::{self, Finding};
use super::{CatalogError, ItemFiles};

/// Longest canonical name.
const NAME_CHARS_MAX: usize = 120;

/// The query of an item that was begun without one: it runs as it stands, on NAV and on the embedded stand-in.
const SKELETON_QUERY: &str = "\
-- params
DECLARE @start date = '2024-04-01';
DECLARE @next_start date = '2024-05-01';
-- end
-- One row per company and entry number: what was posted in the month. Replace tables, columns and condition by your own;
-- keep the select list and the columns of ipe.toml in one order.
SELECT
    src.[id_company],
    src.[Entry No_],
    src.[Posting Date],
    src.[Amount]
FROM [AIG_Nav_DW].[dbo].[G_L Entries] AS src
WHERE src.[Posting Date] >= @start
    AND src.[Posting Date] < @next_start
";

/// A column of a new contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftColumn {
    /// Name in the result set.
    pub source: String,
    /// Type as the server says it.
    pub sql_type: String,
    /// Whether nulls are possible.
    pub nullable: bool,
    /// What it means.
    pub description: String,
}

/// What a new item is made of, besides its query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftHead {
    /// Name of the item and its folder.
    pub id: IpeId,
    /// What it is, in one line.
    pub title: String,
    /// Name of the secret.
    pub secret: String,
    /// Canonical names of the true key.
    pub key: Vec<String>,
    /// Canonical name of the company column.
    pub company: String,
}

/// A new item, not yet written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    head: DraftHead,
    columns: Vec<DraftColumn>,
    query: String,
}

impl Draft {
    /// An item to begin with, over a table that every NAV warehouse has.
    #[must_use]
    pub fn skeleton(id: IpeId, title: String, secret: String) -> Self {
        let column = |source: &str, sql_type: &str, description: &str| DraftColumn {
            source: source.to_owned(),
            sql_type: sql_type.to_owned(),
            nullable: false,
            description: description.to_owned(),
        };
        Self {
            head: DraftHead {
                id,
                title,
                secret,
                key: vec!["id_company".to_owned(), "entry_no".to_owned()],
                company: "id_company".to_owned(),
            },
            columns: vec![
                column("id_company", "varchar(20)", "Company code"),
                column(
                    "Entry No_",
                    "int",
                    "Number of the entry, unique in a company",
                ),
                column("Posting Date", "datetime", "Posting date"),
                column(
                    "Amount",
                    "decimal(38,20)",
                    "Amount in local currency, debit positive",
                ),
            ],
            query: SKELETON_QUERY.to_owned(),
        }
    }

    /// An item over a query, with the columns that the server describes.
    #[must_use]
    pub fn of_query(head: DraftHead, columns: Vec<DraftColumn>, query: String) -> Self {
        Self {
            head,
            columns,
            query,
        }
    }

    /// Everything that the lint says about it.
    #[must_use]
    pub fn lint(&self) -> Vec<Finding> {
        lint::item(&ItemFiles {
            place: self.head.id.to_string(),
            folder: self.head.id.to_string(),
            toml: self.toml(),
            query: self.query.clone(),
            population: None,
            witness: None,
        })
    }

    /// Makes the item's folder below `catalog` and gives its path.
    ///
    /// # Errors
    /// [`CatalogError`] when the folder exists already, or cannot be written; nothing is ever overwritten.
    pub fn write(&self, catalog: &Path) -> Result<PathBuf, CatalogError> {
        let folder = catalog.join(self.head.id.as_str());
        let failed = |path: &Path, io: &std::io::Error| {
            let what = match io.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    "exists already and is left as it is; choose another name, or move it away first".to_owned()
                }
                _ => format!("cannot be written: {io}"),
            };
            CatalogError::new(path.to_string_lossy(), what)
        };
        fs::create_dir_all(catalog).map_err(|io| failed(catalog, &io))?;
        fs::create_dir(&folder).map_err(|io| failed(&folder, &io))?;
        for (name, text) in [("ipe.toml", self.toml()), ("query.sql", self.query.clone())] {
            let file = folder.join(name);
            fs::write(&file, text).map_err(|io| failed(&file, &io))?;
        }
        Ok(folder)
    }

    /// The text of `ipe.toml`.
    #[must_use]
    pub fn toml(&self) -> String {
        let DraftHead {
            id,
            title,
            secret,
            key,
            company,
        } = &self.head;
        let list = |texts: &[String]| {
            let quoted: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            quoted.join(", ")
        };
        let mut text = format!(
            "# What the item is, what it is compared with, and what it leaves out on purpose.\n\
             id = {}\ntitle = {}\nsecret = {}\ndatabases = [{}]\n\n\
             [contract]\nversion = 1\nkey = [{}]\ncompany = {}\n",
            quoted(id.as_str()),
            quoted(title),
            quoted(secret),
            list(&lint::databases(&self.query)),
            list(key),
            quoted(company),
        );
        let names = canonical_names(self.columns.iter().map(|column| column.source.as_str()));
        for (column, name) in self.columns.iter().zip(names) {
            let nullable = if column.nullable {
                ""
            } else {
                "nullable = false\n"
            };
            let amount = if is_amount(&column.sql_type) {
                "amount = true\n"
            } else {
                ""
            };
            text.push_str(&format!(
                "\n[[contract.columns]]\nsource = {}\nname = {}\ntype = {}\n{nullable}{amount}description = {}\n",
                quoted(&column.source),
                quoted(&name),
                quoted(&column.sql_type),
                quoted(&column.description),
            ));
        }
        text
    }
}

/// Findings of a query alone, before it is shown to a server.
#[must_use]
pub fn lint_query(place: &str, text: &str) -> Vec<Finding> {
    lint::query(place.to_owned(), text)
}

/// The databases that a query names.
#[must_use]
pub fn databases_of(query: &str) -> Vec<String> {
    lint::databases(query)
}

/// Exact numbers with a fraction are summed until somebody says otherwise.
fn is_amount(sql_type: &str) -> bool {
    let carrier = sql_type
        .parse::<SqlType>()
        .ok()
        .and_then(|sql_type| ColumnType::of(&sql_type));
    matches!(carrier, Some(ColumnType::Decimal { scale: 1.., .. }))
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Canonical names of source names: snake case, legal in BigQuery, each unique.
pub fn canonical_names<'a>(sources: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for source in sources {
        let base = canonical(source);
        let mut name = base.clone();
        let mut number = 2;
        while names.contains(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

fn canonical(source: &str) -> String {
    let lower = source.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name: String = words.join("_").chars().take(NAME_CHARS_MAX - 5).collect();
    match name.as_str() {
        "" => "unnamed".to_owned(),
        legal if is_canonical(legal) => name,
        _ => format!("c_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skeleton() -> Draft {
        Draft::skeleton(
            "CR_99".parse().unwrap(),
            "A \"new\" item".into(),
            "S".into(),
        )
    }

    #[test]
    fn a_skeleton_has_no_finding_and_reads_back() {
        assert_eq!(skeleton().lint(), []);
        let dir = tempfile::tempdir().unwrap();
        skeleton().write(dir.path()).unwrap();
        let catalog = crate::catalog::Catalog::read(dir.path()).unwrap();
        let item = catalog.items().next().unwrap();
        assert_eq!(
            (item.id.as_str(), item.title.as_str()),
            ("CR_99", "A \"new\" item")
        );
        assert_eq!(item.contract.amounts().count(), 1);
    }

    #[test]
    fn nothing_is_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("CR_99");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("query.sql"), "mine").unwrap();
        let error = skeleton().write(dir.path()).unwrap_err().to_string();
        assert!(error.contains("CR_99: exists already"), "{error}");
        assert_eq!(
            fs::read_to_string(folder.join("query.sql")).unwrap(),
            "mine"
        );
        assert!(!folder.join("ipe.toml").exists());
    }

    #[test]
    fn canonical_names_are_legal_and_unique() {
        let sources = [
            "Entry No_",
            "Opco/Central_?",
            "rem_amt_LCY",
            "Amount (LCY)",
            "1st",
            "Côte",
            "%",
            "entry_no",
        ];
        let names = canonical_names(sources.into_iter());
        let expected = [
            "entry_no",
            "opco_central",
            "rem_amt_lcy",
            "amount_lcy",
            "c_1st",
            "c_te",
            "unnamed",
            "entry_no_2",
        ];
        assert_eq!(names, expected);
        assert!(names.iter().all(|name| is_canonical(name)));
    }
}
