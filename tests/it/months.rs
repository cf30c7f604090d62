//! Closing a month: who may, what keeps it open, and what later runs say of a closed one.

use std::fs;

use serde_json::Value;
use soxauto::domain::plant::PlantProfile;
use soxauto::sandbox::SandboxConfig;

use crate::cli::{Said, Shell};
use crate::journey::planted::planted;
use crate::judgement::bent;
use crate::reconcile::month_of;

const ITEMS: [&str; 4] = ["CR_03", "CR_04", "CR_05", "IPE_07"];

/// The built-in contract with its first line alone: what the items of the customer ledger conclude by themselves.
fn first_line_alone() -> String {
    let contract = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/rules/reconciliation/v1.toml"
    );
    let text = fs::read_to_string(contract).unwrap();
    let second = text.find("[[line]]\nid = \"L2\"").unwrap();
    let checks = text.find("# What must come to nothing").unwrap();
    text[..second].to_owned() + &text[checks..]
}

struct Month<'a> {
    shell: &'a Shell,
    period: &'static str,
}

impl Month<'_> {
    fn ask(&self, command: &str, more: &[&str]) -> Said {
        let mut args = vec![command, "--period", self.period];
        args.extend(more);
        self.shell.run(&args)
    }

    /// Seals a judgement and gives its run.
    fn seal(&self) -> (String, String) {
        let said = self.ask("reconcile", &["--contract", "own.toml", "--seal"]);
        let line = said
            .err
            .lines()
            .find_map(|line| line.strip_prefix("sealed "));
        let place = line.unwrap_or_else(|| panic!("{}{}", said.out, said.err));
        let (_, run) = place.rsplit_once("run=").unwrap();
        (place.to_owned(), run.to_owned())
    }

    fn reopen(&self, approver: &str) -> Said {
        let args = [
            ["--reason", "an invoice"],
            ["--ticket", "FIN-12"],
            ["--by", "A. Mwangi"],
            ["--approver", approver],
        ];
        self.ask("reopen", args.as_flattened())
    }

    fn dispose(&self, run: &str, company: &str, gl: &str) -> Said {
        let args = [
            ["--run", run],
            ["--line", "L1"],
            ["--company", company],
            ["--gl", gl],
            ["--decision", "adjust"],
            ["--text", "booked in May"],
            ["--by", "B. Diallo"],
        ];
        self.ask("dispose", args.as_flattened())
    }

    /// Publishes the month, and gives number and state of its judgement and of an item as the registry has them.
    fn published(&self, item: &str) -> Vec<String> {
        let publish = [
            "--contract",
            "own.toml",
            "--publish",
            "--staging",
            "out/staging",
        ];
        let said = self.ask("reconcile", &publish);
        assert!(said.code < 2, "{}{}", said.out, said.err);
        let month = self.period.replace('-', "");
        let sql = format!(
            "SELECT item, state, final_number FROM soxauto_runs${month} WHERE item = 'reconciliation' OR item = '{item}' \
             ORDER BY item"
        );
        let said = self.shell.run(&["sql", &sql, "--format", "csv"]);
        let rows = said.out.lines().skip(1).map(str::to_owned);
        rows.collect()
    }

    fn judged(&self) -> Value {
        let said = self.ask("reconcile", &["--contract", "own.toml", "--format", "json"]);
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err))
    }
}

fn ledger(config: SandboxConfig) -> SandboxConfig {
    SandboxConfig {
        rows: Some(2_000),
        ..config
    }
}

fn said(said: &Said, code: i32, text: &str) {
    assert_eq!(said.code, code, "{}{}", said.out, said.err);
    let all = format!("{}{}", said.out, said.err);
    assert!(all.contains(text), "{text} in {all}");
}

/// What moved since March, which was judged: numbers are those of the inputs, and differences are exact.
fn moved(judged: &Value) {
    let drift = &judged["drift"];
    assert_eq!(drift["since"], "2024-03");
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<i64>().ok());
    let items = drift["items"].as_array().unwrap();
    let rows: Vec<&Value> = items
        .iter()
        .filter(|item| !item["rows"].is_null())
        .collect();
    assert!(!rows.is_empty(), "{drift}");
    for item in rows {
        let rows = ["before", "now", "difference"].map(|name| number(&item["rows"][name]));
        let [Some(before), Some(now), Some(difference)] = rows else {
            continue;
        };
        assert!(before + difference == now && before != now, "{item}");
        let mut inputs = judged["items"].as_array().unwrap().iter();
        let own = inputs.find(|input| input["item"] == item["item"]);
        assert_eq!(own.unwrap()["rows"].as_i64(), Some(now), "{item}");
    }
    // The catalog is the same in both months.
    assert!(items.iter().all(|item| item["schema"].is_null()), "{drift}");
}

/// One entry came after its month was closed: which, of when, and who entered it.
fn came_late(judged: &Value) {
    let findings = judged["result"]["findings"].as_array().unwrap();
    let late: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["code"] == "LATE_POSTING")
        .map(|finding| finding["what"].as_str().unwrap())
        .collect();
    assert_eq!(late.len(), 1, "{late:?}");
    for part in [
        "2024-03 is closed, and entry ",
        " of 2024-03-29 came later: 250000, document ",
        "entered on 2024-04-18 by JUMIA\\A.DIALLO",
    ] {
        assert!(late[0].contains(part), "{part} in {}", late[0]);
    }
}

