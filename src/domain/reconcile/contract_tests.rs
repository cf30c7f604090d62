//! The shipped contract, and every way in which one is refused.

use super::*;

const SHIPPED: &str = include_str!("../../../data/rules/reconciliation/v1.toml");

fn read(text: &str) -> Result<ReconciliationContract, RuleError> {
    ReconciliationContract::read("v1.toml", text)
}

#[test]
fn the_shipped_contract_is_that_of_the_control() {
    let contract = read(SHIPPED).unwrap();
    let lines: Vec<(&str, Vec<&str>, bool)> = contract
        .lines
        .iter()
        .map(|line| {
            (
                line.id.as_str(),
                line.gls.iter().map(String::as_str).collect(),
                line.is_split(),
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            ("L1", vec!["13003", "13004", "13009"], true),
            ("L2", vec!["13005", "13024"], false),
            ("L3", vec!["13001", "13002", "13011", "13012"], false),
            ("L4", vec!["18350"], false),
            ("L5", vec!["18317"], false),
            ("L6", vec!["18412"], false),
            ("M1", vec!["18304"], false),
        ]
    );
    let signs = contract
        .lines
        .iter()
        .map(|line| line.targets[0].sign == Sign::Minus);
    assert_eq!(
        signs.collect::<Vec<_>>(),
        [false, false, false, true, false, true, false]
    );
    assert_eq!(contract.companies.len(), 9);
    assert_eq!(contract.items().len(), 9);
    assert_eq!(contract.line_of("13004").unwrap().id, "L1");
    assert!(contract.line_of("18397").is_none());
    assert!(contract.unconfirmed().len() > 5);
    let confirmed = format!("{SHIPPED}\n[confirmed]\nby = 'Head of finance'\non = '2024-05-10'\n");
    assert!(read(&confirmed).unwrap().unconfirmed().is_empty());
    assert_ne!(read(&confirmed).unwrap().sha256, contract.sha256);
}

#[test]
fn a_contract_that_contradicts_itself_is_refused_with_its_line_and_the_remedy() {
    for (from, to, said) in [
        (
            "gls = [\"18350\"]",
            "gls = [\"18350\", \"13003\"]",
            "v1.toml: L4: account 13003 belongs to L1 already",
        ),
        ("gls = [\"18350\"]", "gls = []", "v1.toml: L4: no accounts"),
        (
            "gls = [\"18350\"]",
            "gls = [\"18350\", \"18350\"]",
            "v1.toml: L4: `18350` stands twice",
        ),
        (
            "id = \"L5\"",
            "id = \"L4\"",
            "v1.toml: L4: two lines have this name",
        ),
        (
            "item = \"IPE_34\"",
            "item = \"IPE_10\"",
            "v1.toml: L5: item IPE_10 belongs to L4 already",
        ),
        (
            "sign = -1\namount = [\"paid",
            "sign = -2\namount = [\"paid",
            "v1.toml: L4: sign -2; write 1 or -1",
        ),
    ] {
        assert_refused(from, to, said);
    }
}

fn assert_refused(from: &str, to: &str, said: &str) {
    let text = SHIPPED.replacen(from, to, 1);
    assert_ne!(text, SHIPPED, "{from}");
    let error = read(&text).unwrap_err().to_string();
    assert!(error.starts_with(said), "{from}: {error}");
}

#[test]
fn an_amount_a_company_or_a_word_that_cannot_be_is_refused() {
    for (from, to, said) in [
        (
            "amount = [\"amount\"]",
            "amount = []",
            "v1.toml: L3: IPE_31 has no amount",
        ),
        (
            "amount = [\"amount\"]",
            "amount = [\"Amount (LCY)\"]",
            "v1.toml: TOML: ",
        ),
        (
            "is = [1] }",
            "is = [] }",
            "v1.toml: L5: IPE_34: `is_marketplace` may be nothing",
        ),
        (
            "version = 1",
            "version = 0",
            "v1.toml: version: 0; versions begin with 1",
        ),
        (
            "outside = [",
            "outside = [\"EC_NG\", ",
            "v1.toml: outside: EC_NG is a company of the scope too",
        ),
        (
            "title = \"Collections\"",
            "title = \"Collections\"\nwithout = [\"XX\"]",
            "v1.toml: L3: `without` names XX",
        ),
        (
            "title = \"Collections\"",
            "titel = \"Collections\"",
            "v1.toml: TOML: ",
        ),
        (
            "gl = \"group_coa_account_no\"\namount = [\"balance",
            "amount = [\"balance",
            "v1.toml: actual: no `gl`",
        ),
    ] {
        assert_refused(from, to, said);
    }
}
