//! The server's own questions: sessions, transactions, permissions, describe.

use super::*;
use crate::sandbox::wire::TransactionRequest;

#[tokio::test]
async fn wrong_logins_and_databases_are_refused() {
    let engine = engine();
    let login = |user: &str, password: &str, database: &str| LoginRequest {
        user: user.into(),
        password: password.into(),
        database: database.into(),
        app_name: String::new(),
    };
    let number = |result: Result<Box<dyn SqlSession>, SqlError>| result.err().map(|e| e.number);
    assert_eq!(
        number(engine.login(&login("sox_reader", "no", "")).await),
        Some(18_456)
    );
    assert_eq!(
        number(engine.login(&login("sa", "sandbox", "")).await),
        Some(18_456)
    );
    assert_eq!(
        number(engine.login(&login("sox_reader", "sandbox", "x")).await),
        Some(4060)
    );
    let session = engine
        .login(&login("SOX_READER", "sandbox", ""))
        .await
        .unwrap();
    assert_eq!(session.database(), "master");
}

#[tokio::test]
async fn showplan_answers_with_a_plan_until_it_is_switched_off() {
    let mut session = open(&engine()).await;
    let sql = "SELECT 1 AS a FROM [G_L Entries] gl JOIN [Customers] c ON c.[No_] = gl.[Source No_]";
    let rows = ask("SELECT COUNT(*) FROM [G_L Entries]").await.text();
    assert!(
        run(&mut session, "SET SHOWPLAN_XML ON")
            .await
            .error
            .is_none()
    );
    let plan = run(&mut session, sql).await.text();
    let expected = format!("StatementEstRows=\"{}\"", rows[0]);
    assert!(plan.len() == 1 && plan[0].contains(&expected), "{plan:?}");
    assert_eq!(
        run(&mut session, "SELECT x").await.error.unwrap().number,
        207
    );
    assert!(
        run(&mut session, "SET SHOWPLAN_XML OFF")
            .await
            .error
            .is_none()
    );
    assert_eq!(run(&mut session, "SELECT 1").await.text(), ["1"]);
    let silent = LedgerEngine::new(EngineConfig {
        rows: 1,
        showplan_allowed: false,
        ..EngineConfig::default()
    });
    let mut session = open(&silent.unwrap()).await;
    run(&mut session, "SET SHOWPLAN_XML ON").await;
    assert_eq!(run(&mut session, sql).await.error.unwrap().number, 262);
}

#[tokio::test]
async fn facts_of_the_server_are_answered() {
    let mut session = open(&engine()).await;
    for (sql, expected) in [
        ("SELECT DB_NAME()", "AIG_Nav_DW"),
        ("SELECT SUSER_SNAME()", "sox_reader"),
        ("SELECT ORIGINAL_LOGIN()", "sox_reader"),
        ("SELECT @@MAX_PRECISION", "38"),
        ("SELECT @@TRANCOUNT", "0"),
        ("SELECT @@SERVERNAME", "SANDBOX"),
        ("SELECT SERVERPROPERTY('ProductVersion')", "15.0.4312.2"),
        ("SELECT HAS_PERMS_BY_NAME(NULL, 'DATABASE', 'INSERT')", "0"),
        (
            "SELECT HAS_PERMS_BY_NAME(QUOTENAME('AIG_Nav_DW'), 'DATABASE', 'SELECT')",
            "1",
        ),
        (
            "SELECT HAS_PERMS_BY_NAME('[nowhere]', 'DATABASE', 'SELECT')",
            "NULL",
        ),
        (
            "SELECT COUNT(*) FROM fn_my_permissions(NULL, 'DATABASE') WHERE permission_name = 'INSERT'",
            "0",
        ),
        (
            "SELECT COUNT(*) FROM sys.fn_my_permissions(NULL, 'DATABASE')",
            "3",
        ),
        (
            "SELECT snapshot_isolation_state FROM sys.databases WHERE name = 'aig_nav_dw'",
            "1",
        ),
        (
            "SELECT transaction_isolation_level FROM sys.dm_exec_sessions WHERE session_id = @@SPID",
            "2",
        ),
        (
            "SELECT DATA_TYPE FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'Customers' AND COLUMN_NAME = 'Name'",
            "nvarchar",
        ),
        (
            "SELECT COUNT(*) FROM AIG_Nav_Jumia_Reconciliation.INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'fdw'",
            "3",
        ),
        (
            "SELECT t.name FROM sys.tables t JOIN sys.schemas s ON s.schema_id = t.schema_id WHERE s.name = 'dbo' AND t.name LIKE 'G%'",
            "G_L Entries",
        ),
        (
            "SELECT c.max_length FROM sys.columns c JOIN sys.objects o ON o.object_id = c.object_id WHERE o.name = 'Customers' AND c.name = 'Name'",
            "200",
        ),
    ] {
        let answer = run(&mut session, sql).await;
        assert!(answer.error.is_none(), "{sql}: {:?}", answer.error);
        assert_eq!(answer.text(), [expected], "{sql}");
    }
    assert_eq!(
        run(&mut session, "SELECT SYSUTCDATETIME() AS t")
            .await
            .types(),
        ["t datetime2(7)"]
    );
    assert_eq!(
        run(&mut session, "SELECT @@SPID AS s").await.types(),
        ["s smallint"]
    );
}

