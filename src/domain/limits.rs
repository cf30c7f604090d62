//! Every queue, loop, retry and poll has its limit here, with its unit and its reason.

use std::time::Duration;

#[path = "limits_matching.rs"]
mod matching;

pub use matching::MatchingLimits;

/// What an item holds whatever its limits: seen as 3 MiB with 14 columns.
const FIXED_BYTES: usize = 4 << 20;

/// Files of a loaded month that are counted together: nothing else of the item is at work then, and a run is promised
/// two cores.
pub const READ_BACK_THREADS: usize = 2;

/// Limits of one run.
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
    /// Bytes of key hashes that are sorted at once; more rows take more passes over the sidecars.
    pub key_pass_bytes_max: usize,
    /// Rows that are read because another row has the same key hash; beyond it the source is not worth a closer look.
    pub key_rows_read_max: usize,
    /// Limits of matching rows of two sides.
    pub matching: MatchingLimits,
    /// Rows of one staged table that the reconciliation holds, of those that its filter keeps: a dozen columns of sixteen
    /// bytes a cell, and as much again while they are joined, are below 1 GiB.
    pub reconcile_rows_max: usize,
    /// Rows of a small table (control totals, describe); more is an error.
    pub small_rows_max: usize,
    /// Keys of a file of witnesses: each is a question of its own.
    pub sample_rows_max: usize,
    /// Bytes of an uploaded file that are read at once.
    pub file_read_bytes: usize,
    /// Bytes of its longest line; without a limit a quote that is never closed would be looked for in all that follows.
    pub file_line_bytes_max: usize,
    /// Bytes of one piece of its copy in staging: held, sent and read back whole, as a part is.
    pub file_piece_bytes: usize,
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
    /// Between two signs of life of a run that holds the lease of an item and month.
    pub lease_beat_interval: Duration,
    /// Without a sign of life for so long a run is dead: ten signs missed, so that no hiccup of storage kills a run.
    pub lease_expires_after: Duration,
    /// How long a publication waits for another one of its month: a dead one is over by then, also when it died on another
    /// machine just after a sign of life.
    pub publication_wait: Duration,
    /// Bytes set aside on the evidence disk at the start, so that a full disk can still be sealed.
    pub evidence_reserve_bytes: usize,
    /// Calls to web services.
    pub http: HttpLimits,
    /// Jobs in BigQuery.
    pub bigquery: BigQueryLimits,
    /// Bytes of a package that leaves as one file: beyond it the file would need fields that not every reader knows.
    pub archive_bytes_max: u32,
    /// Files delivered to Drive.
    pub drive: DriveLimits,
}

/// Limits of deliveries to Drive.
#[derive(Debug, Clone)]
pub struct DriveLimits {
    /// Bytes sent at once, a multiple of 256 KiB as the service demands; what a cut costs to send again. A delivery holds two
    /// of them, the small files of one package and one part, after all items have ended.
    pub chunk_bytes: usize,
    /// Upload sessions of one file: one that the service forgot is begun anew.
    pub sessions_max: u32,
    /// Attempts in a row after which not one byte more has arrived.
    pub stalls_max: u32,
    /// Looks at a folder that does not show yet what was delivered.
    pub looks_max: u32,
    /// Pages of one list; a name should stand there once.
    pub list_pages_max: u32,
}

impl Default for DriveLimits {
    fn default() -> Self {
        Self {
            chunk_bytes: 8 << 20,
            sessions_max: 3,
            stalls_max: 6,
            looks_max: 5,
            list_pages_max: 10,
        }
    }
}

/// Limits of jobs in BigQuery.
#[derive(Debug, Clone)]
pub struct BigQueryLimits {
    /// From the first look at a load job to its end; one that is still at work then is left to the next run.
    pub load_deadline: Duration,
    /// From asking a query to its last row.
    pub query_deadline: Duration,
    /// Time that the service may hold one question for an answer; below the silence that a call may keep.
    pub query_wait: Duration,
    /// First pause between two looks at a job; doubles.
    pub poll_first: Duration,
    /// Longest pause between two looks.
    pub poll_max: Duration,
    /// Looks at a job that was created and is not to be found yet.
    pub missing_looks_max: u32,
    /// Attempts of one load: each has a job id of its own, and a new one begins when the last has failed.
    pub load_attempts_max: u32,
    /// Places in the line of a month that one run closes before it loads; a run that ended without loading leaves one.
    pub places_max: usize,
    /// Files of one load job; BigQuery takes no more.
    pub load_files_max: usize,
    /// Pages of one answer; a read-back has at most a row a bucket, a company and a run.
    pub pages_max: u32,
    /// Rows of one page.
    pub page_rows_max: i32,
}

