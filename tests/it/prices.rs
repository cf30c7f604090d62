//! Prices that the shop lacks: the company is left open by name, and nothing counts as zero.

use soxauto::sandbox::SandboxConfig;

use crate::cli::Shell;
use crate::own_catalog::{own_catalog, run_own};
use crate::rates::found;
use crate::reconcile::{exceptions, json, month_of};

const SHOP: [&str; 3] = ["IPE_10", "IPE_12", "IPE_34"];

/// A text of an item with a column that is empty in the rows of which `is_there` does not hold; `x.` stands before names.
fn without(text: &str, column: &str, is_there: &str) -> String {
    let of = |alias: &str| {
        let is_there = is_there.replace("x.", alias);
        format!("CASE WHEN {is_there} THEN {alias}[{column}] END")
    };
    // The population reads one table without an alias.
    let text = text.replace(&format!("soi.[{column}]"), "\u{1}");
    let text = text.replace(&format!("[{column}]"), &of(""));
    text.replace('\u{1}', &of("soi."))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_is_missing_leaves_its_company_open_and_is_never_a_zero() {
    let shell = Shell::new();
    let all = ["CR_04", "CR_05", "IPE_10", "IPE_12", "IPE_34"];
    let clean = SandboxConfig::of(Some(2_000), None);
    month_of(&shell, clean, "2024-04", &all).await;
    // The twin: with every price all lines of the shop are fine.
    let whole = json(&shell);
    for line in ["L2", "L4", "L5"] {
        assert_eq!(exceptions(&whole, line), Vec::<[String; 4]>::new());
    }
    assert_eq!(found(&shell, "AMOUNT_MISSING"), Vec::<String>::new());

    own_catalog(&shell, &SHOP, |name, text| {
        if name == "ipe.toml" {
            return text.to_owned();
        }
        let others = "x.[ID_COMPANY] <> 'EC_KE'";
        let text = without(text, "MTR_UNIT_PRICE", others);
        let text = without(&text, "MTR_PAID_PRICE", others);
        // Of refunds few may lack their amount, or a rule of the values holds the item.
        let returned = "x.[ID_COMPANY] <> 'EC_KE' OR x.[IS_MARKETPLACE] = 0 OR x.[REFUND_DATE] IS NOT NULL \
                        OR x.[RETURN_DATE] IS NULL OR x.[RETURN_DATE] = '1753-01-01'";
        without(&text, "MTR_PRICE_AFTER_DISCOUNT", returned)
    });
    let said = run_own(&shell, &[]).await;
    assert!(
        said.out.contains("3 of 3 items"),
        "{}{}",
        said.out,
        said.err
    );
    assert_eq!(
        found(&shell, "AMOUNT_MISSING"),
        SHOP.map(|item| format!("AMOUNT_MISSING EC_KE {item}"))
    );
    let now = json(&shell);
    for line in ["L2", "L4", "L5"] {
        let open = exceptions(&now, line).into_iter();
        let open = open.map(|[company, _, _, status]| format!("{company} {status}"));
        assert_eq!(
            open.collect::<Vec<_>>(),
            ["EC_KE NOT_CONCLUDED"],
            "{line} of every other company is as it was"
        );
    }
}
