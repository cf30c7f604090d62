//! The shop's usage as the timing bridge reads it: what was used by the end of the month, by company and voucher.
//!
//! A file names companies or it does not. In one that does, a row without a company belongs to none for sure: it is
//! counted, it is in no sum, and who computes with it concludes for no company.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, Expr, IntoLazy as _, col, len};

use super::add;
use super::candidates::Candidate;
use super::timing::{JdashOnly, JdashOnlyWhy, LeftOut, TimingInput};
use crate::domain::amount::Amount;
use crate::kernels::frame::{guarded, texts};
use crate::kernels::reconcile::cells::{COMPANY, Group, code, grouped, key, units};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::{ReconcileError, StagedTable};

/// Column of JDASH with the voucher's number.
const VOUCHER_ID: &str = "voucher_id";
/// Column of JDASH with what was used.
pub(super) const AMOUNT_USED: &str = "amount_used";
/// Column of JDASH with when it was used; null where the file does not say it.
const USAGE_DATE: &str = "usage_date";

/// The rows of a file by when they were used.
pub(super) struct InTime {
    /// Used before the month's end. A file that says no day at all is taken as one of what was used by then.
    pub(super) kept: StagedTable,
    /// Used after it.
    pub(super) after: Option<LeftOut>,
    /// Used at no known time, in a file that says days: in no sum.
    pub(super) without_day: Option<LeftOut>,
    /// The keys of these.
    pub(super) of_no_day: BTreeSet<String>,
}

/// Sorts the rows by when they were used.
///
/// # Errors
/// [`ReconcileError::Column`] for a missing column; a sum beyond 38 digits.
pub(super) fn in_time(input: TimingInput<'_>) -> Result<InTime, ReconcileError> {
    let frame = &input.jdash.frame;
    let cutoff = Literal::Day(input.period.next_start());
    let before = Condition::new(USAGE_DATE, Test::Below(cutoff)).expression(frame)?;
    let part = |met: Expr| -> Result<DataFrame, ReconcileError> {
        let doing = || "choosing what was used by the end of the month".to_owned();
        Ok(guarded(doing, || {
            frame.clone().lazy().filter(met).collect()
        })?)
    };
    let groups = |rows: &DataFrame| grouped(rows, &[key(rows, VOUCHER_ID)?], AMOUNT_USED);
    let undated = part(before.clone().is_null())?;
    let says_days = undated.height() < frame.height();
    let (kept, undated) = match says_days {
        true => (part(before.clone())?, groups(&undated)?),
        false => (frame.clone(), Vec::new()),
    };
    let keys = undated.iter().filter_map(|group| parts(group, false).1);
    Ok(InTime {
        of_no_day: keys.collect(),
        kept: StagedTable { frame: kept },
        after: left_out(&groups(&part(before.not())?)?)?,
        without_day: left_out(&undated)?,
    })
}

/// Whether a file names companies. The column is there of every file; one that names none leaves it empty.
pub(super) fn names_company(file: &StagedTable) -> Result<bool, ReconcileError> {
    if !file.has(COMPANY) {
        return Ok(false);
    }
    let companies = file.texts(COMPANY)?;
    let mut named = companies.iter().flatten();
    Ok(named.any(|company| !company.trim_end_matches(' ').is_empty()))
}

/// Rows and sum of groups; nothing where there is no row.
fn left_out<'a>(
    groups: impl IntoIterator<Item = &'a Group>,
) -> Result<Option<LeftOut>, ReconcileError> {
    let mut all: Option<LeftOut> = None;
    for group in groups.into_iter().filter(|group| group.rows > 0) {
        let zero = LeftOut {
            rows: 0,
            amount: Amount::zero(group.amount.scale()),
        };
        let sum = all.get_or_insert(zero);
        sum.rows += group.rows;
        add(&mut sum.amount, group.amount, AMOUNT_USED)?;
    }
    Ok(all)
}

