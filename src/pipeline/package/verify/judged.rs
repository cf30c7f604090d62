//! A sealed reconciliation: the month is judged again, by the rules that lie in the package and from the packages that it
//! names, and must come to the same to the last digit.

use super::{VerifyReport, VerifyRequest, bag};
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::pipeline::package::read::Bag;
use crate::pipeline::package::write::Files;
use crate::pipeline::package::{BAG_INFO, BAGIT, MANIFEST};
use crate::pipeline::reconcile::as_of::Before;
use crate::pipeline::reconcile::judgement::{
    JUDGEMENT, Judgement, PAGE_EN, PAGE_FR, RECONCILIATION, bag_info, beside, files, rule_files,
};
use crate::pipeline::reconcile::{Reconciled, Rules, Sources, reconcile};
use crate::ports::PortError;

/// Verifies what a bag with a judgement says.
pub(super) async fn judged(bag: &Bag, request: VerifyRequest<'_>, report: &mut VerifyReport) {
    let must_have = [BAGIT, BAG_INFO, MANIFEST, JUDGEMENT];
    bag::structure(bag, request.manifest_sha256, &must_have, report);
    let bytes = bag.files.get(JUDGEMENT).cloned();
    let reading = beside(move || serde_json::from_slice::<Judgement>(&bytes?).ok());
    let Ok(Some(judgement)) = reading.await else {
        report.find(
            JUDGEMENT,
            "the judgement cannot be read",
            "a judgement",
            "other bytes",
        );
        report
            .not_run
            .push("everything that rests on the judgement".to_owned());
        return;
    };
    let rules = Rules::read(&rule_files(bag)).map_err(|error| error.to_string());
    let pins = &judgement.reconciled.pins;
    let rules = match rules.and_then(|rules| rules.pinned(pins, judgement.period())) {
        Ok(rules) => rules,
        Err(error) => {
            report.find("data/rules", "the rules cannot be used", "rules", error);
            report.not_run.push("judging the month again".to_owned());
            return;
        }
    };
    let uri = request.package.uri.as_str();
    let folder = judgement.folder();
    let names_a_run = uri
        .rsplit('/')
        .next()
        .is_some_and(|last| last.starts_with("run="));
    if names_a_run && !uri.ends_with(&format!("/{folder}")) {
        report.find(uri, "the folder names another month or run", &folder, uri);
    }
    let making = beside(move || {
        let made = files(&judgement, &rules);
        (judgement, rules, made)
    });
    let (judgement, rules, made) = match making.await {
        Ok(made) => made,
        Err(error) => {
            let what = format!("comparing the files, and judging the month again: {error}");
            report.not_run.push(what);
            return;
        }
    };
    of_files(bag, &judgement, made, report);
    again(uri, request, &judgement, &rules, report).await;
}

/// Every file is what the judgement and its rules make of it.
fn of_files(
    bag: &Bag,
    judgement: &Judgement,
    made: Result<Files, PortError>,
    report: &mut VerifyReport,
) {
    let made = match made {
        Ok(made) => made,
        Err(error) => {
            report.not_run.push(format!("comparing the files: {error}"));
            return;
        }
    };
    for path in bag.files.keys().filter(|path| path.starts_with("data/")) {
        if !made.contains_key(path) {
            report.find(
                path,
                "a file that the judgement does not make",
                "nothing",
                "a file",
            );
        }
    }
    // Another version of the program may draw the page in another way; its hash is in the manifest.
    let version = judgement.program.version.as_str();
    let is_drawn_here = version == env!("CARGO_PKG_VERSION");
    if !is_drawn_here {
        report.checked.push(format!(
            "pages by their hash alone: version {version} drew them"
        ));
    }
    for (path, expected) in &made {
        if !is_drawn_here && [PAGE_EN, PAGE_FR].contains(&path.as_str()) {
            continue;
        }
        if let Some(actual) = bag.files.get(path).filter(|actual| *actual != expected) {
            let (expected, actual) = bag::first_difference(expected, actual);
            report.find(
                path,
                "the file does not say what the judgement says",
                expected,
                actual,
            );
        }
    }
    if let Some(actual) = bag.files.get(BAG_INFO) {
        let expected = bag_info(judgement, &bag::payload(bag));
        if actual.as_ref() != expected.as_bytes() {
            let (expected, actual) = bag::first_difference(expected.as_bytes(), actual);
            report.find(
                BAG_INFO,
                "the bag description was changed",
                expected,
                actual,
            );
        }
    }
    report
        .checked
        .push(format!("{} files against {JUDGEMENT}", made.len()));
}

