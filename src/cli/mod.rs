//! The command line: reads arguments, prints, and turns outcomes into exit codes.
//!
//! The only place that prints. May use everything below; holds no logic of the control.

mod args;
mod catalog;
mod clean;
mod doctor;
mod drift_text;
mod drive_args;
mod file_args;
mod google_args;
mod inspect;
mod look_args;
mod months;
mod output;
mod publication_text;
mod reconcile;
mod reconcile_text;
mod report_args;
mod run;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
mod serve_args;
mod source_args;
mod sql;
mod upload;
mod verify;
mod warehouse_args;
mod work_args;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

/// Exit code for "could not be found out".
const NOT_FOUND_OUT: u8 = 2;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(&format!("error: {error:#}"));
            ExitCode::from(NOT_FOUND_OUT)
        }
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<u8> {
    let on_cloud_run = match &cli.command {
        Command::Run(args) => args.work.is_on_cloud_run(),
        Command::Serve(args) => args.work.is_on_cloud_run(),
        Command::Reconcile(args) => args.is_on_cloud_run(),
        _ => false,
    };
    crate::telemetry::init(&cli.log, cli.log_format, on_cloud_run)
        .map_err(|what| anyhow::anyhow!("--log: {what}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // A thread that idles keeps whole parts that others gave back for it; one that has ended does not (ADR-0013).
        .thread_keep_alive(std::time::Duration::from_millis(1))
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Run(args) => run::run(*args).await,
            Command::Serve(args) => serve::serve(*args).await,
            Command::Doctor(args) => doctor::doctor(*args).await,
            Command::Verify(args) => verify::verify(args).await,
            Command::Catalog(args) => catalog::catalog(args).await,
            Command::Clean(args) => clean::clean(args).await,
            Command::Inspect(args) => inspect::inspect(*args).await,
            Command::Sql(args) => sql::sql(args).await,
            Command::Reconcile(args) => reconcile::reconcile(*args).await,
            Command::Dispose(args) => months::dispose(args).await,
            Command::Sign(args) => months::sign(args).await,
            Command::Close(args) => months::close(args).await,
            Command::Reopen(args) => months::reopen(args).await,
            Command::History(args) => months::history(args).await,
            Command::Upload(args) => upload::upload(args).await,
            #[cfg(feature = "sandbox")]
            Command::Sandbox(args) => sandbox::sandbox(args).await,
        }
    })
}

/// Ends when the process is asked to stop, by Ctrl-C or by its supervisor.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = |kind| async move {
        match signal(kind) {
            Ok(mut asked) => drop(asked.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = asked(SignalKind::interrupt()) => {}
        () = asked(SignalKind::terminate()) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_can_be_set_by_the_environment() {
        every_flag_of(&Cli::command());
    }

    fn every_flag_of(command: &clap::Command) {
        for arg in command
            .get_arguments()
            .filter(|arg| arg.get_long().is_some())
        {
            let name = arg.get_id().as_str();
            assert!(
                matches!(name, "help" | "version") || arg.get_env().is_some(),
                "{name}"
            );
        }
        command.get_subcommands().for_each(every_flag_of);
    }
}
