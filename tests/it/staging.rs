//! Staged parts: deterministic, cut by bytes, self-describing, and read back as written.

use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit};
use soxauto::adapters::store;
use soxauto::pipeline::stage::{
    CREATED_BY, FinishedPart, PartEncoder, footer, part_path, read_back, store_part,
};
use soxauto::ports::PortErrorKind;

use crate::evidence::sample::{batches, context, ipe, layout, limits};
use crate::support::small_disk;

fn encode(rows: i32) -> Vec<FinishedPart> {
    let run = context(1);
    let (schema, batches) = batches(&run, rows);
    let mut encoder = PartEncoder::new(layout(&run, schema)).unwrap();
    let mut parts = Vec::new();
    for batch in &batches {
        parts.extend(encoder.push(batch).unwrap());
    }
    parts.extend(encoder.finish().unwrap());
    parts
}

#[test]
fn the_same_rows_give_the_same_bytes() {
    let (a, b) = (encode(3_000), encode(3_000));
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert_eq!((a.index, &a.sha256, a.rows), (b.index, &b.sha256, b.rows));
        assert_eq!(a.bytes, b.bytes);
        assert_eq!(soxauto::domain::digest::sha256_hex(&a.bytes), a.sha256);
    }
}

#[test]
fn parts_and_row_groups_are_cut_by_bytes() {
    let parts = encode(6_000);
    assert!(parts.len() > 2, "{} parts", parts.len());
    assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), 6_000);
    for (index, part) in parts.iter().enumerate() {
        assert_eq!(part.index, index);
        assert!(
            part.bytes.len() <= limits().part_bytes_max,
            "{} bytes",
            part.bytes.len()
        );
        let footer = footer(&part.bytes).unwrap();
        let (_, full) = footer.row_groups().split_last().unwrap();
        assert!(!full.is_empty());
        for group in full {
            // The sample's rows have about 130 bytes of content and 80 of metadata in memory.
            assert!(
                (40..400).contains(&group.num_rows()),
                "{} rows",
                group.num_rows()
            );
        }
    }
}

#[test]
fn footers_say_types_statistics_and_origin() {
    let parts = encode(300);
    let footer = footer(&parts[0].bytes).unwrap();
    let file = footer.file_metadata();
    assert_eq!(file.created_by(), Some(CREATED_BY));
    let column = |name: &str| {
        let columns = file.schema_descr().columns().iter();
        columns
            .clone()
            .find(|column| column.name() == name)
            .unwrap()
    };
    let logical = |name: &str| column(name).logical_type_ref().cloned();
    let stamp = |is_adjusted_to_u_t_c| {
        Some(LogicalType::timestamp(
            is_adjusted_to_u_t_c,
            TimeUnit::MICROS,
        ))
    };
    assert_eq!(logical("posting_date"), stamp(false));
    assert_eq!(logical("changed"), stamp(true));
    assert_eq!(logical("_extraction_date"), stamp(true));
    assert_eq!(logical("rem_amt_lcy"), Some(LogicalType::decimal(20, 38)));
    assert_eq!(logical("fee"), Some(LogicalType::decimal(4, 19)));
    assert_eq!(logical("day"), Some(LogicalType::Date));
    assert_eq!(
        logical("at"),
        Some(LogicalType::time(false, TimeUnit::MICROS))
    );
    assert_eq!(logical("note"), Some(LogicalType::String));
    for chunk in footer.row_group(0).columns() {
        assert!(chunk.statistics().is_some(), "{}", chunk.column_path());
    }
    let pairs = file.key_value_metadata().unwrap();
    let value = |key: &str| {
        pairs
            .iter()
            .find(|pair| pair.key == key)
            .and_then(|pair| pair.value.clone())
            .unwrap()
    };
    assert_eq!(value("soxauto.run_id"), context(1).run_id.as_str());
    assert_eq!(value("soxauto.period"), "2024-04");
    assert!(value("soxauto.columns").contains(r#""source":"Entry No_","sql_type":"int""#));
    assert!(pairs.iter().all(|pair| pair.key.starts_with("soxauto.")));
}

#[tokio::test]
async fn no_rows_make_one_part_without_rows() {
    let parts = encode(0);
    assert_eq!((parts.len(), parts[0].rows), (1, 0));
    let staging = store::open("memory://").unwrap();
    let stored = store_part(&staging, "a/part-00000.parquet", parts[0].clone())
        .await
        .unwrap();
    let bytes = read_back(&staging, &stored).await.unwrap();
    assert_eq!(footer(&bytes).unwrap().file_metadata().num_rows(), 0);
}

#[tokio::test]
async fn a_part_is_stored_once_and_a_changed_one_is_named() {
    let run = context(1);
    let part = encode(300).remove(0);
    let path = part_path(&ipe(), run.period, &run.run_id, 0);
    let dir = tempfile::tempdir().unwrap();
    let staging = store::open(dir.path().to_str().unwrap()).unwrap();
    let stored = store_part(&staging, &path, part.clone()).await.unwrap();
    assert_eq!(
        store_part(&staging, &path, part.clone()).await.unwrap(),
        stored
    );
    assert_eq!(read_back(&staging, &stored).await.unwrap(), part.bytes);

    let other = FinishedPart {
        bytes: Bytes::from_static(b"other"),
        ..part.clone()
    };
    let error = store_part(&staging, &path, other).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);

    let file = dir.path().join(&path);
    let mut changed = part.bytes.to_vec();
    changed[100] ^= 1;
    for bytes in [changed, part.bytes[..part.bytes.len() - 1].to_vec()] {
        std::fs::write(&file, bytes).unwrap();
        let error = read_back(&staging, &stored).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt);
        assert!(error.to_string().contains(&stored.uri), "{error}");
    }
}

#[test]
fn a_batch_with_other_columns_is_refused() {
    let run = context(1);
    let (schema, batches) = batches(&run, 10);
    let mut encoder = PartEncoder::new(layout(&run, schema)).unwrap();
    let fewer = batches[0].project(&[0, 1]).unwrap();
    assert_eq!(
        encoder.push(&fewer).unwrap_err().kind,
        PortErrorKind::Corrupt
    );
}

#[tokio::test]
async fn a_full_disk_is_a_limit_with_a_hint() {
    let parts = encode(6_000);
    let staging = small_disk(parts[0].bytes.len() + 10);
    store_part(&staging, "a", parts[0].clone()).await.unwrap();
    let error = store_part(&staging, "b", parts[1].clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
    assert!(error.hint.is_some_and(|hint| hint.contains("full")));
    assert_eq!(
        staging.list("").await.unwrap().len(),
        2,
        "the part and its sidecar"
    );
}
