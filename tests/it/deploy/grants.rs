//! Who may do what: the table of each guide, its commands and Terraform name the same roles for the same accounts.

use std::collections::BTreeSet;

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
