//! Which targets can be matched row by row with the ledger, and which are refused.

use super::*;

const SHIPPED: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

fn read(from: &str, to: &str) -> Result<ReconciliationContract, RuleError> {
    assert!(SHIPPED.contains(from), "{from}");
    ReconciliationContract::read("v1.toml", &SHIPPED.replacen(from, to, 1))
}

/// Line, columns of the ledger and of the item, and the number of conditions.
fn matched(contract: &ReconciliationContract) -> Vec<(&str, &str, &str, usize)> {
    let targets = contract.lines.iter().map(|line| (line, &line.targets[0]));
    let matched = targets.filter_map(|(line, target)| {
        let keys = target.matching.as_ref()?;
        let (ledger, source) = (&keys.ledger[0], &keys.source[0]);
        Some((
            line.id.as_str(),
            ledger.as_str(),
            source.as_str(),
            target.conditions.len(),
        ))
    });
    matched.collect()
}

#[test]
fn lines_are_matched_by_the_keys_of_the_control_also_where_some_rows_count() {
    let contract = ReconciliationContract::read("v1.toml", SHIPPED).unwrap();
    assert_eq!(
        matched(&contract),
        [
            ("L1", "entry_no", "gl_entry_no", 0),
            ("L4", "external_document_no", "order_nr", 0),
            ("L5", "external_document_no", "order_nr", 1),
            ("L6", "voucher_no", "id", 3),
        ]
    );
}

#[test]
fn a_match_that_could_not_be_made_is_refused() {
    let refused = "rows are matched inside one account, and none is subtracted; take `match` out";
    for (from, to, says) in [
        ("gls = [\"18317\"]", "gls = [\"18317\", \"18318\"]", refused),
        ("[\"amounttorefund\"]", "[\"-amounttorefund\"]", refused),
        (
            "{ ledger = [\"voucher_no\"], source = [\"id\"],",
            "{ ledger = [], source = [],",
            "IPE_08: `match` names as many columns of the ledger as of the item",
        ),
        (
            "source = [\"id\"], date",
            "source = [\"id\", \"type\"], date",
            "IPE_08: `match` names as many columns of the ledger as of the item",
        ),
    ] {
        let error = read(from, to).unwrap_err().to_string();
        assert!(error.contains(says), "{to}: {error}");
    }
    // The twin: without `match` both are what they were.
    let own = "match = { ledger = [\"external_document_no\"], source = [\"order_nr\"], date = \"return_date\" }\n";
    let without = read(own, "").unwrap();
    assert_eq!(matched(&without).len(), 3);
}
