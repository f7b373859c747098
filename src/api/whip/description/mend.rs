//! What encoders get wrong, or leave out, and browsers need. Each is mended here, once, with its story.

use std::{borrow::Cow, net::IpAddr};

use crate::api::whip::description::{
    candidate::Candidate,
    sdp::{Lines, Sdp},
};

/// Sections without `a=mid`: candidates and answers could not be told apart by it. They get their index, as JSEP does for itself
/// (RFC 9429 section 5.10).
pub fn name_sections(offer: &mut Sdp<'_>) {
    for index in 0..offer.sections.len() {
        if offer.sections[index].value("mid").is_none() {
            let taken = |mid: &str| offer.position(mid).is_some();
            let name = (index..).map(|number| number.to_string()).find(|name| !taken(name)).unwrap_or_default();
            offer.sections[index].push(format!("a=mid:{name}"));
        }
    }
}

/// GStreamer's whepclientsrc offers Opus without its channels. In SDP it always has two (RFC 7587 section 7); Chromium has no Opus with one, and
/// refuses the section.
pub fn name_opus_channels(offer: &mut Sdp<'_>) {
    let is_opus = |line: &str| {
        let codec = line.strip_prefix("a=rtpmap:").and_then(|mapping| mapping.split_once(' '));
        codec.is_some_and(|(_, codec)| codec.trim().eq_ignore_ascii_case("opus/48000"))
    };
    for line in offer.sections.iter_mut().flat_map(|section| &mut section.0).filter(|line| is_opus(line)) {
        *line = format!("{}/2", line.trim_end()).into();
    }
}

/// Groups that are mended in a section: simulcast has three.
const GROUPS_MAX: usize = 4;
/// Lines of one source: encoders write up to four.
const SOURCE_LINES_MAX: usize = 16;

/// ffmpeg 9 names the source of its retransmissions in `a=ssrc-group:FID` and nowhere else. Chromium then refuses the whole offer:
/// each source of a group must have a line of its own (RFC 5576 section 4.2). It gets those of the source that it repairs.
pub fn name_repair_sources(offer: &mut Sdp<'_>) {
    for section in &mut offer.sections {
        let groups: Vec<(u32, u32)> = section.values("ssrc-group").filter_map(repaired).take(GROUPS_MAX).collect();
        for &(media, repair) in &groups {
            if groups.iter().any(|(_, other)| *other == media) {
                continue;
            }
            let line_of = |line: &str, source: u32| {
                let (number, rest) = line.strip_prefix("a=ssrc:")?.split_once(' ')?;
                (number.parse() == Ok(source)).then(|| rest.to_owned())
            };
            if section.0.iter().any(|line| line_of(line, repair).is_some()) {
                continue;
            }
            let Some(last) = section.0.iter().rposition(|line| line_of(line, media).is_some()) else { continue };
            let rests = section.0.iter().filter_map(|line| line_of(line, media)).take(SOURCE_LINES_MAX);
            let lines: Vec<Cow<'_, str>> = rests.map(|rest| format!("a=ssrc:{repair} {rest}").into()).collect();
            section.0.splice(last + 1..last + 1, lines);
        }
    }
}

/// The source that is repaired, and the one that repairs it. Words, or the same source twice, are no such pair: their lines would
/// be copied again and again. Nor is a source repaired that repairs another.
fn repaired(group: &str) -> Option<(u32, u32)> {
    let (media, repair) = group.strip_prefix("FID ")?.trim().split_once(' ')?;
    let pair: (u32, u32) = (media.parse().ok()?, repair.parse().ok()?);
    (pair.0 != pair.1).then_some(pair)
}

/// OBS offers without any candidate, and other encoders know only their private address. A browser behind a NAT, or its relay, lets
/// nobody in to whom it has not sent first, and sends nothing without a candidate. So there is one with the address that the request
/// came from. Its port is not the encoder's: the first packet of the encoder's itself tells that (RFC 8445 section 7.3.1.3), and a
/// relay's permissions have no ports (RFC 8656 section 9). Chromium ignores ports below 1024.
pub fn add_address(offer: &mut Sdp<'_>, address: IpAddr) {
    let address = address.to_canonical();
    let known = |section: &Lines<'_>| {
        section.values("candidate").any(|value| parsed(&format!("candidate:{value}")) == Some(address))
    };
    if address.is_unspecified() || offer.sections.iter().any(known) {
        return;
    }
    if let Some(section) = offer.sections.iter_mut().find(|section| !section.is_rejected()) {
        // Before the end of candidates, if that is stated.
        let end = section.0.iter().position(|line| line == "a=end-of-candidates").unwrap_or(section.0.len());
        let line = format!("a=candidate:whip 1 udp 1 {address} {PORT} typ srflx raddr 0.0.0.0 rport 0");
        section.0.insert(end, line.into());
    }
}

