//! Files as people make them, and as they spoil them.

use std::io::{Cursor, Read};

use arrow::record_batch::RecordBatch;

use super::*;
use crate::domain::contract::{Column, Contract};
use crate::domain::text_file::encoding::Encoding;
use crate::domain::uploaded::{
    DecimalMark, DeclaredForm, FileColumn, FileDefinition, FileFound, Separator,
};
use crate::domain::witness::Why;
use crate::kernels::samples;
use crate::kernels::values::cell_text;
use crate::ports::PortError;

const BOUNDS: Bounds = Bounds {
    read_bytes: 7,
    line_bytes_max: 4_096,
    batch_rows_max: 3,
    batch_bytes_max: 1 << 20,
    companies_max: 5,
};

fn contract() -> Contract {
    let of = |name: &str, sql_type: &str, nullable: bool| Column {
        nullable,
        amount: name == "used",
        ..samples::column(name, sql_type)
    };
    Contract {
        company: "company".to_owned(),
        ..samples::contract(vec![
            of("line_no", "bigint", false),
            of("company", "nvarchar(20)", true),
            of("voucher", "nvarchar(100)", false),
            of("used", "decimal(19,4)", false),
            of("at", "datetime2(6)", true),
            of("status", "nvarchar(100)", true),
        ])
    }
}

fn definition(form: DeclaredForm) -> FileDefinition {
    let of = |name: &str, headers: &[&str]| FileColumn {
        name: name.to_owned(),
        headers: headers.iter().map(|header| (*header).to_owned()).collect(),
        required: matches!(name, "voucher" | "used"),
        identifier: name == "voucher",
        not_negative: name == "used",
    };
    FileDefinition {
        line: "line_no".to_owned(),
        columns: vec![
            of("voucher", &["voucher", "Voucher Id"]),
            of("used", &["used", "Amount Used", "Ordered Amount"]),
            of("at", &["at"]),
            of("status", &["status"]),
            of("company", &["company"]),
        ],
        companies: Vec::new(),
        form,
    }
}

pub(super) type Texts = Vec<Vec<Option<String>>>;

/// What was found, the rows in the order of the contract, and what the second reader counted.
pub(super) fn read(
    bytes: &[u8],
    form: DeclaredForm,
) -> Result<(FileFound, Texts, Counted), String> {
    let (definition, contract) = (definition(form), contract());
    let open = || -> Box<dyn Read + Send> { Box::new(Cursor::new(bytes.to_vec())) };
    let said = |error: PortError| error.to_string();
    let found = examine(&open, ("JDASH", &definition, &contract), BOUNDS).map_err(said)?;
    let mut rows = Vec::new();
    let mut take = |batch: RecordBatch| {
        assert!(batch.num_rows() <= BOUNDS.batch_rows_max);
        assert_eq!(batch.schema().field(2).name(), "Src voucher");
        rows.extend((0..batch.num_rows()).map(|row| {
            let cells = batch.columns().iter().map(|array| cell_text(array, row));
            cells.collect::<Vec<_>>()
        }));
        Ok(true)
    };
    let of_item = (&definition, &contract);
    read_rows(open().as_mut(), &found.layout, of_item, BOUNDS, &mut take).map_err(said)?;
    let counted = count(open(), &found.layout, &contract, "seed", BOUNDS).map_err(said)?;
    Ok((found, rows, counted))
}

fn form(words: &str) -> DeclaredForm {
    words.parse().unwrap()
}

fn refused(text: &str, words: &str) -> String {
    let declared = if words.is_empty() {
        DeclaredForm::default()
    } else {
        form(words)
    };
    read(text.as_bytes(), declared).expect_err(text)
}

