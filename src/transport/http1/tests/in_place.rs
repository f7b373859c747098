//! Requests parsed in place, and similar ones that are not.

use super::*;

const BATCH: &str = "POST /v1/rooms/tea/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nmine";
const LEAVE: &str = "DELETE /v1/rooms/tea/peers/ann HTTP/1.1\r\nHost: x\r\n\r\n";

#[actix_web::test]
async fn requests_are_answered_in_order_whichever_parser_reads_them() {
    connected!(client, http1);
    let mut run = pin!(http1.run());
    let (half, rest) = BATCH.split_at(50);
    client.write_all(format!("{BATCH}{GET}{LEAVE}{half}").as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    // The incomplete request is left to the codec.
    client.write_all(format!("{rest}{LEAVE}").as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    let all = received(&mut client).await;
    let bodies: Vec<&str> = all.split("HTTP/1.1 200 OK").filter_map(|answer| answer.split("\r\n\r\n").nth(1)).collect();
    assert_eq!(
        bodies,
        [
            "POST /v1/rooms/tea/messages mine",
            "here",
            "DELETE /v1/rooms/tea/peers/ann ",
            "here",
            "DELETE /v1/rooms/tea/peers/ann "
        ]
    );
    assert_eq!(all.matches("\r\ndate: ").count(), 5, "{all}");
}

#[actix_web::test]
async fn requests_with_any_option_are_left_to_actix() {
    let with = |field: &str| BATCH.replace("\r\n\r\n", &format!("\r\n{field}\r\n\r\n"));
    for (request, answer) in [
        (BATCH.to_owned(), "POST /v1/rooms/tea/messages mine"),
        (with("Connection: Keep-Alive"), "POST /v1/rooms/tea/messages mine"),
        (with("Accept: */*\r\nOrigin: https://x\r\nX:"), "POST /v1/rooms/tea/messages mine"),
        (with("Connection: close"), "here"),
        (with("Connection: keep-alive, close"), "here"),
        (with("Upgrade: h2c"), "here"),
        (with("Expect: nothing"), "here"),
        (with("Forwarded: for=a\r\nForwarded: for=b"), "here"),
        (BATCH.replace("1.1", "1.0"), "here"),
        (BATCH.replace("POST", "PUT"), "PUT /v1/rooms/tea/messages mine"),
        (BATCH.replace("POST", "OPTIONS"), "here"),
        (BATCH.replace("/tea", "//tea"), "here"),
        (BATCH.replace("/tea", "/../tea"), "here"),
        (BATCH.replace("POST /", "POST http://x/"), "here"),
        (BATCH.replace("tea", "t%65a"), "here"),
        (BATCH.replace("messages ", "messages?a=%20 "), "here"),
        (LEAVE.replace("\r\n\r\n", "\r\nContent-Length: 4\r\n\r\nmine"), "here"),
        (with("Content-Length: 4"), "400 Bad Request"),
        (with("Transfer-Encoding: chunked"), "400 Bad Request"),
        (with("Host: y"), "400 Bad Request"),
        (BATCH.replace("Host: x\r\n", ""), "400 Bad Request"),
        (BATCH.replace("Length: 4", "Length: +4"), "400 Bad Request"),
        (BATCH.replace("Length: 4", "Length:"), "400 Bad Request"),
    ] {
        connected!(client, http1);
        client.write_all(request.as_bytes()).await.unwrap();
        has_ended(http1.run()).await;
        let output = received(&mut client).await;
        assert!(output.contains(answer) && output.contains("here") == (answer == "here"), "{request}: {output}");
    }
}

#[actix_web::test]
async fn responses_of_any_length_are_complete_and_the_last_says_close() {
    for length in [0, 1, 16_000, 16_384, 400_000] {
        connected!(client, http1);
        let sized = BATCH.replace("messages ", &format!("messages?{length} "));
        client.write_all(sized.as_bytes()).await.unwrap();
        let worker = http1.worker.clone();
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        client.write_all(sized.as_bytes()).await.unwrap();
        worker.connections.drain();
        assert!(has_ended(run).await);
        let all = received(&mut client).await;
        let body = format!("POST /v1/rooms/tea/messages mine{}", "x".repeat(length));
        let (first, last) = all.split_once(&body).unwrap();
        assert!(first.contains(&format!("\r\ncontent-length: {}\r\n", body.len())), "{first}");
        assert!(last.ends_with(&body) && last.contains("\r\nconnection: close\r\n"), "{}", &last[..200]);
        assert!(!first.contains("connection"), "{first}");
        assert_eq!(worker.buffers.pooled(), 1);
    }
}
