//! What scripts answer, as the domain's values.

use std::{sync::Arc, time::Duration, vec::IntoIter};

use redis::Value;

use crate::domain::{
    Card, Content, CreatorId, Lease, LeaveReason, Lifecycle, Limits, Message, Metadata, Name, Payload, PeerId, Refusal,
    RoomName, RoomView, Seat, Seq, Timestamp, Turn,
};

/// An answer that no script gives. Then the scripts in Redis are not ours.
#[derive(Debug)]
pub struct Odd;

/// The values of an answer, one after the other.
#[derive(Debug)]
pub struct Values(IntoIter<Value>);

/// An answer: what all scripts begin with, and the rest.
#[derive(Debug)]
pub struct Reply {
    pub verdict: Vec<u8>,
    pub now: Timestamp,
    /// Whose polls at this node are to be woken.
    pub wake: Vec<PeerId>,
    pub lifecycle: Vec<Lifecycle>,
    pub rest: Values,
}

impl Reply {
    pub fn read(value: Value) -> Result<Self, Odd> {
        let mut values = Values::of(value)?;
        let (verdict, now) = (values.bytes()?, values.time()?);
        let wake = ids_in(&values.bytes()?).collect();
        let mut notes = values.list()?;
        let mut lifecycle = Vec::new();
        while let Ok(name) = notes.text() {
            lifecycle.push(note(&name, &notes.bytes()?)?);
        }
        Ok(Self { verdict, now, wake, lifecycle, rest: values })
    }

    pub fn is_ok(&self) -> bool {
        self.verdict == b"ok"
    }

    /// What the verdict refuses, if it is a refusal.
    pub fn refusal(&mut self, limits: &Limits) -> Result<Refusal, Odd> {
        let rest = &mut self.rest;
        Ok(match &self.verdict[..] {
            b"RoomUnknown" => Refusal::RoomUnknown,
            b"RoomExists" => Refusal::RoomExists,
            b"RoomFull" => {
                let (capacity, seats) = (rest.count()?, rest.list()?);
                Refusal::RoomFull { capacity, seats: seats_in(seats, self.now)? }
            }
            b"RoomLocked" => Refusal::RoomLocked,
            b"SecretWrong" => Refusal::SecretWrong,
            b"TicketMissing" => Refusal::TicketMissing,
            b"MayNotCreate" => Refusal::MayNotCreate,
            b"RoomClosed" => Refusal::RoomClosed,
            b"RoomsExhausted" => Refusal::RoomsExhausted,
            b"MemoryExhausted" => Refusal::MemoryExhausted,
            b"CapacityInvalid" => limits.seats(Some(0)).err().ok_or(Odd)?,
            b"PeerGone" => Refusal::PeerGone,
            b"Kicked" => Refusal::Kicked,
            b"PeerUnknown" => Refusal::PeerUnknown { peer: rest.peer()? },
            b"NotCreator" => Refusal::NotCreator,
            b"MailboxFull" => Refusal::MailboxFull { peer: rest.peer()? },
            b"NeverFits" => Refusal::NeverFits,
            b"CursorAhead" => Refusal::CursorAhead { cursor: rest.seq()?, newest: rest.seq()? },
            b"CursorGone" => Refusal::CursorGone { cursor: rest.seq()?, oldest: rest.seq()? },
            b"PollSuperseded" => Refusal::PollSuperseded,
            b"KeyReused" => Refusal::KeyReused,
            _ => return Err(Odd),
        })
    }
}

impl Values {
    fn of(value: Value) -> Result<Self, Odd> {
        match value {
            Value::Array(values) => Ok(Self(values.into_iter())),
            _ => Err(Odd),
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, Odd> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(bytes),
            _ => Err(Odd),
        }
    }

    pub fn text(&mut self) -> Result<String, Odd> {
        String::from_utf8(self.bytes()?).map_err(|_| Odd)
    }

