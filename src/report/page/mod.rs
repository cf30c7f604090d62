//! The report as one HTML file that needs nothing else: no network, no script to be read, the same bytes for the same
//! statement.
//!
//! Page one is a sheet of A4 in the order that the control prescribes; what is behind its numbers follows. Texts of the
//! books stay as they are and are marked as English; all else is in the reader's language.

mod around;
mod drift;
mod drill;
mod explained;
mod figures;
mod grids;
mod html;
mod lines;
mod top;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use self::html::{Markup, el};
use super::material::Material;
use super::tables::{Table, tables_up_to};
use super::vocabulary::NO_EVIDENCE;
use super::words::Language;
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult, Reconciliation};
use crate::domain::reconcile::statement::Statement;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("sort.js");
/// Characters up to which page one is printed in larger letters, and up to which nothing of it need be cut shorter; measured
/// in `tests/it/page`.
const ROOMY_CHARS_MAX: usize = 4_400;
const SHEET_CHARS_MAX: usize = 6_900;

/// How much of each list stands on page one; the whole stands further down.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Entries of a list.
    listed: usize,
    /// Characters of an entry.
    chars: usize,
    /// Exceptions.
    exceptions: usize,
}

const WIDE: Room = Room {
    listed: 10,
    chars: 110,
    exceptions: 18,
};
const TIGHT: Room = Room {
    listed: 3,
    chars: 60,
    exceptions: 10,
};

/// The page.
///
/// # Errors
/// What cannot be written as JSON, which the fingerprint is taken of.
pub fn page(material: Material<'_>, language: Language) -> Result<String, serde_json::Error> {
    let statement = material.statement;
    let fingerprint = statement.fingerprint()?;
    let tables = tables_up_to(material, language, explained::ROWS_MAX)?;
    let mut view = View {
        material,
        statement,
        result: &statement.result,
        language,
        fingerprint: &fingerprint,
        tables: &tables,
        room: WIDE,
    };
    let mut first = view.first();
    let chars = first.chars();
    if chars > SHEET_CHARS_MAX {
        view.room = TIGHT;
        first = view.first();
    }
    let class = match chars <= ROOMY_CHARS_MAX {
        true => "sheet roomy",
        false => "sheet",
    };
    let first = el(
        "section",
        &[
            ("class", class),
            ("id", "page-one"),
            ("aria-labelledby", "title"),
        ],
        first,
    );
    let behind = Markup::none()
        .and(view.contents())
        .and(view.waterfalls())
        .and(view.heat_map())
        .and(view.trend())
        .and(view.drift())
        .and(view.ageing())
        .and(view.drill_down())
        .and(view.buckets())
        .and(view.entries())
        .and(view.checks())
        .and(view.findings())
        .and(view.rates())
        .and(view.provenance())
        .and(view.explained());
    let main = el(
        "main",
        &[],
        first.and(el("div", &[("class", "behind")], behind)),
    );
    Ok(view.document(main))
}

/// What all parts of the page look at.
struct View<'a> {
    material: Material<'a>,
    statement: &'a Statement,
    result: &'a Reconciliation,
    language: Language,
    fingerprint: &'a str,
    tables: &'a [Table],
    room: Room,
}

impl<'a> View<'a> {
    /// Page one.
    fn first(&self) -> Markup {
        Markup::none()
            .and(self.title())
            .and(self.outcome())
            .and(self.lines())
            .and(self.exceptions())
            .and(self.not_covered())
            .and(self.inputs())
            .and(self.since())
            .and(self.signatures())
    }

    fn pick<'t>(&self, english: &'t str, french: &'t str) -> &'t str {
        self.language.pick(english, french)
    }

    /// An amount in ledger sign with its currency, or that nothing is known.
    fn money(&self, amount: Option<Amount>, currency: &str) -> String {
        match amount {
            Some(amount) => format!("{}\u{a0}{currency}", self.language.dr_cr(amount)),
            None => "–".to_owned(),
        }
    }

