//! Random rows against a plain map, however the work is cut.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Few keys in several spellings, few companies and amounts: every class comes up.
pub(super) fn rows() -> impl Strategy<Value = Vec<Row>> {
    let keys = [
        None,
        Some(""),
        Some("a"),
        Some(" A "),
        Some("b"),
        Some("B.0"),
        Some("7"),
        Some("7.0"),
        Some("c"),
        Some("d"),
        Some("e"),
        Some("f"),
    ];
    let company = select(&[None, Some("X"), Some("x "), Some("Y")]);
    let gl = select(&[Some("1"), Some("1"), Some("2"), None]);
    let cents = prop_oneof![12 => (-3_i128..4).prop_map(Some), 1 => Just(None)];
    let day = prop_oneof![9 => (APRIL_END - 500..APRIL_END + 40).prop_map(Some), 1 => Just(None)];
    let row = (company, gl, select(keys.to_vec()), cents, day);
    let text = |text: Option<&str>| text.map(str::to_owned);
    let row = row.prop_map(move |(company, gl, key, cents, day)| Row {
        company: text(company),
        gl: text(gl),
        key: text(key),
        cents,
        day,
    });
    proptest::collection::vec(row, 0..60)
}

/// Amount, key and day.
type Open = (i128, Option<String>, Option<i32>);

/// Classes, ages and open rows of a company and GL, without places.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plain {
    classes: Classes,
    ages: [BTreeMap<AgeBucket, (u64, i128)>; 2],
    open: [Vec<Open>; 2],
}

fn normal(text: &Option<String>) -> String {
    let text = text.clone().unwrap_or_default();
    let upper = text.trim().to_uppercase();
    match upper.strip_suffix(".0") {
        Some(short) if !short.is_empty() => short.to_owned(),
        _ => upper,
    }
}

/// The same by a plain map of whole rows.
fn plain(sides: [&[Row]; 2], group_rows_max: usize) -> BTreeMap<(String, String), Plain> {
    let mut groups: HashMap<(String, String, String, usize), [Vec<&Row>; 2]> = HashMap::new();
    for (side, rows) in sides.into_iter().enumerate() {
        for (number, row) in rows.iter().enumerate() {
            let [company, gl, key] = [&row.company, &row.gl, &row.key].map(normal);
            let is_matchable = ![&company, &gl, &key].iter().any(|text| text.is_empty());
            // What cannot match is a group of its own.
            let apart = if is_matchable {
                0
            } else {
                1 + side + 2 * number
            };
            groups.entry((company, gl, key, apart)).or_default()[side].push(row);
        }
    }
    let mut found: BTreeMap<(String, String), Plain> = BTreeMap::new();
    let period = "2024-04".parse().unwrap();
    for ((company, gl, key, _), sides) in groups {
        let plain = found.entry((company, gl)).or_default();
        let counts = sides.each_ref().map(Vec::len);
        let sums = sides
            .each_ref()
            .map(|rows| -> i128 { rows.iter().map(|row| row.cents.unwrap_or(0)).sum() });
        let missing = sides.iter().flatten().any(|row| row.cents.is_none());
        let class = match counts {
            _ if missing => Class::AmountMissing,
            [_, 0] => Class::ActualOnly,
            [0, _] => Class::TargetOnly,
            [left, right] if left.min(right) > 1 && left + right > group_rows_max => {
                Class::TooLarge
            }
            _ if sums[0] != sums[1] => Class::Difference,
            [1, 1] => Class::OneToOne,
            [1, _] => Class::OneToMany,
            [_, 1] => Class::ManyToOne,
            _ => Class::ManyToMany,
        };
        let total = plain.classes.entry(class).or_default();
        total.0 += 1;
        for side in [0, 1] {
            total.1[side] += u64::try_from(counts[side]).unwrap();
            total.2[side] += sums[side];
            if class == [Class::ActualOnly, Class::TargetOnly][side] {
                for row in &sides[side] {
                    let date = row.day.and_then(chrono::NaiveDate::from_epoch_days);
                    let age = plain.ages[side].entry(AgeBucket::of(date, period).1);
                    let age = age.or_default();
                    age.0 += 1;
                    age.1 += row.cents.unwrap();
                    let key = Some(key.clone()).filter(|key| !key.is_empty());
                    plain.open[side].push((row.cents.unwrap(), key, row.day));
                }
            }
        }
    }
    found
        .values_mut()
        .flat_map(|plain| &mut plain.open)
        .for_each(|open| open.sort());
    found
}

