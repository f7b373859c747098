//! Real sockets, with clients of rustls and of OpenSSL.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    process::{ChildStdin, Command},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::*;

/// Accepts one connection and sends back what it reads, until it ends; how reading ended.
async fn echo(listener: TcpListener, config: ServerConfig) -> io::Result<u64> {
    let (tcp, _) = listener.accept().await?;
    let mut stream = TlsStream::accept(tcp, Arc::new(config)).await?;
    let (mut buffer, mut count) = (vec![0; 16 * 1024], 0);
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            stream.shutdown().await?;
            return Ok(count);
        }
        count += length as u64;
        stream.write_all(&buffer[..length]).await?;
        stream.flush().await?;
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn a_client_of_rustls_gets_back_a_megabyte() {
    for version in VERSIONS {
        let (listener, port) = listener().await;
        let client = async {
            let tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let connector = TlsConnector::from(Arc::new(client_config(version)));
            let stream = connector.connect(ServerName::try_from("localhost").unwrap(), tcp).await.unwrap();
            let (mut reader, mut writer) = tokio::io::split(stream);
            let sending = async {
                for part in pattern(1024 * 1024).chunks(50_000) {
                    writer.write_all(part).await.unwrap();
                }
                writer.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let (_, read) = tokio::join!(sending, reader.read_to_end(&mut received));
            assert_eq!(read.unwrap(), 1024 * 1024);
            assert!(received == pattern(1024 * 1024));
        };
        let (echoed, ()) = tokio::join!(echo(listener, server_config()), client);
        assert_eq!(echoed.unwrap(), 1024 * 1024);
    }
}

/// `openssl s_client`, connected to an echo, and its trace of messages.
struct OpenSsl {
    input: ChildStdin,
    output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    child: tokio::process::Child,
}

impl OpenSsl {
    fn connect(port: u16, arguments: &[&str]) -> Self {
        let mut child = Command::new("openssl")
            .args(["s_client", "-connect", &format!("127.0.0.1:{port}"), "-alpn", "http/1.1", "-msg"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("openssl must be installed");
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input, output, child }
    }

    async fn enter(&mut self, line: &str) {
        self.input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.input.flush().await.unwrap();
    }

    /// Reads the output until a line contains this.
    async fn expect(&mut self, text: &str) -> String {
        let seen = async {
            while let Some(line) = self.output.next_line().await.unwrap() {
                if line.contains(text) {
                    return line;
                }
            }
            panic!("the output ended before {text:?}");
        };
        timeout(Duration::from_secs(20), seen).await.unwrap_or_else(|_| panic!("no {text:?} in the output"))
    }
}

async fn speak_to_openssl(version: &str, mut dialogue: impl AsyncFnMut(&mut OpenSsl)) -> io::Result<u64> {
    let (listener, port) = listener().await;
    let echoing = echo(listener, server_config());
    let mut client = OpenSsl::connect(port, &[version]);
    let talking = async {
        client.expect("ALPN protocol: http/1.1").await;
        dialogue(&mut client).await;
        client.input.shutdown().await.unwrap();
        let _ = timeout(Duration::from_secs(20), client.child.wait()).await.expect("openssl must end");
    };
    tokio::join!(echoing, talking).0
}

#[tokio::test]
async fn openssl_gets_back_its_lines() {
    for version in ["-tls1_2", "-tls1_3"] {
        let echoed = speak_to_openssl(version, async |client| {
            for line in ["hello", "world"] {
                client.enter(line).await;
                client.expect(line).await;
            }
            client.enter("Q").await;
        });
        assert_eq!(echoed.await.unwrap(), 12, "{version}");
    }
}

#[tokio::test]
async fn openssl_updates_its_keys_and_ours() {
    let echoed = speak_to_openssl("-tls1_3", async |client| {
        for _ in 0..3 {
            client.enter("K").await;
            client.expect(">>> TLS 1.3, Handshake [length 0005], KeyUpdate").await;
            client.enter("after the update").await;
            client.expect("<<< TLS 1.3, Handshake [length 0005], KeyUpdate").await;
            client.expect("after the update").await;
            // Only its own.
            client.enter("k").await;
            client.expect(">>> TLS 1.3, Handshake [length 0005], KeyUpdate").await;
            client.enter("once more").await;
            client.expect("once more").await;
        }
        client.enter("Q").await;
    });
    assert_eq!(echoed.await.unwrap(), 3 * 27);
}

#[tokio::test]
async fn openssl_may_not_renegotiate() {
    let echoed = speak_to_openssl("-tls1_2", async |client| {
        client.enter("hello").await;
        client.expect("hello").await;
        client.enter("R").await;
        client.expect("<<< TLS 1.2, Alert [length 0002], warning no_renegotiation").await;
    });
    echoed.await.unwrap_err();
}

#[tokio::test]
async fn openssl_learns_why_a_handshake_failed() {
    let (listener, port) = listener().await;
    let echoing = echo(listener, server_config());
    let mut client = OpenSsl::connect(port, &["-alpn", "gopher"]);
    let expecting = async {
        client.expect("Alert [length 0002], fatal").await;
        client.expect("02 78").await;
    };
    let (echoed, ()) = tokio::join!(echoing, expecting);
    assert_eq!(echoed.unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_waiting_connection_has_no_buffers_and_no_wakes() {
    let (listener, port) = listener().await;
    let client = TcpStream::connect(("127.0.0.1", port));
    let (client, accepted) = tokio::join!(client, listener.accept());
    let connector = TlsConnector::from(Arc::new(client_config(&TLS13)));
    let connecting = connector.connect(ServerName::try_from("localhost").unwrap(), client.unwrap());
    let accepting = TlsStream::accept(accepted.unwrap().0, Arc::new(server_config()));
    let (client, stream) = tokio::join!(connecting, accepting);
    let (mut client, mut stream) = (client.unwrap(), stream.unwrap());
    // In a task of its own, which is polled only when it is woken.
    let reading = tokio::spawn(async move {
        let (mut polls, mut buffer) = (0, [0; 100]);
        let read = std::future::poll_fn(|context| {
            polls += 1;
            let mut buffer = ReadBuf::new(&mut buffer);
            Pin::new(&mut stream).poll_read(context, &mut buffer).map_ok(|()| buffer.filled().len())
        });
        (read.await.unwrap(), polls, stream.session().buffer_capacities())
    });
    // Many turns in which it would be polled again if it woke itself.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    client.write_all(b"request").await.unwrap();
    client.flush().await.unwrap();
    let (length, polls, capacities) = reading.await.unwrap();
    assert_eq!((length, capacities), (7, [0, 0, 0]));
    assert!(polls <= 4, "{polls} polls");
}
