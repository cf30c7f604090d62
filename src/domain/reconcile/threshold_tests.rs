//! Precedence, dates, pins, and the worked numbers of the control's description.

use super::*;

const DEFAULTS: &str = include_str!("../../../data/thresholds/DEFAULT/v1.toml");
const EGYPT: &str = include_str!("../../../data/thresholds/EG/v1.toml");

fn april() -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 4, 30).unwrap()
}

fn shipped() -> Thresholds {
    Thresholds::read([("DEFAULT/v1.toml", DEFAULTS), ("EG/v1.toml", EGYPT)]).unwrap()
}

fn gl(account: &str) -> Context<'_> {
    Context {
        gl: Some(account),
        ..Context::default()
    }
}

#[test]
fn a_country_goes_before_all_and_a_filter_that_is_not_met_does_not_apply() {
    let all = shipped();
    for (kind, country, context, usd, rule) in [
        (
            Kind::BucketUsd,
            "NG",
            gl("13003"),
            "1000.00",
            "DEFAULT v1 bucket",
        ),
        (
            Kind::LineItemUsd,
            "NG",
            gl("13003"),
            "500.00",
            "DEFAULT v1 line-item",
        ),
        (
            Kind::BucketUsd,
            "EG",
            gl("18412"),
            "1000.00",
            "EG v1 bucket",
        ),
        (
            Kind::LineItemUsd,
            "EG",
            gl("18412"),
            "5000.00",
            "EG v1 line-item",
        ),
        // Planted difference F02: the rule of Egypt is for 18412 only.
        (
            Kind::BucketUsd,
            "EG",
            gl("13009"),
            "1000.00",
            "DEFAULT v1 bucket",
        ),
        // What is not known makes no narrower rule apply.
        (
            Kind::LineItemUsd,
            "EG",
            Context::default(),
            "500.00",
            "DEFAULT v1 line-item",
        ),
        (
            Kind::CountryMaterialityUsd,
            "EG",
            Context::default(),
            "22000.00",
            "EG v1 country",
        ),
    ] {
        let found = all.resolve(kind, country, context, april());
        assert_eq!(
            (found.usd.to_string().as_str(), found.rule.as_str()),
            (usd, rule),
            "{country} {context:?}"
        );
        assert_eq!((found.version, found.sha256.len()), (1, 64));
    }
}

#[test]
fn a_country_without_thresholds_has_those_of_all() {
    let found = shipped().resolve(
        Kind::CountryMaterialityUsd,
        "NG",
        Context::default(),
        april(),
    );
    assert_eq!(found.rule, "DEFAULT v1 country");
    assert_eq!(found.usd.to_string(), "10000.00");
}

#[test]
fn where_no_contract_applies_the_lowest_thresholds_hold() {
    let none = Thresholds::default().resolve(Kind::BucketUsd, "EG", gl("18412"), april());
    assert_eq!(
        (none.usd.to_string().as_str(), none.source.as_str()),
        ("1000.00", "FALLBACK")
    );
    assert_eq!((none.version, none.sha256.as_str()), (0, ""));
    let line = Thresholds::default().resolve(Kind::LineItemUsd, "EG", gl("18412"), april());
    assert_eq!(line.usd.to_string(), "1000.00");
    let none =
        Thresholds::default().resolve(Kind::CountryMaterialityUsd, "EG", gl("18412"), april());
    assert_eq!(none.usd.to_string(), "10000.00");
}

fn rules(text: &str) -> Thresholds {
    let head = "country = 'DEFAULT'\nversion = 1\neffective_from = '2024-01-01'\n";
    Thresholds::read([("t.toml", format!("{head}{text}").as_str())]).unwrap()
}

fn rule(id: &str, usd: &str, filters: &str) -> String {
    format!("[[rule]]\nid = '{id}'\nkind = 'bucket_usd'\nusd = '{usd}'\n{filters}\n")
}

#[test]
fn the_narrowest_rule_wins() {
    let text = [
        rule("general", "1000", ""),
        rule("account", "2000", "gl_accounts = ['18412']"),
        rule(
            "both",
            "3000",
            "gl_accounts = ['18412']\ncategories = ['Voucher']",
        ),
    ];
    let all = rules(&text.concat());
    let usd = |context| {
        all.resolve(Kind::BucketUsd, "NG", context, april())
            .usd
            .to_string()
    };
    let voucher = Context {
        category: Some("Voucher"),
        ..gl("18412")
    };
    assert_eq!(usd(voucher), "3000.00");
    assert_eq!(usd(gl("18412")), "2000.00", "the category is not known");
    assert_eq!(usd(gl("13003")), "1000.00");
    assert_eq!(
        usd(Context {
            category: Some("Other"),
            ..voucher
        }),
        "2000.00"
    );
}

