use super::*;

fn amount(units: i128) -> Amount {
    Amount::new(units, 2).unwrap()
}

fn total(groups: u64, rows: (u64, u64), sums: (i128, i128)) -> ClassTotal {
    ClassTotal {
        groups,
        rows: Sides {
            actual: rows.0,
            target: rows.1,
        },
        sums: Sides {
            actual: amount(sums.0),
            target: amount(sums.1),
        },
    }
}

/// One match of 5.00, one difference of 1.00, one open row of 2.00 of the ledger.
fn scope() -> ScopeMatch {
    let nothing = || Listed {
        items: Vec::new(),
        unlisted: 0,
        unlisted_sum: amount(0),
    };
    let difference = GroupItem {
        key: Some("B".into()),
        rows: Sides {
            actual: 1,
            target: 1,
        },
        sums: Sides {
            actual: amount(400),
            target: amount(300),
        },
        difference: amount(100),
        oldest: Sides::default(),
        first: Sides::default(),
    };
    ScopeMatch {
        company: "EC_NG".into(),
        gl: "13003".into(),
        rows: Sides {
            actual: 3,
            target: 2,
        },
        sums: Sides {
            actual: amount(1_100),
            target: amount(800),
        },
        classes: BTreeMap::from([
            (Class::OneToOne, total(1, (1, 1), (500, 500))),
            (Class::Difference, total(1, (1, 1), (400, 300))),
            (Class::ActualOnly, total(1, (1, 0), (200, 0))),
        ]),
        ageing: Sides {
            actual: BTreeMap::from([(
                AgeBucket::NoDate,
                AgedTotal {
                    rows: 1,
                    sum: amount(200),
                },
            )]),
            target: BTreeMap::new(),
        },
        open: Sides {
            actual: Listed {
                items: Vec::new(),
                unlisted: 1,
                unlisted_sum: amount(200),
            },
            target: nothing(),
        },
        groups: BTreeMap::from([(
            Class::Difference,
            Listed {
                items: vec![difference],
                unlisted: 0,
                unlisted_sum: amount(0),
            },
        )]),
    }
}

#[test]
fn a_result_proves_itself_and_no_number_of_it_can_be_changed() {
    assert_eq!(scope().prove(), Ok(()));
    assert_eq!(scope().difference(), Ok(amount(300)));
    type Change = fn(&mut ScopeMatch);
    let changes: [(&str, Change); 8] = [
        ("rows read and rows of all classes", |scope| {
            scope.rows.target += 1;
        }),
        (
            "actual − target and the sum of what is open or differs",
            |scope| scope.sums.actual = amount(1_101),
        ),
        ("the sums of a match", |scope| {
            let matched = scope.classes.get_mut(&Class::OneToOne).unwrap();
            matched.sums.actual = amount(501);
        }),
        ("open rows and their ages", |scope| {
            scope.ageing.actual.clear();
        }),
        ("sums of open rows and of their ages", |scope| {
            scope.ageing.actual.get_mut(&AgeBucket::NoDate).unwrap().sum = amount(1);
        }),
        ("open rows and their list", |scope| {
            scope.open.actual.unlisted = 0;
        }),
        ("sums of open rows and of their list", |scope| {
            scope.open.actual.unlisted_sum = amount(1);
        }),
        ("differences of a class and their list", |scope| {
            scope
                .groups
                .get_mut(&Class::Difference)
                .unwrap()
                .unlisted_sum = amount(1);
        }),
    ];
    for (expected, change) in changes {
        let mut scope = scope();
        change(&mut scope);
        let Err(ProofError::Contradiction { what, .. }) = scope.prove() else {
            panic!("{expected} was not noticed");
        };
        assert_eq!(what, expected);
    }
}

#[test]
fn a_missing_amount_leaves_the_question_open() {
    let mut scope = scope();
    assert!(scope.is_conclusive());
    let total = scope.classes[&Class::Difference].clone();
    scope.classes.insert(Class::AmountMissing, total);
    assert!(!scope.is_conclusive());
}
