//! The server's facts: `@@VERSION`, `DB_NAME()`, `SERVERPROPERTY`, `HAS_PERMS_BY_NAME` and their like.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::run::STAND_IN;
use crate::domain::sql_type::SqlType;
use crate::sandbox::engine::catalog::StatementCatalog;
use crate::sandbox::engine::func::cell::Cell;
use crate::sandbox::tsql::error::{SqlResult, internal, unsupported};
use crate::sandbox::tsql::value::datetime_tick;

/// Product version: SQL Server 2019, as the real one.
const PRODUCT_VERSION: &str = "15.0.4312.2";

/// Default collation of every database.
pub(super) const COLLATION: &str = "SQL_Latin1_General_CP1_CI_AS";

/// Permissions of a login that may only read.
const READ_PERMISSIONS: [&str; 3] = ["CONNECT", "SELECT", "VIEW DEFINITION"];
/// What it must not have.
const WRITE_PERMISSIONS: [&str; 8] = [
    "INSERT",
    "UPDATE",
    "DELETE",
    "ALTER",
    "CONTROL",
    "EXECUTE",
    "REFERENCES",
    "CREATE TABLE",
];

/// The permissions of the login on a database.
pub(super) fn permissions(read_only: bool) -> Vec<&'static str> {
    let mut names = READ_PERMISSIONS.to_vec();
    if !read_only {
        names.extend(WRITE_PERMISSIONS);
    }
    names
}

/// The fact of an upper-case name.
pub(super) fn fact(
    catalog: &StatementCatalog<'_>,
    name: &str,
    arguments: &[Option<String>],
) -> SqlResult<(Cell<'static>, SqlType)> {
    let sysname = || SqlType::NVarChar(Some(128));
    let config = &catalog.shared.config;
    Ok(match (name, arguments) {
        ("@@VERSION", []) => {
            let text = format!("Microsoft SQL Server 2019 ({STAND_IN}) - {PRODUCT_VERSION} (X64)");
            (Cell::text(text), SqlType::NVarChar(Some(300)))
        }
        ("@@SERVERNAME", []) => (Cell::text(config.server_name.as_str()), sysname()),
        ("@@LANGUAGE", []) => (Cell::text("us_english"), sysname()),
        ("@@SERVICENAME", []) => (Cell::text("MSSQLSERVER"), sysname()),
        ("@@SPID", []) => (Cell::Int(i64::from(catalog.session)), SqlType::SmallInt),
        ("@@TRANCOUNT", []) => (Cell::Int(i64::from(catalog.transactions)), SqlType::Int),
        ("@@MAX_PRECISION", []) => (Cell::Int(38), SqlType::TinyInt),
        ("@@ERROR", []) => (Cell::Int(0), SqlType::Int),
        ("@@NESTLEVEL" | "XACT_STATE", []) => (
            Cell::Int(i64::from(name == "XACT_STATE" && catalog.transactions > 0)),
            SqlType::Int,
        ),
        ("@@ROWCOUNT", []) => (
            Cell::Int(i64::try_from(catalog.row_count).map_err(internal)?),
            SqlType::Int,
        ),
        ("ROWCOUNT_BIG", []) => (
            Cell::Int(i64::try_from(catalog.row_count).map_err(internal)?),
            SqlType::BigInt,
        ),
        ("DB_NAME" | "ORIGINAL_DB_NAME", []) => (Cell::text(catalog.database), sysname()),
        ("DB_NAME", [Some(id)]) => {
            let names = super::sysviews::databases(catalog);
            let found = names.into_iter().find(|(own, _)| own.to_string() == *id);
            (
                found.map_or(Cell::Null, |(_, name)| Cell::text(name)),
                sysname(),
            )
        }
        ("DB_ID", []) => (database_id(catalog, catalog.database), SqlType::SmallInt),
        ("DB_ID", [Some(name)]) => (database_id(catalog, name), SqlType::SmallInt),
        ("SUSER_SNAME" | "SUSER_NAME" | "ORIGINAL_LOGIN" | "SYSTEM_USER", []) => {
            (Cell::text(config.login.as_str()), sysname())
        }
        ("USER_NAME" | "CURRENT_USER" | "SESSION_USER" | "USER", []) => {
            (Cell::text(config.login.as_str()), sysname())
        }
        ("SCHEMA_NAME", []) => (Cell::text("dbo"), sysname()),
        ("HOST_NAME", []) => (Cell::Null, sysname()),
        ("APP_NAME", []) => (catalog.program(), sysname()),
        _ => return property(catalog, name, arguments),
    })
}

