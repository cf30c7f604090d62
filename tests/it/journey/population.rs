//! Population and exclusion: each check fails for its own reason when a definition lies, and is silent otherwise.

use std::path::Path;

use soxauto::domain::check::{Acceptance, Verdict};
use soxauto::domain::run::{ControlResult, ItemStatus};
use soxauto::pipeline::workflow::{IpeResult, WorkflowResult};
use soxauto::sandbox::SandboxConfig;

use super::whole::record;
use super::{Place, assert_sealed, run, sandbox};

/// Runs IPE_07 with some texts of its files exchanged.
pub(super) async fn run_altered(place: &Place, edits: &[(&str, &str, &str)]) -> IpeResult {
    let result = run_accepting(place, edits, Vec::new()).await;
    result.ipe_results["IPE_07"].clone()
}

/// The same, with checks that somebody answers for.
async fn run_accepting(
    place: &Place,
    edits: &[(&str, &str, &str)],
    accepted: Vec<Acceptance>,
) -> WorkflowResult {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog/IPE_07");
    let item = place.dir.path().join("catalog/IPE_07");
    std::fs::create_dir_all(&item).unwrap();
    for name in ["ipe.toml", "query.sql", "population.sql", "witness.sql"] {
        let mut text = std::fs::read_to_string(source.join(name)).unwrap();
        for (_, from, to) in edits.iter().filter(|(file, ..)| *file == name) {
            assert!(text.contains(from), "{name}: {from}");
            text = text.replace(from, to);
        }
        std::fs::write(item.join(name), text).unwrap();
    }
    let sandbox = sandbox(SandboxConfig::default()).await;
    place.secret(&sandbox.odbc_connection_string());
    let mut settings = place.settings("IPE_07");
    settings.catalog = Some(place.dir.path().join("catalog"));
    settings.accepted = accepted;
    run(settings).await
}

/// The checks that did not clear.
pub(super) fn failed(item: &IpeResult) -> Vec<&str> {
    let failed = item.validation_summary.iter();
    let failed =
        failed.filter(|(_, verdict)| !matches!(verdict, Verdict::Pass | Verdict::NotApplicable));
    failed.map(|(id, _)| id.as_str()).collect()
}

pub(super) async fn assert_fails(edits: &[(&str, &str, &str)], checks: &[&str], message: &str) {
    let place = Place::new();
    let item = run_altered(&place, edits).await;
    assert_eq!(failed(&item), checks, "{item:#?}");
    assert_eq!(
        (item.status, item.bigquery_table.clone()),
        (ItemStatus::Failed, None)
    );
    let said = item.error_message.clone().unwrap();
    assert!(said.contains(message), "{said}");
    assert_sealed(&item).await;
}

