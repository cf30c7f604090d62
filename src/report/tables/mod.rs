//! Every table of a statement in one model, from which page, workbook, CSV, JSON and Parquet are written.
//!
//! Amounts keep all their digits. A table without rows is a table: that nothing is there is said.

mod around;
mod behind;
mod bridges;
mod doubts;
mod drift;
mod first;
mod listed;
mod rows;
mod rules;
mod write;

use chrono::{NaiveDate, NaiveDateTime};

use super::entries;
use super::material::Material;
use super::words::Language;
use crate::domain::amount::Amount;

pub(super) use first::thresholds;
pub use write::{TableError, csv, json, parquet};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name in files: lower case with underscores.
    pub name: &'static str,
    /// Heading for people.
    pub title: &'static str,
    /// Columns, at least one.
    pub columns: Vec<Column>,
    /// Rows, each with one cell a column.
    pub rows: Vec<Vec<Cell>>,
    /// Rows that are not among them, because fewer were asked for.
    pub left: usize,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name in files: lower case with underscores, the same in every language.
    pub name: String,
    /// Heading for people.
    pub label: String,
    /// What its cells are.
    pub kind: Kind,
    /// Whether its cells may be added.
    pub adds: Adds,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Exact decimal number, debit positive where it is money of the ledger.
    Amount,
    /// Exact decimal number that is no debit and no credit, such as a rate or a threshold.
    Number,
    /// Whole number.
    Count,
    /// Day.
    Date,
    /// Day and time, UTC where a person or program said it, as stored where a source did.
    Moment,
}

/// Whether the cells of a column may be added: over the rows that are no memo, where the column `memo` says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adds {
    /// Never.
    No,
    /// All of them.
    All,
    /// Those of one currency, which the column `currency` says.
    ByCurrency,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing is known, or there is nothing to say.
    None,
    /// Text.
    Text(String),
    /// Exact decimal number.
    Amount(Amount),
    /// Whole number.
    Count(i64),
    /// Day.
    Date(NaiveDate),
    /// Day and time.
    Moment(NaiveDateTime),
}

impl Table {
    pub(super) fn new(name: &'static str, title: &'static str, columns: Vec<Column>) -> Self {
        Self {
            name,
            title,
            columns,
            rows: Vec::new(),
            left: 0,
        }
    }

    /// Adds rows as long as there is room for them, and counts the others.
    fn fill<T>(
        &mut self,
        rows_max: usize,
        found: impl ExactSizeIterator<Item = T>,
        row: impl FnMut(T) -> Vec<Cell>,
    ) {
        let room = rows_max.saturating_sub(self.rows.len());
        self.left += found.len().saturating_sub(room);
        self.rows.extend(found.take(room).map(row));
    }

    /// Place of a column.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl Column {
    pub(super) fn new(name: impl Into<String>, label: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            kind,
            adds: Adds::No,
        }
    }

    pub(super) fn adds(mut self, adds: Adds) -> Self {
        self.adds = adds;
        self
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Amount> for Cell {
    fn from(amount: Amount) -> Self {
        Self::Amount(amount)
    }
}

impl From<u64> for Cell {
    fn from(count: u64) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

impl From<NaiveDate> for Cell {
    fn from(date: NaiveDate) -> Self {
        Self::Date(date)
    }
}

impl From<NaiveDateTime> for Cell {
    fn from(moment: NaiveDateTime) -> Self {
        Self::Moment(moment)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

/// Builds columns of a language: name, heading in English, heading in French.
#[derive(Clone, Copy)]
struct Columns(Language);

impl Columns {
    fn of(self, kind: Kind, name: &str, english: &str, french: &str) -> Column {
        Column::new(name, self.0.pick(english, french), kind)
    }

    fn text(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Text, name, english, french)
    }

    fn count(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Count, name, english, french)
    }

    fn number(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Number, name, english, french)
    }

    fn moment(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Moment, name, english, french)
    }

    /// An amount of the company's currency, which is added by currency.
    fn local(self, name: &str, english: &str, french: &str) -> Column {
        let column = self.of(Kind::Amount, name, english, french);
        column.adds(Adds::ByCurrency)
    }

    /// An amount of the company's currency on either side: rows of both sides together come to nothing that says anything.
    fn either(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Amount, name, english, french)
    }

    /// An amount in dollars.
    fn dollars(self, name: &str, english: &str, french: &str) -> Column {
        self.of(Kind::Amount, name, english, french).adds(Adds::All)
    }

    /// Age of a bucket, which it has of its only candidate.
    fn age(self) -> Column {
        self.count(
            "age_months",
            "Age of the only candidate, months",
            "Âge de la seule ligne candidate, mois",
        )
    }

    fn line(self) -> Column {
        self.text("line", "Line", "Ligne")
    }

    fn company(self) -> Column {
        self.text("company", "Company", "Société")
    }

    fn gl(self) -> Column {
        self.text("gl", "Account", "Compte")
    }

    fn currency(self) -> Column {
        self.text("currency", "Currency", "Devise")
    }

    /// Line, company, account and currency: the place of a bucket.
    fn place(self) -> Vec<Column> {
        vec![self.line(), self.company(), self.gl(), self.currency()]
    }
}

/// Every table of a statement: first those of page one in its order, then what is behind them.
///
/// # Errors
/// What cannot be written as JSON, which the fingerprint is taken of.
pub fn tables(material: Material<'_>, language: Language) -> Result<Vec<Table>, serde_json::Error> {
    tables_up_to(material, language, usize::MAX)
}

/// The same with the first rows alone of tables that have one for each voucher or customer: there may be millions.
///
/// # Errors
/// As [`tables`].
pub(super) fn tables_up_to(
    material: Material<'_>,
    language: Language,
    rows_max: usize,
) -> Result<Vec<Table>, serde_json::Error> {
    let fingerprint = material.statement.fingerprint()?;
    let mut all = first::tables(material, language, &fingerprint);
    all.push(entries::proposed(material.statement, language));
    all.extend(behind::tables(material, language, rows_max));
    Ok(all)
}

#[cfg(test)]
mod beside_tests;
#[cfg(test)]
mod tests;
