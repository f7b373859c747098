//! Decodes what scripts return into the domain's values.

use std::{sync::Arc, time::Duration, vec::IntoIter};

use redis::{FromRedisValue, Value, from_redis_value};

use crate::domain::{
    Card, Change, Content, CreatorId, Lease, LeaveReason, LifecycleEvent, Limits, Message, Metadata, Name, Payload,
    PeerId, Refusal, RoomName, RoomView, Seat, Secret, Seq, Source, Subject, Timestamp,
};
use crate::engine::redis::room_count::{Held, Holder, RoomChange};

/// A reply that our scripts never give.
#[derive(Debug)]
pub struct Malformed;

/// The values of an array, to be read in order.
#[derive(Debug)]
pub struct Values(IntoIter<Value>);

/// Every script returns the first four; `rest` depends on the script and the verdict.
#[derive(Debug)]
pub struct Reply {
    pub verdict: String,
    pub now: Timestamp,
    /// Peers whose polls at this node are to be woken.
    pub wake: Vec<PeerId>,
    pub lifecycle: Vec<LifecycleEvent>,
    /// Rooms that were created or have ended.
    pub rooms: Vec<RoomChange>,
    pub rest: Values,
}

/// The refusals without fields; their verdicts have the same names.
macro_rules! plain_refusal {
    ($verdict:expr, $($name:ident)*) => {
        match $verdict {
            $(stringify!($name) => Some(Refusal::$name),)*
            _ => None,
        }
    };
}

impl Reply {
    pub fn decode(value: Value) -> Result<Self, Malformed> {
        let Value::Array(values) = value else { return Err(Malformed) };
        let mut values = Values(values.into_iter());
        let (verdict, now) = (values.next()?, values.time()?);
        let wake = ids_in(&values.next::<Vec<u8>>()?).collect();
        let mut rooms = Vec::new();
        let lifecycle = values.list(|list| {
            let (room, text) = (list.next::<String>()?, list.next::<Vec<u8>>()?);
            rooms.extend(room_change(&text));
            lifecycle_event(&room, &text)
        })?;
        Ok(Self { verdict, now, wake, lifecycle, rooms, rest: values })
    }

    pub fn is_ok(&self) -> bool {
        self.verdict == "ok"
    }

    pub fn refusal(&mut self, limits: &Limits) -> Result<Refusal, Malformed> {
        let (verdict, rest, now) = (&*self.verdict, &mut self.rest, self.now);
        let plain = plain_refusal!(verdict, RoomUnknown RoomExists RoomLocked SecretMissing SecretWrong SecretUnexpected TicketMissing MayNotCreate RoomClosed
            RoomsExhausted MemoryExhausted PeerGone Kicked NotCreator NeverFits PollSuperseded KeyReused);
        if let Some(refusal) = plain {
            return Ok(refusal);
        }
        Ok(match verdict {
            "RoomFull" => Refusal::RoomFull { capacity: rest.next()?, seats: rest.list(|list| seat(list, now))? },
            "CapacityInvalid" => limits.seats(Some(0)).err().ok_or(Malformed)?,
            "PeerUnknown" => Refusal::PeerUnknown { peer: rest.peer()? },
            "MailboxFull" => Refusal::MailboxFull { peer: rest.peer()? },
            "CursorAhead" => Refusal::CursorAhead { cursor: rest.seq()?, newest: rest.seq()? },
            "CursorGone" => Refusal::CursorGone { cursor: rest.seq()?, oldest: rest.seq()? },
            _ => return Err(Malformed),
        })
    }
}

impl Values {
    pub fn next<T: FromRedisValue>(&mut self) -> Result<T, Malformed> {
        self.0.next().and_then(|value| from_redis_value(value).ok()).ok_or(Malformed)
    }

    /// Reads a nested array to its end.
    pub fn list<T>(&mut self, mut read: impl FnMut(&mut Values) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let mut list = Values(self.next::<Vec<Value>>()?.into_iter());
        let mut items = Vec::with_capacity(list.0.len());
        while list.0.len() > 0 {
            items.push(read(&mut list)?);
        }
        Ok(items)
    }

    pub fn seq(&mut self) -> Result<Seq, Malformed> {
        Seq::new(self.next()?).ok_or(Malformed)
    }

    fn time(&mut self) -> Result<Timestamp, Malformed> {
        self.next().map(Timestamp::from_micros)
    }

