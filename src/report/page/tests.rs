//! The page of a month with every planted difference, of one that ties, and of one that is hardly there.

use std::collections::BTreeSet;

use super::*;
use crate::domain::matching::{Listed, OpenBecause, OpenItem, RowPlace, ScopeMatch, Sides};
use crate::report::beside::{Beside, CUSTOMER};
use crate::report::material::{LineMatch, MonthPoint};
use crate::report::month;
use crate::report::words::Language::{English, French};

fn of(statement: &Statement, language: Language) -> String {
    page(Material::of(statement), language).unwrap()
}

/// Page one of a page.
fn sheet(page: &str) -> &str {
    let (_, rest) = page.split_once(r#" id="page-one""#).unwrap();
    rest.split_once("</section>").unwrap().0
}

/// The texts between tags, in their order.
fn texts(markup: &str) -> Vec<String> {
    let pieces = markup.split('<').filter_map(|piece| piece.split_once('>'));
    let texts = pieces.map(|(_, text)| text.trim().replace('\u{a0}', " "));
    texts.filter(|text| !text.is_empty()).collect()
}

fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let begin = format!(" {name}=\"");
    let found = page.split(begin.as_str()).skip(1);
    found.map(|rest| rest.split('"').next().unwrap()).collect()
}

#[test]
fn page_one_has_its_eight_parts_in_their_order_and_nothing_else() {
    let page = of(&month::planted(), English);
    let ids = attributes(sheet(&page), "id");
    let parts = [
        "title",
        "outcome",
        "lines",
        "exceptions",
        "uncovered",
        "in",
        "since",
        "signatures",
    ];
    assert_eq!(ids, parts);
    insta::assert_snapshot!(texts(sheet(&page)).join("\n"));
}

/// Defect 17 of the predecessor: the way from an exception to its rows ended in an error of a type.
#[test]
fn every_exception_is_there_with_its_rows() {
    let statement = month::planted();
    let page = of(&statement, English);
    for (line, bucket) in statement.result.exceptions() {
        let id = format!(
            " id=\"e-{}",
            &line.id[1..].parse::<u32>().map_or(6, |n| n - 1)
        );
        assert!(page.contains(&id), "{id}");
        assert!(!bucket.rows.is_empty(), "{id} leads to rows");
        for row in &bucket.rows {
            assert!(page.contains(&row.key.join(" | ")), "{row:?}");
        }
    }
    for amount in [
        "1,650,000.00\u{a0}Dr\u{a0}NGN",
        "20,000.00\u{a0}Cr\u{a0}GHS",
        "1,226.99\u{a0}Dr\u{a0}USD",
    ] {
        assert!(page.contains(amount), "{amount}");
    }
    // Below its threshold: among the balances, and no exception.
    assert!(page.contains("129,999.99\u{a0}Dr\u{a0}KES"));
    assert!(
        !texts(sheet(&page))
            .iter()
            .any(|text| text.contains("129,999.99"))
    );
}

#[test]
fn rows_that_have_the_amount_by_themselves_are_called_candidates() {
    let mut statement = month::planted();
    assert!(!of(&statement, English).contains("… 4 more rows"));
    for line in &mut statement.result.lines {
        for bucket in &mut line.buckets {
            bucket.rows_unlisted = u64::from(!bucket.rows.is_empty()) * 4;
        }
    }
    let english = of(&statement, English);
    assert!(english.contains("Candidates, which alone have this amount and prove nothing: 5"));
    assert!(english.contains("… 4 more rows"));
    let french = of(&statement, French);
    assert!(french.contains("Lignes candidates, qui ont ce montant"));
    assert!(french.contains("… 4 autres lignes"));
}

#[test]
fn links_lead_somewhere_and_nowhere_else() {
    for statement in [month::planted(), month::clean(), month::sparse()] {
        let page = of(&statement, French);
        let ids = attributes(&page, "id");
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len(), "an id stands twice");
        for href in attributes(&page, "href") {
            let is_known = href.strip_prefix('#').is_some_and(|id| known.contains(id));
            assert!(is_known || href == "data:,", "{href}");
        }
        for outside in [
            "http://", "https://", " src=", "url(", "@import", "<iframe", "<object",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert_eq!(page.matches("<script").count(), 1);
    }
}

