//! Who may do what: the table of each guide, its commands and Terraform name the same roles for the same accounts.

use std::collections::{BTreeMap, BTreeSet};

use super::{between, commands, terraform, text};

/// An account of the table and a role of Google's.
type Grants = BTreeSet<(String, String)>;

fn pair(who: &str, role: &str) -> (String, String) {
    (who.to_owned(), role.to_owned())
}

/// The grants of commands: `--member="…$WHO" --role="…"` of gcloud and `` GRANT `…` … TO "…$WHO" `` of BigQuery.
fn of_commands(lines: &[String]) -> Grants {
    let mut found = Grants::new();
    for line in lines.iter().filter(|line| line.contains("roles/")) {
        let line = line.replace("\\\"", "\"").replace("\\`", "`");
        let role = match between(&line, "--role=\"", '"').first() {
            Some(role) => *role,
            None => between(&line, "GRANT `", '`')[0],
        };
        let member = match between(&line, "--member=\"", '"').first() {
            Some(member) => *member,
            None => between(&line, " TO \"", '"')[0],
        };
        let who = member.trim_start_matches("serviceAccount:");
        let who = who
            .strip_prefix('$')
            .unwrap_or_else(|| panic!("a member without a name: {line}"));
        found.insert(pair(&who.to_lowercase(), role));
    }
    found
}

/// The grants of Terraform's lists.
fn of_terraform(text: &str) -> Grants {
    let found: Grants = between(text, "{ who = \"", '}')
        .iter()
        .map(|grant| {
            let who = grant.split('"').next().unwrap();
            pair(who, between(grant, "role = \"", '"')[0])
        })
        .collect();
    let roles: BTreeSet<_> = between(text, "\"roles/", '"').into_iter().collect();
    for role in roles {
        let listed = found
            .iter()
            .any(|(_, listed)| listed == &format!("roles/{role}"));
        assert!(listed, "roles/{role} stands outside the lists of iam.tf");
    }
    found
}

/// The grants of a guide's table, each with a reason.
fn of_table(page: &str) -> Grants {
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains("| roles/"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(
            cells.len() == 4 && !cells[3].is_empty(),
            "a grant without a reason: {row}"
        );
        pair(cells[0], cells[1])
    })
    .collect()
}

fn of_all_commands() -> Grants {
    let mut lines = commands(&text("README.md"));
    lines.extend(commands(&text("network.md")));
    of_commands(&lines)
}

#[test]
fn commands_terraform_and_both_tables_grant_the_same() {
    let granted = of_all_commands();
    assert!(granted.len() > 20, "{granted:?}");
    assert_eq!(granted, of_terraform(&terraform()));
    assert_eq!(granted, of_table(&text("README.md")));
    assert_eq!(granted, of_table(&text("LISEZMOI.md")));
}

#[test]
fn a_grant_more_or_less_is_seen_on_each_side() {
    let (page, terraform) = (text("README.md"), terraform());
    let granted = of_all_commands();
    let dropped = terraform.replacen(
        "{ who = \"auditor\", role = \"roles/logging.viewer\" },",
        "",
        1,
    );
    assert_ne!(granted, of_terraform(&dropped));
    let widened = terraform.replacen("roles/bigquery.dataViewer", "roles/bigquery.dataOwner", 1);
    assert_ne!(granted, of_terraform(&widened));
    let other_account = page.replacen(
        "| scheduler | roles/run.invoker",
        "| auditor | roles/run.invoker",
        1,
    );
    assert_ne!(granted, of_table(&other_account));
    let mut lines = commands(&page);
    lines.push(
        "gcloud x --member=\"serviceAccount:$AUDITOR\" --role=\"roles/storage.admin\"".to_owned(),
    );
    assert_ne!(granted, of_commands(&lines));
}

/// The roles that an account may have at most.
fn beyond(grants: &Grants, who: &str, allowed: &[&str]) -> Vec<String> {
    let roles = grants.iter().filter(|(account, _)| account == who);
    roles
        .map(|(_, role)| role.clone())
        .filter(|role| !allowed.contains(&role.as_str()))
        .collect()
}

/// Adds objects; neither deletes nor replaces one.
const CREATE: &str = "roles/storage.objectCreator";

/// None of these deletes or replaces an object, deploys, or changes a policy.
const RUNNER: [&str; 8] = [
    "roles/bigquery.jobUser",
    "roles/bigquery.dataEditor",
    "roles/logging.logWriter",
    "roles/secretmanager.secretAccessor",
    "roles/storage.objectCreator",
    "roles/storage.objectViewer",
    "roles/run.jobsExecutorWithOverrides",
    "roles/run.viewer",
];

/// None of these writes; a query job writes only its own answer.
const AUDITOR: [&str; 5] = [
    "roles/bigquery.jobUser",
    "roles/bigquery.dataViewer",
    "roles/logging.viewer",
    "roles/storage.objectViewer",
    "roles/storage.legacyBucketReader",
];

