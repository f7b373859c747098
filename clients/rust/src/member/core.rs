//! What the tasks of a room and its handles share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value};
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

use super::ice::Ice;
use super::membership;
use super::outbox::{Letter, Outbox};
use super::pump;
use super::queue::Producer;
use super::roster::Roster;
use super::session::{Joined, Session};
use crate::wire::http::Request;
use crate::wire::stale::Batch;
use crate::{Ending, Error, Event, Seat, Sent, State};

/// How long leaving may wait for messages that are still queued: a bad connection needs some attempts.
const FLUSH: Duration = Duration::from_secs(10);

pub(crate) struct Core {
    pub(crate) session: Session,
    pub(crate) ice: Ice,
    pub(crate) lease: Duration,
    /// True while the seat is held.
    pub(crate) seated: watch::Sender<bool>,
    /// Locked before the roster, never after.
    outbox: Mutex<Outbox>,
    /// Something was put into the outbox.
    pub(crate) more: Notify,
    /// It may be empty now.
    pub(crate) sent: Notify,
    roster: Mutex<Roster>,
    state: Mutex<State>,
    events: Producer,
    stopped: watch::Sender<bool>,
}

impl Core {
    pub(crate) fn start(session: Session, joined: &Joined, roster: Roster, events: Producer) -> Arc<Self> {
        let core = Arc::new(Self {
            session,
            ice: Ice::default(),
            lease: Duration::from_millis(joined.lease_ms),
            seated: watch::Sender::new(true),
            outbox: Mutex::default(),
            more: Notify::new(),
            sent: Notify::new(),
            roster: Mutex::new(roster),
            state: Mutex::new(State::Connected),
            events,
            stopped: watch::Sender::new(false),
        });
        core.equip(joined.ice_servers.clone(), joined.ice_ttl_s);
        let troubles = core.roster().troubles();
        core.tell(troubles);
        let wait_max = Duration::from_millis(joined.wait_max_ms);
        core.clone().spawn(membership::keep(core.clone(), wait_max));
        core.clone().spawn(pump::run(core.clone()));
        core
    }

    /// Runs until the room is over, or nobody has it any more.
    pub(crate) fn spawn(self: Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.stopped.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => {}
                () = work => {}
            }
        });
    }

    /// Ends the tasks. The server is not told.
    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    pub(crate) fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked_state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state(&self) -> State {
        *self.locked_state()
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state(), State::Ended(_))
    }

    pub(crate) fn tell(&self, events: impl IntoIterator<Item = Event>) {
        self.events.put(events);
    }

    pub(crate) async fn has_room(&self, limit: Duration) -> bool {
        self.events.has_room(limit).await
    }

    /// False if it was so before, or the room is over.
    pub(crate) fn changed(&self, state: State, error: Option<Error>) -> bool {
        let mut known = self.locked_state();
        let changes = *known != state && !matches!(*known, State::Ended(_));
        if changes {
            *known = state;
            self.tell([Event::State { state, error }]);
        }
        changes
    }

    /// The seat was taken again.
    pub(crate) fn entered(self: &Arc<Self>, joined: &Joined) {
        self.equip(joined.ice_servers.clone(), joined.ice_ttl_s);
        let mut roster = self.roster();
        let events = roster.returned(joined, Instant::now());
        let renamed = events.iter().any(|event| matches!(event, Event::Resumed { renamed: true, .. }));
        self.tell(events);
        self.tell(roster.troubles());
        drop(roster);
        if renamed {
            self.outbox().reseal(|letter| self.encode(letter));
        }
    }

    pub(crate) async fn received(self: &Arc<Self>, batch: Batch) {
        let arrives =
            batch.messages.iter().any(|message| message.get("type").is_some_and(|kind| kind == "peer-joined"));
        if arrives {
            // Nobody is heard until the connection with them can have a relay.
            self.complete_ice().await;
        }
        let events = self.roster().received(batch);
        let closed = events.iter().any(|event| matches!(event, Event::RoomClosed));
        self.tell(events);
        if closed {
            self.end(Ending::Closed, None, false);
        }
    }

    /// Queues a message. Its place and its number are taken together.
    pub(crate) fn send(&self, letter: Letter) -> Result<oneshot::Receiver<Result<Sent, Error>>, Error> {
        let waiting = self.outbox().put(letter, |letter| self.encode(letter))?;
        self.more.notify_one();
        Ok(waiting)
    }

    fn encode(&self, letter: &Letter) -> Result<String, Error> {
        let mut members = match self.sealed(letter)? {
            Some(members) => members,
            None => letter.members()?,
        };
        if let Some(to) = &letter.to {
            members.insert("to".to_owned(), to.as_str().into());
        }
        Ok(Value::Object(members).to_string())
    }

    /// None if the room is not sealed.
    #[cfg(feature = "sealed")]
    fn sealed(&self, Letter { to, signal, more }: &Letter) -> Result<Option<Map<String, Value>>, Error> {
        let mut roster = self.roster();
        let me = roster.me.id.clone();
        let Some(sealing) = &mut roster.sealing else { return Ok(None) };
        if let Some(name) = more.keys().next() {
            return Err(Error::invalid(format!("In a sealed room no message has {name:?}: the server could read it.")));
        }
        sealing.seal(&me, to.as_deref(), signal).map(Some)
    }

    #[cfg(not(feature = "sealed"))]
    fn sealed(&self, _: &Letter) -> Result<Option<Map<String, Value>>, Error> {
        Ok(None)
    }

    /// Sends what is queued, for ten seconds at most, gives up the seat and tells the others.
    pub(crate) async fn leave(&self) {
        if self.is_over() {
            return;
        }
        // Joining again before this is done makes a new peer.
        self.session.unkeep();
        let flushed = async {
            while !self.outbox().is_empty() {
                self.sent.notified().await;
            }
        };
        let _ = tokio::time::timeout(FLUSH, flushed).await;
        let seat = self.session.seat();
        if self.end(Ending::Closed, None, false)
            && let Some(seat) = seat
        {
            self.session.say_goodbye(seat).await;
        }
    }

    /// Ends the room for all.
    pub(crate) async fn close(&self) -> Result<(), Error> {
        let token = self.session.seat().and_then(|seat| seat.room_token);
        let mut request = Request::new(Method::DELETE, self.session.at.room());
        request.token = Some(token.ok_or_else(|| Error::invalid("Only the creator of a room can close it."))?);
        self.session.persist(&request).await.map(drop)
    }

    /// Ends here and keeps the seat for its lease.
    pub(crate) fn detach(&self) -> Option<Seat> {
        let seat = self.session.seat();
        self.end(Ending::Closed, None, true);
        seat
    }

    /// False if it had ended before.
    pub(crate) fn end(&self, ending: Ending, error: Option<Error>, keep: bool) -> bool {
        if !self.changed(State::Ended(ending), error) {
            return false;
        }
        self.outbox().end(ending);
        // What another process took over may be continued here, which needs the token.
        if ending != Ending::Superseded && !keep {
            self.session.unkeep();
        }
        self.events.end();
        self.stop();
        true
    }
}
