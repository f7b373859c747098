//! When no node can answer.

use crate::deployment::{Deployment, Keeping};

/// Once clients were told nothing, and waited longer each time, up to eight seconds.
#[tokio::test]
async fn haproxy_sends_retry_after_without_nodes() {
    let mut deployment = Deployment::start(Keeping::Memory).await;
    deployment.nodes[0].program.kill().await;
    let url = format!("http://127.0.0.1:{}/readyz", deployment.port);
    // HAProxy may still have a connection to the node, whose end it passes on instead of answering. The next is its own answer.
    let answer = match reqwest::get(&url).await {
        Ok(answer) => answer,
        Err(_) => reqwest::get(&url).await.unwrap(),
    };
    assert_eq!(answer.status(), 503);
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(retry_after.as_deref(), Some("1"), "{}", answer.text().await.unwrap());
}
