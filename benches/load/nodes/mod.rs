//! Several nodes on one Redis, compared with one node with rooms in memory: the cost of a call and a message on the nodes and on Redis,
//! and the latency when the reader polls another node.

mod model;
mod redis;

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use crate::{
    crowd::Crowd,
    drivers,
    measure::{Outcome, Window},
    options::{Options, prepare},
    page,
    process::{Process, Usage, pinned},
    report::number,
    servers::{Server, Setting, signalpost},
    stage::{Stage, Task},
    wire::Wire,
    workload::Workload,
    workloads::{calls, ping_pong},
};
use model::Costs;
use redis::{Redis, Said};

/// Messages in a call: a description and eight candidates each way.
const MESSAGES: f64 = 18.0;
/// Rooms whose memory is measured.
const ROOMS: usize = 2000;
/// Seconds without clients, to measure what a node itself asks of Redis.
const ALONE: f64 = 3.0;

/// 0 means one node with its rooms in memory.
const NODES: [usize; 4] = [0, 1, 2, 3];

struct Fleet {
    nodes: Vec<Process>,
    addrs: Vec<std::net::SocketAddr>,
    redis: Option<Redis>,
}

/// The results of one run.
#[derive(Clone, Debug, Default)]
struct Found {
    outcome: Outcome,
    /// Processor time of Redis in seconds, and its own statistics.
    redis_cpu: f64,
    said: Said,
}

impl Found {
    fn figure(&self, name: &str) -> f64 {
        self.outcome.figures.iter().find(|(known, _)| *known == name).map_or(f64::NAN, |(_, value)| *value)
    }

    fn calls(&self) -> f64 {
        self.outcome.checked as f64 / MESSAGES
    }
}

pub fn run(quick: bool, options: &Options) -> Result<bool, String> {
    let (_, setting) = prepare(options)?;
    let (repetitions, seconds) = if quick { (1, 0.5) } else { (3, 2.0) };
    let mut tables = String::new();
    let task = |workload, size| Task { workload, size, server: Server::Signalpost, seconds };
    let call = measure(&setting, repetitions, task(Workload::ClientCall, 64))?;
    tables += &call_table(&call);
    let quiet = measure(&setting, repetitions, task(Workload::PingPong, 1))?;
    let busy = measure(&setting, repetitions, task(Workload::PingPong, 64))?;
    tables += &message_table(&quiet, &busy);
    let idle = if quick { 2.0 } else { 26.0 };
    let [memory, redis] = [(0, &call[0]), (1, &call[1])].map(|(nodes, call)| wait(&setting, nodes, idle, call));
    let (memory, redis) = (memory?, redis?);
    tables += &format!("{WAITING}{}{}", memory.0, redis.0);
    let model = model::table(&memory.1, &redis.1);
    println!("\n{tables}\n{model}");
    // In a quick run no hold ends, so the figures are incomplete.
    if std::env::var_os("UPDATE_DOCS").is_some() && !quick {
        page::write("docs/scaling.md", "cost", &tables)?;
        page::write("docs/scaling.md", "model", &model)?;
    }
    let _ = std::fs::remove_dir_all(&setting.folder);
    let all = [&call, &quiet, &busy];
    Ok(all.iter().flat_map(|found| found.iter()).all(|found| found.outcome.faults == Default::default()))
}

/// Alternates between the numbers of nodes; of each, returns the run with the median first figure.
fn measure(setting: &Setting, repetitions: usize, task: Task) -> Result<Vec<Found>, String> {
    let mut all = vec![Vec::new(); NODES.len()];
    for _ in 0..repetitions {
        for (runs, nodes) in all.iter_mut().zip(NODES) {
            let found = play(setting, nodes, task)?;
            let [first, ..] = found.outcome.figures[..] else { return Err("a run without figures".into()) };
            println!("{nodes} nodes on Redis, {:?} {}: {} {}", task.workload, task.size, first.0, number(first.1));
            runs.push(found);
        }
    }
    let first = |found: &Found| found.outcome.figures.first().map_or(f64::NAN, |(_, value)| *value);
    Ok(all
        .into_iter()
        .filter_map(|mut runs| {
            runs.sort_by(|one, other| first(one).total_cmp(&first(other)));
            runs.get(runs.len() / 2).cloned()
        })
        .collect())
}

