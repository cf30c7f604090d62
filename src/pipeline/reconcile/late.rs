//! Entries that are dated into a closed month and came after it was closed.
//!
//! The final judgement of a month names the package of the ledger's entries that it was made from, and that package the
//! highest entry number of each company then: a higher number that is dated into the month came late.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::Sources;
use super::inputs::{self, Packaged};
use super::judgement::{self, Judgement};
use super::sums::{computed, table};
use super::zeros::ENTRIES;
use crate::domain::amount::Amount;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::result::{Code, ReconcileFinding};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::{ReconcileError, StagedTable};
use crate::pipeline::months;
use crate::ports::{PortError, StoreRoot};

/// A closed month and the run that is final.
pub type Final = (Period, RunId);

/// The months before `period` that are closed, in their order.
///
/// # Errors
/// `Corrupt` for a log that was changed; storage errors.
pub(super) async fn finals(evidence: &StoreRoot, period: Period) -> Result<Vec<Final>, PortError> {
    let stored = evidence.list(months::FOLDER).await?;
    let named = stored.iter().filter_map(|file| {
        let month = file.path.split('/').nth(1)?.strip_prefix("period=")?;
        month.parse::<Period>().ok()
    });
    let mut before: Vec<Period> = named
        .filter(|month| month.start() < period.start())
        .collect();
    before.sort();
    before.dedup();
    let mut finals = Vec::new();
    for month in before {
        let closed = months::read(evidence, month).await?.closed();
        finals.extend(closed.map(|mark| (month, mark.run_id)));
    }
    Ok(finals)
}

/// The highest number of a company's entries when a month was closed.
type Highest = BTreeMap<String, i64>;

/// Every late entry among those that the package delivers.
///
/// # Errors
/// `Corrupt` for a final judgement or package that is not what was sealed; `Limit` for more entries than may be held.
pub(super) async fn late_postings(
    sources: Sources<'_>,
    period: Period,
    entries: &Packaged,
    finals: &[Final],
) -> Result<Vec<ReconcileFinding>, PortError> {
    let mut closed: BTreeMap<Period, Highest> = BTreeMap::new();
    for (month, run) in finals {
        closed.insert(*month, highest(sources.evidence, *month, run).await?);
    }
    let lowest = closed.values().flat_map(BTreeMap::values).min();
    let Some(lowest) = lowest else {
        return Ok(Vec::new());
    };
    let keep = vec![
        Condition::new("posting_date", Test::Below(Literal::Day(period.start()))),
        Condition::new("entry_no", Test::Above(Literal::Int(*lowest))),
    ];
    let columns = [
        "id_company",
        "entry_no",
        "posting_date",
        "document_no",
        "group_coa_account_no",
        "user_id",
        "g_l_creation_date",
        "amount",
    ];
    let rows = table(sources, entries, &columns, keep).await?;
    computed(entries, move || late_among(&rows, &closed)).await
}

/// The late ones of the rows, in their order.
fn late_among(
    rows: &StagedTable,
    closed: &BTreeMap<Period, Highest>,
) -> Result<Vec<ReconcileFinding>, ReconcileError> {
    let texts = |column: &str| rows.texts(column);
    let days = |column: &str| rows.days(column);
    let (numbers, amounts) = (rows.amounts("entry_no")?, rows.amounts("amount")?);
    let (companies, documents) = (texts("id_company")?, texts("document_no")?);
    let (accounts, users) = (texts("group_coa_account_no")?, texts("user_id")?);
    let (posted, created) = (days("posting_date")?, days("g_l_creation_date")?);
    let names = companies
        .into_iter()
        .zip(accounts)
        .zip(documents)
        .zip(users);
    let cells = numbers.into_iter().zip(amounts).zip(posted).zip(created);
    let mut found = Vec::new();
    for ((((company, gl), document), user), (((number, amount), posted), created)) in
        names.zip(cells)
    {
        let entry = Entry {
            company: company.unwrap_or_default(),
            gl: gl.unwrap_or_default(),
            document: document.unwrap_or_default(),
            user: user.unwrap_or_default(),
            number: number.and_then(|number| i64::try_from(number.units()).ok()),
            amount,
            posted,
            created,
        };
        found.extend(entry.late(closed));
    }
    found.sort();
    Ok(found)
}

/// An entry of the ledger.
struct Entry {
    company: String,
    gl: String,
    document: String,
    user: String,
    number: Option<i64>,
    amount: Option<Amount>,
    posted: Option<NaiveDate>,
    created: Option<NaiveDate>,
}

impl Entry {
    /// What is said of it, if its month was closed before it came.
    fn late(&self, closed: &BTreeMap<Period, Highest>) -> Option<ReconcileFinding> {
        let (posted, number) = (self.posted?, self.number?);
        let month = Period::containing(posted).ok()?;
        // Whatever comes from a company that had nothing when the month was closed is late.
        let highest = closed.get(&month)?.get(&self.company).unwrap_or(&i64::MIN);
        let Self {
            company,
            gl,
            document,
            user,
            ..
        } = self;
        let day =
            |day: Option<NaiveDate>| day.map_or_else(|| "no day".to_owned(), |day| day.to_string());
        let amount = self
            .amount
            .map_or_else(|| "no amount".to_owned(), inputs::plain);
        (number > *highest).then(|| ReconcileFinding {
            code: Code::LatePosting,
            place: format!("{company} {gl}"),
            what: format!(
                "{month} is closed, and entry {number} of {posted} came later: {amount}, document {document}, entered on {} by {user}",
                day(self.created)
            ),
        })
    }
}

/// The highest numbers that a final month had seen.
async fn highest(evidence: &StoreRoot, month: Period, run: &RunId) -> Result<Highest, PortError> {
    let judged: Judgement = judgement::read(evidence, month, run).await?.0;
    let mut inputs = judged.reconciled.inputs.iter();
    let Some(input) = inputs.find(|input| input.item.as_str() == ENTRIES) else {
        return Ok(Highest::new());
    };
    let found = inputs::find(evidence, (&input.item, month), Some(&input.run_id)).await?;
    let population = found.and_then(|package| package.record.population);
    let base = population
        .into_iter()
        .flat_map(|population| population.base);
    Ok(base
        .map(|(company, base)| (company, base.last.unwrap_or(0)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_is_what_the_closed_month_had_not_seen() {
        let march: Period = "2024-03".parse().unwrap();
        let highest = Highest::from([("EC_NG".to_owned(), 7)]);
        let closed = BTreeMap::from([(march, highest)]);
        let is_late = |company: &str, number: i64, day: &str| {
            let entry = Entry {
                company: company.to_owned(),
                gl: "13003".to_owned(),
                document: "D-1".to_owned(),
                user: "U".to_owned(),
                number: Some(number),
                amount: None,
                posted: day.parse().ok(),
                created: None,
            };
            entry.late(&closed).is_some()
        };
        assert!(is_late("EC_NG", 8, "2024-03-31"));
        assert!(!is_late("EC_NG", 7, "2024-03-31"));
        assert!(!is_late("EC_NG", 8, "2024-02-29"), "nobody closed February");
        assert!(is_late("EC_KE", 1, "2024-03-31"), "nothing was there of it");
    }
}
