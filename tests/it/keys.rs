//! Uniqueness of the true key: found across parts and passes, named, and never taken from hashes alone.

use bytes::Bytes;
use soxauto::adapters::store;
use soxauto::domain::digest::sha256_hex;
use soxauto::domain::keys::KeyAudit;
use soxauto::domain::limits::Limits;
use soxauto::domain::manifest::PartFile;
use soxauto::kernels::keys::hashes;
use soxauto::pipeline::keys::{audit, sidecar_path};
use soxauto::ports::{PortErrorKind, StoreRoot};

use crate::evidence::sample::{context, contract, staged};

/// Rows of two runs of the sample: every key of the second is in the first already.
async fn two_runs(staging: &StoreRoot, rows: [i32; 2]) -> Vec<PartFile> {
    let mut parts = Vec::new();
    for (number, rows) in (1..).zip(rows) {
        parts.extend(staged(staging, &context(number), rows).await.parts);
    }
    parts
}

async fn audited(staging: &StoreRoot, parts: &[PartFile], limits: &Limits) -> KeyAudit {
    audit(staging, &contract(), parts, limits).await.unwrap()
}

#[tokio::test]
async fn unique_keys_are_counted_and_nothing_is_named() {
    let staging = store::memory();
    let parts = two_runs(&staging, [1_500, 0]).await;
    assert!(parts.len() > 3, "several parts");
    let found = audited(&staging, &parts, &Limits::default()).await;
    let expected = KeyAudit {
        rows: 1_500,
        passes: 1,
        ..KeyAudit::default()
    };
    assert_eq!(found, expected);
}

#[tokio::test]
async fn repeated_keys_are_found_across_parts_whatever_the_number_of_passes() {
    let staging = store::memory();
    let parts = two_runs(&staging, [1_500, 3]).await;
    let one_pass = audited(&staging, &parts, &Limits::default()).await;
    assert_eq!((one_pass.repeated_keys, one_pass.candidates), (3, 3));
    let first = &one_pass.repeated[0];
    assert_eq!(
        (first.key.as_str(), first.rows),
        ("id_company = EC_KE, entry_no = 2", 2)
    );
    let last = parts.len() - 1;
    assert_eq!(
        first.places,
        ["part 0 row 2".to_owned(), format!("part {last} row 2")]
    );
    let small = Limits {
        key_pass_bytes_max: 800,
        ..Limits::default()
    };
    let many_passes = audited(&staging, &parts, &small).await;
    assert!(many_passes.passes > 10);
    let passes = one_pass.passes;
    assert_eq!(
        KeyAudit {
            passes,
            ..many_passes
        },
        one_pass
    );
}

/// Two different keys with one hash are no finding: the whole keys are compared.
#[tokio::test]
async fn equal_hashes_of_different_keys_are_no_repeated_key() {
    let staging = store::memory();
    let mut parts = two_runs(&staging, [90, 0]).await;
    let path = sidecar_path(&parts[0].path);
    let mut forged: Vec<u64> = hashes(&staging.get(&path).await.unwrap()).collect();
    forged[7] = forged[3];
    let bytes: Vec<u8> = forged.iter().flat_map(|hash| hash.to_le_bytes()).collect();
    parts[0].keys_sha256 = sha256_hex(&bytes);
    let other = store::memory();
    other.create(&path, Bytes::from(bytes)).await.unwrap();
    let part = staging.get(&parts[0].path).await.unwrap();
    other.create(&parts[0].path, part).await.unwrap();
    parts[0].uri = other.uri_of(&parts[0].path);
    let found = audited(&other, &parts[..1], &Limits::default()).await;
    assert_eq!((found.candidates, found.repeated_keys), (1, 0));
}

#[tokio::test]
async fn personal_values_of_a_key_are_masked() {
    let staging = store::memory();
    let parts = two_runs(&staging, [30, 1]).await;
    let mut contract = contract();
    contract.columns[1].personal = true;
    let found = audit(&staging, &contract, &parts, &Limits::default()).await;
    let found = found.unwrap();
    assert_eq!(
        found.repeated[0].key,
        "id_company = EC_NG, entry_no = (personal)"
    );
}

#[tokio::test]
async fn more_repeats_than_may_be_read_are_counted_as_unread() {
    let staging = store::memory();
    let parts = two_runs(&staging, [400, 400]).await;
    let limits = Limits {
        key_rows_read_max: 100,
        ..Limits::default()
    };
    let found = audited(&staging, &parts, &limits).await;
    assert_eq!(found.candidates, 400);
    assert!(found.unread >= 600, "{found:#?}");
}

#[tokio::test]
async fn a_sidecar_that_was_changed_or_cut_is_corrupt() {
    let staging = store::memory();
    let parts = two_runs(&staging, [90, 0]).await;
    let path = sidecar_path(&parts[0].path);
    let bytes = staging.get(&path).await.unwrap();
    let changed = [&bytes[..8], &[1_u8], &bytes[9..]].concat();
    let cut = bytes[..bytes.len() - 8].to_vec();
    for bytes in [changed, cut] {
        let other = store::memory();
        other.create(&path, Bytes::from(bytes)).await.unwrap();
        let error = audit(&other, &contract(), &parts[..1], &Limits::default()).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt);
        assert!(error.to_string().contains(".keys"), "{error}");
    }
}
