//! What is kept, for how long, and in which order.

use super::*;

#[actix_web::test]
async fn nothing_is_kept_while_a_request_waits_nor_between_requests() {
    connected!(client, http1);
    client.write_all(format!("{GET}{WAIT}").as_bytes()).await.unwrap();
    let worker = http1.worker.clone();
    {
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        assert_eq!(WAITING.get(), 1);
        assert!(said(&mut client).await.starts_with("HTTP/1.1 200"));
        assert_eq!(worker.buffers.pooled(), 1);
        // It is the client that ends it.
        drop(client);
        assert!(has_ended(run.as_mut()).await);
    }
    assert_eq!(WAITING.get(), 0);
    assert_eq!(http1.read_buf.as_ptr(), BytesMut::new().as_ptr());

    connected!(client, http1);
    client.write_all(posting("Content-Length: 4", "mine").as_bytes()).await.unwrap();
    assert!(!has_ended(http1.run()).await);
    assert!(said(&mut client).await.ends_with("1 mine"));
    assert_eq!(http1.read_buf.as_ptr(), BytesMut::new().as_ptr());
    assert_eq!(http1.worker.buffers.pooled(), 1);
}

#[actix_web::test]
async fn requests_are_answered_in_order_however_they_are_cut() {
    let requests = format!("{}{GET}{}", posting("Content-Length: 3", "one"), posting("Transfer-Encoding: chunked", ""));
    let requests = format!("{requests}2\r\nab\r\n1;x=y\r\nc\r\n1\r\nd\r\n0\r\n\r\n{}", GET.replace("/ ", "/who "));
    for size in [1, 7, 1000] {
        connected!(client, http1);
        let mut run = pin!(http1.run());
        for part in requests.as_bytes().chunks(size) {
            client.write_all(part).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
        }
        let all = said(&mut client).await;
        assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 4, "{all}");
        assert_eq!(all.matches("\r\ndate: ").count(), 4, "{all}");
        let order =
            ["one", "here", "abcd", "192.0.2.1:7"].map(|text| all.find(text).unwrap_or_else(|| panic!("{all}")));
        assert!(order.is_sorted(), "{all}");
    }
}

#[actix_web::test]
async fn a_first_head_has_ten_seconds_and_only_half_a_head_is_answered() {
    for (half, answer) in [("", ""), ("GET / HT", "HTTP/1.1 408")] {
        tokio::time::pause();
        connected!(client, http1);
        client.write_all(half.as_bytes()).await.unwrap();
        let mut run = pin!(http1.run());
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(9990)).await;
        assert!(!has_ended(run.as_mut()).await);
        tokio::time::advance(Duration::from_millis(20)).await;
        // Half a head is followed by a second in which its rest may come.
        assert_eq!(has_ended(run.as_mut()).await, half.is_empty());
        let said = said(&mut client).await;
        assert!(said.starts_with(answer) && said.is_empty() == answer.is_empty(), "{said}");
        tokio::time::resume();
    }
}

/// Later ones were the watchdog's business, which looks at what was last asked: a byte now and then was enough for 79 seconds.
#[actix_web::test]
async fn a_later_head_has_ten_seconds_from_its_first_byte_on_however_slowly_it_drips() {
    for (drop, answer) in [("G", "HTTP/1.1 408"), ("\r\n", "")] {
        tokio::time::pause();
        connected!(client, http1);
        let connection = http1.connection.clone();
        let mut run = pin!(http1.run());
        client.write_all(GET.as_bytes()).await.unwrap();
        assert!(!has_ended(run.as_mut()).await);
        assert!(said(&mut client).await.ends_with("here"));
        // Until it begins there is nothing to be late with.
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(!has_ended(run.as_mut()).await);
        for _ in 0..10 {
            client.write_all(drop.as_bytes()).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
            // It is not idle, whatever the watchdog says.
            connection.close_if_overdue(clock().millis() + 80_000, Duration::from_secs(75));
            assert!(!has_ended(run.as_mut()).await);
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // Timers count in milliseconds.
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(has_ended(run.as_mut()).await, answer.is_empty());
        let said = said(&mut client).await;
        assert!(said.starts_with(answer) && said.is_empty() == answer.is_empty(), "{said}");
        tokio::time::resume();
    }
}

#[actix_web::test]
async fn each_head_has_its_own_time() {
    tokio::time::pause();
    connected!(client, http1);
    let mut run = pin!(http1.run());
    for _ in 0..3 {
        for part in [&GET[..9], &GET[9..]] {
            tokio::time::advance(Duration::from_secs(6)).await;
            client.write_all(part.as_bytes()).await.unwrap();
            assert!(!has_ended(run.as_mut()).await);
        }
        assert!(said(&mut client).await.ends_with("here"));
    }
}

#[actix_web::test]
async fn an_idle_connection_ends_when_it_is_told_and_one_that_is_asked_something_does_not() {
    let much_later = clock().millis() + 80_000;
    connected!(client, http1);
    let connection = http1.connection.clone();
    let mut run = pin!(http1.run());
    client.write_all(GET.as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("here"));
    connection.close_if_overdue(much_later, Duration::from_secs(90));
    assert!(!has_ended(run.as_mut()).await);
    // At the last moment something came.
    client.write_all(GET.as_bytes()).await.unwrap();
    connection.close_if_overdue(much_later, Duration::from_secs(75));
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("here"));
    connection.close_if_overdue(much_later, Duration::from_secs(75));
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn when_the_server_stops_idle_connections_end_and_others_after_their_answer() {
    connected!(client, http1);
    let worker = http1.worker.clone();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    client.write_all(GET.as_bytes()).await.unwrap();
    worker.connections.drain();
    assert!(has_ended(run).await);
    let answer = said(&mut client).await;
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");

    connected!(client, http1);
    http1.worker.connections.drain();
    assert!(has_ended(http1.run()).await);
    assert_eq!(said(&mut client).await, "");
}

#[actix_web::test]
async fn the_connection_is_kept_as_the_client_says() {
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
        let answer = said(&mut client).await;
        assert!(answer.ends_with("here") && answer.contains("content-length: 4"), "{answer}");
        assert_eq!(answer.lines().find(|line| line.starts_with("connection")), says, "{line}");
    }
}
