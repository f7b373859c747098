//! The thread of the relay's UDP sockets. Its packets and those of signaling do not wait for each other.

use std::{io, sync::Arc, thread};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::turn::{endpoint::Endpoint, server::TurnServer, udp::UdpClients};

/// Runs until it is dropped.
pub struct TurnThread {
    _stop: oneshot::Sender<()>,
}

impl TurnThread {
    pub fn start(server: Arc<TurnServer>, endpoints: Vec<Arc<Endpoint>>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("turn".into()).spawn(move || {
            runtime.block_on(async {
                let clients = endpoints.into_iter().map(|endpoint| UdpClients::new(endpoint, server.clone()).serve());
                let sockets = join_all(clients);
                tokio::select! {
                    // `stop` was dropped.
                    _ = stopped => {}
                    _ = async { tokio::join!(sockets, server.sweep()) } => {}
                }
            });
        })?;
        Ok(Self { _stop: stop })
    }
}
