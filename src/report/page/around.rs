//! Page one, 5 to 8: what is not covered, the inputs, what changed since last month, and who signed.

use super::View;
use super::html::{Grid, Markup, Row, el, english, head, link, number};
use super::lines::clipped;
use crate::domain::check::Verdict;
use crate::domain::reconcile::result::{Code, ReconcileFinding};
use crate::domain::reconcile::statement::{Input, Role, SignOff};
use crate::report::compared::compared;
use crate::report::material::count;
use crate::report::vocabulary::{verdict_class, verdict_mark};

impl View<'_> {
    /// Entries one after the other, as many as there is room for, and how many more there are.
    fn run_on(&self, label: &str, id: &str, entries: Vec<Markup>) -> Markup {
        let more = entries.len().saturating_sub(self.room.listed);
        let label = el("strong", &[], label).and(self.pick(": ", "\u{a0}: "));
        if entries.is_empty() {
            let none = self.pick("none.", "néant.");
            return el("p", &[("class", "run")], label.and(none));
        }
        let mut shown: Vec<Markup> = entries.into_iter().take(self.room.listed).collect();
        if more > 0 {
            let words = self.pick("more", "autres");
            shown.push(link(
                id,
                format!("+ {} {words}", self.language.count(count(more))),
            ));
        }
        let entries = Markup::joined(shown, " <span class=\"dot\">·</span> ");
        el("p", &[("class", "run")], label.and(entries))
    }

    /// Balances that no line compares, assumptions, accepted checks, pinned thresholds and rates that are not there.
    pub(super) fn not_covered(&self) -> Markup {
        let balances = self.result.not_covered.iter().map(|left| {
            let item = left.item.as_ref().map_or("", |item| item.as_str());
            let place = format!("{} {item} {}", left.company, left.gl);
            let place: Vec<&str> = place.split_whitespace().collect();
            let amount = self.money(Some(left.balance), self.pick("LCY", "devise locale"));
            el("b", &[], place.join(" "))
                .and(" ")
                .and(link("not-covered", amount))
                .and(" (")
                .and(english(&clipped(&left.why, self.room.chars)))
                .and(")")
        });
        let assumptions = self.result.unconfirmed.iter().map(|(line, text)| {
            el("b", &[], line)
                .and(" ")
                .and(english(&clipped(text, self.room.chars)))
        });
        let accepted = self.statement.accepted.iter().map(|accepted| {
            let said = format!(
                "{} ({})",
                clipped(&accepted.reason, self.room.chars),
                accepted.approver
            );
            el("b", &[], &accepted.check).and(" ").and(said)
        });
        let rates = self
            .result
            .findings
            .iter()
            .filter(|found| is_of_rates(found.code));
        let rates = rates.map(|found| self.finding(found));
        let inner = el("h2", &[], self.pick("Not covered", "Non couvert"))
            .and(self.run_on(
                self.pick("Balances", "Soldes"),
                "not-covered",
                balances.collect(),
            ))
            .and(self.run_on(self.pick("Rates", "Cours"), "findings", rates.collect()))
            .and(self.run_on(
                self.pick("Accepted checks", "Vérifications acceptées"),
                "accepted",
                accepted.collect(),
            ))
            .and(self.pinned())
            .and(self.run_on(
                self.pick(
                    "Assumptions not confirmed by finance",
                    "Hypothèses non confirmées par la finance",
                ),
                "assumptions",
                assumptions.collect(),
            ));
        el("div", &[("id", "uncovered")], inner)
    }

    /// Versions of thresholds that somebody named; nothing where nobody did.
    fn pinned(&self) -> Markup {
        let pins = &self.statement.pins;
        if pins.is_empty() {
            return Markup::none();
        }
        let pins = pins.iter();
        let named: Vec<String> = pins
            .map(|(of, version)| format!("{of} v{version}"))
            .collect();
        let label = self.pick("Pinned thresholds", "Seuils figés");
        let label = el("strong", &[], label).and(self.pick(": ", "\u{a0}: "));
        el("p", &[("class", "run")], label.and(named.join(", ")))
    }

    fn finding(&self, found: &ReconcileFinding) -> Markup {
        el("b", &[], format!("{} {}", found.code.word(), found.place))
            .and(" ")
            .and(english(&clipped(&found.what, self.room.chars)))
    }

    /// What was read, and what its checks say.
    pub(super) fn inputs(&self) -> Markup {
        let label = self.pick(
            "Inputs; totals are USD with Dr or Cr, else all currencies together",
            "Entrées ; totaux en USD avec D ou C, sinon toutes devises confondues",
        );
        let inputs = &self.statement.inputs;
        if inputs.is_empty() {
            return el(
                "div",
                &[("id", "in")],
                el("h2", &[], label).and(self.none()),
            );
        }
        let grid = Grid {
            class: "dense",
            caption: label.into(),
            heads: vec![
                head(self.pick("Item", "Élément")),
                number(self.pick("Rows", "Lignes")),
                number("Total"),
                head(self.pick("Refreshed at", "Rafraîchi le")),
                head(self.pick("Transfer", "Transfert")),
                head("Population"),
                head(self.pick("Accuracy +", "Exactitude +")),
                head(self.pick("Accuracy −", "Exactitude −")),
                head(self.pick("Digest", "Empreinte")),
            ],
            rows: inputs.iter().map(|input| self.input(input)).collect(),
        };
        el("div", &[("id", "in")], grid.markup(label))
    }

    fn input(&self, input: &Input) -> Row {
        let rows = match (input.run_id.is_some(), input.rows) {
            (false, _) => self.pick("not run", "non exécuté").to_owned(),
            (true, Some(rows)) => self.language.count(rows),
            (true, None) => "–".to_owned(),
        };
        let refreshed = input.refreshed_at;
        let refreshed = refreshed.map(|at| at.format("%Y-%m-%d %H:%M").to_string());
        let verdicts = &input.verdicts;
        let digest = input.digest.as_deref().unwrap_or("–");
        let cells = vec![
            link("inputs", el("strong", &[], input.item.as_str())),
            link("inputs", rows),
            self.total(input),
            refreshed.unwrap_or_else(|| "–".to_owned()).into(),
            self.verdict(verdicts.transfer),
            self.verdict(verdicts.population),
            self.verdict(verdicts.accuracy_positive),
            self.verdict(verdicts.accuracy_negative),
            el("code", &[], digest.chars().take(8).collect::<String>()),
        ];
        cells.into()
    }

    /// What its line compares of it, in dollars; else the control total of its first column, in which there is no one currency.
    fn total(&self, input: &Input) -> Markup {
        let dim = |text: String| el("span", &[("class", "dim")], text);
        if let Some(compared) = compared(self.result, &input.item) {
            let line = compared.line.unwrap_or(self.pick("actual", "réel"));
            let usd = self.money(Some(compared.usd), "USD");
            let without = match compared.without_rate {
                0 => String::new(),
                some => format!(
                    " (+{} {})",
                    self.language.count(some),
                    self.pick("no rate", "sans cours")
                ),
            };
            return dim(format!("{line} ")).and(usd).and(without);
        }
        let Some((column, total)) = input.totals.iter().next() else {
            return "–".into();
        };
        let more = match input.totals.len().saturating_sub(1) {
            0 => String::new(),
            more => format!(" (+{more})"),
        };
        let column = dim(format!("{column} "));
        column.and(format!("{}{more}", self.language.amount(*total)))
    }

    /// The word of a verdict with its mark and colour.
    pub(super) fn verdict(&self, verdict: Verdict) -> Markup {
        let mark = el("span", &[("aria-hidden", "true")], verdict_mark(verdict));
        let word = mark.and("\u{a0}").and(self.language.verdict(verdict));
        let class = format!("word-only {}", verdict_class(verdict));
        el("span", &[("class", &class)], word)
    }

    /// Late postings, new values of the scope, and what is judged otherwise than last month.
    pub(super) fn since(&self) -> Markup {
        let of = |code: Code| {
            let findings = self.result.findings.iter();
            let findings = findings.filter(move |found| found.code == code);
            findings
                .map(|found| self.finding(found))
                .collect::<Vec<_>>()
        };
        let changes = self.statement.changes.iter().map(|change| {
            let short = |text: &Option<String>| {
                let text = text.as_deref().unwrap_or("–");
                clipped(text, 24)
            };
            let moved = format!(" {} → {}", short(&change.before), short(&change.now));
            el("b", &[], &change.what).and(moved)
        });
        let since = self.statement.since.as_ref();
        let mut changes: Vec<Markup> = changes.collect();
        if since.is_none() && self.material.last_month().is_none() && changes.is_empty() {
            changes.push(self.language.no_earlier_month().into());
        }
        let changed = self.pick("Changes", "Changements");
        let changed = since.map_or_else(
            || changed.to_owned(),
            |since| {
                let (of, run) = (since.period, self.language.since_run(since));
                format!("{changed}, {} {of} ({run})", self.pick("since", "depuis"))
            },
        );
        let last = self.result.period.previous().ok();
        let earlier = since.filter(|since| Some(since.period) != last);
        let heading = earlier.map_or_else(
            || {
                self.pick("Since last month", "Depuis le mois dernier")
                    .to_owned()
            },
            |since| format!("{} {}", self.pick("Since", "Depuis"), since.period),
        );
        let inner = el("h2", &[], heading)
            .and(self.run_on(
                self.pick("Late postings", "Écritures tardives"),
                "findings",
                of(Code::LatePosting),
            ))
            .and(self.run_on(
                self.pick("New scope values", "Nouvelles valeurs du périmètre"),
                "findings",
                of(Code::Scope),
            ))
            .and(self.run_on(&changed, "since-last-month", changes));
        el("div", &[("id", "since")], inner)
    }

    /// Who prepared, reviewed and approved it, when, and the fingerprint that they signed.
    pub(super) fn signatures(&self) -> Markup {
        let mut rows = Vec::new();
        for role in [Role::Prepared, Role::Reviewed, Role::Approved] {
            let signed = self.statement.sign_offs.iter();
            // The last word of a role stands here; all stand further down.
            match signed.rev().find(|signed| signed.role == role) {
                Some(signed) => rows.push(self.signed(signed)),
                None => rows.push(self.unsigned(role)),
            }
        }
        let label = self.pick("Prepared, reviewed, approved", "Préparé, revu, approuvé");
        let of_run = format!(
            "{}: {} {:.16}",
            label,
            self.pick("fingerprint of this run", "empreinte de cette exécution"),
            self.fingerprint
        );
        let grid = Grid {
            class: "dense",
            caption: of_run.into(),
            heads: vec![
                head(self.pick("Role", "Rôle")),
                head(self.pick("Identity", "Identité")),
                head(self.pick("Time (UTC)", "Heure (UTC)")),
                head(self.pick("Fingerprint signed", "Empreinte signée")),
            ],
            rows,
        };
        el("div", &[("id", "signatures")], grid.markup(label))
    }

    fn signed(&self, signed: &SignOff) -> Row {
        let is_own = signed.fingerprint == self.fingerprint;
        let short: String = signed.fingerprint.chars().take(16).collect();
        let word = if is_own {
            self.pick("this run", "cette exécution")
        } else {
            self.pick("ANOTHER RUN", "AUTRE EXÉCUTION")
        };
        let class = if is_own {
            "word-only s-ok"
        } else {
            "word-only s-inv"
        };
        let cells = vec![
            self.language.role(signed.role).into(),
            Markup::from(&signed.by),
            signed.at.format("%Y-%m-%d %H:%M").to_string().into(),
            el("code", &[], short)
                .and(" ")
                .and(el("span", &[("class", class)], word)),
        ];
        cells.into()
    }

    fn unsigned(&self, role: Role) -> Row {
        let not_yet = self.pick("not signed", "non signé");
        let cells = vec![
            self.language.role(role).into(),
            el("span", &[("class", "dim")], not_yet),
            "–".into(),
            "–".into(),
        ];
        cells.into()
    }
}

