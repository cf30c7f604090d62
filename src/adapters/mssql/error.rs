//! Folds tiberius' errors into port errors, without secrets and without row values.

use tiberius::error::{Error, IoErrorKind, TokenError};

use crate::ports::{PortError, PortErrorKind, unquoted};

/// Server errors after which another attempt to open can succeed.
///
/// # Source
/// Microsoft's list of transient connection errors, and 1205 (deadlock victim).
const TRANSIENT: &[u32] = &[
    20, 64, 233, 1205, 4221, 10053, 10054, 10060, 10928, 10929, 40143, 40197, 40501, 40540, 40613,
    42108, 42109, 49918, 49919, 49920,
];

/// Errors that speak of names in the statement, not of values in rows; their quoted words may be shown.
const SPEAKS_OF_NAMES: &[u32] = &[
    102, 105, 137, 156, 195, 201, 207, 208, 209, 229, 230, 262, 297, 300, 916, 2812, 3952, 3961,
    4060, 4104, 11501, 11502, 11503, 11509, 11513, 11514, 11525, 11526, 11529, 18456,
];

/// An error while opening: connect, handshake, login.
pub(super) fn opening(error: &Error) -> PortError {
    match error {
        Error::Io { kind, message } if is_certificate(message) => certificate(*kind, message),
        Error::Tls(message) if is_certificate(message) => {
            certificate(IoErrorKind::InvalidData, message)
        }
        Error::Tls(message) => PortError::new(
            PortErrorKind::Unreachable,
            format!("TLS handshake failed: {message}"),
        ),
        Error::Io { kind, message } => unreachable(*kind, message),
        Error::Server(token) => refused_login(token),
        other => running(other),
    }
}

/// An error while a statement runs.
pub(super) fn running(error: &Error) -> PortError {
    match error {
        Error::Server(token) => statement(token),
        Error::Io { message, .. } => PortError::new(
            PortErrorKind::Unreachable,
            format!("the connection broke while the answer was read: {message}"),
        )
        .hint("nothing was published; run again, and look into the server's log if it repeats"),
        Error::Protocol(message) if message.contains("UTF-16") => PortError::new(
            PortErrorKind::Corrupt,
            "a text value is not valid UTF-16 (a lone surrogate)",
        )
        .hint(
            "find it with a binary comparison and correct it at the source; it is never replaced",
        ),
        Error::Encoding(message) => PortError::new(
            PortErrorKind::Corrupt,
            format!("a text value cannot be decoded in its code page: {message}"),
        )
        .hint("write CAST([column] AS nvarchar(n)) in the select list"),
        Error::Routing { host, port } => PortError::new(
            PortErrorKind::Unreachable,
            format!("the server sends clients on to {host}:{port}"),
        )
        .hint("write that address into the connection string"),
        other => PortError::new(
            PortErrorKind::Corrupt,
            format!(
                "the server's answer is malformed: {}",
                unquoted(&other.to_string())
            ),
        ),
    }
}

fn is_certificate(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    lower.contains("certificate") || lower.contains("unknownissuer")
}

fn certificate(_kind: IoErrorKind, message: &str) -> PortError {
    PortError::new(
        PortErrorKind::Denied,
        format!("the server's certificate is not trusted: {message}"),
    )
    .hint(
        "install its CA on this machine or name it with ServerCertificate=<file.pem>; \
         TrustServerCertificate=yes accepts anybody and is for tests",
    )
}

fn unreachable(kind: IoErrorKind, message: &str) -> PortError {
    PortError::new(
        PortErrorKind::Unreachable,
        format!("the server cannot be reached ({kind:?}): {message}"),
    )
    .hint("check host, port, firewall and VPN: the server must accept TCP from this machine")
    .retryable()
}

fn refused_login(token: &TokenError) -> PortError {
    let code = token.code();
    match code {
        18452 | 18456 | 18470 | 18486 | 18487 | 18488 => PortError::new(
            PortErrorKind::Denied,
            format!(
                "the server refused the login (error {code}, state {})",
                token.state()
            ),
        )
        .hint("check UID and PWD in the secret; the login may be locked or its password expired"),
        916 | 4060 => PortError::new(
            PortErrorKind::Denied,
            format!("the login may not open the database (error {code})"),
        )
        .hint("check DATABASE in the secret, and grant the login CONNECT and SELECT there"),
        code if TRANSIENT.contains(&code) => statement(token).retryable(),
        _ => statement(token),
    }
}

fn statement(token: &TokenError) -> PortError {
    let code = token.code();
    let text = if SPEAKS_OF_NAMES.contains(&code) {
        token.message().to_owned()
    } else {
        unquoted(token.message())
    };
    let kind = if matches!(code, 229 | 230 | 262 | 297 | 300 | 916) {
        PortErrorKind::Denied
    } else {
        PortErrorKind::Query
    };
    let mut error = PortError::new(kind, format!("SQL Server error {code}: {text}"))
        .at("state", token.state().to_string())
        .at("line", token.line().to_string());
    if !token.procedure().is_empty() {
        error = error.at("procedure", token.procedure());
    }
    match code {
        8115 => error.hint("a number or sum needs more than 38 digits; split the item or correct the source rows"),
        8134 => error.hint("a division by zero in the select list; guard it with NULLIF"),
        208 => error.hint("the table does not exist there or the login may not see it: check [database].[schema].[table]"),
        207 => error.hint("the column does not exist: compare the select list with the table"),
        229 | 230 => error.hint("grant SELECT on it to the login of the secret"),
        3952 | 3960 | 3961 => error.hint("ask the DBA for ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_connections_are_unreachable_and_name_no_row() {
        let error = Error::Io {
            kind: IoErrorKind::UnexpectedEof,
            message: "eof".into(),
        };
        assert_eq!(running(&error).kind, PortErrorKind::Unreachable);
        assert!(!running(&error).is_retryable, "reading is never retried");
        assert!(opening(&error).is_retryable);
    }

    #[test]
    fn certificates_are_denied_not_retried() {
        let error = Error::Tls("invalid peer certificate: UnknownIssuer".into());
        assert_eq!(opening(&error).kind, PortErrorKind::Denied);
        assert!(!opening(&error).is_retryable);
    }
}