    pub fn number(&mut self) -> Result<u64, Odd> {
        match self.0.next() {
            Some(Value::Int(number)) => u64::try_from(number).map_err(|_| Odd),
            Some(Value::BulkString(digits)) => parse(&digits),
            _ => Err(Odd),
        }
    }

    pub fn count(&mut self) -> Result<usize, Odd> {
        usize::try_from(self.number()?).map_err(|_| Odd)
    }

    pub fn flag(&mut self) -> Result<bool, Odd> {
        Ok(self.number()? != 0)
    }

    pub fn seq(&mut self) -> Result<Seq, Odd> {
        Seq::new(self.number()?).ok_or(Odd)
    }

    pub fn time(&mut self) -> Result<Timestamp, Odd> {
        self.number().map(Timestamp::from_micros)
    }

    pub fn list(&mut self) -> Result<Values, Odd> {
        self.0.next().ok_or(Odd).and_then(Values::of)
    }

    pub fn peer(&mut self) -> Result<PeerId, Odd> {
        peer_of(&self.bytes()?)
    }

    /// Nothing, where a room was made by nobody who may administer it.
    pub fn creator(&mut self) -> Result<Option<CreatorId>, Odd> {
        match self.0.next() {
            Some(Value::BulkString(bytes)) => Ok(Some(CreatorId::from_bytes(bytes.try_into().map_err(|_| Odd)?))),
            Some(Value::Nil) => Ok(None),
            _ => Err(Odd),
        }
    }

    pub fn view(&mut self) -> Result<RoomView, Odd> {
        Ok(RoomView {
            capacity: self.count()?,
            occupancy: self.count()?,
            locked: self.flag()?,
            wants_secret: self.flag()?,
            closed: self.flag()?,
        })
    }

    /// Cards, in the order of joining.
    pub fn cards(&mut self) -> Result<Vec<Arc<Card>>, Odd> {
        let mut list = self.list()?;
        let mut cards = Vec::with_capacity(list.len());
        while list.len() > 0 {
            cards.push(Arc::new(card_in(&list.bytes()?)?));
        }
        cards.sort_by_key(|card| card.order);
        Ok(cards)
    }

    /// Joins and leaves that somebody has yet to read.
    pub fn comings_and_goings(&mut self) -> Result<Vec<Content>, Odd> {
        let mut list = self.list()?;
        let mut events = Vec::with_capacity(list.len());
        while list.len() > 0 {
            let event = list.bytes()?;
            let (kind, card) = event.split_first().ok_or(Odd)?;
            let card = Arc::new(card_in(card)?);
            events.push(match kind {
                b'j' => Content::PeerJoined(card),
                _ => Content::PeerLeft { peer: card, reason: LeaveReason::Left },
            });
        }
        Ok(events)
    }

    /// The entries of a mailbox up to a cursor: each is named fields, the header and the body.
    pub fn messages(&mut self, cursor: Seq) -> Result<Vec<Message>, Odd> {
        let mut list = self.list()?;
        let mut messages = Vec::with_capacity(list.len());
        while list.len() > 0 {
            let seq = Seq::new(cursor.get().checked_sub(list.len() as u64 - 1).ok_or(Odd)?).ok_or(Odd)?;
            let mut fields = list.list()?;
            let (_, header, _, body) = (fields.bytes()?, fields.bytes()?, fields.bytes()?, fields.bytes()?);
            messages.push(message(seq, &header, body)?);
        }
        Ok(messages)
    }
}

fn message(seq: Seq, header: &[u8], body: Vec<u8>) -> Result<Message, Odd> {
    let (kind, rest) = header.split_first().ok_or(Odd)?;
    let (since, rest) = rest.split_first_chunk().ok_or(Odd)?;
    let from = rest.get(8..).ok_or(Odd)?;
    let content = match kind {
        b'r' => {
            Content::Relayed { from: peer_of(from)?, payload: Payload::new(String::from_utf8(body).map_err(|_| Odd)?) }
        }
        b'j' => Content::PeerJoined(Arc::new(card_in(&body)?)),
        b'l' => {
            let (reason, card) = body.split_first().ok_or(Odd)?;
            Content::PeerLeft { peer: Arc::new(card_in(card)?), reason: reason_of(*reason)? }
        }
        b'c' => Content::RoomClosed,
        _ => return Err(Odd),
    };
    Ok(Message { seq, since: Timestamp::from_micros(u64::from_be_bytes(*since)), content })
}