/// Judges the month again.
async fn again(
    uri: &str,
    request: VerifyRequest<'_>,
    judgement: &Judgement,
    rules: &Rules,
    report: &mut VerifyReport,
) {
    let Some((root, _)) = uri.rsplit_once(&format!("/{RECONCILIATION}/")) else {
        let what = format!("judging the month again: {uri} does not lie in an evidence root");
        report.not_run.push(what);
        return;
    };
    let evidence = match (request.open)(root) {
        Ok(evidence) => evidence,
        Err(error) => {
            report
                .not_run
                .push(format!("judging the month again: {error}"));
            return;
        }
    };
    let sources = Sources {
        evidence: &evidence,
        staging: request.staging,
        open: request.open,
        engine: None,
        scratch: request.scratch,
        limits: request.limits,
    };
    let chosen = judgement.chosen();
    match reconcile(sources, rules, judgement.period(), &chosen).await {
        Ok(found) => same(&judgement.reconciled, &found, report),
        Err(error) => report
            .not_run
            .push(format!("judging the month again: {error}")),
    }
    let item = &rules.contract.actual.item;
    match Before::found(&evidence, item, judgement.period(), judgement.at).await {
        Ok(found) => past(&Before::said(&judgement.reconciled), &found, report),
        Err(error) => report
            .not_run
            .push(format!("what was there of earlier months: {error}")),
    }
}

/// Compares what a judgement says of earlier months with what was there of them.
fn past(said: &Before, found: &Before, report: &mut VerifyReport) {
    let runs = |all: &[(Period, RunId)]| {
        let all = all.iter().map(|(month, run)| format!("{month} {run}"));
        all.collect::<Vec<_>>().join(", ")
    };
    let opening = |one: &Before| match (&one.opening, one.is_first) {
        (Some(run), _) => run.to_string(),
        (None, true) => "no earlier month".to_owned(),
        (None, false) => "no package".to_owned(),
    };
    for (what, found, said) in [
        (
            "the months that were closed",
            runs(&found.finals),
            runs(&said.finals),
        ),
        (
            "the months that were judged",
            runs(&found.judged),
            runs(&said.judged),
        ),
        (
            "the balances that it rolls forward from",
            opening(found),
            opening(said),
        ),
    ] {
        let what = format!("{what} are not those of the evidence at that time");
        report.same(JUDGEMENT, &what, found, said);
    }
    report
        .checked
        .push("earlier months as they stood when it was judged".to_owned());
}

/// Compares two judgements, part by part.
fn same(sealed: &Reconciled, found: &Reconciled, report: &mut VerifyReport) {
    let packages = |one: &Reconciled| {
        let inputs = one.inputs.iter().chain(&one.opening);
        let names = inputs.map(|input| {
            let (item, run) = (&input.item, &input.run_id);
            (format!("{item} {run}"), input.manifest_sha256.clone())
        });
        names.collect::<Vec<_>>()
    };
    let (were, are) = (packages(sealed), packages(found));
    for (name, sha256) in &were {
        let now = are.iter().find(|(known, _)| known == name);
        let now = now.map_or("no package", |(_, sha256)| sha256);
        report.same(
            name,
            "the package is not the one that was judged",
            sha256.as_str(),
            now,
        );
    }
    report
        .checked
        .push(format!("{} packages that it was made from", were.len()));
    let text = |one: &Reconciled| {
        // Where the packages lie may have changed; what they say may not.
        let mut one = one.clone();
        for input in one.inputs.iter_mut().chain(one.opening.as_mut()) {
            input.uri.clear();
        }
        serde_json::to_vec_pretty(&one)
    };
    // Two that cannot be written are not two that are equal.
    let (was, is) = match (text(sealed), text(found)) {
        (Ok(was), Ok(is)) => (was, is),
        (Err(error), _) | (_, Err(error)) => {
            let what = format!("judging the month again: it cannot be written down: {error}");
            report.not_run.push(what);
            return;
        }
    };
    if was != is {
        let (expected, actual) = bag::first_difference(&was, &is);
        let what = "judging the month again gives something else";
        report.find(JUDGEMENT, what, expected, actual);
    }
    let lines = sealed.result.lines.len();
    report
        .checked
        .push(format!("{lines} lines judged again from the staged rows"));
}
