//! `soxauto inspect`.

use std::fs::File;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array};
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use serde_json::Value;

use super::{Desk, MONTH, TABLE, column, widest};

#[tokio::test]
async fn a_month_shows_where_it_comes_from_and_what_it_holds() {
    let desk = Desk::new(1_500).await;
    let staged = desk.world.record.staged.as_ref().unwrap();
    let found = desk.look(&[MONTH]);
    assert_eq!(found["rows"], 1_500);
    assert_eq!(found["files"], staged.parts.len());
    assert_eq!(found["reading"]["all"], true);
    let run = &found["runs"][0];
    assert_eq!(run["item"], "IPE_07");
    assert_eq!(run["run_id"], desk.world.record.context.run_id.as_str());
    assert_eq!(run["period"], "2024-04");
    assert_eq!(run["contract_version"], "3");
    assert_eq!(run["definition_sha256"], "cd".repeat(32));
    assert_eq!(run["status"], "SUCCESS");
    assert_eq!(found["digest"]["recorded"], staged.digest.to_string());

    let amount = column(&found, "rem_amt_lcy");
    assert_eq!(amount["source"], "rem_amt_LCY");
    assert_eq!(amount["sql_type"], "decimal(38,20)");
    let parquet = "OPTIONAL FIXED_LEN_BYTE_ARRAY (16) (DECIMAL(38,20))";
    assert_eq!(amount["parquet"], parquet);
    assert_eq!(amount["nulls"], 300);
    assert_eq!(amount["distinct"]["count"], 1_200);
    assert_eq!(amount["distinct"]["exact"], true);
    assert_eq!(amount["min"], "-3.90000000000000000000");
    assert_eq!(amount["max"], "145.90000000000000000000");
    assert_eq!(amount["sum"], desk.recorded_sum("rem_amt_lcy"));
    assert_eq!(amount["sum_from"], "rows");
    assert_eq!(
        column(&found, "rate")["sum"],
        Value::Null,
        "a float is no amount"
    );
    assert_eq!(column(&found, "day")["max"], "1974-02-08");
    assert_eq!(found["head"][0]["cells"][1], "0");

    let text = desk.out(&["inspect", MONTH]);
    for part in [
        "rem_amt_LCY",
        "decimal(38,20)",
        "SUCCESS",
        "NOT CONTROL EVIDENCE",
        "values of all rows",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let by_flag = desk.look(&[TABLE, "--period", "2024-04"]);
    assert_eq!(by_flag["columns"], found["columns"]);
}

/// Defect 5 of the predecessor: the search for evidence returned nothing, whatever was asked for.
#[tokio::test]
async fn files_folders_packages_runs_and_tables_can_be_named() {
    let desk = Desk::new(1_500).await;
    let staged = desk.world.record.staged.as_ref().unwrap();
    let package = desk.folder("evidence/IPE_07/period=2024-04");
    let package = package.join(format!("run={}", desk.world.record.context.run_id));
    let part = desk.folder("staging").join(&staged.parts[0].path);
    for (target, rows) in [
        (TABLE, 1_500),
        (desk.run().as_str(), 1_500),
        (desk.world.record.context.run_id.as_str(), 1_500),
        (package.to_str().unwrap(), 1_500),
        (part.parent().unwrap().to_str().unwrap(), 1_500),
        (part.to_str().unwrap(), staged.parts[0].rows),
    ] {
        let found = desk.look(&[target]);
        assert_eq!(found["rows"], rows, "{target}");
        let is_whole = rows == 1_500;
        assert_eq!(
            found["digest"]["recorded"].is_string(),
            is_whole,
            "{target}"
        );
        assert_eq!(
            found["notes"].as_array().unwrap().is_empty(),
            is_whole,
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_large_table_is_sampled_and_says_so() {
    let desk = Desk::new(20_100).await;
    let quick = desk.look(&[&desk.run()]);
    let full = desk.look(&[&desk.run(), "--full"]);
    assert_eq!(quick["reading"]["all"], false);
    assert_eq!(full["reading"]["all"], true);
    let read = quick["reading"]["rows"].as_u64().unwrap();
    assert!((16..20_100).contains(&read), "{read}");
    for name in [
        "rem_amt_lcy",
        "posting_date",
        "day",
        "at",
        "small",
        "fee",
        "id_company",
    ] {
        let (quick, full) = (column(&quick, name), column(&full, name));
        for figure in ["nulls", "min", "max", "sum", "bounds_exact"] {
            assert_eq!(quick[figure], full[figure], "{figure} of {name}");
        }
    }
    assert_eq!(column(&quick, "fee")["sum_from"], "record");
    assert_eq!(column(&full, "fee")["sum_from"], "rows");
    assert_eq!(column(&quick, "entry_no")["distinct"]["count"], read);
    assert_eq!(column(&full, "entry_no")["distinct"]["count"], 20_100);
    let text = desk.out(&["inspect", &desk.run(), "--rows", "0"]);
    let said = format!("values: distinct in {read} sampled rows, all else of all rows");
    assert!(text.contains(&said), "{text}");
    let nowhere = desk.folder("nowhere");
    let unknown = desk.look(&[&desk.run(), "--evidence", nowhere.to_str().unwrap()]);
    assert_eq!(column(&unknown, "rem_amt_lcy")["sum"], Value::Null);
}

#[tokio::test]
async fn the_seed_alone_chooses_the_sample() {
    let desk = Desk::new(1_500).await;
    let sample = |seed: &str| desk.look(&[MONTH, "--rows", "3", "--seed", seed])["sample"].clone();
    assert_eq!(sample("7"), sample("7"));
    assert_ne!(sample("7"), sample("8"));
    let found = desk.look(&[MONTH, "--rows", "1000"]);
    for row in found["sample"].as_array().unwrap() {
        assert_eq!(
            row["cells"][1],
            row["row"].to_string(),
            "each row stands under its position"
        );
    }
}

#[tokio::test]
async fn personal_values_are_masked_unless_asked_for() {
    let desk = Desk::new(300).await;
    let run = desk.run();
    let said = desk.out(&["inspect", &run, "--rows", "50"]);
    assert!(!said.contains("Café"), "{said}");
    assert!(!desk.look(&[&run]).to_string().contains("Café"));
    // The table was made before the column was marked; the record knows better.
    assert!(!desk.look(&[MONTH]).to_string().contains("Café"));
    let found = desk.look(&[&run]);
    assert_eq!(column(&found, "note")["personal"], true);
    assert_eq!(column(&found, "note")["min"], "(masked)");
    assert_eq!(column(&found, "note")["distinct"]["count"], 240);
    assert_eq!(column(&found, "id_company")["min"], "EC_KE");
    desk.refused(&["inspect", &run, "--totals-by", "note"], "--show-personal");

    let shown = desk.look(&[&run, "--show-personal", "--totals-by", "note"]);
    assert_eq!(column(&shown, "note")["min"], "Café n° 1");
    assert_eq!(shown["totals_by"]["groups"][0]["value"], Value::Null);
    assert_eq!(shown["totals_by"]["groups"][0]["rows"], 60);

    // Without a record the catalog knows another IPE_07: what it does not name may be a name, and is masked.
    let nowhere = desk.folder("nowhere");
    let unknown = desk.look(&[&run, "--evidence", nowhere.to_str().unwrap()]);
    assert!(
        unknown["notes"][0]
            .as_str()
            .unwrap()
            .contains("which columns are personal")
    );
    assert_eq!(column(&unknown, "note")["max"], "(masked)");
    assert_eq!(column(&unknown, "stamp")["max"], "(masked)");
    assert_eq!(column(&unknown, "fee")["min"], "0.0025");
}

#[tokio::test]
async fn a_digest_is_computed_again_and_another_one_is_found() {
    let desk = Desk::new(300).await;
    let found = desk.look(&[MONTH, "--digest"]);
    assert_eq!(found["digest"]["recomputed"], found["digest"]["recorded"]);
    assert!(desk.out(&["inspect", MONTH, "--digest"]).contains(" equal"));

    let mut record = desk.world.record.clone();
    record.staged.as_mut().unwrap().digest.limbs[0] += 1;
    let evidence = desk.folder("wrong");
    let root = soxauto::adapters::store::open(evidence.to_str().unwrap()).unwrap();
    soxauto::pipeline::package::seal(&root, &record, b"")
        .await
        .unwrap();
    let evidence = evidence.to_str().unwrap();
    let said = desk.ask(&["inspect", MONTH, "--digest", "--evidence", evidence]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(said.out.contains(" DIFFERENT"), "{}", said.out);

    // Other rows in place of the staged ones: their number shows it, and nothing recorded is said of them.
    let other = Desk::new(301).await;
    let parts = |desk: &Desk| {
        let staged = desk.world.record.staged.as_ref().unwrap();
        let paths = staged.parts.iter().map(|part| part.path.clone());
        paths.collect::<Vec<_>>()
    };
    for part in parts(&desk) {
        std::fs::remove_file(desk.folder("staging").join(part)).unwrap();
    }
    for part in parts(&other) {
        let to = desk.folder("staging").join(&part);
        std::fs::copy(other.folder("staging").join(&part), to).unwrap();
    }
    let said = desk.ask(&["inspect", &desk.run(), "--digest"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("301 of the 300 rows"), "{}", said.out);
    assert!(said.out.contains("none for these rows"), "{}", said.out);
}

#[tokio::test]
async fn histogram_and_totals_hold_every_row() {
    let desk = Desk::new(1_500).await;
    let found = desk.look(&[
        MONTH,
        "--histogram",
        "rem_amt_lcy",
        "--totals-by",
        "id_company",
    ]);
    let bins = found["histogram"]["bins"].as_array().unwrap();
    let rows: u64 = bins.iter().map(|bin| bin["rows"].as_u64().unwrap()).sum();
    assert_eq!(rows + found["histogram"]["nulls"].as_u64().unwrap(), 1_500);
    let record = &desk.world.record.staged.as_ref().unwrap().totals;
    let totals = &found["totals_by"];
    assert_eq!(totals["amounts"], serde_json::json!(record.amounts));
    assert_eq!(
        totals["groups"].as_array().unwrap().len(),
        record.groups.len()
    );
    for group in totals["groups"].as_array().unwrap() {
        let recorded = &record.groups[group["value"].as_str().unwrap()];
        assert_eq!(group["rows"], recorded.rows);
        assert_eq!(group["sums"], serde_json::json!(recorded.sums));
    }
    let text = desk.out(&["inspect", MONTH, "--histogram", "posting_date"]);
    assert!(
        text.contains("1970-01-01T00:00:00") && text.contains('█'),
        "{text}"
    );
    for (column, part) in [
        ("id_company", "a histogram needs exact numbers"),
        ("rate", "carries Float64"),
        ("nothing", "columns are id_company, entry_no"),
    ] {
        desk.refused(&["inspect", MONTH, "--histogram", column], part);
    }
}

#[tokio::test]
async fn amounts_of_38_digits_stay_exact() {
    let desk = Desk::new(1).await;
    let path = desk.folder("files/widest.parquet");
    widest(&path);
    let path = path.to_str().unwrap();
    let found = desk.look(&[path, "--totals-by", "side"]);
    let amount = column(&found, "amount");
    assert_eq!(amount["min"], "-999999999999999999.99999999999999999999");
    assert_eq!(amount["max"], "999999999999999999.99999999999999999999");
    assert_eq!(amount["sum"], "0.00000000000000000001");
    assert_eq!(found["runs"], serde_json::json!([]));
    // What does not fit is said, never wrapped or rounded.
    assert_eq!(
        found["totals_by"]["groups"][0]["sums"][0],
        "beyond 38 digits"
    );
    let out = desk.out(&["inspect", path]);
    assert!(out.contains("not written by soxauto"), "{out}");
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    let desk = Desk::new(10).await;
    let text = desk.folder("notes.txt");
    std::fs::write(&text, "no Parquet").unwrap();
    let other = "20240501T090000Z-ffffffff";
    let empty = desk.folder("empty");
    std::fs::create_dir(&empty).unwrap();
    for (args, part) in [
        (
            &["nothing"][..],
            "hint: tables are: pg01_validated_ipe_ipe_07",
        ),
        (
            &["pg01_validated_ipe_ipe_07$202405"],
            "hint: loaded are: 2024-04",
        ),
        (&[TABLE, "--period", "2024-03"], "month 2024-03 of table"),
        (&["pg01_validated_ipe_ipe_07$2024"], "write it as YYYYMM"),
        (&[other], "is neither staged nor sealed here"),
        (
            &["IPE_08@20240501T090000Z-00000001"],
            "run IPE_08@20240501T090000Z-00000001 is neither",
        ),
        (&["no/such/file.parquet"], "there is no file or folder"),
        (&[text.to_str().unwrap()], "not readable as Parquet"),
        (&[empty.to_str().unwrap()], "there are no Parquet files"),
    ] {
        desk.refused(&[&["inspect"], args].concat(), part);
    }
    let run = desk.world.record.context.run_id.as_str();
    let copy = format!("staging/CR_04/period=2024-04/run={run}/part-00000.parquet");
    widest(&desk.folder(&copy));
    let hint = format!("name one: CR_04@{run}, IPE_07@{run}");
    desk.refused(&["inspect", run], &hint);
}

#[tokio::test]
async fn a_footer_that_does_not_say_is_not_made_to_say() {
    let desk = Desk::new(1).await;
    let path = desk.folder("silent.parquet");
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..20_001));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    for (statistics, bound) in [
        (EnabledStatistics::Chunk, Value::from("20000")),
        (EnabledStatistics::None, Value::Null),
    ] {
        let properties = WriterProperties::builder()
            .set_statistics_enabled(statistics)
            .set_max_row_group_row_count(Some(1_000))
            .build();
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let found = desk.look(&[path.to_str().unwrap()]);
        assert!(found["reading"]["rows"].as_u64().unwrap() < 20_001);
        assert_eq!(column(&found, "n")["max"], bound);
        assert_eq!(column(&found, "n")["nulls"].is_null(), bound.is_null());
    }
}
