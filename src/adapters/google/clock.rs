//! Google's time, from the head of any reply. A clock that is wrong by minutes makes keys useless, and leases of other
//! machines look dead or alive when they are not.

use chrono::{DateTime, Utc};
use reqwest::header::DATE;
use url::Url;

use super::Session;
use super::http::Call;
use crate::ports::{PortError, PortErrorKind};

impl Session {
    /// The time that the service at `base` says, to the second. Whatever else it says does not matter; no token is sent.
    ///
    /// # Errors
    /// `Unreachable`, `Timeout`; `Corrupt` for a reply without a date.
    pub async fn time_at(&self, base: &Url) -> Result<DateTime<Utc>, PortError> {
        let call = Call::get("asking for the time", base.clone());
        let (_, headers, _) = self.http.exchange(&call, None).await?;
        let said = headers.get(DATE).and_then(|value| value.to_str().ok());
        let said = said.and_then(|text| DateTime::parse_from_rfc2822(text).ok());
        said.map(|time| time.with_timezone(&Utc)).ok_or_else(|| {
            let what = "the reply says no date";
            PortError::new(PortErrorKind::Corrupt, what).at("service", base.as_str())
        })
    }
}
