//! What is counted in a month, out of the files that it shows.

use std::collections::BTreeMap;
use std::fs;

use arrow::array::{AsArray as _, RecordBatch};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use soxauto::kernels::digest::DigestFold;
use soxauto::kernels::totals::TotalsFold;

use super::Known;

/// Texts of a row behind its first three columns.
const WIDTH: usize = 4;

impl Known {
    /// Bytes and rows of a file.
    pub(super) fn file(&self, uri: &str) -> Option<(u64, u64)> {
        if let Some(known) = self.files.get(uri) {
            return Some(*known);
        }
        let bytes = self.bytes(uri)?;
        let rows = batches(&bytes)
            .iter()
            .map(RecordBatch::num_rows)
            .sum::<usize>();
        let size = u64::try_from(bytes.len()).unwrap();
        Some((size, u64::try_from(rows).unwrap()))
    }

    fn bytes(&self, uri: &str) -> Option<Bytes> {
        let bucket = self.bucket.as_ref()?;
        let path = bucket.folder.join(uri.strip_prefix("gs://staging/")?);
        Some(fs::read(path).ok()?.into())
    }

    /// The answer to the statement of the read-back; `None` where there are no files to count.
    pub(super) fn month_of(&self, sql: &str) -> Option<Value> {
        let contract = &self.bucket.as_ref()?.contract;
        let (table, month) = (sql.split('`').nth(1)?, sql.split("DATE '").nth(1)?);
        let table = table.rsplit('.').next()?;
        let partition = format!("{table}${}{}", &month[..4], &month[5..7]);
        let (mut digest, mut totals) = (DigestFold::new(contract), TotalsFold::new(contract));
        let mut runs: BTreeMap<String, usize> = BTreeMap::new();
        for uri in self.months.get(&partition).into_iter().flatten() {
            for batch in batches(&self.bytes(uri).expect("a file of the month is gone")) {
                digest.fold(&batch).unwrap();
                totals.fold(&batch).unwrap();
                let ids = arrow::compute::cast(
                    batch.column_by_name("_run_id").unwrap(),
                    &arrow::datatypes::DataType::Utf8,
                );
                for run in ids.unwrap().as_string::<i32>().iter() {
                    *runs.entry(run.unwrap().to_owned()).or_default() += 1;
                }
            }
        }
        let mut rows = Vec::new();
        for (company, group) in &totals.finish().unwrap().groups {
            let sums = group.sums.iter().map(ToString::to_string).collect();
            rows.push(row("company", company, group.rows.to_string(), sums));
        }
        for (place, bucket) in digest.finish().buckets.iter().enumerate() {
            if bucket.rows > 0 {
                let limbs = bucket.limbs.iter().map(ToString::to_string).collect();
                let (name, n) = (format!("{place:03x}"), bucket.rows.to_string());
                rows.push(row("bucket", &name, n, limbs));
            }
        }
        for (run, n) in runs {
            rows.push(row("run", &run, n.to_string(), Vec::new()));
        }
        let field = |name: String, kind: &str| json!({"name": name, "type": kind});
        let mut fields = vec![
            field("part".into(), "STRING"),
            field("name".into(), "STRING"),
            field("n".into(), "INTEGER"),
        ];
        fields.extend((0..WIDTH).map(|at| field(format!("v{at}"), "STRING")));
        Some(json!({
            "jobComplete": true, "totalRows": rows.len().to_string(), "rows": rows, "schema": {"fields": fields},
        }))
    }
}

fn batches(bytes: &Bytes) -> Vec<RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
    reader.build().unwrap().map(Result::unwrap).collect()
}

fn row(part: &str, name: &str, n: String, values: Vec<String>) -> Value {
    let mut cells = vec![json!({"v": part}), json!({"v": name}), json!({"v": n})];
    cells.extend(values.into_iter().map(|value| json!({"v": value})));
    cells.resize(3 + WIDTH, json!({"v": null}));
    json!({"f": cells})
}
