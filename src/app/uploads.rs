//! Files of a run: which item each belongs to, said before anything is opened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::google::Google;
use super::sources::Reach;
use super::{StartError, SystemClock, sound_items};
use crate::adapters::google::storage;
use crate::adapters::uploads::{Place, Uploads};
use crate::domain::ids::IpeId;
use crate::domain::ipe::Ipe;
use crate::domain::period::{Period, PeriodError};
use crate::domain::shard::Shard;
use crate::domain::uploaded::DeclaredForm;
use crate::ports::{Clock as _, PortError, PortErrorKind, Source, Sources, StoreRoot, Upload};
use crate::settings::{RunSettings, UploadSettings};

/// Gives each item what is declared of its file, and takes out the items whose file was not said: those that were not
/// asked for by name are left out, with a word. Files that are set for all runs are of no account to one of some items.
///
/// # Errors
/// One sentence with the item and the remedy.
pub(super) fn attach(
    items: &mut Vec<Ipe>,
    files: &[UploadSettings],
    named: &[String],
) -> Result<Vec<IpeId>, String> {
    for (place, file) in files.iter().enumerate() {
        let at = format!("{}={}", file.item, file.location);
        if files
            .iter()
            .take(place)
            .any(|other| other.item == file.item)
        {
            return Err(format!("{at}: the item has a file already; say one"));
        }
        let ipe = match items.iter_mut().find(|ipe| ipe.id.as_str() == file.item) {
            Some(ipe) => ipe,
            None if named.is_empty() => {
                return Err(format!("{at}: the run has no item `{}`", file.item));
            }
            None => continue,
        };
        let definition = ipe.file.as_mut().ok_or_else(|| {
            format!(
                "{at}: {} is asked of a server, and is read from no file",
                file.item
            )
        })?;
        definition.form = file.form.or(definition.form);
    }
    let has_file = |ipe: &Ipe| files.iter().any(|file| ipe.id.as_str() == file.item);
    let lacks_file = |ipe: &&Ipe| ipe.file.is_some() && !has_file(ipe);
    let lacking: Vec<IpeId> = items
        .iter()
        .filter(lacks_file)
        .map(|ipe| ipe.id.clone())
        .collect();
    let mut asked_for = lacking
        .iter()
        .filter(|id| named.iter().any(|name| name == id.as_str()));
    if let Some(id) = asked_for.next() {
        return Err(format!(
            "{id}: the item is read from a file, and none was said; say --file {id}=PATH"
        ));
    }
    items.retain(|ipe| !lacking.contains(&ipe.id));
    Ok(lacking)
}

/// A file that the stand-in exported for a run; removed with it.
pub(super) struct Exported(PathBuf);

impl Drop for Exported {
    fn drop(&mut self) {
        // What cannot be removed is an export of the stand-in in the temporary folder.
        std::fs::remove_file(&self.0).ok();
    }
}

/// Brings back the items whose file nobody said, where the stand-in exports it: it stands for every system of the shop, and
/// its runs are no control evidence.
///
/// # Errors
/// The export cannot be made or written; an item that is not sound.
pub(super) fn of_stand_in(
    reach: &Reach,
    (settings, period): (&RunSettings, Period),
    (items, left_out): (&mut Vec<Ipe>, &mut Vec<IpeId>),
    files: &mut Vec<UploadSettings>,
) -> Result<Vec<Exported>, StartError> {
    let mut exported = Vec::new();
    // Of several tasks each has its share of the items, and the file would be in all of them.
    if !settings.shard.is_none_or(Shard::is_whole) {
        return Ok(exported);
    }
    for id in std::mem::take(left_out) {
        let Some(text) = reach.file_of(&id, period)? else {
            left_out.push(id);
            continue;
        };
        let name = format!(
            "stand-in-{id}-{}-{:08x}.csv",
            std::process::id(),
            rand::random::<u32>()
        );
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).map_err(PortError::from)?;
        exported.push(Exported(path.clone()));
        items.extend(sound_items(settings.catalog.as_deref(), &[id.to_string()])?);
        files.push(UploadSettings {
            item: id.to_string(),
            location: path.display().to_string(),
            form: DeclaredForm::default(),
        });
    }
    items.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(exported)
}

/// Those that lie in a bucket.
pub(super) fn in_buckets(files: &[UploadSettings]) -> impl Iterator<Item = &UploadSettings> {
    files.iter().filter(|file| is_in_bucket(&file.location))
}

fn is_in_bucket(location: &str) -> bool {
    location.starts_with(storage::SCHEME)
}

/// Where the file of a month lies.
fn of_month(file: &UploadSettings, period: Period) -> String {
    file.location.replace("{period}", &period.to_string())
}

