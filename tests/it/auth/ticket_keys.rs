//! The keys of `--ticket-key`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    auth::tickets::{FIRST, SECOND, b64, claims, join, signed, signed_with, ticket},
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

fn openssl(args: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new("openssl").args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A key pair of OpenSSL's, in `NAME.pem` and `NAME.pub`.
struct KeyPair<'a> {
    folder: &'a Folder,
    name: &'static str,
}

impl<'a> KeyPair<'a> {
    fn new(folder: &'a Folder, name: &'static str) -> Self {
        let (private, public) = (format!("{name}.pem"), format!("{name}.pub"));
        let kind: &[&str] = match name {
            "EdDSA" => &["ed25519"],
            _ => &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        };
        openssl(&[&["genpkey", "-out", &private, "-algorithm"], kind].concat(), &folder.0);
        openssl(&["pkey", "-in", &private, "-pubout", "-out", &public], &folder.0);
        Self { folder, name }
    }

    fn pem(&self) -> PathBuf {
        self.folder.file(&format!("{}.pub", self.name))
    }

    fn jwk(&self) -> Value {
        let der = openssl(&["pkey", "-pubin", "-in", self.pem().to_str().unwrap(), "-outform", "DER"], &self.folder.0);
        let end = |from: usize, to: usize| URL_SAFE_NO_PAD.encode(&der[der.len() - from..der.len() - to]);
        match self.name {
            "EdDSA" => json!({"kty": "OKP", "crv": "Ed25519", "x": end(32, 0)}),
            _ => json!({"kty": "EC", "crv": "P-256", "x": end(64, 32), "y": end(32, 0)}),
        }
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let private = format!("{}.pem", self.name);
        std::fs::write(self.folder.file("text"), text).unwrap();
        if self.name == "EdDSA" {
            return openssl(&["pkeyutl", "-sign", "-rawin", "-inkey", &private, "-in", "text"], &self.folder.0);
        }
        let der = openssl(&["dgst", "-sha256", "-sign", &private, "text"], &self.folder.0);
        // A sequence of two integers, which have no leading zeros, but for one that keeps them positive (RFC 3279 section 2.2.3).
        let (first, second) = der[4..].split_at(usize::from(der[3]));
        [first, &second[2..]]
            .map(|number| [[0; 33].as_slice(), number].concat())
            .map(|padded| padded[padded.len() - 32..].to_vec())
            .concat()
    }
}

/// OpenSSL signs, and gives the key in both forms.
#[actix_web::test]
async fn public_keys_as_pem_or_jwks_verify_only_eddsa_and_es256() {
    let folder = Folder::new("public");
    for name in ["EdDSA", "ES256"] {
        let pair = KeyPair::new(&folder, name);
        let jwks = folder.file("keys.json");
        std::fs::write(&jwks, json!({ "keys": [pair.jwk()] }).to_string()).unwrap();
        let good = ticket(&json!({ "alg": name }), &claims("tea"), |text| pair.sign(text));
        let forged = ticket(&json!({ "alg": name }), &claims("tea"), |_| pair.sign("another text"));
        for file in [pair.pem(), jwks] {
            let server = Server::start(&["--ticket-key", &format!("@{}", file.display())]);
            join(&server, "tea", &good).await.expect(201);
            join(&server, "tea", &forged).await.refused(401, "ticket-signature");
            // Algorithm confusion: the public key as an HS256 secret.
            let public = std::fs::read_to_string(&file).unwrap();
            join(&server, "tea", &signed(&claims("tea"), &public)).await.refused(401, "ticket-algorithm");
        }
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
    let ticket = |secret: &str, id: &str| signed_with(&json!({"alg": "HS256", "kid": id}), &claims("tea"), secret);
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
    let pair = KeyPair::new(&folder, "EdDSA");
    let private = format!("{}.pem", pair.name);
    // Only the first was used: tickets signed with the other key were refused, and nobody was told.
    let one = std::fs::read_to_string(pair.pem()).unwrap();
    std::fs::write(folder.file("two.pub"), one.repeat(2)).unwrap();
    let file = |name: &str| format!("@{}", folder.file(name).display());
    let inline =
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA9f86d081884c7d659a2feaa0c55ad015\n-----END PUBLIC KEY-----"
            .to_owned();
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U ann@example".to_owned();
    for bad in [
        "short".to_owned(),
        inline,
        ssh,
        file("bad.pem"),
        file(&private),
        file("empty.json"),
        file("missing"),
        file("two.pub"),
    ] {
        let error = signalpost::app::App::build(crate::support::harness::config(&[&format!("--ticket-key={bad}")]))
            .err()
            .unwrap();
        assert!(error.contains("--ticket-key"), "{error}");
        assert_eq!(error.contains("a JWKS can have several"), bad.contains("two.pub"), "{error}");
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
    let pair = KeyPair::new(&folder, "EdDSA");
    let server = Server::start(&["--ticket-key", &format!("@{}", pair.pem().display())]);
    for (name, status) in
        [("Ed25519", 201), ("EdDSA", 201), ("Ed448", 401), ("ES256", 401), ("none", 401), ("ed25519", 401)]
    {
        let signed = ticket(&json!({ "alg": name }), &claims("tea"), |text| pair.sign(text));
        assert_eq!(join(&server, "tea", &signed).await.status, status, "{name}");
    }
}
