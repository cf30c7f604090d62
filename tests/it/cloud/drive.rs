//! Drive: whatever the network and the service do, a file lies there once with the right bytes, or the failure is said.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use soxauto::adapters::google::drive::Drive;
use soxauto::domain::digest::sha256_hex;
use soxauto::domain::limits::DriveLimits;
use soxauto::ports::{Content, Delivered, EvidenceSink as _, Outgoing, PortError, PortErrorKind};

use super::fakes::Google;
use super::fakes::drive::{FOLDER, OWN_FOLDER};
use super::fakes::server::Fault;

pub(super) const NAME: &str = "PG-01_X_2024-04_r_file.txt";
const UPLOAD: &str = "/upload/drive/v3/files";
const CHUNK: usize = 256 << 10;

/// Three chunks, the last of them short, no two bytes in a row the same.
pub(super) fn content() -> Bytes {
    let bytes = (0..2 * CHUNK + 1_000).map(|n| u8::try_from(n % 251).unwrap());
    bytes.collect::<Vec<_>>().into()
}

fn drive(google: &Google, folder: &str) -> Drive {
    let limits = DriveLimits {
        chunk_bytes: CHUNK,
        ..DriveLimits::default()
    };
    Drive::new(google.session(), folder.parse().unwrap(), limits)
}

pub(super) async fn deliver_to(
    google: &Google,
    folder: &str,
    content: &dyn Content,
) -> Result<Delivered, PortError> {
    let file = Outgoing {
        name: NAME.to_owned(),
        media_type: "text/plain",
        run: "20240501T090000Z-1a2b3c4d".to_owned(),
        content,
    };
    drive(google, folder).deliver(&file).await
}

pub(super) async fn deliver(google: &Google) -> Result<Delivered, PortError> {
    deliver_to(google, FOLDER, &content()).await
}

/// The file lies there once, with the bytes that were to be delivered.
pub(super) fn assert_once(google: &Google, case: &str) {
    let files = google.drive.files();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [NAME], "{case}");
    assert!(files[0].bytes == content(), "{case}");
}

/// Nothing that is said tells where a session continues, or a token.
fn assert_silent(error: &PortError) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains("SENTINEL"), "{said}");
}

#[tokio::test]
async fn a_file_arrives_in_chunks_with_its_labels_and_is_not_sent_again() {
    let google = Google::start().await;
    let delivered = deliver(&google).await.unwrap();
    assert_once(&google, "first");
    assert!(!delivered.was_there);
    assert_eq!(delivered.sha256, sha256_hex(&content()));
    let kept = &google.drive.files()[0];
    assert_eq!(kept.labels["run"], "20240501T090000Z-1a2b3c4d");
    assert_eq!(kept.labels["sha256"], delivered.sha256);
    assert_eq!(delivered.id, kept.id);
    assert!(delivered.link.unwrap().contains(&kept.id));
    let puts = google.fake.seen("PUT");
    let sizes: Vec<usize> = puts.iter().map(|seen| seen.body.len()).collect();
    assert_eq!(sizes, [CHUNK, CHUNK, 1_000]);
    let begun = google.fake.seen(&format!("POST {UPLOAD}"));
    assert!(begun[0].target.contains("supportsAllDrives=true"));

    let again = deliver(&google).await.unwrap();
    assert!(again.was_there);
    assert_eq!(again.id, kept.id);
    assert_once(&google, "again");
    assert_eq!(google.fake.seen("PUT").len(), 3, "nothing was sent again");
}

#[tokio::test]
async fn nothing_at_all_and_whole_chunks_are_files_too() {
    for bytes in [0, 1, CHUNK, 2 * CHUNK] {
        let google = Google::start().await;
        let content = content().slice(..bytes);
        deliver_to(&google, FOLDER, &content).await.unwrap();
        let files = google.drive.files();
        assert_eq!(files.len(), 1, "{bytes}");
        assert!(files[0].bytes == content, "{bytes}");
        let again = deliver_to(&google, FOLDER, &content).await.unwrap();
        assert!(again.was_there, "{bytes}");
    }
}

