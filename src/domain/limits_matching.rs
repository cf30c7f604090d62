//! Limits of matching.

/// Limits of matching rows of two sides.
#[derive(Debug, Clone)]
pub struct MatchingLimits {
    /// Bytes of the keys of one partition, all of them different: decides how many partitions there are. One thread holds
    /// one partition.
    pub partition_bytes: usize,
    /// Partitions: each has an open buffer for each side. More rows than they hold are refused.
    pub partitions_max: usize,
    /// Bytes of one buffer, and of one write to the scratch file.
    pub chunk_bytes: usize,
    /// Bytes of rows that wait in memory; the others wait in the scratch file.
    pub held_bytes_max: usize,
    /// Bytes of the scratch file: ten times the largest month that was promised.
    pub scratch_bytes_max: u64,
    /// Threads that match partitions: a run is promised two cores.
    pub threads: usize,
    /// Rows decoded at once.
    pub batch_rows_max: usize,
    /// Rows of one key of which both sides have several: a person can look through so many, and no more.
    pub group_rows_max: u64,
    /// Pairs of a company and a GL.
    pub scopes_max: usize,
    /// Rows or keys of one list of one company and GL: what a person reads.
    pub items_per_scope_max: usize,
    /// Rows or keys of one kind of list over all companies and GLs.
    pub items_max: usize,
    /// Bytes of a key: an index of the source takes no longer ones.
    pub key_bytes_max: usize,
}

impl MatchingLimits {
    /// Most bytes that matching holds, besides the parts that are being decoded, a bit for each of their rows and the columns
    /// of the conditions of one row group where they are filtered, and the lists of the result.
    ///
    /// Rows that wait, an open buffer for each partition and side, and the keys of a partition a thread: up to twice what
    /// was planned, as hashes are not perfectly even, and twice that while a table grows. The number of rows does not enter.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        self.held_bytes_max
            + self.partitions_max * 2 * self.chunk_bytes
            + self.threads * 4 * self.partition_bytes
    }
}

impl Default for MatchingLimits {
    fn default() -> Self {
        Self {
            partition_bytes: 48 << 20,
            partitions_max: 256,
            chunk_bytes: 128 << 10,
            held_bytes_max: 128 << 20,
            scratch_bytes_max: 16 << 30,
            threads: 2,
            batch_rows_max: 8_192,
            group_rows_max: 1_000,
            scopes_max: 10_000,
            items_per_scope_max: 1_000,
            items_max: 50_000,
            key_bytes_max: 2_048,
        }
    }
}
