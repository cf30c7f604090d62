use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;

use super::super::filter::{Literal, Nulls, Test};
use super::super::samples::{amounts, day, flags, moments, money, table, texts, units};
use super::*;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::kernels::samples::{batch, column, contract};

fn prepayments() -> Contract {
    contract(vec![
        column("id_company", "varchar(20)"),
        column("gl", "varchar(20)"),
        column("paid", "decimal(38,20)"),
        column("shipping", "decimal(19,4)"),
        column("verified", "datetime"),
        column("refunded", "bit"),
        column("country", "nvarchar(20)"),
    ])
}

fn spec(account: bool, conditions: Vec<Condition>) -> SumSpec {
    let term = |column: &str, negative| Term {
        column: column.to_owned(),
        negative,
    };
    SumSpec {
        company: "id_company".to_owned(),
        account: account.then(|| "gl".to_owned()),
        negative: true,
        terms: vec![term("paid", false), term("shipping", true)],
        conditions,
    }
}

fn frame() -> DataFrame {
    let columns = vec![
        texts(
            "id_company",
            &["EC_NG", "EC_NG  ", "JM_EG", "JM_EG", "-", "EC_NG"],
        ),
        texts("gl", &["18350", "18350", "18350", "18397", "-", "18397"]),
        amounts(
            "paid",
            20,
            &["100", "0.00000000000000000001", "5", "-", "7", "2.5"],
        ),
        amounts("shipping", 4, &["10", "0", "-0.5", "1", "-", "-2.5"]),
        moments(
            "verified",
            &[
                "2024-04-30 23:59:59.997",
                "2024-05-01",
                "2024-04-30 15:00:00",
                "2024-04-01",
                "2024-04-01",
                "1753-01-01",
            ],
        ),
        flags("refunded", &["0", "0", "0", "0", "0", "1"]),
        texts("country", &["NG", "NG", "-", "EG", "EG", "TN"]),
    ];
    table(columns).frame
}

fn sums(spec: SumSpec) -> Sums {
    let mut summing = Summing::new(spec, &prepayments()).unwrap();
    summing.add_frame(&frame()).unwrap();
    summing.finish().unwrap()
}

fn sum<'a>(sums: &'a Sums, company: &str, account: Option<&str>) -> &'a Sum {
    let key = SumKey {
        company: company.to_owned(),
        account: account.map(str::to_owned),
    };
    &sums.groups[&key]
}

#[test]
fn scales_are_mixed_exactly_and_no_null_is_a_zero() {
    let all = sums(spec(false, vec![]));
    assert_eq!(all.scale, 20);
    let ng = sum(&all, "EC_NG", None);
    // −((100 − 10) + 10⁻²⁰ + (2.5 + 2.5))
    assert_eq!(ng.amount, money("-95.00000000000000000001", 20));
    assert_eq!((ng.rows, ng.rows_seen), (3, 3));
    let eg = sum(&all, "JM_EG", None);
    assert_eq!(eg.amount, money("-5.5", 20));
    assert_eq!((eg.rows, eg.rows_without_amount, eg.rows_seen), (1, 1, 2));
    let none = sum(&all, "", None);
    assert_eq!(none.amount, Amount::zero(20));
    assert_eq!((none.rows, none.rows_without_amount), (0, 1));
    assert_eq!(all.companies()["JM_EG"].without_amount, 1);
}

#[test]
fn accounts_are_not_netted() {
    let split = sums(spec(true, vec![]));
    let of = |account| sum(&split, "EC_NG", Some(account)).amount;
    assert_eq!(of("18350"), money("-90.00000000000000000001", 20));
    assert_eq!(of("18397"), money("-5", 20));
    assert!(split.groups.keys().all(|key| key.account.is_some()));
    let unsplit = sums(spec(false, vec![]));
    assert!(unsplit.groups.keys().all(|key| key.account.is_none()));
}

