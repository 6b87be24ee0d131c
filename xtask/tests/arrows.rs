//! Which crate may use which, and what the crates without I/O must never name.
//!
//! The table is the one of ARCHITECTURE.md. A new crate goes in both before it builds here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Folder under `crates/`, and what of ours it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("auth", &["wire"]),
    ("router", &["wire"]),
    ("session", &["wire", "auth"]),
    ("log", &[]),
    ("streams", &["wire", "log"]),
    ("mqtt", &[]),
    (
        "server",
        &[
            "wire", "auth", "router", "session", "log", "streams", "mqtt",
        ],
    ),
    ("cli", &["wire"]),
    ("sim", EVERYTHING),
    ("conformance", EVERYTHING),
    // Stands in for others' unpublished test harness; it knows the server only as a program.
    ("conformance/nats-server", &[]),
    ("bench", EVERYTHING),
];
const EVERYTHING: &[&str] = &[
    "wire", "auth", "router", "session", "log", "streams", "mqtt", "server", "cli",
];
/// Proofs that any crate's tests may use, and nothing else.
const FOR_TESTS: &[&str] = &["sim", "conformance", "conformance/nats-server", "bench"];

/// Crates whose logic has no I/O: time and chance are arguments to them.
const WITHOUT_IO: &[&str] = &["wire", "auth", "router", "session", "streams", "mqtt"];
/// Runtimes, sockets, files and clocks that those must not depend on, however indirectly.
const IO_CRATES: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "async-io",
    "futures-executor",
    "mio",
    "polling",
    "socket2",
    "nix",
    "rustix",
    "io-uring",
    "tempfile",
    "memmap2",
    "procfs",
    "chrono",
    "time",
    "jiff",
    "quanta",
    "coarsetime",
];
/// What their sources must not name. Addresses as values are in `core::net`.
const IO_NAMES: &[&str] = &["Instant::now", "SystemTime"];
const IO_MODULES: &[&str] = &["net", "fs", "thread", "env", "process"];

