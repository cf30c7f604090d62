//! Data that nobody here made: Microsoft's AdventureWorks finance tables through the stand-in, to the last digit.
//!
//! The tables are not part of this repository. `scripts/test` finds them and runs this, or counts it as ignored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use soxauto::adapters::local_warehouse::LocalWarehouse;
use soxauto::adapters::store;
use soxauto::domain::amount::Amount;
use soxauto::domain::check::Verdict;
use soxauto::pipeline::record::ItemRecord;
use soxauto::pipeline::workflow::{IpeResult, WorkflowResult};
use soxauto::ports::{Cell, Warehouse};

use crate::cli::Shell;

/// Fraction digits of `Amount`.
const SCALE: u8 = 20;

fn written(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/adventureworks")
        .join(part)
}

/// The tables as a user lays them out: each CSV file in its folder, with its schema file.
fn lay_out(shell: &Shell) -> PathBuf {
    let source = std::env::var_os("SOXAUTO_ADVENTUREWORKS").expect(
        "SOXAUTO_ADVENTUREWORKS must name the folder with FactFinance.csv; scripts/test finds it",
    );
    let to = shell.dir.path().join("tables/AdventureWorksDW/dbo");
    fs::create_dir_all(&to).unwrap();
    for schema in fs::read_dir(written("schemas")).unwrap() {
        let schema = schema.unwrap().path();
        let table = schema.with_extension("csv");
        let table = table.file_name().unwrap();
        fs::copy(Path::new(&source).join(table), to.join(table)).unwrap();
        fs::copy(&schema, to.join(schema.file_name().unwrap())).unwrap();
    }
    to
}

fn amount(text: &str) -> Amount {
    text.parse::<Amount>().unwrap().rescale(SCALE).unwrap()
}

/// Number and sum of the facts per scenario and month, added up here from the text of the file.
fn by_hand(tables: &Path) -> BTreeMap<(String, i64), (i64, Amount)> {
    let text = fs::read_to_string(tables.join("FactFinance.csv")).unwrap();
    let mut sums = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let scenario = ["Actual", "Budget"][fields[4].parse::<usize>().unwrap() - 1];
        let month = fields[1].parse::<i64>().unwrap() / 100;
        let (facts, sum) = sums
            .entry((scenario.to_owned(), month))
            .or_insert((0, Amount::zero(SCALE)));
        *facts += 1;
        *sum = sum.checked_add(amount(fields[6])).unwrap();
    }
    sums
}

