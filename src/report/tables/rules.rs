//! The tables behind page one: checks, findings, rates and what was judged by.

use super::behind::Behind;
use super::{Kind, Table};
use crate::domain::amount::Amount;
use crate::domain::reconcile::fx::Rate;
use crate::report::material::MonthPoint;

impl Behind<'_> {
    pub(super) fn zero_checks(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("check", "Check", "Vérification"),
            c.text("title", "What must come to nothing", "Ce qui doit être nul"),
            c.text("verdict", "Verdict", "Verdict"),
            c.text("what", "What was counted", "Ce qui a été compté"),
        ];
        let title = ["Zero checks", "Vérifications à zéro"];
        let mut table = self.table("zero_checks", title, columns);
        let checks = self.statement.zero_checks.iter();
        table.rows = checks
            .map(|check| {
                let verdict = self.language.verdict(check.verdict);
                let (id, title) = (&check.id, &check.title);
                vec![
                    id.into(),
                    title.into(),
                    verdict.into(),
                    (&check.what).into(),
                ]
            })
            .collect();
        table
    }

    pub(super) fn zero_differences(&self) -> Table {
        let c = self.c;
        let amount = |name, english, french| c.of(Kind::Amount, name, english, french);
        let columns = vec![
            c.text("check", "Check", "Vérification"),
            c.company(),
            c.gl(),
            amount("expected", "Expected LCY", "Attendu devise locale"),
            amount("found", "Found LCY", "Trouvé devise locale"),
            amount("difference", "Difference LCY", "Différence devise locale"),
        ];
        let title = ["Where zero checks differ", "Où les vérifications diffèrent"];
        let mut table = self.table("zero_differences", title, columns);
        for check in &self.statement.zero_checks {
            table.rows.extend(check.differences.iter().map(|one| {
                let (company, gl) = (&one.company, &one.gl);
                vec![
                    (&check.id).into(),
                    company.into(),
                    gl.into(),
                    one.expected.into(),
                    one.found.into(),
                    one.difference.into(),
                ]
            }));
        }
        table
    }

    pub(super) fn findings(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("code", "Code", "Code"),
            c.text("place", "Where", "Où"),
            c.text("what", "What was found", "Ce qui a été trouvé"),
        ];
        let mut table = self.table("findings", ["Findings", "Constats"], columns);
        let found = self.result.findings.iter();
        table.rows = found
            .map(|f| vec![f.code.word().into(), (&f.place).into(), (&f.what).into()])
            .collect();
        table
    }

    pub(super) fn residuals(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.company(),
            c.number(
                "gross_usd",
                "Residuals without signs USD",
                "Résidus sans signe USD",
            ),
            c.number(
                "materiality_usd",
                "Materiality USD",
                "Seuil de matérialité USD",
            ),
            c.text("reached", "Reached", "Atteint"),
            c.text("rule", "Rule", "Règle"),
        ];
        let title = ["Residuals below thresholds", "Résidus sous les seuils"];
        let mut table = self.table("residuals", title, columns);
        let residuals = self.result.residuals.iter();
        table.rows = residuals
            .map(|residual| {
                vec![
                    (&residual.company).into(),
                    residual.gross_usd.into(),
                    residual.materiality.usd.into(),
                    self.language.yes_no(residual.is_reached).into(),
                    (&residual.materiality.rule).into(),
                ]
            })
            .collect();
        table
    }

    pub(super) fn rates(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.company(),
            c.text("state", "State", "État"),
            c.number("rate", "LCY per USD", "Devise locale par USD"),
            c.text("problem", "Problem", "Problème"),
        ];
        let title = ["Closing rates", "Cours de clôture"];
        let mut table = self.table("rates", title, columns);
        let rates = self.result.rates.iter();
        table.rows = rates
            .map(|(company, rate)| {
                let problem = rate.problem().map(|(_, what)| what);
                let state = self.language.rate(rate);
                vec![
                    company.into(),
                    state.into(),
                    rate_of(rate).into(),
                    problem.into(),
                ]
            })
            .collect();
        table
    }

    /// Each rule by which a threshold was chosen, once.
    pub(super) fn thresholds(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("rule", "Rule", "Règle"),
            c.text("source", "Contract", "Contrat"),
            c.count("version", "Version", "Version"),
            c.number("usd", "Threshold USD", "Seuil USD"),
            c.text("sha256", "SHA-256", "SHA-256"),
        ];
        let title = ["Thresholds that applied", "Seuils appliqués"];
        let mut table = self.table("thresholds", title, columns);
        let materiality = self.result.residuals.iter().map(|r| &r.materiality);
        let of_buckets = self
            .all()
            .flat_map(|(_, bucket)| [Some(&bucket.threshold), bucket.line_item.as_ref()]);
        let used = of_buckets.flatten().chain(materiality);
        for threshold in used {
            let row = vec![
                (&threshold.rule).into(),
                (&threshold.source).into(),
                u64::from(threshold.version).into(),
                threshold.usd.into(),
                (&threshold.sha256).into(),
            ];
            if !table.rows.contains(&row) {
                table.rows.push(row);
            }
        }
        table
    }

    /// Sums over all companies, as the source signs them.
    pub(super) fn input_totals(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("item", "Item", "Élément"),
            c.text("column", "Column", "Colonne"),
            c.number("total", "Total, source sign", "Total, signe de la source"),
        ];
        let title = [
            "Totals of the inputs, all currencies together",
            "Totaux des entrées, toutes devises confondues",
        ];
        let mut table = self.table("input_totals", title, columns);
        for input in &self.statement.inputs {
            let totals = input.totals.iter();
            table.rows.extend(totals.map(|(column, total)| {
                vec![input.item.as_str().into(), column.into(), (*total).into()]
            }));
        }
        table
    }

    pub(super) fn dispositions(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.line(),
            c.company(),
            c.gl(),
            c.of(
                Kind::Amount,
                "unexplained",
                "Said of LCY",
                "Dit de devise locale",
            ),
            c.text("decision", "Disposition", "Décision"),
            c.text("text", "Reason", "Motif"),
            c.text("by", "By", "Par"),
            c.moment("at", "At (UTC)", "Le (UTC)"),
        ];
        let title = ["Dispositions, all that were said", "Décisions, toutes"];
        let mut table = self.table("dispositions", title, columns);
        let said = self.statement.dispositions.iter();
        table.rows = said
            .map(|said| {
                vec![
                    (&said.line).into(),
                    (&said.company).into(),
                    said.gl.as_ref().into(),
                    said.unexplained.into(),
                    self.language.decision(said.decision).into(),
                    (&said.text).into(),
                    (&said.by).into(),
                    said.at.naive_utc().into(),
                ]
            })
            .collect();
        table
    }

    pub(super) fn months(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.text("month", "Month", "Mois"),
            c.count("final_number", "Final no.", "Définitif n°"),
            c.text("result", "Result", "Résultat"),
            c.count("exceptions", "Exceptions", "Exceptions"),
            c.number(
                "gross_usd",
                "Unexplained without signs USD",
                "Inexpliqué sans signe USD",
            ),
        ];
        let mut table = self.table("months", ["Months", "Mois"], columns);
        let own = MonthPoint::of(self.statement);
        let months = self.material.months.iter().chain([&own]);
        table.rows = months
            .map(|month| {
                vec![
                    month.period.to_string().into(),
                    month.number.map(u64::from).into(),
                    month.result.word().into(),
                    month.exceptions.into(),
                    month.gross_usd.into(),
                ]
            })
            .collect();
        table
    }
}

/// The rate, and of one that is no rate the number that was there.
fn rate_of(rate: &Rate) -> Option<Amount> {
    match rate {
        Rate::One(rate) | Rate::NotPositive(rate) | Rate::Unfit(rate) => Some(*rate),
        Rate::Missing | Rate::Ambiguous(_) => None,
    }
}
