//! One connection to a Redis server: how it is opened, asked, and listened to.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, PushInfo, PushKind, RedisResult, Value,
    aio::MultiplexedConnection,
};
use tokio::sync::Notify;

use crate::engine::redis::{decode::ids_in, keys::Keys, scripts::Digests, waiters::Places};

/// A connection must be there within this.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// The same over TLS, which has more round trips, and certificates to read and to check.
const TLS_CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// What a connection waits for an answer, in case nobody else has given up before.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// What a server needs to tell others of.
#[derive(Clone, Debug)]
pub struct Ears {
    pub keys: Arc<Keys>,
    pub digests: Arc<Digests>,
    pub node: String,
    pub places: Arc<Places>,
    /// Something is wrong with a connection.
    pub look: Arc<Notify>,
}

pub async fn ask(connection: &MultiplexedConnection, cmd: &Cmd) -> RedisResult<Value> {
    connection.clone().send_packed_command(cmd).await?.extract_error()
}

pub async fn open(client: Client, ears: Option<Ears>) -> RedisResult<MultiplexedConnection> {
    let is_encrypted = matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. });
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(if is_encrypted { TLS_CONNECT_LIMIT } else { CONNECT_LIMIT }))
        .set_response_timeout(Some(ANSWER_LIMIT));
    let config = match ears {
        Some(ears) => config.set_push_sender(move |push: PushInfo| {
            hear(&ears, push);
            Ok::<(), redis::aio::SendError>(())
        }),
        None => config,
    };
    client.get_multiplexed_async_connection_with_config(&config).await
}

fn hear(ears: &Ears, push: PushInfo) {
    match push.kind {
        PushKind::SMessage => {
            if let Some(Value::BulkString(ids)) = push.data.get(1) {
                ears.places.wake(ids_in(ids), None);
            }
        }
        // A bucket has gone to another server of the cluster, or the connection is gone.
        PushKind::SUnsubscribe | PushKind::Disconnection => ears.look.notify_one(),
        _ => {}
    }
}
