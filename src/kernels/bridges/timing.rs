//! B1, timing: vouchers that the shop has used and whose order is not delivered, so that the ledger still owes them.
//!
//! The shop's usage (JDASH) is summed per voucher and compared with what was used in delivered orders; the difference is
//! what the ledger will book later. Inner sum = Σ(JDASH − delivered), bridge = −inner sum.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, NaiveDate};
use polars::prelude::{Expr, IntoLazy as _, col, len};
use serde::{Deserialize, Serialize};

use super::candidates::{Candidate, Wanted, candidates};
use super::{ListedRow, add};
use crate::domain::amount::Amount;
use crate::domain::period::Period;
use crate::domain::vouchers::VoucherRules;
use crate::kernels::frame::{guarded, texts};
use crate::kernels::reconcile::audit::{JoinAudit, Side, audit};
use crate::kernels::reconcile::cells::{COMPANY, Group, code, grouped, key, units};
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::reconcile::{ReconcileError, StagedTable, signed};

/// Column of JDASH with the voucher's number.
const VOUCHER_ID: &str = "voucher_id";
/// Column of JDASH with what was used.
const AMOUNT_USED: &str = "amount_used";
/// Column of IPE_08 with what was used in delivered orders.
const TOTAL_USED: &str = "totalamountused";

/// What the bridge is computed from.
#[derive(Debug, Clone, Copy)]
pub struct TimingInput<'a> {
    /// Rows of IPE_08: id_company, id, business_use, is_active, created_at, totalamountused.
    pub vouchers: &'a StagedTable,
    /// Rows of JDASH: voucher_id, amount_used, and id_company where the file says it.
    pub jdash: &'a StagedTable,
    /// The month.
    pub period: Period,
    /// What is no marketing.
    pub rules: &'a VoucherRules,
}

/// The bridge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// First day of creation.
    pub from: NaiveDate,
    /// First day after it.
    pub until: NaiveDate,
    /// What the plain join would have done.
    pub audit: JoinAudit,
    /// By company.
    pub companies: BTreeMap<String, TimingCompany>,
    /// What JDASH has and this bridge does not count.
    pub jdash_only: Vec<JdashOnly>,
    /// Rows of JDASH without an amount; they are in no sum.
    pub jdash_without_amount: u64,
}

/// The bridge of one company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingCompany {
    /// In ledger sign: −Σ(JDASH − delivered).
    pub amount: Amount,
    /// Every voucher that counts.
    pub rows: Vec<TimingRow>,
    /// What the vouchers that JDASH does not have are of `amount`: nothing used by JDASH, so their delivered use alone.
    pub amount_without_jdash: Amount,
    /// Vouchers that cannot be counted: no key, no amount on either side, a key that stands there twice, or an id that
    /// several companies have.
    pub doubtful: Vec<ListedRow>,
    /// Rows that a null leaves undecided.
    pub undecided: u64,
}

/// One voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimingRow {
    /// Voucher.
    pub key: String,
    /// What JDASH says was used; nothing where JDASH does not have it.
    pub jdash: Option<Amount>,
    /// What was used in delivered orders.
    pub delivered: Amount,
    /// What it adds to the bridge, in ledger sign.
    pub amount: Amount,
}

/// What JDASH has of a voucher and the bridge does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JdashOnly {
    /// Voucher; empty where JDASH names none.
    pub key: String,
    /// Sum of its rows.
    pub amount: Amount,
    /// Why.
    pub why: JdashOnlyWhy,
    /// Companies in which IPE_08 knows it, or that of JDASH.
    pub companies: BTreeSet<String>,
}

/// Why an amount of JDASH is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JdashOnlyWhy {
    /// IPE_08 does not have it.
    Unknown,
    /// IPE_08 has it, outside the window, active, of another use, or not countable.
    NotCandidate,
    /// IPE_08 has it in several companies and JDASH names none.
    SeveralCompanies,
}

/// Days of creation that the bridge looks at: a year up to the end of the month.
///
/// # Shape
/// First day, and the first day after.
#[must_use]
pub fn window(period: Period) -> (NaiveDate, NaiveDate) {
    let until = period.next_start();
    let from = until.checked_sub_months(Months::new(12));
    (from.unwrap_or(NaiveDate::MIN), until)
}

