//! What is said of a published month.

use crate::pipeline::publication::PublicationResult;

use super::output;

/// The tables that show it, and what could not be published; a line each, begun on a new one.
pub(super) fn text(result: &PublicationResult) -> String {
    let mut text = String::new();
    for table in &result.tables {
        let (place, rows) = (&table.destination_table, table.rows);
        text.push_str(&format!("\npublished {place}  {rows} rows"));
    }
    if let Some(error) = &result.error_message {
        let error = output::harmless(error);
        text.push_str(&format!("\nthe month could not be published: {error}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::publication::PublishedTable;

    #[test]
    fn what_is_published_and_what_is_not_is_said() {
        let mut result = PublicationResult::default();
        assert_eq!(text(&result), "");
        result.tables.push(PublishedTable {
            destination_table: "soxauto_runs$202404".to_owned(),
            rows: 15,
            digest: String::new(),
        });
        result.error_message = Some("storage: full\nhint: free space".to_owned());
        let said = text(&result);
        assert!(
            said.starts_with("\npublished soxauto_runs$202404  15 rows\n"),
            "{said}"
        );
        assert!(
            said.contains("could not be published: storage: full"),
            "{said}"
        );
    }
}
