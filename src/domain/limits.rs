//! Every queue, loop, retry and poll has its limit here, with its unit and its reason.

use std::time::Duration;

/// Limits of one run.
///
/// # Units
/// Peak memory of one item in flight, above the idle program, is about
/// `batch_bytes_max × (channel_batches_max + 3) + part_bytes_max × 3 + row_group_bytes × 2 + recheck_rows_max × width × 4`:
/// batches in the channel, in the reader, in the fold and in the encoder; the part that is being encoded, one that
/// waits or is stored, and its copy read back; one row group as Polars decodes it; the texts that it makes of some
/// of its rows. The number of rows does not enter.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Rows of one record batch.
    pub batch_rows_max: usize,
    /// Bytes of one record batch; a batch is cut when either limit is reached.
    pub batch_bytes_max: usize,
    /// Batches between reader and fold: two is double buffering, more only adds memory.
    pub channel_batches_max: usize,
    /// Bytes of one Parquet part file; small enough to be held, sent and read back whole.
    pub part_bytes_max: usize,
    /// Bytes in memory of the rows of one row group; the second path decodes one row group at once (ADR-0012).
    pub row_group_bytes: usize,
    /// Rows that Polars sees at once when it recomputes totals and digest.
    pub recheck_rows_max: usize,
    /// Rows of a small table (control totals, describe); more is an error.
    pub small_rows_max: usize,
    /// TCP connect.
    pub connect_timeout: Duration,
    /// TLS handshake and login.
    pub handshake_timeout: Duration,
    /// From sending a query to its first row: the server may sort and join for long.
    pub first_row_timeout: Duration,
    /// Between two rows of a running stream.
    pub row_gap_timeout: Duration,
    /// TCP keep-alive interval.
    pub tcp_keepalive: Duration,
    /// Attempts to open a connection; reading is never retried.
    pub open_attempts_max: u32,
    /// First pause between attempts; doubles, with full jitter.
    pub open_backoff_first: Duration,
    /// Longest pause between attempts.
    pub open_backoff_max: Duration,
    /// Bytes set aside on the evidence disk at the start, so that a full disk can still be sealed.
    pub evidence_reserve_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_rows_max: 8_192,
            batch_bytes_max: 4 << 20,
            channel_batches_max: 2,
            part_bytes_max: 12 << 20,
            row_group_bytes: 12 << 20,
            recheck_rows_max: 8_192,
            small_rows_max: 100_000,
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(15),
            first_row_timeout: Duration::from_secs(30 * 60),
            row_gap_timeout: Duration::from_secs(60),
            tcp_keepalive: Duration::from_secs(30),
            open_attempts_max: 5,
            open_backoff_first: Duration::from_millis(500),
            open_backoff_max: Duration::from_secs(10),
            evidence_reserve_bytes: 4 << 20,
        }
    }
}
