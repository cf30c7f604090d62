//! Candidates: rows that alone have the amount that nothing explains, where a reader looks first. They prove nothing and
//! explain nothing: any row may have an amount by chance.

use std::collections::BTreeMap;

use super::explain::{Sound, package};
use super::inputs::Packaged;
use super::sums::{computed, table};
use super::wanted::{Found, Wanted, in_ledger, in_target, place, turned};
use super::zeros::ENTRIES;
use super::{Explanations, Sources};
use crate::domain::age::AgeBucket;
use crate::domain::amount::Amount;
use crate::domain::contract::{ColumnType, Contract};
use crate::domain::reconcile::contract::{Line, ReconciliationContract, Sign, Source};
use crate::domain::reconcile::result::Reconciliation;
use crate::kernels::reconcile::filter::{Condition, Literal, Test, fits};
use crate::kernels::reconcile::spec::condition;
use crate::ports::{PortError, PortErrorKind};

/// Names the candidates of every exception whose amount is known.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged; a row limit is noted in `all` and is no error.
pub(super) async fn name(
    sources: Sources<'_>,
    contract: &ReconciliationContract,
    sound: &Sound<'_>,
    result: &mut Reconciliation,
    all: &mut Explanations,
) -> Result<(), PortError> {
    let wanted = Wanted::of(result);
    let lines = contract.lines.iter();
    let lines: Vec<&Line> = lines
        .filter(|line| wanted.of_line(&line.id).next().is_some())
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    let mut found = Found::default();
    if let Some(entries) = package(sound, ENTRIES) {
        let rows = ledger(sources, entries, &lines, &wanted).await;
        found.add(skipped(rows, &format!("candidates in {ENTRIES}"), all)?);
    }
    for line in lines {
        for target in &line.targets {
            if let Some(delivered) = package(sound, target.item.as_str()) {
                let rows = targets(sources, delivered, &line.id, target, &wanted).await;
                let what = format!("candidates of {} in {}", line.id, target.item);
                found.add(skipped(rows, &what, all)?);
            }
        }
    }
    give(result, found);
    Ok(())
}

/// Too many rows to look at are said, and hold nothing.
fn skipped(
    looked: Result<Found, PortError>,
    what: &str,
    all: &mut Explanations,
) -> Result<Found, PortError> {
    match looked {
        Err(error) if error.kind == PortErrorKind::Limit => {
            all.not_computed.insert(what.to_owned(), error.message);
            Ok(Found::default())
        }
        other => other,
    }
}

/// The condition that a column has one of the amounts. An amount that is finer than the column is in none of its rows, so
/// it is not looked for; `None` where no amount is left.
fn one_of(
    contract: &Contract,
    column: &str,
    amounts: impl Iterator<Item = Amount>,
) -> Option<Condition> {
    let scale = contract.column(column);
    let scale = scale.and_then(|column| column.column_type.scale());
    let amounts = amounts.filter(|amount| scale.is_none_or(|scale| fits(*amount, scale)));
    let amounts: Vec<Literal> = amounts.map(Literal::Amount).collect();
    (!amounts.is_empty()).then(|| Condition::new(column, Test::OneOf(amounts)))
}

/// Entries of the ledger with one of the amounts, for all lines in one reading: an account belongs to one line.
async fn ledger(
    sources: Sources<'_>,
    entries: &Packaged,
    lines: &[&Line],
    wanted: &Wanted,
) -> Result<Found, PortError> {
    let own = lines
        .iter()
        .flat_map(|line| line.gls.iter().map(move |gl| (gl.clone(), line.id.clone())));
    let accounts: BTreeMap<String, String> = own.collect();
    let amounts = lines.iter().flat_map(|line| wanted.of_line(&line.id));
    let Some(amount) = one_of(&entries.record.contract, "amount", amounts) else {
        return Ok(Found::default());
    };
    let gls = accounts.keys().map(|gl| Literal::Text(gl.clone()));
    let of_lines = Condition::new("group_coa_account_no", Test::OneOf(gls.collect()));
    let columns = [
        "id_company",
        "entry_no",
        "document_no",
        "group_coa_account_no",
        "posting_date",
        "amount",
    ];
    let rows = table(sources, entries, &columns, vec![of_lines, amount]).await?;
    let (item, wanted) = (entries.record.ipe.clone(), wanted.clone());
    computed(entries, move || in_ledger(&rows, &item, &accounts, &wanted)).await
}