#[test]
fn a_file_is_read_by_the_names_in_its_first_line() {
    let text =
        "Status; ORDERED amount ;Voucher Id;Seller\r\nused;1 250,50;V1;x\r\n;7;\"V;2\";\r\n\r\n";
    let (found, rows, counted) = read(text.as_bytes(), DeclaredForm::default()).unwrap();
    assert_eq!(found.layout.separator, Separator::Semicolon);
    assert_eq!(found.layout.decimal, DecimalMark::Comma);
    assert_eq!(found.layout.encoding, Encoding::Utf8);
    assert_eq!((found.lines, found.rows), (4, 2));
    assert_eq!(found.left_out, ["Seller"]);
    assert_eq!(found.layout.field_of("at"), None);
    assert!(found.reasons[2].contains("line 2"), "{:?}", found.reasons);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        rows,
        [
            vec![
                some("2"),
                None,
                some("V1"),
                some("1250.5000"),
                None,
                some("used")
            ],
            vec![some("3"), None, some("V;2"), some("7.0000"), None, None],
        ]
    );
    assert_eq!(counted.totals.rows(), 2);
    let sums = &counted.totals.groups[""].sums;
    assert_eq!(sums[0].to_string(), "1257.5000");
    let why: Vec<_> = counted
        .drawn
        .iter()
        .map(|drawn| drawn.why.clone())
        .collect();
    assert_eq!(why, [vec![Why::Largest], vec![Why::Smallest]]);
}

#[test]
fn a_voucher_may_stand_in_several_lines() {
    let (_, rows, counted) = read(b"voucher,used\nV1,1\nV1,1\n", DeclaredForm::default()).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(counted.totals.groups[""].sums[0].to_string(), "2.0000");
}

/// Defect 13 of the predecessor: a timestamp that came as text was cut to its midnight.
#[test]
fn a_text_keeps_its_time_of_day() {
    let text = b"voucher,used,at\nV1,1,2024-04-30 18:30:00\nV2,1,2024-04-30\n";
    let (_, rows, _) = read(text, DeclaredForm::default()).unwrap();
    let at = |row: usize| rows[row][4].as_deref().unwrap();
    assert!(at(0).starts_with("2024-04-30T18:30:00"), "{}", at(0));
    assert!(at(1).starts_with("2024-04-30T00:00:00"), "{}", at(1));
}

#[test]
fn a_file_with_a_header_and_no_row_is_an_empty_month() {
    let (found, rows, counted) = read(b"voucher,used", DeclaredForm::default()).unwrap();
    assert_eq!((found.rows, rows.len(), counted.totals.rows()), (0, 0, 0));
}

#[test]
fn bytes_that_are_not_utf8_are_windows_1252_unless_something_speaks_against_it() {
    let (found, rows, _) = read(
        b"voucher,used,status\nV1,1,Caf\xE9\n",
        DeclaredForm::default(),
    )
    .unwrap();
    assert_eq!(found.layout.encoding, Encoding::Windows1252);
    assert!(found.reasons[0].contains("line 2"), "{:?}", found.reasons);
    assert_eq!(rows[0][5].as_deref(), Some("Café"));
    for bytes in [
        &b"voucher,used,status\nV1,1,Caf\xC3\xA9\nV2,1,Caf\xE9\n"[..],
        b"\xEF\xBB\xBFvoucher,used,status\nV2,1,Caf\xE9\n",
    ] {
        assert!(read(bytes, DeclaredForm::default()).is_err());
    }
    let declared = form("windows-1252");
    assert!(
        read(
            b"voucher,used,status\nV1,1,Caf\xC3\xA9\nV2,1,Caf\xE9\n",
            declared
        )
        .is_ok()
    );
}

