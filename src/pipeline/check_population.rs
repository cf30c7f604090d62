//! The checks of population and of accuracy by exclusion: pure functions of what the source said and what was staged.

use std::collections::BTreeMap;

use super::record::ItemRecord;
use super::{check_freshness, check_scope, check_sequence};
use crate::domain::check::{CheckKind, CheckResult};
use crate::domain::population::Population;
use crate::domain::uploaded::FileRecord;

/// Identifier of the check that the funnel starts from every row of the base table, once.
pub const POPULATION_BASE: &str = "population.base";
/// Identifier of the check that the funnel ends at the extract, exactly.
pub const POPULATION_EXTRACT: &str = "population.extract";
/// Identifier of the check that every expected company delivered, or has an evidenced zero.
pub const POPULATION_COMPANIES: &str = "population.companies";
/// Identifier of the check that running numbers neither repeat nor have disappeared since last month; it counts the gaps.
pub const POPULATION_SEQUENCE: &str = "population.sequence";
/// Identifier of the check that the source is as fresh as the catalog asks.
pub const POPULATION_FRESHNESS: &str = "population.freshness";
/// Identifier of the check that the values of the declared columns were counted for every row; what is new among them is
/// a finding and holds nothing.
pub const POPULATION_SCOPE: &str = "population.scope";
/// What the identifier of a check of one predicate begins with; its place in the funnel follows, from 1.
pub const ACCURACY_NEGATIVE: &str = "accuracy.negative";

/// All checks of the population, in a fixed order.
pub(super) fn checks(record: &ItemRecord) -> Vec<CheckResult> {
    let fixed = [
        POPULATION_BASE,
        POPULATION_EXTRACT,
        POPULATION_COMPANIES,
        POPULATION_SEQUENCE,
        POPULATION_FRESHNESS,
        POPULATION_SCOPE,
    ];
    if let Some(file) = &record.file {
        return fixed.map(|id| of_file(record, file, id)).into();
    }
    let Some(population) = &record.population else {
        return fixed
            .map(|id| {
                if record.population_defined {
                    return CheckResult::not_run(id, CheckKind::Population, "not reached");
                }
                let why = "the catalog defines no population for this item: 0 predicates";
                CheckResult::not_applicable(id, CheckKind::Population, why, 0)
            })
            .into();
    };
    let mut checks = vec![
        base(population),
        extract(record, population),
        companies(record, population),
        check_sequence::check(record, population),
        check_freshness::check(population, record.context.period),
        check_scope::check(population),
    ];
    let predicates = 0..population.predicates.len();
    checks.extend(predicates.map(|place| negative(record, population, place)));
    checks
}

/// A file has no base table. What stands in is the second reader, and the companies where the file names them.
fn of_file(record: &ItemRecord, file: &FileRecord, id: &str) -> CheckResult {
    let kind = CheckKind::Population;
    let (Some(found), Some(totals)) = (&file.found, &record.source_totals) else {
        return CheckResult::not_run(id, kind, "not reached");
    };
    if id != POPULATION_COMPANIES {
        let why = "the item is a file, which has no base table: 0 predicates; its rows are counted by a second reader \
                   (transfer.source_decoded), and whether it is the whole export only its maker knows";
        return CheckResult::not_applicable(id, kind, why, 0);
    }
    if found.layout.field_of(&record.contract.company).is_none() {
        let why = "the file names no company: 0 companies can be missing from it";
        return CheckResult::not_applicable(id, kind, why, 0);
    }
    let missing = file.expected.iter().filter(|company| {
        let group = totals.groups.get(*company);
        group.is_none_or(|group| group.rows == 0)
    });
    let findings = missing.map(|company| format!("company `{company}` has no row in the file"));
    CheckResult::of_findings(
        id,
        kind,
        "expected companies have rows in the file",
        u64::try_from(file.expected.len()).unwrap_or(u64::MAX),
        findings.collect(),
    )
}

fn base(population: &Population) -> CheckResult {
    let counted: BTreeMap<String, u64> = population
        .base
        .iter()
        .map(|(company, count)| (company.clone(), count.rows))
        .collect();
    CheckResult::of_findings(
        POPULATION_BASE,
        CheckKind::Population,
        "rows of the base table = rows of the funnel, per company",
        counted.values().sum(),
        differences(
            &counted,
            &population.rows(),
            ("the base table", "the funnel"),
        ),
    )
}

