//! `--ticket-key`: joining with a JWT.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::harness::{Answer, Server, send};

const SECRET: &str = "the login's secret, long enough";

/// A folder that is removed after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("signalpost-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[expect(clippy::disallowed_methods, reason = "a ticket is dated by the wall clock")]
fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + seconds
}

fn signed(claims: &Value, secret: &str) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn claims(room: &str) -> Value {
    json!({"room": room, "create": true, "exp": in_seconds(60)})
}

fn with(mut claims: Value, name: &str, value: impl Into<Value>) -> Value {
    claims[name] = value.into();
    claims
}

async fn join(server: &Server, room: &str, ticket: &str) -> Answer {
    server.post(&format!("/v1/rooms/{room}/peers"), json!({"ticket": ticket, "name": "Eve"})).await
}

#[actix_web::test]
async fn joins_need_a_ticket_and_returning_peers_only_their_token() {
    let server = Server::start(&["--ticket-key", SECRET]);
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(401, "ticket-missing");
    server.post("/v1/rooms", json!({"room": "tea"})).await.refused(401, "ticket-missing");
    let ann = server.seat("tea", join(&server, "tea", &signed(&claims("tea"), SECRET)).await.expect(201));
    server.post("/v1/rooms/tea/peers", json!({})).await.refused(401, "ticket-missing");
    server.resume(&ann).await.expect(200);
    let ben = server.seat("tea", join(&server, "tea", &signed(&claims("t*"), SECRET)).await.expect(201));
    ben.leave().await.expect(204);
    server.resume(&ben).await.refused(401, "ticket-missing");
    let back = server.request(Method::POST, "/v1/rooms/tea/peers").bearer_auth(&ben.token);
    let back = send(back.json(&json!({"ticket": signed(&claims("tea"), SECRET)}))).await.expect(201);
    assert_eq!(back["peer"]["id"], json!(ben.id));
}

#[actix_web::test]
async fn each_kind_of_bad_ticket_has_its_own_problem() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let good = claims("tea");
    let none = format!("{}.{}.", b64(r#"{"alg":"none"}"#), b64(&good.to_string()));
    let hs512 = encode(&Header::new(Algorithm::HS512), &good, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let tampered = {
        let ticket = signed(&good, SECRET);
        let parts: Vec<&str> = ticket.split('.').collect();
        format!("{}.{}.{}", parts[0], b64(&with(good.clone(), "admin", true).to_string()), parts[2])
    };
    let late = |exp: i64| signed(&with(good.clone(), "exp", in_seconds(exp)), SECRET);
    let early = |nbf: i64| signed(&with(good.clone(), "nbf", in_seconds(nbf)), SECRET);
    for (ticket, status, slug) in [
        ("nonsense".to_owned(), 401, "ticket-malformed"),
        (String::new(), 401, "ticket-malformed"),
        (signed(&json!({"room": "tea"}), SECRET), 401, "ticket-malformed"),
        (signed(&json!({"exp": in_seconds(60)}), SECRET), 401, "ticket-malformed"),
        (none, 401, "ticket-algorithm"),
        (hs512, 401, "ticket-algorithm"),
        (signed(&good, "another secret, long enough"), 401, "ticket-signature"),
        (tampered, 401, "ticket-signature"),
        (late(-31), 401, "ticket-expired"),
        (early(40), 401, "ticket-expired"),
        (signed(&claims("coffee"), SECRET), 403, "ticket-other-room"),
        (signed(&claims("team-*"), SECRET), 403, "ticket-other-room"),
        (signed(&claims("te"), SECRET), 403, "ticket-other-room"),
        (signed(&with(good.clone(), "create", false), SECRET), 403, "ticket-cannot-create"),
    ] {
        join(&server, "tea", &ticket).await.refused(status, slug);
    }
    server.get("/v1/rooms/tea").await.refused(404, "room-unknown");
    join(&server, "tea", &late(-20)).await.expect(201);
    join(&server, "tea", &early(20)).await.expect(201);
}

#[actix_web::test]
async fn ticket_claims_set_the_name_and_admin_rights() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let ann = join(&server, "tea", &signed(&with(claims("tea"), "name", "Ann"), SECRET)).await.expect(201);
    assert_eq!(ann["peer"]["name"], "Ann");
    let guest = with(with(claims("tea"), "create", false), "admin", true);
    let ben = join(&server, "tea", &signed(&guest, SECRET)).await.expect(201);
    assert_eq!((&ben["peer"]["name"], &ben["created"]), (&json!("Eve"), &json!(false)));
    server.delete("/v1/rooms/tea", ben["room_token"].as_str().unwrap()).await.expect(204);

    let made = server.post("/v1/rooms", json!({"room": "hall", "ticket": signed(&claims("hall"), SECRET)})).await;
    made.expect(201);
    let cannot = signed(&with(claims("attic"), "create", false), SECRET);
    server.post("/v1/rooms", json!({"room": "attic", "ticket": cannot})).await.refused(403, "ticket-cannot-create");
}

fn b64(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(text)
}

fn openssl(args: &[&str], folder: &Path) {
    let output = Command::new("openssl").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[actix_web::test]
async fn pem_public_keys_verify_only_eddsa_and_es256() {
    let folder = Folder::new("pem");
    let ec: &[&str] = &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "es256.pem"];
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "eddsa.pem"], &folder.0);
    openssl(ec, &folder.0);
    for (name, algorithm) in [("eddsa", Algorithm::EdDSA), ("es256", Algorithm::ES256)] {
        let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public], &folder.0);
        let pem = std::fs::read(folder.file(&private)).unwrap();
        let key = match algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_pem(&pem).unwrap(),
            _ => EncodingKey::from_ec_pem(&pem).unwrap(),
        };
        let server = Server::start(&["--ticket-key", &format!("@{}", folder.file(&public).display())]);
        let ticket = encode(&Header::new(algorithm), &claims("tea"), &key).unwrap();
        join(&server, "tea", &ticket).await.expect(201);
        // Algorithm confusion: the public key as an HS256 secret.
        let public = std::fs::read_to_string(folder.file(&public)).unwrap();
        join(&server, "tea", &signed(&claims("tea"), &public)).await.refused(401, "ticket-algorithm");
    }
}

