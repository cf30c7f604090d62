//! The socket: connections within their limits, and an orderly end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::domain::limits::ServerLimits;
use crate::pipeline::alert::Alert;

use super::Service;
use super::socket::Socket;

/// After a connection could not be accepted, such as for want of file handles.
const PAUSE: Duration = Duration::from_millis(50);
/// What is left to tell of a run that outlives the grace period: the process is killed soon after it.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Serves `router` until `stop`; then takes no more connections, asks the run in flight to stop, and ends when everything
/// has, or when the grace period is over: a run that is still at work then is told of. Gives whether every run had ended.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    service: Arc<Service>,
    stop: CancellationToken,
) -> bool {
    let limits = &service.settings.limits;
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let connections = TaskTracker::new();
    let accepting = async {
        loop {
            // The semaphore is never closed; if it were, serving unbounded is still right.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            match listener.accept().await {
                Ok((stream, _)) => {
                    let served = connection(stream, router.clone(), limits.clone(), stop.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop.cancelled() => {}
    }
    drop(listener);
    service.stopping.cancel();
    if let Some(run) = service.board.running() {
        run.stop.cancel();
    }
    connections.close();
    service.runs.close();
    let until = Instant::now() + service.settings.grace;
    let has_ended = timeout_at(until, service.runs.wait()).await.is_ok();
    let mut told = until;
    if !has_ended && let Some(run) = service.board.running() {
        let what = "the service was stopped while the run was at work";
        let (run_id, period) = (Some(run.run_id), Some(run.period));
        service.raise(Alert::without_result(run_id, period, what));
        told = Instant::now() + LAST_WORD;
    }
    // Whoever does not take a reply in time is left behind; no run depends on it.
    let replied = until.min(Instant::now() + limits.write_timeout);
    if timeout_at(replied, connections.wait()).await.is_err() {
        tracing::warn!("not every reply was taken before the end");
    }
    service.alerting.close();
    if timeout_at(told, service.alerting.wait()).await.is_err() {
        tracing::error!(
            "the grace period is over before an alert was delivered: it stands in the log only"
        );
    }
    has_ended
}

async fn connection(
    stream: TcpStream,
    router: Router,
    limits: ServerLimits,
    stop: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes_max)
        .max_headers(limits.headers_max);
    let stream = Socket::new(stream, limits.write_timeout);
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}
