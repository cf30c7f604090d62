//! The items of the shop: types, ties to the ledger, and what each predicate is for.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Int64Type};

use super::*;
use crate::domain::query::QueryFile;

/// An item with its line: what is added up, which rows, and the accounts that it must tie to.
struct Item {
    query: &'static str,
    population: &'static str,
    target: &'static str,
    only: &'static str,
    accounts: &'static str,
    types: &'static [&'static str],
}

const ITEMS: [Item; 3] = [
    Item {
        query: include_str!("../../../../data/catalog/IPE_10/query.sql"),
        population: include_str!("../../../../data/catalog/IPE_10/population.sql"),
        target: "-(q.[PAID_FOR_ITEMS] + q.[PAID_FOR_SHIPPING])",
        only: "1 = 1",
        accounts: "'18350'",
        types: &[
            "COD_OMS_SALES_ORDER_ITEM bigint not null",
            "IS_CLOSED int not null",
            "IS_MARKETPLACE bit not null",
            "FINANCE_VERIFIED_DATE datetime",
            "PAID_FOR_ITEMS decimal(21,4)",
            "PAID_PRICE decimal(19,4)",
            "PAID_FOR_SHIPPING decimal(24,4)",
        ],
    },
    Item {
        query: include_str!("../../../../data/catalog/IPE_12/query.sql"),
        population: include_str!("../../../../data/catalog/IPE_12/population.sql"),
        target: "q.[paid_price] + q.[paid_shipping]",
        only: "1 = 1",
        accounts: "'13005', '13024'",
        types: &[
            "Customer Type varchar(50)",
            "troubleshoot_resolution_date datetime",
            "amount_paid decimal(19,4)",
            "paid_shipping decimal(25,4)",
        ],
    },
    Item {
        query: include_str!("../../../../data/catalog/IPE_34/query.sql"),
        population: include_str!("../../../../data/catalog/IPE_34/population.sql"),
        target: "q.[AmountToRefund]",
        only: "q.[IS_MARKETPLACE] = 1 AND q.[ID_COMPANY] NOT LIKE '%USD'",
        accounts: "'18317'",
        types: &[
            "Case_Type varchar(25) not null",
            "OMS_Type varchar(50)",
            "AmountToRefund decimal(24,4)",
        ],
    },
];

/// The text that the program sends for April 2024; its one parameter is the cutoff.
fn bound(query: &QueryFile) -> String {
    query.bind("2024-04".parse().unwrap()).unwrap().text
}

fn params() -> Vec<SqlParam> {
    vec![date("@P1", "2024-05-01"), date("@P2", "2024-04-30")]
}

/// A larger ledger, so that every predicate has rows in every company.
fn larger() -> LedgerEngine {
    let config = EngineConfig {
        rows: 3_000,
        ..EngineConfig::default()
    };
    LedgerEngine::new(config).unwrap()
}

fn sums(answer: &Answer) -> BTreeMap<String, i128> {
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let mut sums = BTreeMap::new();
    for batch in &answer.results[0].1 {
        let company = batch.column(0).as_string::<i32>();
        let sum = batch.column(1).as_primitive::<Decimal128Type>();
        for row in 0..batch.num_rows() {
            sums.insert(company.value(row).to_owned(), sum.value(row));
        }
    }
    sums
}

#[tokio::test]
async fn the_items_of_the_shop_tie_to_cr_04_and_need_each_of_their_predicates() {
    let mut session = open(&larger()).await;
    for item in ITEMS {
        let query = QueryFile::parse(item.query).unwrap();
        let target = |query: &QueryFile| {
            format!(
                "SELECT q.[ID_COMPANY] AS k, SUM(CAST({} AS decimal(38,20))) AS s FROM (\n{}\n) AS q WHERE {} \
                 GROUP BY q.[ID_COMPANY]",
                item.target,
                bound(query),
                item.only
            )
        };
        let actual = format!(
            "SELECT bal.ID_COMPANY AS k, SUM(BALANCE_AT_DATE) AS s FROM \
             AIG_Nav_Jumia_Reconciliation.dbo.V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT AS bal \
             JOIN AIG_Nav_Jumia_Reconciliation.fdw.Dim_Company AS co ON co.Company_Code = bal.ID_COMPANY \
             WHERE CLOSING_DATE = @P2 AND GROUP_COA_ACCOUNT_NO IN ({}) AND co.Flg_In_Conso_Scope = 1 \
             GROUP BY bal.ID_COMPANY",
            item.accounts
        );
        let actual = sums(&run_with(&mut session, &actual, &params()).await);
        let found = sums(&run_with(&mut session, &target(&query), &params()).await);
        assert_eq!(found, actual, "{}", item.accounts);
        assert_eq!(found.len(), 9);
        let predicates: BTreeSet<String> = query.predicates().into_iter().collect();
        assert!(predicates.len() > 3);
        for predicate in predicates {
            // What happened on both sides would come twice, with both signs: the rows tell, and the sum does not.
            if predicate == "not both by the cutoff" {
                continue;
            }
            let broken = query.without(&predicate).unwrap();
            let broken = run_with(&mut session, &target(&broken), &params()).await;
            assert_ne!(sums(&broken), actual, "without: {predicate}");
        }
    }
}

