//! A client of the relay, over UDP, TCP or TLS, that sends exactly what a test says.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use serde_json::Value;
use stun_types::{
    attribute::{AttributeWrite, ErrorCode, Nonce, Realm, Username, XorMappedAddress},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageType, MessageWrite, MessageWriteExt,
        MessageWriteVec, Method, TransactionId,
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use turn_types::{
    attribute::{ChannelNumber, Data, Lifetime, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, REFRESH, SEND},
};

pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

enum Line {
    Udp(UdpSocket),
    Stream(Box<dyn Io>),
}

pub struct TurnClient {
    line: Line,
    pub username: String,
    pub password: String,
    pub nonce: String,
    realm: String,
    /// Packets that arrived while a response was awaited.
    early: Vec<Received>,
}

/// What another client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    Channel(u16, Vec<u8>),
    Data(SocketAddr, Vec<u8>),
}

/// A response, as bytes.
#[derive(Debug)]
pub struct Reply(Vec<u8>);

/// The longest that a response of a server on this machine may take on a busy day.
const PATIENCE: Duration = Duration::from_secs(60);
/// RFC 8489 section 6.2.1.
const RETRANSMIT: Duration = Duration::from_millis(500);

impl Reply {
    pub fn message(&self) -> Message<'_> {
        Message::from_bytes(&self.0).unwrap()
    }

    /// The error code; 0 for a success.
    pub fn code(&self) -> u16 {
        match self.message().class() {
            MessageClass::Success => 0,
            _ => self.message().attribute::<ErrorCode>().unwrap().code(),
        }
    }

    pub fn relayed(&self) -> SocketAddr {
        let message = self.message();
        let relayed = message.attribute::<XorRelayedAddress>();
        relayed.unwrap_or_else(|_| panic!("no allocation: {}", self.code())).addr(message.transaction_id())
    }

    pub fn mapped(&self) -> SocketAddr {
        let message = self.message();
        message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id())
    }

    pub fn lifetime(&self) -> u32 {
        self.message().attribute::<Lifetime>().unwrap().seconds()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl TurnClient {
    pub async fn udp(port: u16, joined: &Value) -> Self {
        Self::udp_from(Ipv4Addr::LOCALHOST.into(), port, joined).await
    }

    pub async fn udp_from(ip: IpAddr, port: u16, joined: &Value) -> Self {
        let socket = UdpSocket::bind((ip, 0)).await.unwrap();
        socket.connect(("127.0.0.1", port)).await.unwrap();
        Self::new(Line::Udp(socket), joined)
    }

    pub async fn tcp(port: u16, joined: &Value) -> Self {
        Self::over(Box::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap()), joined)
    }

    pub fn over(stream: Box<dyn Io>, joined: &Value) -> Self {
        Self::new(Line::Stream(stream), joined)
    }

    /// With the credentials of a join response.
    fn new(line: Line, joined: &Value) -> Self {
        let all = joined["ice_servers"].as_array().unwrap();
        let relay = all.iter().find(|server| server["username"].is_string());
        let text = |name: &str| relay.map_or("none", |relay| relay[name].as_str().unwrap()).to_owned();
        let (username, password) = (text("username"), text("credential"));
        Self { line, username, password, nonce: String::new(), realm: "turn".into(), early: Vec::new() }
    }

    pub fn local_addr(&self) -> SocketAddr {
        match &self.line {
            Line::Udp(socket) => socket.local_addr().unwrap(),
            Line::Stream(_) => panic!("only of UDP"),
        }
    }

    /// The bytes of a request with these attributes, signed if there is a nonce.
    pub fn signed(&self, method: Method, id: TransactionId, attributes: &[&dyn AttributeWrite]) -> Vec<u8> {
        let kind = MessageType::from_class_method(MessageClass::Request, method);
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        for attribute in attributes {
            message.add_attribute(*attribute).unwrap();
        }
        if !self.nonce.is_empty() {
            message.add_attribute(&Username::new(&self.username).unwrap()).unwrap();
            message.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
            message.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
            let (username, password, realm) = (self.username.clone(), self.password.clone(), self.realm.clone());
            let key = LongTermKeyCredentials::new(username, password, realm).make_key(IntegrityAlgorithm::Sha1);
            message.add_message_integrity_with_key(&key, IntegrityAlgorithm::Sha1).unwrap();
        }
        message.finish()
    }

    /// A request, once; a new nonce is kept.
    pub async fn ask(&mut self, method: Method, attributes: &[&dyn AttributeWrite]) -> Reply {
        let id = TransactionId::generate();
        let request = self.signed(method, id, attributes);
        let reply = self.exchange(&request, id).await;
        if let Ok(nonce) = reply.message().attribute::<Nonce>() {
            self.nonce = nonce.nonce().to_owned();
            self.realm = reply.message().attribute::<Realm>().unwrap().realm().to_owned();
        }
        reply
    }

    /// Sends a request until its response arrives.
    pub async fn exchange(&mut self, request: &[u8], id: TransactionId) -> Reply {
        let answered = async {
            loop {
                self.send_bytes(request).await;
                while let Ok(bytes) = timeout(RETRANSMIT, self.receive_bytes()).await {
                    match Received::parse(&bytes) {
                        Some(received) => self.early.push(received),
                        None if Message::from_bytes(&bytes).unwrap().transaction_id() == id => return Reply(bytes),
                        None => {}
                    }
                }
                assert!(matches!(self.line, Line::Udp(_)), "no response over a stream");
            }
        };
        timeout(PATIENCE, answered).await.expect("a response")
    }

    /// Allocates, answering the challenge.
    pub async fn allocate(&mut self) -> Reply {
        self.allocate_with(&[]).await
    }

    pub async fn allocate_with(&mut self, attributes: &[&dyn AttributeWrite]) -> Reply {
        let transport = RequestedTransport::new(RequestedTransport::UDP);
        let attributes = [&[&transport as &dyn AttributeWrite], attributes].concat();
        if self.nonce.is_empty() {
            assert_eq!(self.ask(ALLOCATE, &attributes).await.code(), 401);
        }
        // The engine did not answer in time: "the client should try the request again" (RFC 8489 section 14.8).
        for _ in 0..3 {
            let reply = self.ask(ALLOCATE, &attributes).await;
            if reply.code() != 500 {
                return reply;
            }
        }
        self.ask(ALLOCATE, &attributes).await
    }

    pub async fn refresh(&mut self, seconds: u32) -> Reply {
        self.ask(REFRESH, &[&Lifetime::new(seconds)]).await
    }

    pub async fn permit(&mut self, peer: SocketAddr) -> Reply {
        let id = TransactionId::generate();
        let request = self.signed(CREATE_PERMISSION, id, &[&XorPeerAddress::new(peer, id)]);
        self.exchange(&request, id).await
    }

    pub async fn bind(&mut self, number: u16, peer: SocketAddr) -> Reply {
        let id = TransactionId::generate();
        let attributes: [&dyn AttributeWrite; 2] = [&ChannelNumber::new(number), &XorPeerAddress::new(peer, id)];
        let request = self.signed(CHANNEL_BIND, id, &attributes);
        self.exchange(&request, id).await
    }

    pub async fn send(&mut self, number: u16, data: &[u8]) {
        let length = u16::try_from(data.len()).unwrap();
        let mut frame = [&number.to_be_bytes(), &length.to_be_bytes(), data].concat();
        if matches!(self.line, Line::Stream(_)) {
            frame.resize(frame.len().next_multiple_of(4), 0xee);
        }
        self.send_bytes(&frame).await;
    }

    pub async fn indicate(&mut self, peer: SocketAddr, data: &[u8]) {
        let id = TransactionId::generate();
        let kind = MessageType::from_class_method(MessageClass::Indication, SEND);
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        message.add_attribute(&XorPeerAddress::new(peer, id)).unwrap();
        message.add_attribute(&Data::new(data)).unwrap();
        self.send_bytes(&message.finish()).await;
    }

    /// The next packet from another client.
    pub async fn receive(&mut self) -> Received {
        if !self.early.is_empty() {
            return self.early.remove(0);
        }
        let received = async {
            loop {
                if let Some(received) = Received::parse(&self.receive_bytes().await) {
                    return received;
                }
            }
        };
        timeout(PATIENCE, received).await.expect("a packet")
    }

    /// Whether nothing of others has arrived by the time that a request is answered: packets and responses keep their order.
    pub async fn has_received_nothing(&mut self) -> bool {
        self.ask(stun_types::message::BINDING, &[]).await;
        self.early.is_empty()
    }

    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        match &mut self.line {
            Line::Udp(socket) => drop(socket.send(bytes).await.unwrap()),
            Line::Stream(stream) => stream.write_all(bytes).await.unwrap(),
        }
    }

    /// A datagram, or a frame of a stream without its padding.
    async fn receive_bytes(&mut self) -> Vec<u8> {
        match &mut self.line {
            Line::Udp(socket) => {
                let mut bytes = vec![0; 5000];
                let length = socket.recv(&mut bytes).await.unwrap();
                bytes.truncate(length);
                bytes
            }
            Line::Stream(stream) => {
                let mut frame = vec![0; 4];
                stream.read_exact(&mut frame).await.unwrap();
                let length = usize::from(u16::from_be_bytes([frame[2], frame[3]]));
                let is_channel = frame[0] >= 0x40;
                let (whole, padded) = match is_channel {
                    true => (4 + length, (4 + length).next_multiple_of(4)),
                    false => (20 + length, 20 + length),
                };
                frame.resize(padded, 0);
                stream.read_exact(&mut frame[4..]).await.unwrap();
                frame.truncate(whole);
                frame
            }
        }
    }

    /// Waits until the server closes the connection.
    pub async fn closed(&mut self) {
        let Line::Stream(stream) = &mut self.line else { panic!("only streams close") };
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the end");
    }
}

impl Received {
    fn parse(bytes: &[u8]) -> Option<Self> {
        if bytes[0] >= 0x40 {
            let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
            assert_eq!(bytes.len(), 4 + length, "channel data is not padded over UDP");
            return Some(Self::Channel(u16::from_be_bytes([bytes[0], bytes[1]]), bytes[4..].to_vec()));
        }
        let message = Message::from_bytes(bytes).unwrap();
        if message.method() != DATA {
            return None;
        }
        let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        Some(Self::Data(peer, message.attribute::<Data>().unwrap().data().to_vec()))
    }
}