#[tokio::test]
async fn describe_is_a_procedure_with_named_positional_and_literal_arguments() {
    let mut session = open(&engine()).await;
    let inner = "SELECT [Name], NULL AS n, @p AS p FROM [Customers] WHERE 1 = 0";
    let texts = vec![
        param("@P1", "nvarchar(4000)", Cell::text(inner)),
        param("@P2", "nvarchar(100)", Cell::text("@p date")),
    ];
    for sql in [
        "EXEC sys.sp_describe_first_result_set @tsql = @P1, @params = @P2",
        "EXEC sp_describe_first_result_set @P1, @P2",
        "EXEC sp_describe_first_result_set N'SELECT [Name], NULL AS n, @p AS p FROM [Customers] WHERE 1 = 0', N'@p date'",
        "sp_describe_first_result_set @P1, @P2, 0",
    ] {
        let answer = run_with(&mut session, sql, &texts).await;
        assert_eq!(answer.rows(), 3, "{sql}: {:?}", answer.error);
        assert_eq!(answer.results[0].0.len(), 39);
        let names: Vec<String> = answer
            .text()
            .iter()
            .map(|l| l.split('|').nth(5).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["nvarchar(100)", "int", "date"]);
    }
    let several = "EXEC sp_describe_first_result_set N'SET NOCOUNT ON; DECLARE @x int = 1; SELECT @x AS a, 1.5 AS b; SELECT 2'";
    assert_eq!(run(&mut session, several).await.rows(), 2);
    let bad = run(
        &mut session,
        "EXEC sp_describe_first_result_set N'SELECT nothing FROM nowhere'",
    )
    .await;
    assert_eq!(bad.error.unwrap().number, 11_501);
}

#[tokio::test]
async fn batches_declare_use_print_and_count() {
    let mut session = open(&engine()).await;
    let answer = run(
        &mut session,
        "SET NOCOUNT OFF; DECLARE @d date = '2024-05-01', @n int = 2; SET @n = @n + 1; PRINT 'hello'; \
         USE AIG_Nav_Jumia_Reconciliation; SELECT @n AS n, @d AS d, COUNT(*) AS c FROM fdw.Dim_Company; SELECT 1",
    )
    .await;
    assert_eq!(answer.text(), ["3|2024-05-01|12"]);
    assert_eq!(answer.results.len(), 2);
    assert!(
        answer.others.iter().any(|o| o.contains("hello")),
        "{:?}",
        answer.others
    );
    assert!(answer.others.iter().any(|o| o.contains("DatabaseChanged")));
    assert_eq!(session.database(), "AIG_Nav_Jumia_Reconciliation");
    let quiet = run(&mut session, "SET NOCOUNT ON SELECT 1").await;
    assert_eq!(quiet.counts, [None, None]);
    let dynamic = run(
        &mut session,
        "EXEC sp_executesql N'SELECT @a + 1 AS x', N'@a int', @a = 41",
    )
    .await;
    assert_eq!(dynamic.text(), ["42"]);
}

