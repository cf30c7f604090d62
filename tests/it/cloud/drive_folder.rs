//! What lies in a folder of Drive already, or comes there at the same time: nothing is overwritten, and it is said.

use bytes::Bytes;
use soxauto::ports::PortErrorKind;

use super::drive::{NAME, assert_once, content, deliver};
use super::fakes::Google;

#[tokio::test]
async fn other_bytes_under_the_name_are_refused_and_stay() {
    let google = Google::start().await;
    deliver(&google).await.unwrap();
    google.drive.change();
    let error = deliver(&google).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(
        error.to_string().contains("nothing is overwritten"),
        "{error}"
    );
    let files = google.drive.files();
    assert_eq!(files.len(), 1);
    assert_eq!(
        files[0].bytes.len(),
        content().len() + 1,
        "it stays as it was"
    );
}

#[tokio::test]
async fn two_files_of_one_name_are_found_out_whoever_was_first() {
    for racing in [content(), Bytes::from_static(b"other")] {
        let google = Google::start().await;
        google.drive.race(&racing);
        let error = deliver(&google).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("2 files named {NAME}")), "{text}");
        assert!(
            text.contains("racing") && text.contains("none is removed"),
            "{text}"
        );
        assert_eq!(google.drive.files().len(), 2);
        let again = deliver(&google).await.unwrap_err();
        assert!(again.to_string().contains("2 files named"), "{again}");
        assert_eq!(google.drive.files().len(), 2, "no third one");
    }
    let google = Google::start().await;
    for _ in 0..5 {
        google.drive.add(NAME, &content());
    }
    let error = deliver(&google).await.unwrap_err();
    assert!(
        error.to_string().contains("5 files named"),
        "over pages: {error}"
    );
}

#[tokio::test]
async fn a_folder_that_shows_files_late_is_looked_at_again() {
    let google = Google::start().await;
    google.drive.blind(3);
    deliver(&google).await.unwrap();
    assert_once(&google, "late");

    let google = Google::start().await;
    google.drive.blind(99);
    let error = deliver(&google).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Timeout);
    assert!(error.to_string().contains("does not show it"), "{error}");
    google.drive.blind(0);
    assert!(deliver(&google).await.unwrap().was_there);
    assert_once(&google, "found later");
}

#[tokio::test]
async fn what_was_kept_otherwise_than_it_was_sent_is_found_out() {
    let google = Google::start().await;
    google.drive.damage();
    let error = deliver(&google).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.to_string().contains("other bytes"), "{error}");
}
