//! Which differences the embedded stand-in's ledger holds.

use std::fmt;
use std::str::FromStr;

/// A set of planted differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlantProfile {
    /// None: everything ties to zero.
    #[default]
    Clean,
    /// Everything loads; the differences are for the reconciliation.
    Recon,
    /// Sources that checks must hold before they are loaded or concluded on.
    Hold,
}

impl fmt::Display for PlantProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clean => "clean",
            Self::Recon => "recon",
            Self::Hold => "hold",
        })
    }
}

impl FromStr for PlantProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Clean, Self::Recon, Self::Hold]
            .into_iter()
            .find(|profile| profile.to_string() == text)
            .ok_or_else(|| "write clean, recon or hold".to_owned())
    }
}
