//! When no node can answer.

use crate::deployment::{Deployment, Keeping};

/// Once clients were told nothing, and waited longer each time, up to eight seconds.
#[tokio::test]
async fn haproxy_says_when_to_ask_again() {
    let mut deployment = Deployment::start(Keeping::Memory).await;
    deployment.nodes[0].program.kill().await;
    let answer = reqwest::get(format!("http://127.0.0.1:{}/readyz", deployment.port)).await.unwrap();
    assert_eq!(answer.status(), 503);
    let retry_after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(retry_after.as_deref(), Some("1"), "{}", answer.text().await.unwrap());
}
