//! The contract in `Engine`'s documentation, checked against both engines under a paused clock.

use std::{sync::Arc, time::Duration};

use signalpost::{
    clock::Clock,
    domain::{Batch, Content, CreatorId, Identity, Limits, Page, Payload, Post, Refusal, Seq, Target, Visitor},
    engine::{Engine, Memory},
};

use crate::support::{
    engine_calls::{asked, id, is_pending, join, receive, room, text, visitor},
    engine_clock::engine_at,
    redis_server::{RedisCluster, RedisServer},
};

/// Runs a test against every engine.
macro_rules! promise {
    ($name:ident, $engine:ident, $body:block) => {
        mod $name {
            use super::*;

            #[tokio::test(start_paused = true)]
            async fn memory() {
                let $engine = Engine::Memory(Memory::new(Arc::new(Limits::default()), Clock::start()));
                $body
            }

            #[tokio::test(start_paused = true)]
            async fn redis() {
                let server = RedisServer::shared();
                let $engine = engine_at(&server.url_apart(), Limits::default(), Clock::start_driven());
                $body
            }

            #[tokio::test(start_paused = true)]
            async fn redis_cluster() {
                let cluster = RedisCluster::shared();
                let $engine = engine_at(&cluster.url_apart(), Limits::default(), Clock::start_driven());
                $body
            }
        }
    };
}

fn seqs(batch: &Batch) -> Vec<u64> {
    batch.messages.iter().map(|message| message.seq.get()).collect()
}

promise!(a_parked_poll_is_woken_by_a_message, engine, {
    join(&engine, 1).await;
    let name = room("r");
    let (batch, sent) = tokio::join!(receive(&engine, 1, 0, 25), engine.post(&name, id(1), text(1, "x")));
    assert_eq!(sent.unwrap().positions, [(id(1), Seq::new(1).unwrap())]);
    assert_eq!(seqs(&batch.unwrap()), [1]);
});

promise!(delivery_delays_are_counted_in_microseconds, engine, {
    join(&engine, 1).await;
    engine.post(&room("r"), id(1), text(1, "waits for its reader")).await.unwrap();
    tokio::time::advance(Duration::from_millis(60)).await;
    receive(&engine, 1, 0, 0).await.unwrap();
    let name = room("r");
    let (batch, _) = tokio::join!(receive(&engine, 1, 1, 25), engine.post(&name, id(1), text(1, "is waited for")));
    assert_eq!(seqs(&batch.unwrap()), [2]);
    let flow = engine.stats().await.counters;
    assert_eq!(flow.waited_micros, 60_000);
    let counted: Vec<_> = flow.waited.iter().enumerate().filter(|(_, count)| **count > 0).collect();
    // The buckets up to 100 microseconds and up to 250 ms.
    assert_eq!(counted, [(0, &1), (8, &1)]);
});

promise!(an_expired_hold_returns_an_empty_batch_and_leaves_no_waiter, engine, {
    join(&engine, 1).await;
    assert!(seqs(&receive(&engine, 1, 0, 25).await.unwrap()).is_empty());
    assert_eq!(engine.stats().await.parked, 0);
});

promise!(a_dropped_poll_leaves_no_waiter, engine, {
    join(&engine, 1).await;
    {
        let mut poll = Box::pin(receive(&engine, 1, 0, 25));
        assert!(is_pending(&mut poll));
        assert_eq!(engine.stats().await.parked, 1);
    }
    assert_eq!(engine.stats().await.parked, 0);
    engine.post(&room("r"), id(1), text(1, "x")).await.unwrap();
    assert_eq!(seqs(&receive(&engine, 1, 0, 0).await.unwrap()), [1]);
});

promise!(the_newest_poll_wins_even_if_the_older_reads_again, engine, {
    join(&engine, 1).await;
    let mut older = Box::pin(receive(&engine, 1, 0, 10));
    assert!(is_pending(&mut older));
    let mut newer = Box::pin(receive(&engine, 1, 0, 25));
    assert!(is_pending(&mut newer));
    assert_eq!(older.await, Err(Refusal::PollSuperseded));
    engine.post(&room("r"), id(1), text(1, "x")).await.unwrap();
    assert_eq!(seqs(&newer.await.unwrap()), [1]);
});

