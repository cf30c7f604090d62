use super::*;

pub(super) const TOML: &str = r#"id = "X_1"
title = "x"
secret = "S"
databases = ["D"]
[contract]
version = 1
key = ["id_company", "entry_no"]
company = "id_company"
[[contract.columns]]
source = "id_company"
name = "id_company"
type = "varchar(20)"
description = "Company"
[[contract.columns]]
source = "Entry No_"
name = "entry_no"
type = "int"
description = "Entry"
[[contract.columns]]
source = "Amount"
name = "amount"
type = "decimal(38,20)"
amount = true
description = "Amount"
"#;

const BLOCK: &str = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n";
const LIST: &str = "t.[id_company], t.[Entry No_], t.[Amount]";

fn lint(toml: &str, query: &str) -> Vec<Finding> {
    item(&ItemFiles {
        place: "dir/X_1".into(),
        folder: "X_1".into(),
        toml: toml.into(),
        query: query.into(),
        population: None,
        witness: None,
    })
}

/// The good query with `condition` at its end.
pub(super) fn sql(condition: &str) -> String {
    format!("{BLOCK}SELECT {LIST}\nFROM [D].[dbo].[T] AS t\nWHERE t.[d] < @next_start {condition}")
}

fn rules(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.rule).collect()
}

#[track_caller]
fn silent(query: &str) {
    let found = lint(TOML, query);
    assert!(found.is_empty(), "{query}\n{found:#?}");
}

#[track_caller]
fn only(rule: &str, query: &str) {
    let found = lint(TOML, query);
    assert_eq!(rules(&found), [rule], "{query}\n{found:#?}");
    assert!(!found[0].remedy.is_empty());
}

#[test]
fn a_sound_item_has_no_finding() {
    silent(&sql(""));
    silent(&sql("").replace("SELECT", "select distinct top (10) percent"));
    silent(&format!("{};\n", sql("")));
}

/// Defect 18 of the predecessor: markers were counted by their character, wherever it stood.
#[test]
fn placeholders_of_other_systems() {
    for marker in ["?", "{gl}", "${gl}", "%s", "%(gl)s"] {
        only("placeholder", &sql(&format!("AND t.[a] = {marker}")));
        silent(&sql(&format!("AND t.[a] = '{marker}' -- {marker}")));
        silent(&sql(&format!("AND t.[a{marker}] = 1 /* {marker} */")));
    }
    silent(&sql("AND t.[Is_Active?] = 1 AND t.[a] % 2 = 0"));
}

#[test]
fn temporary_tables() {
    for table in ["#t", "##t", "[##t]"] {
        only(
            "temp-table",
            &sql(&format!("AND EXISTS (SELECT 1 FROM {table})")),
        );
    }
    silent(&sql("AND t.[# of items] > 0 AND t.[a] <> '#t' -- ##t"));
}

/// Defect 23 of the predecessor: two items asked the clock, so that a month depended on the day of its run.
#[test]
fn clocks_and_dice() {
    for call in [
        "GETDATE()",
        "getutcdate ()",
        "SYSDATETIME()",
        "SYSUTCDATETIME()",
        "SYSDATETIMEOFFSET()",
        "CURRENT_TIMESTAMP",
    ] {
        only("clock", &sql(&format!("AND t.[d] < {call}")));
        silent(&sql(&format!("AND t.[{call}] = '{call}' -- {call}")));
    }
    silent(&sql("AND t.GETDATE = 1 AND t.CURRENT_TIMESTAMP = 1"));
    only("random", &sql("AND t.[a] = NEWID()"));
    silent(&sql("AND t.[a] = '''NEWID()' AND t.rand = 1"));
}

#[test]
fn hints_that_override_the_isolation() {
    for hint in ["NOLOCK", "READUNCOMMITTED", "READPAST", "readcommittedlock"] {
        let with = sql("").replace("AS t", &format!("AS t WITH ({hint})"));
        only("hint", &with);
        silent(&sql(&format!(
            "AND t.[{hint}] = '{hint}' /* WITH ({hint}) */"
        )));
    }
    silent(&sql("").replace("AS t", "AS t WITH (INDEX([IDX_T]))"));
}

#[test]
fn statements_that_change_the_session() {
    let set = sql("\nSET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED");
    only("session", &set);
    assert_eq!(
        (lint(TOML, &set)[0].line, lint(TOML, &set)[0].column),
        (7, 1)
    );
    only("session", &sql("\nUSE [D]"));
    only("session", &sql("\nGO"));
    silent(&sql(
        "AND t.[USE] = 'SET TRANSACTION' AND t.[SET] = 1 -- USE D\n/*\nGO\n*/",
    ));
}

