//! What an operator sees: startup and options, logs and metrics, restarts, the files in `deploy/`, and the README.

mod deploy;
mod healthcheck;
mod logs;
mod metrics;
mod page_headers;
mod restart;
mod startup;
mod walkthrough;