/// JDASH by voucher.
pub(super) struct Jdash {
    pub(super) names_company: bool,
    pub(super) scale: u8,
    pub(super) without_amount: u64,
    /// Rows without a company where the file names some.
    pub(super) without_company: Option<LeftOut>,
    /// Company, where the file names it, and key.
    pub(super) uses: Vec<Group>,
    /// Keys of rows without a company, or without a day, where the file names some.
    unsure: BTreeSet<String>,
    places: BTreeMap<(Option<String>, String), usize>,
    /// Companies in which IPE_08 knows a key of JDASH.
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Jdash {
    /// `names_company`: whether the file does, after the month too; `unsure`: keys that nothing is known of for sure.
    pub(super) fn read(
        input: TimingInput<'_>,
        names_company: bool,
        unsure: BTreeSet<String>,
    ) -> Result<Self, ReconcileError> {
        let frame = &input.jdash.frame;
        let mut jdash = Self {
            names_company,
            scale: units(frame, AMOUNT_USED)?.scale,
            without_amount: 0,
            without_company: None,
            uses: Vec::new(),
            unsure,
            places: BTreeMap::new(),
            known: known(input)?,
        };
        jdash.uses = grouped(frame, &jdash.key(input)?, AMOUNT_USED)?;
        for (place, group) in jdash.uses.iter().enumerate() {
            jdash.without_amount += group.without_amount;
            match parts(group, names_company) {
                (company, Some(key)) if is_blank(company.as_ref()) => {
                    jdash.unsure.insert(key);
                }
                (company, Some(key)) => {
                    jdash.places.insert((company, key), place);
                }
                (_, None) => {}
            }
        }
        let lacks = |group: &&Group| is_blank(parts(group, names_company).0.as_ref());
        jdash.without_company = left_out(jdash.uses.iter().filter(lacks))?;
        Ok(jdash)
    }

    pub(super) fn key(&self, input: TimingInput<'_>) -> Result<Vec<Expr>, ReconcileError> {
        let frame = &input.jdash.frame;
        let id = key(frame, VOUCHER_ID)?;
        Ok(if self.names_company {
            vec![code(frame, COMPANY)?, id]
        } else {
            vec![id]
        })
    }

    pub(super) fn place_of(&self, candidate: &Candidate) -> Option<usize> {
        let company = self.names_company.then(|| candidate.company.clone());
        self.places.get(&(company, candidate.key.clone())).copied()
    }

    fn is_shared(&self, key: &str) -> bool {
        let known = self.known.get(key);
        !self.names_company && known.is_some_and(|companies| companies.len() > 1)
    }

    /// Whether a voucher belongs to no company for sure (several have it, or a row of it names none in a file that names
    /// some), was used at no known time in a file that says days, or without an amount, which is no zero.
    pub(super) fn is_unsure(&self, place: Option<usize>, key: &str) -> bool {
        let used = place.and_then(|place| self.uses.get(place));
        let is_unsure = used.is_some_and(|used| used.without_amount > 0 || self.is_shared(key));
        is_unsure || self.unsure.contains(key)
    }

    /// What was not counted.
    pub(super) fn only(&self, counted: &BTreeSet<usize>) -> Vec<JdashOnly> {
        let left = self.uses.iter().enumerate();
        let left = left.filter(|(place, _)| !counted.contains(place));
        left.map(|(_, group)| {
            let (company, key) = parts(group, self.names_company);
            let lacks_company = is_blank(company.as_ref());
            let company = company.filter(|company| !company.is_empty());
            let key = key.unwrap_or_default();
            let known = self.known.get(&key);
            let knows = |company: &String| known.is_some_and(|known| known.contains(company));
            let is_known = company.as_ref().map_or(known.is_some(), knows);
            let why = match is_known {
                _ if lacks_company => JdashOnlyWhy::NoCompany,
                true if self.is_shared(&key) => JdashOnlyWhy::SeveralCompanies,
                true => JdashOnlyWhy::NotCandidate,
                false => JdashOnlyWhy::Unknown,
            };
            let of_ipe = || known.cloned().unwrap_or_default();
            JdashOnly {
                companies: company.map_or_else(of_ipe, |company| BTreeSet::from([company])),
                key,
                amount: group.amount,
                why,
            }
        })
        .collect()
    }
}

/// Whether a company is to be named here and is not.
fn is_blank(company: Option<&String>) -> bool {
    company.is_some_and(String::is_empty)
}

/// Company, where JDASH names it, and key of a group.
fn parts(group: &Group, names_company: bool) -> (Option<String>, Option<String>) {
    match group.keys.as_slice() {
        [company, key] if names_company => (company.clone(), key.clone()),
        [key, ..] => (None, key.clone()),
        [] => (None, None),
    }
}

/// The companies in which IPE_08 knows each key of JDASH, whatever else it says of them.
fn known(input: TimingInput<'_>) -> Result<BTreeMap<String, BTreeSet<String>>, ReconcileError> {
    let vouchers = &input.vouchers.frame;
    let ours = [
        code(vouchers, COMPANY)?.alias("company"),
        key(vouchers, "id")?.alias("key"),
    ];
    let theirs = [key(&input.jdash.frame, VOUCHER_ID)?.alias("key")];
    let doing = || "looking for the keys of JDASH".to_owned();
    let found = guarded(doing, || {
        let theirs = input.jdash.frame.clone().lazy().select(theirs);
        let theirs = theirs.group_by([col("key")]).agg([len().alias("rows")]);
        let ours = vouchers.clone().lazy().select(ours);
        let ours = ours
            .group_by([col("company"), col("key")])
            .agg([len().alias("rows_of")]);
        ours.inner_join(theirs, col("key"), col("key")).collect()
    })?;
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (key, company) in texts(&found, "key")?
        .into_iter()
        .zip(texts(&found, "company")?)
    {
        known.entry(key).or_default().insert(company);
    }
    Ok(known)
}
