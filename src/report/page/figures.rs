//! The charts: the way from target to actual, variances by company, months, and ages.

use std::collections::{BTreeMap, BTreeSet};

use super::View;
use super::html::{Grid, Markup, Row, el, english, head, link, number, scrolling};
use crate::domain::age::AgeBucket;
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult, Status};
use crate::domain::reconcile::wide::Dollars;
use crate::report::charts::{Bar, Caption, Point, Step, StepKind, bars, trend, waterfall};
use crate::report::material::{MonthPoint, gross};
use crate::report::vocabulary::status_mark;

/// Shares of the threshold from which a cell of the heat map is a step darker, in per cent.
const HEAT: [u32; 4] = [10, 100, 500, 2_500];

/// The ages of exceptions that have one, in their order.
const AGES: [AgeBucket; 6] = [
    AgeBucket::BelowOne,
    AgeBucket::OneToThree,
    AgeBucket::ThreeToSix,
    AgeBucket::SixToTwelve,
    AgeBucket::TwelveAndMore,
    AgeBucket::NoDate,
];

impl View<'_> {
    /// From target to actual, line by line.
    pub(super) fn waterfalls(&self) -> Markup {
        let heading = self.pick(
            "From target to actual, by line",
            "De la cible au réel, par ligne",
        );
        let note = self.note(self.pick(
            "In USD, of the balances that have a rate. Each bar begins where the one above it ends; the hatched one is what nothing explains.",
            "En USD, pour les soldes qui ont un cours. Chaque barre commence où finit celle du dessus ; la barre hachurée est ce que rien n'explique.",
        ));
        let charts = self.result.lines.iter().map(|line| self.waterfall(line));
        let charts = el("div", &[("class", "charts")], charts.collect::<Markup>());
        self.part("waterfalls", heading, note.and(charts))
    }

    fn waterfall(&self, line: &LineResult) -> Markup {
        let of = &line.dollars;
        let title = format!("{} {}, USD", line.id, line.title);
        let (Some(target), Some(actual), Some(unexplained)) =
            (of.target, of.actual, of.unexplained)
        else {
            let nothing = self.note(self.pick(
                "A side is not there, or could not be found out: nothing is drawn.",
                "Un côté est absent ou n'a pu être établi : rien n'est dessiné.",
            ));
            let title = el("h3", &[], english(&title));
            return el("div", &[("class", "chart")], title.and(nothing));
        };
        let step = |label: &str, amount: Amount, kind| Step {
            label: label.to_owned(),
            shown: self.language.dr_cr(amount),
            value: amount.units(),
            kind,
        };
        let mut steps = vec![step(self.pick("Target", "Cible"), target, StepKind::Level)];
        let explained = of.bridges.iter();
        steps.extend(explained.map(|(name, amount)| step(name, *amount, StepKind::Explained)));
        let word = self.pick("Unexplained", "Inexpliqué");
        steps.push(step(word, unexplained, StepKind::Unexplained));
        steps.push(step(self.pick("Actual", "Réel"), actual, StepKind::Level));
        let said: Vec<String> = steps
            .iter()
            .map(|s| format!("{} {}", s.label, s.shown))
            .collect();
        let caption = Caption {
            id: format!("w-{}", self.line_id(line)),
            title,
            description: said.join(", "),
        };
        let label = caption.title.clone();
        let begins = axis_begins(&steps);
        for step in steps.iter_mut().filter(|step| step.kind == StepKind::Level) {
            step.value = step.value.saturating_sub(begins);
        }
        let chart = scrolling(&label, Markup::chart(waterfall(&caption, &steps)));
        let chart = match Amount::new(begins, target.scale()) {
            Ok(begins) if begins.units() != 0 => {
                let words = self.pick(
                    "The axis does not begin at zero but at",
                    "L'axe ne commence pas à zéro mais à",
                );
                let note = format!("{words} {}.", self.money(Some(begins), "USD"));
                chart.and(self.note(note))
            }
            _ => chart,
        };
        el("div", &[("class", "chart")], chart)
    }

    /// Variances by company: a row for each line, and for each account where it is split, so that nothing is netted.
    pub(super) fn heat_map(&self) -> Markup {
        let heading = self.pick("Variances by company", "Écarts par société");
        let judged: Vec<&LineResult> = self.result.judged().collect();
        let companies = judged.iter().flat_map(|line| &line.companies);
        let companies: BTreeSet<&String> = companies.collect();
        let mut heads = vec![head(self.pick("Line", "Ligne"))];
        heads.extend(companies.iter().map(|company| number(company)));
        let mut rows = Vec::new();
        for line in judged {
            let gls: BTreeSet<Option<&String>> = line
                .buckets
                .iter()
                .map(|bucket| bucket.gl.as_ref())
                .collect();
            for gl in gls {
                rows.push(self.heat_row(line, gl, &companies));
            }
        }
        let caption = self.pick(
            "Variance in USD (actual less target); the darker, the more thresholds. ✓ OK, ▲ investigate, ◆ over-explained, ? not concluded",
            "Écart en USD (réel moins cible) ; plus c'est foncé, plus il y a de seuils. ✓ OK, ▲ à examiner, ◆ surexpliqué, ? non conclu",
        );
        let grid = Grid {
            class: "heat",
            caption: caption.into(),
            heads,
            rows,
        };
        self.part("heat", heading, grid.markup(heading))
    }

    fn heat_row(
        &self,
        line: &LineResult,
        gl: Option<&String>,
        companies: &BTreeSet<&String>,
    ) -> Row {
        let name = format!("{} {}", line.id, gl.map_or("", String::as_str));
        let mut row = Row {
            cells: vec![name.trim_end().into()],
            classes: vec![""],
            ..Row::default()
        };
        for company in companies {
            let mut buckets = line.buckets.iter();
            let bucket = buckets.find(|b| b.company == **company && b.gl.as_ref() == gl);
            let (cell, class) = match bucket {
                None => (Markup::from("·"), "h-out"),
                Some(bucket) => self.heat_cell(line, bucket),
            };
            row.cells.push(cell);
            row.classes.push(class);
        }
        row
    }

    fn heat_cell(&self, line: &LineResult, bucket: &Bucket) -> (Markup, &'static str) {
        let mark = el(
            "span",
            &[("aria-hidden", "true")],
            status_mark(bucket.status),
        );
        let word = self.language.status(bucket.status);
        let word = el("span", &[("class", "unseen")], word);
        let text = match (bucket.variance_usd, bucket.variance) {
            (Some(usd), _) => self.language.dr_cr(usd),
            (None, Some(variance)) if variance.units() == 0 => self.language.dr_cr(variance),
            (None, Some(_)) => self.pick("no rate", "sans cours").to_owned(),
            (None, None) => self.pick("not known", "inconnu").to_owned(),
        };
        let id = self.bucket_id('b', line, bucket);
        let cell = link(&id, text).and(" ").and(mark).and(word);
        (cell, heat(bucket))
    }

    /// This month beside earlier ones.
    pub(super) fn trend(&self) -> Markup {
        let heading = self.pick("Months", "Mois");
        let own = MonthPoint::of(self.statement);
        if self.material.months.is_empty() {
            let note = self.note(self.pick(
                "No earlier month was given; this one stands by itself.",
                "Aucun mois antérieur n'a été donné ; celui-ci est seul.",
            ));
            return self.part("trend", heading, note.and(self.grid("months")));
        }
        let months: Vec<&MonthPoint> = self.material.months.iter().chain([&own]).collect();
        let points = months.iter().map(|month| {
            let usd = unexplained_usd(month);
            Point {
                label: month.period.to_string(),
                shown: usd.map_or_else(|| "–".to_owned(), |usd| self.language.amount(usd)),
                value: usd.map(Amount::units),
            }
        });
        let points: Vec<Point> = points.collect();
        let said: Vec<String> = points
            .iter()
            .map(|p| format!("{} {}", p.label, p.shown))
            .collect();
        let caption = Caption {
            id: "w-months".to_owned(),
            title: self
                .pick(
                    "Unexplained without signs, USD",
                    "Inexpliqué sans signe, USD",
                )
                .to_owned(),
            description: said.join(", "),
        };
        let chart = scrolling(heading, Markup::chart(trend(&caption, &points)));
        let chart = el("div", &[("class", "chart wide")], chart);
        self.part("trend", heading, chart.and(self.grid("months")))
    }

    /// How old exceptions and open rows are.
    pub(super) fn ageing(&self) -> Markup {
        let heading = self.pick("Ageing", "Ancienneté");
        let mut by_age: BTreeMap<AgeBucket, Vec<&Bucket>> = BTreeMap::new();
        for (_, bucket) in self.result.exceptions() {
            by_age.entry(age_of(bucket)).or_default().push(bucket);
        }
        let bar = |age: AgeBucket| {
            let buckets = by_age.get(&age).map_or(&[][..], Vec::as_slice);
            let usd = gross(buckets.iter().copied());
            let shown = usd.map_or_else(|| "–".to_owned(), |usd| self.language.amount(usd));
            Bar {
                label: self.language.age(age).to_owned(),
                shown: format!("{shown}\u{a0}USD ({})", buckets.len()),
                value: usd.map_or(0, Amount::units),
            }
        };
        let all: Vec<Bar> = AGES.into_iter().map(bar).collect();
        let said: Vec<String> = all
            .iter()
            .map(|b| format!("{} {}", b.label, b.shown))
            .collect();
        let caption = Caption {
            id: "w-ages".to_owned(),
            title: self
                .pick(
                    "Unexplained by the age of its only candidate, USD without signs (number of exceptions)",
                    "Inexpliqué par âge de sa seule ligne candidate, USD sans signe (nombre d'exceptions)",
                )
                .to_owned(),
            description: said.join(", "),
        };
        let chart = scrolling(heading, Markup::chart(bars(&caption, &all)));
        let chart = el("div", &[("class", "chart wide")], chart);
        let rows = if self.material.matches.is_empty() {
            self.note(self.pick(
                "No rows were matched for this statement, so that open rows have no ages here.",
                "Aucune ligne n'a été rapprochée pour cet état : les lignes ouvertes n'ont pas d'âge ici.",
            ))
        } else {
            self.grid("ageing").and(self.grid("open_items"))
        };
        let rows = self.grid("line_items").and(rows);
        self.part("ageing", heading, chart.and(rows))
    }
}

