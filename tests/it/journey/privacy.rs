//! What stands in a row, and what opens the source, is nowhere but where it belongs, however loud the log.

use std::path::{Path, PathBuf};

use serde_json::Value;
use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::ports::{Cell, Warehouse as _};

use super::collect;
use crate::cli::{Said, Shell};
use crate::sandbox_ledger::Served;
use crate::support::odbc_parts;

/// A name in a row; the item's contract marks its column as personal.
const SENTINEL: &str = "Sentinel O'Mally 4711";

fn example(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/examples/shop")
        .join(part)
}

/// An item over the example's table, with changes to its files.
fn item(shell: &Shell, id: &str, query: &[(&str, &str)], contract: &[(&str, &str)]) {
    let folder = shell.path("catalog").join(id);
    std::fs::create_dir_all(&folder).unwrap();
    let id = format!("id = \"{id}\"");
    let contract = [&[("id = \"PAYMENTS\"", id.as_str())], contract].concat();
    for (name, changes) in [("query.sql", query), ("ipe.toml", &contract)] {
        let mut text = std::fs::read_to_string(example("catalog/PAYMENTS").join(name)).unwrap();
        for (old, new) in changes {
            assert!(text.contains(old), "{name}: {old}");
            text = text.replace(old, new);
        }
        std::fs::write(folder.join(name), text).unwrap();
    }
}

/// The table, with the sentinel in two columns of two rows.
fn table(shell: &Shell) {
    let folder = shell.path("tables/Shop/dbo");
    std::fs::create_dir_all(&folder).unwrap();
    let types = std::fs::read_to_string(example("tables/Shop/dbo/Payments.toml")).unwrap();
    std::fs::write(folder.join("Payments.toml"), types).unwrap();
    let rows = format!(
        "PaymentNo;Company;PaidOn;Amount;Currency;Customer;Memo\n\
         1;EC_NG;2024-04-02;1250.00;NGN;{SENTINEL};{SENTINEL}\n2;EC_NG;2024-04-03;7;NGN;{SENTINEL};{SENTINEL}\n"
    );
    std::fs::write(folder.join("Payments.csv"), rows).unwrap();
}

/// Every item at the loudest log.
fn run(shell: &Shell, connection: &str) -> Said {
    let loud = [
        ("RUST_LOG", "trace"),
        ("SOXAUTO_LOG", "trace"),
        ("DB_CREDENTIALS_SHOP", connection),
    ];
    shell.run_with(
        &[
            "run",
            "--log",
            "trace",
            "--period",
            "2024-04",
            "--catalog",
            "catalog",
            "--secrets",
            "env",
            "--json",
        ],
        &loud,
    )
}

/// Whether a text stands in bytes, as UTF-8, as the wire has it, or as a debug print of its bytes.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wire: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let listed = format!("{:?}", text.as_bytes());
    let printed = listed.trim_matches(['[', ']']);
    [text.as_bytes(), &wire, printed.as_bytes()]
        .iter()
        .any(|needle| bytes.windows(needle.len()).any(|window| window == *needle))
}

/// Everything that was said or written, by name, rows aside.
fn traces(shell: &Shell, said: &Said) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    collect(&shell.path("out"), &mut found);
    let rows = |name: &str| name.ends_with(".parquet");
    let outside = |name: &str| !name.contains("/out/staging/") && !name.contains("/out/warehouse/");
    assert!(
        !found.iter().any(|(name, _)| rows(name) && outside(name)),
        "rows lie outside"
    );
    let files = found.into_iter().filter(|(name, _)| !rows(name));
    let mut traces: Vec<_> = files
        .map(|(name, _)| (name.clone(), std::fs::read(name).unwrap()))
        .collect();
    traces.push(("stdout".into(), said.out.clone().into_bytes()));
    traces.push(("stderr".into(), said.err.clone().into_bytes()));
    traces
}

