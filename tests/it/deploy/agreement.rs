//! Both guides, and the guides and Terraform, say the same.

use std::collections::BTreeSet;

use super::{PAGES, between, commands, files, folder, terraform, text, words};

#[test]
fn both_guides_hold_the_same_commands() {
    let (english, french) = (commands(&text("README.md")), commands(&text("LISEZMOI.md")));
    assert!(english.len() > 60, "{} commands", english.len());
    for (one, other) in english.iter().zip(&french) {
        assert_eq!(one, other);
    }
    assert_eq!(english.len(), french.len());
}

#[test]
fn a_changed_command_is_seen_and_a_translated_comment_is_not() {
    let english = "a\n```bash\n# why\nbq mk \\\n    x\n```\nb\n";
    assert_eq!(commands(english), ["bq mk x"]);
    assert_eq!(commands(&english.replace("why", "pourquoi")), ["bq mk x"]);
    assert_ne!(commands(&english.replace(" x", " y")), ["bq mk x"]);
    assert!(commands(&english.replace("bash", "sql")).is_empty());
}

/// Rows of tables and headings: what a page that is translated must have as many of.
fn shape(page: &str) -> Vec<char> {
    page.lines()
        .filter_map(|line| line.chars().next().filter(|c| "|#-".contains(*c)))
        .collect()
}

#[test]
fn both_guides_have_the_same_sections_and_rows() {
    let (english, french) = (text("README.md"), text("LISEZMOI.md"));
    assert_eq!(shape(&english), shape(&french));
    assert_ne!(shape(&english), shape(&english.replacen("\n| ", "\n", 1)));
}

#[test]
fn no_page_says_a_section_twice() {
    for page in PAGES {
        let text = text(page);
        let headings = text.lines().filter(|line| line.starts_with("## "));
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = headings.filter(|heading| !seen.insert(*heading)).collect();
        assert!(seen.len() > 3, "{page}");
        assert_eq!(twice, Vec::<&str>::new(), "{page}");
    }
}

fn apis(text: &str) -> BTreeSet<&str> {
    words(text, |c| c.is_ascii_alphanumeric() || c == '.')
        .filter(|word| word.ends_with(".googleapis.com"))
        .collect()
}

#[test]
fn guide_and_terraform_enable_the_same_apis() {
    let guide = commands(&text("README.md"));
    let enable = guide
        .iter()
        .find(|line| line.starts_with("gcloud services enable"))
        .unwrap();
    let main = text("terraform/main.tf");
    let listed = between(&main, "apis = toset([", ']');
    assert_eq!(apis(enable), apis(listed[0]));
    assert!(apis(enable).len() > 10);
}

/// Names of the variables that service and job get.
fn settings(text: &str) -> BTreeSet<&str> {
    words(text, |c| {
        c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
    })
    .filter(|word| {
        word.starts_with("SOXAUTO_") || ["GCP_PROJECT_ID", "BIGQUERY_DATASET"].contains(word)
    })
    .collect()
}

#[test]
fn guide_and_terraform_give_the_same_variables() {
    let guide = commands(&text("README.md"));
    let exported = guide.iter().filter(|line| line.contains("SETTINGS=\""));
    let exported: Vec<_> = exported.map(String::as_str).collect();
    let exported = exported.join("\n");
    let run = text("terraform/run.tf");
    assert_eq!(settings(&exported), settings(&run));
    assert_eq!(settings(&exported).len(), 9);
}

/// `--set-env-vars` takes what stands between two commas, name and value.
#[test]
fn every_setting_is_one_name_and_one_value() {
    let guide = commands(&text("README.md"));
    let exported = guide.iter().filter(|line| line.contains("SETTINGS=\""));
    for line in exported {
        let inside = between(line, "SETTINGS=\"", '"')[0];
        for setting in inside.trim_start_matches("$SETTINGS,").split(',') {
            let (name, value) = setting.split_once('=').unwrap_or_else(|| panic!("{line}"));
            assert_eq!(settings(name).len(), 1, "{line}");
            assert!(!value.is_empty(), "{line}");
        }
    }
}

/// The name under which people upload a file is the one that a run of its month looks for.
#[test]
fn a_file_is_looked_for_where_it_is_uploaded() {
    let guide = commands(&text("README.md")).join("\n");
    let looked_for = between(&guide, "SOXAUTO_FILE=JDASH=", '"')[0];
    let run = text("terraform/run.tf");
    let terraforms = between(&run, "\"JDASH=", '"')[0];
    let bucket = "gs://${google_storage_bucket.files.name}";
    assert_eq!(
        terraforms.replace(bucket, "gs://$PROJECT_ID-soxauto-files"),
        looked_for
    );
    assert_eq!(looked_for.matches("{period}").count(), 1);
    let april = looked_for.replace("{period}", "2024-04");
    let upload = format!("gcloud storage cp export.csv \"{april}\"");
    assert!(guide.contains(&upload), "{upload}");
}

