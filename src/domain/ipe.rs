//! An item of the catalog: an extract that is used as control evidence.

use super::contract::Contract;
use super::ids::IpeId;
use super::population::PopulationDefinition;
use super::quality::QualityRules;
use super::query::QueryFile;
use super::uploaded::FileDefinition;
use super::witness::WitnessDefinition;

/// One item, as the catalog defines it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipe {
    /// Name.
    pub id: IpeId,
    /// What it is, in one line.
    pub title: String,
    /// Name of the secret that holds the connection string; empty for an item that is read from a file.
    pub secret: String,
    /// Databases that the query reads; all must allow SNAPSHOT for one consistent view.
    pub databases: Vec<String>,
    /// What it delivers.
    pub contract: Contract,
    /// The query; empty for an item that is read from a file.
    pub query: QueryFile,
    /// How it is read from a file; `None` where it is asked of a server.
    pub file: Option<FileDefinition>,
    /// Rules of its values beside the contract.
    pub quality: QualityRules,
    /// How its population is counted; `None` where the catalog does not say.
    pub population: Option<PopulationDefinition>,
    /// How its witnesses are drawn and read; `None` where the catalog does not say.
    pub witness: Option<WitnessDefinition>,
    /// SHA-256 over the files that define the item, in hex.
    pub definition_sha256: String,
}
