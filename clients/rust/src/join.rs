//! Joins a room, or returns to a seat.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use crate::member::core::Core;
use crate::member::queue::queue;
use crate::member::roster::Roster;
use crate::member::session::{Joined, Patience, Session};
#[cfg(feature = "sealed")]
use crate::sealed::{RoomKey, Sealing};
use crate::seat::SeatFile;
use crate::wire::backoff::retry_delay;
use crate::wire::endpoints::Endpoints;
use crate::wire::http::Http;
use crate::{Error, Events, Room, Seat, Silence, Unreachable};

type OnRetry = Box<dyn FnMut(&Error, u32, Duration) + Send>;

/// Joins a room of a server (`https://signal.example/`), which is created if it does not exist. Its name has 1 to 64 characters of `A-Za-z0-9._~-`.
///
/// Nothing is sent before this is awaited. It retries while the server cannot be reached.
///
/// ```no_run
/// # async fn example() -> Result<(), signalpost_client::Error> {
/// let (room, events) = signalpost_client::join("https://signal.example/", "tea").name("Ann").capacity(4).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`Error::Problem`] if the server refuses (`room-full`, `secret-missing`, …), [`Error::Unreachable`] if its certificate is not accepted
/// ([`Silence::Certificate`]), and [`Error::Invalid`] if the arguments cannot be right.
///
/// # Cancel safety
///
/// If the future is dropped, no seat is left behind: a request that is under way is still awaited, in a task of its own, and if it
/// took a seat, that is given up again. A seat to which this was to return is kept.
pub fn join(base: impl Into<String>, room: impl Into<String>) -> Join {
    Join {
        base: base.into(),
        room: room.into(),
        name: None,
        metadata: None,
        others: Map::new(),
        seat: None,
        seat_file: None,
        client: None,
        roots: Vec::new(),
        on_retry: None,
        #[cfg(feature = "sealed")]
        lock: Lock::None,
    }
}

/// How to join a room; await it. Made by [`join()`].
#[must_use = "nothing is sent before it is awaited"]
pub struct Join {
    base: String,
    room: String,
    name: Option<String>,
    metadata: Option<Value>,
    others: Map<String, Value>,
    seat: Option<Seat>,
    seat_file: Option<PathBuf>,
    client: Option<reqwest::Client>,
    /// In PEM.
    roots: Vec<u8>,
    on_retry: Option<OnRetry>,
    #[cfg(feature = "sealed")]
    lock: Lock,
}

#[cfg(feature = "sealed")]
enum Lock {
    None,
    Key(RoomKey),
    Passphrase(String),
}

impl Join {
    /// Shown to the others. At most 64 characters.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// An object with further data for the others, at most 4 KiB.
    pub fn metadata(mut self, metadata: Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The room's secret.
    pub fn secret(self, secret: impl Into<String>) -> Self {
        self.with("secret", secret.into())
    }

    /// A ticket, if the server requires one.
    pub fn ticket(self, ticket: impl Into<String>) -> Self {
        self.with("ticket", ticket.into())
    }

    /// The number of seats, if this creates the room.
    pub fn capacity(self, seats: u32) -> Self {
        self.with("capacity", seats)
    }

    /// Seals the room: the server can neither read nor change what its members tell each other.
    #[cfg(feature = "sealed")]
    pub fn key(mut self, key: RoomKey) -> Self {
        self.lock = Lock::Key(key);
        self
    }

    /// Seals the room with a key made of a text on which people agree. Anybody who can guess it can read everything.
    #[cfg(feature = "sealed")]
    pub fn passphrase(mut self, passphrase: impl Into<String>) -> Self {
        self.lock = Lock::Passphrase(passphrase.into());
        self
    }

    /// Returns to the seat of an earlier process: the same peer, and the messages that came meanwhile.
    pub fn seat(mut self, seat: Seat) -> Self {
        self.seat = Some(seat);
        self
    }

    /// Keeps the seat in a file from one process to the next, until the room is left. A seat belongs to the room's key, so use a
    /// file for each.
    pub fn seat_file(mut self, path: impl AsRef<Path>) -> Self {
        self.seat_file = Some(path.as_ref().to_owned());
        self
    }

    /// Also trusts servers with this certificate, or with one that it has issued: PEM, one or several. For private certificate authorities
    /// and self-signed servers.
    #[cfg(all(feature = "tls", not(target_os = "android")))]
    pub fn root_certificate(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.extend_from_slice(pem.as_ref());
        self.roots.push(b'\n');
        self
    }

    /// A client with proxies, certificates or time-outs of your own. It should use HTTP/1.1 (`http1_only`), and not retry.
    pub fn client(mut self, client: reqwest::Client) -> Self {
        self.client = Some(client);
        self
    }

    /// Called before each retry with the error, the number of failures so far, and the pause before the next attempt.
    pub fn on_retry(mut self, call: impl FnMut(&Error, u32, Duration) + Send + 'static) -> Self {
        self.on_retry = Some(Box::new(call));
        self
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.others.insert(member.to_owned(), value.into());
        self
    }

    async fn enter(mut self) -> Result<(Room, Events), Error> {
        let at = Endpoints::new(&self.base, &self.room, Uuid::new_v4().to_string())?;
        if self.client.is_some() && !self.roots.is_empty() {
            return Err(Error::invalid(
                "`root_certificate` has no effect on a `client` of your own: give it the certificate.",
            ));
        }
        let http = Http::new(self.client.take(), &self.roots)?;
        let card = [("name", self.name.take().map(Value::from)), ("metadata", self.metadata.take())];
        let mut wishes = std::mem::take(&mut self.others);
        wishes.insert("page".to_owned(), at.page.as_str().into());
        wishes.extend(card.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?))));
        #[cfg(feature = "sealed")]
        let sealing = self.seal(&mut wishes).await?;
        let wishes = Value::Object(wishes).to_string().into_bytes();
        let file = self.seat_file.as_deref().map(SeatFile::new);
        let session = Session::new(http, at, wishes, self.seat.take(), file);
        let entering = Entering {
            session,
            on_retry: self.on_retry,
            #[cfg(feature = "sealed")]
            sealing,
        };
        entering.wanted().await
    }

    /// The server gets no name.
    #[cfg(feature = "sealed")]
    async fn seal(&mut self, wishes: &mut Map<String, Value>) -> Result<Option<Sealing>, Error> {
        let key = match std::mem::replace(&mut self.lock, Lock::None) {
            Lock::None => return Ok(None),
            Lock::Key(key) => key,
            Lock::Passphrase(passphrase) => {
                let room = self.room.clone();
                let deriving = tokio::task::spawn_blocking(move || RoomKey::from_passphrase(&passphrase, &room));
                deriving.await.map_err(|_| Error::invalid("The runtime has ended."))??
            }
        };
        let mut sealing = Sealing::new(key, &self.room);
        let name = wishes.remove("name");
        let metadata = wishes.remove("metadata").unwrap_or_else(|| Map::new().into());
        let sealed = sealing.seal_card(name.as_ref().and_then(Value::as_str).unwrap_or_default(), &metadata)?;
        wishes.insert("metadata".to_owned(), sealed);
        Ok(Some(sealing))
    }
}

