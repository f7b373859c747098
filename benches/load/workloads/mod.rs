//! How each workload runs.

pub mod calls;
mod join_storm;
mod parked;
pub mod ping_pong;
mod tls;

use crate::{
    crowd::Crowd,
    measure::Outcome,
    servers::Setting,
    stage::{Stage, Task},
    wire::Wire,
    workload::Workload,
};

pub fn run(task: Task, setting: &Setting) -> Result<Outcome, String> {
    let with_tls = task.workload == Workload::Tls;
    let running = task.server.start(setting, with_tls)?;
    let driver = task.server.driver(task.workload == Workload::ClientCall);
    if with_tls {
        return tls::run(&running, driver, setting, task);
    }
    let wire = Wire::to(running.addr).map_err(|error| error.to_string())?;
    let stage = Stage { crowd: Crowd::new(wire, &*driver), server: std::slice::from_ref(&running.process), task };
    match task.workload {
        Workload::Parked => parked::run(stage),
        Workload::PingPong => ping_pong::run(stage),
        Workload::Call => calls::run(stage, 2, false),
        Workload::ClientCall => calls::run(stage, 2, true),
        Workload::Mesh => calls::run(stage, 8, true),
        Workload::JoinStorm | Workload::Tls => join_storm::run(stage),
    }
}
