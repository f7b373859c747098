//! Rules about the source itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The longest file there may be. Lower it when you can.
const LONGEST_FILE: usize = 350;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("vendor") {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "nothing in {folder}");
    found
}

/// The crate modules that a file may name, by the folder it is in: main → app → server → {api, pages} → transport, and
/// api → engine → domain → std.
fn may_use(name: &str) -> Option<&'static [&'static str]> {
    let layer = name.strip_prefix("src/")?;
    Some(match layer {
        _ if layer.starts_with("domain/") => &["domain"],
        _ if layer.starts_with("engine/") => &["engine", "domain", "clock"],
        _ if layer.starts_with("transport/") && layer.contains("tests/") => &["transport", "clock"],
        _ if layer.starts_with("transport/") => &["transport"],
        _ if layer.starts_with("api/") => {
            &["api", "transport", "engine", "domain", "clock", "ice", "stun", "telemetry"]
        }
        _ if layer.starts_with("pages/") => &["pages", "api"],
        _ if layer.starts_with("telemetry/") => &["telemetry", "engine"],
        "server.rs" => &["api", "pages", "transport"],
        "ice.rs" => &["domain"],
        "stun.rs" => &["clock"],
        "clock.rs" => &["domain"],
        _ => return None,
    })
}

#[test]
fn imports_follow_the_layers() {
    for (name, text) in files("src", ".rs") {
        let Some(allowed) = may_use(&name) else { continue };
        let text = text.replace(['\n', ' '], "");
        for place in text.split("crate::").skip(1) {
            let named = match place.strip_prefix('{') {
                Some(list) => top_level(list),
                None => vec![place],
            };
            for module in named {
                let module: String = module.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let is_module =
                    root().join("src").join(&module).exists() || root().join(format!("src/{module}.rs")).exists();
                assert!(!is_module || allowed.contains(&module.as_str()), "{name} uses crate::{module}");
            }
        }
    }
}

/// The entries of a `use` list, without what is nested in them.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut entries) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            ',' | '}' if depth == 0 => {
                entries.push(&list[start..at]);
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}

#[test]
fn the_domain_uses_only_std() {
    let foreign = [
        "tokio",
        "actix",
        "serde",
        "parking_lot",
        "uuid::",
        "tracing",
        "futures",
        "rand",
        "async ",
        ".await",
        "Mutex",
        "Instant",
        "SystemTime",
    ];
    for (name, text) in files("src/domain", ".rs") {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for word in foreign {
            assert!(!code.contains(word), "{name} contains `{word}`");
        }
    }
}

#[test]
fn only_http_layers_import_actix() {
    let folders = ["src/transport/", "src/api/", "src/pages/"];
    for (name, text) in files("src", ".rs") {
        let knows = text.contains("actix_web") || text.contains("actix_files") || text.contains("actix_http");
        let may = folders.iter().any(|folder| name.starts_with(folder))
            || ["src/server.rs", "src/app.rs", "src/main.rs"].contains(&name.as_str());
        assert!(!knows || may, "{name} names actix");
    }
}

#[test]
fn the_api_uses_no_sockets() {
    let of_sockets = [
        "tokio::net",
        "std::net::Tcp",
        "std::net::Udp",
        "rt::net",
        "actix_server",
        "rustls",
        "AsyncRead",
        "AsyncWrite",
    ];
    for (name, text) in files("src/api", ".rs") {
        for word in of_sockets {
            assert!(!text.contains(word), "{name} contains `{word}`");
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let rust = ["src", "tests", "benches"].into_iter().flat_map(|folder| files(folder, ".rs"));
    let web = files("web", ".js").into_iter().chain(files("tests", ".js"));
    for (name, text) in rust.chain(web) {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_FILE, "{name} has {lines} lines");
    }
}

#[test]
fn no_file_has_a_meaningless_name() {
    let nothing = ["util", "helper", "common", "misc", "manager", "service"];
    for (name, _) in files("src", ".rs").into_iter().chain(files("web", ".js")) {
        let stem = name.rsplit('/').next().unwrap();
        assert!(!nothing.iter().any(|word| stem.contains(word)), "{name}");
    }
}

#[test]
fn no_test_is_ignored_or_sleeps() {
    let ours = "tests/it/tidy";
    for (name, text) in files("tests", ".rs").into_iter().chain(files("src", ".rs")) {
        assert!(name.starts_with(ours) || !text.contains("#[ignore"), "{name}");
        assert!(name.starts_with(ours) || !text.contains("thread::sleep"), "{name}");
    }
    // How fast a machine is, only benches may ask.
    for (name, text) in files("tests/it", ".rs").into_iter().chain(files("tests/sim", ".rs")) {
        assert!(name.starts_with(ours) || !text.contains("elapsed()") && !text.contains("Instant::now"), "{name}");
    }
    for (name, text) in files("tests", ".js") {
        for word in ["test.skip", ".only(", "waitForTimeout"] {
            assert!(!text.contains(word), "{name} contains {word}");
        }
    }
}

#[test]
fn every_limit_has_a_reason() {
    let (_, limits) = files("src/domain", "limits.rs").remove(0);
    let fields = limits.split("pub struct Limits {").nth(1).unwrap().split("\n}").next().unwrap();
    let lines: Vec<&str> = fields.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for pair in lines.windows(2).filter(|pair| pair[1].starts_with("pub ")) {
        assert!(pair[0].starts_with("///"), "{} has no reason", pair[1]);
    }
}
