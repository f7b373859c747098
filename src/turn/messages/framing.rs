//! Messages and ChannelData in a stream (RFC 8656 sections 5 and 12.5).

use crate::turn::limits::FRAME_MAX;

const STUN_HEADER: usize = 20;
pub const CHANNEL_HEADER: usize = 4;

/// One message, or the data of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    Message(&'a [u8]),
    Channel(u16, &'a [u8]),
}

/// The bytes are not TURN.
#[derive(Debug, PartialEq, Eq)]
pub struct NotTurn;

/// Whether this is the first byte of a STUN message (RFC 7983). TLS begins with 0x16 and HTTP with a letter.
pub fn begins_stun(first: u8) -> bool {
    first <= 0x03
}

/// Reads a datagram. ChannelData may have padding, even over UDP.
pub fn read_datagram(datagram: &[u8]) -> Result<Frame<'_>, NotTurn> {
    match header(datagram)? {
        Some(Header::Message(length)) if datagram.len() == length => Ok(Frame::Message(datagram)),
        Some(Header::Channel(number, length)) => {
            let data = datagram.get(CHANNEL_HEADER..CHANNEL_HEADER + length).ok_or(NotTurn)?;
            Ok(Frame::Channel(number, data))
        }
        _ => Err(NotTurn),
    }
}

/// The frame that a stream begins with, and its length with padding; `None` if it is incomplete.
pub fn first_frame(stream: &[u8]) -> Result<Option<(Frame<'_>, usize)>, NotTurn> {
    let Some(header) = header(stream)? else { return Ok(None) };
    let padded = match header {
        Header::Message(length) => length,
        Header::Channel(_, length) => (CHANNEL_HEADER + length).next_multiple_of(4),
    };
    let Some(frame) = stream.get(..padded) else { return Ok(None) };
    let frame = match header {
        Header::Message(_) => Frame::Message(frame),
        Header::Channel(number, length) => Frame::Channel(number, &frame[CHANNEL_HEADER..CHANNEL_HEADER + length]),
    };
    Ok(Some((frame, padded)))
}

#[derive(Clone, Copy)]
enum Header {
    /// The length with the header.
    Message(usize),
    /// The number, and the length of the data.
    Channel(u16, usize),
}

/// What begins here; `None` if that cannot be told yet.
fn header(bytes: &[u8]) -> Result<Option<Header>, NotTurn> {
    let Some(first) = bytes.first() else { return Ok(None) };
    let is_channel = (0x40..=0x7f).contains(first);
    if !is_channel && !begins_stun(*first) {
        return Err(NotTurn);
    }
    let [_, second, high, low, ..] = bytes else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > FRAME_MAX || (!is_channel && !length.is_multiple_of(4)) {
        return Err(NotTurn);
    }
    Ok(Some(match is_channel {
        true => Header::Channel(u16::from_be_bytes([*first, *second]), length),
        false => Header::Message(STUN_HEADER + length),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The frames of a stream that arrives in pieces of this length.
    fn frames(stream: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let (mut input, mut frames) = (Vec::new(), Vec::new());
        for piece in stream.chunks(piece) {
            input.extend(piece);
            while let Some((frame, length)) = first_frame(&input).unwrap() {
                frames.push(flat(frame));
                input.drain(..length);
            }
        }
        assert!(input.is_empty(), "{} bytes left over", input.len());
        frames
    }

    fn flat(frame: Frame<'_>) -> Vec<u8> {
        match frame {
            Frame::Message(message) => message.to_vec(),
            Frame::Channel(number, data) => [&number.to_be_bytes(), data].concat(),
        }
    }

    #[test]
    fn a_stream_is_split_at_any_byte_into_the_same_frames() {
        let message = [&[0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42][..], &[7; 12], &[8; 4]].concat();
        let mut stream = message.clone();
        let mut expected = vec![message.clone()];
        for length in 0..9_u8 {
            let data = vec![length; length.into()];
            stream.extend([0x7f, 0xff, 0, length]);
            stream.extend(&data);
            stream.resize(stream.len().next_multiple_of(4), 0xee);
            expected.push(flat(Frame::Channel(0x7fff, &data)));
            stream.extend(&message);
            expected.push(message.clone());
        }
        for piece in 1..=stream.len() {
            assert_eq!(frames(&stream, piece), expected, "in pieces of {piece}");
        }
    }

    #[test]
    fn datagrams_may_be_padded_but_not_cut() {
        assert_eq!(read_datagram(&[0x40, 0, 0, 1, 9]), Ok(Frame::Channel(0x4000, &[9][..])));
        assert_eq!(read_datagram(&[0x40, 0, 0, 1, 9, 0, 0, 0]), Ok(Frame::Channel(0x4000, &[9][..])));
        assert_eq!(read_datagram(&[0x40, 0, 0, 0]), Ok(Frame::Channel(0x4000, &[][..])));
        for wrong in [&[][..], &[0x40, 0, 0, 2, 9], &[0x40, 0, 0], &[0x80, 0, 0, 0], &[0x16, 3, 1, 0], b"GET /"] {
            assert_eq!(read_datagram(wrong), Err(NotTurn), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_too_long_or_no_multiple_of_four_is_refused_at_once() {
        for wrong in [&[0x40, 0, 0x10, 0x01][..], &[0, 1, 0x10, 0x04], &[0, 1, 0, 5], &[0xff], &[0x16]] {
            assert_eq!(first_frame(wrong), Err(NotTurn), "{wrong:?}");
        }
        for incomplete in [&[][..], &[0], &[0, 1, 0], &[0, 1, 0x10, 0x00], &[0x40, 0, 0x10, 0x00, 1]] {
            assert_eq!(first_frame(incomplete), Ok(None), "{incomplete:?}");
        }
    }
}
