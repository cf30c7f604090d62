//! B4, business lines: customers whose open balance lies on several, and what would move to the largest.
//!
//! Candidates for a look: it moves nothing between ledger and target, so it explains no variance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::amount::Amount;
use crate::kernels::reconcile::cells::{COMPANY, code, grouped};
use crate::kernels::reconcile::{ReconcileError, StagedTable};

/// Column of IPE_07 with the open balance.
const BALANCE: &str = "rem_amt_lcy";
/// A balance below a cent is dust and no line of its own.
const DUST_DIGITS: u8 = 2;

/// Business lines and their balances.
type Lines = Vec<(String, Amount)>;

/// A customer with balances on several business lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reclass {
    /// Company code.
    pub company: String,
    /// Customer number; empty for the rows of a company that name none.
    pub customer: String,
    /// The line of the largest balance, whatever its sign; of equal ones the first by name.
    pub primary: String,
    /// Its balance.
    pub primary_balance: Amount,
    /// The other lines, by name, with the balance that would move. A line without a name is the empty one.
    pub moves: BTreeMap<String, Amount>,
    /// Entries without an amount; they are in no balance.
    pub rows_without_amount: u64,
}

/// Customers with balances on several business lines, by company and number.
///
/// # Shape
/// `entries`: rows of IPE_07 with id_company, customer_no, busline_code, rem_amt_lcy.
/// # Errors
/// [`ReconcileError`] for a missing column and a sum beyond 38 digits.
pub fn reclass(entries: &StagedTable) -> Result<Vec<Reclass>, ReconcileError> {
    let frame = &entries.frame;
    let keys = [
        code(frame, COMPANY)?,
        code(frame, "customer_no")?,
        code(frame, "busline_code")?,
    ];
    let mut customers: BTreeMap<(String, String), (Lines, u64)> = BTreeMap::new();
    for group in grouped(frame, &keys, BALANCE)? {
        let mut keys = group.keys.into_iter().map(Option::unwrap_or_default);
        let (company, customer) = (keys.next(), keys.next());
        let key = (company.unwrap_or_default(), customer.unwrap_or_default());
        let (lines, without_amount) = customers.entry(key).or_default();
        *without_amount += group.without_amount;
        if !is_dust(group.amount) {
            lines.push((keys.next().unwrap_or_default(), group.amount));
        }
    }
    let several = customers
        .into_iter()
        .filter_map(|(key, (lines, rows_without_amount))| {
            // Groups come in the order of their keys; of equal balances the first stays.
            let largest = lines.iter().enumerate().reduce(|largest, line| {
                let size =
                    |(_, (_, amount)): (usize, &(String, Amount))| amount.units().unsigned_abs();
                if size(line) > size(largest) {
                    line
                } else {
                    largest
                }
            });
            let place = largest.map(|(place, _)| place)?;
            let mut moves: BTreeMap<String, Amount> = BTreeMap::new();
            let mut primary = None;
            for (index, (line, balance)) in lines.into_iter().enumerate() {
                if index == place {
                    primary = Some((line, balance));
                } else {
                    moves.insert(line, balance);
                }
            }
            let (primary, primary_balance) = primary?;
            let reclass = Reclass {
                company: key.0,
                customer: key.1,
                primary,
                primary_balance,
                moves,
                rows_without_amount,
            };
            (!reclass.moves.is_empty()).then_some(reclass)
        });
    Ok(several.collect())
}

fn is_dust(amount: Amount) -> bool {
    let digits = amount.scale().checked_sub(DUST_DIGITS);
    let cent = digits.and_then(|digits| 10_u128.checked_pow(u32::from(digits)));
    amount.units() == 0 || cent.is_some_and(|cent| amount.units().unsigned_abs() < cent)
}

#[cfg(test)]
#[path = "reclass_tests.rs"]
mod tests;
