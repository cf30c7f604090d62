//! Every class, its negative twin, and the edges between them.

use super::*;

#[test]
fn every_class_is_what_its_rows_are_to_each_other() {
    let actual = [
        row("one", 100),
        row("few", 300),
        row("many", 100),
        row("many", 200),
        row("both", 100),
        row("both", 250),
        row("other", 100),
        row("alone", 70),
    ];
    let target = [
        row("one", 100),
        row("few", 100),
        row("few", 200),
        row("many", 300),
        row("both", 200),
        row("both", 150),
        row("other", 101),
        row("here", -30),
    ];
    let scope = only(matched(&actual, &target));
    assert_eq!(
        classes(&scope),
        BTreeMap::from([
            (Class::OneToOne, (1, [1, 1], [100, 100])),
            (Class::OneToMany, (1, [1, 2], [300, 300])),
            (Class::ManyToOne, (1, [2, 1], [300, 300])),
            (Class::ManyToMany, (1, [2, 2], [350, 350])),
            (Class::Difference, (1, [1, 1], [100, 101])),
            (Class::ActualOnly, (1, [1, 0], [70, 0])),
            (Class::TargetOnly, (1, [0, 1], [0, -30])),
        ])
    );
    assert_eq!(scope.difference(), Ok(cents(70 + 30 - 1)));
    let [difference] = scope.groups[&Class::Difference].items.as_slice() else {
        panic!("one difference");
    };
    assert_eq!(difference.key.as_deref(), Some("OTHER"));
    assert_eq!(difference.difference, cents(-1));
    assert_eq!(difference.first.actual, Some(RowPlace { part: 0, row: 6 }));
    assert_eq!(difference.first.target, Some(RowPlace { part: 0, row: 6 }));
    let [alone] = scope.open.actual.items.as_slice() else {
        panic!("one open row");
    };
    assert_eq!(alone.key.as_deref(), Some("ALONE"));
    assert_eq!(alone.because, OpenBecause::NoCounterpart);
    assert_eq!((alone.amount, alone.age_months), (cents(70), Some(0)));
    assert_eq!(alone.place, RowPlace { part: 1, row: 0 });
    assert_eq!(scope.ageing.target[&AgeBucket::BelowOne].sum, cents(-30));
}

#[test]
fn spellings_of_a_key_match_and_different_keys_do_not() {
    let actual = [row(" abc-77 ", 1), row("12345.0", 2), row("Café", 4)];
    let target = [row("ABC-77", 1), row("12345", 2), row("CAFE", 4)];
    let found = classes(&only(matched(&actual, &target)));
    assert_eq!(found[&Class::OneToOne], (2, [2, 2], [3, 3]));
    assert_eq!(found[&Class::ActualOnly], (1, [1, 0], [4, 0]));
    assert_eq!(found[&Class::TargetOnly], (1, [0, 1], [0, 4]));
}

#[test]
fn nothing_matches_across_companies_and_gls() {
    let elsewhere = |company: &str, gl: &str| Row {
        company: Some(company.into()),
        gl: Some(gl.into()),
        ..row("k", 5)
    };
    let actual = [elsewhere("EC_NG", "13003")];
    let target = [elsewhere("EC_KE", "13003"), elsewhere("EC_NG", "13004")];
    let matched = matched(&actual, &target);
    let found: Vec<_> = matched
        .scopes
        .iter()
        .map(|scope| {
            let classes: Vec<_> = scope.classes.keys().copied().collect();
            (scope.company.as_str(), scope.gl.as_str(), classes)
        })
        .collect();
    assert_eq!(
        found,
        [
            ("EC_KE", "13003", vec![Class::TargetOnly]),
            ("EC_NG", "13003", vec![Class::ActualOnly]),
            ("EC_NG", "13004", vec![Class::TargetOnly]),
        ]
    );
    // The spelling of company and GL is no difference.
    let same = elsewhere(" ec_ng ", "13003.0");
    let found = classes(&only(super::matched(&actual, &[same])));
    assert_eq!(found[&Class::OneToOne].0, 1);
}

#[test]
fn rows_without_key_company_or_gl_are_open_and_say_why() {
    let nowhere = Row {
        company: None,
        ..row("k", 1)
    };
    let no_gl = Row {
        gl: Some(" ".into()),
        ..row("k", 2)
    };
    let actual = [row(None, 5), row("  ", 7), nowhere.clone(), no_gl.clone()];
    let matched = matched(&actual, &[row(None, 5), row("", 7), nowhere, no_gl]);
    let found = matched.scopes.iter().map(|scope| {
        let reasons = scope.open.actual.items.iter();
        let reasons: Vec<_> = reasons.map(|item| (item.because, item.amount)).collect();
        (scope.company.as_str(), scope.gl.as_str(), reasons)
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("", "13003", vec![(OpenBecause::NoScope, cents(1))]),
            ("EC_NG", "", vec![(OpenBecause::NoScope, cents(2))]),
            (
                "EC_NG",
                "13003",
                vec![
                    (OpenBecause::NoKey, cents(7)),
                    (OpenBecause::NoKey, cents(5))
                ]
            ),
        ]
    );
    for scope in &matched.scopes {
        let classes: Vec<_> = scope.classes.keys().copied().collect();
        assert_eq!(classes, [Class::ActualOnly, Class::TargetOnly]);
    }
}

