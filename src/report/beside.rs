//! What stands beside a month in the tests of page, workbook and tables: bridges, lists and joins with one of everything, and
//! what moved since last month.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::material::{Explained, Vouchers};
use super::month::{self, amount};
use crate::domain::amount::Amount;
use crate::domain::reconcile::drift::{Schema, Sealed, since};
use crate::domain::reconcile::statement::Statement;
use crate::domain::sql_type::SqlType;
use crate::domain::vouchers::PairVerdict;
use crate::kernels::bridges::timing::TimingRow;
use crate::kernels::bridges::vtc::{VtcCompany, VtcRow};
use crate::kernels::bridges::{LabelCell, ListedRow, PostingGroups, Reclass, Timing, Vtc};
use crate::kernels::reconcile::audit::{JoinAudit, SideAudit};
use crate::kernels::vouchers::{Flow, FlowCell, Pivot, PivotCell};

/// A customer's number, which may stand in no file.
pub(super) const CUSTOMER: &str = "CUST-4711";

/// Owns what `Explained` refers to.
pub(super) struct Beside {
    pub(super) timing: Timing,
    vtc: Vtc,
    pivot: Pivot,
    flows: Vec<FlowCell>,
    audits: Vec<JoinAudit>,
    opening: BTreeMap<String, Amount>,
    groups: Vec<PostingGroups>,
    moves: Vec<Reclass>,
    labels: Vec<LabelCell>,
    not_computed: BTreeMap<String, String>,
}

impl Beside {
    pub(super) fn new() -> Self {
        Self {
            timing: timing(),
            vtc: vtc(),
            pivot: Pivot {
                scale: 2,
                cells: vec![PivotCell {
                    company: "EC_NG".to_owned(),
                    category: "Issuance".to_owned(),
                    label: "refund".to_owned(),
                    verdict: PairVerdict::Allowed,
                    rows: 3,
                    rows_without_amount: 0,
                    amount: amount("-90.00"),
                }],
            },
            flows: vec![flow(Flow::Issuance, "90.00"), flow(Flow::Usage, "-40.00")],
            audits: vec![audit("look-up of a voucher")],
            opening: BTreeMap::from([("EC_NG".to_owned(), amount("-100.00"))]),
            groups: vec![PostingGroups {
                company: "EC_IC".to_owned(),
                customer: CUSTOMER.to_owned(),
                groups: BTreeSet::from(["B2B".to_owned(), "B2C".to_owned()]),
            }],
            moves: vec![Reclass {
                company: "EC_IC".to_owned(),
                customer: CUSTOMER.to_owned(),
                primary: "FOOD".to_owned(),
                primary_balance: amount("50.00"),
                moves: BTreeMap::from([("MALL".to_owned(), amount("7.00"))]),
                rows_without_amount: 0,
            }],
            labels: vec![LabelCell {
                company: "EC_IC".to_owned(),
                label: Some("cash_in_transit".to_owned()),
                rows: 2,
                rows_without_amount: 0,
                amount: amount("12.00"),
            }],
            not_computed: BTreeMap::from([("B9".to_owned(), "no package that passed".to_owned())]),
        }
    }

    pub(super) fn shown(&self) -> Explained<'_> {
        Explained {
            timing: Some(&self.timing),
            vtc: Some(&self.vtc),
            vouchers: Some(Vouchers {
                pivot: &self.pivot,
                flows: &self.flows,
                audits: &self.audits,
                opening: &self.opening,
            }),
            posting_groups: Some(&self.groups),
            reclass: Some(&self.moves),
            labels: Some(&self.labels),
            not_computed: Some(&self.not_computed),
        }
    }

    /// Adds vouchers to B1 that are worth nothing.
    pub(super) fn with_vouchers(mut self, many: usize) -> Self {
        let company = self.timing.companies.get_mut("EC_NG").unwrap();
        let zero = amount("0.00");
        company.rows.extend((0..many).map(|nth| TimingRow {
            key: format!("MANY-{nth}"),
            jdash: Some(zero),
            delivered: zero,
            amount: zero,
        }));
        self
    }
}

fn audit(join: &str) -> JoinAudit {
    let side = |rows| SideAudit {
        rows,
        keys: rows,
        ..SideAudit::default()
    };
    JoinAudit {
        join: join.to_owned(),
        left: side(2),
        right: side(3),
        keys_matched: 2,
        rows_joined: 4,
    }
}

