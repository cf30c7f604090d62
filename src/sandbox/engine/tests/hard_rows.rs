//! What the items make of rows that a clean ledger does not have: prices, dates and states that are missing, and keys that
//! stand twice. The tables are read with some of their cells changed, by the item's own query and by its population.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog_items::{bound, params};
use super::*;

macro_rules! catalog {
    ($item:literal, $file:literal) => {
        include_str!(concat!("../../../../data/catalog/", $item, "/", $file))
    };
}

/// An item's query and its population.
macro_rules! both {
    ($item:literal) => {
        [
            catalog!($item, "query.sql"),
            catalog!($item, "population.sql"),
        ]
    };
}

const ITEMS: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_SOI]";
const COLLECTED: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_TRANSACTION]";
const MOVED: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHREC_REALLOCATIONS]";
const LISTED: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_PACKLIST_PACKAGES]";
const DEPOSITS: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_CASHDEPOSIT]";
const ADJUSTED: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_COLLECTIONADJ]";
const HUBS: &str = "[AIG_Nav_Jumia_Reconciliation].[dbo].[RPT_HUBS_3PL_MAPPING]";
const STATEMENTS: &str = "[AIG_Nav_Jumia_Reconciliation].[RING].[RPT_ACCOUNTSTATEMENTS]";
pub(super) const STOCK: &str =
    "[AIG_Nav_Jumia_Reconciliation].[dbo].[V_STORECREDITVOUCHER_CLOSING]";

type Connection = Box<dyn SqlSession>;

/// A query with a derived table in place of every mention of a table.
fn put(text: &str, table: &str, derived: &str) -> String {
    // Where the line ends behind a table, it has no other name.
    let marked = text.replace(&format!("{table}\n"), "\u{1} AS bare\n");
    let marked = marked.replace(&format!("{table} AS"), "\u{1} AS");
    assert!(
        marked.contains('\u{1}') && !marked.contains(table),
        "{table} in {text}"
    );
    marked.replace('\u{1}', derived)
}

/// A query in which a column of a table has another value; the value may look at its row as `x`.
pub(super) async fn changed(
    session: &mut Box<dyn SqlSession>,
    text: &str,
    (table, column, value): (&str, &str, &str),
) -> String {
    let whole = format!("SELECT * FROM {table}");
    let described = session.describe(&whole, &[]).await.unwrap();
    let names = described.into_iter().map(|meta| meta.name);
    let shown = names.map(|name| {
        if name == column {
            format!("{value} AS [{name}]")
        } else {
            format!("x.[{name}]")
        }
    });
    let shown: Vec<String> = shown.collect();
    assert!(shown.iter().any(|one| one.starts_with(value)), "{column}");
    let derived = format!("(SELECT {} FROM {table} AS x)", shown.join(", "));
    put(text, table, &derived)
}

/// NAV's empty date where a column has none.
fn emptied(column: &str) -> String {
    format!(
        "CASE WHEN x.[{column}] IS NULL THEN CAST('1753-01-01' AS datetime) ELSE x.[{column}] END"
    )
}

/// NAV's empty date where something has not happened by the cutoff.
fn not_yet(column: &str) -> String {
    format!(
        "CASE WHEN x.[{column}] IS NULL OR x.[{column}] >= '2024-05-01' THEN CAST('1753-01-01' AS datetime) \
         ELSE x.[{column}] END"
    )
}

/// Another value in the rows of one company.
fn in_kenya(column: &str, value: &str) -> String {
    format!("CASE WHEN x.[ID_COMPANY] = 'EC_KE' THEN {value} ELSE x.[{column}] END")
}

async fn lines(session: &mut Connection, sql: &str) -> Vec<String> {
    run_with(session, sql, &params()).await.text()
}

/// The rows that a population keeps, as a derived table.
fn kept(population: &str) -> String {
    let names = population.split("[keep: ").skip(1);
    let names = names.filter_map(|rest| rest.split_once(']'));
    let all: Vec<String> = names
        .map(|(name, _)| format!("p.[keep: {name}] = 1"))
        .collect();
    assert!(all.len() > 2);
    format!(
        "(SELECT p.* FROM ({population}) AS p WHERE {})",
        all.join(" AND ")
    )
}