/// Looks for a file in a bucket, of the month that the run names or the last one that has ended: its URI, and its size in
/// bytes where it is there.
///
/// # Errors
/// `Config` for a place that is no object, and for a bucket that is not there; `Denied`, `Unreachable`.
pub(super) async fn look(
    file: &UploadSettings,
    asked: Option<Period>,
    google: &Google,
) -> Result<(String, Option<u64>), PortError> {
    let refused = |error: PeriodError| PortError::new(PortErrorKind::Config, error.to_string());
    let period = asked.map_or_else(|| Period::last_closed(SystemClock.now()), Ok);
    let (root, name) = object(&of_month(file, period.map_err(refused)?), google)?;
    let bytes = root.size(&name).await?;
    Ok((root.uri_of(&name), bytes))
}

/// The folder and the name of an object.
fn object(location: &str, google: &Google) -> Result<(StoreRoot, String), PortError> {
    let (folder, name) = location.rsplit_once('/').unwrap_or_default();
    if name.is_empty() || folder.len() <= storage::SCHEME.len() {
        let what = "this is no file in a bucket";
        return Err(PortError::new(PortErrorKind::Config, what)
            .at("file", location.to_owned())
            .hint("write gs://bucket/object, such as gs://files/used-{period}.csv"));
    }
    let root = storage::root(google.session()?, folder)?;
    Ok((root, name.to_owned()))
}

/// Sources that know the files of a run.
pub(super) struct WithUploads {
    sources: Arc<dyn Sources>,
    uploads: Uploads,
}

impl WithUploads {
    /// The sources with the files of a month, of those that the items of the run are read from: what is set for all runs
    /// may name others.
    ///
    /// # Errors
    /// A place in the cloud that is none, or cannot be opened.
    pub(super) fn new(
        sources: Arc<dyn Sources>,
        (items, files, period): (&[Ipe], &[UploadSettings], Period),
        google: &Google,
    ) -> Result<Self, PortError> {
        let mut places = BTreeMap::new();
        for file in files {
            let Some(ipe) = items.iter().find(|ipe| ipe.id.as_str() == file.item) else {
                continue;
            };
            let location = of_month(file, period);
            let place = if is_in_bucket(&location) {
                let (root, name) = object(&location, google)?;
                Place::Object { root, name }
            } else {
                Place::Path(PathBuf::from(location))
            };
            places.insert(ipe.id.clone(), place);
        }
        Ok(Self {
            sources,
            uploads: Uploads::new(places),
        })
    }
}

#[async_trait]
impl Sources for WithUploads {
    async fn source(&self, secret: &str) -> Result<Arc<dyn Source>, PortError> {
        self.sources.source(secret).await
    }

    async fn origin_of(&self, secret: &str) -> Option<String> {
        self.sources.origin_of(secret).await
    }

    async fn upload(&self, ipe: &IpeId) -> Result<Upload, PortError> {
        self.uploads.open(ipe).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::domain::uploaded::DateOrder;

    fn file(item: &str) -> UploadSettings {
        UploadSettings {
            item: item.to_owned(),
            location: "used.csv".to_owned(),
            form: "day-first".parse().unwrap(),
        }
    }

    fn attached(
        files: &[UploadSettings],
        named: &[&str],
    ) -> Result<(Vec<Ipe>, Vec<IpeId>), String> {
        let catalog = Catalog::embedded().unwrap();
        let mut items: Vec<Ipe> = catalog.items().cloned().collect();
        let named: Vec<String> = named.iter().map(|name| (*name).to_owned()).collect();
        let left_out = attach(&mut items, files, &named)?;
        Ok((items, left_out))
    }

    #[test]
    fn an_item_without_its_file_is_left_out_or_refused_by_name() {
        let all = Catalog::embedded().unwrap().items().count();
        let (items, left_out) = attached(&[file("JDASH")], &[]).unwrap();
        assert!(items.len() == all && left_out.is_empty());
        let jdash = items.iter().find(|ipe| ipe.id.as_str() == "JDASH").unwrap();
        let form = jdash.file.as_ref().unwrap().form;
        assert_eq!(form.dates, Some(DateOrder::DayFirst));

        let (items, left_out) = attached(&[], &[]).unwrap();
        assert_eq!((items.len(), left_out.len()), (all - 1, 1));
        let error = attached(&[], &["JDASH"]).unwrap_err();
        assert!(error.contains("--file JDASH=PATH"), "{error}");
    }

    #[test]
    fn a_file_belongs_to_one_item_that_is_read_from_one() {
        for (files, part) in [
            (vec![file("JDASH"), file("JDASH")], "has a file already"),
            (vec![file("JDASHES")], "the run has no item `JDASHES`"),
            (vec![file("IPE_07")], "is asked of a server"),
        ] {
            let error = attached(&files, &[]).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
