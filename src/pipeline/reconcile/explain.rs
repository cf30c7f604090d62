//! What explains a part of a variance and what is only listed, from the packages of a month.
//!
//! A bridge that could not be computed is not among the sums: its line is not concluded. A list that could not be made says
//! why and holds nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bridge_sums::{TIMING, VTC, doubted, not_built, timing_sums, vtc_sums};
use super::inputs::Packaged;
use super::sums::{Held, computed, held};
use super::{Rules, Sources};
use crate::domain::amount::Amount;
use crate::domain::ids::IpeId;
use crate::domain::matching::Matched;
use crate::domain::period::Period;
use crate::domain::reconcile::contract::Effect;
use crate::domain::reconcile::evaluate::BridgeSums;
use crate::kernels::bridges::{
    LabelCell, PostingGroups, Reclass, Timing, TimingInput, Vtc, VtcInput, label_cells, label_rows,
    posting_groups, reclass, timing, vtc,
};
use crate::kernels::reconcile::StagedTable;
use crate::kernels::reconcile::audit::JoinAudit;
use crate::kernels::reconcile::filter::{Condition, Literal, Test};
use crate::kernels::vouchers::{FlowCell, FlowInput, LookupUse, Pivot, categorise, flows, pivot};
use crate::ports::PortError;

/// The packages that passed, by item.
pub(super) type Sound<'a> = BTreeMap<&'a IpeId, &'a Packaged>;

/// Everything that stands beside the lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanations {
    /// B1, voucher by voucher.
    pub timing: Option<Timing>,
    /// B2, voucher by voucher.
    pub vtc: Option<Vtc>,
    /// What the postings of the voucher account are.
    pub vouchers: Option<Categories>,
    /// The voucher account's balances of last month, in ledger sign, by company; empty where they are not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opening: BTreeMap<String, Amount>,
    /// B3.
    pub posting_groups: Option<Vec<PostingGroups>>,
    /// B4.
    pub reclass: Option<Vec<Reclass>>,
    /// B5.
    pub labels: Option<Vec<LabelCell>>,
    /// Rows of each line that belong together, and those that are open.
    pub matching: BTreeMap<String, Matched>,
    /// What was not computed, by name, and why.
    pub not_computed: BTreeMap<String, String>,
}

/// The voucher account by category and type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categories {
    /// Sums by company, category and type, of the year up to the end of the month.
    pub pivot: Pivot,
    /// What moved the account in the month, in the shop and in the ledger.
    pub flows: Vec<FlowCell>,
    /// What the plain joins of the look-ups would have done.
    pub audits: Vec<JoinAudit>,
    /// What each step of the look-up gave.
    pub lookups: Vec<LookupUse>,
}

impl Explanations {
    fn left_out(&mut self, what: &str, why: String) {
        self.not_computed.insert(what.to_owned(), why);
    }
}

/// Computes what can be computed. A bridge that lacks a package, or whose rows are more than may be held, is in doubt in every
/// company and has no amount.
///
/// # Errors
/// `Corrupt` for a part that is not what was staged or a column that an item should have; `Limit` for a sum beyond 38
/// digits.
pub(super) async fn explain(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    sound: &Sound<'_>,
) -> Result<(Explanations, BTreeMap<String, BridgeSums>), PortError> {
    let mut all = Explanations::default();
    let explains = |id: &str| {
        let bridge = rules.contract.bridge(id);
        bridge.is_some_and(|bridge| bridge.effect == Effect::Explains)
    };
    let mut lacking = BTreeMap::new();
    match vouchers(sources, sound).await? {
        Ok(vouchers) => {
            if explains(TIMING) {
                let why = timing_of(sources, rules, period, sound, &vouchers, &mut all).await?;
                lacking.extend(why.map(|why| (TIMING, why)));
            }
            if explains(VTC) {
                let why = vtc_of(sources, rules, period, sound, vouchers, &mut all).await?;
                lacking.extend(why.map(|why| (VTC, why)));
            }
        }
        Err(why) => {
            let bridges = [TIMING, VTC].into_iter().filter(|&id| explains(id));
            lacking.extend(bridges.map(|id| (id, why.clone())));
        }
    }
    let mut sums = BTreeMap::new();
    let companies = || rules.contract.companies.keys();
    if let Some(timing) = &all.timing {
        sums.insert(TIMING.to_owned(), timing_sums(timing, companies()));
    }
    if let Some(vtc) = &all.vtc {
        sums.insert(VTC.to_owned(), vtc_sums(vtc));
    }
    for (id, why) in lacking {
        sums.insert(id.to_owned(), doubted(&why, companies()));
        all.left_out(id, why);
    }
    lists(sources, rules, sound, &mut all).await?;
    for bridge in &rules.contract.bridges {
        if let Some(why) = not_built(&bridge.id) {
            all.left_out(&bridge.id, why.to_owned());
        }
    }
    Ok((all, sums))
}

/// That some of these items have no package that passed.
fn missing(sound: &Sound<'_>, items: &[&str]) -> String {
    let is_missing = |name: &&&str| !sound.keys().any(|item| item.as_str() == **name);
    let missing: Vec<&str> = items.iter().filter(is_missing).copied().collect();
    format!("no package that passed of {}", missing.join(", "))
}

pub(super) fn package<'a>(sound: &Sound<'a>, name: &str) -> Option<&'a Packaged> {
    let mut packages = sound.iter();
    let found = packages.find(|(item, _)| item.as_str() == name);
    found.map(|(_, package)| *package)
}

