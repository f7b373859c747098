//! Parked polls.

use std::time::{Duration, Instant};

use crate::{
    crowd::{Event, Faults},
    measure::{Latencies, Outcome, Spent, Window},
    signal::Kind,
    stage::{PATIENCE, Stage},
};

/// Shared connections for all joins and posts, so that the measured memory belongs to the polls.
const LINES: usize = 16;

/// What is known about peers that waited and were woken.
pub struct Waiting {
    /// Bytes for each peer.
    pub parked: f64,
    /// The same after a message each way.
    pub again: f64,
    pub idle: Spent,
    pub waking: Spent,
    /// Of the messages that woke them.
    pub latencies: Latencies,
}

pub fn run(mut stage: Stage<'_>) -> Result<Outcome, String> {
    let size = stage.task.size;
    let lines = (0..LINES).map(|_| stage.crowd.line()).collect::<Result<Vec<_>, _>>()?;
    let before = stage.memory()?;
    stage.seat(size, Some(&lines))?;
    let each = |bytes: u64| bytes.saturating_sub(before) as f64 / size as f64;
    let parked = each(stage.memory()?);

    let idle = Window::open(stage.server)?;
    let end = Instant::now() + Duration::from_secs_f64(stage.task.seconds);
    while stage.crowd.next(end)?.is_some() {}
    let idle = idle.close(stage.server)?;

    let mut latencies = Latencies::default();
    let waking = Window::open(stage.server)?;
    let mut left = size;
    for peer in 0..size {
        stage.crowd.post(peer, &[(peer ^ 1, Kind::Data)], false)?;
    }
    stage.crowd.until(PATIENCE, |event| {
        if let Event::Heard { micros, .. } = event {
            latencies.record(*micros);
            left -= 1;
        }
        left == 0
    })?;
    let waking = waking.close(stage.server)?;
    stage.settle()?;
    let again = each(stage.memory()?);
    stage.crowd.close_all_accounts();

    let waiting = Waiting { parked, again, idle, waking, latencies };
    Ok(waiting.outcome(stage.crowd.faults, stage.crowd.heard))
}

impl Waiting {
    pub fn outcome(mut self, faults: Faults, checked: u64) -> Outcome {
        let Self { parked, again, idle, waking, .. } = self;
        let [p50, p99] = self.latencies.quantiles([0.5, 0.99]);
        Outcome {
            figures: vec![
                ("bytes per waiting peer", parked),
                ("after all were woken and wait again", again),
                ("idle CPU %", idle.cpu / idle.seconds * 100.0),
                ("CPU µs per wake", waking.cpu * 1e6 / self.latencies.len() as f64),
                ("all woken in s", waking.seconds),
                ("p50 ms", p50),
                ("p99 ms", p99),
            ],
            faults,
            checked,
            generator: waking.generator,
        }
    }
}
