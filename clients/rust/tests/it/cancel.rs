//! What dropping a future does, and what it does not.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use futures_core::Stream as _;
use signalpost_client::{Error, Event, Signal, join};
use tokio::net::TcpSocket;
use tokio::sync::mpsc;

use crate::support::{BRIEF, Gate, PATIENCE, Server, arrival, data, departure, once, say};

#[tokio::test]
async fn no_event_is_lost_if_waiting_for_it_is_given_up() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").await.unwrap();
    let (ben, _ben) = server.room("tea").await.unwrap();
    for number in 0..500 {
        say(&ben, &ann.me().id, number);
    }
    let mut heard = Vec::new();
    while heard.len() < 500 {
        tokio::select! {
            biased;
            // Given up at once unless an event is there, and twice by each of its interfaces.
            event = events.next() => heard.extend(number(event)),
            () = tokio::task::yield_now() => {}
        }
        if let Some(event) = once(poll_fn(|context| Pin::new(&mut events).poll_next(context))).await {
            heard.extend(number(event));
        }
    }
    assert_eq!(heard, (0..500).collect::<Vec<_>>());
}

fn number(event: Option<Event>) -> Option<u64> {
    match event.expect("the room goes on") {
        Event::Message(message) => match message.signal {
            Signal::Data(data) => data.as_u64(),
            _ => None,
        },
        _ => None,
    }
}

#[tokio::test]
async fn a_message_is_sent_once_whether_or_not_its_future_is_kept() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").await.unwrap();
    let (ben, _ben) = server.room("tea").await.unwrap();
    let id = &ann.me().id;
    for number in 0..300 {
        let sending = ben.send(id, Signal::Data(number.into()));
        match number % 3 {
            0 => drop(sending),
            1 => drop(once(sending).await),
            _ => drop(tokio::time::timeout(Duration::from_micros(200), sending).await),
        }
    }
    for number in 0..300 {
        assert_eq!(data(&mut events).await, number);
    }
    say(&ben, id, "end");
    assert_eq!(data(&mut events).await, "end");
}

#[tokio::test]
async fn a_join_that_is_given_up_leaves_no_seat_behind() {
    let server = Server::start();
    let (_ann, mut events) = server.room("tea").await.unwrap();
    let gate = Gate::before(&server).await;
    gate.close();
    {
        let joining = join(&gate.base, "tea").into_future();
        tokio::select! {
            _ = joining => unreachable!("its response is held back"),
            peer = arrival(&mut events) => assert_eq!(peer.name, ""),
        }
    }
    gate.open();
    assert_eq!(departure(&mut events).await.1, "left");
}

#[tokio::test]
async fn a_join_that_is_given_up_while_it_waits_asks_no_more() {
    // The port is taken, and nobody listens there.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = socket.local_addr().unwrap();
    let (failed, mut failing) = mpsc::unbounded_channel();
    let joining = join(format!("http://{nobody}"), "tea").on_retry(move |_, failures, _| {
        let _ = failed.send(failures);
    });
    tokio::select! {
        _ = joining.into_future() => unreachable!("there is no server"),
        failures = failing.recv() => assert_eq!(failures, Some(1)),
    }
    // Its task ends, and drops the closure with the sender.
    let ended = async { while failing.recv().await.is_some() {} };
    tokio::time::timeout(PATIENCE, ended).await.expect("it goes on");
}

#[tokio::test]
async fn a_return_that_is_given_up_keeps_the_seat() {
    let server = Server::start();
    let (_ann, mut events) = server.room("tea").await.unwrap();
    let (ben, ben_events) = server.room("tea").await.unwrap();
    let seat = ben.detach().unwrap();
    drop((ben, ben_events));
    let gate = Gate::before(&server).await;
    gate.close();
    {
        let returning = join(&gate.base, "tea").seat(seat.clone()).into_future();
        tokio::select! {
            _ = returning => unreachable!("its response is held back"),
            () = gate.asked(1) => {}
        }
    }
    gate.open();
    let (ben, _ben) = server.room("tea").seat(seat.clone()).await.unwrap();
    assert_eq!(ben.me().id, seat.peer);
    assert_eq!(arrival(&mut events).await.id, seat.peer);
    ben.leave().await;
    assert_eq!(departure(&mut events).await, (seat.peer, "left".to_owned()));
}

#[tokio::test]
async fn leaving_goes_on_if_nobody_waits_for_it() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").await.unwrap();
    let (ben, ben_events) = server.room("tea").await.unwrap();
    for number in 0..100 {
        say(&ben, &ann.me().id, number);
    }
    assert!(once(ben.leave()).await.is_none());
    let id = ben.me().id.clone();
    drop((ben, ben_events));
    for number in 0..100 {
        assert_eq!(data(&mut events).await, number);
    }
    assert_eq!(departure(&mut events).await, (id, "left".to_owned()));
}

#[tokio::test]
async fn a_room_that_is_dropped_says_nothing_more_and_can_be_taken_again() {
    let server = Server::with(&BRIEF);
    let (_ann, mut events) = server.room("tea").await.unwrap();
    let (ben, mut ben_events) = server.room("tea").await.unwrap();
    let (seat, another) = (ben.seat().unwrap(), ben.clone());
    drop(ben);
    // A handle is left, and then only the events.
    say(&another, &another.peers()[0].id, "here");
    assert_eq!(data(&mut events).await, "here");
    let pending = another.send("00000000-0000-4000-8000-000000000000", Signal::Bye(None));
    drop(another);
    assert!(once(ben_events.next()).await.is_none(), "the events are kept");
    assert!(matches!(pending.await, Err(Error::Problem(problem)) if problem.slug == "peer-unknown"));
    drop(ben_events);
    assert_eq!(departure(&mut events).await, (seat.peer.clone(), "expired".to_owned()));
    let (ben, _ben) = server.room("tea").seat(seat.clone()).await.unwrap();
    assert_eq!(ben.me().id, seat.peer);
}
