//! Places that keep secrets: environment variables and files. Values are never printed.

use std::path::PathBuf;

use async_trait::async_trait;

use crate::ports::{PortError, PortErrorKind, Secret, Secrets};

/// Secrets in environment variables of the same name.
#[derive(Debug, Clone, Copy, Default)]
pub struct EnvSecrets;

#[async_trait]
impl Secrets for EnvSecrets {
    async fn get(&self, name: &str) -> Result<Secret, PortError> {
        #[expect(
            clippy::disallowed_methods,
            reason = "this adapter is where secrets come from the environment"
        )]
        let value = std::env::var(name);
        value.map(Secret::new).map_err(|_| {
            PortError::new(
                PortErrorKind::Config,
                format!("environment variable {name} is not set or not text"),
            )
            .hint(format!(
                "export {name}='DRIVER={{…}};SERVER=…;UID=…;PWD=…', or use --secrets file:DIR"
            ))
        })
    }

    fn origin(&self) -> String {
        "environment".to_owned()
    }
}

/// Secrets in files of the same name below one folder.
#[derive(Debug, Clone)]
pub struct FileSecrets {
    dir: PathBuf,
}

impl FileSecrets {
    /// Secrets below `dir`.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }
}

#[async_trait]
impl Secrets for FileSecrets {
    async fn get(&self, name: &str) -> Result<Secret, PortError> {
        let file = self.dir.join(name);
        let text = tokio::fs::read_to_string(&file).await.map_err(|io| {
            PortError::new(
                PortErrorKind::Config,
                format!("secret {name} cannot be read: {io}"),
            )
            .at("file", file.to_string_lossy())
            .hint("write the connection string into that file, readable by this user only")
        })?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
    }

    fn origin(&self) -> String {
        "file".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_holds_its_secret_without_the_line_end() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("DB"), "UID=u;PWD=S3cret\r\n").unwrap();
        let secrets = FileSecrets::new(dir.path().to_owned());
        assert_eq!(
            secrets.get("DB").await.unwrap().expose(),
            "UID=u;PWD=S3cret"
        );
        assert!(!format!("{:?}", secrets.get("DB").await.unwrap()).contains("S3cret"));
    }

    #[tokio::test]
    async fn a_missing_secret_is_named_with_its_place() {
        let secrets = FileSecrets::new("/nonexistent".into());
        let error = secrets.get("DB").await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Config);
        assert!(error.to_string().contains("/nonexistent/DB"), "{error}");
        let error = EnvSecrets
            .get("SOXAUTO_TEST_NO_SUCH_VARIABLE")
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("SOXAUTO_TEST_NO_SUCH_VARIABLE"),
            "{error}"
        );
    }
}
