//! The tables of page one, in its order: the control, its lines and exceptions.

use std::collections::BTreeSet;

use super::{Adds, Cell, Column, Columns, Kind, Table};
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult};
use crate::domain::reconcile::statement::{MonthState, Statement};
use crate::report::material::{Material, candidates};
use crate::report::words::Language;

/// Tables 1 to 8 of page one.
pub(super) fn tables(material: Material<'_>, language: Language, fingerprint: &str) -> Vec<Table> {
    let make = First {
        material,
        statement: material.statement,
        language,
        columns: Columns(language),
    };
    vec![
        make.control(fingerprint),
        make.lines(),
        make.exceptions(),
        make.not_covered(),
        make.assumptions(),
        make.accepted(),
        make.inputs(),
        make.changes(),
        make.sign_offs(),
    ]
}

/// Makes the tables of page one.
pub(super) struct First<'a> {
    pub(super) material: Material<'a>,
    pub(super) statement: &'a Statement,
    pub(super) language: Language,
    pub(super) columns: Columns,
}

impl First<'_> {
    pub(super) fn table(
        &self,
        name: &'static str,
        title: [&'static str; 2],
        columns: Vec<Column>,
    ) -> Table {
        let [english, french] = title;
        Table::new(name, self.language.pick(english, french), columns)
    }

    /// What the statement is, in pairs of name and value.
    fn control(&self, fingerprint: &str) -> Table {
        let (statement, of) = (self.statement, self.language);
        let (result, program) = (&statement.result, &statement.program);
        let columns = vec![
            self.columns.text("field", "Field", "Champ"),
            self.columns.text("value", "Value", "Valeur"),
        ];
        let mut table = self.table("control", ["Control", "Contrôle"], columns);
        let stamps: Vec<&str> = statement.stamps.iter().map(|s| of.stamp(*s)).collect();
        let supersedes = match &statement.state {
            MonthState::Final { supersedes, .. } => supersedes.as_ref().map(ToString::to_string),
            MonthState::Preliminary => None,
        };
        let pairs = [
            ("control", format!("{} {}", result.control, result.title)),
            ("period", result.period.to_string()),
            ("cutoff", result.period.cutoff().to_string()),
            ("state", of.state(&statement.state)),
            ("supersedes", supersedes.unwrap_or_default()),
            ("result", statement.control_result().word().to_owned()),
            ("not_control_evidence", stamps.join("; ")),
            ("run_id", statement.run_id.to_string()),
            ("fingerprint", fingerprint.to_owned()),
            ("contract", format!("v{}", result.contract_version)),
            ("contract_sha256", result.contract_sha256.clone()),
            ("program", program.version.clone()),
            ("commit", program.commit.clone()),
            ("dirty", of.yes_no(program.dirty).to_owned()),
            ("binary_sha256", program.binary_sha256.clone()),
        ];
        let rows = pairs.into_iter();
        table.rows = rows
            .map(|(name, value)| vec![name.into(), value.into()])
            .collect();
        table
    }

    fn lines(&self) -> Table {
        let c = self.columns;
        let lines = &self.statement.result.lines;
        let bridges = lines.iter().flat_map(|line| line.dollars.bridges.keys());
        let bridges: BTreeSet<&String> = bridges.collect();
        let mut columns = vec![
            c.line(),
            c.text("title", "Title", "Intitulé"),
            c.text("accounts", "Accounts", "Comptes"),
            c.text("items", "Items", "Éléments"),
            c.text("memo", "Memo only", "Pour mémoire"),
            c.dollars("actual_usd", "Actual USD", "Réel USD"),
            c.dollars("target_usd", "Target USD", "Cible USD"),
            c.dollars("variance_usd", "Variance USD", "Écart USD"),
        ];
        columns.extend(bridges.iter().map(|bridge| {
            let name = format!("bridge_{}_usd", bridge.to_lowercase());
            let label = c.0.pick("Explained by", "Expliqué par");
            let label = format!("{label} {bridge} USD");
            Column::new(name, label, Kind::Amount).adds(Adds::All)
        }));
        columns.extend([
            c.dollars("unexplained_usd", "Unexplained USD", "Inexpliqué USD"),
            c.number(
                "threshold_usd_min",
                "Lowest threshold USD",
                "Seuil le plus bas USD",
            ),
            c.number(
                "threshold_usd_max",
                "Highest threshold USD",
                "Seuil le plus haut USD",
            ),
            c.text("status", "Status", "Statut"),
            c.text("affected", "Companies affected", "Sociétés touchées"),
            c.text("owner", "Owner", "Responsable"),
            c.count("without_rate", "Without a rate", "Sans cours"),
            c.count("unknown", "In no sum", "Dans aucune somme"),
        ]);
        let mut table = self.table("lines", ["Lines", "Lignes"], columns);
        table.rows = lines
            .iter()
            .map(|line| line_row(line, &bridges, c.0))
            .collect();
        table
    }

    fn exceptions(&self) -> Table {
        let c = self.columns;
        let mut columns = c.place();
        columns.extend([
            c.text("status", "Status", "Statut"),
            c.local("unexplained", "Unexplained LCY", "Inexpliqué devise locale"),
            c.dollars("unexplained_usd", "Unexplained USD", "Inexpliqué USD"),
            c.age(),
            c.text("owner", "Owner", "Responsable"),
            c.text("decision", "Disposition", "Décision"),
            c.text("decision_text", "Reason", "Motif"),
            c.text("decided_by", "By", "Par"),
            c.moment("decided_at", "At (UTC)", "Le (UTC)"),
            c.text("sides", "Sides", "Côtés"),
            c.text("reasons", "Why not concluded", "Pourquoi non conclu"),
            c.text("offset_by", "Offset by account", "Compensé par le compte"),
            c.text(
                "offset_companies",
                "Offset by company",
                "Compensé par la société",
            ),
            c.count("candidates", "Candidates", "Lignes candidates"),
        ]);
        let mut table = self.table("exceptions", ["Exceptions", "Exceptions"], columns);
        let found = self.statement.result.exceptions().into_iter();
        table.rows = found
            .map(|(line, bucket)| self.exception(line, bucket))
            .collect();
        table
    }

    fn exception(&self, line: &LineResult, bucket: &Bucket) -> Vec<Cell> {
        let said = self.statement.disposition(&line.id, bucket);
        let mut row = place(line, bucket);
        row.extend([
            bucket.status.word().into(),
            bucket.unexplained.into(),
            bucket.unexplained_usd.into(),
            bucket.age_months.map(u64::from).into(),
            line.owner.as_ref().into(),
            said.map(|said| self.language.decision(said.decision))
                .into(),
            said.map(|said| &said.text).into(),
            said.map(|said| &said.by).into(),
            said.map(|said| said.at.naive_utc()).into(),
            self.language.sides(bucket.sides).into(),
            bucket.reasons.join("; ").into(),
            bucket.offset_by.join(", ").into(),
            bucket.offset_companies.join(", ").into(),
            candidates(bucket).into(),
        ]);
        row
    }
}

