//! The tables behind page one: balances, what they are made of, and how old their open rows are.

use super::first::place;
use super::{Cell, Column, Columns, Table};
use crate::domain::matching::{ScopeMatch, Side};
use crate::domain::reconcile::result::{Bucket, LineResult, Reconciliation};
use crate::domain::reconcile::statement::Statement;
use crate::report::material::Material;
use crate::report::words::Language;

/// Buckets and all that they are made of, then checks, findings, rates and rules, then what bridges and lists consist of.
pub(super) fn tables(material: Material<'_>, language: Language, rows_max: usize) -> Vec<Table> {
    let make = Behind {
        material,
        statement: material.statement,
        result: &material.statement.result,
        language,
        c: Columns(language),
        rows_max,
    };
    vec![
        make.buckets(),
        make.parts(),
        make.bridges(),
        make.candidates(),
        make.ageing(),
        make.line_items(),
        make.open_items(),
        make.zero_checks(),
        make.zero_differences(),
        make.findings(),
        make.residuals(),
        make.rates(),
        make.thresholds(),
        make.input_totals(),
        make.dispositions(),
        make.months(),
        make.drift(),
        make.not_computed(),
        make.timing_by_company(),
        make.timing_vouchers(),
        make.timing_without_jdash(),
        make.jdash_only(),
        make.vtc_by_company(),
        make.vtc_vouchers(),
        make.vtc_carried(),
        make.bridge_doubts(),
        make.posting_groups(),
        make.business_lines(),
        make.labels(),
        make.voucher_flows(),
        make.voucher_categories(),
        make.join_audits(),
    ]
}

/// Makes the tables behind page one.
pub(super) struct Behind<'a> {
    pub(super) material: Material<'a>,
    pub(super) statement: &'a Statement,
    pub(super) result: &'a Reconciliation,
    pub(super) language: Language,
    pub(super) c: Columns,
    /// Rows of a table that has one for each voucher or customer.
    pub(super) rows_max: usize,
}

