use super::*;

fn rules() -> VoucherRules {
    VoucherRules::parse(VOUCHER_RULES).unwrap()
}

#[test]
fn what_is_built_in_is_readable_and_in_order() {
    let rules = rules();
    assert_eq!(rules.version, 1);
    assert_eq!(rules.sha256, sha256_hex(VOUCHER_RULES.as_bytes()));
    let ids: Vec<&str> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
    let expected = [
        "V1",
        "V2-integration",
        "V2-manual",
        "V3-accrual",
        "V3-usage",
        "V4",
        "V5",
        "V6",
        "V7",
    ];
    assert_eq!(ids, expected);
    let dz = rules.rules.iter().find(|rule| rule.note.contains("DZ"));
    assert_eq!(dz.map(|rule| rule.id.as_str()), Some("V2-manual"));
}

#[test]
fn types_of_both_systems_meet_under_one_label() {
    let rules = rules();
    for (text, label) in [
        ("Refund", "refund"),
        ("RF_123", "refund"),
        ("rfn", "refund"),
        ("Store Credit", "store_credit"),
        ("jpay_store_credit_gc", "store_credit"),
        ("Jpay store_credit", "store_credit"),
        ("apology_v2", "apology"),
        ("Commercial Gesture", "apology"),
        ("CXP", "apology"),
        ("JForce", "jforce"),
        ("pyt_pf", "jforce"),
        ("EXP", "expired"),
        ("vtc", "vtc"),
        ("marketing", OTHER),
        ("apology_v3", OTHER),
        ("  ", UNKNOWN),
    ] {
        assert_eq!(rules.label(Some(text)), label, "{text}");
    }
    assert_eq!(rules.label(None), UNKNOWN);
}

#[test]
fn pairs_are_judged() {
    let rules = rules();
    for (category, label, verdict) in [
        ("Issuance", "jforce", PairVerdict::Allowed),
        ("Cancellation", "jforce", PairVerdict::NotAllowed),
        ("VTC", "apology", PairVerdict::NotAllowed),
        ("VTC", OTHER, PairVerdict::NotAllowed),
        ("Usage", UNKNOWN, PairVerdict::NoType),
        ("Nonsense", "refund", PairVerdict::NotAllowed),
        (UNCATEGORIZED, UNKNOWN, PairVerdict::NoCategory),
    ] {
        assert_eq!(
            rules.verdict(category, label),
            verdict,
            "{category} {label}"
        );
    }
    assert!(rules.books_cancellation("Cancellation") && rules.books_cancellation("VTC Manual"));
    assert!(!rules.books_cancellation("Usage"));
}

#[test]
fn mistakes_are_refused_by_name() {
    let changed = |from: &str, to: &str| {
        assert!(VOUCHER_RULES.contains(from), "{from}");
        let text = VOUCHER_RULES.replacen(from, to, 1);
        VoucherRules::parse(&text).unwrap_err().to_string()
    };
    for (from, to, said) in [
        ("version = 1", "version = 0", "a version from 1"),
        ("id = \"V5\"", "id = \"V4\"", "rule `V4` stands there twice"),
        (
            "lookup = true",
            "lookup = false",
            "rule `V3-usage` needs one of",
        ),
        (
            "lookup = true",
            "lookup = true\nvoucher_type = \"Refund\"",
            "rule `V3-usage` needs one of",
        ),
        (
            "when = [{ column = \"document_description\", is = { contains = [\"VOUCHER ACCRUAL\"] } }]\n",
            "",
            "rule `V3-usage` is never reached: rule `V3-accrual` takes all its rows",
        ),
        (
            "[\"COMMERCIAL\", \"CXP\", \"APOLOGY\"]",
            "[\"A REFUND\"]",
            "rule `V2-manual` never gives Apology",
        ),
        (
            "voucher_type = \"Store Credit\"\n",
            "voucher_type = \"JForce\"\n",
            "rule `V6` gives Cancellation with JForce, which no pair allows",
        ),
        (
            "VTC = [\"refund\"]",
            "VTC = [\"vtcs\"]",
            "pairs of VTC name `vtcs`",
        ),
        (
            "contains = [\"EXPR\"]",
            "contains = [\"\"]",
            "rule `V4` has an empty pattern",
        ),
        (
            "booked = [\"Cancellation\", \"VTC\"]",
            "booked = []",
            "bridges.booked",
        ),
        (
            "amount = \"positive\"",
            "amount = \"zero\"",
            "unknown variant",
        ),
        ("note = \"the", "remark = \"the", "unknown field"),
    ] {
        let error = changed(from, to);
        assert!(error.contains(said), "{said}: {error}");
    }
}
