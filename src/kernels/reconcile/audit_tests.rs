use super::super::cells::{code, key};
use super::super::samples::{numbers, table, texts};
use super::*;

fn side(frame: &DataFrame) -> Side<'_> {
    let key = vec![
        code(frame, "id_company").unwrap(),
        key(frame, "id").unwrap(),
    ];
    Side { frame, key }
}

#[test]
fn a_join_that_would_explode_is_counted_before_it_is_done() {
    let ledger = table(vec![
        texts("id_company", &["A", "A", "A", "B", "A", "A"]),
        texts("id", &[" v1", "V1.0", "v2", "v1", "-", " "]),
    ]);
    let usage = table(vec![
        texts("id_company", &["A", "A", "A", "A"]),
        texts("id", &["V1", "v1 ", "v3", "-"]),
    ]);
    let found = audit("ledger = usage", &side(&ledger.frame), &side(&usage.frame)).unwrap();
    let left = &found.left;
    assert_eq!((left.rows, left.without_key, left.keys), (6, 2, 3));
    assert_eq!((left.duplicate_keys, left.duplicate_rows), (1, 2));
    let right = &found.right;
    assert_eq!((right.rows, right.without_key, right.keys), (4, 1, 2));
    assert_eq!((right.duplicate_keys, right.duplicate_rows), (1, 2));
    // Both rows of A's V1 would become two; the key of B is another one.
    assert_eq!((found.keys_matched, found.rows_joined), (1, 8));
    assert!(found.multiplies());
    let sample = &sha256_hex("A\u{1f}V1".as_bytes())[..16];
    assert_eq!(left.samples, [sample]);
}

#[test]
fn a_join_on_keys_that_stand_once_is_harmless() {
    let ledger = table(vec![
        texts("id_company", &["A", "A"]),
        numbers("id", &["12345", "12345"]),
    ]);
    let vouchers = table(vec![texts("id_company", &["A"]), texts("id", &["12345.0"])]);
    let found = audit("x", &side(&ledger.frame), &side(&vouchers.frame)).unwrap();
    assert!(!found.multiplies());
    assert_eq!((found.keys_matched, found.rows_joined), (1, 2));
    assert_eq!(found.right.samples, Vec::<String>::new());
    let none = table(vec![texts("id_company", &[]), texts("id", &[])]);
    let found = audit("x", &side(&none.frame), &side(&none.frame)).unwrap();
    assert_eq!((found.rows_joined, found.left.keys), (0, 0));
}

#[test]
fn many_duplicates_are_counted_and_few_are_named() {
    let ids: Vec<String> = (0..20)
        .flat_map(|n| [format!("{n}"), format!("{n}.0")])
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let many = table(vec![texts("id_company", &vec!["A"; 40]), texts("id", &ids)]);
    let found = audit("x", &side(&many.frame), &side(&many.frame)).unwrap();
    assert_eq!(
        (found.left.duplicate_keys, found.left.samples.len()),
        (20, SAMPLES)
    );
    assert_eq!(found.rows_joined, 80);
}
