//! The catalog: items as data, embedded in the binary or read from a folder.
//!
//! May use `domain`; reads files, asks nobody. Every mistake is named with its file.

pub mod draft;
mod file;
pub mod lint;
mod population;
mod quality;
mod uploaded;
mod witness;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::domain::digest::sha256_hex;
use crate::domain::ids::IpeId;
use crate::domain::ipe::Ipe;

use lint::Finding;

/// The predicates of an item's population, in the order of its funnel: the first is that of `accuracy.negative.1`.
#[must_use]
pub fn predicates(ipe: &Ipe) -> Vec<String> {
    let population = ipe.population.as_ref();
    population.map_or_else(Vec::new, |population| {
        lint::predicates(&population.query.text)
    })
}

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/data/catalog");

/// A definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("catalog {place}: {what}")]
pub struct CatalogError {
    /// File or folder.
    pub place: String,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl CatalogError {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            what: what.into(),
        }
    }
}

/// All items, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    items: BTreeMap<IpeId, Ipe>,
    /// `embedded` or the folder.
    pub origin: String,
    /// SHA-256 over the digests of all items, in hex.
    pub sha256: String,
}

/// The files that define one item, as text.
#[derive(Debug, Clone)]
struct ItemFiles {
    place: String,
    folder: String,
    toml: String,
    /// `query.sql`; empty for an item that is read from a file.
    query: String,
    /// `population.sql`, where there is one.
    population: Option<String>,
    /// `witness.sql`, where there is one.
    witness: Option<String>,
}

impl ItemFiles {
    fn toml_place(&self) -> String {
        format!("{}/ipe.toml", self.place)
    }

    fn query_place(&self) -> String {
        format!("{}/query.sql", self.place)
    }

    fn population_place(&self) -> String {
        format!("{}/population.sql", self.place)
    }

    fn witness_place(&self) -> String {
        format!("{}/witness.sql", self.place)
    }
}

/// The files of all items as they stand, before anybody judged them.
#[derive(Debug, Clone)]
pub struct Definitions {
    items: Vec<ItemFiles>,
    origin: String,
}

impl Definitions {
    /// The files that were built into the binary.
    ///
    /// # Errors
    /// [`CatalogError`] names a file that is missing.
    pub fn embedded() -> Result<Self, CatalogError> {
        let mut items = Vec::new();
        for dir in EMBEDDED.dirs() {
            let folder = dir.path().to_string_lossy().into_owned();
            let text = |name: &str| {
                let path = dir.path().join(name);
                let contents = EMBEDDED
                    .get_file(&path)
                    .and_then(|file| file.contents_utf8());
                contents
                    .map(str::to_owned)
                    .ok_or_else(|| CatalogError::new(path.to_string_lossy(), "the file is missing"))
            };
            let toml = text("ipe.toml")?;
            items.push(ItemFiles {
                place: folder.clone(),
                query: query_of(&toml, text("query.sql").ok(), || text("query.sql"))?,
                toml,
                population: text("population.sql").ok(),
                witness: text("witness.sql").ok(),
                folder,
            });
        }
        Self::of("embedded".to_owned(), items)
    }

