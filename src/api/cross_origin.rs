//! Refuses what pages of other sites make browsers send.
//!
//! CORS keeps other sites from reading responses, not from sending requests: forms, images and `fetch` with `mode: 'no-cors'` arrive
//! without being asked for, and would take seats, and count against the limits of the person who opened the page. Browsers say where a
//! request comes from, in `Sec-Fetch-Site` (W3C Fetch Metadata) and in `Origin`, and pages cannot change either. Programs send
//! neither.

use crate::{
    api::{Code, Problem, cors::Cors},
    transport::{Request, client_address::TrustedProxies, headers::Headers, known_header::KnownHeader},
};

/// Changes nothing and is not counted.
const HARMLESS: &str = "/healthz";
/// A beacon is sent without asking. The token in its body is what authorizes it.
const BEACON: &str = "/leave";

/// Whether an operation may be called from the page that sent the request.
pub fn check(request: &Request, path: &str, cors: &Cors, proxies: &TrustedProxies) -> Result<(), Problem> {
    let headers = request.headers();
    let (origin, site) = (headers.get(KnownHeader::Origin), headers.get(KnownHeader::SecFetchSite));
    if (origin.is_none() && site.is_none()) || path == HARMLESS {
        return Ok(());
    }
    let is_listed = || {
        // Two values are nobody's.
        let is_single = request.is_in_place() || headers.get_all("origin").len() < 2;
        origin.is_some_and(|origin| is_single && allows(cors, origin, headers, path))
    };
    let permitted = match site {
        // A proxy may have replaced the name in `Host`; the browser knows which one it used.
        Some(b"same-origin") => true,
        // No page, or a browser that does not say (or says so only to https:// and localhost).
        None | Some(b"none") => origin.is_none_or(|origin| is_own(origin, request, proxies)) || is_listed(),
        // Another site, or another origin of the same one, such as another port.
        Some(_) => is_listed(),
    };
    if permitted {
        return Ok(());
    }
    Err(Problem::new(
        Code::CrossOriginRefused,
        "A page on another origin made the browser send this request. Its origin can be allowed with `--cors-origin`. If it is \
         the server's own page behind a proxy, have the proxy pass on `Host`, or name it with `--trusted-proxy`.",
    ))
}

/// Whether CORS allows the origin. Any origin (`*`) may use the server as far as browsers ask it first: that excludes forms, which
/// nobody has listed.
fn allows(cors: &Cors, origin: &[u8], headers: Headers<'_>, path: &str) -> bool {
    let is_unasked = || matches!(headers.get(KnownHeader::SecFetchMode), Some(b"no-cors" | b"navigate"));
    cors.allows(origin) && (!cors.allows_any() || path.ends_with(BEACON) || !is_unasked())
}

/// Whether the origin has the name by which the browser reached the server. Schemes are not compared: a proxy may have terminated TLS.
fn is_own(origin: &[u8], request: &Request, proxies: &TrustedProxies) -> bool {
    let origin = std::str::from_utf8(origin).ok();
    let Some((scheme, name)) = origin.and_then(|origin| origin.split_once("://")) else { return false };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let is_name = |host: &str| host.strip_suffix(default_port).unwrap_or(host).eq_ignore_ascii_case(name);
    let headers = request.headers();
    if headers.text(KnownHeader::Host).is_some_and(is_name)
        || request.authority().is_some_and(|authority| is_name(authority.as_str()))
    {
        return true;
    }
    proxies.hosts(request.peer().ip(), headers).into_iter().any(is_name)
}
