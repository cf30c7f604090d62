//! The reconciliation contract: which accounts are compared with which sources, by which sign and amount, for whom.
//!
//! Read from TOML and checked as a whole ([`super::lint`]); a contract that was read can be computed with.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Confirmation, RuleError, lint};
use crate::domain::contract::Contract;
use crate::domain::digest::sha256_hex;
use crate::domain::ids::IpeId;

/// What the reconciliation compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReconciliationContract {
    /// Name of the control.
    pub id: String,
    /// Version, from 1.
    pub version: u32,
    /// What it is.
    pub title: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
    /// Who confirmed the assumptions; `None` prints every one of them in the report.
    pub confirmed: Option<Confirmation>,
    /// Companies of the scope by code, from which a line may leave some out.
    pub companies: BTreeMap<String, Company>,
    /// Companies known to lie outside the scope: their balances are listed, never compared.
    pub outside: BTreeSet<String>,
    /// Where the balances come from.
    pub actual: Source,
    /// Where the closing rates come from.
    pub rates: RateSource,
    /// The lines, in the order of the report.
    pub lines: Vec<Line>,
}

/// A company of the scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Company {
    /// ISO code of its country, which has thresholds.
    pub country: String,
    /// Currency in which it keeps its books.
    pub currency: String,
}

/// One line of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Name, such as `L1`.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Accounts of the group's chart that it owns.
    pub gls: BTreeSet<String>,
    /// Companies of the scope that it leaves out.
    pub without: BTreeSet<String>,
    /// Whether it is only shown: a memo has no verdict.
    pub memo: bool,
    /// What its accounts must come to.
    pub targets: Vec<Source>,
    /// Bridges that may explain a part of its variance.
    pub bridges: Vec<String>,
    /// What finance has yet to confirm.
    pub assumptions: Vec<String>,
    /// What a reader must know.
    pub note: String,
}

/// Amounts of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The item.
    pub item: IpeId,
    /// Column with the company code.
    pub company: String,
    /// Column with the account of the group's chart, where the amount is split by it.
    pub gl: Option<String>,
    /// Sign that brings the expression into the ledger's.
    pub sign: Sign,
    /// Columns of the amount expression.
    pub amount: Vec<Term>,
    /// Conditions of a row that counts, all of them.
    pub conditions: Vec<Condition>,
}

/// A sign of the ledger: debit positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Sign {
    /// As the source has it.
    #[serde(rename = "+1")]
    Plus,
    /// The other way round.
    #[serde(rename = "-1")]
    Minus,
}

/// A column that is added, or subtracted with a minus before its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Term {
    /// Canonical name.
    pub column: String,
    /// Whether it is subtracted.
    pub negative: bool,
}

/// A column and the texts or whole numbers of which its cell must be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Canonical name.
    pub column: String,
    /// The values; a null is none of them.
    pub is: Vec<Value>,
}

/// A value in a condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Whole number; 0 and 1 for a flag.
    Int(i64),
    /// Text.
    Text(String),
}

/// Closing rates, local currency per US dollar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSource {
    /// The item.
    pub item: IpeId,
    /// Column with the company code.
    pub company: String,
    /// Column with the rate.
    pub rate: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: u32,
    title: String,
    confirmed: Option<Confirmation>,
    companies: BTreeMap<String, Company>,
    #[serde(default)]
    outside: Vec<String>,
    actual: FileSource,
    rates: RateSource,
    line: Vec<FileLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine {
    id: String,
    title: String,
    gls: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    memo: bool,
    target: Vec<FileSource>,
    #[serde(default)]
    bridges: Vec<String>,
    #[serde(default)]
    assumptions: Vec<String>,
    #[serde(default)]
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSource {
    item: IpeId,
    company: String,
    gl: Option<String>,
    #[serde(default = "plus")]
    sign: i8,
    amount: Vec<Term>,
    #[serde(default)]
    only: Vec<Condition>,
}

fn plus() -> i8 {
    1
}

impl TryFrom<String> for Term {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (column, negative) = match text.strip_prefix('-') {
            Some(column) => (column, true),
            None => (text.strip_prefix('+').unwrap_or(&text), false),
        };
        let column = column.trim();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if column.is_empty() || !column.chars().all(is_name) {
            return Err(format!(
                "`{text}` is no column: write its canonical name, with a minus before it where it is subtracted"
            ));
        }
        Ok(Self {
            column: column.to_owned(),
            negative,
        })
    }
}

