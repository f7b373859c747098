//! The keys of `--ticket-key`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::{
    auth::tickets::{FIRST, SECOND, b64, claims, join, signed},
    support::harness::Server,
};

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
    std::fs::write(&path, jwks(FIRST, "1")).unwrap();
    let server = Server::start(&["--ticket-key", &format!("@{}", path.display()), "--room-capacity", "64"]);
    let ticket = |secret: &str, id: &str| {
        let header = Header { kid: Some(id.into()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims("tea"), &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    };
    join(&server, "tea", &ticket(FIRST, "1")).await.expect(201);
    join(&server, "tea", &ticket(FIRST, "2")).await.refused(401, "ticket-signature");

    std::fs::write(&path, "{\"keys\": [").unwrap();
    join(&server, "tea", &ticket(FIRST, "1")).await.expect(201);
    std::fs::write(&path, jwks(SECOND, "2")).unwrap();
    let second = ticket(SECOND, "2");
    while let answer = join(&server, "tea", &second).await
        && answer.status != 201
    {
        answer.refused(401, "ticket-signature");
        tokio::task::yield_now().await;
    }
}

#[test]
fn an_invalid_ticket_key_fails_startup() {
    let folder = Folder::new("bad-keys");
    std::fs::write(folder.file("bad.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").unwrap();
    std::fs::write(folder.file("empty.json"), "{\"keys\": []}").unwrap();
    let file = |name: &str| format!("@{}", folder.file(name).display());
    let inline =
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA9f86d081884c7d659a2feaa0c55ad015\n-----END PUBLIC KEY-----"
            .to_owned();
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U ann@example".to_owned();
    for bad in ["short".to_owned(), inline, ssh, file("bad.pem"), file("empty.json"), file("missing")] {
        let error = signalpost::app::App::build(crate::support::harness::config(&[&format!("--ticket-key={bad}")]))
            .err()
            .unwrap();
        assert!(error.contains("--ticket-key"), "{error}");
    }
}

/// RFC 7517 sections 4.2 to 4.4 and RFC 7518 section 3.2: a key for encryption, one for signing only, one for another algorithm
/// and one that is too short verified tickets.
#[actix_web::test]
async fn keys_that_are_not_for_verifying_tickets_are_skipped() {
    let folder = Folder::new("purposes");
    let path = folder.file("keys.json");
    let key = |extra: Value| {
        let mut key = json!({"kty": "oct", "k": b64(SECOND)});
        key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        key
    };
    let start = |keys: Value| {
        std::fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
        signalpost::app::App::build(crate::support::harness::config(&["--ticket-key", &format!("@{}", path.display())]))
    };
    for (unusable, why) in [
        (key(json!({"use": "enc"})), "use"),
        (key(json!({"use": "other"})), "use"),
        (key(json!({"key_ops": ["sign"]})), "key_ops"),
        (key(json!({"key_ops": []})), "key_ops"),
        (key(json!({"alg": "HS512"})), "HS512"),
        (key(json!({"alg": "ES256"})), "alg"),
        (json!({"kty": "oct", "k": b64("kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2")}), "at least 32"),
        (json!({"kty": "oct", "k": b64("changemechangemechangemechangeme")}), "guessed"),
        (json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}), "ML-DSA-44"),
        (json!({"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA"}), "kind"),
    ] {
        let error = start(json!([unusable])).err().unwrap();
        assert!(error.contains(why) && error.contains("--ticket-key"), "{unusable}: {error}");
        assert!(start(json!([unusable, key(json!({"use": "sig", "key_ops": ["verify"], "alg": "HS256"}))])).is_ok());
    }
}

/// RFC 9864 section 2.2 names what `EdDSA` is with Ed25519 keys.
#[actix_web::test]
async fn ed25519_is_a_name_for_eddsa() {
    let folder = Folder::new("ed25519");
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"], &folder.0);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"], &folder.0);
    let key = EncodingKey::from_ed_pem(&std::fs::read(folder.file("key.pem")).unwrap()).unwrap();
    let server = Server::start(&["--ticket-key", &format!("@{}", folder.file("key.pub").display())]);
    for (name, status) in
        [("Ed25519", 201), ("EdDSA", 201), ("Ed448", 401), ("ES256", 401), ("none", 401), ("ed25519", 401)]
    {
        let text = format!("{}.{}", b64(&json!({"alg": name}).to_string()), b64(&claims("tea").to_string()));
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::EdDSA).unwrap();
        assert_eq!(join(&server, "tea", &format!("{text}.{signature}")).await.status, status, "{name}");
    }
}