struct Entering {
    session: Session,
    on_retry: Option<OnRetry>,
    #[cfg(feature = "sealed")]
    sealing: Option<Sealing>,
}

impl Entering {
    /// In a task of its own, because what is under way has to be awaited even if nobody wants it any more.
    async fn wanted(self) -> Result<(Room, Events), Error> {
        let (reply, entered) = oneshot::channel();
        let (want, wanted) = watch::channel(());
        tokio::spawn(async move {
            // What nobody takes is dropped.
            let _ = reply.send(self.enter(wanted).await);
        });
        let entered = entered.await;
        drop(want);
        entered.unwrap_or_else(|_| Err(Error::invalid("The runtime has ended."))).map(Entered::start)
    }

    async fn enter(mut self, wanted: watch::Receiver<()>) -> Result<Entered, Error> {
        let before = self.session.seat();
        let mut delay_of = |error: &Error, failures: u32| {
            // A person has to decide. (After it has joined, the certificate may be that of a captive portal, which passes.)
            if matches!(error, Error::Unreachable(Unreachable { reason: Silence::Certificate, .. })) {
                return None;
            }
            let delay = retry_delay(error, failures)?;
            if let Some(call) = &mut self.on_retry {
                call(error, failures + 1, delay);
            }
            Some(delay)
        };
        let joined = self.session.enter(Patience { delay_of: &mut delay_of, wanted: Some(wanted) }).await?;
        let returns = before.is_some_and(|seat| seat.peer == joined.peer.id);
        #[cfg(feature = "sealed")]
        let roster = Roster::new(&joined, self.sealing);
        #[cfg(not(feature = "sealed"))]
        let roster = Roster::new(&joined);
        let kept = self.session.keep();
        let entered = Entered { returns, unused: Some((self.session, joined, roster)) };
        kept.map(|()| entered).map_err(|error| Error::invalid(format!("The seat cannot be kept in its file: {error}.")))
    }
}

/// A seat that was taken. If it is dropped, it is given up, unless it was there before.
struct Entered {
    returns: bool,
    unused: Option<(Session, Joined, Roster)>,
}

impl Entered {
    #[allow(clippy::expect_used, reason = "it is consumed here")]
    fn start(mut self) -> (Room, Events) {
        let (session, joined, roster) = self.unused.take().expect("not used before");
        let (producer, consumer) = queue();
        let core = Core::start(session, &joined, roster, producer);
        Room::new(core, joined.room, joined.created, consumer)
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some((session, ..)) = self.unused.take().filter(|_| !self.returns) else { return };
        session.unkeep();
        if let (Some(seat), Ok(runtime)) = (session.seat(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move { session.say_goodbye(seat).await });
        }
    }
}

impl IntoFuture for Join {
    type Output = Result<(Room, Events), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.enter())
    }
}

impl fmt::Debug for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fragment of a link has a room's key.
        let base = self.base.split(['?', '#']).next();
        f.debug_struct("Join")
            .field("base", &base.unwrap_or_default())
            .field("room", &self.room)
            .finish_non_exhaustive()
    }
}
