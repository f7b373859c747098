//! What is logged, and what is not.

use serde_json::{Value, json};

use crate::support::{
    harness::{Answer, send},
    process::ServerProcess,
    waits::PATIENCE,
};

#[actix_web::test]
async fn debug_logs_contain_nothing_private() {
    let binary = ServerProcess::start(&["--log", "debug", "--trusted-proxy", "127.0.0.1"]).await;
    let rooms = format!("http://127.0.0.1:{}/v1/rooms", binary.port);
    let from = [("x-forwarded-for".parse().unwrap(), "203.0.113.66".parse().unwrap())];
    let client = reqwest::Client::builder().default_headers(from.into_iter().collect()).build().unwrap();
    let join = |body: Value| send(client.post(format!("{rooms}/tea/peers")).json(&body));
    let ann = join(json!({"name": "PRIVATE-name", "secret": "PRIVATE-secret", "metadata": {"a": "PRIVATE-meta"}}))
        .await
        .expect(201);
    let ben = join(json!({"secret": "PRIVATE-secret"})).await.expect(201);
    join(json!({"secret": "PRIVATE-wrong"})).await.refused(403, "secret-wrong");
    let (token, id) = (ann["token"].as_str().unwrap(), ben["peer"]["id"].as_str().unwrap());
    let post = |body: &'static str| {
        let request = client.post(format!("{rooms}/tea/peers/{id}/messages")).bearer_auth(token);
        send(request.header("content-type", "application/json").body(body))
    };
    post(r#"{"type":"offer","sdp":"PRIVATE-sdp"}"#).await.expect(202);
    post(r#"{"type":"candidate","candidate":{"candidate":"PRIVATE 192.0.2.77"}}"#).await.expect(202);
    post(r#"{"type":"PRIVATE-type","sdp":1}"#).await.refused(422, "invalid");
    post(r#"{"type":"PRIVATE-broken"#).await.refused(400, "malformed-body");
    post(r#"{"type":"bye","PRIVATE-field":1,"PRIVATE-field":2}"#).await.refused(422, "invalid");
    post(r#"{"type":"bye","PRIVATE-field":"PRIVATE-value"}"#).await.expect(202);
    let poll = |token: &str| {
        let path = format!("{rooms}/tea/peers/{id}/messages?wait=0");
        let request = client.get(path).bearer_auth(token.to_owned());
        async { send(request).await }
    };
    let read: Answer = poll(ben["token"].as_str().unwrap()).await;
    assert_eq!(read.messages().len(), 3);
    poll("PRIVATE-token").await.refused(401, "token-invalid");

    let logs = binary.logs().await;
    assert!(logs.contains("DEBUG"), "{logs}");
    let room_token = ann["room_token"].as_str().unwrap();
    for private in ["PRIVATE", "192.0.2.77", "203.0.113.66", token, ben["token"].as_str().unwrap(), room_token] {
        assert!(!logs.contains(private), "{private} is in the logs:\n{logs}");
    }
}

/// The lines of a JSON log that have a room, each as message, room and peer.
fn lifecycle(logs: &str) -> Vec<(String, String, String)> {
    let lines = logs.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    let text = |line: &Value, field: &str| line[field].as_str().unwrap_or_default().to_owned();
    let all = lines.map(|line| (text(&line, "message"), text(&line, "room"), text(&line, "peer")));
    all.filter(|(_, room, _)| !room.is_empty()).collect()
}

#[actix_web::test]
async fn info_logs_have_one_line_per_room_event_without_its_name() {
    let binary = ServerProcess::start(&["--log-format", "json", "--rate-join", "0"]).await;
    let base = format!("http://127.0.0.1:{}", binary.port);
    let client = reqwest::Client::new();
    let post = |path: &str| client.post(format!("{base}{path}")).header("content-type", "application/json");
    let room_token = send(post("/v1/rooms").body(r#"{"room":"tea-PRIVATE"}"#)).await.expect(201)["room_token"].clone();
    let peers = "/v1/rooms/tea-PRIVATE/peers";
    // Sent twice, as after a lost response: one peer, and one line.
    let join = |key: &str| {
        let twice = [post(peers).header("idempotency-key", key), post(peers).header("idempotency-key", key)];
        async { futures_util::future::join_all(twice.map(send)).await.remove(0).expect(201) }
    };
    let [ann, ben] = [join("the-key-of-ann--").await, join("the-key-of-ben--").await];
    let id = |joined: &Value| joined["peer"]["id"].as_str().unwrap().to_owned();
    let token = |joined: &Value| joined["token"].as_str().unwrap().to_owned();
    send(post(peers).bearer_auth(token(&ann))).await.expect(200);
    let delete = |path: &str, token: &str| send(client.delete(format!("{base}{path}")).bearer_auth(token));
    delete(&format!("{peers}/{}", id(&ann)), &token(&ann)).await.expect(204);
    delete(&format!("{peers}/{}", id(&ben)), room_token.as_str().unwrap()).await.expect(204);
    delete("/v1/rooms/tea-PRIVATE", room_token.as_str().unwrap()).await.expect(204);

    let logs = binary.logs().await;
    assert!(!logs.contains("PRIVATE") && !logs.contains("127.0.0.1"), "{logs}");
    let lines = lifecycle(&logs);
    let turns: Vec<(&str, &str)> = lines.iter().map(|(text, _, peer)| (text.as_str(), peer.as_str())).collect();
    let [ann, ben] = [id(&ann), id(&ben)];
    let expected = [
        ("room made", ""),
        ("peer joined", &ann),
        ("peer joined", &ben),
        ("peer resumed", &ann),
        ("peer left", &ann),
        ("peer kicked", &ben),
        ("room closed", ""),
        ("room gone", ""),
    ];
    assert_eq!(turns, expected);
    assert!(lines.iter().all(|(_, room, _)| room == &lines[0].1 && room.len() == 8), "{lines:?}");
}

#[actix_web::test]
async fn info_logs_have_one_line_about_a_lease_that_ended() {
    let binary = ServerProcess::start(&["--log-format", "json", "--lease-ms", "500"]).await;
    let url = format!("http://127.0.0.1:{}/v1/rooms/tea/peers", binary.port);
    let joining = reqwest::Client::new().post(url).header("content-type", "application/json");
    let joined = send(joining).await.expect(201);
    // It sends nothing more.
    tokio::time::timeout(PATIENCE, binary.has_logged("room gone")).await.unwrap();
    let lines = lifecycle(&binary.logs().await);
    let turns: Vec<(&str, &str)> = lines.iter().map(|(text, _, peer)| (text.as_str(), peer.as_str())).collect();
    let id = joined["peer"]["id"].as_str().unwrap();
    assert_eq!(turns, [("room made", ""), ("peer joined", id), ("peer expired", id), ("room gone", "")]);
}
