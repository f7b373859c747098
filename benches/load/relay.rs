//! The baseline: the minimum cost of long polling on actix-web. Bytes in, bytes out, with our server's settings, without JSON, tokens,
//! rooms, cursors, leases, limits or metrics. A lost response is lost.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::{
    App, HttpResponse, HttpServer,
    http::header,
    web::{self, Bytes, Data},
};
use parking_lot::Mutex;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::sync::oneshot;

#[derive(Default)]
struct Mailbox {
    waiting: Vec<Bytes>,
    poll: Option<oneshot::Sender<()>>,
}

type Mailboxes = Mutex<HashMap<String, Mailbox>>;

const HOLD: Duration = Duration::from_secs(25);

async fn make(mailboxes: Data<Mailboxes>, id: web::Path<String>) -> HttpResponse {
    mailboxes.lock().insert(id.into_inner(), Mailbox::default());
    HttpResponse::Created().finish()
}

async fn post(mailboxes: Data<Mailboxes>, id: web::Path<String>, body: Bytes) -> HttpResponse {
    let poll = match mailboxes.lock().get_mut(id.as_str()) {
        Some(mailbox) => {
            mailbox.waiting.push(body);
            mailbox.poll.take()
        }
        None => return HttpResponse::NotFound().finish(),
    };
    if let Some(poll) = poll {
        let _ = poll.send(());
    }
    HttpResponse::Accepted().finish()
}

async fn poll(mailboxes: Data<Mailboxes>, id: web::Path<String>) -> HttpResponse {
    let news = {
        let mut mailboxes = mailboxes.lock();
        let Some(mailbox) = mailboxes.get_mut(id.as_str()) else { return HttpResponse::Gone().finish() };
        mailbox.waiting.is_empty().then(|| {
            let (sender, news) = oneshot::channel();
            mailbox.poll = Some(sender);
            news
        })
    };
    if let Some(news) = news {
        let _ = tokio::time::timeout(HOLD, news).await;
    }
    let waiting = match mailboxes.lock().get_mut(id.as_str()) {
        Some(mailbox) => std::mem::take(&mut mailbox.waiting),
        None => return HttpResponse::Gone().finish(),
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    match <[Bytes; 1]>::try_from(waiting) {
        Ok([one]) => answer.body(one),
        Err(several) => answer.body(several.concat()),
    }
}

async fn remove(mailboxes: Data<Mailboxes>, id: web::Path<String>) -> HttpResponse {
    // The poll is woken by the drop of its sender.
    mailboxes.lock().remove(id.as_str());
    HttpResponse::NoContent().finish()
}

/// Runs until killed. With a folder, serves TLS with the certificate in it.
pub fn run(workers: usize, certificate: Option<&PathBuf>) -> Result<(), String> {
    let mailboxes: Data<Mailboxes> = Data::default();
    let server = HttpServer::new(move || {
        App::new().app_data(mailboxes.clone()).service(
            web::resource("/{id}")
                .route(web::get().to(poll))
                .route(web::post().to(post))
                .route(web::put().to(make))
                .route(web::delete().to(remove)),
        )
    });
    let server = server
        .workers(workers)
        .h1_allow_half_closed(false)
        .keep_alive(Duration::from_secs(75))
        .max_connections(usize::MAX >> 8)
        .tcp_nodelay(true);
    let place = ("127.0.0.1", 0);
    let server = match certificate {
        Some(folder) => server.bind_rustls_0_23(place, tls(folder)?),
        None => server.bind(place),
    };
    let server = server.map_err(|error| error.to_string())?;
    println!("listening on http://{}", server.addrs().first().ok_or("no address")?);
    actix_web::rt::System::new().block_on(server.run()).map_err(|error| error.to_string())
}

fn tls(folder: &Path) -> Result<ServerConfig, String> {
    let certificate = CertificateDer::from_pem_file(folder.join("cert.pem")).map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).map_err(|error| error.to_string())?;
    ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![certificate], key))
        .map_err(|error| error.to_string())
}
