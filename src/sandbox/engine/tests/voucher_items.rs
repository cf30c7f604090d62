//! The items of the vouchers, as the program asks them.

use super::hard_rows::{STOCK, changed};
use super::*;
use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::Decimal128Type;

macro_rules! catalog {
    ($item:literal, $file:literal) => {
        include_str!(concat!("../../../../data/catalog/", $item, "/", $file))
    };
}

const ISSUANCE: &str = catalog!("IPE_08", "query.sql");
const TIMING: &str = catalog!("IPE_08_TIMING", "query.sql");
const USAGE: &str = catalog!("IPE_08_USAGE", "query.sql");
const OTHERS: [&str; 5] = [
    catalog!("IPE_08", "population.sql"),
    catalog!("IPE_08_TIMING", "population.sql"),
    catalog!("IPE_08_USAGE", "population.sql"),
    catalog!("IPE_08", "witness.sql"),
    catalog!("IPE_08_TIMING", "witness.sql"),
];

/// The query without its block of declarations and with numbered parameters, as the program sends it.
fn bound(text: &str) -> String {
    let (_, body) = text.split_once("-- end").unwrap();
    body.replace("@next_start", "@P1")
        .replace("@period_end", "@P2")
}

fn params() -> Vec<SqlParam> {
    vec![date("@P1", "2024-05-01"), date("@P2", "2024-04-30")]
}

/// The columns of a contract as a server describes them.
fn contract(toml: &str) -> Vec<String> {
    let toml: toml::Table = toml.parse().unwrap();
    let columns = toml["contract"]["columns"].as_array().unwrap();
    let columns = columns.iter().map(|column| {
        let text = |name: &str| column[name].as_str().unwrap();
        let is_filled = column.get("nullable").is_some();
        let filled = if is_filled { " not null" } else { "" };
        format!("{} {}{filled}", text("source"), text("type"))
    });
    columns.collect()
}

/// Amounts by company.
async fn sums(session: &mut Box<dyn SqlSession>, sql: &str) -> BTreeMap<String, i128> {
    let answer = run_with(session, sql, &params()).await;
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let mut sums = BTreeMap::new();
    for batch in &answer.results[0].1 {
        let amounts = batch.column(1).as_primitive::<Decimal128Type>();
        for row in 0..batch.num_rows() {
            let company = batch.column(0).as_string::<i32>().value(row);
            sums.insert(company.to_owned(), amounts.value(row));
        }
    }
    sums
}

#[tokio::test]
async fn the_contracts_are_what_the_server_describes_and_the_files_run_by_hand() {
    let mut session = open(&engine()).await;
    for (query, toml) in [
        (ISSUANCE, catalog!("IPE_08", "ipe.toml")),
        (TIMING, catalog!("IPE_08_TIMING", "ipe.toml")),
        (USAGE, catalog!("IPE_08_USAGE", "ipe.toml")),
    ] {
        let answer = run_with(&mut session, &bound(query), &params()).await;
        assert_eq!(answer.types(), contract(toml));
        let by_hand = ask(query).await;
        assert_eq!(by_hand.rows(), answer.rows());
        assert!(answer.rows() >= 9);
    }
    for text in OTHERS {
        let answer = ask(text).await;
        assert!(answer.error.is_none(), "{:?}", answer.error);
    }
}

/// Line L6 of the control, with and without each of its conditions.
#[tokio::test]
async fn what_remains_on_vouchers_is_the_balance_of_18412() {
    let mut session = open(&engine()).await;
    let of_contract =
        "q.[is_active] = 1 AND q.[to_date] >= @P1 AND q.[business_use] <> 'marketing'";
    let target = |query: &str, only: &str| {
        format!(
            "SELECT q.[id_company] AS k, CAST(-SUM(q.[remaining_amount]) AS decimal(38,20)) AS s FROM ({query}) AS q \
             WHERE {only} GROUP BY q.[id_company]"
        )
    };
    let actual = "SELECT bal.id_company AS k, SUM(balance_at_date) AS s FROM \
         AIG_Nav_Jumia_Reconciliation.dbo.V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT bal \
         JOIN AIG_Nav_Jumia_Reconciliation.fdw.Dim_Company co ON co.Company_Code = bal.id_company \
         WHERE closing_date = @P2 AND group_coa_account_no = '18412' AND flg_in_conso_scope = 1 \
         AND @P1 > @P2 GROUP BY bal.id_company";
    let actual = sums(&mut session, actual).await;
    assert_eq!(actual.len(), 9);
    let good = bound(ISSUANCE);
    assert_eq!(
        sums(&mut session, &target(&good, of_contract)).await,
        actual
    );
    for part in [
        "AND v.[created_at] >= '2017-01-01'",
        "AND v.[created_at] < @P1",
        "AND co.[Flg_In_Conso_Scope] = 1",
    ] {
        let broken = good.replace(part, "");
        assert_ne!(broken, good);
        assert_ne!(
            sums(&mut session, &target(&broken, of_contract)).await,
            actual,
            "{part}"
        );
    }
    for part in of_contract.split(" AND ") {
        let broken = of_contract.replace(part, "1 = 1");
        assert_ne!(
            sums(&mut session, &target(&good, &broken)).await,
            actual,
            "{part}"
        );
    }
}

