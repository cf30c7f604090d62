use std::collections::BTreeMap;

use super::*;
use crate::domain::amount::Amount;
use crate::domain::reconcile::contract::Effect;
use crate::kernels::bridges::timing::LeftOut;
use crate::kernels::reconcile::audit::{JoinAudit, SideAudit};

fn found(without_company: Option<LeftOut>) -> Timing {
    Timing {
        from: "2023-05-01".parse().unwrap(),
        until: "2024-05-01".parse().unwrap(),
        audit: JoinAudit {
            join: String::new(),
            left: SideAudit::default(),
            right: SideAudit::default(),
            keys_matched: 0,
            rows_joined: 0,
        },
        companies: BTreeMap::new(),
        jdash_only: Vec::new(),
        jdash_without_amount: 0,
        jdash_without_company: without_company,
        jdash_without_day: None,
        jdash_after: Some(LeftOut {
            rows: 7,
            amount: Amount::zero(2),
        }),
    }
}

#[test]
fn a_row_that_may_be_of_any_company_leaves_every_one_in_doubt() {
    let companies = ["EC_KE", "EC_NG"].map(str::to_owned);
    let left_out = LeftOut {
        rows: 2,
        amount: "2500000.50".parse().unwrap(),
    };
    let doubted = timing_sums(&found(Some(left_out)), companies.iter());
    let why = "2 rows of JDASH name no company and come to 2500000.5";
    for company in &companies {
        assert_eq!(doubted.doubts[company], [why], "{company}");
    }
    // What was used after the month is in no doubt.
    let sure = timing_sums(&found(None), companies.iter());
    assert!(sure.doubts.is_empty(), "{:?}", sure.doubts);
}

/// A bridge that the contract names and nothing computes is said, and is not shown as if it were empty.
#[test]
fn a_bridge_that_is_a_name_only_is_said_not_to_be_computed() {
    let rules = crate::pipeline::reconcile::history::tests::rules();
    let bridges = rules.contract.bridges.iter();
    let said: Vec<&str> = bridges
        .filter(|bridge| not_built(&bridge.id).is_some())
        .map(|bridge| bridge.id.as_str())
        .collect();
    assert_eq!(said, ["B6"]);
    let b6 = rules.contract.bridge("B6").unwrap();
    assert_eq!(b6.effect, Effect::Listed, "never in what is explained");
    assert!(not_built("B7").unwrap().contains("knows no bridge"));
}
