//! Messages that prove whether they arrived intact, once and in order.
//!
//! A message is the JSON that a browser would send. The text inside it begins with a stamp: sender, receiver, the message's
//! number between these two, the time, the length, and a hash of all that. Nothing else in any server's answers contains the
//! mark that starts a stamp, so a simple search finds the messages in an answer of any format.

use std::{
    hash::{DefaultHasher, Hasher},
    io::Write,
    str::from_utf8,
    sync::LazyLock,
};

/// The start of a stamp. It occurs in no XMPP address, and neither JSON nor XML escapes it.
const MARK: u8 = b'^';
/// Four numbers of eight hexadecimal digits and two of sixteen.
const STAMP: usize = 4 * 8 + 2 * 16;
/// The length of the filler's lines.
const LINE: usize = 64;
const LINES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Offer,
    Answer,
    Candidate,
    Data,
}

impl Kind {
    /// Bytes of text, as Chromium sends for a call with audio and video.
    fn text(self) -> usize {
        match self {
            Self::Offer | Self::Answer => 3 * 1024,
            Self::Candidate | Self::Data => 192,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub from: u32,
    pub to: u32,
    pub number: u32,
    /// Microseconds since the generator started.
    pub sent: u64,
}

/// A message found in an answer.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    pub stamp: Stamp,
    pub kind: Kind,
    /// Whether the hash is right.
    pub whole: bool,
}

/// SDP has line ends, which JSON escapes. Candidates and data have none.
static SDP: LazyLock<Vec<u8>> = LazyLock::new(|| filler(br"\r\n"));
static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| filler(b""));

fn filler(line_end: &[u8]) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(8866);
    let mut text = Vec::with_capacity(LINES * LINE);
    for _ in 0..LINES {
        text.extend((0..LINE - line_end.len()).map(|_| random.alphanumeric() as u8));
        text.extend_from_slice(line_end);
    }
    text
}

/// Appends the JSON of a message.
pub fn write(out: &mut Vec<u8>, kind: Kind, stamp: Stamp) {
    let length = kind.text();
    let pool = if matches!(kind, Kind::Offer | Kind::Answer) { &*SDP } else { &*PLAIN };
    let lines = LINES - length / LINE;
    let start = (stamp.number as usize * 31 + stamp.from as usize * 7 + stamp.to as usize) % lines * LINE;
    let text = &pool[start..start + length];
    let (open, close) = match kind {
        Kind::Offer => (r#"{"type":"offer","sdp":""#, r#""}"#),
        Kind::Answer => (r#"{"type":"answer","sdp":""#, r#""}"#),
        Kind::Candidate => {
            (r#"{"type":"candidate","candidate":{"candidate":""#, r#"","sdpMid":"0","sdpMLineIndex":0}}"#)
        }
        Kind::Data => (r#"{"type":"data","data":""#, r#""}"#),
    };
    let Stamp { from, to, number, sent } = stamp;
    out.extend_from_slice(open.as_bytes());
    // Writing to memory cannot fail.
    let _ = write!(
        out,
        "{}{from:08x}{to:08x}{number:08x}{:08x}{sent:016x}{:016x}",
        MARK as char,
        length << 2 | kind as usize,
        hash(kind, stamp, text)
    );
    out.extend_from_slice(text);
    out.extend_from_slice(close.as_bytes());
}

fn hash(kind: Kind, stamp: Stamp, text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u64(u64::from(stamp.from) << 32 | u64::from(stamp.to));
    hasher.write_u64(stamp.sent);
    hasher.write_u64(u64::from(stamp.number) << 32 | kind as u64);
    hasher.write(text);
    hasher.finish()
}

/// The messages in an answer, in order.
pub fn find(body: &[u8]) -> impl Iterator<Item = Found> {
    memchr::memchr_iter(MARK, body).map(|at| {
        read(&body[at + 1..]).unwrap_or(Found {
            stamp: Stamp { from: u32::MAX, to: u32::MAX, number: 0, sent: 0 },
            kind: Kind::Data,
            whole: false,
        })
    })
}

fn read(text: &[u8]) -> Option<Found> {
    let stamp = from_utf8(text.get(..STAMP)?).ok()?;
    let number = |at: usize| u32::from_str_radix(stamp.get(at..at + 8)?, 16).ok();
    let long = |at: usize| u64::from_str_radix(stamp.get(at..at + 16)?, 16).ok();
    let described = number(24)?;
    let kind = [Kind::Offer, Kind::Answer, Kind::Candidate, Kind::Data][described as usize & 3];
    let told = long(48)?;
    let stamp = Stamp { from: number(0)?, to: number(8)?, number: number(16)?, sent: long(32)? };
    let text = text.get(STAMP..STAMP + (described >> 2) as usize)?;
    Some(Found { stamp, kind, whole: hash(kind, stamp, text) == told })
}

/// Corrupts messages in every way that the check must detect. The generator does this before each run.
pub fn check_the_check() -> Result<(), String> {
    for kind in [Kind::Offer, Kind::Answer, Kind::Candidate, Kind::Data] {
        let mut text = Vec::new();
        write(&mut text, kind, Stamp { from: 1, to: 2, number: 3, sent: 4 });
        let whole = |text: &[u8]| find(text).filter(|found| found.whole).count();
        let mark = memchr::memchr(MARK, &text).ok_or("a message without its mark")?;
        for at in (mark + 1..text.len() - 60).step_by(7) {
            let mut broken = text.clone();
            broken[at] ^= 1;
            if whole(&text) != 1 || whole(&broken) != 0 {
                return Err(format!("a {kind:?} corrupted at byte {at} was not detected"));
            }
        }
    }
    Ok(())
}
