//! WebRTC signaling over plain HTTP: peers meet in rooms, post to each other's mailboxes, and long-poll their own.
//!
//! This library is the server; the program is its `main`. Nothing here is a stable API: it is a library so that tests,
//! benches and fuzzers can use its parts.
//!
//! # What is where
//!
//! From the wire inwards; no module imports one above it:
//!
//! * [`transport`]: sockets to requests, and responses to sockets: HTTP/1, HTTP/2, and what connections may take. Its
//!   central types are [`Request`](transport::Request), [`Response`](transport::Response) and the trait
//!   [`Service`](transport::Service); a connection is an [`Http1`](transport::http1::Http1).
//! * [`api`]: requests to responses. [`Dispatch`](api::dispatch::Dispatch) is the service that every request reaches,
//!   [`router`](api::router) the list of operations, and [`handlers`](api::handlers) has a function for each of them.
//! * [`pages`]: what people open in a browser, as an actix-web application.
//! * [`engine`]: where rooms are kept and polls wait. [`Engine`](engine::Engine) is the contract, implemented in memory
//!   and in Redis.
//! * [`domain`]: the rules of rooms, mailboxes and leases, as plain values and functions. [`Rooms`](domain::Rooms) is
//!   the way in.
//!
//! Around them:
//!
//! * [`app`]: an [`App`](app::App) is built from a [`Config`](config::Config), has an address, runs, and stops on
//!   request.
//! * [`server`]: the API and the pages behind a listener.
//! * [`config`], [`cli`]: options, and what the command line does besides serving.
//! * [`clock`]: the only clock. [`telemetry`]: logs and metrics. [`tls`]: certificates, reloaded when they change.
//! * [`ice`], [`stun`]: ICE servers for peers, and a STUN responder.
//!
//! `ARCHITECTURE.md` follows one message through these layers and lists the invariants; `CONTRIBUTING.md` has the order
//! in which to read the code.

pub mod api;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod ice;
pub mod pages;
pub mod server;
pub mod stun;
pub mod telemetry;
pub mod tls;
pub mod transport;
