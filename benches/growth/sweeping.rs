//! The cost of sweeping leases, most of which have been renewed when they are due.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use signalpost::domain::Limits;

use crate::crowd::Crowd;

/// How often a client polls.
const POLLS_EVERY: u64 = 25;
/// Virtual seconds measured: two leases.
const MEASURED: u64 = 90;

/// The number of peers, and the share of a processor that sweeping takes. The clock is virtual; the time of sweeping is real.
pub fn measure(rooms: usize) -> Result<(usize, f64), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| error.to_string())?.block_on(async {
        let mut crowd = Crowd::in_engine(Limits { rooms: usize::MAX, rooms_bytes: usize::MAX, ..Limits::default() })?;
        let engine = crowd.engine().clone();
        let mut sweeping = pin!(engine.sweep());
        let mut spent = Duration::ZERO;
        for second in 0..POLLS_EVERY + MEASURED {
            if second < POLLS_EVERY {
                crowd.grow(rooms * (second as usize + 1) / POLLS_EVERY as usize, 2)?;
            }
            crowd.renew(second % POLLS_EVERY, POLLS_EVERY)?;
            let began = Instant::now();
            let _ = tokio::time::timeout(Duration::from_secs(1), &mut sweeping).await;
            if second >= POLLS_EVERY {
                spent += began.elapsed();
            }
        }
        let peers = engine.stats().await.peers;
        if peers != 2 * rooms {
            return Err(format!("of {} peers {peers} are left", 2 * rooms));
        }
        Ok((peers, spent.as_secs_f64() / MEASURED as f64))
    })
}
