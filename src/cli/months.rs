//! `soxauto close`, `reopen`, `dispose`, `sign` and `history`: what people do to a month.

use clap::{Args, ValueEnum};

use crate::app::months::{MonthPlace, Said, Signed};
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::months::{MonthEvent, MonthLog, MonthRecord};
use crate::domain::reconcile::statement::{Decision, MonthState, Role};

use super::google_args::GoogleArgs;
use super::output;

/// Which month, and where its evidence lies.
#[derive(Debug, Args)]
struct MonthArgs {
    /// Month, as YYYY-MM
    #[arg(long, env = "SOXAUTO_PERIOD", value_name = "YYYY-MM")]
    period: Period,
    /// Where evidence packages are sealed
    #[arg(
        long,
        env = "SOXAUTO_EVIDENCE",
        default_value = "out/evidence",
        value_name = "URL"
    )]
    evidence: String,
    #[command(flatten)]
    google: GoogleArgs,
}

impl From<MonthArgs> for MonthPlace {
    fn from(args: MonthArgs) -> Self {
        Self {
            period: args.period,
            evidence: args.evidence,
            google: args.google.into(),
        }
    }
}

/// Close a month with a sealed reconciliation: no run loads it any more
#[derive(Debug, Args)]
#[command(after_help = "\
Refused while a line is not concluded, or an exception has no disposition (soxauto dispose); when an
item was run again since the month was judged; and for a judgement by --contract or --rules, or of
packages by --catalog, unless every package was read from the stand-in. The tables of the warehouse
show it when the month is published again (soxauto reconcile --publish --staging URL).

Example:
  soxauto close --period 2024-04 --run 20240506T090000Z-1a2b3c4d --by \"A. Mwangi\"")]
pub(super) struct CloseArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Run whose sealed reconciliation becomes final
    #[arg(long, env = "SOXAUTO_RUN", value_name = "RUN")]
    run: RunId,
    /// Who closes
    #[arg(long, env = "SOXAUTO_BY", value_name = "NAME")]
    by: String,
}

/// Open a closed month again; its final run stays readable
#[derive(Debug, Args)]
pub(super) struct ReopenArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Why
    #[arg(long, env = "SOXAUTO_REASON", value_name = "TEXT")]
    reason: String,
    /// Ticket in which that was asked for
    #[arg(long, env = "SOXAUTO_TICKET", value_name = "TEXT")]
    ticket: String,
    /// Who approved: not the person who closed
    #[arg(long, env = "SOXAUTO_APPROVER", value_name = "NAME")]
    approver: String,
    /// Who opens it
    #[arg(long, env = "SOXAUTO_BY", value_name = "NAME")]
    by: String,
}

/// What is to become of an exception.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecisionArg {
    /// It stays as it is
    Accept,
    /// The ledger or the source is corrected
    Adjust,
    /// It is looked at again next month
    CarryForward,
}

/// Say what becomes of an exception; another amount needs another word
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  soxauto dispose --period 2024-04 --line L1 --company EC_NG --gl 13003 --decision adjust \\
      --text \"booked twice, reversed in May\" --by \"B. Diallo\"")]
pub(super) struct DisposeArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Run whose sealed reconciliation shows it [default: the newest]
    #[arg(long, env = "SOXAUTO_RUN", value_name = "RUN")]
    run: Option<RunId>,
    /// Line
    #[arg(long, env = "SOXAUTO_LINE", value_name = "LINE")]
    line: String,
    /// Company
    #[arg(long, env = "SOXAUTO_COMPANY", value_name = "CODE")]
    company: String,
    /// Account, where the line is compared by account
    #[arg(long, env = "SOXAUTO_GL", value_name = "ACCOUNT")]
    gl: Option<String>,
    /// What is to be done
    #[arg(long, env = "SOXAUTO_DECISION", value_enum)]
    decision: DecisionArg,
    /// Why
    #[arg(long, env = "SOXAUTO_TEXT", value_name = "TEXT")]
    text: String,
    /// Who says it
    #[arg(long, env = "SOXAUTO_BY", value_name = "NAME")]
    by: String,
}

/// A role in signing.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Made it
    Prepared,
    /// Looked at it
    Reviewed,
    /// Answers for it
    Approved,
}

