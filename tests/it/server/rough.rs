//! Requests that no honest client makes, many at once: each is answered or dropped in time, none begins a run, and who
//! asks properly is heard all the same.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use soxauto::domain::limits::ServerLimits;
use soxauto::settings::ServiceSettings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::{JSON, Reply, Served, ask, open_settings, raw};
use crate::journey::Place;

/// A service that waits a third of a second and takes four connections.
async fn hurried(connections_max: usize) -> (Place, Served) {
    let place = Place::new();
    let limits = ServerLimits {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        body_bytes_max: 2_000,
        connections_max,
        ..ServerLimits::default()
    };
    let served = Served::start(ServiceSettings {
        limits,
        ..open_settings(&place)
    })
    .await;
    (place, served)
}

/// Sends a byte, waits, sends the next, until the other side answers or has had enough.
async fn drip(address: SocketAddr, first: &[u8], then: u8) -> Reply {
    let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
    to.write_all(first).await.unwrap();
    let dripping = async {
        while to.write_all(&[then]).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut text = Vec::new();
    tokio::select! {
        _ = from.read_to_end(&mut text) => {}
        () = dripping => {}
    }
    Reply::read(&String::from_utf8_lossy(&text))
}

fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{JSON}{headers}\r\n");
    [head.as_bytes(), body].concat()
}

fn sized(body: &[u8]) -> Vec<u8> {
    post(&format!("Content-Length: {}\r\n", body.len()), body)
}

