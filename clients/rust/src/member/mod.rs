//! One member of a room: its seat, its mailbox, what it knows of the others, and what it sends.

pub(crate) mod core;
mod ice;
mod membership;
pub(crate) mod outbox;
mod poll;
mod pump;
pub(crate) mod queue;
pub(crate) mod roster;
pub(crate) mod session;
