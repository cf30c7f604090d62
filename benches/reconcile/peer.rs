//! Polars over the same files, all in memory.

use std::path::PathBuf;

use polars::prelude::{
    DataFrame, Expr, IntoLazy as _, JoinArgs, JoinType, LazyFrame, PlRefPath, ScanArgsParquet,
    ScanSources, col, len, lit,
};

use super::rows::{COLUMNS, LEDGER_ALONE, SAME, Sides};

/// The four columns of a side, the key without blanks and in upper case.
fn side(files: &[PathBuf]) -> LazyFrame {
    let paths = files.iter().cloned();
    let paths = paths.map(|path| PlRefPath::try_from_pathbuf(path).unwrap());
    let sources = ScanSources::Paths(paths.collect());
    let frame = LazyFrame::scan_parquet_sources(sources, ScanArgsParquet::default()).unwrap();
    let [company, gl, key, amount] = COLUMNS;
    let key = col(key).str().strip_chars(lit(" ")).str().to_uppercase();
    frame.select([col(company), col(gl), key, col(amount)])
}

fn keys() -> Vec<Expr> {
    let [keys @ .., _] = COLUMNS;
    keys.map(col).to_vec()
}

/// How many of each hundred keys or pairs; 0 where nothing is.
fn of_each_hundred(rows: u64, counted: &DataFrame, name: &str) -> u64 {
    let counted = counted
        .column(name)
        .unwrap()
        .cast(&polars::prelude::DataType::UInt64)
        .unwrap();
    let counted = counted.u64().unwrap().get(0).unwrap_or(0);
    assert_eq!(counted % (rows / 100), 0);
    counted / (rows / 100)
}

/// Counts joined pairs of equal amounts, of others, and rows without a partner.
fn count(joined: LazyFrame) -> DataFrame {
    let (left, right) = (col("amount"), col("amount_right"));
    let both = left.clone().is_not_null().and(right.clone().is_not_null());
    let same = both.clone().and(left.clone().eq(right.clone()));
    let counted = joined.select([
        same.clone().sum().alias("same"),
        both.and(same.not()).sum().alias("other"),
        right.is_null().sum().alias("left"),
        left.is_null().sum().alias("right"),
    ]);
    counted.collect().unwrap()
}

/// Every row of one side beside every row of the other that has its key.
pub(crate) fn plain_join(sides: &Sides) {
    let (left, right) = (side(&sides.actual), side(&sides.target));
    let args = JoinArgs::new(JoinType::Full);
    let counted = count(left.join(right, keys(), keys(), args));
    let of = |name| of_each_hundred(sides.rows, &counted, name);
    // The key in two rows is two pairs that differ.
    assert_eq!((of("same"), of("other")), (SAME, 3));
    assert_eq!((of("left"), of("right")), (LEDGER_ALONE, 1));
}

/// Counts and sums of each key, then one row of one side beside one row of the other.
pub(crate) fn gathered_join(sides: &Sides) {
    let gathered = |files| {
        let sums = [col("amount").sum(), len().alias("rows")];
        // A frame of its own, so that both sides are not gathered at once.
        side(files)
            .group_by(keys())
            .agg(sums)
            .collect()
            .unwrap()
            .lazy()
    };
    let (left, right) = (gathered(&sides.actual), gathered(&sides.target));
    let args = JoinArgs::new(JoinType::Full);
    let counted = count(left.join(right, keys(), keys(), args));
    let of = |name| of_each_hundred(sides.rows, &counted, name);
    assert_eq!((of("same"), of("other")), (SAME + 1, 1));
    assert_eq!((of("left"), of("right")), (LEDGER_ALONE, 1));
}