/// The same of the rows of the item and of those that its population keeps.
async fn of_both(session: &mut Connection, texts: &[String; 2], what: (&str, &str)) -> Vec<String> {
    let [query, population] = texts;
    let (select, by) = what;
    let mut found = Vec::new();
    for rows in [format!("({query})"), kept(population)] {
        let sql = format!("SELECT {by}, {select} FROM {rows} AS q GROUP BY {by} ORDER BY {by}");
        found.push(lines(session, &sql).await);
    }
    let of_population = found.pop().unwrap();
    let of_query = found.pop().unwrap();
    assert_eq!(of_query, of_population, "query and population");
    assert!(of_query.len() > 8, "{of_query:?}");
    of_query
}

async fn both_changed(
    session: &mut Connection,
    texts: &[String; 2],
    change: (&str, &str, &str),
) -> [String; 2] {
    let [query, population] = texts;
    [
        changed(session, query, change).await,
        changed(session, population, change).await,
    ]
}

/// What is missing is never a zero: the row stays, and without an amount.
#[tokio::test]
async fn a_price_that_is_missing_leaves_its_row_without_an_amount() {
    let mut session = open(&engine()).await;
    for (texts, price, amount) in [
        (both!("IPE_10"), "MTR_UNIT_PRICE", "paid_for_items"),
        (both!("IPE_10"), "MTR_PAID_PRICE", "paid_price"),
        (both!("IPE_12"), "MTR_PAID_PRICE", "paid_price"),
        (both!("IPE_12"), "MTR_AMOUNT_PAID", "amount_paid"),
        (
            both!("IPE_34"),
            "MTR_PRICE_AFTER_DISCOUNT",
            "amounttorefund",
        ),
    ] {
        let texts = texts.map(bound);
        let counted = format!("COUNT_BIG(*), COUNT_BIG(q.[{amount}])");
        let what = (counted.as_str(), "q.[id_company]");
        let lacking = |found: &[String]| {
            let cells = found.iter().map(|line| line.split('|').collect::<Vec<_>>());
            let lacking = cells.filter(|cells| cells[1] != cells[2]);
            lacking
                .map(|cells| format!("{} {}", cells[0], cells[2]))
                .collect::<Vec<_>>()
        };
        let whole = of_both(&mut session, &texts, what).await;
        assert_eq!(lacking(&whole), [""; 0], "{price}");
        let value = in_kenya(price, "CAST(NULL AS decimal(19, 4))");
        let texts = both_changed(&mut session, &texts, (ITEMS, price, value.as_str())).await;
        let found = of_both(&mut session, &texts, what).await;
        assert_eq!(lacking(&found), ["EC_KE 0"], "{price}");
        assert_eq!(found.len(), whole.len());
    }
}

/// Line L5: what is refunded in the month and arrives after it has nothing to come back yet, whatever day it is today.
#[tokio::test]
async fn a_refund_counts_once_its_item_was_delivered_before_the_cutoff() {
    let mut session = open(&engine()).await;
    let texts = both!("IPE_34").map(bound);
    let what = ("COUNT_BIG(*)", "q.[id_company], q.[case_type]");
    let whole = of_both(&mut session, &texts, what).await;
    for (day, counts) in [
        ("2024-04-30 23:59:59.997", true),
        ("2024-05-01", false),
        ("2024-05-02", false),
        ("1753-01-01", false),
    ] {
        let value = in_kenya("DELIVERED_DATE", &format!("CAST('{day}' AS datetime)"));
        let change = (ITEMS, "DELIVERED_DATE", value.as_str());
        let texts = both_changed(&mut session, &texts, change).await;
        let found = of_both(&mut session, &texts, what).await;
        let has = |case: &str| found.iter().any(|line| line.starts_with(case));
        assert_eq!(has("EC_KE|Refunded not yet returned"), counts, "{day}");
        assert!(has("EC_KE|Returned not yet refunded"), "{day}");
        let others = |all: &[String]| -> Vec<String> {
            let others = all.iter().filter(|line| !line.starts_with("EC_KE"));
            others.cloned().collect()
        };
        assert_eq!(others(&found), others(&whole), "{day}");
    }
}

