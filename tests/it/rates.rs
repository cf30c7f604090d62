//! Closing rates against the rates that the balances carry.

use crate::cli::Shell;
use crate::judgement::clean;
use crate::own_catalog::{own_catalog, run_own};
use crate::reconcile::{codes, json, month_of};

const ITEMS: [&str; 2] = ["CR_04", "CR_05"];

/// Findings of one code.
pub(crate) fn found(shell: &Shell, code: &str) -> Vec<String> {
    let found = codes(&json(shell)).into_iter();
    found.filter(|found| found.starts_with(code)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_that_were_computed_with_another_rate_are_reported() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    assert_eq!(found(&shell, "FX_DIFFERS"), Vec::<String>::new());
    own_catalog(&shell, &ITEMS, |_, text| {
        let two = "CAST(2 AS decimal(38, 20)) AS";
        let text = text.replace("bal.[FX_RATE],", &format!("{two} [FX_RATE],"));
        text.replace("bal.[FX_RATE] AS", two)
    });
    let said = run_own(&shell, &[]).await;
    assert!(
        said.out.contains("2 of 2 items"),
        "{}{}",
        said.out,
        said.err
    );
    let all = [
        "EC_IC", "EC_KE", "EC_MA", "EC_NG", "HF_SN", "JD_DZ", "JD_GH", "JD_UG", "JM_EG",
    ];
    assert_eq!(
        found(&shell, "FX_DIFFERS"),
        all.map(|company| format!("FX_DIFFERS {company}"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_that_is_far_from_last_months_is_a_warning() {
    let shell = Shell::new();
    for month in ["2024-03", "2024-04"] {
        month_of(&shell, clean(), month, &ITEMS).await;
    }
    let sealed = shell.run(&["reconcile", "--period", "2024-03", "--seal"]);
    assert!(sealed.err.contains("sealed "), "{}", sealed.err);
    assert_eq!(found(&shell, "FX_MOVED"), Vec::<String>::new());
    let before = json(&shell);

    own_catalog(&shell, &["CR_05"], |_, text| {
        let other =
            "WHEN co.[Company_Code] = 'EC_NG' THEN CAST(2 AS decimal(38, 20))\n        ELSE ";
        text.replace("ELSE ", other)
    });
    let said = run_own(&shell, &[]).await;
    assert!(
        said.out.contains("1 of 1 items"),
        "{}{}",
        said.out,
        said.err
    );
    assert_eq!(found(&shell, "FX_MOVED"), ["FX_MOVED EC_NG"]);
    let now = json(&shell);
    let findings = now["result"]["findings"].as_array().unwrap();
    let moved = findings
        .iter()
        .find(|finding| finding["code"] == "FX_MOVED");
    let what = moved.unwrap()["what"].as_str().unwrap();
    for part in [
        "the closing rate is 2 and was ",
        " last month, more than 20 per cent away",
    ] {
        assert!(what.contains(part), "{what}");
    }
    // It is a warning: what the ledger and the sources come to in local currency is as it was.
    let status = |judged: &serde_json::Value| judged["result"]["lines"][0]["status"].clone();
    assert_eq!(status(&now), status(&before));
}
