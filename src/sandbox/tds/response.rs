//! One answer: takes replies from the engine, encodes them and sends them, with planned faults on the way.
//!
//! It holds at most one reply and [`CHUNK_BYTES`] of tokens; everything else waits in the engine
//! (back-pressure). It must never go on after an attention.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use tokio::sync::mpsc::Receiver;

use crate::sandbox::wire::{ColumnMeta, Reply, SqlError};

use super::fault::{FaultAction, FaultPlan, FaultWatch, Strike, TokenKind};
use super::packet::TdsError;
use super::token::{
    DONE_ATTENTION, DONE_ERROR, DONE_MORE, DONE_SERVER_ERROR, Done, EnvChange, put_columns,
    put_done, put_env_change, put_message, put_return_int, put_return_status,
};
use super::type_info::is_supported;
use super::value::{BatchEncoder, internal};
use super::wire::Wire;

/// Tokens encoded before the socket gets them; above the largest packet, so that encoding always goes on.
const CHUNK_BYTES: usize = 64 * 1024;
/// Severity from which an error closes the connection.
const CLASS_FATAL: u8 = 20;

/// Whether statements end with DONE or, inside a procedure call, with DONEINPROC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Batch,
    Procedure,
}

/// How the relaying of replies ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The engine said everything.
    Complete,
    /// An error ended the answer; `number` becomes the return status.
    Failed { number: u32, fatal: bool },
    /// The client interrupted.
    Attention,
}

/// What a finished answer means for its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    /// The message goes on with the next call.
    More,
    /// The message ended; the next request may come.
    Ended,
    /// The message ended with an error that closes the connection.
    Closed,
}

/// What follows the statements of a procedure call.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    /// Ordinal, name and value of the handle that goes back.
    pub(super) handle: Option<(u16, String, i32)>,
    /// Whether another call of the same message follows.
    pub(super) more: bool,
}

/// One answer under way.
pub(super) struct Answer<'w> {
    wire: &'w mut Wire,
    server_name: &'w str,
    watch: FaultWatch,
    style: Style,
    columns: Vec<ColumnMeta>,
    /// A statement's DONE that waits to know whether something follows.
    pending_done: Option<Option<u64>>,
    database: &'w mut String,
}

impl<'w> Answer<'w> {
    pub(super) fn new(
        wire: &'w mut Wire,
        server_name: &'w str,
        plan: &Arc<FaultPlan>,
        style: Style,
        database: &'w mut String,
    ) -> Self {
        let watch = FaultWatch::new(Arc::clone(plan));
        let (columns, pending_done) = (Vec::new(), None);
        Self {
            wire,
            server_name,
            watch,
            style,
            columns,
            pending_done,
            database,
        }
    }

    /// Sends replies until the engine has no more, fails, or the client interrupts.
    ///
    /// # Errors
    /// The client is gone, or a planned fault cut the connection.
    pub(super) async fn relay(&mut self, mut replies: Receiver<Reply>) -> Result<End, TdsError> {
        loop {
            if self.wire.attention() {
                return Ok(End::Attention);
            }
            let reply = tokio::select! {
                biased;
                result = self.wire.interrupted() => {
                    result?;
                    return Ok(End::Attention);
                }
                reply = replies.recv() => reply,
            };
            let Some(reply) = reply else {
                return Ok(End::Complete);
            };
            if let Some(end) = self.reply(reply).await? {
                return Ok(end);
            }
        }
    }

