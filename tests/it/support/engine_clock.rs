//! A Redis engine whose own time stands still, so that its time-outs strike only when a test lets them.

use std::{sync::Arc, time::Duration};

use signalpost::{
    clock::Clock,
    domain::Limits,
    engine::{Engine, Redis},
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support::redis_link::RedisLink;

/// A node with an engine at that address. Its time-outs never strike, however busy the machine is: see [`EngineClock`].
pub fn engine_at(url: &str, limits: Limits, clock: Clock) -> Engine {
    EngineClock::start().engine_at(url, limits, clock)
}

/// The time of the thread that drives an engine's connections: it stands still, except when a test lets some pass.
pub struct EngineClock {
    tasks: Handle,
    runtime: Option<Runtime>,
}

impl EngineClock {
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        // A paused clock leaps ahead as soon as every task waits, unless a blocking task runs. This one ends with the runtime,
        // which drops its tasks first.
        let (awake, ended) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || ended.recv());
        runtime.spawn(async move {
            let _awake = awake;
            std::future::pending::<()>().await;
        });
        Self { tasks: runtime.handle().clone(), runtime: Some(runtime) }
    }

    /// To be called once.
    pub fn engine_at(&mut self, url: &str, limits: Limits, clock: Clock) -> Engine {
        let runtime = self.runtime.take().unwrap();
        Engine::Redis(Redis::connect_on(runtime, url.parse().unwrap(), Arc::new(limits), clock).unwrap())
    }

    /// An engine that reaches Redis over this link, and its time.
    pub async fn engine_behind(link: &RedisLink, limits: Limits) -> (Engine, Self) {
        let (mut clock, url) = (Self::start(), link.url());
        // It blocks until it is connected, and the link needs this thread.
        let connecting = move || (clock.engine_at(&url, limits, Clock::start()), clock);
        tokio::task::spawn_blocking(connecting).await.unwrap()
    }

    /// Lets time pass, after everything that the engine was asked before has been begun, and until nothing is left of what
    /// that woke.
    pub async fn advance(&self, span: Duration) {
        let passing = async move {
            tokio::time::advance(span).await;
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        };
        self.tasks.spawn(passing).await.unwrap();
    }
}