#[test]
fn conditions_are_half_open_and_a_null_is_undecided() {
    let until = |nulls| Condition {
        column: "verified".to_owned(),
        test: Test::Below(Literal::Day(day("2024-05-01"))),
        nulls,
    };
    let found = sums(spec(false, vec![until(Nulls::Undecided)]));
    let ng = sum(&found, "EC_NG", None);
    // The last tick of April is in, midnight of May is not, NAV's empty date is neither.
    assert_eq!((ng.rows, ng.rows_undecided, ng.rows_seen), (1, 1, 3));
    assert_eq!(ng.amount, money("-90", 20));
    let kept = sums(spec(false, vec![until(Nulls::Keep)]));
    assert_eq!(sum(&kept, "EC_NG", None).rows, 2);
    let dropped = sums(spec(false, vec![until(Nulls::Drop)]));
    assert_eq!(sum(&dropped, "EC_NG", None).rows_undecided, 0);

    let countries = ["TN", "TZ", "ZA"].map(|country| Literal::Text(country.to_owned()));
    let excluded = Condition::new("country", Test::NoneOf(countries.to_vec()));
    let found = sums(spec(false, vec![excluded.clone()]));
    assert_eq!(sum(&found, "EC_NG", None).rows, 2);
    assert_eq!(sum(&found, "JM_EG", None).rows_undecided, 1);
    // Another condition that drops the row decides it.
    let refunded = Condition::new("refunded", Test::OneOf(vec![Literal::Int(1)]));
    let found = sums(spec(false, vec![excluded, refunded]));
    assert_eq!(sum(&found, "JM_EG", None).rows_undecided, 0);
    assert_eq!(found.companies()["JM_EG"].seen, 2);
}

#[test]
fn comparisons_with_numbers_are_exact() {
    let rows = |test| {
        let found = sums(spec(false, vec![Condition::new("paid", test)]));
        found
            .companies()
            .values()
            .map(|rows| rows.counted)
            .sum::<u64>()
    };
    let amount = |text: &str| Literal::Amount(text.parse().unwrap());
    assert_eq!(rows(Test::Above(Literal::Int(0))), 4);
    assert_eq!(rows(Test::Above(amount("0.00000000000000000001"))), 3);
    assert_eq!(rows(Test::AtMost(amount("2.50"))), 2);
    assert_eq!(rows(Test::OneOf(vec![amount("5.0"), Literal::Int(100)])), 2);
    assert_eq!(
        rows(Test::IsNull),
        0,
        "a row without its amount is in no sum"
    );
    assert_eq!(rows(Test::IsNotNull), 4);
    assert_eq!(rows(Test::OneOf(vec![])), 0);
}

/// Defect 7 of the predecessor: a target whose column of amounts was not found was zero without a word.
#[test]
fn what_cannot_be_computed_is_refused_by_name() {
    let refused = |spec| Summing::new(spec, &prepayments()).unwrap_err().to_string();
    let condition = |column: &str, value| Condition::new(column, Test::AtLeast(value));
    let missing = condition("is_active", Literal::Int(0));
    assert!(refused(spec(true, vec![missing])).contains("`is_active` is missing"));
    let text = condition("verified", Literal::Text("2024-05-01".to_owned()));
    assert!(refused(spec(true, vec![text])).contains("`verified`"));
    let fine = condition("shipping", Literal::Amount("0.00001".parse().unwrap()));
    assert!(refused(spec(true, vec![fine])).contains("`shipping`"));
    let mut no_number = spec(true, vec![]);
    no_number.terms[0].column = "country".to_owned();
    assert!(refused(no_number).contains("`country`"));
    let mut renamed = spec(true, vec![]);
    renamed.terms[0].column = "Paid".to_owned();
    assert!(refused(renamed).contains("`Paid` is missing"));
    let mut empty = spec(true, vec![]);
    empty.terms.clear();
    assert!(refused(empty).contains("expression"));
    let mut one = Summing::new(spec(true, vec![]), &prepayments()).unwrap();
    let other = Summing::new(spec(false, vec![]), &prepayments()).unwrap();
    assert!(one.merge(other).is_err());
}

