//! What `soxauto reconcile` prints: a table in 100 columns, or one line a bucket.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::IpeId;
use crate::domain::reconcile::result::{Bucket, LineResult, Reconciliation, Sides};
use crate::domain::reconcile::statement::Statement;
use crate::pipeline::reconcile::Reconciled;
use crate::report::words::Language::English;

use super::{drift_text, output};

/// What is printed.
pub(super) struct Shown {
    pub(super) lines: Vec<String>,
    pub(super) components: Vec<String>,
    pub(super) companies: Vec<String>,
}

impl Shown {
    fn line(&self, line: &LineResult) -> bool {
        let mut items = line.items.iter().map(IpeId::as_str);
        let is_component = |item: &str| self.components.iter().any(|one| one == item);
        (self.lines.is_empty() || self.lines.contains(&line.id))
            && (self.components.is_empty() || items.any(is_component))
    }

    fn bucket(&self, bucket: &Bucket) -> bool {
        self.companies.is_empty() || self.companies.contains(&bucket.company)
    }
}

pub(super) fn table(reconciled: &Reconciled, statement: &Statement, shown: &Shown) -> String {
    let result = &reconciled.result;
    let mut text = format!(
        "{} {}: everything dated before {}\ncontract v{} {:.12}\n\n",
        result.control,
        result.period,
        result.period.cutoff(),
        result.contract_version,
        result.contract_sha256,
    );
    lines(&mut text, result, shown);
    exceptions(&mut text, result, shown);
    beside(&mut text, result);
    zero_checks(&mut text, reconciled);
    inputs(&mut text, reconciled);
    if let Some(drift) = &statement.drift {
        drift_text::since(&mut text, drift);
        text.push('\n');
    }
    unclear(&mut text, statement);
    let open = result.unconfirmed.len();
    if open > 0 {
        text.push_str(&format!(
            "{open} assumptions of the contract are not confirmed by finance\n"
        ));
    }
    text.push_str(&format!("result: {}\n", statement.control_result().word()));
    text
}

fn lines(text: &mut String, result: &Reconciliation, shown: &Shown) {
    text.push_str(&format!(
        "{:<4} {:<14} {:>18} {:>18} {:>18} {:>18}\n",
        "line", "status", "actual USD", "target USD", "variance USD", "unexplained USD"
    ));
    let usd = |amount: Option<_>| amount.map_or_else(|| "-".to_owned(), |usd| English.amount(usd));
    for line in result.lines.iter().filter(|line| shown.line(line)) {
        let status = if line.memo {
            "(memo)"
        } else {
            line.status.word()
        };
        let of = &line.dollars;
        text.push_str(&format!(
            "{:<4} {status:<14} {:>18} {:>18} {:>18} {:>18}\n",
            line.id,
            usd(of.actual),
            usd(of.target),
            usd(of.variance),
            usd(of.unexplained)
        ));
    }
    text.push('\n');
}

fn exceptions(text: &mut String, result: &Reconciliation, shown: &Shown) {
    let found = result.exceptions().into_iter();
    let found: Vec<_> = found
        .filter(|(line, bucket)| shown.line(line) && shown.bucket(bucket))
        .collect();
    let (known, unknown): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(_, bucket)| bucket.unexplained.is_some());
    if !known.is_empty() {
        text.push_str("exceptions, those without a rate first, then the largest\n");
    }
    for (line, bucket) in known {
        let lcy = bucket.unexplained.map_or_else(String::new, output::dr_cr);
        let lcy = format!("{lcy} {}", bucket.currency);
        let usd = bucket
            .unexplained_usd
            .map(|usd| format!("{} USD", English.amount(usd)));
        text.push_str(&format!(
            "{:<4} {:<9} {:<7} {lcy:>28} {:>18}  {}\n",
            line.id,
            bucket.company,
            bucket.gl.as_deref().unwrap_or("all"),
            usd.unwrap_or_else(|| "no rate".to_owned()),
            bucket.status.word(),
        ));
        for why in notes(bucket) {
            text.push_str(&format!("     {why}\n"));
        }
    }
    // What is not concluded for one reason is said once.
    let mut together: BTreeMap<(&str, String), BTreeSet<&str>> = BTreeMap::new();
    for (line, bucket) in unknown {
        let place = (line.id.as_str(), bucket.reasons.join(";\n     "));
        together.entry(place).or_default().insert(&bucket.company);
    }
    for ((line, why), companies) in together {
        let count = companies.len();
        text.push_str(&format!(
            "{line:<4} NOT_CONCLUDED in {count} companies: {why}\n"
        ));
    }
    text.push('\n');
}

fn notes(bucket: &Bucket) -> Vec<String> {
    let mut notes = bucket.reasons.clone();
    match bucket.sides {
        Sides::ActualOnly => notes.push("only the ledger has something".to_owned()),
        Sides::TargetOnly => notes.push("only the sources have something".to_owned()),
        Sides::Both | Sides::Neither => {}
    }
    if !bucket.offset_by.is_empty() {
        let others = bucket.offset_by.join(", ");
        notes.push(format!(
            "account {others} of the same company has the opposite amount"
        ));
    }
    if !bucket.offset_companies.is_empty() {
        let others = bucket.offset_companies.join(", ");
        notes.push(format!("company {others} has the opposite amount"));
    }
    if bucket.is_over_bridged {
        notes.push("a bridge explains more than there is".to_owned());
    }
    notes
}

