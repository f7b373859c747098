//! The figures of an engine, read at most once a second.

use std::time::Duration;

use tokio::sync::Mutex;

use crate::{
    clock::Clock,
    domain::Timestamp,
    engine::{Engine, Stats},
};

/// How old figures may be. In Redis, reading them is a script for each bucket, and anyone may ask.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Who asks while they are being read waits for the same figures. The mutex is an asynchronous one: it may be held meanwhile, and
/// another takes over if the one who reads goes away.
#[derive(Debug, Default)]
pub struct LatestStats(Mutex<Option<(Timestamp, Stats)>>);

impl LatestStats {
    pub async fn read(&self, engine: &Engine, clock: Clock) -> Stats {
        let mut latest = self.0.lock().await;
        if let Some((at, stats)) = &*latest
            && *at + MAX_AGE > clock.now()
        {
            return stats.clone();
        }
        let stats = engine.stats().await;
        *latest = Some((clock.now(), stats.clone()));
        stats
    }
}
