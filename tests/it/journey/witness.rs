//! Witnesses: rows read again by key find what no total and no digest can see, and are silent otherwise.

use std::path::{Path, PathBuf};

use soxauto::adapters::store;
use soxauto::app::{App, StartError};
use soxauto::domain::check::Verdict;
use soxauto::domain::limits::Limits;
use soxauto::domain::plant::PlantProfile;
use soxauto::domain::run::ItemStatus;
use soxauto::domain::witness::{Why, WitnessAudit};
use soxauto::pipeline::package::{VerifyRequest, seal, verify_package};
use soxauto::pipeline::progress::Silent;
use soxauto::pipeline::record::ItemRecord;
use soxauto::pipeline::workflow::IpeResult;
use soxauto::sandbox::SandboxConfig;

use super::planted::planted;
use super::population::{assert_fails, failed, run_altered};
use super::{Place, assert_sealed, run, run_on, sandbox};

fn package(item: &IpeResult) -> PathBuf {
    let evidence = item.evidence.as_deref().unwrap();
    Path::new(evidence.trim_start_matches("file://")).to_owned()
}

fn record(item: &IpeResult) -> ItemRecord {
    let text = std::fs::read(package(item).join("data/record.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn audit(item: &IpeResult) -> WitnessAudit {
    record(item).witnesses.unwrap()
}

fn random_keys(audit: &WitnessAudit) -> Vec<&str> {
    let random = audit.witnesses.iter().filter(|w| w.why == [Why::Random]);
    random.map(|witness| witness.key.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_rows_of_each_company_are_read_again_and_agree() {
    let place = Place::new();
    let item = run_altered(&place, &[]).await;
    assert_eq!(
        item.validation_summary["accuracy.positive"],
        Verdict::Pass,
        "{item:#?}"
    );
    assert_sealed(&item).await;
    let first = audit(&item);
    assert_eq!(first.witnesses.len(), 45, "nine companies");
    assert!(first.columns.len() > 10 && first.columns.contains(&"group_coa_account_no".to_owned()));
    for why in [Why::Largest, Why::Smallest, Why::Oldest] {
        assert_eq!(
            first
                .witnesses
                .iter()
                .filter(|w| w.why.contains(&why))
                .count(),
            9,
            "{why:?}"
        );
    }
    let mut keys: Vec<&String> = first.witnesses.iter().map(|w| &w.key_hash).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 45, "all different");
    let by = first
        .amounts
        .iter()
        .position(|name| name == "rem_amt_lcy")
        .unwrap();
    for witness in &first.witnesses {
        assert_eq!(witness.source, witness.staged);
        assert!(witness.source.amounts[by].is_some() && witness.differing.is_empty());
    }
    // The keys are in the list of witnesses; what was executed is noted once and holds none.
    let executed = std::fs::read_to_string(package(&item).join("data/executed.sql")).unwrap();
    assert_eq!(executed.matches("witnesses, each by its key").count(), 1);
    assert!(
        executed.contains("(that of each witness in turn)"),
        "{executed}"
    );
    let page = std::fs::read_to_string(package(&item).join("data/summary.md")).unwrap();
    let section = page
        .split("## ")
        .find(|section| section.starts_with("Witnesses"))
        .unwrap();
    assert_eq!(section.matches(" | equal |\n").count(), 45, "{section}");
    // Another run draws other random rows, and the same extremes.
    let again = audit(&run_altered(&place, &[]).await);
    assert_ne!(random_keys(&again), random_keys(&first));
    let largest = |audit: &WitnessAudit| {
        let largest = audit
            .witnesses
            .iter()
            .filter(|w| w.why.contains(&Why::Largest));
        largest.map(|w| w.key_hash.clone()).collect::<Vec<_>>()
    };
    assert_eq!(largest(&again), largest(&first));
}

/// The item sums local currency where it says transaction currency: every total agrees with itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_amount_that_every_total_agrees_on_is_found() {
    let edit = (
        "query.sql",
        "SUM([Amount]) AS [rem_amt]",
        "SUM([Amount (LCY)]) AS [rem_amt]",
    );
    assert_fails(&[edit], &["accuracy.positive"], "differs in rem_amt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_date_in_the_item_is_found() {
    let edit = (
        "query.sql",
        "    cle.[Posting Date],",
        "    DATEADD(day, 1, cle.[Posting Date]) AS [Posting Date],",
    );
    let place = Place::new();
    let item = run_altered(&place, &[edit]).await;
    assert!(failed(&item).contains(&"accuracy.positive"), "{item:#?}");
    assert_eq!(audit(&item).witnesses[0].differing, ["posting_date"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_base_table_has_not_is_found() {
    let edit = (
        "witness.sql",
        "AND cle.[Entry No_] = @entry_no",
        "AND cle.[Entry No_] = @entry_no + 0 * 1 AND 1 = 0",
    );
    assert_fails(
        &[edit],
        &["accuracy.positive"],
        "staged, and not at the source",
    )
    .await;
}

/// Runs IPE_07 with a file of keys.
async fn run_sample(place: &Place, text: &str) -> IpeResult {
    run_sample_of(place, SandboxConfig::default(), ("IPE_07", text)).await
}

/// The same over another ledger, and of any item.
async fn run_sample_of(
    place: &Place,
    config: SandboxConfig,
    (item, text): (&str, &str),
) -> IpeResult {
    let file = place.dir.path().join("sample.csv");
    std::fs::write(&file, text).unwrap();
    let sandbox = sandbox(config).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings(item);
    settings.witnesses = vec![(item.into(), file)];
    run(settings).await.ipe_results[item].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditors_sample_is_compared_beside_what_is_drawn() {
    let place = Place::new();
    let drawn = audit(&run_altered(&place, &[]).await);
    let key = &drawn
        .witnesses
        .iter()
        .find(|w| w.why == [Why::Random])
        .unwrap()
        .key;
    let (company, entry) = key.split_once(", entry_no = ").unwrap();
    let company = company.trim_start_matches("id_company = ");
    let good = format!("\u{feff}entry_no,note,id_company\n{entry},\"my, choice\",{company}\n");
    let item = run_sample(&place, &good).await;
    assert_eq!(
        item.validation_summary["accuracy.positive"],
        Verdict::Pass,
        "{item:#?}"
    );
    let given = audit(&item);
    assert_eq!(given.witnesses.len(), 46);
    assert_eq!(given.witnesses[45].why, [Why::Given]);
    let (name, sha256) = given.sample.unwrap();
    assert_eq!((name.as_str(), sha256.len()), ("sample.csv", 64));
    assert_sealed(&item).await;

    // A company outside the scope: in the ledger, not in the extract. And one that is nowhere.
    let text = "id_company,entry_no\nAT_TN,1\nEC_NG,2000000000\n";
    let item = run_sample(&place, text).await;
    assert_eq!(item.status, ItemStatus::Failed);
    let findings: Vec<String> = record(&item)
        .checks
        .into_iter()
        .find(|check| check.id == "accuracy.positive")
        .unwrap()
        .findings;
    assert_eq!(findings.len(), 2, "{findings:#?}");
    assert!(
        findings[0].ends_with("entry_no = 1: at the source, and not staged"),
        "{findings:#?}"
    );
    assert!(
        findings[1].ends_with("neither at the source nor staged"),
        "{findings:#?}"
    );
    assert_sealed(&item).await;
}

/// A witness that stands twice in the source, asked for, so that no draw decides whether it is met. Two rows are two
/// answers, not an error of the server.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_double_in_the_source_is_found_by_its_witness_too() {
    let hold = planted(PlantProfile::Hold, &[]);
    let twin = sandbox(hold.clone()).await;
    let key = twin.answer_key().unwrap().to_json().unwrap();
    twin.stop().await;
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let plants = key["planted"].as_array().unwrap();
    let double = plants.iter().find(|plant| plant["id"] == "H01").unwrap();
    let [row, twin, ..] = double["rows"].as_array().unwrap().as_slice() else {
        panic!("{double}");
    };
    assert_eq!(row, twin, "the key names it as often as it stands there");
    assert_eq!(row["company"], "JD_GH");
    let (_, number) = row["key"].as_str().unwrap().split_once(" = ").unwrap();
    let sample = format!("id_company,cod_oms_sales_order_item\nJD_GH,{number}\n");

    let place = Place::new();
    let item = run_sample_of(&place, hold, ("IPE_12", &sample)).await;
    assert_eq!(item.status, ItemStatus::Failed, "{item:#?}");
    assert_eq!(item.validation_summary["key.unique"], Verdict::Fail);
    let found = record(&item).checks.into_iter();
    let found = found.filter(|check| check.id == "accuracy.positive");
    let found: Vec<String> = found.flat_map(|check| check.findings).collect();
    let said = "the key is not unique in the source: 2 rows there, 2 staged";
    assert!(found.iter().any(|one| one.ends_with(said)), "{found:#?}");
    assert_sealed(&item).await;

    // The negative twin: the same ledger without that row.
    let cured = planted(PlantProfile::Hold, &["H01"]);
    let item = run_on(&Place::new(), cured, "IPE_12").await;
    for check in ["key.unique", "accuracy.positive"] {
        assert_eq!(item.validation_summary[check], Verdict::Pass, "{check}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_that_cannot_be_used_is_refused_before_anything_connects() {
    let place = Place::new();
    place.secret("SERVER=nowhere");
    for (item, text, part) in [
        (
            "IPE_07",
            "id_company\nEC_NG\n",
            "has no column `entry_no`; write id_company,entry_no",
        ),
        (
            "IPE_07",
            "id_company,entry_no\nEC_NG,4711x\n",
            "line 2, column `entry_no`: write a whole number",
        ),
        (
            "IPE_07",
            "id_company,entry_no\nEC_NG,1\nEC_NG,47110000000\n",
            "column `entry_no`: a value is no int",
        ),
        (
            "IPE_07",
            "id_company,entry_no\nEC_NG,1,2\n",
            "line 2 is no line of a CSV file",
        ),
        ("IPE_07", "id_company,entry_no\n", "holds no key"),
        (
            "IPE_99",
            "id_company,entry_no\nEC_NG,1\n",
            "the run has no item `IPE_99`",
        ),
    ] {
        let file = place.dir.path().join("sample.csv");
        std::fs::write(&file, text).unwrap();
        let mut settings = place.settings("IPE_07");
        settings.witnesses = vec![(item.into(), file)];
        let refused = App::build(settings, std::sync::Arc::new(Silent)).await;
        let Err(error @ StartError::Witness(_)) = refused.map(|_| ()) else {
            panic!("{text} was taken");
        };
        let said = error.to_string();
        assert!(said.contains(part) && !said.contains("4711"), "{said}");
    }
    let mut settings = place.settings("IPE_07");
    settings.limits.sample_rows_max = 1;
    let file = place.dir.path().join("sample.csv");
    std::fs::write(&file, "id_company,entry_no\nEC_NG,1\nEC_NG,2\n").unwrap();
    settings.witnesses = vec![("IPE_07".into(), file)];
    let refused = App::build(settings, std::sync::Arc::new(Silent)).await;
    assert!(
        refused
            .map(|_| ())
            .unwrap_err()
            .to_string()
            .contains("more than 1 keys")
    );
}

/// Two rates of one company have no key that the base table shows; a company without a rate has a key with null.
#[tokio::test(flavor = "multi_thread")]
async fn rates_that_are_missing_or_double_do_not_hold_the_rates() {
    let place = Place::new();
    let config = planted(PlantProfile::Recon, &[]);
    let item = run_on(&place, config, "CR_05").await;
    assert_eq!(
        item.validation_summary["accuracy.positive"],
        Verdict::Pass,
        "{item:#?}"
    );
    let audit = audit(&item);
    let of = |company: &str| {
        audit
            .witnesses
            .iter()
            .filter(|w| w.company == company)
            .count()
    };
    assert_eq!((of("JD_DZ"), of("JD_UG"), of("EC_NG")), (0, 1, 1));
}

/// A record that says something else was staged, sealed as if it were true.
#[tokio::test(flavor = "multi_thread")]
async fn witnesses_that_the_parts_do_not_hold_are_found_by_verify() {
    let place = Place::new();
    let item = run_altered(&place, &[]).await;
    let honest = record(&item);
    let findings = |record: ItemRecord| async move {
        let evidence = store::memory();
        let sealed = seal(&evidence, &record, b"{}\n").await.unwrap();
        let folder = sealed
            .uri
            .trim_start_matches(&evidence.uri)
            .trim_start_matches('/')
            .to_owned();
        let report = verify_package(VerifyRequest {
            scratch: &soxauto::app::scratch,
            package: &evidence.below(&folder),
            staging: None,
            open: &store::open_existing,
            manifest_sha256: None,
            limits: &Limits::default(),
        })
        .await;
        assert_eq!(report.not_run, Vec::<String>::new());
        report
            .findings
            .iter()
            .map(|f| format!("{}: {}", f.place, f.what))
            .collect::<Vec<_>>()
    };
    assert_eq!(findings(honest.clone()).await, Vec::<String>::new());
    let mut lie = honest.clone();
    for side in [true, false] {
        let witness = &mut lie.witnesses.as_mut().unwrap().witnesses[3];
        let seen = if side {
            &mut witness.source
        } else {
            &mut witness.staged
        };
        seen.amounts[0] = Some("1.00000000000000000000".into());
    }
    let found = findings(lie).await;
    assert!(
        found[0].contains("is not staged as the record says"),
        "{found:#?}"
    );
    let mut lie = honest.clone();
    lie.witnesses.as_mut().unwrap().witnesses[3].source.sha256 = Some("00".repeat(32));
    let found = findings(lie).await.join("\n");
    assert!(
        found.contains("not what its two sides say") && found.contains("accuracy.positive"),
        "{found}"
    );
}
