//! What `soxauto reconcile` prints of what is not as it was last month: rows, columns and words in short. Totals and dollars
//! stand in the report, one by one.

use crate::domain::amount::Amount;
use crate::domain::reconcile::drift::{Drift, ItemDrift, LineDrift, Presence, SchemaDrift};
use crate::domain::reconcile::result::Status;
use crate::report::words::Language::English;

/// Columns of what is printed.
const WIDTH: usize = 100;

/// Adds a line, and more below it where one of 100 columns does not hold what moved.
pub(super) fn since(text: &mut String, drift: &Drift) {
    let items = drift.items.iter().flat_map(of_item);
    let said: Vec<String> = items.chain(drift.lines.iter().flat_map(of_line)).collect();
    let mut line = format!("since {}:", drift.since);
    if said.is_empty() {
        line.push_str(" rows, columns and words are as they were");
    }
    for (place, one) in (1..).zip(&said) {
        let comma = if place < said.len() { "," } else { "" };
        if line.chars().count() + one.chars().count() + 2 > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = "    ".to_owned();
        }
        line.push_str(&format!(" {one}{comma}"));
    }
    text.push_str(&line);
    text.push('\n');
}

fn of_item(drift: &ItemDrift) -> Vec<String> {
    let item = drift.item.as_str();
    let mut said: Vec<String> = presence(item, drift.presence).into_iter().collect();
    if let Some(rows) = drift.rows.filter(|_| drift.presence == Presence::Both) {
        said.push(match rows.difference {
            Some(more) => format!("{item} {} rows", signed(more)),
            None => format!("rows of {item} not known in one of the months"),
        });
    }
    match drift.schema {
        Some(SchemaDrift::Changed { .. }) => said.push(format!("schema of {item} changed")),
        Some(SchemaDrift::NotKnown) | None => {}
    }
    said
}

fn of_line(drift: &LineDrift) -> Vec<String> {
    let line = drift.line.as_str();
    let mut said: Vec<String> = presence(line, drift.presence).into_iter().collect();
    if let Some(status) = drift.status.filter(|_| drift.presence == Presence::Both) {
        let word = |status: Option<Status>| status.map_or("-", Status::word);
        let (before, now) = (word(status.before), word(status.now));
        said.push(format!("{line} {before} -> {now}"));
    }
    said
}

fn presence(name: &str, presence: Presence) -> Option<String> {
    match presence {
        Presence::Both => None,
        Presence::New => Some(format!("{name} is new")),
        Presence::Gone => Some(format!("{name} is gone")),
    }
}

/// A difference of counts, with its sign.
fn signed(more: Amount) -> String {
    let sign = if more.units() < 0 { '-' } else { '+' };
    let size = u64::try_from(more.units().unsigned_abs()).unwrap_or(u64::MAX);
    format!("{sign}{}", English.count(size))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::reconcile::drift::{Moved, StatusDrift};

    fn item(name: &str, rows: Option<&str>) -> ItemDrift {
        let amount = |text: &str| text.parse::<Amount>().ok();
        ItemDrift {
            item: name.parse().unwrap(),
            presence: Presence::Both,
            rows: rows.map(|more| Moved {
                before: amount("7"),
                now: amount("8"),
                difference: amount(more),
            }),
            totals: BTreeMap::new(),
            schema: None,
        }
    }

    fn said(items: Vec<ItemDrift>) -> String {
        let drift = Drift {
            since: "2024-03".parse().unwrap(),
            items,
            lines: vec![LineDrift {
                line: "L1".to_owned(),
                presence: Presence::Both,
                status: Some(StatusDrift {
                    before: Some(Status::Ok),
                    now: Some(Status::Investigate),
                }),
                variance_usd: None,
                unexplained_usd: None,
                is_partial: false,
            }],
        };
        let mut text = String::new();
        since(&mut text, &drift);
        text
    }

    #[test]
    fn what_moved_is_said_in_lines_of_100_columns() {
        let mut schema = item("IPE_10", None);
        schema.schema = Some(SchemaDrift::Changed {
            before: 1,
            now: 2,
            columns: BTreeMap::new(),
        });
        let mut new = item("IPE_31", Some("-3"));
        new.presence = Presence::New;
        let items = vec![item("IPE_07", Some("1204")), item("IPE_08", Some("-5"))];
        let text = said(items.into_iter().chain([schema, new]).collect());
        let wanted = "since 2024-03: IPE_07 +1,204 rows, IPE_08 -5 rows, schema of IPE_10 changed, \
                      IPE_31 is new,\n     L1 OK -> INVESTIGATE\n";
        assert_eq!(text, wanted);
        let many = said(vec![item("IPE_07", Some("not known")); 9]);
        assert!(many.contains("rows of IPE_07 not known in one of the months,"));
        assert!(many.lines().all(|line| line.len() <= WIDTH), "{many}");

        let mut text = String::new();
        let nothing = Drift {
            since: "2024-03".parse().unwrap(),
            items: Vec::new(),
            lines: Vec::new(),
        };
        since(&mut text, &nothing);
        let wanted = "since 2024-03: rows, columns and words are as they were\n";
        assert_eq!(text, wanted);
    }
}
