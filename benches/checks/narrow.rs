//! A catalog of IPE_07 without ten of its 35 columns.

use std::fs;
use std::path::Path;

/// Columns that neither key nor amounts nor the population need, and that no join is there for alone.
const LEFT_OUT: [&str; 10] = [
    "External Document No_",
    "Customer Busline",
    "Automatically integrated",
    "CurrentPostingGroup",
    "Reason Code",
    "Department Code",
    "Posted by",
    "Destination Code",
    "Partner Code",
    "IC Partner Code",
];

/// Writes the catalog into `to`.
pub(crate) fn write(to: &Path) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog/IPE_07");
    let to = to.join("IPE_07");
    fs::create_dir(&to).unwrap();
    for same in ["population.sql", "witness.sql"] {
        fs::copy(from.join(same), to.join(same)).unwrap();
    }
    let text = |name| fs::read_to_string(from.join(name)).unwrap();

    let mut item: toml::Table = text("ipe.toml").parse().unwrap();
    let columns = item.get_mut("contract").unwrap().get_mut("columns");
    let columns = columns.unwrap().as_array_mut().unwrap();
    columns.retain(|column| !LEFT_OUT.contains(&column.get("source").unwrap().as_str().unwrap()));
    assert_eq!(columns.len(), 25);
    fs::write(to.join("ipe.toml"), item.to_string()).unwrap();

    let delivers_it = |line: &&str| {
        let mut names = LEFT_OUT.iter();
        names.any(|name| line.ends_with(&format!("[{name}],")))
    };
    let query = text("query.sql");
    let kept: Vec<&str> = query.lines().filter(|line| !delivers_it(line)).collect();
    assert_eq!(query.lines().count() - kept.len(), LEFT_OUT.len());
    fs::write(to.join("query.sql"), kept.join("\n")).unwrap();
}
