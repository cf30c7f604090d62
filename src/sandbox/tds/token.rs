//! The tokens of an answer other than rows.
//!
//! Pure: appends bytes to a buffer.

use crate::sandbox::wire::{ColumnMeta, SqlError};

use super::text::{COLLATION, put_utf16};
use super::type_info::{put_type_info, user_type};

/// ROW token byte.
pub(super) const ROW: u8 = 0xD1;
/// NBCROW token byte.
pub(super) const NBC_ROW: u8 = 0xD2;

/// More results follow.
pub(super) const DONE_MORE: u16 = 0x0001;
/// The statement failed.
pub(super) const DONE_ERROR: u16 = 0x0002;
/// The count is valid.
pub(super) const DONE_COUNT: u16 = 0x0010;
/// Acknowledges an attention.
pub(super) const DONE_ATTENTION: u16 = 0x0020;
/// The error closes the connection.
pub(super) const DONE_SERVER_ERROR: u16 = 0x0100;

/// Which of the three DONE tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    Batch,
    Procedure,
    InProcedure,
}

/// Appends a DONE, DONEPROC or DONEINPROC token.
pub(super) fn put_done(buf: &mut Vec<u8>, done: Done, status: u16, rows: Option<u64>) {
    buf.push(match done {
        Done::Batch => 0xFD,
        Done::Procedure => 0xFE,
        Done::InProcedure => 0xFF,
    });
    let status = if rows.is_some() {
        status | DONE_COUNT
    } else {
        status
    };
    buf.extend_from_slice(&status.to_le_bytes());
    // 0xC1 is the command number of SELECT, which drivers read as "has a result".
    let command: u16 = if rows.is_some() { 0xC1 } else { 0 };
    buf.extend_from_slice(&command.to_le_bytes());
    buf.extend_from_slice(&rows.unwrap_or(0).to_le_bytes());
}

/// Appends an ERROR token, or INFO for classes up to 10.
pub(super) fn put_message(buf: &mut Vec<u8>, message: &SqlError, server_name: &str) {
    let is_error = message.class > 10;
    put_counted(buf, if is_error { 0xAA } else { 0xAB }, |buf| {
        buf.extend_from_slice(&message.number.to_le_bytes());
        buf.extend_from_slice(&[message.state, message.class]);
        put_us_varchar(buf, &message.message);
        put_b_varchar(buf, server_name);
        put_b_varchar(buf, &message.procedure);
        buf.extend_from_slice(&message.line.to_le_bytes());
    });
}

/// What an ENVCHANGE tells.
#[derive(Debug, Clone)]
pub(super) enum EnvChange<'a> {
    Database { new: &'a str, old: &'a str },
    Language,
    PacketBytes { new: usize, old: usize },
    Collation,
    Begin(u64),
    End { descriptor: u64, committed: bool },
    ResetAck,
}

/// Appends an ENVCHANGE token.
pub(super) fn put_env_change(buf: &mut Vec<u8>, change: &EnvChange<'_>) {
    put_counted(buf, 0xE3, |buf| match change {
        EnvChange::Database { new, old } => put_text_change(buf, 1, new, old),
        EnvChange::Language => put_text_change(buf, 2, "us_english", ""),
        EnvChange::PacketBytes { new, old } => {
            put_text_change(buf, 4, &new.to_string(), &old.to_string());
        }
        EnvChange::Collation => {
            buf.extend_from_slice(&[7, 5]);
            buf.extend_from_slice(&COLLATION);
            buf.push(0);
        }
        EnvChange::Begin(descriptor) => {
            buf.extend_from_slice(&[8, 8]);
            buf.extend_from_slice(&descriptor.to_le_bytes());
            buf.push(0);
        }
        EnvChange::End {
            descriptor,
            committed,
        } => {
            buf.extend_from_slice(&[if *committed { 9 } else { 10 }, 0, 8]);
            buf.extend_from_slice(&descriptor.to_le_bytes());
        }
        EnvChange::ResetAck => buf.extend_from_slice(&[18, 0, 0]),
    });
}

fn put_text_change(buf: &mut Vec<u8>, kind: u8, new: &str, old: &str) {
    buf.push(kind);
    put_b_varchar(buf, new);
    put_b_varchar(buf, old);
}

/// Appends LOGINACK.
///
/// # Units
/// `tds_version` as LOGIN7 carries it, `0x7400_0004` for 7.4.
pub(super) fn put_login_ack(buf: &mut Vec<u8>, tds_version: u32) {
    put_counted(buf, 0xAD, |buf| {
        buf.push(1);
        buf.extend_from_slice(&tds_version.to_be_bytes());
        put_b_varchar(buf, "Microsoft SQL Server");
        // Version 16.0.1000, that of SQL Server 2022.
        buf.extend_from_slice(&[16, 0, 0x03, 0xE8]);
    });
}

/// Appends COLMETADATA.
pub(super) fn put_columns(buf: &mut Vec<u8>, columns: &[ColumnMeta]) {
    buf.push(0x81);
    let count = u16::try_from(columns.len()).unwrap_or(u16::MAX);
    buf.extend_from_slice(&count.to_le_bytes());
    for column in columns {
        buf.extend_from_slice(&user_type(&column.sql_type).to_le_bytes());
        // Bit 0: nullable; bit 3: unknown whether updatable.
        buf.extend_from_slice(&[0x08 | u8::from(column.nullable), 0]);
        put_type_info(buf, column);
        put_b_varchar(buf, &column.name);
    }
}

/// Appends RETURNSTATUS.
pub(super) fn put_return_status(buf: &mut Vec<u8>, status: i32) {
    buf.push(0x79);
    buf.extend_from_slice(&status.to_le_bytes());
}

/// Appends RETURNVALUE of an `int` output parameter.
pub(super) fn put_return_int(buf: &mut Vec<u8>, ordinal: u16, name: &str, value: i32) {
    buf.push(0xAC);
    buf.extend_from_slice(&ordinal.to_le_bytes());
    put_b_varchar(buf, name);
    // Output parameter, no user type, no flags, INTN of four bytes.
    buf.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0x26, 4, 4]);
    buf.extend_from_slice(&value.to_le_bytes());
}

/// Appends a token whose length is a `u16` after its byte.
fn put_counted(buf: &mut Vec<u8>, token: u8, content: impl FnOnce(&mut Vec<u8>)) {
    buf.push(token);
    let start = buf.len();
    buf.extend_from_slice(&[0; 2]);
    content(buf);
    let len = u16::try_from(buf.len() - start - 2).unwrap_or(u16::MAX);
    if let Some(place) = buf.get_mut(start..start + 2) {
        place.copy_from_slice(&len.to_le_bytes());
    }
}

/// Text cut to what its count can hold; messages and names, never data.
fn cut(text: &str, units_max: usize) -> String {
    let units: Vec<u16> = text.encode_utf16().take(units_max).collect();
    String::from_utf16_lossy(&units)
}

fn put_b_varchar(buf: &mut Vec<u8>, text: &str) {
    let text = cut(text, 255);
    buf.extend(u8::try_from(text.encode_utf16().count()));
    put_utf16(buf, &text);
}

fn put_us_varchar(buf: &mut Vec<u8>, text: &str) {
    // 4000 units: SQL Server's longest message is 2047 characters; keeps the token below 64 KiB.
    let text = cut(text, 4000);
    let units = u16::try_from(text.encode_utf16().count()).unwrap_or(0);
    buf.extend_from_slice(&units.to_le_bytes());
    put_utf16(buf, &text);
}
