//! Runs that are made by a job in another container: started once a month, and looked at afterwards.
//!
//! The job takes its own places and secrets from its own variables; it is told the month, the items and whether the
//! month may be open, and nothing else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::adapters::google::cloud_run::{CloudRunJob, Execution, Start};
use crate::adapters::process::ProcProcesses;
use crate::domain::digest::hex;
use crate::domain::job::{JobName, arguments, items_of, month_of};
use crate::domain::limits::{HttpLimits, Limits, ServerLimits};
use crate::domain::period::Period;
use crate::domain::run::Holder;
use crate::pipeline::lease::at_work;
use crate::ports::{Clock, PortError, PortErrorKind, Processes};
use crate::settings::{RunSettings, ServiceSettings};

pub use crate::adapters::google::cloud_run::ExecutionState as JobState;

use super::google::Google;
use super::{StartError, SystemClock, roots, sound_items};

/// A run of a job, as it is told to people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// Name of the execution.
    pub execution: String,
    /// Month that it runs, by its arguments; `None` where they run none.
    pub period: Option<Period>,
    /// Items that it runs, by its arguments; none is all.
    pub items: Vec<String>,
    /// What is known of it.
    pub state: JobState,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Where its log is shown.
    pub log_uri: Option<String>,
}

/// What came of asking for a run.
#[derive(Debug)]
pub enum Asked {
    /// An execution was started.
    Started(JobRun),
    /// Somebody is at work on every item that was asked for.
    Held(Holder),
    /// An execution is at work, on this month or another.
    Beside(JobRun),
    /// It is not known whether an execution was started, now or a little before: none is started beside it.
    Unknown(PortError),
}

/// What was asked of the job last.
#[derive(Debug)]
enum Last {
    /// This was started: it may not be listed at once.
    Started(JobRun),
    /// Whether anything was started is not known; what was would carry this mark.
    Unknown { mark: String, at: DateTime<Utc> },
}

/// What keeps a job from being started.
enum Hindrance {
    Beside(JobRun),
    Unknown(DateTime<Utc>),
}

/// The job that runs months for a service.
pub struct AsyncJob {
    name: JobName,
    run: RunSettings,
    limits: ServerLimits,
    last: Mutex<Option<(Instant, Last)>>,
}

impl AsyncJob {
    /// The job of these settings, if they name one; nothing is asked yet.
    #[must_use]
    pub fn of(settings: &ServiceSettings) -> Option<Self> {
        let limits = &settings.limits;
        let http = HttpLimits {
            silence_timeout: limits.job_timeout,
            attempt_timeout: limits.job_timeout,
            attempts_max: limits
                .attempts_max
                .min(settings.run.limits.http.attempts_max),
            ..settings.run.limits.http.clone()
        };
        Some(Self {
            name: settings.async_job.clone()?,
            run: RunSettings {
                limits: Limits {
                    http,
                    ..settings.run.limits.clone()
                },
                ..settings.run.clone()
            },
            limits: limits.clone(),
            last: Mutex::default(),
        })
    }

    /// Looks whether the job is there, may be looked at and may be started; starts none.
    ///
    /// # Errors
    /// `Denied` without a right; `Config` where there is no such job; `Unreachable`.
    pub async fn look(&self) -> Result<(), PortError> {
        let job = self.job().await?;
        job.look().await?;
        job.may_start().await
    }

    /// Starts an execution unless one is at work, or a lease says that somebody else is.
    ///
    /// # Errors
    /// [`StartError`]: as a run of one's own, and what the job says.
    pub async fn start(&self, wanted: &RunSettings) -> Result<Asked, StartError> {
        let now = SystemClock.now();
        let period = wanted.period.map_or_else(|| Period::last_closed(now), Ok)?;
        if !period.has_ended(now) && !wanted.preliminary {
            return Err(StartError::NotEnded(period));
        }
        if let Some(holder) = self.held(wanted, period).await? {
            return Ok(Asked::Held(holder));
        }
        let job = self.job().await?;
        match self.at_work(&job, period).await? {
            Some(Hindrance::Beside(run)) => return Ok(Asked::Beside(run)),
            Some(Hindrance::Unknown(at)) => {
                let at = at.format("%H:%M:%S UTC");
                let what = format!("it is not known whether the job was started at {at}");
                let error = PortError::new(PortErrorKind::Unreachable, what);
                return Ok(Asked::Unknown(self.later(error)));
            }
            None => {}
        }
        let arguments = arguments(period, &wanted.items, wanted.preliminary);
        let mark = hex(&rand::random::<[u8; 16]>());
        let (last, asked) = match job.start(&arguments, &mark).await? {
            Start::Made(execution) => {
                let started = JobRun::from(execution);
                (Last::Started(started.clone()), Asked::Started(started))
            }
            Start::Unknown(error) => (
                Last::Unknown { mark, at: now },
                Asked::Unknown(self.later(error)),
            ),
        };
        *self.last() = Some((Instant::now(), last));
        Ok(asked)
    }