/// Nothing that was said or written holds a value, a connection string or, evidence of access aside, the user.
fn assert_silent(shell: &Shell, said: &Said, user: &str) {
    let traces = traces(shell, said);
    assert!(
        traces.len() > 60,
        "every package was looked at: {}",
        traces.len()
    );
    for (name, bytes) in &traces {
        // The password of the stand-in is a word that stands everywhere, so its place in the string is looked for.
        for (what, text) in [
            ("a value of a row", SENTINEL),
            ("a password", "PWD"),
            ("a user", "UID="),
        ] {
            assert!(!holds(bytes, text), "{name} holds {what}");
        }
        // Who read is evidence of access, as the server says it, and nowhere else.
        let evidence = ["data/access.json", "data/record.json", "data/summary.md"];
        let is_evidence = evidence.iter().any(|evidence| name.ends_with(evidence));
        assert!(is_evidence || !holds(bytes, user), "{name} names the user");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_of_a_row_is_only_where_rows_are() {
    let shell = Shell::new();
    table(&shell);
    let tables = shell.path("tables");
    let served = Served::start(shell.dir.path(), &["--data", tables.to_str().unwrap()]);
    item(&shell, "GOOD", &[], &[]);
    // The server refuses a conversion and quotes the value, in the select list and in the filter.
    item(
        &shell,
        "CONVERT",
        &[(
            "    p.[Currency],",
            "    CAST(CAST(p.[Customer] AS int) AS varchar(3)) AS [Currency],",
        )],
        &[],
    );
    item(
        &shell,
        "FAILING",
        &[(
            "AND p.[PaidOn] <",
            "AND CAST(p.[Memo] AS int) = 1 AND p.[PaidOn] <",
        )],
        &[],
    );
    // A personal key that is repeated is a finding that names the key.
    item(
        &shell,
        "TWICE",
        &[],
        &[("key = [\"payment_no\"]", "key = [\"customer\"]")],
    );
    let said = run(&shell, &served.odbc);
    let result: Value =
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
    let of = |id: &str| result["ipe_results"][id].clone();
    assert_eq!(of("GOOD")["status"], "SUCCESS", "{result:#}");
    for id in ["CONVERT", "FAILING"] {
        let message = of(id)["error_message"].as_str().unwrap().to_owned();
        assert!(message.contains("error 245"), "{id}: {message}");
    }
    assert_eq!(of("TWICE")["status"], "FAILED", "{result:#}");
    let message = of("TWICE")["error_message"].as_str().unwrap().to_owned();
    assert!(message.contains("customer = (personal)"), "{message}");
    assert!(said.err.lines().count() > 20, "the log is on: {}", said.err);

    assert_silent(&shell, &said, &odbc_parts(&served.odbc)[2]);
    // The rows themselves are whole, and looking masks them.
    let root = |name: &str| store::open(shell.path("out").join(name).to_str().unwrap()).unwrap();
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let sql = "SELECT customer FROM pg01_validated_ipe_good ORDER BY payment_no";
    let rows = warehouse.rows(sql, 10).await.unwrap().rows;
    assert_eq!(rows, vec![vec![Cell::Text(SENTINEL.into())]; 2]);
    let looked = shell.run(&[
        "--log",
        "trace",
        "inspect",
        "pg01_validated_ipe_good",
        "--catalog",
        "catalog",
    ]);
    assert_eq!(looked.code, 0, "{}", looked.err);
    assert!(!holds((looked.out + &looked.err).as_bytes(), SENTINEL));
}

#[test]
fn a_login_that_is_refused_leaves_neither_user_nor_password() {
    let shell = Shell::new();
    table(&shell);
    let tables = shell.path("tables");
    let served = Served::start(shell.dir.path(), &["--data", tables.to_str().unwrap()]);
    item(&shell, "GOOD", &[], &[]);
    let [_, _, user, password, _]: [String; 5] = odbc_parts(&served.odbc).try_into().unwrap();
    let (right, wrong) = (
        format!("UID={user};PWD={{{password}}}"),
        "UID=sentinel_user;PWD={Sentinel}}Secret}",
    );
    assert!(served.odbc.contains(&right), "{}", served.odbc);
    let said = run(&shell, &served.odbc.replace(&right, wrong));
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(
        said.out.contains("check UID and PWD in the secret"),
        "{}",
        said.out
    );
    for (name, bytes) in traces(&shell, &said) {
        for secret in ["sentinel_user", "Sentinel}Secret", "Sentinel}}Secret"] {
            assert!(!holds(&bytes, secret), "{name} holds {secret}");
        }
    }
}

/// The twin: were a value written, this test would see it, in each of its forms.
#[test]
fn a_value_is_seen_in_every_form() {
    let wire: Vec<u8> = SENTINEL.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let listed = format!("bytes: {:?}", SENTINEL.as_bytes());
    for bytes in [format!("x{SENTINEL}y").as_bytes(), &wire, listed.as_bytes()] {
        assert!(holds(bytes, SENTINEL));
    }
    assert!(!holds(b"Sentinel", SENTINEL));
}

#[test]
fn a_company_that_is_personal_is_refused_before_anything_is_asked() {
    let shell = Shell::new();
    item(
        &shell,
        "WHO",
        &[],
        &[("company = \"company\"", "company = \"customer\"")],
    );
    let said = run(&shell, "DRIVER={x};SERVER=tcp:127.0.0.1,1;UID=u;PWD=p");
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.err.contains("`customer` is personal"), "{}", said.err);
}
