//! Answers of browsers, as encoders can use them: one text with all candidates.

use std::{borrow::Cow, net::IpAddr};

use crate::api::whip::{
    description::{
        candidate::Candidate,
        mend::PORT,
        offer::Section,
        sdp::{Direction, Lines, Sdp},
    },
    kind::Kind,
};

/// A candidate that came by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Trickled {
    /// `candidate:…`
    pub text: String,
    pub mid: Option<String>,
    pub index: Option<usize>,
    /// The ICE credentials to which it belongs, if that is said.
    pub ufrag: Option<String>,
}

/// Relays that a browser uses at the same time.
const RELAYS_MAX: usize = 8;

/// Why an answer is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It does not answer the offer.
    Mismatch,
    /// The browser cannot play all of what an encoder sends.
    MediaRefused,
    /// The browser sends nothing to a player.
    NothingSent,
    /// No candidate that an encoder could reach.
    NoAddress,
}

/// Whether the answer is worth waiting for its candidates.
pub fn check(answer: &str, kind: Kind, sections: &[Section]) -> Result<(), Flaw> {
    let answer = Sdp::parse(answer).map_err(|_| Flaw::Mismatch)?;
    // A section that is refused need not have a name.
    let fits = |(answered, offered): (&Lines<'_>, &Section)| {
        answered.kind() == offered.kind && answered.value("mid").is_none_or(|mid| offered.mid.as_deref() == Some(mid))
    };
    if answer.sections.len() != sections.len() || !answer.sections.iter().zip(sections).all(fits) {
        return Err(Flaw::Mismatch);
    }
    let mut media = answer.sections.iter().filter(|section| matches!(section.kind(), "audio" | "video"));
    let passes = |section, direction| {
        !Lines::is_rejected(section) && [direction, Direction::SendRecv].contains(&answer.direction(section))
    };
    match kind {
        Kind::Encoder if media.all(|section| passes(section, Direction::RecvOnly)) => Ok(()),
        Kind::Encoder => Err(Flaw::MediaRefused),
        Kind::Player if media.any(|section| passes(section, Direction::SendOnly)) => Ok(()),
        Kind::Player => Err(Flaw::NothingSent),
    }
}

/// Whether it comes with its candidates.
pub fn is_whole(answer: &str) -> bool {
    let Ok(answer) = Sdp::parse(answer) else { return false };
    answer.sections.iter().any(|section| section.has("a=end-of-candidates") || section.value("candidate").is_some())
}

/// The answer for the encoder or player, with the candidates of both kinds in their sections.
pub fn merged(answer: &str, trickled: &[Trickled], kind: Kind) -> Result<String, Flaw> {
    let mut answer = Sdp::parse(answer).map_err(|_| Flaw::Mismatch)?;
    let mut found = false;
    let ufrags = ufrags(&answer);
    for (index, section) in answer.sections.iter_mut().enumerate() {
        let own: Vec<String> = section.values("candidate").map(|value| format!("candidate:{value}")).collect();
        let mid = section.value("mid").map(str::to_owned);
        let is_here = |one: &&Trickled| match &one.mid {
            _ if one.ufrag.as_ref().is_some_and(|ufrag| !ufrags.is_empty() && !ufrags.contains(ufrag)) => false,
            Some(_) => one.mid == mid,
            None => one.index.unwrap_or(0) == index,
        };
        let all = own.iter().chain(trickled.iter().filter(is_here).map(|one| &one.text));
        let lines = usable(all.map(String::as_str));
        section.remove_attribute("candidate");
        section.remove_attribute("end-of-candidates");
        // Browsers only open TCP connections, and so do encoders.
        found |= lines.iter().any(|line| Candidate::parse(line).is_some_and(|candidate| candidate.is_udp));
        if !lines.is_empty() {
            lines.iter().for_each(|line| section.push(format!("a={line}")));
            section.push("a=end-of-candidates");
        }
        let (both, one) = match kind {
            Kind::Encoder => ("a=sendrecv", "a=recvonly"),
            Kind::Player => ("a=sendrecv", "a=sendonly"),
        };
        // RFC 9725 section 4.2: the media go one way.
        section.replace_line(both, one);
        // Section 4.4.1, RFC 8858: browsers do so, and do not say it in answers.
        if section.has("a=rtcp-mux") && !section.has("a=rtcp-mux-only") {
            section.push("a=rtcp-mux-only");
        }
    }
    if found { Ok(answer.to_string()) } else { Err(Flaw::NoAddress) }
}

/// Candidates with others are of an earlier answer.
fn ufrags(answer: &Sdp<'_>) -> Vec<String> {
    let all = std::iter::once(&answer.session).chain(&answer.sections);
    all.filter_map(|lines| lines.value("ice-ufrag")).map(str::to_owned).collect()
}

