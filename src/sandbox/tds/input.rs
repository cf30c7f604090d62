//! A bounds-checked reader over the bytes of one received message.
//!
//! Pure; it must never panic whatever a client sends.

use super::packet::TdsError;

/// What is left of a message body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Everything not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next byte without consuming it.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], TdsError> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .ok_or(TdsError::Malformed("message ends too early"))?;
        self.rest = tail;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], TdsError> {
        let (head, tail) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(TdsError::Malformed("message ends too early"))?;
        self.rest = tail;
        Ok(*head)
    }

    pub(super) fn u8(&mut self) -> Result<u8, TdsError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, TdsError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, TdsError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, TdsError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A `u32` used as a length of this machine.
    pub(super) fn len_u32(&mut self) -> Result<usize, TdsError> {
        usize::try_from(self.u32()?).map_err(|_| TdsError::Malformed("length out of range"))
    }

    /// Up to eight bytes as a little-endian number.
    pub(super) fn uint(&mut self, len: usize) -> Result<u64, TdsError> {
        let bytes = self.bytes(len)?;
        Ok(bytes
            .iter()
            .rev()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)))
    }

    /// UTF-16LE text of `units` code units; a lone surrogate is refused, not replaced.
    pub(super) fn utf16(&mut self, units: usize) -> Result<String, TdsError> {
        utf16_text(self.bytes(units.saturating_mul(2))?)
    }

    /// Text with a one-byte count of code units.
    pub(super) fn b_varchar(&mut self) -> Result<String, TdsError> {
        let units = usize::from(self.u8()?);
        self.utf16(units)
    }
}

/// Decodes UTF-16LE bytes.
///
/// # Errors
/// An odd length or a lone surrogate.
pub(super) fn utf16_text(bytes: &[u8]) -> Result<String, TdsError> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(TdsError::Malformed("odd length of UTF-16 text"));
    }
    char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair)))
        .collect::<Result<String, _>>()
        .map_err(|_| TdsError::Malformed("lone surrogate in UTF-16 text"))
}
