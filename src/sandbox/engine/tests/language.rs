//! The language: types of results, conversions, collation, errors, refusals.

use super::*;

/// One row, one column each: the expression, its value, its described type.
const EXPRESSIONS: &[(&str, &str, &str)] = &[
    ("1", "1", "int not null"),
    ("'abc'", "abc", "varchar(3) not null"),
    ("N'é'", "é", "nvarchar(1) not null"),
    ("NULL", "NULL", "int"),
    ("1.50", "1.50", "decimal(3,2) not null"),
    ("3000000000", "3000000000", "decimal(10,0) not null"),
    ("7/2", "3", "int"),
    ("7/2.0", "3.500000", "decimal(8,6)"),
    ("-5 % 3", "-2", "int"),
    ("CAST('12' AS int) + 1", "13", "int"),
    (
        "CAST(1 AS decimal(38,20)) + CAST(2 AS decimal(38,20))",
        "3.0000000000000000000",
        "decimal(38,19)",
    ),
    (
        "CONVERT(varchar(10), CAST('2024-04-30 13:14:15.167' AS datetime), 23)",
        "2024-04-30",
        "varchar(10)",
    ),
    (
        "CONVERT(varchar(30), CAST('2024-04-30 13:14:15.167' AS datetime), 121)",
        "2024-04-30 13:14:15.167",
        "varchar(30)",
    ),
    (
        "CONVERT(varchar(30), CAST('2024-04-30 13:14:15' AS datetime), 126)",
        "2024-04-30T13:14:15",
        "varchar(30)",
    ),
    ("CONVERT(date, '2024-04-30')", "2024-04-30", "date"),
    ("CONVERT(varchar(4), 0x0AFF, 2)", "0AFF", "varchar(4)"),
    ("ISNULL(NULL, 'x')", "x", "varchar(1) not null"),
    (
        "ISNULL(CAST(NULL AS varchar(2)), 'long')",
        "lo",
        "varchar(2) not null",
    ),
    ("COALESCE(NULL, 1, 2.5)", "1.0", "decimal(11,1) not null"),
    ("NULLIF(1, 1)", "NULL", "int"),
    ("IIF(1 = 1, 'yes', 'no')", "yes", "varchar(3) not null"),
    (
        "CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'bb' END",
        "bb",
        "varchar(2)",
    ),
    ("CASE WHEN 1 = 0 THEN 1/0 ELSE 5 END", "5", "int"),
    ("EOMONTH('2024-02-10')", "2024-02-29", "date"),
    (
        "DATEADD(month, 1, '2024-01-31')",
        "2024-02-29T00:00:00",
        "datetime",
    ),
    (
        "DATEADD(mm, DATEDIFF(m, 0, '2024-04-17'), 0)",
        "2024-04-01T00:00:00",
        "datetime",
    ),
    (
        "YEAR('2024-04-17') * 100 + MONTH('2024-04-17')",
        "202404",
        "int",
    ),
    ("DATEDIFF(day, '2024-04-30', '2024-05-01')", "1", "int"),
    ("LEN('ab  ')", "2", "int"),
    ("DATALENGTH(N'ab ')", "6", "int"),
    ("LEFT('abc', 2) + RIGHT('xyz', 1)", "abz", "varchar(3)"),
    ("SUBSTRING('abcdef', 2, 3)", "bcd", "varchar(3)"),
    ("CONCAT('a', 1, NULL)", "a1", "varchar(81) not null"),
    ("REPLACE('aXbx', 'x', '-')", "a-b-", "varchar(8000)"),
    ("QUOTENAME('a]b')", "[a]]b]", "nvarchar(258)"),
    ("TRY_CAST('x' AS int)", "NULL", "int"),
    (
        "(SELECT MAX([Entry No_]) - MAX([Entry No_]) FROM [Customer Ledger Entries])",
        "0",
        "int",
    ),
    (
        "CONVERT(varchar(64), HASHBYTES('SHA2_256', 'abc'), 2)",
        "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "varchar(64)",
    ),
];