/// 1753-01-01 is no date: what is closed, applied or arrived on it stays open.
#[tokio::test]
async fn the_empty_date_closes_no_collection_and_no_revenue() {
    let mut session = open(&engine()).await;
    let sums = "COUNT_BIG(*), SUM(q.[amount])";
    let texts = both!("IPE_31").map(bound);
    let what = (sums, "q.[id_company], q.[branch]");
    let whole = of_both(&mut session, &texts, what).await;
    for (table, column) in [
        (COLLECTED, "List_Date"),
        (COLLECTED, "Payment_Date"),
        (COLLECTED, "Reversal_Date"),
        (MOVED, "Received_Date"),
        (LISTED, "Applied_Date"),
        (LISTED, "Force_Closed_Date"),
    ] {
        let value = not_yet(column);
        let texts = both_changed(&mut session, &texts, (table, column, value.as_str())).await;
        let found = of_both(&mut session, &texts, what).await;
        assert_eq!(found, whole, "{column}");
    }
    // A payment that arrived on no date has arrived as much as one of the next century.
    let mut arrived = Vec::new();
    for day in ["1753-01-01", "2099-12-31"] {
        let value = format!("CAST('{day}' AS datetime)");
        let mut texts = texts.clone();
        for (table, column) in [(DEPOSITS, "Deposit_Date"), (ADJUSTED, "Adjustment_Date")] {
            texts = both_changed(&mut session, &texts, (table, column, value.as_str())).await;
        }
        arrived.push(of_both(&mut session, &texts, what).await);
    }
    assert_eq!(arrived[0], arrived[1]);
    assert_ne!(arrived[0], whole);

    let texts = both!("IPE_11").map(bound);
    let what = (
        "COUNT_BIG(*), SUM(q.[sc_transaction_amount])",
        "q.[id_company]",
    );
    let whole = of_both(&mut session, &texts, what).await;
    let value = not_yet("End_Date");
    let texts = both_changed(
        &mut session,
        &texts,
        (STATEMENTS, "End_Date", value.as_str()),
    )
    .await;
    assert_eq!(of_both(&mut session, &texts, what).await, whole);
}

#[tokio::test]
async fn the_empty_date_ends_no_voucher() {
    let mut session = open(&engine()).await;
    let query = bound(catalog!("IPE_08", "query.sql"));
    let ended = |query: &str| {
        format!(
            "SELECT q.[id_company], q.[id], q.[min_inactive_date] FROM ({query}) AS q ORDER BY 1, 2"
        )
    };
    let whole = lines(&mut session, &ended(&query)).await;
    for column in ["voucher_inactive_date", "template_inactive_date"] {
        let value = emptied(column);
        let text = changed(&mut session, &query, (STOCK, column, value.as_str())).await;
        assert_eq!(lines(&mut session, &ended(&text)).await, whole, "{column}");
    }
}

/// Rows of a population by the values of a column.
async fn values(
    session: &mut Connection,
    population: &str,
    column: &str,
) -> BTreeMap<String, String> {
    let sql =
        format!("SELECT p.[{column}], COUNT_BIG(*) FROM ({population}) AS p GROUP BY p.[{column}]");
    let found = lines(session, &sql).await.into_iter();
    let found = found.filter_map(|line| {
        let (value, rows) = line.split_once('|')?;
        Some((value.to_owned(), rows.to_owned()))
    });
    found.collect()
}

