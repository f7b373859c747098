//! The one list of operations, which gives dispatch, `Allow` and the OpenAPI document.

use std::borrow::Cow;

use pastey::paste;
use percent_encoding::percent_decode_str;
use utoipa::{OpenApi, Path, openapi::path::HttpMethod};

use crate::api::{
    Code, Problem,
    handlers::{health, ice_servers, leave_beacon, messages, peers, polls, rooms, websocket_probe},
    operation::{Call, Operation, PathParams, ResponseFuture},
};

macro_rules! operations {
    ($($module:ident::$function:ident: [$($problem:ident),*],)*) => {
        /// The paths of the document.
        #[derive(OpenApi)]
        #[openapi(paths($($module::$function),*))]
        pub struct Operations;

        pub fn routes() -> Vec<Route> {
            paste! {
                vec![$(Route {
                    methods: <$module::[<__path_ $function>] as Path>::methods(),
                    path: <$module::[<__path_ $function>] as Path>::path(),
                    problems: [$module::$function.problems(), vec![$(Code::$problem),*]].concat(),
                    handler: |call| $module::$function.call(call),
                }),*]
            }
        }
    };
}

// Each with the problems that it may cause besides those of its arguments.
operations![
    rooms::create: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, TicketOtherRoom,
        TicketCannotCreate, RoomExists, RoomClosed, RoomNameInvalid, TooManyFailures, RoomsExhausted, Draining,
        EngineUnavailable],
    rooms::show: [RoomUnknown, EngineUnavailable],
    rooms::change: [RoomUnknown, EngineUnavailable],
    rooms::close: [RoomUnknown, EngineUnavailable],
    peers::join: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, SecretWrong, RoomLocked,
        Kicked, TicketOtherRoom, TicketCannotCreate, RoomFull, RoomClosed, MailboxFull, TooManyFailures, RoomsExhausted,
        Draining, EngineUnavailable],
    peers::roster: [Kicked, PeerGone, EngineUnavailable],
    peers::leave: [Kicked, RoomUnknown, PeerGone, EngineUnavailable],
    leave_beacon::goodbye: [],
    messages::post_one: [Kicked, RoomClosed, PeerGone, MailboxFull, Draining, EngineUnavailable],
    messages::post_batch: [Kicked, PeerUnknown, RoomClosed, PeerGone, MailboxFull, Draining, EngineUnavailable],
    polls::poll: [Kicked, CursorAhead, PollSuperseded, RoomClosed, PeerGone, CursorGone, Draining, EngineUnavailable],
    ice_servers::ice_servers: [Kicked, PeerGone, EngineUnavailable],
    websocket_probe::upgrade: [],
    health::healthz: [],
    health::readyz: [Draining, EngineUnavailable],
    health::metrics: [NotFound],
];

type Handler = fn(&Call<'_>) -> Result<ResponseFuture, Problem>;

pub struct Route {
    pub methods: Vec<HttpMethod>,
    pub path: String,
    pub problems: Vec<Code>,
    handler: Handler,
}

/// Finds the operation for a request.
///
/// A path is compared segment by segment with the few that have as many: a radix tree (`matchit`) took a third of the time
/// that reading the request takes.
pub struct Router {
    /// Indexed by the number of segments.
    paths: [Vec<(Vec<Segment>, Methods)>; SEGMENTS_MAX + 1],
}

/// A path segment.
#[derive(Debug, PartialEq)]
enum Segment {
    Literal(String),
    Room,
    Peer,
}

/// The number of segments in the longest path.
const SEGMENTS_MAX: usize = 6;

/// The operations at one path.
struct Methods {
    operations: Vec<(&'static str, Handler)>,
    /// The value of `Allow` (RFC 9110 section 10.2.1).
    allow: String,
    has_head: bool,
}

/// The outcome of routing.
pub enum Routed<'a> {
    Operation {
        handler: Handler,
        params: PathParams<'a>,
    },
    /// The path has other methods: the value of `Allow`.
    MethodNotAllowed(&'a str),
    NotFound,
}

impl Router {
    pub fn new() -> Self {
        let mut paths: Vec<(String, Methods)> = Vec::new();
        for Route { methods, path, handler, .. } in routes() {
            let at = paths.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
                // A poll has no HEAD: it acknowledges and waits.
                let has_head = !path.ends_with("/messages");
                paths.push((path, Methods { operations: Vec::new(), allow: String::new(), has_head }));
                paths.len() - 1
            });
            paths[at].1.operations.extend(methods.iter().map(|method| (name(method), handler)));
        }
        let mut router = Self { paths: Default::default() };
        for (path, mut methods) in paths {
            methods.finish();
            let segments: Vec<Segment> = path.split('/').skip(1).map(Segment::of).collect();
            router.paths[segments.len()].push((segments, methods));
        }
        router
    }

    pub fn route<'a>(&'a self, method: &str, path: &'a str) -> Routed<'a> {
        let Some((methods, params)) = self.find(path) else { return Routed::NotFound };
        let sought = if method == "HEAD" && methods.has_head { "GET" } else { method };
        match methods.operations.iter().find(|(known, _)| *known == sought) {
            Some((_, handler)) => Routed::Operation { handler: *handler, params },
            None => Routed::MethodNotAllowed(&methods.allow),
        }
    }

    fn find<'a>(&'a self, path: &'a str) -> Option<(&'a Methods, PathParams<'a>)> {
        let rest = path.strip_prefix('/')?;
        let (mut parts, mut count, mut start) = ([""; SEGMENTS_MAX], 0, 0);
        for end in memchr::memchr_iter(b'/', rest.as_bytes()).chain([rest.len()]) {
            *parts.get_mut(count)? = rest.get(start..end)?;
            (count, start) = (count + 1, end + 1);
        }
        let parts = &parts[..count];
        let matches = |(segments, _): &&(Vec<Segment>, Methods)| {
            segments.iter().zip(parts).all(|(segment, part)| match segment {
                Segment::Literal(text) => text == part,
                Segment::Room | Segment::Peer => !part.is_empty(),
            })
        };
        let (segments, methods) = self.paths[count].iter().find(matches)?;
        let mut params = PathParams::default();
        for (segment, part) in segments.iter().zip(parts) {
            match segment {
                Segment::Literal(_) => {}
                Segment::Room => params.room = decoded(part),
                Segment::Peer => params.peer = decoded(part),
            }
        }
        Some((methods, params))
    }
}