/// Clocks, properties and permissions.
fn property(
    catalog: &StatementCatalog<'_>,
    name: &str,
    arguments: &[Option<String>],
) -> SqlResult<(Cell<'static>, SqlType)> {
    Ok(match (name, arguments) {
        ("GETDATE" | "CURRENT_TIMESTAMP" | "GETUTCDATE", []) => {
            let tick = datetime_tick(now_us()?).ok_or_else(|| internal("the clock"))?;
            (Cell::DateTime(tick), SqlType::DateTime)
        }
        ("SYSDATETIME" | "SYSUTCDATETIME", []) => {
            (Cell::DateTime(now_us()?), SqlType::DateTime2(7))
        }
        ("SERVERPROPERTY", [Some(property)]) => server_property(catalog, property),
        ("DATABASEPROPERTYEX", [Some(database), Some(property)]) => {
            database_property(catalog, database, property)?
        }
        ("HAS_PERMS_BY_NAME", [securable, class, Some(permission), ..]) => (
            has_permission(catalog, securable.as_deref(), class.as_deref(), permission)?,
            SqlType::Int,
        ),
        ("IS_MEMBER" | "IS_ROLEMEMBER" | "IS_SRVROLEMEMBER", [Some(role), ..]) => {
            let member =
                role.eq_ignore_ascii_case("public") || role.eq_ignore_ascii_case("db_datareader");
            (Cell::Int(i64::from(member)), SqlType::Int)
        }
        (name, _) => {
            return Err(unsupported(format!(
                "{name} with {} arguments",
                arguments.len()
            )));
        }
    })
}

impl StatementCatalog<'_> {
    fn program(&self) -> Cell<'static> {
        let sessions = self
            .shared
            .sessions
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        sessions
            .get(&self.session)
            .map_or(Cell::Null, |s| Cell::text(s.program.as_str()))
    }
}

/// The sandbox's clock, UTC. The engine plays the server here, whose clock is not the program's.
fn now_us() -> SqlResult<i64> {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(internal)?;
    i64::try_from(elapsed.as_micros()).map_err(internal)
}

fn database_id(catalog: &StatementCatalog<'_>, name: &str) -> Cell<'static> {
    let names = super::sysviews::databases(catalog);
    let found = names
        .into_iter()
        .find(|(_, own)| own.eq_ignore_ascii_case(name));
    found.map_or(Cell::Null, |(id, _)| Cell::Int(id))
}

/// SERVERPROPERTY gives sql_variant on a real server; here the type of the value.
fn server_property(catalog: &StatementCatalog<'_>, property: &str) -> (Cell<'static>, SqlType) {
    let text = |text: &str| (Cell::text(text), SqlType::NVarChar(Some(128)));
    match property.to_ascii_lowercase().as_str() {
        "productversion" => text(PRODUCT_VERSION),
        "productlevel" => text("RTM"),
        "productmajorversion" => text("15"),
        "edition" => text("Developer Edition (64-bit)"),
        "collation" => text(COLLATION),
        "servername" | "machinename" => text(&catalog.shared.config.server_name),
        "engineedition" => (Cell::Int(3), SqlType::Int),
        "ishadrenabled" | "isclustered" | "isintegratedsecurityonly" => {
            (Cell::Int(0), SqlType::Int)
        }
        _ => (Cell::Null, SqlType::NVarChar(Some(128))),
    }
}

fn database_property(
    catalog: &StatementCatalog<'_>,
    database: &str,
    property: &str,
) -> SqlResult<(Cell<'static>, SqlType)> {
    let ty = SqlType::NVarChar(Some(128));
    if catalog.shared.database(database).is_none() {
        return Ok((Cell::Null, ty));
    }
    match property.to_ascii_lowercase().as_str() {
        "collation" => Ok((Cell::text(COLLATION), ty)),
        "status" => Ok((Cell::text("ONLINE"), ty)),
        "updateability" => Ok((Cell::text("READ_WRITE"), ty)),
        other => Err(unsupported(format!("DATABASEPROPERTYEX(…, '{other}')"))),
    }
}

/// 1, 0, or null for a securable that does not exist.
fn has_permission(
    catalog: &StatementCatalog<'_>,
    securable: Option<&str>,
    class: Option<&str>,
    permission: &str,
) -> SqlResult<Cell<'static>> {
    let class = class.unwrap_or("SERVER").to_ascii_uppercase();
    let permission = permission.to_ascii_uppercase();
    let held = match class.as_str() {
        "DATABASE" => {
            let name = securable.map(|s| {
                s.trim()
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .replace("]]", "]")
            });
            if name.is_some_and(|n| catalog.shared.database(&n).is_none()) {
                return Ok(Cell::Null);
            }
            let known = READ_PERMISSIONS.contains(&permission.as_str())
                || WRITE_PERMISSIONS.contains(&permission.as_str());
            if !known
                && permission != "ANY"
                && !permission.starts_with("CREATE")
                && !permission.starts_with("ALTER ANY")
            {
                return Ok(Cell::Null);
            }
            permission == "ANY"
                || permissions(catalog.shared.config.read_only_login).contains(&permission.as_str())
        }
        "OBJECT" => {
            permissions(catalog.shared.config.read_only_login).contains(&permission.as_str())
        }
        "SERVER" => permission == "CONNECT SQL",
        other => {
            return Err(unsupported(format!(
                "HAS_PERMS_BY_NAME for the class {other}"
            )));
        }
    };
    Ok(Cell::Int(i64::from(held)))
}