/// A list without a status does not wait, so that it closes what is in it; a value that nobody knows is a finding.
#[tokio::test]
async fn a_list_without_a_status_closes_and_is_seen() {
    let mut session = open(&engine()).await;
    let texts = both!("IPE_31").map(bound);
    let what = (
        "COUNT_BIG(*), SUM(q.[amount])",
        "q.[id_company], q.[branch]",
    );
    let whole = of_both(&mut session, &texts, what).await;
    let before = values(&mut session, &texts[1], "list_status").await;
    let names: BTreeSet<&str> = before.keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["Sent", "Waiting", "in no list"]));
    let value = "CASE WHEN x.[List_Status] = 'Waiting' THEN x.[List_Status] END";
    let texts = both_changed(&mut session, &texts, (COLLECTED, "List_Status", value)).await;
    assert_eq!(of_both(&mut session, &texts, what).await, whole);
    let after = values(&mut session, &texts[1], "list_status").await;
    assert_eq!(after.get("NULL"), before.get("Sent"));
    assert_eq!(after.get("Waiting"), before.get("Waiting"));
}

/// The first of two partners does not win: it would decide which rows the main bank account leaves out.
#[tokio::test]
async fn a_hub_of_several_partners_names_none_and_is_seen() {
    let mut session = open(&engine()).await;
    let texts = both!("IPE_31").map(bound);
    let unnamed = |query: &str| {
        format!(
            "SELECT COUNT_BIG(*) FROM ({query}) AS q WHERE q.[Related_Entity] = 'HUB-04' AND q.[cp] IS NULL"
        )
    };
    let several = |population: &str| {
        format!(
            "SELECT COUNT_BIG(*) FROM {} AS q WHERE q.[hub_mapping] = 'several partners'",
            kept(population)
        )
    };
    let [query, population] = &texts;
    assert_eq!(lines(&mut session, &unnamed(query)).await, ["0"]);
    let before = values(&mut session, population, "hub_mapping").await;
    let names: BTreeSet<&str> = before.keys().map(String::as_str).collect();
    // One that is mapped twice to one partner is no question.
    assert_eq!(
        names,
        BTreeSet::from(["hub is not mapped", "one partner", "partner is named"])
    );
    let derived = format!(
        "(SELECT m.[ID_Company], m.[Hub], m.[ID_Collection_Partner] FROM {HUBS} AS m UNION ALL \
         SELECT m.[ID_Company], m.[Hub], CAST('CP-001' AS varchar(20)) FROM {HUBS} AS m WHERE m.[Hub] = 'HUB-04')"
    );
    let texts = texts.map(|text| put(&text, HUBS, &derived));
    let what = (
        "COUNT_BIG(*), SUM(q.[amount])",
        "q.[id_company], q.[branch]",
    );
    of_both(&mut session, &texts, what).await;
    let [query, population] = &texts;
    let open = lines(&mut session, &unnamed(query)).await;
    assert_ne!(open, ["0"], "the rows stay in");
    assert_eq!(lines(&mut session, &several(population)).await, open);
    let after = values(&mut session, population, "hub_mapping").await;
    assert_eq!(
        after.get("partner is named"),
        before.get("partner is named")
    );
}

/// A mapping without a partner says nothing: beside a partner it leaves that one, and alone it maps no hub.
#[tokio::test]
async fn a_mapping_without_a_partner_maps_no_hub() {
    let mut session = open(&engine()).await;
    let population = bound(catalog!("IPE_31", "population.sql"));
    let before = values(&mut session, &population, "hub_mapping").await;
    let derived = format!(
        "(SELECT m.[ID_Company], m.[Hub], m.[ID_Collection_Partner] FROM {HUBS} AS m UNION ALL \
         SELECT m.[ID_Company], m.[Hub], CAST(NULL AS varchar(20)) FROM {HUBS} AS m)"
    );
    let beside = put(&population, HUBS, &derived);
    let beside = values(&mut session, &beside, "hub_mapping").await;
    assert_eq!(beside, before);
    assert!(before.contains_key("one partner"));
    let nobody = (HUBS, "ID_Collection_Partner", "CAST(NULL AS varchar(20))");
    let alone = changed(&mut session, &population, nobody).await;
    let alone = values(&mut session, &alone, "hub_mapping").await;
    let names: BTreeSet<&str> = alone.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        BTreeSet::from(["hub is not mapped", "partner is named"])
    );
}
