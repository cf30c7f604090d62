//! Closing rates against the rates that the balances carry.

use std::fs;
use std::path::Path;

use soxauto::sandbox::{Sandbox, SandboxConfig};

use crate::cli::Shell;
use crate::reconcile::{codes, json, month_of};

const ITEMS: [&str; 2] = ["CR_04", "CR_05"];

/// A catalog of one's own: balances that say another rate, and the rates as they are.
fn with_another_rate(shell: &Shell) {
    let catalog = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog");
    for item in ITEMS {
        let own = shell.path("own").join(item);
        fs::create_dir_all(&own).unwrap();
        for name in ["ipe.toml", "query.sql", "population.sql", "witness.sql"] {
            let text = fs::read_to_string(catalog.join(item).join(name)).unwrap();
            let two = "CAST(2 AS decimal(38, 20)) AS";
            let text = text.replace("bal.[FX_RATE],", &format!("{two} [FX_RATE],"));
            let text = text.replace("bal.[FX_RATE] AS", two);
            fs::write(own.join(name), text).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_that_were_computed_with_another_rate_are_reported() {
    let shell = Shell::new();
    let clean = || SandboxConfig::of(Some(2_000), None);
    month_of(&shell, clean(), "2024-04", &ITEMS).await;
    let differs = |shell: &Shell| {
        let found = codes(&json(shell)).into_iter();
        found
            .filter(|code| code.starts_with("FX_DIFFERS"))
            .collect::<Vec<_>>()
    };
    assert_eq!(differs(&shell), Vec::<String>::new());
    with_another_rate(&shell);
    let sandbox = Sandbox::start(clean()).await.unwrap();
    let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let args = "run --period 2024-04 --secrets file:secrets --catalog own";
    let args: Vec<&str> = args.split(' ').collect();
    let said = tokio::task::block_in_place(|| shell.run(&args));
    assert!(
        said.out.contains("2 of 2 items"),
        "{}{}",
        said.out,
        said.err
    );
    sandbox.stop().await;
    let all = [
        "EC_IC", "EC_KE", "EC_MA", "EC_NG", "HF_SN", "JD_DZ", "JD_GH", "JD_UG", "JM_EG",
    ];
    assert_eq!(
        differs(&shell),
        all.map(|company| format!("FX_DIFFERS {company}"))
    );
}