/// Defect 25 of the predecessor: completeness and accuracy were never looked at on live data.
#[tokio::test(flavor = "multi_thread")]
async fn the_item_as_it_is_passes_and_says_what_did_not_apply() {
    let place = Place::new();
    let item = run_altered(&place, &[]).await;
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    let of = |id: &str| item.validation_summary[id];
    for id in [
        "population.base",
        "population.extract",
        "accuracy.negative.2",
        "accuracy.negative.4",
    ] {
        assert_eq!(of(id), Verdict::Pass, "{id}");
    }
    // Every entry of the stand-in has a known company and detail: nothing to look at, and said so.
    for id in ["accuracy.negative.1", "accuracy.negative.3"] {
        assert_eq!(of(id), Verdict::NotApplicable, "{id}");
    }
    assert_sealed(&item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_the_funnel_does_not_know_is_found() {
    let edit = (
        "query.sql",
        "    -- predicate: company in",
        "    AND cle.[Currency] <> ''\n    -- predicate: company in",
    );
    let checks = [
        "accuracy.negative.2",
        "accuracy.negative.4",
        "accuracy.positive",
        "population.extract",
    ];
    assert_fails(&[edit], &checks, "rows in the funnel").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_join_of_the_population_that_doubles_rows_is_found() {
    let edit = (
        "population.sql",
        "WHERE cle.[Posting Date] < @next_start",
        "LEFT JOIN (SELECT [id_company], [Code] FROM [AIG_Nav_DW].[dbo].[Customer Posting Group]) AS fan\n    \
         ON fan.[id_company] = cle.[id_company]\nWHERE cle.[Posting Date] < @next_start",
    );
    let checks = [
        "accuracy.negative.2",
        "accuracy.negative.4",
        "population.base",
        "population.extract",
        "population.scope",
    ];
    assert_fails(&[edit], &checks, "rows in the base table").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_is_nowhere_is_found_and_one_that_is_excluded_is_not() {
    let absent = (
        "ipe.toml",
        "companies = [\n    \"EC_NG\", \"EC_KE\"",
        "companies = [\n    \"EC_NG\", \"ZZ_XX\"",
    );
    assert_fails(
        &[absent],
        &["population.companies"],
        "company `ZZ_XX` has no row at all",
    )
    .await;
    let place = Place::new();
    let out_of_scope = (
        "ipe.toml",
        "companies = [\n    \"EC_NG\", \"EC_KE\"",
        "companies = [\n    \"EC_NG\", \"AT_TN\"",
    );
    let item = run_altered(&place, &[out_of_scope]).await;
    assert_eq!(
        item.status,
        ItemStatus::Success,
        "an evidenced zero: {item:#?}"
    );
}

/// The lines of one predicate bear the name of the other: what the query gains without them is not what the funnel says.
#[tokio::test(flavor = "multi_thread")]
async fn a_predicate_that_does_something_else_is_found() {
    let edits = [
        (
            "query.sql",
            "predicate: company in consolidation scope",
            "predicate: x",
        ),
        (
            "query.sql",
            "predicate: detail does not add up to zero",
            "predicate: company in consolidation scope",
        ),
    ];
    assert_fails(
        &edits,
        &["accuracy.negative.2"],
        "rows in extract and funnel, 0 in the query without the predicate",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_row_that_is_staged_all_the_same_is_named() {
    let edit = (
        "population.sql",
        "co.[Flg_In_Conso_Scope] = 0 THEN 0 ELSE 1",
        "co.[Flg_In_Conso_Scope] = 0 THEN 1 ELSE 0",
    );
    let checks = [
        "accuracy.negative.2",
        "accuracy.negative.4",
        "accuracy.positive",
        "population.extract",
    ];
    assert_fails(&[edit], &checks, "rows only in the funnel").await;
    let place = Place::new();
    let item = run_altered(&place, &[edit]).await;
    let package = item.evidence.unwrap();
    let checks = Path::new(package.trim_start_matches("file://")).join("data/checks.json");
    let checks = std::fs::read_to_string(checks).unwrap();
    assert!(checks.contains("yet staged: id_company = EC_"), "{checks}");
}

fn accept(check: &str) -> Vec<Acceptance> {
    vec![Acceptance {
        check: check.into(),
        reason: "ZZ_XX closes its books a day late".into(),
        approver: "A. Mwangi".into(),
    }]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_check_loads_the_item_and_stands_on_page_one() {
    let absent = [(
        "ipe.toml",
        "companies = [\n    \"EC_NG\", \"EC_KE\"",
        "companies = [\n    \"EC_NG\", \"ZZ_XX\"",
    )];
    let place = Place::new();
    let result = run_accepting(&place, &absent, accept("population.companies")).await;
    let item = &result.ipe_results["IPE_07"];
    assert_eq!(item.status, ItemStatus::Success, "{item:#?}");
    assert_eq!(
        item.validation_summary["population.companies"],
        Verdict::Fail
    );
    assert!(item.bigquery_table.is_some());
    assert_eq!(
        result.control_result,
        ControlResult::Exceptions,
        "exit code 1"
    );
    assert_sealed(item).await;
    let package = item
        .evidence
        .as_deref()
        .unwrap()
        .trim_start_matches("file://");
    let page = std::fs::read_to_string(Path::new(package).join("data/summary.md")).unwrap();
    let line = "- **population.companies** did not pass, and A. Mwangi answers for it: ZZ_XX closes its books a day late";
    assert!(
        page.contains("SUCCESS WITH EXCEPTIONS") && page.contains(line),
        "{page}"
    );

    // Another check's acceptance opens nothing.
    let place = Place::new();
    let result = run_accepting(&place, &absent, accept("population.base")).await;
    assert_eq!(result.ipe_results["IPE_07"].status, ItemStatus::Failed);
}

#[test]
fn lost_changed_and_doubled_rows_cannot_be_accepted() {
    for check in [
        "key.unique",
        "digest.decoded_staged",
        "transfer.source_decoded",
        "warehouse.one_run",
        "nothing",
    ] {
        assert!(accept(check)[0].validate().is_err(), "{check}");
    }
    let nameless = Acceptance {
        approver: " ".into(),
        ..accept("population.base")[0].clone()
    };
    assert!(nameless.validate().is_err());
    assert!(accept("accuracy.negative.2")[0].validate().is_ok());
}

/// What the funnel says of the companies is what the server answers when it is asked for the values of such a column.
#[tokio::test(flavor = "multi_thread")]
async fn the_companies_are_read_off_the_funnel_as_a_question_would_answer() {
    let company = "column = \"company\"\nknown = [";
    let mut found = Vec::new();
    for column in ["company", "id_company"] {
        let place = Place::new();
        let column = format!("column = \"{column}\"\nknown = [");
        let unknown = ("ipe.toml", ", \"EC_NG_USD\",", ",");
        let item = run_altered(&place, &[("ipe.toml", company, &*column), unknown]).await;
        assert_sealed(&item).await;
        let record = record(item.evidence.as_deref().unwrap());
        let asked = record
            .executed
            .iter()
            .map(|executed| executed.purpose.clone());
        let asked = asked.filter(|purpose| purpose.starts_with("population, values of"));
        let cells = record.population.unwrap().scopes.remove(1).cells;
        found.push((asked.collect::<Vec<_>>(), cells, record.findings.len()));
    }
    let [(quiet, of_funnel, new), (asked, of_question, new_too)] = found.try_into().unwrap();
    assert_eq!(quiet, ["population, values of Customer Posting Group"]);
    assert_eq!(asked.last().unwrap(), "population, values of id_company");
    assert_eq!(of_funnel, of_question);
    assert!(of_funnel.len() > 9 && of_funnel.iter().all(|cell| cell.rows > 0));
    assert_eq!(
        (new, new_too),
        (1, 1),
        "the company that is not known is found either way"
    );
}
