//! `signalpost key`: a random key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// 256 bits as text.
pub fn generate() -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("the system has no random numbers: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
