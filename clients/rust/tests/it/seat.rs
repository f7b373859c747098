//! Returning to a seat.

use std::path::PathBuf;
use std::{env, fs, process};

use signalpost_client::{Ending, Error, Event, Seat, State};

use crate::support::{Server, arrival, data, departure, say, until};

/// A file that is gone after the test.
struct Draft(PathBuf);

impl Draft {
    fn new(name: &str) -> Self {
        Self(env::temp_dir().join(format!("signalpost-{}-{name}.json", process::id())))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_process_that_crashed_finds_its_seat_and_what_came_meanwhile() {
    let server = Server::start();
    let file = Draft::new("crash");
    let (ann, mut events) = server.room("tea").await.unwrap();
    let (ben, ben_events) = server.room("tea").seat_file(&file.0).await.unwrap();
    let id = ben.me().id.clone();
    drop((ben, ben_events));
    ann.send(&id, signalpost_client::Signal::Data("meanwhile".into())).await.unwrap();
    let (ben, mut ben_events) = server.room("tea").seat_file(&file.0).await.unwrap();
    assert_eq!(ben.me().id, id);
    assert_eq!(data(&mut ben_events).await, "meanwhile");
    ben.leave().await;
    assert_eq!(departure(&mut events).await, (id.clone(), "left".to_owned()));
    assert!(!file.0.exists(), "who leaves does not return");
    let (ben, _ben) = server.room("tea").seat_file(&file.0).await.unwrap();
    assert_ne!(ben.me().id, id);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_can_read_a_seat_file_and_one_that_cannot_be_written_takes_no_seat() {
    use std::os::unix::fs::PermissionsExt as _;

    let server = Server::start();
    let file = Draft::new("mode");
    let (ann, mut events) = server.room("tea").seat_file(&file.0).await.unwrap();
    assert_eq!(fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read(&file.0).unwrap(), serde_json::to_vec(&ann.seat().unwrap()).unwrap());
    let refused = server.room("tea").seat_file("/nowhere/seat.json").await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    arrival(&mut events).await;
    assert_eq!(departure(&mut events).await.1, "left");
}

#[tokio::test]
async fn of_two_processes_with_one_seat_the_older_is_told() {
    let server = Server::start();
    let (ann, mut events) = server.room("tea").await.unwrap();
    let text = serde_json::to_string(&ann.seat().unwrap()).unwrap();
    let seat: Seat = serde_json::from_str(&text).unwrap();
    assert!(!format!("{seat:?} {ann:?}").contains(&seat.token));
    let (newer, mut newer_events) = server.room("tea").seat(seat).await.unwrap();
    until(&mut events, |event| {
        matches!(event, Event::State { state: State::Ended(Ending::Superseded), .. }).then_some(())
    })
    .await;
    assert!(events.next().await.is_none());
    let (ben, _ben) = server.room("tea").await.unwrap();
    say(&ben, &newer.me().id, "hello");
    assert_eq!(data(&mut newer_events).await, "hello");
}

#[tokio::test]
async fn a_server_that_has_forgotten_everything_gives_a_new_id_and_the_program_is_told() {
    let mut server = Server::start();
    let (ann, _events) = server.room("tea").await.unwrap();
    let seat = ann.seat().unwrap();
    server.kill();
    let next = Server::start();
    let (ann, mut events) = next.room("tea").seat(seat.clone()).await.unwrap();
    assert_ne!(ann.me().id, seat.peer);
    assert!(ann.created());
    let (ben, _ben) = next.room("tea").await.unwrap();
    assert_eq!(arrival(&mut events).await.id, ben.me().id);
}
