use super::*;

const SECTIONS: &str = r#"
[witness]
by = "amount"
oldest = "day"
[population]
table = "[D].[dbo].[T]"
company = "id_company"
until = "b.[d] < @next_start"
companies = ["X"]
"#;
const POPULATION: &str = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n\
    SELECT t.[id_company] AS [company], t.[id_company] AS [id_company], t.[Entry No_] AS [entry_no],\n    \
    t.[d] AS [day], t.[Amount] AS [amount], 1 AS [keep: x]\nFROM [D].[dbo].[T] AS t\nWHERE t.[d] < @next_start";
const WITNESS: &str = "-- params\nDECLARE @id_company varchar(20) = 'X';\nDECLARE @entry_no int = 1;\n-- end\n\
    SELECT t.[id_company] AS [id_company], t.[Entry No_] AS [entry_no], t.[Amount] AS [amount]\n\
    FROM [D].[dbo].[T] AS t\nWHERE t.[id_company] = @id_company AND t.[Entry No_] = @entry_no";

fn lint_files(toml: &str, witness: Option<&str>) -> Vec<Finding> {
    item(&ItemFiles {
        place: "dir/X_1".into(),
        folder: "X_1".into(),
        toml: toml.into(),
        query: super::tests::sql(""),
        population: Some(POPULATION.into()),
        witness: witness.map(str::to_owned),
    })
}

fn lint_with(sections: &str, witness: &str) -> Vec<Finding> {
    lint_files(&format!("{}{sections}", super::tests::TOML), Some(witness))
}

