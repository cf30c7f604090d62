//! The root for what people do to a month: dispose of exceptions, sign, close, open again.

use super::SystemClock;
use super::roots::RootOpener;
use crate::domain::ids::RunId;
use crate::domain::period::Period;
use crate::domain::reconcile::months::{MonthEvent, MonthLog};
use crate::domain::reconcile::result::{Bucket, Status};
use crate::domain::reconcile::statement::{Decision, Disposition, Role, SignOff, Statement};
use crate::pipeline::months;
use crate::pipeline::reconcile::closing::closable;
use crate::pipeline::reconcile::judgement::{self, Judgement};
use crate::ports::{Clock as _, PortError, PortErrorKind, StoreRoot};
use crate::settings::GoogleSettings;

/// Which month, and where its evidence lies.
#[derive(Debug, Clone)]
pub struct MonthPlace {
    /// The month.
    pub period: Period,
    /// Root of the packages.
    pub evidence: String,
    /// How Google Cloud is reached, if the root is there.
    pub google: GoogleSettings,
}

/// What somebody says of an exception.
#[derive(Debug, Clone)]
pub struct Said {
    /// The judged run; `None` is the newest.
    pub run: Option<RunId>,
    /// Line.
    pub line: String,
    /// Company code.
    pub company: String,
    /// Account, where the line is compared by account.
    pub gl: Option<String>,
    /// What is to be done.
    pub decision: Decision,
    /// Why.
    pub text: String,
    /// Who says it.
    pub by: String,
}

/// What somebody signs.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The judged run.
    pub run: RunId,
    /// As whom.
    pub role: Role,
    /// Who.
    pub by: String,
    /// What they say.
    pub comment: String,
}

/// A month with its newest judgement, if it has one.
#[derive(Debug, Clone)]
pub struct MonthView {
    /// What happened to it.
    pub log: MonthLog,
    /// The newest judgement as it is reported.
    pub newest: Option<Statement>,
}

impl MonthPlace {
    /// The evidence root, and what opened it.
    async fn open(&self) -> Result<(RootOpener, StoreRoot), PortError> {
        let roots = RootOpener::new(&self.google).await?;
        let evidence = roots.open_existing(&self.evidence)?;
        Ok((roots, evidence))
    }

    /// Appends an event, beside the name that somebody gives with the account that writes it.
    async fn append(
        &self,
        (roots, evidence): (&RootOpener, &StoreRoot),
        event: MonthEvent,
    ) -> Result<MonthLog, PortError> {
        let account = roots.caller().await;
        let at = SystemClock.now();
        months::append(evidence, self.period, event, at, account.as_deref()).await
    }

    /// The log of the month and its newest judgement.
    ///
    /// # Errors
    /// A log or judgement that was changed; a root that cannot be read.
    pub async fn look(&self) -> Result<MonthView, PortError> {
        let (_, evidence) = self.open().await?;
        let log = months::read(&evidence, self.period).await?;
        let runs = judgement::runs(&evidence, self.period).await?;
        let newest = match runs.first() {
            Some(run) => {
                let (judged, _) = judgement::read(&evidence, self.period, run).await?;
                Some(judgement::stated(judged, &log).await?)
            }
            None => None,
        };
        Ok(MonthView { log, newest })
    }

    /// Notes what is to become of an exception.
    ///
    /// # Errors
    /// No such exception; a final month; storage errors.
    pub async fn dispose(&self, said: Said) -> Result<MonthLog, PortError> {
        let (roots, evidence) = self.open().await?;
        let judged = self.judged(&evidence, said.run.as_ref()).await?;
        let unexplained = exception(&judged, &said)?;
        let disposition = Disposition {
            line: said.line,
            company: said.company,
            gl: said.gl,
            unexplained,
            decision: said.decision,
            text: said.text,
            by: said.by,
            at: SystemClock.now(),
        };
        let event = MonthEvent::Disposed(disposition);
        self.append((&roots, &evidence), event).await
    }

