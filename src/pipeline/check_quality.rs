//! The check of an item's rules: a pure function of what was counted.

use super::record::ItemRecord;
use crate::domain::check::{CheckKind, CheckResult};

/// Identifier of the check that the values of the rows meet the rules of the item.
pub const QUALITY_RULES: &str = "quality.rules";

/// Every rule of `ipe.toml`, over all rows.
pub(super) fn check(record: &ItemRecord) -> CheckResult {
    let kind = CheckKind::Contract;
    let rules = &record.quality_rules;
    if rules.is_empty() {
        let why = "ipe.toml declares no rule: 0 conditions looked at";
        return CheckResult::not_applicable(QUALITY_RULES, kind, why, 0);
    }
    let (Some(seen), Some(staged)) = (&record.quality, &record.staged) else {
        return CheckResult::not_run(QUALITY_RULES, kind, "not all rows were seen");
    };
    let conditions = rules.conditions();
    let findings = rules.findings(seen, &staged.totals, record.context.period);
    let summary =
        format!("{conditions} conditions of ipe.toml on numbers, days and how much is filled");
    CheckResult::of_findings(QUALITY_RULES, kind, summary, conditions, findings)
}
