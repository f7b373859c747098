//! A number that two people compare aloud to know that nobody is in between.

use std::collections::BTreeSet;

use ring::digest::{SHA512, digest};

const GROUPS: usize = 12;
const ATTRIBUTE: &str = "a=fingerprint:";

/// From the descriptions (SDP) of both ends of a connection, in either order: the same at both ends if nobody is in between. `None` if
/// one has no fingerprint.
///
/// ```
/// let [one, other] = ["a=fingerprint:sha-256 0A:1B\r\n", "a=fingerprint:sha-256 3D:4E\r\n"];
/// let number = signalpost_client::safety_number(one, other).unwrap();
/// assert_eq!(Some(number), signalpost_client::safety_number(other, one));
/// ```
pub fn safety_number(local: &str, remote: &str) -> Option<String> {
    // A description may have several fingerprints, of which any may match (RFC 8122, section 5). So those of each end stay together: in
    // one common list, a man in the middle could add those of the other end to its own, and both ends would see one number.
    let mut ends = [end(local), end(remote)];
    ends.sort();
    if ends[0].is_empty() {
        return None;
    }
    let digest = digest(&SHA512, ends.join("\n").as_bytes());
    let number = |group: &[u8]| group.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let groups = digest.as_ref().chunks_exact(5).take(GROUPS).map(|group| format!("{:05}", number(group) % 100_000));
    Some(groups.collect::<Vec<_>>().join(" "))
}

fn end(sdp: &str) -> String {
    let upper = sdp.to_ascii_uppercase();
    let found: BTreeSet<String> =
        fingerprints(&upper).into_iter().map(|(hash, value)| format!("{hash} {value}")).collect();
    found.into_iter().collect::<Vec<_>>().join(" ")
}

/// Wherever they stand: what a parser of SDP might take for one must not be missed, and whatever else is found makes the numbers differ.
fn fingerprints(sdp: &str) -> Vec<(&str, &str)> {
    let attribute = ATTRIBUTE.to_ascii_uppercase();
    let mut found = Vec::new();
    let mut rest = sdp;
    while let Some(at) = rest.find(&attribute) {
        let after = &rest[at + attribute.len()..];
        match word(after).and_then(|(hash, after)| word(after).map(|(value, after)| (hash, value, after))) {
            Some((hash, value, after)) => {
                found.push((hash, value));
                rest = after;
            }
            None => rest = after,
        }
    }
    found
}

/// The next run of visible ASCII characters, and what comes after it.
fn word(text: &str) -> Option<(&str, &str)> {
    let start = text.find(|one: char| one.is_ascii_graphic())?;
    let text = &text[start..];
    Some(text.split_at(text.find(|one: char| !one.is_ascii_graphic()).unwrap_or(text.len())))
}