#[test]
fn the_runner_cannot_delete_or_deploy_and_the_auditor_only_reads() {
    let granted = of_all_commands();
    assert!(beyond(&granted, "runner", &RUNNER).is_empty());
    assert!(beyond(&granted, "auditor", &AUDITOR).is_empty());
    assert!(beyond(&granted, "scheduler", &["roles/run.invoker"]).is_empty());
    for people in ["closers", "uploaders"] {
        assert!(granted.contains(&pair(people, CREATE)), "{people}");
        let allowed = [CREATE, "roles/storage.objectViewer"];
        assert!(beyond(&granted, people, &allowed).is_empty(), "{people}");
    }
    let mut widened = granted.clone();
    widened.insert(pair("runner", "roles/storage.objectUser"));
    assert_eq!(
        beyond(&widened, "runner", &RUNNER),
        ["roles/storage.objectUser"]
    );
}

#[test]
fn only_the_build_bucket_gives_a_right_to_delete() {
    let lines = commands(&text("README.md"));
    let deletes = lines
        .iter()
        .filter(|line| line.contains("storage.objectUser"));
    let deletes: Vec<_> = deletes.collect();
    assert_eq!(deletes.len(), 1);
    assert!(deletes[0].contains("-soxauto-build\""), "{}", deletes[0]);
    let iam = text("terraform/iam.tf");
    for grant in between(&iam, "roles/storage.objectUser\"", '}') {
        assert!(grant.contains("on = \"build\""), "{grant}");
    }
}

/// Who may add to the evidence, and under which condition, by the commands: a command of a loop is for every bucket of it.
fn adds_to_evidence(lines: &[String]) -> BTreeMap<String, String> {
    let mut head = "";
    let mut found = BTreeMap::new();
    for line in lines {
        if line.starts_with("for ") || line == "done" {
            head = line;
        }
        let of_loop = line.contains("-soxauto-$bucket\"") && head.contains(" evidence");
        if line.contains(CREATE) && (line.contains("-soxauto-evidence\"") || of_loop) {
            let condition = between(line, "expression=", '"').first().copied();
            let member = between(line, "--member=\"", '"')[0].to_owned();
            found.insert(member, condition.unwrap_or("always").to_owned());
        }
    }
    found
}

/// What people do to a month is theirs to write, and whoever runs it cannot.
#[test]
fn below_months_the_closers_add_and_everywhere_else_the_runner() {
    let lines = commands(&text("README.md"));
    let expected: BTreeMap<_, _> = [
        ("$CLOSERS", "$MONTHS"),
        ("serviceAccount:$RUNNER", "$MONTHS == false"),
    ]
    .map(|(member, condition)| (member.to_owned(), condition.to_owned()))
    .into();
    assert_eq!(adds_to_evidence(&lines), expected);
    let iam = text("terraform/iam.tf");
    let granted = between(&iam, "evidence_grants = [", ']')[0];
    assert!(granted.contains("\"closers\"") && granted.contains("condition = local.months }"));
    assert!(granted.contains("\"runner\"") && granted.contains("\"${local.months} == false\""));
    let everywhere = format!("role = \"{CREATE}\", on = \"evidence\"");
    assert!(!iam.contains(&everywhere));
    // The folder is that of the program, in the bucket that its evidence lies in.
    let folder = format!("/objects/{}/')", soxauto::pipeline::months::FOLDER);
    let months = lines.iter().find(|line| line.starts_with("export MONTHS="));
    let begin = "startsWith('projects/_/buckets/";
    let guides = format!("{begin}$PROJECT_ID-soxauto-evidence{folder}\"");
    assert!(months.unwrap().contains(&guides), "{months:?}");
    let terraforms =
        format!("{begin}${{google_storage_bucket.retained[\"evidence\"].name}}{folder}\"");
    assert!(iam.contains(&terraforms), "{terraforms}");
}

#[test]
fn a_condition_that_is_lost_is_seen() {
    let lines = commands(&text("README.md"));
    let granted = adds_to_evidence(&lines);
    let without = |what: &str| {
        lines
            .iter()
            .map(|line| line.replace(what, ""))
            .collect::<Vec<_>>()
    };
    for lost in [" == false", "expression=$MONTHS == false"] {
        assert_ne!(adds_to_evidence(&without(lost)), granted, "{lost}");
    }
    let page = text("README.md").replace(
        "for bucket in staging leases; do",
        "for bucket in staging evidence leases; do",
    );
    let widened: Vec<_> = commands(&page)
        .into_iter()
        .filter(|line| !line.contains("not-months"))
        .collect();
    assert_eq!(
        adds_to_evidence(&widened)["serviceAccount:$RUNNER"],
        "always"
    );
}

#[test]
fn people_upload_into_the_bucket_of_files_alone_and_no_bucket_lacks_uniform_access() {
    let lines = commands(&text("README.md"));
    let uploads = lines
        .iter()
        .filter(|line| line.contains("$UPLOADERS\" --role"));
    let uploads: Vec<_> = uploads.collect();
    assert_eq!(uploads.len(), 2);
    for line in uploads {
        assert!(line.contains("-soxauto-files\""), "{line}");
    }
    let iam = text("terraform/iam.tf");
    for grant in between(&iam, "{ who = \"uploaders\"", '}') {
        assert!(grant.contains("on = \"files\""), "{grant}");
    }
    // A condition on the name of an object needs it.
    let made = lines
        .iter()
        .filter(|line| line.starts_with("gcloud storage buckets create"));
    for line in made {
        assert!(line.contains("--uniform-bucket-level-access"), "{line}");
    }
    let storage = text("terraform/storage.tf");
    assert_eq!(
        storage
            .matches("resource \"google_storage_bucket\"")
            .count(),
        storage
            .matches("uniform_bucket_level_access = true")
            .count()
    );
}
