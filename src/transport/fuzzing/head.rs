use actix_http::{
    KeepAlive, Request, ServiceConfig, ServiceConfigBuilder,
    h1::{Codec, Message},
};
use actix_web::web::BytesMut;
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};
use tokio_util::codec::Decoder;

use crate::{
    api::{
        base_path::BasePath,
        place::{Act, Place},
    },
    transport::{
        headers::{Field, Fields},
        http1::head::Plain,
    },
};

thread_local! {
    /// The settings of actix's parser, which come with a clock that wants to run somewhere.
    static ACTIX: (ServiceConfig, LocalSet, Runtime) = {
        let (runtime, local) = (Builder::new_current_thread().enable_time().build().unwrap(), LocalSet::new());
        let config = {
            let _guards = (runtime.enter(), local.enter());
            ServiceConfigBuilder::new().keep_alive(KeepAlive::Os).build()
        };
        (config, local, runtime)
    };
}

/// What is read in place as a plain request, actix's parser takes for the same request, byte for byte, and for one after
/// which the connection goes on; what is not, is still there.
pub fn head(input: &[u8]) {
    let mut left = BytesMut::from(input);
    let Some(plain) = Plain::take(&mut left, &BasePath::default()) else {
        assert_eq!(left, input);
        return;
    };
    let mut bytes = BytesMut::from(input);
    let mut codec = Codec::new(ACTIX.with(|(config, ..)| config.clone()));
    let Message::Item(request) = codec.decode(&mut bytes).unwrap().unwrap() else { panic!("no request") };
    assert!(codec.keep_alive() && !codec.upgrade() && !request.head().expect());
    compare(&plain, &request);

    let mut body = BytesMut::new();
    while body.len() < plain.body_len() {
        match codec.decode(&mut bytes).unwrap() {
            Some(Message::Chunk(Some(piece))) => body.extend_from_slice(&piece),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(plain.into_body(), body);
    if !body.is_empty() {
        assert!(matches!(codec.decode(&mut bytes), Ok(Some(Message::Chunk(None)))));
    }
    assert_eq!(bytes, left);
}

fn compare(plain: &Plain, request: &Request) {
    let (head, uri) = (request.head(), request.uri());
    assert_eq!(head.version, actix_web::http::Version::HTTP_11);
    assert_eq!((plain.method(), plain.path()), (head.method.as_str(), uri.path()));
    assert_eq!(plain.query(), uri.query().unwrap_or_default());
    let Place { act, room, peer } = Place::parse(head.method.as_str(), uri.path()).unwrap();
    assert_eq!((plain.act(), plain.room(), plain.peer()), (act, room, peer));
    assert!(plain.body_len() == 0 || !matches!(act, Act::Poll | Act::Leave));
    let (here, there) = (Fields::Plain(plain), Fields::Map(head.headers()));
    for field in Field::ALL {
        assert_eq!(here.get(field), there.get(field), "{field:?}");
        assert_eq!((here.text(field), here.listed(field)), (there.text(field), there.listed(field)), "{field:?}");
        assert!(head.headers().get_all(field.name()).count() < 2);
    }
}