#[test]
fn words_that_write() {
    for word in [
        "INSERT T",
        "UPDATE T",
        "DELETE T",
        "MERGE T",
        "EXEC p",
        "EXECUTE p",
        "TRUNCATE T",
        "DROP T",
        "NEXT VALUE FOR s",
    ] {
        only("write", &sql(&format!("\n{word}")));
        silent(&sql(&format!("AND t.[{word}] = '{word}' -- {word}")));
    }
    only(
        "write",
        &sql("").replace("\nFROM", "\nINTO [D].[dbo].[U] FROM"),
    );
    only(
        "write",
        &sql("AND EXISTS (SELECT 1 FROM OPENQUERY(L, 'SELECT 1'))"),
    );
    silent(&sql("").replace(
        " AS t",
        " AS t INNER MERGE JOIN [D].[dbo].[U] AS u ON u.[a] = t.[a]",
    ));
}

#[test]
fn more_than_one_result() {
    only("second-statement", &sql(";\nSELECT 1 AS a"));
    only("second-statement", &sql("\nSELECT 1 AS a"));
    silent(&sql("AND t.[a] = '; SELECT 1' -- ; SELECT 1\n;;"));
    silent(&sql(&format!(
        "UNION ALL SELECT {LIST} FROM [D].[dbo].[U] AS t EXCEPT SELECT {LIST} FROM [D].[dbo].[V] AS t"
    )));
    silent(&sql("AND t.[a] IN (SELECT u.[a] FROM [D].[dbo].[U] AS u)"));
    let nothing = lint(TOML, "-- params\n-- end\n");
    assert_eq!(rules(&nothing), ["no-select"], "{nothing:#?}");
    assert!(rules(&lint(TOML, &sql("").replace("SELECT", "(SELECT"))).contains(&"no-select"));
}

#[test]
fn what_cannot_stand_in_brackets() {
    let with = sql("").replace("SELECT", "WITH c AS (SELECT 1 AS a) SELECT");
    only("leading-with", &with);
    silent(&sql("AND EXISTS (SELECT 1 FROM (SELECT 1 AS a) AS c)"));
    only("trailing-clause", &sql("\nORDER BY t.[Amount]"));
    only("trailing-clause", &sql("OPTION (RECOMPILE)"));
    only("trailing-clause", &sql("FOR XML PATH"));
    silent(&sql("AND t.[ORDER BY] = 'ORDER BY x' -- ORDER BY x"));
    let numbered = sql("").replace(
        "t.[Entry No_],",
        "ROW_NUMBER() OVER (ORDER BY t.[a]) AS [Entry No_],",
    );
    silent(&numbered);
}

#[test]
fn brackets_are_closed_and_close_what_was_opened() {
    only("unbalanced", &sql("AND (t.[a] = 1"));
    only("unbalanced", &sql("AND t.[a] = 1)"));
    silent(&sql("AND ((t.[(] = 1) OR t.[a] = ')') -- )"));
}

#[test]
fn wildcards() {
    only("select-star", &sql("").replace(LIST, "*"));
    only("select-star", &sql("").replace(LIST, "t.*"));
    only(
        "select-star",
        &sql("AND t.[a] IN (SELECT * FROM [D].[dbo].[U])"),
    );
    silent(&sql(
        "AND EXISTS (SELECT * FROM [D].[dbo].[U] AS u WHERE u.[a] * 2 = t.[a])",
    ));
    silent(&sql(
        "AND t.[*] = '*' AND 1 < (SELECT COUNT(*) FROM [D].[dbo].[U])",
    ));
}

#[test]
fn parameters_and_their_block() {
    only("param-undeclared", &sql("AND t.[d] >= @start"));
    silent(&sql(
        "AND t.[@start] = '@start' AND @@ROWCOUNT = 0 -- @start",
    ));
    only(
        "param-unused",
        &sql("").replace("< @next_start", "IS NOT NULL"),
    );
    only("param-unknown", &sql("").replace("@next_start", "@today"));
    only("param-type", &sql("").replace("date =", "datetime ="));
    only(
        "params-block",
        &sql("").replace("DECLARE @next", "SET @x = 1\nDECLARE @next"),
    );
    let unclosed = lint(TOML, &sql("AND t.[a] = 'x"));
    assert_eq!(rules(&unclosed), ["unclosed"]);
    assert_eq!((unclosed[0].line, unclosed[0].column), (6, 39));
}

