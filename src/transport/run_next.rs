//! A connection that another one wakes goes on right after it.
//!
//! Who posts a message wakes the connection whose poll waits for it. If that had to wait for its turn in the runtime's queue, all
//! connections that are ready would come first, and by then what both have to do with has left the processor's caches. So it goes
//! on in the same turn, as soon as the one that woke it has nothing more to do. What the runtime itself or another thread wakes
//! has a turn of its own, as ever.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::future::LocalBoxFuture;
use slab::Slab;

/// So many go on in another's turn; if more are woken, they get turns of their own.
const AT_ONCE: usize = 16;

static THREADS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static TURN: Turn = Turn::new();
}

/// The connections of one thread, and who of them goes on in the turn that is now.
struct Turn {
    thread: u64,
    connections: RefCell<Slab<Rc<dyn GoOn>>>,
    /// Who is at work.
    now: Cell<Option<usize>>,
    /// Who goes on after that.
    next: RefCell<Vec<usize>>,
    taken: Cell<usize>,
}

impl Turn {
    fn new() -> Self {
        Self {
            thread: THREADS.fetch_add(1, Ordering::Relaxed),
            connections: RefCell::new(Slab::new()),
            now: Cell::new(None),
            next: RefCell::new(Vec::with_capacity(AT_ONCE)),
            taken: Cell::new(0),
        }
    }

    /// Lets one go on in a turn of its own, and then those it has woken, in the order in which they were.
    fn take(&self, key: usize, connection: &dyn GoOn) {
        self.taken.set(0);
        self.go_on(key, connection, true);
        let mut done = 0;
        loop {
            let next = self.next.borrow().get(done).copied();
            let Some(key) = next else { break };
            let connection = self.connections.borrow().get(key).cloned();
            if let Some(connection) = connection {
                self.go_on(key, &*connection, false);
            }
            done += 1;
        }
        if done > 0 {
            self.next.borrow_mut().clear();
        }
    }

    fn go_on(&self, key: usize, connection: &dyn GoOn, in_its_own_turn: bool) {
        self.now.set(Some(key));
        connection.go_on(in_its_own_turn);
        self.now.set(None);
    }

    /// Whether a connection that is woken now goes on in this turn. One that wakes itself does not: it lets others go first.
    fn takes(&self, woken: &Woken) -> bool {
        let by_another = self.thread == woken.thread && self.now.get().is_some_and(|now| now != woken.key);
        if !by_another || self.taken.get() == AT_ONCE {
            return false;
        }
        self.taken.set(self.taken.get() + 1);
        self.next.borrow_mut().push(woken.key);
        true
    }
}

/// How a connection is woken.
struct Woken {
    thread: u64,
    key: usize,
    /// The runtime's task.
    task: Waker,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !TURN.try_with(|turn| turn.takes(self)).unwrap_or(false) {
            self.task.wake_by_ref();
        }
    }
}

trait GoOn {
    fn go_on(&self, in_its_own_turn: bool);
}

struct Work<T> {
    key: usize,
    /// Not before it is first polled.
    woken: RefCell<Option<(Arc<Woken>, Waker)>>,
    future: RefCell<Option<LocalBoxFuture<'static, T>>>,
    outcome: Cell<Option<Result<T, Box<dyn Any + Send>>>>,
}

impl<T> GoOn for Work<T> {
    fn go_on(&self, in_its_own_turn: bool) {
        let woken = self.woken.borrow();
        let Some((woken, waker)) = woken.as_ref() else { return };
        let Some(mut future) = self.future.take() else { return };
        // Its failure is its own, not that of the one whose turn it is.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(waker)))) {
            Ok(Poll::Pending) => {
                self.future.replace(Some(future));
                return;
            }
            Ok(Poll::Ready(outcome)) => self.outcome.set(Some(Ok(outcome))),
            Err(panic) => self.outcome.set(Some(Err(panic))),
        }
        if !in_its_own_turn {
            woken.task.wake_by_ref();
        }
    }
}

/// What a connection does until its end.
pub struct RunNext<T>(Rc<Work<T>>);

impl<T: 'static> RunNext<T> {
    /// To be polled on this thread.
    pub fn new(future: impl Future<Output = T> + 'static) -> Self {
        TURN.with(|turn| {
            let mut connections = turn.connections.borrow_mut();
            let place = connections.vacant_entry();
            let work = Rc::new(Work {
                key: place.key(),
                woken: RefCell::default(),
                future: RefCell::new(Some(Box::pin(future))),
                outcome: Cell::new(None),
            });
            place.insert(work.clone());
            Self(work)
        })
    }
}

