//! Stores: what every store promises, on each of them; and what Cloud Storage does when it fails.

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use soxauto::adapters::google::storage;
use soxauto::adapters::store;
use soxauto::domain::limits::HttpLimits;
use soxauto::ports::{PortErrorKind, StoreRoot};

use super::fakes::identity::EMAIL;
use super::fakes::server::Fault;
use super::fakes::{Google, quick};

const ONE: Bytes = Bytes::from_static(b"one and more");

fn paths(listed: &[soxauto::ports::Stored]) -> Vec<&str> {
    listed.iter().map(|stored| stored.path.as_str()).collect()
}

/// What staging, leases and packages rest on.
async fn keeps_its_promises(root: &StoreRoot) {
    let at = "IPE_07/period=2024-04/run=20240501T090000Z-1a2b3c4d/part-00000.parquet";
    assert_eq!(root.find(at).await.unwrap(), None);
    let absent = root.get(at).await.unwrap_err();
    assert_eq!(absent.kind, PortErrorKind::Corrupt);
    root.create(at, ONE).await.unwrap();
    root.create(at, ONE).await.unwrap();
    let error = root.create(at, Bytes::from_static(b"2")).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.to_string().contains(&root.uri_of(at)), "{error}");
    assert_eq!(root.get(at).await.unwrap(), ONE);

    root.create("empty", Bytes::new()).await.unwrap();
    assert_eq!(root.get("empty").await.unwrap(), Bytes::new());

    // More than one page, and a neighbour that begins with the folder's name.
    for number in 0..8 {
        let path = format!("runs/{number:06}/lease.json");
        root.create(&path, ONE).await.unwrap();
    }
    root.create("runs-of-others/x", ONE).await.unwrap();
    let listed = root.list("runs").await.unwrap();
    assert_eq!(listed.len(), 8);
    assert!(listed.is_sorted() && listed.iter().all(|stored| stored.bytes == 12));
    assert_eq!(root.list("").await.unwrap().len(), 11);
    assert_eq!(root.list("nothing/here").await.unwrap(), []);
    let below = root.below("runs/000007");
    assert_eq!(paths(&below.list("").await.unwrap()), ["lease.json"]);
    assert_eq!(below.get("lease.json").await.unwrap(), ONE);
    let folder = Path::parse("runs").unwrap();
    let found = root.store.list_with_delimiter(Some(&folder)).await.unwrap();
    assert_eq!((found.common_prefixes.len(), found.objects.len()), (8, 0));
    assert_eq!(found.common_prefixes[0].as_ref(), "runs/000000");

    let at = Path::parse(at).unwrap();
    assert_eq!(root.store.head(&at).await.unwrap().size, 12);
    assert_eq!(root.store.get_range(&at, 4..7).await.unwrap(), "and");
    let pieces = root.store.get_ranges(&at, &[0..3, 8..12]).await.unwrap();
    assert_eq!(pieces, ["one", "more"]);
    let gone = Path::parse("gone").unwrap();
    let error = root.store.head(&gone).await.unwrap_err();
    assert!(
        matches!(error, object_store::Error::NotFound { .. }),
        "{error}"
    );

    root.store.delete(&at).await.unwrap();
    assert_eq!(root.find(at.as_ref()).await.unwrap(), None);
}

#[tokio::test]
async fn every_store_keeps_the_same_promises() {
    let dir = tempfile::tempdir().unwrap();
    let google = Google::start().await;
    for root in [
        store::memory(),
        store::open(dir.path().to_str().unwrap()).unwrap(),
        google.root("gs://staging"),
        google.root("gs://evidence/a/prefix=1/"),
    ] {
        keeps_its_promises(&root).await;
    }
    let names = google.buckets.objects("evidence");
    assert!(names.keys().all(|name| name.starts_with("a/prefix=1/")));
    let file = google
        .buckets
        .file("evidence", "a/prefix=1/runs-of-others/x");
    assert_eq!(std::fs::read(file).unwrap(), ONE);
}

#[tokio::test]
async fn what_passes_is_waited_for_and_written_once() {
    for fault in [
        Fault::Error(503, "UNAVAILABLE"),
        Fault::Error(429, "RESOURCE_EXHAUSTED"),
        Fault::Page(502),
        Fault::Cut,
        Fault::LostReply,
        Fault::HalfReply,
        Fault::Error(401, "UNAUTHENTICATED"),
        Fault::Slow(Duration::from_millis(900)),
    ] {
        let google = Google::start().await;
        let root = google.root("gs://staging/x");
        for line in ["PUT /staging/", "GET /staging/", "GET /storage/"] {
            google.fake.plan(line, [fault.clone()]);
        }
        let shown = format!("{fault:?}");
        root.create("a/b", ONE).await.expect(&shown);
        assert_eq!(root.get("a/b").await.expect(&shown), ONE);
        assert_eq!(root.list("a").await.expect(&shown).len(), 1);
        google.fake.assert_spent();
        let written = google.buckets.objects("staging");
        assert_eq!(written, [("x/a/b".to_owned(), 1)].into(), "{shown}");
    }
}