    async fn reply(&mut self, reply: Reply) -> Result<Option<End>, TdsError> {
        if let Some(rows) = self.pending_done.take() {
            let done = |buf: &mut Vec<u8>| put_done(buf, Done::Batch, DONE_MORE, rows);
            if let Some(end) = self.emit(TokenKind::Done, 0, done).await? {
                return Ok(Some(end));
            }
        }
        match reply {
            Reply::Columns(columns) => self.begin_result_set(columns).await,
            Reply::Rows(batch) => {
                let columns = std::mem::take(&mut self.columns);
                let end = self.rows(&columns, &batch).await;
                self.columns = columns;
                end
            }
            Reply::RawRows(bytes, rows) => {
                let put = |buf: &mut Vec<u8>| buf.extend_from_slice(&bytes);
                let end = self.emit(TokenKind::Row, rows, put).await?;
                self.wire.send().await?;
                Ok(end)
            }
            Reply::StatementDone { rows } => self.statement_done(rows).await,
            Reply::DatabaseChanged(new) => {
                let old = std::mem::replace(self.database, new.clone());
                self.env_change(&EnvChange::Database {
                    new: &new,
                    old: &old,
                })
                .await
            }
            Reply::TransactionBegun(descriptor) => {
                self.env_change(&EnvChange::Begin(descriptor)).await
            }
            Reply::TransactionEnded {
                descriptor,
                committed,
            } => {
                self.env_change(&EnvChange::End {
                    descriptor,
                    committed,
                })
                .await
            }
            Reply::Info(message) => self.message(&message).await,
            Reply::Error(error) => self.fail(&error).await,
        }
    }

    async fn begin_result_set(
        &mut self,
        columns: Vec<ColumnMeta>,
    ) -> Result<Option<End>, TdsError> {
        if let Some(column) = columns
            .iter()
            .find(|column| !is_supported(&column.sql_type))
        {
            let text = format!(
                "column {} has type {}, which the sandbox cannot send",
                column.name, column.sql_type
            );
            return self.fail(&internal(text)).await;
        }
        let end = self
            .emit(TokenKind::Columns, 0, |buf: &mut Vec<u8>| {
                put_columns(buf, &columns);
            })
            .await?;
        self.columns = columns;
        Ok(end)
    }

    async fn rows(
        &mut self,
        columns: &[ColumnMeta],
        batch: &RecordBatch,
    ) -> Result<Option<End>, TdsError> {
        let encoder = match BatchEncoder::new(columns, batch) {
            Ok(encoder) => encoder,
            Err(error) => return self.fail(&error).await,
        };
        let mut row = 0;
        while row < encoder.rows() {
            let mut encoded = Ok(row + 1);
            if self.watch.is_idle() {
                encoded = encoder.put_rows(row, CHUNK_BYTES, self.wire.tokens());
            } else {
                let put = |buf: &mut Vec<u8>| encoded = encoder.put_row(row, buf).map(|()| row + 1);
                if let Some(end) = self.emit(TokenKind::Row, 1, put).await? {
                    return Ok(Some(end));
                }
            }
            match encoded {
                Ok(next) => row = next,
                Err(error) => return self.fail(&error).await,
            }
            self.wire.send().await?;
            if self.wire.attention() {
                return Ok(Some(End::Attention));
            }
        }
        Ok(None)
    }

    async fn statement_done(&mut self, rows: Option<u64>) -> Result<Option<End>, TdsError> {
        match self.style {
            Style::Batch => {
                self.pending_done = Some(rows);
                Ok(None)
            }
            Style::Procedure => {
                let done = |buf: &mut Vec<u8>| put_done(buf, Done::InProcedure, DONE_MORE, rows);
                self.emit(TokenKind::Done, 0, done).await
            }
        }
    }

    async fn env_change(&mut self, change: &EnvChange<'_>) -> Result<Option<End>, TdsError> {
        self.emit(TokenKind::EnvChange, 0, |buf: &mut Vec<u8>| {
            put_env_change(buf, change);
        })
        .await
    }

    async fn message(&mut self, message: &SqlError) -> Result<Option<End>, TdsError> {
        let server_name = self.server_name;
        let put = |buf: &mut Vec<u8>| put_message(buf, message, server_name);
        self.emit(TokenKind::Message, 0, put).await
    }

    /// Sends an error; the answer ends with it.
    pub(super) async fn fail(&mut self, error: &SqlError) -> Result<Option<End>, TdsError> {
        // A class that only informs would let the client take the answer as complete.
        let error = SqlError {
            class: error.class.max(11),
            ..error.clone()
        };
        if let Some(end) = self.message(&error).await? {
            return Ok(Some(end));
        }
        Ok(Some(End::Failed {
            number: error.number,
            fatal: error.class >= CLASS_FATAL,
        }))
    }

