//! An HTTP server on a free port that serves a router and fails as it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Largest request that is kept: an upload's chunk.
const REQUEST_BYTES_MAX: usize = 64 << 20;

/// What happens to one request instead of, or after, its being served.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// An error in Google's form.
    Error(u16, &'static str),
    /// An error that asks for a pause, in seconds.
    Later(u16, u64),
    /// A page for people, as a proxy or load balancer in between sends it.
    Page(u16),
    /// The connection is cut; nothing was done.
    Cut,
    /// The request is served, and the connection cut before the reply.
    LostReply,
    /// The connection is cut after the first bytes of the reply's body; nothing was done.
    HalfReply,
    /// Served after this time.
    Slow(Duration),
    /// Served well: for sequences in which a later request fails.
    Served,
    /// Kept back, before it is served or before its reply is sent, until the gate is opened.
    Held(Arc<Gate>, When),
}

/// Where a request is kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Nothing is done yet.
    BeforeServing,
    /// It is done, and nobody knows it.
    BeforeReply,
}

/// A gate at which one request waits.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    reached: Notify,
    opened: Notify,
}

impl Gate {
    /// Ends when the request is there.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }

    async fn hold<T>(&self, when: When, serve: impl Future<Output = T>) -> T {
        let wait = async {
            self.reached.notify_one();
            self.opened.notified().await;
        };
        match when {
            When::BeforeServing => {
                wait.await;
                serve.await
            }
            When::BeforeReply => {
                let served = serve.await;
                wait.await;
                served
            }
        }
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct State {
    /// Faults still to come, each with a part of `METHOD target` that it waits for.
    planned: Vec<(String, Fault)>,
    seen: Vec<Seen>,
}

/// A running server; it ends with this value.
pub(crate) struct Fake {
    address: SocketAddr,
    is_tls: bool,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

/// The connection is to be cut.
#[derive(Debug)]
struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut")
    }
}

impl std::error::Error for Cut {}

impl Fake {
    /// Serves a router.
    pub(crate) async fn serve(router: Router) -> Self {
        Self::listen(router, None).await
    }

    /// Serves a router over TLS, as `localhost`.
    #[cfg(feature = "sandbox")]
    pub(crate) async fn serve_tls(router: Router, tls: TlsAcceptor) -> Self {
        Self::listen(router, Some(tls)).await
    }

    async fn listen(router: Router, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, is_tls) = (Arc::new(Mutex::new(State::default())), tls.is_some());
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&state);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (router, tls, state) = (router.clone(), tls.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    match tls {
                        None => connection(stream, router, state).await,
                        // A client that does not trust the certificate goes away in the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                connection(stream, router, state).await;
                            }
                        }
                    }
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self {
            address,
            state,
            is_tls,
            _serving: serving,
        }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> String {
        if self.is_tls {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("http://{}", self.address)
        }
    }

    /// Plans faults for the next requests whose `METHOD target` holds `part`, one each, in this order.
    pub(crate) fn plan(&self, part: &str, faults: impl IntoIterator<Item = Fault>) {
        let faults = faults.into_iter().map(|fault| (part.to_owned(), fault));
        self.state.lock().unwrap().planned.extend(faults);
    }

    /// Nothing that was planned happens any more.
    pub(crate) fn forget(&self) {
        self.state.lock().unwrap().planned.clear();
    }

    /// Requests so far whose `METHOD target` holds `part`.
    pub(crate) fn seen(&self, part: &str) -> Vec<Seen> {
        let state = self.state.lock().unwrap();
        let fits = |seen: &&Seen| line(&seen.method, &seen.target).contains(part);
        state.seen.iter().filter(fits).cloned().collect()
    }

    /// Nothing that was planned is left: the test met what it wanted to meet.
    pub(crate) fn assert_spent(&self) {
        let left = &self.state.lock().unwrap().planned;
        assert!(left.is_empty(), "faults that nobody met: {left:?}");
    }
}

fn line(method: &Method, target: &str) -> String {
    format!("{method} {target}")
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    router: Router,
    state: Arc<Mutex<State>>,
) {
    let answer = service_fn(move |request| answer(request, router.clone(), Arc::clone(&state)));
    // A connection that was cut on purpose ends with an error here.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), answer)
            .await,
    );
}

async fn answer(
    request: Request<Incoming>,
    router: Router,
    state: Arc<Mutex<State>>,
) -> Result<Response<Body>, Cut> {
    let (head, body) = request.into_parts();
    let body = to_bytes(Body::new(body), REQUEST_BYTES_MAX)
        .await
        .map_err(|_| Cut)?;
    let target = head.uri.to_string();
    let fault = {
        let mut state = state.lock().unwrap();
        state.seen.push(Seen {
            method: head.method.clone(),
            target: target.clone(),
            headers: head.headers.clone(),
            body: body.clone(),
        });
        let line = line(&head.method, &target);
        let due = state
            .planned
            .iter()
            .position(|(part, _)| line.contains(part));
        due.map(|at| state.planned.remove(at).1)
    };
    let serve = async {
        let request = Request::from_parts(head, Body::from(body));
        let served: Result<_, Infallible> = TowerToHyperService::new(router).call(request).await;
        Ok(served.unwrap_or_else(|never| match never {}))
    };
    match fault {
        None | Some(Fault::Served) => serve.await,
        Some(Fault::Error(status, reason)) => Ok(super::error(status, reason, "planned")),
        Some(Fault::Later(status, seconds)) => {
            let mut reply = super::error(status, "RESOURCE_EXHAUSTED", "planned");
            reply
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
            Ok(reply)
        }
        Some(Fault::Page(status)) => {
            let page = "<html><body><h1>Error</h1>SENTINEL-PAGE</body></html>";
            let mut reply = Response::new(Body::from(page));
            *reply.status_mut() = StatusCode::from_u16(status).unwrap();
            Ok(reply)
        }
        Some(Fault::Cut) => Err(Cut),
        Some(Fault::LostReply) => {
            let _served: Response<Body> = serve.await?;
            Err(Cut)
        }
        Some(Fault::HalfReply) => {
            let pieces = [Ok(Bytes::from_static(b"{\"half\": ")), Err(Cut)];
            Ok(Response::new(Body::from_stream(futures::stream::iter(
                pieces,
            ))))
        }
        Some(Fault::Held(gate, when)) => gate.hold(when, serve).await,
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            serve.await
        }
    }
}
