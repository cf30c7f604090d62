//! `soxauto sandbox`.

use std::future::pending;
use std::time::Duration;

use crate::sandbox::{Sandbox, SandboxConfig};

use super::args::SandboxArgs;
use super::{output, stopped};

/// Serves the stand-in until it is stopped. Connection strings go to stdout, each on a line of its own.
pub(super) async fn sandbox(args: SandboxArgs) -> anyhow::Result<u8> {
    let SandboxArgs {
        port,
        rows,
        data,
        seed,
        writers,
        no_snapshot,
        replay,
        seconds,
    } = args;
    let config = SandboxConfig {
        port,
        seed,
        snapshot_allowed: !no_snapshot,
        writers,
        replay,
        ..SandboxConfig::of(rows, data)
    };
    if let Some(dir) = &config.data {
        output::tell(&format!("reading the tables of {} …", dir.display()));
    }
    if let Some(rows) = config.rows {
        output::tell(&format!(
            "making a ledger of {rows} open customer entries …"
        ));
    }
    let sandbox = Sandbox::start(config).await?;
    output::print(&sandbox.portable_odbc_connection_string())?;
    output::print(&sandbox.ado_connection_string())?;
    output::tell(&format!(
        "listening on {}; stop with Ctrl-C\nsoxauto trusts its certificate alone with \
         `TrustServerCertificate=no;ServerCertificate={};`",
        sandbox.addr(),
        sandbox.certificate_file().display()
    ));
    let lifetime = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => pending().await,
        }
    };
    tokio::select! {
        () = stopped() => {}
        () = lifetime => {}
    }
    sandbox.stop().await;
    Ok(0)
}
