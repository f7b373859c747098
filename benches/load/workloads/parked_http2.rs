//! Parked polls over TLS and HTTP/2: each peer has one connection, for its poll and its post.

use std::{rc::Rc, time::Duration};

use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::spawn_local,
    time::{sleep, timeout},
};

use crate::{
    drivers::Driver,
    http2::{Peer, Shared, block_on},
    measure::{Outcome, Window},
    servers::{Running, Setting},
    signal::Kind,
    stage::{PATIENCE, QUIET, Task},
};

use super::parked::Waiting;

/// Peers that come before the measuring, so that what the server makes only once is not counted.
const FIRST: usize = 2;

/// Reports of the peers: how many messages arrived, or what went wrong.
type Reports = UnboundedSender<Result<usize, String>>;

pub fn run(running: &Running, driver: Box<dyn Driver>, setting: &Setting, task: Task) -> Result<Outcome, String> {
    let shared = Shared::new(driver, running.addr, &setting.folder)?;
    block_on(measure(running, shared, task))
}

async fn measure(running: &Running, shared: Rc<Shared>, task: Task) -> Result<Outcome, String> {
    let server = std::slice::from_ref(&running.process);
    let (reports, mut arrivals) = unbounded_channel();
    let mut peers = Vec::new();
    seat(&shared, &mut peers, FIRST, &reports).await?;
    let before = running.process.memory()?;
    seat(&shared, &mut peers, FIRST + task.size, &reports).await?;
    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / task.size as f64;
    let parked = each(running.process.memory()?);

    let idle = Window::open(server)?;
    sleep(Duration::from_secs_f64(task.seconds)).await;
    let idle = idle.close(server)?;

    let waking = Window::open(server)?;
    for peer in &peers {
        let (peer, other, reports) = (peer.clone(), peers[peer.number ^ 1].seat.clone(), reports.clone());
        spawn_local(async move {
            if let Err(error) = peer.post(&other, &[Kind::Data], 0).await {
                let _ = reports.send(Err(error));
            }
        });
    }
    let woken = timeout(PATIENCE, all_arrive(&mut arrivals, peers.len())).await;
    woken.map_err(|_| "not all were woken".to_owned())??;
    let waking = waking.close(server)?;
    sleep(QUIET).await;
    let again = each(running.process.memory()?);
    let waiting = Waiting { parked, again, idle, waking, latencies: shared.take_latencies() };
    Ok(waiting.outcome(shared.faults(), peers.len() as u64))
}

/// Seats peers until there are `count`, and waits until nothing more happens.
async fn seat(shared: &Rc<Shared>, peers: &mut Vec<Peer>, count: usize, reports: &Reports) -> Result<(), String> {
    for number in peers.len()..count {
        let peer = Peer::enter(shared, number).await?;
        let (waiting, reports) = (peer.clone(), reports.clone());
        spawn_local(async move {
            if let Err(error) = wait(waiting, &reports).await {
                let _ = reports.send(Err(error));
            }
        });
        peers.push(peer);
    }
    sleep(QUIET).await;
    Ok(())
}

async fn wait(mut peer: Peer, reports: &Reports) -> Result<(), String> {
    let mut heard = 0;
    loop {
        let poll = peer.poll().await?;
        let news = peer.hear(poll).await?;
        let count = peer.check(&news, heard as u32);
        heard += count;
        let _ = reports.send(Ok(count));
    }
}

async fn all_arrive(arrivals: &mut UnboundedReceiver<Result<usize, String>>, count: usize) -> Result<(), String> {
    let mut arrived = 0;
    while arrived < count {
        arrived += arrivals.recv().await.unwrap_or(Ok(0))?;
    }
    Ok(())
}
