//! One connection from socket to close: login, then requests one after another.
//!
//! May use tokio; the session runs in a task of its own that never outlives the connection. It must never
//! log a password, a statement's parameters or a row.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::domain::sql_type::SqlType;
use crate::sandbox::server::TlsMode;
use crate::sandbox::wire::{
    LoginRequest, Reply, ReplySender, SqlEngine, SqlError, SqlParam, SqlSession, TransactionRequest,
};

use super::fault::{FaultPlan, LoginFault};
use super::handshake::{Duplex, establish};
use super::login::{Login, put_accepted, put_refused};
use super::packet::{Message, PacketKind, TdsError};
use super::prepared::Prepared;
use super::response::{Answer, End, Finished, Style, Tail};
use super::rpc::{parse_batch, parse_calls, parse_transaction};
use super::tls::Tls;
use super::token::{DONE_ATTENTION, Done, EnvChange, put_done, put_env_change};
use super::value::internal;
use super::wire::Wire;

/// From the first byte to the login; SQL Server's own limit is 15 s as well.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(15);
/// Replies that may wait between engine and socket: one being sent, one ready.
const REPLIES_MAX: usize = 2;

/// What all connections of a server share.
pub(crate) struct Context {
    pub(crate) engine: Arc<dyn SqlEngine>,
    pub(crate) tls: Tls,
    pub(crate) mode: TlsMode,
    pub(crate) server_name: String,
    pub(crate) plan: Arc<FaultPlan>,
    pub(crate) stop: CancellationToken,
}

/// A session at work; it comes back when the statement has ended.
type Job = BoxFuture<'static, Box<dyn SqlSession>>;

/// Serves one client until it leaves.
///
/// # Errors
/// Whatever ended the connection other than a polite close.
pub(crate) async fn serve(stream: TcpStream, context: Arc<Context>) -> Result<(), TdsError> {
    let handshake = establish(stream, context.mode, &context.tls.acceptor);
    let (io, login) = tokio::time::timeout(HANDSHAKE_TIME_MAX, handshake)
        .await
        .map_err(|_| TdsError::Timeout("login"))??;
    Connection::log_in(io, login, context).await?.run().await
}

/// A logged-in client.
pub(super) struct Connection {
    wire: Wire,
    context: Arc<Context>,
    /// Kept for the reset-connection bit, which asks for a fresh session.
    login: LoginRequest,
    database: String,
    /// Present between requests; while a statement runs it is in `running`.
    session: Option<Box<dyn SqlSession>>,
    running: JoinSet<Box<dyn SqlSession>>,
    prepared: Prepared,
}

impl Connection {
    async fn log_in(
        io: Box<dyn Duplex>,
        login: Login,
        context: Arc<Context>,
    ) -> Result<Self, TdsError> {
        let mut wire = Wire::new(io);
        let result = match context.plan.login() {
            LoginFault::None => context.engine.login(&login.request).await,
            LoginFault::Refuse(error) => Err(error),
            LoginFault::Cut => return Err(TdsError::Cut),
        };
        let session = match result {
            Ok(session) => session,
            Err(error) => {
                put_refused(wire.tokens(), &error, &context.server_name);
                wire.finish().await?;
                return Err(TdsError::Refused(error.number));
            }
        };
        let database = session.database();
        tracing::debug!(user = %login.request.user, %database, "login");
        put_accepted(wire.tokens(), &login, &database, &context.server_name);
        wire.finish().await?;
        wire.set_packet_bytes(login.packet_bytes);
        Ok(Self {
            wire,
            context,
            login: login.request,
            database,
            session: Some(session),
            running: JoinSet::new(),
            prepared: Prepared::default(),
        })
    }

    async fn run(mut self) -> Result<(), TdsError> {
        let stop = self.context.stop.clone();
        loop {
            let request = tokio::select! {
                biased;
                request = self.wire.request() => request?,
                () = stop.cancelled() => return Ok(()),
            };
            let Some(message) = request else {
                return Ok(());
            };
            if self.request(message).await? == Finished::Closed {
                return Ok(());
            }
        }
    }

    /// Answers one request.
    async fn request(&mut self, message: Message) -> Result<Finished, TdsError> {
        if message.kind == PacketKind::Attention {
            put_done(self.wire.tokens(), Done::Batch, DONE_ATTENTION, None);
            self.wire.finish().await?;
            return Ok(Finished::Ended);
        }
        if message.reset {
            self.reset().await?;
        }
        match message.kind {
            PacketKind::SqlBatch => match parse_batch(&message.body) {
                Ok(sql) => {
                    self.statement(sql, Vec::new(), Style::Batch, &Tail::default())
                        .await
                }
                Err(error) => self.refuse(error, Style::Batch).await,
            },
            PacketKind::Rpc => match parse_calls(&message.body) {
                Ok(calls) => self.calls(calls).await,
                Err(error) => self.refuse(error, Style::Procedure).await,
            },
            PacketKind::TransactionManager => match parse_transaction(&message.body) {
                Ok(requests) => self.transactions(requests).await,
                Err(error) => self.refuse(error, Style::Batch).await,
            },
            PacketKind::BulkLoad => {
                self.refuse(TdsError::Unsupported("bulk load".to_owned()), Style::Batch)
                    .await
            }
            _ => Err(TdsError::Malformed("unexpected message after login")),
        }
    }