fn big(cells: &[i128]) -> Result<Sums, ReconcileError> {
    let contract = contract(vec![
        column("id_company", "varchar(20)"),
        column("paid", "decimal(38,20)"),
    ]);
    let spec = SumSpec {
        account: None,
        negative: false,
        terms: vec![Term {
            column: "paid".to_owned(),
            negative: false,
        }],
        ..spec(false, vec![])
    };
    let mut summing = Summing::new(spec, &contract)?;
    let cells: Vec<Option<i128>> = cells.iter().copied().map(Some).collect();
    let companies = texts("id_company", &vec!["A"; cells.len()]);
    summing.add_frame(&table(vec![companies, units("paid", 20, &cells)]).frame)?;
    summing.finish()
}

#[test]
fn a_sum_beyond_38_digits_is_an_error_and_one_that_comes_back_is_none() {
    let most = 10_i128.pow(38) - 1;
    let error = big(&[most, 1]).unwrap_err().to_string();
    assert!(error.starts_with("sum of `paid`"), "{error}");
    let back = big(&[most, most, most, -most, -most, 1 - most]).unwrap();
    assert_eq!(sum(&back, "A", None).amount.units(), 1);
}

#[test]
fn parts_are_read_row_group_by_row_group_and_merge() {
    let contract = prepayments();
    let rows = |companies: Vec<&str>, units: Vec<i128>| {
        let count = companies.len();
        let one: ArrayRef = Arc::new(StringArray::from(vec!["18350"; count]));
        let paid = Decimal128Array::from(units.clone());
        let shipping = Decimal128Array::from(vec![0; count]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(companies)),
            Arc::clone(&one),
            Arc::new(paid.with_precision_and_scale(38, 20).unwrap()),
            Arc::new(shipping.with_precision_and_scale(19, 4).unwrap()),
            Arc::new(TimestampMicrosecondArray::from(vec![0; count])),
            Arc::new(arrow::array::BooleanArray::from(vec![false; count])),
            one,
        ];
        let batch = batch(&contract, columns);
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
        for row in 0..count {
            writer.write(&batch.slice(row, 1)).unwrap();
            writer.flush().unwrap();
        }
        writer.close().unwrap();
        Bytes::from(bytes)
    };
    let mut first = Summing::new(spec(true, vec![]), &contract).unwrap();
    first
        .add(rows(vec!["A", "B", "A"], vec![5, 7, -1]))
        .unwrap();
    let mut second = Summing::new(spec(true, vec![]), &contract).unwrap();
    second.add(rows(vec!["B"], vec![3])).unwrap();
    first.merge(second).unwrap();
    let sums = first.finish().unwrap();
    assert_eq!(sum(&sums, "A", Some("18350")).amount.units(), -4);
    assert_eq!(sum(&sums, "B", Some("18350")).amount.units(), -10);
    assert_eq!(sum(&sums, "B", Some("18350")).rows, 2);

    let other = crate::kernels::samples::vector_batch();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, other.schema(), None).unwrap();
    writer.write(&other).unwrap();
    writer.close().unwrap();
    let mut summing = Summing::new(spec(true, vec![]), &contract).unwrap();
    let error = summing.add(bytes.into()).unwrap_err().to_string();
    assert!(error.contains("is missing"), "{error}");
}

