//! Rows from the source to staging: conform, fold, encode, store, read back. Rows end here.
//!
//! The fold and the encoder run on one blocking thread; storing and the second path run beside it, one part behind.
//! Peak memory: see `Limits`.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::domain::contract::Contract;
use crate::domain::digest::TableDigest;
use crate::domain::ids::{IpeId, RunId};
use crate::domain::losses::{Changes, ColumnLosses};
use crate::domain::manifest::{PartFile, Recomputed, Staged};
use crate::domain::period::Period;
use crate::domain::quality::QualitySeen;
use crate::domain::sql_type::SqlType;
use crate::domain::totals::ControlTotals;
use crate::kernels::KernelError;
use crate::kernels::conform::Conform;
use crate::kernels::digest::DigestFold;
use crate::kernels::keys::KeyFold;
use crate::kernels::ledger::{ValuesFold, ledger};
use crate::kernels::quality::QualityFold;
use crate::kernels::recheck::recheck_part;
use crate::kernels::rules::RuleFold;
use crate::kernels::totals::TotalsFold;
use crate::ports::{BatchStream, PortError, PortErrorKind, StoreRoot};

use super::progress::Progress;
use super::stage::{self, FinishedPart, PartEncoder, PartLayout};

/// What the rows of one item became.
#[derive(Debug, Clone, PartialEq)]
pub struct Extraction {
    /// Parts, and digest and totals of the decoded stream.
    pub staged: Staged,
    /// Digest and totals of the bytes read back.
    pub recomputed: Recomputed,
    /// What else was seen in the rows.
    pub seen: Seen,
}

/// What was seen in the rows on their way, beside digest and totals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Columns with nulls that the contract does not allow, one sentence each.
    pub nulls: Vec<String>,
    /// What the rules of the item ask for; `None` where it has none.
    pub quality: Option<QualitySeen>,
    /// The loss ledger.
    pub losses: Vec<ColumnLosses>,
    /// Digest of each bucket of the decoded stream, in their order.
    pub buckets: Vec<TableDigest>,
}

/// Where and under which names the parts go.
#[derive(Clone)]
pub struct Destination {
    /// Staging root.
    pub staging: StoreRoot,
    /// Item.
    pub ipe: IpeId,
    /// Month.
    pub period: Period,
    /// Run.
    pub run_id: RunId,
}

/// Everything that sees each batch once. Synchronous and busy: run it on a blocking thread.
pub struct RowFold {
    conform: Conform,
    digest: DigestFold,
    totals: TotalsFold,
    quality: QualityFold,
    rules: Option<RuleFold>,
    keys: KeyFold,
    contract: Contract,
    types: Vec<SqlType>,
    values: ValuesFold,
    encoder: PartEncoder,
    rows: u64,
}

/// What the fold knows at the end.
pub struct Folded {
    /// Digest of the stream.
    pub digest: TableDigest,
    /// Digest of each bucket of the stream, in their order.
    pub buckets: Vec<TableDigest>,
    /// Totals of the stream.
    pub totals: ControlTotals,
    /// Null findings.
    pub nulls: Vec<String>,
    /// What the rules ask for.
    pub quality: Option<QualitySeen>,
    values: Vec<u64>,
    contract: Contract,
    types: Vec<SqlType>,
    /// The part that was open.
    pub last: Option<FinishedPart>,
}

impl Folded {
    /// The loss ledger, from what the reader changed.
    ///
    /// # Errors
    /// `Corrupt` when the reader counted other columns.
    pub fn losses(&self, changes: &[Changes]) -> Result<Vec<ColumnLosses>, PortError> {
        let made = ledger(&self.contract, &self.types, &self.values, changes);
        made.map_err(|error| kernel(&error))
    }
}

impl RowFold {
    /// Chooses everything before the first row.
    ///
    /// # Errors
    /// `Config` when parts of this layout cannot be written.
    pub fn new(
        contract: &Contract,
        conform: Conform,
        layout: PartLayout,
    ) -> Result<Self, PortError> {
        Ok(Self {
            contract: contract.clone(),
            types: conform.types().to_vec(),
            values: ValuesFold::new(contract),
            conform,
            digest: DigestFold::new(contract),
            totals: TotalsFold::new(contract),
            quality: QualityFold::new(contract),
            rules: None,
            keys: KeyFold::new(contract),
            encoder: PartEncoder::new(layout)?,
            rows: 0,
        })
    }