#[test]
fn a_sound_witness_query_has_no_finding() {
    let found = lint_with(SECTIONS, WITNESS);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_cannot_prove_a_row_is_named_with_its_line() {
    for (from, to, rule, line, part) in [
        (
            "FROM [D].[dbo].[T] AS t",
            "FROM [D].[dbo].[T] AS t JOIN [D].[dbo].[U] AS u ON 1 = 1",
            "witness-join",
            6,
            "a join",
        ),
        (
            ", t.[Amount] AS [amount]",
            "",
            "witness",
            5,
            "`amount` is not selected",
        ),
        (
            "AS [amount]",
            "AS [amount], 1 AS [more]",
            "witness",
            5,
            "cannot be compared",
        ),
        (
            "@entry_no int",
            "@entry_no bigint",
            "witness",
            3,
            "@entry_no has another type",
        ),
        (
            "@entry_no",
            "@entry",
            "param-unknown",
            3,
            "@entry is not a parameter",
        ),
        (
            "[D].[dbo].[T] AS t",
            "[D].[dbo].[T] AS t WITH (NOLOCK)",
            "hint",
            6,
            "NOLOCK",
        ),
    ] {
        let found = lint_with(SECTIONS, &WITNESS.replace(from, to));
        let named = found.iter().any(|f| {
            f.rule == rule
                && f.line == line
                && f.what.contains(part)
                && f.place.ends_with("witness.sql")
        });
        assert!(named, "{rule} {part}: {found:#?}");
    }
}

#[test]
fn a_query_without_a_key_reads_no_single_row() {
    let keyless = WITNESS
        .replace(
            "DECLARE @id_company varchar(20) = 'X';\nDECLARE @entry_no int = 1;\n",
            "DECLARE @start date = '2024-04-01';\n",
        )
        .replace(
            "t.[id_company] = @id_company AND t.[Entry No_] = @entry_no",
            "t.[d] = @start",
        );
    let found = lint_with(SECTIONS, &keyless);
    assert!(
        found
            .iter()
            .any(|f| f.what.contains("no parameter is a column of the key")),
        "{found:#?}"
    );
}

#[test]
fn a_draw_that_cannot_be_made_is_named_in_ipe_toml() {
    for (from, to, part) in [
        (
            "oldest = \"day\"",
            "oldest = \"d\"",
            "population.sql does not deliver the column `d`",
        ),
        (
            "by = \"amount\"",
            "by = \"entry_no\"",
            "`entry_no` is no amount",
        ),
        (
            "by = \"amount\"",
            "by = \"Amount\"",
            "does not deliver the column `Amount`",
        ),
    ] {
        let found = lint_with(&SECTIONS.replace(from, to), WITNESS);
        let named = |f: &Finding| f.what.contains(part) && f.place.ends_with("ipe.toml");
        assert!(found.iter().any(named), "{part}: {found:#?}");
    }
}

#[test]
fn section_and_file_go_together() {
    let toml = super::tests::TOML;
    let without_section = SECTIONS.split("[population]").nth(1).unwrap();
    for (toml, witness, part) in [
        (format!("{toml}{SECTIONS}"), None, "the file is missing"),
        (
            format!("{toml}[population]{without_section}"),
            Some(WITNESS),
            "the section [witness] is missing",
        ),
    ] {
        let found = lint_files(&toml, witness);
        assert!(
            found.iter().any(|f| f.what.contains(part)),
            "{part}: {found:#?}"
        );
    }
}

/// The sound query with one thing exchanged.
fn lint_edited(from: &str, to: &str) -> Vec<Finding> {
    assert!(WITNESS.contains(from), "{from}");
    lint_with(SECTIONS, &WITNESS.replace(from, to))
}

/// What may be asked about the amount.
const AMOUNT: &str = "t.[Amount] AS [amount]";
const KEYS: &str = "t.[id_company] = @id_company AND t.[Entry No_] = @entry_no";

/// Asserts that this exchange is named on this line.
fn assert_named(from: &str, to: &str, line: usize, part: &str) {
    let found = lint_edited(from, to);
    let named = |f: &Finding| f.rule == "witness-rows" && f.line == line && f.what.contains(part);
    assert!(found.iter().any(named), "{part}: {found:#?}");
    assert!(found.iter().all(|f| !f.remedy.is_empty()));
}

#[test]
fn what_hides_a_doubled_key_is_named_with_its_line() {
    let select = "SELECT t.[id_company] AS";
    for (word, hides) in [("TOP (1)", "TOP hides"), ("DISTINCT", "DISTINCT hides")] {
        let to = format!("SELECT {word} t.[id_company] AS");
        assert_named(select, &to, 5, hides);
    }
    assert_named(AMOUNT, "SUM(t.[Amount]) AS [amount]", 5, "SUM hides");
    let cast = "CAST(MAX(t.[Amount]) AS money) AS [amount]";
    assert_named(AMOUNT, cast, 5, "MAX hides");
    for (clause, hides) in [
        ("GROUP BY t.[id_company]", "GROUP hides"),
        ("UNION SELECT 'X', 1, 2", "UNION hides"),
    ] {
        assert_named(KEYS, &format!("{KEYS}\n{clause}"), 8, hides);
    }
}

#[test]
fn what_lets_rows_of_other_keys_in_is_named_with_its_line() {
    assert_named(
        KEYS,
        &format!("{KEYS}\nOR 1 = 1"),
        8,
        "an OR beside the key",
    );
    let table = "FROM [D].[dbo].[T] AS t";
    let comma = format!("{table}, [D].[dbo].[U] AS u");
    assert_named(table, &comma, 6, "a comma joins");
    let derived = "FROM (SELECT DISTINCT * FROM [D].[dbo].[T]) AS t";
    assert_named(table, derived, 6, "a derived table");
    let key = " AND t.[Entry No_] = @entry_no";
    for operator in [">=", "<>", "LIKE"] {
        let to = format!(" AND t.[Entry No_] {operator} @entry_no");
        assert_named(key, &to, 7, "@entry_no is not compared by =");
    }
    let declared = "DECLARE @entry_no int = 1;\n";
    assert_named(declared, "", 4, "@entry_no is not declared");
    // A name given by `=` in the select list compares nothing.
    let named = WITNESS
        .replace(AMOUNT, "amount = @entry_no")
        .replace(key, "");
    let found = lint_with(SECTIONS, &named);
    let is_it = |f: &Finding| f.what.contains("@entry_no is not compared by =");
    assert!(found.iter().any(is_it), "{found:#?}");
}

/// An item of several base tables asks each of them; all rows come, so that a doubled key is two rows.
#[test]
fn several_tables_are_united_and_each_is_asked_for_the_whole_key() {
    let part = |table: &str, condition: &str| {
        format!(
            "UNION ALL\nSELECT t.[id_company], t.[No_], t.[Sum]\nFROM {table} AS t WHERE {condition}"
        )
    };
    let whole = "t.[id_company] = @id_company AND t.[No_] = @entry_no";
    let of = |table: &str, condition: &str| format!("{KEYS}\n{}", part(table, condition));
    let found = lint_edited(KEYS, &of("[D].[dbo].[U]", whole));
    assert!(found.is_empty(), "{found:#?}");
    for (table, condition, line, what) in [
        (
            "[D].[dbo].[U]",
            "t.[id_company] = @id_company",
            8,
            "@entry_no is not compared by =",
        ),
        (
            "[D].[dbo].[U]",
            "t.[id_company] = @id_company AND t.[No_] > @entry_no",
            10,
            "@entry_no is not compared by =",
        ),
        (
            "(SELECT DISTINCT u.[No_] FROM [D].[dbo].[U] AS u)",
            whole,
            10,
            "a derived table",
        ),
    ] {
        assert_named(KEYS, &of(table, condition), line, what);
    }
    let distinct = of("[D].[dbo].[U]", whole).replace("ALL\nSELECT", "ALL\nSELECT DISTINCT");
    assert_named(KEYS, &distinct, 9, "DISTINCT hides");
}

#[test]
fn a_subquery_has_one_value_or_is_refused() {
    let of = |subquery: &str| lint_edited(AMOUNT, &format!("{subquery} AS [amount]"));
    let from = "FROM [D].[dbo].[U] AS u WHERE u.[k] = @entry_no";
    for sound in [
        format!("(SELECT SUM(u.[a]) {from})"),
        format!("(SELECT CAST(ISNULL(SUM(u.[a]), 0) AS money) {from})"),
        format!("CASE WHEN t.[x] = 1 THEN 1 ELSE (SELECT MAX(u.[a]) {from}) END"),
        format!("(SELECT MAX(u.[a]) {from} AND u.[b] IN (SELECT v.[b] FROM [D].[dbo].[V] AS v))"),
        format!("(SELECT MAX(x.[a]) FROM (SELECT u.[a] {from}) AS x)"),
        "(SELECT t.[Amount])".to_owned(),
        "SUM(t.[Amount]) OVER (PARTITION BY t.[Entry No_])".to_owned(),
        "t.[SUM]".to_owned(),
    ] {
        let found = of(&sound);
        assert!(found.is_empty(), "{sound}: {found:#?}");
    }
    for several in [
        format!("(SELECT u.[a] {from})"),
        format!("(SELECT TOP (1) u.[a] {from})"),
        format!("(SELECT MAX(u.[a]) {from} GROUP BY u.[b])"),
        format!("(SELECT MAX(u.[a]) {from} UNION SELECT 1)"),
        format!("(SELECT SUM(u.[a]) OVER () {from})"),
        format!("ISNULL((SELECT u.[a] {from}), 0)"),
        format!("(SELECT MAX(u.[a]) {from} AND u.[b] = (SELECT v.[b] FROM [D].[dbo].[V] AS v))"),
        format!("(SELECT u.[a] {from} HAVING MAX(u.[a]) > 0)"),
    ] {
        let found = of(&several);
        let named = |f: &Finding| f.rule == "witness-rows" && f.what.contains("several values");
        assert!(found.iter().any(named), "{several}: {found:#?}");
    }
}
