//! Bytes that wait for a second pass and are nobody's result.

use super::PortError;

/// A place for bytes that do not fit into memory; it forgets them when it is dropped, or its process dies.
///
/// Synchronous: whoever uses it computes on a blocking thread. What is read back is compared by the caller.
pub trait Scratch: Send + Sync {
    /// Adds bytes; gives the place where they begin.
    ///
    /// # Errors
    /// `Limit` when the place is full, `Denied` when it may not be written.
    fn append(&self, bytes: &[u8]) -> Result<u64, PortError>;

    /// Fills `into` with what was added at `at`.
    ///
    /// # Errors
    /// `Corrupt` when there are not so many bytes.
    fn read(&self, at: u64, into: &mut [u8]) -> Result<(), PortError>;
}
