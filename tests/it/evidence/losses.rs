//! A forged loss ledger: what follows from the parts is found; what was cut is in no part and only bounded.

use soxauto::domain::losses::{Changes, ColumnLosses};

use super::world::{World, assert_names, assert_valid};

async fn forged(
    world: &World,
    forge: impl FnOnce(&mut Vec<ColumnLosses>),
) -> soxauto::pipeline::package::VerifyReport {
    let mut record = world.record.clone();
    forge(record.losses.as_mut().unwrap());
    world.verdict(&record).await
}

#[tokio::test]
async fn what_the_parts_contradict_is_named() {
    let world = World::run(300).await;
    let names: Vec<&str> = world
        .record
        .losses
        .iter()
        .flatten()
        .map(|line| line.column.as_str())
        .collect();
    assert_eq!(names, ["posting_date", "changed", "fee"]);
    assert_valid(&world.verdict(&world.record).await);
    let place = "data/losses.json";
    let report = forged(&world, |lines| drop(lines.pop())).await;
    assert_names(&report, place, "a line left out");
    let report = forged(&world, |lines| lines[0].values += 1).await;
    assert_names(&report, place, "values that are not there");
    let report = forged(&world, |lines| lines[0].column = "day".into()).await;
    assert_names(&report, place, "another column");
    let report = forged(&world, |lines| lines[1].changes.ticks = 28).await;
    assert_names(&report, place, "more than nine ticks a value");
    let report = forged(&world, |lines| lines[1].changes.cut = 301).await;
    assert_names(&report, place, "more than all values");
    let offsets = Changes {
        offsets: 1,
        ..Changes::default()
    };
    let report = forged(&world, |lines| lines[0].changes = offsets).await;
    assert_names(&report, place, "an offset where there is none");
}

#[tokio::test]
async fn what_was_cut_cannot_be_counted_again_and_verify_says_so() {
    let world = World::run(300).await;
    let report = forged(&world, |lines| lines[1].changes.ticks = 13).await;
    assert_valid(&report);
    let said = "what was cut is in no part and cannot be counted again";
    assert!(
        report.checked.iter().any(|what| what.contains(said)),
        "{report:#?}"
    );
}

#[tokio::test]
async fn a_line_of_the_summary_says_what_a_column_lost() {
    let world = World::run(300).await;
    let package = world.seal(&world.record).await;
    let text =
        async |name: &str| String::from_utf8(package.get(name).await.unwrap().to_vec()).unwrap();
    let summary = text("data/summary.md").await;
    let said = "- changed: the 100 ns digit was cut in 3 of 300 values, 12 × 100 ns in all, at most 7 in one; \
                2 of 300 values are kept as UTC without their offset";
    assert!(summary.contains(said), "{summary}");
    let view: serde_json::Value = serde_json::from_str(&text("data/losses.json").await).unwrap();
    let carried: Vec<&str> = view
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["carried"].as_str().unwrap())
        .collect();
    assert_eq!(
        carried[..6],
        [
            "lossless", "lossless", "lossless", "widened", "cut", "lossless"
        ]
    );
}
