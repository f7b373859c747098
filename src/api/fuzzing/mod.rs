//! Properties that hold for any input to the API. `tests/fuzz.sh` searches for counterexamples; `cargo test` tries every
//! input in `fuzz/corpus`. Only compiled for tests and fuzzing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a fuzz target fails by panicking")]

mod body;
mod request;
mod sdp;
mod signal;
mod ticket;
mod token;

pub use body::body;
pub use request::request;
pub use sdp::sdp;
pub use signal::{compare_parsers, signal};
pub use ticket::ticket;
pub use token::token;

use crate::transport::fuzzing::lines;

fn is_slice_of(part: &str, whole: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    type Target = fn(&[u8]);

    const TARGETS: [(&str, Target); 10] = [
        ("address", crate::transport::fuzzing::address),
        ("body", crate::api::fuzzing::body),
        ("head", crate::transport::fuzzing::head),
        ("http2", crate::transport::fuzzing::http2),
        ("request", crate::api::fuzzing::request),
        ("sdp", crate::api::fuzzing::sdp),
        ("signal", crate::api::fuzzing::signal),
        ("ticket", crate::api::fuzzing::ticket),
        ("token", crate::api::fuzzing::token),
        ("turn", crate::turn::fuzzing::turn),
    ];

    #[test]
    fn every_property_holds_for_the_corpus() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut failed = Vec::new();
        for (name, target) in TARGETS {
            let inputs: Vec<_> =
                std::fs::read_dir(corpus.join(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
            assert!(inputs.len() > 3, "{name} has no corpus");
            for path in inputs {
                let input = std::fs::read(&path).unwrap();
                if std::panic::catch_unwind(|| target(&input)).is_err() {
                    failed.push(path);
                }
            }
        }
        assert!(failed.is_empty(), "{failed:?}");
    }
}
