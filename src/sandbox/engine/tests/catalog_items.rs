//! The catalog's queries, as the program asks them.

use super::*;
use std::collections::BTreeMap;

use arrow::array::AsArray;
use arrow::datatypes::{Decimal128Type, Int64Type};

use crate::domain::plant::PlantProfile;
use crate::sandbox::data::plants::{Planting, plant};
use crate::sandbox::data::{LedgerSpec, generate};

const IPE_07: &str = include_str!("../../../../data/catalog/IPE_07/query.sql");
const CR_03: &str = include_str!("../../../../data/catalog/CR_03/query.sql");
const CR_05: &str = include_str!("../../../../data/catalog/CR_05/query.sql");
const CR_04: &str = include_str!("../../../../data/catalog/CR_04/query.sql");
pub(super) const IPE_31: &str = include_str!("../../../../data/catalog/IPE_31/query.sql");
pub(super) const IPE_11: &str = include_str!("../../../../data/catalog/IPE_11/query.sql");
pub(super) const CR_05A: &str = include_str!("../../../../data/catalog/CR_05A/query.sql");
const POPULATIONS: [&str; 7] = [
    include_str!("../../../../data/catalog/CR_05A/population.sql"),
    include_str!("../../../../data/catalog/IPE_11/population.sql"),
    include_str!("../../../../data/catalog/IPE_31/population.sql"),
    include_str!("../../../../data/catalog/CR_03/population.sql"),
    include_str!("../../../../data/catalog/CR_04/population.sql"),
    include_str!("../../../../data/catalog/CR_05/population.sql"),
    include_str!("../../../../data/catalog/IPE_07/population.sql"),
];

/// The query without its block of declarations and with numbered parameters, as the program sends it.
pub(super) fn bound(text: &str) -> String {
    let (_, body) = text.split_once("-- end").unwrap();
    body.replace("@next_start", "@P1")
        .replace("@period_end", "@P2")
        .replace("@year_start", "@P4")
        .replace("@start", "@P3")
}

pub(super) fn params() -> Vec<SqlParam> {
    vec![
        date("@P1", "2024-05-01"),
        date("@P2", "2024-04-30"),
        date("@P3", "2024-04-01"),
        date("@P4", "2024-01-01"),
    ]
}

#[tokio::test]
async fn ipe_07_gives_as_many_rows_as_were_asked_for_with_the_declared_types() {
    let mut session = open(&engine()).await;
    let answer = run_with(&mut session, &bound(IPE_07), &params()).await;
    let types = answer.types();
    assert_eq!(u64::try_from(answer.rows()).unwrap(), ROWS);
    assert_eq!(answer.counts, [Some(ROWS)]);
    assert_eq!(types.len(), 35);
    for expected in [
        "id_company varchar(20) not null",
        "Entry No_ int not null",
        "Posting Date datetime not null",
        "Customer Name nvarchar(100)",
        "rem_amt_LCY decimal(38,20)",
        "Open tinyint not null",
        "Receivables Account varchar(20)",
        "Group_COA_Account_no varchar(20)",
        "Debit_Credit_DueMonth varchar(9) not null",
    ] {
        assert!(
            types.contains(&expected.to_owned()),
            "{expected} in {types:?}"
        );
    }
    let types = [
        ("@P1".to_owned(), SqlType::Date),
        ("@P2".to_owned(), SqlType::Date),
    ];
    let described = session.describe(&bound(IPE_07), &types).await;
    assert_eq!(described.unwrap(), answer.results[0].0);
}

#[tokio::test]
async fn the_files_run_by_hand_as_they_are() {
    let answer = ask(IPE_07).await;
    assert_eq!(
        u64::try_from(answer.rows()).unwrap(),
        ROWS,
        "{:?}",
        answer.error
    );
    for text in [CR_03, CR_04, CR_05, CR_05A, IPE_11, IPE_31]
        .into_iter()
        .chain(POPULATIONS)
    {
        let answer = ask(text).await;
        assert!(
            answer.error.is_none() && answer.rows() > 0,
            "{:?}",
            answer.error
        );
    }
}

