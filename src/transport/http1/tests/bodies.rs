//! Bodies of requests and responses.

use super::*;

#[actix_web::test]
async fn continue_is_sent_only_when_the_handler_reads_the_body() {
    connected!(client, http1);
    let mut run = pin!(http1.run());
    let head = posting("Expect: 100-continue\r\nContent-Length: 3", "");
    assert_eq!(exchange(&mut client, run.as_mut(), &head).await, "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(exchange(&mut client, run.as_mut(), "yes").await.ends_with("1 yes"));
    let refused = exchange(&mut client, run.as_mut(), &head.replace("/pieces", "/")).await;
    assert!(refused.starts_with("HTTP/1.1 200") && refused.contains("connection: close"), "{refused}");
    client.shutdown().await.unwrap();
    assert!(has_ended(run).await);

    connected!(client, http1);
    let unheeded = WAIT.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(exchange(&mut client, http1.run(), &unheeded).await, "");
}

#[actix_web::test]
async fn an_unread_body_is_buffered_up_to_a_limit() {
    connected!(client, http1);
    let head = WAIT.replace("\r\n\r\n", "\r\nContent-Length: 1000000\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&[b'x'; 500_000]).await.unwrap();
    let mut run = Box::pin(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    // What the server has read makes room in the pipe.
    let room = 1 << 20;
    let mut taken = 0;
    while tokio::select! { biased; _ = client.write_all(&[b'x'; 1024]) => true, () = std::future::ready(()) => false } {
        taken += 1024;
        assert!(taken < room);
    }
    assert!(taken <= room - 500_000 + 64 * 1024, "{taken}");
    drop(client);
}

#[actix_web::test]
async fn after_an_unread_body_the_connection_closes_and_the_client_receives_the_response() {
    tokio::time::pause();
    connected!(client, http1);
    client.write_all(posting("Content-Length: 9", "half").replace("/pieces", "/").as_bytes()).await.unwrap();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");
    // Later input is discarded for a second.
    client.write_all(b"more").await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn malformed_chunks_are_an_error_and_close_the_connection() {
    connected!(client, http1);
    let broken = posting("Transfer-Encoding: chunked", &format!("2\r\nab\r\n+1\r\nc\r\n0\r\n\r\n{GET}"));
    client.write_all(broken.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(has_ended(http1.run()).await);
    let answer = received(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("broken"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
}

#[actix_web::test]
async fn head_gets_no_body_and_a_body_of_unknown_length_is_chunked() {
    connected!(client, http1);
    for (from, to) in [("GET", "HEAD"), ("/ ", "/slowly "), ("/ ", "/broken ")] {
        client.write_all(GET.replace(from, to).as_bytes()).await.unwrap();
    }
    assert!(has_ended(http1.run()).await);
    let all = received(&mut client).await;
    let (head, others) = all.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 4") && others.starts_with("HTTP/1.1 200"), "{all}");
    // A response that breaks off must not look complete.
    let (fine, broken) = others.split_once("0\r\n\r\n").unwrap();
    assert!(fine.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n") && !broken.contains("0\r\n\r\n"), "{all}");
}

#[actix_web::test]
async fn the_beginning_of_a_slow_response_is_sent_at_once() {
    connected!(client, http1);
    let mut run = pin!(http1.run());
    let output = exchange(&mut client, run.as_mut(), &GET.replace("/ ", "/halting ")).await;
    assert!(output.ends_with("3\r\none\r\n"));
    client.shutdown().await.unwrap();
    assert!(has_ended(run).await);
}
