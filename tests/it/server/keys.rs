//! The keys that tokens are looked at with: kept, asked for after a pause only, and used on where none come.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::auth::{
    AUDIENCE, EMAIL, Publisher, Signer, assert_refused, claims, guarded, with_token,
};
use super::{Served, stop::Program};
use crate::cli::Shell;
use crate::journey::Place;

/// Longer than the pause between two questions in these tests.
const PAUSE_OVER: Duration = Duration::from_millis(350);

/// A service that asks for keys each third of a second at most, and uses them for so long.
async fn served(place: &Place, publisher: &Publisher, kept_max: Duration) -> Served {
    let mut settings = guarded(place, publisher, &[EMAIL]);
    settings.limits.keys_pause = Duration::from_millis(300);
    settings.limits.keys_kept_max = kept_max;
    settings.limits.attempts_max = 1;
    Served::start(settings).await
}

const LONG: Duration = Duration::from_secs(60);

async fn status(served: &Served, token: &str) -> u16 {
    with_token(served, "/config", token).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_kept_and_asked_for_again_when_a_new_one_signs() {
    let (place, old, new) = (Place::new(), Signer::new("k1"), Signer::new("k2"));
    let publisher = Publisher::start(vec![old.published.clone()]).await;
    let served = served(&place, &publisher, LONG).await;
    let token = old.sign("k1", &claims());
    for _ in 0..3 {
        assert_eq!(status(&served, &token).await, 200);
    }
    assert_eq!(publisher.asked(), 1);
    publisher.change(|says| says.keys.push(new.published.clone()));
    tokio::time::sleep(PAUSE_OVER).await;
    assert_eq!(status(&served, &new.sign("k2", &claims())).await, 200);
    // Made-up names do not make it ask each time.
    for number in 0..5 {
        let token = old.sign(&format!("made-up-{number}"), &claims());
        assert_refused(&with_token(&served, "/config", &token).await, "made up");
    }
    assert_eq!(publisher.asked(), 2);
    // A key that is published no more is good no more.
    publisher.change(|says| says.keys.retain(|key| key["kid"] == "k2"));
    tokio::time::sleep(PAUSE_OVER).await;
    let made_up = old.sign("made-up", &claims());
    assert_refused(&with_token(&served, "/config", &made_up).await, "asks");
    assert_refused(&with_token(&served, "/config", &token).await, "withdrawn");
}

/// Keys that are stale at once are asked for once in a pause, not for every token.
#[tokio::test(flavor = "multi_thread")]
async fn keys_without_an_age_are_asked_for_once_in_a_pause() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    publisher.change(|says| says.max_age = 0);
    let mut settings = guarded(&place, &publisher, &[EMAIL]);
    settings.limits.keys_pause = LONG;
    let served = Served::start(settings).await;
    let token = signer.sign("k1", &claims());
    for _ in 0..4 {
        assert_eq!(status(&served, &token).await, 200);
        let made_up = signer.sign("made-up", &claims());
        assert_refused(&with_token(&served, "/config", &made_up).await, "made up");
    }
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_keys_are_used_while_no_new_ones_come_and_not_for_ever() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    publisher.change(|says| says.max_age = 0);
    let kept = Duration::from_secs(3);
    let served = served(&place, &publisher, kept).await;
    let begun = Instant::now();
    let token = signer.sign("k1", &claims());
    assert_eq!(status(&served, &token).await, 200);
    // Whether those who publish keys are down, or answer without any.
    for (status_of_keys, keys) in [(500, true), (403, true), (200, false)] {
        publisher.change(|says| {
            says.status = status_of_keys;
            says.keys.clear();
            says.keys.extend(keys.then(|| signer.published.clone()));
        });
        tokio::time::sleep(PAUSE_OVER).await;
        let asked = publisher.asked();
        assert_eq!(status(&served, &token).await, 200, "{status_of_keys}");
        assert_eq!(publisher.asked(), asked + 1, "{status_of_keys}");
        // A made-up name meets the pause: nobody is asked, and it may be that the key is new.
        for _ in 0..3 {
            let reply = with_token(&served, "/config", &signer.sign("x", &claims())).await;
            assert_eq!((reply.status, reply.code().as_str()), (503, "no_keys"));
        }
        assert_eq!(publisher.asked(), asked + 1, "{status_of_keys}");
    }
    tokio::time::sleep(kept.saturating_sub(begun.elapsed()) + PAUSE_OVER).await;
    assert_eq!(status(&served, &token).await, 503, "too old");
    publisher.change(|says| says.keys = vec![signer.published.clone()]);
    tokio::time::sleep(PAUSE_OVER).await;
    assert_eq!(status(&served, &token).await, 200);
}

