//! A job that runs months in another container: its name, and the arguments by which it is told a month.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::period::Period;

/// Name of a job of Cloud Run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobName {
    /// Project.
    pub project: String,
    /// Region.
    pub location: String,
    /// Job.
    pub job: String,
}

impl FromStr for JobName {
    type Err = String;

    /// Reads `projects/PROJECT/locations/REGION/jobs/JOB`.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let word = |text: &str, marks: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || marks.contains(c);
            !text.is_empty() && text.chars().all(fits)
        };
        match parts.as_slice() {
            ["projects", project, "locations", location, "jobs", job]
                if word(project, "-.:") && word(location, "-") && word(job, "-") =>
            {
                Ok(Self {
                    project: (*project).to_owned(),
                    location: (*location).to_owned(),
                    job: (*job).to_owned(),
                })
            }
            _ => Err("write projects/PROJECT/locations/REGION/jobs/JOB".to_owned()),
        }
    }
}

impl fmt::Display for JobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            project,
            location,
            job,
        } = self;
        write!(f, "projects/{project}/locations/{location}/jobs/{job}")
    }
}

/// The command that runs a month.
const RUN: &str = "run";
const CUTOFF: &str = "--cutoff-date";
const PERIOD: &str = "--period";
const ITEM: &str = "--ipe";

/// Arguments that run these items of a month; none is all. Where everything lies is said by the job's own variables.
#[must_use]
pub fn arguments(period: Period, items: &[String], preliminary: bool) -> Vec<String> {
    let mut arguments = vec![RUN.to_owned(), format!("{CUTOFF}={}", period.cutoff())];
    if !items.is_empty() {
        arguments.push(format!("{ITEM}={}", items.join(",")));
    }
    if preliminary {
        arguments.push("--preliminary".to_owned());
    }
    arguments
}

/// The month that arguments run, for somebody who started them at that time; `None` where they run none.
#[must_use]
pub fn month_of(arguments: &[String], started_at: DateTime<Utc>) -> Option<Period> {
    if arguments.first().map(String::as_str) != Some(RUN) {
        return None;
    }
    let cutoff = value(arguments, CUTOFF).and_then(|text| Period::from_cutoff_text(text).ok());
    let said = cutoff.or_else(|| value(arguments, PERIOD)?.parse().ok());
    said.or_else(|| Period::last_closed(started_at).ok())
}

/// The items that arguments run; none is all.
#[must_use]
pub fn items_of(arguments: &[String]) -> Vec<String> {
    let named = values(arguments, ITEM).flat_map(|names| names.split(','));
    named.map(str::to_owned).collect()
}

/// What stands behind a flag, after `=` or as the next argument.
fn value<'a>(arguments: &'a [String], flag: &'a str) -> Option<&'a str> {
    values(arguments, flag).next()
}

/// The same wherever the flag is given.
fn values<'a>(arguments: &'a [String], flag: &'a str) -> impl Iterator<Item = &'a str> {
    let all = arguments.iter().enumerate();
    let given = all.filter(move |(_, argument)| argument.split('=').next() == Some(flag));
    given.filter_map(|(at, argument)| match argument.split_once('=') {
        Some((_, value)) => Some(value),
        None => arguments.get(at + 1).map(String::as_str),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_named_whole() {
        let text = "projects/my-project/locations/europe-west1/jobs/soxauto-pg01-run";
        let name: JobName = text.parse().unwrap();
        assert_eq!(name.job, "soxauto-pg01-run");
        assert_eq!(name.to_string(), text);
        for wrong in [
            "soxauto-pg01-run",
            "projects/p/locations/l/jobs/",
            "projects/p/locations/l/services/j",
            "projects/p/locations/l/jobs/j/x",
            "projects/p/locations/l/jobs/j:run",
            "projects/p/locations/l/jobs/j?x",
            "/projects/p/locations/l/jobs/j",
        ] {
            let error = wrong.parse::<JobName>().unwrap_err();
            assert!(error.contains("jobs/JOB"), "{wrong}: {error}");
        }
    }

    #[test]
    fn what_is_told_to_a_job_is_read_back_as_the_month() {
        let april: Period = "2024-04".parse().unwrap();
        let now = "2024-07-03T09:00:00Z".parse().unwrap();
        let told = arguments(april, &["CR_04".into(), "CR_05".into()], true);
        let words = [
            "run",
            "--cutoff-date=2024-05-01",
            "--ipe=CR_04,CR_05",
            "--preliminary",
        ];
        assert_eq!(told, words);
        assert_eq!(
            arguments(april, &[], false),
            ["run", "--cutoff-date=2024-05-01"]
        );
        let month = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            month_of(&words, now).map(|period| period.to_string())
        };
        assert_eq!(month(&words).as_deref(), Some("2024-04"));
        assert_eq!(
            month(&["run", "--period=2024-04"]).as_deref(),
            Some("2024-04")
        );
        assert_eq!(month(&["run"]).as_deref(), Some("2024-06"));
        let apart = ["run", "--json", "--cutoff-date", "2024-05-01"];
        assert_eq!(month(&apart).as_deref(), Some("2024-04"));
        assert_eq!(month(&["run", "--period"]).as_deref(), Some("2024-06"));
        assert_eq!(month(&["doctor"]), None);
        assert_eq!(month(&[]), None);
    }

    #[test]
    fn the_items_of_a_job_are_all_unless_some_are_named() {
        let items = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            items_of(&words)
        };
        assert!(items(&["run", "--json"]).is_empty());
        let said = ["run", "--ipe", "CR_04", "--json", "--ipe=CR_05,IPE_07"];
        assert_eq!(items(&said), ["CR_04", "CR_05", "IPE_07"]);
    }
}
