//! April 2024 with all planted differences of the control, made from values: what page, workbook and tables are tested on.
//!
//! Names the crate from outside, so that unit tests and integration tests share it.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use soxauto::domain::amount::Amount;
use soxauto::domain::check::{Acceptance, Verdict};
use soxauto::domain::ids::{IpeId, RunId};
use soxauto::domain::reconcile::contract::ReconciliationContract;
use soxauto::domain::reconcile::evaluate::{
    BridgeSums, InputState, Inputs, Place, TargetPlace, TargetSum, evaluate,
};
use soxauto::domain::reconcile::fx::Rates;
use soxauto::domain::reconcile::result::{Code, ReconcileFinding, Reconciliation, RowRef, Status};
use soxauto::domain::reconcile::statement::{
    Change, Decision, Disposition, Input, InputVerdicts, MonthState, Role, SignOff, Statement,
};
use soxauto::domain::reconcile::threshold::Thresholds;
use soxauto::domain::reconcile::zero::{ZeroCheck, ZeroDifference};
use soxauto::domain::run::{ItemStatus, Program, Stamp};

const CONTRACT: &str = include_str!("../../../data/rules/reconciliation/v1.toml");
const DEFAULTS: &str = include_str!("../../../data/thresholds/DEFAULT/v1.toml");
const EGYPT: &str = include_str!("../../../data/thresholds/EG/v1.toml");
const RATES: &str = "EC_NG 1650, EC_KE 130, EC_IC 600, HF_SN 600, JD_GH 13.5, JD_UG 3800, JD_DZ 134.5, JM_EG 48.9, EC_MA 10.1";
const ITEMS: &str = "CR_03 CR_04 CR_05 IPE_07 IPE_08 IPE_08_TIMING IPE_08_USAGE IPE_10 IPE_11 IPE_12 IPE_31 IPE_34 JDASH";
const SINCE: &str = r#"{"period":"2024-03","run_id":"20240403T090000Z-0badcafe","is_final":true,"binary_sha256":"9c1e2f4a"}"#;
/// Company, account, what the ledger has and the sources have not.
const LEDGER_ONLY: [(&str, &str, &str); 14] = [
    ("EC_NG", "13003", "1650000.00"),
    ("JD_GH", "13003", "-20000.00"),
    ("JD_GH", "13004", "20000.00"),
    ("EC_IC", "13003", "1200000"),
    ("EC_MA", "13005", "-15000.00"),
    ("EC_IC", "18350", "800000"),
    ("EC_KE", "18317", "200000.00"),
    ("HF_SN", "18412", "-900000"),
    ("EC_MA", "18412", "-5000.00"),
    ("EC_IC", "13001", "1000000"),
    ("HF_SN", "13001", "-1000000"),
    ("EC_NG", "18412", "-2100000.00"),
    ("JM_EG", "18412", "-55000.00"),
    ("EC_KE", "13004", "129999.99"),
];

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn wide(text: &str) -> Amount {
    amount(text).rescale(20).unwrap()
}