/// Computes the bridge.
///
/// # Errors
/// [`ReconcileError::Column`] for a missing column: a bridge that found nothing is another thing. A sum beyond 38 digits.
pub fn timing(input: TimingInput<'_>) -> Result<Timing, ReconcileError> {
    let (from, until) = window(input.period);
    let vouchers = &input.vouchers.frame;
    let wanted = Wanted {
        uses: &input.rules.bridges.non_marketing,
        conditions: vec![
            Condition::new("is_active", Test::OneOf(vec![Literal::Int(0)])),
            Condition::new("created_at", Test::AtLeast(Literal::Day(from))),
            Condition::new("created_at", Test::Below(Literal::Day(until))),
        ],
        amount: TOTAL_USED,
        day: None,
    };
    let found = candidates(vouchers, &wanted)?;
    let jdash = Jdash::read(input)?;
    let right = Side {
        frame: &input.jdash.frame,
        key: jdash.key(input)?,
    };
    let mut left_key = vec![col("key")];
    if jdash.names_company {
        left_key.insert(0, col("company"));
    }
    let left = Side {
        frame: &found.frame,
        key: left_key,
    };
    let audit = audit("IPE_08.id = JDASH.voucher_id", &left, &right)?;
    let scale = found.scale.max(jdash.scale);
    let mut timing = Timing {
        from,
        until,
        audit,
        companies: BTreeMap::new(),
        jdash_only: Vec::new(),
        jdash_without_amount: jdash.without_amount,
    };
    for (company, doubtful) in found.doubtful {
        let entry = timing.company(company, scale);
        entry.doubtful = doubtful.rows;
        entry.undecided = doubtful.undecided;
    }
    let mut counted = BTreeSet::new();
    for candidate in found.rows {
        let place = jdash.place_of(&candidate);
        let used = place.map(|place| (place, jdash.uses.get(place)));
        // An id of several companies belongs to none for sure, and a use without an amount is no zero: both sides stay
        // out of the sum.
        let lacks =
            |(_, group): (usize, Option<&Group>)| group.is_some_and(|g| g.without_amount > 0);
        if used.is_some_and(|used| lacks(used) || jdash.is_shared(&candidate.key)) {
            let listed = ListedRow {
                key: candidate.key,
                amount: Some(candidate.amount),
            };
            timing
                .company(candidate.company, scale)
                .doubtful
                .push(listed);
            continue;
        }
        counted.extend(place);
        let used = used.and_then(|(_, group)| group).map(|group| group.amount);
        timing.count(candidate, used, scale)?;
    }
    timing.jdash_only = jdash.only(&counted);
    Ok(timing)
}

impl Timing {
    fn company(&mut self, company: String, scale: u8) -> &mut TimingCompany {
        self.companies
            .entry(company)
            .or_insert_with(|| TimingCompany {
                amount: Amount::zero(scale),
                rows: Vec::new(),
                amount_without_jdash: Amount::zero(scale),
                doubtful: Vec::new(),
                undecided: 0,
            })
    }

    fn count(
        &mut self,
        candidate: Candidate,
        jdash: Option<Amount>,
        scale: u8,
    ) -> Result<(), ReconcileError> {
        let delivered = candidate.amount.rescale(scale);
        let delivered = delivered.map_err(ReconcileError::summing(TOTAL_USED))?;
        let jdash = jdash.map(|jdash| jdash.rescale(scale)).transpose();
        let jdash = jdash.map_err(ReconcileError::summing(AMOUNT_USED))?;
        let mut amount = delivered;
        if let Some(jdash) = jdash {
            let opposite = signed(jdash, true);
            let opposite = opposite.map_err(ReconcileError::summing(AMOUNT_USED))?;
            add(&mut amount, opposite, AMOUNT_USED)?;
        }
        let company = self.company(candidate.company, scale);
        add(&mut company.amount, amount, AMOUNT_USED)?;
        if jdash.is_none() {
            add(&mut company.amount_without_jdash, amount, TOTAL_USED)?;
        }
        company.rows.push(TimingRow {
            key: candidate.key,
            jdash,
            delivered,
            amount,
        });
        Ok(())
    }
}

/// JDASH by voucher.
struct Jdash {
    names_company: bool,
    scale: u8,
    without_amount: u64,
    /// Company, where the file names it, and key.
    uses: Vec<Group>,
    places: BTreeMap<(Option<String>, String), usize>,
    /// Companies in which IPE_08 knows a key of JDASH.
    known: BTreeMap<String, BTreeSet<String>>,
}

impl Jdash {
    fn read(input: TimingInput<'_>) -> Result<Self, ReconcileError> {
        let frame = &input.jdash.frame;
        // The column is there of every file; a file that names no company leaves it empty.
        let names_company =
            input.jdash.has(COMPANY) && input.jdash.texts(COMPANY)?.iter().any(Option::is_some);
        let mut jdash = Self {
            names_company,
            scale: units(frame, AMOUNT_USED)?.scale,
            without_amount: 0,
            uses: Vec::new(),
            places: BTreeMap::new(),
            known: known(input)?,
        };
        jdash.uses = grouped(frame, &jdash.key(input)?, AMOUNT_USED)?;
        for (place, group) in jdash.uses.iter().enumerate() {
            jdash.without_amount += group.without_amount;
            if let (company, Some(key)) = parts(group, names_company) {
                jdash.places.insert((company, key), place);
            }
        }
        Ok(jdash)
    }

    fn key(&self, input: TimingInput<'_>) -> Result<Vec<Expr>, ReconcileError> {
        let frame = &input.jdash.frame;
        let id = key(frame, VOUCHER_ID)?;
        Ok(if self.names_company {
            vec![code(frame, COMPANY)?, id]
        } else {
            vec![id]
        })
    }

    fn place_of(&self, candidate: &Candidate) -> Option<usize> {
        let company = self.names_company.then(|| candidate.company.clone());
        self.places.get(&(company, candidate.key.clone())).copied()
    }

    fn is_shared(&self, key: &str) -> bool {
        let known = self.known.get(key);
        !self.names_company && known.is_some_and(|companies| companies.len() > 1)
    }

    /// What was not counted.
    fn only(&self, counted: &BTreeSet<usize>) -> Vec<JdashOnly> {
        let left = self.uses.iter().enumerate();
        let left = left.filter(|(place, _)| !counted.contains(place));
        left.map(|(_, group)| {
            let (company, key) = parts(group, self.names_company);
            let key = key.unwrap_or_default();
            let known = self.known.get(&key);
            let knows = |company: &String| known.is_some_and(|known| known.contains(company));
            let is_known = company.as_ref().map_or(known.is_some(), knows);
            let why = match is_known {
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

#[cfg(test)]
#[path = "timing_tests.rs"]
mod tests;
