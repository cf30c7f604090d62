//! The witnesses on the page that people read: each with its reason, and its amount on both sides.

use super::summary::{cell, line};
use crate::domain::witness::{Seen, Why, WitnessAudit};
use crate::pipeline::record::ItemRecord;

/// A line for each witness; nothing where there are none.
pub(super) fn table(page: &mut String, record: &ItemRecord) {
    let Some(audit) = &record.witnesses else {
        return;
    };
    line(page, format_args!("## Witnesses\n"));
    let by = cell(&audit.by);
    line(
        page,
        format_args!(
            "Rows that were read again at the source by their key and compared in {} columns; all their amounts are in \
             data/witnesses.json.\n",
            audit.columns.len()
        ),
    );
    line(
        page,
        format_args!("| key | why | {by} at the source | {by} staged | compared |"),
    );
    line(page, format_args!("|---|---|---:|---:|---|"));
    for witness in &audit.witnesses {
        let why: Vec<&str> = witness.why.iter().map(|why| reason(*why)).collect();
        let compared = match (
            witness.differing.is_empty(),
            witness.source == witness.staged,
        ) {
            (true, true) if witness.source.rows == 1 => "equal".to_owned(),
            (true, _) => "**differs**".to_owned(),
            (false, _) => format!("**differs** in {}", cell(&witness.differing.join(", "))),
        };
        line(
            page,
            format_args!(
                "| {} | {} | {} | {} | {compared} |",
                cell(&witness.key),
                why.join(", "),
                amount(audit, &witness.source),
                amount(audit, &witness.staged),
            ),
        );
    }
    page.push('\n');
}

fn reason(why: Why) -> &'static str {
    match why {
        Why::Largest => "largest",
        Why::Smallest => "smallest",
        Why::Oldest => "oldest",
        Why::Random => "random",
        Why::Given => "asked for",
    }
}

/// The amount by which witnesses are drawn, or how many rows there are if not one.
fn amount(audit: &WitnessAudit, seen: &Seen) -> String {
    if seen.rows != 1 {
        return format!("{} rows", seen.rows);
    }
    match audit.amounts.iter().position(|name| *name == audit.by) {
        None => "(personal)".to_owned(),
        Some(place) => match seen.amounts.get(place) {
            Some(Some(text)) => text.clone(),
            _ => "null".to_owned(),
        },
    }
}