fn play(setting: &Setting, nodes: usize, task: Task) -> Result<Found, String> {
    let fleet = Fleet::start(setting, nodes)?;
    let driver = drivers::Signalpost::new(true, None);
    let wire = Wire::to_all(fleet.addrs.clone()).map_err(|error| error.to_string())?;
    let stage = Stage { crowd: Crowd::new(wire, &driver), server: &fleet.nodes, task };
    let before = fleet.look()?;
    let outcome = match task.workload {
        Workload::PingPong => ping_pong::run(stage)?,
        _ => calls::run(stage, 2, true)?,
    };
    let (usage, said) = fleet.look()?;
    let redis_cpu = usage.zip(before.0).map_or(0.0, |(after, before)| after.seconds_since(&before));
    Ok(Found { outcome, redis_cpu, said: said.since(&before.1) })
}

impl Fleet {
    fn start(setting: &Setting, nodes: usize) -> Result<Self, String> {
        let redis = if nodes > 0 { Some(Redis::start(setting)?) } else { None };
        let mut fleet = Self { nodes: Vec::new(), addrs: Vec::new(), redis };
        for _ in 0..nodes.max(1) {
            let mut arguments = signalpost(setting, false);
            if let Some(redis) = &fleet.redis {
                let engine = format!("redis://{}", redis.addr);
                arguments.extend(
                    ["--engine", &engine, "--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"].map(str::to_owned),
                );
            }
            let command = pinned(setting.cpus.as_deref(), env!("CARGO_BIN_EXE_signalpost"), &arguments);
            let (process, place) = Process::start_and_listen(command)?;
            let addr = place.rsplit('/').next().and_then(|addr| addr.parse().ok());
            fleet.addrs.push(addr.ok_or_else(|| format!("unexpected listener address: {place}"))?);
            fleet.nodes.push(process);
        }
        Ok(fleet)
    }

    fn look(&self) -> Result<(Option<Usage>, Said), String> {
        match &self.redis {
            Some(redis) => Ok((Some(redis.process.usage()?), redis.ask()?)),
            None => Ok((None, Said::default())),
        }
    }
}

fn names() -> impl Iterator<Item = (usize, String)> {
    NODES.into_iter().map(|nodes| match nodes {
        0 => (1, "memory".to_owned()),
        1 => (1, "1 on Redis".to_owned()),
        _ => (nodes, format!("{nodes} on Redis")),
    })
}

fn call_table(all: &[Found]) -> String {
    let mut table = String::from(
        "Calls as our client signals them, 64 at a time:\n\n| Nodes | Calls per second | of one node | Node CPU per call | Redis CPU per call \
         | HTTP requests per call | Redis round trips per call | Bytes to Redis per call | Bytes from Redis | p50 | p99 |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for ((nodes, name), found) in names().zip(all) {
        let calls = found.calls();
        let per_second = found.figure("calls per second");
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} ms | {} ms | {} | {} | {} | {} | {} ms | {} ms |",
            number(per_second),
            number(per_second / nodes as f64),
            number(found.figure("CPU ms per call")),
            number(found.redis_cpu * 1e3 / calls),
            number(found.figure("requests per call")),
            number(found.said.round_trips / calls),
            number(found.said.bytes_in / calls),
            number(found.said.bytes_out / calls),
            number(found.figure("p50 ms")),
            number(found.figure("p99 ms")),
        );
    }
    if let Some(found) = all.last() {
        let _ =
            writeln!(table, "\nWhat Redis did for each call, with three nodes: {}.\n", found.said.each(found.calls()));
    }
    table
}

