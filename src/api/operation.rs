//! An operation of the API is an async function. Its arguments say who may call it and what it takes.

use std::{borrow::Cow, future::Future, net::IpAddr, sync::Arc};

use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;

use crate::{
    api::{
        Api, Code, Problem,
        params::{parse_peer, parse_room},
    },
    domain::{PeerId, RoomName},
    transport::{Request, Response, client_address::AddressKey, headers::Headers, known_header::KnownHeader},
};

/// A request and the operation's context.
pub struct Call<'a> {
    pub api: &'a Arc<Api>,
    pub request: &'a Request,
    pub params: PathParams<'a>,
}

/// Parameters in the path as they were sent, percent-encoded and not validated; empty if the path has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathParams<'a> {
    pub room: &'a str,
    pub peer: &'a str,
    pub session: &'a str,
}

/// An argument of an operation, extracted from the request before anything is awaited.
pub trait FromRequest: Sized {
    /// The problems that taking this argument may cause, for the documentation of the operation.
    const PROBLEMS: &[Code] = &[];

    fn from_request(call: &Call<'_>) -> Result<Self, Problem>;
}

/// Boxed, so that each takes only the memory it needs, and not that of the largest.
pub type ResponseFuture = LocalBoxFuture<'static, Result<Response, Problem>>;

/// An async function whose arguments are extracted from the request, in their order.
pub trait Operation<Arguments> {
    fn call(self, call: &Call<'_>) -> Result<ResponseFuture, Problem>;

    /// The problems of the arguments.
    fn problems(self) -> Vec<Code>;
}

macro_rules! operation {
    ($($argument:ident),*) => {
        impl<Function, Work, $($argument),*> Operation<($($argument,)*)> for Function
        where
            Function: FnOnce($($argument),*) -> Work,
            Work: Future<Output = Result<Response, Problem>> + 'static,
            $($argument: FromRequest),*
        {
            #[allow(non_snake_case, unused_variables, reason = "arguments are named after their types")]
            fn call(self, call: &Call<'_>) -> Result<ResponseFuture, Problem> {
                $(let $argument = $argument::from_request(call)?;)*
                Ok(Box::pin(self($($argument),*)))
            }

            fn problems(self) -> Vec<Code> {
                let lists: &[&[Code]] = &[$($argument::PROBLEMS),*];
                lists.concat()
            }
        }
    };
}

operation!();
operation!(A);
operation!(A, B);
operation!(A, B, C);
operation!(A, B, C, D);
operation!(A, B, C, D, E);
operation!(A, B, C, D, E, F);

impl<'a> Call<'a> {
    pub fn headers(&self) -> Headers<'a> {
        self.request.headers()
    }

    pub fn room(&self) -> Result<RoomName, Problem> {
        parse_room(&decoded(self.params.room))
    }

    pub fn peer(&self) -> Result<PeerId, Problem> {
        let unknown = || Problem::new(Code::PeerUnknown, "The peer in the path is not a UUID.");
        parse_peer(self.params.peer).or_else(|| parse_peer(&decoded(self.params.peer))).ok_or_else(unknown)
    }

    /// The client's address, as rate limits count it.
    pub fn address(&self) -> AddressKey {
        self.api.client_address(self.request)
    }

    /// The client's address, whole.
    pub fn ip(&self) -> IpAddr {
        self.api.proxies.client(self.request.peer().ip(), self.headers())
    }

    pub fn required_bearer(&self) -> Result<&'a str, Problem> {
        self.bearer()?.ok_or_else(|| Problem::new(Code::TokenMissing, "The `Authorization` header is missing."))
    }

    /// The token in `Authorization: Bearer …` (RFC 6750 section 2.1), if the header is present.
    pub fn bearer(&self) -> Result<Option<&'a str>, Problem> {
        let Some(value) = self.headers().get(KnownHeader::Authorization) else { return Ok(None) };
        let malformed = || Problem::new(Code::TokenInvalid, "`Authorization` must have the form `Bearer <token>`.");
        parse_bearer(value).map(Some).ok_or_else(malformed)
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

impl FromRequest for Arc<Api> {
    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        Ok(call.api.clone())
    }
}

pub fn parse_bearer(value: &[u8]) -> Option<&str> {
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    let token = std::str::from_utf8(token.trim_ascii()).ok()?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