#[tokio::test]
async fn expressions_have_the_values_and_types_of_sql_server() {
    let mut session = open(&engine()).await;
    for (expression, value, ty) in EXPRESSIONS {
        let answer = run(&mut session, &format!("SELECT {expression} AS x")).await;
        assert!(answer.error.is_none(), "{expression}: {:?}", answer.error);
        assert_eq!(answer.text(), [*value], "{expression}");
        assert_eq!(answer.types(), [format!("x {ty}")], "{expression}");
    }
}

#[tokio::test]
async fn conditions_follow_the_collation_and_the_implicit_conversions() {
    let mut session = open(&engine()).await;
    for (condition, holds) in [
        ("'ABC ' = 'abc'", true),
        ("'ABC' COLLATE Latin1_General_100_BIN2 = 'abc'", false),
        ("'é' = 'É'", true),
        ("' a' = 'a'", false),
        ("1 IN (NULL, 1)", true),
        ("2 NOT IN (NULL, 1)", false),
        ("'a' IN ('B', 'A ')", true),
        ("'2024-04-30' = CAST('2024-04-30' AS datetime)", true),
        ("1.0 = 1", true),
        (
            "CAST(1 AS decimal(38,20)) > CAST(0.5 AS decimal(38,37))",
            true,
        ),
        ("'12' = 12", true),
        ("NULL = NULL", false),
        ("'EC_NG_USD' LIKE '%usd%'", true),
        ("'EC_NG' NOT LIKE 'EC[_]K%'", true),
        ("2 BETWEEN 1 AND 3", true),
        ("NOT 1 = 2", true),
        ("EXISTS (SELECT 1 WHERE 1 = 0)", false),
    ] {
        let answer = run(&mut session, &format!("SELECT 1 WHERE {condition}")).await;
        assert!(answer.error.is_none(), "{condition}: {:?}", answer.error);
        assert_eq!(answer.rows() == 1, holds, "{condition}");
    }
}

