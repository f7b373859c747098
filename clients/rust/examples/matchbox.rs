//! Games with matchbox_socket: run it twice, and each greets the other on a data channel.
//!
//! `cargo run --features matchbox --example matchbox -- http://127.0.0.1:8080/tea Ann`

use std::sync::Arc;
use std::time::Duration;
use std::{env, error, str};

use matchbox_socket::{PeerState, WebRtcSocketBuilder};
use signalpost_client::matchbox::Signalpost;

#[tokio::main]
#[allow(clippy::print_stdout, reason = "it is for people")]
async fn main() -> Result<(), Box<dyn error::Error>> {
    let mut args = env::args().skip(1);
    let (url, name) = (args.next().ok_or("URL/ROOM")?, args.next().ok_or("NAME")?);
    let player = name.clone();
    let signaller = Signalpost::new().with(move |join| join.name(&player).capacity(8));
    let builder = WebRtcSocketBuilder::new(url).signaller_builder(Arc::new(signaller)).add_reliable_channel();
    let (mut socket, running) = builder.build();
    let running = tokio::spawn(running);
    let mut frames = tokio::time::interval(Duration::from_millis(20));
    while !running.is_finished() {
        for (peer, state) in socket.update_peers() {
            println!("{peer} {state:?}");
            if state == PeerState::Connected {
                socket.channel_mut(0).send(format!("hello from {name}").into_bytes().into(), peer);
            }
        }
        for (_, packet) in socket.channel_mut(0).receive() {
            println!("{}", str::from_utf8(&packet)?);
        }
        frames.tick().await;
    }
    Ok(running.await??)
}
