//! Redis with client certificates from a private authority, and Sentinels with their own password.

use std::{fs, path::PathBuf, time::Duration};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::json;

use crate::support::{
    harness::{Server, build, config},
    redis_server::{RedisCluster, RedisServer, free_port},
    waits::until_ready,
};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];
const PATIENCE: Duration = Duration::from_secs(40);

/// A certificate authority, a server certificate and a client certificate, in a folder.
struct Authority {
    folder: PathBuf,
}

impl Authority {
    fn found(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("signalpost-redis-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let authority = Self { folder };
        authority.sign();
        authority
    }

    /// New certificates in the same files.
    fn sign(&self) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // OpenSSL treats a certificate whose issuer has the subject's name as self-signed.
        params.distinguished_name.push(DnType::CommonName, "Authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.write("ca.pem", &params.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(params, key);
        for (name, names) in
            [("redis", vec!["localhost".to_owned(), "127.0.0.1".into()]), ("node", vec!["node".into()])]
        {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
            self.write(&format!("{name}.pem"), &certificate.pem());
            self.write(&format!("{name}.key"), &key.serialize_pem());
        }
    }

    fn write(&self, name: &str, pem: &str) {
        fs::write(self.folder.join(name), pem).unwrap();
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Options of a server that requires certificates, also from its peers.
    fn redis(&self, port: u16) -> Vec<String> {
        let files =
            [("--tls-cert-file", "redis.pem"), ("--tls-key-file", "redis.key"), ("--tls-ca-cert-file", "ca.pem")];
        let files = files.into_iter().flat_map(|(option, name)| [option.into(), self.file(name)]);
        let port = ["--tls-port".into(), port.to_string(), "--tls-auth-clients".into(), "yes".into()];
        files.chain(port).collect()
    }

    fn flags(&self) -> Vec<String> {
        let files = [("--redis-tls-ca", "ca.pem"), ("--redis-tls-cert", "node.pem"), ("--redis-tls-key", "node.key")];
        files.into_iter().flat_map(|(option, name)| [option.into(), self.file(name)]).collect()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn words(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// A node, after a join succeeded on it.
async fn node(url: &str, flags: &[&str]) -> Server {
    let server = Server::start(&[&["--engine", url], &KEY[..], flags].concat());
    for _ in 0..4 {
        let room = format!("room-{:x}", fastrand::u64(..));
        let (ann, ben) = (server.join_room(&room, "Ann").await, server.join_room(&room, "Ben").await);
        ben.say(&ann, 7).await;
        assert_eq!(ann.messages(1).await[0]["data"], 7);
    }
    server
}

fn refused(url: &str, flags: &[&str]) -> String {
    build(&config(&[&["--engine", url], &KEY[..], flags].concat())).err().unwrap_or_default()
}

#[tokio::test]
async fn mutual_tls_works_and_renewed_certificates_are_reloaded() {
    let (authority, port) = (Authority::found("both"), free_port());
    let redis = RedisServer::start(&words(&authority.redis(port)));
    let url = format!("rediss://127.0.0.1:{port}");
    let flags = authority.flags();
    let node = node(&url, &words(&flags)).await;

    redis.kill();
    until_ready(&node, 503).await;
    authority.sign();
    redis.start_again();
    until_ready(&node, 200).await;
    let joined = async { while node.post("/v1/rooms", json!({})).await.status != 201 {} };
    tokio::time::timeout(PATIENCE, joined).await.unwrap();
}

#[test]
fn certificate_errors_name_the_option() {
    let (authority, other, port) = (Authority::found("named"), Authority::found("other"), free_port());
    let redis = RedisServer::start(&words(&authority.redis(port)));
    let url = format!("rediss://localhost:{port}");
    let (ca, cert, key) = (authority.file("ca.pem"), authority.file("node.pem"), authority.file("node.key"));
    let (stranger, strangers_key) = (other.file("node.pem"), other.file("node.key"));
    let missing = authority.file("missing.pem");
    for (flags, says) in [
        (vec!["--redis-tls-ca", &ca], "--redis-tls-cert"),
        (
            vec!["--redis-tls-ca", &ca, "--redis-tls-cert", &stranger, "--redis-tls-key", &strangers_key],
            "--redis-tls-cert",
        ),
        (vec!["--redis-tls-cert", &cert, "--redis-tls-key", &key], "--redis-tls-ca"),
        (vec!["--redis-tls-ca", &missing], "--redis-tls-ca"),
        (vec!["--redis-tls-ca", &key], "--redis-tls-ca"),
        (vec!["--redis-tls-cert", &missing, "--redis-tls-key", &key], "--redis-tls-cert"),
        (vec!["--redis-tls-cert", &cert, "--redis-tls-key", &missing], "--redis-tls-key"),
        (vec!["--redis-tls-cert", &cert, "--redis-tls-key", &cert], "--redis-tls-key"),
        (vec!["--redis-tls-cert", &cert, "--redis-tls-key", &strangers_key], "do not match"),
    ] {
        let why = refused(&url, &flags);
        assert!(why.contains(says), "{flags:?}: {why}");
    }
    assert_eq!(refused(&url, &["--redis-tls-ca", &ca, "--redis-tls-cert", &cert, "--redis-tls-key", &key]), "");
    for (url, flags) in [(redis.url(), ["--redis-tls-ca", &ca]), ("memory".into(), ["--redis-tls-ca", &ca])] {
        assert!(refused(&url, &flags).starts_with("--redis-tls-ca needs --engine redis"), "{}", refused(&url, &flags));
    }
    assert!(refused(&url, &["--redis-sentinel-password", "word"]).contains("--redis-sentinel-password needs"));
    let without_tls = redis.url().replace("redis://", "rediss://");
    let why = refused(&without_tls, &["--redis-tls-ca", &ca]);
    assert!(why.contains("`tls-port`") && !why.contains("--redis-tls-ca"), "{why}");
}

#[tokio::test]
async fn mutual_tls_works_with_a_cluster() {
    let authority = Authority::found("cluster");
    let cluster = RedisCluster::start_with(|| {
        [authority.redis(free_port()), vec!["--tls-cluster".into(), "yes".into()]].concat()
    });
    let ports: Vec<String> =
        cluster.masters[..2].iter().map(|master| master.cli(&["config", "get", "tls-port"])).collect();
    let hosts: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{}", port.lines().last().unwrap())).collect();
    let flags = authority.flags();
    node(&format!("rediss://{}", hosts.join(",")), &words(&flags)).await;
}

#[tokio::test]
async fn sentinels_may_have_their_own_password() {
    let master =
        RedisServer::start_with(&["--save", "", "--requirepass", "data"], &["-a", "data", "--no-auth-warning"]);
    let lines =
        "sentinel auth-pass calls data\nrequirepass watch\nuser ann on >letter -@all +sentinel|get-master-addr-by-name";
    let sentinel = master.sentinel_with("calls", master.port, lines, &[], &["-a", "watch", "--no-auth-warning"]);
    let url = format!("redis-sentinel://:data@127.0.0.1:{}/calls", sentinel.port);
    let password = std::env::temp_dir().join(format!("signalpost-sentinel-{}", sentinel.port));
    fs::write(&password, "watch\n").unwrap();
    let from_file = format!("@{}", password.display());
    node(&url, &["--redis-sentinel-password", &from_file]).await;
    node(&url, &["--redis-sentinel-user", "ann", "--redis-sentinel-password", "letter"]).await;
    fs::remove_file(password).unwrap();

    for flags in [&[][..], &["--redis-sentinel-password", "data"]] {
        let why = refused(&url, flags);
        assert!(why.contains("--redis-sentinel-password") && !why.contains("watch"), "{why}");
    }
    let right = ["--redis-sentinel-password", "watch"];
    let why = refused(&url.replace(":data@", ":watch@"), &right);
    assert!(why.contains("--engine redis://USER:PASSWORD@"), "{why}");
    assert_eq!(sentinel.cli(&["acl", "setuser", "ann", "-sentinel|get-master-addr-by-name"]), "OK");
    let why = refused(&url, &["--redis-sentinel-user", "ann", "--redis-sentinel-password", "letter"]);
    assert!(why.contains("+sentinel|get-master-addr-by-name"), "{why}");
}

#[tokio::test]
async fn mutual_tls_works_with_sentinels_and_their_master() {
    let (authority, port, watching) = (Authority::found("sentinel"), free_port(), free_port());
    let replication = ["--tls-replication".to_owned(), "yes".into()];
    let options = [&authority.redis(port)[..], &replication].concat();
    let master = RedisServer::start(&words(&options));
    let options = [&authority.redis(watching)[..], &replication].concat();
    let cli = ["-a", "watch", "--no-auth-warning"];
    let _sentinel = master.sentinel_with("calls", port, "requirepass watch", &words(&options), &cli);
    let flags = authority.flags();
    let flags = [&words(&flags)[..], &["--redis-sentinel-password", "watch"]].concat();
    node(&format!("rediss-sentinel://127.0.0.1:{watching}/calls"), &flags).await;
}
