//! Reads ODBC and ADO connection strings into a typed address.
//!
//! Uses nothing but the text. Never repeats a value of the text in an error: a password may stand anywhere.

use std::time::Duration;

use crate::ports::{PortError, PortErrorKind, Secret};

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encrypt {
    /// Everything; refuse a server that cannot.
    Mandatory,
    /// Only the login packet, as `Encrypt=no` means it in the drivers.
    LoginOnly,
}

/// Where and as whom to connect.
#[derive(Debug, Clone)]
pub struct Address {
    /// Host name or IP address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database after login.
    pub database: String,
    /// Login.
    pub user: String,
    /// Password.
    pub password: Secret,
    /// Encryption.
    pub encrypt: Encrypt,
    /// Accept any certificate; says so in the evidence.
    pub trust_server_certificate: bool,
    /// PEM or DER file of a certificate to trust beside the system's.
    pub server_certificate: Option<String>,
    /// Name that the certificate must carry, if not `host`.
    pub host_name_in_certificate: Option<String>,
    /// Longest time for connecting and logging in, if the string limits it.
    pub connect_timeout: Option<Duration>,
    /// Ask an availability group for a readable secondary.
    pub read_only_intent: bool,
}

/// Keywords that change nothing for a program that reads over one TCP connection.
const IGNORED: &[&str] = &[
    "driver",
    "provider",
    "app",
    "applicationname",
    "wsid",
    "workstationid",
    "marsconnection",
    "multipleactiveresultsets",
    "multisubnetfailover",
    "persistsecurityinfo",
    "pooling",
    "packetsize",
    "language",
    "network",
    "networklibrary",
    "description",
    "quotedid",
    "ansinpw",
    "regional",
    "connectretrycount",
    "connectretryinterval",
    "minpoolsize",
    "maxpoolsize",
    "querytimeout",
    "commandtimeout",
    "keepalive",
    "keepaliveinterval",
];

/// Reads a connection string.
///
/// # Errors
/// `Config` that names the keyword or position and how to write it; never a value.
pub fn parse(text: &str) -> Result<Address, PortError> {
    let mut fields = Fields::read(text)?;
    let (host, port) =
        server(fields.take(&["server", "address", "addr", "datasource", "networkaddress"]))?;
    refuse_other_logins(&mut fields)?;
    let user = fields
        .take(&["uid", "userid", "user", "username"])
        .unwrap_or_default();
    let password = fields.take(&["pwd", "password"]);
    let (false, Some(password)) = (user.is_empty(), password) else {
        return Err(config("the connection string names no login")
            .hint("add UID=<login>;PWD={<password>}; Windows authentication is not supported"));
    };
    let encrypt = match fields
        .take(&["encrypt"])
        .as_deref()
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        None | Some("yes" | "true" | "mandatory" | "1") => Encrypt::Mandatory,
        Some("no" | "false" | "optional" | "0") => Encrypt::LoginOnly,
        Some("strict") => {
            return Err(
                config("Encrypt=strict (TDS 8.0) is not supported").hint("write Encrypt=yes")
            );
        }
        Some(_) => {
            return Err(
                config("keyword Encrypt has a value that is not known").hint("write Encrypt=yes")
            );
        }
    };
    let trust_server_certificate =
        fields.flag("TrustServerCertificate", &["trustservercertificate"])?;
    let connect_timeout = fields.seconds(&[
        "connectiontimeout",
        "connecttimeout",
        "timeout",
        "logintimeout",
    ])?;
    let address = Address {
        host,
        port,
        database: fields
            .take(&["database", "initialcatalog"])
            .unwrap_or_else(|| "master".to_owned()),
        user,
        password: Secret::new(password),
        encrypt,
        trust_server_certificate,
        server_certificate: fields.take(&["servercertificate"]),
        host_name_in_certificate: fields.take(&["hostnameincertificate"]),
        connect_timeout,
        read_only_intent: fields
            .take(&["applicationintent"])
            .is_some_and(|intent| intent.eq_ignore_ascii_case("readonly")),
    };
    fields.refuse_rest()?;
    Ok(address)
}

fn config(message: impl Into<String>) -> PortError {
    PortError::new(PortErrorKind::Config, message)
}

fn refuse_other_logins(fields: &mut Fields) -> Result<(), PortError> {
    let integrated = fields.take(&["trustedconnection", "integratedsecurity"]);
    if integrated
        .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "no" | "false"))
    {
        return Err(config(
            "the connection string asks for Windows authentication, which is not supported",
        )
        .hint("use a read-only SQL login: UID=<login>;PWD={<password>}"));
    }
    let method = fields.take(&["authentication"]);
    if method.is_some_and(|value| !value.eq_ignore_ascii_case("SqlPassword")) {
        return Err(
            config("keyword Authentication asks for a method other than SqlPassword")
                .hint("use a read-only SQL login: UID=<login>;PWD={<password>}"),
        );
    }
    Ok(())
}