#[test]
fn every_crate_uses_only_what_the_table_allows() {
    let allowed: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (folder, manifest) in ours() {
        let Some(allowed) = allowed.get(folder.as_str()) else {
            wrong.push(format!(
                "crates/{folder} is not in the table of xtask/tests/arrows.rs"
            ));
            continue;
        };
        for dependency in manifest["dependencies"].as_array().into_iter().flatten() {
            let Some(used) = folder_of(dependency["path"].as_str()) else {
                continue;
            };
            let for_tests = dependency["kind"] == "dev" && FOR_TESTS.contains(&used.as_str());
            if !allowed.contains(&used.as_str()) && !for_tests {
                wrong.push(format!("crates/{folder} must not use crates/{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_without_io_depend_on_no_runtime_socket_file_or_clock() {
    let metadata = metadata(&[]);
    let names: BTreeMap<&str, &str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| (text(&package["id"]), text(&package["name"])))
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()
        .expect("a resolved graph")
        .iter()
        .map(|node| (text(&node["id"]), node))
        .collect();
    let mut wrong = Vec::new();
    for (folder, manifest) in ours()
        .into_iter()
        .filter(|(f, _)| WITHOUT_IO.contains(&f.as_str()))
    {
        let mut ways = vec![vec![text(&manifest["id"]).to_owned()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            for used in normal_dependencies(nodes[way.last().expect("never empty").as_str()]) {
                let way = [way.as_slice(), &[used.to_owned()]].concat();
                // Its real disk is behind a seam, and what `streams` may take from it is held below.
                if names[used] == "recado-log" {
                    continue;
                }
                if IO_CRATES.contains(&names[used]) {
                    let way: Vec<_> = way.iter().map(|id| names[id.as_str()]).collect();
                    wrong.push(format!("crates/{folder}: {}", way.join(" → ")));
                }
                if seen.insert(used.to_owned()) {
                    ways.push(way);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn streams_take_nothing_from_the_log_that_touches_a_disk() {
    const PURE: &[&str] = &[
        "CONTROL_KIND_MIN",
        "Damaged",
        "Entry",
        "Journal",
        "Location",
        "Position",
        "Record",
        "Refused",
        "Replayed",
    ];
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("crates/streams/src")) {
        let source = fs::read_to_string(&file).expect("a readable file");
        let own = source.split("#[cfg(test)]").next().unwrap_or_default();
        for taken in own.split("recado_log::").skip(1) {
            let list = match taken.strip_prefix('{') {
                Some(list) => list.split('}').next().unwrap_or_default(),
                None => taken
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default(),
            };
            let names = list
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            for name in names.filter(|name| !PURE.contains(name)) {
                wrong.push(format!("{}: recado_log::{name}", file.display()));
            }
        }
    }
    wrong.retain(|line| !line.contains("/tests"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_without_io_name_no_socket_file_thread_or_clock() {
    let mut wrong = Vec::new();
    for folder in WITHOUT_IO {
        for file in rust_files(&root().join("crates").join(folder).join("src")) {
            let source = fs::read_to_string(&file).expect("a source file");
            for found in io_in(&source) {
                wrong.push(format!("{}: {found}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_search_for_io_sees_what_it_must_and_leaves_tests_and_comments_alone() {
    let source =
        "use std::{cell::Cell, fs::File};\nlet now = Instant::now();\nstd::thread::yield_now();";
    assert_eq!(
        io_in(source),
        ["Instant::now", "std::{… fs …}", "std::thread"]
    );
    let innocent = "// std::fs\nuse std::{fmt, time::Duration};\nuse core::net::IpAddr;\n\
                    #[cfg(test)]\nmod tests { fn t() { Instant::now(); } }";
    assert!(io_in(innocent).is_empty());
}

#[test]
fn every_crate_forbids_unsafe_code_and_takes_the_workspace_lints() {
    let mut wrong = Vec::new();
    for (folder, manifest) in ours().into_iter().chain([("../xtask".to_owned(), xtask())]) {
        let manifest_file = root().join("crates").join(&folder).join("Cargo.toml");
        let written = fs::read_to_string(&manifest_file).expect("a manifest");
        if !written.contains("[lints]\nworkspace = true") {
            wrong.push(format!(
                "{}: lacks `[lints] workspace = true`",
                manifest_file.display()
            ));
        }
        for target in manifest["targets"].as_array().into_iter().flatten() {
            let is_root = target["kind"]
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib" || kind == "bin"));
            let file = PathBuf::from(text(&target["src_path"]));
            let source = fs::read_to_string(&file).expect("a crate root");
            if is_root && !source.contains("#![forbid(unsafe_code)]") {
                wrong.push(format!("{}: lacks #![forbid(unsafe_code)]", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Our crates under `crates/`: folder and manifest as cargo reads it.
fn ours() -> Vec<(String, Value)> {
    let mut metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array_mut().expect("packages");
    let ours: Vec<_> = std::mem::take(packages)
        .into_iter()
        .filter_map(|package| {
            let manifest = Path::new(text(&package["manifest_path"]));
            let folder = folder_of(manifest.parent().and_then(Path::to_str))?;
            Some((folder, package))
        })
        .collect();
    assert!(
        ours.len() >= 5,
        "the workspace's crates were found: {}",
        ours.len()
    );
    ours
}

fn xtask() -> Value {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .find(|package| package["name"] == "xtask")
        .expect("xtask")
        .clone()
}

fn metadata(args: &[&str]) -> Value {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(args);
    let output = cargo.output().expect("cargo metadata");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// `wire` for `…/crates/wire`.
fn folder_of(path: Option<&str>) -> Option<String> {
    let path = Path::new(path?);
    let inside = path.strip_prefix(root().join("crates")).ok()?;
    inside
        .to_str()
        .filter(|folder| !folder.is_empty())
        .map(str::to_owned)
}

fn normal_dependencies(node: &Value) -> impl Iterator<Item = &str> {
    let normal = |dependency: &&Value| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    };
    node["deps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(normal)
        .map(|dep| text(&dep["pkg"]))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("a folder entry").path()) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") && name != "tests.rs" && !name.ends_with("_tests.rs") {
            files.push(path);
        }
    }
    files
}

/// What a source names that has I/O or a clock behind it; comments and unit tests left out.
fn io_in(source: &str) -> Vec<String> {
    let source = source
        .split("#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default();
    let without_comment = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let code: Vec<String> = source.lines().map(without_comment).collect();
    let code = code.join("\n");
    let mut found: Vec<String> = IO_NAMES
        .iter()
        .filter(|name| code.contains(**name))
        .map(|name| name.to_string())
        .collect();
    for module in IO_MODULES {
        if code.contains(&format!("std::{module}")) {
            found.push(format!("std::{module}"));
        }
        for group in code
            .split("std::{")
            .skip(1)
            .map(|rest| top_level_names(rest))
        {
            if group.contains(module) {
                found.push(format!("std::{{… {module} …}}"));
            }
        }
    }
    found
}

/// The first names of a `{…}` list of imports whose opening brace has been read.
fn top_level_names(list: &str) -> Vec<&str> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), Some(0));
    for (at, c) in list.char_indices() {
        let name_ends = matches!(c, ',' | '{' | '}' | ':') && depth == 0;
        if let (true, Some(from)) = (name_ends, start) {
            names.push(list[from..at].trim());
            start = None;
        }
        match c {
            ',' if depth == 0 => start = Some(at + 1),
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            _ => {}
        }
    }
    names
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask has a parent")
        .to_owned()
}
