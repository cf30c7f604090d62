//! Witnesses: drawn and read by key before the rows in the same view, and compared with the staged rows afterwards.
//!
//! Memory: the compared columns of the drawn rows, one sidecar, and one part while its rows are read.

use std::collections::{BTreeMap, BTreeSet};

use tokio::task::spawn_blocking;

use super::keys::{self, Place};
use super::population::Asker;
use super::stage;
use crate::domain::contract::Contract;
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::domain::manifest::PartFile;
use crate::domain::query::{BoundQuery, ParamValue};
use crate::domain::witness::{Sample, Seen, Why, Witness, WitnessAudit, WitnessDefinition};
use crate::kernels::cells::{batch, param, parse, shown};
use crate::kernels::keys::hashes_of;
use crate::kernels::population::FunnelColumns;
use crate::kernels::uploaded::Counted;
use crate::kernels::witness::{Compared, ComparedRow, Drawn, draw_query, parse_drawn};
use crate::ports::{Cell, PortError, PortErrorKind, SmallTable, StoreRoot};

/// What a value of a key is called in the evidence: the keys are listed with what was found for them.
const EACH: &str = "(that of each witness in turn)";

/// Witnesses that were read at the source and are still to be compared.
pub(super) struct Asked {
    audit: WitnessAudit,
    compared: Compared,
    /// What the source says of each, in the order of the audit's witnesses.
    rows: Vec<Vec<ComparedRow>>,
}

/// Draws the witnesses among what the population keeps, and reads each by its key.
///
/// # Errors
/// `Config` for a definition that is not of the item or a sample that cannot be read, `Corrupt` for answers of another
/// shape; those of the view.
pub(super) async fn ask(
    asker: &mut Asker<'_>,
    ipe: &Ipe,
    definition: &WitnessDefinition,
    columns: &FunnelColumns,
    population: &BoundQuery,
) -> Result<Asked, PortError> {
    let seed = asker.record.context.run_id.to_string();
    let query = draw_query(&ipe.contract, definition, columns, population, &seed);
    let answer = asker.ask_for("witnesses, drawn".to_owned(), query).await?;
    let mut drawn = parse_drawn(&answer).map_err(corrupt)?;
    if let Some(sample) = &definition.sample {
        drawn.extend(given(&ipe.contract, sample).map_err(|what| config(ipe, what))?);
    }
    let keys = drawn.iter().map(|drawn| drawn.key.clone()).collect();
    let keys = SmallTable {
        columns: ipe.contract.key.clone(),
        rows: keys,
    };
    let hashes = hashes_of(&ipe.contract, &keys).map_err(|what| config(ipe, what))?;
    let mut asked: Option<(Compared, Vec<Vec<ComparedRow>>)> = None;
    let mut witnesses = Vec::with_capacity(drawn.len());
    for (drawn, hash) in drawn.into_iter().zip(hashes) {
        let answer = read(asker, ipe, definition, &drawn, asked.is_none()).await?;
        let (compared, rows) = asked
            .get_or_insert_with(|| (Compared::new(&ipe.contract, &answer.columns), Vec::new()));
        let found = source_rows(compared, &answer).map_err(|what| config(ipe, what))?;
        witnesses.push(Witness {
            company: drawn.company,
            why: drawn.why,
            key: shown(&ipe.contract, &drawn.key),
            key_hash: format!("{hash:016x}"),
            source: compared.seen(&found),
            staged: Seen::default(),
            differing: Vec::new(),
        });
        rows.push(found);
    }
    let (compared, rows) = asked.unwrap_or_else(|| (Compared::new(&ipe.contract, &[]), Vec::new()));
    let sample = definition.sample.as_ref();
    let audit = WitnessAudit {
        by: definition.by.clone(),
        oldest: definition.oldest.clone(),
        columns: compared.names(),
        amounts: compared.amounts.clone(),
        sample: sample.map(|sample| (sample.file.clone(), sample.sha256.clone())),
        witnesses,
    };
    Ok(Asked {
        audit,
        compared,
        rows,
    })
}

