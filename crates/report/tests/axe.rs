//! The page in a browser without a window: axe-core finds nothing to object to, in light and in dark.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What is installed beside the tests, and which versions of it.
const PACKAGES: &str = r#"{"private": true, "dependencies": {"axe-core": "4.14.1", "puppeteer-core": "24.43.1"}}"#;

const SCRIPT: &str = r#"
const puppeteer = require("puppeteer-core");
const axe = require("fs").readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [page_file, chromium, pictures] = process.argv.slice(2);
(async () => {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-gpu"] });
  const found = [];
  for (const theme of ["light", "dark"]) {
    const page = await browser.newPage();
    await page.setBypassCSP(true);
    await page.setViewport({ width: 1000, height: 1400 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: theme }]);
    await page.goto("file://" + page_file);
    if (pictures) await page.screenshot({ path: pictures + "/" + theme + ".png" });
    await page.evaluate(axe);
    const result = await page.evaluate(() => axe.run());
    for (const one of result.violations) {
      found.push(theme + ": " + one.id + ": " + one.nodes.map(n => n.html).join(" | "));
    }
    if (result.passes.length < 10) found.push(theme + ": axe looked at next to nothing");
    const text = await page.evaluate(() => document.body.innerText);
    if (!text.includes("Case 12: critical")) found.push(theme + ": the text is not there");
  }
  await browser.close();
  console.log(found.join("\n"));
})().catch(error => { console.error(error); process.exit(1); });
"#;

fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("CRIBLE_CHROMIUM").map(PathBuf::from);
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].map(PathBuf::from);
    named.into_iter().chain(usual).find(|path| path.exists())
}

/// A folder with axe-core and what drives the browser.
fn packages() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report-axe");
    let list = folder.join("package.json");
    let stamp = folder.join("installed.json");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGES) {
        return Some(folder);
    }
    std::fs::create_dir_all(&folder).ok()?;
    std::fs::write(&list, PACKAGES).ok()?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
    let installed = npm.stdin(Stdio::null()).stdout(Stdio::null()).status().ok()?.success();
    (installed && std::fs::write(&stamp, PACKAGES).is_ok()).then_some(folder)
}

#[test]
fn nobody_is_shut_out() {
    let Some(chromium) = chromium() else {
        eprintln!("skipped: Chromium is not installed");
        return;
    };
    let Some(folder) = packages() else {
        eprintln!("skipped: npm cannot install axe-core");
        return;
    };
    let html = crible_report::write(&common::page(), |_| None).unwrap();
    let page = folder.join("page.html");
    std::fs::write(&page, html).unwrap();
    let script = folder.join("look.js");
    std::fs::write(&script, SCRIPT).unwrap();
    let mut node = Command::new("node");
    node.arg(&script).arg(&page).arg(&chromium).args(std::env::var_os("CRIBLE_PICTURES")).stdin(Stdio::null());
    let output = node.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "");
}
