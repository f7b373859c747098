//! The thread that runs all Redis connections.

use std::io;

use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};

/// Tasks run to their end although the request that spawned them may be dropped. Calls are sent in the order in which they were
/// spawned, unless one has to queue: a single-threaded runtime keeps that order.
#[derive(Debug)]
pub struct Thread {
    tasks: Handle,
    /// The thread ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

impl Thread {
    pub fn start(runtime: Runtime) -> io::Result<Self> {
        let (tasks, (_stop, stopped)) = (runtime.handle().clone(), oneshot::channel::<()>());
        std::thread::Builder::new().name("redis".into()).spawn(move || drop(runtime.block_on(stopped)))?;
        Ok(Self { tasks, _stop })
    }

    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }
}
