//! LOGIN7: what the client says about itself, and the tokens of the answer.
//!
//! Pure. It must never print a password; [`LoginRequest`] hides it.

use crate::sandbox::wire::{LoginRequest, SqlError};

use super::input::{Input, utf16_text};
use super::packet::{PACKET_BYTES_DEFAULT, PACKET_BYTES_RANGE, TdsError};
use super::token::{
    DONE_ERROR, Done, EnvChange, put_done, put_env_change, put_login_ack, put_message,
};

/// TDS 7.4.
const TDS_7_4: u32 = 0x7400_0004;
/// TDS 7.3B, the first with NBCROW.
const TDS_7_3B: u32 = 0x730B_0003;

/// A parsed LOGIN7 message.
pub(super) struct Login {
    pub(super) request: LoginRequest,
    /// Version that both sides speak.
    pub(super) tds_version: u32,
    /// Size that both sides will use.
    pub(super) packet_bytes: usize,
}

/// Reads LOGIN7.
///
/// # Errors
/// A message that ends too early, or a TDS version before 7.3B.
pub(super) fn parse_login(body: &[u8]) -> Result<Login, TdsError> {
    let mut input = Input::new(body);
    input.u32()?;
    let version = input.u32()?;
    if version < TDS_7_3B {
        return Err(TdsError::Unsupported(format!(
            "TDS version {version:#010x}"
        )));
    }
    let packet_bytes = match input.len_u32()? {
        0 => PACKET_BYTES_DEFAULT,
        wish => wish.clamp(*PACKET_BYTES_RANGE.start(), *PACKET_BYTES_RANGE.end()),
    };
    // Client version, process, connection, four option bytes, time zone, locale.
    input.bytes(24)?;
    let _host = text_at(body, &mut input)?;
    let user = text_at(body, &mut input)?;
    let password = password_at(body, &mut input)?;
    let app_name = text_at(body, &mut input)?;
    let _server = text_at(body, &mut input)?;
    input.u32()?; // Extension.
    let _library = text_at(body, &mut input)?;
    let _language = text_at(body, &mut input)?;
    let database = text_at(body, &mut input)?;
    Ok(Login {
        request: LoginRequest {
            user,
            password,
            database,
            app_name,
        },
        tds_version: version.min(TDS_7_4),
        packet_bytes,
    })
}

/// The bytes that the next offset and length (in UTF-16 units) of the table point to.
fn field<'a>(body: &'a [u8], table: &mut Input<'_>) -> Result<&'a [u8], TdsError> {
    let offset = usize::from(table.u16()?);
    let len = usize::from(table.u16()?) * 2;
    if len == 0 {
        return Ok(&[]);
    }
    body.get(offset..offset + len)
        .ok_or(TdsError::Malformed("login field outside its message"))
}

fn text_at(body: &[u8], table: &mut Input<'_>) -> Result<String, TdsError> {
    utf16_text(field(body, table)?)
}

/// Undoes the obfuscation: XOR with 0xA5, then the nibbles change places.
fn password_at(body: &[u8], table: &mut Input<'_>) -> Result<String, TdsError> {
    let clear: Vec<u8> = field(body, table)?
        .iter()
        .map(|byte| (byte ^ 0xA5).rotate_left(4))
        .collect();
    utf16_text(&clear)
}

/// Appends the tokens of a successful login.
pub(super) fn put_accepted(buf: &mut Vec<u8>, login: &Login, database: &str, server_name: &str) {
    put_env_change(
        buf,
        &EnvChange::Database {
            new: database,
            old: "master",
        },
    );
    let text = format!("Changed database context to '{database}'.");
    put_message(buf, &info(5701, 2, text), server_name);
    put_env_change(buf, &EnvChange::Collation);
    put_env_change(buf, &EnvChange::Language);
    put_message(
        buf,
        &info(5703, 1, "Changed language setting to us_english.".into()),
        server_name,
    );
    put_login_ack(buf, login.tds_version);
    let sizes = EnvChange::PacketBytes {
        new: login.packet_bytes,
        old: PACKET_BYTES_DEFAULT,
    };
    put_env_change(buf, &sizes);
    put_done(buf, Done::Batch, 0, None);
}

/// Appends the tokens of a refused login.
pub(super) fn put_refused(buf: &mut Vec<u8>, error: &SqlError, server_name: &str) {
    put_message(buf, error, server_name);
    put_done(buf, Done::Batch, DONE_ERROR, None);
}

fn info(number: u32, state: u8, message: String) -> SqlError {
    SqlError {
        number,
        class: 0,
        state,
        message,
        procedure: String::new(),
        line: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fixed part, then one text per field of the table.
    fn login7(version: u32, packet_bytes: u32, texts: [&str; 9]) -> Vec<u8> {
        let mut body = vec![0; 94];
        body[4..8].copy_from_slice(&version.to_le_bytes());
        body[8..12].copy_from_slice(&packet_bytes.to_le_bytes());
        for (at, text) in texts.iter().enumerate() {
            let mut bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            if at == 2 {
                bytes
                    .iter_mut()
                    .for_each(|byte| *byte = byte.rotate_left(4) ^ 0xA5);
            }
            let entry = 36 + at * 4;
            let offset = u16::try_from(body.len()).unwrap();
            body[entry..entry + 2].copy_from_slice(&offset.to_le_bytes());
            let units = u16::try_from(bytes.len() / 2).unwrap();
            body[entry + 2..entry + 4].copy_from_slice(&units.to_le_bytes());
            body.extend(bytes);
        }
        body
    }

    const TEXTS: [&str; 9] = [
        "host",
        "sa",
        "pä}ss wörd",
        "app",
        "srv",
        "",
        "lib",
        "",
        "NAV",
    ];

    #[test]
    fn fields_and_password_are_read() {
        let login = parse_login(&login7(0x7400_0004, 8000, TEXTS)).unwrap();
        assert_eq!(login.request.user, "sa");
        assert_eq!(login.request.password, "pä}ss wörd");
        assert_eq!(login.request.database, "NAV");
        assert_eq!(login.request.app_name, "app");
        assert_eq!((login.packet_bytes, login.tds_version), (8000, TDS_7_4));
        assert!(!format!("{:?}", login.request).contains("wörd"));
    }

    #[test]
    fn packet_size_is_kept_in_its_range() {
        let size = |wish| {
            parse_login(&login7(TDS_7_4, wish, TEXTS))
                .unwrap()
                .packet_bytes
        };
        assert_eq!((size(0), size(1), size(70_000)), (4096, 512, 32767));
    }

    #[test]
    fn short_or_old_messages_are_refused() {
        let whole = login7(TDS_7_4, 0, TEXTS);
        for len in [0, 7, 35, 60, 100] {
            assert!(parse_login(&whole[..len]).is_err(), "{len}");
        }
        assert!(parse_login(&login7(0x7209_0002, 0, TEXTS)).is_err());
    }
}
