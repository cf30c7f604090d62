//! A look at everything that a run needs, one check after the other, each with what to grant or do where it fails.
//!
//! The order is that of need: who we are at Google, the secret, then the way to the SQL Server step by step, files in
//! buckets, the roots and where they lie, the warehouse, what else is used of Google, the machine. A check that fails stops
//! only those that cannot be made without it (ADR-0035). Reads no row of any table, and writes only what ADR-0035 lists.

mod examination;
mod files;
mod google;
mod locations;
mod machine;
mod outside;
mod places;
mod source;

use serde::Serialize;

use crate::domain::limits::{DoctorLimits, HttpLimits, Limits};
use crate::settings::{DoctorSettings, GoogleCredentials, GoogleSettings};

use super::google::Google;
use examination::Examination;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// As it must be.
    Ok,
    /// It is known to be wrong.
    Failed,
    /// Nobody answered, so it is not known.
    NoAnswer,
    /// It is not known, and no run needs to know it.
    Unknown,
    /// Not made; why is said.
    Skipped,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// What was looked at; the same words every time.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub seconds: f64,
    /// What was found, in one sentence.
    pub said: String,
    /// What to grant or do; also of a check that ended well, where something could be better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Whether nothing is wrong, and nothing that a run needs could not be found out.
    pub is_well: bool,
    /// The checks in their order.
    pub checks: Vec<Check>,
}

impl Report {
    /// 0 when all is well, 1 when something is wrong, 2 when something could not be found out.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let any = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        match (any(Outcome::NoAnswer), any(Outcome::Failed)) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    }

    /// What to do, in the order of the checks, each once.
    #[must_use]
    pub fn todo(&self) -> Vec<&str> {
        let mut todo: Vec<&str> = Vec::new();
        for text in self.checks.iter().filter_map(|check| check.todo.as_deref()) {
            if !todo.contains(&text) {
                todo.push(text);
            }
        }
        todo
    }
}

/// Makes all checks; `tell` hears of each when it has ended.
pub async fn examine(settings: &DoctorSettings, tell: &mut (dyn FnMut(&Check) + Send)) -> Report {
    let limits = impatient(&settings.run.limits, &settings.limits);
    let run = &settings.run;
    let mut at = Examination::new(tell, settings.limits.clone());
    // A key that lies in a secret and cannot be had leaves the machine's own identity, which reads secrets anyway.
    let made = Google::new(&run.google, &run.source.secrets, &limits).await;
    let of_machine = GoogleSettings {
        credentials: GoogleCredentials::Metadata,
        ..run.google.clone()
    };
    let google = match &made {
        Ok(_) => None,
        Err(_) => Google::new(&of_machine, &run.source.secrets, &limits)
            .await
            .ok(),
    };
    let may_call = google::identity(&mut at, settings, &made).await;
    let catalog = machine::items(run);
    match made.as_ref().ok().or(google.as_ref()) {
        Some(google) => source::check(&mut at, run, google, &limits, &catalog).await,
        None => at.skip("secrets", "there is no way to Google"),
    }
    let cloud = made.as_ref().ok().filter(|_| may_call);
    files::check(&mut at, run, cloud).await;
    let staging = places::root(&mut at, run, ("staging", &run.staging), cloud).await;
    let evidence = places::root(&mut at, run, ("evidence", &run.evidence), cloud).await;
    places::leases(&mut at, run, evidence, cloud).await;
    locations::check(&mut at, run, cloud).await;
    places::warehouse(&mut at, settings, &limits, (cloud, staging)).await;
    outside::drive(&mut at, run, &limits, cloud).await;
    outside::job(&mut at, settings.async_job.as_ref(), cloud).await;
    google::clock(&mut at, settings, cloud).await;
    machine::catalog(&mut at, run).await;
    machine::resources(&mut at).await;
    at.report()
}

/// The limits of a run without its patience.
fn impatient(limits: &Limits, doctor: &DoctorLimits) -> Limits {
    Limits {
        open_attempts_max: 1,
        first_row_timeout: doctor.check_timeout,
        http: HttpLimits {
            attempts_max: doctor.attempts_max.min(limits.http.attempts_max),
            metadata_attempts_max: 1,
            silence_timeout: doctor.check_timeout.min(limits.http.silence_timeout),
            ..limits.http.clone()
        },
        ..limits.clone()
    }
}

/// Whether a place is a bucket.
fn is_bucket(location: &str) -> bool {
    location.starts_with(crate::adapters::google::storage::SCHEME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[Outcome]) -> Report {
        let check = |outcome: &Outcome| Check {
            name: "x".into(),
            outcome: *outcome,
            seconds: 0.0,
            said: String::new(),
            todo: Some(format!("mend {outcome:?}")),
        };
        Report {
            is_well: false,
            checks: outcomes.iter().map(check).collect(),
        }
    }

    #[test]
    fn what_is_not_known_wins_over_what_is_wrong() {
        use Outcome::{Failed, NoAnswer, Ok, Skipped, Unknown};
        assert_eq!(report(&[Ok, Skipped, Unknown]).exit_code(), 0);
        assert_eq!(report(&[Ok, Failed, Skipped]).exit_code(), 1);
        assert_eq!(report(&[NoAnswer, Failed]).exit_code(), 2);
        assert_eq!(report(&[]).exit_code(), 0);
    }

    #[test]
    fn what_to_do_is_said_once() {
        use Outcome::{Failed, NoAnswer};
        let report = report(&[Failed, NoAnswer, Failed]);
        assert_eq!(report.todo(), ["mend Failed", "mend NoAnswer"]);
    }
}
