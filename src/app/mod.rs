//! The root: the only place that picks adapters and puts a run together.

pub mod alerts;
mod google;
mod publication;
mod running;
mod samples;
pub mod service;
mod sources;
mod uploads;
mod verification;
mod warehouse;

pub mod async_job;
pub mod catalog;
pub mod clean;
pub mod delivery;
pub mod doctor;
pub mod elsewhere;
pub mod months;
pub mod ready;
pub mod reconcile;
pub mod roots;
pub mod rules;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::adapters::google::token::Caller;
use crate::adapters::process::ProcProcesses;
use crate::adapters::scratch::ScratchFile;
use crate::catalog::lint::Finding;
use crate::catalog::{CatalogError, Definitions};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::ipe::Ipe;
use crate::domain::period::{Period, PeriodError};
use crate::domain::query::QueryError;
use crate::domain::run::{Holder, Program, RunContext, Stamp};
use crate::pipeline::lease::at_work;
use crate::pipeline::progress::Progress;
use crate::pipeline::record::Places;
use crate::pipeline::workflow::WorkflowResult;
use crate::pipeline::{Tools, schedule};
use crate::ports::{Clock, PortError, Scratch};
use crate::settings::{RunSettings, SecretsChoice};

use delivery::Outbox;
use running::{host_name, program};
use sources::Reach;
use uploads::WithUploads;

pub use verification::{verify, verify_with};

/// Why a run could not begin; nothing was read or written.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The period.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// The catalog or the items.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A month whose books are still open.
    #[error(
        "{0} has not ended in Europe/Paris, so its books are still open\nhint: --preliminary runs it all the same; \
         run it again when it has ended"
    )]
    NotEnded(Period),
    /// A check that nobody can accept.
    #[error("--accept-check: {0}")]
    Acceptance(String),
    /// A file of witnesses.
    #[error("--witness {0}")]
    Witness(String),
    /// A file that an item is read from.
    #[error("--file {0}")]
    File(String),
    /// Definitions with findings; nothing was sent to a server.
    #[error("{}", refusal(.0))]
    Lint(Vec<Finding>),
    /// Columns that cannot be carried exactly.
    #[error("the query delivers what cannot be carried exactly:\n  {}", .0.join("\n  "))]
    Uncarried(Vec<String>),
    /// A query that cannot be bound.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A root, a secret or the stand-in.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The binary cannot read itself.
    #[error("the running binary cannot be read for its SHA-256: {0}")]
    Binary(#[from] std::io::Error),
    /// A task of the run ended without an outcome.
    #[error("a task of the run was lost: {0}")]
    Lost(#[from] tokio::task::JoinError),
}

impl StartError {
    /// Whether whoever asked for the run asked for what cannot be; everything else is how the program is set up.
    #[must_use]
    pub fn is_of_request(&self) -> bool {
        matches!(
            self,
            Self::Period(_)
                | Self::NotEnded(_)
                | Self::Acceptance(_)
                | Self::Witness(_)
                | Self::File(_)
                | Self::Catalog(_)
        )
    }
}

fn refusal(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| format!("\n  {finding}"))
        .collect();
    format!(
        "the definitions have {} findings, and nothing was asked of a server:{}\nhint: mend them, then look again with \
         `soxauto catalog lint`",
        findings.len(),
        lines.concat()
    )
}

/// The items of these names, all when `names` is empty, provided that the lint finds nothing in them.
fn sound_items(catalog: Option<&Path>, names: &[String]) -> Result<Vec<Ipe>, StartError> {
    let definitions = Definitions::open(catalog)?;
    let findings = definitions.lint(names)?;
    if !findings.is_empty() {
        return Err(StartError::Lint(findings));
    }
    let catalog = definitions.catalog()?;
    Ok(catalog.select(names)?.into_iter().cloned().collect())
}

/// The month of a run: a closed one, unless the run is preliminary.
fn month(settings: &RunSettings, now: DateTime<Utc>) -> Result<Period, StartError> {
    let asked = settings.period;
    let period = asked.map_or_else(|| Period::last_closed(now), Ok)?;
    if period.has_ended(now) || settings.preliminary {
        return Ok(period);
    }
    Err(StartError::NotEnded(period))
}

