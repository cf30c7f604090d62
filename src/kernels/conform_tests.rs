use super::*;
use crate::domain::digest::sha256_hex;
use crate::kernels::digest::DigestFold;
use crate::kernels::samples;
use arrow::array::AsArray;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::{NaiveDate, TimeZone, Utc};

fn described(contract: &Contract) -> Described {
    let columns = contract
        .columns
        .iter()
        .enumerate()
        .map(|(ordinal, column)| SourceColumn {
            ordinal,
            name: column.source.clone(),
            sql_type: column.sql_type.to_string(),
            column_type: Some(column.column_type),
            nullable: true,
            collation: None,
        });
    Described {
        columns: columns.collect(),
        by: "server".to_owned(),
    }
}

fn metadata() -> RowMetadata {
    let started = Utc.with_ymd_and_hms(2024, 5, 2, 6, 30, 0).unwrap();
    RowMetadata {
        ipe_id: "IPE_07".parse().unwrap(),
        extraction_date: started,
        cutoff_date: NaiveDate::from_ymd_opt(2024, 5, 1).unwrap(),
        processing_timestamp: started,
        source_system: "SOXauto_PG01".to_owned(),
        run_id: "20240502T063000Z-00000001".parse().unwrap(),
        period: NaiveDate::from_ymd_opt(2024, 4, 1).unwrap(),
    }
}

fn delivered(contract: &Contract) -> RecordBatch {
    let schema = source_schema(&described(contract).columns).unwrap();
    RecordBatch::try_new(Arc::new(schema), samples::vector_batch().columns().to_vec()).unwrap()
}

fn conform(contract: &Contract, rows_max: usize) -> Conform {
    Conform::new(
        contract,
        &described(contract).columns,
        &metadata(),
        rows_max,
    )
    .unwrap()
}

#[test]
fn columns_are_renamed_and_metadata_follows() {
    let contract = samples::vector_contract();
    let conform = conform(&contract, 10);
    let batch = conform.conform(&delivered(&contract)).unwrap();
    assert_eq!(batch.schema(), conform.schema());
    let names: Vec<&str> = batch
        .schema_ref()
        .fields()
        .iter()
        .map(|f| f.name().as_str())
        .collect();
    assert_eq!(
        names[..5],
        ["company", "entry_no", "amount", "posted_at", "name"]
    );
    assert_eq!(names[5..], METADATA_COLUMNS);
    assert_eq!(batch.num_rows(), 4);
    let texts = [
        (5, "IPE_07"),
        (9, "SOXauto_PG01"),
        (10, "20240502T063000Z-00000001"),
    ];
    for (column, text) in texts {
        let array = batch.column(column).as_string::<i32>();
        assert_eq!((array.len(), array.value(3)), (4, text));
    }
    for column in [6, 8] {
        let array = batch
            .column(column)
            .as_primitive::<TimestampMicrosecondType>();
        assert_eq!(array.value(3), 1_714_631_400_000_000);
    }
    let days = |column: usize| batch.column(column).as_primitive::<Date32Type>().value(3);
    assert_eq!([days(7), days(11)], [19_844, 19_814]);
}

#[test]
fn field_metadata_says_where_a_column_came_from() {
    let schema = staged_schema(&samples::vector_contract());
    let field = schema.field_with_name("amount").unwrap();
    assert_eq!(field.metadata()["source"], "Src amount");
    assert_eq!(field.metadata()["sql_type"], "decimal(38,20)");
    assert_eq!(field.metadata()["nullable"], "true");
    assert_eq!(field.metadata()["description"], "the amount");
    assert!(field.is_nullable());
    assert!(!schema.field_with_name("_run_id").unwrap().is_nullable());
}

#[test]
fn values_are_shared_not_copied() {
    let contract = samples::vector_contract();
    let batch = delivered(&contract);
    let conformed = conform(&contract, 4).conform(&batch).unwrap();
    assert!(Arc::ptr_eq(batch.column(0), conformed.column(0)));
}

#[test]
fn a_null_where_none_is_allowed_is_staged() {
    let mut contract = samples::vector_contract();
    contract.columns[4].nullable = false;
    let batch = conform(&contract, 4)
        .conform(&delivered(&contract))
        .unwrap();
    assert_eq!(batch.column(4).null_count(), 1);
}

