//! The page in a real browser: page one is one sheet of A4, nothing overflows, every text can be read in light and dark.
//!
//! Headless Chromium is no part of this repository. `scripts/test` finds or installs it and runs `in_chromium`, or counts it
//! as ignored. What it saw is left below the target folder, in `tmp/page`.

mod in_chromium;
pub(crate) mod month;

use soxauto::report::material::Material;
use soxauto::report::page::page;
use soxauto::report::words::Language;

/// Every month in both languages: name and page.
pub(crate) fn pages() -> Vec<(String, String)> {
    let months = [
        ("planted", month::planted()),
        ("clean", month::clean()),
        ("sparse", month::sparse()),
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