// The older poll's hold ends before it learns of the newer one: its last read must not displace the newer. Which of the two it
// notices first is random, hence the repetition.
promise!(a_late_read_by_an_older_poll_does_not_end_the_newer, engine, {
    join(&engine, 1).await;
    for round in 1..=32 {
        let mut older = Box::pin(receive(&engine, 1, round - 1, 10));
        assert!(is_pending(&mut older));
        tokio::time::advance(Duration::from_secs(11)).await;
        let mut newer = Box::pin(receive(&engine, 1, round - 1, 25));
        assert!(is_pending(&mut newer));
        assert_eq!(older.await, Err(Refusal::PollSuperseded));
        assert!(is_pending(&mut newer));
        engine.post(&room("r"), id(1), text(1, "x")).await.unwrap();
        assert_eq!(seqs(&newer.await.unwrap()), [round]);
    }
});

promise!(a_duplicated_poll_is_answered_twice_without_superseding, engine, {
    let name = room("r");
    engine.join(&name, Visitor { page: Some(Page(7)), ..visitor(1) }).await.unwrap();
    let poll = |page| engine.receive(&name, id(1), asked(0, Some(page)), Duration::from_secs(25));
    let mut older = Box::pin(poll(7));
    assert!(is_pending(&mut older));
    let mut newer = Box::pin(poll(7));
    assert!(is_pending(&mut newer));
    assert!(seqs(&older.await.unwrap()).is_empty());
    assert_eq!(poll(8).await, Err(Refusal::PollSuperseded));
    engine.post(&name, id(1), text(1, "x")).await.unwrap();
    assert_eq!(seqs(&newer.await.unwrap()), [1]);
});

// Not the page that polls last, which is random, but the one that joined last.
promise!(the_page_that_joined_last_has_the_seat, engine, {
    let name = room("r");
    engine.join(&name, Visitor { page: Some(Page(7)), ..visitor(1) }).await.unwrap();
    let poll = |page| engine.receive(&name, id(1), asked(0, Some(page)), Duration::from_secs(25));
    let mut first = Box::pin(poll(7));
    assert!(is_pending(&mut first));
    let back = Identity::Returning { id: id(1), restart: Seq::START };
    engine.join(&name, Visitor { identity: back, page: Some(Page(8)), ..visitor(1) }).await.unwrap();
    assert_eq!(first.await, Err(Refusal::PollSuperseded));
    assert_eq!(poll(7).await, Err(Refusal::PollSuperseded));
    let mut second = Box::pin(poll(8));
    assert!(is_pending(&mut second));
    assert_eq!(poll(7).await, Err(Refusal::PollSuperseded));
    assert!(is_pending(&mut second));
});

// The older one is woken by a message, but before it reads, the newer one arrives and is answered.
promise!(an_older_poll_is_superseded_once_a_newer_one_was_answered, engine, {
    join(&engine, 1).await;
    let mut older = Box::pin(receive(&engine, 1, 0, 25));
    assert!(is_pending(&mut older));
    engine.post(&room("r"), id(1), text(1, "x")).await.unwrap();
    assert_eq!(seqs(&receive(&engine, 1, 0, 25).await.unwrap()), [1]);
    assert_eq!(older.await, Err(Refusal::PollSuperseded));
});

// A poll renews the lease when it arrives; its wake-up or time-out says nothing about the peer.
promise!(reading_again_does_not_renew_the_lease, engine, {
    let sweeping = engine.clone();
    let sweeper = tokio::spawn(async move { sweeping.sweep().await });
    let clock = Clock::start();
    join(&engine, 1).await;
    receive(&engine, 1, 0, 25).await.unwrap();
    assert_eq!(clock.now().millis() / 1000, 25);
    tokio::time::sleep(Duration::from_millis(20_500)).await;
    assert_eq!(engine.stats().await.peers, 0);
    sweeper.abort();
});

