//! The check of accuracy by witnesses: a pure function of what the source said by key and what was staged.

use super::record::ItemRecord;
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::witness::{Why, Witness, WitnessAudit};

/// Identifier of the check that rows, read again by key, are staged as the source has them.
pub const ACCURACY_POSITIVE: &str = "accuracy.positive";

/// Every witness is at the source once, staged once, and equal in every compared column.
pub(super) fn check(record: &ItemRecord) -> CheckResult {
    let kind = CheckKind::Accuracy;
    let Some(audit) = &record.witnesses else {
        if record.witnesses_defined {
            return CheckResult::not_run(ACCURACY_POSITIVE, kind, "not reached");
        }
        let why = "the catalog defines no witnesses for this item: 0 rows";
        return CheckResult::not_applicable(ACCURACY_POSITIVE, kind, why, 0);
    };
    let rows = record.source_totals.as_ref().map(|totals| totals.rows());
    if audit.witnesses.is_empty() && rows == Some(0) {
        let why = "the item has 0 rows this month: nothing to draw from";
        return CheckResult::not_applicable(ACCURACY_POSITIVE, kind, why, 0);
    }
    let mut findings = without_witness(record, audit);
    findings.extend(audit.witnesses.iter().filter_map(finding));
    CheckResult::of_findings(
        ACCURACY_POSITIVE,
        kind,
        summary(audit),
        u64::try_from(audit.witnesses.len()).unwrap_or(u64::MAX),
        findings,
    )
}

fn summary(audit: &WitnessAudit) -> String {
    let given = audit
        .witnesses
        .iter()
        .filter(|witness| witness.why.contains(&Why::Given))
        .count();
    let given = audit.sample.as_ref().map_or_else(String::new, |(file, _)| {
        format!(", {given} of them from {file}")
    });
    format!(
        "{} witnesses{given} read again by key: {} columns as staged",
        audit.witnesses.len(),
        audit.columns.len()
    )
}

/// Companies that have rows and no witness; one whose base rows each become several has none to draw.
fn without_witness(record: &ItemRecord, audit: &WitnessAudit) -> Vec<String> {
    let companies = record
        .source_totals
        .iter()
        .flat_map(|totals| &totals.groups);
    let is_drawn = |company: &str| {
        audit
            .witnesses
            .iter()
            .any(|witness| witness.company == company)
    };
    let is_undrawable = |company: &str| {
        let cells = record
            .population
            .iter()
            .flat_map(|population| &population.cells);
        let mut kept = cells.filter(|cell| cell.company == company && cell.kept.iter().all(|k| *k));
        kept.any(|cell| cell.rows != cell.delivered)
    };
    let missing = companies
        .filter(|(company, group)| group.rows > 0 && !is_drawn(company) && !is_undrawable(company));
    missing
        .map(|(company, group)| {
            format!("company `{company}`: no witness among {} rows", group.rows)
        })
        .collect()
}

fn finding(witness: &Witness) -> Option<String> {
    let Witness {
        key,
        source,
        staged,
        differing,
        ..
    } = witness;
    let of = |what: &str| Some(format!("{key}: {what}"));
    match (source.rows, staged.rows) {
        (0, 0) => of("neither at the source nor staged"),
        (0, _) => of("staged, and not at the source when it is asked by key"),
        (1, 0) => of("at the source, and not staged"),
        (1, 1) if differing.is_empty() && source.sha256 == staged.sha256 => None,
        (1, 1) => of(&format!("differs in {}", differing.join(", "))),
        (1, staged) => of(&format!("1 row at the source, {staged} staged")),
        (at_source, staged) => of(&format!(
            "the key is not unique in the source: {at_source} rows there, {staged} staged"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::witness::Seen;

    fn witness(source: Seen, staged: Seen, differing: &[&str]) -> Witness {
        Witness {
            company: "X".into(),
            why: vec![Why::Random],
            key: "id = 1".into(),
            key_hash: "00".into(),
            source,
            staged,
            differing: differing.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn seen(rows: u64, sha256: &str) -> Seen {
        let sha256 = (rows == 1).then(|| sha256.to_owned());
        Seen {
            rows,
            sha256,
            amounts: vec![],
        }
    }

    #[test]
    fn only_one_equal_row_on_both_sides_is_no_finding() {
        let found =
            |source, staged, differing: &[&str]| finding(&witness(source, staged, differing));
        assert_eq!(found(seen(1, "a"), seen(1, "a"), &[]), None);
        let differs = found(seen(1, "a"), seen(1, "b"), &["amount"]);
        assert_eq!(differs.as_deref(), Some("id = 1: differs in amount"));
        for (source, staged) in [(0, 0), (0, 1), (1, 0), (2, 1), (1, 2)] {
            assert!(
                found(seen(source, "a"), seen(staged, "a"), &[]).is_some(),
                "{source} {staged}"
            );
        }
        let twice = found(seen(2, "a"), seen(2, "a"), &[]).unwrap();
        assert!(twice.contains("the key is not unique in the source: 2 rows there, 2 staged"));
        let staged_twice = found(seen(1, "a"), seen(2, "a"), &[]).unwrap();
        assert!(!staged_twice.contains("not unique"), "{staged_twice}");
        // A record that lists nothing as different and yet has two hashes was changed.
        assert!(found(seen(1, "a"), seen(1, "b"), &[]).is_some());
    }
}
