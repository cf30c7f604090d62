//! What several tests need: stores that fail as real ones do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use soxauto::ports::StoreRoot;

/// A root that is full after `bytes`.
pub(crate) fn small_disk(bytes: usize) -> StoreRoot {
    let disk = SmallDisk {
        inner: InMemory::new(),
        free: AtomicUsize::new(bytes),
    };
    StoreRoot {
        store: Arc::new(disk),
        uri: "small:".into(),
    }
}

/// A store that is full after some bytes.
#[derive(Debug)]
struct SmallDisk {
    inner: InMemory,
    free: AtomicUsize,
}

impl std::fmt::Display for SmallDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SmallDisk")
    }
}

#[async_trait]
impl ObjectStore for SmallDisk {
    async fn put_opts(
        &self,
        at: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        let size = payload.content_length();
        let take = |free: usize| free.checked_sub(size);
        if self
            .free
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, take)
            .is_err()
        {
            let source = Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull));
            return Err(Error::Generic {
                store: "small",
                source,
            });
        }
        self.inner.put_opts(at, payload, opts).await
    }
    async fn put_multipart_opts(
        &self,
        at: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, opts).await
    }
    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }
    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