impl From<Term> for String {
    fn from(term: Term) -> Self {
        let sign = if term.negative { "-" } else { "" };
        format!("{sign}{}", term.column)
    }
}

impl ReconciliationContract {
    /// Reads a contract and checks it against itself.
    ///
    /// # Errors
    /// [`RuleError`] names the line of the contract and the remedy; the first of them.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let refuse = |place: &str, what: String| RuleError {
            file: file.to_owned(),
            place: place.to_owned(),
            what,
        };
        let parsed: File = toml::from_str(text)
            .map_err(|error| refuse("TOML", error.to_string().trim_end().to_owned()))?;
        let source = |place: &str, source: FileSource| {
            let sign = match source.sign {
                1 => Sign::Plus,
                -1 => Sign::Minus,
                other => return Err(refuse(place, format!("sign {other}; write 1 or -1"))),
            };
            Ok(Source {
                item: source.item,
                company: source.company,
                gl: source.gl,
                sign,
                amount: source.amount,
                conditions: source.only,
            })
        };
        let mut lines = Vec::new();
        for line in parsed.line {
            let targets = line.target.into_iter();
            let targets = targets.map(|target| source(&line.id, target));
            lines.push(Line {
                targets: targets.collect::<Result<_, _>>()?,
                gls: set(file, &line.id, line.gls)?,
                without: set(file, &line.id, line.without)?,
                id: line.id,
                title: line.title,
                memo: line.memo,
                bridges: line.bridges,
                assumptions: line.assumptions,
                note: line.note,
            });
        }
        let contract = Self {
            id: parsed.id,
            version: parsed.version,
            title: parsed.title,
            sha256: sha256_hex(text.as_bytes()),
            confirmed: parsed.confirmed,
            companies: parsed.companies,
            outside: set(file, "outside", parsed.outside)?,
            actual: source("actual", parsed.actual)?,
            rates: parsed.rates,
            lines,
        };
        lint::check(file, &contract)?;
        Ok(contract)
    }

    /// Checks that every name of the contract is a column of its item, and of a type that can be computed with. An item
    /// that is not among `items` is not judged: its lines are not concluded.
    ///
    /// # Errors
    /// [`RuleError`], the first.
    pub fn fits(&self, file: &str, items: &BTreeMap<IpeId, &Contract>) -> Result<(), RuleError> {
        lint::fits(file, self, items)
    }

    /// Items that it needs, each once.
    #[must_use]
    pub fn items(&self) -> BTreeSet<IpeId> {
        let targets = self.lines.iter().flat_map(|line| &line.targets);
        let sources = std::iter::once(&self.actual).chain(targets);
        let items = sources.map(|source| source.item.clone());
        items.chain([self.rates.item.clone()]).collect()
    }

    /// The line that owns an account.
    #[must_use]
    pub fn line_of(&self, gl: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.gls.contains(gl))
    }

    /// Companies that a line covers, in their order.
    pub fn scope<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = &'a str> {
        let companies = self.companies.keys().map(String::as_str);
        companies.filter(|company| !line.without.contains(*company))
    }

    /// Assumptions that nobody has confirmed yet, each with its line.
    #[must_use]
    pub fn unconfirmed(&self) -> Vec<(String, String)> {
        if self.confirmed.is_some() {
            return Vec::new();
        }
        let lines = self.lines.iter();
        let all = lines.flat_map(|line| {
            let texts = line.assumptions.iter();
            texts.map(|text| (line.id.clone(), text.clone()))
        });
        all.collect()
    }
}

impl Line {
    /// Whether it is compared account by account: every target says to which one its amount belongs.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.targets.iter().all(|target| target.gl.is_some())
    }
}

/// A list without a repetition, as a set.
fn set(file: &str, place: &str, names: Vec<String>) -> Result<BTreeSet<String>, RuleError> {
    let mut found = BTreeSet::new();
    for name in names {
        if !found.insert(name.clone()) {
            return Err(RuleError {
                file: file.to_owned(),
                place: place.to_owned(),
                what: format!("`{name}` stands twice; take one out"),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "contract_tests.rs"]
mod tests;