    /// Appends a token and lets a planned fault strike at it.
    async fn emit(
        &mut self,
        kind: TokenKind,
        rows: u64,
        put: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Option<End>, TdsError> {
        let tokens = self.wire.tokens();
        let start = tokens.len();
        put(tokens);
        let len = tokens.len() - start;
        match self.watch.token(kind, len, rows) {
            None => Ok(None),
            Some(strike) => self.strike(kind, start, strike).await,
        }
    }

    async fn strike(
        &mut self,
        kind: TokenKind,
        start: usize,
        strike: Strike,
    ) -> Result<Option<End>, TdsError> {
        match strike.action {
            FaultAction::Cut => {
                self.wire.tokens().truncate(start + strike.keep_bytes);
                self.wire.send_short().await?;
                Err(TdsError::Cut)
            }
            FaultAction::Stall(pause) => {
                let rest = self.wire.tokens().split_off(start + strike.keep_bytes);
                self.wire.send_short().await?;
                self.wire.stall(pause).await?;
                self.wire.tokens().extend(rest);
                Ok(None)
            }
            FaultAction::Error(error) => {
                if kind == TokenKind::Done {
                    self.wire.tokens().truncate(start);
                }
                let server_name = self.server_name;
                put_message(self.wire.tokens(), &error, server_name);
                let fatal = error.class >= CLASS_FATAL;
                Ok(Some(End::Failed {
                    number: error.number,
                    fatal,
                }))
            }
        }
    }

    /// Ends the answer.
    pub(super) async fn finish(mut self, end: End, tail: &Tail) -> Result<Finished, TdsError> {
        let end = match end {
            End::Complete => self.complete(tail).await?.unwrap_or(End::Complete),
            other => other,
        };
        match end {
            End::Complete if tail.more => return Ok(Finished::More),
            End::Complete => {}
            End::Attention => {
                self.wire.clear_attention();
                put_done(self.wire.tokens(), Done::Batch, DONE_ATTENTION, None);
            }
            End::Failed { number, fatal } => {
                let status = if fatal {
                    DONE_ERROR | DONE_SERVER_ERROR
                } else {
                    DONE_ERROR
                };
                let tokens = self.wire.tokens();
                if self.style == Style::Procedure {
                    put_return_status(tokens, i32::try_from(number).unwrap_or(i32::MAX));
                    put_done(tokens, Done::Procedure, status, None);
                } else {
                    put_done(tokens, Done::Batch, status, None);
                }
            }
        }
        self.wire.finish().await?;
        let fatal = matches!(end, End::Failed { fatal: true, .. });
        Ok(if fatal {
            Finished::Closed
        } else {
            Finished::Ended
        })
    }

    /// The tokens after the last statement.
    async fn complete(&mut self, tail: &Tail) -> Result<Option<End>, TdsError> {
        let more = if tail.more { DONE_MORE } else { 0 };
        if self.style == Style::Batch {
            let rows = self.pending_done.take().flatten();
            let done = |buf: &mut Vec<u8>| put_done(buf, Done::Batch, more, rows);
            return self.emit(TokenKind::Done, 0, done).await;
        }
        let status = |buf: &mut Vec<u8>| put_return_status(buf, 0);
        if let Some(end) = self.emit(TokenKind::ReturnStatus, 0, status).await? {
            return Ok(Some(end));
        }
        if let Some((ordinal, name, value)) = &tail.handle {
            let handle = |buf: &mut Vec<u8>| put_return_int(buf, *ordinal, name, *value);
            if let Some(end) = self.emit(TokenKind::ReturnValue, 0, handle).await? {
                return Ok(Some(end));
            }
        }
        let done = |buf: &mut Vec<u8>| put_done(buf, Done::Procedure, more, None);
        self.emit(TokenKind::Done, 0, done).await
    }
}
