//! Tickets: JSON Web Tokens (RFC 7519) by which an app's own login admits users.

use std::{path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation, decode, decode_header,
    errors::{Error, ErrorKind},
    jwk::{AlgorithmParameters, EllipticCurve, JwkSet},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    api::{Code, Problem},
    domain::RoomName,
    file_watch::FileWatch,
};

/// Verifies tickets with the operator's key, or with those in a file that may change.
#[derive(Debug)]
pub struct TicketKeys {
    keys: ArcSwap<Vec<Key>>,
    file: Option<(PathBuf, FileWatch)>,
}

#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// The claims of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Ticket {
    /// The room that it is for; a trailing `*` matches anything.
    room: String,
    /// The bearer's name, which overrides the one in the request.
    pub name: Option<String>,
    /// The bearer may create the room.
    #[serde(default)]
    pub create: bool,
    /// The bearer is given the room token.
    #[serde(default)]
    pub admin: bool,
}

/// For clock skew.
const LEEWAY: Duration = Duration::from_secs(30);
const UNKNOWN_KEY: &str = "The ticket was not signed with a key of this server.";

impl TicketKeys {
    /// From the value of `--ticket-key`: a secret for HS256, or `@FILE` with a PEM public key, a JWKS or a secret.
    pub fn new(option: &SecretString) -> Result<Self, String> {
        let text = option.expose_secret();
        let Some(path) = text.strip_prefix('@') else {
            return Ok(Self { keys: ArcSwap::from_pointee(vec![secret_key(text)?]), file: None });
        };
        let path = PathBuf::from(path);
        let watch = FileWatch::new(vec![path.clone()]);
        Ok(Self { keys: ArcSwap::from_pointee(read_keys(&path)?), file: Some((path, watch)) })
    }

    /// The ticket's claims, if it is valid for this room.
    pub fn verify(&self, ticket: &str, room: &RoomName) -> Result<Ticket, Problem> {
        let header = decode_header(ticket).map_err(|error| ticket_problem(&error))?;
        if header.crit.is_some() {
            // RFC 7515 section 4.1.11: a JWS with unsupported critical extensions must be rejected.
            return Err(Problem::new(
                Code::TicketMalformed,
                "The ticket's critical extensions (`crit`) are not supported.",
            ));
        }
        let keys = self.keys.load();
        let by_id = |key: &&Key| header.kid.is_none() || key.id.is_none() || key.id == header.kid;
        let mut candidates = keys.iter().filter(by_id).filter(|key| key.algorithm == header.alg).peekable();
        if candidates.peek().is_none() {
            let known_id = keys.iter().any(|key| by_id(&key));
            let code = if known_id { Code::TicketAlgorithm } else { Code::TicketSignature };
            return Err(Problem::new(code, "The server has no key with the ticket's `kid` and `alg`."));
        }
        let mut refusal = None;
        for key in candidates {
            match decode::<Ticket>(ticket, &key.key, &validation(key.algorithm)) {
                Ok(data) => return data.claims.for_room(room),
                Err(error) => refusal = Some(ticket_problem(&error)),
            }
        }
        Err(refusal.unwrap_or_else(|| Problem::new(Code::TicketSignature, UNKNOWN_KEY)))
    }

    /// Reloads the file when it changes, for as long as this is polled. A broken one leaves the keys as they are.
    pub async fn follow_file(&self) {
        let Some((path, watch)) = &self.file else { return };
        let reload = || read_keys(path).map(|keys| self.keys.store(Arc::new(keys)));
        watch.follow("ticket keys", reload).await;
    }
}

impl Ticket {
    fn for_room(self, room: &RoomName) -> Result<Self, Problem> {
        let matches = match self.room.strip_suffix('*') {
            Some(prefix) => room.as_str().starts_with(prefix),
            None => room.as_str() == self.room,
        };
        let mismatch = || Problem::new(Code::TicketOtherRoom, "The ticket's `room` does not match this room.");
        if matches { Ok(self) } else { Err(mismatch()) }
    }
}

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY.as_secs();
    validation.validate_nbf = true;
    validation.validate_aud = false;
    validation.set_required_spec_claims(&["exp"]);
    validation
}

fn ticket_problem(error: &Error) -> Problem {
    let (code, detail) = match error.kind() {
        ErrorKind::ExpiredSignature => (Code::TicketExpired, "The ticket's `exp` has passed."),
        ErrorKind::ImmatureSignature => (Code::TicketExpired, "The ticket's `nbf` is in the future."),
        ErrorKind::InvalidSignature => (Code::TicketSignature, UNKNOWN_KEY),
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm
        | ErrorKind::MissingAlgorithm => (Code::TicketAlgorithm, "The ticket's `alg` is not supported."),
        ErrorKind::MissingRequiredClaim(_) => (Code::TicketMalformed, "The ticket has no `exp`."),
        // The library has no algorithm `none` and fails to parse a header that names it.
        ErrorKind::Json(error) if error.to_string().contains("unknown variant") => {
            (Code::TicketAlgorithm, "The ticket's `alg` is not supported.")
        }
        _ => (Code::TicketMalformed, "The ticket must be a JWT with the claims `room` and `exp`."),
    };
    Problem::new(code, detail)
}

fn secret_key(text: &str) -> Result<Key, String> {
    let text = text.trim();
    if text.len() < 16 {
        return Err("--ticket-key must have at least 16 characters".into());
    }
    Ok(Key { id: None, algorithm: Algorithm::HS256, key: DecodingKey::from_secret(text.as_bytes()) })
}

fn read_keys(path: &PathBuf) -> Result<Vec<Key>, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--ticket-key @{shown}: {error}"))?;
    if text.trim_start().starts_with('{') {
        return read_jwks(&text).map_err(|error| format!("--ticket-key @{shown}: {error}"));
    }
    if !text.contains("-----BEGIN") {
        return secret_key(&text).map(|key| vec![key]);
    }
    let pem = text.as_bytes();
    let key = |algorithm, key| vec![Key { id: None, algorithm, key }];
    DecodingKey::from_ed_pem(pem)
        .map(|decoding| key(Algorithm::EdDSA, decoding))
        .or_else(|_| DecodingKey::from_ec_pem(pem).map(|decoding| key(Algorithm::ES256, decoding)))
        .map_err(|_| format!("--ticket-key @{shown}: it must be the PEM of an Ed25519 or P-256 public key"))
}

/// RFC 7517, RFC 8037. Other kinds of keys are skipped.
fn read_jwks(text: &str) -> Result<Vec<Key>, String> {
    let set: JwkSet = serde_json::from_str(text).map_err(|error| format!("it is not a JWKS: {error}"))?;
    let usable = set.keys.iter().filter_map(|jwk| {
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
            _ => return None,
        };
        let key = DecodingKey::from_jwk(jwk).ok()?;
        Some(Key { id: jwk.common.key_id.clone(), algorithm, key })
    });
    let keys: Vec<Key> = usable.collect();
    if keys.is_empty() { Err("it has no key for HS256, ES256 or EdDSA".into()) } else { Ok(keys) }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?})", self.algorithm)
    }
}
