//! When the messages of a crowd are due.

use std::time::{Duration, Instant};

/// Beats at a steady rate: each beat has its time, so that a late one delays none of those after it.
#[derive(Debug)]
pub struct Metronome {
    began: Instant,
    rate: f64,
    beats: usize,
    late: usize,
    /// The number of beats at the last report.
    reported: usize,
}

/// Moves each beat by a different part of an interval, and no two neighbours closer than 0.6 intervals. The kernel looks at
/// regular intervals whether a process is in the kernel; beats in step with that would always be seen at the same moment.
const GOLDEN: f64 = 0.618_033_988_749_895;

impl Metronome {
    /// With `rate` beats a second.
    pub fn new(rate: f64) -> Self {
        Self { began: Instant::now(), rate, beats: 0, late: 0, reported: 0 }
    }

    pub fn beats_in(&self, seconds: f64) -> usize {
        (self.rate * seconds).round() as usize
    }

    /// The time of the next beat.
    pub fn due(&self) -> Instant {
        let beats = self.beats as f64;
        self.began + Duration::from_secs_f64((beats + (beats * GOLDEN).fract()) / self.rate)
    }

    /// Counts a beat; returns its number.
    pub fn beat(&mut self) -> usize {
        self.late += usize::from(self.due().elapsed().as_secs_f64() > 1.0 / self.rate);
        self.beats += 1;
        self.beats - 1
    }

    /// The share of beats since the last call that came an interval late or more. Only a generator that is the bottleneck is
    /// late: a slow server delays answers, and not beats.
    pub fn late_share(&mut self) -> f64 {
        let beats = self.beats - std::mem::replace(&mut self.reported, self.beats);
        std::mem::take(&mut self.late) as f64 / beats.max(1) as f64
    }
}