/// Candidates of an encoder, if it is relayed as the browser is. It learns of the relay with the answer, so its offer has none, and few
/// encoders tell them later; but between two allocations nothing passes that not both permit. Permissions have no ports (RFC 8656 section 9).
pub fn relayed_alike(answer: &str) -> Vec<Trickled> {
    let answer = Sdp::parse(answer).unwrap_or_default();
    let mut addresses: Vec<IpAddr> = Vec::new();
    for section in &answer.sections {
        for text in section.values("candidate").map(|value| format!("candidate:{value}")) {
            let relayed = Candidate::parse(&text).filter(|candidate| candidate.is_udp && candidate.kind == "relay");
            addresses.extend(relayed.and_then(|candidate| candidate.ip()).filter(|ip| !addresses.contains(ip)));
        }
    }
    let section = answer.sections.iter().position(|section| !section.is_rejected()).unwrap_or_default();
    let mid = answer.sections.get(section).and_then(|section| section.value("mid"));
    let candidate = |ip: &IpAddr| {
        let text = format!("candidate:whip 1 udp 1 {ip} {PORT} typ relay raddr 0.0.0.0 rport 0");
        Trickled { text, mid: mid.map(str::to_owned), index: Some(section), ufrag: None }
    };
    addresses.iter().take(RELAYS_MAX).map(candidate).collect()
}