/// Vouchers with everything that both bridges ask for.
async fn vouchers(sources: Sources<'_>, sound: &Sound<'_>) -> Result<Held, PortError> {
    let Some(issued) = package(sound, "IPE_08") else {
        return Ok(Err(missing(sound, &["IPE_08"])));
    };
    let columns = [
        "id_company",
        "id",
        "business_use",
        "is_active",
        "created_at",
        "to_date",
        "min_inactive_date",
        "voucher_inactive_date",
        "discount_amount",
        "remaining_amount",
        "totalamountused",
    ];
    held(sources, issued, &columns, Vec::new()).await
}

/// Computes B1, or says why not.
async fn timing_of(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    sound: &Sound<'_>,
    vouchers: &StagedTable,
    all: &mut Explanations,
) -> Result<Option<String>, PortError> {
    let Some(file) = package(sound, "JDASH") else {
        return Ok(Some(missing(sound, &["JDASH"])));
    };
    let names_company = file.record.contract.column("id_company").is_some();
    let company = names_company.then_some("id_company");
    let columns: Vec<&str> = company
        .into_iter()
        .chain(["voucher_id", "amount_used", "usage_date"])
        .collect();
    let jdash = match held(sources, file, &columns, Vec::new()).await? {
        Ok(rows) => rows,
        Err(why) => return Ok(Some(why)),
    };
    let (vouchers, rules) = (vouchers.clone(), rules.vouchers.clone());
    let found = computed(file, move || {
        timing(TimingInput {
            vouchers: &vouchers,
            jdash: &jdash,
            period,
            rules: &rules,
        })
    });
    all.timing = Some(found.await?);
    Ok(None)
}

/// Computes B2 and what the postings of the voucher account are, or says why not.
async fn vtc_of(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    sound: &Sound<'_>,
    vouchers: StagedTable,
    all: &mut Explanations,
) -> Result<Option<String>, PortError> {
    let parts = (package(sound, "CR_03"), package(sound, "IPE_08_USAGE"));
    let (Some(entries), Some(usage)) = parts else {
        return Ok(Some(missing(sound, &["CR_03", "IPE_08_USAGE"])));
    };
    let ledger = postings(sources, rules, period, entries).await?;
    let columns = [
        "id_company",
        "id",
        "business_use",
        "delivery_mth",
        "totalamountused",
    ];
    let used = held(sources, usage, &columns, Vec::new()).await?;
    let (ledger, used) = match (ledger, used) {
        (Ok(ledger), Ok(used)) => (ledger, used),
        (Err(why), _) | (_, Err(why)) => return Ok(Some(why)),
    };
    let rules = rules.vouchers.clone();
    let found = computed(entries, move || {
        let ledger = categorise(&ledger, &vouchers, &used, &rules)?;
        let categories = Categories {
            pivot: pivot(&ledger, &rules)?,
            flows: flows(FlowInput {
                issued: &vouchers,
                used: &used,
                ledger: &ledger,
                period,
                rules: &rules,
            })?,
            audits: ledger.audits.clone(),
            lookups: ledger.lookups.clone(),
        };
        let found = vtc(VtcInput {
            vouchers: &vouchers,
            ledger: &ledger,
            period,
            rules: &rules,
        })?;
        Ok((found, categories))
    });
    let (found, categories) = found.await?;
    all.vtc = Some(found);
    all.vouchers = Some(categories);
    Ok(None)
}

/// The postings of the voucher account that are dated into the year.
async fn postings(
    sources: Sources<'_>,
    rules: &Rules,
    period: Period,
    entries: &Packaged,
) -> Result<Held, PortError> {
    let of_account = Condition::new(
        &rules.vouchers.account.column,
        Test::Meets(rules.vouchers.account.is.clone()),
    );
    let year = Literal::Day(period.year_start());
    let of_year = Condition::new("posting_date", Test::AtLeast(year));
    let columns = [
        "id_company",
        "posting_date",
        "document_no",
        "document_type",
        "document_description",
        "voucher_no",
        "bal_account_type",
        "user_id",
        "amount",
    ];
    held(sources, entries, &columns, vec![of_account, of_year]).await
}

/// B3, B4 and B5: lists. One that would be too long is left out with the reason.
async fn lists(
    sources: Sources<'_>,
    rules: &Rules,
    sound: &Sound<'_>,
    all: &mut Explanations,
) -> Result<(), PortError> {
    let listed = |id: &str| rules.contract.bridge(id).is_some();
    if let Some(entries) = package(sound, "IPE_07").filter(|_| listed("B3") || listed("B4")) {
        let columns = [
            "id_company",
            "customer_no",
            "customer_posting_group",
            "busline_code",
            "rem_amt_lcy",
        ];
        match held(sources, entries, &columns, Vec::new()).await? {
            Ok(rows) => {
                let found = computed(entries, move || {
                    Ok((posting_groups(&rows)?, reclass(&rows)?))
                });
                let (groups, moves) = found.await?;
                all.posting_groups = Some(groups);
                all.reclass = Some(moves);
            }
            Err(why) => {
                all.left_out("B3", why.clone());
                all.left_out("B4", why);
            }
        }
    }
    if let Some(open) = package(sound, "IPE_31").filter(|_| listed("B5")) {
        let columns = ["id_company", "transaction_type", "amount"];
        match held(sources, open, &columns, Vec::new()).await? {
            Ok(rows) => {
                let rules = rules.collections.clone();
                let found = computed(open, move || label_cells(&label_rows(&rows, &rules)?));
                all.labels = Some(found.await?);
            }
            Err(why) => all.left_out("B5", why),
        }
    }
    Ok(())
}
