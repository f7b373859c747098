//! The path under which a proxy shows this server beside others.

use std::{str::FromStr, sync::Arc};

use actix_http::Request;
use actix_web::http::{Uri, uri::PathAndQuery};

use crate::api::place::is_unreserved;

/// `--base-path`, as in `/signal`; empty where the server has the whole host. What comes under it is read as if it came without,
/// and the rest as it stands, because many proxies take the path away, and health checks come without one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(Option<Arc<str>>);

impl BasePath {
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path below it.
    pub fn strip<'a>(&self, path: &'a str) -> &'a str {
        self.below(path).unwrap_or(path)
    }

    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_deref()?).filter(|rest| rest.starts_with('/'))
    }

    /// Takes it off the target of a request.
    pub fn strip_request(&self, request: &mut Request) {
        let Some(target) = request.uri().path_and_query() else { return };
        if self.below(target.path()).is_none() {
            return;
        }
        let rest = target.as_str().get(self.as_str().len()..).map(PathAndQuery::from_str);
        let mut parts = request.uri().clone().into_parts();
        if let Some(Ok(rest)) = rest {
            parts.path_and_query = Some(rest);
            if let Ok(uri) = Uri::from_parts(parts) {
                request.head_mut().uri = uri;
            }
        }
    }

    /// Where to look instead, if the request is for the path itself: relative addresses in the page need the slash at its end.
    /// This one is relative, too, whatever another proxy puts before it.
    pub fn with_slash(&self, uri: &Uri) -> Option<String> {
        let path = uri.path();
        (self.0.is_some() && path == self.as_str()).then(|| {
            let name = path.rsplit('/').next().unwrap_or_default();
            uri.query().map_or_else(|| format!("{name}/"), |query| format!("{name}/?{query}"))
        })
    }
}

impl FromStr for BasePath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = text.trim().trim_matches('/');
        if names.is_empty() {
            return Ok(Self(None));
        }
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && name.bytes().all(is_unreserved);
        if names.split('/').all(is_name) {
            Ok(Self(Some(format!("/{names}").into())))
        } else {
            Err("it must be a path of names of A-Z a-z 0-9 - . _ ~, as in /signal".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_has_a_slash_before_and_none_behind() {
        for (written, meant) in [
            ("", ""),
            ("/", ""),
            ("/signal", "/signal"),
            ("signal", "/signal"),
            ("/signal/", "/signal"),
            (" //apps/signal-1// ", "/apps/signal-1"),
        ] {
            assert_eq!(written.parse::<BasePath>().unwrap().as_str(), meant, "{written}");
        }
        for wrong in
            ["/a//b", "/..", "/a/../b", "/a/.", "/a?b", "/a#b", "/a b", "/é", "/a%20b", "https://h/signal", "/{a}"]
        {
            assert!(wrong.parse::<BasePath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_whole_names_are_taken_off() {
        let base: BasePath = "/signal".parse().unwrap();
        for (path, below) in [
            ("/signal/v1/rooms", "/v1/rooms"),
            ("/signal/", "/"),
            ("/signal/signal/", "/signal/"),
            ("/signal", "/signal"),
            ("/signals/v1", "/signals/v1"),
            ("/v1/rooms", "/v1/rooms"),
        ] {
            assert_eq!(base.strip(path), below);
        }
        assert_eq!(BasePath::default().strip("/v1/rooms"), "/v1/rooms");
    }

    #[test]
    fn the_rest_of_a_target_stays() {
        let base: BasePath = "/signal".parse().unwrap();
        for (target, rest) in [
            ("/signal/v1/rooms/te%61?wait=0&after=%31", "/v1/rooms/te%61?wait=0&after=%31"),
            ("https://h.example/signal/?room=tea", "https://h.example/?room=tea"),
            ("/?room=tea", "/?room=tea"),
        ] {
            let mut request = Request::new();
            request.head_mut().uri = target.parse().unwrap();
            base.strip_request(&mut request);
            assert_eq!(request.uri().to_string(), rest);
        }
        assert_eq!(base.with_slash(&"/signal?room=tea".parse().unwrap()).as_deref(), Some("signal/?room=tea"));
        assert_eq!(base.with_slash(&"/signal/".parse().unwrap()), None);
        assert_eq!(BasePath::default().with_slash(&"/".parse().unwrap()), None);
    }
}
