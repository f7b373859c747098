//! Shorthand for calls to an [`Engine`], mostly in a room named `r`.

use std::{
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use signalpost::{
    domain::{
        Batch, CreatorId, Identity, Joined, Metadata, Name, Page, Payload, PeerId, Post, Refusal, Rights, RoomName,
        Seq, Source, Target, Visitor,
    },
    engine::{Engine, PollRequest},
};

pub fn room(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

pub fn id(number: u8) -> PeerId {
    PeerId::from_bytes([number; 16])
}

pub fn visitor(number: u8) -> Visitor {
    Visitor {
        identity: Identity::New(id(number)),
        name: Name::default(),
        metadata: Metadata::default(),
        secret: None,
        capacity: Some(16),
        creator: CreatorId::from_bytes([number; 16]),
        keyed: None,
        page: None,
        rights: Rights::OPEN,
        subject: None,
        source: Source::default(),
    }
}

pub async fn join(engine: &Engine, number: u8) -> Joined {
    engine.join(&room("r"), visitor(number)).await.unwrap()
}

pub fn text(to: u8, text: &str) -> Post {
    Post { targets: vec![Target { to: Some(id(to)), payload: Payload::new(text) }], keyed: None }
}

pub async fn receive(engine: &Engine, number: u8, after: u64, hold: u64) -> Result<Batch, Refusal> {
    engine.receive(&room("r"), id(number), asked(after, None), Duration::from_secs(hold)).await
}

pub fn asked(after: u64, page: Option<u64>) -> PollRequest {
    PollRequest { after: Seq::new(after), page: page.map(Page) }
}

/// Polls once; true if it is pending.
pub fn is_pending<F: Future>(future: &mut Pin<Box<F>>) -> bool {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending()
}