/// The witnesses that the second reader of a file drew and read by their line.
///
/// # Errors
/// `Config` for values that are not of their columns.
pub(super) fn of_file(contract: &Contract, counted: Counted) -> Result<Asked, PortError> {
    let refused = |what: String| {
        PortError::new(
            PortErrorKind::Config,
            format!("witnesses of the file: {what}"),
        )
    };
    let columns: Vec<String> = contract.columns.iter().map(|c| c.name.clone()).collect();
    let compared = Compared::new(contract, &columns);
    let (mut witnesses, mut rows) = (Vec::new(), Vec::new());
    for drawn in counted.drawn {
        let of_key = contract.key.iter().map(|name| {
            let place = columns.iter().position(|column| column == name);
            let cell = place.and_then(|place| drawn.cells.get(place));
            cell.cloned().unwrap_or(Cell::Null)
        });
        let key: Vec<Cell> = of_key.collect();
        let keys = SmallTable {
            columns: contract.key.clone(),
            rows: vec![key.clone()],
        };
        let hashes = hashes_of(contract, &keys).map_err(refused)?;
        let answer = SmallTable {
            columns: columns.clone(),
            rows: vec![drawn.cells],
        };
        let found = source_rows(&compared, &answer).map_err(refused)?;
        witnesses.push(Witness {
            company: drawn.company,
            why: drawn.why,
            key: shown(contract, &key),
            key_hash: format!("{:016x}", hashes.first().copied().unwrap_or_default()),
            source: compared.seen(&found),
            staged: Seen::default(),
            differing: Vec::new(),
        });
        rows.push(found);
    }
    let audit = WitnessAudit {
        by: counted.by,
        oldest: counted.oldest,
        columns: compared.names(),
        amounts: compared.amounts.clone(),
        sample: None,
        witnesses,
    };
    Ok(Asked {
        audit,
        compared,
        rows,
    })
}

impl Asked {
    /// What the source says of each, by its key and why it was drawn.
    pub(super) fn sources(&self) -> impl Iterator<Item = (&str, &[Why], &Seen)> {
        let witnesses = self.audit.witnesses.iter();
        witnesses.map(|w| (w.key.as_str(), w.why.as_slice(), &w.source))
    }
}

/// Reads one witness by its key; what was executed is noted once, without the key.
async fn read(
    asker: &mut Asker<'_>,
    ipe: &Ipe,
    definition: &WitnessDefinition,
    drawn: &Drawn,
    is_first: bool,
) -> Result<SmallTable, PortError> {
    let mut values: BTreeMap<&str, ParamValue> = BTreeMap::new();
    for (name, cell) in ipe.contract.key.iter().zip(&drawn.key) {
        if let Some(column) = ipe.contract.column(name) {
            values.insert(name, param(column, cell).map_err(|what| config(ipe, what))?);
        }
    }
    let period = asker.record.context.period;
    let bound = definition
        .query
        .bind_with(period, |name| values.get(name).cloned());
    let bound = bound.map_err(|error| config(ipe, error.to_string()))?;
    if is_first {
        let mut noted = bound.clone();
        for param in &mut noted.params {
            if values.contains_key(param.name.as_str()) {
                param.value = ParamValue::Text(EACH.to_owned());
            }
        }
        asker.note("witnesses, each by its key".to_owned(), noted);
    }
    asker.rows(&bound).await
}

/// The rows of an answer, in the form in which they are compared.
fn source_rows(compared: &Compared, answer: &SmallTable) -> Result<Vec<ComparedRow>, String> {
    let batch = batch(&compared.contract, &answer.columns, &answer.rows)?;
    (0..batch.num_rows())
        .map(|row| compared.row(&batch, row))
        .collect()
}

/// The keys of a sample as if they had been drawn.
pub(crate) fn given(contract: &Contract, sample: &Sample) -> Result<Vec<Drawn>, String> {
    let mut drawn = Vec::with_capacity(sample.keys.len());
    for (line, key) in sample.keys.iter().enumerate() {
        let cells = contract.key.iter().zip(key).map(|(name, text)| {
            let column = contract
                .column(name)
                .ok_or_else(|| format!("no column `{name}`"))?;
            parse(column, text.as_deref())
        });
        let key: Result<Vec<Cell>, String> = cells.collect();
        let key = key.map_err(|what| format!("{}, key {}: {what}", sample.file, line + 1))?;
        let company = contract
            .key
            .iter()
            .position(|name| *name == contract.company);
        let company = company.and_then(|place| key.get(place));
        drawn.push(Drawn {
            company: match company {
                Some(Cell::Text(text)) => text.trim_end_matches(' ').to_owned(),
                _ => String::new(),
            },
            why: vec![Why::Given],
            key,
        });
    }
    Ok(drawn)
}

