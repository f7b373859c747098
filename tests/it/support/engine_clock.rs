//! A Redis engine with a paused clock, so that its time-outs fire only when a test advances it.

use std::{sync::Arc, time::Duration};

use signalpost::{
    clock::Clock,
    domain::Limits,
    engine::{Engine, Redis},
};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::support::redis_link::RedisLink;

/// An engine at that URL whose time-outs never fire, however busy the machine is: see [`EngineClock`].
pub fn engine_at(url: &str, limits: Limits, clock: Clock) -> Engine {
    EngineClock::start().engine_at(url, limits, clock)
}

/// The paused clock of the thread that drives an engine's connections.
pub struct EngineClock {
    tasks: Handle,
    runtime: Option<Runtime>,
}

impl EngineClock {
    pub fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        // A paused clock advances as soon as every task waits, unless a blocking task runs. This one ends with the runtime, which drops its
        // tasks first.
        let (awake, ended) = std::sync::mpsc::channel::<()>();
        runtime.spawn_blocking(move || ended.recv());
        runtime.spawn(async move {
            let _awake = awake;
            std::future::pending::<()>().await;
        });
        Self { tasks: runtime.handle().clone(), runtime: Some(runtime) }
    }

    /// May be called once.
    pub fn engine_at(&mut self, url: &str, limits: Limits, clock: Clock) -> Engine {
        let runtime = self.runtime.take().unwrap();
        Engine::Redis(Redis::connect_on(runtime, url.parse().unwrap(), Arc::new(limits), clock).unwrap())
    }

    /// An engine that reaches Redis over this link, and its clock.
    pub async fn engine_behind(link: &RedisLink, limits: Limits) -> (Engine, Self) {
        let (mut clock, url) = (Self::start(), link.url());
        // Connecting blocks, and the link needs this thread.
        let connecting = move || (clock.engine_at(&url, limits, Clock::start()), clock);
        tokio::task::spawn_blocking(connecting).await.unwrap()
    }

    /// Advances the clock after all earlier calls have started, and runs everything that this wakes.
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