#[test]
fn no_sign_is_bare_and_the_program_does_not_conclude() {
    let page = of(&month::planted(), English);
    for (at, _) in page.match_indices('\u{2212}') {
        let next = page[at..].chars().nth(1).unwrap();
        assert!(!next.is_ascii_digit(), "{}", &page[at..at + 20]);
    }
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    for text in texts(body) {
        let number = text.strip_prefix('-').unwrap_or_default();
        assert!(!number.starts_with(|c: char| c.is_ascii_digit()), "{text}");
    }
    for language in [English, French] {
        let page = of(&month::planted(), language).to_lowercase();
        for word in ["effective", "certified", "efficace", "certifié"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}

#[test]
fn what_a_month_comes_to_is_its_word() {
    for (statement, word, sign) in [
        (month::planted(), "NOT CONCLUDED", "IPE_31"),
        (month::clean(), "NO EXCEPTIONS", "All"),
        (month::sparse(), "NOT CONCLUDED", "IPE_12 was not run"),
    ] {
        let page = of(&statement, English);
        let said = texts(sheet(&page));
        assert!(said.iter().any(|text| text == word), "{word}: {said:?}");
        assert!(page.contains(sign), "{sign}");
    }
    let clean = of(&month::clean(), English);
    assert!(
        !clean.contains("INVESTIGATE<"),
        "nothing is to be looked at"
    );
}

#[test]
fn stamps_are_printed_and_only_where_they_are() {
    let stamped = of(&month::planted(), English);
    assert!(sheet(&stamped).contains(NO_EVIDENCE), "on page one");
    assert!(
        stamped.contains(&format!("content:\"{NO_EVIDENCE}\"")),
        "on every page"
    );
    assert!(!of(&month::clean(), English).contains(NO_EVIDENCE));
    assert!(sheet(&of(&month::planted(), French)).contains(NO_EVIDENCE));
}

#[test]
fn french_is_french() {
    let page = of(&month::planted(), French);
    assert!(page.contains("<html lang=\"fr\">"));
    for word in [
        "À EXAMINER",
        "NON CONCLU",
        "DÉFINITIF n° 2",
        "toutes devises confondues",
        "Atteint le seuil par ligne",
        "1er mai 2024",
        "1\u{202f}650\u{202f}000,00\u{a0}D\u{a0}NGN",
    ] {
        assert!(page.contains(word), "{word}");
    }
    let (_, body) = page.split_once("<body>").unwrap();
    let (body, _) = body.split_once("<script>").unwrap();
    for word in [
        "INVESTIGATE",
        "Since last month",
        "Unexplained",
        "Threshold",
        "not signed",
        ">None.",
    ] {
        assert!(!body.contains(word), "{word}");
    }
}

#[test]
fn hostile_texts_stay_texts() {
    let hostile = "\"><img src=x onerror=alert(1)><script>alert(1)</script>";
    let json = serde_json::to_string(&month::planted()).unwrap();
    let mut json = json;
    for own in [
        "Customer receivables",
        "team L1",
        "never issued",
        "EC_NG",
        "thresholds of EG",
        "NAV\\\\ACCOUNT7",
    ] {
        assert!(json.contains(own), "{own}");
        json = json.replace(own, &hostile.replace('"', "\\\""));
    }
    let statement: Statement = serde_json::from_str(&json).unwrap();
    for language in [English, French] {
        let page = of(&statement, language);
        assert_eq!(page.matches("<script").count(), 1);
        assert!(!page.contains("<img"));
        assert!(page.contains("&lt;script&gt;alert(1)"));
    }
}

#[test]
fn only_its_own_style_and_script_may_run() {
    let page = of(&month::planted(), English);
    let between = |begin: &str, end: &str| {
        let (_, rest) = page.split_once(begin).unwrap();
        rest.split_once(end).unwrap().0.to_owned()
    };
    for text in [
        between("<style>", "</style>"),
        between("<script>", "</script>"),
    ] {
        assert!(page.contains(&fingerprint_of(&text)));
    }
    assert!(page.contains("default-src &#39;none&#39;"));
    assert!(!page.contains(" style="), "the policy would not let it");
}

#[test]
fn the_same_statement_gives_the_same_bytes() {
    let statement = month::planted();
    assert_eq!(of(&statement, English), of(&statement.clone(), English));
    assert_ne!(of(&statement, English), of(&month::clean(), English));
}

#[test]
fn months_and_open_rows_are_shown_where_they_are_given() {
    let statement = month::planted();
    let mut march = MonthPoint::of(&month::clean());
    march.period = "2024-03".parse().unwrap();
    let none = || Listed {
        items: Vec::new(),
        unlisted: 0,
        unlisted_sum: month::amount("0.00"),
    };
    let mut open = none();
    open.unlisted = 7;
    open.items.push(OpenItem {
        key: Some("EC_NG | 881207".to_owned()),
        because: OpenBecause::NoCounterpart,
        amount: month::amount("1650000.00"),
        date: "2024-04-17".parse().ok(),
        age_months: Some(0),
        place: RowPlace { part: 0, row: 0 },
    });
    let scope = ScopeMatch {
        company: "EC_NG".to_owned(),
        gl: "13003".to_owned(),
        rows: Sides::default(),
        sums: Sides {
            actual: month::amount("0.00"),
            target: month::amount("0.00"),
        },
        classes: Default::default(),
        ageing: Sides::default(),
        open: Sides {
            actual: open,
            target: none(),
        },
        groups: Default::default(),
    };
    let matches = [LineMatch {
        line: "L1".to_owned(),
        scopes: vec![scope],
    }];
    let material = Material {
        statement: &statement,
        matches: &matches,
        months: &[march],
        ..Material::of(&statement)
    };
    let with = page(material, English).unwrap();
    for part in [
        "class=\"trend\"",
        "2024-03",
        "EC_NG | 881207",
        "no counterpart",
        "… 7 more rows",
    ] {
        assert!(with.contains(part), "{part}");
    }
    let without = of(&statement, English);
    assert!(!without.contains("class=\"trend\"") && !without.contains("no counterpart"));
}

#[test]
fn a_bridge_leads_to_what_it_consists_of_and_long_tables_say_what_they_leave_out() {
    let statement = month::planted();
    let whole = |beside: &Beside, language| {
        let material = Material {
            explained: beside.shown(),
            ..Material::of(&statement)
        };
        page(material, language).unwrap()
    };
    for language in [English, French] {
        let page = whole(&Beside::new(), language);
        assert!(
            sheet(&page).contains("<a href=\"#bridge-b1\">B1"),
            "page one leads there"
        );
        let (_, behind) = page.split_once("id=\"bridge-b1\"").unwrap();
        for part in ["ABC-1", "VTC-2", "cash_in_transit", "B2B, B2C"] {
            assert!(behind.contains(part), "{part}");
        }
        assert!(!page.contains(CUSTOMER), "personal");
        let ids: BTreeSet<&str> = attributes(&page, "id").into_iter().collect();
        for href in attributes(&page, "href") {
            let is_known = href.strip_prefix('#').is_none_or(|id| ids.contains(id));
            assert!(is_known, "{href}");
        }
    }
    let few = whole(&Beside::new(), English);
    assert!(!few.contains("rows in the table `b1_vouchers`"));
    let many = whole(&Beside::new().with_vouchers(250), English);
    assert!(many.contains("+ 52 rows in the table `b1_vouchers`"));
    // Page one is as it was: what is behind it takes no room on it.
    let alone = of(&statement, English);
    assert_eq!(sheet(&many), sheet(&alone));
    // What was not computed is not shown as nothing.
    assert!(alone.contains("Not computed for this statement."));
    assert!(!few.contains("Not computed for this statement."));
}

#[test]
fn page_one_says_with_which_month_it_is_compared_or_that_there_is_none() {
    let since = |change: fn(&mut Statement), language| {
        let mut statement = month::planted();
        change(&mut statement);
        let page = of(&statement, language);
        let (_, part) = sheet(&page).split_once(" id=\"since\"").unwrap();
        texts(part).join(" ")
    };
    let last = since(|_| {}, English);
    let run = "(run 20240403T090000Z-0badcafe, final)";
    assert!(last.contains("Since last month Late postings"), "{last}");
    let says = format!("Changes, since 2024-03 {run} :");
    assert!(last.contains(&says), "{last}");
    // Nothing was compared: that is not nothing that changed.
    let unknown: fn(&mut Statement) = |statement| {
        statement.since = None;
        statement.changes.clear();
    };
    let none = since(unknown, English);
    let says = "Changes : not known: no earlier month was judged";
    assert!(none.contains(says), "{none}");
    let none = since(unknown, French);
    assert!(
        none.contains("aucun mois antérieur n&#39;a été jugé"),
        "{none}"
    );
    let same = since(|statement| statement.changes.clear(), English);
    assert!(same.contains("final) : none."), "{same}");
    // Last month was not judged: an earlier one is, and is called so.
    let earlier = since(
        |statement| {
            let since = statement.since.as_mut().unwrap();
            since.period = "2024-01".parse().unwrap();
            since.is_final = false;
        },
        English,
    );
    assert!(earlier.contains("Since 2024-01 Late postings"), "{earlier}");
    assert!(earlier.contains("since 2024-01 (run "), "{earlier}");
    assert!(earlier.contains(", preliminary)"), "{earlier}");
}