/// The items of a run, with the witnesses that an auditor adds, and those that are left out because their file is missing.
fn items(settings: &RunSettings) -> Result<(Vec<Ipe>, Vec<IpeId>), StartError> {
    let mut items = sound_items(settings.catalog.as_deref(), &settings.items)?;
    let left_out = uploads::attach(&mut items, &settings.files, &settings.items);
    let left_out = left_out.map_err(StartError::File)?;
    if let Some(shard) = settings.shard {
        items = shard.of(items);
    }
    let rows_max = settings.limits.sample_rows_max;
    samples::attach(&mut items, &settings.witnesses, rows_max).map_err(StartError::Witness)?;
    Ok((items, left_out))
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the Clock that everybody else asks"
        )]
        Utc::now()
    }
}

/// A run that is put together and has not begun.
pub struct App {
    tools: Tools,
    context: RunContext,
    items: Vec<Ipe>,
    left_out: Vec<IpeId>,
    jobs: usize,
    reach: Reach,
    outbox: Option<Outbox>,
    /// Removed when the run has ended.
    _exported: Vec<uploads::Exported>,
}

impl App {
    /// Picks the adapters. The stand-in is started here if it is asked for.
    ///
    /// # Errors
    /// [`StartError`]; nothing was read or written.
    pub async fn build(
        settings: RunSettings,
        progress: Arc<dyn Progress>,
    ) -> Result<Self, StartError> {
        // Beside everything else: it takes about as long as the rest of the start.
        let program = spawn_blocking(program);
        let clock = SystemClock;
        let started_at = clock.now();
        let period = month(&settings, started_at)?;
        for accepted in &settings.accepted {
            accepted.validate().map_err(StartError::Acceptance)?;
        }
        let (mut items, mut left_out) = items(&settings)?;
        let roots = roots::of_run(&settings).await?;
        let staging = roots.open(&settings.staging)?;
        let evidence = roots.open(&settings.evidence)?;
        let leases = roots.leases(settings.leases.as_deref(), &evidence)?;
        let (google, limits) = (roots.google(), &settings.limits);
        let warehouse = warehouse::open(&settings.warehouse, &staging, google, limits)?;
        let drive = settings.drive.as_ref();
        let outbox = drive.map(|drive| Outbox::open(drive, google, limits));
        let outbox = outbox.transpose()?;
        let reach = Reach::open(&settings.source, google, limits, settings.jobs).await?;
        let mut files = settings.files.clone();
        let all = (&mut items, &mut left_out);
        let exported = uploads::of_stand_in(&reach, (&settings, period), all, &mut files)?;
        let sources = WithUploads::new(reach.sources(), (&items, &files, period), google)?;
        let callers = google.callers().await;
        let context = context(&settings, period, started_at, program.await??, &callers);
        let places = Places {
            staging: staging.uri.clone(),
            warehouse: warehouse.location(),
            secrets: reach.origin.clone(),
            host: host_name(),
            caller: google::in_words(&callers),
            endpoints: google::places(&settings.google),
            leases: leases.apart().map(str::to_owned),
        };
        let tools = Tools {
            sources: Arc::new(sources),
            staging,
            warehouse,
            evidence,
            leases,
            clock: Arc::new(clock),
            processes: Arc::new(ProcProcesses),
            progress,
            stop: CancellationToken::new(),
            limits: settings.limits,
            places,
        };
        Ok(Self {
            tools,
            context,
            items,
            left_out,
            jobs: settings.jobs,
            reach,
            outbox,
            _exported: exported,
        })
    }

    /// What is fixed before the first row.
    #[must_use]
    pub fn context(&self) -> &RunContext {
        &self.context
    }

    /// The items that it will run; none when others share them all.
    pub fn items(&self) -> impl Iterator<Item = &IpeId> {
        self.items.iter().map(|ipe| &ipe.id)
    }