/// Sign a sealed reconciliation; records are appended, never edited
#[derive(Debug, Args)]
pub(super) struct SignArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Run whose sealed reconciliation is signed
    #[arg(long, env = "SOXAUTO_RUN", value_name = "RUN")]
    run: RunId,
    /// As whom
    #[arg(long, env = "SOXAUTO_ROLE", value_enum)]
    role: RoleArg,
    /// Who
    #[arg(long, env = "SOXAUTO_BY", value_name = "NAME")]
    by: String,
    /// What they say
    #[arg(long, env = "SOXAUTO_COMMENT", default_value = "", value_name = "TEXT")]
    comment: String,
}

/// Show what happened to a month, and what keeps it from being closed
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    month: MonthArgs,
    /// Print the records as JSON on stdout
    #[arg(long, env = "SOXAUTO_JSON")]
    json: bool,
}

pub(super) async fn close(args: CloseArgs) -> anyhow::Result<u8> {
    let place = MonthPlace::from(args.month);
    let log = place.close(args.run, args.by).await?;
    print_last(&log)
}

pub(super) async fn reopen(args: ReopenArgs) -> anyhow::Result<u8> {
    let place = MonthPlace::from(args.month);
    let opened = place.reopen(args.reason, args.ticket, args.approver, args.by);
    print_last(&opened.await?)
}

pub(super) async fn dispose(args: DisposeArgs) -> anyhow::Result<u8> {
    let said = Said {
        run: args.run,
        line: args.line,
        company: args.company,
        gl: args.gl,
        decision: match args.decision {
            DecisionArg::Accept => Decision::Accept,
            DecisionArg::Adjust => Decision::Adjust,
            DecisionArg::CarryForward => Decision::CarryForward,
        },
        text: args.text,
        by: args.by,
    };
    print_last(&MonthPlace::from(args.month).dispose(said).await?)
}

pub(super) async fn sign(args: SignArgs) -> anyhow::Result<u8> {
    let signed = Signed {
        run: args.run,
        role: match args.role {
            RoleArg::Prepared => Role::Prepared,
            RoleArg::Reviewed => Role::Reviewed,
            RoleArg::Approved => Role::Approved,
        },
        by: args.by,
        comment: args.comment,
    };
    print_last(&MonthPlace::from(args.month).sign(signed).await?)
}

pub(super) async fn history(args: HistoryArgs) -> anyhow::Result<u8> {
    let view = MonthPlace::from(args.month).look().await?;
    if args.json {
        output::print(&serde_json::to_string_pretty(&view.log.records)?)?;
        return Ok(0);
    }
    let mut lines: Vec<String> = view.log.records.iter().map(line).collect();
    lines.push(match view.log.state() {
        MonthState::Preliminary => "PRELIMINARY".to_owned(),
        MonthState::Final { number, .. } => format!("FINAL no. {number}"),
    });
    if let Some(newest) = &view.newest {
        let word = newest.control_result().word();
        lines.push(format!("newest reconciliation: {} {word}", newest.run_id));
        lines.extend(newest.open().iter().map(|why| format!("open: {why}")));
    }
    output::print(&lines.join("\n"))?;
    Ok(0)
}

fn print_last(log: &MonthLog) -> anyhow::Result<u8> {
    if let Some(record) = log.records.last() {
        output::print(&line(record))?;
    }
    Ok(0)
}

/// One record in a line.
fn line(record: &MonthRecord) -> String {
    let at = record.at.format("%Y-%m-%d %H:%M UTC");
    let what = match &record.event {
        MonthEvent::Closed { run_id, by, .. } => format!("{by} closed the month with run {run_id}"),
        MonthEvent::Reopened {
            reason,
            ticket,
            approver,
            by,
        } => format!("{by} opened the month again, approved by {approver}, {ticket}: {reason}"),
        MonthEvent::Disposed(said) => format!(
            "{} said of {} {} {}, {}: {}, {}",
            said.by,
            said.line,
            said.company,
            said.gl.as_deref().unwrap_or("as a whole"),
            output::dr_cr(said.unexplained),
            word(said.decision),
            said.text
        ),
        MonthEvent::Signed(signed) => format!(
            "{} signed as {}: {:.12} {}",
            signed.by,
            match signed.role {
                Role::Prepared => "prepared",
                Role::Reviewed => "reviewed",
                Role::Approved => "approved",
            },
            signed.fingerprint,
            signed.comment
        ),
    };
    let account = record.account.as_ref();
    let account = account.map_or_else(String::new, |account| format!(" [{account}]"));
    format!(
        "{:>3}  {at}  {}{}",
        record.number,
        output::harmless(what.trim_end()),
        output::harmless(&account)
    )
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "accept",
        Decision::Adjust => "adjust",
        Decision::CarryForward => "carry forward",
    }
}
