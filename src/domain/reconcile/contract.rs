//! The reconciliation contract: which accounts are compared with which sources, by which sign and amount, for whom.
//!
//! Read from TOML (`file`) and checked as a whole (`lint`); a contract that was read can be computed with.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::rate_source::RateSource;
use super::{Confirmation, RuleError, file, lint};
use crate::domain::contract::Contract;
use crate::domain::ids::IpeId;
use crate::domain::patterns::Patterns;
use crate::domain::period::Period;

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
    /// The bridges, in the order of the report.
    pub bridges: Vec<Bridge>,
    /// What must come to nothing whatever the lines say.
    pub zero_checks: Vec<ZeroRule>,
    /// Accounts that no line compares, by number, with the reason.
    pub uncovered: BTreeMap<String, String>,
    /// What finance has yet to confirm of the whole.
    pub assumptions: Vec<Assumption>,
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

/// Something that the contract takes for true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumption {
    /// What.
    pub text: String,
    /// Who of finance confirmed it.
    pub confirmed: Option<Confirmation>,
}

/// One line of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Name, such as `L1`.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Who answers for it, where that is known.
    pub owner: Option<String>,
    /// Accounts of the group's chart that it owns.
    pub gls: BTreeSet<String>,
    /// Companies of the scope that it leaves out.
    pub without: BTreeSet<String>,
    /// Whether it is only shown: a memo has no verdict.
    pub memo: bool,
    /// What its accounts must come to.
    pub targets: Vec<Source>,
    /// Bridges that explain a part of its variance.
    pub bridges: Vec<String>,
    /// What finance has yet to confirm.
    pub assumptions: Vec<Assumption>,
    /// What a reader must know.
    pub note: String,
}

/// Amounts of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Columns of the true key; empty where it is not declared.
    pub key: BTreeSet<String>,
    /// What the item's own query leaves out already, in words.
    pub by_query: Vec<String>,
    /// How its rows that count are matched with entries of the ledger, where they can be.
    pub matching: Option<MatchKeys>,
}

/// Columns by which rows of an item are matched with entries of the ledger, in company and account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchKeys {
    /// Columns of CR_03.
    pub ledger: Vec<String>,
    /// Columns of the item, in the same order.
    pub source: Vec<String>,
    /// Date of the item by which its open rows age.
    pub date: Option<String>,
}

/// A sign of the ledger: debit positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// As the source has it.
    Plus,
    /// The other way round.
    Minus,
    /// Nobody knows: the amount is shown, and subtracted from nothing. Of memos only.
    Unknown,
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

/// A column and what its cell must be. A null is neither inside nor outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Canonical name.
    pub column: String,
    /// What its cell must be.
    pub test: Test,
}

/// What a cell must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// One of these, exactly.
    Is(Vec<Value>),
    /// A text that meets one of these, whatever its case.
    Meets(Patterns),
    /// On this day or later.
    AtLeast(Day),
    /// Before this day.
    Below(Day),
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

/// A day of the period, never one of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// First day of the month.
    Start,
    /// Last day of the month.
    PeriodEnd,
    /// First day of the next month: the cutoff.
    NextStart,
}

/// What a difference may be made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// Name, such as `B1`.
    pub id: String,
    /// What it is.
    pub title: String,
    /// Its line; `None` for a list over all lines.
    pub line: Option<String>,
    /// Whether it explains anything.
    pub effect: Effect,
    /// Items that must have delivered a company for its amount to be known.
    pub inputs: Vec<IpeId>,
    /// Inputs that name no company.
    pub files: Vec<IpeId>,
    /// Amounts that it takes, as `ITEM.column`.
    pub amounts: BTreeSet<String>,
    /// What a reader must know.
    pub note: String,
    /// What finance has yet to confirm.
    pub assumptions: Vec<Assumption>,
}

/// Whether a bridge explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Its amount is subtracted from the variance.
    Explains,
    /// Its rows are listed; it explains nothing.
    Listed,
}

/// Something that must come to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZeroRule {
    /// Name, such as `Z1`.
    pub id: String,
    /// What it says.
    pub title: String,
    /// Items that it needs.
    pub inputs: Vec<IpeId>,
}

impl ReconciliationContract {
    /// Reads a contract and checks it against itself.
    ///
    /// # Errors
    /// [`RuleError`] names the line of the contract and the remedy; the first of them.
    pub fn read(file: &str, text: &str) -> Result<Self, RuleError> {
        let contract = file::read(file, text)?;
        lint::check(file, &contract)?;
        Ok(contract)
    }