    /// The files of a folder with one sub-folder an item.
    ///
    /// # Errors
    /// [`CatalogError`] names the file or folder that cannot be read.
    pub fn read(dir: &Path) -> Result<Self, CatalogError> {
        let place = |path: &Path| path.to_string_lossy().into_owned();
        let unreadable = |path: &Path, io: &std::io::Error| {
            CatalogError::new(place(path), format!("cannot be read: {io}"))
        };
        let mut folders: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(dir).map_err(|io| unreadable(dir, &io))? {
            let path = entry.map_err(|io| unreadable(dir, &io))?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        let mut items = Vec::new();
        for path in folders {
            let text = |name: &str| {
                let file = path.join(name);
                fs::read_to_string(&file).map_err(|io| unreadable(&file, &io))
            };
            let optional = |name: &str| match text(name) {
                Ok(text) => Ok(Some(text)),
                Err(_) if !path.join(name).exists() => Ok(None),
                Err(error) => Err(error),
            };
            let folder = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let toml = text("ipe.toml")?;
            items.push(ItemFiles {
                place: place(&path),
                folder,
                query: query_of(&toml, optional("query.sql")?, || text("query.sql"))?,
                toml,
                population: optional("population.sql")?,
                witness: optional("witness.sql")?,
            });
        }
        Self::of(place(dir), items)
    }

    /// The embedded ones, or those of `dir`.
    ///
    /// # Errors
    /// As [`Definitions::read`].
    pub fn open(dir: Option<&Path>) -> Result<Self, CatalogError> {
        dir.map_or_else(Self::embedded, Self::read)
    }

    fn of(origin: String, mut items: Vec<ItemFiles>) -> Result<Self, CatalogError> {
        if items.is_empty() {
            return Err(CatalogError::new(
                origin,
                "holds no item; an item is a folder with ipe.toml and query.sql",
            ));
        }
        items.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(Self { items, origin })
    }

    /// Names of all items, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.folder.as_str()).collect()
    }

    /// Everything that is wrong with the items of these names; with all when `names` is empty.
    ///
    /// # Errors
    /// Names an item that does not exist, and those that do.
    pub fn lint(&self, names: &[String]) -> Result<Vec<Finding>, CatalogError> {
        let items = selected(
            &self.origin,
            self.items.iter(),
            |item| item.folder.as_str(),
            names,
        )?;
        Ok(items.into_iter().flat_map(lint::item).collect())
    }

    /// The items.
    ///
    /// # Errors
    /// [`CatalogError`] names the file and its first mistake; the tests of this crate read every embedded item.
    pub fn catalog(&self) -> Result<Catalog, CatalogError> {
        let mut items = BTreeMap::new();
        for item in &self.items {
            let ipe = file::parse(item)?;
            items.insert(ipe.id.clone(), ipe);
        }
        let digests: String = items
            .values()
            .map(|ipe| format!("{} {}\n", ipe.definition_sha256, ipe.id))
            .collect();
        Ok(Catalog {
            items,
            origin: self.origin.clone(),
            sha256: sha256_hex(digests.as_bytes()),
        })
    }
}

/// The text of the query, none where the item is read from a file; elsewhere a file that is missing is an error.
fn query_of(
    toml: &str,
    query: Option<String>,
    missing: impl Fn() -> Result<String, CatalogError>,
) -> Result<String, CatalogError> {
    match query {
        Some(text) => Ok(text),
        None if uploaded::is_declared(toml) => Ok(String::new()),
        None => missing(),
    }
}

/// Those of `items` that are named, in the order of the items; all when `names` is empty.
fn selected<'a, T>(
    origin: &str,
    items: impl Iterator<Item = &'a T>,
    name_of: impl Fn(&'a T) -> &'a str,
    names: &[String],
) -> Result<Vec<&'a T>, CatalogError> {
    let all: Vec<&T> = items.collect();
    let known: Vec<&str> = all.iter().map(|item| name_of(item)).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let what = format!("there is no item `{name}`; items are {}", known.join(", "));
        return Err(CatalogError::new(origin, what));
    }
    let wanted = |item: &&'a T| names.is_empty() || names.iter().any(|name| name == name_of(item));
    Ok(all.into_iter().filter(wanted).collect())
}

impl Catalog {
    /// The catalog that was built into the binary.
    ///
    /// # Errors
    /// As [`Definitions::catalog`].
    pub fn embedded() -> Result<Self, CatalogError> {
        Definitions::embedded()?.catalog()
    }

    /// The catalog of a folder.
    ///
    /// # Errors
    /// As [`Definitions::read`] and [`Definitions::catalog`].
    pub fn read(dir: &Path) -> Result<Self, CatalogError> {
        Definitions::read(dir)?.catalog()
    }

