use super::*;
use crate::domain::query::{BoundParam, ParamValue};
use crate::kernels::samples;

fn contract() -> Contract {
    let mut contract = samples::vector_contract();
    contract.columns[0].source = "id]company".to_owned();
    contract.columns[2].source = "Amount (LCY)".to_owned();
    contract
}

fn query(text: &str) -> BoundQuery {
    BoundQuery {
        text: text.to_owned(),
        params: vec![BoundParam {
            name: "next_start".to_owned(),
            sql_type: "date".to_owned(),
            value: ParamValue::Int(1),
        }],
    }
}

#[test]
fn the_text_counts_and_sums_per_company() {
    let query = query("SELECT a FROM t WHERE d < @P1 -- note\n;\n");
    let totals = totals_query(&contract(), &query);
    assert_eq!(
        totals.text,
        "SELECT RTRIM(q.[id]]company]) COLLATE Latin1_General_100_BIN2 AS [company], \
         COUNT_BIG(*) AS [rows], SUM(CAST(q.[Amount (LCY)] AS decimal(38,20))) AS [sum_0] FROM (\n\
         SELECT a FROM t WHERE d < @P1 -- note\n\
         ) AS q GROUP BY RTRIM(q.[id]]company]) COLLATE Latin1_General_100_BIN2"
    );
    assert_eq!(totals.params, query.params);
}

fn answer(rows: Vec<Vec<Cell>>) -> SmallTable {
    SmallTable {
        columns: ["company", "rows", "sum_0"].map(str::to_owned).to_vec(),
        rows,
    }
}

fn text(company: &str) -> Cell {
    Cell::Text(company.to_owned())
}

fn decimal(amount: &str) -> Cell {
    Cell::Decimal(amount.parse().unwrap())
}

#[test]
fn the_answer_becomes_totals() {
    let whole = format!("1.{}", "0".repeat(20));
    let found = parse_totals(
        &contract(),
        &answer(vec![
            vec![text("EC_NG"), Cell::Int(2), decimal(&whole)],
            vec![Cell::Null, Cell::Int(1), Cell::Null],
            vec![text(""), Cell::Int(3), decimal("2.5")],
        ]),
    )
    .unwrap();
    assert_eq!(found.amounts, ["amount"]);
    assert_eq!(found.groups["EC_NG"].sums[0].to_string(), whole);
    assert_eq!(found.groups[""].rows, 4);
    assert_eq!(
        found.groups[""].sums[0].to_string(),
        format!("2.5{}", "0".repeat(19))
    );
    let none = parse_totals(&contract(), &answer(Vec::new())).unwrap();
    assert_eq!((none.rows(), none.amounts.len()), (0, 1));
}

#[test]
fn another_answer_is_refused() {
    let refused = |table: SmallTable| parse_totals(&contract(), &table).unwrap_err().to_string();
    let mut other = answer(Vec::new());
    other.columns.pop();
    assert!(refused(other).contains("columns company, rows, expected company, rows, sum_0"));
    let row = |cells| refused(answer(vec![cells]));
    assert!(row(vec![text("A"), Cell::Int(1)]).contains("2 cells in row 1"));
    assert!(row(vec![Cell::Int(1), Cell::Int(1), Cell::Null]).contains("`company` is not text"));
    assert!(row(vec![text("A"), Cell::Int(-1), Cell::Null]).contains("`rows` is not a count"));
    assert!(row(vec![text("A"), Cell::Null, Cell::Null]).contains("`rows` is not a count"));
    assert!(row(vec![text("A"), Cell::Int(1), text("1.0")]).contains("`sum_0` is not an exact"));
    let digit_too_many = decimal(&format!("0.{}1", "0".repeat(20)));
    assert!(row(vec![text("A"), Cell::Int(1), digit_too_many]).contains("company `A`"));
}
