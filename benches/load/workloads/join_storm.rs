//! Many joins at once, as after a power cut, each on its own connection.

use std::time::Instant;

use crate::{
    crowd::Event,
    measure::{Latencies, Outcome, Window},
    stage::{PATIENCE, Stage},
};

/// Number of concurrent joins.
const AT_ONCE: usize = 256;

pub fn run(mut stage: Stage<'_>) -> Result<Outcome, String> {
    let size = stage.task.size;
    let mut began = Vec::with_capacity(size);
    let mut latencies = Latencies::default();
    let window = Window::open(stage.server)?;
    while latencies.len() < size {
        if began.len() < size && began.len() - latencies.len() < AT_ONCE {
            began.push(Instant::now());
            let line = stage.crowd.line()?;
            let peer = stage.crowd.add(line, false)?;
            stage.crowd.enter(peer, format!("room-{}", peer / 2), format!("peer-{peer}"), 2)?;
            continue;
        }
        match stage.crowd.next(Instant::now() + PATIENCE)? {
            Some(Event::Seated { peer }) => latencies.record(began[peer].elapsed().as_micros() as u64),
            Some(_) => {}
            None => return Err("joins were not answered".into()),
        }
    }
    let spent = window.close(stage.server)?;
    let [p50, p99] = latencies.quantiles([0.5, 0.99]);
    Ok(Outcome {
        figures: vec![
            ("CPU µs per join", spent.cpu * 1e6 / size as f64),
            ("joins per CPU-second", size as f64 / spent.cpu),
            ("joins per second", size as f64 / spent.seconds),
            ("p50 ms", p50),
            ("p99 ms", p99),
        ],
        faults: stage.crowd.faults,
        checked: stage.crowd.heard,
        generator: spent.generator,
    })
}
