//! What a fleet of any size needs, calculated from the measured cost of a call, a join and a parked poll.

use std::fmt::Write as _;

/// Measured; all times in seconds of one processor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Costs {
    pub node_call: f64,
    pub redis_call: f64,
    pub redis_call_bytes: f64,
    /// A poll that gets no message, from its arrival to its response.
    pub node_poll: f64,
    pub redis_poll: f64,
    pub redis_poll_bytes: f64,
    /// Each second of an idle node, which looks for ended leases and checks Redis.
    pub redis_node: f64,
    pub redis_room: f64,
    pub node_peer: f64,
}

/// The length of a call. Its peers poll all the time.
const CALL_SECONDS: f64 = 600.0;
/// 25 s, less the mean of what the server takes off.
const HOLD_SECONDS: f64 = 23.75;
/// Planned share of each processor and of the memory. The rest is for reconnect storms and the kernel.
const USED: f64 = 0.5;
const PROCESSORS: f64 = 4.0;
const MEMORY: f64 = 16e9;
/// Bytes of a socket in the kernel.
const SOCKET: f64 = 6e3;
struct Need {
    calls: f64,
    polls: f64,
    node_processors: f64,
    node_memory: f64,
    nodes: f64,
    redis_processors: f64,
    shards: f64,
    redis_memory: f64,
    redis_bits: f64,
}

fn need(peers: f64, costs: &Costs) -> Need {
    let calls = peers / 2.0 / CALL_SECONDS;
    let polls = peers / HOLD_SECONDS;
    let node_processors = calls * costs.node_call + polls * costs.node_poll;
    let node_memory = peers * (costs.node_peer + SOCKET);
    let by_processor = node_processors / (PROCESSORS * USED);
    let by_memory = node_memory / (MEMORY * USED);
    // One spare node, so that one may fail.
    let nodes = by_processor.max(by_memory).ceil() + 1.0;
    let sweeping = nodes * costs.redis_node;
    let redis_processors = calls * costs.redis_call + polls * costs.redis_poll + sweeping;
    Need {
        calls,
        polls,
        node_processors,
        node_memory,
        nodes,
        redis_processors,
        shards: (redis_processors / USED).ceil(),
        redis_memory: peers / 2.0 * costs.redis_room,
        redis_bits: 8.0 * (calls * costs.redis_call_bytes + polls * costs.redis_poll_bytes),
    }
}

const SIZES: [(f64, &str); 3] = [(1e4, "10 thousand"), (1e6, "1 million"), (1e8, "100 million")];

pub fn table(memory: &Costs, redis: &Costs) -> String {
    let mut table = String::from(
        "| Peers at once | Calls made per second | Polls answered per second | On Redis: node processors | Nodes | Redis processors | Redis shards \
         | Redis memory | Redis network | By path: node processors | Nodes |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for (peers, name) in SIZES {
        let (with, without) = (need(peers, redis), need(peers, memory));
        let _ = writeln!(
            table,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            short(with.calls),
            short(with.polls),
            short(with.node_processors),
            short(with.nodes),
            short(with.redis_processors),
            short(with.shards),
            unit(with.redis_memory, "B"),
            unit(with.redis_bits, "bit/s"),
            short(without.node_processors),
            short(without.nodes),
        );
    }
    let many = need(1e6, redis);
    let _ = writeln!(
        table,
        "\nA million peers in steps, on Redis: {} calls/s × {:.0} µs + {} polls/s × {:.0} µs = {} node processors; {} × ({:.1} KB + {:.0} KB) = {} of memory; \
         {} calls/s × {:.0} µs + {} polls/s × {:.0} µs + sweeps = {} Redis processors.",
        short(many.calls),
        redis.node_call * 1e6,
        short(many.polls),
        redis.node_poll * 1e6,
        short(many.node_processors),
        short(1e6),
        redis.node_peer / 1e3,
        SOCKET / 1e3,
        unit(many.node_memory, "B"),
        short(many.calls),
        redis.redis_call * 1e6,
        short(many.polls),
        redis.redis_poll * 1e6,
        short(many.redis_processors),
    );
    table
}

fn short(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{:.1} M", value / 1e6),
        _ if value >= 1e4 => format!("{:.0} k", value / 1e3),
        _ if value >= 10.0 => format!("{value:.0}"),
        _ if value >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn unit(value: f64, unit: &str) -> String {
    let (scaled, prefix) = match value {
        _ if value >= 1e12 => (value / 1e12, "T"),
        _ if value >= 1e9 => (value / 1e9, "G"),
        _ => (value / 1e6, "M"),
    };
    format!("{scaled:.1} {prefix}{unit}")
}
