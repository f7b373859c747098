//! Ping-pong over TLS and HTTP/2: each peer has one connection, for its poll and its posts. Peers answer immediately or, at a
//! pace, when it is their pair's turn.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        Semaphore, SemaphorePermit,
        mpsc::{UnboundedSender, unbounded_channel},
    },
    task::{spawn_local, yield_now},
    time::{sleep, timeout},
};

use crate::{
    drivers::{Driver, Seat},
    http2::{Peer, Shared, block_on},
    measure::{Outcome, Window, figures},
    pace::Metronome,
    servers::{Running, Setting},
    signal::Kind,
    stage::{LAST, Task},
};

struct Game {
    shared: Rc<Shared>,
    /// At a pace: how many messages each pair may send. Closed when the game is over.
    turns: Option<Vec<Semaphore>>,
    is_over: Cell<bool>,
    /// Each pair reports once: its last message has arrived, or what went wrong.
    ended: UnboundedSender<Result<(), String>>,
}

pub fn run(running: &Running, driver: Box<dyn Driver>, setting: &Setting, task: Task) -> Result<Outcome, String> {
    let shared = Shared::new(driver, running.addr, &setting.folder)?;
    block_on(measure(running, shared, task))
}

async fn measure(running: &Running, shared: Rc<Shared>, task: Task) -> Result<Outcome, String> {
    let rate = task.workload.rate();
    let (ended, mut endings) = unbounded_channel();
    let turns = rate.map(|_| (0..task.size).map(|_| Semaphore::new(0)).collect());
    let game = Rc::new(Game { shared, turns, is_over: Cell::new(false), ended });
    game.begin(task.size).await?;
    let mut pace = rate.map(Metronome::new);
    game.go_on(pace.as_mut(), task.warm_up()).await;
    game.shared.take_latencies();
    pace.as_mut().map(Metronome::late_share);
    let window = Window::open(std::slice::from_ref(&running.process))?;
    game.go_on(pace.as_mut(), task.seconds).await;
    let spent = window.close(std::slice::from_ref(&running.process))?;
    let mut latencies = game.shared.take_latencies();
    let checked = latencies.len() as u64;
    game.end();
    for _ in 0..task.size {
        let ending = timeout(LAST, endings.recv()).await;
        ending.map_err(|_| "some last messages did not arrive".to_owned())?.unwrap_or(Ok(()))?;
    }
    let generator = pace.as_mut().map_or(spent.generator, Metronome::late_share);
    Ok(Outcome { figures: figures(&spent, &mut latencies), faults: game.shared.faults(), checked, generator })
}

impl Game {
    async fn begin(self: &Rc<Self>, pairs: usize) -> Result<(), String> {
        let mut peers = Vec::new();
        for number in 0..2 * pairs {
            peers.push(Peer::enter(&self.shared, number).await?);
        }
        let seats: Vec<Seat> = peers.iter().map(|peer| peer.seat.clone()).collect();
        for peer in peers {
            let (game, other) = (self.clone(), seats[peer.number ^ 1].clone());
            spawn_local(async move {
                if let Err(error) = game.play(peer, other).await {
                    let _ = game.ended.send(Err(error));
                }
            });
        }
        Ok(())
    }

    /// Lets the pairs play. At a pace it never sleeps, like [`Wire`](crate::wire::Wire) at a pace.
    async fn go_on(&self, pace: Option<&mut Metronome>, seconds: f64) {
        let (Some(pace), Some(turns)) = (pace, &self.turns) else {
            return sleep(Duration::from_secs_f64(seconds)).await;
        };
        for _ in 0..pace.beats_in(seconds) {
            while Instant::now() < pace.due() {
                yield_now().await;
            }
            turns[pace.beat() % turns.len()].add_permits(1);
        }
    }

    fn end(&self) {
        self.is_over.set(true);
        self.turns.iter().flatten().for_each(Semaphore::close);
    }

    async fn play(&self, mut peer: Peer, other: Seat) -> Result<(), String> {
        let mut poll = peer.poll().await?;
        let (mut heard, mut posted) = (0, 0);
        let mut answers = usize::from(peer.number.is_multiple_of(2));
        loop {
            for _ in 0..answers {
                if self.may_post(peer.number / 2).await {
                    peer.post(&other, &[Kind::Data], posted).await?;
                    posted += 1;
                } else {
                    let _ = self.ended.send(Ok(()));
                }
            }
            let news = peer.hear(poll).await?;
            poll = peer.poll().await?;
            answers = peer.check(&news, heard);
            heard += answers as u32;
        }
    }

    /// Waits for the pair's turn. Returns false when the game is over.
    async fn may_post(&self, pair: usize) -> bool {
        match &self.turns {
            Some(turns) => turns[pair].acquire().await.map(SemaphorePermit::forget).is_ok(),
            None => !self.is_over.get(),
        }
    }
}
