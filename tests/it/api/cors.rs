//! Pages on other origins.

use reqwest::Method;

use crate::support::harness::{Answer, Server, send};

const ORIGIN: &str = "https://app.example.org";

async fn preflight(server: &Server, origin: &str, fields: &str) -> Answer {
    let request = server.request(Method::OPTIONS, "/v1/rooms/tea/peers").header("origin", origin);
    let request = request.header("access-control-request-method", "POST");
    send(request.header("access-control-request-headers", fields)).await
}

/// Such origins used to be accepted and never matched.
#[actix_web::test]
async fn a_configured_origin_matches_its_serialized_form() {
    for written in [
        "https://app.example.org/",
        "HTTPS://App.Example.org",
        "https://app.example.org:443",
        " https://app.example.org ",
    ] {
        let server = Server::start(&["--cors-origin", written]);
        let allowed = preflight(&server, ORIGIN, "content-type").await;
        assert_eq!(allowed.headers["access-control-allow-origin"], ORIGIN, "{written}");
        let joined = send(server.request(Method::POST, "/v1/rooms/tea/peers").header("origin", ORIGIN)).await;
        assert_eq!((joined.status, &joined.headers["access-control-allow-origin"]), (201, &ORIGIN.parse().unwrap()));
        assert_eq!(joined.headers["access-control-expose-headers"], "accept-patch, etag, link, location, retry-after");
        for other in [
            "http://app.example.org",
            "https://app.example.org:8443",
            "https://example.org",
            "null",
            "https://app.example.org.evil.example",
        ] {
            let refused = preflight(&server, other, "content-type").await;
            assert_eq!(refused.headers.get("access-control-allow-origin"), None, "{other}");
        }
    }
    let server = Server::start(&["--cors-origin", "https://bücher.example,http://[0:0::1]:3000/"]);
    for origin in ["https://xn--bcher-kva.example", "http://[::1]:3000"] {
        assert_eq!(preflight(&server, origin, "content-type").await.headers["access-control-allow-origin"], origin);
    }
}

/// Libraries that add headers to a page's requests (OpenTelemetry, Sentry, Datadog, …) used to break its calls.
#[actix_web::test]
async fn preflights_allow_unknown_request_headers() {
    let fields = [
        "authorization",
        "content-type",
        "idempotency-key",
        "last-event-id",
        "traceparent",
        "tracestate",
        "baggage",
        "sentry-trace",
        "b3",
        "x-b3-traceid,x-b3-spanid,x-b3-sampled",
        "x-datadog-trace-id,x-datadog-parent-id,x-datadog-origin,x-datadog-sampling-priority",
        "x-cloud-trace-context",
        "x-amzn-trace-id",
        "newrelic",
        "elastic-apm-traceparent",
        "uber-trace-id",
        "request-id,request-context",
        "x-request-id",
        "x-correlation-id",
        "x-requested-with",
        "cache-control,pragma",
        "x-somebodys-own",
    ];
    for (origins, origin) in [(ORIGIN, ORIGIN), ("*", "*")] {
        let server = Server::start(&["--cors-origin", origins]);
        for asked in fields.iter().copied().chain([fields.join(",").as_str()]) {
            let answer = preflight(&server, ORIGIN, asked).await;
            assert_eq!(answer.status, 200, "{asked}: {answer:?}");
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            let allowed = answer.headers["access-control-allow-headers"].to_str().unwrap().replace(' ', "");
            let mut allowed: Vec<&str> = allowed.split(',').collect();
            let mut asked: Vec<&str> = asked.split(',').collect();
            allowed.sort_unstable();
            asked.sort_unstable();
            assert_eq!(allowed, asked);
            assert_eq!(answer.headers["access-control-max-age"], "7200");
        }
        // A preflight without requested headers.
        let bare = server.request(Method::OPTIONS, "/v1/rooms/tea").header("origin", ORIGIN);
        let bare = send(bare.header("access-control-request-method", "GET")).await;
        assert_eq!((bare.status, &bare.headers["access-control-allow-origin"]), (200, &origin.parse().unwrap()));
    }
}