/// Reads `tcp:host`, `host,port`, `host\instance,port`; a lone instance name is refused.
fn server(value: Option<String>) -> Result<(String, u16), PortError> {
    let value = value.unwrap_or_default();
    let rest = match value.split_once(':') {
        Some((protocol, rest)) if protocol.eq_ignore_ascii_case("tcp") => rest,
        Some((protocol, _))
            if ["np", "lpc", "admin"]
                .iter()
                .any(|p| protocol.eq_ignore_ascii_case(p)) =>
        {
            return Err(config("keyword Server asks for a protocol other than TCP")
                .hint("write SERVER=tcp:host,1433"));
        }
        _ => value.as_str(),
    };
    let (name, port) = match rest.split_once(',') {
        Some((name, port)) => (name.trim(), Some(port.trim())),
        None => (rest.trim(), None),
    };
    let (host, instance) = match name.split_once('\\') {
        Some((host, instance)) => (host.trim(), Some(instance)),
        None => (name, None),
    };
    if host.is_empty() {
        return Err(
            config("the connection string names no server").hint("add SERVER=tcp:host,1433")
        );
    }
    if instance.is_some_and(|name| !name.eq_ignore_ascii_case("MSSQLSERVER")) && port.is_none() {
        return Err(config(
            "keyword Server names an instance without a port; the SQL Browser service is not asked",
        )
        .hint("write the instance's own TCP port: SERVER=tcp:host,<port>"));
    }
    let port = port.map_or(Ok(1433), str::parse).map_err(|_| {
        config("keyword Server has a port that is not a number from 1 to 65535")
            .hint("write SERVER=tcp:host,1433")
    })?;
    if port == 0 {
        return Err(config("keyword Server has port 0").hint("write SERVER=tcp:host,1433"));
    }
    let host = if host == "." || host.eq_ignore_ascii_case("(local)") {
        "localhost"
    } else {
        host
    };
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// The pairs of a connection string, keyed by keyword in lower case without blanks and underscores.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(text: &str) -> Result<Self, PortError> {
        if text.trim().is_empty() {
            return Err(config("the connection string is empty"));
        }
        let odbc = is_odbc(text);
        let mut pairs: Vec<(String, String)> = Vec::new();
        let mut rest = text;
        while !rest
            .trim_start_matches([';', ' ', '\r', '\n', '\t'])
            .is_empty()
        {
            rest = rest.trim_start_matches([';', ' ', '\r', '\n', '\t']);
            let position = pairs.len() + 1;
            let Some((key, after)) = rest
                .split_once('=')
                .filter(|(key, _)| !key.contains([';', '{', '}']))
            else {
                return Err(config(format!("part {position} of the connection string is not KEYWORD=value"))
                    .hint("put a value that holds `;` into braces and double each `}` in it: PWD={a;b}}c}"));
            };
            let key = normal_key(key);
            let (value, behind) = read_value(after, odbc, position)?;
            if pairs.iter().any(|(other, _)| *other == key) {
                return Err(config(format!(
                    "part {position} of the connection string repeats a keyword"
                ))
                .hint("write every keyword once"));
            }
            pairs.push((key, value));
            rest = behind;
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, keys: &[&str]) -> Option<String> {
        let index = self
            .0
            .iter()
            .position(|(key, _)| keys.contains(&key.as_str()))?;
        Some(self.0.remove(index).1)
    }

    fn flag(&mut self, name: &str, keys: &[&str]) -> Result<bool, PortError> {
        match self
            .take(keys)
            .map(|value| value.to_ascii_lowercase())
            .as_deref()
        {
            None | Some("no" | "false" | "0") => Ok(false),
            Some("yes" | "true" | "1") => Ok(true),
            Some(_) => Err(config(format!("keyword {name} is neither yes nor no"))),
        }
    }

    fn seconds(&mut self, keys: &[&str]) -> Result<Option<Duration>, PortError> {
        let Some(value) = self.take(keys) else {
            return Ok(None);
        };
        let seconds: u64 = value.parse().map_err(|_| {
            config("the connection timeout is not a number of seconds")
                .hint("write Connection Timeout=30")
        })?;
        // Zero means "no limit" in the drivers; ours stays.
        Ok((seconds > 0).then(|| Duration::from_secs(seconds)))
    }

    fn refuse_rest(self) -> Result<(), PortError> {
        let known = |key: &String| IGNORED.contains(&key.as_str());
        match self.0.iter().position(|(key, _)| !known(key)) {
            None => Ok(()),
            // The keyword itself is not repeated: an unescaped password can look like one.
            Some(_) => Err(
                config("the connection string has a keyword that is not known")
                    .hint("if the password holds `;` or `=`, put it into braces: PWD={…}"),
            ),
        }
    }
}

fn normal_key(key: &str) -> String {
    key.chars()
        .filter(|c| !c.is_whitespace() && *c != '_')
        .flat_map(char::to_lowercase)
        .collect()
}

/// ODBC strings quote with braces, ADO strings with quotes; `DRIVER`, `UID` or `PWD` tell ODBC.
fn is_odbc(text: &str) -> bool {
    text.split(';')
        .filter_map(|part| part.split_once('='))
        .any(|(key, _)| matches!(normal_key(key).as_str(), "driver" | "uid" | "pwd"))
}

fn read_value(text: &str, odbc: bool, position: usize) -> Result<(String, &str), PortError> {
    let trimmed = text.trim_start_matches(' ');
    let close = match trimmed.chars().next() {
        Some('{') if odbc => Some('}'),
        Some(quote @ ('"' | '\'')) if !odbc => Some(quote),
        _ => None,
    };
    let Some(close) = close else {
        let (value, rest) = trimmed.split_once(';').unwrap_or((trimmed, ""));
        return Ok((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = trimmed.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != close {
            value.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == close) {
            value.push(close);
            chars.next();
        } else {
            let rest = trimmed.get(index + c.len_utf8()..).unwrap_or_default();
            let behind = rest.trim_start();
            if !behind.is_empty() && !behind.starts_with(';') {
                return Err(config(format!(
                    "part {position} of the connection string goes on behind its closing `{close}`"
                ))
                .hint(format!("double each `{close}` inside the value")));
            }
            return Ok((value, behind));
        }
    }
    Err(config(format!(
        "part {position} of the connection string opens a value that is never closed by `{close}`"
    )))
}

#[cfg(test)]
#[path = "connection_string_tests.rs"]
mod tests;
