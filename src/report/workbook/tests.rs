//! The workbook as a spreadsheet reads it: sheets, real numbers, formulas and what they come to.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::*;
use crate::report::material::sum;
use crate::report::month;
use crate::report::words::Language::{English, French};

/// A part of the workbook's file.
fn part(bytes: &[u8], name: &str) -> String {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive
        .by_name(name)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn sheet_of(bytes: &[u8], name: &str) -> String {
    let names = sheets(bytes);
    let at = names.iter().position(|own| own == name).unwrap() + 1;
    part(bytes, &format!("xl/worksheets/sheet{at}.xml"))
}

fn sheets(bytes: &[u8]) -> Vec<String> {
    let book = part(bytes, "xl/workbook.xml");
    let names = book.split("<sheet name=\"").skip(1);
    names
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

fn planted(language: Language) -> Vec<u8> {
    workbook(Material::of(&month::planted()), language).unwrap()
}

#[test]
fn sheets_stand_in_the_order_of_page_one_each_with_the_fingerprint() {
    let statement = month::planted();
    let bytes = planted(English);
    let names = sheets(&bytes);
    let all = tables(Material::of(&statement), English).unwrap();
    assert_eq!(
        names,
        all.iter().map(|table| table.name).collect::<Vec<_>>()
    );
    let texts = part(&bytes, "xl/sharedStrings.xml");
    let fingerprint = statement.fingerprint().unwrap();
    let place = texts
        .split("<si>")
        .skip(1)
        .position(|text| text.contains(&fingerprint) && text.contains("FINAL no. 2"));
    let cell = format!("<c r=\"A2\" t=\"s\"><v>{}</v></c>", place.unwrap());
    assert!(texts.contains(NO_EVIDENCE));
    for (at, name) in (1..).zip(&names) {
        let sheet = part(&bytes, &format!("xl/worksheets/sheet{at}.xml"));
        assert!(sheet.contains(&cell), "{name}");
        assert!(!sheet.contains("mergeCell"), "{name}");
    }
}

#[test]
fn totals_are_formulas_that_add_the_rows_again() {
    let bytes = planted(English);
    let exceptions = sheet_of(&bytes, "exceptions");
    let rows = month::planted().result.exceptions().len();
    let last = 6 + rows;
    let formula = format!("<f>SUM(G7:G{last})</f>");
    assert!(exceptions.contains(&formula), "{formula} in {exceptions}");
    let formula =
        format!("<f>SUMIFS(F7:F{last},D7:D{last},\"NGN\")</f><v>1650000.00000000000000000000</v>");
    assert!(exceptions.contains(&formula), "{formula} in {exceptions}");
    // Amounts of different currencies are never added.
    assert!(!exceptions.contains("<f>SUM(F7"));
    let clean = workbook(Material::of(&month::clean()), English).unwrap();
    assert!(
        !sheet_of(&clean, "exceptions").contains("<f>"),
        "there is nothing to add"
    );
}

/// What a reader adds who leaves memos out, and what one adds who does not.
#[test]
fn totals_leave_memos_out_and_say_that_dollars_are_rounded() {
    let result = month::planted().result;
    let memo = result.lines.iter().find(|line| line.memo).unwrap();
    assert!(memo.dollars.actual.unwrap().units() != 0);
    let dollars = |memos: bool| {
        let lines = result.lines.iter().filter(|line| memos || !line.memo);
        sum(lines.filter_map(|line| line.dollars.actual)).unwrap()
    };
    let last = 6 + result.lines.len();
    let lines = |language| sheet_of(&planted(language), "lines");
    for (language, no) in [(English, "no"), (French, "non")] {
        let lines = lines(language);
        let formula = format!("<f>SUMIFS(F7:F{last},E7:E{last},\"{no}\")</f>");
        let value = |memos| format!("{formula}<v>{}</v>", dollars(memos));
        assert!(lines.contains(&value(false)), "{formula} in {lines}");
        assert!(!lines.contains(&value(true)) && !lines.contains("<f>SUM(F7"));
    }

    let buckets = result.lines.iter().flat_map(|line| {
        let buckets = line.buckets.iter();
        buckets.map(move |bucket| (line.memo, bucket))
    });
    let local = |memos: bool| {
        let own = buckets
            .clone()
            .filter(|(memo, bucket)| (memos || !memo) && bucket.currency == "NGN");
        sum(own.filter_map(|(_, bucket)| bucket.actual)).unwrap()
    };
    assert_ne!(local(true), local(false));
    let sheet = sheet_of(&planted(English), "buckets");
    assert!(
        sheet.contains(&format!("<v>{}</v>", local(false))),
        "{sheet}"
    );
    assert!(!sheet.contains(&format!("<v>{}</v>", local(true))));

    let texts = part(&planted(English), "xl/sharedStrings.xml");
    for label in [
        "Total of the rows above without memos USD, sum of rounded amounts",
        "Total of the rows above USD, sum of rounded amounts",
        "Total of the rows above without memos NGN",
    ] {
        assert!(texts.contains(label), "{label}");
    }
}

#[test]
fn rows_of_both_sides_are_not_added_and_rows_without_a_place_are_said() {
    let parts = sheet_of(&planted(English), "parts");
    assert!(parts.contains("<v>") && !parts.contains("<f>"), "{parts}");

    let all = tables(Material::of(&month::planted()), English).unwrap();
    let written = |left: usize| {
        let head = Head {
            run: String::new(),
            stamps: None,
        };
        let mut book = Workbook::new();
        let sheet = Sheet {
            table: &all[1],
            left,
            exact: BTreeSet::new(),
            language: English,
            formats: &Formats::new(),
        };
        sheet.write(book.add_worksheet(), &head).unwrap();
        part(&book.save_to_buffer().unwrap(), "xl/sharedStrings.xml")
    };
    assert!(written(7).contains("7 more rows than a sheet holds"));
    assert!(!written(0).contains("more rows than a sheet holds"));
}

#[test]
fn numbers_are_numbers_and_what_excel_cannot_hold_stands_beside_as_text() {
    let exceptions = sheet_of(&planted(English), "exceptions");
    assert!(exceptions.contains("<v>1650000</v>"));
    let bytes = workbook(Material::of(&month::clean()), English).unwrap();
    assert!(!part(&bytes, "xl/sharedStrings.xml").contains("Excel keeps 15 digits"));
    let mut statement = month::clean();
    let exact = "12345678901234567.89";
    let bucket = &mut statement.result.lines[0].buckets[0];
    bucket.actual = Some(month::amount(exact));
    let bytes = workbook(Material::of(&statement), English).unwrap();
    let texts = part(&bytes, "xl/sharedStrings.xml");
    assert!(texts.contains(exact) && texts.contains("Excel keeps 15 digits"));
    assert!(texts.contains("Actual LCY (exact)"));
    assert!(sheet_of(&bytes, "buckets").contains("<v>12345678901234568</v>"));
}

#[test]
fn no_text_is_a_formula_and_the_same_statement_gives_the_same_bytes() {
    let mut statement = month::planted();
    statement.result.lines[0].title = "=1+1".to_owned();
    let bytes = workbook(Material::of(&statement), English).unwrap();
    assert!(part(&bytes, "xl/sharedStrings.xml").contains(">=1+1<"));
    assert!(
        !sheet_of(&bytes, "lines").contains("<f>=1+1")
            && !sheet_of(&bytes, "lines").contains("<f>1+1")
    );
    assert_eq!(bytes, workbook(Material::of(&statement), English).unwrap());
    assert_ne!(bytes, planted(French));
}

#[test]
fn sums_are_exact_whatever_the_scales() {
    let of = |texts: &[&str]| sum(texts.iter().map(|text| month::amount(text)));
    assert_eq!(of(&["1.5", "-0.25", "7"]).unwrap().to_string(), "8.25");
    assert_eq!(of(&[]).unwrap().units(), 0);
    let widest = Amount::new(10_i128.pow(38) - 1, 0).unwrap();
    assert_eq!(sum([widest, widest].into_iter()), None);
    assert!(is_held(month::amount("1650000.00000000000000000000")));
    assert!(!is_held(month::amount("1234567890123456.7")));
    assert_eq!((letters(0), letters(26)), ("A".to_owned(), "AA".to_owned()));
}
