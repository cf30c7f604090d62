//! An uploaded file: what its readers hold is a matter of lines and batches, not of the file.

use std::io::{self, Read};
use std::sync::PoisonError;

use soxauto::catalog::Catalog;
use soxauto::domain::limits::Limits;
use soxauto::kernels::uploaded::{Bounds, count, examine, read_rows};

use super::{ALONE, COUNTED};

const LINE: &[u8] = b"V-0815;1.250,50;2024-04-30 18:30:00;EC_NG\r\n";

/// A file of so many lines that is nowhere.
struct Endless {
    header: &'static [u8],
    line: &'static [u8],
    lines: u64,
}

impl Endless {
    fn of(lines: u64) -> Box<dyn Read + Send> {
        let header = b"Voucher Id;Amount Used;Usage Date;Id Company\r\n";
        let line = &LINE[..0];
        Box::new(Self {
            header,
            line,
            lines,
        })
    }
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut given = 0;
        while given < into.len() {
            if self.header.is_empty() && self.line.is_empty() {
                if self.lines == 0 {
                    break;
                }
                self.lines -= 1;
                self.line = LINE;
            }
            let from = if self.header.is_empty() {
                &mut self.line
            } else {
                &mut self.header
            };
            given += from.read(&mut into[given..])?;
        }
        Ok(given)
    }
}

/// Highest number of bytes held by the three readers.
fn peak_of(lines: u64) -> usize {
    let catalog = Catalog::embedded().unwrap();
    let ipe = catalog.select(&["JDASH".to_owned()]).unwrap()[0];
    let (definition, contract) = (ipe.file.as_ref().unwrap(), &ipe.contract);
    let bounds = Bounds::of(&Limits::default());
    let before = COUNTED.current_usage();
    COUNTED.reset_peak_usage();
    let open = || Endless::of(lines);
    let found = examine(&open, ("JDASH", definition, contract), bounds).unwrap();
    let counted = count(open(), &found.layout, contract, "seed", bounds).unwrap();
    let of_item = (definition, contract);
    let mut give = |_| Ok(true);
    let read = read_rows(open().as_mut(), &found.layout, of_item, bounds, &mut give).unwrap();
    assert_eq!(
        (found.rows, counted.totals.rows(), read),
        (lines, lines, lines)
    );
    COUNTED.peak_usage().saturating_sub(before)
}

#[test]
fn readers_of_a_file_hold_no_more_of_a_large_one() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let (few, many) = (peak_of(30_000), peak_of(300_000));
    let bytes = 300_000 * LINE.len();
    println!("{few} and {many} bytes held of {bytes}");
    assert!(many <= few + few / 4, "{few} bytes, then {many}");
    assert!(many < 16 << 20, "{many}");
}
