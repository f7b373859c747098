//! Options, environment variables, and the output at startup.

use std::process::Stdio;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use crate::support::waits::PATIENCE;

fn binary(flags: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalpost"));
    command.args(flags).envs(variables.iter().copied()).kill_on_drop(true);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The output up to the last line with an address.
async fn announced(flags: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    let mut child = binary(flags, variables).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let is_last = line.starts_with("STUN: ");
        seen.push(line);
        if is_last {
            return seen;
        }
    }
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).await.unwrap();
    panic!("it ended: {seen:?} {errors}");
}

/// The error with which it exits. It must not have printed that it listens.
async fn refusal(flags: &[&str], variables: &[(&str, &str)]) -> String {
    let flags: Vec<&str> = ["--listen", "127.0.0.1:0"].iter().chain(flags).copied().collect();
    let ending = tokio::time::timeout(PATIENCE, binary(&flags, variables).output());
    let output = ending.await.unwrap_or_else(|_| panic!("it serves: {flags:?}")).unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    String::from_utf8(output.stderr).unwrap()
}

/// Used to print *listening on …* before the workers died: `Can not start worker: ()`.
#[actix_web::test]
async fn an_invalid_origin_fails_startup_naming_its_option() {
    for origin in [
        "file://",
        "null",
        "app.example.org",
        "https://*.example.org",
        "https://app.example.org/x",
        "nonsense",
        "a b",
        "\u{7f}",
    ] {
        let error = refusal(&["--cors-origin", origin], &[]).await;
        assert!(error.contains("--cors-origin"), "{origin}: {error}");
        let error = refusal(&[], &[("SIGNALPOST_CORS_ORIGIN", origin)]).await;
        assert!(error.contains("SIGNALPOST_CORS_ORIGIN"), "{origin}: {error}");
    }
}

#[actix_web::test]
async fn late_startup_errors_name_the_variable() {
    let short = ("SIGNALPOST_TOKEN_KEY", "short");
    let error = refusal(&[], &[short]).await;
    assert!(error.contains("--token-key (SIGNALPOST_TOKEN_KEY)") && !error.contains("'short'"), "{error}");
    let error =
        refusal(&["--token-key", "short"], &[("SIGNALPOST_TOKEN_KEY", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U")]).await;
    assert!(error.contains("--token-key must"), "{error}");
    let both = [("SIGNALPOST_TLS_SELF_SIGNED", "yes"), ("SIGNALPOST_TLS_CERT", "c"), ("SIGNALPOST_TLS_KEY", "k")];
    let error = refusal(&[], &both).await;
    assert!(error.contains("SIGNALPOST_TLS_SELF_SIGNED") && error.contains("SIGNALPOST_TLS_CERT"), "{error}");
}

/// It used to say only `203.0.113.7:9464: Cannot assign requested address (os error 99)`.
#[actix_web::test]
async fn an_address_of_another_machine_is_refused_naming_its_option() {
    let other = "203.0.113.7:9464";
    for option in ["--listen", "--metrics-listen", "--stun-listen"] {
        let error = refusal(&[option, other], &[]).await;
        assert!(error.contains(option) && error.contains(other), "{error}");
    }
    let error = refusal(&[], &[("SIGNALPOST_METRICS_LISTEN", other)]).await;
    assert!(error.contains("--metrics-listen (SIGNALPOST_METRICS_LISTEN)"), "{error}");
}

/// `/10.0.0.5` is easily forgotten in a cloud: the server started, offered TURN, and answered each allocation 508.
#[actix_web::test]
async fn an_open_relay_at_an_address_of_another_machine_is_refused() {
    for (address, missing) in [("203.0.113.7", "203.0.113.7"), ("203.0.113.7/203.0.113.8", "203.0.113.8")] {
        let error = refusal(&["--turn-relay", "open", "--turn-external-ip", address], &[]).await;
        assert!(error.contains(&format!("{missing} is not an address of this machine")), "{error}");
        assert!(error.contains("--turn-external-ip 203.0.113.7/LOCAL"), "{error}");
    }
}

#[actix_web::test]
async fn empty_variables_are_ignored() {
    let help = binary(&["--help"], &[]).output().await.unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let names: Vec<&str> = help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect();
    assert!(names.len() > 30, "{help}");
    let empty: Vec<(&str, &str)> = names.into_iter().map(|name| (name, "")).collect();
    announced(&["--listen=127.0.0.1:0", "--stun-listen=127.0.0.1:0"], &empty).await;
}

/// `[::]` serves IPv4 as well, but no IPv4 address was printed.
#[actix_web::test]
async fn every_printed_address_answers() {
    let any = ["--listen", "[::]:0", "--metrics-listen", "[::]:0", "--stun-listen", "[::]:0"];
    let mut child = binary(&any, &[]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut printed = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        printed.push(line);
        if printed.iter().any(|line| line.starts_with("STUN: udp://[::1]")) {
            break;
        }
    }
    for beginning in ["listening on http://", "metrics: http://", "STUN: udp://"] {
        for host in ["127.0.0.1:", "[::1]:"] {
            let expected = format!("{beginning}{host}");
            assert!(printed.iter().any(|line| line.starts_with(&expected)), "{expected}: {printed:?}");
        }
    }
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for line in printed.iter().filter(|line| line.contains("http://")) {
        let url = line.split(' ').next_back().unwrap();
        assert!(!url.contains("[::]") && !url.contains("[fe80"), "{url}");
        assert_eq!(client.get(url).send().await.unwrap().status(), 200, "{url}");
    }
}
