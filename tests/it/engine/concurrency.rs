//! The memory engine under real threads.

use std::{collections::HashMap, sync::Arc, time::Duration};

use signalpost::{
    clock::Clock,
    domain::{Content, Limits, PeerId, Refusal},
    engine::{Engine, Memory},
};

use crate::support::engine_calls::{asked, id, join, room, text, visitor};

const SENDERS: u8 = 8;
const EACH: u32 = 37_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_message_is_lost_duplicated_or_reordered_when_polls_are_dropped() {
    let limits = Limits { room_capacity: 16, ..Limits::default() };
    let engine = Engine::Memory(Memory::new(Arc::new(limits), Clock::start()));
    join(&engine, 0).await;
    for sender in 1..=SENDERS {
        join(&engine, sender).await;
    }
    let senders: Vec<_> = (1..=SENDERS).map(|sender| tokio::spawn(send_all(engine.clone(), sender))).collect();
    let dropped = read_all(&engine).await;
    for sender in senders {
        sender.await.unwrap();
    }
    assert!(dropped > 100, "only {dropped} polls were dropped");
    assert_eq!(engine.stats().await.parked, 0);
}

/// A concurrent sweep used to remove peers before it counted them as expired.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn stats_count_every_peer_as_present_or_expired() {
    const PEERS: usize = 5_000;
    let limits = Limits { lease: Duration::from_millis(100), ..Limits::default() };
    let engine = Engine::Memory(Memory::new(Arc::new(limits), Clock::start()));
    let sweeper = tokio::spawn({
        let engine = engine.clone();
        async move { engine.sweep().await }
    });
    for number in 0..PEERS {
        engine.join(&room(&number.to_string()), visitor(0)).await.unwrap();
    }
    loop {
        let stats = engine.stats().await;
        assert!(stats.peers + stats.counters.expired as usize >= PEERS, "{stats:?}");
        if stats.peers == 0 {
            break;
        }
    }
    sweeper.abort();
}

async fn send_all(engine: Engine, sender: u8) {
    for number in 0..EACH {
        while let Err(refusal) = engine.post(&room("r"), id(sender), text(0, &number.to_string())).await {
            assert!(matches!(refusal, Refusal::MailboxFull { .. }), "{refusal:?}");
            tokio::task::yield_now().await;
        }
        // Lets the mailbox run empty now and then, so that polls park.
        if number % 64 == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// Reads until everything has arrived, and drops about every third poll at a random point. Returns how many.
async fn read_all(engine: &Engine) -> u64 {
    let room = room("r");
    let (mut cursor, mut next, mut dropped) = (0, HashMap::<PeerId, u32>::new(), 0);
    while next.values().sum::<u32>() < u32::from(SENDERS) * EACH {
        let poll = engine.receive(&room, id(0), asked(cursor, None), Duration::from_secs(20));
        let patience = if fastrand::u8(0..3) == 0 { fastrand::u32(0..50) } else { u32::MAX };
        let batch = tokio::select! {
            biased;
            batch = poll => batch.unwrap(),
            () = yield_times(patience) => {
                dropped += 1;
                continue;
            }
        };
        // Responses are lost, too: then their cursor is never used.
        if fastrand::u8(0..4) == 0 {
            dropped += 1;
            continue;
        }
        for message in &batch.messages {
            cursor += 1;
            assert_eq!(message.seq.get(), cursor);
            let Content::Relayed { from, payload } = &message.content else { continue };
            let expected = next.entry(*from).or_default();
            assert_eq!(payload.as_str(), expected.to_string());
            *expected += 1;
        }
    }
    dropped
}

async fn yield_times(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}
