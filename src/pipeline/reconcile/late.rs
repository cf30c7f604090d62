//! Entries that are dated into a closed month and came after it was closed.
//!
//! The final judgement of a month names the package of the ledger's entries that it was made from, and that package the
//! highest entry number of each company then: a higher number that is dated into the month came late. Of an earlier year the
//! entries have what was entered since this one began; what came before that is known where a judgement of last year named it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::Sources;
use super::history::Past;
use super::inputs::{self, Packaged};
use super::judgement::{self, Judgement};
use super::last_year::{named_last_year, reaches};
use super::sums::{computed, table};
use super::zeros::ENTRIES;
use crate::domain::amount::Amount;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::result::{Code, ReconcileFinding};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::{ReconcileError, StagedTable};
use crate::pipeline::months;
use crate::ports::{PortError, PortErrorKind, StoreRoot};

/// A closed month and the run that is final.
pub type Final = (Period, RunId);

/// The months before `period` that are closed, or were `at` a moment, in their order.
///
/// # Errors
/// `Corrupt` for a log that was changed; storage errors.
pub(super) async fn finals(
    evidence: &StoreRoot,
    period: Period,
    at: Option<DateTime<Utc>>,
) -> Result<Vec<Final>, PortError> {
    let stored = evidence.list(months::FOLDER).await?;
    let named = stored
        .iter()
        .filter_map(|file| inputs::month_of(&file.path));
    let mut before: Vec<Period> = named
        .filter(|month| month.start() < period.start())
        .collect();
    before.sort();
    before.dedup();
    let mut finals = Vec::new();
    for month in before {
        let mut log = months::read(evidence, month).await?;
        log.records
            .retain(|record| at.is_none_or(|at| record.at < at));
        let closed = log.closed();
        finals.extend(closed.map(|mark| (month, mark.run_id)));
    }
    Ok(finals)
}

/// The highest number of a company's entries when a month was closed; a company that is not here had none.
type Highest = BTreeMap<String, i64>;

/// What a final month had seen of the entries.
struct Seen {
    highest: Highest,
    /// The run that read them.
    run: RunId,
}

/// That nobody knows what came late into a month.
fn not_known(month: Period, why: &str) -> ReconcileFinding {
    ReconcileFinding {
        code: Code::LatePosting,
        place: month.to_string(),
        what: format!("{month} is closed, and what was posted into it later is not known: {why}"),
    }
}

/// Every late entry among those that the package delivers; `None` is no package that passed.
///
/// # Errors
/// `Corrupt` for a final judgement or package that is not what was sealed. Of a month with more entries than may be held it is
/// reported that nobody knows.
pub(super) async fn late_postings(
    sources: Sources<'_>,
    entries: Option<&Packaged>,
    past: &Past,
) -> Result<Vec<ReconcileFinding>, PortError> {
    let Some(entries) = entries else {
        let why = format!("{ENTRIES} did not pass");
        let finals = past.finals.iter();
        return Ok(finals.map(|(month, _)| not_known(*month, &why)).collect());
    };
    let period = entries.record.context.period;
    let named = named_last_year(sources.evidence, past, period).await?;
    let mut closed: BTreeMap<Period, Highest> = BTreeMap::new();
    let mut found = Vec::new();
    for (month, run) in &past.finals {
        let Some(seen) = seen_by(sources.evidence, *month, run).await? else {
            let why = format!("run {run} judged it without {ENTRIES}");
            found.push(not_known(*month, &why));
            continue;
        };
        if !reaches(period, *month, &seen.run) && !named.contains(&(*month, run.clone())) {
            let (since, year) = (&seen.run, period.year_start());
            let why =
                format!("no judgement names the entries that came between run {since} and {year}");
            found.push(not_known(*month, &why));
        }
        closed.insert(*month, seen.highest);
    }
    let staged = entries.record.staged.iter();
    let companies: Vec<&String> = staged
        .flat_map(|staged| staged.totals.groups.keys())
        .collect();
    match late_in(sources, entries, &companies, &closed).await {
        // All together are more than may be held; each by itself may be less.
        Err(error) if error.kind == PortErrorKind::Limit => {
            for (month, seen) in closed {
                let one = BTreeMap::from([(month, seen)]);
                match late_in(sources, entries, &companies, &one).await {
                    Err(error) if error.kind == PortErrorKind::Limit => {
                        found.push(not_known(month, &error.message));
                    }
                    late => found.extend(late?),
                }
            }
        }
        late => found.extend(late?),
    }
    found.sort();
    Ok(found)
}

/// The late entries of some closed months.
async fn late_in(
    sources: Sources<'_>,
    entries: &Packaged,
    companies: &[&String],
    closed: &BTreeMap<Period, Highest>,
) -> Result<Vec<ReconcileFinding>, PortError> {
    let mut found = Vec::new();
    for keep in readings(companies, closed) {
        found.extend(late_of(sources, entries, keep, closed).await?);
    }
    Ok(found)
}

