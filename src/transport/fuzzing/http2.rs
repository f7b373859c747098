use crate::transport::http2::{
    connection::{Event, Input, ServerConnection},
    frame_reader::PREFACE,
};

/// What a connection has made of its input.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<String>,
    output: Vec<u8>,
    has_failed: bool,
}

/// Input in pieces of any length leads to the same events and output as in one piece. The first byte is the length of the pieces.
pub fn http2(input: &[u8]) {
    let Some((length, frames)) = input.split_first() else { return };
    let bytes = [&PREFACE[..], frames].concat();
    let whole = outcome(std::iter::once(&bytes[..]));
    let pieces = outcome(bytes.chunks(usize::from(*length) + 1));
    assert_eq!(whole, pieces);
    // Nothing is answered at greater length than it was asked, except by a few small frames.
    assert!(whole.output.len() <= 2 * bytes.len() + 256);
}

/// Nothing is earned, so that no budget depends on how the input was cut.
fn outcome<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut output = Vec::new();
    let mut connection = ServerConnection::new(0, &mut output);
    let (mut events, mut has_failed) = (Vec::new(), false);
    for bytes in pieces {
        let input = Input { bytes, wire_len: bytes.len(), earned: 0, now: 0 };
        let mut arrived = Vec::new();
        has_failed = connection.receive(input, &mut output, &mut arrived).is_err();
        arrived.into_iter().for_each(|event| note(&mut events, event));
        if has_failed {
            break;
        }
    }
    Outcome { events, output, has_failed }
}

/// Notes an event. Pieces of a body that follow each other are joined.
fn note(events: &mut Vec<String>, event: Event) {
    match event {
        Event::Request { stream, head, ended } => {
            let fields: Vec<_> = head.fields().collect();
            let target = (head.method(), head.scheme(), head.authority(), head.path());
            events.push(format!("{stream} {ended} {target:?} {fields:?}"));
        }
        Event::Data { stream, bytes, ended } => {
            let name = format!("body of {stream}: ");
            if !events.last().is_some_and(|last| last.starts_with(&name)) {
                events.push(name);
            }
            if let Some(last) = events.last_mut() {
                bytes.iter().for_each(|byte| last.push_str(&format!("{byte:02x}")));
                last.push_str(if ended { " end" } else { "" });
            }
        }
        // A frame that ends a body too early is an error, but pieces of it may have been passed on before.
        Event::Reset { stream } => {
            let body = format!("body of {stream}: ");
            events.retain(|event| !event.starts_with(&body));
            events.push(format!("{stream} reset"));
        }
        Event::WindowOpened => events.push("window".into()),
    }
}