/// What a run asks of a population, for every predicate: the query without it gains the rows that only it keeps out.
#[tokio::test]
async fn every_predicate_keeps_out_the_rows_that_the_population_says() {
    let mut session = open(&larger()).await;
    for item in ITEMS {
        let query = QueryFile::parse(item.query).unwrap();
        let population = QueryFile::parse(item.population).unwrap();
        let rows = async |session: &mut Box<dyn SqlSession>, text: &str| -> i64 {
            let answer = run_with(session, text, &params()).await;
            assert!(answer.error.is_none(), "{text}: {:?}", answer.error);
            let batch = &answer.results[0].1[0];
            batch.column(0).as_primitive::<Int64Type>().value(0)
        };
        let counted =
            |query: &QueryFile| format!("SELECT COUNT_BIG(*) FROM (\n{}\n) AS q", bound(query));
        let delivered = if item.population.contains("AS [delivered],") {
            "SUM(CAST(p.[delivered] AS bigint))"
        } else {
            "COUNT_BIG(*)"
        };
        let answer = run_with(&mut session, &bound(&population), &params()).await;
        let keeps: Vec<String> = answer.results[0]
            .0
            .iter()
            .map(|meta| meta.name.clone())
            .collect();
        let keeps: Vec<&str> = keeps
            .iter()
            .filter_map(|name| name.strip_prefix("keep: "))
            .collect();
        let kept = |wrong: Option<&str>| {
            let all = keeps.iter().map(|name| {
                let value = i32::from(wrong != Some(*name));
                format!("p.[keep: {name}] = {value}")
            });
            let all: Vec<String> = all.collect();
            format!(
                "SELECT {delivered} FROM (\n{}\n) AS p WHERE {}",
                bound(&population),
                all.join(" AND ")
            )
        };
        let extract = rows(&mut session, &counted(&query)).await;
        assert_eq!(rows(&mut session, &kept(None)).await, extract);
        let predicates: BTreeSet<String> = query.predicates().into_iter().collect();
        for predicate in &predicates {
            assert!(keeps.contains(&predicate.as_str()), "{predicate}");
            let without = query.without(predicate).unwrap();
            let gained = rows(&mut session, &counted(&without)).await - extract;
            assert!(gained > 0, "{predicate} keeps nothing out");
            let only = rows(&mut session, &kept(Some(predicate))).await;
            assert_eq!(gained, only, "{predicate}");
        }
    }
}

#[tokio::test]
async fn the_items_of_the_shop_have_the_declared_types_and_run_by_hand_as_they_are() {
    for item in ITEMS {
        let answer = ask(item.query).await;
        let types = answer.types();
        for expected in item.types {
            assert!(
                types.contains(&(*expected).to_owned()),
                "{expected} in {types:?}"
            );
        }
        assert!(answer.rows() > 0);
        assert!(ask(item.population).await.rows() > answer.rows());
    }
    for text in [
        include_str!("../../../../data/catalog/IPE_10/witness.sql"),
        include_str!("../../../../data/catalog/IPE_12/witness.sql"),
        include_str!("../../../../data/catalog/IPE_34/witness.sql"),
    ] {
        let numbered = text.replace("bigint = 1;", "bigint = 40000003;");
        let some = ask(&numbered.replace("'EC_NG'", "'EC_KE'")).await;
        assert!(some.error.is_none() && some.rows() < 2, "{:?}", some.error);
    }
}
