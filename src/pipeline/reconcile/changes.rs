//! What is not as it was in the judgement that a month is compared with.

use std::collections::BTreeMap;

use super::Rules;
use super::inputs::Packaged;
use super::judgement::Judgement;
use crate::domain::digest::sha256_hex;
use crate::domain::ids::IpeId;
use crate::domain::reconcile::drift::{Drift, Sealed, since};
use crate::domain::reconcile::result::Reconciliation;
use crate::domain::reconcile::statement::{Change, Input};

/// The rule files with their hashes.
pub(super) fn hashes(rules: &Rules) -> BTreeMap<String, String> {
    let files = rules.files.iter();
    files
        .map(|(place, text)| (place.clone(), sha256_hex(text.as_bytes())))
        .collect()
}

/// What is not as it was in the judgement that the month is compared with: definitions of items, rules with their hashes, and
/// versions of thresholds that somebody named.
pub(super) fn changes(
    last: Option<&Judgement>,
    packages: &BTreeMap<IpeId, Packaged>,
    rules: &Rules,
    hashes: &BTreeMap<String, String>,
) -> Vec<Change> {
    let Some(last) = last else {
        return Vec::new();
    };
    let inputs = last.reconciled.inputs.iter();
    let before: BTreeMap<String, String> = inputs
        .map(|input| (definition(&input.item), input.definition_sha256.clone()))
        .collect();
    let now = packages.iter().map(|(item, package)| {
        let sha256 = package.record.definition_sha256.clone();
        (definition(item), sha256)
    });
    let mut changes = differing(&before, &now.collect());
    changes.extend(differing(&last.reconciled.rules, hashes));
    let (before, now) = (&last.reconciled.pins, rules.thresholds.pins());
    changes.extend(differing(&pinned(before), &pinned(now)));
    changes
}

/// How versions that somebody named are called among the changes.
fn pinned(pins: &BTreeMap<String, u32>) -> BTreeMap<String, String> {
    let pins = pins.iter();
    let named = pins.map(|(country, version)| {
        let what = format!("pinned thresholds of {country}");
        (what, format!("v{version}"))
    });
    named.collect()
}

/// Rows, totals, columns and lines that are not as they were in the judgement that the month is compared with; `None` without
/// one.
pub(super) fn drift(
    last: Option<&Judgement>,
    items: &[Input],
    result: &Reconciliation,
) -> Option<Drift> {
    let last = last.map(|last| Sealed {
        items: &last.reconciled.items,
        result: &last.reconciled.result,
    });
    since(last, Sealed { items, result })
}

/// How the definition of an item is called among the changes.
fn definition(item: &IpeId) -> String {
    format!("definition of {item}")
}

fn differing(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<Change> {
    let mut names: Vec<&String> = before.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let all = names.into_iter().map(|name| Change {
        what: name.clone(),
        before: before.get(name).cloned(),
        now: now.get(name).cloned(),
    });
    all.filter(|change| change.before != change.now).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::reconcile::history::tests::rules;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    #[test]
    fn a_version_that_somebody_named_is_a_change() {
        let mut before = judged(month::clean());
        let now = rules();
        let period = before.period();
        before.reconciled.rules = hashes(&now);
        let of = |before: &Judgement, now: &Rules| {
            changes(Some(before), &BTreeMap::new(), now, &hashes(now))
        };
        assert!(of(&before, &now).is_empty());
        let pins = BTreeMap::from([("DEFAULT".to_owned(), 1)]);
        let pinned = now.clone().pinned(&pins, period).unwrap();
        let named = Change {
            what: "pinned thresholds of DEFAULT".to_owned(),
            before: None,
            now: Some("v1".to_owned()),
        };
        assert_eq!(of(&before, &pinned), [named]);
        before.reconciled.pins = pins;
        assert!(of(&before, &pinned).is_empty());
        assert_eq!(of(&before, &now).len(), 1, "it is named no more");
    }
}
