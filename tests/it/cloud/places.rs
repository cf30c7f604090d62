//! Where things lie: what the layout of a bucket and the metadata server say, and what is not taken for it.

use serde_json::json;
use soxauto::adapters::google::storage::lies_in;
use soxauto::ports::PortErrorKind;

use super::fakes::Google;
use super::fakes::identity::EMAIL;
use super::fakes::server::Fault;

async fn located(google: &Google, location: &str) -> String {
    let found = lies_in(&google.session(), location).await;
    found.unwrap().to_string()
}

#[tokio::test]
async fn a_bucket_lies_where_its_layout_says_whatever_the_prefix() {
    let google = Google::start().await;
    assert_eq!(located(&google, "gs://staging/parts").await, "EU");
    let region = json!({"location": "EUROPE-WEST1", "locationType": "region"});
    google.buckets.locate("evidence", region);
    assert_eq!(located(&google, "gs://evidence").await, "europe-west1");
    let pair = json!({"location": "EU", "locationType": "dual-region",
        "customPlacementConfig": {"dataLocations": ["EUROPE-WEST1", "EUROPE-WEST4"]}});
    google.buckets.locate("leases", pair);
    let said = "EU (europe-west1, europe-west4)";
    assert_eq!(located(&google, "gs://leases").await, said);
    let asked = google.fake.seen("/storage/v1/b/");
    let targets: Vec<&str> = asked.iter().map(|seen| seen.target.as_str()).collect();
    assert_eq!(targets[0], "/storage/v1/b/staging/storageLayout");
}

#[tokio::test]
async fn who_may_not_list_is_told_the_role_and_what_says_no_place_is_not_taken_for_one() {
    let google = Google::start().await;
    google.buckets.deny("staging");
    let error = lies_in(&google.session(), "gs://staging/x").await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
    let role = format!("grant roles/storage.objectViewer on bucket staging to {EMAIL}");
    assert_eq!(error.hint.as_deref(), Some(role.as_str()));
    for nowhere in ["gs://absent", "gs://", "out/staging"] {
        let error = lies_in(&google.session(), nowhere).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Config, "{nowhere}");
    }
    for strange in [json!({"location": ""}), json!({"kind": "storage#objects"})] {
        google.buckets.locate("evidence", strange);
        let error = lies_in(&google.session(), "gs://evidence").await;
        assert_eq!(error.unwrap_err().kind, PortErrorKind::Corrupt);
    }
    let page = [Fault::Page(404)];
    google.fake.plan("/storageLayout", page);
    let error = lies_in(&google.session(), "gs://leases").await.unwrap_err();
    assert!(!error.to_string().contains("SENTINEL"), "{error}");
}

#[tokio::test]
async fn the_region_is_the_last_word_of_what_the_metadata_server_says_of_it() {
    let google = Google::start().await;
    let session = google.session();
    assert_eq!(session.region().await.unwrap().unwrap(), "europe-west1");
    google.issuer.region(None);
    assert_eq!(session.region().await.unwrap(), None);
    for strange in ["", "projects/1/regions/", "<html>x</html>", "a b", "X"] {
        google.issuer.region(Some(strange));
        let error = session.region().await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt, "{strange}");
    }
    google.issuer.region(Some("projects/1/regions/us-east1"));
    google.issuer.without_flavor();
    let error = session.region().await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied, "somebody else answers");
}
