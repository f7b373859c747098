//! The room's ICE servers. Their credentials are renewed halfway through their lifetime.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::watch;

use super::core::Core;
use crate::wire::backoff::retry_delay;
use crate::wire::http::Request;
use crate::{Error, Event, IceServer, Silence};

/// After a refusal without `Retry-After`.
const REFUSED: Duration = Duration::from_secs(60);
const SHORTEST: Duration = Duration::from_secs(5);
/// How long an arrival may wait for the TURN credentials of the call with it.
const EQUIP: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub(crate) struct Ice {
    known: Mutex<Known>,
    /// Grows whenever servers are set. What a renewal asked for before is then out of date, and it ends.
    round: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Known {
    servers: Vec<IceServer>,
    is_set: bool,
    /// The server gives no TURN credentials to a peer that is alone.
    withheld: bool,
}

#[derive(Deserialize)]
struct Servers {
    ice_servers: Vec<IceServer>,
    ttl_s: Option<f64>,
}

impl Ice {
    pub(crate) fn servers(&self) -> Vec<IceServer> {
        self.known().servers.clone()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Core {
    /// Their lifetime counts from now: the expiry in the user name is by the server's clock, which may differ.
    pub(crate) fn equip(self: &Arc<Self>, servers: Vec<IceServer>, ttl_s: Option<f64>) {
        let mut known = self.ice.known();
        known.withheld = ttl_s == Some(0.0);
        // Those from before are perhaps still valid.
        if !known.withheld || known.servers.is_empty() {
            known.servers = servers;
        }
        if known.is_set {
            self.tell([Event::IceServers(known.servers.clone())]);
        }
        known.is_set = true;
        drop(known);
        self.ice.round.send_modify(|round| *round += 1);
        if let Some(ttl_s) = ttl_s.filter(|ttl_s| *ttl_s > 0.0) {
            self.renew_after(Duration::try_from_secs_f64(ttl_s / 2.0).unwrap_or(Duration::MAX).max(SHORTEST));
        }
    }

    /// Gets what was withheld, now that somebody is there.
    pub(crate) async fn complete_ice(self: &Arc<Self>) {
        if !std::mem::take(&mut self.ice.known().withheld) {
            return;
        }
        let mut round = self.ice.round.subscribe();
        let before = *round.borrow_and_update();
        self.renew_after(Duration::ZERO);
        let _ = tokio::time::timeout(EQUIP, round.wait_for(|round| *round > before)).await;
    }

    fn renew_after(self: &Arc<Self>, delay: Duration) {
        let core = self.clone();
        let mut round = core.ice.round.subscribe();
        let before = *round.borrow_and_update();
        self.clone().spawn(async move {
            let renewed = tokio::select! {
                renewed = renew(&core, delay) => renewed,
                _ = round.wait_for(|round| *round != before) => return,
            };
            core.equip(renewed.ice_servers, renewed.ttl_s);
        });
    }
}

async fn renew(core: &Core, mut delay: Duration) -> Servers {
    let mut failures = 0;
    loop {
        tokio::time::sleep(delay).await;
        match ask(core).await {
            Ok(servers) => return servers,
            Err(error) => delay = retry_delay(&error, failures).unwrap_or(REFUSED).max(SHORTEST),
        }
        failures += 1;
    }
}

async fn ask(core: &Core) -> Result<Servers, Error> {
    let seat = core.session.seat().ok_or_else(|| Error::silence(Silence::Foreign))?;
    let mut request = Request::new(Method::GET, core.session.at.ice_servers(&seat.peer));
    request.token = Some(seat.token);
    request.expects = Some("ice_servers");
    let answer = core.session.http.ask(&request).await?;
    serde_json::from_value(answer.body).map_err(|_| Error::silence(Silence::Foreign))
}
