//! The values by which a population is filtered or classified, against the list that the catalog knows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::amount::Amount;

/// A column and the values that were approved for it: the list stands in version control (ADR 22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRule {
    /// Name of the column as `population.sql` delivers it.
    pub column: String,
    /// Known values, compared by their code points.
    pub known: BTreeSet<String>,
}

/// Rows of one company that have one value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeCell {
    /// Company code.
    pub company: String,
    /// The value without trailing blanks.
    pub value: Option<String>,
    /// Rows of the base table.
    pub rows: u64,
    /// Sums, in the order of the population's amounts.
    pub sums: Vec<Amount>,
}

/// What the base table has in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// What was asked.
    pub rule: ScopeRule,
    /// What was found.
    pub cells: Vec<ScopeCell>,
}

impl Scope {
    /// Rows by company.
    #[must_use]
    pub fn rows(&self) -> BTreeMap<String, u64> {
        let mut rows = BTreeMap::new();
        for cell in &self.cells {
            *rows.entry(cell.company.clone()).or_default() += cell.rows;
        }
        rows
    }

    /// What is not in the list; a row without a value never is.
    pub fn unknown(&self) -> impl Iterator<Item = &ScopeCell> {
        let known = &self.rule.known;
        self.cells.iter().filter(|cell| {
            let value = cell.value.as_ref();
            value.is_none_or(|value| !known.contains(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_list_is_unknown_to_the_letter() {
        let cell = |value: Option<&str>| ScopeCell {
            company: "X".into(),
            value: value.map(str::to_owned),
            rows: 2,
            sums: vec![],
        };
        let scope = Scope {
            rule: ScopeRule {
                column: "G".into(),
                known: ["NAT".to_owned(), String::new()].into(),
            },
            cells: vec![
                cell(Some("NAT")),
                cell(Some("")),
                cell(Some("nat")),
                cell(None),
            ],
        };
        let unknown: Vec<_> = scope.unknown().map(|cell| cell.value.as_deref()).collect();
        assert_eq!(unknown, [Some("nat"), None]);
        assert_eq!(scope.rows()["X"], 8);
    }
}
