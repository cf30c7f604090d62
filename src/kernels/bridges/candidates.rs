//! Vouchers that meet the conditions of a bridge, one by one: their key, amount and date.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use polars::prelude::{DataFrame, DataType, Expr, IntoLazy as _, NULL, col, lit, when};

use super::ListedRow;
use crate::domain::amount::Amount;
use crate::domain::patterns::{Patterns, TextTest};
use crate::kernels::frame::{guarded, texts, whole_numbers};
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::cells::{COMPANY, code, dtype, key, optional_texts, units};
use crate::kernels::reconcile::filter::{Condition, all, day_of, instant};
use crate::kernels::vouchers::meets;

/// Column with the voucher's number.
pub(super) const ID: &str = "id";
/// Column with what a voucher is for.
pub(super) const BUSINESS_USE: &str = "business_use";

/// Amount and day of a row.
type Facts = (Option<Amount>, Option<NaiveDate>);

/// A voucher that can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) company: String,
    pub(super) key: String,
    pub(super) amount: Amount,
    pub(super) day: Option<NaiveDate>,
}

/// Vouchers of one company that cannot be counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Doubtful {
    /// Rows that a null leaves undecided.
    pub(super) undecided: u64,
    /// Vouchers without a key, without an amount, or of a key that stands there twice.
    pub(super) rows: Vec<ListedRow>,
}

/// What meets the conditions.
#[derive(Debug, Clone)]
pub(super) struct Candidates {
    pub(super) scale: u8,
    pub(super) rows: Vec<Candidate>,
    pub(super) doubtful: BTreeMap<String, Doubtful>,
    /// The rows behind it, for the audit of the join.
    pub(super) frame: DataFrame,
}

/// Vouchers of some business uses that meet conditions.
pub(super) struct Wanted<'a> {
    pub(super) uses: &'a Patterns,
    pub(super) conditions: Vec<Condition>,
    pub(super) amount: &'a str,
    /// A date that is read too.
    pub(super) day: Option<&'a str>,
}

/// Reads them, in the order of company and key.
pub(super) fn candidates(
    vouchers: &DataFrame,
    wanted: &Wanted<'_>,
) -> Result<Candidates, ReconcileError> {
    let uses = meets(
        vouchers,
        &TextTest {
            column: BUSINESS_USE.to_owned(),
            is: wanted.uses.clone(),
        },
    )?;
    let met = uses.and(all(&wanted.conditions, vouchers)?);
    let units = units(vouchers, wanted.amount)?;
    let day = match wanted.day {
        Some(day) => instant(vouchers, day)?,
        None => lit(NULL).cast(DataType::Int128),
    };
    let columns: [Expr; 5] = [
        code(vouchers, COMPANY)?.alias("company"),
        key(vouchers, ID)?.alias("key"),
        units.expr.alias("units"),
        day.alias("day"),
        // Undecided rows stay, to be counted.
        when(met.clone())
            .then(lit("in"))
            .otherwise(
                when(met.is_null())
                    .then(lit("undecided"))
                    .otherwise(lit("out")),
            )
            .alias("met"),
    ];
    let doing = || format!("choosing vouchers by {}", wanted.amount);
    let frame = guarded(doing, || {
        let chosen = vouchers.clone().lazy().select(columns);
        chosen.filter(col("met").neq(lit("out"))).collect()
    })?;
    let day_type = wanted.day.map(|day| dtype(vouchers, day)).transpose()?;
    let mut candidates = Candidates {
        scale: units.scale,
        rows: Vec::new(),
        doubtful: BTreeMap::new(),
        frame: guarded(doing, || {
            let met = col("met").eq(lit("in"));
            frame.clone().lazy().filter(met).collect()
        })?,
    };
    candidates.read(&frame, day_type.as_ref(), wanted.amount)?;
    Ok(candidates)
}

impl Candidates {
    fn read(
        &mut self,
        frame: &DataFrame,
        day_type: Option<&DataType>,
        amount: &str,
    ) -> Result<(), ReconcileError> {
        let keys = optional_texts(frame, "key")?;
        let cells = whole_numbers(frame, "units")?.into_iter();
        let cells = cells.zip(whole_numbers(frame, "day")?);
        let rows = texts(frame, "company")?.into_iter().zip(keys);
        let rows = rows.zip(texts(frame, "met")?).zip(cells);
        let mut by_key: BTreeMap<(String, Option<String>), Vec<Facts>> = BTreeMap::new();
        for (((company, key), met), (units, day)) in rows {
            if met != "in" {
                self.doubtful.entry(company).or_default().undecided += 1;
                continue;
            }
            let cell = units.map(|units| Amount::new(units, self.scale));
            let cell = cell.transpose().map_err(ReconcileError::summing(amount))?;
            let day = day_type
                .zip(day)
                .and_then(|(dtype, day)| day_of(dtype, day));
            by_key.entry((company, key)).or_default().push((cell, day));
        }
        for ((company, key), rows) in by_key {
            match (key, rows.as_slice()) {
                (Some(key), [(Some(amount), day)]) => self.rows.push(Candidate {
                    company,
                    key,
                    amount: *amount,
                    day: *day,
                }),
                (key, rows) => {
                    let key = key.unwrap_or_default();
                    let listed = rows.iter().map(|(amount, _)| ListedRow {
                        key: key.clone(),
                        amount: *amount,
                    });
                    self.doubtful
                        .entry(company)
                        .or_default()
                        .rows
                        .extend(listed);
                }
            }
        }
        Ok(())
    }
}
