//! TDS 7.4, server side: framing, TLS negotiation, login, requests and the encoding of results.
//!
//! It may use `domain`, `arrow`, `tokio`, `rustls` and the seam in `sandbox::wire`; it must never know which
//! engine answers, keep a row longer than it takes to send it, or log a password or the content of a row.
//!
//! # Layout
//! `packet` frames messages · `handshake` pre-login and TLS · `login` LOGIN7 · `rpc` and `param` read requests
//! · `token`, `type_info`, `column`, `value` write results · `response` drives one answer · `connection` the
//! request loop · `fault` planned failures · `fixed` and `replay` two small engines · `describe` the result of
//! `sp_describe_first_result_set`.

mod cell;
mod column;
pub(crate) mod connection;
pub mod describe;
pub mod fault;
pub mod fixed;
mod handshake;
mod input;
mod login;
mod packet;
mod param;
mod prepared;
pub mod replay;
mod response;
mod rpc;
mod temporal;
pub(crate) mod text;
pub(crate) mod tls;
mod token;
mod type_info;
pub mod value;
mod wire;

pub(crate) use packet::TdsError;

#[cfg(test)]
mod any_bytes;
