//! Errors, messages, transactions, parameters and prepared statements.
