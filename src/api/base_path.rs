//! The path prefix under which a reverse proxy exposes this server.

use std::{str::FromStr, sync::Arc};

use crate::transport::http1::head::is_unreserved;

/// `--base-path`, such as `/signal`; empty if the server has the host to itself. The prefix is optional in requests: many
/// proxies strip it, and health checks are sent without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(Option<Arc<str>>);

impl BasePath {
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }

    /// The path without the prefix.
    pub fn strip<'a>(&self, path: &'a str) -> &'a str {
        self.below(path).unwrap_or(path)
    }

    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(self.0.as_deref()?).filter(|rest| rest.starts_with('/'))
    }

    /// The redirect target if the path is the prefix itself: relative URLs in the page need its trailing slash. The target is
    /// relative, too, so it holds whatever prefix another proxy adds.
    pub fn trailing_slash_redirect(&self, path: &str, query: &str) -> Option<String> {
        (self.0.is_some() && path == self.as_str()).then(|| {
            let name = path.rsplit('/').next().unwrap_or_default();
            if query.is_empty() { format!("{name}/") } else { format!("{name}/?{query}") }
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
            Err("it must be a path such as /signal, with segments of A-Z a-z 0-9 - . _ ~".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_normalised_to_one_leading_and_no_trailing_slash() {
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
        for wrong in "/a//b,/..,/a/../b,/a/.,/a?b,/a#b,/a b,/é,/a%20b,https://h/signal,/{a}".split(',') {
            assert!(wrong.parse::<BasePath>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_whole_segments_are_stripped() {
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
    fn the_prefix_itself_is_redirected_to_its_trailing_slash() {
        let base: BasePath = "/signal".parse().unwrap();
        assert_eq!(base.trailing_slash_redirect("/signal", "room=tea").as_deref(), Some("signal/?room=tea"));
        assert_eq!(base.trailing_slash_redirect("/signal", "").as_deref(), Some("signal/"));
        assert_eq!(base.trailing_slash_redirect("/signal/", ""), None);
        assert_eq!(BasePath::default().trailing_slash_redirect("/", ""), None);
    }
}
