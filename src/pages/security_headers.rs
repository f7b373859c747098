//! Header fields that limit what pages may do, and what others may do with them. All responses of the pages have them, errors
//! included.

use actix_web::{
    http::header::{self, HeaderName},
    middleware::DefaultHeaders,
};

/// Nothing from other origins, nothing inline, nothing framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What calls need, for this origin only, and nothing else. The clipboard keeps its default, which is this origin.
const PERMISSIONS_POLICY: &str = "camera=(self), microphone=(self), display-capture=(self), autoplay=(self), \
    fullscreen=(self), picture-in-picture=(self), accelerometer=(), encrypted-media=(), gamepad=(), \
    geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), midi=(), payment=(), \
    publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(self), serial=(), storage-access=(), \
    usb=(), window-management=(), xr-spatial-tracking=()";

/// One year. Subdomains are left to their owners.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    // A site that opens the page gets no window to steer.
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
];

/// Adds them to each response. Browsers ignore `Strict-Transport-Security` without TLS (RFC 6797 section 8.1).
pub fn security_headers(is_tls: bool) -> DefaultHeaders {
    let headers = HEADERS.into_iter().fold(DefaultHeaders::new(), |headers, header| headers.add(header));
    if is_tls { headers.add((header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY)) } else { headers }
}
