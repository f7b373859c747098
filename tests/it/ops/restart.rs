//! Restarts of the server, with the same token key and with a new one.

use serde_json::json;

use crate::support::harness::{Server, send};

const KEY: [&str; 2] = ["--token-key", "kZ3vq9TfWm1x8LrP0aYdBcQe5Ns7Hj2U"];

#[actix_web::test]
async fn a_kept_token_key_lets_peers_return_and_detects_old_cursors() {
    let first = Server::start(&KEY);
    let ann = first.join_room("tea", "Ann").await;
    let ben = first.join_room("tea", "Ben").await;
    ann.say(&ben, 1).await;
    drop(first);

    let second = Server::start(&KEY);
    let there = |path: &str| format!("{}{path}", second.base);
    let client = reqwest::Client::new();
    let poll = |peer: &crate::support::harness::Peer, after: u64| {
        send(client.get(there(&peer.path(&format!("/messages?wait=0&after={after}")))).bearer_auth(&peer.token))
    };
    poll(&ben, 1).await.refused(410, "peer-gone");
    let again = second.resume(&ben).await.expect(201);
    assert_eq!(again["peer"]["id"], json!(ben.id));
    assert_eq!(again.get("room_token"), None);
    let cursor = again["cursor"].as_u64().unwrap();
    assert!(cursor > 1_700_000_000_000 && cursor < (1 << 53));
    poll(&ben, 1).await.refused(410, "cursor-gone");
    poll(&ben, cursor).await.expect(200);

    let ann_again = second.resume(&ann).await.expect(201);
    assert_eq!(ann_again["polite"], true);
    let told = poll(&ben, cursor).await.messages();
    assert_eq!((&told[0]["seq"], &told[0]["type"]), (&json!(cursor + 1), &json!("peer-joined")));
    // The room is still Ann's, although Ben came back first.
    second.delete("/v1/rooms/tea", ann.joined["room_token"].as_str().unwrap()).await.expect(204);
}

#[actix_web::test]
async fn a_new_token_key_voids_tokens() {
    let first = Server::start(&[]);
    let ann = first.join_room("tea", "Ann").await;
    drop(first);
    let second = Server::start(&[]);
    second.resume(&ann).await.refused(401, "token-invalid");
    second.join_room("tea", "Ann").await;
}
