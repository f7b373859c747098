//! Tests of the connection: what it answers to frames, and whom it agrees with.

mod client;
mod differential;
mod floods;
mod h2_client;
mod h2spec;
mod requests;
mod robustness;
mod shutdown;
mod windows;
