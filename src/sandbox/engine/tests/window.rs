//! ROW_NUMBER: one of each group, in an order, and its refusals.

use super::*;

const NUMBERED: &str = "SELECT [id_company], [No_], ROW_NUMBER() OVER (PARTITION BY [id_company] ORDER BY [No_] DESC) AS [n], \
     ROW_NUMBER() OVER (ORDER BY [id_company], [No_]) AS [at] FROM [Customers]";

#[tokio::test]
async fn each_group_is_numbered_from_one_in_its_order() {
    let last = ask(&format!(
        "SELECT r.[id_company], r.[No_] FROM ({NUMBERED}) AS r WHERE r.[n] = 1 ORDER BY r.[id_company]"
    ));
    let grouped = "SELECT [id_company], MAX([No_]) FROM [Customers] GROUP BY [id_company] ORDER BY [id_company]";
    let (last, grouped) = (last.await, ask(grouped).await);
    assert!(last.text().len() > 1);
    assert_eq!(last.text(), grouped.text());
    let places = ask(&format!(
        "SELECT COUNT_BIG(DISTINCT r.[at]), MIN(r.[at]), MAX(r.[at]), COUNT_BIG(*) FROM ({NUMBERED}) AS r"
    ));
    let counted = places.await.text().concat();
    let counted: Vec<&str> = counted.split('|').collect();
    assert_eq!(
        (counted[0], counted[1], counted[2]),
        (counted[3], "1", counted[3])
    );
    let described = ask(&format!("SELECT r.[n] FROM ({NUMBERED}) AS r")).await;
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
        let error = ask(sql).await.error.unwrap_or_else(|| panic!("{sql} ran"));
        assert_eq!(error.number, number, "{sql}: {error}");
    }
}
