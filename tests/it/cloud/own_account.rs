//! The program in the hands of a person who has logged in with gcloud: whose token it takes, and that it keeps the login to
//! itself.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::fakes::Google;
use super::fakes::identity::Issuer;
use super::fakes::server::Seen;
use crate::cli::{Said, Shell};

/// A look that needs a token, and finds that there is no such package.
const VERIFY: [&str; 2] = ["verify", "gs://evidence/soxauto/none"];

const TOKENS: &str = "POST /token";
const OF_MACHINE: &str = "/default/token";

/// A person's folder with credentials where gcloud keeps them.
pub(super) fn home(file: &Value) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/gcloud");
    std::fs::create_dir_all(&folder).unwrap();
    let file_name = folder.join("application_default_credentials.json");
    std::fs::write(file_name, file.to_string()).unwrap();
    home
}

/// Runs the program beside the stand-ins, at the loudest.
pub(super) async fn soxauto(google: &Google, args: &[&str], environment: &[(&str, &Path)]) -> Said {
    let endpoints = google.endpoints_of_people();
    let endpoints: Vec<String> = endpoints
        .iter()
        .map(|(name, url)| format!("{name}={url}"))
        .collect();
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut variables = vec![
        ("SOXAUTO_GOOGLE_ENDPOINT".to_owned(), endpoints.join(",")),
        ("SOXAUTO_LOG".to_owned(), "trace".to_owned()),
    ];
    for (name, value) in environment {
        variables.push(((*name).to_owned(), value.to_str().unwrap().to_owned()));
    }
    let run = move || {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Shell::new().run_with(&args, &variables)
    };
    let said = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(
        !said.out.contains("SENTINEL") && !said.err.contains("SENTINEL"),
        "{}{}",
        said.out,
        said.err
    );
    said
}

/// What was asked of the bucket.
fn asked(google: &Google) -> Vec<Seen> {
    let seen = google.fake.seen("evidence");
    assert!(!seen.is_empty(), "the bucket was asked");
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_logged_in_calls_with_their_own_account() {
    let google = Google::start().await;
    let home = home(&Issuer::login_file());
    soxauto(&google, &VERIFY, &[("HOME", home.path())]).await;
    assert_eq!(google.fake.seen(TOKENS).len(), 1);
    assert!(google.fake.seen(OF_MACHINE).is_empty());
    for seen in asked(&google) {
        let token = seen.header("authorization");
        assert_eq!(token, "Bearer ya29.SENTINEL-TOKEN-1", "{}", seen.target);
        assert_eq!(seen.header("x-goog-user-project"), "test-project");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_impersonates_calls_as_the_account() {
    let google = Google::start().await;
    let home = home(&Issuer::impersonation_file(&Issuer::login_file()));
    soxauto(&google, &VERIFY, &[("HOME", home.path())]).await;
    assert_eq!(google.fake.seen(":generateAccessToken").len(), 1);
    for seen in asked(&google) {
        let token = seen.header("authorization");
        assert_eq!(token, "Bearer ya29.SENTINEL-TOKEN-2", "{}", seen.target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_run_and_whoever_says_so_call_as_the_machine_all_the_same() {
    let home = home(&Issuer::login_file());
    let service = Path::new("soxauto");
    let said = [&VERIFY[..], &["--google-credentials", "metadata"]].concat();
    let own = ("HOME", home.path());
    let none: [(&str, &Path); 0] = [];
    for (args, environment) in [
        (&VERIFY[..], &[own, ("K_SERVICE", service)][..]),
        (&VERIFY[..], &[own, ("CLOUD_RUN_JOB", service)][..]),
        (&said[..], &[own][..]),
        (&VERIFY[..], &none[..]),
    ] {
        let google = Google::start().await;
        soxauto(&google, args, environment).await;
        assert!(google.fake.seen(TOKENS).is_empty(), "{args:?}");
        assert_eq!(google.fake.seen(OF_MACHINE).len(), 1, "{args:?}");
        for seen in asked(&google) {
            assert_eq!(seen.header("x-goog-user-project"), "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_named_goes_before_the_one_of_gcloud_and_must_be_there() {
    let google = Google::start().await;
    let (home, other) = (home(&Issuer::login_file()), tempfile::tempdir().unwrap());
    let named = other.path().join("other.json");
    let environment = [
        ("HOME", home.path()),
        ("GOOGLE_APPLICATION_CREDENTIALS", named.as_path()),
    ];
    let said = soxauto(&google, &VERIFY, &environment).await;
    assert_eq!(said.code, 2, "{}", said.out);
    for part in ["cannot be read", "other.json", "--google-credentials"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert!(google.fake.seen("").is_empty(), "nobody was asked");

    std::fs::write(&named, r#"{"type": "external_account"}"#).unwrap();
    let said = soxauto(&google, &VERIFY, &environment).await;
    assert_eq!(said.code, 2, "{}", said.out);
    for part in ["other.json", "supported are the types authorized_user"] {
        assert!(said.err.contains(part), "{part}: {}", said.err);
    }
    assert!(google.fake.seen("").is_empty(), "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_log_in_again_is_told_the_command() {
    let google = Google::start().await;
    google.issuer.log_out();
    let home = home(&Issuer::login_file());
    let said = soxauto(&google, &VERIFY, &[("HOME", home.path())]).await;
    assert_eq!(said.code, 2, "{}{}", said.out, said.err);
    let words = said.out + &said.err;
    assert!(
        words.contains("run `gcloud auth application-default login` again"),
        "{words}"
    );
    assert!(google.fake.seen("evidence").is_empty());
    assert!(google.fake.seen(OF_MACHINE).is_empty());
}
