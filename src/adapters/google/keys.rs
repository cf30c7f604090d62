//! The keys that an identity provider publishes: kept, asked for after a pause only, and used on while no new ones come.
//!
//! May use `http`, jsonwebtoken and the clock it is given. Believes no name that somebody makes up to be a reason to ask
//! again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::DecodingKey;
use reqwest::header::{CACHE_CONTROL, HeaderMap};
use serde::Deserialize;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use url::Url;

use crate::domain::limits::ServerLimits;
use crate::ports::{Clock, PortError, PortErrorKind};

use super::endpoints::parsed;
use super::http::{Call, Http};

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<PublishedKey>,
}

/// One key as it is published; of other kinds only the kind is read.
#[derive(Deserialize)]
struct PublishedKey {
    kty: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

/// What the last questions gave.
#[derive(Default)]
struct Kept {
    keys: BTreeMap<String, DecodingKey>,
    came_at: Option<DateTime<Utc>>,
    good_until: Option<DateTime<Utc>>,
    asked_at: Option<DateTime<Utc>>,
    /// Why the last question gave none.
    failure: Option<PortError>,
}

/// The keys of one place. Cheap to clone; clones share what is kept.
#[derive(Clone)]
pub(super) struct Keys(Arc<Shared>);

struct Shared {
    http: Http,
    url: Url,
    clock: Arc<dyn Clock>,
    limits: ServerLimits,
    kept: Mutex<Kept>,
    /// Held by the question on its way, so that none is asked beside it.
    asking: Arc<AsyncMutex<()>>,
    /// That question; the limits of the client end it.
    questions: TaskTracker,
}

impl Keys {
    /// Keys from `url`; none are asked for before the first one is wanted.
    ///
    /// # Errors
    /// `Config` for a URL that is none, or from which keys would come in plain text over a network.
    pub(super) fn new(
        http: Http,
        url: &str,
        clock: Arc<dyn Clock>,
        limits: ServerLimits,
    ) -> Result<Self, PortError> {
        Ok(Self(Arc::new(Shared {
            http,
            url: parsed("keys of the identity provider", url)?,
            clock,
            limits,
            kept: Mutex::default(),
            asking: Arc::default(),
            questions: TaskTracker::new(),
        })))
    }

    /// The key of that name; `None` when nobody published it. One that came is used until it is too old, also where asking
    /// fails or a question is on its way.
    ///
    /// # Errors
    /// Why the last question gave no keys, when this one may be among them.
    pub(super) async fn key(&self, kid: &str) -> Result<Option<DecodingKey>, PortError> {
        self.wanted(Some(kid)).await
    }

    /// Looks whether there is any key; asks as for one by its name.
    ///
    /// # Errors
    /// Why the last question gave no keys.
    pub(super) async fn any(&self) -> Result<(), PortError> {
        let key = self.wanted(None).await?;
        key.map(drop).ok_or_else(|| {
            let what = "the keys that tokens are signed with are too old";
            PortError::new(PortErrorKind::Timeout, what)
        })
    }

    /// The key of that name, or any.
    async fn wanted(&self, kid: Option<&str>) -> Result<Option<DecodingKey>, PortError> {
        let (mut key, is_due) = self.look(kid);
        if is_due || key.is_none() {
            let asking = Arc::clone(&self.0.asking);
            let turn = match &key {
                Some(_) => asking.try_lock_owned().ok(),
                None => Some(asking.lock_owned().await),
            };
            // Whoever had the turn before may have asked meanwhile.
            if let Some(turn) = turn.filter(|_| self.look(kid).1) {
                self.asked(turn).await;
            }
            key = self.look(kid).0;
        }
        match (key, &self.kept().failure) {
            (None, Some(failure)) => Err(failure.clone()),
            (key, _) => Ok(key),
        }
    }

    /// Asks in a task of its own: a caller who goes away does not break the question off.
    async fn asked(&self, turn: OwnedMutexGuard<()>) {
        let keys = self.clone();
        let question = async move {
            keys.refresh().await;
            drop(turn);
        };
        let asked = self.0.questions.spawn(question.in_current_span());
        if let Err(lost) = asked.await {
            tracing::error!(%lost, "the question for keys was lost");
        }
    }

    /// The key of that name, or any, as it is kept, and whether to ask because of it: when it is not there or no longer fresh, and
    /// the pause since the last question is over.
    fn look(&self, kid: Option<&str>) -> (Option<DecodingKey>, bool) {
        let (kept, now, limits) = (self.kept(), self.0.clock.now(), &self.0.limits);
        let is_past = |since: Option<DateTime<Utc>>, time: Duration| {
            since.is_none_or(|since| now >= since + delta(time))
        };
        let is_usable = !is_past(kept.came_at, limits.keys_kept_max);
        let named = match kid {
            Some(kid) => kept.keys.get(kid),
            None => kept.keys.values().next(),
        };
        let key = named.filter(|_| is_usable).cloned();
        let is_good = key.is_some() && !is_past(kept.good_until, Duration::ZERO);
        let may_ask = is_past(kept.asked_at, limits.keys_pause);
        (key, may_ask && !is_good)
    }

    async fn refresh(&self) {
        let now = self.0.clock.now();
        {
            let mut kept = self.kept();
            kept.asked_at = Some(now);
            // This stands where the question is lost.
            let what = "the keys that tokens are signed with have not come";
            kept.failure = Some(PortError::new(PortErrorKind::Timeout, what));
        }
        let answer = self.ask().await;
        let mut kept = self.kept();
        match answer {
            Ok((keys, age)) => {
                kept.keys = keys;
                kept.came_at = Some(now);
                kept.good_until = Some(now + delta(age));
                kept.failure = None;
            }
            Err(error) => {
                tracing::warn!(%error, "no new keys to look at tokens with");
                kept.failure = Some(error);
            }
        }
    }

    async fn ask(&self) -> Result<(BTreeMap<String, DecodingKey>, Duration), PortError> {
        let limits = &self.0.limits;
        let call = Call::get(
            "reading the keys that tokens are signed with",
            self.0.url.clone(),
        )
        .attempts_max(limits.attempts_max);
        let reply = self.0.http.send(&call, None).await?;
        let set: KeySet = reply.document(&call)?;
        let rsa = set.keys.iter().filter(|key| key.kty == "RSA");
        let read = rsa.filter_map(|key| {
            let read = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
            Some((key.kid.clone(), read))
        });
        let keys: BTreeMap<String, DecodingKey> = read.collect();
        if keys.is_empty() {
            let what = "reading the keys that tokens are signed with: none came that signs";
            return Err(PortError::new(PortErrorKind::Corrupt, what));
        }
        let age = max_age(&reply.headers).unwrap_or(limits.keys_kept);
        Ok((keys, age.min(limits.keys_kept_max)))
    }

    /// What is behind the lock is whole after every change, so a panic elsewhere does not spoil it.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}

/// How long a reply may be kept, as its `Cache-Control` says it.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let seconds = text
        .split(',')
        .find_map(|part| part.trim().strip_prefix("max-age="))?;
    Some(Duration::from_secs(seconds.parse().ok()?))
}
