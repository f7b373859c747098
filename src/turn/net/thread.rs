//! The thread of the relay's UDP sockets. Its packets and those of signaling do not wait for each other.

use std::{io, sync::Arc, thread};

use futures_util::FutureExt;
use tokio::sync::oneshot;

use crate::turn::{
    net::{endpoint::Endpoint, udp::UdpClients},
    server::TurnServer,
};

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
                server.serve_sockets_here();
                // Tasks of their own, so that none of them starves another.
                for endpoint in endpoints {
                    let clients = UdpClients::new(endpoint, server.clone());
                    tokio::spawn(async move {
                        if let Err(error) = clients.serve().await {
                            tracing::error!(%error, "a UDP socket of the relay has failed");
                        }
                    });
                }
                for work in [server.clone().remove_expired().boxed(), server.clone().check_seats().boxed()] {
                    tokio::spawn(work);
                }
                // `stop` was dropped.
                let _ = stopped.await;
            });
        })?;
        Ok(Self { _stop: stop })
    }
}