    /// Notes that somebody signed a judged run.
    ///
    /// # Errors
    /// A run without a judgement; storage errors.
    pub async fn sign(&self, signed: Signed) -> Result<MonthLog, PortError> {
        let (roots, evidence) = self.open().await?;
        let (judged, _) = judgement::read(&evidence, self.period, &signed.run).await?;
        let log = months::read(&evidence, self.period).await?;
        let stated = judgement::stated(judged, &log).await?;
        let fingerprint = stated.fingerprint().map_err(|error| {
            let what = format!("the statement cannot be fingerprinted: {error}");
            PortError::new(PortErrorKind::Corrupt, what)
        })?;
        let event = MonthEvent::Signed(SignOff {
            role: signed.role,
            by: signed.by,
            at: SystemClock.now(),
            fingerprint,
            comment: signed.comment,
        });
        self.append((&roots, &evidence), event).await
    }

    /// Closes the month with a judged run.
    ///
    /// # Errors
    /// `Denied` while a line is not concluded, an exception has no disposition, or the month is closed already, for a
    /// judgement by rules or a catalog of one's own of anything but a rehearsal, and for one that was made before an item was
    /// run again; a run without a judgement; storage errors.
    pub async fn close(&self, run: RunId, by: String) -> Result<MonthLog, PortError> {
        let (roots, evidence) = self.open().await?;
        let (judged, manifest_sha256) = judgement::read(&evidence, self.period, &run).await?;
        closable(&evidence, &judged).await?;
        let log = months::read(&evidence, self.period).await?;
        let open = judgement::stated(judged, &log).await?.open();
        if !open.is_empty() {
            let what = format!("{} cannot be closed: {}", self.period, open.join("; "));
            return Err(PortError::new(PortErrorKind::Denied, what).hint(
                "run what is missing, and say what becomes of each exception with `soxauto dispose`",
            ));
        }
        let event = MonthEvent::Closed {
            run_id: run,
            manifest_sha256,
            by,
        };
        self.append((&roots, &evidence), event).await
    }

    /// Opens a closed month again.
    ///
    /// # Errors
    /// `Denied` for a month that is open, and for an approver who closed it; storage errors.
    pub async fn reopen(
        &self,
        reason: String,
        ticket: String,
        approver: String,
        by: String,
    ) -> Result<MonthLog, PortError> {
        let (roots, evidence) = self.open().await?;
        let event = MonthEvent::Reopened {
            reason,
            ticket,
            approver,
            by,
        };
        self.append((&roots, &evidence), event).await
    }

    async fn judged(
        &self,
        evidence: &StoreRoot,
        run: Option<&RunId>,
    ) -> Result<Judgement, PortError> {
        let newest = match run {
            Some(_) => None,
            None => judgement::runs(evidence, self.period)
                .await?
                .into_iter()
                .next(),
        };
        let Some(run) = run.or(newest.as_ref()) else {
            let what = format!("no judgement of {} was sealed", self.period);
            return Err(PortError::new(PortErrorKind::Query, what)
                .hint("`soxauto reconcile --seal` makes one"));
        };
        Ok(judgement::read(evidence, self.period, run).await?.0)
    }
}

/// The unexplained amount of the exception that is meant.
fn exception(judged: &Judgement, said: &Said) -> Result<crate::domain::amount::Amount, PortError> {
    let result = &judged.reconciled.result;
    let is_meant = |bucket: &&Bucket| bucket.company == said.company && bucket.gl == said.gl;
    let lines = result.judged().filter(|line| line.id == said.line);
    let mut buckets = lines.flat_map(|line| &line.buckets);
    let gl = said.gl.as_deref().unwrap_or_default();
    let place = format!("{} {} {gl}", said.line, said.company);
    let place = place.trim_end();
    let refused = |what: String, hint: &str| {
        Err(PortError::new(PortErrorKind::Query, what).hint(hint.to_owned()))
    };
    let Some(bucket) = buckets.find(is_meant) else {
        let hint = "name the line, the company and, where the line is compared by account, the account, as `soxauto \
                    reconcile` lists them";
        return refused(format!("there is no {place}"), hint);
    };
    match (bucket.status, bucket.unexplained) {
        (Status::Investigate | Status::OverExplained, Some(amount)) => Ok(amount),
        (Status::Ok, _) => refused(format!("{place} is OK"), "nothing is to be said of it"),
        (Status::NotConcluded, _) | (_, None) => refused(
            format!("{place} is not concluded"),
            "run what is missing; what nobody knows cannot be disposed of",
        ),
    }
}
