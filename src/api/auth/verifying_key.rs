//! Keys that verify tickets (RFC 7518 section 3, RFC 8037 section 3.1), and their forms: PEM (RFC 7468 section 13) and JWK (RFC 7517).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde::Deserialize;
use sha2::Sha256;

use crate::api::auth::key_strength::check_key;

/// RFC 7518 section 3.2: a key for HS256 has at least the size of the hash.
const SECRET_MIN_LEN: usize = 32;
/// What precedes the key in the SubjectPublicKeyInfo of an Ed25519 key (RFC 8410 section 4).
const ED25519_PREFIX: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// The same of an uncompressed point on P-256 (RFC 5480 section 2).
const P256_PREFIX: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const ED25519_LEN: usize = 32;
const P256_COORDINATE_LEN: usize = 32;
/// The first byte of an uncompressed point (SEC 1 section 2.3.3).
const UNCOMPRESSED: u8 = 4;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    Hs256,
    Es256,
    EdDsa,
}

#[derive(Clone)]
pub enum VerifyingKey {
    Hs256(Hmac<Sha256>),
    Es256(UnparsedPublicKey<Vec<u8>>),
    EdDsa(UnparsedPublicKey<Vec<u8>>),
}

/// The members that matter here. Others are ignored, as RFC 7517 section 4 requires.
#[derive(Deserialize)]
pub struct Jwk {
    pub kid: Option<String>,
    kty: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    k: Option<String>,
}

impl Algorithm {
    /// By its name in tickets and JWKs. `EdDSA` is the older name of what is always Ed25519 here (RFC 9864 section 2.2).
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

impl VerifyingKey {
    pub fn from_secret(secret: &[u8]) -> Result<Self, String> {
        check_key(secret, SECRET_MIN_LEN)?;
        let mac = Hmac::new_from_slice(secret).map_err(|error| error.to_string())?;
        Ok(Self::Hs256(mac))
    }

    pub fn from_pem(pem: &str) -> Result<Self, String> {
        let unknown = || "it must be the PEM of an Ed25519 or P-256 public key".to_owned();
        let sections = pem::parse_many(pem).map_err(|_| unknown())?;
        let mut keys = sections.iter().filter(|section| section.tag() == "PUBLIC KEY");
        let section = keys.next().ok_or_else(unknown)?;
        if keys.next().is_some() {
            return Err("there are several keys in it; a JWKS can have several".into());
        }
        let info = section.contents();
        let ed25519 = info.strip_prefix(ED25519_PREFIX).and_then(Self::ed25519);
        ed25519.or_else(|| info.strip_prefix(P256_PREFIX).and_then(Self::p256)).ok_or_else(unknown)
    }

