//! The adapter against a server whose bytes are mutated after the login.

use std::ops::Range;

use soxauto::adapters::mssql::MssqlSource;
use soxauto::domain::limits::Limits;
use soxauto::domain::totals::ControlTotals;
use soxauto::kernels::sql::{parse_totals, totals_query};
use soxauto::ports::{PortError, Secret, Source};

use super::mutate::Mutation;
use super::proxy::Proxy;
use super::{Ends, PATIENCE, cases, on_threads, runtime};
use crate::small_ledger::{ROWS, item, limits, query, serve, waiting};

/// A server's stream after the login, and where its packets and the first tokens of its answers are.
pub(super) struct Clean {
    pub(super) len: usize,
    pub(super) ranges: Vec<Range<usize>>,
}

impl Clean {
    pub(super) fn of(heard: &[u8]) -> Self {
        let (mut ranges, mut at) = (Vec::new(), 0);
        while let Some([_, _, high, low, ..]) = heard.get(at..) {
            let len = usize::from(u16::from_be_bytes([*high, *low]));
            let end = at + len;
            ranges.push(at..at + 8);
            ranges.push(at + 8..end.min(at + 300).max(at + 9));
            ranges.push(end.saturating_sub(40).max(at)..end);
            at = end;
        }
        assert_eq!(at, heard.len(), "whole packets");
        Self {
            len: heard.len(),
            ranges,
        }
    }
}

/// The connection string of the server with the proxy's port.
pub(super) fn through(connection_string: &str, server: u16, proxy: u16) -> String {
    let (from, to) = (format!(",{server};"), format!(",{proxy};"));
    assert!(connection_string.contains(&from));
    connection_string.replace(&from, &to)
}

struct Read {
    totals: ControlTotals,
    rows: usize,
}

/// Reads everything that a run reads.
async fn read(connection_string: &str, limits: Limits) -> Result<Read, PortError> {
    let secret = Secret::new(connection_string.to_owned());
    let source = MssqlSource::new(&secret, limits.clone(), 1)?;
    let mut view = source.open(&["NAV".to_owned()]).await?;
    let described = view.describe(&query()).await?;
    let contract = item().contract;
    let asked = view.rows(&totals_query(&contract, &query()), 100).await?;
    let totals = parse_totals(&contract, &asked)
        .map_err(|e| PortError::new(soxauto::ports::PortErrorKind::Corrupt, e.to_string()))?;
    let mut stream = view.stream(&query(), &described.columns, &limits).await?;
    let mut rows = 0;
    while let Some(batch) = stream.batches.recv().await {
        rows += batch?.num_rows();
    }
    view.close().await?;
    Ok(Read { totals, rows })
}

/// Errors are whole sentences, and no panic of the driver hides behind one; what is read in full is as long as the
/// server says. Whether altered rows pass is asked of whole runs (`runs`).
#[test]
fn mutated_answers_are_errors_or_rows() {
    const NAME: &str = "fuzz-client";
    runtime(NAME).block_on(async {
        let (server, odbc) = serve(Default::default(), true).await;
        let port = server.addr().port();
        let proxy = Proxy::start(server.addr(), Mutation::of(vec![])).await;
        let good = through(&odbc, port, proxy.addr.port());
        assert_eq!(read(&good, limits()).await.unwrap().rows, ROWS as usize);
        let clean = Clean::of(&proxy.heard.lock().unwrap());
        let ends = Ends::default();
        cases(NAME, async |mut dice| {
            let mutation = Mutation::any(&mut dice, clean.len, &clean.ranges);
            let proxy = Proxy::start(server.addr(), mutation.clone()).await;
            let odbc = through(&odbc, port, proxy.addr.port());
            match on_threads(async move { read(&odbc, waiting(PATIENCE)).await }).await {
                Err(error) => {
                    let said = error.to_string();
                    assert!(
                        said.len() > 10 && !said.contains("panicked"),
                        "{said}: {mutation:?}"
                    );
                    ends.count("error");
                }
                Ok(read) if read.rows as u64 == read.totals.rows() => ends.count("whole"),
                // Only the totals can tell; a run compares them.
                Ok(_) => ends.count("only totals tell"),
            }
        })
        .await;
        ends.print();
        assert!(
            read(&odbc, limits()).await.is_ok(),
            "a good client is served as before"
        );
    });
}