    /// All items in the order of their names.
    pub fn items(&self) -> impl Iterator<Item = &Ipe> {
        self.items.values()
    }

    /// The items of these names, in the order of their names; all when `names` is empty.
    ///
    /// # Errors
    /// Names an item that does not exist, and those that do.
    pub fn select(&self, names: &[String]) -> Result<Vec<&Ipe>, CatalogError> {
        selected(
            &self.origin,
            self.items.values(),
            |ipe| ipe.id.as_str(),
            names,
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::contract::Contract;
    use crate::domain::reconcile::contract::ReconciliationContract;

    /// Defect 1 of the predecessor: the catalog held a template among its items.
    #[test]
    fn every_embedded_item_is_sound() {
        let catalog = Catalog::embedded().unwrap();
        let names: Vec<_> = catalog.items().map(|ipe| ipe.id.as_str()).collect();
        let all = [
            "CR_03",
            "CR_04",
            "CR_05",
            "CR_05A",
            "IPE_07",
            "IPE_08",
            "IPE_08_TIMING",
            "IPE_08_USAGE",
            "IPE_10",
            "IPE_11",
            "IPE_12",
            "IPE_31",
            "IPE_34",
            "JDASH",
        ];
        assert_eq!(names, all);
        for ipe in catalog.items() {
            let is_bound = ipe.query.bind("2024-04".parse().unwrap()).is_ok();
            assert!(is_bound, "{}", ipe.id);
            assert_eq!(ipe.query.text.is_empty(), ipe.file.is_some(), "{}", ipe.id);
            assert!(ipe.contract.amounts().count() > 0, "{}", ipe.id);
        }
    }

    /// What the reconciliation names is a column of the item, of a type that it can compute with.
    #[test]
    fn the_reconciliation_contract_fits_every_embedded_item() {
        let file = "data/rules/reconciliation/v1.toml";
        let text = include_str!("../../data/rules/reconciliation/v1.toml");
        let rules = ReconciliationContract::read(file, text).unwrap();
        let catalog = Catalog::embedded().unwrap();
        let items: BTreeMap<IpeId, &Contract> = catalog
            .items()
            .map(|ipe| (ipe.id.clone(), &ipe.contract))
            .collect();
        rules.fits(file, &items).unwrap();
        // Z3 is of the items that ask for freshness; what a memo alone shows is not among them.
        let asks = |ipe: &&Ipe| {
            let population = ipe.population.as_ref();
            let rule = population.and_then(|population| population.freshness.as_ref());
            rule.is_some_and(|rule| rule.every_from.or(rule.newest_from).is_some())
        };
        let asking: BTreeSet<&IpeId> = catalog.items().filter(asks).map(|ipe| &ipe.id).collect();
        let mut zeros = rules.zero_checks.iter();
        let fresh = zeros.find(|zero| zero.id == "Z3").unwrap();
        assert_eq!(asking, fresh.inputs.iter().collect::<BTreeSet<_>>());
        let missing = rules.missing(&items);
        for found in [
            "CR_03", "CR_04", "CR_05", "IPE_07", "IPE_11", "IPE_31", "JDASH",
        ] {
            assert!(
                !missing.contains(&found.parse::<IpeId>().unwrap()),
                "{found}"
            );
        }
    }

    #[test]
    fn an_unknown_item_is_named_with_those_that_exist() {
        let error = Catalog::embedded()
            .unwrap()
            .select(&["IPE_99".to_owned()])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(
                "no item `IPE_99`; items are CR_03, CR_04, CR_05, CR_05A, IPE_07, IPE_08, IPE_08_TIMING, IPE_08_USAGE, IPE_10, IPE_11, IPE_12, IPE_31, IPE_34, JDASH"
            ),
            "{error}"
        );
    }

    #[test]
    fn the_folder_form_reads_the_same_as_the_embedded_one() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog");
        let read = Catalog::read(&dir).unwrap();
        assert_eq!(read.sha256, Catalog::embedded().unwrap().sha256);
    }
}
