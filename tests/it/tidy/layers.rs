//! Who may import whom.

use super::{
    imports::Crate,
    sources::{code, files},
};

/// The top-level modules that a file may use: main → app → server → {api, pages} → transport, and
/// api → engine → domain → std.
fn may_use(name: &str) -> Option<&'static [&'static str]> {
    let layer = name.strip_prefix("src/")?;
    Some(match layer {
        _ if layer.starts_with("domain/") => &["domain"],
        _ if layer.starts_with("engine/") => &["engine", "domain", "clock", "text_file"],
        _ if layer.starts_with("transport/") && layer.contains("tests/") => &["transport", "clock"],
        _ if layer.starts_with("transport/") => &["transport"],
        _ if layer.starts_with("api/") => {
            &["api", "transport", "engine", "domain", "clock", "file_watch", "text_file", "ice", "turn", "telemetry"]
        }
        _ if layer.starts_with("pages/") => &["pages", "api"],
        _ if layer.starts_with("telemetry/") => &["telemetry", "engine", "turn"],
        "server.rs" => &["api", "pages", "transport"],
        "ice.rs" => &["domain", "turn"],
        _ if layer.starts_with("turn/") => &["turn", "transport", "engine", "domain", "clock"],
        "clock.rs" => &["domain"],
        _ => return None,
    })
}

#[test]
fn imports_follow_the_layers() {
    let source = Crate::read("src");
    let uses = source.uses_and_re_exports();
    let wrong = uses.iter().flat_map(|(name, all_used)| {
        let is_wrong = |used: &&&str| {
            let layer = used.split('/').nth(1).unwrap().trim_end_matches(".rs");
            may_use(name).is_some_and(|allowed| layer != "lib" && !allowed.contains(&layer))
        };
        all_used.iter().filter(is_wrong).map(move |used| format!("{name} uses {used}"))
    });
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
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
        let code = code(&text);
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
