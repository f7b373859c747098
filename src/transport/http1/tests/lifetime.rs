//! Buffers, time-outs, and the order of responses.

use super::*;

#[actix_web::test]
async fn a_waiting_connection_keeps_no_buffers() {
    connected!(client, http1);
    let worker = http1.worker.clone();
    {
        let mut run = pin!(http1.run());
        assert!(exchange(&mut client, run.as_mut(), &format!("{GET}{WAIT}")).await.starts_with("HTTP/1.1 200"));
        assert_eq!(WAITING.get(), 1);
        assert_eq!(worker.buffers.pooled(), 1);
        drop(client);
        assert!(has_ended(run.as_mut()).await);
    }
    assert_eq!(WAITING.get(), 0);
    assert_eq!(http1.read_buf.as_ptr(), BytesMut::new().as_ptr());

    connected!(client, http1);
    let post = posting("Content-Length: 4", "mine");
    assert!(exchange(&mut client, http1.run(), &post).await.ends_with("1 mine"));
    assert_eq!(http1.read_buf.as_ptr(), BytesMut::new().as_ptr());
    assert_eq!(http1.worker.buffers.pooled(), 1);
}

#[actix_web::test]
async fn requests_are_answered_in_order_however_they_are_split() {
    let requests = format!("{}{GET}{}", posting("Content-Length: 3", "one"), posting("Transfer-Encoding: chunked", ""));
    let requests = format!("{requests}2\r\nab\r\n1;x=y\r\nc\r\n1\r\nd\r\n0\r\n\r\n{}", GET.replace("/ ", "/who "));
    for size in [1, 7, 1000] {
        connected!(client, http1);
        let mut run = pin!(http1.run());
        for part in requests.as_bytes().chunks(size) {
            client.write_all(part).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
        }
        let all = received(&mut client).await;
        assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 4, "{all}");
        assert_eq!(all.matches("\r\ndate: ").count(), 4, "{all}");
        let order =
            ["one", "here", "abcd", "192.0.2.1:7"].map(|text| all.find(text).unwrap_or_else(|| panic!("{all}")));
        assert!(order.is_sorted(), "{all}");
    }
}

#[actix_web::test]
async fn the_first_head_times_out_after_ten_seconds_and_a_partial_one_is_answered() {
    for (half, answer) in [("", ""), ("GET / HT", "HTTP/1.1 408")] {
        tokio::time::pause();
        connected!(client, http1);
        client.write_all(half.as_bytes()).await.unwrap();
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(9990)).await;
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(20)).await;
        // After the response, input is discarded for a second.
        assert_eq!(has_ended(run.as_mut()).await, half.is_empty());
        let output = received(&mut client).await;
        assert!(output.starts_with(answer) && output.is_empty() == answer.is_empty(), "{output}");
        tokio::time::resume();
    }
}

#[actix_web::test]
async fn a_later_head_times_out_ten_seconds_after_its_first_byte_however_slowly_it_arrives() {
    for (drop, answer) in [("G", "HTTP/1.1 408"), ("\r\n", "")] {
        tokio::time::pause();
        connected!(client, http1);
        let connection = http1.connection.clone();
        let mut run = pin!(http1.run());
        assert!(exchange(&mut client, run.as_mut(), GET).await.ends_with("here"));
        // The time-out begins with the first byte.
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(!has_ended(run.as_mut()).await);
        for _ in 0..10 {
            client.write_all(drop.as_bytes()).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
            // The watchdog does not close a connection in the middle of a head.
            connection.close_if_overdue(clock().millis() + 80_000, Duration::from_secs(75));
            assert!(!has_ended(run.as_mut()).await);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // Timers have a resolution of a millisecond.
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(has_ended(run.as_mut()).await, answer.is_empty());
        let output = received(&mut client).await;
        assert!(output.starts_with(answer) && output.is_empty() == answer.is_empty(), "{output}");
        tokio::time::resume();
    }
}

#[actix_web::test]
async fn each_head_has_its_own_time_out() {
    tokio::time::pause();
    connected!(client, http1);
    let mut run = pin!(http1.run());
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(6)).await;
        assert_eq!(exchange(&mut client, run.as_mut(), &GET[..9]).await, "");
        tokio::time::advance(Duration::from_secs(6)).await;
        assert!(exchange(&mut client, run.as_mut(), &GET[9..]).await.ends_with("here"));
    }
}

#[actix_web::test]
async fn the_watchdog_closes_an_idle_connection_unless_a_request_has_arrived() {
    let much_later = clock().millis() + 80_000;
    connected!(client, http1);
    let connection = http1.connection.clone();
    let mut run = pin!(http1.run());
    assert!(exchange(&mut client, run.as_mut(), GET).await.ends_with("here"));
    connection.close_if_overdue(much_later, Duration::from_secs(90));
    assert!(!has_ended(run.as_mut()).await);
    client.write_all(GET.as_bytes()).await.unwrap();
    connection.close_if_overdue(much_later, Duration::from_secs(75));
    assert!(!has_ended(run.as_mut()).await);
    assert!(received(&mut client).await.ends_with("here"));
    connection.close_if_overdue(much_later, Duration::from_secs(75));
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn draining_closes_idle_connections_at_once_and_others_after_their_response() {
    connected!(client, http1);
    let worker = http1.worker.clone();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    client.write_all(GET.as_bytes()).await.unwrap();
    worker.connections.drain();
    assert!(has_ended(run).await);
    let answer = received(&mut client).await;
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");

    connected!(client, http1);
    http1.worker.connections.drain();
    assert!(has_ended(http1.run()).await);
    assert_eq!(received(&mut client).await, "");
}

#[actix_web::test]
async fn connections_persist_as_the_client_asks() {
    let get = |line: &str| format!("GET / {line}\r\nHost: x\r\n\r\n");
    for (line, keeps, says) in [
        ("HTTP/1.1", true, None),
        ("HTTP/1.1\r\nConnection: close", false, Some("connection: close")),
        ("HTTP/1.0", false, None),
        ("HTTP/1.0\r\nConnection: keep-alive", true, Some("connection: keep-alive")),
    ] {
        connected!(client, http1);
        client.write_all(get(line).as_bytes()).await.unwrap();
        assert_eq!(has_ended(http1.run()).await, !keeps, "{line}");
        let answer = received(&mut client).await;
        assert!(answer.ends_with("here") && answer.contains("content-length: 4"), "{answer}");
        assert_eq!(answer.lines().find(|line| line.starts_with("connection")), says, "{line}");
    }
}
