//! Fragments of descriptions (`application/trickle-ice-sdpfrag`, RFC 8840): candidates, and ICE restarts.

use std::net::IpAddr;

use crate::api::{
    Code, Problem,
    whip::description::{
        answer::Trickled,
        candidate::Candidate,
        mend,
        sdp::{Lines, Sdp},
    },
};

/// As in a batch of messages.
const CANDIDATES_MAX: usize = 50;
#[derive(Debug, PartialEq)]
pub struct Fragment {
    /// `a=ice-ufrag` and `a=ice-pwd`, if it has them.
    pub credentials: Option<(String, String)>,
    pub candidates: Vec<Trickled>,
    /// No more will follow.
    pub is_last: bool,
}

impl Fragment {
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let malformed = |detail: &str| Problem::new(Code::SdpMalformed, detail);
        let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8."))?;
        let sdp = Sdp::parse_fragment(text).map_err(|detail| malformed(&detail))?;
        let credentials = match (sdp.first("ice-ufrag"), sdp.first("ice-pwd")) {
            (Some(ufrag), Some(pwd)) => Some((ufrag.to_owned(), pwd.to_owned())),
            (None, None) => None,
            _ => return Err(malformed("The fragment has only one of `a=ice-ufrag` and `a=ice-pwd`.")),
        };
        let (mut candidates, mut is_last) = (Vec::new(), false);
        for section in std::iter::once(&sdp.session).chain(&sdp.sections) {
            is_last |= section.has("a=end-of-candidates");
            let mid = section.value("mid");
            let texts = section.values("candidate").map(|value| format!("candidate:{value}"));
            // RFC 9725 section 4.3.2: what cannot be used is skipped without a word.
            let known = texts.filter(|text| Candidate::is_usable(text));
            candidates.extend(known.map(|text| Trickled {
                text,
                mid: mid.map(str::to_owned),
                index: None,
                ufrag: None,
            }));
        }
        if candidates.len() > CANDIDATES_MAX {
            return Err(Problem::invalid(format!("The fragment has more than {CANDIDATES_MAX} candidates.")));
        }
        if candidates.is_empty() && credentials.is_none() && !is_last {
            return Err(malformed("The fragment has neither candidates nor ICE credentials."));
        }
        Ok(Self { credentials, candidates, is_last })
    }

    /// The candidates with the names and places of the offer's sections. The order of sections in a fragment says nothing:
    /// simple-whip-client puts its candidates under a placeholder, `m=audio 9 RTP/AVP 0`, whichever section they are for. Those of no
    /// section of the offer are for its first, with which the others are bundled.
    pub fn placed(&self, offer: &str) -> Vec<Trickled> {
        let offer = Sdp::parse(offer).unwrap_or_default();
        let place = |one: &Trickled| {
            let index = one.mid.as_deref().and_then(|mid| offer.position(mid)).unwrap_or(0);
            let mid = offer.sections.get(index).and_then(|section| section.value("mid")).map(str::to_owned);
            Trickled { text: one.text.clone(), mid, index: Some(index), ufrag: None }
        };
        self.candidates.iter().map(place).collect()
    }

    /// The offer for an ICE restart (RFC 9725 section 4.3.3): only the credentials and candidates change, and the version, which is at
    /// least `version`.
    pub fn restart(&self, offer: &str, (ufrag, pwd): &(String, String), address: IpAddr, version: u64) -> String {
        let placed = self.placed(offer);
        let mut offer = Sdp::parse(offer).unwrap_or_default();
        raise_version(&mut offer, version);
        for lines in std::iter::once(&mut offer.session).chain(&mut offer.sections) {
            lines.replace_value("ice-ufrag", ufrag);
            lines.replace_value("ice-pwd", pwd);
            lines.remove_attribute("candidate");
            lines.remove_attribute("end-of-candidates");
        }
        for one in placed {
            if let Some(section) = one.index.and_then(|index| offer.sections.get_mut(index)) {
                section.push(format!("a={}", one.text));
            }
        }
        mend::add_address(&mut offer, address);
        offer.to_string()
    }
}

/// The ICE credentials of an offer.
pub fn credentials(offer: &str) -> Option<(String, String)> {
    let offer = Sdp::parse(offer).ok()?;
    Some((offer.first("ice-ufrag")?.to_owned(), offer.first("ice-pwd")?.to_owned()))
}

/// A description that changes has a higher version in `o=` (RFC 3264 section 8).
fn raise_version(offer: &mut Sdp<'_>, least: u64) {
    if let Some(line) = offer.session.0.iter_mut().find(|line| line.starts_with("o=")) {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if let Some(version) = words.get_mut(2) {
            *version = version.parse::<u64>().unwrap_or(0).saturating_add(1).max(least).to_string();
        }
        *line = words.join(" ").into();
    }
}