/// Where the axis of a waterfall begins: at zero, or near the levels where what lies between them is small beside them and
/// would not be seen.
fn axis_begins(steps: &[Step]) -> i128 {
    let mut level = 0_i128;
    let levels = steps.iter().map(|step| {
        level = match step.kind {
            StepKind::Level => step.value,
            _ => level.saturating_add(step.value),
        };
        level
    });
    let levels: Vec<i128> = levels.collect();
    let low = levels.iter().copied().min().unwrap_or(0);
    let high = levels.iter().copied().max().unwrap_or(0);
    let span = high.saturating_sub(low);
    let room = span.saturating_mul(2);
    match span {
        0 => 0,
        _ if low > room.saturating_mul(2) => low.saturating_sub(room),
        _ if high < room.saturating_mul(2).saturating_neg() => high.saturating_add(room),
        _ => 0,
    }
}

/// What nothing explains in a month, without signs: nothing where it has no exceptions; `None` where none of them has dollars,
/// which is not nothing.
fn unexplained_usd(month: &MonthPoint) -> Option<Amount> {
    let none = (month.exceptions == 0).then(|| Amount::zero(2));
    month.gross_usd.or(none)
}

fn age_of(bucket: &Bucket) -> AgeBucket {
    match bucket.age_months {
        None => AgeBucket::NoDate,
        Some(0) => AgeBucket::BelowOne,
        Some(1..3) => AgeBucket::OneToThree,
        Some(3..6) => AgeBucket::ThreeToSix,
        Some(6..12) => AgeBucket::SixToTwelve,
        Some(12..) => AgeBucket::TwelveAndMore,
    }
}