/// Defect 21 of the predecessor: a query selected one name three times into a new table, which cannot work.
#[test]
fn the_select_list_is_the_contract() {
    only("column-missing", &sql("").replace(", t.[Amount]", ""));
    only(
        "column-extra",
        &sql("").replace("[Amount]", "[Amount], t.[b]"),
    );
    only(
        "column-unnamed",
        &sql("").replace("[Amount]", "[Amount], 1 + 1"),
    );
    only(
        "column-missing",
        &sql("").replace("t.[Amount]", "t.[amount]"),
    );
    let swapped = lint(
        TOML,
        &sql("").replace(LIST, "t.[Entry No_], t.[id_company], t.[Amount]"),
    );
    assert_eq!(rules(&swapped), ["column-order", "column-order"]);
    let twins = lint(TOML, &sql("").replace("[Amount]", "[Amount], t.[AMOUNT]"));
    assert_eq!(rules(&twins), ["same-name"], "{twins:#?}");
    for named in [
        "SUM(t.[x]) AS [Amount]",
        "[Amount] = CASE WHEN 1 = 1 THEN 1 ELSE 2 END",
        "CAST(t.[x] AS decimal(38, 20)) Amount",
        "CASE WHEN t.[a] IN (1, 2) THEN 1 END AS \"Amount\"",
    ] {
        silent(&sql("").replace("t.[Amount]", named));
    }
    let keyless = lint(TOML, &sql("").replace("t.[Entry No_], ", ""));
    assert_eq!(
        rules(&keyless),
        ["column-missing"],
        "the columns behind it are not shifted"
    );
    assert!(keyless[0].what.contains("part of the key"), "{keyless:#?}");
    only("database", &sql("AND EXISTS (SELECT 1 FROM [E].[dbo].[U])"));
    silent(&sql("AND t.[a] = 'FROM [E].[dbo].[U]'"));
}

#[test]
fn the_contract_is_whole() {
    for (from, to, rule) in [
        ("title = \"x\"\n", "", "missing-part"),
        ("databases = [\"D\"]", "databases = []", "missing-part"),
        ("version = 1\n", "", "missing-part"),
        ("company = \"id_company\"\n", "", "missing-part"),
        (
            "key = [\"id_company\", \"entry_no\"]",
            "key = []",
            "missing-part",
        ),
        ("amount = true\n", "", "missing-amount"),
        ("\"X_1\"", "\"X_2\"", "id"),
        ("name = \"amount\"", "name = \"Amount\"", "name"),
        ("\"int\"", "\"xml\"", "type"),
        ("\"int\"", "\"decimal(50)\"", "type"),
        ("\"decimal(38,20)\"", "\"float\"", "amount"),
        ("\"entry_no\"]", "\"entry\"]", "key"),
        ("\"entry_no\"]", "\"id_company\"]", "key"),
        ("company = \"id_company\"", "company = \"company\"", "key"),
        ("title =", "titel =", "toml"),
    ] {
        let toml = TOML.replacen(from, to, 1);
        assert_ne!(toml, TOML, "{from}");
        let found = lint(&toml, &sql(""));
        assert!(rules(&found).contains(&rule), "{from} → {to}: {found:#?}");
    }
    let twins = TOML.replacen("source = \"Amount\"", "source = \"ENTRY NO_\"", 1);
    let found = lint(&twins, &sql("").replace("t.[Amount]", "t.[ENTRY NO_]"));
    assert_eq!(
        rules(&found),
        ["same-name", "same-name"],
        "in the contract and in the list: {found:#?}"
    );
}

#[test]
fn all_findings_come_at_once_with_their_places() {
    let query = sql("AND GETDATE() > {x}\nORDER BY 1");
    let found = lint(&TOML.replace("title = \"x\"\n", ""), &query);
    assert_eq!(
        rules(&found),
        ["missing-part", "clock", "placeholder", "trailing-clause"]
    );
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(
        shown[1].starts_with("dir/X_1/query.sql:6:31: GETDATE reads the clock"),
        "{shown:#?}"
    );
    assert!(
        shown[3].starts_with("dir/X_1/query.sql:7:1: "),
        "{shown:#?}"
    );
}

/// Defects 21 and 23 of the predecessor: items in use read the clock, or gave two columns one name.
#[test]
fn the_embedded_items_have_no_finding() {
    let found = crate::catalog::Definitions::embedded()
        .unwrap()
        .lint(&[])
        .unwrap();
    assert!(found.is_empty(), "{found:#?}");
}