/// Every way to get it wrong, with the declared form and what is said of it.
const SPOILED: &[(&str, &str, &str)] = &[
    ("", "", "the file is empty"),
    ("SECRET1\t12\nSECRET2\t13\n", "", "line 1: names no column"),
    (
        "voucher,other\nSECRET,1\n",
        "",
        "line 1: no column means `used`",
    ),
    (
        "voucher,used\nSECRET,1\n",
        "semicolon",
        "line 1: names no column",
    ),
    (
        "voucher,used,Voucher Id\nSECRET,1,SECRET\n",
        "",
        "columns no. 1, 3 all mean `voucher`",
    ),
    (
        "used,Ordered Amount,voucher\n1,1,SECRET\n",
        "",
        "columns no. 1, 2 all mean `used`",
    ),
    (
        "voucher,used\nV,1\nSECRET\n",
        "",
        "line 3: 1 fields, where the first line has 2",
    ),
    ("voucher,used\nSECRET,1,2\n", "", "line 2: 3 fields"),
    (
        "voucher,used\nV,1\n\nSECRET,2\n",
        "",
        "line 3: an empty line between rows",
    ),
    (
        "voucher,used\nSEC\0RET,1\n",
        "",
        "line 2: column `no. 1` holds a NUL byte",
    ),
    (
        "voucher,used\nSEC\u{1}RET,1\n",
        "",
        "line 2: column `no. 1` holds a control character",
    ),
    (
        "voucher,used\nV,1\n\u{feff}SECRET,1\n",
        "",
        "line 3: column `no. 1` holds a byte order mark",
    ),
    (
        "voucher,used\n\"SECRET,1\n",
        "",
        "line 2: a quote is opened and never closed",
    ),
    (
        "voucher,used\n\"SEC\"RET,1\n",
        "",
        "line 2: text follows a closing quote",
    ),
    (
        "voucher,used\n4711.0,1\n",
        "",
        "line 2: column `voucher` is an identifier that became a number",
    ),
    (
        "voucher,used\n4.7E+11,1\n",
        "",
        "line 2: column `voucher` is an identifier that became a number",
    ),
    (
        "voucher,used\n,1\n",
        "",
        "line 2: column `voucher` is empty",
    ),
    ("voucher,used\nV, \n", "", "line 2: column `used` is empty"),
    (
        "voucher,used\nSECRET,-4711\n",
        "",
        "line 2: column `used` is negative",
    ),
    (
        "voucher,used\nV,4711 KES\n",
        "",
        "line 2: column `used` is no amount",
    ),
    (
        "voucher,used\nV,4.71101\n",
        "",
        "line 2: column `used` has 5 fraction digits",
    ),
    (
        "voucher,used\nV,4711000000000000\n",
        "",
        "line 2: column `used` has 16 digits",
    ),
    (
        "voucher;used\nV;4.711\n",
        "",
        "line 2: column `used` has one mark before three digits",
    ),
    (
        "voucher;used\nV;0.5\nV;0,5\n",
        "",
        "line 3: column `used` has a decimal comma",
    ),
    (
        "voucher;used\nV;4.711\nV;0,5\n",
        "decimal-point",
        "line 3: column `used` is no amount",
    ),
    (
        "voucher,used,at\nV,1,30/04/2024\n",
        "",
        "line 2: column `at` is no date of the form YYYY-MM-DD",
    ),
    (
        "voucher,used,at\nV,1,2024-04-30\n",
        "day-first",
        "line 2: column `at` is no date of the form DD/MM/YYYY",
    ),
    (
        "voucher,used,at\nV,1,2024-04-31\n",
        "",
        "line 2: column `at` is no date",
    ),
    (
        "voucher,used,at\nV,1,2024-04-30 25:00:00\n",
        "",
        "line 2: column `at` is not a time",
    ),
    ("v\0o\0u\0", "", "line 1: holds NUL bytes"),
];

#[test]
fn whatever_is_wrong_is_said_once_with_its_line_and_without_its_value() {
    for (text, words, part) in SPOILED.iter().copied() {
        let error = refused(text, words);
        assert!(error.contains(part), "{part}: {error}");
        assert!(error.contains("hint: "), "no remedy: {error}");
        for value in ["SECRET", "4711", "4.7"] {
            assert!(!error.contains(value), "{value} in {error}");
        }
    }
    let long = format!("voucher,used\n\"{}", "x".repeat(9_000));
    assert!(refused(&long, "").contains("line 2: the line has more than 4096 bytes"));
    let companies: String = (0..6).map(|n| format!("V,1,C{n}\n")).collect();
    let many = refused(&format!("voucher,used,company\n{companies}"), "");
    assert!(many.contains("more than 5 companies"), "{many}");
}

#[test]
fn three_digits_are_decided_by_another_line_or_by_declaration() {
    let sum = |text: &str, declared| {
        let (_, _, counted) = read(text.as_bytes(), declared).unwrap();
        counted.totals.groups[""].sums[0].to_string()
    };
    let open = DeclaredForm::default();
    assert_eq!(sum("voucher;used\nV;1.234\nV;0,5\n", open), "1234.5000");
    assert_eq!(sum("voucher;used\nV;1.234\nV;0.5\n", open), "1.7340");
    assert_eq!(
        sum("voucher;used\nV;1.234\n", form("decimal-comma")),
        "1234.0000"
    );
    assert_eq!(
        sum("voucher;used\nV;1.234\n", form("decimal-point")),
        "1.2340"
    );
}
