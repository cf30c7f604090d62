//! What matching makes of the rows of the planted month.

use serde_json::Value;

use super::{short, text};

/// Lines whose rows are matched with the ledger.
const MATCHED: [&str; 4] = ["L1", "L4", "L5", "L6"];

/// What matching says of a company on a line of one account.
fn scope<'a>(result: &'a Value, line: &str, company: &str) -> &'a Value {
    let scopes = &result["explanations"]["matching"][line]["scopes"];
    let mut scopes = scopes.as_array().unwrap().iter();
    let scope = scopes.find(|scope| scope["company"] == company);
    scope.unwrap_or_else(|| panic!("{line} {company} was not matched"))
}

/// Amount and reason of the open rows of a key.
fn open(scope: &Value, side: &str, key: Option<&str>) -> Vec<[String; 2]> {
    let items = scope["open"][side]["items"].as_array().unwrap().iter();
    let of_key = items.filter(|item| item["key"].as_str() == key);
    let mut found: Vec<_> = of_key
        .map(|item| [short(&item["amount"]), text(&item["because"])])
        .collect();
    found.sort();
    found
}

fn alone(amount: &str) -> [String; 2] {
    [amount, "no_counterpart"].map(str::to_owned)
}

/// Of an item those rows were matched that its line counts, and no other: both sums are one, also where all is well.
pub(super) fn matched_is_compared(result: &Value) {
    let lines = result["result"]["lines"].as_array().unwrap().iter();
    for line in lines.filter(|line| MATCHED.contains(&line["id"].as_str().unwrap())) {
        let id = text(&line["id"]);
        let scopes = &result["explanations"]["matching"][&id]["scopes"];
        let scopes = scopes.as_array().unwrap();
        for bucket in line["buckets"].as_array().unwrap() {
            let is_own = |scope: &&Value| {
                let gl = &bucket["gl"];
                scope["company"] == bucket["company"] && (gl.is_null() || scope["gl"] == *gl)
            };
            let scope = scopes.iter().find(is_own);
            let matched = scope.map_or("0".to_owned(), |scope| short(&scope["sums"]["target"]));
            let (company, gl) = (&bucket["company"], &bucket["gl"]);
            assert_eq!(matched, short(&bucket["target"]), "{id} {company} {gl}");
        }
    }
}

/// What the answer key makes of the rows of L5 and L6.
pub(super) fn planted_rows_are_matched_or_open(result: &Value) {
    // F07: returned, not refunded, and in no entry.
    let kenya = scope(result, "L5", "EC_KE");
    assert_eq!(open(kenya, "target", Some("090000007")), [alone("-200000")]);
    // E02: the voucher was cancelled, so that its row does not count; the ledger still owes it.
    let egypt = scope(result, "L6", "JM_EG");
    assert_eq!(open(egypt, "actual", Some("45000005")), [alone("-55000")]);
    assert!(open(egypt, "target", Some("45000005")).is_empty());
    let left_out = &result["explanations"]["matching"]["L6"]["left_out"]["target"];
    assert!(left_out.as_u64().unwrap() > 0, "{left_out}");
    // N03: two entries of one cancelled voucher.
    let spelled = open(egypt, "actual", Some("ABC-77"));
    assert_eq!(spelled, [alone("-70000"), alone("70000")]);
    // F09: booked without the number of a voucher.
    let morocco = open(scope(result, "L6", "EC_MA"), "actual", None);
    let paid_back = ["15000", "no_key"].map(str::to_owned);
    assert!(morocco.contains(&paid_back), "{morocco:?}");
    // N04: of a voucher of last year only what was used this year is among the entries. Its line is OK all the same.
    let kenya = &scope(result, "L6", "EC_KE")["groups"]["difference"]["items"];
    let mut differing = kenya.as_array().unwrap().iter();
    let used = differing.find(|item| item["key"] == "45000007").unwrap();
    let sums = ["actual", "target"].map(|side| short(&used["sums"][side]));
    assert_eq!(sums, ["20000", "-140000"]);
    assert_eq!(short(&used["difference"]), "160000");
}
