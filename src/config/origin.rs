//! Web origins, serialized as browsers do (RFC 6454 section 6.2, and the URL standard).

use url::Url;

/// The value of `--cors-origin`: an origin as browsers send it, or `*`. Origins are compared byte by byte, so values that could
/// never match are refused here, with a correction.
pub fn origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    match text {
        "*" => return Ok(text.to_owned()),
        "" => return Err("it is empty; write https://app.example.org".into()),
        // Any sandboxed frame, file or redirect has it, so allowing it allows everybody.
        "null" => {
            return Err(
                "`null` is the origin of every file and sandbox; serve the page over https://, or write *".into()
            );
        }
        _ => {}
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        let host = text.trim_start_matches('/');
        return Err(format!("an origin begins with a scheme; write https://{host}"));
    };
    if rest.contains('*') {
        return Err("wildcards within an origin are not supported; name each origin, or write * for any".into());
    }
    match scheme.to_ascii_lowercase().as_str() {
        "file" => return Err("pages from files have no origin; serve the page over http://, or write *".into()),
        "ws" => return Err(format!("origins are those of pages, not of WebSockets; write http://{rest}")),
        "wss" => return Err(format!("origins are those of pages, not of WebSockets; write https://{rest}")),
        _ => {}
    }
    if text.contains(|c: char| c.is_whitespace() || c == '\\') || rest.starts_with('/') {
        return Err("it must look like https://app.example.org".into());
    }
    let url = Url::parse(text).map_err(|error| format!("{error}; it must look like https://app.example.org"))?;
    let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
        return Err("it has no host; it must look like https://app.example.org".into());
    };
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    // The parser leaves the host as it is where the scheme is not special (apps use capacitor://localhost).
    let origin = format!("{}://{}{port}", url.scheme(), host.to_ascii_lowercase());
    let has_user = !url.username().is_empty() || url.password().is_some();
    if has_user || !matches!(url.path(), "" | "/") || text.contains(['?', '#']) {
        return Err(format!("an origin is a scheme, a host and optionally a port; write {origin}"));
    }
    Ok(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_serialized_as_browsers_do() {
        for (written, sent) in [
            ("*", "*"),
            ("https://app.example.org", "https://app.example.org"),
            ("https://app.example.org/", "https://app.example.org"),
            (" https://app.example.org ", "https://app.example.org"),
            ("HTTPS://App.Example.ORG", "https://app.example.org"),
            ("https://app.example.org:443", "https://app.example.org"),
            ("http://app.example.org:80/", "http://app.example.org"),
            ("http://app.example.org:443", "http://app.example.org:443"),
            ("https://app.example.org:08443", "https://app.example.org:8443"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
            ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
            ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://127.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]"),
            ("capacitor://localhost", "capacitor://localhost"),
            ("Chrome-Extension://abcdefghijklmnop/", "chrome-extension://abcdefghijklmnop"),
        ] {
            assert_eq!(origin(written).as_deref(), Ok(sent), "{written}");
        }
    }

    #[test]
    fn an_origin_that_no_browser_sends_is_refused_with_a_correction() {
        for (written, says) in [
            ("", "https://app.example.org"),
            ("null", "null"),
            ("file://", "files"),
            ("file:///home/ann/app.html", "files"),
            ("app.example.org", "write https://app.example.org"),
            ("//app.example.org", "write https://app.example.org"),
            ("localhost:3000", "write https://localhost:3000"),
            ("https://*.example.org", "wildcards"),
            ("https://*", "wildcards"),
            ("*.example.org", "scheme"),
            ("https://app.example.org/app", "write https://app.example.org"),
            ("https://app.example.org/?", "write https://app.example.org"),
            ("https://app.example.org#top", "write https://app.example.org"),
            ("https://ann:secret@app.example.org", "write https://app.example.org"),
            ("https://app.example.org:x", "port"),
            ("https://app.example.org:99999", "port"),
            ("https://", "must look like"),
            ("https:///app.example.org", "must look like"),
            ("https://app example.org", "must look like"),
            ("https://a.example https://b.example", "must look like"),
            ("wss://app.example.org", "write https://app.example.org"),
            ("://app.example.org", "must look like"),
            ("data://", "no host"),
            ("nonsense", "scheme"),
        ] {
            let error = origin(written).unwrap_err();
            assert!(error.contains(says) && !error.contains("secret"), "{written}: {error}");
        }
    }
}
