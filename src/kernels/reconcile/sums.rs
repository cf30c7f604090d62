//! Amounts by company and account: the sum of an amount expression over the rows that meet all conditions, exactly.
//!
//! # Method
//! Each column of the expression is summed in its own scale, in two halves that no number of rows overflows; only the
//! finished sums are brought to one scale and added. A row without one of its amounts is counted and adds nothing.

use std::collections::BTreeMap;

use bytes::Bytes;
use polars::prelude::{
    DataFrame, DataType, Expr, Field, IntoLazy as _, NULL, Schema, col, len, lit, when,
};

use super::ReconcileError;
use super::cells::{Units, code, count, counts, numbers, units, wrong};
use super::filter::{Condition, all};
use super::signed;
use super::table::frames;
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::kernels::expressions::{self, Halves, split_units};
use crate::kernels::frame::{guarded, texts};

/// What is summed of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SumSpec {
    /// Column with the company code.
    pub company: String,
    /// Column with the account, where the sum is split by it.
    pub account: Option<String>,
    /// Whether the whole expression enters with the other sign.
    pub negative: bool,
    /// Columns that are added or subtracted.
    pub terms: Vec<Term>,
    /// Conditions of a row that counts.
    pub conditions: Vec<Condition>,
}

/// A column of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Canonical column name.
    pub column: String,
    /// Whether it is subtracted.
    pub negative: bool,
}

/// To what an amount belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SumKey {
    /// Company code without blanks at its end; empty where a row names none.
    pub company: String,
    /// Account, where the sum is split by it; empty where a row names none.
    pub account: Option<String>,
}

/// What the rows of one company and account say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// In ledger sign.
    pub amount: Amount,
    /// Rows that it is the sum of.
    pub rows: u64,
    /// Rows that meet all conditions and lack an amount: no part of the sum, and a finding.
    pub rows_without_amount: u64,
    /// Rows that a null in a condition leaves undecided: no part of the sum, and a finding.
    pub rows_undecided: u64,
    /// All rows, also those that the conditions exclude.
    pub rows_seen: u64,
}

/// Sums of a whole table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Fraction digits of all amounts.
    pub scale: u8,
    /// By company and account; every one that has a row.
    pub groups: BTreeMap<SumKey, Sum>,
}

/// Rows of one company, over all accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompanyRows {
    /// All rows.
    pub seen: u64,
    /// Rows in sums.
    pub counted: u64,
    /// Rows that would be in sums and lack an amount.
    pub without_amount: u64,
    /// Rows that a null leaves undecided.
    pub undecided: u64,
}

impl Sums {
    /// Rows by company.
    #[must_use]
    pub fn companies(&self) -> BTreeMap<String, CompanyRows> {
        let mut companies: BTreeMap<String, CompanyRows> = BTreeMap::new();
        for (key, sum) in &self.groups {
            let rows = companies.entry(key.company.clone()).or_default();
            rows.seen += sum.rows_seen;
            rows.counted += sum.rows;
            rows.without_amount += sum.rows_without_amount;
            rows.undecided += sum.rows_undecided;
        }
        companies
    }
}

/// A running sum over parts.
#[derive(Debug, Clone)]
pub struct Summing {
    spec: SumSpec,
    schema: Schema,
    names: Vec<String>,
    scales: Vec<u8>,
    groups: BTreeMap<SumKey, Group>,
}

#[derive(Debug, Clone, Default)]
struct Group {
    counted: u64,
    without_amount: u64,
    undecided: u64,
    seen: u64,
    terms: Vec<Halves>,
}

impl Summing {
    /// Begins with no rows.
    ///
    /// # Errors
    /// [`ReconcileError::Column`] for a column that the contract does not have, a term that is no exact number, and an
    /// expression without a term.
    pub fn new(spec: SumSpec, contract: &Contract) -> Result<Self, ReconcileError> {
        if spec.terms.is_empty() {
            return Err(wrong("amount", "an expression of columns", "empty"));
        }
        let terms = spec.terms.iter().map(|term| &term.column);
        let conditions = spec.conditions.iter().map(|condition| &condition.column);
        let named = std::iter::once(&spec.company).chain(&spec.account);
        let mut names: Vec<String> = Vec::new();
        for name in named.chain(terms).chain(conditions) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let mut schema = Schema::default();
        for name in &names {
            let column = contract.column(name);
            let column =
                column.ok_or_else(|| wrong(name, "a column of the contract", "missing"))?;
            let field = Field::new(name.as_str().into(), expressions::dtype(column.column_type));
            schema.insert(field.name, field.dtype);
        }
        // On no rows, so that a mistake of types shows before the first part does.
        let none = DataFrame::empty_with_schema(&schema);
        let scales = spec.terms.iter();
        let scales = scales.map(|term| Ok(units(&none, &term.column)?.scale));
        let scales = scales.collect::<Result<_, ReconcileError>>()?;
        let mut summing = Self {
            spec,
            schema,
            names,
            scales,
            groups: BTreeMap::new(),
        };
        summing.add_frame(&none)?;
        Ok(summing)
    }

    /// Adds one part.
    ///
    /// # Errors
    /// [`ReconcileError`]; the sum is spent then.
    pub fn add(&mut self, bytes: Bytes) -> Result<(), ReconcileError> {
        let (schema, names) = (self.schema.clone(), self.names.clone());
        for frame in frames(bytes, &schema, &names)? {
            self.add_frame(&frame?)?;
        }
        Ok(())
    }

