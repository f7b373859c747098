//! Both engines: their common contract, the memory engine under threads, and Redis in every state of a deployment. Tests that
//! need one Redis start their own or use `RedisServer::shared`.

mod concurrency;
mod contract;
mod differential;
mod in_flight_limit;
mod nodes;
mod outages;
mod redis_permissions;
mod redis_tls;
mod redis_topologies;
mod rereads;
mod soak;