    pub fn from_jwk(jwk: &Jwk) -> Result<Self, String> {
        let by_name = |name: &str| Algorithm::from_name(name).ok_or_else(|| format!("is for {name}"));
        let named = jwk.alg.as_deref().map(by_name).transpose()?;
        let algorithm = jwk.algorithm().ok_or("is of a kind that tickets cannot have")?;
        if !jwk.may_verify() || named.is_some_and(|named| named != algorithm) {
            return Err("is not for verifying tickets (`use`, `key_ops`, `alg`)".into());
        }
        match algorithm {
            Algorithm::Hs256 => Self::from_secret(&bytes("k", jwk.k.as_deref())?),
            Algorithm::Es256 => {
                let (x, y) = (bytes("x", jwk.x.as_deref())?, bytes("y", jwk.y.as_deref())?);
                let point = Self::p256(&[&[UNCOMPRESSED], &*x, &*y].concat()).filter(|_| x.len() == y.len());
                point.ok_or_else(|| "is broken: `x` and `y` must have 32 bytes each".into())
            }
            Algorithm::EdDsa => {
                let key = Self::ed25519(&bytes("x", jwk.x.as_deref())?);
                key.ok_or_else(|| "is broken: `x` must have 32 bytes".into())
            }
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Hs256(_) => Algorithm::Hs256,
            Self::Es256(_) => Algorithm::Es256,
            Self::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    /// Whether this is the signature of the message, in base64url without padding (RFC 7515 section 2).
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        match self {
            Self::Hs256(mac) => mac.clone().chain_update(message).verify_slice(&signature).is_ok(),
            Self::Es256(key) | Self::EdDsa(key) => key.verify(message, &signature).is_ok(),
        }
    }

    fn ed25519(key: &[u8]) -> Option<Self> {
        (key.len() == ED25519_LEN).then(|| Self::EdDsa(UnparsedPublicKey::new(&ED25519, key.into())))
    }

    fn p256(point: &[u8]) -> Option<Self> {
        let is_uncompressed = point.len() == 1 + 2 * P256_COORDINATE_LEN && point[0] == UNCOMPRESSED;
        is_uncompressed.then(|| Self::Es256(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.into())))
    }
}

impl Jwk {
    /// The algorithm of its kind and curve.
    fn algorithm(&self) -> Option<Algorithm> {
        match (&*self.kty, self.crv.as_deref()) {
            ("oct", _) => Some(Algorithm::Hs256),
            ("EC", Some("P-256")) => Some(Algorithm::Es256),
            ("OKP", Some("Ed25519")) => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    /// RFC 7517 sections 4.2 and 4.3.
    fn may_verify(&self) -> bool {
        self.purpose.as_deref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
    }
}

fn bytes(name: &str, value: Option<&str>) -> Result<Vec<u8>, String> {
    let value = value.ok_or_else(|| format!("is broken: `{name}` is missing"))?;
    URL_SAFE_NO_PAD.decode(value).map_err(|_| format!("is broken: `{name}` must be base64url without padding"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7515 appendix A.3 and RFC 8037 appendix A.
    #[test]
    fn the_examples_of_the_rfcs_verify() {
        let p256 = r#"{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
        let ed25519 = r#"{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let example = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb\
            290Ijp0cnVlfQ";
        for (jwk, message, signature) in [
            (p256, example, "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
            (
                ed25519,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ] {
            let key = VerifyingKey::from_jwk(&serde_json::from_str(jwk).unwrap()).unwrap();
            assert!(key.verifies(message.as_bytes(), signature));
            assert!(!key.verifies(&message.as_bytes()[1..], signature));
            assert!(!key.verifies(message.as_bytes(), &signature[4..]));
            assert!(!key.verifies(message.as_bytes(), &format!("{signature}=")));
            assert!(!key.verifies(message.as_bytes(), ""));
        }
    }

    #[test]
    fn jwks_of_the_wrong_size_are_broken() {
        let zeros = |count: usize| URL_SAFE_NO_PAD.encode(vec![0; count]);
        let ed25519 = |x: &str| format!(r#"{{"kty": "OKP", "crv": "Ed25519", "x": "{x}"}}"#);
        let p256 = |x: &str, y: &str| format!(r#"{{"kty": "EC", "crv": "P-256", "x": "{x}", "y": "{y}"}}"#);
        let (short, right, long) = (zeros(31), zeros(32), zeros(33));
        for (jwk, why) in [
            (ed25519(&short), "must have 32 bytes"),
            (ed25519(&long), "must have 32 bytes"),
            (ed25519("+/=="), "base64url"),
            (p256(&short, &right), "must have 32 bytes"),
            (p256(&right, &long), "must have 32 bytes"),
            // As long together as they should be.
            (p256(&short, &long), "must have 32 bytes"),
            (r#"{"kty": "EC", "crv": "P-256", "x": "AAAA"}"#.to_owned(), "`y` is missing"),
            (r#"{"kty": "oct"}"#.to_owned(), "`k` is missing"),
        ] {
            let refused = VerifyingKey::from_jwk(&serde_json::from_str(&jwk).unwrap()).err().unwrap();
            assert!(refused.starts_with("is broken: `") && refused.contains(why), "{jwk}: {refused}");
        }
        assert!(VerifyingKey::from_jwk(&serde_json::from_str(&ed25519(&right)).unwrap()).is_ok());
        assert!(VerifyingKey::from_jwk(&serde_json::from_str(&p256(&right, &right)).unwrap()).is_ok());
    }
}
