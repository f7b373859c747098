//! The thread that drives the connections.

use std::io;

use tokio::{
    runtime::{Handle, Runtime},
    sync::oneshot,
};

/// What was begun on it ends also when nobody waits for it any more. What is begun first is sent first, as long as no call has to
/// wait for its turn: of a single thread's tasks that come from elsewhere, none overtakes another.
#[derive(Debug)]
pub struct Thread {
    tasks: Handle,
    /// It stops when this is dropped.
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