    /// The state lent to parts of the connection.
    pub(super) fn prepared(&mut self) -> &mut Prepared {
        &mut self.prepared
    }

    /// Runs one statement and ends its part of the answer.
    pub(super) async fn statement(
        &mut self,
        sql: String,
        params: Vec<SqlParam>,
        style: Style,
        tail: &Tail,
    ) -> Result<Finished, TdsError> {
        let job = move |mut session: Box<dyn SqlSession>, out: ReplySender| -> Job {
            async move {
                // A client that is gone is noticed on the socket, too.
                let _gone = session.run(&sql, &params, out).await;
                session
            }
            .boxed()
        };
        self.drive(job, style, tail).await
    }

    /// Announces the columns of a statement that was prepared, not run.
    pub(super) async fn describe(
        &mut self,
        sql: String,
        declared: Vec<(String, SqlType)>,
        tail: &Tail,
    ) -> Result<Finished, TdsError> {
        let job = move |mut session: Box<dyn SqlSession>, out: ReplySender| -> Job {
            async move {
                let replies = match session.describe(&sql, &declared).await {
                    Ok(columns) if columns.is_empty() => vec![],
                    Ok(columns) => {
                        vec![Reply::Columns(columns), Reply::StatementDone { rows: None }]
                    }
                    Err(error) => vec![Reply::Error(error)],
                };
                for reply in replies {
                    if out.send(reply).await.is_err() {
                        break;
                    }
                }
                session
            }
            .boxed()
        };
        self.drive(job, Style::Procedure, tail).await
    }

    async fn transactions(
        &mut self,
        requests: Vec<TransactionRequest>,
    ) -> Result<Finished, TdsError> {
        let job = move |mut session: Box<dyn SqlSession>, out: ReplySender| -> Job {
            async move {
                for request in requests {
                    if session.transaction(request, out.clone()).await.is_err() {
                        break;
                    }
                }
                session
            }
            .boxed()
        };
        self.drive(job, Style::Batch, &Tail::default()).await
    }

    /// Lets the session work in its own task and relays what it sends.
    async fn drive(
        &mut self,
        job: impl FnOnce(Box<dyn SqlSession>, ReplySender) -> Job,
        style: Style,
        tail: &Tail,
    ) -> Result<Finished, TdsError> {
        let session = self.session().await?;
        let (out, replies) = mpsc::channel(REPLIES_MAX);
        self.running.spawn(job(session, out));
        let Self {
            wire,
            context,
            database,
            running,
            session,
            ..
        } = self;
        let mut answer = Answer::new(wire, &context.server_name, &context.plan, style, database);
        let mut end = answer.relay(replies).await?;
        if end == End::Complete {
            // After an error or an attention the session may take its time to notice; not here.
            *session = running.join_next().await.and_then(Result::ok);
            if session.is_none() {
                let error = SqlError {
                    class: 20,
                    ..internal("the engine panicked".to_owned())
                };
                end = answer.fail(&error).await?.unwrap_or(end);
            }
        }
        answer.finish(end, tail).await
    }

    /// The session, once the statement before has really ended.
    async fn session(&mut self) -> Result<Box<dyn SqlSession>, TdsError> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        match self.running.join_next().await {
            Some(Ok(session)) => Ok(session),
            _ => Err(TdsError::Unsupported(
                "going on after a panic of the engine".to_owned(),
            )),
        }
    }

    /// Begins an answer that needs no session.
    pub(super) fn answer(&mut self, style: Style) -> Answer<'_> {
        let Self {
            wire,
            context,
            database,
            ..
        } = self;
        Answer::new(wire, &context.server_name, &context.plan, style, database)
    }

    /// A request that cannot be read or is not built becomes a SQL error; the connection goes on.
    async fn refuse(&mut self, error: TdsError, style: Style) -> Result<Finished, TdsError> {
        self.fail(&internal(error.to_string()), style).await
    }

    pub(super) async fn fail(
        &mut self,
        error: &SqlError,
        style: Style,
    ) -> Result<Finished, TdsError> {
        let mut answer = self.answer(style);
        let end = answer.fail(error).await?.unwrap_or(End::Complete);
        answer.finish(end, &Tail::default()).await
    }

    /// A fresh session for the same login, as a pooled client expects it.
    async fn reset(&mut self) -> Result<(), TdsError> {
        drop(self.session().await?);
        let session = self.context.engine.login(&self.login).await;
        let session = session.map_err(|error| TdsError::Refused(error.number))?;
        self.database = session.database();
        self.session = Some(session);
        self.prepared = Prepared::default();
        put_env_change(self.wire.tokens(), &EnvChange::ResetAck);
        Ok(())
    }
}
