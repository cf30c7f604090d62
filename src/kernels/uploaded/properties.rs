//! Any table, written in any form, reads back as it was meant.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::tests::read;
use crate::domain::text_file::cp1252::put_cp1252;
use crate::domain::text_file::encoding::Encoding;
use crate::domain::uploaded::{DateOrder, DecimalMark, DeclaredForm, Separator};
use crate::ports::Cell;

/// One row, as it is meant.
#[derive(Debug, Clone)]
struct Meant {
    voucher: String,
    units: u64,
    micros: Option<i64>,
    status: Option<String>,
    company: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
struct Form {
    declared: DeclaredForm,
    mark: bool,
    big: bool,
    groups: bool,
    crlf: bool,
    last_line_ends: bool,
}

fn meant() -> impl Strategy<Value = Meant> {
    let status = prop::option::of("[a-z éß€;,|\t\n\"]{0,9}[a-zé€\"]");
    let company = prop::option::of(prop::sample::select(vec!["EC_NG", "EC_KE"]));
    let micros = prop::option::of(0_i64..4_000_000_000_000_000);
    ("V[0-9]{1,6}", 0..10_u64.pow(15), micros, status, company).prop_map(
        |(voucher, units, micros, status, company)| Meant {
            voucher,
            units,
            micros,
            status,
            company,
        },
    )
}

fn any_form() -> impl Strategy<Value = Form> {
    let encoding =
        prop::sample::select(vec![Encoding::Utf8, Encoding::Utf16, Encoding::Windows1252]);
    let separator = prop::sample::select(Separator::ALL.to_vec());
    let decimal = prop::sample::select(vec![DecimalMark::Point, DecimalMark::Comma]);
    let dates = prop::sample::select(vec![DateOrder::Iso, DateOrder::DayFirst]);
    let flags = prop::array::uniform5(any::<bool>());
    (encoding, separator, decimal, dates, flags).prop_map(
        |(encoding, separator, decimal, dates, [mark, big, groups, crlf, last_line_ends])| Form {
            declared: DeclaredForm {
                encoding: Some(encoding),
                separator: Some(separator),
                decimal: Some(decimal),
                dates: Some(dates),
            },
            mark,
            big,
            groups,
            crlf,
            last_line_ends,
        },
    )
}

impl Form {
    fn amount(&self, units: u64) -> String {
        let (whole, fraction) = (units / 10_000, units % 10_000);
        let decimal = self.declared.decimal.unwrap();
        let between = match decimal {
            DecimalMark::Point => ",",
            DecimalMark::Comma => ".",
        };
        let mut digits = whole.to_string();
        if self.groups {
            let mut at = digits.len();
            while at > 3 {
                at -= 3;
                digits.insert_str(at, between);
            }
        }
        format!("{digits}{}{fraction:04}", decimal.character())
    }

    fn moment(&self, micros: i64) -> String {
        let moment = chrono::DateTime::from_timestamp_micros(micros).unwrap();
        let format = match self.declared.dates.unwrap() {
            DateOrder::Iso => "%Y-%m-%d %H:%M:%S%.6f",
            DateOrder::DayFirst => "%d/%m/%Y %H:%M:%S%.6f",
        };
        moment.format(format).to_string()
    }

    fn field(&self, text: &str) -> String {
        let separator = self.declared.separator.unwrap().character();
        if text.contains([separator, '"', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    fn file(&self, rows: &[Meant]) -> Vec<u8> {
        let separator = self.declared.separator.unwrap().character().to_string();
        let end = if self.crlf { "\r\n" } else { "\n" };
        let mut lines =
            vec![["status", "Ordered Amount", "at", "VOUCHER ID", "company"].join(&separator)];
        lines.extend(rows.iter().map(|row| {
            let fields = [
                row.status.clone().unwrap_or_default(),
                self.amount(row.units),
                row.micros
                    .map_or_else(String::new, |micros| self.moment(micros)),
                row.voucher.clone(),
                row.company.unwrap_or_default().to_owned(),
            ];
            fields.map(|field| self.field(&field)).join(&separator)
        }));
        let mut text = lines.join(end);
        if self.last_line_ends {
            text.push_str(end);
        }
        match self.declared.encoding.unwrap() {
            Encoding::Utf8 => {
                let mark = if self.mark { "\u{feff}" } else { "" };
                format!("{mark}{text}").into_bytes()
            }
            Encoding::Utf16 => {
                let marked = format!("\u{feff}{text}");
                let bytes = |unit: u16| {
                    if self.big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                };
                marked.encode_utf16().flat_map(bytes).collect()
            }
            Encoding::Windows1252 => {
                let mut bytes = Vec::new();
                put_cp1252(&mut bytes, &text).unwrap();
                bytes
            }
        }
    }
}

proptest! {
    /// Any table, in any form, comes back as it was meant, by both readers.
    #[test]
    fn any_table_reads_back_equal_in_any_form(rows in vec(meant(), 0..9), form in any_form()) {
        let bytes = form.file(&rows);
        let (found, texts, counted) = read(&bytes, form.declared).unwrap();
        let mut line = 2;
        let mut sums = BTreeMap::<&str, (u64, i128)>::new();
        let mut expected = Vec::new();
        for row in &rows {
            let at = row.micros.map(|micros| {
                let moment = chrono::DateTime::from_timestamp_micros(micros).unwrap();
                moment.naive_utc()
            });
            expected.push((
                line.to_string(),
                row.company.map(str::to_owned),
                row.voucher.clone(),
                i128::from(row.units),
                at,
                row.status.clone(),
            ));
            line += 1 + row.status.iter().flat_map(|text| text.matches('\n')).count();
            let sum = sums.entry(row.company.unwrap_or_default()).or_default();
            sum.0 += 1;
            sum.1 += i128::from(row.units);
        }
        let read_back: Vec<_> = texts.iter().map(|row| {
            let units: String = row[3].clone().unwrap().chars().filter(|c| *c != '.').collect();
            let at = row[4].clone().map(|text| text.replacen(' ', "T", 1).parse().unwrap());
            (
                row[0].clone().unwrap(),
                row[1].clone(),
                row[2].clone().unwrap(),
                units.parse::<i128>().unwrap(),
                at,
                row[5].clone(),
            )
        }).collect();
        prop_assert_eq!(read_back, expected);
        prop_assert_eq!(found.rows, u64::try_from(rows.len()).unwrap());
        let counted_sums: BTreeMap<&str, (u64, i128)> = counted.totals.groups.iter()
            .map(|(company, group)| (company.as_str(), (group.rows, group.sums[0].units())))
            .collect();
        prop_assert_eq!(counted_sums, sums);
        for drawn in &counted.drawn {
            let Cell::Int(line) = drawn.cells[0] else { panic!("a line") };
            let row = texts.iter().find(|row| row[0] == Some(line.to_string())).unwrap();
            prop_assert_eq!(&drawn.cells[2], &Cell::Text(row[2].clone().unwrap()));
            prop_assert_eq!(drawn.company.as_str(), row[1].as_deref().unwrap_or_default());
        }
    }
}
