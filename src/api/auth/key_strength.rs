//! Refuses keys that can be guessed. Anyone who has one token or ticket can try keys offline.

/// Three years for a machine that makes 10^11 guesses a second. The estimate goes to 2^64, which random keys exceed.
const GUESSES_LOG10_MIN: f64 = 19.0;

/// An error is the reason, to follow the option's name.
pub fn check_key(key: &[u8], len_min: usize) -> Result<(), String> {
    const ADVICE: &str = "use one that `signalpost key` prints";
    if key.len() < len_min {
        return Err(format!("must have at least {len_min} characters: {ADVICE}"));
    }
    // Bytes that are not text were not made up by anybody.
    let Ok(text) = std::str::from_utf8(key) else { return Ok(()) };
    let guesses = zxcvbn::zxcvbn(text, &[]).guesses_log10();
    if guesses < GUESSES_LOG10_MIN {
        let guesses = guesses.round().max(0.0);
        return Err(format!("can be guessed from a single token, in some 10^{guesses} attempts: {ADVICE}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_can_be_guessed_are_refused() {
        for weak in [
            "changemechangeme",
            "passwordpassword",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789012345678901234567890123456789",
            "0123456789abcdef0123456789abcdef",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "qwertyuiopasdfghjklzxcvbnm",
            "correct horse battery",
            "signalpost-token-key",
            "secretsecretsecretsecretsecretsecret",
        ] {
            assert!(check_key(weak.as_bytes(), 16).unwrap_err().contains("can be guessed"), "{weak}");
        }
        assert!(check_key(b"fifteen letters", 16).unwrap_err().contains("at least 16"));
    }

    #[test]
    fn random_keys_of_the_least_length_are_accepted() {
        for strong in ["9f86d081884c7d659a2feaa0c55ad015", "3q2+7wX9Zk1vT0pLr8mYhg==", "kZ3vq9TfWm1x8LrP0aYdBc"] {
            assert_eq!(check_key(strong.as_bytes(), 16), Ok(()), "{strong}");
        }
        assert_eq!(check_key(&[0xff; 32], 32), Ok(()));
    }
}
