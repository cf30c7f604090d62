//! What moved since last month is said to the last digit, what did not is not said, and what nobody knows is no zero.

use super::*;
use crate::domain::check::Verdict;
use crate::domain::reconcile::month::{Month, amount, item};
use crate::domain::reconcile::statement::InputVerdicts;

const COLUMNS: [(&str, &str); 2] = [("id_company", "varchar(20)"), ("amount", "decimal(19,4)")];

fn input(name: &str, rows: u64, total: &str) -> Input {
    let columns =
        COLUMNS.map(|(name, sql_type)| (name.to_owned(), sql_type.parse::<SqlType>().unwrap()));
    Input {
        item: item(name),
        title: String::new(),
        run_id: None,
        status: None,
        manifest_sha256: None,
        rows: Some(rows),
        totals: BTreeMap::from([("amount".to_owned(), amount(total))]),
        schema: Some(Schema {
            version: 1,
            columns: BTreeMap::from(columns),
        }),
        refreshed_at: None,
        verdicts: InputVerdicts {
            transfer: Verdict::Pass,
            population: Verdict::Pass,
            accuracy_positive: Verdict::Pass,
            accuracy_negative: Verdict::Pass,
            all: Verdict::Pass,
        },
        digest: None,
    }
}

fn march(month: &Month) -> Reconciliation {
    let mut result = month.judged();
    result.period = "2024-03".parse().unwrap();
    result
}

/// What April has that March had not.
fn drift(march: (&[Input], &Reconciliation), april: (&[Input], &Reconciliation)) -> Drift {
    let sealed = |(items, result)| Sealed { items, result };
    let drift = since(Some(sealed(march)), sealed(april)).unwrap();
    let json = serde_json::to_string(&drift).unwrap();
    assert_eq!(serde_json::from_str::<Drift>(&json).unwrap(), drift);
    drift
}

fn one(input: &Input) -> &[Input] {
    std::slice::from_ref(input)
}

/// The drift of items alone.
fn of_items(before: &[Input], now: &[Input]) -> Vec<ItemDrift> {
    let result = march(&Month::new());
    drift((before, &result), (now, &result)).items
}

fn texts(moved: &Moved) -> [Option<String>; 3] {
    let Moved {
        before,
        now,
        difference,
    } = moved;
    [before, now, difference].map(|one| one.map(|amount| amount.to_string()))
}

fn known(all: [&str; 3]) -> [Option<String>; 3] {
    all.map(|text| Some(text.to_owned()))
}

#[test]
fn without_last_month_nothing_is_said_and_a_month_that_is_the_same_has_not_moved() {
    let result = Month::new().actual("EC_NG", "13003", "1650000").judged();
    let items = [input("IPE_07", 7, "1.50")];
    let april = Sealed {
        items: &items,
        result: &result,
    };
    assert_eq!(since(None, april), None);
    let same = since(Some(april), april).unwrap();
    assert_eq!((same.items, same.lines), (Vec::new(), Vec::new()));
    // The same number with more digits is the same number.
    let items = of_items(&[input("IPE_07", 7, "1.50")], &[input("IPE_07", 7, "1.5")]);
    assert!(items.is_empty(), "{items:?}");
}

#[test]
fn rows_and_totals_move_to_the_last_digit() {
    let before = [input("IPE_07", 1_000, "-0.25"), input("IPE_10", 5, "1")];
    let now = [
        input("IPE_10", 5, "1"),
        input("IPE_07", 996, "10.00000000000000000001"),
    ];
    let moved = of_items(&before, &now);
    assert_eq!(moved.len(), 1, "{moved:?}");
    let moved = &moved[0];
    assert_eq!(moved.item.as_str(), "IPE_07");
    assert_eq!((moved.presence, &moved.schema), (Presence::Both, &None));
    let rows = moved.rows.unwrap();
    assert_eq!(texts(&rows), known(["1000", "996", "-4"]));
    let total = texts(&moved.totals["amount"]);
    let exact = "10.00000000000000000001";
    assert_eq!(total, known(["-0.25", exact, "10.25000000000000000001"]));
}