pub(super) fn without_places(matched: &Matched) -> BTreeMap<(String, String), Plain> {
    let scopes = matched.scopes.iter().map(|scope| {
        let sides = [Side::Actual, Side::Target];
        let ages = sides.map(|side| {
            let ages = scope.ageing.of(side).iter();
            ages.map(|(bucket, aged)| (*bucket, (aged.rows, aged.sum.units())))
                .collect()
        });
        let open = sides.map(|side| {
            let items = scope.open.of(side).items.iter();
            let items = items.map(|item| {
                let day = item.date.map(|date| date.to_epoch_days());
                (item.amount.units(), item.key.clone(), day)
            });
            let mut items: Vec<_> = items.collect();
            items.sort();
            items
        });
        let classes = classes(scope);
        let name = (scope.company.clone(), scope.gl.clone());
        (
            name,
            Plain {
                classes,
                ages,
                open,
            },
        )
    });
    scopes.collect()
}

/// Groups of all lists without places.
pub(super) fn listed(matched: &Matched) -> Vec<String> {
    let groups = matched.scopes.iter().flat_map(|scope| &scope.groups);
    let groups = groups.flat_map(|(class, listed)| {
        listed
            .items
            .iter()
            .map(move |item| format!("{class:?} {:?} {:?} {:?}", item.key, item.sums, item.oldest))
    });
    let mut groups: Vec<_> = groups.collect();
    groups.sort();
    groups
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn matching_is_what_a_plain_map_says_however_it_is_cut(
        mut actual in rows(),
        mut target in rows(),
        partitions in 1_usize..9,
        chunk_bytes in 1_usize..400,
        held_bytes_max in 0_usize..2_000,
        group_rows_max in 2_u64..8,
        poor_hash in any::<bool>(),
        threads in 1_usize..4,
    ) {
        let mut how = How::default();
        how.limits.group_rows_max = group_rows_max;
        let whole = how.try_match(&actual, &target).unwrap();
        let expected = plain([&actual, &target], usize::try_from(group_rows_max).unwrap());
        prop_assert_eq!(without_places(&whole), expected);

        how.partitions = Some(partitions);
        how.limits.chunk_bytes = chunk_bytes;
        how.limits.held_bytes_max = held_bytes_max;
        how.limits.threads = threads;
        if poor_hash {
            how.hash = |_, _| 7;
        }
        let cut = how.try_match(&actual, &target).unwrap();
        prop_assert_eq!(&cut.scopes, &whole.scopes);

        actual.reverse();
        let middle = target.len() / 2;
        target.rotate_left(middle);
        let turned = how.try_match(&actual, &target).unwrap();
        prop_assert_eq!(without_places(&turned), without_places(&whole));
        prop_assert_eq!(listed(&turned), listed(&whole));
    }
}

#[test]
fn keys_of_one_hash_are_told_apart_and_counted() {
    let how = How {
        hash: |_, _| 7,
        ..How::default()
    };
    let rows = [row("a", 1), row("b", 2), row("c", 4)];
    let matched = how.try_match(&rows, &[row("b", 2), row("d", 4)]).unwrap();
    assert_eq!(matched.work.collisions, 3);
    let found = classes(&only(matched));
    assert_eq!(found[&Class::OneToOne], (1, [1, 1], [2, 2]));
    assert_eq!(found[&Class::ActualOnly], (2, [2, 0], [5, 0]));
    assert_eq!(found[&Class::TargetOnly], (1, [0, 1], [0, 4]));
}
