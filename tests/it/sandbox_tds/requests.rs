//! Errors, messages, transactions, parameters, prepared statements, attention.

use std::sync::Arc;

use arrow::array::{Int32Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::TimestampMicrosecondType;
use futures::TryStreamExt;
use soxauto::domain::sql_type::SqlType;
use soxauto::sandbox::tds::fixed::{ECHO, FixedEngine};
use soxauto::sandbox::tds::replay::ReplayEngine;
use soxauto::sandbox::wire::{Reply, SqlError};
use tiberius::numeric::Numeric;
use tiberius::{ColumnData, Command, ToSql, Uuid};

use super::*;

fn error(number: u32, class: u8) -> SqlError {
    let message = "Divide by zero error encountered.".to_owned();
    SqlError {
        number,
        class,
        state: 1,
        message,
        procedure: "p".to_owned(),
        line: 7,
    }
}

fn numbers(n: i32) -> Vec<Reply> {
    let values = Int32Array::from_iter_values(0..n);
    vec![
        Reply::Columns(vec![column("n", "int", false)]),
        Reply::Rows(batch(vec![Arc::new(values)])),
    ]
}

fn answers() -> FixedEngine {
    let mut failing = numbers(1000);
    failing.push(Reply::Error(error(8134, 16)));
    let mut fatal = numbers(3);
    fatal.push(Reply::Error(error(823, 24)));
    let mut two = numbers(2);
    two.push(Reply::StatementDone { rows: Some(2) });
    two.push(Reply::Info(error(5000, 0)));
    two.extend(numbers(3));
    two.push(Reply::StatementDone { rows: Some(3) });
    let mut one = numbers(1);
    one.push(Reply::StatementDone { rows: Some(1) });
    FixedEngine::new()
        .on("failing", failing)
        .on("fatal", fatal)
        .on("two", two)
        .on("one", one)
}

async fn count(client: &mut Tiberius, sql: &str) -> tiberius::Result<usize> {
    Ok(client
        .simple_query(sql)
        .await?
        .into_results()
        .await?
        .iter()
        .map(Vec::len)
        .sum())
}

#[tokio::test]
async fn an_error_comes_after_the_good_rows_and_the_connection_lives_on() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    for _ in 0..2 {
        let mut rows = client
            .simple_query("failing")
            .await
            .unwrap()
            .into_row_stream();
        let mut good = 0;
        let error = loop {
            match rows.try_next().await {
                Ok(Some(_)) => good += 1,
                Ok(None) => panic!("no error"),
                Err(error) => break error,
            }
        };
        drop(rows);
        assert_eq!((good, error.code()), (1000, Some(8134)));
        let tiberius::error::Error::Server(token) = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (token.class(), token.line(), token.procedure()),
            (16, 7, "p")
        );
        assert_eq!(token.server(), "SANDBOX");
    }
    assert_eq!(count(&mut client, "one").await.unwrap(), 1);
    let unknown = count(&mut client, "SELECT nothing").await.unwrap_err();
    assert_eq!(unknown.code(), Some(2812));
    assert_eq!(count(&mut client, "one").await.unwrap(), 1);
}

#[tokio::test]
async fn a_fatal_error_closes_the_connection() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    assert_eq!(
        count(&mut client, "fatal").await.unwrap_err().code(),
        Some(823)
    );
    assert!(count(&mut client, "one").await.is_err());
}

#[tokio::test]
async fn several_result_sets_and_messages_come_in_order() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    let sets = client
        .simple_query("two")
        .await
        .unwrap()
        .into_results()
        .await
        .unwrap();
    assert_eq!(sets.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3]);
    let counts = client.execute("two", &[]).await.unwrap();
    assert_eq!(counts.rows_affected()[..2], [2, 3]);
}

#[tokio::test]
async fn transactions_go_through_the_transaction_manager() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    client.begin_transaction().await.unwrap();
    assert_eq!(count(&mut client, "one").await.unwrap(), 1);
    client.commit_transaction().await.unwrap();
    client.begin_transaction().await.unwrap();
    client.rollback_transaction().await.unwrap();
    assert_eq!(
        client.commit_transaction().await.unwrap_err().code(),
        Some(3902)
    );
    client.begin_transaction().await.unwrap();
    assert!(
        client.save_transaction("here").await.is_err(),
        "savepoints are not built"
    );
    assert_eq!(count(&mut client, "COMMIT").await.unwrap(), 0);
    assert_eq!(count(&mut client, "USE [OTHER]").await.unwrap(), 0);
}