/// What is sent, and the status that must come; 0 is whatever is no success.
fn rough() -> Vec<(Vec<u8>, u16)> {
    let nested = format!("{{\"ipes\": {}", "[".repeat(1_500));
    let twice = br#"{"cutoff_date": "2024-05-01", "cutoff_date": "2024-04-01"}"#;
    let piece = format!("5dc\r\n{}\r\n", "x".repeat(1_500)).repeat(3);
    let many: String = (0..100).map(|n| format!("X-{n}: y\r\n")).collect();
    let get = |target: &str| {
        format!("GET {target} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").into_bytes()
    };
    vec![
        (sized(nested.as_bytes()), 400),
        (sized(twice), 400),
        (sized(b"{\"ipes\": [\"\xff\xfe\"]}"), 400),
        (sized(b"{\"ipes\": [\"CR_04\0\"]}"), 400),
        (sized(br#"{"cutoff_date": "-271821-04-20"}"#), 400),
        (sized(br#"{"cutoff_date": "2024-05-01T00:00:00Z"}"#), 400),
        (sized(&vec![b' '; 3_000]), 413),
        (
            post("Transfer-Encoding: chunked\r\n", piece.as_bytes()),
            413,
        ),
        (post("Transfer-Encoding: chunked\r\n", b"zz\r\n"), 0),
        (post("Content-Length: 5000\r\n", b"{"), 408),
        (post("Content-Length: -1\r\n", b"{}"), 400),
        (
            post("Content-Length: 2\r\nContent-Length: 3\r\n", b"{}"),
            400,
        ),
        (
            post("Content-Length: 99999999999999999999999\r\n", b"{}"),
            400,
        ),
        (post(&many, b""), 0),
        (get("/runs/%ff%00"), 400),
        (get(&format!("/runs/{}", "a".repeat(8_000))), 404),
        (get("/../../etc/passwd"), 404),
        (get("http://elsewhere.example/nothing"), 404),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 0),
        (b"GET /\x00 HTTP/1.1\r\n\r\n".to_vec(), 0),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn rough_requests_at_once_begin_nothing_and_leave_the_service_well() {
    let (_place, served) = hurried(16).await;
    let address = served.address;
    let asked = Instant::now();
    let all = (0..4)
        .flat_map(|_| rough())
        .map(|(bytes, wanted)| async move {
            let reply = raw(address, &bytes).await;
            let what = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
            (what, wanted, reply)
        });
    for (what, wanted, reply) in futures::future::join_all(all).await {
        let is_wanted =
            reply.status == wanted || (wanted == 0 && !(200..300).contains(&reply.status));
        assert!(is_wanted, "{what} {wanted} {reply:?}");
        assert!(reply.status < 500, "{what} {reply:?}");
        if !reply.body.is_empty() {
            assert!(!reply.code().is_empty(), "{what} {reply:?}");
        }
    }
    assert!(
        asked.elapsed() < Duration::from_secs(20),
        "{:?}",
        asked.elapsed()
    );
    assert_eq!(served.get("/runs").await.json(), json!({"runs": []}));
    assert_eq!(served.get("/health").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_byte_by_byte_is_cut_off_in_time() {
    let (_place, served) = hurried(16).await;
    let begun = Instant::now();
    let head = drip(served.address, b"GET /health HTTP/1.1\r\nX-Slow: ", b'y').await;
    assert!(head.status == 0 || head.status == 408, "{head:?}");
    let head_alone = begun.elapsed();
    let body = drip(
        served.address,
        &post("Content-Length: 1500\r\n", b"{"),
        b' ',
    )
    .await;
    assert_eq!((body.status, body.code().as_str()), (408, "body_too_slow"));
    let chunks = drip(
        served.address,
        &post("Transfer-Encoding: chunked\r\n", b""),
        b'0',
    )
    .await;
    assert!(chunks.status == 408 || chunks.status == 413, "{chunks:?}");
    assert!(head_alone < Duration::from_secs(3), "{head_alone:?}");
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
}

/// Slow connections take every place that there is; whoever comes next waits no longer than they are borne.
#[tokio::test(flavor = "multi_thread")]
async fn slow_connections_that_take_every_place_keep_nobody_out_for_long() {
    let (_place, served) = hurried(4).await;
    let address = served.address;
    let slow = (0..12).map(|_| drip(address, b"POST / HTTP/1.1\r\nX: ", b'y'));
    let slow: JoinSet<Reply> = slow.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let asked = Instant::now();
    assert_eq!(ask(address, "GET /health", "", "").await.status, 200);
    assert!(
        asked.elapsed() > Duration::from_millis(50),
        "they held no place"
    );
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
    for reply in slow.join_all().await {
        assert_ne!(reply.status, 200);
    }
    assert_eq!(served.get("/runs").await.json(), json!({"runs": []}));
}

/// Sends question after question and takes no answer, until it is cut off.
async fn deaf(address: SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    // A small window, so that few answers fill what the system keeps of them.
    socket.set_recv_buffer_size(4 << 10).unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    let questions = "GET /openapi.json HTTP/1.1\r\nHost: t\r\n\r\n".repeat(50);
    while stream.write_all(questions.as_bytes()).await.is_ok() {}
}

async fn impatient(place: &Place, connections_max: usize) -> Served {
    let mut settings = open_settings(place);
    settings.limits.connections_max = connections_max;
    settings.limits.write_timeout = Duration::from_millis(500);
    settings.grace = Duration::from_secs(3);
    Served::start(settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answer_loses_his_place() {
    let place = Place::new();
    let served = impatient(&place, 1).await;
    let begun = Instant::now();
    let cut = tokio::time::timeout(Duration::from_secs(20), deaf(served.address));
    cut.await.expect("it keeps its place for ever");
    assert!(begun.elapsed() >= Duration::from_millis(500));
    assert_eq!(served.get("/health").await.status, 200);
    // Who takes his answers late, but in time, keeps it.
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    for _ in 0..4 {
        let question = b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n";
        slow.write_all(question).await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut answer = [0_u8; 15];
        slow.read_exact(&mut answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_no_answer_holds_up_no_stop() {
    let place = Place::new();
    let served = impatient(&place, 4).await;
    let deaf: JoinSet<()> = (0..3).map(|_| deaf(served.address)).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let asked = Instant::now();
    assert!(served.stopped().await, "nothing was running");
    assert!(
        asked.elapsed() < Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    drop(deaf);
}
