use super::*;
use crate::domain::digest::hex;
use crate::kernels::samples;

#[test]
fn published_vectors() {
    let contract = samples::vector_contract();
    let batch = samples::vector_batch();
    let layout = RowLayout::digested(&contract);
    let rows = layout.bind(&batch).unwrap();
    for (row, (text, hash, limbs, bucket)) in samples::VECTORS.into_iter().enumerate() {
        let mut out = Vec::new();
        rows.write(row, &mut out).unwrap();
        assert_eq!(String::from_utf8(out.clone()).unwrap(), text);
        assert_eq!(hex(&Sha256::digest(&out)), hash);
        let mut fold = DigestFold::new(&contract);
        fold.fold(&batch.slice(row, 1)).unwrap();
        let digested = fold.finish();
        assert_eq!(digested.total, TableDigest { rows: 1, limbs });
        assert_eq!(digested.buckets[bucket], digested.total);
    }
    let mut fold = DigestFold::new(&contract);
    fold.fold(&batch).unwrap();
    let total = fold.finish().total;
    assert_eq!(total.to_string(), samples::VECTOR_DIGEST);
    assert_eq!(total.fingerprint(), samples::VECTOR_FINGERPRINT);
}

#[test]
fn no_rows_have_the_empty_digest() {
    let digested = DigestFold::new(&samples::vector_contract()).finish();
    assert_eq!(digested.total, TableDigest::default());
    assert_eq!(digested.buckets.len(), BUCKETS);
}

#[test]
fn another_batch_is_refused() {
    let contract = samples::vector_contract();
    let batch = samples::vector_batch().project(&[1, 0, 2, 3, 4]).unwrap();
    let error = DigestFold::new(&contract).fold(&batch).unwrap_err();
    assert!(
        matches!(error, KernelError::ColumnName { ordinal: 0, .. }),
        "{error}"
    );
}
