//! What the bridges come to by company, and what leaves them in doubt.

use super::inputs::plain;
use crate::domain::reconcile::evaluate::BridgeSums;
use crate::kernels::bridges::timing::JdashOnlyWhy;
use crate::kernels::bridges::{ListedRow, Timing, Vtc};

/// The two bridges that explain, by their names in the contract.
pub(super) const TIMING: &str = "B1";
pub(super) const VTC: &str = "B2";

/// Why this program does not compute a bridge of the contract; `None` for those that it knows.
pub(super) fn not_built(bridge: &str) -> Option<&'static str> {
    match bridge {
        TIMING | VTC | "B3" | "B4" | "B5" => None,
        "B6" => Some(
            "matching lists no pairs with their two dates, and of a pair across the cutoff one half is in next month's packages",
        ),
        _ => Some("this program knows no bridge of this name"),
    }
}

/// What B1 comes to. What may be of any company leaves every one of the contract in doubt.
pub(super) fn timing_sums<'a>(
    timing: &Timing,
    all: impl Iterator<Item = &'a String>,
) -> BridgeSums {
    let mut sums = BridgeSums::default();
    for (company, found) in &timing.companies {
        sums.amounts.insert(company.clone(), found.amount);
        doubt(&mut sums, company, &found.doubtful, found.undecided);
    }
    let mut of_any = Vec::new();
    if timing.jdash_without_amount > 0 {
        let rows = timing.jdash_without_amount;
        of_any.push(format!("{rows} rows of JDASH lack an amount"));
    }
    if let Some(left_out) = timing.jdash_without_company {
        let (rows, amount) = (left_out.rows, plain(left_out.amount));
        of_any.push(format!(
            "{rows} rows of JDASH name no company and come to {amount}"
        ));
    }
    for company in all.filter(|_| !of_any.is_empty()) {
        let doubts = sums.doubts.entry(company.clone()).or_default();
        doubts.extend(of_any.iter().cloned());
    }
    for only in &timing.jdash_only {
        if only.why == JdashOnlyWhy::SeveralCompanies {
            for company in &only.companies {
                let why = "a voucher of JDASH may be of several companies".to_owned();
                let doubts = sums.doubts.entry(company.clone()).or_default();
                if !doubts.contains(&why) {
                    doubts.push(why);
                }
            }
        }
    }
    sums
}

/// A bridge without an amount, for the same reason in every company.
pub(super) fn doubted<'a>(why: &str, companies: impl Iterator<Item = &'a String>) -> BridgeSums {
    let doubts = companies.map(|company| (company.clone(), vec![why.to_owned()]));
    BridgeSums {
        doubts: doubts.collect(),
        ..BridgeSums::default()
    }
}

pub(super) fn vtc_sums(vtc: &Vtc) -> BridgeSums {
    let mut sums = BridgeSums::default();
    for (company, found) in &vtc.companies {
        sums.amounts.insert(company.clone(), found.amount);
        doubt(&mut sums, company, &found.doubtful, found.undecided);
    }
    sums
}

/// What cannot be counted keeps the company's line open.
fn doubt(sums: &mut BridgeSums, company: &str, doubtful: &[ListedRow], undecided: u64) {
    let mut doubts = Vec::new();
    if !doubtful.is_empty() {
        let count = doubtful.len();
        doubts.push(format!(
            "{count} vouchers lack a key or an amount, or have one twice"
        ));
    }
    if undecided > 0 {
        doubts.push(format!("{undecided} vouchers leave a condition open"));
    }
    if !doubts.is_empty() {
        sums.doubts.insert(company.to_owned(), doubts);
    }
}

#[cfg(test)]
#[path = "bridge_sums_tests.rs"]
mod tests;