    pub fn peer(&mut self) -> Result<PeerId, Malformed> {
        peer_id(&self.next::<Vec<u8>>()?)
    }

    /// Several ids in one string.
    pub fn peers(&mut self) -> Result<Vec<PeerId>, Malformed> {
        Ok(ids_in(&self.next::<Vec<u8>>()?).collect())
    }

    pub fn creator(&mut self) -> Result<CreatorId, Malformed> {
        self.next::<Vec<u8>>()?.try_into().map(CreatorId::from_bytes).map_err(|_| Malformed)
    }

    /// `None` if the room has none.
    pub fn secret(&mut self) -> Result<Option<Secret>, Malformed> {
        let digest = self.next::<Option<Vec<u8>>>()?.map(|digest| digest.try_into().map(Secret::from_digest));
        digest.transpose().map_err(|_| Malformed)
    }

    /// As the scripts have it: after an `s`, so that it is longer than an id.
    pub fn subject(&mut self) -> Result<Option<Subject>, Malformed> {
        let text = self.next::<Vec<u8>>()?;
        let digest = text.split_first().map(|(_, digest)| digest.try_into().map(Subject::from_digest));
        digest.transpose().map_err(|_| Malformed)
    }

    pub fn view(&mut self) -> Result<RoomView, Malformed> {
        Ok(RoomView {
            capacity: self.next()?,
            occupancy: self.next()?,
            locked: self.next()?,
            wants_secret: self.next()?,
            closed: self.next()?,
        })
    }

    /// Cards in the order of joining.
    pub fn cards(&mut self) -> Result<Vec<Arc<Card>>, Malformed> {
        let mut cards = self.list(|list| Ok(Arc::new(card(&list.next::<Vec<u8>>()?)?)))?;
        cards.sort_by_key(|card| card.order);
        Ok(cards)
    }

    /// What holders have caused in a bucket, from the hash in which scripts count it.
    pub fn holders(&mut self) -> Result<Vec<(Holder, Held)>, Malformed> {
        self.list(|list| {
            let (name, figures) = (list.next::<Vec<u8>>()?, list.next::<Vec<u8>>()?);
            let (kind, number) = name.split_first().ok_or(Malformed)?;
            let number = u64::from_be_bytes(number.try_into().map_err(|_| Malformed)?);
            let holder = if *kind == b'a' { Holder::Address(number) } else { Holder::Network(number) };
            let [rooms, bytes, ..] = figures.as_chunks::<8>().0 else { return Err(Malformed) };
            let rooms = usize::try_from(u64::from_be_bytes(*rooms)).map_err(|_| Malformed)?;
            Ok((holder, Held { rooms, bytes: u64::from_be_bytes(*bytes) }))
        })
    }

    /// The joins and leaves that a peer has not read yet.
    pub fn unread_events(&mut self) -> Result<Vec<Content>, Malformed> {
        self.list(|list| {
            let event = list.next::<Vec<u8>>()?;
            let (kind, bytes) = event.split_first().ok_or(Malformed)?;
            let card = Arc::new(card(bytes)?);
            Ok(match kind {
                b'j' => Content::PeerJoined(card),
                _ => Content::PeerLeft { peer: card, reason: LeaveReason::Left },
            })
        })
    }

    /// The entries of a mailbox up to a cursor. Each has two named fields, the header and the body.
    pub fn messages(&mut self, cursor: Seq) -> Result<Vec<Message>, Malformed> {
        self.list(|list| {
            let following = list.0.len() as u64 - 1;
            let seq = cursor.get().checked_sub(following).and_then(Seq::new).ok_or(Malformed)?;
            let [_, header, _, body] = list.next::<[Vec<u8>; 4]>()?;
            message(seq, &header, body)
        })
    }
}

fn message(seq: Seq, header: &[u8], body: Vec<u8>) -> Result<Message, Malformed> {
    let (kind, rest) = header.split_first().ok_or(Malformed)?;
    let (since, rest) = rest.split_first_chunk().ok_or(Malformed)?;
    let from = rest.get(8..).ok_or(Malformed)?;
    let content = match kind {
        b'r' => {
            let payload = Payload::new(String::from_utf8(body).map_err(|_| Malformed)?);
            Content::Relayed { from: peer_id(from)?, payload }
        }
        b'j' => Content::PeerJoined(Arc::new(card(&body)?)),
        b'l' => {
            let (reason, bytes) = body.split_first().ok_or(Malformed)?;
            Content::PeerLeft { peer: Arc::new(card(bytes)?), reason: leave_reason(*reason)? }
        }
        b'c' => Content::RoomClosed,
        _ => return Err(Malformed),
    };
    Ok(Message { seq, since: Timestamp::from_micros(u64::from_be_bytes(*since)), content })
}