#[tokio::test]
async fn snapshot_transactions_read_one_version_and_others_do_not() {
    let engine = LedgerEngine::new(EngineConfig {
        rows: 20,
        ..EngineConfig::default()
    })
    .unwrap();
    let without = |engine: &LedgerEngine| {
        let tables = engine.tables();
        let mut table = tables
            .find("AIG_Nav_DW", "dbo", "Customers")
            .unwrap()
            .as_ref()
            .clone();
        table.batches.clear();
        tables.with(vec![table])
    };
    let count = "SELECT COUNT(*) FROM [Customers]";
    for (level, sees_change) in [("SNAPSHOT", false), ("READ COMMITTED", true)] {
        let mut session = open(&engine).await;
        let begin = format!("SET TRANSACTION ISOLATION LEVEL {level}; BEGIN TRAN; {count}");
        let before = run(&mut session, &begin).await;
        assert!(before.others.iter().any(|o| o.contains("TransactionBegun")));
        let old = engine.tables();
        engine.publish(without(&engine)).unwrap();
        let after = run(&mut session, count).await;
        assert_eq!(before.text() != after.text(), sees_change, "{level}");
        let end = run(&mut session, "IF @@TRANCOUNT > 0 COMMIT TRAN").await;
        assert!(
            end.others.iter().any(|o| o.contains("committed: true")),
            "{:?}",
            end.others
        );
        assert_eq!(run(&mut session, count).await.text(), ["0"]);
        engine.publish(old.as_ref().clone()).unwrap();
    }
}

#[tokio::test]
async fn snapshot_is_refused_where_the_database_does_not_allow_it() {
    let config = EngineConfig {
        rows: 5,
        snapshot_allowed: false,
        ..EngineConfig::default()
    };
    let mut session = open(&LedgerEngine::new(config).unwrap()).await;
    let answer = run(
        &mut session,
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT; BEGIN TRAN; SELECT COUNT(*) FROM Customers",
    )
    .await;
    assert_eq!(answer.error.unwrap().number, 3952);
    let answer = run(
        &mut session,
        "ROLLBACK; SELECT snapshot_isolation_state_desc FROM sys.databases WHERE database_id = 5",
    )
    .await;
    assert_eq!(answer.text(), ["OFF"]);
}

#[tokio::test]
async fn the_wires_own_transactions_work_too() {
    let mut session = open(&engine()).await;
    for (request, expected) in [
        (TransactionRequest::Begin(5), "TransactionBegun"),
        (TransactionRequest::Commit, "TransactionEnded"),
        (TransactionRequest::Rollback, "3903"),
    ] {
        let (out, mut replies) = mpsc::channel(8);
        session.transaction(request, out).await.unwrap();
        let mut seen = String::new();
        while let Some(reply) = replies.recv().await {
            seen.push_str(&format!("{reply:?}"));
        }
        assert!(seen.contains(expected), "{seen}");
    }
}

#[tokio::test]
async fn a_client_that_goes_away_stops_the_statement() {
    let mut session = open(&engine()).await;
    let (out, replies) = mpsc::channel(1);
    drop(replies);
    assert!(
        session
            .run("SELECT * FROM [G_L Entries]", &[], out)
            .await
            .is_err()
    );
    assert_eq!(run(&mut session, "SELECT 1").await.text(), ["1"]);
}

#[tokio::test]
async fn parameters_of_every_carrier_are_read() {
    let mut session = open(&engine()).await;
    let ticks: SqlType = "datetime2(7)".parse().unwrap();
    let value: arrow::array::ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![
        638_501_184_000_000_000,
    ]));
    let params = [
        SqlParam {
            name: "@a".into(),
            sql_type: ticks,
            value,
        },
        param("@b", "tinyint", Cell::Int(255)),
        param("@c", "decimal(38,20)", Cell::Dec(-5, 20)),
        param("@d", "time(3)", Cell::Time(3_661_000_000)),
        param("@e", "varbinary(8)", Cell::Bytes(vec![1, 255].into())),
        param("@f", "bit", Cell::Int(1)),
        param("@g", "nvarchar(10)", Cell::Null),
    ];
    let sql = "SELECT CONVERT(varchar(19), @a, 126) a, @b b, @c c, CONVERT(varchar(8), @d, 108) d, \
               CONVERT(varchar(8), @e, 2) e, @f f, ISNULL(@g, N'none') g";
    let answer = run_with(&mut session, sql, &params).await;
    assert_eq!(
        answer.text(),
        ["2024-05-01T00:00:00|255|-0.00000000000000000005|01:01:01|01FF|true|none"]
    );
}

#[tokio::test]
async fn a_subquery_in_place_of_a_value_gives_one() {
    let mut session = open(&engine()).await;
    let several = run(&mut session, "SELECT (SELECT [No_] FROM [Customers])").await;
    assert_eq!(several.error.unwrap().number, 512);
    for one in [
        "SELECT (SELECT MAX([No_]) FROM [Customers])",
        "SELECT (SELECT MAX([No_]) FROM [Customers] WHERE [No_] = 'nowhere')",
    ] {
        let answer = run(&mut session, one).await;
        assert_eq!(answer.text().len(), 1, "{one}");
    }
}
