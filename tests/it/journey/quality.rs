//! Rules of an item's values: each holds the item for its own reason when it does not hold, and is silent otherwise.

use super::population::{assert_fails, failed, run_altered};
use super::{Place, assert_sealed};

const RULES: [&str; 1] = ["quality.rules"];

async fn assert_held(from: &str, to: &str, message: &str) {
    assert_fails(&[("ipe.toml", from, to)], &RULES, message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_rows_hold_the_item() {
    let wanted = "2000 rows, at most 1999 are expected";
    assert_held("[quality]\n", "[quality]\nrows_max = 1999\n", wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_and_numbers_beyond_their_bounds_hold_the_item() {
    let wanted = "rows are dated 2024-04-01 or later";
    assert_held("before = \"@next_start\"", "before = \"@start\"", wanted).await;
    let of = "name = \"rem_amt_lcy\"\nmeaning = \"amount\"";
    let bound = format!("{of}\nmin = \"0\"");
    assert_held(of, &bound, "column `rem_amt_lcy`").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sum_that_is_not_zero_holds_the_item_and_one_that_is_not_asked_for_does_not() {
    let of = "name = \"rem_amt_lcy\"\nmeaning = \"amount\"";
    let zero = format!("{of}\nsum = \"zero\"");
    assert_held(of, &zero, "does not add up to zero").await;
    let place = Place::new();
    let other = format!("{of}\nsum = \"not_zero\"");
    let item = run_altered(&place, &[("ipe.toml", of, &other)]).await;
    assert_eq!(failed(&item), Vec::<&str>::new());
    assert_sealed(&item).await;
}
