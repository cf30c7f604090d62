//! What is held in memory, and what is refused.

use super::*;

/// So many rows a side, half of the keys on both.
fn sides(count: usize) -> [Vec<Row>; 2] {
    let side = |first: usize| {
        let keys = first..first + count;
        let rows = keys.map(|key| Row {
            key: Some(format!("k{key}")),
            ..row(None, 1)
        });
        rows.collect()
    };
    [side(0), side(count / 2)]
}

fn small() -> How {
    let mut how = How::default();
    how.limits.partition_bytes = 64 * groups::GROUP_BYTES;
    how.limits.chunk_bytes = 1 << 10;
    how.limits.held_bytes_max = 8 << 10;
    how
}

#[test]
fn more_rows_take_more_partitions_and_no_more_memory() {
    let how = small();
    let work = |count: usize| {
        let [actual, target] = sides(count);
        let matched = how.try_match(&actual, &target).unwrap();
        let both = classes(&matched.scopes[0])[&Class::OneToOne].0;
        assert_eq!(usize::try_from(both).unwrap(), count / 2);
        matched.work
    };
    let (few, many) = (work(500), work(5_000));
    assert_eq!((few.partitions, many.partitions), (16, 157));
    for work in [few, many] {
        assert!(work.groups_peak <= 128, "{}", work.groups_peak);
        assert!(work.held_bytes <= 8 << 10, "{}", work.held_bytes);
    }
    // The rest of ten thousand rows went to the scratch file.
    assert!(many.scratch_bytes > 100_000, "{}", many.scratch_bytes);
    // With room enough it is never made.
    let [actual, target] = sides(500);
    assert_eq!(matched(&actual, &target).work.scratch_bytes, 0);
}

#[test]
fn one_key_takes_one_entry_however_many_rows_it_has() {
    let how = small();
    let (actual, target) = (vec![row("k", 1); 4_000], vec![row("k", 1); 4_000]);
    let matched = how.try_match(&actual, &target).unwrap();
    assert_eq!(matched.work.groups_peak, 1);
    let found = classes(&only(matched));
    assert_eq!(
        found,
        BTreeMap::from([(Class::TooLarge, (1, [4_000; 2], [4_000; 2]))])
    );
    let matched = how.try_match(&actual, &[]).unwrap();
    assert_eq!(matched.work.groups_peak, 1);
    let scope = only(matched);
    assert_eq!(scope.classes[&Class::ActualOnly].rows.actual, 4_000);
    let open = &scope.open.actual;
    assert_eq!((open.items.len(), open.unlisted), (1_000, 3_000));
}

#[test]
fn what_is_beyond_a_limit_is_refused_by_its_name() {
    let refused = |change: fn(&mut How), rows: usize| {
        let mut how = small();
        change(&mut how);
        let [actual, target] = sides(rows);
        how.try_match(&actual, &target).unwrap_err().to_string()
    };
    type Change = fn(&mut How);
    let changes: [(Change, usize, &str); 5] = [
        (
            |how| how.limits.partitions_max = 2,
            65,
            "matching has more than 128 rows",
        ),
        (
            |how| how.limits.scopes_max = 0,
            1,
            "matching has more than 0 pairs of a company and a GL",
        ),
        (
            |how| how.limits.key_bytes_max = 2,
            11,
            "the key of row 3 in part 1 of the actual rows has 3 bytes, the limit is 2",
        ),
        (
            |how| how.limits.scratch_bytes_max = 2_000,
            500,
            "the rows to match need more than 2000 bytes",
        ),
        (
            |how| how.partitions = Some(1),
            5_000,
            "matching has more than 1128 keys in one partition",
        ),
    ];
    for (change, rows, expected) in changes {
        let error = refused(change, rows);
        assert_eq!(error.lines().next(), Some(expected));
    }
}

#[test]
fn a_sum_that_no_number_holds_is_an_error_and_never_wraps() {
    let most = 10_i128.pow(38) - 1;
    let rows = [row("a", most), row("b", most)];
    for rows in [&rows[..], &[row("a", most), row("b", 1)]] {
        let error = How::default().try_match(rows, &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a sum of the actual rows of EC_NG 13003 is beyond 38 digits"
        );
    }
    assert!(How::default().try_match(&rows[..1], &[]).is_ok());
}

#[test]
fn scratch_that_changed_is_noticed() {
    struct Changed(Waiting);
    impl Scratch for Changed {
        fn append(&self, bytes: &[u8]) -> Result<u64, PortError> {
            self.0.append(bytes)
        }
        fn read(&self, at: u64, into: &mut [u8]) -> Result<(), PortError> {
            self.0.read(at, into)?;
            into[0] ^= 1;
            Ok(())
        }
    }
    let scratch = Changed(Waiting::default());
    let limits = MatchingLimits {
        held_bytes_max: 0,
        ..MatchingLimits::default()
    };
    let matching = Matching::new(rule(), 2, limits, &scratch).unwrap();
    let mut left = matching.splitter(Side::Actual);
    let first = RowPlace { part: 0, row: 0 };
    left.add_batch(first, &batch(&[row("a", 1)]), None).unwrap();
    let halves = Sides {
        actual: left.finish().unwrap(),
        target: matching.splitter(Side::Target).finish().unwrap(),
    };
    let error = matching.join(halves).unwrap_err();
    assert!(matches!(error, MatchError::Port(_)), "{error}");
    assert!(error.to_string().contains("read back differently"));
}
