//! A request sent in each of the three ways in which the transport reads requests.

use h2::client::SendRequest;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use crate::support::{certificate::Certificate, harness::Server};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// HTTP/1.1, read in place.
    InPlace,
    /// HTTP/1.1 with a target in absolute form, which is left to actix-http's codec.
    Decoded,
    Http2,
}

pub const WAYS: [Way; 3] = [Way::InPlace, Way::Decoded, Way::Http2];

#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// A response without what depends on the moment (`date`, the request's number) or the protocol (`connection`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

pub struct Client<'a> {
    way: Way,
    server: &'a Server,
    certificate: &'a Certificate,
    http1: Option<TlsStream<TcpStream>>,
    http2: Option<SendRequest<bytes::Bytes>>,
}

impl Ask {
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), ..Self::default() }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn json(mut self, body: impl ToString) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }
}

impl Answer {
    fn new(status: u16, headers: impl Iterator<Item = (String, String)>, body: Vec<u8>) -> Self {
        let mut headers: Vec<_> = headers.filter(|(name, _)| name != "date" && name != "connection").collect();
        headers.iter_mut().filter(|(name, _)| name == "x-request-id").for_each(|(_, number)| *number = "NUMBER".into());
        headers.sort_unstable();
        Self { status, headers, body: String::from_utf8(body).unwrap() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl<'a> Client<'a> {
    pub fn new(way: Way, server: &'a Server, certificate: &'a Certificate) -> Self {
        Self { way, server, certificate, http1: None, http2: None }
    }

    pub async fn send(&mut self, ask: &Ask) -> Answer {
        match self.way {
            Way::InPlace => self.send_http1(ask, &ask.path).await,
            Way::Decoded => self.send_http1(ask, &format!("https://localhost{}", ask.path)).await,
            Way::Http2 => self.send_http2(ask).await,
        }
    }

    async fn send_http1(&mut self, ask: &Ask, target: &str) -> Answer {
        let mut stream = match self.http1.take() {
            Some(stream) => stream,
            None => self.certificate.connect(self.server, "http/1.1").await.unwrap(),
        };
        let fields: String = ask.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length =
            if ask.body.is_empty() { String::new() } else { format!("content-length: {}\r\n", ask.body.len()) };
        let text = format!("{} {target} HTTP/1.1\r\nhost: localhost\r\n{fields}{length}\r\n{}", ask.method, ask.body);
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let value = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let has_body = ask.method != "HEAD" && status != 204 && status != 304;
        let length = if has_body { value("content-length").unwrap().parse().unwrap() } else { 0 };
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        if value("connection") != Some("close") {
            self.http1 = Some(stream);
        }
        Answer::new(status, headers.into_iter(), body)
    }

    async fn send_http2(&mut self, ask: &Ask) -> Answer {
        let client = match self.http2.take() {
            Some(client) => client,
            None => self.certificate.h2(self.server).await,
        };
        let mut request = http::Request::builder().method(ask.method).uri(format!("https://localhost{}", ask.path));
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let mut client = client.ready().await.unwrap();
        let has_body = !ask.body.is_empty();
        let (response, mut sending) = client.send_request(request.body(()).unwrap(), !has_body).unwrap();
        if has_body {
            sending.send_data(ask.body.clone().into(), true).unwrap();
        }
        let (parts, mut receiving) = response.await.unwrap().into_parts();
        let mut body = Vec::new();
        while let Some(chunk) = receiving.data().await {
            body.extend_from_slice(&chunk.unwrap());
        }
        self.http2 = Some(client);
        let headers = parts.headers.iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Answer::new(parts.status.as_u16(), headers, body)
    }
}
