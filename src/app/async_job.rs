//! Runs that are made by a job in another container: started once a month, and looked at afterwards.
//!
//! The job takes its own places and secrets from its own variables; it is told the month, the items and whether the
//! month may be open, and nothing else.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use crate::adapters::google::cloud_run::{CloudRunJob, Execution};
use crate::adapters::process::ProcProcesses;
use crate::domain::digest::hex;
use crate::domain::job::{JobName, arguments, month_of};
use crate::domain::limits::{HttpLimits, Limits, ServerLimits};
use crate::domain::period::Period;
use crate::domain::run::Holder;
use crate::pipeline::lease::at_work;
use crate::ports::{Clock, PortError, Processes};
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
}

/// The job that runs months for a service.
pub struct AsyncJob {
    name: JobName,
    run: RunSettings,
    limits: ServerLimits,
    /// The execution that was started here last: it may not be listed at once.
    last: Mutex<Option<(Instant, JobRun)>>,
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

    /// Starts an execution unless one is at work, or a lease says that somebody else is.
    ///
    /// # Errors
    /// [`StartError`]: as a run of one's own, and what the job says. Where it is not known whether it was started, the
    /// error says so.
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
        if let Some(beside) = self.at_work(&job, period).await? {
            return Ok(Asked::Beside(beside));
        }
        let arguments = arguments(period, &wanted.items, wanted.preliminary);
        let mark = hex(&rand::random::<[u8; 16]>());
        let started = JobRun::from(job.start(&arguments, &mark).await?);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((Instant::now(), started.clone()));
        Ok(Asked::Started(started))
    }

    /// Whoever holds every item of the month.
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
        let mut first = None;
        for item in &items {
            let month = (&item.id, period);
            match at_work(&leases, month, &clock, &processes, &wanted.limits).await? {
                Some(holder) => first = first.or(Some(holder)),
                None => return Ok(None),
            }
        }
        Ok(first)
    }

    /// An execution that runs a month now: the one of this month, if there is one.
    async fn at_work(
        &self,
        job: &CloudRunJob,
        period: Period,
    ) -> Result<Option<JobRun>, PortError> {
        let listed = job.executions().await?;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let unlisted = last.as_ref().filter(|(since, run)| {
            since.elapsed() < self.limits.job_unlisted_max
                && listed.iter().all(|one| one.id != run.execution)
        });
        let unlisted = unlisted.map(|(_, run)| run.clone());
        let found = listed.into_iter().filter(Execution::is_at_work);
        let mut found: Vec<JobRun> = found.map(JobRun::from).chain(unlisted).collect();
        found.retain(|run| run.period.is_some());
        found.sort_by_key(|run| run.period != Some(period));
        Ok(found.into_iter().next())
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
            execution: execution.id,
            state: execution.state,
            created_at: execution.created_at,
            ended_at: execution.ended_at,
            log_uri: execution.log_uri,
        }
    }
}
