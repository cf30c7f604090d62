//! The root for the reconciliation: the rules that are chosen, and the roots that packages lie in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::publication::Outlet;
use super::roots::RootOpener;
use super::rules::RuleChoice;
use super::running::program;
use super::warehouse;
use super::{SystemClock, scratch};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::reconcile::months::MonthLog;
use crate::domain::reconcile::statement::Statement;
use crate::domain::run::{ControlResult, Program, RunContext, Stamp};
use crate::pipeline::Tools;
use crate::pipeline::months;
use crate::pipeline::package::SealedPackage;
use crate::pipeline::publication::PublicationResult;
use crate::pipeline::reconcile::as_of::settled;
use crate::pipeline::reconcile::inputs::Chosen;
use crate::pipeline::reconcile::judgement::{self, Judgement, seal};
use crate::pipeline::reconcile::{Rules, Sources};
use crate::pipeline::workflow::ReconciliationResult;
use crate::ports::{Clock as _, PortError, PortErrorKind, StoreRoot, Warehouse};
use crate::settings::{BigQueryPlace, GoogleSettings};

pub use super::publication::PublishSettings;

/// How often another name is tried, and how long it is waited for.
const NAMES_MAX: u32 = 22;
const NAME_PAUSE: Duration = Duration::from_millis(50);

/// What is to be reconciled.
#[derive(Debug, Clone)]
pub struct ReconcileSettings {
    /// The month.
    pub period: Period,
    /// The run whose packages are used; `None` is the newest of each item.
    pub run: Option<RunId>,
    /// Root of the packages.
    pub evidence: String,
    /// Where parts are now, if not where their packages say.
    pub staging: Option<String>,
    /// The rules that it is judged by.
    pub rules: RuleChoice,
    /// Versions of thresholds that are used although later ones are in force, by country.
    pub pins: BTreeMap<String, u32>,
    /// Whether the judgement is sealed beside the packages.
    pub seal: bool,
    /// Where what is sealed of the month is published, if anywhere.
    pub publish: Option<PublishSettings>,
    /// The dataset that sums, joins and subtracts over its loaded months; `None` sums over the staged parts.
    pub engine: Option<BigQueryPlace>,
    /// How Google Cloud is reached, if one of them is there.
    pub google: GoogleSettings,
}

/// A judged month, and its package where it was sealed.
#[derive(Debug, Clone)]
pub struct Judged {
    /// What was judged.
    pub judgement: Judgement,
    /// The package.
    pub package: Option<SealedPackage>,
    /// What people did to the month.
    pub log: MonthLog,
    /// What came of publishing the month, where that was asked for.
    pub publication: Option<PublicationResult>,
}

impl Judged {
    /// The month as it is reported.
    ///
    /// # Errors
    /// `Corrupt` for a judgement that cannot be written as JSON.
    pub fn statement(&self) -> Result<Statement, PortError> {
        self.judgement.statement(&self.log)
    }

    /// What the result of a run says of it.
    ///
    /// # Errors
    /// As [`Judged::statement`].
    pub fn summary(&self) -> Result<ReconciliationResult, PortError> {
        let lines = self.judgement.reconciled.result.judged();
        Ok(ReconciliationResult {
            control_result: self.statement()?.control_result(),
            lines: lines.map(|line| (line.id.clone(), line.status)).collect(),
            evidence: self.package.as_ref().map(|package| package.uri.clone()),
            manifest_sha256: self
                .package
                .as_ref()
                .map(|package| package.manifest_sha256.clone()),
            error_message: None,
        })
    }
}

/// What the result of a run says of a month that could not be judged.
pub(super) fn not_judged(error: &PortError) -> ReconciliationResult {
    ReconciliationResult {
        control_result: ControlResult::NotConcluded,
        lines: BTreeMap::new(),
        evidence: None,
        manifest_sha256: None,
        error_message: Some(error.to_string()),
    }
}

/// The error of a month whose run was asked to stop.
fn stopped() -> PortError {
    let what = "the run was asked to stop before the month was judged";
    PortError::new(PortErrorKind::Limit, what)
        .hint("run the month again; an earlier judgement of it and its tables stand as they were")
}

