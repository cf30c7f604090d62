//! What a record counted for the rules of its item is counted again from the rows.

use soxauto::domain::quality::{ColumnRule, ColumnSeen, QualityRules, QualitySeen};
use soxauto::pipeline::record::ItemRecord;

use super::assert_valid;
use super::world::{World, check_again};

/// Every fifth row of the sample has no fee, and no fee is negative.
fn ruled(record: &ItemRecord, nulls: u64) -> ItemRecord {
    let mut record = record.clone();
    record.quality_rules = QualityRules {
        rows_min: Some(1),
        rows_max: None,
        columns: vec![ColumnRule {
            column: "fee".into(),
            min: Some("0".parse().unwrap()),
            ..ColumnRule::default()
        }],
    };
    record.quality = Some(QualitySeen {
        rows: 300,
        columns: vec![ColumnSeen {
            column: "fee".into(),
            nulls,
            below: 0,
            above: 0,
        }],
    });
    check_again(&mut record);
    record
}

#[tokio::test]
async fn counts_that_the_rows_do_not_give_are_found() {
    let world = World::run(300).await;
    assert_valid(&world.verdict(&ruled(&world.record, 60)).await);
    let mut uncounted = ruled(&world.record, 60);
    uncounted.quality = None;
    let mut unruled = ruled(&world.record, 60);
    unruled.quality_rules = QualityRules::default();
    check_again(&mut unruled);
    for record in [ruled(&world.record, 59), uncounted, unruled] {
        let report = world.verdict(&record).await;
        let what = "what the record counted for its rules is not what the rows give";
        let found = report.findings.iter().find(|found| found.what == what);
        assert!(found.is_some(), "{report:#?}");
    }
}