/// What the shop has used of what is owed is delivered, and no voucher comes twice.
#[tokio::test]
async fn usage_is_summed_before_it_is_joined() {
    let mut session = open(&engine()).await;
    let good = bound(ISSUANCE);
    let differs = |query: &str| {
        format!(
            "SELECT COUNT(*) FROM ({query}) AS q WHERE q.[business_use] <> 'marketing' \
             AND q.[used_discount_amount] <> q.[TotalAmountUsed]"
        )
    };
    let answer = run_with(&mut session, &differs(&good), &params()).await;
    assert_eq!(answer.text(), ["0"]);
    let broken = good.replace(
        "soi.[PACKAGE_DELIVERY_DATE] < @P1",
        "soi.[PACKAGE_DELIVERY_DATE] < @P2",
    );
    assert_ne!(broken, good);
    let answer = run_with(&mut session, &differs(&broken), &params()).await;
    assert_ne!(answer.text(), ["0"], "what was delivered on the last day");

    let used = |query: &str| {
        format!(
            "SELECT q.[id_company] AS k, SUM(q.[TotalAmountUsed]) AS s FROM ({query}) AS q \
             WHERE q.[business_use] <> 'marketing' GROUP BY q.[id_company]"
        )
    };
    let by_month = sums(&mut session, &used(&bound(USAGE))).await;
    assert_eq!(
        by_month,
        sums(&mut session, &used(&good)).await,
        "both items say the same"
    );
    assert_eq!(by_month.len(), 9);
}

#[tokio::test]
async fn timing_finds_what_is_on_its_way() {
    let mut session = open(&engine()).await;
    let answer = run_with(&mut session, &bound(TIMING), &params()).await;
    let rows = answer.text();
    let companies: std::collections::BTreeSet<&str> = rows
        .iter()
        .map(|row| row.split('|').next().unwrap())
        .collect();
    assert_eq!(companies.len(), 9, "{rows:?}");
    assert!(
        rows.iter()
            .all(|row| row.contains("|marketing|") && row.contains("|shipped|"))
    );
    let delivered = bound(TIMING)
        .replace("soi.[DELIVERED_DATE] IS NULL OR", "1 = 1 OR")
        .replace("soi.[CURRENT_STATUS] IS NULL OR", "1 = 1 OR");
    let more = run_with(&mut session, &delivered, &params()).await;
    assert!(more.rows() > answer.rows(), "{:?}", more.error);
    let active = delivered.replace("v.[is_active] = 0 OR", "1 = 1 OR");
    let active = run_with(&mut session, &active, &params()).await;
    assert!(active.rows() > more.rows(), "{:?}", active.error);
}

/// What the item says of a voucher that orders paid with, and of one that none did.
const WAS_USED: &str = "q.[mpl_storecredit] + q.[rtl_storecredit] > 0";
const NOT_USED: &str = "q.[TotalAmountUsed] = 0";

/// Two such vouchers of EC_NG, and the value of `code` that gives the second one the code of the first.
async fn sharing(session: &mut Box<dyn SqlSession>, which: &str) -> ([String; 2], String) {
    let two = format!(
        "SELECT TOP (2) q.[id] FROM ({}) AS q WHERE q.[id_company] = 'EC_NG' AND {which} ORDER BY 1",
        bound(ISSUANCE)
    );
    let two = run_with(session, &two, &params()).await.text();
    let [first, second]: [String; 2] = two.try_into().unwrap();
    let code = format!(
        "SELECT TOP (1) v.[code] FROM {STOCK} AS v WHERE v.[ID_COMPANY] = 'EC_NG' AND v.[id] = '{first}'"
    );
    let code = run(session, &code).await.text().remove(0);
    let value = format!(
        "CASE WHEN x.[ID_COMPANY] = 'EC_NG' AND x.[id] = '{second}' THEN CAST('{code}' AS varchar(50)) \
         ELSE x.[code] END"
    );
    ([first, second], value)
}

