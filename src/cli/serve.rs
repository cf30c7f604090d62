//! `soxauto serve`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::limits::ServerLimits;
use crate::server::{Service, guarded, router, serve as serve_until};
use crate::settings::{Access, ServiceSettings, TokenRules};

use super::serve_args::ServeArgs;
use super::{output, stopped};

/// Longest wait of `--check`.
const CHECK_TIMEOUT: Duration = Duration::from_secs(4);

/// Serves until it is asked to stop.
pub(super) async fn serve(args: ServeArgs) -> anyhow::Result<u8> {
    if args.check {
        return check(args.host, args.port).await;
    }
    let access = match (args.allow_unauthenticated, args.audiences) {
        (true, _) => Access::Anybody,
        (false, audiences) if audiences.is_empty() => bail!(
            "nobody is told who may call\nhint: name the service's URL with --audience, or say --allow-unauthenticated"
        ),
        (false, _) if args.emails.is_empty() => bail!(
            "no account is named that may call: anybody can have Google sign a token for --audience\nhint: name the \
             accounts with --allowed-email, or say --allow-unauthenticated"
        ),
        (false, audiences) => Access::Tokens(TokenRules {
            audiences,
            emails: args.emails,
            keys_url: args.keys_url,
        }),
    };
    let is_open = access == Access::Anybody;
    let service = Service::new(ServiceSettings {
        run: args.work.try_into()?,
        access,
        project: args.project.or(args.google_cloud_project),
        async_job: args.async_job,
        grace: Duration::from_secs(args.grace_seconds),
        limits: ServerLimits::default(),
    })?;
    let listener = TcpListener::bind((args.host, args.port))
        .await
        .with_context(|| format!("{}:{} cannot be listened on", args.host, args.port))?;
    let address = listener.local_addr()?;
    output::tell(&format!("serving on http://{address}"));
    if is_open {
        output::tell("nobody is asked who they are: every run is stamped NOT CONTROL EVIDENCE");
    }
    let stop = CancellationToken::new();
    let mut signals = JoinSet::new();
    let asked = stop.clone();
    signals.spawn(async move {
        stopped().await;
        output::tell("stopping: a run that is not loading ends now, with its packages");
        asked.cancel();
    });
    let router = guarded(router(Arc::clone(&service)), Arc::clone(&service));
    if serve_until(listener, router, service, stop).await {
        return Ok(0);
    }
    output::complain(
        "error: stopped before the run had ended; the next run of the month seals what is left",
    );
    Ok(super::NOT_FOUND_OUT)
}

/// Asks the service on this machine whether it answers.
async fn check(host: IpAddr, port: u16) -> anyhow::Result<u8> {
    let host = if host.is_unspecified() {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        host
    };
    let asked = async {
        let mut stream = TcpStream::connect((host, port)).await?;
        let request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await?;
        let mut head = [0_u8; 12];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(head)
    };
    let head = tokio::time::timeout(CHECK_TIMEOUT, asked)
        .await
        .with_context(|| format!("no answer in {} s", CHECK_TIMEOUT.as_secs()))??;
    if head.ends_with(b" 200") {
        return Ok(0);
    }
    bail!("the service on port {port} does not say that it is healthy")
}
