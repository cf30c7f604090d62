//! A line of the reconciliation over loaded months, in one statement: its balances joined with its targets, and the variances.
//!
//! # Shape
//! One row a company and account that either side has: `company`, `account`, and as texts `actual`, `target` and `variance`. The
//! account is empty where the line is compared as a whole. A side without a row there is null, and no zero.
//!
//! # Method
//! Rows, conditions and sums are those of `sums`. Exact types only: a zero beside a sum takes the sum's type, and a NUMERIC
//! beside a BIGNUMERIC is one itself. No number is cast but to a text, so that no digit is lost.

use std::collections::BTreeMap;

use super::literal;
use super::sums::{counted, counts, judged, sum, wrong};
use crate::domain::amount::Amount;
use crate::domain::contract::Contract;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::contract::Line;
use crate::domain::reconcile::evaluate::Place;
use crate::kernels::reconcile::ReconcileError;
use crate::kernels::reconcile::sums::SumSpec;
use crate::ports::{Cell, SmallTable};

/// The rows of an item that a line compares.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// Full name of the table.
    pub table: String,
    /// The run whose rows count.
    pub run: &'a RunId,
    /// Columns of the table.
    pub contract: &'a Contract,
    /// What is summed.
    pub spec: SumSpec,
}

/// What the warehouse says of a place, in ledger sign and local currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// Balance; `None` where the ledger has no row.
    pub actual: Option<Amount>,
    /// What the targets come to; `None` where they have no row that counts.
    pub target: Option<Amount>,
    /// Actual minus target, where one side has nothing the other alone.
    pub variance: Amount,
}

/// The statement for one line in a month; the sides are those of the contract's actual and of the line's targets. Of the
/// actual only the accounts of the line are taken; accounts of a target that the line does not own are in the answer.
///
/// # Errors
/// [`ReconcileError::Column`] for a column that its contract does not have or that cannot serve.
pub fn query(
    line: &Line,
    period: Period,
    actual: &Side<'_>,
    targets: &[Side<'_>],
) -> Result<String, ReconcileError> {
    let rows = |name: &str, side: &Side<'_>| -> Result<String, ReconcileError> {
        let rows = judged(&side.table, period, side.run, side.contract, &side.spec)?;
        Ok(format!("{name} AS (\n  {rows}\n),\n"))
    };
    let (account, group) = match line.is_split() {
        true => ("account", "company, account"),
        false => ("'' AS account", "company"),
    };
    let mut named = rows("actual_rows", actual)?;
    let mut sums = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let name = format!("target_rows_{place}");
        named.push_str(&rows(&name, target)?);
        sums.push(format!(
            "SELECT company, {account}, {} AS amount\n    FROM {name} GROUP BY {group} HAVING {} > 0",
            amount(&target.spec),
            counts(&counted(&target.spec)),
        ));
    }
    let gls: Vec<String> = line.gls.iter().map(|gl| literal(gl)).collect();
    Ok(format!(
        "WITH {named}actual_sums AS (\n  SELECT company, {account}, {} AS amount\n  \
         FROM actual_rows WHERE account IN ({}) GROUP BY {group}\n),\n\
         target_sums AS (\n  SELECT company, account, SUM(amount) AS amount FROM (\n    {}\n  ) AS sources \
         GROUP BY company, account\n)\n\
         SELECT company, account, CAST(actual_sums.amount AS STRING) AS actual,\n  \
         CAST(target_sums.amount AS STRING) AS target,\n  \
         CAST(IFNULL(actual_sums.amount, 0) - IFNULL(target_sums.amount, 0) AS STRING) AS variance\n\
         FROM actual_sums FULL OUTER JOIN target_sums USING (company, account)",
        amount(&actual.spec),
        gls.join(", "),
        sums.join("\n    UNION ALL\n    "),
    ))
}

/// The whole expression in ledger sign. Rows of which none counts come to zero, as they do in the local sums.
fn amount(spec: &SumSpec) -> String {
    let mut whole = String::new();
    for (place, term) in spec.terms.iter().enumerate() {
        let is_negative = term.negative != spec.negative;
        whole.push_str(match (place, is_negative) {
            (0, false) => "",
            (0, true) => "-",
            (_, false) => " + ",
            (_, true) => " - ",
        });
        whole.push_str(&format!("IFNULL({}, 0)", sum(spec, place)));
    }
    whole
}

/// Reads the answer to [`query`].
///
/// # Errors
/// [`ReconcileError`] for an answer of another shape, which it does not quote, and for a number beyond 38 digits.
pub fn parse(answer: &SmallTable) -> Result<BTreeMap<Place, Joined>, ReconcileError> {
    let other = || {
        let expected = "the variances that were asked for";
        wrong("answer", expected, "something else")
    };
    let number = |cell: &Cell| -> Result<Option<Amount>, ReconcileError> {
        match cell {
            Cell::Null => Ok(None),
            Cell::Text(text) => text.parse::<Amount>().map(Some).map_err(|_| other()),
            _ => Err(other()),
        }
    };
    let mut places = BTreeMap::new();
    for row in &answer.rows {
        let [
            Cell::Text(company),
            Cell::Text(account),
            actual,
            target,
            variance,
        ] = row.as_slice()
        else {
            return Err(other());
        };
        let joined = Joined {
            actual: number(actual)?,
            target: number(target)?,
            variance: number(variance)?.ok_or_else(other)?,
        };
        let place = (company.clone(), account.clone());
        if places.insert(place, joined).is_some() {
            return Err(other());
        }
    }
    Ok(places)
}

#[cfg(test)]
#[path = "variances_tests.rs"]
mod tests;
