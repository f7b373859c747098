//! Signaling for games with [`matchbox_socket`], over HTTP.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use matchbox_socket::WebRtcSocketBuilder;
//! use signalpost_client::matchbox::Signalpost;
//!
//! // The server's URL, and the name of the room.
//! let (socket, running) = WebRtcSocketBuilder::new("http://127.0.0.1:8080/tea")
//!     .signaller_builder(Arc::new(Signalpost::new().with(|join| join.capacity(8))))
//!     .add_reliable_channel()
//!     .build();
//! ```
//!
//! The peer that joined later offers. It takes a Tokio runtime.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use matchbox_socket::{PeerEvent, PeerId, PeerRequest, PeerSignal, SignalingError, Signaller, SignallerBuilder};
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::signal::member_of;
use crate::{Error, Event, Events, Join, Message, Room, Signal, join};

type Configure = dyn Fn(Join) -> Join + Send + Sync;

/// Makes a [`Signaller`] for each socket.
#[derive(Clone)]
pub struct Signalpost {
    configure: Arc<Configure>,
}

impl Signalpost {
    /// With the defaults of [`join`].
    pub fn new() -> Self {
        Self { configure: Arc::new(|join| join) }
    }

    /// With a secret, a key, a number of seats, … It is called for each attempt to connect.
    pub fn with(self, configure: impl Fn(Join) -> Join + Send + Sync + 'static) -> Self {
        Self { configure: Arc::new(configure) }
    }
}

impl Default for Signalpost {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Signalpost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signalpost").finish_non_exhaustive()
    }
}

#[async_trait]
impl SignallerBuilder for Signalpost {
    async fn new_signaller(&self, attempts: Option<u16>, url: String) -> Result<Box<dyn Signaller>, SignalingError> {
        // The link to a room would become its name, which the server is told, with its key.
        if url.contains(['?', '#']) {
            return Err(failed("the URL has a query or a fragment, as the link to a room has"));
        }
        let (base, room) = url.rsplit_once('/').ok_or_else(|| failed("a URL and the name of a room are needed"))?;
        let (enough, mut exhausted) = mpsc::unbounded_channel();
        let joining = (self.configure)(join(base, room)).on_retry(move |error, failures, _| {
            if attempts.is_some_and(|attempts| failures >= u32::from(attempts)) {
                let _ = enough.send(failed(error));
            }
        });
        let (room, events) = tokio::select! {
            biased;
            joined = joining.into_future() => joined.map_err(failed)?,
            Some(error) = exhausted.recv() => return Err(SignalingError::NegotiationFailed(Box::new(error))),
        };
        // `NewPeer` asks for an offer, so it is said only of those who were here before.
        let others = room.peers().into_iter().map(|peer| peer_id(&peer.id).map(PeerEvent::NewPeer));
        let queued =
            [peer_id(&room.me().id).map(PeerEvent::IdAssigned)].into_iter().chain(others).collect::<Result<_, _>>()?;
        Ok(Box::new(Seated { room, events, queued }))
    }
}

struct Seated {
    room: Room,
    events: Events,
    queued: VecDeque<PeerEvent>,
}

impl Drop for Seated {
    /// So that the others are told at once.
    fn drop(&mut self) {
        let room = self.room.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { room.leave().await });
        }
    }
}

#[async_trait]
impl Signaller for Seated {
    /// An error here would end the socket's signaling, so one about a peer that has just left is none. One that was not queued would be missing, which
    /// is one. A keep-alive is not needed: the poll is one.
    async fn send(&mut self, request: PeerRequest) -> Result<(), SignalingError> {
        if let PeerRequest::Signal { receiver, data } = request {
            self.room.send(&receiver.to_string(), from_matchbox(data)?).queued().map_err(failed)?;
        }
        Ok(())
    }

    /// Dropped half-way whenever there is something to send, which loses nothing.
    async fn next_message(&mut self) -> Result<PeerEvent, SignalingError> {
        loop {
            if let Some(event) = self.queued.pop_front() {
                return Ok(event);
            }
            let event = self.events.next().await.ok_or(SignalingError::StreamExhausted)?;
            self.queued.extend(to_matchbox(event)?);
        }
    }
}

fn to_matchbox(event: Event) -> Result<Option<PeerEvent>, SignalingError> {
    match event {
        Event::Message(Message { from, signal, .. }) => {
            let sender = peer_id(&from)?;
            let data = match signal {
                Signal::Offer(sdp) => PeerSignal::Offer(sdp),
                Signal::Answer(sdp) => PeerSignal::Answer(sdp),
                // `null` is its word, too, for the end of candidates.
                Signal::Candidate(_) => PeerSignal::IceCandidate(signal.content().map_err(failed)?),
                Signal::Bye(_) => return Ok(Some(PeerEvent::PeerLeft(sender))),
                Signal::Data(_) => return Ok(None),
            };
            Ok(Some(PeerEvent::Signal { sender, data }))
        }
        Event::PeerLeft { peer, .. } => peer_id(&peer.id).map(PeerEvent::PeerLeft).map(Some),
        // A socket has one id for its life.
        Event::Resumed { renamed: true, .. } => Err(failed("the server has forgotten this peer")),
        _ => Ok(None),
    }
}

fn from_matchbox(data: PeerSignal) -> Result<Signal, SignalingError> {
    let (kind, content) = match data {
        PeerSignal::Offer(sdp) => ("offer", sdp.into()),
        PeerSignal::Answer(sdp) => ("answer", sdp.into()),
        PeerSignal::IceCandidate(text) => ("candidate", serde_json::from_str::<Value>(&text).map_err(failed)?),
    };
    debug_assert!(member_of(kind).is_some());
    Signal::from_content(kind, content).ok_or_else(|| failed(Error::invalid("a candidate is an object")))
}

fn peer_id(id: &str) -> Result<PeerId, SignalingError> {
    Uuid::parse_str(id).map(PeerId).map_err(failed)
}

fn failed(error: impl fmt::Display) -> SignalingError {
    SignalingError::UserImplementationError(error.to_string())
}