/// Whether a finding is about a closing rate.
fn is_of_rates(code: Code) -> bool {
    code.word().starts_with("FX_")
}

#[cfg(test)]
mod tests {
    use crate::domain::reconcile::statement::Statement;
    use crate::report::material::Material;
    use crate::report::month;
    use crate::report::page::page;
    use crate::report::words::Language::{self, English, French};

    /// Page one of a month.
    fn first(statement: &Statement, language: Language) -> String {
        let page = page(Material::of(statement), language).unwrap();
        let (_, rest) = page.split_once(r#" id="page-one""#).unwrap();
        rest.split_once("</section>").unwrap().0.to_owned()
    }

    #[test]
    fn pinned_thresholds_are_named_where_somebody_named_them() {
        let mut statement = month::clean();
        let before = statement.fingerprint().unwrap();
        assert!(!first(&statement, English).contains("Pinned thresholds"));
        assert!(!first(&statement, French).contains("Seuils figés"));
        statement.pins = [("EG".to_owned(), 1), ("DEFAULT".to_owned(), 2)].into();
        assert_ne!(statement.fingerprint().unwrap(), before, "it is signed");
        let named = "Pinned thresholds</strong>: DEFAULT v2, EG v1</p>";
        assert!(first(&statement, English).contains(named));
        assert!(first(&statement, French).contains("Seuils figés</strong>"));
    }

    #[test]
    fn a_total_says_how_many_balances_have_no_rate() {
        let statement = month::planted();
        assert!(first(&statement, English).contains(" no rate)"));
        assert!(first(&statement, French).contains(" sans cours)"));
        let tied = first(&month::clean(), English);
        assert!(!tied.contains(" no rate)"), "all of them have one");
    }
}