#[tokio::test]
async fn errors_have_the_numbers_of_sql_server() {
    let mut session = open(&engine()).await;
    for (sql, number) in [
        ("SELECT x FROM [Customers]", 207),
        ("SELECT z.x FROM [Customers]", 4104),
        ("SELECT 1 FROM nowhere", 208),
        ("SELECT 1 FROM nowhere.dbo.Customers", 208),
        (
            "SELECT id_company FROM [Customers] a JOIN [Customer Posting Group] b ON a.id_company = b.id_company",
            209,
        ),
        ("SELECT [Name], COUNT(*) FROM [Customers]", 8120),
        ("SELECT 1/0", 8134),
        (
            "SELECT SUM(1/([Entry No_]-3)) FROM [Customer Ledger Entries]",
            8134,
        ),
        ("SELECT CAST('x' AS int)", 245),
        ("SELECT CAST('x' AS datetime)", 241),
        ("SELECT CAST(300 AS tinyint)", 8115),
        ("SELECT 2147483647 + 1", 8115),
        (
            "SELECT SUM([Entry No_] * 1000000) FROM [Customer Ledger Entries]",
            8115,
        ),
        (
            "SELECT SUM(CAST('99999999999999999999999999999999999999' AS decimal(38,0))) FROM [Customers]",
            8115,
        ),
        ("SELECT @nobody", 137),
        ("SELECT * FROM (SELECT 1) AS q", 8155),
        ("SELECT * FROM (SELECT 1 AS a, 2 AS A) AS q", 8156),
        ("SELECT 1 UNION ALL SELECT 1, 2", 205),
        ("SELECT FROM", 102),
        ("DELETE FROM [Customers]", 229),
        ("INSERT INTO [AIG_Nav_DW].[dbo].[Customers] VALUES (1)", 229),
        ("CREATE TABLE x (a int)", 262),
        ("EXEC xp_cmdshell 'dir'", 229),
        ("COMMIT", 3902),
        ("USE nowhere", 911),
    ] {
        let answer = run(&mut session, sql).await;
        assert_eq!(
            answer.error.as_ref().map(|e| e.number),
            Some(number),
            "{sql}: {:?}",
            answer.error
        );
    }
    assert_eq!(
        run(&mut session, "SELECT 1").await.text(),
        ["1"],
        "the session stays usable"
    );
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_its_name() {
    let mut session = open(&engine()).await;
    for (sql, name) in [
        (
            "SELECT RANK() OVER (ORDER BY [No_]) FROM [Customers]",
            "window",
        ),
        ("SELECT * INTO #t FROM [Customers]", "INTO"),
        ("SELECT 1 FROM #t", "temporary"),
        (
            "SELECT STRING_AGG([No_], ',') FROM [Customers]",
            "STRING_AGG",
        ),
        ("SELECT * FROM [Customers] FOR XML AUTO", "FOR"),
        ("SELECT CAST(1 AS xml)", "xml"),
        ("SELECT 1e0 * 2", "float"),
        ("WHILE 1 = 1 SELECT 1", "WHILE"),
        ("SELECT TOP (1) PERCENT [No_] FROM [Customers]", "PERCENT"),
        ("SELECT * FROM srv.db.dbo.t", "linked"),
        (
            "SELECT (SELECT COUNT(*) FROM [Customers] c WHERE c.[No_] = d.[No_]) FROM [Customers] d",
            "scalar subquery",
        ),
    ] {
        let error = run(&mut session, sql)
            .await
            .error
            .unwrap_or_else(|| panic!("{sql} ran"));
        assert!(error.message.contains(name), "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_division_by_zero_comes_after_the_good_rows() {
    let tables = LedgerEngine::new(EngineConfig {
        rows: 60_000,
        ..EngineConfig::default()
    })
    .unwrap();
    let mut session = open(&tables).await;
    let sql = "SELECT [Entry No_], 1/(9000-[Entry No_]) AS q FROM [Customer Ledger Entries] \
               WHERE [id_company] = 'EC_NG' ORDER BY [Entry No_]";
    let answer = run(&mut session, sql).await;
    assert_eq!(answer.rows(), 8999);
    assert_eq!(answer.error.unwrap().number, 8134);
    assert_eq!(
        answer.results[0].0.len(),
        2,
        "the hidden column stays hidden"
    );
    assert!(answer.counts.is_empty());
    assert!(
        answer.results[0]
            .1
            .iter()
            .all(|b| b.num_rows() <= super::super::REPLY_ROWS_MAX)
    );
}

#[tokio::test]
async fn queries_of_many_shapes_run() {
    runs_with_rows(&[
        ("SELECT TOP (3) * FROM [Customers] ORDER BY [No_] DESC", 3),
        ("SELECT TOP 2 [no_] FROM dbo.customers WITH (NOLOCK)", 2),
        (
            "SELECT [No_] FROM [Customers] ORDER BY 1 OFFSET 5 ROWS FETCH NEXT 4 ROWS ONLY",
            4,
        ),
        (
            "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x + 1 FROM a) SELECT * FROM b JOIN a ON y = x + 1",
            1,
        ),
        ("SELECT 1 AS a UNION ALL SELECT NULL UNION ALL SELECT 1", 3),
        ("SELECT 1 AS a UNION SELECT 1", 1),
        (
            "SELECT DISTINCT [Receivables Account] FROM [Customer Posting Group] ORDER BY 1",
            4,
        ),
        (
            "SELECT 1 WHERE 'X' IN (SELECT v FROM OPENJSON('[\"x\"]') WITH (v varchar(20) '$'))",
            1,
        ),
        (
            "SELECT g.[Code], COUNT(*) AS n FROM [Customer Posting Group] g GROUP BY g.[Code] HAVING COUNT(*) > 1",
            17,
        ),
        (
            "SELECT YEAR([Posting Date]) * 100 + 1 AS y FROM [Customer Ledger Entries] GROUP BY YEAR([Posting Date]) * 100 + 1 ORDER BY 1 DESC",
            4,
        ),
    ])
    .await;
}

#[tokio::test]
async fn subqueries_and_joins_of_many_shapes_run() {
    runs_with_rows(&[
        ("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (n, t)", 2),
        (
            "SELECT a.[No_] FROM [Customers] a WHERE a.[id_company] = 'ec_ng' AND a.[No_] NOT IN (SELECT [No_] FROM [Customers] WHERE [No_] > 'C0000002')",
            2,
        ),
        ("SELECT x = 1, 'q' 'y'", 1),
        (
            "SELECT DISTINCT c.id_company FROM [Customers] c WHERE EXISTS (SELECT 1 FROM [Customer Posting Group] g WHERE g.id_company = c.id_company AND g.[Code] = 'OM')",
            12,
        ),
        (
            "SELECT DISTINCT c.id_company FROM [Customers] c WHERE NOT EXISTS (SELECT 1 FROM AIG_Nav_Jumia_Reconciliation.fdw.Dim_Company d WHERE d.Company_Code = c.id_company AND d.Flg_In_Conso_Scope = 1)",
            3,
        ),
        (
            "SELECT id_company, SUM(CASE WHEN [Open] = 1 THEN 1 ELSE 0 END), MAX([Posting Date]) FROM [Customer Ledger Entries] GROUP BY id_company ORDER BY SUM([Original Amount (LCY)]) DESC, id_company",
            12,
        ),
        (
            "SELECT TOP (5) [Entry No_] FROM [Customer Ledger Entries] WHERE [Original Amount (LCY)] < 0 AND [Currency] <> '' ORDER BY ABS([Original Amount (LCY)]) DESC",
            5,
        ),
        (
            "SELECT q.k FROM (SELECT id_company AS k, COUNT(*) AS n FROM [Customers] GROUP BY id_company) q LEFT JOIN (SELECT 'EC_NG' AS k) r ON r.k = q.k WHERE r.k IS NULL",
            11,
        ),
        (
            "SELECT 1 FROM [Customers] a FULL OUTER JOIN [Customers] b ON a.[No_] = b.[No_] AND a.id_company = 'EC_NG' AND b.id_company = 'EC_NG' WHERE a.id_company = 'EC_NG'",
            11,
        ),
        (
            "SELECT AVG([Entry No_]), MIN([Description]), COUNT(DISTINCT [id_company]) FROM [Customer Ledger Entries]",
            1,
        ),
    ])
    .await;
}

async fn runs_with_rows(cases: &[(&str, usize)]) {
    let mut session = open(&engine()).await;
    for (sql, rows) in cases {
        let answer = run(&mut session, sql).await;
        assert!(answer.error.is_none(), "{sql}: {:?}", answer.error);
        assert_eq!(answer.rows(), *rows, "{sql}");
    }
}

#[tokio::test]
async fn names_keep_the_case_of_the_select_list_and_duplicates_are_allowed() {
    let answer = ask("SELECT TOP (1) [NO_], c.no_, 1, name AS No_ FROM customers AS C").await;
    let names: Vec<_> = answer.results[0]
        .0
        .iter()
        .map(|m| m.name.as_str())
        .collect();
    assert_eq!(names, ["NO_", "no_", "", "No_"]);
}

#[tokio::test]
async fn nothing_panics_on_nonsense() {
    let mut session = open(&engine()).await;
    for sql in [
        "",
        ";;;",
        "SELECT",
        "SELECT *",
        "SELECT * FROM",
        "(",
        ")",
        "'",
        "[",
        "/*",
        "--",
        "SELECT ''''",
        "@",
        "EXEC",
        "DECLARE",
        "DECLARE @x",
        "DECLARE @x int = ",
        "SET",
        "USE",
        "SELECT 1 +",
        "SELECT \u{0}",
        "WITH",
        "WITH a AS (SELECT 1 AS x)",
        "SELECT CAST('9999-12-31' AS datetime) + 1",
        "SELECT DATEADD(day, 2147483647, '2024-01-01')",
        "SELECT CAST(-170141183460469231731687303715884105728 AS decimal(38,0))",
        "SELECT EOMONTH('9999-12-31', 1)",
        "SELECT LEFT('a', -1)",
        "SELECT SUBSTRING('a', -9223372036854775807, 9223372036854775807)",
        "SELECT TOP (-1) 1",
        "SELECT ((((((((((1))))))))))",
        "PRINT",
        "IF",
        "EXEC sp_executesql",
        "SELECT a FROM a a a",
    ] {
        let _answer = run(&mut session, sql).await;
    }
    let long = format!("SELECT 1 WHERE 1 IN ({})", vec!["1"; 5_000].join(","));
    assert_eq!(run(&mut session, &long).await.rows(), 1);
    let many = format!("SELECT 1 WHERE {}", vec!["1 = 1"; 250].join(" AND "));
    assert_eq!(run(&mut session, &many).await.rows(), 1);
}
