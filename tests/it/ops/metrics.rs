//! Metrics, each after an event that must change it.

use std::{collections::HashMap, time::Duration};

use reqwest::Method;
use serde_json::json;

use crate::support::{
    harness::{Server, send},
    redis_server::RedisServer,
};

/// One scrape: each series with its value.
pub struct Figures(HashMap<String, f64>);

impl Figures {
    pub async fn of(server: &Server) -> Figures {
        // They are at most a second old.
        tokio::time::sleep(Duration::from_millis(1050)).await;
        let answer = server.get("/metrics").await;
        assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let lines = answer.text.lines().filter(|line| !line.starts_with('#'));
        let pairs = lines.map(|line| line.rsplit_once(' ').unwrap());
        Figures(pairs.map(|(series, value)| (series.into(), value.parse().unwrap())).collect())
    }

    #[track_caller]
    pub fn get(&self, series: &str) -> f64 {
        let name = format!("signalpost_{series}");
        *self.0.get(&name).unwrap_or_else(|| panic!("there is no {name}"))
    }
}

#[actix_web::test]
async fn messages_bytes_refusals_and_the_fullest_mailbox_are_counted() {
    let server = Server::start(&["--mailbox-messages", "5"]);
    let ann = server.join_room("tea", "Ann").await;
    let ben = server.join_room("tea", "Ben").await;
    let before = Figures::of(&server).await;
    assert_eq!((before.get("rooms"), before.get("peers"), before.get("parked_polls")), (1.0, 2.0, 0.0));
    assert_eq!(before.get("refusals_total{type=\"mailbox-full\"}"), 0.0);
    assert_eq!(before.get("connections"), 1.0);

    // Ann's mailbox has Ben's join, and room for four more.
    let message = r#"{"type":"data","data":"0123456789"}"#;
    let post = || {
        let request = ben.request(Method::POST, &ann.path("/messages"));
        send(request.header("content-type", "application/json").body(message))
    };
    for _ in 0..4 {
        post().await.expect(202);
    }
    post().await.refused(429, "mailbox-full");
    post().await.refused(429, "mailbox-full");
    let full = Figures::of(&server).await;
    assert_eq!(full.get("messages_accepted_total"), 4.0);
    assert_eq!(full.get("mailbox_messages_max"), 5.0);
    assert_eq!(full.get("refusals_total{type=\"mailbox-full\"}"), 2.0);
    assert_eq!(full.get("refusals_total{type=\"room-full\"}"), 0.0);
    // A message counts what is between its braces, an event 128 and its card.
    let bytes = 4 * (message.len() - 2);
    assert_eq!(full.get("accepted_bytes_total"), bytes as f64);
    assert_eq!((full.get("messages_delivered_total"), full.get("delivered_bytes_total")), (0.0, 0.0));

    assert_eq!(ann.messages(0).await.len(), 5);
    // Read again, as after a lost response: nothing is counted twice.
    assert_eq!(ann.messages(0).await.len(), 5);
    let read = Figures::of(&server).await;
    assert_eq!(read.get("messages_delivered_total"), 5.0);
    assert_eq!(read.get("delivered_bytes_total"), (bytes + 128 + "Ben".len() + "{}".len()) as f64);
    ann.messages(5).await;
    // The high-water mark does not fall.
    assert_eq!(Figures::of(&server).await.get("mailbox_messages_max"), 5.0);
}

/// `engine/contract.rs` checks the buckets under a paused clock; this checks that all are exported.
#[actix_web::test]
async fn the_histogram_counts_delivery_delays() {
    let server = Server::start(&[]);
    let ann = server.join_room("tea", "Ann").await;
    let bucket = |figures: &Figures, le: &str| figures.get(&format!("delivery_seconds_bucket{{le=\"{le}\"}}"));
    let none = Figures::of(&server).await;
    assert_eq!((none.get("delivery_seconds_count"), bucket(&none, "+Inf")), (0.0, 0.0));
    ann.say(&ann, "waits for its reader").await;
    assert_eq!(ann.messages(0).await.len(), 1);

    let polling = tokio::spawn(send(ann.polling(1, 25.0)));
    while Figures::of(&server).await.get("parked_polls") == 0.0 {
        tokio::task::yield_now().await;
    }
    ann.say(&ann, "is waited for").await;
    assert_eq!(polling.await.unwrap().messages().len(), 1);
    let both = Figures::of(&server).await;
    assert_eq!((both.get("delivery_seconds_count"), both.get("parked_polls")), (2.0, 0.0));
    // Both arrived well within a hold; the buckets add up.
    assert_eq!((bucket(&both, "30.0"), bucket(&both, "+Inf")), (2.0, 2.0));
    assert!(bucket(&both, "0.0001") <= bucket(&both, "0.05"));
    let sum = both.get("delivery_seconds_sum");
    assert!(sum > 0.0 && sum < 25.0, "{sum}");
}