impl Default for BigQueryLimits {
    fn default() -> Self {
        Self {
            load_deadline: Duration::from_secs(60 * 60),
            query_deadline: Duration::from_secs(30 * 60),
            query_wait: Duration::from_secs(20),
            poll_first: Duration::from_millis(500),
            poll_max: Duration::from_secs(10),
            missing_looks_max: 10,
            load_attempts_max: 5,
            places_max: 1_000,
            load_files_max: 10_000,
            pages_max: 100,
            page_rows_max: 5_000,
        }
    }
}

/// Limits of calls to web services.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Name lookup, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the request to the head of its reply, and between two pieces of the reply.
    pub silence_timeout: Duration,
    /// One attempt from its beginning to the last byte of its reply.
    pub attempt_timeout: Duration,
    /// Attempts of a call that may be repeated; any other call has one.
    pub attempts_max: u32,
    /// Attempts to reach the metadata server: it is on the same machine, or there is none.
    pub metadata_attempts_max: u32,
    /// First pause between attempts; doubles, with full jitter.
    pub backoff_first: Duration,
    /// Longest pause that we choose ourselves.
    pub backoff_max: Duration,
    /// Longest pause that a service may ask for (`Retry-After`); who asks for more is not waited for.
    pub retry_after_max: Duration,
    /// Bytes of one reply: replies are small documents, whatever is large goes through the object store.
    pub reply_bytes_max: usize,
    /// Bytes of one stored object, which is written and read whole. A part is far smaller (`part_bytes_max`), unless one
    /// row alone is larger.
    pub object_bytes_max: usize,
    /// Pages of one list, of a thousand objects each: ten million objects are more than a century of runs leaves.
    pub list_pages_max: u32,
    /// Characters of a service's own words in an error of ours.
    pub message_chars_max: usize,
    /// A token is renewed when it has less than this left; Google's metadata server has a new one in the last five minutes.
    pub token_margin: Duration,
}

/// Limits of the HTTP service.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Bytes of the head of a request; hyper takes no fewer than 8 KiB, and a token is 2 KiB at most.
    pub head_bytes_max: usize,
    /// Headers of a request.
    pub headers_max: usize,
    /// From the opening of a connection, or the end of the last reply, to the end of the next head.
    pub head_timeout: Duration,
    /// Bytes of the body of a request: a date and the names of all items are 1 KiB.
    pub body_bytes_max: usize,
    /// From the head of a request to the end of its body.
    pub body_timeout: Duration,
    /// Connections at once; who comes later waits to be accepted.
    pub connections_max: usize,
    /// From the head to the reply, for everything but a run that the caller waits for.
    pub request_timeout: Duration,
    /// Until the other side takes something of what it is sent, and for all replies once the runs have ended and the
    /// service is to stop. Shorter than the time that Cloud Run gives before it kills.
    pub write_timeout: Duration,
    /// Requests for a run that wait while another is being started; whoever comes then is told to come again.
    pub starts_waiting_max: usize,
    /// Runs that are remembered, with their results; the oldest that has ended is forgotten.
    pub runs_kept_max: usize,
    /// Months, the newest first, in which a run is looked for that this process did not make.
    pub months_looked_max: usize,
    /// From the head of a request for a run to its beginning: the catalog, the stand-in's ledger, the leases.
    pub start_timeout: Duration,
    /// How long the answer of `/ready` is given again before its dependencies are asked anew.
    pub ready_kept: Duration,
    /// One dependency of `/ready`.
    pub ready_timeout: Duration,
    /// Bytes of a bearer token.
    pub token_bytes_max: usize,
    /// How far the clock of whoever signed a token may be from ours.
    pub token_skew: Duration,
    /// How long keys are kept that come without an age of their own.
    pub keys_kept: Duration,
    /// How long keys are used whatever age they come with, and when no newer ones can be had.
    pub keys_kept_max: Duration,
    /// Between two questions for keys, whatever tokens name and whatever came of the first: tokens are free to make.
    pub keys_pause: Duration,
    /// One call to the service that runs jobs; all attempts of it fit into `request_timeout`.
    pub job_timeout: Duration,
    /// Pages of executions of a job, of which the newest are on the first: more than Cloud Run keeps.
    pub job_pages_max: u32,
    /// How long an execution that was started here, or that may have been, counts as at work though it is not listed yet.
    pub job_unlisted_max: Duration,
    /// Attempts to deliver an alert or to get keys.
    pub attempts_max: u32,
    /// All attempts to deliver an alert, together.
    pub alert_timeout: Duration,
    /// Alerts on their way at once; of what comes then only the log tells.
    pub alerts_max: usize,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            head_bytes_max: 16 << 10,
            headers_max: 64,
            head_timeout: Duration::from_secs(10),
            body_bytes_max: 64 << 10,
            body_timeout: Duration::from_secs(10),
            connections_max: 256,
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(5),
            starts_waiting_max: 32,
            runs_kept_max: 50,
            months_looked_max: 36,
            start_timeout: Duration::from_secs(120),
            ready_kept: Duration::from_secs(15),
            ready_timeout: Duration::from_secs(5),
            token_bytes_max: 8 << 10,
            token_skew: Duration::from_secs(60),
            keys_kept: Duration::from_secs(5 * 60),
            keys_kept_max: Duration::from_secs(24 * 60 * 60),
            keys_pause: Duration::from_secs(30),
            job_timeout: Duration::from_secs(8),
            job_pages_max: 20,
            job_unlisted_max: Duration::from_secs(2 * 60),
            attempts_max: 3,
            alert_timeout: Duration::from_secs(60),
            alerts_max: 8,
        }
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            silence_timeout: Duration::from_secs(60),
            attempt_timeout: Duration::from_secs(5 * 60),
            attempts_max: 6,
            metadata_attempts_max: 3,
            backoff_first: Duration::from_millis(500),
            backoff_max: Duration::from_secs(32),
            retry_after_max: Duration::from_secs(2 * 60),
            reply_bytes_max: 16 << 20,
            object_bytes_max: 64 << 20,
            list_pages_max: 10_000,
            message_chars_max: 500,
            token_margin: Duration::from_secs(225),
        }
    }
}