/// The candidates that an encoder can use, best first.
fn usable<'a>(all: impl Iterator<Item = &'a str>) -> Vec<Cow<'a, str>> {
    let mut candidates: Vec<Candidate<'_>> =
        all.filter_map(Candidate::parse).filter(|candidate| !candidate.is_hidden()).collect();
    candidates.sort_by_key(Candidate::rank);
    let has_host = candidates.iter().any(|candidate| candidate.kind == "host");
    let mut lines: Vec<Cow<'_, str>> = Vec::new();
    for candidate in candidates {
        let line = if has_host { candidate.text.into() } else { as_host(candidate.text) };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// Where a browser hides its addresses, it still shows them to a STUN server, also to one in the same network. ffmpeg reads host
/// candidates and no others; to everybody else the kind makes no difference.
fn as_host(text: &str) -> Cow<'_, str> {
    match text.split_once(" typ srflx") {
        Some((before, _)) => format!("{before} typ host").into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::whip::description::offer;

    const HEAD: &str = "v=0\r\ns=-\r\n";

    fn section(kind: &str, mid: &str, lines: &str) -> String {
        format!("m={kind} 9 X 96\r\na=mid:{mid}\r\n{lines}")
    }

    fn candidate(transport: &str, address: &str, kind: &str, priority: u32) -> String {
        format!("candidate:1 1 {transport} {priority} {address} 4000 typ {kind}")
    }

    fn lines(candidates: &[String]) -> String {
        candidates.iter().map(|candidate| format!("a={candidate}\r\n")).collect()
    }

    #[test]
    fn candidates_of_both_kinds_are_merged_by_section_and_sorted() {
        let [tcp, low, high, six] = [
            candidate("tcp", "192.0.2.1", "host", 9),
            candidate("udp", "192.0.2.1", "host", 5),
            candidate("UDP", "192.0.2.2", "relay", 6),
            candidate("udp", "2001:db8::1", "host", 8),
        ];
        let hidden = candidate("udp", "f00.local", "host", 10);
        let own = lines(&[tcp.clone(), hidden, low.clone(), low.clone()]);
        let answer =
            format!("{HEAD}{}{}", section("audio", "a", &(own + "a=end-of-candidates\r\n")), section("video", "v", ""));
        let trickle = |text: &String, mid: Option<&str>, index| Trickled {
            text: text.clone(),
            mid: mid.map(str::to_owned),
            index,
            ufrag: None,
        };
        let trickled = [
            trickle(&six, None, Some(0)),
            trickle(&high, Some("a"), Some(1)),
            trickle(&low, Some("v"), Some(0)),
            trickle(&low, Some("unknown"), Some(0)),
        ];
        let end = "a=end-of-candidates\r\n";
        let expected = [
            HEAD,
            &section("audio", "a", &(lines(&[high, low.clone(), six, tcp]) + end)),
            &section("video", "v", &(lines(&[low]) + end)),
        ];
        assert_eq!(merged(&answer, &trickled, Kind::Encoder), Ok(expected.concat()));
    }

    #[test]
    fn an_answer_without_a_reachable_address_is_of_no_use() {
        let hidden = lines(&[candidate("udp", "f00.local", "host", 10)]);
        let tcp = lines(&[candidate("tcp", "192.0.2.1", "host tcptype active", 10)]);
        for without in ["", &hidden, &tcp] {
            let answer = format!("{HEAD}{}", section("video", "0", without));
            assert_eq!(merged(&answer, &[], Kind::Encoder), Err(Flaw::NoAddress));
        }
        let seen = lines(&[candidate("udp", "192.0.2.1", "srflx raddr 0.0.0.0 rport 0", 10)]);
        let answer = format!("{HEAD}{}", section("video", "0", &format!("{hidden}{seen}")));
        assert!(merged(&answer, &[], Kind::Encoder).unwrap().contains("192.0.2.1 4000 typ host\r\n"));
    }

    #[test]
    fn an_encoder_may_have_the_relay_of_the_browser() {
        let relayed = lines(&[
            candidate("udp", "192.0.2.1", "host", 9),
            candidate("udp", "198.51.100.7", "relay", 8),
            candidate("udp", "198.51.100.7", "relay", 7),
            candidate("udp", "2001:db8::1", "relay", 6),
        ]);
        let answer = format!("{HEAD}m=audio 0 X 0\r\na=mid:a\r\n{}", section("video", "v", &relayed));
        let found = relayed_alike(&answer);
        let texts = ["198.51.100.7", "2001:db8::1"]
            .map(|ip| format!("candidate:whip 1 udp 1 {ip} 65535 typ relay raddr 0.0.0.0 rport 0"));
        assert_eq!(found.iter().map(|one| &one.text).collect::<Vec<_>>(), texts.iter().collect::<Vec<_>>());
        assert!(found.iter().all(|one| (one.mid.as_deref(), one.index) == (Some("v"), Some(1))));
        assert_eq!(relayed_alike(&section("video", "v", "")), []);
    }

    #[test]
    fn media_go_one_way() {
        let both = format!(
            "{HEAD}{}",
            section("video", "0", &format!("a=sendrecv\r\na={}\r\n", candidate("udp", "::1", "host", 1)))
        );
        assert!(merged(&both, &[], Kind::Encoder).unwrap().contains("a=recvonly"));
        assert!(merged(&both, &[], Kind::Player).unwrap().contains("a=sendonly"));
    }

    #[test]
    fn sections_without_a_port_for_rtcp_say_so() {
        let multiplexed = |more: &str| {
            let lines = format!("a=rtcp-mux\r\n{more}a={}\r\n", candidate("udp", "::1", "host", 1));
            merged(&format!("{HEAD}{}", section("video", "0", &lines)), &[], Kind::Encoder).unwrap()
        };
        for answer in [multiplexed(""), multiplexed("a=rtcp-mux-only\r\n")] {
            assert_eq!(answer.matches("a=rtcp-mux-only\r\n").count(), 1, "{answer}");
        }
    }

    fn sections() -> Vec<Section> {
        offer::sections(&[HEAD, &section("audio", "0", ""), &section("video", "1", "")].concat())
    }

    #[test]
    fn a_refused_section_is_seen() {
        let audio = section("audio", "0", "a=recvonly\r\n");
        let answer = |more: &str| format!("{HEAD}{audio}{more}");
        let check = |answer: &str, kind| check(answer, kind, &sections());
        let refused = "m=video 0 X 96\r\na=mid:1\r\na=inactive\r\n";
        assert_eq!(check(&answer(&section("video", "1", "a=recvonly\r\n")), Kind::Encoder), Ok(()));
        assert_eq!(check(&answer(refused), Kind::Encoder), Err(Flaw::MediaRefused));
        // A browser without a microphone sends the picture alone.
        let sending = answer(&section("video", "1", "a=sendonly\r\n")).replace("a=recvonly", "a=inactive");
        assert_eq!(check(&sending, Kind::Player), Ok(()));
        assert_eq!(check(&answer(refused), Kind::Player), Err(Flaw::NothingSent));
    }

    #[test]
    fn an_answer_has_the_sections_of_the_offer() {
        let [audio, video] = [section("audio", "0", ""), section("video", "1", "")];
        let check = |parts: &[&str]| check(&[HEAD, &parts.concat()].concat(), Kind::Encoder, &sections());
        assert_eq!(check(&[&audio, &video]), Ok(()));
        assert_eq!(check(&[&audio, &video.replace("a=mid:1\r\n", "")]), Ok(()));
        let renamed = section("video", "2", "");
        for other in [vec![&*audio], vec![&*video, &*audio], vec![&*audio, &*video, &*video], vec![&*audio, &*renamed]]
        {
            assert_eq!(check(&other), Err(Flaw::Mismatch), "{other:?}");
        }
        assert_eq!(super::check("hello", Kind::Encoder, &sections()), Err(Flaw::Mismatch));
    }

    #[test]
    fn candidates_with_the_credentials_of_an_earlier_answer_are_left_out() {
        let answer = format!("{HEAD}{}", section("video", "0", "a=ice-ufrag:now\r\n"));
        let trickled =
            [("4001", Some("before")), ("4002", Some("now")), ("4003", None)].map(|(port, ufrag)| Trickled {
                text: candidate("udp", "192.0.2.1", "host", 1).replace("4000", port),
                mid: Some("0".into()),
                index: None,
                ufrag: ufrag.map(str::to_owned),
            });
        let merged = merged(&answer, &trickled, Kind::Encoder).unwrap();
        assert_eq!(["4001", "4002", "4003"].map(|port| merged.contains(port)), [false, true, true]);
    }

    #[test]
    fn an_answer_with_any_candidate_or_their_end_is_whole() {
        let with = |lines: &str| is_whole(&format!("{HEAD}{}", section("video", "0", lines)));
        assert!(
            with("a=end-of-candidates\r\n") && with(&lines(&[candidate("udp", "f00.local", "host", 1)])) && !with("")
        );
    }
}
