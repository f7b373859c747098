//! What the logs do not tell.

use serde_json::{Value, json};

use crate::{
    binary::Binary,
    harness::{Answer, send},
};

#[actix_web::test]
async fn at_debug_the_logs_of_a_call_and_of_bad_requests_hold_nothing_private() {
    let binary = Binary::start(&["--log", "debug"]).await;
    let rooms = format!("http://127.0.0.1:{}/v1/rooms", binary.port);
    let client = reqwest::Client::new();
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
    post(r#"{"type":"bye","PRIVATE-field":1}"#).await.refused(422, "invalid");
    let poll = |token: &str| {
        let path = format!("{rooms}/tea/peers/{id}/messages?wait=0");
        let request = client.get(path).bearer_auth(token.to_owned());
        async { send(request).await }
    };
    let read: Answer = poll(ben["token"].as_str().unwrap()).await;
    assert_eq!(read.messages().len(), 2);
    poll("PRIVATE-token").await.refused(401, "token-invalid");

    let logs = binary.logs().await;
    assert!(logs.contains("DEBUG"), "{logs}");
    let room_token = ann["room_token"].as_str().unwrap();
    for private in ["PRIVATE", "192.0.2.77", token, ben["token"].as_str().unwrap(), room_token] {
        assert!(!logs.contains(private), "{private} is in the logs:\n{logs}");
    }
}