impl<T> Future for RunNext<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let work = &self.0;
        TURN.with(|turn| {
            let task = context.waker();
            let is_known = work.woken.borrow().as_ref().is_some_and(|(woken, _)| woken.task.will_wake(task));
            if !is_known {
                let woken = Arc::new(Woken { thread: turn.thread, key: work.key, task: task.clone() });
                work.woken.replace(Some((woken.clone(), woken.into())));
            }
            turn.take(work.key, &**work);
        });
        match work.outcome.take() {
            Some(Ok(outcome)) => Poll::Ready(outcome),
            Some(Err(panic)) => resume_unwind(panic),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for RunNext<T> {
    fn drop(&mut self) {
        // Its future goes after the table is free again, because it may wake others.
        let _ = TURN.try_with(|turn| turn.connections.borrow_mut().try_remove(self.0.key));
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, mem::replace, time::Duration};

    use tokio::{
        sync::oneshot::{self, Sender},
        task::{JoinHandle, LocalSet, spawn_local},
        time::timeout,
    };

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Rc<RefCell<Vec<String>>>);

    impl Log {
        fn note(&self, what: impl Into<String>) {
            self.0.borrow_mut().push(what.into());
        }

        fn lines(&self) -> String {
            self.0.borrow().join(" ")
        }
    }

    /// One that waits to be woken, and what wakes it.
    fn waiting(log: &Log, name: String) -> (Sender<()>, JoinHandle<()>) {
        let (sender, receiver) = oneshot::channel();
        let log = log.clone();
        let task = spawn_local(RunNext::new(async move {
            receiver.await.unwrap();
            log.note(name);
        }));
        (sender, task)
    }

    /// One that wakes these.
    fn posting(log: &Log, senders: Vec<Sender<()>>) -> JoinHandle<()> {
        let log = log.clone();
        spawn_local(RunNext::new(async move {
            log.note("posts");
            senders.into_iter().for_each(|sender| sender.send(()).unwrap());
            log.note("answers");
        }))
    }

    fn other(log: &Log) -> JoinHandle<()> {
        let log = log.clone();
        spawn_local(async move { log.note("other") })
    }

    async fn all_wait() {
        tokio::task::yield_now().await;
    }

    fn on_one_thread(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        LocalSet::new().block_on(&runtime, async { timeout(Duration::from_secs(10), test).await.unwrap() });
        assert_eq!(TURN.with(|turn| turn.connections.borrow().len()), 0);
    }

    #[test]
    fn who_is_woken_by_another_goes_on_before_all_that_are_ready() {
        on_one_thread(async {
            let log = Log::default();
            let (sender, woken) = waiting(&log, "woken".into());
            all_wait().await;
            let (poster, other) = (posting(&log, vec![sender]), other(&log));
            woken.await.unwrap();
            poster.await.unwrap();
            other.await.unwrap();
            assert_eq!(log.lines(), "posts answers woken other");
        });
    }

    #[test]
    fn of_many_that_are_woken_some_let_others_go_first() {
        on_one_thread(async {
            let log = Log::default();
            let (senders, tasks): (Vec<_>, Vec<_>) = (0..40).map(|number| waiting(&log, number.to_string())).unzip();
            all_wait().await;
            let (poster, other) = (posting(&log, senders), other(&log));
            for task in tasks.into_iter().chain([poster, other]) {
                task.await.unwrap();
            }
            let numbers =
                |range: std::ops::Range<usize>| range.map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
            assert_eq!(log.lines(), format!("posts answers {} other {}", numbers(0..AT_ONCE), numbers(AT_ONCE..40)));
        });
    }

    #[test]
    fn one_that_wakes_itself_lets_others_go_first() {
        on_one_thread(async {
            let log = Log::default();
            let (its, mut turns) = (log.clone(), 0);
            let itself = spawn_local(RunNext::new(poll_fn(move |context| {
                its.note("itself");
                if replace(&mut turns, 1) == 1 {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })));
            other(&log).await.unwrap();
            itself.await.unwrap();
            assert_eq!(log.lines(), "itself other itself");
        });
    }

    #[test]
    fn who_is_woken_from_another_thread_has_a_turn_of_its_own() {
        on_one_thread(async {
            let log = Log::default();
            // Its place here is not that of the one at work there.
            let _first = waiting(&log, "first".into());
            let (sender, woken) = waiting(&log, "woken".into());
            all_wait().await;
            let thread = std::thread::spawn(|| {
                on_one_thread(async { posting(&Log::default(), vec![sender]).await.unwrap() });
            });
            woken.await.unwrap();
            thread.join().unwrap();
            assert_eq!(log.lines(), "woken");
        });
    }

    #[test]
    fn a_failure_is_not_that_of_the_one_whose_turn_it_is() {
        on_one_thread(async {
            let log = Log::default();
            let (sender, receiver) = oneshot::channel::<()>();
            let failing = spawn_local(RunNext::new(async move {
                receiver.await.unwrap();
                panic!("fails");
            }));
            all_wait().await;
            posting(&log, vec![sender]).await.unwrap();
            let failure: JoinHandle<()> = failing;
            assert!(failure.await.unwrap_err().is_panic());
        });
    }

    #[test]
    fn one_that_has_gone_is_not_woken() {
        on_one_thread(async {
            let log = Log::default();
            let (sender, woken) = waiting(&log, "woken".into());
            all_wait().await;
            woken.abort();
            assert!(woken.await.unwrap_err().is_cancelled());
            assert!(sender.send(()).is_err());
        });
    }
}
