//! The first part of the page that people read: how the run ended, and what the warehouse shows.

use super::summary::{cell, line};
use crate::domain::run::ItemStatus;
use crate::pipeline::check;
use crate::pipeline::record::ItemRecord;

/// The findings that somebody answers for.
fn exceptions(page: &mut String, record: &ItemRecord) {
    for exception in check::exceptions(record) {
        let accepted = record.context.accepted.iter();
        for accepted in accepted.filter(|accepted| accepted.check == exception.id) {
            line(
                page,
                format_args!(
                    "- **{}** did not pass, and {} answers for it: {}",
                    exception.id,
                    cell(&accepted.approver),
                    cell(&accepted.reason)
                ),
            );
        }
    }
}

/// The word on the run, what stands in the warehouse, and what to do.
pub(super) fn outcome(page: &mut String, record: &ItemRecord) {
    let rows = record
        .staged
        .as_ref()
        .map(crate::domain::manifest::Staged::rows);
    let rows = rows.map_or("no".to_owned(), |rows| rows.to_string());
    let loaded = loaded(record);
    line(page, format_args!("## Result\n"));
    match record.status {
        ItemStatus::Success if check::exceptions(record).is_empty() => line(
            page,
            format_args!(
                "**SUCCESS**: {rows} rows were extracted and passed every check; {loaded}.\n"
            ),
        ),
        ItemStatus::Success => line(
            page,
            format_args!(
                "**SUCCESS WITH EXCEPTIONS**: {rows} rows were extracted; {loaded}, although:\n"
            ),
        ),
        ItemStatus::Failed => line(
            page,
            format_args!(
                "**FAILED**: {rows} rows were extracted; a check did not pass; {loaded}.\n\n\
                 What to do: read the findings below, correct the source or the catalog, and run the item again. \
                 This package stays as evidence of the failed run.\n"
            ),
        ),
        ItemStatus::Error => line(
            page,
            format_args!(
                "**ERROR**: it could not be found out; {rows} rows were staged; {loaded}.\n\n\
                 What to do: remove the cause and run the item again. \
                 This package stays as evidence of the attempt.\n"
            ),
        ),
        ItemStatus::Abandoned => line(
            page,
            format_args!(
                "**ABANDONED**: the run never ended, so what it did is not known; it counts as not having run.\n\n\
                 What to do: nothing; the run that took over has a package of its own. \
                 This package stays as evidence of the attempt.\n"
            ),
        ),
    }
    if record.status == ItemStatus::Abandoned
        && let Some(load) = &record.submitted
    {
        line(
            page,
            format_args!(
                "It had begun to load: {} may have been replaced by job {}; look with `{}`. A run that took over and \
                 loaded has made sure before that this job loads nothing any more.\n",
                load.destination_table, load.job_id, load.look
            ),
        );
    }
    exceptions(page, record);
    if let Some(error) = &record.error {
        for text in error.lines() {
            line(page, format_args!("    {text}"));
        }
        page.push('\n');
    }
}

/// What the run did to the month: nothing, all of it, or one of the two and nobody knows which.
fn loaded(record: &ItemRecord) -> String {
    match (&record.receipt, &record.submitted) {
        (Some(receipt), _) => format!(
            "{} rows stand in {}",
            receipt.output_rows, receipt.destination_table
        ),
        (None, Some(load)) => format!(
            "{} may have been replaced by job {}, and nothing there was checked: look with `{}`, and run the item again, \
             which replaces the month whatever it shows",
            load.destination_table, load.job_id, load.look
        ),
        (None, None) => "nothing was loaded; the warehouse shows what it showed before".to_owned(),
    }
}