/// Reconciles a month.
///
/// # Errors
/// Rules that cannot be used, packages or parts that are not what was sealed, roots that cannot be read or written, a
/// binary that cannot read itself.
pub async fn run(settings: &ReconcileSettings) -> Result<Judged, PortError> {
    let program = spawn_blocking(program);
    let rules = usable(&settings.rules, &settings.pins, settings.period).await?;
    let roots = RootOpener::new(&settings.google).await?;
    let evidence = roots.open_existing(&settings.evidence)?;
    let staging = settings.staging.as_ref();
    let staging = staging
        .map(|location| roots.open_existing(location))
        .transpose()?;
    let outlet = settings.publish.as_ref();
    let outlet = outlet
        .map(|settings| Outlet::open(settings, &roots, &evidence))
        .transpose()?;
    let limits = Limits::default();
    let engine = settings.engine.as_ref();
    let engine = engine
        .map(|place| warehouse::dataset(place, roots.google(), &limits))
        .transpose()?;
    let sources = Sources {
        evidence: &evidence,
        staging: staging.as_ref(),
        open: &|location| roots.open_existing(location),
        engine: engine.as_ref().map(|engine| -> &dyn Warehouse { engine }),
        scratch: &scratch,
        limits: &limits,
    };
    let chosen = settings.run.clone().map_or(Chosen::Newest, Chosen::Run);
    let run_id = named(&evidence, settings.period).await?;
    let judging = settled(sources, &rules, settings.period, &chosen, &SystemClock);
    let (at, reconciled) = judging.await?;
    let judgement = Judgement {
        run_id,
        at,
        program: whole(program.await)?,
        stamps: Vec::new(),
        reconciled,
    };
    let judgement = stamped(judgement, settings.rules.stamp());
    let (judgement, package) = match settings.seal {
        true => {
            let (judgement, package) = seal(&evidence, judgement, rules).await?;
            (judgement, Some(package))
        }
        false => (judgement, None),
    };
    let log = months::read(&evidence, settings.period).await?;
    let publication = match &outlet {
        Some(outlet) => {
            let month = (&judgement.run_id, settings.period);
            Some(outlet.publish(month, &judgement.program).await)
        }
        None => None,
    };
    Ok(Judged {
        judgement,
        package,
        log,
        publication,
    })
}

/// A name for a judgement that sorts after those that are sealed: of two in one second the later one would be the newest by
/// chance only. Where the clock of whoever sealed is ahead, it is waited for no longer than a second.
async fn named(evidence: &StoreRoot, period: Period) -> Result<RunId, PortError> {
    let newest = judgement::runs(evidence, period).await?.into_iter().next();
    let mut name = RunId::new(SystemClock.now(), rand::random());
    for _ in 0..NAMES_MAX {
        if newest.as_ref().is_none_or(|newest| *newest < name) {
            break;
        }
        sleep(NAME_PAUSE).await;
        name = RunId::new(SystemClock.now(), rand::random());
    }
    Ok(name)
}

/// The program, if it could be read.
fn whole(
    program: Result<Result<Program, std::io::Error>, tokio::task::JoinError>,
) -> Result<Program, PortError> {
    let read = program.map_err(|lost| lost.to_string());
    let read = read.and_then(|read| read.map_err(|error| error.to_string()));
    read.map_err(|error| {
        let what = format!("the running binary cannot be read for its SHA-256: {error}");
        PortError::new(PortErrorKind::Config, what)
    })
}

/// The judgement with every reason why it is no control evidence: its own, that of its rules, and those of its inputs.
fn stamped(mut judgement: Judgement, of_rules: Option<Stamp>) -> Judgement {
    let reconciled = &judgement.reconciled;
    let inputs = reconciled.inputs.iter().chain(&reconciled.opening);
    let mut stamps: BTreeSet<Stamp> = inputs
        .flat_map(|input| input.not_control_evidence.iter().copied())
        .collect();
    if judgement.program.dirty {
        stamps.insert(Stamp::DirtyBuild);
    }
    stamps.extend(of_rules);
    judgement.stamps = stamps.into_iter().collect();
    judgement
}

/// The rules, or the error that the caller shows; files are read beside the async threads.
async fn usable(
    chosen: &RuleChoice,
    pins: &BTreeMap<String, u32>,
    period: Period,
) -> Result<Rules, PortError> {
    let chosen = chosen.clone();
    let read = spawn_blocking(move || chosen.rules()).await;
    let rules = read.map_err(|lost| {
        PortError::new(PortErrorKind::Config, format!("reading the rules: {lost}"))
    })??;
    rules.pinned(pins, period).map_err(|what| {
        PortError::new(PortErrorKind::Config, what)
            .hint("name another version with --threshold-version, or none; nothing was read")
    })
}

