//! The files in `deploy/` for proxies that pass connections through: HTTPS, and TURN with and without TLS.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    net::TcpStream,
    process::{Child, Command},
};

use super::{connect, two_members_over_tls};
use crate::support::{
    certificate::write_certificate,
    harness::Server,
    redis_server::free_port,
    turn_client::{Received, TurnClient},
};

/// Starts a proxy with a file of `deploy/`, on other ports.
async fn start(program: &str, flags: &[&str], text: &str, folder: &Path) -> Child {
    let file = folder.join("proxy.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(program);
    command.args(flags).arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    // Where Debian puts servers.
    command.env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap()));
    command.spawn().unwrap_or_else(|error| panic!("{program} is missing ({error}): tests/run.sh installs it"))
}

async fn until_listening(proxy: &mut Child, port: u16) {
    let mut pace = tokio::time::interval(Duration::from_millis(20));
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(proxy.try_wait().unwrap().is_none(), "it has ended");
        pace.tick().await;
    }
}

async fn passes(name: &str, program: &str, flags: &[&str], file: &str, listen: (&str, &str)) {
    let certificate = write_certificate(&format!("relay-{name}"));
    let flags_of_server = certificate.flags();
    let server = Server::start(&flags_of_server.each_ref().map(String::as_str));
    let port = free_port();
    let text = file.replace(listen.0, &listen.1.replace("PORT", &port.to_string()));
    let text = text.replace("127.0.0.1:8443", &format!("127.0.0.1:{}", server.port));
    assert!(text.contains(&port.to_string()), "{text}");
    let prologue = if program == "nginx" {
        let folder = certificate.folder.display();
        format!(
            "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
        )
    } else {
        String::new()
    };
    let mut proxy = start(program, flags, &(prologue + &text), &certificate.folder).await;
    until_listening(&mut proxy, port).await;
    let [ann, ben] = two_members_over_tls(&server, &certificate).await;

    let through = || TcpStream::connect(("127.0.0.1", port));
    let tls = certificate.connect_to(through().await.unwrap(), "stun.turn").await.unwrap();
    let mut by_tls = TurnClient::over(Box::new(tls), &ann);
    let mut by_tcp = TurnClient::tcp(port, &ben).await;
    let [of_ann, _] = connect(&mut by_tls, &mut by_tcp).await;
    by_tls.send(0x4000, b"through a proxy").await;
    assert_eq!(by_tcp.receive().await, Received::Data(of_ann, b"through a proxy".into()));
    let mut https = certificate.h2_at(port).await.ready().await.unwrap();
    let request = http::Request::get("https://localhost/healthz").body(()).unwrap();
    let (response, _) = https.send_request(request, true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
}

#[actix_web::test]
async fn haproxy_passes_everything_on_one_port() {
    let file = include_str!("../../../deploy/haproxy-passthrough.cfg");
    passes("haproxy", "haproxy", &["-db", "-f"], file, ("bind :443", "bind 127.0.0.1:PORT")).await;
}

#[actix_web::test]
async fn nginx_passes_everything_on_one_port() {
    let file = include_str!("../../../deploy/nginx-passthrough.conf");
    passes("nginx", "nginx", &["-c"], file, ("listen 443;", "listen 127.0.0.1:PORT;")).await;
}
