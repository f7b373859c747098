//! A room as one member sees it.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use serde_json::{Map, Value};
use tokio::sync::oneshot;

use crate::member::core::Core;
use crate::member::outbox::Letter;
use crate::member::queue::Consumer;
use crate::{Ending, Error, Event, IceServer, Peer, Seat, Sent, Signal, State, Trouble};

/// A handle of a room, made by [`join`](crate::join()). Clone it for other tasks.
///
/// The seat is kept until [`leave`](Self::leave), or until all handles and the [`Events`] are dropped. Then this process says nothing to the
/// server any more, as if it had crashed: messages that are queued are not sent, and the seat ends with its lease.
#[derive(Clone)]
pub struct Room {
    held: Arc<Held>,
}

/// Dropped with the last handle.
pub(crate) struct Held {
    core: Arc<Core>,
    name: String,
    created: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.core.stop();
    }
}

impl Room {
    pub(crate) fn new(core: Arc<Core>, name: String, created: bool, events: Consumer) -> (Self, Events) {
        let held = Arc::new(Held { core, name, created });
        (Self { held: held.clone() }, Events { consumer: events, _held: held })
    }

    fn core(&self) -> &Arc<Core> {
        &self.held.core
    }

    /// The room's name.
    pub fn name(&self) -> &str {
        &self.held.name
    }

    /// Whether this join created the room.
    pub fn created(&self) -> bool {
        self.held.created
    }

    /// This member.
    pub fn me(&self) -> Arc<Peer> {
        self.core().roster().me.clone()
    }

    /// The other members, in the order in which they joined.
    pub fn peers(&self) -> Vec<Arc<Peer>> {
        self.core().roster().peers()
    }

    /// Another member, by its id.
    pub fn peer(&self, id: &str) -> Option<Arc<Peer>> {
        self.core().roster().peer(id).cloned()
    }

    /// The connection with the server.
    pub fn state(&self) -> State {
        self.core().state()
    }

    /// With this, the next process can return to the same seat: [`Join::seat`](crate::Join::seat). `None` if the server has taken it away.
    pub fn seat(&self) -> Option<Seat> {
        self.core().session.seat()
    }

    /// For the connections of a call. They are renewed in time: see [`Event::IceServers`].
    pub fn ice_servers(&self) -> Vec<IceServer> {
        self.core().ice.servers()
    }

    /// What the others need to be in this sealed room; `None` if it is not sealed.
    #[cfg(feature = "sealed")]
    pub fn key(&self) -> Option<crate::RoomKey> {
        self.core().roster().sealing.as_ref().map(|sealing| sealing.key.clone())
    }

    /// What peers of a sealed room lack, by id.
    pub fn troubles(&self) -> HashMap<String, Trouble> {
        self.core().roster().all_troubles()
    }

    /// Puts a message into the mailbox of a peer, by its id.
    ///
    /// It is queued by this call, and messages to one peer arrive in the order of these calls. The future tells when the server has
    /// accepted it: [`Error::Problem`] if it never will, [`Error::Ended`] if the room ended before. Dropping the future changes nothing: the message is
    /// sent once all the same.
    ///
    /// While the server is away, or the peer's mailbox is full, messages wait. If 50,000 messages or 16 MiB wait, further ones are not
    /// queued: their futures give [`Error::Backlog`] at once. A program that sends much awaits the earlier ones.
    ///
    /// ```no_run
    /// # async fn example(room: signalpost_client::Room, peer: &str) -> Result<(), signalpost_client::Error> {
    /// use signalpost_client::Signal;
    ///
    /// let offer = room.send(peer, Signal::Offer("v=0…".to_owned()));
    /// drop(room.send(peer, Signal::Candidate(None))); // after the offer
    /// println!("accepted as number {:?}", offer.await?.seq);
    /// # Ok(())
    /// # }
    /// ```
    pub fn send(&self, to: &str, signal: Signal) -> Delivery {
        self.send_with(Some(to), signal, Map::new())
    }

    /// Puts a message into the mailboxes of all other members.
    pub fn send_to_all(&self, signal: Signal) -> Delivery {
        self.send_with(None, signal, Map::new())
    }

    /// As [`send`](Self::send), or to all, with further members, which the server passes on as they are: at most 15. There are none in a sealed
    /// room, because the server could read them.
    pub fn send_with(&self, to: Option<&str>, signal: Signal, more: Map<String, Value>) -> Delivery {
        let letter = Letter { to: to.map(str::to_owned), signal, more };
        Delivery(self.core().send(letter).map_err(Some))
    }

    /// Sends what is queued, for ten seconds at most, gives up the seat and tells the others. It continues if this future is dropped.
    pub async fn leave(&self) {
        let room = self.clone();
        // It fails only if the runtime ends.
        let _ = tokio::spawn(async move { room.core().leave().await }).await;
    }

    /// Ends here and keeps the seat for its lease, so that the next process can return to it. What is queued is not sent.
    pub fn detach(&self) -> Option<Seat> {
        self.core().detach()
    }

    /// Ends the room for all. Only its creator can. If this future is dropped, the room may have ended or not.
    ///
    /// # Errors
    ///
    /// If this member did not create it, or if the server refuses.
    pub async fn close(&self) -> Result<(), Error> {
        self.core().close().await
    }
}

impl fmt::Debug for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Room").field("name", &self.held.name).field("state", &self.state()).finish_non_exhaustive()
    }
}

/// What happens in a room, in order, until it ends. The last event is the [`Event::State`] with the [`Ending`]. A [`Stream`].
///
/// A message is acknowledged after it was put into this queue. A program that is 1,000 events behind reads no more from the server, which
/// then holds back the senders; the seat is kept. So do read them, or drop this: then they are discarded.
pub struct Events {
    consumer: Consumer,
    _held: Arc<Held>,
}

impl Events {
    /// The next event; `None` after the last. Dropping this future loses no event, so it may be used in `tokio::select!`.
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| self.consumer.poll_next(context)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.consumer.poll_next(context)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// Tells when the server has accepted a message. See [`Room::send`].
#[derive(Debug)]
#[must_use = "it tells whether the message was accepted; `drop` it if that does not matter"]
pub struct Delivery(Result<oneshot::Receiver<Result<Sent, Error>>, Option<Error>>);

impl Delivery {
    /// Whether it was queued, whatever becomes of it.
    #[cfg(feature = "matchbox")]
    pub(crate) fn queued(self) -> Result<(), Error> {
        match self.0 {
            Ok(_) => Ok(()),
            Err(error) => Err(error.unwrap_or(Error::Ended(Ending::Closed))),
        }
    }
}

impl Future for Delivery {
    type Output = Result<Sent, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // All handles were dropped.
            Ok(waiting) => {
                Pin::new(waiting).poll(context).map(|said| said.unwrap_or(Err(Error::Ended(Ending::Closed))))
            }
            Err(error) => Poll::Ready(Err(error.take().unwrap_or(Error::Ended(Ending::Closed)))),
        }
    }
}