fn extract(record: &ItemRecord, population: &Population) -> CheckResult {
    let not_run = |why: &str| CheckResult::not_run(POPULATION_EXTRACT, CheckKind::Population, why);
    let Some(source) = &record.source_totals else {
        return not_run("not reached");
    };
    let kept = match population.kept() {
        Ok(kept) => kept,
        Err(error) => return not_run(&error.to_string()),
    };
    let extract = population.of_totals(source);
    CheckResult::of_findings(
        POPULATION_EXTRACT,
        CheckKind::Population,
        "rows and sums of the base table less what each predicate removes = extract, per company",
        kept.rows(),
        kept.differences(&extract, "the funnel", "the extract"),
    )
}

fn companies(record: &ItemRecord, population: &Population) -> CheckResult {
    if population.base.is_empty() {
        let why = "the base table holds 0 rows before the cutoff: nobody could deliver";
        return CheckResult::not_applicable(POPULATION_COMPANIES, CheckKind::Population, why, 0);
    }
    let delivered = |company: &String| {
        let totals = record.source_totals.as_ref();
        totals.is_some_and(|totals| totals.groups.contains_key(company))
    };
    let silent = population.expected.iter().filter(|c| !delivered(c));
    let (zeros, missing): (Vec<_>, Vec<_>) =
        silent.partition(|company| population.base.contains_key(*company));
    let findings = missing.iter().map(|company| {
        format!(
            "company `{company}` has no row at all: neither in the extract nor in the base table"
        )
    });
    let zeros = if zeros.is_empty() {
        String::new()
    } else {
        let zeros: Vec<&str> = zeros.iter().map(|company| company.as_str()).collect();
        format!("; every row removed by a predicate: {}", zeros.join(", "))
    };
    CheckResult::of_findings(
        POPULATION_COMPANIES,
        CheckKind::Population,
        format!("expected companies delivered, or have an evidenced zero{zeros}"),
        u64::try_from(population.expected.len()).unwrap_or(u64::MAX),
        findings.collect(),
    )
}

/// Without the predicate the item gains exactly what the funnel says, and what it keeps out was not staged.
fn negative(record: &ItemRecord, population: &Population, place: usize) -> CheckResult {
    let id = format!("{ACCURACY_NEGATIVE}.{}", place + 1);
    let kind = CheckKind::Accuracy;
    let name = population.predicates.get(place).map_or("", String::as_str);
    let removed = population.removed_in_turn(place);
    let only = population.only_by(place);
    if removed == 0 && only.is_empty() {
        let why = format!("{name}: keeps out 0 rows this month");
        return CheckResult::not_applicable(&id, kind, why, 0);
    }
    let (Some(source), Some(looked_for)) = (&record.source_totals, population.looked_for.get(name))
    else {
        return CheckResult::not_run(
            &id,
            kind,
            format!("{name}: the staged rows were not looked at"),
        );
    };
    let mut findings = Vec::new();
    let mut summary = format!("{name}: {looked_for} excluded keys are not staged");
    if let Some(without) = population.without.get(name) {
        let mut expected: BTreeMap<String, u64> = source
            .groups
            .iter()
            .map(|(company, group)| (company.clone(), group.rows))
            .collect();
        for (company, rows) in only {
            *expected.entry(company).or_default() += rows;
        }
        let names = ("extract and funnel", "the query without the predicate");
        findings.extend(differences(&expected, without, names));
        summary.push_str("; without it the query gains exactly these rows");
    }
    let present = population.present.get(name).into_iter().flatten();
    findings.extend(present.map(|key| format!("kept out by the predicate, yet staged: {key}")));
    CheckResult::of_findings(&id, kind, summary, removed, findings)
}

/// Every company whose number differs, one sentence each.
pub(super) fn differences(
    left: &BTreeMap<String, u64>,
    right: &BTreeMap<String, u64>,
    (ours, theirs): (&str, &str),
) -> Vec<String> {
    let companies: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let mut found = Vec::new();
    for company in companies {
        let of = |side: &BTreeMap<String, u64>| side.get(company).copied().unwrap_or_default();
        let (a, b) = (of(left), of(right));
        if a != b {
            found.push(format!(
                "company `{company}`: {a} rows in {ours}, {b} in {theirs}"
            ));
        }
    }
    found
}