/// A drift that somebody bends is not what judging again gives.
fn bent_drift(shell: &Shell, sealed: &str) {
    let bend = |reconciled: &mut Value| reconciled["drift"]["since"] = Value::from("2024-02");
    let found = "judging the month again gives something else";
    said(&bent(shell, sealed, bend), 1, found);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_month_takes_no_run_and_what_comes_late_into_it_is_named() {
    let shell = Shell::new();
    fs::write(shell.path("own.toml"), first_line_alone()).unwrap();
    let clean = ledger(SandboxConfig::default());
    month_of(&shell, clean.clone(), "2024-03", &ITEMS).await;
    let march = Month {
        shell: &shell,
        period: "2024-03",
    };
    let first = march.judged();
    assert!(first["drift"].is_null(), "nothing came before");
    assert!(first["since"].is_null(), "so that changes are not known");
    let (_, run) = march.seal();
    let close = |by: &str| march.ask("close", &["--run", &run, "--by", by]);
    said(&close("A. Mwangi"), 0, "A. Mwangi closed the month");
    let refused = "the month is final: A. Mwangi closed it on";
    said(&close("B. Diallo"), 2, refused);
    let closed = ["IPE_07,FINAL,1", "reconciliation,FINAL,1"];
    assert_eq!(march.published("IPE_07"), closed);
    let secrets = ["--secrets", "file:secrets", "--ipe", "CR_05"];
    said(
        &march.ask("run", &secrets),
        2,
        "2024-03 is final: A. Mwangi",
    );

    // F14 is dated into March and was entered in April.
    let late = ledger(planted(PlantProfile::Recon, &[]));
    month_of(&shell, late, "2024-04", &ITEMS).await;
    let april = Month {
        shell: &shell,
        period: "2024-04",
    };
    let judged = april.judged();
    came_late(&judged);
    moved(&judged);
    assert_eq!(judged["since"]["period"], "2024-03");
    assert_eq!(judged["since"]["is_final"], true);

    // What was judged while March was closed stays so when March is opened again.
    let (sealed, _) = april.seal();
    said(&shell.run(&["verify", &sealed]), 0, "VALID");
    bent_drift(&shell, &sealed);
    let silent = |reconciled: &mut Value| reconciled["finals"] = Value::Array(vec![]);
    said(
        &bent(&shell, &sealed, silent),
        1,
        "the months that were closed are not those of the evidence",
    );
    said(&march.reopen("a. mwangi "), 2, "somebody else must approve");
    said(&march.reopen(" "), 2, "--approver is empty");
    said(&march.reopen("B. Diallo"), 0, "opened the month again");
    said(&shell.run(&["verify", &sealed]), 0, "VALID");
    let findings = april.judged()["result"]["findings"].clone();
    let is_late = |finding: &Value| finding["code"] == "LATE_POSTING";
    assert!(!findings.as_array().unwrap().iter().any(is_late));
    let opened = ["IPE_07,SUPERSEDED,1", "reconciliation,SUPERSEDED,1"];
    assert_eq!(march.published("IPE_07"), opened);
    month_of(&shell, clean, "2024-03", &["CR_05"]).await;
    said(&march.ask("history", &[]), 0, "PRELIMINARY");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_month_is_closed_when_every_exception_has_a_word_and_nothing_is_open() {
    let shell = Shell::new();
    fs::write(shell.path("own.toml"), first_line_alone()).unwrap();
    let ledger = ledger(planted(PlantProfile::Recon, &["F02", "F03", "F04"]));
    month_of(&shell, ledger.clone(), "2024-04", &ITEMS).await;
    let april = Month {
        shell: &shell,
        period: "2024-04",
    };
    let unsealed = "20240501T090000Z-1a2b3c4d";
    said(
        &april.ask("close", &["--run", unsealed, "--by", "A. Mwangi"]),
        2,
        "has sealed no judgement",
    );
    let whole = april.ask("reconcile", &["--seal"]);
    let (_, open) = whole
        .err
        .lines()
        .next()
        .unwrap()
        .rsplit_once("run=")
        .unwrap();
    let closed = april.ask("close", &["--run", open, "--by", "A. Mwangi"]);
    said(&closed, 2, "L2 EC_NG is not concluded");

    let (_, run) = april.seal();
    let close = || april.ask("close", &["--run", &run, "--by", "A. Mwangi"]);
    said(&close(), 2, "L1 EC_NG 13003 has no disposition");
    let dispose = |gl: &str, company: &str| april.dispose(&run, company, gl);
    said(&dispose("13004", "EC_NG"), 2, "L1 EC_NG 13004 is OK");
    said(&dispose("13003", "EC_XX"), 2, "there is no L1 EC_XX 13003");
    said(
        &dispose("13003", "EC_NG"),
        0,
        "1,650,000.00 Dr: adjust, booked in May",
    );
    let sign = [
        "--run",
        &run,
        "--role",
        "reviewed",
        "--by",
        "C. Okafor",
        "--comment",
        "seen",
    ];
    said(&april.ask("sign", &sign), 0, "C. Okafor signed as reviewed");

    // Rates that were read again are not those that were judged: what is judged anew can be closed, and words hold.
    month_of(&shell, ledger, "2024-04", &["CR_05"]).await;
    said(&close(), 2, "CR_05 was run again since (");
    said(
        &close(),
        2,
        "judge it again with `soxauto reconcile --seal`",
    );
    let (_, run) = april.seal();
    let again = ["--run", &run, "--by", "A. Mwangi"];
    said(&april.ask("close", &again), 0, "A. Mwangi closed the month");
    let history = april.ask("history", &[]);
    said(&history, 0, "FINAL no. 1");
    assert_eq!(history.out.lines().count(), 5, "{}", history.out);
}