#[tokio::test]
async fn a_token_that_ends_in_the_midst_is_renewed() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    root.create("a", ONE).await.unwrap();
    google.issuer.revoke_all();
    root.create("b", ONE).await.unwrap();
    google.issuer.revoke_all();
    assert_eq!(root.get("a").await.unwrap(), ONE);
    assert_eq!(google.issuer.issued().len(), 3);
}

#[tokio::test]
async fn a_lost_reply_to_a_write_is_success_only_with_equal_bytes() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    google.fake.plan("PUT /staging/a", [Fault::LostReply]);
    root.create("a", ONE).await.unwrap();
    assert_eq!(google.fake.seen("PUT /staging/a").len(), 2);
    assert_eq!(google.fake.seen("GET /staging/a").len(), 1, "it was read");

    // Another program was faster, between the write whose reply was lost and the next attempt.
    google
        .root("gs://staging")
        .create("b", Bytes::from_static(b"2"))
        .await
        .unwrap();
    google.fake.plan("PUT /staging/b", [Fault::Cut]);
    let error = root.create("b", ONE).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert_eq!(root.get("b").await.unwrap(), "2", "nothing is overwritten");
}

#[tokio::test]
async fn an_account_that_may_only_create_finds_its_own_write_again() {
    let google = Google::start().await;
    google.buckets.create_only();
    let root = google.root("gs://staging");
    google.fake.plan("PUT /staging/a", [Fault::LostReply]);
    root.create("a", ONE).await.unwrap();
    let error = root.create("a", Bytes::from_static(b"2")).await;
    assert_eq!(error.unwrap_err().kind, PortErrorKind::Corrupt);
    assert_eq!(root.get("a").await.unwrap(), ONE);
}

#[tokio::test]
async fn a_service_that_stays_down_is_unreachable_and_leaves_nothing() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    google
        .fake
        .plan("PUT", vec![Fault::Error(503, "UNAVAILABLE"); 4]);
    let error = root.create("a", ONE).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable);
    assert!(error.is_retryable);
    let text = error.to_string();
    assert!(text.starts_with("writing to bucket staging: "), "{text}");
    assert!(
        text.contains("answered 503") && text.contains("after 4 attempts"),
        "{text}"
    );
    assert!(
        text.contains("gs://staging/a") && text.contains("hint: "),
        "{text}"
    );
    assert!(google.buckets.objects("staging").is_empty());
}

#[tokio::test]
async fn a_refusal_names_the_role_the_bucket_and_the_account() {
    let google = Google::start().await;
    let root = google.root("gs://evidence/x");
    google.buckets.deny("evidence");
    let create = root.create("a", ONE).await.unwrap_err();
    let find = root.find("a").await.unwrap_err();
    let list = root.list("").await.unwrap_err();
    let roles = ["objectCreator", "objectViewer", "objectViewer"];
    for (error, role) in [create, find, list].into_iter().zip(roles) {
        assert_eq!(error.kind, PortErrorKind::Denied, "{error}");
        let hint = format!("grant roles/storage.{role} on bucket evidence to {EMAIL}");
        assert_eq!(error.hint.as_deref(), Some(hint.as_str()));
    }
    let at = Path::parse("a").unwrap();
    let error = root.error(&root.store.delete(&at).await.unwrap_err(), "a");
    assert!(error.hint.unwrap().contains("roles/storage.objectUser"));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named_and_never_an_absent_object() {
    let google = Google::start().await;
    let root = google.root("gs://stagin/x");
    for error in [
        root.find("a").await.unwrap_err(),
        root.create("a", ONE).await.unwrap_err(),
        root.list("").await.unwrap_err(),
    ] {
        assert_eq!(error.kind, PortErrorKind::Config);
        assert!(
            error.message.contains("there is no bucket stagin"),
            "{error}"
        );
        assert!(
            error
                .hint
                .unwrap()
                .contains("gcloud storage buckets create gs://stagin")
        );
    }
}

/// Whoever answers to a write in place of the service has written nothing, whatever his status.
#[tokio::test]
async fn a_stranger_who_says_well_has_written_nothing() {
    let google = Google::start().await;
    let root = google.root("gs://evidence/x");
    for status in [200, 201, 204, 308, 302, 404] {
        google.fake.plan("PUT", [Fault::Page(status)]);
        let error = root.create("a", ONE).await.unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("SENTINEL"), "{text}");
        assert!(error.hint.unwrap().contains("proxy or gateway"), "{status}");
        assert!(google.buckets.objects("evidence").is_empty(), "{status}");
    }
    // It wrote after all, and somebody in between lost the reply: the bytes that lie there decide.
    google
        .fake
        .plan("PUT", [Fault::LostReply, Fault::Page(200)]);
    root.create("a", ONE).await.unwrap();
    google.fake.plan("PUT", [Fault::Page(200)]);
    let error = root.create("a", Bytes::from_static(b"2")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.message.contains("other bytes"), "{error}");
    assert_eq!(root.get("a").await.unwrap(), ONE);
    google.fake.assert_spent();
}

