//! The content digest, computed by the source.

use super::*;

/// The formulas with which a source computes the content digest, over the digest's own test vectors.
#[tokio::test]
async fn the_content_digest_can_be_computed_in_t_sql() {
    let bin = "COLLATE Latin1_General_100_BIN2_UTF8";
    let field = |text: &str| {
        format!(
            "CASE WHEN {text} IS NULL THEN '-,' ELSE CAST(DATALENGTH({text}) AS varchar(20)) + ':' + {text} + ',' END {bin}"
        )
    };
    let utf8 = |c: &str| format!("CAST(CAST({c} AS nvarchar(max)) {bin} AS varchar(max))");
    let fields = [
        field(&utf8("t")),
        field("CONVERT(varchar(20), i)"),
        field("CONVERT(varchar(50), d)"),
        field("(REPLACE(CONVERT(varchar(23), CAST(m AS datetime), 121), ' ', 'T') + '000')"),
        field(&utf8("n")),
    ];
    let rows = "SELECT 'EC_NG' AS t, 1 AS i, CAST(-0.5 AS decimal(38,20)) AS d, CAST('2024-05-31' AS datetime) AS m, N'Café à Abidjan' AS n \
                UNION ALL SELECT 'EC_NG', 2, 1234567.89, '2024-05-30 23:59:59.997', NULL \
                UNION ALL SELECT 'JM_EG', 1, 0, '1753-01-01', N'' UNION ALL SELECT 'JM_EG', 1, 0, '1753-01-01', N''";
    let limb = |from: usize| {
        format!("SUM(CAST(CAST(SUBSTRING(h, {from}, 7) AS bigint) AS decimal(38,0)))")
    };
    let sql = format!(
        "SELECT COUNT_BIG(*), {}, {}, {}, {}, MAX(CAST(SUBSTRING(h, 29, 2) AS int) / 16) FROM (SELECT HASHBYTES('SHA2_256', \
         CAST('' AS varchar(max)) {bin} + {}) AS h FROM ({rows}) AS r) AS x",
        limb(1),
        limb(8),
        limb(15),
        limb(22),
        fields.join(" + ")
    );
    assert_eq!(
        ask(&sql).await.text(),
        ["4|201931783583158069|137829738126653398|100227104151049926|105473825057171830|4067"]
    );
}