impl Segment {
    fn of(text: &str) -> Self {
        match text {
            "{room}" => Self::Room,
            "{peer}" => Self::Peer,
            literal => Self::Literal(literal.to_owned()),
        }
    }
}

impl Methods {
    fn finish(&mut self) {
        const ORDER: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        self.operations.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        let mut allow: Vec<&str> = self.operations.iter().map(|(name, _)| *name).collect();
        self.has_head &= allow.contains(&"GET");
        if self.has_head {
            allow.push("HEAD");
        }
        self.allow = allow.join(", ");
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('%') { percent_decode_str(text).decode_utf8_lossy() } else { Cow::Borrowed(text) }
}

fn name(method: &HttpMethod) -> &'static str {
    match method {
        HttpMethod::Get => "GET",
        HttpMethod::Post => "POST",
        HttpMethod::Put => "PUT",
        HttpMethod::Patch => "PATCH",
        HttpMethod::Delete => "DELETE",
        HttpMethod::Options => "OPTIONS",
        HttpMethod::Head => "HEAD",
        HttpMethod::Trace => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(router: &Router, method: &str, path: &str) -> String {
        match router.route(method, path) {
            Routed::Operation { params, .. } => format!("{} {}", params.room, params.peer),
            Routed::MethodNotAllowed(allow) => format!("405 {allow}"),
            Routed::NotFound => "404".into(),
        }
    }

    #[test]
    fn a_path_is_matched_with_its_parameters_and_allow_lists_its_methods() {
        let router = Router::new();
        for (method, path, expected) in [
            ("POST", "/v1/rooms", " "),
            ("GET", "/v1/rooms", "405 POST"),
            ("HEAD", "/v1/rooms/tea", "tea "),
            ("PUT", "/v1/rooms/tea", "405 GET, PATCH, DELETE, HEAD"),
            ("POST", "/v1/rooms/te%61/peers", "tea "),
            ("DELETE", "/v1/rooms/tea/peers/x", "tea x"),
            ("POST", "/v1/rooms/tea/peers/x/leave", "tea x"),
            ("GET", "/v1/rooms/a%2Fb/peers/x/messages", "a/b x"),
            ("HEAD", "/v1/rooms/tea/peers/x/messages", "405 GET, POST"),
            ("GET", "/v1/rooms/tea/messages", "405 POST"),
            ("get", "/v1/rooms/tea", "405 GET, PATCH, DELETE, HEAD"),
            ("GET", "/healthz", " "),
            ("GET", "/v1", "404"),
            ("POST", "/v1/rooms/", "404"),
            ("POST", "/v1/rooms//messages", "404"),
            ("DELETE", "/v1/rooms/tea/peers/", "404"),
            ("GET", "/v1/rooms/tea/peers/x/messages/", "404"),
            ("GET", "/v1/rooms/tea/peers/x/y/messages", "404"),
        ] {
            assert_eq!(found(&router, method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn every_operation_is_reached_by_its_path() {
        let count: usize = routes().iter().map(|route| route.methods.len()).sum();
        let router = Router::new();
        let routes = routes();
        let reached = routes.iter().filter(|route| {
            let path = route.path.replace("{room}", "tea").replace("{peer}", "x");
            matches!(router.route(name(&route.methods[0]), &path), Routed::Operation { handler, .. }
                if std::ptr::fn_addr_eq(handler, route.handler))
        });
        assert_eq!(reached.count(), count);
    }
}
