//! The root for the reconciliation: the rules that are built in or given, and the roots that packages lie in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};
use tokio::task::spawn_blocking;

use super::roots::RootOpener;
use super::running::program;
use super::warehouse;
use super::{SystemClock, scratch};
use crate::domain::ids::{IpeId, RunId};
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::reconcile::RuleError;
use crate::domain::reconcile::months::MonthLog;
use crate::domain::reconcile::statement::Statement;
use crate::domain::run::{ControlResult, Program, RunContext, Stamp};
use crate::pipeline::Tools;
use crate::pipeline::months;
use crate::pipeline::package::SealedPackage;
use crate::pipeline::reconcile::inputs::Chosen;
use crate::pipeline::reconcile::judgement::{Judgement, seal};
use crate::pipeline::reconcile::{Rules, Sources, reconcile};
use crate::pipeline::workflow::ReconciliationResult;
use crate::ports::{Clock as _, PortError, PortErrorKind, Warehouse};
use crate::settings::{BigQueryPlace, GoogleSettings};

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/rules");
static THRESHOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/thresholds");
/// What a contract of one's own is called among the rules.
const OWN_CONTRACT: &str = "rules/reconciliation/";

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
    /// A contract of one's own; `None` is the newest that is built in.
    pub contract: Option<PathBuf>,
    /// Whether the judgement is sealed beside the packages.
    pub seal: bool,
    /// The dataset that sums over its loaded months; `None` sums over the staged parts.
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
}

impl Judged {
    /// The month as it is reported.
    #[must_use]
    pub fn statement(&self) -> Statement {
        self.judgement.statement(&self.log)
    }

    /// What the result of a run says of it.
    pub(super) fn summary(&self) -> ReconciliationResult {
        let result = &self.judgement.reconciled.result;
        let lines = result.judged();
        ReconciliationResult {
            control_result: result.control_result(),
            lines: lines.map(|line| (line.id.clone(), line.status)).collect(),
            evidence: self.package.as_ref().map(|package| package.uri.clone()),
            manifest_sha256: self
                .package
                .as_ref()
                .map(|package| package.manifest_sha256.clone()),
            error_message: None,
        }
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

/// Reconciles a month.
///
/// # Errors
/// Rules that cannot be used, packages or parts that are not what was sealed, roots that cannot be read or written, a
/// binary that cannot read itself.
pub async fn run(settings: &ReconcileSettings) -> Result<Judged, PortError> {
    let program = spawn_blocking(program);
    let rules = usable(settings.contract.clone()).await?;
    let roots = RootOpener::new(&settings.google).await?;
    let evidence = roots.open_existing(&settings.evidence)?;
    let staging = settings.staging.as_ref();
    let staging = staging
        .map(|location| roots.open_existing(location))
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
    let reconciled = reconcile(sources, &rules, settings.period, &chosen).await?;
    let at = SystemClock.now();
    let judgement = Judgement {
        run_id: RunId::new(at, rand::random()),
        at,
        program: whole(program.await)?,
        stamps: Vec::new(),
        reconciled,
    };
    let own = settings.contract.is_some();
    let judgement = stamped(judgement, own);
    let (judgement, package) = match settings.seal {
        true => {
            let (judgement, package) = seal(&evidence, judgement, rules).await?;
            (judgement, Some(package))
        }
        false => (judgement, None),
    };
    let log = months::read(&evidence, settings.period).await?;
    Ok(Judged {
        judgement,
        package,
        log,
    })
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

/// The judgement with every reason why it is no control evidence: its own, and those of its inputs.
fn stamped(mut judgement: Judgement, own_contract: bool) -> Judgement {
    let reconciled = &judgement.reconciled;
    let inputs = reconciled.inputs.iter().chain(&reconciled.opening);
    let mut stamps: BTreeSet<Stamp> = inputs
        .flat_map(|input| input.not_control_evidence.iter().copied())
        .collect();
    if judgement.program.dirty {
        stamps.insert(Stamp::DirtyBuild);
    }
    if own_contract {
        stamps.insert(Stamp::ContractOverride);
    }
    judgement.stamps = stamps.into_iter().collect();
    judgement
}

/// The rules, or the error that the caller shows.
async fn usable(own: Option<PathBuf>) -> Result<Rules, PortError> {
    let read = spawn_blocking(move || rules(own.as_deref())).await;
    let read = read.map_err(|lost| {
        PortError::new(PortErrorKind::Config, format!("reading the rules: {lost}"))
    })?;
    read.map_err(|error| {
        PortError::new(PortErrorKind::Config, error.to_string())
            .hint("mend the rules, then reconcile again; nothing was read")
    })
}

/// The last step of a run that had every item of the contract: judges the month from the run's own packages and seals the
/// judgement. `None` where the run had only some of them.
///
/// # Errors
/// As [`run`].
pub(super) async fn of_run(
    tools: &Tools,
    context: &RunContext,
    items: &[Ipe],
) -> Result<Option<Judged>, PortError> {
    let rules = usable(None).await?;
    let ran = |item: &IpeId| items.iter().any(|ipe| ipe.id == *item);
    if !rules.contract.items().iter().all(ran) {
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
    let reconciled = reconcile(sources, &rules, context.period, &chosen).await?;
    let judgement = Judgement {
        run_id: context.run_id.clone(),
        at: tools.clock.now(),
        program: context.program.clone(),
        stamps: Vec::new(),
        reconciled,
    };
    let judgement = stamped(judgement, false);
    let (judgement, package) = seal(&tools.evidence, judgement, rules).await?;
    Ok(Some(Judged {
        judgement,
        package: Some(package),
        log: MonthLog::default(),
    }))
}

/// The rules that are built in; a contract of one's own stands instead of theirs.
fn rules(own: Option<&Path>) -> Result<Rules, RuleError> {
    let mut files = BTreeMap::new();
    gather("rules", &RULES, &mut files);
    gather("thresholds", &THRESHOLDS, &mut files);
    if let Some(path) = own {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| RuleError {
            file: shown.clone(),
            place: "file".to_owned(),
            what: format!("cannot be read: {error}"),
        })?;
        files.retain(|place, _| !place.starts_with(OWN_CONTRACT));
        let name = path
            .file_name()
            .map_or(shown.as_str().into(), |name| name.to_string_lossy());
        files.insert(format!("{OWN_CONTRACT}{name}"), text);
    }
    Rules::read(&files)
}

/// Puts the files of a folder among the rules, below the name that the folder has in `data`.
fn gather(name: &str, folder: &Dir<'_>, files: &mut BTreeMap<String, String>) {
    for file in folder.files() {
        if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            files.insert(format!("{name}/{path}"), text.to_owned());
        }
    }
    for folder in folder.dirs() {
        gather(name, folder, files);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_sound() {
        let rules = rules(None).unwrap();
        assert_eq!(
            (rules.place.as_str(), rules.contract.version),
            ("rules/reconciliation/v1.toml", 1)
        );
        assert_eq!(rules.files.len(), 5, "{:?}", rules.files.keys());
    }

    #[test]
    fn rules_that_cannot_be_read_are_named() {
        let error = super::rules(Some(Path::new("nowhere.toml"))).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("nowhere.toml: file: cannot be read"),
            "{error}"
        );
    }
}
