//! A month with more rows than may be held at once: what needs them is left open with the reason, and the rest is judged.

use std::fs;

use soxauto::adapters::store;
use soxauto::app::scratch;
use soxauto::domain::limits::Limits;
use soxauto::domain::reconcile::result::{LineResult, Status};
use soxauto::pipeline::reconcile::inputs::Chosen;
use soxauto::pipeline::reconcile::{Reconciled, Rules, Sources, reconcile};
use soxauto::sandbox::Sandbox;

use crate::cli::Shell;
use crate::judgement::clean;
use crate::settled::rules;

/// Every item of a clean month, and what the shop's partner says was used.
async fn read_all(shell: &Shell) {
    let sandbox = Sandbox::start(clean()).await.unwrap();
    fs::create_dir(shell.path("secrets")).unwrap();
    let secret = shell.path("secrets/DB_CREDENTIALS_NAV_BI");
    fs::write(secret, sandbox.odbc_connection_string()).unwrap();
    let used = sandbox.jdash("2024-05-01".parse().unwrap()).unwrap();
    fs::write(shell.path("used.csv"), used.unwrap()).unwrap();
    let args = "run --period 2024-04 --secrets file:secrets --file JDASH=used.csv";
    let args: Vec<&str> = args.split(' ').collect();
    let said = tokio::task::block_in_place(|| shell.run(&args));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    sandbox.stop().await;
}

/// The month as it is judged where so many rows may be held.
async fn judged(shell: &Shell, rules: &Rules, limits: &Limits) -> Reconciled {
    let evidence = store::open(shell.path("out/evidence").to_str().unwrap()).unwrap();
    let sources = Sources {
        evidence: &evidence,
        staging: None,
        open: &store::open,
        engine: None,
        scratch: &scratch,
        limits,
    };
    let april = "2024-04".parse().unwrap();
    let judged = reconcile(sources, rules, april, &Chosen::Newest).await;
    judged.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_with_too_many_vouchers_leaves_their_line_open_and_judges_the_others() {
    let shell = Shell::new();
    read_all(&shell).await;
    let rules = rules(&shell);
    let whole = judged(&shell, &rules, &Limits::default()).await;
    let vouchers = |line: &&LineResult| line.id == "L6";
    let of_vouchers = whole.result.lines.iter().find(vouchers).unwrap();
    assert_eq!(of_vouchers.status, Status::Ok);

    let mut inputs = whole.inputs.iter();
    let issued = inputs.find(|input| input.item.as_str() == "IPE_08");
    let issued = issued.unwrap().rows;
    let limits = Limits {
        reconcile_rows_max: usize::try_from(issued - 1).unwrap(),
        ..Limits::default()
    };
    let low = judged(&shell, &rules, &limits).await;
    let why = format!(
        "IPE_08 has {issued} rows, and more than {} of them would be held at once",
        issued - 1
    );
    let line = low.result.lines.iter().find(vouchers).unwrap();
    assert_eq!((line.status, line.buckets.len()), (Status::NotConcluded, 9));
    for bucket in &line.buckets {
        let reasons = ["B1", "B2"].map(|bridge| format!("bridge {bridge}: {why}"));
        assert_eq!(bucket.reasons, reasons, "{}", bucket.company);
        assert!(bucket.actual.is_some() && bucket.target.is_some());
    }
    for bridge in ["B1", "B2"] {
        assert_eq!(low.explanations.not_computed[bridge], why);
    }
    let others = |judged: &Reconciled| -> Vec<LineResult> {
        let lines = judged.result.lines.iter().filter(|line| !vouchers(line));
        lines.cloned().collect()
    };
    assert_eq!(others(&low), others(&whole));
    assert_eq!(low.zero_checks, whole.zero_checks);
}
