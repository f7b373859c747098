//! The events that a program has not read yet.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use crate::Event;

/// A program that is further behind reads no more from the server, until it has caught up.
const MAX_BEHIND: usize = 1_000;

#[derive(Debug)]
pub(crate) struct Producer {
    /// None after the end.
    sender: Mutex<Option<UnboundedSender<Event>>>,
    backlog: Arc<Backlog>,
}

#[derive(Debug)]
pub(crate) struct Consumer {
    events: UnboundedReceiver<Event>,
    backlog: Arc<Backlog>,
}

#[derive(Debug, Default)]
struct Backlog {
    unread: AtomicUsize,
    /// Nobody reads them any more.
    gone: AtomicBool,
    read: Notify,
}

pub(crate) fn queue() -> (Producer, Consumer) {
    let (sender, events) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::default());
    (Producer { sender: Mutex::new(Some(sender)), backlog: backlog.clone() }, Consumer { events, backlog })
}

impl Producer {
    /// After the end, or if nobody reads them, they are discarded.
    pub(crate) fn put(&self, events: impl IntoIterator<Item = Event>) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            self.backlog.unread.fetch_add(1, Ordering::Relaxed);
            if sender.as_ref().is_none_or(|sender| sender.send(event).is_err()) {
                self.backlog.unread.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// What was put is still read.
    pub(crate) fn end(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Waits until the program has caught up. False: not in this time.
    pub(crate) async fn has_room(&self, limit: Duration) -> bool {
        let caught_up = async {
            while !self.backlog.gone.load(Ordering::Relaxed)
                && self.backlog.unread.load(Ordering::Relaxed) >= MAX_BEHIND
            {
                self.backlog.read.notified().await;
            }
        };
        tokio::time::timeout(limit, caught_up).await.is_ok()
    }
}

impl Consumer {
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let event = std::task::ready!(Pin::new(&mut self.events).poll_recv(context));
        if event.is_some() {
            self.backlog.unread.fetch_sub(1, Ordering::Relaxed);
            self.backlog.read.notify_one();
        }
        Poll::Ready(event)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.events.close();
        self.backlog.gone.store(true, Ordering::Relaxed);
        self.backlog.read.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_program_that_is_behind_holds_up_its_mailbox_until_it_has_caught_up() {
        let (producer, mut consumer) = queue();
        producer.put((0..MAX_BEHIND).map(|_| Event::RoomClosed));
        assert!(!producer.has_room(Duration::from_millis(1)).await);
        let waiting = producer.has_room(Duration::from_secs(60));
        let (room, event) = tokio::join!(waiting, poll_fn(|context| consumer.poll_next(context)));
        assert!(room && event.is_some());
    }

    #[tokio::test]
    async fn events_that_nobody_reads_hold_up_nothing() {
        let (producer, consumer) = queue();
        producer.put((0..MAX_BEHIND).map(|_| Event::RoomClosed));
        drop(consumer);
        producer.put((0..MAX_BEHIND).map(|_| Event::RoomClosed));
        assert!(producer.has_room(Duration::from_secs(60)).await);
    }

    #[tokio::test]
    async fn what_was_put_before_the_end_is_read() {
        let (producer, mut consumer) = queue();
        producer.put([Event::RoomClosed]);
        producer.end();
        producer.put([Event::RoomClosed]);
        assert!(poll_fn(|context| consumer.poll_next(context)).await.is_some());
        assert!(poll_fn(|context| consumer.poll_next(context)).await.is_none());
    }
}
