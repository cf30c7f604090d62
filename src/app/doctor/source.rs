//! The way to each SQL Server: its secret, its name, its port, the login, the databases, and every item's columns.
//!
//! Describes queries and runs none.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use super::examination::{Examination, Good};
use crate::adapters::mssql::MssqlSource;
use crate::app::SystemClock;
use crate::app::catalog::describe;
use crate::app::google::Google;
use crate::app::sources::Reach;
use crate::catalog::CatalogError;
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::domain::period::Period;
use crate::kernels::conform::contract_findings;
use crate::ports::{Clock as _, DatabaseAccess, PortError, PortErrorKind, Source as _};
use crate::settings::RunSettings;

/// Looks at every server that an item reads.
pub(super) async fn check(
    at: &mut Examination<'_>,
    run: &RunSettings,
    google: &Google,
    limits: &Limits,
    catalog: &Result<Vec<Ipe>, CatalogError>,
) {
    let opened = async {
        let reach = Reach::open(&run.source, google, limits, 1).await?;
        Ok(Good::new(format!("from {}", reach.origin), reach))
    };
    let Some(reach) = at.look("secrets", opened).await else {
        return at.skip("source", "behind secrets");
    };
    match catalog {
        Ok(items) => {
            let mut by_secret: BTreeMap<&str, Vec<&Ipe>> = BTreeMap::new();
            for item in items.iter().filter(|item| item.file.is_none()) {
                by_secret.entry(&item.secret).or_default().push(item);
            }
            for (secret, items) in by_secret {
                server(at, &reach, secret, &items).await;
            }
        }
        Err(_) => at.skip("source", "behind catalog: it says which secrets there are"),
    }
    reach.stop().await;
}

/// Steps of which each needs the one before.
struct Way<'e, 'a> {
    at: &'e mut Examination<'a>,
    secret: String,
    failed: Option<&'static str>,
}

impl Way<'_, '_> {
    /// Takes a step, unless one has failed.
    async fn step<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<Good<T>, PortError>>,
    ) -> Option<T> {
        let made = self.beside(name, work).await;
        if made.is_none() && self.failed.is_none() {
            self.failed = Some(name);
        }
        made
    }

    /// The same of a step behind which there is none.
    async fn beside<T>(
        &mut self,
        name: &str,
        work: impl Future<Output = Result<Good<T>, PortError>>,
    ) -> Option<T> {
        let shown = format!("source {}: {name}", self.secret);
        match self.failed {
            Some(failed) => {
                self.at.skip(shown, format!("behind {failed}"));
                None
            }
            None => self.at.look(shown, work).await,
        }
    }
}

async fn server(at: &mut Examination<'_>, reach: &Reach, secret: &str, items: &[&Ipe]) {
    let mut way = Way {
        at,
        secret: secret.to_owned(),
        failed: None,
    };
    let read = async {
        let source = reach.source(secret).await?;
        let from = reach.sources().origin_of(secret).await.unwrap_or_default();
        let said = format!("read from {from}; it names {}", source.server());
        Ok(Good::new(said, source))
    };
    let source = way.step("secret", read).await;
    let resolved = async {
        let found = here(&source)?.resolve().await?;
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        Ok(Good::new(found.join(", "), ()))
    };
    way.step("name", resolved).await;
    let dialled = async {
        let source = here(&source)?;
        source.dial().await?;
        Ok(Good::new(format!("{} accepts TCP", source.server()), ()))
    };
    way.step("connection", dialled).await;
    let logged_in = async {
        let view = here(&source)?.open(&[]).await?;
        let access = view.access().clone();
        view.close().await?;
        let said = format!("as {} on {}", access.login, access.server_version);
        Ok(Good::new(said, ()))
    };
    way.step("login", logged_in).await;
    let names: BTreeSet<&String> = items.iter().flat_map(|item| &item.databases).collect();
    let names: Vec<String> = names.into_iter().cloned().collect();
    let opened = async {
        let view = here(&source)?.open(&names).await?;
        let found = view.access().databases.clone();
        view.close().await?;
        let said = format!("{} can be opened", names.join(", "));
        Ok(Good::new(said, ()).better(better(&found)))
    };
    way.step("databases", opened).await;
    for item in items {
        let described = async { columns(here(&source)?, item).await };
        way.beside(&format!("item {}", item.id), described).await;
    }
}

/// The source of the first step; no later one is taken without it.
fn here(source: &Option<Arc<MssqlSource>>) -> Result<&MssqlSource, PortError> {
    let none = || PortError::new(PortErrorKind::Config, "there is no source");
    source.as_deref().ok_or_else(none)
}

/// What of the databases keeps no run from working, and could be better.
fn better(databases: &[DatabaseAccess]) -> Option<String> {
    let names = |is: &dyn Fn(&&DatabaseAccess) -> bool| {
        let found = databases.iter().filter(is);
        let found: Vec<&str> = found.map(|database| database.name.as_str()).collect();
        (!found.is_empty()).then(|| found.join(", "))
    };
    let moving = names(&|database| !database.snapshot_allowed).map(|names| {
        format!(
            "ask the DBA for ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON in {names}: without it an item fails when \
             its source changes while it is read"
        )
    });
    let writing = names(&|database| {
        database
            .write_rights
            .as_ref()
            .is_some_and(|r| !r.is_empty())
    })
    .map(|names| {
        format!("take from the login what lets it write in {names}: a control only reads")
    });
    let said: Vec<String> = moving.into_iter().chain(writing).collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Lets the server describe the item's query, and compares that with the contract.
async fn columns(source: &MssqlSource, item: &Ipe) -> Result<Good<()>, PortError> {
    let refused =
        |error: &dyn std::fmt::Display| PortError::new(PortErrorKind::Config, error.to_string());
    let period = Period::last_closed(SystemClock.now()).map_err(|error| refused(&error))?;
    let query = item.query.bind(period).map_err(|error| refused(&error))?;
    let described = match describe(source, &item.databases, &query).await {
        Ok((described, _)) => described,
        Err(error) if error.kind == PortErrorKind::Unsupported => {
            let said = "this server cannot describe it: the types of the contract stand";
            return Ok(Good::new(said, ()).better(error.hint));
        }
        Err(error) => return Err(error),
    };
    let findings = contract_findings(&item.contract, &described);
    if let Some(first) = findings.first() {
        let what = format!(
            "{} differences to the contract, the first: {first}",
            findings.len()
        );
        return Err(PortError::new(PortErrorKind::Config, what).hint(format!(
            "compare query and contract: `soxauto catalog plan {}` shows every column",
            item.id
        )));
    }
    let said = format!("{} columns as the contract says", described.columns.len());
    Ok(Good::new(said, ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str, snapshot_allowed: bool, rights: &[&str]) -> DatabaseAccess {
        let rights = rights.iter().map(|right| (*right).to_owned());
        DatabaseAccess {
            name: name.into(),
            snapshot_allowed,
            collation: "x".into(),
            write_rights: Some(rights.collect()),
        }
    }

    #[test]
    fn what_could_be_better_names_the_databases() {
        assert_eq!(better(&[database("A", true, &[])]), None);
        let said = better(&[database("A", false, &[]), database("B", true, &["UPDATE"])]).unwrap();
        assert!(said.contains("ISOLATION ON in A:"), "{said}");
        assert!(said.contains("write in B:"), "{said}");
    }
}
