use super::*;
use crate::domain::collections::COLLECTION_RULES;
use crate::kernels::reconcile::samples::{amounts, money, table, texts};

fn rows(kinds: &[&str], sums: &[&str]) -> StagedTable {
    table(vec![
        texts("id_company", &vec!["EC_NG"; kinds.len()]),
        texts("transaction_type", kinds),
        amounts("amount", 4, sums),
    ])
}

fn rules() -> CollectionRules {
    CollectionRules::parse(COLLECTION_RULES).unwrap()
}

#[test]
fn the_first_rule_that_holds_labels_a_row() {
    let kinds = [
        "Payment",
        " transfer TO",
        "Transfer From",
        "Payment Charges Rev",
        "Refund",
        "-",
        "Payment - Rev",
    ];
    let labelled = label_rows(
        &rows(&kinds, &["100", "12.5", "-7", "1", "3", "4", "-"]),
        &rules(),
    )
    .unwrap();
    let labels = labelled.texts(LABEL).unwrap();
    let labels: Vec<_> = labels.iter().map(Option::as_deref).collect();
    let (deposits, cancel) = (Some("CASH_DEPOSITS"), Some("CASH_DEPOSITS_CANCEL"));
    assert_eq!(
        labels,
        [deposits, deposits, cancel, cancel, None, None, deposits]
    );
    let cells = label_cells(&labelled).unwrap();
    let cells: Vec<_> = cells
        .iter()
        .map(|cell| {
            (
                cell.label.as_deref(),
                cell.rows,
                cell.rows_without_amount,
                cell.amount,
            )
        })
        .collect();
    let expected = [
        (None, 2, 0, money("7", 4)),
        (deposits, 3, 1, money("112.5", 4)),
        (cancel, 2, 0, money("-6", 4)),
    ];
    assert_eq!(cells, expected);
}

/// The predecessor asked for `Transaction_Type` after it had been renamed, and labelled nothing.
#[test]
fn a_missing_trigger_is_an_error_and_no_empty_result() {
    let renamed = StagedTable {
        frame: rows(&["Payment"], &["1"])
            .frame
            .drop("transaction_type")
            .unwrap(),
    };
    let error = label_rows(&renamed, &rules()).unwrap_err().to_string();
    assert!(error.contains("`transaction_type` is missing"), "{error}");
}
