//! Which page has a seat.

/// Which of the pages that have a peer's token is asking. The one that joined last has the seat, and its polls may come
/// more than once, as some proxies send them. Clients that do not say are told apart by their polls alone: the newest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page(pub u64);
