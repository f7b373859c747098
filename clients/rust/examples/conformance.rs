//! This client, for the kit: `node clients/conformance/run.js -- target/debug/examples/conformance`. See clients/conformance/README.md.

use std::io::stdin;
use std::thread;

use serde_json::{Value, json};
use signalpost_client::{Error, Event, Events, Join, Room, Signal, join};
use tokio::sync::mpsc;

/// Each line is written whole, whichever task writes it.
#[allow(clippy::print_stdout, reason = "the kit reads it")]
fn say(event: &Value) {
    println!("{event}");
}

fn commands() -> mpsc::UnboundedReceiver<Value> {
    let (sender, commands) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for line in stdin().lines().map_while(Result::ok) {
            let command = serde_json::from_str(&line).unwrap_or_default();
            if sender.send(command).is_err() {
                break;
            }
        }
    });
    commands
}

async fn enter(command: &Value) -> Option<(Room, Events)> {
    let joined = async { how_to_join(command)?.await };
    match joined.await {
        Ok((room, events)) => {
            let peers: Vec<_> = room.peers().iter().map(|peer| peer.id.clone()).collect();
            say(&json!({"event": "joined", "peer": room.me().id, "peers": peers, "seat": room.seat()}));
            Some((room, events))
        }
        Err(error) => {
            say(&json!({"event": "refused", "problem": problem(&error)}));
            None
        }
    }
}

fn how_to_join(command: &Value) -> Result<Join, Error> {
    let text = |member: &str| command[member].as_str().unwrap_or_default();
    let mut joining = join(text("base"), text("room")).name(text("name"));
    if let Ok(seat) = serde_json::from_value(command["seat"].clone()) {
        joining = joining.seat(seat);
    }
    #[cfg(feature = "sealed")]
    if let Some(key) = command["key"].as_str() {
        joining = joining.key(key.parse()?);
    }
    Ok(joining)
}

fn problem(error: &Error) -> String {
    error.slug().map_or_else(|| error.to_string(), str::to_owned)
}

async fn read(mut events: Events) {
    while let Some(event) = events.next().await {
        match event {
            Event::Message(message) => {
                if let Signal::Data(data) = message.signal {
                    say(&json!({"event": "received", "from": message.from, "data": data}));
                }
            }
            Event::PeerJoined(peer) => say(&json!({"event": "arrived", "peer": peer.id})),
            Event::PeerLeft { peer, reason } => {
                say(&json!({"event": "left", "peer": peer.id, "reason": reason.to_string()}))
            }
            Event::State { state, .. } => say(&json!({"event": "state", "state": state.to_string()})),
            _ => {}
        }
    }
}

fn send(room: &Room, command: &Value) {
    let (id, data) = (command["id"].clone(), Signal::Data(command["data"].clone()));
    let sending = match command["to"].as_str() {
        Some(to) => room.send(to, data),
        None => room.send_to_all(data),
    };
    tokio::spawn(async move {
        say(&match sending.await {
            Ok(_) => json!({"event": "sent", "id": id}),
            Err(error) => json!({"event": "failed", "id": id, "problem": problem(&error)}),
        });
    });
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut commands = commands();
    let mut seated = None;
    while let Some(command) = commands.recv().await {
        match (command["do"].as_str(), &seated) {
            (Some("join"), _) => {
                if let Some((room, events)) = enter(&command).await {
                    seated = Some((room, tokio::spawn(read(events))));
                }
            }
            (Some("send"), Some((room, _))) => send(room, &command),
            (Some("leave"), Some((room, _))) => {
                room.leave().await;
                break;
            }
            _ => {}
        }
    }
    // What was received is still written.
    if let Some((room, reading)) = seated {
        drop(room);
        let _ = reading.await;
    }
}
