use crate::api::whip::{
    description::{
        answer::{self, Trickled},
        fragment::{self, Fragment},
        offer,
    },
    kind::Kind,
};

/// What encoders send is refused or passed on as a description that would be passed on again as it is; and no answer or fragment,
/// whatever is in it, becomes something else.
pub fn sdp(input: &[u8]) {
    let address = "192.0.2.7".parse().unwrap();
    let text = std::str::from_utf8(input).unwrap_or_default();
    for kind in [Kind::Encoder, Kind::Player] {
        if let Ok(offer) = offer::accept(input, kind, address) {
            assert_eq!(offer::accept(offer.as_bytes(), kind, address).ok().as_ref(), Some(&offer));
            assert!(!offer::sections(&offer).is_empty() && fragment::credentials(&offer).is_some());
            restart(&offer, input);
        }
        let sections = offer::sections(text);
        if !sections.is_empty() && answer::check(text, kind, &sections).is_ok() {
            let candidate = "candidate:1 1 udp 1 192.0.2.1 4000 typ host".into();
            let trickled = Trickled { text: candidate, mid: None, index: None, ufrag: None };
            let merged = answer::merged(text, &[trickled], kind).unwrap();
            assert!(merged.contains("192.0.2.1"), "{merged}");
            assert!(answer::is_whole(&merged) && offer::sections(&merged) == sections);
            assert_eq!(answer::merged(&merged, &[], kind).unwrap(), merged);
        }
    }
}

/// A fragment that is taken from the offer restarts ICE with it.
fn restart(offer: &str, input: &[u8]) {
    let Ok(fragment) = Fragment::parse(input.strip_prefix(b"v=0").unwrap_or(input)) else { return };
    let credentials = ("other".to_owned(), "words".to_owned());
    let restarted = fragment.restart(offer, &credentials, "192.0.2.7".parse().unwrap(), 0);
    assert_eq!(offer::sections(&restarted), offer::sections(offer));
    assert_eq!(fragment::credentials(&restarted), Some(credentials));
    for one in fragment.placed(offer) {
        assert!(restarted.contains(&one.text));
    }
}
