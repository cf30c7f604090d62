//! The tables of what only needs a look: posting groups, business lines, labels, the voucher account, joins.

use std::collections::BTreeSet;

use super::behind::Behind;
use super::bridges::opposite;
use super::{Cell, Table};
use crate::domain::amount::Amount;
use crate::domain::reconcile::result::{Bucket, LineResult};
use crate::kernels::reconcile::audit::{JoinAudit, SideAudit};
use crate::report::material::{Vouchers, sum};

/// The item whose line is the voucher account.
const VOUCHERS: &str = "IPE_08";
/// Stands for a customer's number, which is personal: the sealed judgement and the staged rows have it.
const MASKED: &str = "(personal)";

impl<'a> Behind<'a> {
    /// B3.
    pub(super) fn posting_groups(&self) -> Table {
        let c = self.c;
        let columns = vec![
            c.company(),
            c.text("customer", "Customer", "Client"),
            c.text("groups", "Posting groups", "Groupes comptables"),
        ];
        let title = [
            "B3 customers of several posting groups",
            "B3 clients de plusieurs groupes comptables",
        ];
        let mut table = self.table("b3_posting_groups", title, columns);
        let found = self.material.explained.posting_groups.unwrap_or_default();
        table.fill(self.rows_max, found.iter(), |found| {
            vec![
                (&found.company).into(),
                masked(&found.customer),
                found.joined().into(),
            ]
        });
        table
    }

