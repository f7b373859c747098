//! Calls of two over TLS and HTTP/2 as our client signals them: a description and its candidates are one request. Each peer keeps its
//! connection from call to call.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::spawn_local,
    time::{sleep, timeout},
};

use super::calls::{CANDIDATES, figures};
use crate::{
    drivers::{Driver, Seat},
    http2::{Peer, Shared, block_on},
    measure::{Latencies, Outcome, Window},
    servers::{Running, Setting},
    signal::Kind,
    stage::{LAST, Task},
};

/// How many messages each peer sends.
const MESSAGES: usize = 1 + CANDIDATES;

struct Calls {
    shared: Rc<Shared>,
    durations: RefCell<Latencies>,
    is_over: Cell<bool>,
    /// Each pair reports once: its last call is finished, or what went wrong.
    ended: UnboundedSender<Result<(), String>>,
}

pub fn run(running: &Running, driver: Box<dyn Driver>, setting: &Setting, task: Task) -> Result<Outcome, String> {
    let shared = Shared::new(driver, running.addr, &setting.folder)?;
    block_on(measure(running, shared, task))
}

async fn measure(running: &Running, shared: Rc<Shared>, task: Task) -> Result<Outcome, String> {
    let server = std::slice::from_ref(&running.process);
    let (ended, mut endings) = unbounded_channel();
    let calls = Rc::new(Calls { shared, durations: RefCell::default(), is_over: Cell::new(false), ended });
    for pair in 0..task.size {
        let peers = [Peer::connect(&calls.shared, 2 * pair).await?, Peer::connect(&calls.shared, 2 * pair + 1).await?];
        let calls = calls.clone();
        spawn_local(async move {
            let ending = calls.go_on(peers).await;
            let _ = calls.ended.send(ending);
        });
    }
    sleep(Duration::from_secs_f64(task.warm_up())).await;
    calls.durations.take();
    let requests = calls.shared.requests();
    let window = Window::open(server)?;
    sleep(Duration::from_secs_f64(task.seconds)).await;
    let spent = window.close(server)?;
    let requests = calls.shared.requests() - requests;
    let mut durations = calls.durations.take();
    calls.is_over.set(true);
    for _ in 0..task.size {
        let ending = timeout(LAST, endings.recv()).await;
        ending.map_err(|_| "some calls did not finish".to_owned())?.unwrap_or(Ok(()))?;
    }
    let checked = (durations.len() * 2 * MESSAGES) as u64;
    let figures = figures(&spent, requests, &mut durations);
    Ok(Outcome { figures, faults: calls.shared.faults(), checked, generator: spent.generator })
}

impl Calls {
    /// One call after another.
    async fn go_on(&self, [mut first, mut second]: [Peer; 2]) -> Result<(), String> {
        let pair = first.number / 2;
        let mut number = 0;
        while !self.is_over.get() {
            let began = Instant::now();
            for peer in [&mut first, &mut second] {
                peer.join(format!("call-{pair}-{number}"), format!("peer-{}-{number}", peer.number)).await?;
            }
            let (callee, caller) = (second.seat.clone(), first.seat.clone());
            tokio::try_join!(
                take_part(&mut first, &callee, Kind::Answer),
                take_part(&mut second, &caller, Kind::Offer)
            )?;
            self.durations.borrow_mut().record(began.elapsed().as_micros() as u64);
            number += 1;
        }
        Ok(())
    }
}

/// Sends a description with its candidates, hears the other's, and leaves. An answer is sent once the offer has arrived.
async fn take_part(peer: &mut Peer, other: &Seat, kind: Kind) -> Result<(), String> {
    let mut signals = [Kind::Candidate; MESSAGES];
    signals[0] = kind;
    let mut poll = peer.poll().await?;
    if kind == Kind::Offer {
        peer.post(other, &signals, 0).await?;
    }
    let mut heard = 0;
    while heard < MESSAGES {
        let news = peer.hear(poll).await?;
        poll = peer.poll().await?;
        let arrived = peer.check(&news, heard as u32);
        if kind == Kind::Answer && heard == 0 && arrived > 0 {
            peer.post(other, &signals, 0).await?;
        }
        heard += arrived;
    }
    peer.leave().await
}