fn seat(list: &mut Values, now: Timestamp) -> Result<Seat, Malformed> {
    let (ends, held_until, leaving) = list.next()?;
    let [ends, held_until] = [ends, held_until].map(Timestamp::from_micros);
    Ok(Seat { frees_in: Lease::stored(ends, held_until, leaving).frees_in(now) })
}

fn room_change(text: &[u8]) -> Option<RoomChange> {
    let (kind, source) = text.split_first()?;
    let source = match source.as_chunks::<8>().0 {
        [address, network] => {
            Some(Source { address: u64::from_be_bytes(*address), network: u64::from_be_bytes(*network) })
        }
        _ => None,
    };
    matches!(kind, b'm' | b'g').then_some(RoomChange { created: *kind == b'm', source })
}

fn lifecycle_event(room: &str, text: &[u8]) -> Result<LifecycleEvent, Malformed> {
    let (kind, id) = text.split_first().ok_or(Malformed)?;
    let change = match kind {
        b'm' => Change::RoomMade,
        b'j' => Change::PeerJoined(peer_id(id)?),
        b'r' => Change::PeerResumed(peer_id(id)?),
        b'c' => Change::RoomClosed,
        b'g' => Change::RoomGone,
        reason => Change::PeerLeft(peer_id(id)?, leave_reason(*reason)?),
    };
    Ok(LifecycleEvent { room: RoomName::parse(room).ok_or(Malformed)?, change })
}

fn leave_reason(letter: u8) -> Result<LeaveReason, Malformed> {
    match letter {
        b'l' => Ok(LeaveReason::Left),
        b'e' => Ok(LeaveReason::Expired),
        b'k' => Ok(LeaveReason::Kicked),
        _ => Err(Malformed),
    }
}

fn peer_id(bytes: &[u8]) -> Result<PeerId, Malformed> {
    bytes.try_into().map(PeerId::from_bytes).map_err(|_| Malformed)
}

/// Concatenated ids.
pub fn ids_in(bytes: &[u8]) -> impl Iterator<Item = PeerId> {
    bytes.as_chunks::<16>().0.iter().map(|id| PeerId::from_bytes(*id))
}

/// Concatenated ids, each with the number of its message.
pub fn positions_in(bytes: &[u8]) -> Vec<(PeerId, Seq)> {
    let position = |bytes: &[u8; 24]| {
        let (id, seq) = bytes.split_first_chunk()?;
        Some((PeerId::from_bytes(*id), Seq::new(u64::from_be_bytes(seq.try_into().ok()?))?))
    };
    bytes.as_chunks::<24>().0.iter().filter_map(position).collect()
}

/// A card without its order, which the script puts in front: the id, the length of the name, the name, the metadata.
pub fn encode_card(id: PeerId, name: &Name, metadata: &Metadata) -> Vec<u8> {
    let name = name.as_str().as_bytes();
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes();
    [id.as_bytes(), &length[..], name, metadata.as_str().as_bytes()].concat()
}

fn card(bytes: &[u8]) -> Result<Card, Malformed> {
    let colon = bytes.iter().position(|byte| *byte == b':').ok_or(Malformed)?;
    let (id, rest) = bytes[colon + 1..].split_first_chunk().ok_or(Malformed)?;
    let (length, rest) = rest.split_first_chunk().ok_or(Malformed)?;
    let (name, metadata) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or(Malformed)?;
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Malformed);
    Ok(Card {
        id: PeerId::from_bytes(*id),
        name: Name::parse(text(name)?).ok_or(Malformed)?,
        metadata: Metadata::new(text(metadata)?),
        order: text(&bytes[..colon])?.parse().map_err(|_| Malformed)?,
    })
}

/// What the script is to return if the room would have to be created.
pub fn verdict(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::TicketMissing => "TicketMissing",
        Refusal::MayNotCreate => "MayNotCreate",
        Refusal::CapacityInvalid { .. } => "CapacityInvalid",
        Refusal::MemoryExhausted => "MemoryExhausted",
        _ => "RoomsExhausted",
    }
}

/// The unit of time in scripts.
pub fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}