#[test]
fn guide_and_terraform_agree_on_what_the_control_rests_on() {
    let guide = commands(&text("README.md")).join("\n");
    let terraform = terraform();
    let squeezed: Vec<_> = terraform.split_whitespace().collect();
    let squeezed = squeezed.join(" ");
    let pairs = [
        (
            "--retention-period=220903200s",
            "retention_seconds = 220903200",
        ),
        ("--versioning", "versioning { enabled = true }"),
        (
            "{\"age\":30,\"matchesSuffix\":[\".beat\"]}",
            "age = 30 matches_suffix = [\".beat\"]",
        ),
        (
            "--public-access-prevention",
            "public_access_prevention = \"enforced\"",
        ),
        ("--schedule=\"0 9 1 * *\"", "schedule = \"0 9 1 * *\""),
        (
            "--time-zone=\"Europe/Paris\"",
            "time_zone = \"Europe/Paris\"",
        ),
        ("--attempt-deadline=180s", "attempt_deadline = \"180s\""),
        ("Prefer=respond-async", "\"Prefer\" = \"respond-async\""),
        ("--oidc-token-audience=\"$URL\"", "audience = local.url"),
        ("--max-retry-attempts=3", "retry_count = 3"),
        ("--max-retries=0", "max_retries = 0"),
        (
            "--tasks=1 --parallelism=1",
            "task_count = 1 parallelism = 1",
        ),
        ("--task-timeout=6h", "timeout = \"21600s\""),
        ("--timeout=3600", "timeout = \"3600s\""),
        ("--max-instances=1", "max_instance_count = 1"),
        ("--no-invoker-iam-check", "invoker_iam_disabled = true"),
        ("--no-cpu-throttling", "cpu_idle = false"),
        (
            "--memory=2Gi --cpu=2",
            "limits = { cpu = \"2\", memory = \"2Gi\" }",
        ),
        ("--ingress=internal", "\"INGRESS_TRAFFIC_INTERNAL_ONLY\""),
        (
            "--vpc-egress=private-ranges-only",
            "egress = \"PRIVATE_RANGES_ONLY\"",
        ),
        ("--immutable-tags", "immutable_tags = true"),
        (
            "--lock-retention-period",
            "is_locked = var.retention_locked",
        ),
        (
            "every mon,tue,wed,thu,fri 08:00",
            "every mon,tue,wed,thu,fri 08:00",
        ),
    ];
    for (flag, attribute) in pairs {
        assert!(guide.contains(flag), "README.md lost {flag}");
        assert!(squeezed.contains(attribute), "Terraform lost {attribute}");
    }
    // Seven years of 365.25 days.
    assert_eq!(220_903_200, 7 * 31_557_600);
}

#[test]
fn what_cannot_be_undone_is_never_the_default() {
    let variables = text("terraform/variables.tf");
    let locked = between(&variables, "variable \"retention_locked\" {", '}');
    assert!(locked[0].contains("default     = false"), "{}", locked[0]);
    let guide = text("README.md");
    let before = guide.split("--lock-retention-period").next().unwrap();
    assert!(before.contains("**cannot be\nundone**"));
}

#[test]
fn every_file_that_a_command_names_is_there_and_every_file_is_named() {
    let texts: Vec<_> = PAGES.iter().map(|page| text(page)).collect();
    let texts = texts.join("\n");
    let path = |c: char| c.is_ascii_alphanumeric() || "/._-$".contains(c);
    let named: BTreeSet<_> = words(&texts, path)
        .filter_map(|word| word.strip_prefix("deploy/"))
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.contains('$'))
        .collect();
    assert!(named.contains("cloudbuild.yaml") && named.contains("alerts/deadline.sql"));
    for name in &named {
        assert!(
            folder().join(name).exists(),
            "deploy/{name} is named and not there"
        );
    }
    for name in files("", "", "") {
        let linked = texts.contains(&format!("]({name})")) || named.contains(name.as_str());
        let holds = named
            .iter()
            .any(|named| named.starts_with(&format!("{name}/")));
        assert!(linked || holds, "nothing names deploy/{name}");
    }
}

#[test]
fn no_text_names_what_the_old_guide_did_wrong_as_a_command() {
    for page in PAGES {
        for line in commands(&text(page)) {
            for wrong in [
                "gcr.io/",
                "gcloud logs ",
                " --allow-unauthenticated",
                "roles/owner",
                "roles/editor",
            ] {
                assert!(!line.contains(wrong), "{page}: {line}");
            }
        }
    }
}
