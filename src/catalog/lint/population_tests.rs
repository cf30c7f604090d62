use super::*;

/// The sound item of the other tests with its population.
const SECTION: &str = r#"
[population]
table = "[D].[dbo].[T]"
company = "id_company"
until = "b.[d] < @next_start"
companies = ["X"]
[population.freshness]
column = "d"
every_from = "next_start"
[[population.scope]]
column = "Group"
known = ["NAT", "INL"]
"#;
const POPULATION: &str = "-- params\nDECLARE @next_start date = '2024-05-01';\n-- end\n\
    SELECT t.[id_company] AS [company], t.[id_company] AS [id_company], t.[Entry No_] AS [entry_no],\n    \
    t.[Group], 1 AS [keep: x]\nFROM [D].[dbo].[T] AS t\nWHERE t.[d] < @next_start";

fn lint_section(section: &str, population: &str) -> Vec<Finding> {
    item(&ItemFiles {
        place: "dir/X_1".into(),
        folder: "X_1".into(),
        toml: format!("{}{section}", super::tests::TOML),
        query: super::tests::sql(""),
        population: Some(population.into()),
        witness: None,
    })
}

#[test]
fn a_sound_population_has_no_finding() {
    let found = lint_section(SECTION, POPULATION);
    assert!(found.is_empty(), "{found:#?}");
    for bound in ["start", "period_end", "@next_start"] {
        let section = SECTION.replace("\"next_start\"", &format!("\"{bound}\""));
        let found = lint_section(&section, POPULATION);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn dates_and_values_that_cannot_be_compared_are_named_with_their_line() {
    for (from, to, rule, line, part) in [
        (
            "\"next_start\"",
            "\"today\"",
            "freshness",
            33,
            "`today` is no day of the period",
        ),
        (
            "column = \"d\"",
            "column = \"\"",
            "freshness",
            32,
            "the column has no name",
        ),
        (
            "column = \"Group\"",
            "column = \"Grp\"",
            "scope",
            35,
            "does not deliver the column `Grp`",
        ),
        (
            "[\"NAT\", \"INL\"]",
            "[]",
            "scope",
            36,
            "the list of known values is empty",
        ),
        ("\"INL\"", "\"NAT\"", "scope", 36, "`NAT` stands twice"),
        (
            "\"INL\"",
            "\"INL \"",
            "scope",
            36,
            "`INL ` ends with a blank",
        ),
        (
            "every_from",
            "each_from",
            "toml",
            33,
            "unknown field `each_from`",
        ),
        (
            "known = [",
            "values = [",
            "toml",
            36,
            "unknown field `values`",
        ),
    ] {
        let section = SECTION.replacen(from, to, 1);
        assert_ne!(section, SECTION, "{from}");
        let found = lint_section(&section, POPULATION);
        assert_eq!(found.len(), 1, "{from} → {to}: {found:#?}");
        let one = &found[0];
        assert_eq!((one.rule, one.line), (rule, line), "{one}");
        assert!(
            one.place == "dir/X_1/ipe.toml" && one.what.contains(part),
            "{one}"
        );
        assert!(!one.remedy.is_empty());
    }
    let twice = format!("{SECTION}[[population.scope]]\ncolumn = \"Group\"\nknown = [\"A\"]\n");
    let found = lint_section(&twice, POPULATION);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].what.contains("declared twice"), "{found:#?}");
}

#[test]
fn a_personal_column_is_no_scope() {
    let toml = super::tests::TOML.replace("amount = true\n", "amount = true\n[[contract.columns]]\nsource = \"Group\"\nname = \"grp\"\ntype = \"varchar(9)\"\npersonal = true\n");
    let found = item(&ItemFiles {
        place: "dir/X_1".into(),
        folder: "X_1".into(),
        toml: format!("{toml}{SECTION}"),
        query: super::tests::sql("").replace("t.[Amount]", "t.[Amount], t.[Group]"),
        population: Some(POPULATION.into()),
        witness: None,
    });
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].what.contains("personal"), "{found:#?}");
}