// Candidates are posted while a poll is parked.
promise!(posting_while_polling_counts_as_activity, engine, {
    let full = Visitor { capacity: Some(1), ..visitor(1) };
    engine.join(&room("r"), full).await.unwrap();
    let mut poll = Box::pin(receive(&engine, 1, 0, 25));
    assert!(is_pending(&mut poll));
    let nobody = Post { targets: vec![Target { to: None, payload: Payload::new("x") }], keyed: None };
    engine.post(&room("r"), id(1), nobody).await.unwrap();
    tokio::time::advance(Duration::from_secs(10)).await;
    let Err(Refusal::RoomFull { seats, .. }) = engine.join(&room("r"), visitor(2)).await else { panic!("not full") };
    assert_eq!(seats[0].frees_in, None);
    drop(poll);
    tokio::time::advance(Duration::from_secs(6)).await;
    let Err(Refusal::RoomFull { seats, .. }) = engine.join(&room("r"), visitor(2)).await else { panic!("not full") };
    assert!(seats[0].frees_in.is_some());
});

promise!(an_expired_lease_notifies_the_others_once, engine, {
    let sweeping = engine.clone();
    let sweeper = tokio::spawn(async move { sweeping.sweep().await });
    join(&engine, 1).await;
    join(&engine, 2).await;
    let clock = Clock::start();
    // Two holds of 25 s: the first keeps peer 1 alive, peer 2 sends nothing.
    assert!(seqs(&receive(&engine, 1, 1, 25).await.unwrap()).is_empty());
    let told = receive(&engine, 1, 1, 25).await.unwrap();
    assert!(matches!(&told.messages[..], [left] if matches!(left.content, Content::PeerLeft { .. })));
    let waited = clock.now().millis();
    assert!((45_000..45_100).contains(&waited), "{waited}");
    assert_eq!(receive(&engine, 2, 0, 0).await, Err(Refusal::PeerGone));
    assert_eq!(engine.stats().await.peers, 1);
    sweeper.abort();
});

promise!(an_idle_room_ends_with_its_last_lease, engine, {
    let sweeping = engine.clone();
    let sweeper = tokio::spawn(async move { sweeping.sweep().await });
    for number in 1..=9 {
        join(&engine, number).await;
    }
    assert_eq!(engine.stats().await.rooms, 1);
    tokio::time::advance(Duration::from_secs(44)).await;
    assert_eq!(engine.stats().await.peers, 9);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        (engine.stats().await.rooms, engine.stats().await.peers, engine.stats().await.counters.expired),
        (0, 0, 9)
    );
    sweeper.abort();
});

promise!(draining_answers_every_poll_and_parks_no_more, engine, {
    join(&engine, 1).await;
    join(&engine, 2).await;
    let mut polls = [Box::pin(receive(&engine, 1, 1, 25)), Box::pin(receive(&engine, 2, 0, 25))];
    for poll in &mut polls {
        assert!(is_pending(poll));
    }
    engine.drain();
    for poll in polls {
        assert_eq!(poll.await, Err(Refusal::Draining));
    }
    assert_eq!(receive(&engine, 1, 1, 25).await, Err(Refusal::Draining));
    assert!(seqs(&receive(&engine, 1, 1, 0).await.unwrap()).is_empty());
    assert_eq!(engine.stats().await.parked, 0);
    // It could never be read.
    let posted = engine.post(&room("r"), id(1), text(2, "x")).await;
    assert_eq!(posted.err(), Some(Refusal::Draining));
    assert_eq!(engine.join(&room("r"), visitor(3)).await.err(), Some(Refusal::Draining));
});

promise!(an_empty_created_room_lives_ten_minutes, engine, {
    let sweeping = engine.clone();
    let sweeper = tokio::spawn(async move { sweeping.sweep().await });
    let creator = CreatorId::from_bytes([9; 16]);
    engine.create(&room("r"), Default::default(), creator).await.unwrap();
    tokio::time::sleep(Duration::from_secs(599)).await;
    engine.join(&room("r"), visitor(1)).await.unwrap();
    engine.leave(&room("r"), id(1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(599)).await;
    assert!(engine.view(&room("r")).await.is_ok());
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(engine.view(&room("r")).await.map(|_| ()), Err(Refusal::RoomUnknown));
    sweeper.abort();
});