#[actix_web::test]
async fn a_changed_jwks_file_is_reloaded_unless_it_is_broken() {
    let folder = Folder::new("jwks");
    let jwks = |secret: &str, id: &str| {
        json!({"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}, {"kty": "oct", "kid": id, "k": b64(secret)}]})
            .to_string()
    };
    let path = folder.file("keys.json");
    std::fs::write(&path, jwks("the first secret of all", "1")).unwrap();
    let server = Server::start(&["--ticket-key", &format!("@{}", path.display()), "--room-capacity", "64"]);
    let ticket = |secret: &str, id: &str| {
        let header = Header { kid: Some(id.into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims("tea"), &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    join(&server, "tea", &ticket("the first secret of all", "1")).await.expect(201);
    join(&server, "tea", &ticket("the first secret of all", "2")).await.refused(401, "ticket-signature");

    std::fs::write(&path, "{\"keys\": [").unwrap();
    join(&server, "tea", &ticket("the first secret of all", "1")).await.expect(201);
    std::fs::write(&path, jwks("the second secret of all", "2")).unwrap();
    let second = ticket("the second secret of all", "2");
    loop {
        // Each refusal counts as a failure of this address, so it honors `Retry-After`.
        let answer = join(&server, "tea", &second).await;
        match answer.status {
            201 => break,
            429 => wait(&answer).await,
            _ => {
                answer.refused(401, "ticket-signature");
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn wait(answer: &Answer) {
    let seconds = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(seconds)).await;
}

#[test]
fn an_invalid_ticket_key_fails_startup() {
    let folder = Folder::new("bad-keys");
    std::fs::write(folder.file("bad.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
    std::fs::write(folder.file("empty.json"), "{\"keys\": []}").unwrap();
    let file = |name: &str| format!("@{}", folder.file(name).display());
    for bad in ["short".to_owned(), file("bad.pem"), file("empty.json"), file("missing")] {
        let error =
            signalpost::app::App::build(crate::support::harness::config(&["--ticket-key", &bad])).err().unwrap();
        assert!(error.contains("--ticket-key"), "{error}");
    }
}

/// The examples in docs/auth.md, each run by its interpreter.
#[actix_web::test]
async fn documented_ticket_examples_are_accepted() {
    const DOC: &str = include_str!("../../../docs/auth.md");
    let server = Server::start(&["--ticket-key", SECRET]);
    for (kind, program, args) in [
        ("node", "node", vec!["--input-type=module", "-e"]),
        ("python", "python3", vec!["-c"]),
        ("shell", "bash", vec!["-c"]),
    ] {
        let block = DOC.split(&format!("<!-- ticket: {kind} -->")).nth(1).unwrap();
        let code = block.split("```").nth(1).unwrap().split_once('\n').unwrap().1;
        let output = Command::new(program).args(&args).arg(code).env("TICKET_KEY", SECRET).output().unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let ticket = String::from_utf8(output.stdout).unwrap();
        let joined = join(&server, "tea", ticket.trim()).await.expect(201);
        assert_eq!(joined["peer"]["name"], "Ann", "{kind}");
        server.seat("tea", joined).leave().await.expect(204);
    }
}

#[actix_web::test]
async fn a_ticket_with_an_unknown_crit_extension_is_refused() {
    let server = Server::start(&["--ticket-key", SECRET]);
    let header = Header { crit: Some(vec!["exp".into()]), ..Header::new(Algorithm::HS256) };
    let ticket = encode(&header, &claims("tea"), &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    join(&server, "tea", &ticket).await.refused(401, "ticket-malformed");
}