/// Rows of a source that count and have, in ledger sign, the opposite of one of the amounts.
async fn targets(
    sources: Sources<'_>,
    delivered: &Packaged,
    line: &str,
    target: &Source,
    wanted: &Wanted,
) -> Result<Found, PortError> {
    let contract = &delivered.record.contract;
    let period = delivered.record.context.period;
    let conditions = target.conditions.iter();
    let mut keep: Vec<Condition> = conditions.map(|one| condition(one, period)).collect();
    // One column decides by itself; a sum of several is made of every row that counts.
    if let ([term], false) = (target.amount.as_slice(), target.sign == Sign::Unknown) {
        let negative = term.negative == (target.sign == Sign::Minus);
        let amounts = wanted.of_line(line);
        let amounts = amounts.filter_map(|amount| turned(amount, negative));
        let Some(amount) = one_of(contract, &term.column, amounts) else {
            return Ok(Found::default());
        };
        keep.push(amount);
    }
    let terms = target.amount.iter().map(|term| &term.column);
    let places = target.gl.iter().chain([&target.company]);
    let date = date(contract, target);
    let columns = contract.key.iter().chain(terms).chain(places).chain(&date);
    let mut columns: Vec<&str> = columns.map(String::as_str).collect();
    columns.sort_unstable();
    columns.dedup();
    let rows = table(sources, delivered, &columns, keep).await?;
    let (item, key) = (delivered.record.ipe.clone(), contract.key.clone());
    let (line, target, wanted) = (line.to_owned(), target.clone(), wanted.clone());
    let look = move || {
        let (of, date) = ((line.as_str(), &target), date.as_deref());
        in_target(&rows, (&item, &key), of, date, &wanted)
    };
    computed(delivered, look).await
}

/// The column that rows of a source age by: the date that the contract declares for them, where the item has it as one.
fn date(contract: &Contract, target: &Source) -> Option<String> {
    let declared = target.matching.as_ref()?.date.as_ref()?;
    let kind = contract.column(declared)?.column_type;
    matches!(kind, ColumnType::Date | ColumnType::DateTime).then(|| declared.clone())
}

/// Puts what was found into the buckets, with the age of the only candidate.
fn give(result: &mut Reconciliation, mut found: Found) {
    let period = result.period;
    for line in &mut result.lines {
        for bucket in &mut line.buckets {
            let Some(candidates) = found.0.remove(&place(&line.id, bucket)) else {
                continue;
            };
            let (months, _) = AgeBucket::of(candidates.only_day(), period);
            bucket.age_months = months.and_then(|months| u32::try_from(months).ok());
            bucket.rows_unlisted = candidates.unlisted;
            let named = candidates.named.into_iter();
            bucket.rows = named.map(|(row, _)| row).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::contract::Column;

    fn of_scale(column_type: &str) -> Contract {
        let sql_type = column_type.parse().unwrap();
        let column = Column {
            source: "amount".to_owned(),
            name: "amount".to_owned(),
            column_type: ColumnType::of(&sql_type).unwrap(),
            sql_type,
            nullable: false,
            amount: true,
            personal: false,
            description: String::new(),
        };
        Contract {
            version: 1,
            columns: vec![column],
            key: vec!["amount".to_owned()],
            company: "amount".to_owned(),
        }
    }

    #[test]
    fn an_amount_finer_than_its_column_is_not_looked_for() {
        let asked = |column_type: &str, amounts: &[&str]| {
            let amounts = amounts.iter().map(|amount| amount.parse().unwrap());
            let asked = one_of(&of_scale(column_type), "amount", amounts);
            asked.map(|condition| condition.test)
        };
        let finer = "1000000.33333333333333333333";
        let dust = "0.00000000000000000001";
        assert_eq!(asked("decimal(19,4)", &[finer, dust]), None);
        assert_eq!(asked("int", &["0.5"]), None);
        // Zeros at the end are no digits that a column would need.
        let whole = "5.00000000000000000000";
        let left = Test::OneOf(vec![Literal::Amount(whole.parse().unwrap())]);
        assert_eq!(asked("decimal(19,4)", &[finer, whole]), Some(left));
        let all = asked("decimal(38,20)", &[finer, dust]);
        assert!(matches!(all, Some(Test::OneOf(all)) if all.len() == 2));
    }
}
