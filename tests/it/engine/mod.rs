//! Both engines: the contract in `Engine`'s documentation, asked of each; the memory engine under threads; and Redis in
//! every state a deployment can get it into. Tests that need one Redis start their own or share `RedisServer::shared`.

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
