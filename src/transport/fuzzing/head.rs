use actix_http::{
    HttpMessage, KeepAlive, Request, ServiceConfig, ServiceConfigBuilder,
    h1::{Codec, Message},
};
use actix_web::web::BytesMut;
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};
use tokio_util::codec::Decoder;

use crate::transport::{headers::Headers, http1::head::RequestHead, known_header::KnownHeader};

thread_local! {
    /// The configuration of actix-http's parser, which starts a clock on the current runtime.
    static ACTIX: (ServiceConfig, LocalSet, Runtime) = {
        let (runtime, local) = (Builder::new_current_thread().enable_time().build().unwrap(), LocalSet::new());
        let config = {
            let _guards = (runtime.enter(), local.enter());
            ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build()
        };
        (config, local, runtime)
    };
}

/// What is parsed in place is the same request to actix-http's parser, byte for byte, on a connection that persists. What is
/// not parsed in place stays in the buffer.
pub fn head(input: &[u8]) {
    let mut left = BytesMut::from(input);
    let Some((plain, whole_body)) = RequestHead::take(&mut left) else {
        assert_eq!(left, input);
        return;
    };
    let mut bytes = BytesMut::from(input);
    let mut codec = Codec::new(ACTIX.with(|(config, ..)| config.clone()));
    let Message::Item(request) = codec.decode(&mut bytes).unwrap().unwrap() else { panic!("no request") };
    assert!(codec.keep_alive() && !codec.upgrade() && !request.head().expect());
    compare(&plain, &request);

    let mut body = BytesMut::new();
    while body.len() < plain.content_length() {
        match codec.decode(&mut bytes).unwrap() {
            Some(Message::Chunk(Some(piece))) => body.extend_from_slice(&piece),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(whole_body, body);
    if !body.is_empty() {
        assert!(matches!(codec.decode(&mut bytes), Ok(Some(Message::Chunk(None)))));
    }
    assert_eq!(bytes, left);
}

fn compare(plain: &RequestHead, request: &Request) {
    let (head, uri) = (request.head(), request.uri());
    assert_eq!(head.version, actix_web::http::Version::HTTP_11);
    assert_eq!((plain.method(), plain.path()), (head.method.as_str(), uri.path()));
    assert_eq!(plain.query(), uri.query().unwrap_or_default());
    assert!(plain.content_length() == 0 || !matches!(plain.method(), "GET" | "DELETE"));
    let (here, there) = (Headers::InPlace(plain), Headers::Map(head.headers()));
    for header in KnownHeader::ALL {
        assert_eq!(here.get(header), there.get(header), "{header:?}");
        assert_eq!((here.text(header), here.list(header)), (there.text(header), there.list(header)), "{header:?}");
        assert!(head.headers().get_all(header.name()).count() < 2);
    }
    // An application receives the request that the parser would have decoded.
    let decoded = plain.decoded();
    let fields = |request: &Request| -> Vec<_> {
        let mut fields: Vec<_> =
            request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect();
        fields.sort();
        fields
    };
    assert_eq!((decoded.method(), decoded.uri(), fields(&decoded)), (request.method(), uri, fields(request)));
}
