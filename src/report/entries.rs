//! Entries that somebody may post: what would bring the ledger to its target. The program posts nothing.

use super::material::{candidates, count, is_large};
use super::tables::{Adds, Cell, Column, Kind, Table};
use super::words::Language;
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult};
use crate::domain::reconcile::statement::{Decision, Statement};

/// Keys of candidates that an entry quotes; all that are named are in the table of candidates.
const KEYS_MAX: usize = 20;

/// The table of proposed entries, one for each exception that is to be adjusted or of which nobody said anything yet.
///
/// # Shape
/// Two accounts of a company that cancel each other are one entry. Where the other account is not known it is empty: the
/// person who posts names it.
pub(super) fn proposed(statement: &Statement, language: Language) -> Table {
    let column =
        |kind, name: &str, english, french| Column::new(name, language.pick(english, french), kind);
    let text = |name, english, french| column(Kind::Text, name, english, french);
    let columns = vec![
        text("line", "Line", "Ligne"),
        text("company", "Company", "Société"),
        text("debit", "Dr", "D"),
        text("credit", "Cr", "C"),
        text("currency", "Currency", "Devise"),
        column(
            Kind::Number,
            "amount",
            "Amount LCY",
            "Montant devise locale",
        )
        .adds(Adds::ByCurrency),
        column(Kind::Number, "amount_usd", "Amount USD", "Montant USD").adds(Adds::All),
        text("disposition", "Disposition", "Décision"),
        text("why", "Why", "Pourquoi"),
        column(Kind::Count, "candidates", "Candidates", "Lignes candidates"),
        text("candidate_keys", "Their keys", "Leurs clés"),
    ];
    let title = language.pick(
        "Proposed entries; the program posts nothing",
        "Écritures proposées ; le programme ne comptabilise rien",
    );
    let mut table = Table::new("proposed_entries", title, columns);
    let found = statement.result.exceptions().into_iter();
    let rows = found.filter_map(|(line, bucket)| entry(statement, (line, bucket), language));
    table.rows = rows.collect();
    table
}

fn entry(
    statement: &Statement,
    (line, bucket): (&LineResult, &Bucket),
    language: Language,
) -> Option<Vec<Cell>> {
    let amount = bucket.unexplained.filter(|amount| amount.units() != 0)?;
    if !is_proposed(statement, line, bucket) {
        return None;
    }
    let said = statement.disposition(&line.id, bucket);
    let is_credit = amount.units() > 0;
    let own = bucket.gl.clone().unwrap_or_else(|| line.gls.join(" / "));
    let other = match bucket.offset_by.as_slice() {
        // The other account's row is the same entry.
        [other] if is_credit && is_other_proposed(statement, (line, bucket), other) => {
            return None;
        }
        [other] => other.clone(),
        _ => String::new(),
    };
    let (debit, credit) = if is_credit {
        (other, own)
    } else {
        (own, other)
    };
    let decision = said.map(|said| language.decision(said.decision));
    let keys = bucket.rows.iter().take(KEYS_MAX);
    let mut keys: Vec<String> = keys.map(|row| row.key.join(" | ")).collect();
    let more = candidates(bucket).saturating_sub(count(keys.len()));
    if more > 0 {
        keys.push(format!("… +{more}"));
    }
    Some(vec![
        (&line.id).into(),
        (&bucket.company).into(),
        debit.into(),
        credit.into(),
        (&bucket.currency).into(),
        without_sign(amount).into(),
        bucket.unexplained_usd.and_then(without_sign).into(),
        decision
            .unwrap_or(language.pick("none yet", "aucune"))
            .into(),
        why(bucket, language).into(),
        candidates(bucket).into(),
        keys.join("; ").into(),
    ])
}

/// Whether an exception is one to adjust, or nobody said that it is not.
fn is_proposed(statement: &Statement, line: &LineResult, bucket: &Bucket) -> bool {
    let said = statement.disposition(&line.id, bucket);
    let is_left = said.is_some_and(|said| said.decision != Decision::Adjust);
    is_large(bucket.status) && !is_left
}

fn is_other_proposed(
    statement: &Statement,
    (line, bucket): (&LineResult, &Bucket),
    gl: &str,
) -> bool {
    let mut others = line.buckets.iter();
    let other = others.find(|b| b.company == bucket.company && b.gl.as_deref() == Some(gl));
    other.is_some_and(|other| is_proposed(statement, line, other))
}

fn without_sign(amount: Amount) -> Option<Amount> {
    let units = i128::try_from(amount.units().unsigned_abs()).ok()?;
    Amount::new(units, amount.scale()).ok()
}

fn why(bucket: &Bucket, language: Language) -> String {
    let place = language.status(bucket.status);
    if let [other] = bucket.offset_by.as_slice() {
        let words = language.pick("opposite amount on account", "montant opposé sur le compte");
        return format!("{place}: {words} {other}");
    }
    if !bucket.offset_companies.is_empty() {
        let words = language.pick("opposite amount in", "montant opposé chez");
        return format!("{place}: {words} {}", bucket.offset_companies.join(", "));
    }
    let words = language.pick(
        "the other account is to be named",
        "l'autre compte est à nommer",
    );
    format!("{place}: {words}")
}
