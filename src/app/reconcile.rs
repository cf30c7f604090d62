//! The root for the reconciliation: the rules that are built in or given, and the roots that packages lie in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::roots::RootOpener;
use super::running;
use crate::domain::check::Acceptance;
use crate::domain::ids::RunId;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::domain::reconcile::RuleError;
use crate::domain::reconcile::contract::ReconciliationContract;
use crate::domain::reconcile::statement::{Input, MonthState, Statement};
use crate::domain::reconcile::threshold::Thresholds;
use crate::domain::run::Stamp;
use crate::pipeline::reconcile::{Reconciled, Rules, Sources, reconcile};
use crate::ports::{PortError, PortErrorKind};
use crate::settings::GoogleSettings;

static CONTRACTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/rules/reconciliation");
static THRESHOLDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/thresholds");

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
    pub contract: Option<std::path::PathBuf>,
    /// How Google Cloud is reached, if one of them is there.
    pub google: GoogleSettings,
}

/// Reconciles a month.
///
/// # Errors
/// Rules that cannot be used, packages or parts that are not what was sealed, roots that cannot be read.
pub async fn run(settings: &ReconcileSettings) -> Result<Reconciled, PortError> {
    let rules = rules(settings.contract.as_deref()).map_err(|error| {
        PortError::new(PortErrorKind::Config, error.to_string())
            .hint("mend the rules, then reconcile again; nothing was read")
    })?;
    let roots = RootOpener::new(&settings.google).await?;
    let evidence = roots.open_existing(&settings.evidence)?;
    let staging = settings.staging.as_ref();
    let staging = staging
        .map(|location| roots.open_existing(location))
        .transpose()?;
    let sources = Sources {
        evidence: &evidence,
        staging: staging.as_ref(),
        open: &|location| roots.open_existing(location),
        limits: &Limits::default(),
    };
    reconcile(sources, &rules, settings.period, settings.run.as_ref()).await
}

/// The statement of a month that was just reconciled: preliminary, and signed by nobody.
///
/// # Errors
/// `Config` when the running binary cannot be read, which provenance names by its hash.
pub fn statement_of(reconciled: &Reconciled) -> Result<Statement, PortError> {
    let program = running::program().map_err(|error| {
        let what = format!("the running binary cannot be read: {error}");
        PortError::new(PortErrorKind::Config, what)
    })?;
    let used = &reconciled.inputs;
    let newest = used.iter().map(|input| &input.run_id).max();
    let run_id = newest.cloned().ok_or_else(|| {
        PortError::new(
            PortErrorKind::Query,
            "no package was used, so that there is no run",
        )
    })?;
    let stamps = used.iter().flat_map(|input| &input.not_control_evidence);
    let mut stamps: BTreeSet<Stamp> = stamps.copied().collect();
    if program.dirty {
        stamps.insert(Stamp::DirtyBuild);
    }
    let mut accepted: Vec<Acceptance> = Vec::new();
    for acceptance in used.iter().flat_map(|input| &input.accepted) {
        if !accepted.contains(acceptance) {
            accepted.push(acceptance.clone());
        }
    }
    let inputs = used.iter().map(|used| Input {
        item: used.item.clone(),
        title: used.title.clone(),
        run_id: Some(used.run_id.clone()),
        status: Some(used.status),
        manifest_sha256: Some(used.manifest_sha256.clone()),
        rows: Some(used.rows),
        totals: BTreeMap::new(),
        refreshed_at: None,
        verdicts: used.verdicts,
        digest: used.digest.clone(),
    });
    Ok(Statement {
        run_id,
        state: MonthState::Preliminary,
        stamps: stamps.into_iter().collect(),
        program,
        result: reconciled.result.clone(),
        zero_checks: Vec::new(),
        inputs: inputs.collect(),
        accepted,
        changes: Vec::new(),
        dispositions: Vec::new(),
        sign_offs: Vec::new(),
    })
}

/// The rules: a contract of one's own, else the newest that is built in, and the thresholds that are.
fn rules(own: Option<&Path>) -> Result<Rules, RuleError> {
    let (place, contract) = match own {
        Some(path) => {
            let place = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| RuleError {
                file: place.clone(),
                place: "file".to_owned(),
                what: format!("cannot be read: {error}"),
            })?;
            let contract = ReconciliationContract::read(&place, &text)?;
            (place, contract)
        }
        None => newest()?,
    };
    let files = THRESHOLDS.dirs().flat_map(Dir::files);
    let texts = files.filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)));
    Ok(Rules {
        place,
        contract,
        thresholds: Thresholds::read(texts)?,
    })
}

fn newest() -> Result<(String, ReconciliationContract), RuleError> {
    let mut newest: Option<(String, ReconciliationContract)> = None;
    for file in CONTRACTS.files() {
        let place = file.path().display().to_string();
        let text = file.contents_utf8().unwrap_or_default();
        let contract = ReconciliationContract::read(&place, text)?;
        let is_newer = newest.as_ref();
        if is_newer.is_none_or(|(_, known)| known.version < contract.version) {
            newest = Some((place, contract));
        }
    }
    newest.ok_or_else(|| RuleError {
        file: "the binary".to_owned(),
        place: "contract".to_owned(),
        what: "none is built in".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_sound() {
        let rules = rules(None).unwrap();
        assert_eq!(
            (rules.place.as_str(), rules.contract.version),
            ("v1.toml", 1)
        );
        assert_ne!(rules.thresholds, Thresholds::default());
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