fn seats_in(mut list: Values, now: Timestamp) -> Result<Vec<Seat>, Odd> {
    let mut seats = Vec::with_capacity(list.len());
    while list.len() > 0 {
        let mut lease = list.list()?;
        let lease = Lease::kept(lease.time()?, lease.time()?, lease.flag()?);
        seats.push(Seat { frees_in: lease.frees_in(now) });
    }
    Ok(seats)
}

fn note(room: &str, text: &[u8]) -> Result<Lifecycle, Odd> {
    let (kind, id) = text.split_first().ok_or(Odd)?;
    let turn = match kind {
        b'm' => Turn::RoomMade,
        b'j' => Turn::PeerJoined(peer_of(id)?),
        b'r' => Turn::PeerResumed(peer_of(id)?),
        b'c' => Turn::RoomClosed,
        b'g' => Turn::RoomGone,
        reason => Turn::PeerLeft(peer_of(id)?, reason_of(*reason)?),
    };
    Ok(Lifecycle { room: RoomName::parse(room).ok_or(Odd)?, turn })
}

fn reason_of(letter: u8) -> Result<LeaveReason, Odd> {
    match letter {
        b'l' => Ok(LeaveReason::Left),
        b'e' => Ok(LeaveReason::Expired),
        b'k' => Ok(LeaveReason::Kicked),
        _ => Err(Odd),
    }
}

pub fn peer_of(bytes: &[u8]) -> Result<PeerId, Odd> {
    bytes.try_into().map(PeerId::from_bytes).map_err(|_| Odd)
}

pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes.clone()).ok(),
        Value::SimpleString(text) => Some(text.clone()),
        _ => None,
    }
}

/// Ids one after the other.
pub fn ids_in(bytes: &[u8]) -> impl Iterator<Item = PeerId> {
    bytes.as_chunks::<16>().0.iter().map(|id| PeerId::from_bytes(*id))
}

/// Places that messages were put into: ids, each with its number.
pub fn places_in(bytes: &[u8]) -> Vec<(PeerId, Seq)> {
    let place = |place: &[u8; 24]| {
        let (id, seq) = place.split_first_chunk()?;
        Some((PeerId::from_bytes(*id), Seq::new(u64::from_be_bytes(seq.try_into().ok()?))?))
    };
    bytes.as_chunks::<24>().0.iter().filter_map(place).collect()
}

/// A card without its order, which is put in front by the script: the id, the length of the name, the name, the metadata.
pub fn card_of(id: PeerId, name: &Name, metadata: &Metadata) -> Vec<u8> {
    let name = name.as_str().as_bytes();
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
    [id.as_bytes(), &length[..], name, metadata.as_str().as_bytes()].concat()
}

fn card_in(bytes: &[u8]) -> Result<Card, Odd> {
    let colon = bytes.iter().position(|byte| *byte == b':').ok_or(Odd)?;
    let (id, rest) = bytes[colon + 1..].split_first_chunk().ok_or(Odd)?;
    let (length, rest) = rest.split_first_chunk().ok_or(Odd)?;
    let (name, metadata) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Odd)?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Odd);
    Ok(Card {
        id: PeerId::from_bytes(*id),
        name: Name::parse(text(name)?).ok_or(Odd)?,
        metadata: Metadata::new(text(metadata)?),
        order: parse(&bytes[..colon])?,
    })
}

fn parse(digits: &[u8]) -> Result<u64, Odd> {
    std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).ok_or(Odd)
}

/// In microseconds, as scripts reckon.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
