//! Months that are read with items of one's own: what the zero checks say where a source says something else.

use std::fs;
use std::path::Path;

use serde_json::Value;
use soxauto::sandbox::Sandbox;

use crate::cli::{Said, Shell};
use crate::judgement::{check, clean};
use crate::reconcile::{exceptions, json, month_of};

/// A catalog of one's own: items whose files are changed, each by its name.
pub(crate) fn own_catalog(shell: &Shell, items: &[&str], change: impl Fn(&str, &str) -> String) {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog");
    for item in items {
        let own = shell.path("own").join(item);
        fs::create_dir_all(&own).unwrap();
        for name in ["ipe.toml", "query.sql", "population.sql", "witness.sql"] {
            let text = fs::read_to_string(catalog.join(item).join(name)).unwrap();
            fs::write(own.join(name), change(name, &text)).unwrap();
        }
    }
}

/// Runs every item of one's own catalog over the month.
pub(crate) async fn run_own(shell: &Shell, more: &[&str]) -> Said {
    let sandbox = Sandbox::start(clean()).await.unwrap();
    let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let args = "run --period 2024-04 --secrets file:secrets --catalog own";
    let args: Vec<&str> = args.split(' ').chain(more.iter().copied()).collect();
    let said = tokio::task::block_in_place(|| shell.run(&args));
    sandbox.stop().await;
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_of_two_accounts_that_cancel_each_other_are_two_differences() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &["CR_03", "CR_04"]).await;
    assert_eq!(check(&json(&shell), "Z2"), ("Pass".to_owned(), vec![]));

    // What is on either account is counted on the other: together they are what they were.
    let own = "THEN coa.[Group_COA_Account_no] ELSE 'other' END";
    let other = "THEN CASE coa.[Group_COA_Account_no] WHEN '13003' THEN '13004' WHEN '13004' THEN '13003' \
         ELSE coa.[Group_COA_Account_no] END ELSE 'other' END";
    own_catalog(&shell, &["CR_03"], |_, text| text.replace(own, other));
    let said = run_own(&shell, &[]).await;
    assert!(
        said.out.contains("1 of 1 items"),
        "{}{}",
        said.out,
        said.err
    );
    let (verdict, differences) = check(&json(&shell), "Z2");
    assert_eq!((verdict.as_str(), differences.len()), ("Fail", 18));
    for two in differences.chunks(2) {
        let [[company, one, more], [same, another, less]] = two else {
            panic!("{two:?}");
        };
        assert_eq!(
            (company, one.as_str(), another.as_str()),
            (same, "13003", "13004")
        );
        assert_eq!(more.trim_start_matches('-'), less.trim_start_matches('-'));
        assert_ne!(more, less);
    }
}

/// The customer ledger as it is where the feed of Kenya stopped at a day.
fn stopped(shell: &Shell, day: &str) {
    let until = |alias: &str| {
        format!(
            "{alias}.[Posting Date] < CASE WHEN {alias}.[id_company] = 'EC_KE' THEN CAST('{day}' AS date) \
             ELSE @next_start END"
        )
    };
    own_catalog(shell, &["IPE_07"], |name, text| {
        let alias = if name == "ipe.toml" { "b" } else { "cle" };
        text.replace(
            &format!("{alias}.[Posting Date] < @next_start"),
            &until(alias),
        )
    });
}

/// Company and status of every bucket of the customers that is not OK.
fn open(result: &Value) -> Vec<[String; 2]> {
    let open = exceptions(result, "L1").into_iter();
    open.map(|[company, _, _, status]| [company, status])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_whose_feed_stopped_before_the_month_is_not_concluded() {
    let shell = Shell::new();
    month_of(&shell, clean(), "2024-04", &["CR_04", "CR_05"]).await;

    // The negative twin: the same item, whose feed ends with the month.
    stopped(&shell, "2024-05-01");
    let said = run_own(&shell, &[]).await;
    assert!(
        said.out.contains("1 of 1 items"),
        "{}{}",
        said.out,
        said.err
    );
    let result = json(&shell);
    assert_eq!(open(&result), Vec::<[String; 2]>::new());
    assert_eq!(
        check(&result, "Z3").0,
        "NotRun",
        "other sources were not read"
    );

    stopped(&shell, "2024-04-01");
    let held = run_own(&shell, &[]).await;
    let why = "IPE_07: check population.freshness Fail: company `EC_KE`: the newest Posting Date is 2024-03-";
    assert!(
        held.code == 1 && held.out.contains(why),
        "{}{}",
        held.out,
        held.err
    );
    let result = json(&shell);
    assert_eq!(open(&result).len(), 27, "nothing is known of any company");
    assert_eq!(check(&result, "Z3").0, "Fail");

    // Whoever answers for it loads the others.
    let accepted = [
        ["--accept-check", "population.freshness"],
        ["--reason", "Kenya is late"],
        ["--approver", "C. Okafor"],
    ];
    let said = run_own(&shell, accepted.as_flattened()).await;
    assert!(
        said.out.contains("1 of 1 items"),
        "{}{}",
        said.out,
        said.err
    );
    let result = json(&shell);
    let kenya = ["EC_KE", "NOT_CONCLUDED"].map(str::to_owned);
    assert_eq!(open(&result), [kenya.clone(), kenya.clone(), kenya]);
    assert_eq!(check(&result, "Z3").0, "Fail");
    let lines = result["result"]["lines"].as_array().unwrap();
    let buckets = lines[0]["buckets"].as_array().unwrap().iter();
    let mut reasons = buckets.map(|bucket| bucket["reasons"].to_string());
    let reason = "IPE_07 of EC_KE: the newest Posting Date is 2024-03-";
    assert!(reasons.any(|reasons| reasons.contains(reason)));
}
