//! A link between two servers that can be cut: nothing passes, and nobody is notified.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
    task::JoinHandle,
};

pub struct Relay {
    pub port: u16,
    cut: Arc<watch::Sender<bool>>,
    accepting: JoinHandle<()>,
}

impl Relay {
    pub async fn start(upstream: u16) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(watch::Sender::new(false));
        let state = cut.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    // While it is cut, new connections hang, as on a network that drops packets.
                    let _ = state.subscribe().wait_for(|cut| !cut).await;
                    let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    tokio::select! {
                        () = pump(from_client, to_server, state.subscribe()) => {}
                        () = pump(from_server, to_client, state.subscribe()) => {}
                    }
                });
            }
        });
        Relay { port, cut, accepting }
    }

    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    /// Bytes in transit arrive late, like TCP retransmissions.
    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pump(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut cut: watch::Receiver<bool>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if cut.wait_for(|cut| !cut).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
