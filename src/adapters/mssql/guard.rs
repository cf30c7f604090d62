//! What keeps a server from holding us up or taking us down: a deadline for every wait, and a driver that panics is an
//! error like any other.
//!
//! May use the driver's error type only.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::time::Duration;

use futures::FutureExt;
use futures::future::{Either, select};
use tokio::time::sleep;

use crate::domain::limits::Limits;
use crate::ports::{PortError, PortErrorKind};

use super::error;

/// Turns a panic below into an error. The connection is not used again after it.
pub(super) async fn contained<T>(
    work: impl Future<Output = Result<T, PortError>>,
) -> Result<T, PortError> {
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.unwrap_or_else(|_| {
        let what = "the server's answer is malformed: the driver panicked over it";
        let hint = "nothing was published; run again, and report the panic above if it repeats";
        Err(PortError::new(PortErrorKind::Corrupt, what).hint(hint))
    })
}

/// The limits of one statement: until its first token, then between two of them. A timer is armed only while
/// nothing is there, so a running stream pays nothing for it.
pub(super) struct Deadline {
    first: Duration,
    gap: Duration,
    is_first: bool,
}

impl Deadline {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            first: limits.first_row_timeout,
            gap: limits.row_gap_timeout,
            is_first: true,
        }
    }

    /// Waits for the statement to be sent and its first token to come.
    pub(super) async fn first<T>(
        &mut self,
        work: impl Future<Output = Result<T, tiberius::error::Error>>,
    ) -> Result<T, PortError> {
        within(self.first, "the first answer", work).await
    }

    /// Waits for the next item.
    pub(super) async fn next<T>(
        &mut self,
        work: impl Future<Output = Result<T, tiberius::error::Error>>,
    ) -> Result<T, PortError> {
        let (limit, what) = if self.is_first {
            (self.first, "the first row")
        } else {
            (self.gap, "the next row")
        };
        let item = within(limit, what, work).await?;
        self.is_first = false;
        Ok(item)
    }
}

async fn within<T>(
    limit: Duration,
    what: &str,
    work: impl Future<Output = Result<T, tiberius::error::Error>>,
) -> Result<T, PortError> {
    let mut work = pin!(work);
    // Almost always ready at once: then no timer is made.
    if let std::task::Poll::Ready(result) = futures::poll!(work.as_mut()) {
        return result.map_err(|failed| error::running(&failed));
    }
    match select(work, pin!(sleep(limit))).await {
        Either::Left((result, _)) => result.map_err(|failed| error::running(&failed)),
        Either::Right(_) => Err(PortError::new(
            PortErrorKind::Timeout,
            format!("{what} did not come within {} s", limit.as_secs()),
        )
        .hint("look for blocking on the server, or narrow the query")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let error = contained::<()>(async { panic!("boom") }).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Corrupt);
        assert!(error.to_string().contains("panicked"), "{error}");
        assert_eq!(contained(async { Ok(7) }).await.unwrap(), 7);
    }
}