/// What of an answer concerns ICE, for the response to a restart: the section with which the others are bundled.
pub fn of_answer(answer: &str) -> String {
    let answer = Sdp::parse(answer).unwrap_or_default();
    let Some(section) = answer.sections.iter().find(|section| !section.is_rejected()) else { return String::new() };
    let mut fragment = Sdp::default();
    let of_session = |line: &&str| {
        ["a=ice-options", "a=ice-lite", "a=ice-pacing", "a=group:BUNDLE"].iter().any(|known| line.starts_with(known))
    };
    let of_ice = |line: &&str| {
        ["m=", "a=mid:", "a=candidate:", "a=end-of-candidates"].iter().any(|known| line.starts_with(known))
    };
    let lines = |lines: &Lines<'_>| lines.0.iter().map(|line| line.to_string()).collect::<Vec<_>>();
    let (session, section) = (lines(&answer.session), lines(section));
    session.iter().filter(|line| of_session(&line.as_str())).for_each(|line| fragment.session.push(line.clone()));
    let options = section.iter().filter(|line| line.starts_with("a=ice-options") || line.starts_with("a=ice-pacing"));
    options.for_each(|line| fragment.session.push(line.clone()));
    let mut media = Lines::default();
    let (mut named, rest): (Vec<_>, Vec<_>) = section
        .into_iter()
        .filter(|line| of_ice(&line.as_str()))
        .partition(|line| !line.starts_with("a=candidate") && !line.starts_with("a=end"));
    for attribute in ["ice-ufrag", "ice-pwd"] {
        named.extend(answer.first(attribute).map(|value| format!("a={attribute}:{value}")));
    }
    named.into_iter().chain(rest).for_each(|line| media.push(line));
    fragment.sections.push(media);
    fragment.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\no=- 5 1 IN IP4 0.0.0.0\r\nm=audio 9 X 1\r\na=mid:audio0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n\
        m=video 9 X 2\r\na=mid:video1\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=candidate:1 1 udp 1 192.0.2.9 9000 typ host\r\n";
    const LINE: &str = "a=candidate:1 1 udp 2 192.0.2.1 4000 typ host";

    fn parsed(text: &str) -> Fragment {
        Fragment::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn candidates_are_placed_by_name_and_not_by_order() {
        let text = format!(
            "a=ice-ufrag:u\r\na=ice-pwd:p\r\nm=audio 9 RTP/AVP 0\r\na=mid:video1\r\n{LINE}\r\na=end-of-candidates\r\n"
        );
        let fragment = parsed(&text);
        assert_eq!((fragment.credentials.clone(), fragment.is_last), (credentials(OFFER), true));
        let placed = fragment.placed(OFFER);
        assert_eq!((placed[0].mid.as_deref(), placed[0].index), (Some("video1"), Some(1)));
        for other in [format!("m=video 9 X 2\r\na=mid:7\r\n{LINE}"), LINE.into(), format!("m=video 9 X 2\r\n{LINE}")] {
            let placed = parsed(&other).placed(OFFER);
            assert_eq!((placed[0].mid.as_deref(), placed[0].index), (Some("audio0"), Some(0)), "{other}");
        }
        let long = format!("{LINE}{}", " x".repeat(1024));
        assert!(parsed(&format!("{LINE}\na=candidate:nonsense\n{long}")).candidates.len() == 1);
    }

    #[test]
    fn what_is_no_fragment_is_refused() {
        let many = format!("{LINE}\n").repeat(CANDIDATES_MAX + 1);
        for (bad, code) in [
            ("", Code::SdpMalformed),
            ("hello", Code::SdpMalformed),
            ("m=audio 9 X 0\na=mid:0", Code::SdpMalformed),
            ("a=ice-ufrag:u", Code::SdpMalformed),
            (&many, Code::Invalid),
        ] {
            assert_eq!(Fragment::parse(bad.as_bytes()).unwrap_err().code, code, "{bad}");
        }
        assert!(Fragment::parse(b"a=\xff").is_err());
    }

    #[test]
    fn a_restart_changes_the_credentials_and_candidates_and_nothing_else() {
        let fragment = parsed(&format!("m=audio 9 X 1\r\na=mid:audio0\r\na=ice-ufrag:U\r\na=ice-pwd:P\r\n{LINE}\r\n"));
        let expected = OFFER
            .replace("- 5 1 IN", "- 5 2 IN")
            .replace(":u\r\n", ":U\r\n")
            .replacen("pwd:p\r\n", &format!("pwd:P\r\n{LINE}\r\n"), 1)
            .replace("pwd:p", "pwd:P")
            .replace("a=candidate:1 1 udp 1 192.0.2.9 9000 typ host\r\n", "");
        let restart = fragment.restart(OFFER, fragment.credentials.as_ref().unwrap(), "192.0.2.1".parse().unwrap(), 0);
        assert_eq!(restart, expected);
    }

    #[test]
    fn of_an_answer_only_ice_is_told() {
        let answer = format!(
            "v=0\r\ns=-\r\na=group:BUNDLE 0\r\na=ice-lite\r\nm=audio 0 X 1\r\na=mid:x\r\nm=video 9 X 2\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:b\r\n\
            a=ice-pwd:w\r\na=ice-options:trickle\r\na=mid:0\r\na=recvonly\r\n{LINE}\r\na=end-of-candidates\r\n"
        );
        assert_eq!(
            of_answer(&answer),
            format!(
                "a=group:BUNDLE 0\r\na=ice-lite\r\na=ice-options:trickle\r\nm=video 9 X 2\r\na=mid:0\r\na=ice-ufrag:b\r\na=ice-pwd:w\r\n\
                {LINE}\r\na=end-of-candidates\r\n"
            )
        );
    }
}