/// While keys are waited for, whoever has a key that is known is let in at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_for_keys_keeps_nobody_out() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    publisher.change(|says| says.max_age = 0);
    let served = served(&place, &publisher, LONG).await;
    let token = signer.sign("k1", &claims());
    assert_eq!(status(&served, &token).await, 200);
    publisher.change(|says| says.after = Duration::from_secs(2));
    tokio::time::sleep(PAUSE_OVER).await;
    let made_up = signer.sign("made-up", &claims());
    let begun = Instant::now();
    let good = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(status(&served, &token).await, 200);
        begun.elapsed()
    };
    let (waited, good) = tokio::join!(with_token(&served, "/config", &made_up), good);
    assert_refused(&waited, "made up");
    assert!(
        begun.elapsed() >= Duration::from_secs(2),
        "it was asked for"
    );
    assert!(good < Duration::from_millis(1_500), "{good:?}");
}

/// Else whoever asks first and hangs up would keep everybody out for the length of a pause, again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_does_not_break_the_question_off() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    let publisher = Publisher::start(vec![signer.published.clone()]).await;
    publisher.change(|says| says.after = Duration::from_millis(600));
    let mut settings = guarded(&place, &publisher, &[EMAIL]);
    settings.limits.keys_pause = LONG;
    let served = Served::start(settings).await;
    let token = signer.sign("k1", &claims());
    let question =
        format!("GET /config HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer {token}\r\n\r\n");
    let mut hasty = TcpStream::connect(served.address).await.unwrap();
    hasty.write_all(question.as_bytes()).await.unwrap();
    while publisher.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(hasty);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(status(&served, &token).await, 200);
    assert_eq!(publisher.asked(), 1);
}

/// Who cannot look at a token says so: a caller with a good one is not told to bring a better one.
#[tokio::test(flavor = "multi_thread")]
async fn without_keys_nobody_is_let_in_and_nobody_is_blamed() {
    let (place, signer) = (Place::new(), Signer::new("k1"));
    for status_of_keys in [404, 403, 401, 500] {
        let publisher = Publisher::start(vec![signer.published.clone()]).await;
        publisher.change(|says| says.status = status_of_keys);
        let served = served(&place, &publisher, LONG).await;
        for _ in 0..3 {
            let reply = with_token(&served, "/config", &signer.sign("k1", &claims())).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (503, "no_keys"),
                "{status_of_keys}"
            );
        }
        assert_eq!(publisher.asked(), 1, "{status_of_keys}");
        assert_refused(&served.get("/config").await, "no token at all");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_why_no_token_can_be_looked_at() {
    let (shell, signer) = (Shell::new(), Signer::new("k1"));
    let publisher = Publisher::start(Vec::new()).await;
    publisher.change(|says| says.status = 403);
    let door = [
        "--audience",
        AUDIENCE,
        "--allowed-email",
        EMAIL,
        "--keys-url",
        &publisher.url,
    ];
    let program = Program::behind(&shell, &door);
    let token = signer.sign("k1", &claims());
    let header = format!("Authorization: Bearer {token}\r\n");
    let reply = super::ask(program.address, "GET /config", &header, "").await;
    assert_eq!(reply.status, 503, "{reply:?}");
    program.terminate();
    let ended = tokio::task::spawn_blocking(|| program.ended());
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, Some(0), "{log}");
    let line = log
        .lines()
        .find(|line| line.contains("no token can be looked at"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("answered 403"), "{line}");
    assert!(!log.contains(&token), "{log}");
}
