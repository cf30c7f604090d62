//! Our matching over the files.

use std::fs;
use std::path::{Path, PathBuf};

use soxauto::adapters::scratch::ScratchFile;
use soxauto::domain::amount::Amount;
use soxauto::domain::limits::MatchingLimits;
use soxauto::domain::matching::{Class, Matched, Sides as Both};
use soxauto::kernels::matching::{GlColumn, Matching, NextPart, Rule, SideColumns};

use super::rows::{COLUMNS, LEDGER_ALONE, SAME, Sides};

/// Where rows wait.
#[derive(Clone, Copy)]
pub(crate) enum Room {
    /// As the limits have it.
    AsInARun,
    /// All in memory.
    Memory,
    /// All in the scratch file.
    Scratch,
}

fn rule() -> Rule {
    let [company, gl, key, amount] = COLUMNS.map(str::to_owned);
    let columns = SideColumns {
        company,
        gl: GlColumn::Named(gl),
        keys: vec![key],
        amounts: vec![amount],
        negated: false,
        date: Some("posting_date".to_owned()),
        only: Vec::new(),
    };
    Rule {
        columns: Both {
            actual: columns.clone(),
            target: columns,
        },
        gls: std::collections::BTreeSet::new(),
        scale: 20,
        tolerance: Amount::zero(20),
        period: "2024-04".parse().unwrap(),
        key_is_personal: false,
    }
}

fn parts(files: &[PathBuf]) -> NextPart<'_> {
    let mut files = files.iter();
    Box::new(move || Ok(files.next().map(|file| fs::read(file).unwrap().into())))
}

/// Matches all rows and compares what is found with what was made; gives the bytes of the scratch file.
pub(crate) fn run(sides: &Sides, room: Room) -> u64 {
    let mut limits = MatchingLimits::default();
    limits.held_bytes_max = match room {
        Room::AsInARun => limits.held_bytes_max,
        Room::Memory => usize::MAX,
        Room::Scratch => 0,
    };
    let name = format!("reconcile-{}", std::process::id());
    let scratch = ScratchFile::new(Path::new(env!("CARGO_TARGET_TMPDIR")), &name);
    let matching = Matching::new(rule(), sides.rows * 2, limits, &scratch).unwrap();
    let matched = matching.match_parts(Both {
        actual: parts(&sides.actual),
        target: parts(&sides.target),
    });
    let matched = matched.unwrap();
    check(sides.rows, &matched);
    matched.work.scratch_bytes
}

fn check(rows: u64, matched: &Matched) {
    let groups = |class: Class| -> u64 {
        let scopes = matched.scopes.iter();
        let totals = scopes.filter_map(|scope| scope.classes.get(&class));
        totals.map(|total| total.groups).sum()
    };
    let hundreds = rows / 100;
    assert_eq!(groups(Class::OneToOne), hundreds * SAME);
    assert_eq!(groups(Class::OneToMany), hundreds);
    assert_eq!(groups(Class::Difference), hundreds);
    assert_eq!(groups(Class::ActualOnly), hundreds * LEDGER_ALONE);
    assert_eq!(groups(Class::TargetOnly), hundreds);
}
