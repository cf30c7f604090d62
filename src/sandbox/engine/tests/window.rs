//! ROW_NUMBER: one of each group, in an order, and its refusals.

use super::*;

/// A question about the customers with two numbers: `n` in the company, `place` among all.
fn numbered(question: &str) -> String {
    format!(
        "{question} FROM (SELECT [id_company], [No_], \
         ROW_NUMBER() OVER (PARTITION BY [id_company] ORDER BY [No_] DESC) AS [n], \
         ROW_NUMBER() OVER (ORDER BY [id_company], [No_]) AS [place] FROM [Customers]) AS r"
    )
}

#[tokio::test]
async fn each_group_is_numbered_from_one_in_its_order() {
    let last = numbered("SELECT r.[id_company], r.[No_]");
    let last = format!("{last} WHERE r.[n] = 1 ORDER BY r.[id_company]");
    let grouped = "SELECT [id_company], MAX([No_]) FROM [Customers] GROUP BY [id_company] ORDER BY [id_company]";
    let (last, grouped) = (ask(&last).await.text(), ask(grouped).await.text());
    assert!(last.len() > 1);
    assert_eq!(last, grouped);
    let places =
        "SELECT COUNT_BIG(DISTINCT r.[place]), MIN(r.[place]), MAX(r.[place]), COUNT_BIG(*)";
    let counted = ask(&numbered(places)).await.text().concat();
    let counted: Vec<&str> = counted.split('|').collect();
    assert_eq!(counted[1], "1");
    assert_eq!((counted[0], counted[2]), (counted[3], counted[3]));
    let described = ask(&numbered("SELECT r.[n]")).await;
    assert_eq!(described.types(), ["n bigint not null"]);
}

#[tokio::test]
async fn what_sql_server_refuses_is_refused() {
    for (sql, number) in [
        (
            "SELECT ROW_NUMBER() OVER (PARTITION BY [No_]) FROM [Customers]",
            4112,
        ),
        (
            "SELECT [No_] FROM [Customers] WHERE ROW_NUMBER() OVER (ORDER BY [No_]) = 1",
            4108,
        ),
    ] {
        let answer = ask(sql).await;
        let error = answer.error.unwrap_or_else(|| panic!("{sql} ran"));
        assert_eq!(error.number, number, "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_same_call_twice_has_the_same_number_twice() {
    let twice = "SELECT COUNT_BIG(*) FROM (SELECT ROW_NUMBER() OVER (ORDER BY [No_]) AS [a], \
                 ROW_NUMBER() OVER (ORDER BY [No_]) AS [b] FROM [Customers]) AS r WHERE r.[a] <> r.[b]";
    assert_eq!(ask(twice).await.text(), ["0"]);
}
