//! What a browser makes of the page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::pages;

/// Measures the page it stands in, and tells the page around it.
const PROBE: &str = include_str!("probe.js");

/// Where everything that was seen stays for people.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// What the browser prints.
fn chromium(arguments: &[&str]) -> String {
    let program = std::env::var_os("SOXAUTO_TEST_CHROMIUM")
        .expect("SOXAUTO_TEST_CHROMIUM must name Chromium; scripts/test finds it");
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
        ])
        .arg("--disable-dev-shm-usage")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn url(file: &Path) -> String {
    format!("file://{}", file.display())
}

fn written(name: &str, html: &str) -> PathBuf {
    let file = folder().join(format!("{name}.html"));
    fs::write(&file, html).unwrap();
    file
}

/// Sheets that a page takes when it is printed.
fn printed(name: &str, html: &str) -> usize {
    let file = written(name, html);
    let pdf = folder().join(format!("{name}.pdf"));
    let to = format!("--print-to-pdf={}", pdf.display());
    chromium(&["--no-pdf-header-footer", &to, &url(&file)]);
    let bytes = fs::read(&pdf).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let pages = text.matches("/Type /Page").count() - text.matches("/Type /Pages").count();
    assert!(pages > 0, "{name}: no page in {}", pdf.display());
    pages
}

/// What the probe measures of a page in a window of some width.
fn measured(name: &str, html: &str, width: u32, is_dark: bool) -> Value {
    // The page forbids every script but its own: the probe stands in a copy without that rule.
    let (before, rest) = html.split_once("<meta http-equiv=").unwrap();
    let (_, after) = rest.split_once('>').unwrap();
    let probed =
        format!("{before}{after}").replace("</body>", &format!("<script>{PROBE}</script></body>"));
    let page = written(&format!("{name}-probed"), &probed);
    let around = format!(
        "<!DOCTYPE html><iframe src=\"{}\" width=\"{width}\" height=\"1200\" style=\"border:0\"></iframe>\
         <pre id=\"seen\"></pre><script>addEventListener('message', (told) => {{ \
         document.getElementById('seen').textContent = told.data; }});</script>",
        url(&page)
    );
    let around = written(&format!("{name}-around"), &around);
    // 0 is dark and 1 is light.
    let scheme = format!(
        "--blink-settings=preferredColorScheme={}",
        u8::from(!is_dark)
    );
    let dom = chromium(&[
        &scheme,
        "--window-size=1400,1300",
        "--virtual-time-budget=8000",
        "--dump-dom",
        &url(&around),
    ]);
    let (_, rest) = dom.split_once("<pre id=\"seen\">").unwrap();
    let (seen, _) = rest.split_once("</pre>").unwrap();
    let seen = seen
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    let seen: Value = serde_json::from_str(&seen).unwrap_or_else(|_| panic!("{name}: {seen}"));
    assert_eq!(seen["is_dark"], is_dark, "{name}");
    seen
}

#[test]
#[ignore = "needs Chromium, which scripts/test looks for"]
fn page_one_is_one_sheet_of_paper_and_what_is_behind_it_follows() {
    for (name, html) in pages() {
        let (first, _) = html.split_once("<div class=\"behind\">").unwrap();
        let alone = format!("{first}</main></body></html>");
        assert_eq!(printed(&format!("{name}-first"), &alone), 1, "{name}");
        assert!(printed(&name, &html) > 2, "{name}");
        // The measure sees what does not fit.
        let (before, after) = alone.split_once("<div id=\"uncovered\">").unwrap();
        let filler = "<p>more</p>".repeat(60);
        let longer = format!("{before}{filler}<div id=\"uncovered\">{after}");
        assert!(printed("longer", &longer) > 1, "{name}");
    }
}

#[test]
#[ignore = "needs Chromium, which scripts/test looks for"]
fn nothing_overflows_and_every_text_can_be_read() {
    for (name, html) in pages() {
        for width in [1280, 390] {
            for is_dark in [false, true] {
                let seen = measured(&name, &html, width, is_dark);
                let place = format!("{name} at {width}, dark {is_dark}");
                assert_eq!(seen["width"], width, "{place}");
                assert_eq!(seen["overflow"], 0, "{place}: {}", seen["widest"]);
                if width > 1_000 {
                    assert_eq!(seen["cut"], Value::Array(Vec::new()), "{place}: page one");
                }
                assert!(
                    seen["texts"].as_u64().unwrap() > 300,
                    "{place}: {}",
                    seen["texts"]
                );
                assert_eq!(seen["faint"], Value::Array(Vec::new()), "{place}");
            }
        }
    }
    // The measure sees what is wrong.
    let (_, html) = pages().swap_remove(0);
    let wide = "<p><svg width=\"2000\" height=\"9\" style=\"min-width:2000px\"></svg></p>";
    let faint = "<p style=\"color:#999;background:#fff\">faint</p>";
    let broken = html.replace("</main>", &format!("{wide}{faint}</main>"));
    let seen = measured("broken", &broken, 1280, false);
    assert!(seen["overflow"].as_u64().unwrap() > 0);
    assert_eq!(
        seen["faint"].as_array().unwrap().len(),
        1,
        "{}",
        seen["faint"]
    );
}

#[test]
#[ignore = "needs Chromium, which scripts/test looks for"]
fn tables_sort_and_pictures_are_taken() {
    let (name, html) = pages().swap_remove(0);
    let seen = measured(&name, &html, 1280, false);
    let sorted: Vec<f64> = serde_json::from_value(seen["sorted"].clone()).unwrap();
    assert!(sorted.len() > 10 && sorted.is_sorted(), "{sorted:?}");
    assert_eq!(seen["sort"], "ascending");
    for (name, html) in pages() {
        let file = written(&name, &html);
        for (scheme, word) in [(1, "light"), (0, "dark")] {
            let picture = folder().join(format!("{name}-{word}.png"));
            chromium(&[
                &format!("--blink-settings=preferredColorScheme={scheme}"),
                "--window-size=1280,3400",
                &format!("--screenshot={}", picture.display()),
                &url(&file),
            ]);
            assert!(fs::metadata(&picture).unwrap().len() > 50_000, "{name}");
        }
    }
}