/// How dark a cell is: by how many thresholds its variance comes to.
fn heat(bucket: &Bucket) -> &'static str {
    let dollars = bucket.variance.zip(bucket.rate);
    let dollars = dollars.and_then(|(amount, rate)| Dollars::of(amount, rate));
    let Some(dollars) = dollars else {
        return if bucket.status == Status::Ok {
            "h0"
        } else {
            "h-open"
        };
    };
    let reached = HEAT.iter().filter(|per_cent| {
        let share = i128::from(**per_cent);
        let units = bucket.threshold.usd.units().saturating_mul(share);
        let scale = bucket.threshold.usd.scale().saturating_add(2);
        Amount::new(units, scale).is_ok_and(|limit| dollars.reaches(limit))
    });
    match reached.count() {
        0 => "h0",
        1 => "h1",
        2 => "h2",
        3 => "h3",
        _ => "h4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::month;

    #[test]
    fn a_month_without_dollars_is_no_month_of_zero() {
        let mut point = MonthPoint::of(&month::clean());
        assert_eq!((point.exceptions, point.gross_usd), (0, None));
        assert_eq!(unexplained_usd(&point), Some(Amount::zero(2)));
        point.exceptions = 3;
        assert_eq!(unexplained_usd(&point), None);
        let planted = MonthPoint::of(&month::planted());
        assert_eq!(unexplained_usd(&planted), planted.gross_usd);
    }

    #[test]
    fn an_axis_begins_near_levels_that_hardly_differ() {
        let begins = |first: i128, change: i128| {
            let step = |value, kind| Step {
                label: String::new(),
                shown: String::new(),
                value,
                kind,
            };
            axis_begins(&[
                step(first, StepKind::Level),
                step(change, StepKind::Unexplained),
                step(first + change, StepKind::Level),
            ])
        };
        assert_eq!(begins(1_000, 10), 980);
        assert_eq!(begins(1_000, -10), 970);
        assert_eq!(begins(-1_000, 10), -970);
        assert_eq!(
            (begins(1_000, 0), begins(100, 50), begins(-5, 10)),
            (0, 0, 0)
        );
        assert_eq!(begins(i128::MAX / 2, -(i128::MAX / 2)), 0);
    }
}
