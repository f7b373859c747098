//! Connections.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::neighborhood::Neighborhood;

/// A connection on which a request was answered 200; none if it was closed, or answered otherwise.
async fn admitted(server: &Neighborhood, address: &str) -> Option<TcpStream> {
    let mut stream = server.connect_from(address).await.ok()?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.ok()?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.ok()?;
    (&answer == b"HTTP/1.1 200").then_some(stream)
}

/// Opens connections until one is refused.
async fn hoard(server: &Neighborhood, address: &str) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    while let Some(stream) = admitted(server, address).await {
        streams.push(stream);
    }
    streams
}

/// Four addresses had all connections, a quarter each.
#[actix_web::test]
async fn an_address_gets_two_thirds_of_all_connections_and_its_network_three_quarters() {
    let server = Neighborhood::start_direct(&["--connections-max", "99", "--rate-join", "0"]).await;
    let one = hoard(&server, "127.1.1.1").await;
    assert_eq!(one.len(), 66);
    let mut others = Vec::new();
    for number in 2..64 {
        others.extend(hoard(&server, &format!("127.1.1.{number}")).await);
    }
    assert_eq!(one.len() + others.len(), 75);
    for _ in 0..10 {
        assert!(admitted(&server, "127.2.2.2").await.is_some());
    }
    // And what is closed can be used again.
    drop((one, others));
    server.until("connections", |count| count < 10).await;
    assert!(hoard(&server, "127.1.1.1").await.len() > 40);
}

/// A proxy's connections are its clients', who are counted by what they do.
#[actix_web::test]
async fn a_trusted_proxy_may_have_all_connections() {
    let server = Neighborhood::start(&["--connections-max", "40", "--rate-join", "0"]).await;
    let mut streams = Vec::new();
    for _ in 0..39 {
        streams.push(admitted(&server, "127.0.0.1").await.unwrap());
    }
}
