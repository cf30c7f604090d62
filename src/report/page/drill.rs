//! From a number to its rows: every exception with what it is made of, and every balance that was compared.

use super::View;
use super::html::{Grid, Markup, Row, el, english, head, link, number};
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult};
use crate::report::material::{candidates, count};

/// Candidates of an exception that the page shows; all that are named are in the table of candidates.
const ROWS_MAX: usize = 200;

impl View<'_> {
    /// Every exception, closed on a screen until it is asked for, open in print.
    pub(super) fn drill_down(&self) -> Markup {
        let heading = self.pick("Exceptions in detail", "Exceptions en détail");
        let all = self.result.exceptions();
        if all.is_empty() {
            return self.part("drill", heading, self.none());
        }
        let all = all
            .into_iter()
            .map(|(line, bucket)| self.detail(line, bucket));
        self.part("drill", heading, all.collect())
    }

    fn detail(&self, line: &LineResult, bucket: &Bucket) -> Markup {
        let id = self.bucket_id('e', line, bucket);
        let place = format!(
            "{} {} {} ",
            line.id,
            bucket.company,
            bucket.gl.as_deref().unwrap_or_default()
        );
        let usd = bucket.unexplained_usd.map_or_else(
            || self.pick("no dollars", "sans dollars").to_owned(),
            |usd| self.money(Some(usd), "USD"),
        );
        let amounts = format!(
            "{} · {usd}",
            self.money(bucket.unexplained, &bucket.currency)
        );
        let summary = el("strong", &[], place.replace("  ", " "))
            .and(self.status(bucket.status))
            .and(" ")
            .and(el("span", &[("class", "n")], amounts));
        let inner = el("summary", &[], summary)
            .and(self.made_of(line, bucket))
            .and(self.said_of(line, bucket))
            .and(self.candidates_of(bucket));
        el("details", &[("id", &id)], inner)
    }

    /// Every part of the identity with all its digits.
    fn made_of(&self, line: &LineResult, bucket: &Bucket) -> Markup {
        let mut rows: Vec<Row> = Vec::new();
        let mut row = |name: Markup, amount: Option<Amount>| {
            let exact = amount.map_or_else(|| "–".to_owned(), |amount| self.all_digits(amount));
            let shown = self.money(amount, &bucket.currency);
            rows.push(vec![name, shown.into(), el("code", &[], exact)].into());
        };
        row(self.pick("Actual", "Réel").into(), bucket.actual);
        for (gl, amount) in &bucket.by_gl {
            row(format!("↳ {gl}").into(), Some(*amount));
        }
        row(self.pick("Target", "Cible").into(), bucket.target);
        for (item, amount) in &bucket.by_item {
            row(format!("↳ {item}").into(), Some(*amount));
        }
        let variance = self.pick("Variance = actual − target", "Écart = réel − cible");
        row(variance.into(), bucket.variance);
        for (bridge, amount) in &bucket.bridges {
            let word = self.pick("Explained by", "Expliqué par");
            row(
                self.bridge(bridge, format!("{word} {bridge}")),
                Some(*amount),
            );
        }
        row(
            self.pick("Unexplained", "Inexpliqué").into(),
            bucket.unexplained,
        );
        let caption = format!("{} {}", line.id, bucket.company);
        let grid = Grid {
            class: "plain",
            caption: caption.as_str().into(),
            heads: vec![
                head(self.pick("Part", "Élément")),
                number(&format!(
                    "{} ({})",
                    self.pick("Amount LCY", "Montant, devise locale"),
                    bucket.currency
                )),
                number(self.pick("All digits", "Tous les chiffres")),
            ],
            rows,
        };
        grid.markup(&caption)
    }

    /// An amount with all digits that say something, as a debit or a credit.
    fn all_digits(&self, amount: Amount) -> String {
        let text = exact(amount);
        let digits = text.trim_start_matches('-');
        match amount.units().signum() {
            0 => digits.to_owned(),
            1 => format!("{digits}\u{a0}{}", self.pick("Dr", "D")),
            _ => format!("{digits}\u{a0}{}", self.pick("Cr", "C")),
        }
    }

    fn said_of(&self, line: &LineResult, bucket: &Bucket) -> Markup {
        let of = self.language;
        let mut said: Vec<Markup> = bucket.reasons.iter().map(|why| english(why)).collect();
        said.push(of.sides(bucket.sides).into());
        let threshold = self.pick("threshold", "seuil");
        let rule = format!("{threshold} {}\u{a0}USD: ", of.amount(bucket.threshold.usd));
        said.push(Markup::from(rule).and(english(&bucket.threshold.rule)));
        if let Some(line_item) = &bucket.line_item {
            let threshold = self.pick("line-item threshold", "seuil par ligne");
            let rule = format!("{threshold} {}\u{a0}USD: ", of.amount(line_item.usd));
            said.push(Markup::from(rule).and(english(&line_item.rule)));
        }
        match (bucket.rate, &bucket.no_rate) {
            (Some(rate), _) => {
                let words = self.pick("per USD", "par USD");
                said.push(format!("{} {} {words}", exact(rate), bucket.currency).into());
            }
            (None, Some(why)) => said.push(english(why)),
            (None, None) => {}
        }
        if !bucket.offset_by.is_empty() {
            let words = self.pick("opposite amount on account", "montant opposé sur le compte");
            said.push(format!("{words} {}", bucket.offset_by.join(", ")).into());
        }
        if !bucket.offset_companies.is_empty() {
            let words = self.pick("opposite amount in", "montant opposé chez");
            said.push(format!("{words} {}", bucket.offset_companies.join(", ")).into());
        }
        if bucket.is_over_bridged {
            let words = self.pick(
                "a bridge explains more than there is",
                "un pont explique plus que l'écart",
            );
            said.push(words.into());
        }
        if let Some(word) = self.statement.disposition(&line.id, bucket) {
            let day = word.at.format("%Y-%m-%d %H:%M UTC");
            let decision = of.decision(word.decision);
            said.push(format!("{decision}: {} ({}, {day})", word.text, word.by).into());
        }
        let items = said.into_iter().map(|one| el("li", &[], one));
        el("ul", &[], items.collect::<Markup>())
    }

    /// Rows that alone have the amount, which say where to look and no more.
    fn candidates_of(&self, bucket: &Bucket) -> Markup {
        if bucket.rows.is_empty() {
            return self.note(self.pick(
                "No candidate is known: no row alone has this amount, or none was looked for.",
                "Aucune ligne candidate connue : aucune n'a ce montant à elle seule, ou aucune n'a été cherchée.",
            ));
        }
        let rows = bucket.rows.iter().take(ROWS_MAX).map(|row| {
            let reached = row
                .amount
                .and_then(|amount| bucket.reaches_line_item(amount));
            let cells = vec![
                Markup::from(row.item.as_str()),
                el("code", &[], row.key.join(" | ")),
                self.money(row.amount, &bucket.currency).into(),
                self.language.reached(reached).into(),
            ];
            Row::from(cells)
        });
        let caption = format!(
            "{}: {}",
            self.pick(
                "Candidates, which alone have this amount and prove nothing",
                "Lignes candidates, qui ont ce montant à elles seules et ne prouvent rien"
            ),
            self.language.count(candidates(bucket))
        );
        let grid = Grid {
            class: "sort",
            caption: caption.as_str().into(),
            heads: vec![
                head(self.pick("Item", "Élément")),
                head(self.pick("Row key", "Clé de la ligne")),
                number(self.pick("Amount LCY", "Montant, devise locale")),
                head(self.pick(
                    "Reaches the line-item threshold",
                    "Atteint le seuil par ligne",
                )),
            ],
            rows: rows.collect(),
        };
        let more = bucket.rows.len().saturating_sub(ROWS_MAX);
        let more = match more {
            0 => Markup::none(),
            more => self.note(format!(
                "+ {} {}",
                self.language.count(count(more)),
                self.pick(
                    "rows in the table `candidates`",
                    "lignes dans la table `candidates`"
                )
            )),
        };
        let unlisted = match bucket.rows_unlisted {
            0 => Markup::none(),
            rows => self.note(self.language.more_rows(rows)),
        };
        grid.markup(&caption).and(more).and(unlisted)
    }

    /// Every balance that was compared, line by line; those with nothing on either side are only counted.
    pub(super) fn buckets(&self) -> Markup {
        let heading = self.pick("All balances compared", "Tous les soldes comparés");
        let lines = self.result.lines.iter().map(|line| {
            let title = el(
                "h3",
                &[],
                Markup::from(format!("{} ", line.id)).and(english(&line.title)),
            );
            let note = match line.note.is_empty() {
                true => Markup::none(),
                false => self.note(english(&line.note)),
            };
            el(
                "div",
                &[("id", &self.line_id(line))],
                title.and(note).and(self.buckets_of(line)),
            )
        });
        self.part("balances", heading, lines.collect())
    }

    fn buckets_of(&self, line: &LineResult) -> Markup {
        let lcy = |english: &str, french: &str| {
            number(&format!(
                "{} {}",
                self.pick(english, french),
                self.pick("LCY", "devise locale")
            ))
        };
        let bridge = self.pick(
            "Explained LCY, by bridge",
            "Expliqué devise locale, par pont",
        );
        let grid = Grid {
            class: "sort",
            caption: format!("{}: {}", line.id, self.pick("balances", "soldes")).into(),
            heads: vec![
                head(self.pick("Company", "Société")),
                head(self.pick("Account", "Compte")),
                lcy("Actual", "Réel"),
                lcy("Target", "Cible"),
                number(self.pick("Target rows", "Lignes de la cible")),
                lcy("Variance", "Écart"),
                number(bridge),
                lcy("Unexplained", "Inexpliqué"),
                number(self.pick("Unexplained USD", "Inexpliqué USD")),
                number(self.pick("Threshold USD", "Seuil USD")),
                head(self.pick("Status", "Statut")),
            ],
            rows: line
                .buckets
                .iter()
                .map(|bucket| self.bucket(line, bucket))
                .collect(),
        };
        grid.markup(&line.id)
    }

    fn bucket(&self, line: &LineResult, bucket: &Bucket) -> Row {
        let money = |amount| self.money(amount, &bucket.currency);
        let bridges = bucket.bridges.iter();
        let bridges = bridges.map(|(name, amount)| {
            self.bridge(name, format!("{name}\u{a0}{}", money(Some(*amount))))
        });
        let is_exception =
            !line.memo && bucket.status != crate::domain::reconcile::result::Status::Ok;
        let unexplained = money(bucket.unexplained);
        let unexplained = match is_exception {
            true => link(&self.bucket_id('e', line, bucket), unexplained),
            false => unexplained.into(),
        };
        let usd = self.amount(bucket.unexplained_usd);
        Row {
            id: self.bucket_id('b', line, bucket),
            cells: vec![
                Markup::from(&bucket.company),
                bucket.gl.as_deref().unwrap_or("–").into(),
                money(bucket.actual).into(),
                money(bucket.target).into(),
                self.language.count(bucket.target_rows).into(),
                money(bucket.variance).into(),
                Markup::joined(bridges, "<br>"),
                unexplained,
                usd.into(),
                self.language.amount(bucket.threshold.usd).into(),
                self.status(bucket.status),
            ],
            classes: Vec::new(),
        }
    }
}

/// All digits that say something.
fn exact(amount: Amount) -> String {
    let text = amount.to_string();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}
