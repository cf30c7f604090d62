//! Parquet files, with and without a schema file, whole and damaged.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow::array::{
    ArrayRef, AsArray, Decimal128Array, DictionaryArray, Float64Array, Int32Array, StringArray,
    TimestampNanosecondArray, UInt32Array,
};
use arrow::datatypes::Int32Type;
use arrow::record_batch::RecordBatch;

use super::*;

impl Folder {
    /// Writes a Parquet file as most programs do, compressed by snappy.
    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = File::create(self.path(name)).unwrap();
        let snappy = WriterProperties::builder().set_compression(Compression::SNAPPY);
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(snappy.build())).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
}

fn decimals(units: Vec<Option<i128>>) -> ArrayRef {
    let array = Decimal128Array::from(units)
        .with_precision_and_scale(9, 2)
        .unwrap();
    Arc::new(array)
}

/// A file of four columns, as programs write them.
fn stored() -> Folder {
    let folder = Folder::new();
    let keys = Int32Array::from(vec![Some(0), None, Some(0)]);
    let words: DictionaryArray<Int32Type> =
        DictionaryArray::try_new(keys, Arc::new(StringArray::from(vec!["word"]))).unwrap();
    folder.parquet(
        "db/dbo/T.parquet",
        vec![
            ("id", Arc::new(UInt32Array::from(vec![1, 2, u32::MAX]))),
            ("amount", decimals(vec![Some(-1250), None, Some(700)])),
            ("word", Arc::new(words)),
            (
                "at",
                Arc::new(TimestampNanosecondArray::from(vec![
                    0,
                    1_000,
                    1_500_000_000,
                ])),
            ),
        ],
    );
    folder
}

#[test]
fn a_parquet_file_needs_no_schema_file() {
    let table = stored().read().unwrap().remove(0);
    assert_eq!(
        types(&table),
        [
            "id bigint not null",
            "amount decimal(9,2)",
            "word nvarchar(max)",
            "at datetime2(7) not null"
        ]
    );
    assert_eq!(amounts(&table), [Some(-1250), None, Some(700)]);
}

#[test]
fn a_schema_file_beside_a_parquet_file_is_obeyed() {
    let folder = stored();
    let declared = r#"
        columns = [
            { name = "id", type = "decimal(12,1)", nullable = false },
            { name = "amount", type = "money" },
            { name = "word", type = "varchar(4)" },
            { name = "at", type = "datetime2(6)" },
        ]"#;
    fs::write(folder.path("db/dbo/T.toml"), declared).unwrap();
    let table = folder.read().unwrap().remove(0);
    assert_eq!(amounts(&table), [Some(-125_000), None, Some(70_000)]);
    assert_eq!(
        table.batches[0].column(2).as_string::<i32>().value(2),
        "word"
    );
    for (from, to, part) in [
        (
            "varchar(4)",
            "varchar(3)",
            "row 1: column `word`: has 4 characters",
        ),
        (
            "decimal(12,1)",
            "int",
            "row 3: column `id`: is out of the range of int",
        ),
        (
            "\"money\"",
            "\"money\", nullable = false",
            "row 2: column `amount`: null",
        ),
        ("\"money\"", "\"float\"", "floats are not exact"),
        (
            "datetime2(6)",
            "datetime2(3)",
            "row 2: column `at`: has 6 fraction digits",
        ),
        ("\"word\"", "\"words\"", "where the file has `word`"),
        (
            "columns",
            "csv = { header = false }\ncolumns",
            "[csv], which says nothing about Parquet",
        ),
    ] {
        fs::write(folder.path("db/dbo/T.toml"), declared.replacen(from, to, 1)).unwrap();
        let said = folder.refused();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn what_sql_server_cannot_hold_is_refused_in_parquet_too() {
    let cases: Vec<(ArrayRef, &str, &str)> = vec![
        (
            Arc::new(Float64Array::from(vec![1.0, f64::NAN])),
            "",
            "row 2: column `x`: is not a finite number",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1])),
            "",
            "row 1: column `x`: has 9 fraction digits",
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![1]).with_timezone("UTC")),
            "",
            "has no counterpart; declare one",
        ),
        (
            Arc::new(Float64Array::from(vec![0.1])),
            "decimal(9,2)",
            "floats are not exact",
        ),
        (
            Arc::new(StringArray::from(vec!["1,5"])),
            "decimal(9,2)",
            "digits with a point",
        ),
    ];
    for (array, schema, part) in cases {
        let folder = Folder::new();
        folder.parquet("db/dbo/T.parquet", vec![("x", array)]);
        if !schema.is_empty() {
            let toml = format!("columns = [{{ name = \"x\", type = \"{schema}\" }}]");
            fs::write(folder.path("db/dbo/T.toml"), toml).unwrap();
        }
        let said = folder.refused();
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn a_damaged_parquet_file_is_an_error() {
    let folder = Folder::new();
    let texts: StringArray = (0..500).map(|n| Some(format!("text {n}"))).collect();
    folder.parquet("db/dbo/T.parquet", vec![("x", Arc::new(texts))]);
    let path = folder.path("db/dbo/T.parquet");
    let good = fs::read(&path).unwrap();
    assert_eq!(folder.read().unwrap()[0].rows(), 500);
    for cut in [0, 3, 4, good.len() / 2, good.len() - 1] {
        fs::write(&path, &good[..cut]).unwrap();
        assert!(folder.refused().contains("Parquet"), "cut at {cut}");
    }
    for at in (0..good.len()).step_by(97) {
        let mut bad = good.clone();
        bad[at] ^= 0xFF;
        fs::write(&path, bad).unwrap();
        // Some bytes are not looked at, or are the text itself; what is refused is an error and no panic.
        if let Err(error) = folder.read() {
            assert!(error.path.ends_with("T.parquet"), "{error}");
        }
    }
}
