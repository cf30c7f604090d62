//! Integration tests, one binary.

#[cfg(feature = "sandbox")]
#[cfg(test)]
mod accepted;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod adventureworks;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod analysts;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod chaos;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod deploy;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod evidence;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod fuzz;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod journey;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod judgement;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lease;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod lease_roots;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod limited;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod months;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod own_catalog;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod own_rules;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod own_tables;
#[cfg(test)]
mod page;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod pinned;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod planted;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod prices;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod printed;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod rates;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod reconcile;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod reconcile_vouchers;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod rig;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod sandbox_ledger;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod sandbox_tds;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod server;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod settled;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod small_ledger;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod source;
#[cfg(test)]
mod staging;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tidy;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod tsql_client;
#[cfg(test)]
mod turns;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod uploaded;
#[cfg(test)]
mod warehouse;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod whole_month;
