use super::*;
use crate::domain::reconcile::contract::{ReconciliationContract, Sign, Source};
use crate::kernels::samples::{column as of, contract};

const RULES: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

fn columns() -> Contract {
    contract(vec![
        of("id_company", "varchar(20)"),
        of("group_coa_account_no", "varchar(20)"),
        of("balance_at_date", "decimal(38,20)"),
        of("rem_amt_lcy", "decimal(38,20)"),
        of("paid_price", "decimal(19,4)"),
        of("paid_shipping", "decimal(19,4)"),
        of("remaining_amount", "decimal(19,4)"),
        of("is_active", "bit"),
        of("to_date", "datetime"),
        of("business_use", "nvarchar(50)"),
    ])
}

/// The statement for a line of the rules, which `change` has changed.
fn asked(id: &str, change: impl FnOnce(&mut Line)) -> Result<String, ReconcileError> {
    let rules = ReconciliationContract::read("v1.toml", RULES).unwrap();
    let mut line = rules
        .lines
        .iter()
        .find(|line| line.id == id)
        .unwrap()
        .clone();
    change(&mut line);
    let period: Period = "2024-04".parse().unwrap();
    let runs = ["20240501T090000Z-1a2b3c4d", "20240502T090000Z-1a2b3c4d"];
    let [first, second]: [RunId; 2] = runs.map(|run| run.parse().unwrap());
    let columns = columns();
    let side = |source: &Source, run| Side {
        table: format!("`p.d.{}`", source.item.table_name()),
        run,
        contract: &columns,
        spec: SumSpec::of(source, period),
    };
    let actual = side(&rules.actual, &first);
    let targets: Vec<Side<'_>> = line.targets.iter().map(|one| side(one, &second)).collect();
    query(&line, period, &actual, &targets)
}

fn holds(sql: &str, parts: &[&str]) {
    for part in parts {
        assert!(sql.contains(part), "{part}\nin\n{sql}");
    }
}

#[test]
fn a_split_line_is_joined_by_company_and_account() {
    let sql = asked("L1", |_| ()).unwrap();
    let rows = "IFNULL(RTRIM(`id_company`, ' '), '') AS company, IFNULL(RTRIM(`group_coa_account_no`, ' '), '') AS account,";
    let expected = format!(
        "WITH actual_rows AS (
  SELECT {rows}
    (TRUE) AS met,
    `balance_at_date` AS t0
  FROM `p.d.pg01_validated_ipe_cr_04`
  WHERE `_period` >= DATE '2024-04-01' AND `_period` < DATE '2024-05-01' AND `_run_id` = '20240501T090000Z-1a2b3c4d'
),
target_rows_0 AS (
  SELECT {rows}
    (TRUE) AS met,
    `rem_amt_lcy` AS t0
  FROM `p.d.pg01_validated_ipe_ipe_07`
  WHERE `_period` >= DATE '2024-04-01' AND `_period` < DATE '2024-05-01' AND `_run_id` = '20240502T090000Z-1a2b3c4d'
),
actual_sums AS (
  SELECT company, account, IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END), 0) AS amount
  FROM actual_rows WHERE account IN ('13003', '13004', '13009') GROUP BY company, account
),
target_sums AS (
  SELECT company, account, SUM(amount) AS amount FROM (
    SELECT company, account, IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END), 0) AS amount
    FROM target_rows_0 GROUP BY company, account HAVING SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN 1 ELSE 0 END) > 0
  ) AS sources GROUP BY company, account
)
SELECT company, account, CAST(actual_sums.amount AS STRING) AS actual,
  CAST(target_sums.amount AS STRING) AS target,
  CAST(IFNULL(actual_sums.amount, 0) - IFNULL(target_sums.amount, 0) AS STRING) AS variance
FROM actual_sums FULL OUTER JOIN target_sums USING (company, account)"
    );
    assert_eq!(sql, expected);
}

