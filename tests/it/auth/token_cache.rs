//! Tokens that were verified earlier on the same connection.

use reqwest::Method;
use serde_json::json;

use crate::support::harness::{Peer, Server, send};

#[actix_web::test]
async fn a_cached_token_authorizes_nothing_else_on_its_connection() {
    let server = Server::start(&["--workers", "1"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let other = server.join_room("coffee", "Ann").await;
    let bye = json!({"type": "bye"});
    // A client that waits for each response uses one connection.
    let post = |to: &Peer, token: &str| {
        send(server.request(Method::POST, &to.path("/messages")).bearer_auth(token).json(&bye))
    };
    let mut nearly = ann.token.clone();
    nearly.replace_range(63.., if ann.token.ends_with('A') { "E" } else { "A" });
    for _ in 0..3 {
        post(&ben, &ann.token).await.expect(202);
        post(&other, &ann.token).await.refused(401, "token-invalid");
        post(&ben, &nearly).await.refused(401, "token-invalid");
        post(&ben, &ann.token[..63]).await.refused(401, "token-invalid");
        let poll = server.request(Method::GET, &(ben.path("/messages") + "?wait=0")).bearer_auth(&ann.token);
        send(poll).await.refused(403, "not-yours");
    }
    post(&ann, &ben.token).await.expect(202);
    assert_eq!(ben.messages(0).await.iter().filter(|message| message["from"] == ann.id).count(), 3);
    assert_eq!(ann.messages(1).await[0]["from"], ben.id);
}