fn beside(text: &mut String, result: &Reconciliation) {
    for finding in &result.findings {
        let (code, place) = (finding.code.word(), &finding.place);
        text.push_str(&format!(
            "finding {code} {place}: {}\n",
            output::harmless(&finding.what)
        ));
    }
    for left in &result.not_covered {
        let item = left.item.as_ref().map(ToString::to_string);
        let place = [
            Some(left.company.to_string()),
            item,
            Some(left.gl.to_string()),
        ];
        let place: Vec<String> = place
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        text.push_str(&format!(
            "not covered {}: {}, {}\n",
            place.join(" "),
            output::dr_cr(left.balance),
            left.why
        ));
    }
    if !result.findings.is_empty() || !result.not_covered.is_empty() {
        text.push('\n');
    }
}

fn zero_checks(text: &mut String, reconciled: &Reconciled) {
    for check in &reconciled.zero_checks {
        let what = output::harmless(&check.what);
        text.push_str(&format!(
            "check {} {:?}: {}\n",
            check.id,
            check.verdict,
            what.chars().take(WHAT_MAX).collect::<String>()
        ));
    }
    for (what, why) in &reconciled.explanations.not_computed {
        text.push_str(&format!("not computed {what}: {}\n", output::harmless(why)));
    }
    text.push('\n');
}

/// Characters of what a check says that stand in a line of 100 columns; the rest is in the JSON.
const WHAT_MAX: usize = 78;

fn inputs(text: &mut String, reconciled: &Reconciled) {
    for input in &reconciled.inputs {
        text.push_str(&format!(
            "input {:<8} {} {:>12} rows {:<9} {}\n",
            input.item.as_str(),
            input.run_id,
            English.count(input.rows),
            input.status.word(),
            input
                .digest
                .as_deref()
                .map_or("", |digest| digest.get(..12).unwrap_or(digest)),
        ));
    }
    let stamped = reconciled.inputs.iter();
    if stamped
        .clone()
        .any(|input| !input.not_control_evidence.is_empty())
    {
        text.push_str("NOT CONTROL EVIDENCE: the runs of these packages say why\n");
    }
    text.push('\n');
}

/// Inputs of which a check failed or did not run: they make the result, whatever the lines say.
fn unclear(text: &mut String, statement: &Statement) {
    let mut is_any = false;
    for input in statement.unclear() {
        is_any = true;
        let verdict = input.verdicts.all;
        text.push_str(&format!(
            "input {:<8} did not clear its checks: {verdict:?}\n",
            input.item.as_str()
        ));
    }
    if is_any {
        text.push('\n');
    }
}

pub(super) fn csv(result: &Reconciliation, shown: &Shown) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "line",
        "company",
        "currency",
        "gl",
        "actual",
        "target",
        "target_rows",
        "variance",
        "bridges",
        "unexplained",
        "rate",
        "variance_usd",
        "unexplained_usd",
        "threshold_usd",
        "threshold_rule",
        "sides",
        "status",
        "reasons",
    ])?;
    let lines = result.lines.iter().filter(|line| shown.line(line));
    for (line, bucket) in lines.flat_map(|line| line.buckets.iter().map(move |b| (line, b))) {
        if !shown.bucket(bucket) {
            continue;
        }
        let text = |amount: Option<crate::domain::amount::Amount>| {
            amount.map_or_else(String::new, |amount| amount.to_string())
        };
        let bridges = bucket.bridges.iter();
        let bridges: Vec<String> = bridges
            .map(|(name, amount)| format!("{name} {amount}"))
            .collect();
        let sides = serde_json::to_value(bucket.sides)?;
        writer.write_record([
            &line.id,
            &bucket.company,
            &bucket.currency,
            bucket.gl.as_deref().unwrap_or_default(),
            &text(bucket.actual),
            &text(bucket.target),
            &bucket.target_rows.to_string(),
            &text(bucket.variance),
            &bridges.join("; "),
            &text(bucket.unexplained),
            &text(bucket.rate),
            &text(bucket.variance_usd),
            &text(bucket.unexplained_usd),
            &bucket.threshold.usd.to_string(),
            &bucket.threshold.rule,
            sides.as_str().unwrap_or_default(),
            bucket.status.word(),
            &bucket.reasons.join("; "),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    #[test]
    fn the_result_is_the_word_of_the_statement_and_says_why() {
        let all = Shown {
            components: Vec::new(),
            lines: Vec::new(),
            companies: Vec::new(),
        };
        let of = |statement: &Statement| {
            let judgement = judged(statement.clone());
            table(&judgement.reconciled, statement, &all)
        };
        let mut statement = month::clean();
        let clean = of(&statement);
        assert!(clean.ends_with("result: NO_EXCEPTIONS\n"), "{clean}");
        assert!(!clean.contains("did not clear"), "{clean}");
        // The input of a memo: no line asks for it.
        let memo = |input: &&mut crate::domain::reconcile::statement::Input| {
            input.item.as_str() == "IPE_11"
        };
        let input = statement.inputs.iter_mut().find(memo).unwrap();
        input.verdicts.all = Verdict::NotRun;
        let open = of(&statement);
        assert!(open.ends_with("result: EXCEPTIONS\n"), "{open}");
        let why = "input IPE_11   did not clear its checks: NotRun\n";
        assert!(open.contains(why), "{open}");
        assert_eq!(statement.exit_code(), 1);
    }
}
