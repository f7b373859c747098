//! Which methods a path knows, read off the document, for 405 answers (RFC 9110 section 15.5.6).

use utoipa::openapi::OpenApi;

#[derive(Debug)]
pub struct Methods(Vec<(Vec<String>, String)>);

/// What the document does not describe can only be read.
const PAGES: &[&str] = &[
    "/",
    "/network-test",
    "/app/{file}",
    "/client/{file}",
    "/problems/{slug}",
    "/openapi.json",
    "/swagger-ui/",
    "/swagger-ui/{file}",
];

impl Methods {
    pub fn of_document(document: &OpenApi) -> Self {
        let described = document.paths.paths.iter().map(|(path, item)| {
            let known = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let names: Vec<&str> = known.iter().filter(|(_, there)| there.is_some()).map(|(name, _)| *name).collect();
            let head = if item.get.is_some() && has_head(path) { ", HEAD" } else { "" };
            (segments(path), names.join(", ") + head)
        });
        let pages = PAGES.iter().map(|path| (segments(path), "GET, HEAD".to_owned()));
        Self(described.chain(pages).collect())
    }

    /// The value of `Allow` for a path, or `None` if there is no such path.
    pub fn of(&self, path: &str) -> Option<&str> {
        let asked = segments(path);
        let matches = |known: &[String]| {
            known.len() == asked.len()
                && known
                    .iter()
                    .zip(&asked)
                    .all(|(known, asked)| known == asked || (known.starts_with('{') && !asked.is_empty()))
        };
        self.0.iter().find(|(known, _)| matches(known)).map(|(_, methods)| methods.as_str())
    }
}

/// A mailbox is not asked by HEAD: a poll acknowledges, and waits.
pub fn has_head(path: &str) -> bool {
    !path.ends_with("/messages")
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_of_the_document() {
        let methods = Methods::of_document(&crate::api::schema::openapi::document());
        assert_eq!(methods.of("/v1/rooms"), Some("POST"));
        assert_eq!(methods.of("/v1/rooms/tea"), Some("GET, PATCH, DELETE, HEAD"));
        assert_eq!(methods.of("/v1/rooms/tea/peers/x/messages"), Some("GET, POST"));
        assert_eq!(methods.of("/"), Some("GET, HEAD"));
        assert_eq!(methods.of("/v1"), None);
        assert_eq!(methods.of("/v1/rooms/"), None);
    }
}
