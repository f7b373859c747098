//! Offers of encoders and players: what is refused, and what is passed on.

use std::net::IpAddr;

use crate::api::{
    Code, Problem,
    whip::{
        description::{
            mend,
            sdp::{Direction, Lines, Sdp},
        },
        kind::Kind,
    },
};

/// The offer as browsers get it.
pub fn accept(body: &[u8], kind: Kind, address: IpAddr) -> Result<String, Problem> {
    let mut offer = parse(body)?;
    check(&offer, kind).map_err(Problem::invalid)?;
    mend::name_sections(&mut offer);
    mend::name_repair_sources(&mut offer);
    mend::name_opus_channels(&mut offer);
    mend::add_address(&mut offer, address);
    let mended = offer.to_string();
    // Also what was added must be read again.
    parse(mended.as_bytes())?;
    Ok(mended)
}

/// What an answer must have in the same order (RFC 3264 section 6).
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// `audio`, `video`, …
    pub kind: String,
    pub mid: Option<String>,
}

pub fn sections(offer: &str) -> Vec<Section> {
    let of = |lines: &Lines<'_>| Section { kind: lines.kind().into(), mid: lines.value("mid").map(str::to_owned) };
    Sdp::parse(offer).unwrap_or_default().sections.iter().map(of).collect()
}

/// What all offers of a connection have in common: the origin (RFC 8866 section 5.2) without its version, and the certificates.
pub fn connection(offer: &str) -> String {
    let sdp = Sdp::parse(offer).unwrap_or_default();
    let origin = sdp.session.0.iter().filter_map(|line| line.strip_prefix("o=")?.rsplitn(5, ' ').last());
    let all = std::iter::once(&sdp.session).chain(&sdp.sections);
    origin.chain(all.flat_map(|lines| lines.values("fingerprint"))).collect::<Vec<_>>().join("\n")
}

fn parse(body: &[u8]) -> Result<Sdp<'_>, Problem> {
    let malformed = |detail: &str| Problem::new(Code::SdpMalformed, detail);
    let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8."))?;
    Sdp::parse(text).map_err(|detail| malformed(&detail))
}

/// What a browser would refuse without saying why, and what RFC 9725 forbids.
fn check(offer: &Sdp<'_>, kind: Kind) -> Result<(), String> {
    let of_kind = |kind: &str| offer.sections.iter().filter(|section| section.kind() == kind).count();
    if of_kind("audio") + of_kind("video") == 0 {
        return Err("The offer has neither audio nor video.".into());
    }
    if let Some(kind) = ["audio", "video"].into_iter().find(|kind| of_kind(kind) > 1) {
        return Err(format!("The offer has more than one section for {kind}."));
    }
    for section in offer.sections.iter().filter(|section| matches!(section.kind(), "audio" | "video")) {
        let fits = match (kind, offer.direction(section)) {
            (_, Direction::SendRecv) => true,
            (Kind::Encoder, direction) => direction == Direction::SendOnly,
            (Kind::Player, direction) => direction == Direction::RecvOnly,
        };
        if !fits {
            let (name, direction) = match kind {
                Kind::Encoder => ("WHIP", "sendonly"),
                Kind::Player => ("WHEP", "recvonly"),
            };
            return Err(format!("The sections of a {name} offer must be `{direction}` or `sendrecv`."));
        }
        if section.is_rejected() {
            return Err("A section of the offer has port 0.".into());
        }
    }
    for attribute in ["ice-ufrag", "ice-pwd", "fingerprint"] {
        if offer.first(attribute).is_none() {
            return Err(format!("The offer has no `a={attribute}`."));
        }
    }
    let mids: Vec<&str> = offer.sections.iter().filter_map(|section| section.value("mid")).collect();
    let is_repeated = (1..mids.len()).any(|index| mids[..index].contains(&mids[index]));
    if is_repeated { Err("Two sections of the offer have the same `a=mid`.".into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=fingerprint:sha-256 AB\r\n";

    fn detail(offer: &str, kind: Kind) -> String {
        match accept(offer.as_bytes(), kind, "192.0.2.7".parse().unwrap()) {
            Ok(_) => "good".into(),
            Err(problem) => serde_json::to_value(problem.body()).unwrap()["detail"].as_str().unwrap().into(),
        }
    }

    fn section(kind: &str, direction: &str) -> String {
        format!("m={kind} 9 UDP/TLS/RTP/SAVPF 96\r\na={direction}\r\n")
    }

    #[test]
    fn encoders_send_and_players_receive_one_audio_and_one_video_at_most() {
        for (sections, whip, whep) in [
            (vec![("audio", "sendonly"), ("video", "sendonly")], "good", "recvonly"),
            (vec![("video", "recvonly")], "sendonly", "good"),
            (vec![("video", "sendrecv"), ("application", "sendrecv")], "good", "good"),
            (vec![("video", "sendonly"), ("audio", "inactive")], "sendonly", "recvonly"),
            (vec![("video", "sendonly"), ("video", "sendonly")], "more than one section for video", "more than one"),
            (vec![("application", "sendrecv")], "neither", "neither"),
            (vec![], "neither", "neither"),
        ] {
            let offer: String = sections
                .iter()
                .map(|(kind, direction)| section(kind, direction))
                .fold(HEAD.into(), |all, one| all + &one);
            assert!(detail(&offer, Kind::Encoder).contains(whip), "{sections:?}");
            assert!(detail(&offer, Kind::Player).contains(whep), "{sections:?}");
        }
    }

    #[test]
    fn what_encoders_get_wrong_is_mended_in_the_offer() {
        let lines = "m=audio 9 UDP/TLS/RTP/SAVPF 96 97\r\na=sendonly\r\na=rtpmap:96 OPUS/48000\r\na=ssrc-group:FID 1 2\r\na=ssrc:1 cname:c\r\n";
        let offer = accept(format!("{HEAD}{lines}").as_bytes(), Kind::Encoder, "192.0.2.7".parse().unwrap()).unwrap();
        for line in ["a=mid:0", "a=rtpmap:96 OPUS/48000/2", "a=ssrc:2 cname:c", "a=candidate:whip 1 udp 1 192.0.2.7"] {
            assert!(offer.contains(line), "{line}: {offer}");
        }
    }

    #[test]
    fn what_a_connection_needs_must_be_there() {
        let good = format!("{HEAD}{}", section("video", "sendonly"));
        assert_eq!(detail(&good, Kind::Encoder), "good");
        for missing in ["ice-ufrag", "ice-pwd", "fingerprint"] {
            let bad = good.replace(missing, "x-other");
            assert!(detail(&bad, Kind::Encoder).contains(missing));
        }
        assert!(detail(&good.replace("m=video 9", "m=video 0"), Kind::Encoder).contains("port 0"));
        let twice = format!("{good}a=mid:0\r\n{}a=mid:0\r\n", section("audio", "sendonly"));
        assert!(detail(&twice, Kind::Encoder).contains("same `a=mid`"));
        assert!(detail("hello", Kind::Encoder).contains("Line 1"));
        let Err(problem) = accept(b"v=0\n\xff", Kind::Encoder, "::1".parse().unwrap()) else { panic!() };
        assert_eq!(problem.code, Code::SdpMalformed);
    }
}