/// Two who write the same: a stranger's success to one of them is not a second writer.
#[tokio::test]
async fn a_strangers_success_gives_nobody_what_another_holds() {
    let google = Google::start().await;
    let (one, other) = (google.root("gs://evidence"), google.root("gs://evidence"));
    one.create("runs/1.json", ONE).await.unwrap();
    google.fake.plan("PUT", [Fault::Page(200)]);
    let lease = Bytes::from_static(b"another holder");
    assert!(other.create("runs/1.json", lease).await.is_err());
    assert_eq!(other.get("runs/1.json").await.unwrap(), ONE);
}

/// A 404 of somebody in between says nothing of the object, a success of his nothing either.
#[tokio::test]
async fn only_the_service_says_that_an_object_is_not_there() {
    let google = Google::start().await;
    let root = google.root("gs://evidence");
    let at = Path::parse("final.json").unwrap();
    // The service itself.
    assert_eq!(root.find("final.json").await.unwrap(), None);
    let absent = root.store.head(&at).await.unwrap_err();
    assert!(matches!(absent, object_store::Error::NotFound { .. }));
    root.create("final.json", ONE).await.unwrap();
    // Somebody else.
    for fault in [
        Fault::Page(404),
        Fault::Error(404, "notFound"),
        Fault::Page(200),
        // Any other document is no empty list.
        Fault::Error(200, "x"),
    ] {
        let shown = format!("{fault:?}");
        google.fake.plan("GET /evidence/", [fault.clone()]);
        let error = root.find("final.json").await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt, "{shown}");
        google.fake.plan("GET /storage/", [fault.clone()]);
        let listed = root.list("").await;
        assert!(listed.is_err(), "{shown}: {listed:?}");
        google.fake.plan("DELETE /evidence/", [fault]);
        let deleted = root.store.delete(&at).await.unwrap_err();
        assert!(
            !matches!(deleted, object_store::Error::NotFound { .. }),
            "{shown}"
        );
    }
    // A reply to HEAD has no body: GET decides.
    google.fake.plan("HEAD /evidence/", [Fault::Page(404)]);
    assert_eq!(root.store.head(&at).await.unwrap().size, 12);
    google.fake.plan("HEAD /evidence/", [Fault::Page(404)]);
    google.fake.plan("GET /evidence/", [Fault::Page(404)]);
    let error = root.store.head(&at).await.unwrap_err();
    assert!(!matches!(error, object_store::Error::NotFound { .. }));
    google.fake.assert_spent();
    assert_eq!(root.find("final.json").await.unwrap(), Some(ONE));
}

#[tokio::test]
async fn bytes_that_change_on_the_way_are_corrupt() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    root.create("a", ONE).await.unwrap();
    google.buckets.lie();
    let error = root.get("a").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Corrupt);
    assert!(error.message.contains("CRC32C"), "{error}");
    let sent = &google.fake.seen("PUT")[0];
    assert_eq!(sent.header("x-goog-if-generation-match"), "0");
    assert!(sent.header("x-goog-hash").starts_with("crc32c="));
}

#[tokio::test]
async fn nothing_is_overwritten_copied_or_uploaded_in_pieces() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    let at = Path::parse("a").unwrap();
    let payload = PutPayload::from(ONE);
    let over = PutOptions::from(PutMode::Overwrite);
    assert!(root.store.put_opts(&at, payload, over).await.is_err());
    assert!(root.store.put_multipart(&at).await.is_err());
    assert!(
        root.store
            .copy(&at, &Path::parse("b").unwrap())
            .await
            .is_err()
    );
    assert!(google.fake.seen("/staging").is_empty(), "nothing was sent");
}

#[tokio::test]
async fn names_are_plain_and_sizes_and_lists_end() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    let error = root.create("ż", ONE).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Config);
    assert!(google.fake.seen("/staging").is_empty(), "nothing was sent");

    let small = |object_bytes_max, list_pages_max| {
        let limits = HttpLimits {
            object_bytes_max,
            list_pages_max,
            ..quick()
        };
        storage::root(google.session_within(limits), "gs://staging").unwrap()
    };
    for name in ["a", "b", "c", "d"] {
        root.create(name, ONE).await.unwrap();
    }
    let length = ONE.len();
    assert_eq!(small(length, 2).get("a").await.unwrap(), ONE);
    let error = small(length - 1, 2).get("a").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
    let error = small(length - 1, 2).create("e", ONE).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
    assert_eq!(small(length, 2).list("").await.unwrap().len(), 4);
    let error = small(length, 1).list("").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Limit);
}

#[tokio::test]
async fn many_writes_at_once_all_arrive() {
    let google = Google::start().await;
    let root = google.root("gs://staging");
    google.fake.plan(
        "PUT",
        [Fault::Cut, Fault::LostReply, Fault::Error(503, "X")],
    );
    let numbers = futures::stream::iter(0..40);
    let writes = numbers.map(|number| {
        let root = root.clone();
        async move { root.create(&format!("part-{number:05}"), ONE).await }
    });
    writes
        .buffer_unordered(16)
        .try_collect::<Vec<()>>()
        .await
        .unwrap();
    assert_eq!(root.list("").await.unwrap().len(), 40);
    google.fake.assert_spent();
}
