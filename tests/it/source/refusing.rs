//! A server that refuses to describe what it answers all the same.

use arrow::array::AsArray;
use async_trait::async_trait;
use soxauto::domain::sql_type::SqlType;
use soxauto::sandbox::wire::{
    ClientGone, ColumnMeta, LoginRequest, Reply, ReplySender, SqlEngine, SqlError, SqlParam,
    SqlSession, TransactionRequest,
};

/// An engine that refuses to describe.
pub(super) struct Refusing<E> {
    pub(super) inner: E,
    pub(super) error: u32,
    /// Only texts with parameters.
    pub(super) only_parameters: bool,
}

impl<E> Refusing<E> {
    pub(super) fn all(inner: E, error: u32) -> Self {
        Self {
            inner,
            error,
            only_parameters: false,
        }
    }
}

struct RefusingSession {
    inner: Box<dyn SqlSession>,
    error: u32,
    only_parameters: bool,
}

#[async_trait]
impl<E: SqlEngine> SqlEngine for Refusing<E> {
    async fn login(&self, request: &LoginRequest) -> Result<Box<dyn SqlSession>, SqlError> {
        Ok(Box::new(RefusingSession {
            inner: self.inner.login(request).await?,
            error: self.error,
            only_parameters: self.only_parameters,
        }))
    }
}

#[async_trait]
impl SqlSession for RefusingSession {
    fn database(&self) -> String {
        self.inner.database()
    }

    async fn run(
        &mut self,
        sql: &str,
        params: &[SqlParam],
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        let is_plain = |param: &SqlParam| param.value.as_string::<i32>().value(0).is_empty();
        let asks = sql.contains("sp_describe_first_result_set");
        if !asks || (self.only_parameters && params.get(1).is_some_and(is_plain)) {
            return self.inner.run(sql, params, out).await;
        }
        let refusal = SqlError {
            number: self.error,
            class: 16,
            state: 62,
            message: "Could not do it.".into(),
            procedure: String::new(),
            line: 1,
        };
        out.send(Reply::Error(refusal))
            .await
            .map_err(|_| ClientGone)
    }

    async fn transaction(
        &mut self,
        request: TransactionRequest,
        out: ReplySender,
    ) -> Result<(), ClientGone> {
        self.inner.transaction(request, out).await
    }

    async fn describe(
        &mut self,
        sql: &str,
        params: &[(String, SqlType)],
    ) -> Result<Vec<ColumnMeta>, SqlError> {
        self.inner.describe(sql, params).await
    }
}
