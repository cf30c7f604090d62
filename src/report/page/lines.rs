//! Page one, 3 and 4: the lines, and what is to be looked at, largest first.

use std::collections::{BTreeMap, BTreeSet};

use super::View;
use super::html::{Grid, Markup, Row, el, english, head, link, number};
use crate::domain::reconcile::result::{Bucket, LineResult, Status};
use crate::report::material::{count, gross};
use crate::report::tables::thresholds;
use crate::report::vocabulary::{status_class, status_mark};

/// Rows that page one has for lines, inputs and exceptions together, so that it stays one page.
const ROWS_MAX: usize = 38;
/// Exceptions that page one always has room for.
const EXCEPTIONS_MIN: usize = 6;

/// What one row of the exceptions is about.
enum Exception<'a> {
    /// A bucket with an amount.
    Known(&'a LineResult, &'a Bucket),
    /// Buckets of a line that are not concluded for one reason.
    Unknown(&'a LineResult, String, Vec<&'a Bucket>),
}

impl View<'_> {
    /// The word of a status with its mark and colour.
    pub(super) fn status(&self, status: Status) -> Markup {
        let mark = el("span", &[("aria-hidden", "true")], status_mark(status));
        let word = mark.and("\u{a0}").and(self.language.status(status));
        let class = format!("pill {}", status_class(status));
        el("span", &[("class", &class)], word)
    }

    /// Actual, target and what lies between, by line.
    pub(super) fn lines(&self) -> Markup {
        let usd =
            |english: &str, french: &str| number(&format!("{} USD", self.pick(english, french)));
        let heads = vec![
            head(self.pick("Line", "Ligne")),
            head(self.pick("Accounts", "Comptes")),
            usd("Actual", "Réel"),
            usd("Target", "Cible"),
            usd("Variance", "Écart"),
            usd("Explained, by bridge,", "Expliqué, par pont,"),
            number(self.pick(
                "Unexplained, largest company, LCY",
                "Inexpliqué, première société, devise locale",
            )),
            usd("Unexplained", "Inexpliqué"),
            usd("Threshold", "Seuil"),
            head(self.pick("Status", "Statut")),
            head(self.pick("Companies affected", "Sociétés touchées")),
        ];
        let grid = Grid {
            class: "dense",
            caption: self
                .pick("Lines of the control", "Lignes du contrôle")
                .into(),
            heads,
            rows: self
                .result
                .lines
                .iter()
                .map(|line| self.line(line))
                .collect(),
        };
        let label = self.pick("Lines of the control", "Lignes du contrôle");
        let more = self.unsummed();
        el("div", &[("id", "lines")], grid.markup(label).and(more))
    }

    fn line(&self, line: &LineResult) -> Row {
        let of = &line.dollars;
        let id = self.line_id(line);
        let linked = |text: String| link(&id, text);
        let bridges = of.bridges.iter().map(|(bridge, amount)| {
            self.bridge(
                bridge,
                format!("{bridge}\u{a0}{}", self.amount(Some(*amount))),
            )
        });
        let bridges = match of.bridges.is_empty() {
            true => Markup::from("–"),
            false => Markup::joined(bridges, "<br>"),
        };
        let usd = |amount| format!("{}\u{a0}USD", self.language.amount(amount));
        let threshold = match thresholds(line) {
            None => "–".to_owned(),
            Some((low, high)) if usd(low) == usd(high) => self.language.amount(low),
            Some((low, high)) => {
                format!(
                    "{} – {}",
                    self.language.amount(low),
                    self.language.amount(high)
                )
            }
        };
        let status = if line.memo {
            let memo = self.pick("memo, no verdict", "pour mémoire, sans verdict");
            el("span", &[("class", "pill s-none")], memo)
        } else {
            self.status(line.status)
        };
        let name = el("strong", &[], &line.id);
        let cells = vec![
            link(&id, name).and(" ").and(english(&line.title)),
            line.gls.join(" ").into(),
            linked(self.amount(of.actual)),
            linked(self.amount(of.target)),
            linked(self.amount(of.variance)),
            bridges,
            self.largest(line),
            linked(self.amount(of.unexplained)),
            threshold.into(),
            status,
            self.affected(line),
        ];
        cells.into()
    }

    /// What nothing explains in the company that has most of it, counted in dollars.
    fn largest(&self, line: &LineResult) -> Markup {
        let size = |bucket: &&Bucket| {
            let usd = bucket.unexplained_usd;
            usd.map_or(0, |usd| usd.units().unsigned_abs())
        };
        let known = line
            .buckets
            .iter()
            .filter(|bucket| bucket.unexplained_usd.is_some());
        let Some(bucket) = known.max_by_key(size).filter(|bucket| size(bucket) > 0) else {
            return "–".into();
        };
        let id = self.bucket_id('b', line, bucket);
        let company = Markup::from(&bucket.company).and(Markup::fixed("<br>"));
        company.and(link(&id, self.money(bucket.unexplained, &bucket.currency)))
    }

    fn affected(&self, line: &LineResult) -> Markup {
        let affected: Vec<&str> = line.affected().into_iter().collect();
        let (some, all) = (affected.len(), line.companies.len());
        match (line.memo, some) {
            (true, _) | (_, 0) => "–".into(),
            (_, some) if some == all => format!(
                "{} {}",
                self.pick("all", "toutes les"),
                self.language.count(count(all))
            )
            .into(),
            _ => affected.join(" ").into(),
        }
    }

    /// What is in no sum of the lines.
    fn unsummed(&self) -> Markup {
        let judged = || self.result.judged();
        let without_rate: u64 = judged().map(|line| line.dollars.without_rate).sum();
        let unknown: u64 = judged().map(|line| line.dollars.unknown).sum();
        let mut said = vec![self.pick(
            "Ledger sign: Dr debit, Cr credit. LCY is the company's own currency.",
            "Signe du grand livre : D débit, C crédit. La devise locale est celle de la société.",
        ).to_owned()];
        if without_rate > 0 {
            said.push(format!(
                "{} {}",
                self.language.count(without_rate),
                self.pick(
                    "balances have no rate and are in no sum of dollars.",
                    "soldes n'ont pas de cours et ne sont dans aucune somme en dollars.",
                )
            ));
        }
        if unknown > 0 {
            said.push(format!(
                "{} {}",
                self.language.count(unknown),
                self.pick(
                    "balances have no variance, as a side could not be found out: they are in no sum.",
                    "soldes n'ont pas d'écart, un côté n'ayant pu être établi : ils ne sont dans aucune somme.",
                )
            ));
        }
        self.note(said.join(" "))
    }

    /// The largest exceptions, as many as the page has room for, and what the rest comes to.
    pub(super) fn exceptions(&self) -> Markup {
        let all = self.ordered();
        let taken = self.result.lines.len() + self.statement.inputs.len();
        let room = ROWS_MAX.saturating_sub(taken);
        let room = room.clamp(EXCEPTIONS_MIN, self.room.exceptions);
        let mut rows: Vec<Row> = all
            .iter()
            .take(room)
            .map(|one| self.exception(one))
            .collect();
        let rest: Vec<&Bucket> = all.iter().skip(room).flat_map(Exception::buckets).collect();
        if !rest.is_empty() {
            rows.push(self.rest(&rest));
        }
        let heading = self.pick(
            "Exceptions, largest first",
            "Exceptions, la plus grande d'abord",
        );
        if rows.is_empty() {
            return el(
                "div",
                &[("id", "exceptions")],
                el("h2", &[], heading).and(self.none()),
            );
        }
        let grid = Grid {
            class: "dense",
            caption: heading.into(),
            heads: vec![
                head(self.pick("Company", "Société")),
                head(self.pick("Line", "Ligne")),
                head(self.pick("Account", "Compte")),
                head(self.pick("Status", "Statut")),
                number(self.pick("Unexplained LCY", "Inexpliqué, devise locale")),
                number(self.pick("Unexplained USD", "Inexpliqué USD")),
                number(self.pick("Age, months", "Âge, mois")),
                head(self.pick("Owner", "Responsable")),
                head(self.pick("Disposition", "Décision")),
            ],
            rows,
        };
        el("div", &[("id", "exceptions")], grid.markup(heading))
    }

    /// What could not be found out first, as it may be anything, by reason; then amounts, largest first.
    fn ordered(&self) -> Vec<Exception<'_>> {
        let mut unknown: BTreeMap<(&str, String), (&LineResult, Vec<&Bucket>)> = BTreeMap::new();
        let mut known = Vec::new();
        for (line, bucket) in self.result.exceptions() {
            if bucket.unexplained.is_some() {
                known.push(Exception::Known(line, bucket));
                continue;
            }
            let reasons = bucket.reasons.join("; ");
            let group = unknown.entry((line.id.as_str(), reasons));
            group.or_insert_with(|| (line, Vec::new())).1.push(bucket);
        }
        let unknown = unknown.into_iter();
        let unknown = unknown.map(|((_, why), (line, of))| Exception::Unknown(line, why, of));
        unknown.chain(known).collect()
    }

    fn exception(&self, one: &Exception<'_>) -> Row {
        match one {
            Exception::Known(line, bucket) => self.known(line, bucket),
            Exception::Unknown(line, why, buckets) => self.unknown(line, why, buckets),
        }
    }

    fn known(&self, line: &LineResult, bucket: &Bucket) -> Row {
        let id = self.bucket_id('e', line, bucket);
        let usd = match bucket.unexplained_usd {
            Some(usd) => link(&id, self.amount(Some(usd))),
            None => self.pick("no rate", "sans cours").into(),
        };
        let account = match &bucket.gl {
            Some(gl) => gl.clone(),
            None => all_of(&line.gls),
        };
        let mut others = bucket.offset_by.clone();
        others.extend(bucket.offset_companies.iter().cloned());
        let offset = match others.is_empty() {
            true => String::new(),
            false => format!(" ⇄ {}", others.join(" ")),
        };
        let said = self.statement.disposition(&line.id, bucket);
        let said = said.map_or_else(
            || self.pick("none yet", "aucune").to_owned(),
            |said| format!("{} ({})", self.language.decision(said.decision), said.by),
        );
        let age = bucket
            .age_months
            .map_or_else(|| "–".to_owned(), |age| age.to_string());
        let cells = vec![
            el("strong", &[], &bucket.company),
            Markup::from(&line.id),
            Markup::from(account).and(offset),
            self.status(bucket.status),
            link(&id, self.money(bucket.unexplained, &bucket.currency)),
            usd,
            age.into(),
            line.owner.as_deref().unwrap_or("–").into(),
            said.into(),
        ];
        cells.into()
    }

    fn unknown(&self, line: &LineResult, why: &str, buckets: &[&Bucket]) -> Row {
        let companies: BTreeSet<&str> = buckets.iter().map(|b| b.company.as_str()).collect();
        let names = match companies.len() {
            1..=3 => companies.into_iter().collect::<Vec<_>>().join(" "),
            many => {
                let words = self.pick("companies", "sociétés");
                format!("{} {words}", self.language.count(count(many)))
            }
        };
        let id = buckets
            .first()
            .map(|bucket| self.bucket_id('e', line, bucket));
        let cells = vec![
            link(&id.unwrap_or_default(), el("strong", &[], names)),
            Markup::from(&line.id),
            english(&clipped(why, 60)),
            self.status(Status::NotConcluded),
            self.pick("not known", "inconnu").into(),
            self.pick("not known", "inconnu").into(),
            "–".into(),
            line.owner.as_deref().unwrap_or("–").into(),
            self.pick("cannot be closed", "ne peut être clos").into(),
        ];
        cells.into()
    }

    fn rest(&self, rest: &[&Bucket]) -> Row {
        let words = self.pick("more", "autres");
        let name = format!("+ {} {words}", self.language.count(count(rest.len())));
        let usd = gross(rest.iter().copied());
        let usd = usd.map_or_else(|| "–".to_owned(), |usd| self.language.amount(usd));
        let cells = vec![
            link("drill", name),
            Markup::none(),
            Markup::none(),
            Markup::none(),
            self.pick("without signs", "sans signe").into(),
            usd.into(),
            Markup::none(),
            Markup::none(),
            Markup::none(),
        ];
        cells.into()
    }
}

impl Exception<'_> {
    fn buckets(&self) -> Vec<&Bucket> {
        match self {
            Self::Known(_, bucket) => vec![bucket],
            Self::Unknown(_, _, buckets) => buckets.clone(),
        }
    }
}

/// All accounts of a line, in short.
fn all_of(gls: &[String]) -> String {
    match gls {
        [first, _, _, ..] => format!("{first} +{}", gls.len() - 1),
        few => few.join(" "),
    }
}

/// The beginning of a text that stands in full further down.
pub(super) fn clipped(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(chars_max).collect();
    format!("{}…", beginning.trim_end())
}