/// Used to send OpenMetrics to every client, which readers of the older format reject.
#[actix_web::test]
async fn the_format_follows_accept() {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let server = Server::start(&["--metrics-listen", "127.0.0.1:0"]);
    let public = Server::start(&[]);
    let operators = format!("http://{}/metrics", server.metrics.unwrap());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for url in [&operators, &format!("{}/metrics", public.base)] {
        let ask = async |accept: &str| {
            let answer = client.get(url).header("accept", accept).send().await.unwrap();
            assert_eq!((answer.status().as_u16(), &answer.headers()["vary"]), (200, &"Accept".parse().unwrap()));
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            (kind, answer.text().await.unwrap())
        };
        let (kind, text) = ask("text/plain").await;
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(
            text.contains("# TYPE signalpost_messages_accepted_total counter\nsignalpost_messages_accepted_total 0\n")
        );
        assert!(!text.contains("# EOF") && !text.contains("# UNIT"), "{text}");
        let (kind, open) = ask("application/openmetrics-text;version=1.0.0,text/plain;q=0.5").await;
        assert_eq!(kind, OPEN_METRICS);
        assert!(open.contains("# TYPE signalpost_messages_accepted counter\nsignalpost_messages_accepted_total 0\n"));
        assert!(open.ends_with("# EOF\n"), "{open}");
        // The series are the same in both.
        let series = |text: &str| -> Vec<String> {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
        };
        assert_eq!(series(&text), series(&open));
    }
}

#[actix_web::test]
async fn only_peers_that_did_not_leave_count_as_expired() {
    let server = Server::start(&["--leave-grace-ms", "100"]);
    let [ann, ben] = [server.join_room("tea", "Ann").await, server.join_room("tea", "Ben").await];
    ann.leave().await.expect(204);
    ben.goodbye().await.expect(204);
    assert_eq!(expired_when_nobody_is_left(&server).await, 0.0);

    // Cleo sends nothing more.
    let server = Server::start(&["--lease-ms", "500"]);
    server.join_room("tea", "Cleo").await;
    assert_eq!(expired_when_nobody_is_left(&server).await, 1.0);
}

async fn expired_when_nobody_is_left(server: &Server) -> f64 {
    loop {
        let now = Figures::of(server).await;
        if now.get("peers") == 0.0 {
            assert_eq!(now.get("rooms"), 0.0);
            return now.get("leases_expired_total");
        }
    }
}

#[actix_web::test]
async fn every_problem_has_a_series_and_every_metric_is_documented() {
    let server = Server::start(&[]);
    let text = server.get("/metrics").await.text;
    for code in signalpost::api::problem::Code::ALL {
        assert!(text.contains(&format!("{{type=\"{}\"}} 0\n", code.row().slug)), "{code:?}");
    }
    let manual = include_str!("../../../docs/operating.md");
    let families = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut named = 0;
    for family in families {
        let (name, _) = family.split_once(' ').unwrap();
        assert!(manual.contains(&format!("| `{name}")), "{name} is not in docs/operating.md");
        named += 1;
    }
    let listed = manual.lines().filter(|line| line.starts_with("| `signalpost_")).count();
    assert_eq!((named, listed), (22, 22));
    assert_eq!(server.post("/v1/rooms", json!({"room": "a b"})).await.status, 422);
    assert!(server.get("/metrics").await.text.contains("{type=\"room-name-invalid\"} 1\n"));
}

#[actix_web::test]
async fn a_public_address_serves_metrics_only_if_told_to() {
    let public = ["--listen", "0.0.0.0:0"];
    for (flags, status) in [
        (&[][..], 404),
        (&["--metrics-public"], 200),
        (&["--metrics-public=false"], 404),
        (&["--metrics-public", "--metrics-listen", "127.0.0.1:0"], 404),
    ] {
        let server = Server::start(&[&public, flags].concat());
        let answer = reqwest::get(format!("http://127.0.0.1:{}/metrics", server.port)).await.unwrap();
        assert_eq!(answer.status(), status, "{flags:?}");
        if status == 404 {
            let problem: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(problem["detail"].as_str().unwrap().contains("--metrics-listen"), "{problem}");
        }
    }
}

/// Each request ran a script for each of 256 buckets: forty connections that asked stopped the service.
#[actix_web::test]
async fn figures_are_read_once_however_many_ask() {
    let redis = RedisServer::start(&["--save", ""]);
    let flags = ["--engine", &redis.url(), "--token-key", "the same on every node", "--metrics-listen", "127.0.0.1:0"];
    let server = Server::start(&flags);
    let here = Server::start(&[&flags[..4], &[]].concat());
    here.join_room("tea", "Ann").await;
    let scripts = || redis.calls("evalsha") + redis.calls("eval") + redis.calls("fcall");
    let before = scripts();
    for url in [format!("http://{}/metrics", server.metrics.unwrap()), format!("{}/metrics", here.base)] {
        let clients = (0..10).map(async |_| {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            for _ in 0..40 {
                let figures = client.get(&url).send().await.unwrap().text().await.unwrap();
                assert!(figures.contains("signalpost_rooms 1\n"), "{figures}");
            }
        });
        futures_util::future::join_all(clients).await;
    }
    // 800 requests; the sweeps of two nodes run some, too.
    let during = scripts() - before;
    assert!(during < 800 * 256 / 4, "{during} scripts");
}
