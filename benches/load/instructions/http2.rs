//! The script over TLS and HTTP/2. Its counts vary by 2 %, because names and tokens are random and Huffman codes differ in length.

use std::{net::SocketAddr, path::Path};

use crate::{
    drivers::Driver,
    http2::{Peer, Shared, block_on},
    signal::Kind,
};

/// Two peers join, one sends `messages` messages, and the other receives each of them if it `receives`. The server presents the
/// certificate in the folder.
pub fn play(
    driver: Box<dyn Driver>,
    addr: SocketAddr,
    folder: &Path,
    messages: u32,
    receives: bool,
) -> Result<(), String> {
    let shared = Shared::new(driver, addr, folder)?;
    block_on(async {
        let (one, mut other) = (Peer::enter(&shared, 0).await?, Peer::enter(&shared, 1).await?);
        for number in 0..messages {
            one.post(&other.seat, &[Kind::Data], number).await?;
            if receives {
                let poll = other.poll().await?;
                let news = other.hear(poll).await?;
                if other.check(&news, number) != 1 {
                    return Err(format!("not one message: {}", news.glance()));
                }
            }
        }
        Ok(())
    })
}