/// Compares the witnesses with the staged rows of their keys.
///
/// # Errors
/// `Corrupt` when a part or sidecar is not what was staged; `Denied`, `Unreachable`.
pub(super) async fn compare(
    staging: &StoreRoot,
    parts: &[PartFile],
    limits: &Limits,
    asked: Asked,
) -> Result<WitnessAudit, PortError> {
    let Asked {
        mut audit,
        compared,
        rows,
    } = asked;
    let staged = staged_rows(staging, parts, limits, &compared, &hashes(&audit)).await?;
    for (witness, source) in audit.witnesses.iter_mut().zip(rows) {
        let hash = u64::from_str_radix(&witness.key_hash, 16).unwrap_or_default();
        let found: Vec<ComparedRow> = match source.as_slice() {
            // Two keys may share a hash: the row is that of the key.
            [row] => {
                let of_key = staged.get(&hash).into_iter().flatten();
                of_key
                    .filter(|found| found.key == row.key)
                    .cloned()
                    .collect()
            }
            _ => staged.get(&hash).cloned().unwrap_or_default(),
        };
        witness.staged = compared.seen(&found);
        if let ([ours], [theirs]) = (source.as_slice(), found.as_slice()) {
            witness.differing = ours.differing(theirs);
        }
    }
    Ok(audit)
}

/// What the staged rows say now of the witnesses of a record, in their order.
///
/// # Errors
/// As [`compare`].
pub(super) async fn seen_again(
    staging: &StoreRoot,
    parts: &[PartFile],
    limits: &Limits,
    contract: &Contract,
    audit: &WitnessAudit,
) -> Result<Vec<Seen>, PortError> {
    let compared = Compared::new(contract, &audit.columns);
    let staged = staged_rows(staging, parts, limits, &compared, &hashes(audit)).await?;
    let seen = audit.witnesses.iter().map(|witness| {
        let hash = u64::from_str_radix(&witness.key_hash, 16).unwrap_or_default();
        let rows = staged.get(&hash).map_or(&[][..], Vec::as_slice);
        // Two keys may share a hash: the rows are those of the key of the recorded one.
        let recorded = rows
            .iter()
            .find(|row| Some(&row.sha256) == witness.staged.sha256.as_ref());
        let is_of_key = |row: &&ComparedRow| recorded.is_none_or(|known| known.key == row.key);
        let rows: Vec<ComparedRow> = rows.iter().filter(is_of_key).cloned().collect();
        compared.seen(&rows)
    });
    Ok(seen.collect())
}

fn hashes(audit: &WitnessAudit) -> BTreeSet<u64> {
    let hashes = audit.witnesses.iter();
    hashes
        .filter_map(|witness| u64::from_str_radix(&witness.key_hash, 16).ok())
        .collect()
}

/// Rows of the parts by the hash of their key.
async fn staged_rows(
    staging: &StoreRoot,
    parts: &[PartFile],
    limits: &Limits,
    compared: &Compared,
    wanted: &BTreeSet<u64>,
) -> Result<BTreeMap<u64, Vec<ComparedRow>>, PortError> {
    let mut found: BTreeMap<u64, Vec<ComparedRow>> = BTreeMap::new();
    for part in parts {
        let places = keys::places(staging, part, wanted).await?;
        if places.is_empty() {
            continue;
        }
        let bytes = stage::read_back(staging, part).await?;
        let (compared, rows_max) = (compared.clone(), limits.batch_rows_max);
        let work = move || {
            let rows: Vec<usize> = places.iter().map(|place| place.row).collect();
            let batches = keys::selected(bytes, &rows, rows_max, Some(&compared.names()))?;
            let mut read = Vec::with_capacity(rows.len());
            for batch in batches {
                let batch = batch.map_err(|error| error.to_string())?;
                for row in 0..batch.num_rows() {
                    read.push(compared.row(&batch, row)?);
                }
            }
            Ok::<Vec<(Place, ComparedRow)>, String>(places.into_iter().zip(read).collect())
        };
        let read = spawn_blocking(work).await.map_err(|lost| lost.to_string());
        let read = read.and_then(|read| read).map_err(|what| {
            let what = format!("reading witnesses: {what}");
            PortError::new(PortErrorKind::Corrupt, what).at("part", part.uri.clone())
        })?;
        for (place, row) in read {
            found.entry(place.hash).or_default().push(row);
        }
    }
    Ok(found)
}

fn config(ipe: &Ipe, what: String) -> PortError {
    PortError::new(PortErrorKind::Config, format!("witnesses: {what}"))
        .at("item", ipe.id.to_string())
}

fn corrupt(what: String) -> PortError {
    PortError::new(
        PortErrorKind::Corrupt,
        format!("the witnesses cannot be read: {what}"),
    )
}
