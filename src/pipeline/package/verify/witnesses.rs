//! The witnesses of a record against the rows: what it says was staged is in the parts.

use super::VerifyReport;
use crate::domain::limits::Limits;
use crate::domain::manifest::Staged;
use crate::domain::witness::Seen;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::witness;
use crate::ports::StoreRoot;

const PLACE: &str = "data/witnesses.json";

/// Reads the rows of the witnesses from the parts and compares them with the record. What the source said then cannot be
/// asked again here: it is compared with what the record says of it.
pub(super) async fn of_record(
    record: &ItemRecord,
    staged: &Staged,
    staging: &StoreRoot,
    limits: &Limits,
    report: &mut VerifyReport,
) {
    let Some(audit) = &record.witnesses else {
        return;
    };
    let again = witness::seen_again(staging, &staged.parts, limits, &record.contract, audit).await;
    let again = match again {
        Ok(again) => again,
        Err(error) => return report.not_run.push(format!("witnesses: {error}")),
    };
    for (witness, now) in audit.witnesses.iter().zip(again) {
        if witness.staged != now {
            let what = format!(
                "the witness {} is not staged as the record says",
                witness.key
            );
            report.find(PLACE, what, shown(&now), shown(&witness.staged));
        }
        let is_equal = witness.source == witness.staged;
        if witness.source.rows == 1
            && witness.staged.rows == 1
            && is_equal != witness.differing.is_empty()
        {
            let what = format!(
                "what differs of the witness {} is not what its two sides say",
                witness.key
            );
            let expected = if is_equal {
                "no column"
            } else {
                "the columns that differ"
            };
            report.find(PLACE, what, expected, witness.differing.join(", "));
        }
    }
    report.checked.push(format!(
        "{} witnesses as they are staged",
        audit.witnesses.len()
    ));
}

fn shown(seen: &Seen) -> String {
    let sha256 = seen.sha256.as_deref().unwrap_or("none");
    let amounts = seen
        .amounts
        .iter()
        .map(|amount| amount.as_deref().unwrap_or("null"));
    format!(
        "{} rows, SHA-256 {sha256}, amounts {}",
        seen.rows,
        amounts.collect::<Vec<_>>().join(", ")
    )
}