    /// Adds what another sum of the same expression has found in other parts.
    ///
    /// # Errors
    /// [`ReconcileError::Column`] when it sums something else.
    pub fn merge(&mut self, other: Self) -> Result<(), ReconcileError> {
        if (&other.spec, &other.scales) != (&self.spec, &self.scales) {
            return Err(wrong("amount", "the same expression", "another one"));
        }
        for (key, group) in other.groups {
            self.add_group(key, group);
        }
        Ok(())
    }

    /// The sums of all parts added.
    ///
    /// # Errors
    /// [`ReconcileError::Amount`] names the column of a sum beyond 38 digits.
    pub fn finish(self) -> Result<Sums, ReconcileError> {
        let scale = self.scales.iter().copied().max().unwrap_or_default();
        let mut groups = BTreeMap::new();
        for (key, group) in self.groups {
            let mut amount = Amount::zero(scale);
            for ((halves, term), own) in group.terms.iter().zip(&self.spec.terms).zip(&self.scales)
            {
                let sum = halves.amount(*own).and_then(|sum| sum.rescale(scale));
                let sum = sum.and_then(|sum| signed(sum, term.negative != self.spec.negative));
                amount = sum
                    .and_then(|sum| amount.checked_add(sum))
                    .map_err(ReconcileError::summing(&term.column))?;
            }
            let sum = Sum {
                amount,
                rows: group.counted,
                rows_without_amount: group.without_amount,
                rows_undecided: group.undecided,
                rows_seen: group.seen,
            };
            groups.insert(key, sum);
        }
        Ok(Sums { scale, groups })
    }

    /// Adds the rows of a frame.
    pub(in crate::kernels) fn add_frame(
        &mut self,
        frame: &DataFrame,
    ) -> Result<(), ReconcileError> {
        let company = code(frame, &self.spec.company)?.alias("company");
        let account = match &self.spec.account {
            Some(account) => code(frame, account)?,
            None => lit(""),
        };
        let met = all(&self.spec.conditions, frame)?;
        let terms = self.spec.terms.iter();
        let terms: Vec<Units> = terms
            .map(|term| units(frame, &term.column))
            .collect::<Result<_, _>>()?;
        let whole = terms.iter().fold(lit(true), |whole, term| {
            whole.and(term.expr.clone().is_not_null())
        });
        let column = |place: usize| format!("term_{place}");
        let cells = terms.iter().enumerate();
        let cells = cells.map(|(place, term)| term.expr.clone().alias(column(place)));
        let rows = [
            company,
            account.alias("account"),
            met.alias("met"),
            whole.alias("whole"),
        ];
        let rows: Vec<Expr> = rows.into_iter().chain(cells).collect();
        let counted = || col("met").and(col("whole"));
        let sums = (0..terms.len()).flat_map(|place| {
            let cell = when(counted()).then(col(column(place)));
            let none = lit(NULL);
            split_units(&cell.otherwise(none), place)
        });
        let aggregates = [
            len().cast(DataType::Int128).alias("seen"),
            count(counted(), "counted"),
            count(col("met").and(col("whole").not()), "without_amount"),
            count(col("met").is_null(), "undecided"),
        ];
        let aggregates: Vec<Expr> = aggregates.into_iter().chain(sums).collect();
        let found = guarded(
            || format!("summing {}", self.names.join(", ")),
            || {
                let rows = frame.clone().lazy().select(rows);
                let groups = rows.group_by([col("company"), col("account")]);
                groups.agg(aggregates).collect()
            },
        )?;
        self.add_found(&found)
    }

    fn add_found(&mut self, found: &DataFrame) -> Result<(), ReconcileError> {
        let (companies, accounts) = (texts(found, "company")?, texts(found, "account")?);
        let [seen, counted, without_amount, undecided] =
            ["seen", "counted", "without_amount", "undecided"].map(|name| counts(found, name));
        let (seen, counted) = (seen?, counted?);
        let (without_amount, undecided) = (without_amount?, undecided?);
        let mut halves = Vec::with_capacity(self.scales.len());
        for place in 0..self.scales.len() {
            let high = numbers(found, &format!("high_{place}"))?;
            halves.push((high, numbers(found, &format!("low_{place}"))?));
        }
        let at = |counts: &[u64], index: usize| counts.get(index).copied().unwrap_or_default();
        for (index, (company, account)) in companies.into_iter().zip(accounts).enumerate() {
            let key = SumKey {
                company,
                account: self.spec.account.is_some().then_some(account),
            };
            let terms = halves.iter().map(|(high, low)| {
                let mut sum = Halves::default();
                if let (Some(high), Some(low)) = (high.get(index), low.get(index)) {
                    sum.add(*high, *low);
                }
                sum
            });
            let group = Group {
                terms: terms.collect(),
                counted: at(&counted, index),
                without_amount: at(&without_amount, index),
                undecided: at(&undecided, index),
                seen: at(&seen, index),
            };
            self.add_group(key, group);
        }
        Ok(())
    }

    fn add_group(&mut self, key: SumKey, added: Group) {
        let group = self.groups.entry(key).or_default();
        group.counted += added.counted;
        group.without_amount += added.without_amount;
        group.undecided += added.undecided;
        group.seen += added.seen;
        group.terms.resize(self.scales.len(), Halves::default());
        for (sum, term) in group.terms.iter_mut().zip(added.terms) {
            sum.merge(term);
        }
    }
}

#[cfg(test)]
#[path = "sums_tests.rs"]
mod tests;