/// Check Z1 of the control: the entries of the month are the movement between two balances.
#[tokio::test]
async fn cr_03_is_the_movement_between_two_balances_of_cr_04() {
    let larger = EngineConfig {
        rows: 5_000,
        ..EngineConfig::default()
    };
    let mut session = open(&LedgerEngine::new(larger).unwrap()).await;
    let posted = |query: &str| {
        format!(
            "SELECT q.[id_company] AS k, q.[Group_COA_Account_no] AS a, 1 AS n, SUM(q.[Amount]) AS s0 FROM ({query}) AS q \
             WHERE q.[Posting Date] >= @P3 GROUP BY q.[id_company], q.[Group_COA_Account_no] HAVING SUM(q.[Amount]) <> 0"
        )
    };
    let moved = "SELECT id_company AS k, group_coa_account_no AS a, 1 AS n, \
         SUM(CASE WHEN closing_date = @P2 THEN balance_at_date ELSE -balance_at_date END) AS s0 \
         FROM AIG_Nav_Jumia_Reconciliation.dbo.V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT \
         WHERE closing_date IN (@P2, DATEADD(day, -1, @P3)) AND group_coa_account_no NOT IN ('10058', '30101', '40101') \
         GROUP BY id_company, group_coa_account_no \
         HAVING SUM(CASE WHEN closing_date = @P2 THEN balance_at_date ELSE -balance_at_date END) <> 0";
    let moved = sums(&run_with(&mut session, moved, &params()).await);
    let good = bound(CR_03);
    let entries = sums(&run_with(&mut session, &posted(&good), &params()).await);
    assert_eq!(
        entries, moved,
        "entries = closing balance - opening balance"
    );
    assert!(moved.len() > 10, "{}", moved.len());
    let endless = good.replace(
        "gl.[Posting Date] < @P1\n    -- predicate: posted or entered this year\n    AND",
        "",
    );
    let whole_year = posted(&good).replace("WHERE q.[Posting Date] >= @P3 ", "");
    for (broken, without) in [
        (posted(&endless), "a month without its end"),
        (whole_year, "a month without its beginning"),
    ] {
        assert_ne!(broken, posted(&good));
        let entries = sums(&run_with(&mut session, &broken, &params()).await);
        assert_ne!(entries, moved, "{without}");
    }
}

/// Plant F14 is dated 29 March and was entered on 18 April. Were April the first month of a year, its second month would name
/// the entry as well.
#[tokio::test]
async fn an_entry_of_last_year_stays_in_the_year_in_which_it_was_entered() {
    let spec = LedgerSpec { rows: 40, seed: 1 };
    let mut ledger = generate(spec).unwrap();
    let planting = Planting {
        profile: PlantProfile::Recon,
        without: vec![],
    };
    plant(&mut ledger, spec, &planting).unwrap();
    let engine = LedgerEngine::with_ledger(EngineConfig::default(), ledger).unwrap();
    let mut session = open(&engine).await;
    let second_month = [
        date("@P1", "2024-06-01"),
        date("@P2", "2024-05-31"),
        date("@P3", "2024-05-01"),
        date("@P4", "2024-04-01"),
    ];
    let of_last_year = |query: &str| {
        format!(
            "SELECT q.[Entry No_] FROM ({query}) AS q WHERE q.[Posting Date] < @P4 \
             AND q.[id_company] = 'JD_DZ' AND q.[Group_COA_Account_no] = '13003'"
        )
    };
    let good = bound(CR_03);
    let of_the_month = good.replace(
        "gl.[G_L Creation Date] >= @P4",
        "gl.[G_L Creation Date] >= @P3",
    );
    assert_ne!(of_the_month, good);
    for (query, rows) in [(good, 1), (of_the_month, 0)] {
        let answer = run_with(&mut session, &of_last_year(&query), &second_month).await;
        assert_eq!(answer.rows(), rows, "{:?}", answer.error);
    }
}

#[tokio::test]
async fn cr_05_gives_every_company_its_closing_rate_once() {
    let mut session = open(&engine()).await;
    let rates = |query: &str| {
        format!(
            "SELECT q.[Company_Code] AS k, 'x' AS a, 1 AS n, q.[FX_rate] AS s0 FROM ({query}) AS q"
        )
    };
    let good = bound(CR_05);
    let answer = run_with(&mut session, &rates(&good), &params()).await;
    let found: BTreeMap<String, i128> = sums(&answer)
        .into_iter()
        .map(|((k, _), rate)| (k, rate))
        .collect();
    let hundredth = 10_i128.pow(18);
    for (company, hundredths) in [
        ("EC_NG", 165_000),
        ("EC_KE", 13_000),
        ("EC_IC", 60_000),
        ("HF_SN", 60_000),
        ("JD_GH", 1_350),
        ("JD_UG", 380_000),
        ("JD_DZ", 13_450),
        ("JM_EG", 4_890),
        ("EC_MA", 1_010),
        ("EC_NG_USD", 100),
    ] {
        assert_eq!(found[company], hundredths * hundredth, "{company}");
    }
    assert_eq!((answer.rows(), found.len()), (12, 12), "one row a company");
    for filter in [
        "AND fx.[Rate_Type] = 'Closing'",
        "AND fx.[Base_Currency] = 'USD'",
        "AND fx.[Cod_Month] = MONTH(@P2)",
    ] {
        let broken = good.replace(filter, "");
        assert_ne!(broken, good);
        let more = run_with(&mut session, &rates(&broken), &params()).await;
        assert!(more.rows() > 12, "without {filter}");
    }
    let none = good.replace("YEAR(@P2)", "1999");
    let none = run_with(
        &mut session,
        &format!("SELECT COUNT(*) FROM ({none}) AS q WHERE q.[FX_rate] IS NULL"),
        &params(),
    )
    .await;
    assert_eq!(
        none.text(),
        ["11"],
        "a company without a rate stays, with null"
    );
}