/// Asserts that item and witness say zero of two vouchers of EC_NG once the stock has other codes, and that no population
/// finds anything in them.
async fn assert_zero(session: &mut Box<dyn SqlSession>, two: &[String; 2], codes: &str) {
    let other = (STOCK, "code", codes);
    let [first, second] = two;
    let of_two = format!("q.[id_company] = 'EC_NG' AND q.[id] IN ('{first}', '{second}')");
    let query = changed(session, &bound(ISSUANCE), other).await;
    let said = format!(
        "SELECT q.[id], q.[TotalAmountUsed], q.[shipping_discount] FROM ({query}) AS q WHERE {of_two} ORDER BY 1"
    );
    let said = run_with(session, &said, &params()).await.text();
    assert_eq!(said, two.each_ref().map(|id| format!("{id}|0.0000|0.0000")));
    for file in [
        catalog!("IPE_08", "population.sql"),
        catalog!("IPE_08_USAGE", "population.sql"),
    ] {
        let population = changed(session, &bound(file), other).await;
        let said = format!(
            "SELECT q.[join_by_code], COUNT_BIG(*) FROM ({population}) AS q WHERE {of_two} GROUP BY q.[join_by_code]"
        );
        let said = run_with(session, &said, &params()).await.text();
        assert_eq!(said, ["not used|2"]);
    }
    for id in two {
        let witness = catalog!("IPE_08", "witness.sql");
        let witness = witness.replace("'40000000'", &format!("'{id}'"));
        let witness = changed(session, &witness, other).await;
        let rows = run(session, &witness).await.text();
        assert_eq!(rows.len(), 1);
        let used = rows[0].rsplit('|').nth(1);
        assert_eq!(used, Some("0.0000"), "{rows:?}");
    }
}

/// Nobody used it: that is known of every voucher that has the code.
#[tokio::test]
async fn a_code_of_two_vouchers_that_nobody_used_is_a_zero_of_each() {
    let mut session = open(&engine()).await;
    let (two, value) = sharing(&mut session, NOT_USED).await;
    assert_zero(&mut session, &two, &value).await;
}

/// Vouchers without a code share none.
#[tokio::test]
async fn a_voucher_without_a_code_was_not_used() {
    let mut session = open(&engine()).await;
    let ([first, second], _) = sharing(&mut session, WAS_USED).await;
    let value = format!(
        "CASE WHEN x.[ID_COMPANY] = 'EC_NG' AND x.[id] IN ('{first}', '{second}') \
         THEN CAST(NULL AS varchar(50)) ELSE x.[code] END"
    );
    assert_zero(&mut session, &[first, second], &value).await;
}

/// A used code that two vouchers share says of neither what was used: counted for both, it would come twice.
#[tokio::test]
async fn a_code_of_two_vouchers_gives_neither_of_them_an_amount() {
    let mut session = open(&engine()).await;
    let ([first, second], value) = sharing(&mut session, WAS_USED).await;
    let shared = (STOCK, "code", value.as_str());
    let used = |query: &str, only: &str| {
        format!(
            "SELECT DISTINCT q.[id_company], q.[id], q.[TotalAmountUsed] FROM ({query}) AS q WHERE {only} ORDER BY 1, 2"
        )
    };
    let of_two = format!("q.[id_company] = 'EC_NG' AND q.[id] IN ('{first}', '{second}')");
    let of_others = format!("NOT ({of_two})");
    for query in [ISSUANCE, USAGE].map(bound) {
        let broken = changed(&mut session, &query, shared).await;
        let unknown = run_with(&mut session, &used(&broken, &of_two), &params()).await;
        let expected = [&first, &second].map(|id| format!("EC_NG|{id}|NULL"));
        assert_eq!(unknown.text(), expected);
        let mut others = Vec::new();
        for query in [&query, &broken] {
            let answer = run_with(&mut session, &used(query, &of_others), &params()).await;
            others.push(answer.text());
        }
        assert_eq!(others[0], others[1], "nobody else");
        let known = run_with(&mut session, &used(&query, &of_two), &params()).await;
        assert!(known.text().iter().all(|line| !line.ends_with("|NULL")));
    }
}

/// The audit of that join: the population counts such codes, and a witness knows as little as the item.
#[tokio::test]
async fn a_code_of_two_vouchers_is_seen_by_the_population_and_by_the_witness() {
    let mut session = open(&engine()).await;
    let ([first, _], value) = sharing(&mut session, WAS_USED).await;
    let shared = (STOCK, "code", value.as_str());
    let seen = |population: &str| {
        format!(
            "SELECT p.[company], COUNT_BIG(*) FROM ({population}) AS p \
             WHERE p.[join_by_code] = 'several vouchers' GROUP BY p.[company]"
        )
    };
    for file in [
        catalog!("IPE_08", "population.sql"),
        catalog!("IPE_08_USAGE", "population.sql"),
    ] {
        let population = bound(file);
        let none = run_with(&mut session, &seen(&population), &params()).await;
        assert_eq!(none.text(), [""; 0]);
        let broken = changed(&mut session, &population, shared).await;
        let two = run_with(&mut session, &seen(&broken), &params()).await;
        assert_eq!(two.text(), ["EC_NG|2"]);
    }
    let witness = catalog!("IPE_08", "witness.sql");
    let witness = witness.replace("'40000000'", &format!("'{first}'"));
    let broken = changed(&mut session, &witness, shared).await;
    for (text, is_known) in [(&witness, true), (&broken, false)] {
        let row = run(&mut session, text).await.text();
        assert_eq!(row.len(), 1);
        assert_eq!(!row[0].ends_with("|NULL|NULL"), is_known, "{row:?}");
    }
}
