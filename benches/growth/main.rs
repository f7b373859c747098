//! How the cost of each operation grows with the number of rooms, peers in a room and messages in a mailbox.
//!
//! `cargo bench --bench growth` measures the engine without HTTP, in this process, in about a minute, and draws the curves. The goal is
//! a flat curve: no operation may depend on the number of rooms. `UPDATE_DOCS=1` writes the tables and curves in docs/performance.md.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "it measures time, and prints what it measured")]

mod crowd;
mod curves;
#[path = "../fleet/page.rs"]
mod page;
mod sweeping;

use std::{path::Path, process::ExitCode, time::Instant};

use crowd::{Crowd, Waiting};
use curves::{Curve, Curves};

/// Figures are medians of this many batches.
const BATCHES: usize = 15;
/// Operations in a batch.
const OPERATIONS: usize = 2000;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let outcome = run(if quick { 10_000 } else { 1_000_000 });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("growth: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(most_rooms: usize) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/growth");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    // Parked polls need Tokio's timer.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let entered = runtime.enter();
    let all = [
        ("growth-rooms.svg", by_rooms(most_rooms)?),
        ("growth-peers.svg", by_peers()?),
        ("growth-pending.svg", by_pending()?),
    ];
    let publishes = std::env::var_os("UPDATE_DOCS").is_some();
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bench");
    let mut text = String::new();
    for (file, curves) in all {
        text += &format!("![{}](bench/{file})\n\n{}\n", curves.title, curves.table());
        for folder in [Some(&folder), Some(&published).filter(|_| publishes)].into_iter().flatten() {
            let path = folder.join(file);
            std::fs::write(&path, curves.svg()).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("Written: {}", path.display());
        }
    }
    drop(entered);
    let (peers, share) = sweeping::measure(most_rooms / 2)?;
    text += &format!("Sweeping {peers} leases, each renewed every 25 s: {:.2} % of a processor.\n", share * 100.0);
    println!("\n{text}");
    if publishes { page::write("docs/performance.md", "growth", &text) } else { Ok(()) }
}

/// Nanoseconds of one operation: the median of several batches.
fn time(mut operation: impl FnMut(usize) -> Result<(), String>) -> Result<f64, String> {
    let mut batches = Vec::with_capacity(BATCHES);
    for batch in 0..=BATCHES {
        let began = Instant::now();
        for index in 0..OPERATIONS {
            operation(batch * OPERATIONS + index)?;
        }
        // The first batch is a warm-up.
        if batch > 0 {
            batches.push(began.elapsed().as_secs_f64() * 1e9 / OPERATIONS as f64);
        }
    }
    batches.sort_by(f64::total_cmp);
    Ok(batches[BATCHES / 2])
}

fn by_rooms(most: usize) -> Result<Curves, String> {
    let mut curves = Curves {
        title: "Cost by the number of rooms, two peers in each",
        sizes: Vec::new(),
        curves: ["join and leave", "send and receive", "poll nothing", "park and give up"].map(Curve::new).into(),
    };
    let mut crowd = Crowd::new(2)?;
    for size in [10, 100, 1000, 10_000, 100_000, 1_000_000].into_iter().filter(|size| *size <= most) {
        crowd.grow(size, 2)?;
        // Rooms are visited in strides, so that caches help no more than with real clients.
        let leap = |index: usize| index * 7919 % size;
        curves.sizes.push(size);
        let values = [
            time(|index| crowd.join_and_leave(index))?,
            time(|index| crowd.send_and_receive(leap(index)))?,
            time(|index| crowd.poll_nothing(leap(index)))?,
            time(|index| crowd.park(leap(index)))?,
        ];
        curves.add(&values);
    }
    Ok(curves)
}

fn by_peers() -> Result<Curves, String> {
    let mut curves = Curves {
        title: "Cost by the number of peers in a room",
        sizes: Vec::new(),
        curves: ["send to one and receive", "send to all and receive, for each"].map(Curve::new).into(),
    };
    for size in [2, 4, 8, 16, 32, 64] {
        let mut crowd = Crowd::new(size)?;
        crowd.grow(10, size)?;
        curves.sizes.push(size);
        let one = time(|index| crowd.send_and_receive(index % 10))?;
        let all = time(|index| crowd.send_to_all_and_receive(index % 10))?;
        curves.add(&[one, all / (size - 1) as f64]);
    }
    Ok(curves)
}

fn by_pending() -> Result<Curves, String> {
    let mut curves = Curves {
        title: "Cost by the number of messages that wait in the mailbox",
        sizes: Vec::new(),
        curves: ["send", "read all, for each"].map(Curve::new).into(),
    };
    for size in [1, 4, 16, 64, 256] {
        let mut waiting = Waiting::new(size)?;
        curves.sizes.push(size);
        let (send, read) = waiting.fill_and_read(OPERATIONS)?;
        curves.add(&[send, read]);
    }
    Ok(curves)
}
