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
