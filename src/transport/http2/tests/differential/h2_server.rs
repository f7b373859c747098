//! h2, polled by hand over a pipe in memory.

use super::*;

/// A connection in memory that is polled by hand.
#[derive(Clone, Default)]
pub struct Pipe(pub Rc<RefCell<VecDeque<u8>>>);

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut input = self.0.borrow_mut();
        let length = buffer.remaining().min(input.len());
        input.drain(..length).for_each(|byte| buffer.put_slice(&[byte]));
        if length == 0 { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub struct Theirs {
    pub pipe: Pipe,
    pub connection: h2::server::Connection<Pipe, Bytes>,
    pub seen: BTreeMap<u32, Seen>,
    pub bodies: BTreeMap<u32, RecvStream>,
    pub responses: BTreeMap<u32, SendResponse<Bytes>>,
    pub reason: Option<Reason>,
}

impl Theirs {
    pub fn new(handshake: &[u8]) -> Self {
        let pipe = Pipe::default();
        pipe.0.borrow_mut().extend(handshake);
        let mut builder = h2::server::Builder::new();
        builder.max_concurrent_streams(100).max_header_list_size(16_384);
        let mut handshake = pin!(builder.handshake(pipe.clone()));
        let Poll::Ready(Ok(connection)) = handshake.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("no handshake")
        };
        let (seen, bodies, responses) = Default::default();
        Self { pipe, connection, seen, bodies, responses, reason: None }
    }

    pub fn accept(&mut self, context: &mut Context<'_>) -> bool {
        loop {
            match self.connection.poll_accept(context) {
                Poll::Ready(Some(Ok((request, response)))) => {
                    let (head, body) = request.into_parts();
                    let stream = response.stream_id().as_u32();
                    let mut seen = Seen {
                        method: head.method.to_string(),
                        path: head.uri.path_and_query().map_or_else(String::new, ToString::to_string),
                        authority: head.uri.authority().map(ToString::to_string),
                        ..Seen::default()
                    };
                    for (name, value) in &head.headers {
                        seen.fields.entry(name.to_string()).or_default().push(value.as_bytes().to_vec());
                    }
                    if let Some(cookies) = seen.fields.get_mut("cookie") {
                        *cookies = vec![cookies.join(&b"; "[..])];
                    }
                    // As RFC 9113 section 8.3.1 wants it.
                    let host = seen.fields.get("host").map(|hosts| String::from_utf8(hosts[0].clone()).unwrap());
                    seen.authority = seen.authority.or(host);
                    self.seen.insert(stream, seen);
                    self.bodies.insert(stream, body);
                    self.responses.insert(stream, response);
                }
                Poll::Ready(Some(Err(error))) => {
                    self.reason = error.reason();
                    return false;
                }
                Poll::Ready(None) => return false,
                Poll::Pending => return true,
            }
        }
    }

    pub fn read_body(seen: &mut Seen, body: &mut RecvStream, context: &mut Context<'_>) {
        while seen.end == End::Open {
            match body.poll_data(context) {
                Poll::Ready(Some(Ok(bytes))) => {
                    seen.body.extend_from_slice(&bytes);
                    let _ = body.flow_control().release_capacity(bytes.len());
                }
                Poll::Ready(Some(Err(_))) => seen.end = End::Reset,
                Poll::Ready(None) => match body.poll_trailers(context) {
                    Poll::Ready(Ok(_)) => seen.end = End::Ended,
                    Poll::Ready(Err(_)) => seen.end = End::Reset,
                    Poll::Pending => return,
                },
                Poll::Pending => return,
            }
        }
    }
}

impl Server for Theirs {
    fn receive(&mut self, bytes: &[u8]) -> bool {
        self.pipe.0.borrow_mut().extend(bytes);
        let mut context = Context::from_waker(Waker::noop());
        let works = self.accept(&mut context);
        for (stream, body) in &mut self.bodies {
            let seen = self.seen.get_mut(stream).unwrap();
            Self::read_body(seen, body, &mut context);
            if let Some(response) = self.responses.get_mut(stream)
                && let Poll::Ready(_) = response.poll_reset(&mut context)
            {
                seen.end = End::Reset;
            }
        }
        // Sends what reading has led to.
        works && self.accept(&mut context)
    }

    fn respond(&mut self, stream: u32) {
        if let Some(mut response) = self.responses.remove(&stream) {
            let _ = response.send_response(http::Response::builder().status(204).body(()).unwrap(), true);
        }
        // Dropping it resets the stream if the request is not complete.
        self.bodies.remove(&stream);
        self.accept(&mut Context::from_waker(Waker::noop()));
    }

    fn seen(&self) -> &BTreeMap<u32, Seen> {
        &self.seen
    }
}