#[tokio::test]
async fn whatever_passes_leaves_one_file_with_the_right_bytes() {
    let faults = [
        Fault::Error(503, "backendError"),
        Fault::Error(500, "internalError"),
        Fault::Error(429, "rateLimitExceeded"),
        Fault::Error(403, "userRateLimitExceeded"),
        Fault::Later(429, 0),
        Fault::Page(502),
        Fault::Cut,
        Fault::LostReply,
        Fault::HalfReply,
        Fault::Slow(Duration::from_millis(900)),
    ];
    for fault in faults {
        for nth in 1..=7 {
            let (google, case) = (Google::start().await, format!("{fault:?} at {nth}"));
            google.fake.plan("/files", vec![Fault::Served; nth - 1]);
            google.fake.plan("/files", [fault.clone()]);
            let delivered = deliver(&google).await;
            let delivered = delivered.unwrap_or_else(|error| panic!("{case}: {error}"));
            assert_once(&google, &case);
            assert_eq!(delivered.sha256, sha256_hex(&content()), "{case}");
            google.fake.assert_spent();
        }
    }
}

#[tokio::test]
async fn after_a_cut_in_mid_chunk_only_the_rest_is_sent() {
    let google = Google::start().await;
    google.drive.cut_at(100_000);
    google.fake.plan("PUT", [Fault::LostReply]);
    deliver(&google).await.unwrap();
    assert_once(&google, "cut");
    let puts = google.fake.seen("PUT");
    let ranges: Vec<&str> = puts
        .iter()
        .map(|seen| seen.header("content-range"))
        .collect();
    let all = content().len();
    assert_eq!(ranges[0], format!("bytes 0-{}/{all}", CHUNK - 1));
    assert_eq!(ranges[1], format!("bytes */{all}"));
    assert_eq!(
        ranges[2],
        format!("bytes 100000-{}/{all}", 100_000 + CHUNK - 1)
    );
}

#[tokio::test]
async fn a_lost_reply_to_the_last_chunk_is_asked_for() {
    let google = Google::start().await;
    google
        .fake
        .plan("PUT", [Fault::Served, Fault::Served, Fault::LostReply]);
    deliver(&google).await.unwrap();
    assert_once(&google, "lost");
    assert_eq!(google.fake.seen(&format!("POST {UPLOAD}")).len(), 1);
    assert_eq!(google.fake.seen("PUT").len(), 4);
}

#[tokio::test]
async fn a_session_that_is_forgotten_is_begun_anew_and_makes_no_second_file() {
    for status in [404, 410] {
        for nth in 1..=3 {
            let (google, case) = (Google::start().await, format!("{status} at {nth}"));
            google.fake.plan("PUT", vec![Fault::Served; nth - 1]);
            google.fake.plan("PUT", [Fault::Error(status, "notFound")]);
            deliver(&google).await.unwrap();
            assert_once(&google, &case);
            assert_eq!(
                google.fake.seen(&format!("POST {UPLOAD}")).len(),
                2,
                "{case}"
            );
        }
    }
    // The last chunk made the file, and then the session was forgotten before anybody heard of it.
    let google = Google::start().await;
    let lost = [
        Fault::Served,
        Fault::Served,
        Fault::LostReply,
        Fault::Error(404, "notFound"),
    ];
    google.fake.plan("PUT", lost);
    google.drive.blind(1);
    deliver(&google).await.unwrap();
    assert_once(&google, "made and forgotten");
    assert_eq!(google.fake.seen("GET /drive/v3/files/file-").len(), 1);

    let google = Google::start().await;
    google
        .fake
        .plan("PUT", vec![Fault::Error(404, "notFound"); 3]);
    let error = deliver(&google).await.unwrap_err();
    assert!(error.to_string().contains("forgot 3 uploads"), "{error}");
    assert!(google.drive.files().is_empty());
}

