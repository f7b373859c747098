//! Pairs that answer each other immediately.

use std::time::{Duration, Instant};

use crate::{
    crowd::Event,
    measure::{Latencies, Outcome, Window, figures},
    signal::Kind,
    stage::{LAST, Stage, WARM_UP},
};

pub fn run(mut stage: Stage<'_>) -> Result<Outcome, String> {
    let pairs = stage.task.size;
    stage.seat(2 * pairs, None)?;
    for pair in 0..pairs {
        stage.crowd.post(2 * pair, &[(2 * pair + 1, Kind::Data)], false)?;
    }
    play(&mut stage, WARM_UP, &mut Latencies::default())?;
    let mut latencies = Latencies::default();
    let window = Window::open(stage.server)?;
    play(&mut stage, 1.0, &mut latencies)?;
    let spent = window.close(stage.server)?;

    // The message that each pair has in flight must arrive, too.
    let mut left = pairs;
    let finished = stage.crowd.until(LAST, |event| {
        left -= usize::from(matches!(event, Event::Heard { .. }));
        left == 0
    });
    stage.crowd.close_all_accounts();
    if stage.crowd.faults.lost == 0 {
        finished?;
    }
    Ok(Outcome {
        figures: figures(&spent, &mut latencies),
        faults: stage.crowd.faults,
        checked: stage.crowd.heard,
        generator: spent.generator,
    })
}

fn play(stage: &mut Stage<'_>, share: f64, latencies: &mut Latencies) -> Result<(), String> {
    let end = Instant::now() + Duration::from_secs_f64(stage.task.seconds * share);
    while let Some(event) = stage.crowd.next(end)? {
        if let Event::Heard { peer, from, micros, .. } = event {
            latencies.record(micros);
            stage.crowd.post(peer, &[(from, Kind::Data)], false)?;
        }
    }
    Ok(())
}
