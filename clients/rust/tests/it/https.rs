//! Servers with certificates of a private authority, of their own, and with such that are wrong.

use std::path::PathBuf;
use std::{env, fs, process};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use signalpost_client::{Error, Silence, State, join};
use tokio::time::timeout;

use crate::support::{PATIENCE, Server, arrival, data, departure, say};

/// A private authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> String {
        self.0.pem()
    }

    /// A certificate and its key.
    fn issue(&self, params: &CertificateParams) -> (String, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap().pem(), key)
    }
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

/// A server with this certificate. The files are gone after it has started.
fn serve(test: &str, (certificate, key): (String, KeyPair)) -> Server {
    let file = |kind| -> PathBuf { env::temp_dir().join(format!("signalpost-{}-{test}-{kind}.pem", process::id())) };
    let files = [file("cert"), file("key")];
    fs::write(&files[0], certificate).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    let [cert, key] = files.each_ref().map(|file| file.to_str().unwrap());
    let server = Server::with(&["--tls-cert", cert, "--tls-key", key]);
    for file in &files {
        fs::remove_file(file).unwrap();
    }
    assert!(server.base.starts_with("https://"), "{}", server.base);
    server
}

/// Joins, sends, receives and leaves.
async fn use_room(server: &Server, root: &str) {
    let enter = |name: &str| server.room("tea").name(name).root_certificate(root);
    let (ann, mut ann_events) = enter("Ann").await.unwrap();
    let (ben, mut ben_events) = enter("Ben").await.unwrap();
    assert_eq!(arrival(&mut ann_events).await.name, "Ben");
    say(&ann, &ben.me().id, "to Ben");
    say(&ben, &ann.me().id, "to Ann");
    assert_eq!(data(&mut ben_events).await, "to Ben");
    assert_eq!(data(&mut ann_events).await, "to Ann");
    assert_eq!((ann.state(), ben.state()), (State::Connected, State::Connected));
    ben.leave().await;
    assert_eq!(departure(&mut ann_events).await, (ben.me().id.clone(), "left".to_owned()));
    ann.leave().await;
}

#[tokio::test]
async fn a_server_of_a_private_authority_is_used_when_its_root_is_given() {
    let authority = Authority::new("ours");
    let server = serve("private", authority.issue(&params("127.0.0.1")));
    // Several may be given, at once or one by one.
    let roots = Authority::new("another").root() + &authority.root();
    use_room(&server, &roots).await;
}

#[tokio::test]
async fn a_server_that_signs_its_certificate_itself_is_used_when_that_is_given() {
    let key = KeyPair::generate().unwrap();
    let certificate = params("127.0.0.1").self_signed(&key).unwrap().pem();
    use_room(&serve("itself", (certificate.clone(), key)), &certificate).await;
}

/// What joining says. It has to say it at once.
async fn refusal(base: &str, root: Option<&str>) -> String {
    let joining = join(base, "tea").on_retry(|error, _, _| panic!("it retries: {error}"));
    let joining = if let Some(root) = root { joining.root_certificate(root) } else { joining };
    let refused = timeout(PATIENCE, joining.into_future()).await.expect("it says nothing").map(drop).unwrap_err();
    assert!(matches!(&refused, Error::Unreachable(silence) if silence.reason == Silence::Certificate), "{refused:?}");
    refused.to_string()
}

#[tokio::test]
async fn a_certificate_that_is_not_accepted_is_told_at_once_and_what_to_do() {
    let authority = Authority::new("ours");
    let (root, other) = (authority.root(), Authority::new("another").root());
    let server = serve("unknown", authority.issue(&params("127.0.0.1")));
    for said in [refusal(&server.base, None).await, refusal(&server.base, Some(&other)).await] {
        assert!(said.contains("UnknownIssuer") && said.contains("`root_certificate`"), "{said}");
    }
    let port = server.base.rsplit(':').next().unwrap();
    let said = refusal(&format!("https://localhost:{port}"), Some(&root)).await;
    assert!(said.contains("localhost") && said.contains("127.0.0.1") && said.contains("check the URL"), "{said}");

    let mut expired = params("127.0.0.1");
    (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let said = refusal(&serve("expired", authority.issue(&expired)).base, Some(&root)).await;
    assert!(said.contains("expired") && said.contains("the clock"), "{said}");
}

#[tokio::test]
async fn a_root_certificate_that_cannot_be_used_is_told() {
    for root in ["", "secret", "-----BEGIN CERTIFICATE-----\n???\n-----END CERTIFICATE-----"] {
        let refused = join("https://127.0.0.1:1", "tea").root_certificate(root).await.map(drop);
        assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("PEM")), "{refused:?}");
    }
    // The system's certificates would not be trusted either.
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    let refused = join("https://127.0.0.1:1", "tea").root_certificate(garbage).await.map(drop);
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("cannot be used")), "{refused:?}");
    let own = join("https://127.0.0.1:1", "tea").root_certificate(Authority::new("ours").root());
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls_of_the_program()).build().unwrap();
    let refused = own.client(client).await.map(drop);
    assert!(matches!(&refused, Err(Error::Invalid(why)) if why.contains("`client`")), "{refused:?}");
}

fn tls_of_the_program() -> rustls::ClientConfig {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
}