    /// The same, with the rules of the item.
    #[must_use]
    pub fn watching(mut self, rules: RuleFold) -> Self {
        self.rules = Some(rules);
        self
    }

    /// Sees one batch of the source; gives a part when one is full.
    ///
    /// # Errors
    /// `Corrupt` when the batch contradicts the contract, `Limit` when a sum leaves 38 digits.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Option<FinishedPart>, PortError> {
        let batch = self
            .conform
            .conform(batch)
            .map_err(|error| kernel(&error))?;
        self.digest.fold(&batch).map_err(|error| kernel(&error))?;
        self.totals.fold(&batch).map_err(|error| kernel(&error))?;
        self.quality.fold(&batch).map_err(|error| kernel(&error))?;
        if let Some(rules) = &mut self.rules {
            rules.fold(&batch).map_err(|error| kernel(&error))?;
        }
        self.values.fold(&batch).map_err(|error| kernel(&error))?;
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let mut finished = self.encoder.push(&batch)?;
        if let Some(part) = &mut finished {
            // The batch at hand is the first of the next part.
            part.keys = self.keys.take();
        }
        self.keys.fold(&batch).map_err(|error| kernel(&error))?;
        Ok(finished)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// As [`RowFold::push`].
    pub fn finish(mut self) -> Result<Folded, PortError> {
        let mut last = self.encoder.finish()?;
        if let Some(part) = &mut last {
            part.keys = self.keys.take();
        }
        let digested = self.digest.finish();
        Ok(Folded {
            digest: digested.total,
            buckets: digested.buckets,
            totals: self
                .totals
                .finish()
                .map_err(|error| kernel(&KernelError::Totals(error)))?,
            nulls: self
                .quality
                .finish()
                .iter()
                .map(ToString::to_string)
                .collect(),
            quality: self.rules.map(RuleFold::finish),
            values: self.values.finish(),
            contract: self.contract,
            types: self.types,
            last,
        })
    }
}

fn kernel(error: &KernelError) -> PortError {
    match error {
        KernelError::Totals(_) => PortError::new(PortErrorKind::Limit, error.to_string())
            .hint("a sum needs more than 38 digits; split the item or correct the source rows"),
        _ => PortError::new(PortErrorKind::Corrupt, error.to_string()),
    }
}

/// Digest and totals of the staged bytes, computed a second time, part by part.
pub struct SecondPath {
    contract: Arc<Contract>,
    rows_max: usize,
    recomputed: Recomputed,
}

impl SecondPath {
    /// Nothing seen yet; at most `rows_max` rows are looked at together.
    #[must_use]
    pub fn new(contract: Arc<Contract>, rows_max: usize) -> Self {
        let recomputed = Recomputed {
            digest: TableDigest::default(),
            totals: ControlTotals::default(),
        };
        Self {
            contract,
            rows_max,
            recomputed,
        }
    }

    /// Reads a stored part back once and computes over those bytes.
    ///
    /// # Errors
    /// `Corrupt` when the bytes are not the part or cannot be read as the contract says, `Limit` when a sum leaves
    /// 38 digits.
    pub async fn see(&mut self, staging: &StoreRoot, file: &PartFile) -> Result<(), PortError> {
        let bytes = stage::read_back(staging, file).await?;
        let (contract, rows_max) = (Arc::clone(&self.contract), self.rows_max);
        let again = spawn_blocking(move || recheck_part(bytes, &contract, rows_max))
            .await
            .map_err(|panic| lost_task("the second path", &panic))?
            .map_err(|error| {
                PortError::new(
                    PortErrorKind::Corrupt,
                    format!("the second path failed: {error}"),
                )
                .at("part", &file.uri)
            })?;
        self.recomputed.digest = self.recomputed.digest.merge(&again.digest);
        self.recomputed
            .totals
            .merge(&again.totals)
            .map_err(|error| kernel(&KernelError::Totals(error)))
    }
}

