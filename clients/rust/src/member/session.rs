//! This process's identity in the room: takes the seat, takes it again, and sends requests with its token.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::watch;
use uuid::Uuid;

use crate::seat::SeatFile;
use crate::wire::answer::Answer;
use crate::wire::backoff::retry_delay;
use crate::wire::endpoints::Endpoints;
use crate::wire::http::{Http, Request};
use crate::{Error, IceServer, Peer, Seat, Silence};

/// After one of these there is no seat to come back to.
const UNSEATED: [&str; 3] = ["kicked", "room-closed", "token-invalid"];

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) http: Http,
    pub(crate) at: Endpoints,
    /// The body of each join.
    wishes: Vec<u8>,
    file: Option<SeatFile>,
    seat: Mutex<Option<Seat>>,
}

/// The response to a join.
#[derive(Debug, Deserialize)]
pub(crate) struct Joined {
    pub(crate) room: String,
    pub(crate) created: bool,
    pub(crate) peer: Peer,
    token: String,
    room_token: Option<String>,
    pub(crate) cursor: u64,
    pub(crate) latest: u64,
    pub(crate) peers: Vec<Peer>,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) ice_ttl_s: Option<f64>,
    pub(crate) lease_ms: u64,
    pub(crate) wait_max_ms: u64,
    /// Seat, mailbox and cursor are the same as before.
    #[serde(skip)]
    pub(crate) resumed: bool,
}

/// What joining does after an error.
pub(crate) struct Patience<'a> {
    /// How long to wait after an error, the number of errors before it given. None: give up.
    pub(crate) delay_of: &'a mut (dyn FnMut(&Error, u32) -> Option<Duration> + Send),
    /// Ends when nobody wants to join any more. Then no pause is sat out.
    pub(crate) wanted: Option<watch::Receiver<()>>,
}

impl Patience<'_> {
    async fn pause(&mut self, error: Error, failures: u32) -> Result<(), Error> {
        let Some(delay) = (self.delay_of)(&error, failures) else { return Err(error) };
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            () = unwanted(&mut self.wanted) => Err(error),
        }
    }
}

async fn unwanted(wanted: &mut Option<watch::Receiver<()>>) {
    match wanted {
        Some(wanted) => while wanted.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}

impl Session {
    pub(crate) fn new(http: Http, at: Endpoints, wishes: Vec<u8>, seat: Option<Seat>, file: Option<SeatFile>) -> Self {
        let seat = seat.or_else(|| file.as_ref().and_then(SeatFile::load));
        Self { http, at, wishes, file, seat: Mutex::new(seat) }
    }

    pub(crate) fn seat(&self) -> Option<Seat> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Option<Seat>> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins: with the kept seat, if any, and as a new peer if the server does not recognise it.
    pub(crate) async fn enter(&self, mut patience: Patience<'_>) -> Result<Joined, Error> {
        let back = self.held().is_some();
        let entered = self.join(&mut patience).await;
        let Some(slug) = entered.as_ref().err().and_then(Error::slug).filter(|slug| UNSEATED.contains(slug)) else {
            return entered;
        };
        let again = back && slug == "token-invalid";
        self.forget();
        if again { self.join(&mut patience).await } else { entered }
    }

    async fn join(&self, patience: &mut Patience<'_>) -> Result<Joined, Error> {
        let mut request = Request::new(Method::POST, self.at.join());
        request.token = self.held().as_ref().map(|seat| seat.token.clone());
        request.body = Some(self.wishes.clone());
        request.key = Some(Uuid::new_v4().to_string());
        request.expects = Some("token");
        let mut failures = 0;
        loop {
            let error = match self.http.ask(&request).await.and_then(read_joined) {
                Ok(joined) => {
                    self.take(&joined);
                    return Ok(joined);
                }
                Err(error) => error,
            };
            patience.pause(error, failures).await?;
            failures += 1;
        }
    }

    fn take(&self, joined: &Joined) {
        let mut held = self.held();
        let room_token = joined.room_token.clone().or_else(|| held.take().and_then(|seat| seat.room_token));
        *held = Some(Seat { peer: joined.peer.id.clone(), token: joined.token.clone(), room_token });
    }

    /// Keeps the seat for the next process, if that is wanted.
    pub(crate) fn keep(&self) -> io::Result<()> {
        match (&self.file, self.seat()) {
            (Some(file), Some(seat)) => file.save(&seat),
            _ => Ok(()),
        }
    }

    /// From now on the next process does not return to this seat.
    pub(crate) fn unkeep(&self) {
        if let (Some(file), Some(seat)) = (&self.file, self.seat()) {
            file.discard(&seat);
        }
    }

    /// Gives up the seat without telling the server.
    fn forget(&self) {
        self.unkeep();
        *self.held() = None;
    }

    /// Tells the server that this member leaves. If that is lost, the seat ends with its lease.
    pub(crate) async fn say_goodbye(&self, seat: Seat) {
        let mut request = Request::new(Method::DELETE, self.at.seat(&seat.peer));
        request.token = Some(seat.token);
        request.timeout = GOODBYE;
        let _ = self.http.ask(&request).await;
    }

    /// Repeats a request until it succeeds or is refused for good.
    pub(crate) async fn persist(&self, request: &Request) -> Result<Answer, Error> {
        let mut failures = 0;
        loop {
            let error = match self.http.ask(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(delay) = retry_delay(&error, failures) else { return Err(error) };
            failures += 1;
            tokio::time::sleep(delay).await;
        }
    }
}

/// JSON that has a token, and is not ours otherwise, is no response of the server.
fn read_joined(answer: Answer) -> Result<Joined, Error> {
    let joined: Joined = serde_json::from_value(answer.body).map_err(|_| Error::silence(Silence::Foreign))?;
    Ok(Joined { resumed: answer.status == 200, ..joined })
}