pub const PORT: u16 = 65_535;

fn parsed(text: &str) -> Option<IpAddr> {
    Candidate::parse(text)?.ip()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "192.0.2.7";

    fn mended(text: &str, mend: impl FnOnce(&mut Sdp<'_>)) -> String {
        let mut sdp = Sdp::parse(text).unwrap();
        mend(&mut sdp);
        sdp.to_string().replace("\r\n", "\n")
    }

    fn addressed(text: &str) -> String {
        mended(text, |sdp| add_address(sdp, ADDRESS.parse().unwrap()))
    }

    #[test]
    fn sections_without_a_name_get_one_that_is_free() {
        let text = "v=0\nm=audio 9 X 0\nm=video 9 X 0\na=mid:0\nm=video 9 X 0\na=mid:x\n";
        assert_eq!(mended(text, name_sections), text.replacen("X 0\n", "X 0\na=mid:1\n", 1));
        let named = "v=0\nm=audio 9 X 0\na=mid:video0\n";
        assert_eq!(mended(named, name_sections), named);
    }

    #[test]
    fn a_repair_source_gets_the_lines_of_the_source_that_it_repairs() {
        let lines = "v=0\nm=video 9 X 96 97\na=ssrc-group:FID 11 12\na=ssrc:11 cname:c\na=ssrc:11 msid:s v\n";
        let more = "a=ssrc:111 cname:other\n";
        assert_eq!(
            mended(&format!("{lines}{more}"), name_repair_sources),
            format!("{lines}a=ssrc:12 cname:c\na=ssrc:12 msid:s v\n{more}")
        );
        for good in [format!("{lines}a=ssrc:12 cname:c\n"), "v=0\nm=video 9 X 96\na=ssrc-group:FID 11 12\n".into()] {
            assert_eq!(mended(&good, name_repair_sources), good);
        }
    }

    #[test]
    fn opus_gets_its_two_channels() {
        let offer = "v=0\nm=audio 9 X 96 97\na=rtpmap:96 OPUS/48000\na=rtpmap:97 red/48000\n";
        assert_eq!(mended(offer, name_opus_channels), offer.replace("OPUS/48000", "OPUS/48000/2"));
        for good in [offer.replace("OPUS/48000", "opus/48000/2"), offer.replace("OPUS", "opus/1")] {
            assert_eq!(mended(&good, name_opus_channels), good);
        }
    }

    /// Each group doubled the lines of its source, so that forty made a terabyte of 1.5 KB.
    #[test]
    fn groups_cannot_make_an_offer_grow_without_limit() {
        let groups = |group: &dyn Fn(usize) -> String| (0..1000).map(group).collect::<String>();
        let sources = |count: usize| "a=ssrc:1 cname:c\n".repeat(count);
        for (lines, added) in [
            (groups(&|number| format!("a=ssrc-group:FID 1 1 {number}\n")) + &sources(3), 0),
            (groups(&|_| "a=ssrc-group:FID 1 1\n".into()) + &sources(3), 0),
            (groups(&|number| format!("a=ssrc-group:FID 1 {}\n", number + 2)) + &sources(900), 4 * 16),
            (groups(&|number| format!("a=ssrc-group:FID {} {}\n", number + 1, number + 2)) + &sources(3), 3),
        ] {
            let offer = format!("v=0\nm=video 9 X 96\n{lines}");
            assert_eq!(mended(&offer, name_repair_sources).lines().count(), offer.lines().count() + added);
        }
    }

    #[test]
    fn an_offer_that_does_not_name_the_client_gets_a_candidate_for_it() {
        let bare = "v=0\nm=audio 0 X 0\nm=video 9 X 0\na=sendonly\n";
        let line = "a=candidate:whip 1 udp 1 192.0.2.7 65535 typ srflx raddr 0.0.0.0 rport 0\n";
        assert_eq!(addressed(bare), format!("{bare}{line}"));
        let private = format!("{bare}a=candidate:1 1 udp 1 10.0.0.2 4000 typ host\n");
        assert_eq!(
            addressed(&format!("{private}a=end-of-candidates\n")),
            format!("{private}{line}a=end-of-candidates\n")
        );
        let known = private.replace("10.0.0.2", ADDRESS);
        assert_eq!(addressed(&known), known);
        assert_eq!(mended(bare, |sdp| add_address(sdp, "::ffff:192.0.2.7".parse().unwrap())), format!("{bare}{line}"));
    }
}
