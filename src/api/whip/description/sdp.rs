//! Session descriptions (RFC 8866) as lines: what is not understood is passed on as it came. Fragments of them (RFC 8840) are read
//! the same way; docs/decisions/sdp-lines.md says why.

use std::{borrow::Cow, fmt};

/// Lines of a description. Offers of browsers with many codecs have some 500.
const LINES_MAX: usize = 2000;
/// Media sections.
const SECTIONS_MAX: usize = 16;
/// Characters of a name or of ICE credentials (RFC 8839 section 5.4).
const WORD_MAX: usize = 256;
/// Attributes that a restart or each of its candidates repeats: once in a section, and short.
const WORDS: [&str; 3] = ["ice-ufrag", "ice-pwd", "mid"];

/// A description or a fragment: the lines of the session, and those of each media section, which begins with `m=`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sdp<'a> {
    pub session: Lines<'a>,
    pub sections: Vec<Lines<'a>>,
}

/// Without line ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines<'a>(pub Vec<Cow<'a, str>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl<'a> Sdp<'a> {
    /// A whole description. An error says what is wrong with it.
    pub fn parse(text: &'a str) -> Result<Self, String> {
        let sdp = Self::parse_fragment(text)?;
        if sdp.session.0.first().map(Cow::as_ref) != Some("v=0") {
            return Err("It does not begin with `v=0`.".into());
        }
        Ok(sdp)
    }

    pub fn parse_fragment(text: &'a str) -> Result<Self, String> {
        let mut sdp = Self::default();
        let lines =
            text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).filter(|line| !line.is_empty());
        for (index, line) in lines.enumerate() {
            if index == LINES_MAX {
                return Err(format!("It has more than {LINES_MAX} lines."));
            }
            let is_line = line.as_bytes().first().is_some_and(u8::is_ascii_lowercase) && line[1..].starts_with('=');
            if !is_line || line.chars().any(|c| c.is_control() && c != '\t') {
                return Err(format!("Line {} is not of the form `x=value`.", index + 1));
            }
            if line.starts_with("m=") {
                if sdp.sections.len() == SECTIONS_MAX {
                    return Err(format!("It has more than {SECTIONS_MAX} media sections."));
                }
                sdp.sections.push(Lines::default());
            }
            sdp.sections.last_mut().unwrap_or(&mut sdp.session).0.push(line.into());
        }
        sdp.check_words()?;
        Ok(sdp)
    }

    fn check_words(&self) -> Result<(), String> {
        for lines in std::iter::once(&self.session).chain(&self.sections) {
            for attribute in WORDS {
                let mut values = lines.values(attribute);
                if values.next().is_some_and(|value| value.len() > WORD_MAX) || values.next().is_some() {
                    return Err(format!(
                        "`a={attribute}` is there twice in a section, or longer than {WORD_MAX} characters."
                    ));
                }
            }
        }
        Ok(())
    }

    /// A value at the session, or else of the first section that has one.
    pub fn first(&self, attribute: &str) -> Option<&str> {
        let all = std::iter::once(&self.session).chain(&self.sections);
        all.into_iter().find_map(|lines| lines.value(attribute))
    }

    /// The direction of a section (RFC 8866 section 6.7).
    pub fn direction(&self, section: &Lines<'_>) -> Direction {
        section.direction().or_else(|| self.session.direction()).unwrap_or(Direction::SendRecv)
    }

    /// The index of the section with this `a=mid`.
    pub fn position(&self, mid: &str) -> Option<usize> {
        self.sections.iter().position(|section| section.value("mid") == Some(mid))
    }
}

impl<'a> Lines<'a> {
    /// The value of the first such attribute.
    pub fn value(&self, attribute: &str) -> Option<&str> {
        self.values(attribute).next()
    }

