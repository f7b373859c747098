//! A bot: joins a room, opens a data channel with everybody in it, and answers the chat.
//!
//! `cargo run -- http://127.0.0.1:8080 garden`

mod calls;
mod link;
mod media;
mod network;
mod words;

use std::error::Error;

use clap::Parser;
use serde_json::json;
use signalpost_client::join;
use tokio::sync::Notify;

use crate::calls::Calls;
use crate::link::Setup;

/// Joins a room as a bot that answers the chat. Ctrl+C leaves the room.
#[derive(Parser)]
struct Options {
    /// The server's URL: http://127.0.0.1:8080
    server: String,
    /// 1-64 characters of A-Za-z0-9._~-
    room: String,
    /// Shown to the others
    #[arg(long, default_value = "Bot")]
    name: String,
    /// Seats for others if this creates the room
    #[arg(long, default_value_t = 7)]
    others: u32,
    /// The room's secret, if it has one
    #[arg(long, allow_hyphen_values = true)]
    secret: Option<String>,
    /// The key of a sealed room: 43 characters of base64url
    #[arg(long, allow_hyphen_values = true)]
    key: Option<String>,
    /// Sends everybody's picture and sound back to them
    #[arg(long)]
    echo: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    str0m::crypto::from_feature_flags().install_process_default();
    let address = network::address_towards(&options.server).await?;
    // Otherwise others need send no picture and no sound (docs/clients.md).
    let metadata = json!({"rtc": {"direction": if options.echo { "sendrecv" } else { "inactive" }}});
    let mut joining = join(&options.server, &options.room)
        .name(&options.name)
        .metadata(metadata)
        .capacity(options.others.saturating_add(1));
    if let Some(secret) = options.secret {
        joining = joining.secret(secret);
    }
    if let Some(key) = options.key {
        joining = joining.key(key.parse()?);
    }
    joining = joining.on_retry(|error, _, _| println!("not in the room yet: {error}"));
    let (room, events) = joining.await.map_err(|error| error.to_string())?;
    println!("in {} as {}", options.room, options.name);
    let stopped: &'static Notify = Box::leak(Box::default());
    ctrlc::set_handler(|| stopped.notify_one())?;
    tokio::select! {
        ending = Calls::new(room.clone(), Setup { address, echo: options.echo }).run(events) => println!("the room has ended: {ending}"),
        () = stopped.notified() => room.leave().await,
    }
    Ok(())
}
