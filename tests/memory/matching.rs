//! Matching: what it holds is not a matter of rows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use soxauto::adapters::scratch::ScratchFile;
use soxauto::domain::amount::Amount;
use soxauto::domain::limits::MatchingLimits;
use soxauto::domain::matching::{Matched, RowPlace, Side, Sides};
use soxauto::kernels::matching::{GlColumn, Matching, Rule, SideColumns};

use super::{ALONE, COUNTED};

const BATCH_ROWS: i64 = 1_000;

/// Small enough that some hundred thousand rows do not fit.
fn limits() -> MatchingLimits {
    MatchingLimits {
        partition_bytes: 256 << 10,
        chunk_bytes: 4 << 10,
        held_bytes_max: 64 << 10,
        items_max: 200,
        ..MatchingLimits::default()
    }
}

fn rule() -> Rule {
    let columns = SideColumns {
        company: "company".into(),
        gl: GlColumn::Fixed("13003".into()),
        keys: vec!["key".into()],
        amounts: vec!["amount".into()],
        negated: false,
        date: None,
        only: Vec::new(),
    };
    Rule {
        columns: Sides {
            actual: columns.clone(),
            target: columns,
        },
        gls: BTreeSet::new(),
        scale: 0,
        tolerance: Amount::zero(0),
        period: "2024-04".parse().unwrap(),
        key_is_personal: false,
    }
}

/// Rows whose keys are far apart, each once.
fn batch(first: i64) -> RecordBatch {
    let numbers = first..first + BATCH_ROWS;
    let keys = numbers.clone().map(|number| Some(number * 7_919));
    let company = vec!["EC_NG"; numbers.clone().count()];
    let columns: [(&str, ArrayRef); 3] = [
        ("company", Arc::new(StringArray::from(company))),
        ("key", Arc::new(keys.collect::<Int64Array>())),
        (
            "amount",
            Arc::new(numbers.map(Some).collect::<Int64Array>()),
        ),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

/// Half of the rows have a counterpart.
fn matched(folder: &Path, batches: i64) -> Matched {
    let scratch = ScratchFile::new(folder, "matching");
    let rows = u64::try_from(batches * BATCH_ROWS * 2).unwrap();
    let matching = Matching::new(rule(), rows, limits(), &scratch).unwrap();
    let take = |side, first: i64| {
        let mut splitter = matching.splitter(side);
        for number in 0..batches {
            let part = u32::try_from(number).unwrap();
            let batch = batch((first + number) * BATCH_ROWS);
            let place = RowPlace { part, row: 0 };
            splitter.add_batch(place, &batch, None).unwrap();
        }
        splitter.finish().unwrap()
    };
    let halves = Sides {
        actual: take(Side::Actual, 0),
        target: take(Side::Target, batches / 2),
    };
    matching.join(halves).unwrap()
}

#[test]
fn matching_keeps_to_its_formula_whatever_the_rows() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = tempfile::tempdir().unwrap();
    let peak_of = |batches: i64| {
        let before = COUNTED.current_usage();
        COUNTED.reset_peak_usage();
        let matched = matched(folder.path(), batches);
        (COUNTED.peak_usage().saturating_sub(before), matched.work)
    };
    let allowed = limits().bytes_max();
    for batches in [20, 150] {
        let (peak, work) = peak_of(batches);
        println!("{batches} batches a side: {peak} bytes, allowed {allowed}; {work:?}");
        assert!(peak <= allowed, "{batches} batches: {peak} > {allowed}");
    }
    // The rows alone are more than that.
    let (_, work) = peak_of(150);
    assert!(work.scratch_bytes > u64::try_from(allowed).unwrap());
}