fn timing() -> Timing {
    let timing = json!({
        "from": "2023-05-01",
        "until": "2024-05-01",
        "audit": audit("IPE_08.id = JDASH.voucher_id"),
        "companies": {"EC_NG": {
            "amount": "-2100000.00",
            "rows": [
                {"key": "ABC-2", "jdash": null, "delivered": "10.00", "amount": "0.00"},
                {"key": "ABC-1", "jdash": "2500000.00", "delivered": "400000.00", "amount": "-2100000.00"},
            ],
            "amount_without_jdash": "10.00",
            "doubtful": [{"key": "ABC-3", "amount": null}],
            "undecided": 2,
        }},
        "jdash_only": [{"key": "ABC-9", "amount": "77.00", "why": "unknown", "companies": []}],
        "jdash_without_amount": 3,
        "jdash_without_company": {"rows": 4, "amount": "9.00"},
        "jdash_without_day": {"rows": 6, "amount": "7.00"},
        "jdash_after": {"rows": 5, "amount": "8.00"},
    });
    serde_json::from_value(timing).unwrap()
}

fn vtc() -> Vtc {
    let row = |key: &str, remaining: &str, inactive: &str, age_months| VtcRow {
        key: key.to_owned(),
        remaining: amount(remaining),
        inactive: inactive.parse().unwrap(),
        age_months,
    };
    let company = VtcCompany {
        amount: amount("-55000.00"),
        rows: vec![row("VTC-1", "55000.00", "2024-04-30", 0)],
        booked: 1,
        booked_amount: amount("5.00"),
        carried: vec![row("VTC-2", "800.00", "2024-01-15", 3)],
        carried_amount: amount("800.00"),
        not_judged: vec![row("VTC-3", "9.00", "2023-11-02", 5)],
        ledger_rows_without_key: 4,
        ledger_amount_without_key: amount("123.45"),
        doubtful: vec![ListedRow {
            key: String::new(),
            amount: Some(amount("1.00")),
        }],
        undecided: 0,
    };
    Vtc {
        ledger_from: "2024-01-01".parse().unwrap(),
        audit: audit("IPE_08.id = CR_03.voucher_no"),
        companies: BTreeMap::from([("JM_EG".to_owned(), company)]),
    }
}

fn flow(flow: Flow, both: &str) -> FlowCell {
    FlowCell {
        company: "EC_NG".to_owned(),
        flow,
        label: "refund".to_owned(),
        shop: amount(both),
        ledger: amount(both),
        difference: amount("0.00"),
        rows_left_out: 0,
    }
}

fn schema(version: u32, columns: [(&str, &str); 2]) -> Option<Schema> {
    let columns = columns.map(|(name, text)| (name.to_owned(), text.parse::<SqlType>().unwrap()));
    Some(Schema {
        version,
        columns: BTreeMap::from(columns),
    })
}

fn sealed(month: &Statement) -> Sealed<'_> {
    Sealed {
        items: &month.inputs,
        result: &month.result,
    }
}

/// April with every planted difference, beside a March that tied and had other inputs.
pub(super) fn drifted() -> Statement {
    let (mut march, mut april) = (month::clean(), month::planted());
    march.result.period = "2024-03".parse().unwrap();
    march.inputs.retain(|input| input.item.as_str() != "JDASH");
    let mut gone = march.inputs[0].clone();
    gone.item = "IPE_99".parse().unwrap();
    march.inputs.push(gone);
    for (before, now) in march.inputs.iter_mut().zip(&mut april.inputs) {
        match before.item.as_str() {
            "CR_03" => before.rows = Some(7),
            "CR_04" => {
                before.schema = schema(1, [("amount", "decimal(19,4)"), ("status", "int")]);
                now.schema = schema(2, [("amount", "decimal(20,4)"), ("by", "varchar(20)")]);
            }
            "CR_05" => before.rows = None,
            "IPE_07" => {
                let total = amount("3950617284.37");
                before.totals.insert("amount".to_owned(), total);
            }
            _ => {}
        }
    }
    let mut drift = since(Some(sealed(&march)), sealed(&april)).unwrap();
    // In April two companies have no rate: no line has a difference but this one, by hand.
    let line = &mut drift.lines[0];
    line.is_partial = false;
    let variance = line.variance_usd.as_mut().unwrap();
    variance.difference = Some(amount("-999.00"));
    april.drift = Some(drift);
    april
}
