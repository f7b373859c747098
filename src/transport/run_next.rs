//! Run-next scheduling: a connection that another one wakes is polled as soon as that one yields.
//!
//! A post wakes the connection whose poll waits for it. In the runtime's queue the woken one would wait behind all that
//! are ready, and by then the data they share has left the processor's caches. Wake-ups by the runtime or from another
//! thread are scheduled as usual. `docs/decisions/run-next.md` has figures.
//!
//! # Why this is safe
//!
//! * Connections stay on their thread, and so does their `Scheduler`. An `EntryWaker` may leave it: it holds only a
//!   thread, a key and the task's own waker, and touches no scheduler but that of the thread it is called on.
//! * No wake-up is lost. A key in `next` is polled before `Scheduler::run` returns; every other wake-up goes to the task.
//! * A key may be reused by a later connection, which is then polled once too often. Futures expect that.
//! * A future is out of its cell while it is polled, so it cannot be polled twice at once, and no table is borrowed then,
//!   so it may wake, start and drop other connections.
//! * A panic is caught, because it would otherwise end the connection that did the waking, and resumed in its own task.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, ThreadId},
};

use futures_util::future::LocalBoxFuture;
use slab::Slab;

/// Connections polled in the task of the one that woke them; the others get a turn of their own.
const RUN_NEXT_MAX: usize = 16;

thread_local! {
    static SCHEDULER: Scheduler = Scheduler {
        thread: thread::current().id(),
        entries: RefCell::default(),
        current: Cell::default(),
        next: RefCell::new(Vec::with_capacity(RUN_NEXT_MAX)),
    };
}

/// The connections of a thread, and those to be polled in the current task.
struct Scheduler {
    thread: ThreadId,
    entries: RefCell<Slab<Rc<Entry>>>,
    /// The connection being polled.
    current: Cell<Option<usize>>,
    next: RefCell<Vec<usize>>,
}

struct Entry {
    key: usize,
    /// Set when first polled.
    wakers: RefCell<Option<(Arc<EntryWaker>, Waker)>>,
    future: RefCell<Option<LocalBoxFuture<'static, io::Result<()>>>>,
    outcome: Cell<Option<thread::Result<io::Result<()>>>>,
}

struct EntryWaker {
    thread: ThreadId,
    key: usize,
    task: Waker,
}

impl Scheduler {
    /// Polls a connection in its own task, and then those that were woken by it and by each other, in that order.
    fn run(&self, entry: &Entry) {
        self.poll(entry, true);
        for index in 0_usize.. {
            let Some(key) = self.next.borrow().get(index).copied() else { break };
            let woken = self.entries.borrow().get(key).cloned();
            if let Some(woken) = woken {
                self.poll(&woken, false);
            }
        }
        self.next.borrow_mut().clear();
    }

    fn poll(&self, entry: &Entry, in_own_task: bool) {
        self.current.set(Some(entry.key));
        entry.poll(in_own_task);
        self.current.set(None);
    }

    /// Whether the woken connection is polled in this task. One that wakes itself is not: it lets others go first.
    fn accepts(&self, woken: &EntryWaker) -> bool {
        let by_another = self.thread == woken.thread && self.current.get().is_some_and(|current| current != woken.key);
        let accepts = by_another && self.next.borrow().len() < RUN_NEXT_MAX;
        if accepts {
            self.next.borrow_mut().push(woken.key);
        }
        accepts
    }
}

impl Entry {
    fn poll(&self, in_own_task: bool) {
        let wakers = self.wakers.borrow();
        let Some((own, waker)) = wakers.as_ref() else { return };
        let Some(mut future) = self.future.take() else { return };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(waker))));
        match polled {
            Ok(Poll::Pending) => {
                self.future.replace(Some(future));
                return;
            }
            Ok(Poll::Ready(outcome)) => self.outcome.set(Some(Ok(outcome))),
            Err(panic) => self.outcome.set(Some(Err(panic))),
        }
        if !in_own_task {
            own.task.wake_by_ref();
        }
    }
}

impl Wake for EntryWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !SCHEDULER.try_with(|scheduler| scheduler.accepts(self)).unwrap_or(false) {
            self.task.wake_by_ref();
        }
    }
}

/// A connection's future, polled by its task and by the connections that wake it.
pub struct RunNext(Rc<Entry>);

impl RunNext {
    /// Must be polled on this thread.
    pub fn new(future: impl Future<Output = io::Result<()>> + 'static) -> Self {
        SCHEDULER.with(|scheduler| {
            let mut entries = scheduler.entries.borrow_mut();
            let vacant = entries.vacant_entry();
            let future = RefCell::new(Some(Box::pin(future) as LocalBoxFuture<'static, _>));
            let (wakers, outcome) = (RefCell::default(), Cell::default());
            let entry = Rc::new(Entry { key: vacant.key(), wakers, future, outcome });
            vacant.insert(entry.clone());
            Self(entry)
        })
    }
}

impl Future for RunNext {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let entry = &self.0;
        SCHEDULER.with(|scheduler| {
            let task = context.waker();
            let is_known = entry.wakers.borrow().as_ref().is_some_and(|(own, _)| own.task.will_wake(task));
            if !is_known {
                let own = Arc::new(EntryWaker { thread: scheduler.thread, key: entry.key, task: task.clone() });
                entry.wakers.replace(Some((own.clone(), own.into())));
            }
            scheduler.run(entry);
        });
        match entry.outcome.take() {
            Some(Ok(outcome)) => Poll::Ready(outcome),
            Some(Err(panic)) => resume_unwind(panic),
            None => Poll::Pending,
        }
    }
}

impl Drop for RunNext {
    fn drop(&mut self) {
        // The future is dropped after this, when the table is no longer borrowed: it may wake others.
        let _ = SCHEDULER.try_with(|scheduler| scheduler.entries.borrow_mut().try_remove(self.0.key));
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, mem::replace, time::Duration};

