//! Pairs that answer each other when it is their turn, so that a server that could do more has only this much to do.

use std::time::Instant;

use crate::{
    crowd::Event,
    measure::{Latencies, Outcome, Window, figures},
    pace::Metronome,
    signal::Kind,
    stage::{LAST, Stage},
};

struct Game<'a> {
    stage: Stage<'a>,
    pace: Metronome,
    pairs: Vec<Pair>,
    latencies: Latencies,
}

#[derive(Clone, Copy, Debug)]
struct Pair {
    /// Who sends the pair's next message.
    next: usize,
    /// Whether its last message has arrived.
    is_ready: bool,
    /// Messages that are due.
    due: usize,
}

pub fn run(mut stage: Stage<'_>, rate: f64) -> Result<Outcome, String> {
    let task = stage.task;
    stage.seat(2 * task.size, None)?;
    stage.crowd.wire.sleeps = false;
    let pairs = (0..task.size).map(|pair| Pair { next: 2 * pair, is_ready: true, due: 0 }).collect();
    let mut game = Game { stage, pace: Metronome::new(rate), pairs, latencies: Latencies::default() };
    game.play(task.warm_up())?;
    game.latencies = Latencies::default();
    game.pace.late_share();
    let window = Window::open(game.stage.server)?;
    game.play(task.seconds)?;
    let spent = window.close(game.stage.server)?;
    let figures = figures(&spent, &mut game.latencies);
    let generator = game.pace.late_share();
    game.finish()?;
    let crowd = &game.stage.crowd;
    Ok(Outcome { figures, faults: crowd.faults, checked: crowd.heard, generator })
}

impl Game<'_> {
    fn play(&mut self, seconds: f64) -> Result<(), String> {
        for _ in 0..self.pace.beats_in(seconds) {
            let due = self.pace.due();
            while Instant::now() < due {
                if let Some(event) = self.stage.crowd.next(due)? {
                    self.follow(event)?;
                }
            }
            let pair = self.pace.beat() % self.pairs.len();
            self.pairs[pair].due += 1;
            self.post(pair)?;
        }
        Ok(())
    }

    fn follow(&mut self, event: Event) -> Result<(), String> {
        let Event::Heard { peer, micros, .. } = event else { return Ok(()) };
        self.latencies.record(micros);
        let pair = &mut self.pairs[peer / 2];
        (pair.next, pair.is_ready) = (peer, true);
        self.post(peer / 2)
    }

    /// Posts the pair's next message, if it is due and the last one has arrived.
    fn post(&mut self, pair: usize) -> Result<(), String> {
        let Pair { next, is_ready, due } = &mut self.pairs[pair];
        if *due == 0 || !*is_ready {
            return Ok(());
        }
        *due -= 1;
        *is_ready = false;
        self.stage.crowd.post(*next, &[(*next ^ 1, Kind::Data)], false)
    }

    /// The messages in flight must arrive, too.
    fn finish(&mut self) -> Result<(), String> {
        let mut left = self.pairs.iter().filter(|pair| !pair.is_ready).count();
        let end = Instant::now() + LAST;
        self.stage.crowd.wire.sleeps = true;
        while left > 0
            && let Some(event) = self.stage.crowd.next(end)?
        {
            left -= usize::from(matches!(event, Event::Heard { .. }));
        }
        self.stage.crowd.close_all_accounts();
        if left == 0 || self.stage.crowd.faults.lost > 0 {
            Ok(())
        } else {
            Err("some last messages did not arrive".into())
        }
    }
}
