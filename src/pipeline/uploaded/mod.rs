//! The way of an item that is read from a file, up to its load: copy it, find out how it is written, count it by a second
//! reader, then the rows. From there on it goes the way of every item.

pub(crate) mod pieces;

use std::io::Read;

use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;

use super::item::during;
use super::log::ItemLog;
use super::passage;
use super::population::Questions;
use super::progress::Stage;
use super::record::ItemRecord;
use super::stage::run_folder;
use super::{Tools, witness};
use crate::domain::contract::Contract;
use crate::domain::digest::TableDigest;
use crate::domain::ipe::Ipe;
use crate::domain::losses::Changes;
use crate::domain::run::RunContext;
use crate::domain::uploaded::{FileCopy, FileDefinition, FileFound, FileLayout, FileRecord};
use crate::kernels::uploaded::{Bounds, Counted, count, described, examine, read_rows};
use crate::ports::{BatchStream, Consistency, PortError, PortErrorKind};

use pieces::Pieces;

/// Everything before the load, as for any other item. Gives the digest of each bucket.
pub(super) async fn until_load(
    tools: &Tools,
    context: &RunContext,
    (ipe, definition): (&Ipe, &FileDefinition),
    record: &mut ItemRecord,
    log: &mut ItemLog,
) -> Result<Vec<TableDigest>, PortError> {
    let stage = |stage| tools.progress.stage(&ipe.id, stage);
    stage(Stage::Open);
    let upload = during("open", tools.sources.upload(&ipe.id).await)?;
    let folder = run_folder(&ipe.id, context.period, &context.run_id);
    let piece_bytes = tools.limits.file_piece_bytes;
    let copy = pieces::copy(&tools.staging, &folder, upload, piece_bytes).await;
    let copy = during("copy", copy)?;
    log.note(
        "file copied",
        json!({"bytes": copy.bytes, "sha256": copy.sha256, "pieces": copy.pieces.len()}),
    );
    let mut file = FileRecord {
        copy: Some(copy.clone()),
        ..FileRecord::begun(definition)
    };
    record.file = Some(file.clone());
    record.consistency = Some(Consistency::Copied);
    stage(Stage::Ask);
    let of_file = OfFile {
        tools,
        ipe,
        definition,
        copy: &copy,
    };
    let found = during("form", of_file.examined().await)?;
    log.note(
        "form found",
        json!({"reasons": found.reasons, "rows": found.rows, "lines": found.lines, "left_out": found.left_out.len()}),
    );
    let layout = found.layout.clone();
    file.found = Some(found);
    record.file = Some(file);
    record.described = Some(described(&ipe.contract));
    let counted = of_file.counted(&layout, context.run_id.as_str()).await;
    let counted = during("totals", counted)?;
    let totals = counted.totals.clone();
    log.note(
        "counted by the second reader",
        json!({"rows": totals.rows(), "companies": totals.groups.len(), "drawn": counted.drawn.len()}),
    );
    tools.progress.expected(&ipe.id, totals.rows());
    record.source_totals = Some(totals);
    let asked = during("witnesses", witness::of_file(&ipe.contract, counted))?;
    stage(Stage::Extract);
    let columns = described(&ipe.contract).columns;
    let fold = during("rows", passage::fold(tools, context, ipe, &columns))?;
    let stream = of_file.stream(layout);
    let extraction = passage::pass(tools, context, ipe, fold, stream).await;
    let buckets = passage::keep(during("rows", extraction)?, record, log);
    stage(Stage::Check);
    let questions = Questions::of_witnesses(asked);
    passage::examine_staged(tools, ipe, questions, record, log).await?;
    Ok(buckets)
}

/// The copy of a file and what is known of its item.
struct OfFile<'a> {
    tools: &'a Tools,
    ipe: &'a Ipe,
    definition: &'a FileDefinition,
    copy: &'a FileCopy,
}

impl OfFile<'_> {
    fn pieces(&self) -> Pieces {
        Pieces::of(&self.tools.staging, self.copy, &self.tools.stop)
    }

    async fn examined(&self) -> Result<FileFound, PortError> {
        let (pieces, copy, bounds) = (self.pieces(), self.copy.clone(), self.bounds());
        let (id, contract) = (self.ipe.id.to_string(), self.ipe.contract.clone());
        let definition = self.definition.clone();
        let work = move || {
            let open = || -> Box<dyn Read + Send> { Box::new(pieces.again(&copy)) };
            examine(&open, (&id, &definition, &contract), bounds)
        };
        spawn_blocking(work).await.map_err(lost)?
    }

    fn bounds(&self) -> Bounds {
        Bounds::of(&self.tools.limits)
    }

    async fn counted(&self, layout: &FileLayout, seed: &str) -> Result<Counted, PortError> {
        recount(
            self.pieces(),
            layout,
            &self.ipe.contract,
            seed,
            self.bounds(),
        )
        .await
    }

    /// The rows, read on a thread of their own. It ends when nobody takes them any more.
    fn stream(&self, layout: FileLayout) -> BatchStream {
        let (out, batches) = mpsc::channel(self.tools.limits.channel_batches_max);
        let (said, changes) = oneshot::channel();
        let (mut pieces, bounds) = (self.pieces(), self.bounds());
        let (definition, contract) = (self.definition.clone(), self.ipe.contract.clone());
        spawn_blocking(move || {
            let of_item = (&definition, &contract);
            let read = read_rows(&mut pieces, &layout, of_item, bounds, &mut |batch| {
                Ok(out.blocking_send(Ok(batch)).is_ok())
            });
            // Whoever asked for the rows may have gone.
            match read {
                Ok(_) => drop(said.send(vec![Changes::default(); contract.columns.len()])),
                Err(error) => drop(out.blocking_send(Err(error))),
            }
        });
        BatchStream { batches, changes }
    }
}

/// Counts the bytes of a copy by the second reader.
///
/// # Errors
/// As `count`; those of the storage.
pub(crate) async fn recount(
    pieces: Pieces,
    layout: &FileLayout,
    contract: &Contract,
    seed: &str,
    bounds: Bounds,
) -> Result<Counted, PortError> {
    let (layout, contract, seed) = (layout.clone(), contract.clone(), seed.to_owned());
    let work = move || count(Box::new(pieces), &layout, &contract, &seed, bounds);
    spawn_blocking(work).await.map_err(lost)?
}

fn lost(error: tokio::task::JoinError) -> PortError {
    let what = format!("reading the file ended without a result: {error}");
    PortError::new(PortErrorKind::Corrupt, what)
}