#[tokio::test]
async fn parameters_of_all_types_come_back_as_they_went() {
    let server = start(FixedEngine::new()).await;
    let mut client = connect(&server).await;
    let long_text = "日😀x".repeat(40_000);
    let long_bytes = vec![7_u8; 100_000];
    let decimal = Numeric::new_with_scale(-(10_i128.pow(38) - 1), 20);
    let moment = chrono::NaiveDate::from_ymd_opt(9999, 12, 31)
        .and_then(|day| day.and_hms_nano_opt(23, 59, 59, 999_999_900))
        .unwrap();
    let guid = Uuid::from_u128(0x6F96_19FF_8B86_D011_B42D_00C0_4FC9_64FF);
    let utc = moment.and_utc();
    let params: [&dyn ToSql; 17] = [
        &255_u8,
        &i16::MIN,
        &i32::MIN,
        &i64::MAX,
        &1.5_f32,
        &f64::MIN,
        &true,
        &"Zoë",
        &"",
        &long_text.as_str(),
        &long_bytes.as_slice(),
        &decimal,
        &guid,
        &moment,
        &moment.date(),
        &moment.time(),
        &utc,
    ];
    let stream = client.query(ECHO, &params).await.unwrap();
    let row = stream.into_row().await.unwrap().unwrap();
    for (at, param) in params.iter().enumerate() {
        let expected = param.to_sql();
        assert_eq!(
            row.get_column_data(at).unwrap(),
            &expected,
            "parameter {at}"
        );
    }
}

#[tokio::test]
async fn null_parameters_of_all_types_come_back_null() {
    let server = start(FixedEngine::new()).await;
    let mut client = connect(&server).await;
    let params: [&dyn ToSql; 13] = [
        &None::<u8>,
        &None::<i16>,
        &None::<i32>,
        &None::<i64>,
        &None::<f32>,
        &None::<f64>,
        &None::<bool>,
        &None::<&str>,
        &None::<&[u8]>,
        &None::<Numeric>,
        &None::<Uuid>,
        &None::<chrono::NaiveDateTime>,
        &None::<chrono::NaiveDate>,
    ];
    let stream = client.query(ECHO, &params).await.unwrap();
    let row = stream.into_row().await.unwrap().unwrap();
    for at in 0..params.len() {
        let value = row.get_column_data(at).unwrap();
        assert!(
            format!("{value:?}").ends_with("(None)"),
            "parameter {at}: {value:?}"
        );
    }
}

#[tokio::test]
async fn the_engine_sees_names_and_declared_types() {
    let engine = answers();
    let requests = engine.requests();
    let server = start(engine).await;
    let mut client = connect(&server).await;
    let day = chrono::NaiveDate::from_ymd_opt(2024, 5, 1).unwrap();
    let midnight = day.and_hms_opt(0, 0, 0).unwrap();
    client
        .query("one", &[&midnight, &"x", &7_i32])
        .await
        .unwrap()
        .into_results()
        .await
        .unwrap();
    let requests = requests.lock().unwrap();
    let request = requests.last().unwrap();
    let names: Vec<&str> = request.params.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        (request.sql.as_str(), names),
        ("one", vec!["@P1", "@P2", "@P3"])
    );
    assert_eq!(request.params[0].sql_type, SqlType::DateTime2(7));
    assert_eq!(request.params[1].sql_type, SqlType::NVarChar(Some(4000)));
    let moment = &request.params[0].value;
    let moment: &TimestampMicrosecondArray =
        arrow::array::AsArray::as_primitive::<TimestampMicrosecondType>(moment);
    assert_eq!(moment.value(0), midnight.and_utc().timestamp_micros());
}

async fn call(
    client: &mut Tiberius,
    command: Command<'_>,
) -> tiberius::Result<tiberius::CommandResult> {
    command.exec(client).await?.into_command_result().await
}

