//! The page in a real browser: page one is one sheet of A4, nothing overflows, every text can be read in light and dark.
//!
//! Headless Chromium is no part of this repository. `scripts/test` finds or installs it and runs `in_chromium`, or counts it
//! as ignored. What it saw is left below the target folder, in `tmp/page`.

mod in_chromium;
pub(crate) mod month;

use soxauto::domain::reconcile::drift::{Sealed, since};
use soxauto::domain::reconcile::result::{ReconcileFinding, Status};
use soxauto::domain::reconcile::statement::Statement;
use soxauto::domain::run::Stamp;
use soxauto::report::material::Material;
use soxauto::report::page::page;
use soxauto::report::words::Language;

/// A month in which everything that page one lists is long and there are too many of it.
fn crowded() -> Statement {
    let mut statement = month::planted();
    let result = &mut statement.result;
    let long = "a sentence of the books that goes on and on ".repeat(6);
    for bucket in result.lines.iter_mut().flat_map(|line| &mut line.buckets) {
        bucket.status = Status::Investigate;
        bucket.unexplained = Some(month::amount("-123456789012.34"));
        bucket.unexplained_usd = Some(month::amount("-98765432.10"));
    }
    for line in &mut result.lines {
        line.owner = Some("shared services receivables".to_owned());
    }
    let many = |one: &ReconcileFinding| vec![one.clone(); 30];
    let found = result.findings.iter().flat_map(many);
    result.findings = found
        .map(|mut found| {
            found.what.clone_from(&long);
            found
        })
        .collect();
    let left = result.not_covered[0].clone();
    result.not_covered = vec![left; 40];
    for left in &mut result.not_covered {
        left.why.clone_from(&long);
    }
    for (_, assumption) in &mut result.unconfirmed {
        assumption.clone_from(&long);
    }
    statement.accepted = vec![statement.accepted[0].clone(); 30];
    for accepted in &mut statement.accepted {
        accepted.reason.clone_from(&long);
    }
    statement.changes = vec![statement.changes[0].clone(); 30];
    let mut march = month::clean();
    for input in &mut march.inputs {
        input.rows = Some(123_456_789_012);
        input.totals.clear();
    }
    let last = Sealed {
        items: &march.inputs,
        result: &march.result,
    };
    let now = Sealed {
        items: &statement.inputs,
        result: &statement.result,
    };
    statement.drift = since(Some(last), now);
    statement.stamps = vec![
        Stamp::DirtyBuild,
        Stamp::CatalogOverride,
        Stamp::SandboxSource,
        Stamp::FileSecrets,
        Stamp::UnauthenticatedService,
    ];
    statement
}

/// Every month in both languages: name and page.
pub(crate) fn pages() -> Vec<(String, String)> {
    let months = [
        ("planted", month::planted()),
        ("clean", month::clean()),
        ("sparse", month::sparse()),
        ("crowded", crowded()),
    ];
    let mut pages = Vec::new();
    for (name, statement) in months {
        for language in [Language::English, Language::French] {
            let name = format!("{name}-{}", language.tag());
            pages.push((name, page(Material::of(&statement), language).unwrap()));
        }
    }
    pages
}

#[test]
fn amounts_of_the_month_are_what_they_were_planted_as() {
    let statement = month::planted();
    let exceptions = statement.result.exceptions();
    let (_, largest) = exceptions
        .iter()
        .find(|(_, bucket)| bucket.unexplained_usd.is_some())
        .unwrap();
    assert_eq!(largest.company, "EC_KE");
    assert_eq!(largest.unexplained_usd, Some(month::amount("30000.00")));
}
