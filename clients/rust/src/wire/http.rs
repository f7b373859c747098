//! Sends single requests. Nothing else in this crate uses reqwest to send.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method};
use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::{self, Answer};
use crate::{Error, Silence};

const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
    /// JSON, already as bytes: a retry must send the same bytes.
    pub(crate) body: Option<Vec<u8>>,
    /// `Idempotency-Key`
    pub(crate) key: Option<String>,
    /// `Last-Event-ID`
    pub(crate) cursor: Option<u64>,
    /// A member that the response must have to be the server's.
    pub(crate) expects: Option<&'static str>,
    pub(crate) timeout: Duration,
}

impl Request {
    pub(crate) fn new(method: Method, url: String) -> Self {
        Self { method, url, token: None, body: None, key: None, cursor: None, expects: None, timeout: TIMEOUT }
    }
}

#[derive(Debug)]
pub(crate) enum Failure {
    Failed(Error),
    /// A later request timed out, so this one would not be answered either. It can be sent again at once.
    Doubted,
}

/// When a request times out, those sent before it on the same network are given up as well.
#[derive(Debug)]
pub(crate) struct Http {
    client: Client,
    /// When the latest request that timed out was sent.
    doubted: watch::Sender<Option<Instant>>,
}

impl Http {
    /// `roots`: certificates in PEM that are trusted besides the system's, if there is no client of the program's.
    pub(crate) fn new(client: Option<Client>, roots: &[u8]) -> Result<Self, Error> {
        let client = client.map_or_else(|| default_client(roots), Ok)?;
        Ok(Self { client, doubted: watch::Sender::new(None) })
    }

    pub(crate) async fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let sent = Instant::now();
        let mut doubted = self.doubted.subscribe();
        let answered = tokio::select! {
            biased;
            answered = tokio::time::timeout(request.timeout, self.exchange(request)) => answered,
            Ok(_) = doubted.wait_for(|since| since.is_some_and(|since| sent <= since)) => return Err(Failure::Doubted),
        };
        match answered {
            Ok(answered) => answered.map_err(Failure::Failed),
            Err(_) => {
                self.doubted.send_modify(|since| *since = (*since).max(Some(sent)));
                Err(Failure::Failed(Error::silence(Silence::Timeout)))
            }
        }
    }

    /// Sends it until it is answered or fails by itself.
    pub(crate) async fn ask(&self, request: &Request) -> Result<Answer, Error> {
        loop {
            match self.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Failed(error)) => return Err(error),
                Err(Failure::Doubted) => {}
            }
        }
    }

    async fn exchange(&self, request: &Request) -> Result<Answer, Error> {
        let mut sending = self.client.request(request.method.clone(), &request.url).header(ACCEPT, "application/json");
        if let Some(token) = &request.token {
            sending = sending.bearer_auth(token);
        }
        if let Some(body) = &request.body {
            sending = sending.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(key) = &request.key {
            sending = sending.header("idempotency-key", key);
        }
        if let Some(cursor) = request.cursor {
            sending = sending.header("last-event-id", cursor);
        }
        let response = sending.send().await.map_err(answer::network)?;
        answer::read(response, request.expects).await
    }
}

/// HTTP/1.1, where giving up a request closes its connection: over HTTP/2 the next one would use a connection that is dead.
#[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "without TLS there are no certificates"))]
fn default_client(roots: &[u8]) -> Result<Client, Error> {
    let builder = Client::builder().http1_only();
    #[cfg(feature = "tls")]
    let builder = builder.tls_backend_preconfigured(super::tls::config(roots)?);
    builder.build().map_err(|error| Error::invalid(format!("No HTTP client can be made: {error}.")))
}