#[tokio::test]
async fn a_service_that_stays_down_is_said_and_leaves_nothing_behind() {
    let google = Google::start().await;
    google
        .fake
        .plan("PUT", vec![Fault::Error(503, "backendError"); 50]);
    let error = deliver(&google).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(
        error.hint.as_ref().unwrap().contains("run it again"),
        "{error}"
    );
    assert_silent(&error);
    google.fake.forget();
    assert!(google.drive.files().is_empty());
    deliver(&google).await.unwrap();
    assert_once(&google, "later");
}

#[tokio::test]
async fn the_service_is_given_the_pause_that_it_asks_for_and_no_longer_one() {
    let google = Google::start().await;
    google.fake.plan("PUT", [Fault::Later(429, 1)]);
    let begun = std::time::Instant::now();
    deliver(&google).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_once(&google, "later");

    let google = Google::start().await;
    google.fake.plan("PUT", [Fault::Later(429, 3_600)]);
    let error = deliver(&google).await.unwrap_err();
    assert!(error.to_string().contains("answered 429"), "{error}");
    assert!(google.drive.files().is_empty());
}

#[tokio::test]
async fn what_does_not_pass_is_said_with_what_to_do() {
    for (folder, fault, hint) in [
        (
            FOLDER,
            Some(Fault::Error(403, "insufficientFilePermissions")),
            "Contributor",
        ),
        (
            FOLDER,
            Some(Fault::Error(403, "accessNotConfigured")),
            "enable drive.googleapis.com",
        ),
        (
            FOLDER,
            Some(Fault::Error(403, "insufficientPermissions")),
            "scope drive.file",
        ),
        (OWN_FOLDER, None, "shared drive"),
        (
            "nobody-knows-it",
            None,
            "share the folder with runner@test-project",
        ),
    ] {
        let google = Google::start().await;
        let case = format!("{folder} {fault:?}");
        google.fake.plan("POST /upload", fault);
        let error = deliver_to(&google, folder, &content()).await.unwrap_err();
        assert!(
            error.hint.as_ref().unwrap().contains(hint),
            "{case}: {error}"
        );
        assert!(error.to_string().contains(folder), "{case}: {error}");
        assert_silent(&error);
        assert!(google.drive.files().is_empty(), "{case}");
    }
}

#[tokio::test]
async fn a_token_that_ends_in_mid_upload_is_renewed() {
    let google = Google::start().await;
    google
        .fake
        .plan("PUT", [Fault::Served, Fault::Error(401, "authError")]);
    deliver(&google).await.unwrap();
    assert_once(&google, "renewed");
    assert_eq!(google.issuer.issued().len(), 2);
}

#[tokio::test]
async fn no_byte_goes_to_another_host_and_nothing_says_where_a_session_is() {
    let google = Google::start().await;
    google.drive.stray();
    let error = deliver(&google).await.unwrap_err();
    assert!(error.to_string().contains("another host"), "{error}");
    assert!(!error.to_string().contains("elsewhere"), "{error}");
    assert!(google.fake.seen("PUT").is_empty());

    for fault in [
        Fault::Error(400, "badRequest"),
        Fault::Page(418),
        Fault::HalfReply,
    ] {
        let google = Google::start().await;
        google.fake.plan("PUT", vec![fault; 60]);
        let error = deliver(&google).await.unwrap_err();
        assert_silent(&error);
        assert!(google.drive.files().is_empty());
        google.drive.forget_sessions();
        google.fake.forget();
        deliver(&google).await.unwrap();
        assert_once(&google, "a new process begins anew");
    }
}

/// Gives other bytes each time that it is read.
struct Moving(std::sync::Mutex<Vec<Bytes>>);

impl Content for Moving {
    fn open(&self) -> BoxStream<'_, Result<Bytes, PortError>> {
        let next = self.0.lock().unwrap().pop().unwrap();
        stream::iter([Ok(next)]).boxed()
    }
}

#[tokio::test]
async fn a_content_that_changes_while_it_is_read_is_no_success() {
    for (first, then) in [("abc", "abcd"), ("abc", "ab"), ("abc", "abX")] {
        let google = Google::start().await;
        let moving = Moving(std::sync::Mutex::new(vec![then.into(), first.into()]));
        let error = deliver_to(&google, FOLDER, &moving).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt, "{then}: {error}");
    }
}
