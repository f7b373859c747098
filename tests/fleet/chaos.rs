//! Hundreds of clients exchange numbered messages, partly over a faulty network, while something dies. Then the checker judges what
//! they recorded.
//!
//! `cargo test --test fleet chaos` runs the most telling faults with few clients; `FLEET_CHAOS=full` runs all with hundreds, and with
//! `UPDATE_DOCS=1` writes the table in docs/scaling.md.

use std::{sync::Arc, time::Duration};

use reqwest::Client;
use tokio::{sync::watch, task::JoinSet, time::sleep};

use crate::{
    checker::{Promise, Verdict, check},
    cluster,
    deployment::{Deployment, Keeping},
    history::{History, now},
    member::Member,
    page,
    programs::breaking_wire,
};

/// The share of faulty requests for every fourth client.
const BREAKS: f64 = 0.05;
/// If nothing arrives for this long, missing messages are lost: longer than the pauses between attempts.
const QUIET: Duration = Duration::from_secs(12);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    KillNode,
    KillRedis,
    /// Redis's machine loses power: acknowledged writes that were not on disk are gone.
    PowerCut,
    PauseRedis,
    CutSubscriptions,
    PartitionNode,
    RollingRestart,
    FailOver,
    LoseMaster,
}

#[derive(Clone, Copy, Debug)]
struct Scenario {
    name: &'static str,
    keeping: Keeping,
    fault: Fault,
    promise: Promise,
}

/// How large, and how long.
#[derive(Clone, Copy, Debug)]
struct Size {
    clients: usize,
    /// Messages by each client in a second.
    per_second: f64,
    /// Messages of each client that arrive before the fault,
    before: usize,
    /// and as many after it.
    after: usize,
}

const SHORT: Size = Size { clients: 60, per_second: 8.0, before: 10, after: 25 };
const FULL: Size = Size { clients: 300, per_second: 4.0, before: 20, after: 60 };

const ALWAYS: Keeping = Keeping::Redis { appendfsync: "always" };
const EVERYSEC: Keeping = Keeping::Redis { appendfsync: "everysec" };

const fn scenario(name: &'static str, keeping: Keeping, fault: Fault, promise: Promise) -> Scenario {
    Scenario { name, keeping, fault, promise }
}

/// The most telling ones first: a short run takes only these.
const SCENARIOS: [Scenario; 13] = [
    scenario("memory: `kill -9` of the only node", Keeping::Memory, Fault::KillNode, Promise::Loudness),
    scenario("`kill -9` of a node", EVERYSEC, Fault::KillNode, Promise::Everything),
    scenario("`kill -9` of Redis, `appendfsync always`", ALWAYS, Fault::KillRedis, Promise::Everything),
    scenario("power cut at Redis, the last second is lost", EVERYSEC, Fault::PowerCut, Promise::Loudness),
    scenario("`kill -9` of Redis, `appendfsync everysec`", EVERYSEC, Fault::KillRedis, Promise::Loudness),
    scenario("memory: only the faulty network", Keeping::Memory, Fault::None, Promise::Everything),
    scenario("only the faulty network", EVERYSEC, Fault::None, Promise::Everything),
    scenario("Redis hangs for 5 s", EVERYSEC, Fault::PauseRedis, Promise::Everything),
    scenario("subscriptions cut five times", EVERYSEC, Fault::CutSubscriptions, Promise::Everything),
    scenario("a node cut off from Redis for 5 s", EVERYSEC, Fault::PartitionNode, Promise::Everything),
    scenario(
        "`kill -9` of the master, Sentinel promotes the replica",
        Keeping::Sentinel,
        Fault::FailOver,
        Promise::Loudness,
    ),
    scenario(
        "cluster: `kill -9` of a master, its replica lacks the last 0.3 s",
        Keeping::Cluster,
        Fault::LoseMaster,
        Promise::Loudness,
    ),
    scenario("rolling restart of all nodes", EVERYSEC, Fault::RollingRestart, Promise::Everything),
];
const SHORT_ONES: usize = 4;

async fn strike(fault: Fault, deployment: &mut Deployment) {
    match fault {
        Fault::None => {}
        Fault::KillNode => {
            deployment.nodes[0].program.kill().await;
            sleep(Duration::from_secs(1)).await;
            deployment.start_again(0).await;
        }
        Fault::RollingRestart => {
            for node in 0..deployment.nodes.len() {
                deployment.nodes[node].program.stop().await;
                deployment.start_again(node).await;
                // As an operator would wait. If HAProxy has not noticed its return, clients only see more errors.
                sleep(Duration::from_secs(2)).await;
            }
        }
        Fault::KillRedis => {
            let redis = deployment.redis.as_mut().unwrap();
            redis.program.kill().await;
            sleep(Duration::from_millis(500)).await;
            redis.restart().await;
        }
        // Sentinel does the rest.
        Fault::FailOver => deployment.redis.as_mut().unwrap().program.kill().await,
        Fault::LoseMaster => {
            let Deployment { redis, replica, port, .. } = deployment;
            cluster::lose_master(redis.as_mut().unwrap(), replica.as_ref().unwrap(), *port).await;
        }
        Fault::PowerCut => {
            let redis = deployment.redis.as_mut().unwrap();
            let on_disk = redis.log_length();
            sleep(Duration::from_secs(1)).await;
            redis.program.kill().await;
            redis.forget_after(on_disk);
            redis.restart().await;
        }
        Fault::PauseRedis => {
            let redis = deployment.redis.as_ref().unwrap();
            redis.program.pause().await;
            sleep(Duration::from_secs(5)).await;
            redis.program.go_on().await;
        }
        Fault::CutSubscriptions => {
            for _ in 0..5 {
                deployment.redis.as_ref().unwrap().ask(&["CLIENT", "KILL", "TYPE", "pubsub"]).await;
                sleep(Duration::from_millis(500)).await;
            }
        }
        Fault::PartitionNode => {
            let relay = deployment.relay.as_ref().unwrap();
            relay.cut();
            sleep(Duration::from_secs(5)).await;
            relay.mend();
        }
    }
}

