//! No node is available.

use crate::deployment::{Deployment, Keeping};

/// Without `Retry-After` clients back off, up to eight seconds.
#[tokio::test]
async fn haproxy_sends_retry_after_without_nodes() {
    let mut deployment = Deployment::start(Keeping::Memory).await;
    deployment.nodes[0].program.kill().await;
    let url = format!("http://127.0.0.1:{}/readyz", deployment.port);
    // HAProxy may pass on the end of its connection to the killed node. The next response is its own.
    let answer = match reqwest::get(&url).await {
        Ok(answer) => answer,
        Err(_) => reqwest::get(&url).await.unwrap(),
    };
    assert_eq!(answer.status(), 503);
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(retry_after.as_deref(), Some("1"), "{}", answer.text().await.unwrap());
}
