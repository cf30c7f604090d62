//! What an item reports and is loaded with: a pure function of its record, so that the verifier can make it again.
//!
//! Never holds a load; a finding makes the control's word EXCEPTIONS.

use super::record::ItemRecord;
use crate::domain::finding::Finding;
use crate::domain::population::Population;
use crate::domain::reconcile::result::Code;
use crate::domain::scope::{Scope, ScopeCell};

/// Identifier of the finding of a value that the catalog does not know.
pub const SCOPE_NEW_VALUE: &str = "scope.new_value";

/// All findings, in a fixed order.
#[must_use]
pub fn of(record: &ItemRecord) -> Vec<Finding> {
    let populations = record.population.iter();
    let scopes = populations.flat_map(|p| p.scopes.iter().map(move |scope| (p, scope)));
    scopes
        .flat_map(|(population, scope)| {
            let unknown = scope.unknown();
            unknown.map(move |cell| new_value(population, scope, cell))
        })
        .collect()
}

/// What a finding is about, in the words of the reconciliation.
#[must_use]
pub fn code(finding: &Finding) -> Code {
    match finding.id.as_str() {
        SCOPE_NEW_VALUE => Code::Scope,
        _ => Code::Item,
    }
}

fn new_value(population: &Population, scope: &Scope, cell: &ScopeCell) -> Finding {
    let value = cell.value.as_ref().map_or("no value".to_owned(), |value| {
        format!("the value `{value}`, which ipe.toml does not know")
    });
    let amounts = population.amounts.iter().zip(&cell.sums);
    let amounts: String = amounts
        .map(|(name, sum)| format!(", {name} {sum}"))
        .collect();
    Finding {
        id: SCOPE_NEW_VALUE.to_owned(),
        company: cell.company.clone(),
        what: format!(
            "company `{}`: {} has {value}: {} rows{amounts}",
            cell.company, scope.rule.column, cell.rows
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_value_of_the_scope_is_called_one() {
        let finding = |id: &str| Finding {
            id: id.to_owned(),
            company: "EC_IC".to_owned(),
            what: String::new(),
        };
        assert_eq!(code(&finding(SCOPE_NEW_VALUE)), Code::Scope);
        assert_eq!(code(&finding("transfer.rows")), Code::Item);
    }
}