fn item(name: &str) -> IpeId {
    name.parse().unwrap()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Balances and targets of a month that ties, company by company.
struct Books {
    contract: ReconciliationContract,
    actuals: BTreeMap<Place, Amount>,
    targets: BTreeMap<TargetPlace, TargetSum>,
    items: BTreeMap<IpeId, InputState>,
    bridges: BTreeMap<String, BridgeSums>,
}

impl Books {
    fn tied() -> Self {
        let contract = ReconciliationContract::read("v1.toml", CONTRACT).unwrap();
        let delivered = || contract.companies.keys().cloned().collect();
        let state = || InputState {
            delivered: delivered(),
            ..InputState::default()
        };
        let items = contract.items().into_iter().map(|item| (item, state()));
        let bridges = contract.lines.iter().flat_map(|line| line.bridges.clone());
        let bridges = bridges.map(|bridge| (bridge, BridgeSums::default()));
        let (items, bridges) = (items.collect(), bridges.collect());
        let mut books = Self {
            actuals: BTreeMap::new(),
            targets: BTreeMap::new(),
            items,
            bridges,
            contract,
        };
        let lines = books.contract.lines.clone();
        for (at, line) in (1_i128..).zip(&lines) {
            let companies: Vec<String> = books.contract.scope(line).map(str::to_owned).collect();
            for (nth, company) in (1_i128..).zip(companies) {
                for (place, gl) in (1_i128..).zip(&line.gls) {
                    let size = at * 7_310_457 + nth * 1_234_567 + place * 98_765;
                    let is_owed = gl.starts_with("183") || gl == "18412";
                    let sign = if is_owed { -1 } else { 1 };
                    let cents = Amount::new(sign * size * 1_013, 2)
                        .unwrap()
                        .rescale(20)
                        .unwrap();
                    books.add(&company, gl, cents);
                    let gl = line.is_split().then(|| gl.clone());
                    books.target(&line.targets[0].item, &company, gl, cents);
                }
            }
        }
        books
    }

    fn add(&mut self, company: &str, gl: &str, more: Amount) {
        let place = (company.to_owned(), gl.to_owned());
        let sum = self.actuals.entry(place).or_insert(Amount::zero(20));
        *sum = sum.checked_add(more).unwrap();
    }

    fn target(&mut self, item: &IpeId, company: &str, gl: Option<String>, more: Amount) {
        let place = TargetPlace {
            item: item.clone(),
            company: company.to_owned(),
            gl,
        };
        let none = TargetSum {
            amount: Amount::zero(20),
            rows: 0,
        };
        let sum = self.targets.entry(place).or_insert(none);
        sum.amount = sum.amount.checked_add(more).unwrap();
        sum.rows += 1_207;
    }

    fn bridge(&mut self, bridge: &str, company: &str, sum: &str) {
        let sums = self.bridges.get_mut(bridge).unwrap();
        sums.amounts.insert(company.to_owned(), wide(sum));
    }

    fn judged(&self, rates: &[(String, Option<Amount>)]) -> Reconciliation {
        evaluate(Inputs {
            contract: &self.contract,
            thresholds: &Thresholds::read([("DEFAULT", DEFAULTS), ("EG", EGYPT)]).unwrap(),
            period: "2024-04".parse().unwrap(),
            actuals: &self.actuals,
            targets: &self.targets,
            bridges: &self.bridges,
            rates: &Rates::read(rates.iter().cloned()),
            items: &self.items,
        })
        .unwrap()
    }
}

fn rates(without: &[&str]) -> Vec<(String, Option<Amount>)> {
    let rates = RATES.split(", ").map(|one| one.split_once(' ').unwrap());
    rates
        .filter(|(company, _)| !without.contains(company))
        .map(|(company, rate)| (company.to_owned(), Some(amount(rate))))
        .collect()
}

/// A month in which everything ties and everybody signed.
pub(crate) fn clean() -> Statement {
    let mut statement = statement(Books::tied().judged(&rates(&[])));
    statement.stamps.clear();
    statement.result.unconfirmed.clear();
    statement.accepted.clear();
    statement.changes.clear();
    for check in &mut statement.zero_checks {
        check.verdict = Verdict::Pass;
        check.differences.clear();
    }
    for input in &mut statement.inputs {
        input.verdicts.all = Verdict::Pass;
    }
    statement
}

/// A month of which only the customer ledger was run.
pub(crate) fn sparse() -> Statement {
    let mut books = Books::tied();
    books
        .items
        .retain(|item, _| ["CR_04", "CR_05", "IPE_07"].contains(&item.as_str()));
    books
        .targets
        .retain(|place, _| place.item.as_str() == "IPE_07");
    books.bridges.clear();
    let mut statement = statement(books.judged(&rates(&[])));
    statement
        .inputs
        .retain(|input| ["CR_04", "CR_05", "IPE_07"].contains(&input.item.as_str()));
    statement
}

/// The month with every planted difference, closed, and reviewed.
pub(crate) fn planted() -> Statement {
    let mut books = Books::tied();
    for (company, gl, more) in LEDGER_ONLY {
        books.add(company, gl, wide(more));
    }
    books.add("JD_UG", "18350", wide("40000000"));
    books.add("EC_MA", "18350", amount("0.00000000000000000001"));
    books.add("AT_TN", "18317", wide("-48120.50"));
    books.add("EC_NG", "18397", wide("-3100000"));
    books.add("EC_CM", "13003", wide("77000"));
    books.target(
        &item("IPE_07"),
        "JM_EG",
        Some("13009".to_owned()),
        wide("-60000.00"),
    );
    let place = |place: &TargetPlace| place.item.as_str() == "IPE_31" && place.company == "EC_KE";
    books.targets.retain(|at, _| !place(at));
    let collections = books.items.get_mut(&item("IPE_31")).unwrap();
    collections.delivered.remove("EC_KE");
    let of_kenya = ["13001", "13002", "13011", "13012"];
    let actuals = &mut books.actuals;
    actuals.retain(|(company, gl), _| company != "EC_KE" || !of_kenya.contains(&gl.as_str()));
    books.add("EC_KE", "13001", wide("3900000.00"));
    if books.bridges.contains_key("B1") {
        books.bridge("B1", "EC_NG", "-2100000.00");
        books.bridge("B2", "EC_MA", "-20000.00");
        books.bridge("B2", "JM_EG", "-55000.00");
    }
    let mut rates = rates(&["JD_UG"]);
    rates.push(("JD_DZ".to_owned(), Some(amount("134.9"))));
    rates.push(("JD_UG".to_owned(), None));
    let mut result = books.judged(&rates);
    let late = |what: &str| ReconcileFinding {
        code: Code::LatePosting,
        place: "JD_DZ 13003".to_owned(),
        what: what.to_owned(),
    };
    result.report([
        late("entry 8812345 of 2024-03-29, created 2024-04-18 by NAV\\ACCOUNT7: 250000.00 DZD"),
        ReconcileFinding {
            code: Code::Scope,
            place: "IPE_07 EC_IC".to_owned(),
            what: "posting group B2C-NEW is not approved: 12 rows, 1200000 XOF".to_owned(),
        },
    ]);
    explain(&mut result);
    let mut statement = statement(result);
    statement.state = MonthState::Final {
        number: 2,
        supersedes: "20240502T090000Z-00c0ffee".parse().ok(),
    };
    let fingerprint = statement.fingerprint().unwrap();
    said(&mut statement);
    statement.sign_offs = vec![
        signed(Role::Prepared, "a.diallo@example.org", &fingerprint),
        signed(Role::Reviewed, "c.mensah@example.org", &"0".repeat(64)),
    ];
    statement
}

/// Rows, ages and owners, as matching and the rules give them.
fn explain(result: &mut Reconciliation) {
    for (at, line) in (0_u32..).zip(&mut result.lines) {
        line.owner = Some(format!("team {}", line.id));
        let item = line.items[0].clone();
        for bucket in &mut line.buckets {
            if bucket.status == Status::Ok {
                continue;
            }
            bucket.age_months = Some(at * 3);
            bucket.rows = vec![RowRef {
                item: item.clone(),
                key: vec![bucket.company.clone(), format!("88{at}1207")],
                amount: bucket.unexplained,
            }];
        }
    }
}

fn said(statement: &mut Statement) {
    for (line, company, gl, unexplained, decision) in [
        ("L1", "EC_NG", Some("13003"), "1650000.00", Decision::Adjust),
        (
            "L1",
            "JM_EG",
            Some("13009"),
            "60000.00",
            Decision::CarryForward,
        ),
        ("L5", "EC_KE", None, "200000.00", Decision::Accept),
    ] {
        statement.dispositions.push(Disposition {
            line: line.to_owned(),
            company: company.to_owned(),
            gl: gl.map(str::to_owned),
            unexplained: amount(unexplained),
            decision,
            text: "manual entry NGM-2024-0417, to be reversed in May".to_owned(),
            by: "c.mensah@example.org".to_owned(),
            at: moment("2024-05-03T14:05:00Z"),
        });
    }
}

fn signed(role: Role, by: &str, fingerprint: &str) -> SignOff {
    SignOff {
        role,
        by: by.to_owned(),
        at: moment("2024-05-03T15:30:00Z"),
        fingerprint: fingerprint.to_owned(),
        comment: String::new(),
    }
}

fn statement(result: Reconciliation) -> Statement {
    let run_id: RunId = "20240503T090000Z-1a2b3c4d".parse().unwrap();
    let inputs = (1_u64..).zip(ITEMS.split(' ')).map(|(nth, name)| {
        let passed = |is| if is { Verdict::Pass } else { Verdict::NotRun };
        let total = Amount::new(i128::from(nth) * 98_765_432_109, 2).unwrap();
        let totals = (name != "CR_05").then(|| ("amount".to_owned(), total));
        Input {
            item: item(name),
            title: format!("What {name} is"),
            run_id: Some(run_id.clone()),
            status: Some(ItemStatus::Success),
            manifest_sha256: Some("5f".repeat(32)),
            rows: Some(nth * 1_048_576),
            totals: totals.into_iter().collect(),
            schema: None,
            refreshed_at: NaiveDate::from_ymd_opt(2024, 5, 1).and_then(|d| d.and_hms_opt(2, 14, 0)),
            verdicts: InputVerdicts {
                transfer: Verdict::Pass,
                population: passed(name != "JDASH"),
                accuracy_positive: Verdict::Pass,
                accuracy_negative: Verdict::NotApplicable,
                all: passed(name != "JDASH"),
            },
            digest: Some("c0ffee00deadbeef".repeat(4)),
        }
    });
    let change = |what: &str, before: &str, now: &str| Change {
        what: what.to_owned(),
        before: Some(before.to_owned()),
        now: Some(now.to_owned()),
    };
    Statement {
        inputs: inputs.collect(),
        run_id,
        state: MonthState::Preliminary,
        stamps: vec![Stamp::SandboxSource],
        program: Program {
            version: "0.1.0".to_owned(),
            commit: "0123abcd".to_owned(),
            dirty: false,
            binary_sha256: "ab".repeat(32),
        },
        zero_checks: zero_checks(),
        accepted: vec![Acceptance {
            check: "population.sequence".to_owned(),
            reason: "numbers 4711 to 4713 were never issued".to_owned(),
            approver: "controller@example.org".to_owned(),
        }],
        pins: BTreeMap::new(),
        since: serde_json::from_str(SINCE).unwrap(),
        changes: vec![
            change("query of IPE_12", "1f0c9a2b7d5e", "77aa01c9be42"),
            change("thresholds of EG", "v1", "v2"),
            change("binary", "9c1e2f4a", "abababab"),
        ],
        drift: None,
        result,
        dispositions: Vec::new(),
        sign_offs: Vec::new(),
        beside_sha256: None,
    }
}

fn zero_checks() -> Vec<ZeroCheck> {
    let check = |id: &str, title: &str, verdict, what: &str| ZeroCheck {
        id: id.to_owned(),
        title: title.to_owned(),
        verdict,
        what: what.to_owned(),
        differences: Vec::new(),
    };
    let rolled = "last month's balances and the entries of the month make this month's";
    let mut first = check("Z1", rolled, Verdict::Fail, "1 of 117 places differ");
    first.differences.push(ZeroDifference {
        company: "JD_DZ".to_owned(),
        gl: "13003".to_owned(),
        expected: wide("1000000"),
        found: wide("1250000"),
        difference: wide("250000"),
    });
    vec![
        first,
        check("Z2", "entries make balances", Verdict::Pass, "EC_NG 13003"),
        check("Z3", "sources are fresh", Verdict::Pass, "2 items"),
    ]
}
