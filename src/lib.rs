//! WebRTC signaling over plain HTTP: peers meet in rooms, post to each other's mailboxes, and long-poll their own.
//!
//! This crate is a server; `main.rs` is its command line. It is a library so that tests, benches and fuzz targets can use
//! its parts, and has no stable API.
//!
//! # Layout
//!
//! From the wire inwards. No module imports one listed before it:
//!
//! * [`transport`]: turns sockets into requests and writes responses: HTTP/1, HTTP/2, and limits on connections. The
//!   central types are [`Request`](transport::Request), [`Response`](transport::Response) and the trait
//!   [`Service`](transport::Service). [`Http1`](transport::http1::Http1) is one HTTP/1 connection.
//! * [`api`]: turns requests into responses. [`Dispatch`](api::dispatch::Dispatch) is the service that all requests
//!   reach, [`router`](api::router) lists the operations, and [`handlers`](api::handlers) has one function for each.
//! * [`pages`]: the web page, Swagger UI and pages about problems, as an actix-web application.
//! * [`engine`]: stores rooms and parks polls, in memory or in Redis. The documentation of [`Engine`](engine::Engine) is
//!   the contract of both.
//! * [`domain`]: the rules of rooms, mailboxes and leases, as plain values and functions. Start with
//!   [`Rooms`](domain::Rooms).
//!
//! Around them:
//!
//! * [`app`]: an [`App`](app::App) is built from a [`Config`](config::Config), has an address, runs, and can be stopped.
//! * [`server`]: mounts the API and the pages on a listener.
//! * [`config`], [`cli`]: the options, and the subcommands besides serving.
//! * [`clock`]: the only clock. [`telemetry`]: logs and metrics.
//! * [`tls`]: certificates. [`file_watch`]: reloads files that change.
//! * [`turn`]: the relay, TURN and STUN. [`ice`]: which ICE servers peers are told to use.
//!
//! `ARCHITECTURE.md` follows one message through these layers and lists the invariants; `CONTRIBUTING.md` has the order
//! in which to read the code.

pub mod api;
pub mod app;
mod bind;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod engine;
pub mod file_watch;
pub mod ice;
pub mod pages;
mod relay;
pub mod server;
pub mod telemetry;
pub mod text_file;
pub mod tls;
pub mod transport;
pub mod turn;
