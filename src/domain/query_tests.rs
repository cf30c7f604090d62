use super::*;

const FILE: &str = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n";

fn april() -> Period {
    "2024-04".parse().unwrap()
}

/// Defect 18 of the predecessor: a `?` in a name or a comment was counted as a parameter.
#[test]
fn names_become_positions_only_where_they_are_parameters() {
    let sql = format!(
        "{FILE}SELECT [Is_Active?], '@next_start ?', \"{{x}}\", @@VERSION -- @other ?\n\
         /* {{gl}} /* @nested */ ? */ FROM t WHERE d < @Next_Start AND e < @next_start"
    );
    let bound = QueryFile::parse(&sql).unwrap().bind(april()).unwrap();
    assert_eq!(
        bound.text,
        "SELECT [Is_Active?], '@next_start ?', \"{x}\", @@VERSION -- @other ?\n\
         /* {gl} /* @nested */ ? */ FROM t WHERE d < @P1 AND e < @P1"
    );
    assert_eq!(bound.params.len(), 1);
    assert_eq!(
        bound.params[0].value,
        ParamValue::Date("2024-05-01".parse().unwrap())
    );
    assert_eq!(bound.params[0].sql_type, "date");
}

#[test]
fn doubled_quotes_stay_inside() {
    let sql = format!("{FILE}SELECT 'it''s @x', [a]]@y] FROM t WHERE d < @next_start");
    assert!(
        QueryFile::parse(&sql)
            .unwrap()
            .bind(april())
            .unwrap()
            .text
            .contains("'it''s @x', [a]]@y]")
    );
}

#[test]
fn a_file_without_parameters_is_its_statement() {
    let query = QueryFile::parse("-- balances\nSELECT 1 AS one\n").unwrap();
    assert!(query.params.is_empty());
    assert_eq!(
        query.bind(april()).unwrap().text,
        "-- balances\nSELECT 1 AS one"
    );
}

#[test]
fn three_dates_come_from_the_period() {
    let sql = "-- params\nDECLARE @start date = '2024-04-01';\ndeclare @next_start date = '2024-05-01';\n\
               DECLARE @period_end date = '2024-04-30';\n-- end\nSELECT @start, @next_start, @period_end";
    let bound = QueryFile::parse(sql).unwrap().bind(april()).unwrap();
    assert_eq!(bound.text, "SELECT @P1, @P2, @P3");
    let values: Vec<_> = bound
        .params
        .iter()
        .map(|param| param.value.clone())
        .collect();
    let dates = ["2024-04-01", "2024-05-01", "2024-04-30"];
    assert_eq!(values, dates.map(|d| ParamValue::Date(d.parse().unwrap())));
}

#[test]
fn each_mistake_is_named_with_its_line() {
    for (statement, part) in [
        (
            "SELECT 1\nWHERE d < @cutoff",
            "line 5: @cutoff is not declared",
        ),
        ("SELECT 1", "@next_start is declared but never used"),
        (
            "SELECT @next_start WHERE d < ?",
            "line 4: `?` is a placeholder",
        ),
        (
            "SELECT @next_start\nWHERE g IN {gl_accounts}",
            "line 5: `{gl_accounts}` is a placeholder",
        ),
        (
            "SELECT @next_start, 'open",
            "line 4: a string is never closed",
        ),
        (
            "SELECT @next_start, [open",
            "line 4: a bracketed name is never closed",
        ),
        (
            "SELECT @next_start /* open",
            "line 4: a comment is never closed",
        ),
    ] {
        let error = QueryFile::parse(&format!("{FILE}{statement}"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(part), "{error}");
    }
    for (block, part) in [
        (
            "-- params\nSET @x = 1\n-- end\nSELECT 1",
            "line 2: only DECLARE",
        ),
        (
            "-- params\nDECLARE @x date;\n-- end\nSELECT @x",
            "line 2: the sample value is missing",
        ),
        (
            "-- params\nDECLARE @x dat = 1;\n-- end\nSELECT @x",
            "line 2: `dat` is not a type",
        ),
        (
            "-- params\nDECLARE @x date = '2024-05-01';\nSELECT @x",
            "line 3: only DECLARE",
        ),
        (
            "-- params\nDECLARE @x int = 1;\nDECLARE @X int = 1;\n-- end\nSELECT @x",
            "line 3: @x is declared twice",
        ),
        ("", "holds no statement"),
    ] {
        let error = QueryFile::parse(block).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let unknown = "-- params\nDECLARE @today date = '2024-05-01';\n-- end\nSELECT @today";
    assert_eq!(
        QueryFile::parse(unknown).unwrap().bind(april()),
        Err(QueryError::Unknown("today".into()))
    );
}
