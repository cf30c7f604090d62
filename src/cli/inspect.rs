//! `soxauto inspect`.

use crate::analysts;
use crate::pipeline::inspect::{
    ColumnView, HistogramView, Inspection, Look, RowView, RunView, TotalsView,
};
use crate::settings::LookSettings;

use super::look_args::InspectArgs;
use super::output::{self, columns, harmless};

/// Letters of a value among rows; JSON has every value whole.
const CELL_LETTERS: usize = 28;

/// Rows that stand side by side.
const ROWS_ABREAST: usize = 5;

/// Letters of the longest bar of a histogram.
const BAR_LETTERS: u64 = 40;

/// Looks and prints; 1 when the content digest is not the recorded one.
pub(super) async fn inspect(args: InspectArgs) -> anyhow::Result<u8> {
    let InspectArgs {
        target,
        period,
        rows,
        seed,
        full,
        digest,
        show_personal,
        histogram,
        totals_by,
        catalog,
        roots,
        json,
    } = args;
    let settings = LookSettings {
        target,
        period,
        roots: roots.into(),
        catalog,
    };
    let look = Look {
        rows: usize::from(rows),
        seed,
        full,
        digest,
        show_personal,
        histogram,
        totals_by,
    };
    let found = analysts::inspect(settings, look).await?;
    if json {
        output::print(&serde_json::to_string_pretty(&found)?)?;
    } else {
        output::print(&text(&found))?;
    }
    Ok(u8::from(digests_differ(&found)))
}

fn digests_differ(found: &Inspection) -> bool {
    match (&found.digest.recorded, &found.digest.recomputed) {
        (Some(recorded), Some(recomputed)) => recorded != recomputed,
        _ => false,
    }
}

fn text(found: &Inspection) -> String {
    let mut blocks = vec![opening(found), origin(found)];
    blocks.push(headed("columns", &schema(&found.columns), &[]));
    let title = if found.reading.all {
        "values of all rows".to_owned()
    } else {
        format!(
            "values: distinct in {} sampled rows, all else of all rows",
            found.reading.rows
        )
    };
    blocks.push(headed(&title, &values(found), &[1, 2]));
    if !found.head.is_empty() {
        blocks.push(rows("first rows", &found.columns, &found.head));
    }
    if !found.sample.is_empty() {
        let title = format!("random rows, seed {}", found.reading.seed);
        blocks.push(rows(&title, &found.columns, &found.sample));
    }
    blocks.extend(found.histogram.as_ref().map(histogram));
    blocks.extend(found.totals_by.as_ref().map(totals_by));
    blocks.retain(|block| !block.is_empty());
    blocks.join("\n\n")
}

fn headed(title: &str, rows: &[Vec<String>], right: &[usize]) -> String {
    format!("{title}\n{}", columns(rows, right))
}

fn strings<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).into()
}

fn opening(found: &Inspection) -> String {
    let mut text = format!(
        "{}\nrows {} · columns {} · files {} · row groups {} · bytes {}",
        harmless(&found.name),
        found.rows,
        found.columns.len(),
        found.files,
        found.row_groups,
        found.bytes,
    );
    for note in &found.notes {
        text.push_str(&format!("\nnote: {}", harmless(note)));
    }
    text
}

/// Runs and digest.
fn origin(found: &Inspection) -> String {
    if found.runs.is_empty() {
        return "origin\nno run: the file was not written by soxauto".to_owned();
    }
    let header = [
        "item",
        "month",
        "run",
        "status",
        "contract",
        "rows",
        "definition",
    ];
    let mut lines = vec![strings(header)];
    lines.extend(found.runs.iter().map(|run| {
        let status = run.status.as_deref().unwrap_or("no record");
        let definition: String = run.definition_sha256.chars().take(16).collect();
        let rows = run.rows.to_string();
        let cells: [&str; 7] = [
            &run.item,
            &run.period,
            &run.run_id,
            status,
            &run.contract_version,
            &rows,
            &definition,
        ];
        cells.map(harmless).into()
    }));
    let mut text = headed("origin", &lines, &[4, 5]);
    let mut say = |line: String| text.push_str(&format!("\n{line}"));
    for RunView {
        evidence,
        not_control_evidence: reasons,
        ..
    } in &found.runs
    {
        if let Some(evidence) = evidence {
            say(format!("evidence           {evidence}"));
        }
        if !reasons.is_empty() {
            say(format!("NOT CONTROL EVIDENCE: {}", reasons.join("; ")));
        }
    }
    let digest = &found.digest;
    let recorded = digest.recorded.as_deref().unwrap_or("none for these rows");
    say(format!("digest recorded    {recorded}"));
    if let Some(recomputed) = &digest.recomputed {
        let verdict = match (&digest.recorded, digests_differ(found)) {
            (None, _) => "",
            (Some(_), false) => " equal",
            (Some(_), true) => " DIFFERENT",
        };
        say(format!("digest recomputed  {recomputed}{verdict}"));
    }
    text
}

