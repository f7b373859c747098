//! The README's walk through a call with curl, executed as it stands.

use std::process::Command;

use crate::support::harness::Server;

const README: &str = include_str!("../../../README.md");

/// Each `sh` block between the markers, in order.
fn blocks() -> Vec<&'static str> {
    let walk = README.split("<!-- walkthrough -->").nth(1).expect("the README has a walk-through");
    walk.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

#[actix_web::test]
async fn the_readme_walkthrough_works() {
    let server = Server::start(&[]);
    let blocks = blocks();
    assert!(blocks.len() >= 6, "{}", blocks.len());
    let script = format!("set -euo pipefail\n{}", blocks.join("\n"));
    let script = script.replace("http://127.0.0.1:8080", &server.base);
    let output = tokio::task::spawn_blocking(move || Command::new("bash").args(["-c", &script]).output().unwrap());
    let output = output.await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for shown in [
        "\"created\":true",
        "\"created\":false",
        "\"type\":\"offer\"",
        "\"type\":\"answer\"",
        "\"type\":\"candidate\"",
        "\"type\":\"bye\"",
        "room-full",
        "\"type\":\"peer-left\"",
    ] {
        assert!(out.contains(shown), "{shown} is not in:\n{out}\n{err}");
    }
    // Not just any 401: ids and tokens are random.
    assert!(!out.contains("\"status\":401") && !out.contains("malformed"), "{out}");
}
