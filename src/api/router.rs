//! The one list of routes: what requests are dispatched by, what `Allow` says, and what the OpenAPI document describes.

use std::borrow::Cow;

use pastey::paste;
use percent_encoding::percent_decode_str;
use utoipa::{OpenApi, Path, openapi::path::HttpMethod};

use crate::api::{
    handlers::{health, ice_servers, leave_beacon, messages, peers, polls, rooms, websocket_probe},
    operation::{Call, Operation, PathParams, ResponseFuture},
    problem::Problem,
};

macro_rules! operations {
    ($($module:ident::$function:ident),* $(,)?) => {
        /// The paths of the document.
        #[derive(OpenApi)]
        #[openapi(paths($($module::$function),*))]
        pub struct Operations;

        fn routes() -> Vec<Route> {
            paste! {
                vec![$(Route {
                    methods: <$module::[<__path_ $function>] as Path>::methods(),
                    path: <$module::[<__path_ $function>] as Path>::path(),
                    answer: |call| $module::$function.answer(call),
                }),*]
            }
        }
    };
}

operations![
    rooms::create,
    rooms::show,
    rooms::change,
    rooms::close,
    peers::join,
    peers::roster,
    peers::leave,
    leave_beacon::goodbye,
    messages::post_one,
    messages::post_batch,
    polls::poll,
    ice_servers::ice_servers,
    websocket_probe::upgrade,
    health::healthz,
    health::readyz,
    health::metrics,
];

type Answer = fn(&Call<'_>) -> Result<ResponseFuture, Problem>;

struct Route {
    methods: Vec<HttpMethod>,
    path: String,
    answer: Answer,
}

/// Finds the operation for a request.
///
/// Paths are compared segment by segment with those of their length, which are a handful: a tree of all of them (`matchit`)
/// took as long as a third of reading the request.
pub struct Router {
    /// By the number of segments.
    paths: [Vec<(Vec<Segment>, Methods)>; SEGMENTS_MAX + 1],
}

/// Between two slashes.
#[derive(Debug, PartialEq)]
enum Segment {
    Literal(String),
    Room,
    Peer,
}

/// Segments of the longest path.
const SEGMENTS_MAX: usize = 6;

/// The operations at one path.
struct Methods {
    operations: Vec<(&'static str, Answer)>,
    /// The value of `Allow` (RFC 9110 section 10.2.1).
    allow: String,
    has_head: bool,
}

/// Where a request goes.
pub enum Routed<'a> {
    Operation {
        answer: Answer,
        params: PathParams<'a>,
    },
    /// The path has other methods.
    MethodNotAllowed(&'a str),
    /// The API has no such path.
    NotFound,
}

impl Router {
    /// Of all operations.
    pub fn new() -> Self {
        let mut paths: Vec<(String, Methods)> = Vec::new();
        for Route { methods, path, answer } in routes() {
            let at = paths.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
                // A mailbox is not asked by HEAD: a poll acknowledges, and waits.
                let has_head = !path.ends_with("/messages");
                paths.push((path, Methods { operations: Vec::new(), allow: String::new(), has_head }));
                paths.len() - 1
            });
            paths[at].1.operations.extend(methods.iter().map(|method| (name(method), answer)));
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
            Some((_, answer)) => Routed::Operation { answer: *answer, params },
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
    fn paths_are_found_with_what_stands_in_them_and_methods_are_told() {
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
    fn every_operation_has_a_path_of_its_own() {
        let count: usize = routes().iter().map(|route| route.methods.len()).sum();
        let router = Router::new();
        let routes = routes();
        let reached = routes.iter().filter(|route| {
            let path = route.path.replace("{room}", "tea").replace("{peer}", "x");
            matches!(router.route(name(&route.methods[0]), &path), Routed::Operation { answer, .. }
                if std::ptr::fn_addr_eq(answer, route.answer))
        });
        assert_eq!(reached.count(), count);
    }
}