fn line_row(line: &LineResult, bridges: &BTreeSet<&String>, language: Language) -> Vec<Cell> {
    let items: Vec<&str> = line.items.iter().map(|item| item.as_str()).collect();
    let of = &line.dollars;
    let thresholds = thresholds(line);
    let mut row: Vec<Cell> = vec![
        (&line.id).into(),
        (&line.title).into(),
        line.gls.join(", ").into(),
        items.join(", ").into(),
        language.yes_no(line.memo).into(),
        of.actual.into(),
        of.target.into(),
        of.variance.into(),
    ];
    let amount = |bridge: &&String| Cell::from(of.bridges.get(*bridge).copied());
    row.extend(bridges.iter().map(amount));
    let affected: Vec<&str> = line.affected().into_iter().collect();
    row.extend([
        of.unexplained.into(),
        thresholds.map(|(low, _)| low).into(),
        thresholds.map(|(_, high)| high).into(),
        line.status.word().into(),
        affected.join(", ").into(),
        line.owner.as_ref().into(),
        of.without_rate.into(),
        of.unknown.into(),
    ]);
    row
}

/// Line, company, account and currency of a bucket.
pub(super) fn place(line: &LineResult, bucket: &Bucket) -> Vec<Cell> {
    vec![
        (&line.id).into(),
        (&bucket.company).into(),
        bucket.gl.as_ref().into(),
        (&bucket.currency).into(),
    ]
}

/// The lowest and the highest threshold that a line is judged by.
pub(in crate::report) fn thresholds(line: &LineResult) -> Option<(Amount, Amount)> {
    let all = || line.buckets.iter().map(|bucket| bucket.threshold.usd);
    let size = |amount: &Amount| {
        let scaled = amount.rescale(20);
        scaled.map_or(i128::MAX, Amount::units)
    };
    let low = all().min_by_key(size)?;
    let high = all().max_by_key(size)?;
    Some((low, high))
}