    /// B4, one row for each line that would move.
    pub(super) fn business_lines(&self) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.text("customer", "Customer", "Client"),
            c.text("primary", "Largest business line", "Ligne principale"),
            c.either(
                "primary_balance",
                "Its balance LCY",
                "Son solde devise locale",
            ),
            c.text("business_line", "Other business line", "Autre ligne"),
            c.either("balance", "Would move LCY", "À déplacer devise locale"),
            c.count(
                "rows_without_amount",
                "Rows in no sum",
                "Lignes dans aucune somme",
            ),
        ]);
        let title = [
            "B4 customers of several business lines",
            "B4 clients de plusieurs lignes d'activité",
        ];
        let mut table = self.table("b4_business_lines", title, columns);
        for found in self.material.explained.reclass.into_iter().flatten() {
            table.fill(self.rows_max, found.moves.iter(), |(line, balance)| {
                let mut row = of.place(&found.company);
                row.extend([
                    masked(&found.customer),
                    (&found.primary).into(),
                    found.primary_balance.into(),
                    line.into(),
                    (*balance).into(),
                    found.rows_without_amount.into(),
                ]);
                row
            });
        }
        table
    }

    /// B5.
    pub(super) fn labels(&self) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.text("label", "Label", "Libellé"),
            c.count("rows", "Rows", "Lignes"),
            c.count(
                "rows_without_amount",
                "Rows in no sum",
                "Lignes dans aucune somme",
            ),
            self.as_stored(
                "amount",
                "Amount, source sign",
                "Montant, signe de la source",
            ),
        ]);
        let title = [
            "B5 labels of open collections",
            "B5 libellés des encaissements",
        ];
        let mut table = self.table("b5_labels", title, columns);
        let found = self.material.explained.labels.into_iter().flatten();
        table.rows = found
            .map(|found| {
                let mut row = of.place(&found.company);
                row.extend([
                    found.label.as_ref().into(),
                    found.rows.into(),
                    found.rows_without_amount.into(),
                    found.amount.into(),
                ]);
                row
            })
            .collect();
        table
    }

    /// What the postings of the voucher account are, since the year began.
    pub(super) fn voucher_categories(&self) -> Table {
        let (c, of) = (self.c, self.currencies());
        let columns = self.of_company([
            c.text("category", "Category", "Catégorie"),
            c.text("label", "Kind of voucher", "Type de bon"),
            c.text("pair", "The two together", "Les deux ensemble"),
            c.count("rows", "Rows", "Lignes"),
            c.count(
                "rows_without_amount",
                "Rows in no sum",
                "Lignes dans aucune somme",
            ),
            c.local("amount", "Amount LCY", "Montant devise locale"),
        ]);
        let title = [
            "Voucher account by category and kind, year to date",
            "Compte des bons par catégorie et type, année en cours",
        ];
        let mut table = self.table("voucher_categories", title, columns);
        let vouchers = self.material.explained.vouchers.into_iter();
        let cells = vouchers.flat_map(|vouchers| &vouchers.pivot.cells);
        table.rows = cells
            .map(|cell| {
                let mut row = of.place(&cell.company);
                row.extend([
                    (&cell.category).into(),
                    (&cell.label).into(),
                    self.language.pair(cell.verdict).into(),
                    cell.rows.into(),
                    cell.rows_without_amount.into(),
                    cell.amount.into(),
                ]);
                row
            })
            .collect();
        table
    }

    /// The roll-forward of the voucher account in the month, in ledger sign: from the opening balance over what shop and
    /// ledger call the same to the closing one. What is in no flow is the difference of what is known.
    pub(super) fn voucher_flows(&self) -> Table {
        let c = self.c;
        let columns = self.of_company([
            c.text("flow", "Flow", "Mouvement"),
            c.text("label", "Kind of voucher", "Type de bon"),
            c.either("shop", "Shop LCY", "Boutique devise locale"),
            c.either("ledger", "Ledger LCY", "Grand livre devise locale"),
            c.either(
                "difference",
                "Ledger minus shop LCY",
                "Grand livre moins boutique devise locale",
            ),
            c.count(
                "rows_left_out",
                "Rows in no sum",
                "Lignes dans aucune somme",
            ),
        ]);
        let title = [
            "Roll-forward of the voucher account",
            "Évolution du compte des bons",
        ];
        let mut table = self.table("voucher_flows", title, columns);
        if let Some(vouchers) = self.material.explained.vouchers {
            let flows = vouchers.flows.iter().map(|flow| flow.company.as_str());
            let own = self.of_vouchers().map(|bucket| bucket.company.as_str());
            let companies: BTreeSet<&str> = flows.chain(own).collect();
            for company in companies {
                table.rows.extend(self.rolled(vouchers, company));
            }
        }
        table
    }

    /// Buckets of the voucher account.
    fn of_vouchers(&self) -> impl Iterator<Item = &'a Bucket> {
        let own = self.all().filter(|(line, _)| is_of_vouchers(line));
        own.map(|(_, bucket)| bucket)
    }

    fn rolled(&self, vouchers: Vouchers<'_>, company: &str) -> Vec<Vec<Cell>> {
        let (of, place) = (self.language, self.currencies());
        let row =
            |flow: &str, label: Cell, [shop, ledger, gap]: [Option<Amount>; 3], left: Cell| {
                let mut row = place.place(company);
                row.extend([
                    flow.into(),
                    label,
                    shop.into(),
                    ledger.into(),
                    gap.into(),
                    left,
                ]);
                row
            };
        let own = || {
            let buckets = self.of_vouchers();
            buckets.filter(move |bucket| bucket.company == company)
        };
        let known = |amounts: Vec<Amount>| {
            let is_any = !amounts.is_empty();
            sum(amounts.into_iter()).filter(|_| is_any)
        };
        let closing = known(own().filter_map(|bucket| bucket.actual).collect());
        let stock = known(own().filter_map(|bucket| bucket.target).collect());
        let opening = vouchers.opening.get(company).copied();
        let minus = |one: Option<Amount>, other: Option<Amount>| {
            let other = opposite(other?)?;
            sum([one?, other].into_iter())
        };
        let word = of.pick("opening balance", "solde d'ouverture");
        let mut rows = vec![row(word, Cell::None, [None, opening, None], Cell::None)];
        let flows = vouchers.flows.iter().filter(|flow| flow.company == company);
        let mut moved = Some(Amount::zero(0));
        for flow in flows {
            let amounts = [flow.shop, flow.ledger, flow.difference].map(opposite);
            let [_, ledger, _] = amounts;
            moved = moved
                .zip(ledger)
                .and_then(|(all, one)| sum([all, one].into_iter()));
            let left = flow.rows_left_out.into();
            rows.push(row(of.flow(flow.flow), (&flow.label).into(), amounts, left));
        }
        let other = minus(minus(closing, opening), moved);
        let word = of.pick("in no flow", "dans aucun mouvement");
        rows.push(row(word, Cell::None, [None, other, None], Cell::None));
        let word = of.pick("closing balance", "solde de clôture");
        let amounts = [stock, closing, minus(closing, stock)];
        rows.push(row(word, Cell::None, amounts, Cell::None));
        rows
    }

    /// What plain joins would have done.
    pub(super) fn join_audits(&self) -> Table {
        let c = self.c;
        let mut columns = vec![c.text("join", "Join", "Jointure")];
        let sides = [("left", "left", "gauche"), ("right", "right", "droite")];
        for (name, english, french) in sides {
            for (what, of, de) in [
                ("rows", "Rows", "Lignes"),
                ("without_key", "Without key", "Sans clé"),
                ("keys", "Keys", "Clés"),
                ("duplicate_keys", "Repeated keys", "Clés répétées"),
                ("duplicate_rows", "Their rows", "Leurs lignes"),
            ] {
                let column = c.count(
                    &format!("{name}_{what}"),
                    &format!("{of}, {english}"),
                    &format!("{de}, {french}"),
                );
                columns.push(column);
            }
        }
        columns.extend([
            c.count("keys_matched", "Keys on both sides", "Clés des deux côtés"),
            c.count(
                "rows_joined",
                "Rows of the plain join",
                "Lignes de la jointure simple",
            ),
            c.text(
                "multiplies",
                "It would multiply rows",
                "Elle multiplierait les lignes",
            ),
        ]);
        let mut table = self.table("join_audits", ["Joins", "Jointures"], columns);
        table.rows = self.audits().map(|audit| self.audit(audit)).collect();
        table
    }

    fn audits(&self) -> impl Iterator<Item = &'a JoinAudit> {
        let of = self.material.explained;
        let timing = of.timing.into_iter().map(|timing| &timing.audit);
        let vtc = of.vtc.into_iter().map(|vtc| &vtc.audit);
        let vouchers = of.vouchers.into_iter().flat_map(|vouchers| vouchers.audits);
        timing.chain(vtc).chain(vouchers)
    }

    fn audit(&self, audit: &JoinAudit) -> Vec<Cell> {
        let side = |side: &SideAudit| {
            [
                side.rows,
                side.without_key,
                side.keys,
                side.duplicate_keys,
                side.duplicate_rows,
            ]
            .map(Cell::from)
        };
        let mut row = vec![Cell::from(&audit.join)];
        row.extend(side(&audit.left));
        row.extend(side(&audit.right));
        row.extend([
            audit.keys_matched.into(),
            audit.rows_joined.into(),
            self.language.yes_no(audit.multiplies()).into(),
        ]);
        row
    }
}

fn is_of_vouchers(line: &LineResult) -> bool {
    line.items.iter().any(|item| item.as_str() == VOUCHERS)
}

/// A customer's number is not shown; that there is none is.
fn masked(customer: &str) -> Cell {
    match customer.is_empty() {
        true => Cell::None,
        false => MASKED.into(),
    }
}