impl Limits {
    /// Most bytes that one item in flight holds, when the canonical text of a row takes `row_text_bytes`.
    ///
    /// Batches in the channel, in the reader, in the fold and in the encoder; the part that is being encoded, one that
    /// waits or is stored, and its copy read back; an open row group as the encoder keeps it, and one as Polars
    /// decodes it, its pages and its columns; the texts that Polars makes of some of its rows, in pieces and whole;
    /// and what does not depend on any limit: tables of texts, contexts of the compression. The number of rows does
    /// not enter. `tests/memory.rs` holds it for what is allocated; what is resident is more, by what the allocator
    /// keeps (ADR-0013).
    #[must_use]
    pub fn item_bytes_max(&self, row_text_bytes: usize) -> usize {
        self.batch_bytes_max * (self.channel_batches_max + 3)
            + self.part_bytes_max * 3
            + self.row_group_bytes * 3
            + self.recheck_rows_max * row_text_bytes * 4
            + FIXED_BYTES
    }
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
            key_pass_bytes_max: 32 << 20,
            key_rows_read_max: 100_000,
            matching: MatchingLimits::default(),
            reconcile_rows_max: 2_000_000,
            small_rows_max: 100_000,
            sample_rows_max: 1_000,
            file_read_bytes: 256 << 10,
            file_line_bytes_max: 1 << 20,
            file_piece_bytes: 8 << 20,
            connect_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(15),
            first_row_timeout: Duration::from_secs(30 * 60),
            row_gap_timeout: Duration::from_secs(60),
            tcp_keepalive: Duration::from_secs(30),
            open_attempts_max: 5,
            open_backoff_first: Duration::from_millis(500),
            open_backoff_max: Duration::from_secs(10),
            lease_beat_interval: Duration::from_secs(30),
            lease_expires_after: Duration::from_secs(5 * 60),
            publication_wait: Duration::from_secs(5 * 60 + 30),
            evidence_reserve_bytes: 4 << 20,
            http: HttpLimits::default(),
            bigquery: BigQueryLimits::default(),
            archive_bytes_max: u32::MAX,
            drive: DriveLimits::default(),
        }
    }
}

/// Limits of a look at everything that a run needs.
#[derive(Debug, Clone)]
pub struct DoctorLimits {
    /// One check: longer than connecting and logging in may take together, shorter than anybody waits for a hundred.
    pub check_timeout: Duration,
    /// Making, loading, counting and dropping the scratch table: four jobs, each of which may wait for its turn.
    pub trial_timeout: Duration,
    /// Attempts of a call: who looks wants to know what is wrong now, not that it passed.
    pub attempts_max: u32,
    /// How far our clock may be from Google's: as far as a token may be from it (`ServerLimits`).
    pub clock_skew_max: Duration,
    /// Memory that a run is measured in, 2 GiB, less what the kernel of a machine of that size keeps.
    pub memory_bytes_min: u64,
    /// Thousandths of a processor below which a run is slower than its limits expect: half of what Cloud Run is given.
    pub millicpus_min: u64,
}

impl Default for DoctorLimits {
    fn default() -> Self {
        Self {
            check_timeout: Duration::from_secs(30),
            trial_timeout: Duration::from_secs(5 * 60),
            attempts_max: 2,
            clock_skew_max: Duration::from_secs(60),
            memory_bytes_min: 1_900 << 20,
            millicpus_min: 1_000,
        }
    }
}