/// Runs items of a month and gives their records.
fn run(shell: &Shell, period: &str, items: &str) -> BTreeMap<String, ItemRecord> {
    let catalog = written("catalog");
    let mut arguments = vec!["run", "--period", period, "--ipe", items, "--json"];
    arguments.extend([
        "--catalog",
        catalog.to_str().unwrap(),
        "--sandbox-data",
        "tables",
    ]);
    let said = shell.run(&arguments);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let result: WorkflowResult = serde_json::from_str(&said.out).unwrap();
    let record = |item: &IpeResult| {
        let verdicts = &item.validation_summary;
        assert!(verdicts.len() > 10, "every check was made");
        // Its catalog defines no populations, which is said and not passed over.
        let fine = |verdict: &Verdict| matches!(verdict, Verdict::Pass | Verdict::NotApplicable);
        assert!(verdicts.values().all(fine));
        let package = item.evidence.as_deref().unwrap();
        let verified = shell.run(&["verify", package]);
        assert_eq!(verified.code, 0, "{}", verified.out);
        let path = Path::new(package.trim_start_matches("file://")).join("data/record.json");
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let items = result.ipe_results.iter();
    items
        .map(|(name, item)| (name.clone(), record(item)))
        .collect()
}

/// Rows and last sum of a scenario: what the server counted, what was decoded, what stands in the warehouse.
fn totals(record: &ItemRecord, scenario: &str) -> (u64, Amount) {
    let group = &record.source_totals.as_ref().unwrap().groups[scenario];
    assert_eq!(
        group,
        &record.staged.as_ref().unwrap().totals.groups[scenario]
    );
    assert_eq!(
        group,
        &record.read_back.as_ref().unwrap().totals.groups[scenario]
    );
    (group.rows, *group.sums.last().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SOXAUTO_ADVENTUREWORKS, the folder of Microsoft's finance tables, which are not part of this repository"]
async fn adventureworks_comes_out_to_the_last_digit() {
    let shell = Shell::new();
    let by_hand = by_hand(&lay_out(&shell));
    let january = run(&shell, "2011-01", "AW_FINANCE");
    assert_eq!(
        totals(&january["AW_FINANCE"], "Actual").1,
        amount("20970128.620000000105919")
    );
    assert_eq!(
        totals(&january["AW_FINANCE"], "Budget").1,
        amount("3661640.0")
    );

    let all = run(&shell, "2013-12", "AW_FINANCE,AW_FINANCE_MONTHS,AW_RATES");
    let december = totals(&all["AW_FINANCE"], "Actual");
    assert_eq!(december.1, amount("-3102.40000000000168"));
    assert_eq!(
        i64::try_from(december.0),
        Ok(by_hand[&("Actual".into(), 201_312)].0)
    );
    let months = &all["AW_FINANCE_MONTHS"];
    for (scenario, facts, sum) in [
        ("Actual", 34_563, "1316228562.6999999990684979"),
        ("Budget", 4_846, "42411850.0"),
    ] {
        assert_eq!(totals(months, scenario).1, amount(sum), "{scenario}");
        let group = &months.source_totals.as_ref().unwrap().groups[scenario];
        assert_eq!(group.sums[0].units(), facts, "{scenario}");
    }
    let rates = all["AW_RATES"].source_totals.as_ref().unwrap();
    assert!(rates.groups.len() > 5 && rates.rows() > 300, "{rates:?}");

    let root = |name: &str| {
        store::open(shell.dir.path().join("out").join(name).to_str().unwrap()).unwrap()
    };
    let warehouse = LocalWarehouse::new(&root("warehouse"), root("staging")).unwrap();
    let sql = "SELECT scenario, month, facts, amount FROM pg01_validated_ipe_aw_finance_months";
    let loaded = warehouse.rows(sql, 1_000).await.unwrap().rows;
    let loaded: BTreeMap<_, _> = loaded
        .iter()
        .map(|row| match row.as_slice() {
            [
                Cell::Text(scenario),
                Cell::Int(month),
                Cell::Int(facts),
                Cell::Decimal(sum),
            ] => ((scenario.clone(), *month), (*facts, *sum)),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(loaded, by_hand, "every month of every scenario");
}

/// Actual and budget by organization and account of a month, added up here from the text of the files.
fn compared_by_hand(tables: &Path, month: i64) -> BTreeMap<(String, String), [Amount; 2]> {
    let read = |name: &str| fs::read_to_string(tables.join(name)).unwrap();
    let dimension = |name: &str, of: usize| {
        let text = read(name);
        let rows = text.lines().map(|line| line.split('|').collect::<Vec<_>>());
        rows.map(|fields| (fields[0].to_owned(), fields[of].to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let organizations = dimension("DimOrganization.csv", 3);
    let accounts = dimension("DimAccount.csv", 2);
    let mut sums = BTreeMap::new();
    for line in read("FactFinance.csv").lines() {
        let fields: Vec<&str> = line.split('|').collect();
        if fields[1].parse::<i64>().unwrap() / 100 != month {
            continue;
        }
        let place = (
            organizations[fields[2]].clone(),
            accounts[fields[5]].clone(),
        );
        let sums = sums.entry(place).or_insert([Amount::zero(SCALE); 2]);
        let scenario = fields[4].parse::<usize>().unwrap() - 1;
        sums[scenario] = sums[scenario].checked_add(amount(fields[6])).unwrap();
    }
    sums
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs SOXAUTO_ADVENTUREWORKS, the folder of Microsoft's finance tables, which are not part of this repository"]
async fn adventureworks_actual_against_budget_is_the_files_own_arithmetic() {
    let shell = Shell::new();
    let tables = lay_out(&shell);
    let contract = written("budget.toml");
    for (period, month) in [
        ("2011-01", 201_101),
        ("2011-08", 201_108),
        ("2013-02", 201_302),
    ] {
        run(&shell, period, "AW_ACTUAL,AW_BUDGET,AW_CLOSING");
        let by_hand = compared_by_hand(&tables, month);
        let mut arguments = vec!["reconcile", "--period", period, "--format", "json"];
        arguments.extend(["--contract", contract.to_str().unwrap()]);
        let said = shell.run(&arguments);
        let result: serde_json::Value =
            serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}{}", said.out, said.err));
        let lines = result["result"]["lines"].as_array().unwrap();
        let buckets = lines
            .iter()
            .flat_map(|line| line["buckets"].as_array().unwrap());
        let exact = |value: &serde_json::Value| value.as_str().map(amount);
        let mut compared = 0;
        let mut found = BTreeMap::new();
        for bucket in buckets {
            let text = |name: &str| bucket[name].as_str().unwrap().to_owned();
            let place = (text("company"), text("gl"));
            let zero = Amount::zero(SCALE);
            let [actual, budget] = by_hand.get(&place).copied().unwrap_or([zero; 2]);
            if bucket["status"] == "NOT_CONCLUDED" {
                // No budget was made for most months and organizations, which is not a budget of zero.
                let of_company = || {
                    by_hand
                        .iter()
                        .filter(|((company, _), _)| *company == place.0)
                };
                let has_none = |side: usize| of_company().all(|(_, sums)| sums[side].units() == 0);
                assert!(has_none(0) || has_none(1), "{bucket}");
                let sides = [&bucket["actual"], &bucket["target"]];
                assert!(sides.iter().any(|side| side.is_null()), "{bucket}");
                continue;
            }
            let opposite = Amount::new(-budget.units(), SCALE).unwrap();
            let variance = actual.checked_add(opposite).unwrap();
            for (name, expected) in [
                ("actual", actual),
                ("target", budget),
                ("variance", variance),
            ] {
                let found = exact(&bucket[name]).unwrap_or(zero);
                assert_eq!(found, expected, "{place:?} {name}");
            }
            compared += usize::from(variance.units() != 0);
            found.insert(place, ());
        }
        if month == 201_302 {
            assert!(said.out.contains("NOT_CONCLUDED"));
            continue;
        }
        assert!(compared > 100, "{compared} variances");
        let money = by_hand
            .keys()
            .filter(|(_, account)| account.as_str() < "9000");
        assert!(money.clone().all(|place| found.contains_key(place)));
        let left = result["result"]["not_covered"].as_array().unwrap();
        assert!(left.iter().all(|one| one["gl"].as_str().unwrap() > "9000"));
        assert!(!left.is_empty(), "heads and units are listed, not compared");
    }
}
