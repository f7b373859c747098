//! What one address, or one /48, can keep from others: never all of anything.

mod bodies;
mod connections;
mod office;
mod redis;
mod rooms;
