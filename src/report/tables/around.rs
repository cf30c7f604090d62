//! The tables of page one around its lines: what is not covered, inputs, changes, signatures.

use super::first::First;
use super::{Cell, Kind, Table};
use crate::domain::reconcile::result::Code;
use crate::report::compared::compared;

impl First<'_> {
    pub(super) fn not_covered(&self) -> Table {
        let c = self.columns;
        let columns = vec![
            c.company(),
            c.gl(),
            c.text("item", "Item", "Élément"),
            c.of(
                Kind::Amount,
                "balance",
                "Balance LCY",
                "Solde devise locale",
            ),
            c.text(
                "why",
                "Why no line compares it",
                "Pourquoi aucune ligne ne le compare",
            ),
        ];
        let title = ["Not covered", "Non couvert"];
        let mut table = self.table("not_covered", title, columns);
        let left = self.statement.result.not_covered.iter();
        table.rows = left
            .map(|left| {
                let item = left.item.as_ref().map(|item| item.as_str());
                let (company, gl) = (&left.company, &left.gl);
                vec![
                    company.into(),
                    gl.into(),
                    item.into(),
                    left.balance.into(),
                    (&left.why).into(),
                ]
            })
            .collect();
        table
    }

    pub(super) fn assumptions(&self) -> Table {
        let c = self.columns;
        let columns = vec![c.line(), c.text("assumption", "Assumption", "Hypothèse")];
        let title = [
            "Assumptions that finance has not confirmed",
            "Hypothèses non confirmées par la finance",
        ];
        let mut table = self.table("assumptions", title, columns);
        let open = self.statement.result.unconfirmed.iter();
        table.rows = open
            .map(|(line, text)| vec![line.into(), text.into()])
            .collect();
        table
    }

    pub(super) fn accepted(&self) -> Table {
        let c = self.columns;
        let columns = vec![
            c.text("check", "Check", "Vérification"),
            c.text("reason", "Reason", "Motif"),
            c.text("approver", "Approver", "Approbateur"),
        ];
        let title = ["Accepted checks", "Vérifications acceptées"];
        let mut table = self.table("accepted_checks", title, columns);
        let accepted = self.statement.accepted.iter();
        table.rows = accepted
            .map(|a| vec![(&a.check).into(), (&a.reason).into(), (&a.approver).into()])
            .collect();
        table
    }

    pub(super) fn inputs(&self) -> Table {
        let c = self.columns;
        let columns = vec![
            c.text("item", "Item", "Élément"),
            c.text("title", "Title", "Intitulé"),
            c.text("status", "Status", "Statut"),
            c.count("rows", "Rows", "Lignes"),
            c.text("compared", "Compared on", "Comparé sur"),
            c.of(
                Kind::Amount,
                "compared_usd",
                "What is compared USD",
                "Ce qui est comparé USD",
            ),
            c.count(
                "compared_without_rate",
                "Balances without a rate, in no USD",
                "Soldes sans cours, dans aucun USD",
            ),
            c.moment(
                "refreshed_at",
                "Refreshed at (as stored)",
                "Rafraîchi le (tel que stocké)",
            ),
            c.text("transfer", "Transfer", "Transfert"),
            c.text("population", "Population", "Population"),
            c.text("accuracy_positive", "Accuracy +", "Exactitude +"),
            c.text("accuracy_negative", "Accuracy −", "Exactitude −"),
            c.text("all_checks", "All checks", "Toutes"),
            c.text("digest", "Digest", "Empreinte"),
            c.text("run_id", "Run", "Exécution"),
            c.text("manifest_sha256", "Manifest", "Manifeste"),
        ];
        let mut table = self.table("inputs", ["Inputs", "Entrées"], columns);
        let verdict = |verdict| Cell::from(self.language.verdict(verdict));
        let inputs = self.statement.inputs.iter();
        let all = self
            .language
            .pick("actual of all lines", "réel de toutes les lignes");
        table.rows = inputs
            .map(|input| {
                let compared = compared(&self.statement.result, &input.item);
                vec![
                    input.item.as_str().into(),
                    (&input.title).into(),
                    input.status.map(|status| status.word()).into(),
                    input.rows.into(),
                    compared.map(|of| of.line.unwrap_or(all)).into(),
                    compared.map(|of| of.usd).into(),
                    compared.map(|of| of.without_rate).into(),
                    input.refreshed_at.into(),
                    verdict(input.verdicts.transfer),
                    verdict(input.verdicts.population),
                    verdict(input.verdicts.accuracy_positive),
                    verdict(input.verdicts.accuracy_negative),
                    verdict(input.verdicts.all),
                    input.digest.as_ref().into(),
                    input.run_id.as_ref().map(|run| run.as_str()).into(),
                    input.manifest_sha256.as_ref().into(),
                ]
            })
            .collect();
        table
    }

    /// What is not as it was: changes of rules and program, late postings and new values of the scope.
    pub(super) fn changes(&self) -> Table {
        let c = self.columns;
        let columns = vec![
            c.text("what", "What", "Quoi"),
            c.text("before", "Before", "Avant"),
            c.text("now", "Now", "Maintenant"),
        ];
        let title = ["Since an earlier month", "Depuis un mois antérieur"];
        let mut table = self.table("since_last_month", title, columns);
        let findings = self.statement.result.findings.iter();
        let of_month = findings.filter(|f| matches!(f.code, Code::LatePosting | Code::Scope));
        let of = self.language;
        let compared = of.pick("compared with", "comparé à");
        let last = self.material.last_month();
        table.rows.push(match (&self.statement.since, last) {
            (Some(since), _) => {
                let month = format!("{}, {}", since.period, of.since_run(since));
                vec![compared.into(), month.into(), Cell::None]
            }
            (None, Some(last)) => vec![compared.into(), last.to_string().into(), Cell::None],
            (None, None) => vec![compared.into(), Cell::None, of.no_earlier_month().into()],
        });
        table.rows.extend(of_month.map(|found| {
            let what = format!("{} {}", found.code.word(), found.place);
            vec![what.into(), Cell::None, (&found.what).into()]
        }));
        let changes = self.statement.changes.iter();
        table.rows.extend(changes.map(|change| {
            let (before, now) = (change.before.as_ref(), change.now.as_ref());
            vec![(&change.what).into(), before.into(), now.into()]
        }));
        table
    }

    pub(super) fn sign_offs(&self) -> Table {
        let c = self.columns;
        let columns = vec![
            c.text("role", "Role", "Rôle"),
            c.text("by", "By", "Par"),
            c.moment("at", "At (UTC)", "Le (UTC)"),
            c.text("fingerprint", "Fingerprint", "Empreinte"),
            c.text("comment", "Comment", "Commentaire"),
        ];
        let mut table = self.table("sign_offs", ["Sign-offs", "Signatures"], columns);
        let signed = self.statement.sign_offs.iter();
        table.rows = signed
            .map(|signed| {
                vec![
                    self.language.role(signed.role).into(),
                    (&signed.by).into(),
                    signed.at.naive_utc().into(),
                    (&signed.fingerprint).into(),
                    (&signed.comment).into(),
                ]
            })
            .collect();
        table
    }
}