#[test]
fn a_missing_amount_is_neither_zero_nor_a_match_nor_open() {
    let actual = [
        row("a", 100),
        row("a", None),
        row("b", None),
        row(None, None),
    ];
    let scope = only(matched(&actual, &[row("a", 100), row("c", 0)]));
    assert!(!scope.is_conclusive());
    assert_eq!(
        classes(&scope),
        BTreeMap::from([
            (Class::AmountMissing, (3, [4, 1], [100, 100])),
            (Class::TargetOnly, (1, [0, 1], [0, 0])),
        ])
    );
    let keys = scope.groups[&Class::AmountMissing].items.iter();
    let keys: BTreeSet<_> = keys.map(|item| item.key.clone()).collect();
    assert_eq!(
        keys,
        BTreeSet::from([None, Some("A".to_owned()), Some("B".to_owned())])
    );
    // An amount of zero is one.
    let zero = only(matched(&[row("c", 0)], &[row("c", 0)]));
    assert!(zero.is_conclusive());
    assert_eq!(classes(&zero)[&Class::OneToOne].0, 1);
}

#[test]
fn a_side_without_rows_leaves_the_other_open() {
    let rows = [row("a", 1), row("a", 2), row("b", 3)];
    let scope = only(matched(&[], &rows));
    let open = (2, [0, 3], [0, 6]);
    assert_eq!(classes(&scope), BTreeMap::from([(Class::TargetOnly, open)]));
    assert_eq!(scope.open.target.items.len(), 3);
    assert_eq!(scope.difference(), Ok(cents(-6)));
    assert_eq!(matched(&[], &[]).scopes, []);
}

#[test]
fn many_to_many_ends_where_nobody_can_look_through_it() {
    let mut how = How::default();
    how.limits.group_rows_max = 5;
    let rows = |count: usize| vec![row("k", 1); count];
    for (actual, target, class) in [
        (2, 3, Class::Difference),
        (2, 2, Class::ManyToMany),
        (3, 3, Class::TooLarge),
        (2, 4, Class::TooLarge),
        // One against many is no question of which belongs to which.
        (1, 9, Class::Difference),
        (9, 1, Class::Difference),
    ] {
        let scope = only(how.try_match(&rows(actual), &rows(target)).unwrap());
        let found: Vec<_> = scope.classes.keys().copied().collect();
        assert_eq!(found, [class], "{actual}:{target}");
    }
    let scope = only(how.try_match(&rows(3), &rows(3)).unwrap());
    let [group] = scope.groups[&Class::TooLarge].items.as_slice() else {
        panic!("one group");
    };
    assert_eq!((group.rows.actual, group.difference), (3, cents(0)));
}

#[test]
fn a_tolerance_forgives_so_much_and_not_one_unit_more() {
    let mut how = How::default();
    how.rule.tolerance = cents(2);
    let actual = [row("a", 100), row("b", 100), row("c", 100), row("d", 100)];
    let target = [row("a", 102), row("b", 98), row("c", 103), row("d", 100)];
    let scope = only(how.try_match(&actual, &target).unwrap());
    let found = classes(&scope);
    assert_eq!(found[&Class::WithinTolerance], (2, [2, 2], [200, 200]));
    assert_eq!(found[&Class::Difference], (1, [1, 1], [100, 103]));
    assert_eq!(found[&Class::OneToOne], (1, [1, 1], [100, 100]));
    // What is forgiven is listed all the same.
    assert_eq!(scope.groups[&Class::WithinTolerance].items.len(), 2);
    let exact = only(super::matched(&actual, &target));
    assert_eq!(classes(&exact)[&Class::Difference].0, 3);
}

#[test]
fn lists_keep_the_largest_of_each_company_and_count_the_rest() {
    let mut how = How::default();
    how.limits.items_per_scope_max = 2;
    let company = |company: &str, key, cents: i128| Row {
        company: Some(company.into()),
        ..row(key, cents)
    };
    let actual = [
        company("EC_NG", "a", 1_000),
        company("EC_NG", "a", -5_000),
        company("EC_NG", "b", 3_000),
        company("EC_MA", "c", 7),
        company("EC_NG", "d", 10),
    ];
    let target = [company("EC_NG", "d", 4)];
    let matched = how.try_match(&actual, &target).unwrap();
    let [ma, ng] = matched.scopes.as_slice() else {
        panic!("two companies");
    };
    let amounts = |listed: &Listed<OpenItem>| -> Vec<i128> {
        listed
            .items
            .iter()
            .map(|item| item.amount.units())
            .collect()
    };
    assert_eq!(amounts(&ng.open.actual), [-5_000, 3_000]);
    assert_eq!(
        (ng.open.actual.unlisted, ng.open.actual.unlisted_sum),
        (1, cents(1_000))
    );
    assert_eq!(amounts(&ma.open.actual), [7]);
    assert_eq!(
        (ma.open.actual.unlisted, ma.open.actual.unlisted_sum),
        (0, cents(0))
    );
    // Two companies share what all lists may hold.
    how.limits.items_max = 2;
    let matched = how.try_match(&actual, &target).unwrap();
    assert_eq!(amounts(&matched.scopes[1].open.actual), [-5_000]);
}

#[test]
fn a_personal_key_is_not_in_the_result() {
    let mut how = How::default();
    how.rule.key_is_personal = true;
    let rows = [row("Jane", 1), row("both", 2), row(None, 3)];
    let matched = how.try_match(&rows, &[row("both", 3)]).unwrap();
    let shown = serde_json::to_string(&matched).unwrap();
    assert!(!shown.contains("JANE") && !shown.contains("BOTH"));
    let keys = only(matched).open.actual.items;
    let keys: Vec<_> = keys.into_iter().map(|item| item.key).collect();
    assert_eq!(keys, [None, Some("(personal)".to_owned())]);
}
