//! `signalpost healthcheck`, as a container runs it.

use std::process::Command;

use crate::support::harness::Server;

/// Runs the check with these environment variables and arguments; an error is what it said.
async fn check(environment: &[(&str, String)], arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    command.arg("healthcheck").args(arguments).envs(environment.iter().cloned());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
}

#[actix_web::test]
async fn healthcheck_finds_the_server_and_reports_failures() {
    let server = Server::start(&["--listen", "0.0.0.0:0", "--metrics-listen", "127.0.0.1:0"]);
    let listen = ("SIGNALPOST_LISTEN", format!("0.0.0.0:{}", server.port));
    check(std::slice::from_ref(&listen), &[]).await.unwrap();
    check(&[], &[&format!("{}/healthz", server.base)]).await.unwrap();
    let error = check(&[], &[&format!("{}/nothing", server.base)]).await.unwrap_err();
    assert!(error.contains("answered 404"), "{error}");

    // It cannot speak TLS, but the listener for operators does not either.
    let tls = [listen, ("SIGNALPOST_TLS_SELF_SIGNED", "true".to_owned())];
    let error = check(&tls, &[]).await.unwrap_err();
    assert!(error.contains("SIGNALPOST_METRICS_LISTEN"), "{error}");
    let [listen, own] = tls;
    let metrics = ("SIGNALPOST_METRICS_LISTEN", server.metrics.unwrap().to_string());
    let nobody = ("SIGNALPOST_LISTEN", "127.0.0.1:9".to_owned());
    check(&[nobody, own, metrics], &[]).await.unwrap();

    server.stop();
    server.join();
    let error = check(&[listen], &[]).await.unwrap_err();
    assert!(error.contains("refused"), "{error}");
}