#[tokio::test]
async fn statements_are_prepared_executed_and_dropped() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    for (name, sets) in [("sp_prepare", 1), ("[sys].[sp_prepexec]", 1)] {
        let mut command = Command::new(name);
        command.bind_out_param("@handle", None::<i32>);
        command.bind_param("@params", "@n int");
        command.bind_param("@stmt", "one");
        command.bind_param("@n", 1_i32);
        let result = call(&mut client, command).await.unwrap();
        assert_eq!(result.return_code(), 0);
        let handle = result.try_return_value::<i32>("@handle").unwrap().unwrap();
        assert!(result.to_query_result(sets - 1).is_some());
        let execute = |handle| {
            let mut command = Command::new("sp_execute");
            command.bind_param("", handle);
            command.bind_param("", 1_i32);
            command
        };
        let result = call(&mut client, execute(handle)).await.unwrap();
        assert_eq!(result.to_query_result(0).map(Vec::len), Some(1));
        let mut command = Command::new("sp_unprepare");
        command.bind_param("", handle);
        call(&mut client, command).await.unwrap();
        let error = call(&mut client, execute(handle)).await.unwrap_err();
        assert_eq!(error.code(), Some(8179));
    }
}

#[tokio::test]
async fn describe_works_as_a_procedure_and_as_text() {
    let server = start(answers()).await;
    let mut client = connect(&server).await;
    let mut command = Command::new("sp_describe_first_result_set");
    command.bind_param("@tsql", "one");
    let by_call = call(&mut client, command).await.unwrap();
    let by_call = &by_call.to_query_result(0).unwrap()[0];
    let text = "EXEC sys.sp_describe_first_result_set @P1";
    let by_text = client
        .query(text, &[&"one"])
        .await
        .unwrap()
        .into_row()
        .await
        .unwrap()
        .unwrap();
    for row in [by_call, &by_text] {
        assert_eq!(row.get::<&str, _>("name"), Some("n"));
        assert_eq!(row.get::<&str, _>("system_type_name"), Some("int"));
        assert_eq!(row.get::<bool, _>("is_nullable"), Some(false));
        assert_eq!(row.get::<i32, _>("column_ordinal"), Some(1));
        assert_eq!(
            row.get_column_data("precision").unwrap(),
            &ColumnData::U8(Some(10))
        );
        assert_eq!(row.columns().len(), 39);
    }
}

#[tokio::test]
async fn an_attention_stops_an_endless_answer() {
    let values = Int32Array::from_iter_values(0..1000);
    let rows = batch(vec![Arc::new(values)]);
    let columns = vec![column("n", "int", false)];
    let server = start(ReplayEngine::new(columns, &rows, u64::MAX / 4).unwrap()).await;
    let mut client = connect(&server).await;
    for _ in 0..3 {
        let mut stream = client
            .simple_query("SELECT")
            .await
            .unwrap()
            .into_row_stream();
        for _ in 0..5000 {
            assert!(stream.try_next().await.unwrap().is_some());
        }
        drop(stream);
        let cancel =
            tokio::time::timeout(std::time::Duration::from_secs(20), client.cancel_query());
        cancel.await.expect("the answer stops").unwrap();
        assert_eq!(count(&mut client, "SET NOCOUNT ON").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn replay_sends_exactly_the_rows_asked_for_and_counts_on_where_told() {
    let rows = batch(vec![
        Arc::new(StringArray::from_iter_values(
            (0..1000).map(|n| format!("row {n}")),
        )),
        Arc::new(Int32Array::from_iter_values(5..1005)),
    ]);
    for total in [0, 1, 999, 1000, 1001, 20_500] {
        for counting in [false, true] {
            let columns = vec![
                column("t", "varchar(20)", true),
                column("n", "int", counting),
            ];
            let mut engine = ReplayEngine::new(columns, &rows, total).unwrap();
            if counting {
                engine = engine.counting(&rows, "n").unwrap();
            }
            let server = start(engine).await;
            let mut client = connect(&server).await;
            let read = client.simple_query("SELECT").await.unwrap();
            let read = read.into_first_result().await.unwrap();
            assert_eq!(u64::try_from(read.len()).unwrap(), total);
            for (row, place) in read.iter().zip(0..) {
                let number = if counting { place } else { place % 1000 };
                assert_eq!(row.get::<i32, _>(1), Some(number + 5));
                let text = format!("row {}", place % 1000);
                assert_eq!(row.get::<&str, _>(0), Some(text.as_str()));
            }
        }
    }
    let far = batch(vec![Arc::new(Int32Array::from_iter_values([
        1,
        i32::MAX - 1,
    ]))]);
    let engine = ReplayEngine::new(vec![column("n", "int", false)], &far, 10).unwrap();
    assert!(engine.counting(&far, "n").is_err(), "would leave its type");
}