/// Places of company and account, the two terms, and whether it was refunded.
type Row = (usize, usize, Option<i128>, Option<i128>, Option<bool>);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn sums_are_those_of_a_plain_loop(
        rows in proptest::collection::vec(
            (0_usize..3, 0_usize..3, proptest::option::of(-10_i128.pow(36)..10_i128.pow(36)),
             proptest::option::of(-1_000_000_i128..1_000_000), proptest::option::of(any::<bool>())), 0..60),
        cut in 0_usize..60,
    ) {
        let names = ["A", "B ", "-"];
        let pick = |index: &usize| names[*index];
        let texts_of = |name: &str, place: fn(&Row) -> usize, rows: &[_]| {
            let cells: Vec<&str> = rows.iter().map(|row| pick(&place(row))).collect();
            texts(name, &cells)
        };
        let frame = |rows: &[Row]| {
            let paid: Vec<_> = rows.iter().map(|row| row.2).collect();
            let shipping: Vec<_> = rows.iter().map(|row| row.3).collect();
            let refunded: Vec<_> = rows.iter().map(|row| match row.4 {
                None => "-", Some(true) => "1", Some(false) => "0",
            }).collect();
            table(vec![
                texts_of("id_company", |row| row.0, rows),
                texts_of("gl", |row| row.1, rows),
                units("paid", 20, &paid),
                units("shipping", 4, &shipping),
                flags("refunded", &refunded),
            ]).frame
        };
        let open = Condition::new("refunded", Test::OneOf(vec![Literal::Int(0)]));
        let mut expected: HashMap<SumKey, (i128, u64, u64, u64, u64)> = HashMap::new();
        for (company, account, paid, shipping, refunded) in &rows {
            let name = |index: &usize| if *index == 2 { String::new() } else { pick(index).trim().to_owned() };
            let key = SumKey { company: name(company), account: Some(name(account)) };
            let sum = expected.entry(key).or_default();
            sum.4 += 1;
            match (refunded, paid, shipping) {
                (None, ..) => sum.3 += 1,
                (Some(true), ..) => {}
                (Some(false), Some(paid), Some(shipping)) => {
                    sum.0 -= paid - shipping * 10_i128.pow(16);
                    sum.1 += 1;
                }
                (Some(false), ..) => sum.2 += 1,
            }
        }
        let (first, second) = rows.split_at(cut.min(rows.len()));
        let begun = || Summing::new(spec(true, vec![open.clone()]), &prepayments()).unwrap();
        let (mut left, mut right) = (begun(), begun());
        left.add_frame(&frame(first)).unwrap();
        right.add_frame(&frame(second)).unwrap();
        left.merge(right).unwrap();
        let found: HashMap<SumKey, _> = left.finish().unwrap().groups.into_iter().map(|(key, sum)| {
            let rows = (sum.rows, sum.rows_without_amount, sum.rows_undecided, sum.rows_seen);
            (key, (sum.amount.units(), rows.0, rows.1, rows.2, rows.3))
        }).collect();
        prop_assert_eq!(found, expected);
    }
}

/// The line of the vouchers has every kind of condition; the rows stand on both sides of each.
#[test]
fn the_shipped_contract_is_summed_as_it_says() {
    let file = include_str!("../../../data/rules/reconciliation/v1.toml");
    let rules = ReconciliationContract::read("v1.toml", file).unwrap();
    let source = &rules.line_of("18412").unwrap().targets[0];
    let spec = SumSpec::of(source, "2024-04".parse().unwrap());
    let vouchers = contract(vec![
        column("id_company", "varchar(20)"),
        column("remaining_amount", "decimal(38,20)"),
        column("is_active", "bit"),
        column("to_date", "datetime"),
        column("business_use", "varchar(50)"),
    ]);
    let mut summing = Summing::new(spec, &vouchers).unwrap();
    let (last, next) = ("2024-04-30 23:59:59.997", "2024-05-01");
    let left = ["1", "10", "100", "1000", "20000", "30000", "40000", "50000"];
    let uses = [
        "refund",
        " APOLOGY_v2 ",
        "jpay_store_credit_gc",
        "Jpay store_credit",
        "refund",
        "refund",
        "marketing",
        "refund",
    ];
    let rows = vec![
        texts("id_company", &["EC_NG"; 8]),
        amounts("remaining_amount", 20, &left),
        flags("is_active", &["1", "1", "1", "1", "1", "0", "1", "-"]),
        moments("to_date", &[next, next, next, next, last, next, next, next]),
        texts("business_use", &uses),
    ];
    summing.add_frame(&table(rows).frame).unwrap();
    let sums = summing.finish().unwrap();
    let sum = sums.groups.values().next().unwrap();
    assert_eq!(sum.amount, money("-1111", 20));
    assert_eq!((sum.rows, sum.rows_undecided, sum.rows_seen), (4, 1, 8));
}