fn message_table(quiet: &[Found], busy: &[Found]) -> String {
    let mut table = String::from(
        "From the start of the `POST` to the answered poll, most often at another node:\n\n| Nodes | p50, one pair | p99, one pair \
         | p50, 64 pairs | p99, 64 pairs | Messages per second, 64 pairs | Node CPU per message | Redis CPU per message | Redis round trips \
         per message |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (((_, name), quiet), busy) in names().zip(quiet).zip(busy) {
        let messages = busy.outcome.checked as f64;
        let _ = writeln!(
            table,
            "| {name} | {} ms | {} ms | {} ms | {} ms | {} | {} µs | {} µs | {} |",
            number(quiet.figure("p50 ms")),
            number(quiet.figure("p99 ms")),
            number(busy.figure("p50 ms")),
            number(busy.figure("p99 ms")),
            number(busy.figure("messages per second")),
            number(busy.figure("CPU µs per message")),
            number(busy.redis_cpu * 1e6 / messages),
            number(busy.said.round_trips / messages),
        );
    }
    table + "\n"
}

const WAITING: &str = "Joining, with the first poll; a poll that waits its 25 s in vain; and what rooms of two that wait take up:\n\n| Nodes | Node CPU per join \
    | Redis CPU per join | Node CPU per poll | Redis CPU per poll | Redis round trips per poll | Redis memory per room | Node memory per \
    waiting peer | Redis CPU for a node alone |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n";

/// Peers join in rooms of two and wait for `idle` seconds. Returns a row of a table, and all costs.
fn wait(setting: &Setting, nodes: usize, idle: f64, call: &Found) -> Result<(String, Costs), String> {
    let fleet = Fleet::start(setting, nodes)?;
    let driver = drivers::Signalpost::new(true, None);
    let wire = Wire::to_all(fleet.addrs.clone()).map_err(|error| error.to_string())?;
    let peers = (2 * ROOMS) as f64;
    let task = Task { workload: Workload::Parked, size: 2 * ROOMS, server: Server::Signalpost, seconds: idle };
    let mut stage = Stage { crowd: Crowd::new(wire, &driver), server: &fleet.nodes, task };
    let between = |one: &(Option<Usage>, Said), other: &(Option<Usage>, Said)| {
        other.0.zip(one.0).map_or(0.0, |(after, before)| after.seconds_since(&before))
    };
    let alone = fleet.look()?;
    stage.crowd.next(Instant::now() + Duration::from_secs_f64(ALONE))?;
    let (taken, before) = (stage.memory()?, fleet.look()?);
    let redis_node = between(&alone, &before) / ALONE;
    let window = Window::open(stage.server)?;
    stage.seat(2 * ROOMS, None)?;
    let joining = window.close(stage.server)?.cpu / peers;
    let seated = fleet.look()?;
    let requests = stage.crowd.wire.requests;
    let window = Window::open(stage.server)?;
    let end = Instant::now() + Duration::from_secs_f64(idle);
    while stage.crowd.next(end)?.is_some() {}
    let polling = window.close(stage.server)?.cpu;
    let after = fleet.look()?;
    let polls = (stage.crowd.wire.requests - requests) as f64;
    let said = after.1.since(&seated.1);
    let costs = Costs {
        node_call: call.figure("CPU ms per call") / 1e3,
        redis_call: call.redis_cpu / call.calls(),
        redis_call_bytes: (call.said.bytes_in + call.said.bytes_out) / call.calls(),
        node_poll: polling / polls,
        redis_poll: (between(&seated, &after) - redis_node * idle) / polls,
        redis_node,
        redis_poll_bytes: (said.bytes_in + said.bytes_out) / polls,
        redis_room: (seated.1.memory - before.1.memory) / ROOMS as f64,
        node_peer: stage.memory()?.saturating_sub(taken) as f64 / peers,
    };
    let row = format!(
        "| {} | {} µs | {} µs | {} µs | {} µs | {} | {} bytes | {} bytes | {} ms per second |\n",
        if nodes == 0 { "memory" } else { "1 on Redis" },
        number(joining * 1e6),
        number(between(&before, &seated) * 1e6 / peers),
        number(costs.node_poll * 1e6),
        number(costs.redis_poll * 1e6),
        number(said.round_trips / polls),
        number(costs.redis_room),
        number(costs.node_peer),
        number(redis_node * 1e3),
    );
    Ok((row, costs))
}
