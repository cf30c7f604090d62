//! The HTTP service through real sockets: what it answers, what it refuses, and that it never runs a month twice at once.

pub(crate) mod alerts;
mod auth;
mod elsewhere;
mod fuzz;
mod jobs;
mod keys;
mod logs;
mod ready;
mod requests;
mod rough;
mod runs;
mod starting;
mod stop;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use soxauto::domain::limits::ServerLimits;
use soxauto::server::{Service, guarded, router, serve};
use soxauto::settings::{Access, RunSettings, SecretsChoice, ServiceSettings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::journey::Place;

pub(crate) const JSON: &str = "Content-Type: application/json\r\n";

/// A service in this process.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) stop: CancellationToken,
    ended: JoinSet<bool>,
}

/// A whole reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// Reads what came over a connection until its end.
    pub(crate) fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).unwrap_or_default();
        Self {
            status: status.parse().unwrap_or_default(),
            head: head.to_lowercase(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of an error, which must have all that an error has.
    pub(crate) fn code(&self) -> String {
        let error = self.json()["error"].clone();
        assert!(error["message"].is_string(), "{self:?}");
        error["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines
            .into_iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Settings over the stand-in with a small ledger, open to everybody.
pub(crate) fn open_settings(place: &Place) -> ServiceSettings {
    let mut run = RunSettings {
        period: None,
        items: Vec::new(),
        ..place.settings("")
    };
    run.source.secrets = SecretsChoice::Sandbox;
    run.source.sandbox_rows = Some(300);
    ServiceSettings {
        run,
        access: Access::Anybody,
        project: Some("test-project".to_owned()),
        async_job: None,
        grace: Duration::from_secs(8),
        limits: ServerLimits::default(),
    }
}

/// The same over a server that takes connections and never says a word, so that a run goes on until it is stopped.
pub(crate) fn stuck_settings(place: &Place, silent: &Silent) -> ServiceSettings {
    place.secret(&silent.connection_string());
    let mut settings = open_settings(place);
    settings.run.source = place.settings("").source;
    settings
}

/// A server that takes connections and never says a word.
pub(crate) struct Silent(std::net::TcpListener);

impl Silent {
    pub(crate) fn new() -> Self {
        Self(std::net::TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) fn connection_string(&self) -> String {
        let port = self.address().port();
        format!("SERVER=tcp:127.0.0.1,{port};DATABASE=d;UID=u;PWD=SENTINEL-PASSWORD;Encrypt=no")
    }
}

impl Served {
    pub(crate) async fn start(settings: ServiceSettings) -> Self {
        let service = Service::new(settings).unwrap();
        let router = router(Arc::clone(&service));
        Self::over(router, service).await
    }

    /// The same with other endpoints behind the same guard.
    pub(crate) async fn over(router: axum::Router, service: Arc<Service>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let router = guarded(router, Arc::clone(&service));
        let mut ended = JoinSet::new();
        ended.spawn(serve(listener, router, service, stop.clone()));
        Self {
            address,
            stop,
            ended,
        }
    }

    /// Sends a request and reads the reply to its end.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &str) -> Reply {
        ask(self.address, line, headers, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path}"), "", "").await
    }

    pub(crate) async fn post(&self, body: &str) -> Reply {
        self.ask("POST /", JSON, body).await
    }

    /// Starts a run without waiting for it; gives its name.
    pub(crate) async fn begin(&self, body: &str) -> String {
        let headers = format!("{JSON}Prefer: respond-async\r\n");
        let reply = self.ask("POST /", &headers, body).await;
        assert_eq!(reply.status, 202, "{reply:?}");
        let run_id = reply.json()["run_id"].as_str().unwrap().to_owned();
        let location = format!("/runs/{}", run_id.to_lowercase());
        assert_eq!(reply.header("location"), Some(location.as_str()));
        run_id
    }

    /// Shows a run again and again until it fits.
    pub(crate) async fn until(&self, run_id: &str, fits: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..600 {
            let run = self.get(&format!("/runs/{run_id}")).await.json();
            if fits(&run) {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!(
            "run {run_id} never got there: {:?}",
            self.get("/runs").await
        );
    }

    /// Asks it to stop; gives whether all had ended in the grace period.
    pub(crate) async fn stopped(mut self) -> bool {
        self.stop.cancel();
        self.ended.join_next().await.unwrap().unwrap()
    }
}

/// Sends a request and reads the reply to its end.
pub(crate) async fn ask(address: SocketAddr, line: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let text = format!(
        "{line} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    raw(address, text.as_bytes()).await
}

/// Sends bytes as they are and reads whatever comes.
pub(crate) async fn raw(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that has refused already may close before all was sent.
    let _sent = stream.write_all(bytes).await;
    let mut text = Vec::new();
    let _read = stream.read_to_end(&mut text).await;
    Reply::read(&String::from_utf8_lossy(&text))
}
