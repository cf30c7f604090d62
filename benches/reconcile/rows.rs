//! Two sides of rows that differ in a known way, staged as the program stages them.
//!
//! Of each hundred keys of the ledger the target has: the first with one cent more; not the second, but one of its own;
//! the third in two rows; not the fourth; the fifth in lower case with a blank. All others are the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use soxauto::domain::limits::Limits;
use soxauto::pipeline::stage::{PartEncoder, PartLayout};

/// Of each hundred keys: those with one row on each side and one amount.
pub(crate) const SAME: u64 = 96;
/// Of each hundred keys: those that the ledger has alone.
pub(crate) const LEDGER_ALONE: u64 = 2;
/// Columns in the order of key and amount.
pub(crate) const COLUMNS: [&str; 4] = ["id_company", "gl_account", "document_no", "amount"];

const BATCH_ROWS: usize = 8_192;
const DAY_MICROS: i64 = 86_400_000_000;
const CENT: i128 = 10_i128.pow(18);
const COMPANIES: [&str; 9] = [
    "EC_NG", "EC_KE", "JM_EG", "JD_GH", "EC_MA", "EC_IC", "HF_SN", "JD_UG", "JD_DZ",
];
const GLS: [&str; 4] = ["13003", "13004", "13009", "18412"];

/// The files of both sides.
pub(crate) struct Sides {
    pub(crate) rows: u64,
    pub(crate) actual: Vec<PathBuf>,
    pub(crate) target: Vec<PathBuf>,
}

/// The files of so many rows a side; made if they are not there.
pub(crate) fn staged(rows: u64) -> Sides {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reconcile-v1-{rows}"));
    if !folder.exists() {
        // A folder that is there is whole.
        let unfinished = folder.with_extension("unfinished");
        for (seed, side) in [(1, "actual"), (2, "target")] {
            fs::create_dir_all(unfinished.join(side)).unwrap();
            write(&unfinished.join(side), rows, seed, side == "target");
        }
        fs::rename(&unfinished, &folder).unwrap();
    }
    let files = |side: &str| {
        let files = fs::read_dir(folder.join(side)).unwrap();
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    };
    Sides {
        rows,
        actual: files("actual"),
        target: files("target"),
    }
}

fn write(folder: &Path, rows: u64, seed: u64, is_target: bool) {
    let mut numbers: Vec<u32> = (0..u32::try_from(rows).unwrap()).collect();
    numbers.shuffle(&mut StdRng::seed_from_u64(seed));
    let mut encoder = None;
    for numbers in numbers.chunks(BATCH_ROWS) {
        let batch = batch(numbers, is_target);
        let encoder = encoder.get_or_insert_with(|| {
            let layout = PartLayout::new(batch.schema(), Vec::new(), &Limits::default());
            PartEncoder::new(layout).unwrap()
        });
        if let Some(part) = encoder.push(&batch).unwrap() {
            fs::write(
                folder.join(format!("part-{:05}.parquet", part.index)),
                part.bytes,
            )
            .unwrap();
        }
    }
    if let Some(part) = encoder.unwrap().finish().unwrap() {
        fs::write(
            folder.join(format!("part-{:05}.parquet", part.index)),
            part.bytes,
        )
        .unwrap();
    }
}

/// Spreads numbers, so that neighbours have nothing in common.
fn spread(number: u32) -> u32 {
    number.wrapping_mul(2_654_435_769).rotate_left(13) ^ number
}

fn key_and_amount(number: u32, is_target: bool) -> (String, i128) {
    let amount = i128::from(spread(number) % 200_000_000) - 100_000_000;
    let key = |number: u32| format!("SI-2024-{number:08}");
    match number % 100 {
        0 if is_target => (key(number), amount + 1),
        1 if is_target => (format!("BOB-{number:012}"), amount),
        2 if is_target => (key(number), amount - 7),
        3 if is_target => (key(number - 1), 7),
        4 if is_target => (key(number).to_lowercase() + " ", amount),
        _ => (key(number), amount),
    }
}

fn batch(numbers: &[u32], is_target: bool) -> RecordBatch {
    // A hundred keys in a row share company and GL.
    let place = |number: u32, of: usize| usize::try_from(number / 100).unwrap() % of;
    let company = |number: &u32| COMPANIES.get(place(*number, 9)).copied();
    let gl = |number: &u32| GLS.get(place(*number, 36) / 9).copied();
    let both: Vec<_> = numbers
        .iter()
        .map(|n| key_and_amount(*n, is_target))
        .collect();
    let amounts: Decimal128Array = both.iter().map(|(_, cents)| Some(cents * CENT)).collect();
    let day = |number: u32| 19_844 - i64::from(spread(number) % 900);
    let dates = numbers.iter().map(|number| Some(day(*number) * DAY_MICROS));
    let texts = numbers
        .iter()
        .map(|number| Some(format!("Invoice {number}")));
    let columns: [(&str, ArrayRef); 7] = [
        (
            "id_company",
            Arc::new(numbers.iter().map(company).collect::<StringArray>()),
        ),
        (
            "gl_account",
            Arc::new(numbers.iter().map(gl).collect::<StringArray>()),
        ),
        (
            "entry_no",
            Arc::new(
                numbers
                    .iter()
                    .map(|n| Some(i64::from(*n)))
                    .collect::<Int64Array>(),
            ),
        ),
        (
            "document_no",
            Arc::new(
                both.iter()
                    .map(|(key, _)| Some(key))
                    .collect::<StringArray>(),
            ),
        ),
        (
            "posting_date",
            Arc::new(dates.collect::<TimestampMicrosecondArray>()),
        ),
        ("description", Arc::new(texts.collect::<StringArray>())),
        (
            "amount",
            Arc::new(amounts.with_precision_and_scale(38, 20).unwrap()),
        ),
    ];
    let columns = columns.map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}
