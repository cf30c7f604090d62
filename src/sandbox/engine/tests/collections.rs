//! The items of collections and of the seller centre: they tie to the balances, and each of their predicates is needed.
//! And the rates of the Algerian company.

use std::collections::BTreeSet;

use super::catalog_items::{CR_05A, IPE_11, IPE_31, bound, params, sums};
use super::*;
use crate::domain::query::QueryFile;

/// Sums of a query by company.
fn totals(query: &str, amount: &str) -> String {
    format!(
        "SELECT q.[ID_Company] AS k, 'x' AS a, COUNT_BIG(*) AS n, \
         SUM(CAST(q.[{amount}] AS decimal(38,20))) AS s0 FROM ({query}) AS q GROUP BY q.[ID_Company]"
    )
}

/// The query without the lines of a predicate.
fn without(item: &str, predicate: &str) -> String {
    let (before, rest) = item
        .split_once(&format!("-- predicate: {predicate}\n"))
        .unwrap();
    let (_, after) = rest.split_once("-- end predicate\n").unwrap();
    format!("{before}{after}")
}

/// The item's amount is the balance of these accounts where `condition` holds, and without a predicate it is not: in no
/// company, or in those that `only` names for it.
async fn assert_ties(
    item: &str,
    amount: &str,
    (accounts, condition): (&str, &str),
    only: &[(&str, &[&str])],
) {
    let mut session = open(&engine()).await;
    let balances = format!(
        "SELECT id_company AS k, 'x' AS a, 1 AS n, SUM(balance_at_date) AS s0 FROM \
         AIG_Nav_Jumia_Reconciliation.dbo.V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT \
         WHERE closing_date = @P2 AND group_coa_account_no IN ({accounts}) AND {condition} GROUP BY id_company"
    );
    let actual = sums(&run_with(&mut session, &balances, &params()).await);
    let target = run_with(&mut session, &totals(&bound(item), amount), &params()).await;
    assert_eq!(sums(&target), actual, "actual = target");
    assert!(actual.len() > 10);
    let file = QueryFile::parse(item).unwrap();
    let predicates: BTreeSet<String> = file.predicates().into_iter().collect();
    assert!(predicates.len() > 2);
    for predicate in predicates {
        let broken = bound(&without(item, &predicate));
        let wrong = sums(&run_with(&mut session, &totals(&broken, amount), &params()).await);
        let places: BTreeSet<_> = actual.keys().chain(wrong.keys()).collect();
        let differ = places.into_iter();
        let differ = differ.filter(|place| wrong.get(place) != actual.get(place));
        let differ: Vec<&str> = differ.map(|(company, _)| company.as_str()).collect();
        match only.iter().find(|(name, _)| *name == predicate) {
            Some((_, companies)) => assert_eq!(differ, *companies, "without {predicate}"),
            None => assert_eq!(differ.len(), actual.len(), "without {predicate}"),
        }
    }
}

/// Line L3 of the control, in the companies that the item does not leave out.
#[tokio::test]
async fn ipe_31_ties_to_cr_04_and_without_any_predicate_it_does_not() {
    let accounts = "'13001', '13002', '13011', '13012'";
    let only: &[(&str, &[&str])] = &[("not in Tunisia, Tanzania or South Africa", &["AT_TN"])];
    assert_ties(IPE_31, "Amount", (accounts, "country_code <> 'TN'"), only).await;
}

/// Memo M1 of the control, in the sign that the stand-in books.
#[tokio::test]
async fn ipe_11_ties_to_cr_04_and_without_any_predicate_it_does_not() {
    assert_ties(IPE_11, "SC_Transaction_Amount", ("'18304'", "1 = 1"), &[]).await;
}

#[tokio::test]
async fn ipe_31_has_the_declared_types_and_each_key_once() {
    let mut session = open(&engine()).await;
    let good = bound(IPE_31);
    let answer = run_with(&mut session, &good, &params()).await;
    assert_eq!(
        answer.types(),
        [
            "ID_Company varchar(20) not null",
            "Branch varchar(20)",
            "Transaction_ID bigint not null",
            "Occurrence_No int not null",
            "Event_Date datetime",
            "cp varchar(20)",
            "Transaction_Type varchar(30)",
            "Related_Entity nvarchar(50)",
            "Amount decimal(19,4)",
            "Service_Provider nvarchar(50)",
            "Type varchar(20)",
            "ERP_Name nvarchar(50)",
            "Company_Country nvarchar(50)",
            "Closing_Date datetime",
            "G_L Bank Account No_ varchar(20)",
        ]
    );
    let doubled = |query: &str| {
        format!(
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS [n] FROM ({query}) AS q GROUP BY q.[ID_Company], q.[Branch], \
             q.[Transaction_ID], q.[Occurrence_No] HAVING COUNT(*) > 1) AS d"
        )
    };
    let once = run_with(&mut session, &doubled(&good), &params()).await;
    assert_eq!(once.text(), ["0"]);
    // The hub that is mapped twice, joined as it stands.
    let mapping =
        "SELECT [ID_Company], [Hub], MIN([ID_Collection_Partner]) AS [ID_Collection_Partner]";
    let joined = good
        .replace(
            mapping,
            "SELECT [ID_Company], [Hub], [ID_Collection_Partner]",
        )
        .replace("    GROUP BY [ID_Company], [Hub]\n", "")
        .replace(
            "    HAVING MIN([ID_Collection_Partner]) = MAX([ID_Collection_Partner])\n",
            "",
        );
    assert!(!joined.contains("HAVING"));
    assert_ne!(joined, good);
    let twice = run_with(&mut session, &doubled(&joined), &params()).await;
    assert_ne!(twice.text(), ["0"], "a join that fans out");
}

#[tokio::test]
async fn cr_05a_gives_each_currency_of_the_group_once_on_the_last_day() {
    let mut session = open(&engine()).await;
    let good = bound(CR_05A);
    let currencies = |query: &str| {
        format!(
            "SELECT q.[Currency Code], q.[year] * 100 + q.[month] FROM ({query}) AS q ORDER BY 1"
        )
    };
    let answer = run_with(&mut session, &currencies(&good), &params()).await;
    let wanted = [
        "DZD", "EGP", "GHS", "KES", "MAD", "NGN", "UGX", "USD", "XOF",
    ];
    assert_eq!(
        answer.text(),
        wanted.map(|currency| format!("{currency}|202404"))
    );
    let dollar = format!(
        "SELECT q.[Relational Exch_ Rate Amount] FROM ({good}) AS q WHERE q.[Currency Code] = 'USD'"
    );
    let dollar = run_with(&mut session, &dollar, &params()).await.text();
    assert_eq!(dollar, ["134.50000000000000000000"]);
    for predicate in ["of the last day of the period", "currency of the group"] {
        let broken = bound(&without(CR_05A, predicate));
        let more = run_with(&mut session, &currencies(&broken), &params()).await;
        assert!(more.error.is_none(), "{:?}", more.error);
        assert!(more.rows() > wanted.len(), "without {predicate}");
    }
}