/// The last step of a run that had every item of the contract: judges the month from the run's own packages and seals the
/// judgement. `None` where the run had only some of them. An item that was left out because nobody said its file was asked
/// for like the others: what it lacks is not concluded.
///
/// # Errors
/// As [`run`]; `Limit` where the run is asked to stop before the month is judged: then nothing is sealed.
pub(super) async fn of_run(
    tools: &Tools,
    context: &RunContext,
    (items, left_out): (&[Ipe], &[IpeId]),
) -> Result<Option<ReconciliationResult>, PortError> {
    let rules = usable(&RuleChoice::BuiltIn, &BTreeMap::new(), context.period).await?;
    let was_asked_for =
        |item: &IpeId| left_out.contains(item) || items.iter().any(|ipe| ipe.id == *item);
    if !rules.contract.items().iter().all(was_asked_for) {
        return Ok(None);
    }
    let staging = &tools.staging;
    let sources = Sources {
        evidence: &tools.evidence,
        staging: Some(staging),
        open: &|_| Ok(staging.clone()),
        engine: None,
        scratch: &scratch,
        limits: &tools.limits,
    };
    let chosen = Chosen::Run(context.run_id.clone());
    let clock = tools.clock.as_ref();
    let judging = settled(sources, &rules, context.period, &chosen, clock);
    // Items that were cut off would leave a judgement of nothing, and it would be the newest of the month.
    let (at, reconciled) = match tools.stop.run_until_cancelled(judging).await {
        Some(settled) => settled?,
        None => return Err(stopped()),
    };
    let judgement = Judgement {
        run_id: context.run_id.clone(),
        at,
        program: context.program.clone(),
        stamps: Vec::new(),
        reconciled,
    };
    let judgement = stamped(judgement, None);
    let (judgement, package) = seal(&tools.evidence, judgement, rules).await?;
    let judged = Judged {
        judgement,
        package: Some(package),
        log: MonthLog::default(),
        publication: None,
    };
    // What stands beside the lines is hashed for it, and may be many megabytes.
    let summary = spawn_blocking(move || judged.summary()).await;
    let lost = |lost| PortError::new(PortErrorKind::Corrupt, format!("summing up: {lost}"));
    summary.map_err(lost)?.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::check::Verdict;
    use crate::pipeline::reconcile::judgement::tests::judged;
    use crate::report::month;

    #[tokio::test]
    async fn of_two_in_one_second_the_later_has_the_later_name() {
        let evidence = crate::adapters::store::memory();
        let month = "2024-04".parse().unwrap();
        let seal = async |run: &RunId| {
            let folder = format!("{}/period=2024-04/run={run}", judgement::RECONCILIATION);
            let path = format!("{folder}/{}", crate::pipeline::package::MANIFEST);
            let sealed = bytes::Bytes::from_static(b"sealed");
            evidence.create(&path, sealed).await.unwrap();
        };
        let first = RunId::new(SystemClock.now(), u32::MAX);
        seal(&first).await;
        assert!(named(&evidence, month).await.unwrap() > first);
        // A clock that is an hour ahead is not waited for.
        let ahead = RunId::new(SystemClock.now() + chrono::Duration::hours(1), 0);
        seal(&ahead).await;
        assert!(named(&evidence, month).await.unwrap() < ahead);
    }

    /// `soxauto run` says what page one says: a check of an input that did not clear is an exception, also of a memo.
    #[test]
    fn a_run_says_the_word_of_the_statement() {
        let of = |statement: Statement| Judged {
            judgement: judged(statement),
            package: None,
            log: MonthLog::default(),
            publication: None,
        };
        let clean = month::clean();
        let said = of(clean.clone()).summary().unwrap();
        assert_eq!(said.control_result, ControlResult::NoExceptions);
        let mut failed = clean;
        let memo = failed.inputs.iter_mut();
        let memo = memo.filter(|input| input.item.as_str() == "IPE_11");
        memo.for_each(|input| input.verdicts.all = Verdict::Fail);
        let judged = of(failed);
        let said = judged.summary().unwrap();
        assert_eq!(said.control_result, ControlResult::Exceptions);
        assert_eq!(judged.statement().unwrap().exit_code(), 1);
        assert!(
            said.lines
                .values()
                .all(|status| *status == crate::domain::reconcile::result::Status::Ok)
        );
    }
}
