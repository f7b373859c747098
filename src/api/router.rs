//! The one list of operations, which gives dispatch, `Allow` and the OpenAPI document.

use pastey::paste;
use utoipa::{OpenApi, Path, openapi::path::HttpMethod};

use crate::api::{
    Code, Problem,
    handlers::{health, ice_servers, leave_beacon, messages, peers, polls, rooms, sessions, websocket_probe, whip},
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
                    problems: [$module::$function.problems(), vec![$(Code::$problem),*], ANY_OPERATION.to_vec()].concat(),
                    handler: |call| $module::$function.call(call),
                }),*]
            }
        }
    };
}

// Each with the problems that it may cause besides those of its arguments. Paths are tried in this order, so the most
// frequent ones come first.
operations![
    messages::post_one: [Kicked, RoomClosed, PeerGone, MailboxFull, Draining, EngineUnavailable],
    polls::poll: [Kicked, CursorAhead, PollSuperseded, RoomClosed, PeerGone, CursorGone, Draining, EngineUnavailable],
    messages::post_batch: [Kicked, PeerUnknown, CursorAhead, PollSuperseded, RoomClosed, PeerGone, CursorGone, MailboxFull, Draining,
        EngineUnavailable],
    peers::join: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, TicketAudience,
        SecretMissing, SecretWrong, SecretUnexpected, RoomLocked, Kicked, TicketOtherRoom, TicketCannotCreate, RoomFull, RoomClosed, MailboxFull, TooManyFailures, RoomsExhausted,
        Draining, EngineUnavailable],
    peers::roster: [Kicked, PeerGone, EngineUnavailable],
    peers::leave: [Kicked, RoomUnknown, PeerGone, EngineUnavailable],
    leave_beacon::goodbye: [],
    rooms::create: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, TicketAudience,
        TicketOtherRoom, TicketCannotCreate, RoomExists, RoomClosed, RoomNameInvalid, TooManyFailures, RoomsExhausted, Draining,
        EngineUnavailable],
    rooms::show: [RoomUnknown, TooManyFailures, EngineUnavailable],
    rooms::change: [RoomUnknown, EngineUnavailable],
    rooms::close: [RoomUnknown, EngineUnavailable],
    whip::publish: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, TicketAudience,
        SecretMissing, SecretWrong, SecretUnexpected, RoomLocked, Kicked, TicketOtherRoom, RoomFull, PollSuperseded, RoomClosed, PeerGone,
        SdpMalformed, MediaRefused, MailboxFull, TooManyFailures, NobodyAnswered, Draining, EngineUnavailable],
    whip::play: [TicketMissing, TicketMalformed, TicketAlgorithm, TicketSignature, TicketExpired, TicketAudience,
        SecretMissing, SecretWrong, SecretUnexpected, RoomLocked, Kicked, TicketOtherRoom, RoomFull, NobodySends, PollSuperseded, RoomClosed,
        PeerGone, SdpMalformed, MailboxFull, TooManyFailures, Draining, EngineUnavailable],
    whip::show_whip: [],
    whip::show_whep: [],
    whip::whip_options: [],
    whip::whep_options: [],
    sessions::trickle: [SdpMalformed, NobodySends, PreconditionFailed, PreconditionMissing, MediaRefused, MailboxFull, NobodyAnswered, Draining,
        EngineUnavailable, Invalid],
    sessions::stop: [EngineUnavailable],
    sessions::show_session: [EngineUnavailable],
    sessions::session_options: [],
    ice_servers::ice_servers: [Kicked, PeerGone, EngineUnavailable],
    websocket_probe::upgrade: [],
    health::healthz: [],
    health::readyz: [Draining, EngineUnavailable],
    health::metrics: [NotFound],
];

/// What `Dispatch` refuses before it calls an operation.
const ANY_OPERATION: [Code; 2] = [Code::CrossOriginRefused, Code::HostRefused];

type Handler = fn(&Call<'_>) -> Result<ResponseFuture, Problem>;

pub struct Route {
    pub methods: Vec<HttpMethod>,
    pub path: String,
    pub problems: Vec<Code>,
    handler: Handler,
}

/// Finds the operation for a request.
///
/// The few paths are tried one after the other: a radix tree (`matchit`) took a third of the time that reading the request
/// takes.
pub struct Router {
    paths: Vec<(Vec<Part>, Methods)>,
}

/// A part of a path.
#[derive(Debug, PartialEq)]
enum Part {
    /// Includes the slashes around it.
    Literal(String),
    Room,
    Peer,
    Session,
}

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
    pub fn from_operations() -> Self {
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
        let parts = |path: &str| path.split_inclusive(['{', '}']).filter_map(Part::of).collect();
        Self { paths: paths.into_iter().map(|(path, methods)| (parts(&path), methods.finished())).collect() }
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
        self.paths.iter().find_map(|(parts, methods)| Some((methods, params(parts, path)?)))
    }
}

impl Part {
    /// Parses a piece of a documented path, split after each brace.
    fn of(text: &str) -> Option<Self> {
        match text.trim_end_matches(['{', '}']) {
            "" => None,
            "room" => Some(Self::Room),
            "peer" => Some(Self::Peer),
            "session" => Some(Self::Session),
            literal => Some(Self::Literal(literal.to_owned())),
        }
    }
}

/// The parameters, if the path has these parts.
fn params<'a>(parts: &[Part], path: &'a str) -> Option<PathParams<'a>> {
    let (mut room, mut peer, mut session, mut rest) = ("", "", "", path);
    for part in parts {
        let value = match part {
            Part::Literal(text) => {
                rest = rest.strip_prefix(text.as_str())?;
                continue;
            }
            Part::Room => &mut room,
            Part::Peer => &mut peer,
            Part::Session => &mut session,
        };
        (*value, rest) = rest.split_at(memchr::memchr(b'/', rest.as_bytes()).unwrap_or(rest.len()));
        if value.is_empty() {
            return None;
        }
    }
    rest.is_empty().then_some(PathParams { room, peer, session })
}

impl Methods {
    fn finished(mut self) -> Self {
        const ORDER: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        self.operations.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        let mut allow: Vec<&str> = self.operations.iter().map(|(name, _)| *name).collect();
        self.has_head &= allow.contains(&"GET");
        if self.has_head {
            allow.push("HEAD");
        }
        self.allow = allow.join(", ");
        self
    }
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
        let router = Router::from_operations();
        for (method, path, expected) in [
            ("POST", "/v1/rooms", " "),
            ("GET", "/v1/rooms", "405 POST"),
            ("HEAD", "/v1/rooms/tea", "tea "),
            ("PUT", "/v1/rooms/tea", "405 GET, PATCH, DELETE, HEAD"),
            ("POST", "/v1/rooms/te%61/peers", "te%61 "),
            ("DELETE", "/v1/rooms/tea/peers/x", "tea x"),
            ("POST", "/v1/rooms/tea/peers/x/leave", "tea x"),
            ("GET", "/v1/rooms/a%2Fb/peers/x/messages", "a%2Fb x"),
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
        let router = Router::from_operations();
        let routes = routes();
        let reached = routes.iter().filter(|route| {
            let path =
                ["{room}", "{peer}", "{session}"].iter().fold(route.path.clone(), |path, name| path.replace(name, "x"));
            matches!(router.route(name(&route.methods[0]), &path), Routed::Operation { handler, .. }
                if std::ptr::fn_addr_eq(handler, route.handler))
        });
        assert_eq!(reached.count(), count);
    }
}