#[test]
fn another_batch_is_refused_by_name() {
    let contract = samples::vector_contract();
    let batch = delivered(&contract);
    let refused = |batch: &RecordBatch| {
        conform(&contract, 4)
            .conform(batch)
            .unwrap_err()
            .to_string()
    };
    let swapped = batch.project(&[1, 0, 2, 3, 4]).unwrap();
    assert_eq!(
        refused(&swapped),
        "column 0 of the batch is `Src entry_no`, the contract says `Src company`"
    );
    let fewer = batch.project(&[0, 1, 2, 3]).unwrap();
    assert_eq!(refused(&fewer), "the batch has 4 columns, the contract 5");
    let mut other = described(&contract);
    other.columns[1].column_type = Some(ColumnType::Int64);
    let mut columns = batch.columns().to_vec();
    columns[1] = Arc::new(arrow::array::Int64Array::from(vec![1, 2, 1, 1]));
    let schema = Arc::new(source_schema(&other.columns).unwrap());
    let wider = RecordBatch::try_new(schema, columns).unwrap();
    assert!(refused(&wider).contains("`Src entry_no` of the batch carries Int64"));
    let error = conform(&contract, 3).conform(&batch).unwrap_err();
    assert_eq!(
        error,
        KernelError::TooManyRows {
            rows: 4,
            rows_max: 3
        }
    );
}

#[test]
fn an_agreeing_description_has_no_findings() {
    let contract = samples::vector_contract();
    let mut same = described(&contract);
    same.columns[0].sql_type = "varchar(50)".to_owned();
    assert_eq!(contract_findings(&contract, &same), Vec::<String>::new());
}

/// Defect 21 of the predecessor: columns of one name came as far as the table that could not hold them.
#[test]
fn every_difference_of_a_description_is_a_finding() {
    let contract = samples::vector_contract();
    let findings = |change: &dyn Fn(&mut Vec<SourceColumn>)| {
        let mut other = described(&contract);
        change(&mut other.columns);
        for (ordinal, column) in other.columns.iter_mut().enumerate() {
            column.ordinal = ordinal;
        }
        contract_findings(&contract, &other).join("\n")
    };
    let scale = findings(&|columns| {
        columns[2].sql_type = "decimal(38,10)".to_owned();
        columns[2].column_type = Some(ColumnType::Decimal {
            precision: 38,
            scale: 10,
        });
    });
    assert_eq!(
        scale,
        "column `Src amount` is decimal(38,20) by the contract, decimal(38,10) as described by server"
    );
    let swapped = findings(&|columns| columns.swap(0, 1));
    assert!(
        swapped.contains("`Src company` stands at position 1 of the contract, at 2"),
        "{swapped}"
    );
    assert!(swapped.contains("`Src entry_no` stands at position 2 of the contract, at 1"));
    let missing = findings(&|columns| drop(columns.pop()));
    assert_eq!(
        missing,
        "column `Src name` of the contract (position 5) is missing from the result"
    );
    let extra = findings(&|columns| {
        let name = "New".to_owned();
        columns.push(SourceColumn {
            name,
            ..columns[0].clone()
        });
    });
    assert_eq!(
        extra,
        "column `New` of the result (position 6) is not in the contract"
    );
    let twice = findings(&|columns| columns.push(columns[0].clone()));
    assert!(
        twice.contains("`Src company` is delivered twice"),
        "{twice}"
    );
    let refused = findings(&|columns| {
        columns[4].sql_type = "xml".to_owned();
        columns[4].column_type = None;
    });
    assert!(
        refused.contains("write CAST([Src name] AS nvarchar(max))"),
        "{refused}"
    );
}

#[test]
fn a_differing_description_stops_before_the_first_row() {
    let contract = samples::vector_contract();
    let mut columns = described(&contract).columns;
    columns.truncate(4);
    let error = Conform::new(&contract, &columns, &metadata(), 4).unwrap_err();
    assert!(error.to_string().contains("`Src name`"), "{error}");
}

/// Defect 3 of the predecessor: the hash covered the time of the extraction, so that the same rows never had the same one.
#[test]
fn the_digest_is_of_the_rows_and_not_of_their_run() {
    let contract = samples::vector_contract();
    let digest = |run: &RowMetadata, batch: &RecordBatch| {
        let conform = Conform::new(&contract, &described(&contract).columns, run, 4).unwrap();
        let mut fold = DigestFold::new(&contract);
        fold.fold(&conform.conform(batch).unwrap()).unwrap();
        fold.finish().total
    };
    let rows = delivered(&contract);
    let first = metadata();
    let later = Utc.with_ymd_and_hms(2024, 6, 3, 7, 0, 0).unwrap();
    let again = RowMetadata {
        extraction_date: later,
        processing_timestamp: later,
        run_id: "20240603T070000Z-00000002".parse().unwrap(),
        ..metadata()
    };
    assert_eq!(digest(&first, &rows), digest(&again, &rows));
    assert_ne!(digest(&first, &rows), digest(&first, &rows.slice(0, 3)));
}

#[test]
fn the_same_context_gives_the_same_bytes() {
    let contract = samples::vector_contract();
    let text = |batch: RecordBatch| sha256_hex(format!("{:?}", batch.columns()).as_bytes());
    let once = conform(&contract, 4)
        .conform(&delivered(&contract))
        .unwrap();
    let again = conform(&contract, 8)
        .conform(&delivered(&contract))
        .unwrap();
    assert_eq!(text(once), text(again));
}