#[tokio::test]
async fn control_totals_tie_to_cr_04_per_company_and_account() {
    let mut session = open(&engine()).await;
    let totals = format!(
        "SELECT [id_company] COLLATE Latin1_General_100_BIN2 AS k, [Group_COA_Account_no] AS a, COUNT_BIG(*) AS n, \
         SUM(CAST(q.[rem_amt_LCY] AS decimal(38,20))) AS s0 FROM ({}) AS q \
         GROUP BY [id_company] COLLATE Latin1_General_100_BIN2, [Group_COA_Account_no]",
        bound(IPE_07)
    );
    let answer = run_with(&mut session, &totals, &params()).await;
    assert_eq!(
        answer.types(),
        [
            "k varchar(20) not null",
            "a varchar(20)",
            "n bigint",
            "s0 decimal(38,20)"
        ]
    );
    let rows: i64 = answer.results[0]
        .1
        .iter()
        .flat_map(|b| b.column(2).as_primitive::<Int64Type>().values())
        .sum();
    assert_eq!(u64::try_from(rows).unwrap(), ROWS);
    let balances = "SELECT bal.id_company AS k, group_coa_account_no AS a, 1 AS n, SUM(balance_at_date) AS s0 FROM \
         AIG_Nav_Jumia_Reconciliation.dbo.V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT bal \
         JOIN AIG_Nav_Jumia_Reconciliation.fdw.Dim_Company co ON co.Company_Code = bal.id_company \
         WHERE closing_date = @P2 AND group_coa_account_no IN ('13003', '13004', '13009') AND flg_in_conso_scope = 1 \
         GROUP BY bal.id_company, group_coa_account_no";
    let actual = run_with(&mut session, balances, &params()).await;
    assert_eq!(sums(&actual), sums(&answer), "actual = target");
    assert!(sums(&answer).len() > 20);
}

pub(super) fn sums(answer: &Answer) -> BTreeMap<(String, String), i128> {
    assert!(answer.error.is_none(), "{:?}", answer.error);
    let mut sums = BTreeMap::new();
    for batch in &answer.results[0].1 {
        let (k, a) = (
            batch.column(0).as_string::<i32>(),
            batch.column(1).as_string::<i32>(),
        );
        let s = batch.column(3).as_primitive::<Decimal128Type>();
        for row in 0..batch.num_rows() {
            sums.insert(
                (k.value(row).to_owned(), a.value(row).to_owned()),
                s.value(row),
            );
        }
    }
    sums
}

#[tokio::test]
async fn cr_04_takes_its_accounts_as_a_json_list_too() {
    let mut session = open(&engine()).await;
    let sql = "SELECT * FROM [AIG_Nav_Jumia_Reconciliation].[dbo].[V_BS_ANAPLAN_IMPORT_IFRS_MAPPING_CURRENCY_SPLIT] \
               WHERE [CLOSING_DATE] = @P1 AND [GROUP_COA_ACCOUNT_NO] IN \
               (SELECT v FROM OPENJSON(@P2) WITH (v varchar(20) '$'))";
    let with = |list: &str| {
        vec![
            date("@P1", "2024-04-30"),
            param("@P2", "nvarchar(4000)", Cell::text(list)),
        ]
    };
    let two = run_with(&mut session, sql, &with("[\"13003\",\"13004\"]")).await;
    let literal = ask(&sql.replace("@P1", "'2024-04-30'").replace(
        "(SELECT v FROM OPENJSON(@P2) WITH (v varchar(20) '$'))",
        "('13003', '13004')",
    ))
    .await;
    assert!(
        two.rows() > 0 && two.rows() == literal.rows(),
        "{:?} {:?}",
        two.error,
        literal.error
    );
    assert_eq!(two.types().len(), 25);
    assert_eq!(run_with(&mut session, sql, &with("[]")).await.rows(), 0);
    assert_eq!(
        run_with(&mut session, sql, &with("nonsense"))
            .await
            .error
            .unwrap()
            .number,
        13_609
    );
    let params = [
        ("@P1".to_owned(), SqlType::Date),
        ("@P2".to_owned(), SqlType::NVarChar(Some(4000))),
    ];
    assert_eq!(
        session.describe(sql, &params).await.unwrap(),
        two.results[0].0
    );
}

#[tokio::test]
async fn the_filters_leave_out_what_they_should() {
    let all = ask("SELECT COUNT(*) FROM [Customer Ledger Entries]")
        .await
        .text();
    assert!(
        all[0].parse::<u64>().unwrap() > ROWS * 13 / 10,
        "closed, late and foreign entries exist: {all:?}"
    );
    let later =
        "SELECT COUNT(*) FROM [Customer Ledger Entries] WHERE [Posting Date] >= '2024-05-01'";
    assert_ne!(ask(later).await.text(), ["0"]);
}