    use tokio::{
        sync::oneshot::{self, Sender},
        task::{JoinHandle, LocalSet, spawn_local, yield_now},
        time::timeout,
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<String>>>);

    impl Log {
        fn write(&self, line: impl Into<String>) {
            self.0.borrow_mut().push(line.into());
        }

        fn lines(&self) -> String {
            self.0.borrow().join(" ")
        }
    }

    fn spawn(future: impl Future<Output = ()> + 'static) -> JoinHandle<()> {
        let connection = RunNext::new(async {
            future.await;
            Ok(())
        });
        spawn_local(async { connection.await.unwrap() })
    }

    /// A connection that waits to be woken by the sender.
    fn waiting(log: &Log, name: String) -> (Sender<()>, JoinHandle<()>) {
        let (sender, receiver) = oneshot::channel();
        let log = log.clone();
        let task = spawn(async move {
            receiver.await.unwrap();
            log.write(name);
        });
        (sender, task)
    }

    /// A connection that wakes others.
    fn waking(log: &Log, senders: Vec<Sender<()>>) -> JoinHandle<()> {
        let log = log.clone();
        spawn(async move {
            log.write("wakes");
            senders.into_iter().for_each(|sender| sender.send(()).unwrap());
            log.write("yields");
        })
    }

    fn other_task(log: &Log) -> JoinHandle<()> {
        let log = log.clone();
        spawn_local(async move { log.write("other") })
    }

    fn on_one_thread(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        LocalSet::new().block_on(&runtime, async { timeout(Duration::from_secs(10), test).await.unwrap() });
        assert_eq!(SCHEDULER.with(|scheduler| scheduler.entries.borrow().len()), 0);
    }

    #[test]
    fn a_woken_connection_is_polled_before_all_that_are_ready() {
        on_one_thread(async {
            let log = Log::default();
            let (sender, woken) = waiting(&log, "woken".into());
            yield_now().await;
            let (waking, other) = (waking(&log, vec![sender]), other_task(&log));
            tokio::try_join!(woken, waking, other).unwrap();
            assert_eq!(log.lines(), "wakes yields woken other");
        });
    }

    #[test]
    fn a_woken_connection_is_scheduled_as_usual_after_16_run_next_polls() {
        on_one_thread(async {
            let log = Log::default();
            let (senders, tasks): (Vec<_>, Vec<_>) = (0..40).map(|number| waiting(&log, number.to_string())).unzip();
            yield_now().await;
            let (waking, other) = (waking(&log, senders), other_task(&log));
            for task in tasks.into_iter().chain([waking, other]) {
                task.await.unwrap();
            }
            let mut expected: Vec<String> = (0..40).map(|number| number.to_string()).collect();
            expected.insert(16, "other".into());
            assert_eq!(log.lines(), format!("wakes yields {}", expected.join(" ")));
        });
    }

    #[test]
    fn a_connection_that_wakes_itself_lets_others_go_first() {
        on_one_thread(async {
            let log = Log::default();
            let (itself, mut polled) = (log.clone(), false);
            let itself = spawn(poll_fn(move |context| {
                itself.write("itself");
                if replace(&mut polled, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            }));
            other_task(&log).await.unwrap();
            itself.await.unwrap();
            assert_eq!(log.lines(), "itself other itself");
        });
    }

    #[test]
    fn a_connection_woken_from_another_thread_is_scheduled_as_usual() {
        on_one_thread(async {
            let log = Log::default();
            // So that the woken one's key is not that of the connection being polled on the other thread.
            let _first = waiting(&log, "first".into());
            let (sender, woken) = waiting(&log, "woken".into());
            yield_now().await;
            let thread = std::thread::spawn(|| {
                on_one_thread(async { waking(&Log::default(), vec![sender]).await.unwrap() });
            });
            woken.await.unwrap();
            thread.join().unwrap();
            assert_eq!(log.lines(), "woken");
        });
    }

    #[test]
    fn a_panic_ends_its_own_connection_and_not_the_one_that_woke_it() {
        on_one_thread(async {
            let (sender, receiver) = oneshot::channel::<()>();
            let panicking = spawn(async move {
                receiver.await.unwrap();
                panic!("as the test intends");
            });
            yield_now().await;
            waking(&Log::default(), vec![sender]).await.unwrap();
            assert!(panicking.await.unwrap_err().is_panic());
        });
    }

    #[test]
    fn a_dropped_connection_is_not_woken() {
        on_one_thread(async {
            let (sender, woken) = waiting(&Log::default(), "woken".into());
            yield_now().await;
            woken.abort();
            assert!(woken.await.unwrap_err().is_cancelled());
            assert!(sender.send(()).is_err());
        });
    }
}
