//! Which page has a seat.

/// One of the pages that hold a peer's token. The page that joined last has the seat, and a proxy may repeat its polls
/// without harm. Clients that name no page are told apart by their polls alone: the newest wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page(pub u64);