/// Moves all rows of `stream` to staging and computes everything twice.
///
/// # Errors
/// The first error of source, fold, storage or second path. Parts that were stored stay behind as orphans of a
/// run without a manifest.
pub async fn extract(
    stream: BatchStream,
    fold: RowFold,
    mut second: SecondPath,
    to: &Destination,
    progress: &Arc<dyn Progress>,
) -> Result<Extraction, PortError> {
    let (staged, seen) = stage_rows(stream, fold, to, Some(&mut second), progress).await?;
    Ok(Extraction {
        staged,
        recomputed: second.recomputed,
        seen,
    })
}

/// Moves all rows of `stream` to staging: the part of the journey that keeps pace with the source.
///
/// # Errors
/// As [`extract`].
pub async fn stage_rows(
    stream: BatchStream,
    fold: RowFold,
    to: &Destination,
    mut second: Option<&mut SecondPath>,
    progress: &Arc<dyn Progress>,
) -> Result<(Staged, Seen), PortError> {
    // A part is handed over only when the one before it has been seen to its end: the encoder works on the next part
    // meanwhile, and no third part is held.
    let (finished, mut parts) = mpsc::channel(1);
    let (ready, handover) = mpsc::channel(1);
    let mut handover = Handover {
        finished,
        ready: handover,
    };
    give_way(&ready).await;
    let listener = (Arc::clone(progress), to.ipe.clone());
    let folding = spawn_blocking(move || fold_stream(stream, fold, &mut handover, &listener));
    let mut files: Vec<PartFile> = Vec::new();
    while let Some(part) = parts.recv().await {
        let path = stage::part_path(&to.ipe, to.period, &to.run_id, files.len());
        let file = stage::store_part(&to.staging, &path, part).await?;
        if let Some(second) = second.as_deref_mut() {
            second.see(&to.staging, &file).await?;
        }
        files.push(file);
        give_way(&ready).await;
    }
    let (folded, losses) = folding
        .await
        .map_err(|panic| lost_task("folding rows", &panic))??;
    Ok((
        Staged {
            parts: files,
            digest: folded.digest,
            totals: folded.totals,
        },
        Seen {
            nulls: folded.nulls,
            quality: folded.quality,
            losses,
            buckets: folded.buckets,
        },
    ))
}

/// Says that the next part may come; when the fold has ended nobody listens.
async fn give_way(ready: &mpsc::Sender<()>) {
    ready.send(()).await.ok();
}

/// The fold's end of the way on which parts leave it.
struct Handover {
    finished: mpsc::Sender<FinishedPart>,
    ready: mpsc::Receiver<()>,
}

impl Handover {
    fn give(&mut self, part: FinishedPart) -> Result<(), PortError> {
        let stopped = || PortError::new(PortErrorKind::Limit, "storing stopped, so reading stops");
        self.ready.blocking_recv().ok_or_else(stopped)?;
        self.finished.blocking_send(part).map_err(|_| stopped())
    }
}

fn fold_stream(
    mut stream: BatchStream,
    mut fold: RowFold,
    handover: &mut Handover,
    (progress, ipe): &(Arc<dyn Progress>, IpeId),
) -> Result<(Folded, Vec<ColumnLosses>), PortError> {
    while let Some(batch) = stream.batches.blocking_recv() {
        let part = fold.push(&batch?)?;
        progress.rows(ipe, fold.rows);
        if let Some(part) = part {
            handover.give(part)?;
        }
    }
    let mut folded = fold.finish()?;
    if let Some(part) = folded.last.take() {
        handover.give(part)?;
    }
    let changes = stream.changes.blocking_recv().map_err(|_| {
        let what = "the source did not say what it changed on the way";
        PortError::new(PortErrorKind::Corrupt, what).hint("run the item again")
    })?;
    let losses = folded.losses(&changes)?;
    Ok((folded, losses))
}

fn lost_task(what: &str, panic: &tokio::task::JoinError) -> PortError {
    PortError::new(
        PortErrorKind::Corrupt,
        format!("{what} ended without a result: {panic}"),
    )
}