#[test]
fn conditions_and_signs_are_those_of_the_sums() {
    let sql = asked("L6", |_| ()).unwrap();
    holds(
        &sql,
        &[
            "(CAST(`is_active` AS INT64) IN (1))",
            "(NULLIF(`to_date`, DATETIME '1753-01-01 00:00:00') >= DATETIME '2024-05-01 00:00:00')",
            "TRIM(UPPER(`business_use`)) = 'APOLOGY_V2'",
            "SELECT company, '' AS account, -IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END), 0) AS amount\n    FROM target_rows_0 GROUP BY company HAVING",
            "SELECT company, '' AS account, IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END), 0) AS amount\n  FROM actual_rows WHERE account IN ('18412') GROUP BY company\n",
        ],
    );
}

#[test]
fn accounts_that_are_compared_together_are_one_place_a_company() {
    let sql = asked("L2", |_| ()).unwrap();
    let one = |place: u8| {
        format!(
            "IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL AND t1 IS NOT NULL THEN t{place} END), 0)"
        )
    };
    let both = format!("'' AS account, {} + {} AS amount", one(0), one(1));
    let gls = "WHERE account IN ('13005', '13024') GROUP BY company\n";
    holds(&sql, &[both.as_str(), gls]);
    // The actual is split by account whether the line is or not: its accounts are looked for.
    let split = "IFNULL(RTRIM(`group_coa_account_no`, ' '), '') AS account";
    assert_eq!(sql.matches(split).count(), 1, "{sql}");

    // Several targets are added, each with its own sign and rows.
    let sql = asked("L2", |line| {
        let mut second = line.targets[0].clone();
        second.amount.truncate(1);
        second.sign = Sign::Minus;
        line.targets.push(second);
    });
    let less = "UNION ALL\n    SELECT company, '' AS account, -IFNULL(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END), 0) AS amount\n    FROM target_rows_1 GROUP BY company";
    holds(&sql.unwrap(), &["target_rows_1 AS (\n", less]);

    let unknown = asked("L2", |line| {
        line.targets[0].amount[0].column = "nowhere".to_owned();
    });
    assert!(matches!(unknown, Err(ReconcileError::Column { .. })));
}

fn answer(rows: &[[Cell; 5]]) -> SmallTable {
    SmallTable {
        columns: Vec::new(),
        rows: rows.iter().map(|row| row.to_vec()).collect(),
    }
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn an_answer_is_exact_and_a_side_without_a_row_stays_none() {
    let table = answer(&[
        [
            text("EC_NG"),
            text("13003"),
            text("100.00000000000000000001"),
            text("-18.7468"),
            text("118.74680000000000000001"),
        ],
        [
            text("JM_EG"),
            text("13003"),
            Cell::Null,
            text("-14"),
            text("14.000"),
        ],
    ]);
    let places = parse(&table).unwrap();
    let of = |company: &str| places[&(company.to_owned(), "13003".to_owned())];
    let amount = |text: &str| text.parse::<Amount>().unwrap();
    assert_eq!(
        of("EC_NG"),
        Joined {
            actual: Some(amount("100.00000000000000000001")),
            target: Some(amount("-18.7468")),
            variance: amount("118.74680000000000000001"),
        }
    );
    let one_side = of("JM_EG");
    assert_eq!(one_side.actual, None, "null is no zero");
    assert_eq!(one_side.target, Some(amount("-14")));
}

#[test]
fn an_answer_of_another_shape_is_refused() {
    let row = |account: &str, target: Cell, variance: Cell| {
        [text("EC_NG"), text(account), text("1"), target, variance]
    };
    let good = || row("1", Cell::Null, text("1"));
    assert!(parse(&answer(&[good()])).is_ok());
    let short = SmallTable {
        columns: Vec::new(),
        rows: vec![good()[..4].to_vec()],
    };
    let others = [
        answer(&[good(), good()]),
        answer(&[row("1", Cell::Null, Cell::Null)]),
        answer(&[row("1", Cell::Int(7), text("1"))]),
        answer(&[row("1", text("1e3"), text("1"))]),
        short,
    ];
    for other in others {
        let error = parse(&other).unwrap_err().to_string();
        assert!(!error.contains("EC_NG"), "{error}");
    }
}