    /// Says when it is known.
    fn later(&self, error: PortError) -> PortError {
        error.hint(format!(
            "ask again: an execution that was started is found then; if none shows within {} s, another one is started",
            self.limits.job_unlisted_max.as_secs()
        ))
    }

    fn last(&self) -> MutexGuard<'_, Option<(Instant, Last)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever holds an item of the month that is asked for.
    async fn held(
        &self,
        wanted: &RunSettings,
        period: Period,
    ) -> Result<Option<Holder>, StartError> {
        let items = sound_items(wanted.catalog.as_deref(), &wanted.items)?;
        let roots = roots::of_run(wanted).await?;
        let evidence = roots.open(&wanted.evidence)?;
        let leases = roots.leases(wanted.leases.as_deref(), &evidence)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let processes: Arc<dyn Processes> = Arc::new(ProcProcesses);
        for item in &items {
            let month = (&item.id, period);
            let held = at_work(&leases, month, &clock, &processes, &wanted.limits).await?;
            if held.is_some() {
                return Ok(held);
            }
        }
        Ok(None)
    }

    /// An execution that runs a month now: the one of this month, if there is one. One that was started a little before
    /// counts though it is not listed, and so does one that may have been.
    async fn at_work(
        &self,
        job: &CloudRunJob,
        period: Period,
    ) -> Result<Option<Hindrance>, PortError> {
        let listed = job.executions().await?;
        let last = self.last();
        let recent = last
            .as_ref()
            .filter(|(since, _)| since.elapsed() < self.limits.job_unlisted_max);
        let (mut unlisted, mut unknown) = (None, None);
        match recent.map(|(_, last)| last) {
            Some(Last::Started(run)) => {
                let is_listed = listed.iter().any(|one| one.id == run.execution);
                unlisted = (!is_listed).then(|| run.clone());
            }
            Some(Last::Unknown { mark, at }) => {
                let is_listed = listed.iter().any(|one| one.is_marked(mark));
                unknown = (!is_listed).then_some(Hindrance::Unknown(*at));
            }
            None => {}
        }
        let found = listed.into_iter().filter(Execution::is_at_work);
        let mut found: Vec<JobRun> = found.map(JobRun::from).chain(unlisted).collect();
        found.retain(|run| run.period.is_some());
        found.sort_by_key(|run| run.period != Some(period));
        let beside = found.into_iter().next().map(Hindrance::Beside);
        Ok(beside.or(unknown))
    }

    /// An execution; `None` where the job has none of that name.
    ///
    /// # Errors
    /// As the service says it: it is then not known how far the execution is.
    pub async fn run(&self, execution: &str) -> Result<Option<JobRun>, PortError> {
        let found = self.job().await?.execution(execution).await?;
        Ok(found.map(JobRun::from))
    }

    /// Whether a name may be that of an execution of this job.
    #[must_use]
    pub fn may_be(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.name.job);
        let rest = rest.and_then(|rest| rest.strip_prefix('-'));
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(fits))
    }

    async fn job(&self) -> Result<CloudRunJob, PortError> {
        let (google, secrets) = (&self.run.google, &self.run.source.secrets);
        let google = Google::new(google, secrets, &self.run.limits).await?;
        let pages_max = self.limits.job_pages_max;
        Ok(CloudRunJob::new(
            google.session()?,
            self.name.clone(),
            pages_max,
        ))
    }
}

impl From<Execution> for JobRun {
    fn from(execution: Execution) -> Self {
        Self {
            period: month_of(&execution.arguments, execution.created_at),
            items: items_of(&execution.arguments),
            execution: execution.id,
            state: execution.state,
            created_at: execution.created_at,
            ended_at: execution.ended_at,
            log_uri: execution.log_uri,
        }
    }
}