/// The worked example of the predecessor's documents: four rules apply, and the narrowest is taken.
#[test]
fn the_narrowest_of_four_wins() {
    let text = [
        rule("none", "500", ""),
        rule("one", "1000", "gl_accounts = ['18412']"),
        rule(
            "two",
            "1500",
            "gl_accounts = ['18412']\ncategories = ['Voucher']",
        ),
        rule(
            "three",
            "2000",
            "gl_accounts = ['18412']\ncategories = ['Voucher']\nvoucher_types = ['refund']",
        ),
    ];
    let context = Context {
        gl: Some("18412"),
        category: Some("Voucher"),
        voucher_type: Some("refund"),
    };
    let found = rules(&text.concat()).resolve(Kind::BucketUsd, "NG", context, april());
    assert_eq!(found.usd.to_string(), "2000.00");
}

#[test]
fn of_two_rules_as_narrow_the_lower_one_holds() {
    let text = [
        rule("account", "2000", "gl_accounts = ['18412']"),
        rule("category", "1500", "categories = ['Voucher']"),
    ];
    let context = Context {
        category: Some("Voucher"),
        ..gl("18412")
    };
    let found = rules(&text.concat()).resolve(Kind::BucketUsd, "NG", context, april());
    assert_eq!(found.rule, "DEFAULT v1 category");
}

#[test]
fn a_version_holds_from_its_date_on_and_can_be_pinned() {
    let version = |number: u32, from: &str, usd: &str| {
        format!(
            "country = 'DEFAULT'\nversion = {number}\neffective_from = '{from}'\n{}",
            rule("bucket", usd, "")
        )
    };
    let (one, two) = (
        version(1, "2024-01-01", "1000"),
        version(2, "2024-05-01", "10"),
    );
    let mut all = Thresholds::read([("v1.toml", one.as_str()), ("v2.toml", two.as_str())]).unwrap();
    let on = |all: &Thresholds, day| {
        all.resolve(Kind::BucketUsd, "NG", Context::default(), day)
            .version
    };
    assert_eq!(on(&all, april()), 1, "version 2 does not hold yet");
    assert_eq!(on(&all, april().succ_opt().unwrap()), 2);
    assert_eq!(
        on(&all, NaiveDate::from_ymd_opt(2023, 12, 31).unwrap()),
        0,
        "none does yet"
    );
    let may = april().succ_opt().unwrap();
    let unknown = all.pin("DEFAULT", 3, may).unwrap_err();
    assert!(unknown.contains("[1, 2]"));
    let early = all.pin("DEFAULT", 2, april()).unwrap_err();
    assert!(early.ends_with("holds from 2024-05-01 on, not on 2024-04-30"));
    let rule = |all: &Thresholds| {
        let found = all.resolve(Kind::BucketUsd, "NG", Context::default(), may);
        found.rule
    };
    assert_eq!(rule(&all), "DEFAULT v2 bucket");
    assert!(all.pins().is_empty(), "what was refused is no pin");
    all.pin("DEFAULT", 1, may).unwrap();
    assert_eq!(on(&all, may), 1, "although version 2 is in force");
    assert_eq!(rule(&all), "DEFAULT v1 bucket, pinned");
    assert_eq!(all.pins().get("DEFAULT"), Some(&1));
    let twice = Thresholds::read([("a.toml", one.as_str()), ("b.toml", one.as_str())]);
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .starts_with("b.toml: version: DEFAULT v1")
    );
}

#[test]
fn what_is_no_threshold_is_refused_with_its_place() {
    let head = "country = 'XX'\nversion = 1\neffective_from = '2024-01-01'\n";
    for (text, said) in [
        (
            format!("{head}{}", rule("r", "-1", "")),
            "t.toml: r: a negative threshold",
        ),
        (
            format!("{head}{}", rule("r", "0.001", "")),
            "t.toml: r: finer than a cent",
        ),
        (
            format!("{head}{}{}", rule("r", "1", ""), rule("r", "2", "")),
            "t.toml: r: two rules",
        ),
        (format!("{head}rule = []"), "t.toml: rule: there is none"),
        (
            head.replace("version = 1", "version = 0") + &rule("r", "1", ""),
            "t.toml: version: 0",
        ),
        (
            head.replace("'XX'", "'Egypt'") + &rule("r", "1", ""),
            "t.toml: country: `Egypt`",
        ),
        (
            format!("{head}{}", rule("r", "1", "").replace("'1'", "1.5")),
            "t.toml: TOML: ",
        ),
        (
            format!("{head}{}", rule("r", "1", "colour = 'red'")),
            "t.toml: TOML: ",
        ),
    ] {
        let error = Thresholds::read([("t.toml", text.as_str())])
            .unwrap_err()
            .to_string();
        assert!(error.starts_with(said), "{error}");
    }
}
