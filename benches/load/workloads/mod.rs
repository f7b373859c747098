//! How each workload runs.

pub mod calls;
mod join_storm;
mod paced;
mod parked;
mod parked_http2;
pub mod ping_pong;
mod tls;
mod tls_calls;

use crate::{
    crowd::Crowd,
    measure::Outcome,
    servers::Setting,
    socket::client_config,
    stage::{Stage, Task},
    wire::Wire,
    workload::Workload,
};

pub fn run(task: Task, setting: &Setting) -> Result<Outcome, String> {
    let Task { workload, server, .. } = task;
    let running = server.start(setting, workload.is_encrypted())?;
    let driver = server.driver(matches!(workload, Workload::ClientCall | Workload::TlsCall));
    let stage = || -> Result<Stage<'_>, String> {
        let mut wire = Wire::to(running.addr).map_err(|error| error.to_string())?;
        if workload.is_encrypted() {
            wire = wire.encrypted(client_config(&setting.folder, "http/1.1")?);
        }
        Ok(Stage { crowd: Crowd::new(wire, &*driver), server: std::slice::from_ref(&running.process), task })
    };
    match workload {
        Workload::ParkedHttp2 => parked_http2::run(&running, driver, setting, task),
        Workload::Tls | Workload::PacedTls => tls::run(&running, driver, setting, task),
        Workload::TlsCall => tls_calls::run(&running, driver, setting, task),
        Workload::Parked | Workload::ParkedTls => parked::run(stage()?),
        Workload::PingPong | Workload::Paced1000 | Workload::Paced5000 => match workload.rate() {
            Some(rate) => paced::run(stage()?, rate),
            None => ping_pong::run(stage()?),
        },
        Workload::Call => calls::run(stage()?, 2, false),
        Workload::ClientCall => calls::run(stage()?, 2, true),
        Workload::Mesh => calls::run(stage()?, 8, true),
        Workload::JoinStorm => join_storm::run(stage()?),
    }
}