/// The result as a table row.
struct Outcome {
    verdict: Verdict,
    taken: [Duration; 3],
}

async fn run(scenario: Scenario, size: Size) -> Outcome {
    let mut deployment = Deployment::start(scenario.keeping).await;
    let (_wire, broken) = breaking_wire(deployment.port, BREAKS).await;
    let history = Arc::new(History::default());
    let http = Client::builder().no_proxy().build().unwrap();
    let (stop_writing, writing) = watch::channel(false);
    let (stop_reading, reading) = watch::channel(false);
    let members: Vec<Arc<Member>> = (0..size.clients)
        .map(|who| {
            let port = if who % 4 == 0 { broken } else { deployment.port };
            Arc::new(Member::new(who, format!("http://127.0.0.1:{port}"), http.clone(), history.clone()))
        })
        .collect();
    let (mut readers, mut writers) = (JoinSet::new(), JoinSet::new());
    for member in &members {
        let member = member.clone();
        let reading = reading.clone();
        readers.spawn(async move {
            let cursor = member.arrive().await;
            member.read(cursor, reading).await;
        });
    }
    for member in &members {
        let member = member.clone();
        let to = members[member.other].seated().await.id;
        let writing = writing.clone();
        writers.spawn(async move { member.write(to, size.per_second, writing).await });
    }
    delivers(&history, size.before * size.clients).await;
    let struck = now();
    strike(scenario.fault, &mut deployment).await;
    delivers(&history, size.after * size.clients).await;
    stop_writing.send_replace(true);
    writers.join_all().await;
    settle(&history).await;
    stop_reading.send_replace(true);
    readers.join_all().await;
    Outcome { verdict: check(&history.events(), scenario.promise), taken: history.taken_since(struck) }
}

/// Waits until that many more messages have been delivered.
async fn delivers(history: &History, more: usize) {
    let enough = history.delivered() + more;
    while history.delivered() < enough {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until everything has been delivered, or nothing has been for a while.
async fn settle(history: &History) {
    let (mut delivered, mut since) = (history.delivered(), now());
    while history.under_way() > 0 && since.elapsed() < QUIET {
        sleep(Duration::from_millis(50)).await;
        if history.delivered() != delivered {
            (delivered, since) = (history.delivered(), now());
        }
    }
}

const HEAD: &str = "| What happens | Clients | Accepted | Delivered | Lost, loudly | Read again, loudly | Told | Refused \
    | Silently lost, duplicated, reordered | p50 | p99 | Slowest |\n\
    | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |\n";

impl Outcome {
    fn row(&self, scenario: &Scenario, size: &Size) -> String {
        let Verdict { accepted, delivered, lost_loudly, reread, refused, marks, faults } = &self.verdict;
        let told: Vec<String> = marks.iter().map(|(what, times)| format!("{times} × `{what}`")).collect();
        let [p50, p99, slowest] = self.taken.map(|took| {
            let ms = took.as_secs_f64() * 1e3;
            if ms < 1e3 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1e3) }
        });
        format!(
            "| {} | {} | {accepted} | {delivered} | {lost_loudly} | {reread} | {} | {refused} | {} | {p50} | {p99} | {slowest} |\n",
            scenario.name,
            size.clients,
            told.join(", "),
            faults.len(),
        )
    }
}

async fn run_all(scenarios: &[Scenario], size: Size) -> String {
    let (mut table, mut bad) = (HEAD.to_owned(), Vec::new());
    for scenario in scenarios {
        let outcome = run(*scenario, size).await;
        let row = outcome.row(scenario, &size);
        print!("{row}");
        table += &row;
        let faults = &outcome.verdict.faults;
        if !faults.is_empty() {
            bad.push(format!("{}: {} faults: {:?}", scenario.name, faults.len(), &faults[..faults.len().min(8)]));
        }
    }
    assert!(bad.is_empty(), "{bad:#?}");
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chaos_causes_no_silent_loss_duplicate_or_reordering() {
    let wish = std::env::var("FLEET_CHAOS").unwrap_or_default();
    match wish.as_str() {
        "" => drop(run_all(&SCENARIOS[..SHORT_ONES], SHORT).await),
        "full" => {
            let table = run_all(&SCENARIOS, FULL).await;
            if std::env::var_os("UPDATE_DOCS").is_some() {
                page::write("docs/scaling.md", "chaos", &table).unwrap();
            }
        }
        // Selected by a part of its name.
        name => {
            let those: Vec<Scenario> = SCENARIOS.into_iter().filter(|one| one.name.contains(name)).collect();
            drop(run_all(&those, FULL).await);
        }
    }
}
