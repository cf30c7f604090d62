//! `soxauto catalog`.

mod args;
mod text;

use serde_json::{Value, json};

use crate::app::catalog::{AskSettings, Plan, draft, plan};
use crate::catalog::draft::{Draft, DraftHead};
use crate::catalog::{Definitions, predicates};
use crate::domain::ipe::Ipe;
use crate::domain::limits::Limits;
use crate::pipeline::check::{CHECKS, TRANSFER_LOADED};
use crate::pipeline::check_population::ACCURACY_NEGATIVE;

use super::output;
pub(super) use args::CatalogArgs;
use args::{CatalogCommand, LintArgs, ListArgs, NewArgs, PlanArgs, Server, ShowArgs};

/// Exit code for findings.
const FINDINGS: u8 = 1;

/// Does what was asked of the catalog.
pub(super) async fn catalog(args: CatalogArgs) -> anyhow::Result<u8> {
    match args.command {
        CatalogCommand::List(args) => list(&args),
        CatalogCommand::Show(args) => show(&args),
        CatalogCommand::Lint(args) => lint(&args),
        CatalogCommand::New(args) => new(args).await,
        CatalogCommand::Plan(args) => planned(args).await,
    }
}

fn print_json(value: &Value) -> anyhow::Result<()> {
    Ok(output::print(&serde_json::to_string_pretty(value)?)?)
}

fn list(args: &ListArgs) -> anyhow::Result<u8> {
    let ListArgs { place, json } = args;
    let catalog = Definitions::open(place.catalog.as_deref())?.catalog()?;
    if *json {
        print_json(&catalog.items().map(summary).collect())?;
    } else {
        output::print(&text::list(catalog.items()))?;
    }
    Ok(0)
}

fn summary(ipe: &Ipe) -> Value {
    json!({
        "id": ipe.id, "title": ipe.title, "databases": ipe.databases, "secret": ipe.secret,
        "columns": ipe.contract.columns.len(), "key": ipe.contract.key, "definition_sha256": ipe.definition_sha256,
    })
}

fn show(args: &ShowArgs) -> anyhow::Result<u8> {
    let ShowArgs { item, place, json } = args;
    let catalog = Definitions::open(place.catalog.as_deref())?.catalog()?;
    for ipe in catalog.select(std::slice::from_ref(item))? {
        if *json {
            let params = ipe.query.params.iter();
            let params = params.map(|param| json!({"name": param.name, "type": param.sql_type}));
            let value = json!({
                "item": summary(ipe), "table": ipe.id.table_name(), "contract": ipe.contract,
                "parameters": params.collect::<Value>(),
                "checks": checks(ipe).map(|(id, what)| json!({"id": id, "what": what})).collect::<Value>(),
                "quality": ipe.quality,
                "sql": ipe.query.text,
            });
            print_json(&value)?;
        } else {
            output::print(&text::show(ipe, checks(ipe)))?;
        }
    }
    Ok(0)
}

/// Every check that a run of the item makes, in order; those of its predicates are named by the population.
fn checks(ipe: &Ipe) -> impl Iterator<Item = (String, String)> {
    let is_behind = |(id, _): &(&str, &str)| *id == TRANSFER_LOADED;
    let place = CHECKS.iter().position(is_behind).unwrap_or(CHECKS.len());
    let (before, after) = CHECKS.split_at_checked(place).unwrap_or((&CHECKS, &[]));
    let fixed = |(id, what): &(&str, &str)| ((*id).to_owned(), (*what).to_owned());
    let negatives = predicates(ipe).into_iter().enumerate();
    let negatives = negatives.map(|(place, name)| {
        let what = format!("{name}: rows that it keeps out are not staged");
        (format!("{ACCURACY_NEGATIVE}.{}", place + 1), what)
    });
    let before = before.iter().map(fixed);
    before.chain(negatives).chain(after.iter().map(fixed))
}

fn lint(args: &LintArgs) -> anyhow::Result<u8> {
    let LintArgs { items, place, json } = args;
    let definitions = Definitions::open(place.catalog.as_deref())?;
    let findings = definitions.lint(items)?;
    if *json {
        print_json(&serde_json::to_value(&findings)?)?;
    } else {
        let looked_at = if items.is_empty() {
            definitions.names().join(", ")
        } else {
            items.join(", ")
        };
        output::print(&text::lint(&findings, &looked_at))?;
    }
    Ok(if findings.is_empty() { 0 } else { FINDINGS })
}

async fn new(args: NewArgs) -> anyhow::Result<u8> {
    let NewArgs {
        item,
        catalog,
        title,
        secret,
        from_query,
        key,
        company,
        server,
    } = args;
    let title = title.unwrap_or_else(|| item.to_string());
    let new = match from_query {
        None => Draft::skeleton(item, title, secret),
        Some(file) => {
            let place = file.to_string_lossy().into_owned();
            let query = std::fs::read_to_string(&file)
                .map_err(|io| anyhow::anyhow!("{place}: cannot be read: {io}"))?;
            let head = DraftHead {
                id: item,
                title,
                secret,
                key,
                company,
            };
            draft(head, &place, query, settings(server)).await?
        }
    };
    let folder = new.write(&catalog)?;
    output::print(&format!("{}", folder.display()))?;
    output::tell(
        "hint: edit both files, then `soxauto catalog lint` and `soxauto catalog plan` before the first run",
    );
    Ok(0)
}

fn settings(server: Server) -> AskSettings {
    let Server {
        source,
        google,
        period,
    } = server;
    AskSettings {
        period,
        source: source.into(),
        google: google.into(),
        limits: Limits::default(),
    }
}

async fn planned(args: PlanArgs) -> anyhow::Result<u8> {
    let PlanArgs {
        item,
        place,
        server,
        json,
    } = args;
    let plan: Plan = plan(place.catalog, item, settings(server)).await?;
    if json {
        print_json(&serde_json::to_value(&plan)?)?;
    } else {
        output::print(&text::plan(&plan))?;
    }
    Ok(if plan.findings.is_empty() {
        0
    } else {
        FINDINGS
    })
}
