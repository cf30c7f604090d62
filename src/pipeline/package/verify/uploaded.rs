//! The copy of an uploaded file: every piece is what was copied, and the second reader finds in it again what it found then.

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::rows::staging_of;
use super::{VerifyReport, VerifyRequest};
use crate::domain::digest::{hex, sha256_hex};
use crate::domain::uploaded::FileCopy;
use crate::kernels::uploaded::{Bounds, Counted};
use crate::pipeline::package::RECORD;
use crate::pipeline::record::ItemRecord;
use crate::pipeline::stage::run_folder;
use crate::pipeline::uploaded::pieces::{Pieces, piece_path};
use crate::pipeline::uploaded::recount;
use crate::pipeline::witness;
use crate::ports::StoreRoot;

const PLACE: &str = "data/file.json";

/// Verifies the copy, piece by piece.
pub(super) async fn file(
    record: &ItemRecord,
    request: VerifyRequest<'_>,
    report: &mut VerifyReport,
) {
    let Some(file) = &record.file else { return };
    if !record.executed.is_empty() || record.access.is_some() {
        let what = "the item is read from a file, yet a server was asked";
        report.find(RECORD, what, "no server", "a server");
    }
    let Some(copy) = &file.copy else {
        report.checked.push("file: nothing was copied".to_owned());
        return;
    };
    let Some(staging) = staging_of(record, request, "file", report) else {
        return;
    };
    if !pieces(record, copy, &staging, report).await {
        return;
    }
    let (Some(found), Some(_)) = (&file.found, &record.source_totals) else {
        return;
    };
    let pieces = Pieces::of(&staging, copy, &CancellationToken::new());
    let seed = record.context.run_id.as_str();
    let bounds = Bounds::of(request.limits);
    match recount(pieces, &found.layout, &record.contract, seed, bounds).await {
        Ok(counted) => again(record, found.rows, counted, report),
        Err(error) => report.find(PLACE, "the file cannot be read again", "its rows", error),
    }
}

/// Looks at every piece; whether all are there as they were copied.
async fn pieces(
    record: &ItemRecord,
    copy: &FileCopy,
    staging: &StoreRoot,
    report: &mut VerifyReport,
) -> bool {
    let folder = run_folder(&record.ipe, record.context.period, &record.context.run_id);
    let (mut whole, mut bytes, mut complete) = (Sha256::new(), 0, true);
    for (index, piece) in copy.pieces.iter().enumerate() {
        let path = piece_path(&folder, index);
        report.same(PLACE, "a piece is not at its path", &path, &piece.path);
        let found = match staging.find(&piece.path).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let place = staging.uri_of(&piece.path);
                let what = format!("a piece of the file: there is nothing at {place}");
                report.not_run.push(what);
                complete = false;
                continue;
            }
            Err(error) => {
                report.not_run.push(format!("a piece of the file: {error}"));
                complete = false;
                continue;
            }
        };
        let sha256 = sha256_hex(&found);
        if sha256 != piece.sha256 {
            let what = "a piece is not the one that was copied";
            report.find(&piece.path, what, &piece.sha256, &sha256);
            complete = false;
        }
        whole.update(&found);
        bytes += u64::try_from(found.len()).unwrap_or(u64::MAX);
    }
    if complete {
        let sha256 = hex(&whole.finalize());
        report.same(
            PLACE,
            "the pieces are not the file",
            copy.sha256.as_str(),
            sha256.as_str(),
        );
        report.same(PLACE, "the file has another size", copy.bytes, bytes);
        report.checked.push(format!(
            "file: {} pieces of {bytes} bytes, SHA-256",
            copy.pieces.len()
        ));
    }
    complete
}

/// What the second reader finds now is what it found then.
fn again(record: &ItemRecord, rows: u64, counted: Counted, report: &mut VerifyReport) {
    let totals = &counted.totals;
    report.same(
        PLACE,
        "the file has another number of rows",
        rows,
        totals.rows(),
    );
    if let Some(recorded) = &record.source_totals {
        for difference in recorded.differences(totals, "the record", "the file now") {
            let what = "the totals of the source are not those of the file";
            report.find("data/totals.json", what, "equal totals", difference);
        }
    }
    report.checked.push(format!(
        "file: {} rows counted, summed and drawn from again",
        totals.rows()
    ));
    let (Some(audit), Ok(asked)) = (
        &record.witnesses,
        witness::of_file(&record.contract, counted),
    ) else {
        return;
    };
    let recorded = audit.witnesses.iter();
    let recorded = recorded.map(|w| (w.key.as_str(), w.why.as_slice(), &w.source));
    if !recorded.eq(asked.sources()) {
        let what = "the witnesses of the record are not those that are drawn from the file";
        report.find(
            "data/witnesses.json",
            what,
            "the same lines and values",
            "others",
        );
    }
}
