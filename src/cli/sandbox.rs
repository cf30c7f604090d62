//! `soxauto sandbox`.

use std::future::pending;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::sandbox::{Planting, Sandbox, SandboxConfig};

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
        // The default; clap refuses it beside --plant.
        clean: _,
        plant,
        answer_key,
        seconds,
    } = args;
    let config = SandboxConfig {
        port,
        seed,
        snapshot_allowed: !no_snapshot,
        writers,
        replay,
        planting: Planting {
            profile: plant.unwrap_or_default(),
            without: Vec::new(),
        },
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
    if let Some(file) = &answer_key {
        let key = sandbox.answer_key().context(
            "there is no generated ledger to write an answer key of; say how many rows it has",
        )?;
        write_once(file, &key.to_json()?)?;
        output::tell(&format!("the answer key is {}", file.display()));
    }
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

/// Makes a file, or leaves an equal one as it is; another one is not overwritten.
fn write_once(file: &Path, text: &str) -> anyhow::Result<()> {
    let made = std::fs::File::create_new(file).and_then(|mut made| made.write_all(text.as_bytes()));
    match made {
        Err(io) if io.kind() == ErrorKind::AlreadyExists => {
            let is_equal = std::fs::read(file).is_ok_and(|known| known == text.as_bytes());
            anyhow::ensure!(
                is_equal,
                "{}: is there already and says something else; remove it, or name another file",
                file.display()
            );
            Ok(())
        }
        made => made.with_context(|| format!("{}: cannot be written", file.display())),
    }
}
