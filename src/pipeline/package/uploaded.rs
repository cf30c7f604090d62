//! The part of the page that people read about an uploaded file: what was copied, and how it was read.

use super::summary::{cell, line};
use crate::pipeline::record::ItemRecord;

/// Nothing for an item that is asked of a server.
pub(super) fn section(page: &mut String, record: &ItemRecord) {
    let Some(file) = &record.file else { return };
    line(page, format_args!("## File\n"));
    let Some(copy) = &file.copy else {
        line(page, format_args!("No file was read.\n"));
        return;
    };
    line(page, format_args!("- name: {}", cell(&copy.name)));
    if let Some(from) = &copy.from {
        line(page, format_args!("- from: {}", cell(from)));
    }
    if let Some(version) = &copy.version {
        line(page, format_args!("- version there: {}", cell(version)));
    }
    line(
        page,
        format_args!("- {} bytes, SHA-256 `{}`", copy.bytes, copy.sha256),
    );
    line(
        page,
        format_args!(
            "- its copy: {} pieces beside the parts, which joined are the file; `sha256sum -c data/parts.sha256` proves them",
            copy.pieces.len()
        ),
    );
    match &file.found {
        None => line(
            page,
            format_args!("- how it is written could not be found out"),
        ),
        Some(found) => {
            for reason in &found.reasons {
                line(page, format_args!("- {}", cell(reason)));
            }
            line(
                page,
                format_args!("- {} lines, {} rows", found.lines, found.rows),
            );
            let absent = found.layout.columns.iter().filter(|c| c.field.is_none());
            let absent: Vec<&str> = absent.map(|column| column.name.as_str()).collect();
            if !absent.is_empty() {
                let absent = absent.join(", ");
                line(
                    page,
                    format_args!("- columns that it does not have, null in every row: {absent}"),
                );
            }
            if !found.left_out.is_empty() {
                let left_out = cell(&found.left_out.join(", "));
                line(
                    page,
                    format_args!("- its columns that are not of the item, not read: {left_out}"),
                );
            }
        }
    }
    page.push('\n');
}