impl<'a> Behind<'a> {
    pub(super) fn table(
        &self,
        name: &'static str,
        title: [&'static str; 2],
        columns: Vec<Column>,
    ) -> Table {
        let [english, french] = title;
        Table::new(name, self.language.pick(english, french), columns)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'a LineResult, &'a Bucket)> {
        let lines = self.result.lines.iter();
        lines.flat_map(|line| line.buckets.iter().map(move |bucket| (line, bucket)))
    }

    /// Columns of a bucket's place and more.
    pub(super) fn placed(&self, more: impl IntoIterator<Item = Column>) -> Vec<Column> {
        let mut columns = self.c.place();
        columns.extend(more);
        columns
    }

    fn buckets(&self) -> Table {
        let c = self.c;
        let columns = self.placed([
            c.text("memo", "Memo only", "Pour mémoire"),
            c.local("actual", "Actual LCY", "Réel devise locale"),
            c.local("target", "Target LCY", "Cible devise locale"),
            c.count("target_rows", "Target rows", "Lignes de la cible"),
            c.local("variance", "Variance LCY", "Écart devise locale"),
            c.local("unexplained", "Unexplained LCY", "Inexpliqué devise locale"),
            c.number("rate", "LCY per USD", "Devise locale par USD"),
            c.dollars("variance_usd", "Variance USD", "Écart USD"),
            c.dollars("unexplained_usd", "Unexplained USD", "Inexpliqué USD"),
            c.number("threshold_usd", "Threshold USD", "Seuil USD"),
            c.text("threshold_rule", "Threshold rule", "Règle du seuil"),
            c.text("sides", "Sides", "Côtés"),
            c.text("status", "Status", "Statut"),
            c.age(),
            c.text("reasons", "Why not concluded", "Pourquoi non conclu"),
        ]);
        let title = ["All balances compared", "Tous les soldes comparés"];
        let mut table = self.table("buckets", title, columns);
        let row = |(line, bucket): (&LineResult, &Bucket)| {
            let mut row = place(line, bucket);
            row.extend([
                self.language.yes_no(line.memo).into(),
                bucket.actual.into(),
                bucket.target.into(),
                bucket.target_rows.into(),
                bucket.variance.into(),
                bucket.unexplained.into(),
                bucket.rate.into(),
                bucket.variance_usd.into(),
                bucket.unexplained_usd.into(),
                bucket.threshold.usd.into(),
                (&bucket.threshold.rule).into(),
                self.language.sides(bucket.sides).into(),
                bucket.status.word().into(),
                bucket.age_months.map(u64::from).into(),
                bucket.reasons.join("; ").into(),
            ]);
            row
        };
        table.rows = self.all().map(row).collect();
        table
    }

    /// Actual by account and target by item.
    fn parts(&self) -> Table {
        let c = self.c;
        let columns = self.placed([
            c.text("side", "Side", "Côté"),
            c.text("part", "Account or item", "Compte ou élément"),
            c.either("amount", "Amount LCY", "Montant devise locale"),
        ]);
        let title = ["What balances are made of", "Composition des soldes"];
        let mut table = self.table("parts", title, columns);
        for (line, bucket) in self.all() {
            let actual = bucket.by_gl.iter();
            let actual = actual.map(|(gl, amount)| (Side::Actual, gl.as_str(), *amount));
            let target = bucket.by_item.iter();
            let target = target.map(|(item, amount)| (Side::Target, item.as_str(), *amount));
            for (side, part, amount) in actual.chain(target) {
                let mut row = place(line, bucket);
                let side = self.language.side(side);
                row.extend([side.into(), part.into(), amount.into()]);
                table.rows.push(row);
            }
        }
        table
    }

    fn bridges(&self) -> Table {
        let c = self.c;
        let columns = self.placed([
            c.text("memo", "Memo only", "Pour mémoire"),
            c.text("bridge", "Bridge", "Pont"),
            c.local("amount", "Explained LCY", "Expliqué devise locale"),
        ]);
        let mut table = self.table("bridges", ["Bridges", "Ponts"], columns);
        for (line, bucket) in self.all() {
            table
                .rows
                .extend(bucket.bridges.iter().map(|(bridge, amount)| {
                    let mut row = place(line, bucket);
                    let memo = self.language.yes_no(line.memo);
                    row.extend([memo.into(), bridge.into(), (*amount).into()]);
                    row
                }));
        }
        table
    }

    pub(super) fn scopes(&self) -> impl Iterator<Item = (&'a String, &'a ScopeMatch)> {
        let matches = self.material.matches.iter();
        matches.flat_map(|found| found.scopes.iter().map(move |scope| (&found.line, scope)))
    }

    pub(super) fn scope(&self, line: &String, scope: &ScopeMatch) -> Vec<Cell> {
        let buckets = self.all().map(|(_, bucket)| bucket);
        let own = buckets.filter(|bucket| bucket.company == scope.company);
        let currency = own.map(|bucket| &bucket.currency).next();
        let (company, gl) = (&scope.company, &scope.gl);
        vec![line.into(), company.into(), gl.into(), currency.into()]
    }

    fn ageing(&self) -> Table {
        let c = self.c;
        let columns = self.placed([
            c.text("side", "Side", "Côté"),
            c.text("age", "Age", "Âge"),
            c.count("rows", "Open rows", "Lignes ouvertes"),
            c.either("amount", "Amount LCY", "Montant devise locale"),
        ]);
        let title = ["Open rows by age", "Lignes ouvertes par âge"];
        let mut table = self.table("ageing", title, columns);
        for (line, scope) in self.scopes() {
            for side in [Side::Actual, Side::Target] {
                for (age, total) in scope.ageing.of(side) {
                    let mut row = self.scope(line, scope);
                    row.extend([
                        self.language.side(side).into(),
                        self.language.age(*age).into(),
                        total.rows.into(),
                        total.sum.into(),
                    ]);
                    table.rows.push(row);
                }
            }
        }
        table
    }
}
