//! The items of the vouchers, as the program asks them.

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