#[test]
fn what_is_not_known_is_no_zero_and_what_is_new_or_gone_is_called_so() {
    let known = input("IPE_07", 7, "1.50");
    let mut not_run = known.clone();
    (not_run.rows, not_run.schema) = (None, None);
    not_run.totals.clear();
    let moved = of_items(one(&known), one(&not_run));
    let seven = Some("7".to_owned());
    assert_eq!(texts(&moved[0].rows.unwrap()), [seven, None, None]);
    let total = moved[0].totals["amount"];
    assert_eq!((total.now, total.difference), (None, None));
    assert_eq!(moved[0].schema, Some(SchemaDrift::NotKnown));
    assert!(of_items(one(&not_run), one(&not_run)).is_empty());

    let other = input("IPE_10", 3, "2");
    let moved = of_items(one(&known), one(&other));
    let said = moved
        .iter()
        .map(|drift| (drift.item.as_str(), drift.presence));
    let said: Vec<_> = said.collect();
    assert_eq!(
        said,
        [("IPE_10", Presence::New), ("IPE_07", Presence::Gone)]
    );
    for drift in &moved {
        let rows = drift.rows.unwrap();
        assert_eq!((rows.difference, &drift.schema), (None, &None));
    }
    let widest = "9".repeat(38);
    let moved = of_items(&[input("IPE_07", 1, &widest)], &[input("IPE_07", 1, "-1")]);
    assert_eq!(moved[0].totals["amount"].difference, None);
}

#[test]
fn columns_are_added_removed_and_retyped() {
    let before = input("IPE_10", 5, "1");
    let mut now = before.clone();
    let mut schema = now.schema.take().unwrap();
    schema.version = 2;
    schema.columns.remove("id_company");
    let typed = |text: &str| text.parse::<SqlType>().unwrap();
    let columns = [("amount", "decimal(20,4)"), ("status", "int")];
    let columns = columns.map(|(name, text)| (name.to_owned(), typed(text)));
    schema.columns.extend(columns);
    now.schema = Some(schema);
    let moved = of_items(one(&before), one(&now));
    let Some(SchemaDrift::Changed {
        before: 1,
        now: 2,
        columns,
    }) = &moved[0].schema
    else {
        panic!("{moved:?}");
    };
    let change = |before: Option<&str>, now: Option<&str>| ColumnDrift {
        before: before.map(typed),
        now: now.map(typed),
    };
    let wanted = [
        (
            "amount",
            change(Some("decimal(19,4)"), Some("decimal(20,4)")),
        ),
        ("id_company", change(Some("varchar(20)"), None)),
        ("status", change(None, Some("int"))),
    ];
    let wanted = wanted.map(|(name, column)| (name.to_owned(), column));
    assert_eq!(*columns, BTreeMap::from(wanted));
    assert_eq!((moved[0].rows, moved[0].totals.len()), (None, 0));

    // A version alone is a change too.
    now.schema.clone_from(&before.schema);
    if let Some(schema) = &mut now.schema {
        schema.version = 9;
    }
    let moved = of_items(one(&before), one(&now));
    let Some(SchemaDrift::Changed { columns, now, .. }) = &moved[0].schema else {
        panic!("{moved:?}");
    };
    assert_eq!((columns.len(), *now), (0, 9));
}

#[test]
fn lines_move_in_dollars_and_in_their_word() {
    let before = march(&Month::new().actual("EC_KE", "13004", "130"));
    let now = Month::new().actual("EC_NG", "13003", "1650000").judged();
    let found = drift((&[], &before), (&[], &now));
    assert_eq!(found.since.to_string(), "2024-03");
    assert_eq!(found.lines.len(), 1, "{found:?}");
    let line = &found.lines[0];
    assert_eq!((line.line.as_str(), line.is_partial), ("L1", false));
    let word = line.status.unwrap();
    assert_eq!(
        (word.before, word.now),
        (Some(Status::Ok), Some(Status::Investigate))
    );
    let moved = known(["1.00", "1000.00", "999.00"]);
    assert_eq!(texts(&line.variance_usd.unwrap()), moved);
    assert_eq!(texts(&line.unexplained_usd.unwrap()), moved);

    let mut without = march(&Month::new());
    without.lines.retain(|line| line.id != "L1");
    let found = drift((&[], &without), (&[], &now));
    assert_eq!(found.lines[0].presence, Presence::New);
    assert_eq!(found.lines[0].variance_usd.unwrap().difference, None);
    let gone = drift((&[], &now), (&[], &without));
    assert_eq!(gone.lines[0].presence, Presence::Gone);
}

/// Sums of other balances are not subtracted from each other: a company without a rate is in one of them.
#[test]
fn sums_of_other_balances_have_no_difference() {
    let before = march(&Month::new().actual("JD_UG", "13003", "3800"));
    let now = Month::new()
        .actual("JD_UG", "13003", "3800")
        .actual("EC_KE", "13003", "260")
        .rate("JD_UG", &[None])
        .judged();
    let found = drift((&[], &before), (&[], &now));
    let line = &found.lines[0];
    assert!(line.is_partial, "{line:?}");
    let moved = line.variance_usd.unwrap();
    assert_eq!(moved.difference, None);
    let shown = [moved.before, moved.now].map(|usd| usd.unwrap().to_string());
    assert_eq!(shown, ["1.00", "2.00"]);
}
