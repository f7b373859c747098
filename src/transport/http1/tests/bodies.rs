//! Bodies, of requests and of answers.

use super::*;

#[actix_web::test]
async fn the_client_is_told_to_go_on_when_its_body_is_wanted_and_only_then() {
    connected!(client, http1);
    let mut run = pin!(http1.run());
    client.write_all(posting("Expect: 100-continue\r\nContent-Length: 3", "").as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert_eq!(said(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"yes").await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("1 yes"));
    let unwanted = posting("Expect: 100-continue\r\nContent-Length: 3", "").replace("/pieces", "/");
    client.write_all(unwanted.as_bytes()).await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    let refused = said(&mut client).await;
    assert!(refused.starts_with("HTTP/1.1 200") && refused.contains("connection: close"), "{refused}");
    client.shutdown().await.unwrap();
    assert!(has_ended(run).await);

    connected!(client, http1);
    let unheeded = WAIT.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client.write_all(unheeded.as_bytes()).await.unwrap();
    assert!(!has_ended(http1.run()).await);
    assert_eq!(said(&mut client).await, "");
}

#[actix_web::test]
async fn of_a_body_that_nobody_takes_only_so_much_is_read() {
    connected!(client, http1);
    let head = WAIT.replace("\r\n\r\n", "\r\nContent-Length: 1000000\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&[b'x'; 500_000]).await.unwrap();
    let mut run = Box::pin(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    // What has been read makes room for more.
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
async fn after_a_body_that_was_not_read_the_connection_ends_and_the_answer_is_heard() {
    tokio::time::pause();
    connected!(client, http1);
    client.write_all(posting("Content-Length: 9", "half").replace("/pieces", "/").as_bytes()).await.unwrap();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("here") && answer.contains("connection: close"), "{answer}");
    // What comes later is read all the same, for a second.
    client.write_all(b"more").await.unwrap();
    assert!(!has_ended(run.as_mut()).await);
    tokio::time::advance(Duration::from_millis(1001)).await;
    assert!(has_ended(run).await);
}

#[actix_web::test]
async fn chunks_that_are_none_break_the_body_and_end_the_connection() {
    connected!(client, http1);
    let broken = posting("Transfer-Encoding: chunked", &format!("2\r\nab\r\n+1\r\nc\r\n0\r\n\r\n{GET}"));
    client.write_all(broken.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    assert!(has_ended(http1.run()).await);
    let answer = said(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.ends_with("broken"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(answer.matches("HTTP/1.").count(), 1, "{answer}");
}

#[actix_web::test]
async fn heads_are_answered_without_bodies_and_bodies_without_lengths_in_chunks() {
    connected!(client, http1);
    client.write_all(GET.replace("GET", "HEAD").as_bytes()).await.unwrap();
    client.write_all(GET.replace("/ ", "/slowly ").as_bytes()).await.unwrap();
    client.write_all(GET.replace("/ ", "/broken ").as_bytes()).await.unwrap();
    assert!(has_ended(http1.run()).await);
    let all = said(&mut client).await;
    let (head, others) = all.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 4") && others.starts_with("HTTP/1.1 200"), "{all}");
    // What breaks off must not look complete.
    let (fine, broken) = others.split_once("0\r\n\r\n").unwrap();
    assert!(fine.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n") && !broken.contains("0\r\n\r\n"), "{all}");
}

#[actix_web::test]
async fn what_there_is_of_an_answer_is_sent_before_the_rest_is_waited_for() {
    connected!(client, http1);
    client.write_all(GET.replace("/ ", "/halting ").as_bytes()).await.unwrap();
    let mut run = pin!(http1.run());
    assert!(!has_ended(run.as_mut()).await);
    assert!(said(&mut client).await.ends_with("3\r\none\r\n"));
    client.shutdown().await.unwrap();
    assert!(has_ended(run).await);
}
