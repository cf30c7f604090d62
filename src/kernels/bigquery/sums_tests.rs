use super::*;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::kernels::reconcile::sums::Term;
use crate::kernels::samples::{column as of, contract};

fn vouchers() -> Contract {
    contract(vec![
        of("id_company", "varchar(20)"),
        of("id", "bigint"),
        of("business_use", "nvarchar(50)"),
        of("is_active", "bit"),
        of("to_date", "datetime"),
        of("remaining_amount", "decimal(19,4)"),
        of("gl", "varchar(20)"),
        of("balance", "decimal(38,20)"),
    ])
}

fn asked(spec: &SumSpec) -> Result<String, ReconcileError> {
    let run = "20240501T090000Z-1a2b3c4d".parse().unwrap();
    let table = "`p.d.pg01_validated_ipe_ipe_08`";
    query(table, "2024-04".parse().unwrap(), &run, &vouchers(), spec)
}

fn plain(conditions: Vec<Condition>) -> SumSpec {
    SumSpec {
        company: "id_company".to_owned(),
        account: Some("gl".to_owned()),
        negative: false,
        terms: vec![
            Term {
                column: "balance".to_owned(),
                negative: false,
            },
            Term {
                column: "remaining_amount".to_owned(),
                negative: true,
            },
        ],
        conditions,
    }
}

#[test]
fn the_voucher_line_of_the_contract_is_asked_as_it_is_summed_here() {
    let text = include_str!("../../../data/rules/reconciliation/v1.toml");
    let rules = ReconciliationContract::read("v1.toml", text).unwrap();
    let line = rules.lines.iter().find(|line| line.id == "L6").unwrap();
    let spec = SumSpec::of(&line.targets[0], "2024-04".parse().unwrap());
    let sql = asked(&spec).unwrap();
    for part in [
        "IFNULL(RTRIM(`id_company`, ' '), '') AS company, '' AS account",
        "(CAST(`is_active` AS INT64) IN (1))",
        "(NULLIF(`to_date`, DATETIME '1753-01-01 00:00:00') >= DATETIME '2024-05-01 00:00:00')",
        "TRIM(UPPER(`business_use`)) = 'APOLOGY_V2'",
        "STARTS_WITH(TRIM(UPPER(`business_use`)), 'JPAY_STORE_CREDIT')",
        "`_period` >= DATE '2024-04-01' AND `_period` < DATE '2024-05-01' AND `_run_id` = '20240501T090000Z-1a2b3c4d'",
        "CAST(SUM(CASE WHEN met IS TRUE AND t0 IS NOT NULL THEN t0 END) AS STRING) AS s0",
    ] {
        assert!(sql.contains(part), "{part}\nin\n{sql}");
    }
}

#[test]
fn values_stay_values_and_what_cannot_be_compared_is_refused() {
    let hostile = Literal::Text("x') OR TRUE --\\".to_owned());
    let condition = Condition::new("business_use", Test::OneOf(vec![hostile]));
    let sql = asked(&plain(vec![condition])).unwrap();
    assert!(sql.contains(r"IN ('x\') OR TRUE --\\')"), "{sql}");
    for (column, test) in [
        ("nowhere", Test::IsNull),
        ("to_date", Test::OneOf(vec![Literal::Int(1)])),
        ("is_active", Test::OneOf(vec![Literal::Int(2)])),
        ("id", Test::Meets(Patterns::default())),
    ] {
        let refused = asked(&plain(vec![Condition::new(column, test)]));
        assert!(
            matches!(refused, Err(ReconcileError::Column { .. })),
            "{column}"
        );
    }
    let mut text = plain(Vec::new());
    text.terms[0].column = "gl".to_owned();
    assert!(asked(&text).is_err(), "a text is no amount");
}

#[test]
fn answers_are_the_sums_and_another_shape_is_refused() {
    let row = |company: &str, sum: Cell| {
        let text = |text: &str| Cell::Text(text.to_owned());
        let counts = [9, 7, 1, 1].map(Cell::Int);
        let head = vec![text(company), text("18412")];
        let sums = vec![sum, text("2.5")];
        [head, counts.to_vec(), sums].concat()
    };
    let answer = |rows| SmallTable {
        columns: Vec::new(),
        rows,
    };
    let spec = plain(Vec::new());
    let read = |rows| parse(&vouchers(), &spec, &answer(rows));
    let exact = Cell::Text("0.00000000000000000001".to_owned());
    let sums = read(vec![row("EC_NG", exact.clone()), row("JM_EG", Cell::Null)]).unwrap();
    let of = |company: &str| {
        let key = SumKey {
            company: company.to_owned(),
            account: Some("18412".to_owned()),
        };
        sums.groups[&key]
    };
    assert_eq!(sums.scale, 20);
    assert_eq!(of("EC_NG").amount.to_string(), "-2.49999999999999999999");
    let jm = of("JM_EG");
    assert_eq!(
        (
            jm.rows,
            jm.rows_without_amount,
            jm.rows_undecided,
            jm.rows_seen
        ),
        (7, 1, 1, 9)
    );
    let twice = vec![row("EC_NG", exact.clone()), row("EC_NG", exact.clone())];
    let short = vec![row("EC_NG", exact)[..7].to_vec()];
    let float = vec![row("EC_NG", Cell::Bool(true))];
    for rows in [twice, short, float] {
        let error = read(rows).unwrap_err().to_string();
        assert!(!error.contains("EC_NG"), "{error}");
    }
}
