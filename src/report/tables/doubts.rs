//! The table of what is in neither bridge because it could not be counted without doubt.

use super::behind::Behind;
use super::{Cell, Table};
use crate::kernels::bridges::ListedRow;
use crate::kernels::bridges::timing::LeftOut;

impl Behind<'_> {
    /// What could not be counted without doubt, and keeps its company's line open.
    pub(super) fn bridge_doubts(&self) -> Table {
        let c = self.c;
        let mut columns = vec![c.text("bridge", "Bridge", "Pont")];
        columns.extend(self.of_company([
            c.text("voucher", "Voucher", "Bon"),
            c.number("amount", "Amount (shop)", "Montant (boutique)"),
            c.count("rows", "Rows", "Lignes"),
            c.text("because", "Why it is not counted", "Pourquoi non compté"),
        ]));
        let title = ["Not counted in B1 and B2", "Non comptés dans B1 et B2"];
        let mut table = self.table("bridge_doubts", title, columns);
        let timing = self.timing();
        let timing = timing.map(|(company, found)| (company, &found.doubtful, found.undecided));
        for (company, doubtful, undecided) in timing {
            self.doubts(&mut table, ("B1", company.as_str()), doubtful, undecided);
        }
        self.of_jdash(&mut table);
        let vtc = self.vtc();
        let vtc = vtc.map(|(company, found)| (company, &found.doubtful, found.undecided));
        for (company, doubtful, undecided) in vtc {
            self.doubts(&mut table, ("B2", company.as_str()), doubtful, undecided);
        }
        table
    }

    /// Rows of JDASH that are in no sum, and of which nobody knows the company.
    fn of_jdash(&self, table: &mut Table) {
        let Some(timing) = self.material.explained.timing else {
            return;
        };
        let left_out = |rows: &Option<LeftOut>| {
            let rows = rows.as_ref();
            rows.map_or((0, Cell::None), |rows| (rows.rows, rows.amount.into()))
        };
        let lacking = (timing.jdash_without_amount, Cell::None);
        for ((rows, amount), english, french) in [
            (
                lacking,
                "rows of JDASH without an amount",
                "lignes de JDASH sans montant",
            ),
            (
                left_out(&timing.jdash_without_company),
                "rows of JDASH without a company, which other rows name",
                "lignes de JDASH sans société, que d'autres lignes nomment",
            ),
            (
                left_out(&timing.jdash_without_day),
                "rows of JDASH without a day, which other rows have",
                "lignes de JDASH sans jour, que d'autres lignes portent",
            ),
            (
                left_out(&timing.jdash_after),
                "rows of JDASH used after the month; they explain nothing of it",
                "lignes de JDASH utilisées après le mois ; elles n'expliquent rien du mois",
            ),
        ] {
            if rows > 0 {
                let mut row = vec![Cell::from("B1"), Cell::None, Cell::None, Cell::None];
                row.extend([
                    amount,
                    rows.into(),
                    self.language.pick(english, french).into(),
                ]);
                table.rows.push(row);
            }
        }
    }

    fn doubts(
        &self,
        table: &mut Table,
        (bridge, company): (&str, &str),
        doubtful: &[ListedRow],
        undecided: u64,
    ) {
        let of = self.currencies();
        let row = |voucher: Cell, amount: Cell, rows: u64, why: &str| {
            let mut row = vec![Cell::from(bridge)];
            row.extend(of.place(company));
            row.extend([voucher, amount, rows.into(), why.into()]);
            row
        };
        let why = self.language.pick(
            "no key, no amount, or not one voucher for sure",
            "sans clé, sans montant, ou pas un seul bon à coup sûr",
        );
        table.fill(self.rows_max, doubtful.iter(), |one| {
            row((&one.key).into(), one.amount.into(), 1, why)
        });
        if undecided > 0 {
            let why = self.language.pick(
                "an empty cell leaves a condition open",
                "une cellule vide laisse une condition ouverte",
            );
            table.rows.push(row(Cell::None, Cell::None, undecided, why));
        }
    }
}