fn schema(views: &[ColumnView]) -> Vec<Vec<String>> {
    let mut lines = vec![strings(["name", "source", "sql type", "parquet", "marks"])];
    lines.extend(views.iter().map(|column| {
        let marks = [(column.amount, "amount"), (column.personal, "personal")];
        let marks: Vec<&str> = marks.iter().filter(|m| m.0).map(|m| m.1).collect();
        let marks = marks.join(", ");
        let cells: [&str; 5] = [
            &column.name,
            column.source.as_deref().unwrap_or("-"),
            column.sql_type.as_deref().unwrap_or("-"),
            &column.parquet,
            &marks,
        ];
        cells.map(harmless).into()
    }));
    lines
}

fn values(found: &Inspection) -> Vec<Vec<String>> {
    let mut lines = vec![strings(["name", "nulls", "distinct", "min", "max", "sum"])];
    lines.extend(found.columns.iter().map(|column| {
        let nulls = column.nulls.map_or("-".to_owned(), |n| n.to_string());
        let distinct = column.distinct.map_or("-".to_owned(), |distinct| {
            let about = if distinct.exact { "" } else { "≈" };
            format!("{about}{}", distinct.count)
        });
        let bound = |bound: &Option<String>, sign: &str| {
            let sign = if column.bounds_exact { "" } else { sign };
            let text = bound.as_deref().map_or("-".to_owned(), short);
            format!("{sign}{text}")
        };
        let sum = match (&column.sum, column.sum_from) {
            (Some(sum), Some("record")) => format!("{sum} (recorded)"),
            (Some(sum), _) => sum.clone(),
            (None, _) if column.amount => "unknown; add --full".to_owned(),
            (None, _) => String::new(),
        };
        vec![
            harmless(&column.name),
            nulls,
            distinct,
            bound(&column.min, "≥ "),
            bound(&column.max, "≤ "),
            sum,
        ]
    }));
    lines
}

/// Columns down, rows across: a row of forty columns fits no line. Metadata columns are the same in every row of a run,
/// and stand under the origin already.
fn rows(title: &str, views: &[ColumnView], rows: &[RowView]) -> String {
    let blocks = rows.chunks(ROWS_ABREAST).map(|abreast| {
        let mut header = vec!["row".to_owned()];
        header.extend(abreast.iter().map(|row| row.row.to_string()));
        let mut lines = vec![header];
        let content = |(_, column): &(usize, &ColumnView)| !column.name.starts_with('_');
        for (place, column) in views.iter().enumerate().filter(content) {
            let cell = |row: &RowView| match row.cells.get(place) {
                Some(Some(text)) => short(text),
                _ => "null".to_owned(),
            };
            let mut line = vec![harmless(&column.name)];
            line.extend(abreast.iter().map(cell));
            lines.push(line);
        }
        columns(&lines, &[])
    });
    format!("{title}\n{}", blocks.collect::<Vec<_>>().join("\n\n"))
}

/// A value that fits beside others; a number is never cut.
fn short(text: &str) -> String {
    let text = harmless(text);
    let is_number = text.chars().all(|c| c.is_ascii_digit() || "-.".contains(c));
    if is_number || text.chars().count() <= CELL_LETTERS {
        return text;
    }
    text.chars().take(CELL_LETTERS - 1).chain(['…']).collect()
}

fn histogram(view: &HistogramView) -> String {
    let most = view.bins.iter().map(|bin| bin.rows).max().unwrap_or(0);
    let mut lines = vec![strings(["from", "to before", "rows", ""])];
    lines.extend(view.bins.iter().map(|bin| {
        // Every bin with rows has a bar.
        let letters = (bin.rows * BAR_LETTERS).div_ceil(most.max(1));
        let bar = "█".repeat(usize::try_from(letters).unwrap_or_default());
        vec![bin.from.clone(), bin.to.clone(), bin.rows.to_string(), bar]
    }));
    let title = format!(
        "{} by ranges, all rows, {} nulls",
        harmless(&view.column),
        view.nulls
    );
    headed(&title, &lines, &[0, 1, 2])
}

fn totals_by(view: &TotalsView) -> String {
    let mut header = vec![harmless(&view.column), "rows".to_owned()];
    header.extend(view.amounts.iter().map(|name| harmless(name)));
    let right: Vec<usize> = (1..header.len()).collect();
    let mut lines = vec![header];
    lines.extend(view.groups.iter().map(|group| {
        let value = group.value.as_deref().map_or("null".to_owned(), harmless);
        let mut line = vec![value, group.rows.to_string()];
        line.extend(group.sums.iter().cloned());
        line
    }));
    headed(
        &format!("totals by {}, all rows", harmless(&view.column)),
        &lines,
        &right,
    )
}
