//! A program that does not read its events.

use signalpost_client::{Signal, join};
use tokio::task::unconstrained;

use crate::support::{Gate, PATIENCE, Server, once};

/// So much waits in a mailbox at most, and so much comes at once.
const MAILBOX: usize = 500;
const MAX_BEHIND: usize = 1_000;

#[tokio::test]
async fn it_gets_no_more_whatever_happens_to_its_requests() {
    let server = Server::with(&["--lease-ms", "1500", "--mailbox-messages", &MAILBOX.to_string()]);
    let gate = Gate::before(&server).await;
    let (ann, mut events) = join(&gate.base, "tea").await.unwrap();
    let (ben, _ben) = server.room("tea").await.unwrap();
    let id = ann.me().id.clone();
    let mut sending: Vec<_> = (0..5_000).map(|number| ben.send(&id, Signal::Data(number.into()))).collect();
    let sent = tokio::time::timeout(PATIENCE, sending.swap_remove(MAX_BEHIND + MAILBOX / 4)).await;
    sent.expect("she reads as much as she has room for").unwrap();
    for _ in 0..5 {
        tokio::time::timeout(PATIENCE, gate.falter()).await.expect("she keeps her seat");
    }
    // Without giving way to other tasks.
    let unread = unconstrained(async {
        let mut unread = 0;
        while once(events.next()).await.is_some() {
            unread += 1;
        }
        unread
    });
    let unread = unread.await;
    // Besides messages there are changes of the state.
    assert!((MAX_BEHIND..MAX_BEHIND + MAILBOX + 50).contains(&unread), "{unread}");
}