    /// Items that are read from a file and are no part of the run, because none was said.
    #[must_use]
    pub fn left_out(&self) -> &[IpeId] {
        &self.left_out
    }

    /// Items of this run that another run is at work on, and who that is.
    ///
    /// # Errors
    /// The leases cannot be read, or lie elsewhere.
    pub async fn at_work(&self) -> Result<BTreeMap<IpeId, Holder>, PortError> {
        let tools = &self.tools;
        let mut found = BTreeMap::new();
        for ipe in self.items() {
            let month = (ipe, self.context.period);
            let (clock, processes) = (&tools.clock, &tools.processes);
            let held = at_work(&tools.leases, month, clock, processes, &tools.limits).await?;
            found.extend(held.map(|holder| (ipe.clone(), holder)));
        }
        Ok(found)
    }

    /// Gives back what was opened for a run that is not made after all.
    pub async fn close(self) {
        self.reach.stop().await;
    }

    /// Asks the run to stop: what is not being loaded yet ends with a sealed package, and the month is neither judged nor
    /// published.
    #[must_use]
    pub fn stop(&self) -> CancellationToken {
        self.tools.stop.clone()
    }

    /// Runs all items.
    ///
    /// # Errors
    /// [`StartError::Lost`] when a task ended without an outcome.
    pub async fn run(self) -> Result<WorkflowResult, StartError> {
        let outcomes =
            schedule::run_items(&self.tools, &self.context, &self.items, self.jobs).await?;
        self.reach.stop().await;
        let now = self.tools.clock.now();
        let mut result = WorkflowResult::new(&self.context, &outcomes, now);
        result.left_out(&self.left_out);
        let all = (&*self.items, &*self.left_out);
        match reconcile::of_run(&self.tools, &self.context, all).await {
            Ok(None) => {}
            Ok(Some(judged)) => {
                result.reconciled(judged);
                result.published(publication::of_run(&self.tools, &self.context).await);
            }
            Err(error) => result.reconciled(reconcile::not_judged(&error)),
        }
        // The result stands. What a delivery comes to is added to it and changes nothing in it.
        if let Some(outbox) = &self.outbox {
            for outcome in &outcomes {
                let report = outbox.deliver(&self.tools, outcome).await;
                result.delivered(&outcome.record.ipe, report);
            }
        }
        Ok(result)
    }
}

/// A place for what waits while rows are matched: in the machine's folder of temporary files, without a name.
#[must_use]
pub fn scratch() -> Arc<dyn Scratch> {
    let name = format!(
        "soxauto-{}-{:08x}",
        std::process::id(),
        rand::random::<u32>()
    );
    Arc::new(ScratchFile::new(&std::env::temp_dir(), &name))
}

/// What is fixed before the first row.
fn context(
    settings: &RunSettings,
    period: Period,
    started_at: DateTime<Utc>,
    program: Program,
    callers: &[Caller],
) -> RunContext {
    RunContext {
        run_id: RunId::new(started_at, rand::random()),
        period,
        started_at,
        stamps: stamps(settings, &program, callers),
        accepted: settings.accepted.clone(),
        program,
    }
}

fn stamps(settings: &RunSettings, program: &Program, callers: &[Caller]) -> Vec<Stamp> {
    let mut stamps = settings.stamps.clone();
    if program.dirty {
        stamps.push(Stamp::DirtyBuild);
    }
    if settings.catalog.is_some() {
        stamps.push(Stamp::CatalogOverride);
    }
    if google::is_elsewhere(&settings.google) {
        stamps.push(Stamp::ReplacedEndpoint);
    }
    if callers.iter().any(|caller| caller.is_person) {
        stamps.push(Stamp::PersonalAccount);
    }
    match settings.source.secrets {
        SecretsChoice::Sandbox => stamps.push(Stamp::SandboxSource),
        SecretsChoice::File(_) => stamps.push(Stamp::FileSecrets),
        SecretsChoice::Env | SecretsChoice::Gcp(_) => {}
    }
    stamps
}