/// What is to be read of the entries before the month: of every company what is newer than the least that a closed month had
/// seen, and all of a company that a closed month had not seen at all.
fn readings(companies: &[&String], closed: &BTreeMap<Period, Highest>) -> Vec<Vec<Condition>> {
    let (Some((first, _)), Some((last, _))) = (closed.first_key_value(), closed.last_key_value())
    else {
        return Vec::new();
    };
    let posted = |test| Condition::new("posting_date", test);
    let dated = || {
        vec![
            posted(Test::AtLeast(Literal::Day(first.start()))),
            posted(Test::Below(Literal::Day(last.next_start()))),
        ]
    };
    let is_new = |company: &&&String| closed.values().any(|seen| !seen.contains_key(**company));
    let new = companies.iter().filter(is_new);
    let new: Vec<Literal> = new
        .map(|company| Literal::Text((*company).clone()))
        .collect();
    let of = |test| Condition::new("id_company", test);
    let lowest = closed.values().flat_map(BTreeMap::values).min();
    let known = lowest.map(|lowest| {
        let mut keep = dated();
        keep.push(Condition::new(
            "entry_no",
            Test::Above(Literal::Int(*lowest)),
        ));
        keep.push(of(Test::NoneOf(new.clone())));
        keep
    });
    let unseen = (!new.is_empty()).then(|| {
        let mut keep = dated();
        keep.push(of(Test::OneOf(new.clone())));
        keep
    });
    known.into_iter().chain(unseen).collect()
}

/// The late ones of the entries that meet conditions.
async fn late_of(
    sources: Sources<'_>,
    entries: &Packaged,
    keep: Vec<Condition>,
    closed: &BTreeMap<Period, Highest>,
) -> Result<Vec<ReconcileFinding>, PortError> {
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
    let closed = closed.clone();
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
    let (companies, documents) = (rows.codes("id_company")?, texts("document_no")?);
    let (accounts, users) = (rows.codes("group_coa_account_no")?, texts("user_id")?);
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

/// What a final month had seen; `None` where it was judged without the entries, or without their population.
async fn seen_by(
    evidence: &StoreRoot,
    month: Period,
    run: &RunId,
) -> Result<Option<Seen>, PortError> {
    let judged: Judgement = judgement::read(evidence, month, run).await?.0;
    let mut inputs = judged.reconciled.inputs.into_iter();
    let Some(input) = inputs.find(|input| input.item.as_str() == ENTRIES) else {
        return Ok(None);
    };
    let found = inputs::find(evidence, (&input.item, month), Some(&input.run_id)).await?;
    let population = found.and_then(|package| package.record.population);
    let seen = population.map(|population| {
        let base = population.base.into_iter();
        let base = base.filter_map(|(company, base)| Some((company, base.last?)));
        Seen {
            highest: base.collect(),
            run: input.run_id,
        }
    });
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_company_that_a_closed_month_had_not_seen_is_read_whole() {
        let month = |text: &str| text.parse::<Period>().unwrap();
        let companies = ["EC_KE", "EC_NG"].map(str::to_owned);
        let read = |closed: &[(&str, &str, i64)]| {
            let mut months: BTreeMap<Period, Highest> = BTreeMap::new();
            for (of, company, number) in closed {
                let seen = months.entry(month(of)).or_default();
                seen.insert((*company).to_owned(), *number);
            }
            readings(&companies.iter().collect::<Vec<_>>(), &months)
        };
        assert!(read(&[]).is_empty(), "nothing is closed");
        let text = |company: &str| Literal::Text(company.to_owned());
        let both = read(&[("2024-03", "EC_NG", 9), ("2024-03", "EC_KE", 7)]);
        assert_eq!(both.len(), 1);
        assert_eq!(both[0][2].test, Test::Above(Literal::Int(7)));
        assert_eq!(both[0][3].test, Test::NoneOf(vec![]));
        let april = month("2024-04").start();
        assert_eq!(both[0][1].test, Test::Below(Literal::Day(april)));
        let one = read(&[("2024-03", "EC_NG", 9), ("2024-02", "EC_NG", 4)]);
        assert_eq!(one[0][2].test, Test::Above(Literal::Int(4)));
        let february = month("2024-02").start();
        assert_eq!(one[0][0].test, Test::AtLeast(Literal::Day(february)));
        assert_eq!(one[0][3].test, Test::NoneOf(vec![text("EC_KE")]));
        assert_eq!(one[1].len(), 3, "whatever its number: {:?}", one[1]);
        assert_eq!(one[1][2].test, Test::OneOf(vec![text("EC_KE")]));
    }

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
