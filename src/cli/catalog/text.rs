//! The catalog as people read it.

use crate::app::catalog::Plan;
use crate::catalog::lint::Finding;
use crate::cli::output::columns;
use crate::domain::contract::{Column, Contract};
use crate::domain::ipe::Ipe;
use crate::domain::quality::{DayBound, QualityRules};
use crate::domain::uploaded::FileDefinition;
use crate::pipeline::check_quality::QUALITY_RULES;

/// Characters of a hash in a table; JSON has all.
const HASH_CHARS: usize = 16;

pub(super) fn list<'a>(items: impl Iterator<Item = &'a Ipe>) -> String {
    let header = [
        "item",
        "title",
        "databases",
        "secret",
        "columns",
        "key",
        "definition",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(items.map(|ipe| {
        [
            ipe.id.to_string(),
            ipe.title.clone(),
            match ipe.file {
                None => ipe.databases.join(" "),
                Some(_) => "(a file)".to_owned(),
            },
            ipe.secret.clone(),
            ipe.contract.columns.len().to_string(),
            ipe.contract.key.join(" "),
            ipe.definition_sha256.chars().take(HASH_CHARS).collect(),
        ]
    }));
    columns(&rows, &[])
}

pub(super) fn show(ipe: &Ipe, checks: impl Iterator<Item = (String, String)>) -> String {
    let contract = &ipe.contract;
    let head = [
        ("databases", ipe.databases.join(", ")),
        ("secret", ipe.secret.clone()),
        ("table", ipe.id.table_name()),
        ("key", contract.key.join(", ")),
        ("company", contract.company.clone()),
        (
            "contract",
            format!(
                "version {}, {} columns",
                contract.version,
                contract.columns.len()
            ),
        ),
        ("definition", ipe.definition_sha256.clone()),
    ];
    let params = ipe.query.params.iter();
    let params: Vec<[String; 2]> = params
        .map(|param| [format!("@{}", param.name), param.sql_type.to_string()])
        .collect();
    let checks: Vec<[String; 2]> = checks.map(|(id, what)| [id, what]).collect();
    format!(
        "{}: {}\n\n{}\n\nCONTRACT\n{}\n\nPARAMETERS\n{}\n\nCHECKS, over the rows and the sums of {} per {}\n{}\n\n{}{}",
        ipe.id,
        ipe.title,
        columns(&head.map(|(name, value)| [name.to_owned(), value]), &[]),
        columns(&contract_rows(contract), &[]),
        columns(&params, &[]),
        contract
            .amounts()
            .map(|column| column.name.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        contract.company,
        columns(&checks, &[]),
        quality(&ipe.quality),
        match &ipe.file {
            None => format!("SQL\n{}", ipe.query.text.trim_end()),
            Some(file) => format!(
                "FILE, by names in its first line\n{}",
                columns(&file_rows(file), &[])
            ),
        }
    )
}

/// What the values must be; nothing where the item has no rule.
fn quality(rules: &QualityRules) -> String {
    let shown = |name: &str, value: Option<String>| value.map(|value| format!("{name} {value}"));
    let day = |bound: Option<DayBound>| bound.map(|bound| bound.to_string());
    let row = |of: &str, said: Vec<Option<String>>| {
        let said: Vec<String> = said.into_iter().flatten().collect();
        (!said.is_empty()).then(|| [of.to_owned(), said.join(", ")])
    };
    let of_rows = row(
        "rows",
        vec![
            shown("at least", rules.rows_min.map(|rows| rows.to_string())),
            shown("at most", rules.rows_max.map(|rows| rows.to_string())),
        ],
    );
    let of_columns = rules.columns.iter().filter_map(|rule| {
        let said = vec![
            shown("adds up to", rule.sum.map(|sum| sum.to_string())),
            shown("at least", rule.min.map(|min| min.to_string())),
            shown("at most", rule.max.map(|max| max.to_string())),
            shown("dated from", day(rule.from)),
            shown("dated before", day(rule.before)),
            shown("is", rule.meaning.map(|meaning| meaning.to_string())),
        ];
        row(&rule.column, said)
    });
    let rows: Vec<[String; 2]> = of_rows.into_iter().chain(of_columns).collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!("QUALITY, of {}\n{}\n\n", QUALITY_RULES, columns(&rows, &[])),
    }
}

fn file_rows(file: &FileDefinition) -> Vec<[String; 3]> {
    let header = ["name", "marks", "names in files"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(file.columns.iter().map(|column| {
        let marks = [
            (column.required, "required"),
            (column.identifier, "identifier"),
            (column.not_negative, "not negative"),
        ];
        let marks = marks.into_iter().filter(|(holds, _)| *holds);
        let marks: Vec<&str> = marks.map(|(_, mark)| mark).collect();
        [
            column.name.clone(),
            marks.join(", "),
            column.headers.join(" | "),
        ]
    }));
    rows
}

fn contract_rows(contract: &Contract) -> Vec<[String; 6]> {
    let header = ["name", "source", "type", "nulls", "marks", "meaning"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(contract.columns.iter().map(|column| {
        [
            column.name.clone(),
            column.source.clone(),
            column.sql_type.to_string(),
            if column.nullable { "yes" } else { "no" }.to_owned(),
            marks(column, contract),
            column.description.clone(),
        ]
    }));
    rows
}

fn marks(column: &Column, contract: &Contract) -> String {
    let marks = [
        (contract.key.contains(&column.name), "key"),
        (contract.company == column.name, "company"),
        (column.amount, "amount"),
        (column.personal, "personal"),
        (!column.column_type.digestible(), "not in digest"),
    ];
    let marks = marks.into_iter().filter(|(holds, _)| *holds);
    marks.map(|(_, mark)| mark).collect::<Vec<_>>().join(" ")
}

pub(super) fn lint(findings: &[Finding], looked_at: &str) -> String {
    let mut lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    lines.push(match findings.len() {
        0 => format!("no finding in {looked_at}"),
        1 => format!("1 finding in {looked_at}"),
        more => format!("{more} findings in {looked_at}"),
    });
    lines.join("\n")
}

pub(super) fn plan(plan: &Plan) -> String {
    let header = ["source", "name", "type", "arrow", "note"];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(plan.columns.iter().map(|column| {
        let or =
            |value: &Option<String>, none: &str| value.clone().unwrap_or_else(|| none.to_owned());
        [
            column.source.clone(),
            or(&column.name, "not in the contract"),
            column.sql_type.clone(),
            or(&column.arrow_type, "none"),
            or(&column.loss, ""),
        ]
    }));
    let mut text = format!(
        "{}: month {}, server {}, login {}, isolation {}\n\n{}\n",
        plan.item,
        plan.period,
        plan.server,
        plan.login,
        plan.isolation_level,
        columns(&rows, &[])
    );
    for finding in &plan.findings {
        text.push_str(&format!("\nFINDING  {finding}"));
    }
    let lossy = plan
        .columns
        .iter()
        .filter(|column| column.loss.is_some())
        .count();
    text.push_str(&format!(
        "\n{} columns, {lossy} with a note, {} findings against the contract",
        plan.columns.len(),
        plan.findings.len()
    ));
    match (&plan.estimate, &plan.no_estimate) {
        (Some(estimate), _) => {
            let cost = estimate.cost.as_ref();
            let cost = cost.map_or_else(String::new, |cost| format!(", cost {cost}"));
            text.push_str(&format!("\nestimate: {} rows{cost}", estimate.rows));
        }
        (None, why) => {
            let why = why.as_deref().unwrap_or("the server was not asked");
            text.push_str(&format!("\nno estimate: {}", why.replace('\n', "\n  ")));
        }
    }
    text
}