    /// An amount in ledger sign under a heading that says its currency.
    fn amount(&self, amount: Option<Amount>) -> String {
        amount.map_or_else(|| "–".to_owned(), |amount| self.language.dr_cr(amount))
    }

    /// A part of the page behind page one.
    fn part(&self, id: &str, heading: &str, inner: Markup) -> Markup {
        let heading_id = format!("{id}-h");
        el(
            "section",
            &[("id", id), ("aria-labelledby", &heading_id)],
            el("h2", &[("id", &heading_id)], heading).and(inner),
        )
    }

    fn note(&self, text: impl Into<Markup>) -> Markup {
        el("p", &[("class", "note")], text)
    }

    fn none(&self) -> Markup {
        self.note(self.pick("None.", "Néant."))
    }

    /// Name of a bucket's place in the page.
    fn bucket_id(&self, kind: char, line: &LineResult, bucket: &Bucket) -> String {
        let lines = &self.result.lines;
        let line_at = lines.iter().position(|own| std::ptr::eq(own, line));
        let bucket_at = line
            .buckets
            .iter()
            .position(|own| std::ptr::eq(own, bucket));
        let (line_at, bucket_at) = (line_at.unwrap_or_default(), bucket_at.unwrap_or_default());
        format!("{kind}-{line_at}-{bucket_at}")
    }

    fn line_id(&self, line: &LineResult) -> String {
        let lines = &self.result.lines;
        let at = lines.iter().position(|own| std::ptr::eq(own, line));
        format!("line-{}", at.unwrap_or_default())
    }

    fn table(&self, name: &str) -> Option<&'a Table> {
        self.tables.iter().find(|table| table.name == name)
    }

    fn document(&self, main: Markup) -> String {
        let style = format!("{STYLE}\n{}", self.margins());
        let policy = format!(
            "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; base-uri 'none'; form-action 'none'",
            fingerprint_of(&style),
            fingerprint_of(SCRIPT)
        );
        let result = self.result;
        let title = format!("{} {}", result.control, result.period);
        let head = Markup::fixed(r#"<meta charset="utf-8">"#)
            .and(meta("http-equiv", "Content-Security-Policy", &policy))
            .and(meta(
                "name",
                "viewport",
                "width=device-width, initial-scale=1",
            ))
            .and(meta("name", "color-scheme", "light dark"))
            .and(Markup::fixed(r#"<link rel="icon" href="data:,">"#))
            .and(el("title", &[], title));
        let skip = self.pick("Skip to the result", "Aller au résultat");
        let skip = el("a", &[("class", "skip"), ("href", "#outcome")], skip);
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>{}<style>{style}</style></head>\n<body>{}\n<script>{SCRIPT}</script></body>\n</html>\n",
            self.language.tag(),
            head.into_text(),
            skip.and(main).into_text(),
        );
        html
    }

    /// What stands in the margin of every printed page.
    fn margins(&self) -> String {
        let result = self.result;
        let run = format!(
            "{} {} · {} · {:.16}",
            result.control, result.period, self.statement.run_id, self.fingerprint
        );
        let font = "font-size:6.5pt;color:#46505d";
        let stamp = match self.statement.stamps.is_empty() {
            true => "",
            false => NO_EVIDENCE,
        };
        format!(
            "@page{{@bottom-left{{content:\"{}\";{font}}}@bottom-center{{content:\"{stamp}\";{font};font-weight:700}}@bottom-right{{content:counter(page) \" / \" counter(pages);{font}}}}}",
            in_style(&run)
        )
    }
}

/// A text that can stand between quotes in a style.
fn in_style(text: &str) -> String {
    let is_plain = |c: &char| c.is_alphanumeric() || " .·-_".contains(*c);
    text.chars().filter(is_plain).collect()
}

fn meta(kind: &'static str, name: &str, content: &str) -> Markup {
    // `meta` has no end.
    let whole = el("meta", &[(kind, name), ("content", content)], "");
    Markup::chart(whole.into_text().replace("</meta>", ""))
}

/// How a policy names a text that may stand in the page.
fn fingerprint_of(text: &str) -> String {
    format!(
        "sha256-{}",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

#[cfg(test)]
mod tests;
