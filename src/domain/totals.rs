//! Control totals: rows and exact sums per company.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::amount::{Amount, AmountError};

/// Rows and sums of one company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTotals {
    /// Rows.
    pub rows: u64,
    /// Exact sums, in the order of [`ControlTotals::amounts`]; nulls add nothing.
    pub sums: Vec<Amount>,
}

/// Control totals of a table.
///
/// # Shape
/// One group per company code without trailing spaces; rows whose company is null stand under the empty text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotals {
    /// Canonical names of the summed columns, in contract order.
    pub amounts: Vec<String>,
    /// Totals by company.
    pub groups: BTreeMap<String, GroupTotals>,
}

/// A sum that cannot be held exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sum of `{column}` for company `{company}` cannot be held: {source}")]
pub struct TotalsError {
    /// Canonical column name.
    pub column: String,
    /// Company code.
    pub company: String,
    /// Why.
    pub source: AmountError,
}

impl ControlTotals {
    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.groups.values().map(|group| group.rows).sum()
    }

    /// Adds the totals of a disjoint part.
    ///
    /// # Errors
    /// [`TotalsError`] when a sum leaves 38 digits or scales differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), TotalsError> {
        if self.groups.is_empty() && self.amounts.is_empty() {
            self.amounts.clone_from(&other.amounts);
        }
        for (company, theirs) in &other.groups {
            let Some(ours) = self.groups.get_mut(company) else {
                self.groups.insert(company.clone(), theirs.clone());
                continue;
            };
            ours.rows += theirs.rows;
            for ((sum, added), column) in ours.sums.iter_mut().zip(&theirs.sums).zip(&self.amounts)
            {
                *sum = sum.checked_add(*added).map_err(|source| TotalsError {
                    column: column.clone(),
                    company: company.clone(),
                    source,
                })?;
            }
        }
        Ok(())
    }

    /// Every difference to `other`, one sentence each; empty when equal.
    #[must_use]
    pub fn differences(&self, other: &Self, ours: &str, theirs: &str) -> Vec<String> {
        let mut found = Vec::new();
        if self.amounts != other.amounts {
            found.push(format!(
                "summed columns differ: {ours} {}, {theirs} {}",
                self.amounts.join(", "),
                other.amounts.join(", ")
            ));
        }
        let mut companies: Vec<&String> = self.groups.keys().chain(other.groups.keys()).collect();
        companies.sort();
        companies.dedup();
        for company in companies {
            match (self.groups.get(company), other.groups.get(company)) {
                (Some(a), Some(b)) => self.compare_group(company, a, b, (ours, theirs), &mut found),
                (Some(a), None) => found.push(format!(
                    "company `{company}`: {} rows only in {ours}",
                    a.rows
                )),
                (None, Some(b)) => found.push(format!(
                    "company `{company}`: {} rows only in {theirs}",
                    b.rows
                )),
                (None, None) => {}
            }
        }
        found
    }

    fn compare_group(
        &self,
        company: &str,
        a: &GroupTotals,
        b: &GroupTotals,
        (ours, theirs): (&str, &str),
        found: &mut Vec<String>,
    ) {
        if a.rows != b.rows {
            found.push(format!(
                "company `{company}`: {} rows in {ours}, {} in {theirs}",
                a.rows, b.rows
            ));
        }
        if a.sums.len() != b.sums.len() {
            found.push(format!(
                "company `{company}`: {} sums in {ours}, {} in {theirs}",
                a.sums.len(),
                b.sums.len()
            ));
        }
        for ((left, right), column) in a.sums.iter().zip(&b.sums).zip(&self.amounts) {
            if left != right {
                found.push(format!(
                    "company `{company}`: sum of {column} is {left} in {ours}, {right} in {theirs}"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(company: &str, rows: u64, sum: &str) -> ControlTotals {
        ControlTotals {
            amounts: vec!["amount".into()],
            groups: BTreeMap::from([(
                company.to_owned(),
                GroupTotals {
                    rows,
                    sums: vec![sum.parse().unwrap()],
                },
            )]),
        }
    }

    #[test]
    fn merge_adds_rows_and_sums() {
        let mut all = ControlTotals::default();
        all.merge(&totals("EC_NG", 2, "1.50")).unwrap();
        all.merge(&totals("EC_NG", 1, "-2.00")).unwrap();
        all.merge(&totals("EC_KE", 1, "7.00")).unwrap();
        assert_eq!(all.rows(), 4);
        assert_eq!(all.groups["EC_NG"].sums[0].to_string(), "-0.50");
    }

    #[test]
    fn a_sum_beyond_38_digits_names_its_column() {
        let top = "9".repeat(38);
        let mut all = totals("EC_NG", 1, &top);
        let error = all.merge(&totals("EC_NG", 1, "1")).unwrap_err();
        assert!(
            error.to_string().contains("`amount` for company `EC_NG`"),
            "{error}"
        );
    }

    #[test]
    fn every_difference_is_listed_and_equality_is_silent() {
        let a = totals("EC_NG", 2, "1.50");
        assert_eq!(a.differences(&a, "source", "decoded"), Vec::<String>::new());
        let mut b = totals("EC_NG", 3, "1.51");
        b.merge(&totals("EC_KE", 1, "0.00")).unwrap();
        assert_eq!(
            a.differences(&b, "source", "decoded"),
            vec![
                "company `EC_KE`: 1 rows only in decoded",
                "company `EC_NG`: 2 rows in source, 3 in decoded",
                "company `EC_NG`: sum of amount is 1.50 in source, 1.51 in decoded",
            ]
        );
    }
}
