//! Arguments that say which files items are read from; the doc comments are the help text.

use clap::Args;

use crate::domain::uploaded::DeclaredForm;
use crate::settings::UploadSettings;

/// Files of a run.
#[derive(Debug, Args)]
pub(super) struct FileArgs {
    /// File that an item is read from, such as the usage of vouchers: a path, or gs://bucket/object. {period} in it stands
    /// for the month, such as 2024-04. Without a file such an item is no part of the run, and its line is not concluded
    #[arg(
        long = "file",
        env = "SOXAUTO_FILE",
        value_name = "ITEM=FILE",
        value_delimiter = ',',
        value_parser = file
    )]
    files: Vec<(String, String)>,
    /// What is known of how that file is written and cannot be found out for sure: words joined by +, of utf-8, utf-16,
    /// windows-1252, comma, semicolon, tab, pipe, decimal-point, decimal-comma, iso, day-first
    #[arg(
        long = "file-form",
        env = "SOXAUTO_FILE_FORM",
        value_name = "ITEM=WORDS",
        value_delimiter = ',',
        value_parser = file_form
    )]
    file_forms: Vec<(String, DeclaredForm)>,
}

impl TryFrom<FileArgs> for Vec<UploadSettings> {
    type Error = anyhow::Error;

    /// Each file with what is declared of its form.
    fn try_from(args: FileArgs) -> anyhow::Result<Self> {
        let FileArgs { files, file_forms } = args;
        let has_file = |item: &String| files.iter().any(|(known, _)| known == item);
        if let Some((item, _)) = file_forms.iter().find(|(item, _)| !has_file(item)) {
            anyhow::bail!("--file-form {item}: no file was said for it; say --file {item}=PATH");
        }
        let files = files.into_iter().map(|(item, location)| {
            let of_item = file_forms.iter().filter(|(known, _)| *known == item);
            let form = of_item.fold(DeclaredForm::default(), |form, (_, more)| form.or(*more));
            UploadSettings {
                item,
                location,
                form,
            }
        });
        Ok(files.collect())
    }
}

fn file(text: &str) -> Result<(String, String), String> {
    let (item, location) = of_item(text, "ITEM=PATH, such as JDASH=used.csv")?;
    Ok((item, location.to_owned()))
}

fn file_form(text: &str) -> Result<(String, DeclaredForm), String> {
    let (item, words) = of_item(text, "ITEM=WORDS, such as JDASH=semicolon+decimal-comma")?;
    Ok((item, words.parse()?))
}

/// The item of an argument and what is said of it.
pub(super) fn of_item<'a>(text: &'a str, form: &str) -> Result<(String, &'a str), String> {
    match text.split_once('=') {
        Some((item, rest)) if !item.is_empty() && !rest.is_empty() => Ok((item.to_owned(), rest)),
        _ => Err(format!("write {form}")),
    }
}
