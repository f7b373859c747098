//! The keys that verify tickets: the operator's, or those in a file that may change.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use arc_swap::ArcSwap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    api::{
        Code, Problem,
        auth::{
            ticket::{SignedTicket, Ticket},
            verifying_key::{Algorithm, Jwk, VerifyingKey},
        },
    },
    domain::RoomName,
    file_watch::FileWatch,
    text_file,
};

#[derive(Debug)]
pub struct TicketKeys {
    keys: ArcSwap<Vec<Key>>,
    file: Option<(PathBuf, FileWatch)>,
    /// The names of this service.
    audiences: Vec<String>,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    key: VerifyingKey,
}

const UNKNOWN_KEY: &str = "The ticket was not signed with a key of this server.";

impl TicketKeys {
    /// From the value of `--ticket-key`: a secret for HS256, or `@FILE` with a PEM public key, a JWKS or a secret.
    pub fn new(option: &SecretString, audiences: &[String]) -> Result<Self, String> {
        let (text, audiences) = (option.expose_secret(), audiences.to_vec());
        let Some(path) = text.strip_prefix('@') else {
            let keys = secret_key(text.trim().as_bytes()).map_err(|why| format!("--ticket-key {why}"))?;
            return Ok(Self { keys: ArcSwap::from_pointee(vec![keys]), file: None, audiences });
        };
        let path = PathBuf::from(path);
        let watch = FileWatch::new(vec![path.clone()]);
        Ok(Self { keys: ArcSwap::from_pointee(read_keys(&path)?), file: Some((path, watch)), audiences })
    }

    /// What the ticket says, if it is valid for this room at this time (in Unix seconds).
    pub fn verify(&self, ticket: &str, room: &RoomName, now: u64) -> Result<Ticket, Problem> {
        let ticket = SignedTicket::parse(ticket)?;
        self.check_signature(&ticket)?;
        ticket.accept(room, now, &self.audiences)
    }

    fn check_signature(&self, ticket: &SignedTicket<'_>) -> Result<(), Problem> {
        let keys = self.keys.load();
        let (id, algorithm) = (&ticket.header.kid, Algorithm::from_name(&ticket.header.alg));
        let by_id = |key: &&Key| id.is_none() || key.id.is_none() || key.id == *id;
        let mut candidates = keys.iter().filter(by_id).filter(|key| Some(key.key.algorithm()) == algorithm).peekable();
        if candidates.peek().is_none() {
            let code = match algorithm {
                Some(_) if !keys.iter().any(|key| by_id(&key)) => Code::TicketSignature,
                _ => Code::TicketAlgorithm,
            };
            return Err(Problem::new(code, "The server has no key with the ticket's `kid` and `alg`."));
        }
        let signed = candidates.any(|Key { key, .. }| key.verifies(ticket.signed.as_bytes(), ticket.signature));
        if signed { Ok(()) } else { Err(Problem::new(Code::TicketSignature, UNKNOWN_KEY)) }
    }

    /// Reloads the file when it changes, for as long as this is polled. A broken one leaves the keys as they are.
    pub async fn follow_file(&self) {
        let Some((path, watch)) = &self.file else { return };
        let reload = || read_keys(path).map(|keys| self.keys.store(Arc::new(keys)));
        watch.follow("ticket keys", reload).await;
    }
}

fn secret_key(secret: &[u8]) -> Result<Key, String> {
    let public = ["-----BEGIN", "{", "[", "ssh-", "ecdsa-"];
    if public.iter().any(|start| secret.starts_with(start.as_bytes())) {
        return Err("is a public key, which is not a secret: put it into a file, and write @FILE".into());
    }
    Ok(Key { id: None, key: VerifyingKey::from_secret(secret)? })
}

fn read_keys(path: &Path) -> Result<Vec<Key>, String> {
    let keys = text_file::text(path).and_then(|text| parse_keys(&text));
    keys.map_err(|why| format!("--ticket-key @{}: {why}", path.display()))
}

fn parse_keys(text: &str) -> Result<Vec<Key>, String> {
    if text.trim_start().starts_with('{') {
        return parse_jwks(text);
    }
    if !text.contains("-----BEGIN") {
        let key = secret_key(text.trim().as_bytes()).map_err(|why| format!("the secret {why}"))?;
        return Ok(vec![key]);
    }
    Ok(vec![Key { id: None, key: VerifyingKey::from_pem(text)? }])
}

/// RFC 7517, RFC 8037. As section 5 advises, keys that cannot be used are skipped.
fn parse_jwks(text: &str) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<serde_json::Value>,
    }
    let set: KeySet = serde_json::from_str(text).map_err(|error| format!("it is not a JWKS: {error}"))?;
    let mut skipped = Vec::new();
    let mut keys = Vec::new();
    for (index, jwk) in set.keys.into_iter().enumerate() {
        match parse_jwk(jwk) {
            Ok(key) => keys.push(key),
            Err(why) => skipped.push(format!("key {} {why}", index + 1)),
        }
    }
    if keys.is_empty() {
        skipped.insert(0, "it has no key for HS256, ES256 or EdDSA".into());
        return Err(skipped.join("; "));
    }
    for why in skipped {
        tracing::warn!("--ticket-key: {why}, and is ignored");
    }
    Ok(keys)
}

fn parse_jwk(jwk: serde_json::Value) -> Result<Key, String> {
    let jwk: Jwk = serde_json::from_value(jwk).map_err(|error| format!("is broken: {error}"))?;
    Ok(Key { key: VerifyingKey::from_jwk(&jwk)?, id: jwk.kid })
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?})", self.key.algorithm())
    }
}