    pub fn values<'s>(&'s self, attribute: &str) -> impl Iterator<Item = &'s str> {
        self.0.iter().filter_map(move |line| line.strip_prefix("a=")?.strip_prefix(attribute)?.strip_prefix(':'))
    }

    /// Whether it has this line.
    pub fn has(&self, line: &str) -> bool {
        self.0.iter().any(|known| known == line)
    }

    pub fn push(&mut self, line: impl Into<Cow<'a, str>>) {
        self.0.push(line.into());
    }

    pub fn remove_attribute(&mut self, attribute: &str) {
        self.0.retain(|line| !is_attribute(line, attribute));
    }

    /// Sets the value wherever the attribute is.
    pub fn replace_value(&mut self, attribute: &str, value: &str) {
        for line in self.0.iter_mut().filter(|line| is_attribute(line, attribute)) {
            *line = format!("a={attribute}:{value}").into();
        }
    }

    pub fn replace_line(&mut self, before: &str, after: &'static str) {
        self.0.iter_mut().filter(|line| *line == before).for_each(|line| *line = after.into());
    }

    /// `audio`, `video`, `application`, …
    pub fn kind(&self) -> &str {
        self.media().next().unwrap_or_default()
    }

    /// Whether the section is refused or unused (RFC 3264 section 6). Those that are only bundled have port 0, too.
    pub fn is_rejected(&self) -> bool {
        self.media().nth(1) == Some("0") && !self.has("a=bundle-only")
    }

    fn media(&self) -> impl Iterator<Item = &str> {
        self.0.first().and_then(|line| line.strip_prefix("m=")).unwrap_or_default().split(' ')
    }

    fn direction(&self) -> Option<Direction> {
        self.0.iter().find_map(|line| match line.as_ref() {
            "a=sendrecv" => Some(Direction::SendRecv),
            "a=sendonly" => Some(Direction::SendOnly),
            "a=recvonly" => Some(Direction::RecvOnly),
            "a=inactive" => Some(Direction::Inactive),
            _ => None,
        })
    }
}

fn is_attribute(line: &str, attribute: &str) -> bool {
    let rest = line.strip_prefix("a=").and_then(|line| line.strip_prefix(attribute));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// With the line ends of the standard.
impl fmt::Display for Sdp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = std::iter::once(&self.session).chain(&self.sections);
        all.into_iter().flat_map(|lines| &lines.0).try_for_each(|line| write!(f, "{line}\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\na=x-unknown:é\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\n\
        a=sendonly\r\nm=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\n";

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let sdp = Sdp::parse(TEXT).unwrap();
        assert_eq!(sdp.to_string(), TEXT);
        // Without carriage returns, or the last line end.
        assert_eq!(Sdp::parse(TEXT.replace('\r', "").trim_end()).unwrap(), sdp);
        assert_eq!((sdp.sections[0].kind(), sdp.position("1"), sdp.position("2")), ("audio", Some(1), None));
        assert_eq!(sdp.direction(&sdp.sections[0]), Direction::SendOnly);
        assert_eq!(sdp.direction(&sdp.sections[1]), Direction::SendRecv);
        assert!(!sdp.sections[1].is_rejected());
        assert!(Sdp::parse("v=0\nm=video 0 X 96").unwrap().sections[0].is_rejected());
    }

    #[test]
    fn what_is_no_description_is_refused() {
        let many = format!("v=0\n{}", "a=x\n".repeat(LINES_MAX));
        let sections = format!("v=0\n{}", "m=audio 9 X 0\n".repeat(SECTIONS_MAX + 1));
        let long = format!("v=0\na=ice-pwd:{}", "p".repeat(WORD_MAX + 1));
        for bad in [
            "",
            "v=1",
            "hello",
            "v=0\nhello",
            "v=0\n=",
            "v=0\nA=b",
            "v=0\na=\u{1}",
            "v=0\né=1",
            "\u{feff}v=0",
            "v=0\nm=audio 9 X 0\na=ice-ufrag:u\na=ice-ufrag:u",
            "v=0\nm=audio 9 X 0\na=mid:0\na=mid:1",
            &long,
            &many,
            &sections,
        ] {
            assert!(Sdp::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_attribute_is_the_whole_word() {
        let mut lines = Sdp::parse_fragment("a=mid:0\na=midx:1\na=candidate:1\na=end-of-candidates").unwrap().session;
        assert_eq!(lines.values("mid").collect::<Vec<_>>(), ["0"]);
        lines.replace_value("mid", "7");
        lines.remove_attribute("end-of-candidates");
        lines.remove_attribute("candidate");
        assert_eq!(lines.0, ["a=mid:7", "a=midx:1"]);
    }
}