    /// Checks every name of the contract against the columns of the items that there are: it must be one, and of a type
    /// that can be computed with; and that no item is unique only by more than its true key. Items that are not among
    /// `items` are [`missing`](Self::missing), not wrong.
    ///
    /// # Errors
    /// [`RuleError`], the first.
    pub fn fits(&self, file: &str, items: &BTreeMap<IpeId, &Contract>) -> Result<(), RuleError> {
        lint::fits(file, self, items)
    }

    /// Items that it needs and that are not among these: nothing that needs them can be concluded.
    #[must_use]
    pub fn missing(&self, items: &BTreeMap<IpeId, &Contract>) -> BTreeSet<IpeId> {
        let needed = self.items().into_iter();
        needed.filter(|item| !items.contains_key(item)).collect()
    }

    /// Items that it needs, each once; those of bridges that explain and of zero checks among them.
    #[must_use]
    pub fn items(&self) -> BTreeSet<IpeId> {
        let targets = self.lines.iter().flat_map(|line| &line.targets);
        let sources = std::iter::once(&self.actual).chain(targets);
        let explaining = self.bridges.iter();
        let explaining = explaining.filter(|bridge| bridge.effect == Effect::Explains);
        let of_bridges = explaining.flat_map(|bridge| bridge.inputs.iter().chain(&bridge.files));
        let of_checks = self.zero_checks.iter().flat_map(|check| &check.inputs);
        sources
            .map(|source| &source.item)
            .chain(of_bridges)
            .chain(of_checks)
            .chain([&self.rates.item])
            .chain(self.rates.compared_with.iter().map(|other| &other.item))
            .cloned()
            .collect()
    }

    /// The line that owns an account.
    #[must_use]
    pub fn line_of(&self, gl: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.gls.contains(gl))
    }

    /// A bridge by its name.
    #[must_use]
    pub fn bridge(&self, id: &str) -> Option<&Bridge> {
        self.bridges.iter().find(|bridge| bridge.id == id)
    }

    /// Companies that a line covers, in their order.
    pub fn scope<'a>(&'a self, line: &'a Line) -> impl Iterator<Item = &'a str> {
        let companies = self.companies.keys().map(String::as_str);
        companies.filter(|company| !line.without.contains(*company))
    }

    /// Assumptions that nobody has confirmed yet, each with its line or bridge; those of the whole with the control's name.
    #[must_use]
    pub fn unconfirmed(&self) -> Vec<(String, String)> {
        let lines = self.lines.iter().map(|line| (&line.id, &line.assumptions));
        let bridges = self.bridges.iter();
        let bridges = bridges.map(|bridge| (&bridge.id, &bridge.assumptions));
        let all = std::iter::once((&self.id, &self.assumptions))
            .chain(lines)
            .chain(bridges);
        let open = all.flat_map(|(place, assumptions)| {
            let open = assumptions.iter().filter(|one| one.confirmed.is_none());
            open.map(|one| (place.clone(), one.text.clone()))
        });
        open.collect()
    }
}

impl Line {
    /// Whether it is compared account by account: every target says to which one its amount belongs.
    #[must_use]
    pub fn is_split(&self) -> bool {
        self.targets.iter().all(|target| target.gl.is_some())
    }
}

impl Source {
    /// Rows are matched inside company and account, those that count and by the ledger's sign: a target that is compared as a
    /// whole over several accounts, or that subtracts, cannot be.
    pub(super) fn matchable(&self, line: &Line) -> Result<(), String> {
        let Some(keys) = &self.matching else {
            return Ok(());
        };
        let item = &self.item;
        if keys.ledger.is_empty() || keys.ledger.len() != keys.source.len() {
            return Err(format!(
                "{item}: `match` names as many columns of the ledger as of the item, at least one"
            ));
        }
        let subtracts = self.amount.iter().any(|term| term.negative);
        let is_one_account = self.gl.is_some() || line.gls.len() == 1;
        if !is_one_account || subtracts || self.sign == Sign::Unknown {
            return Err(format!(
                "{item}: rows are matched inside one account, and none is subtracted; take `match` out"
            ));
        }
        Ok(())
    }
}

impl Day {
    /// The day of a period.
    #[must_use]
    pub fn of(self, period: Period) -> NaiveDate {
        match self {
            Self::Start => period.start(),
            Self::PeriodEnd => period.end(),
            Self::NextStart => period.next_start(),
        }
    }
}

#[cfg(test)]
#[path = "contract_tests.rs"]
mod tests;
