//! One connection to a Redis server: how it is opened and queried, and what it pushes.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, PushInfo, PushKind, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::sync::Notify;

use crate::engine::redis::{decode::ids_in, keys::Keys, waiters::NodeWaiters};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// TLS has more round trips, and certificates to read and verify.
const TLS_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For commands without a timeout of their own.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(1);

/// What connections share with the engine of this node.
#[derive(Clone, Debug)]
pub struct NodeContext {
    pub keys: Arc<Keys>,
    /// The node's name in Redis.
    pub node: String,
    pub waiters: Arc<NodeWaiters>,
    /// Requests a health check.
    pub check: Arc<Notify>,
}

pub async fn query<T: FromRedisValue>(connection: &MultiplexedConnection, cmd: &Cmd) -> RedisResult<T> {
    cmd.query_async(&mut connection.clone()).await
}

/// With a context, the connection receives pushes.
pub async fn open(client: Client, context: Option<NodeContext>) -> RedisResult<MultiplexedConnection> {
    let is_tls = matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
    let mut config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(if is_tls { TLS_CONNECT_TIMEOUT } else { CONNECT_TIMEOUT }))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    if let Some(context) = context {
        config = config.set_push_sender(move |push: PushInfo| {
            on_push(&context, push);
            Ok::<(), redis::aio::SendError>(())
        });
    }
    client.get_multiplexed_async_connection_with_config(&config).await
}

fn on_push(context: &NodeContext, push: PushInfo) {
    match push.kind {
        PushKind::SMessage => {
            if let Some(Value::BulkString(ids)) = push.data.get(1) {
                context.waiters.wake(ids_in(ids), None);
            }
        }
        // A bucket has moved to another server of the cluster, or the connection is lost.
        PushKind::SUnsubscribe | PushKind::Disconnection => context.check.notify_one(),
        _ => {}
    }
}
