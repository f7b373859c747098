//! The servers: which there are, what each needs, and how it is started.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
};

use clap::ValueEnum;

use crate::{
    drivers::{self, Driver},
    process::{Process, pinned},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Server {
    /// The whole product: JSON, tokens, rooms, cursors, leases, metrics. Only the rate limits are off
    Signalpost,
    /// Another build of it, to compare with (--other)
    Other,
    /// A bare actix-web relay without parsing, auth or rooms: what the framework costs
    Relay,
    /// nginx with nchan, both from Debian
    Nchan,
    /// Socket.IO by polling, from npm
    SocketIo,
}

/// How servers are started in this run.
#[derive(Clone, Debug)]
pub struct Setting {
    pub cpus: Option<String>,
    pub workers: usize,
    pub other: Option<PathBuf>,
    /// For what a server wants in files.
    pub folder: PathBuf,
}

/// A server that was started afresh.
pub struct Running {
    pub process: Process,
    pub addr: SocketAddr,
}

const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Signalpost => "Signalpost",
            Self::Other => "Signalpost (other)",
            Self::Relay => "bare actix-web relay",
            Self::Nchan => "nginx + nchan",
            Self::SocketIo => "Socket.IO, polling",
        }
    }

    /// What is to be done first, if it cannot be started here.
    pub fn missing(self, setting: &Setting) -> Option<String> {
        let there = |path: &Path| path.exists();
        match self {
            Self::Signalpost | Self::Relay => None,
            Self::Other => match &setting.other {
                Some(path) if there(path) => None,
                _ => Some("name the binary: --other FILE".into()),
            },
            Self::Nchan if nginx().is_none() || !there(Path::new(NCHAN)) => {
                Some("Debian, Ubuntu: apt-get install nginx-light libnginx-mod-nchan".into())
            }
            Self::Nchan => None,
            Self::SocketIo if !there(&socket_io().join("node_modules/socket.io")) => {
                Some("with Node.js 20 or newer: npm --prefix benches/load/socket-io ci".into())
            }
            Self::SocketIo => None,
        }
    }

    /// Serves HTTP/2 over TLS.
    pub fn has_h2(self) -> bool {
        self != Self::SocketIo
    }

    pub fn driver(self, like_our_client: bool) -> Box<dyn Driver> {
        match self {
            Self::Signalpost | Self::Other if like_our_client => Box::new(drivers::Signalpost::like_our_client()),
            Self::Signalpost | Self::Other => Box::new(drivers::Signalpost::default()),
            Self::Relay => Box::new(drivers::Relay),
            Self::Nchan => Box::new(drivers::Nchan),
            Self::SocketIo => Box::new(drivers::SocketIo),
        }
    }

    /// Starts it, with the certificate in the setting's folder if it is to serve TLS.
    pub fn start(self, setting: &Setting, tls: bool) -> Result<Running, String> {
        let cpus = setting.cpus.as_deref();
        let (process, place) = match self {
            Self::Signalpost => {
                let program = env!("CARGO_BIN_EXE_signalpost");
                Process::start_and_listen(pinned(cpus, program, &signalpost(setting, tls)))?
            }
            Self::Other => {
                let program = setting.other.as_deref().unwrap_or(Path::new("")).to_string_lossy().into_owned();
                Process::start_and_listen(pinned(cpus, &program, &signalpost(setting, tls)))?
            }
            Self::Relay => {
                let program = std::env::current_exe().map_err(|error| error.to_string())?;
                let mut arguments = vec!["relay".into(), "--workers".into(), setting.workers.to_string()];
                if tls {
                    arguments.extend(["--certificate".into(), setting.folder.display().to_string()]);
                }
                Process::start_and_listen(pinned(cpus, &program.to_string_lossy(), &arguments))?
            }
            Self::Nchan => return start_nchan(setting, tls),
            Self::SocketIo => {
                let script = socket_io().join("server.js").display().to_string();
                Process::start_and_listen(pinned(cpus, "node", &[script]))?
            }
        };
        let addr = place.rsplit('/').next().and_then(|addr| addr.parse().ok());
        Ok(Running { process, addr: addr.ok_or_else(|| format!("it listens on {place}?"))? })
    }
}

pub fn signalpost(setting: &Setting, tls: bool) -> Vec<String> {
    let workers = setting.workers.to_string();
    let mut arguments: Vec<String> = [
        ["--listen", "127.0.0.1:0"],
        ["--workers", &workers],
        ["--log", "warn"],
        ["--rate-join", "0"],
        ["--rate-send", "0"],
        ["--rate-poll", "0"],
        ["--connections-per-address", "1000000"],
        ["--memory-bytes", "8000000000"],
    ]
    .concat()
    .into_iter()
    .map(str::to_owned)
    .collect();
    if tls {
        for (option, file) in [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")] {
            arguments.extend([option.to_owned(), setting.folder.join(file).display().to_string()]);
        }
    }
    arguments
}

fn socket_io() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load/socket-io")
}

fn nginx() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|path| path.exists())
}

/// One process without a master, so that one process is all there is to measure and to end.
fn start_nchan(setting: &Setting, tls: bool) -> Result<Running, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let addr = free.map_err(|error| error.to_string())?;
    let folder = setting.folder.display();
    let tls = if tls {
        format!("ssl http2; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem")
    } else {
        String::new()
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("  {name}_temp_path {folder}/nginx-{name};\n"))
        .concat();
    let config = format!(
        "load_module {NCHAN};
daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000;
pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 20000; }}
http {{
  access_log off; tcp_nodelay on; keepalive_timeout 75; keepalive_requests 1000000000; client_max_body_size 1m;
  nchan_shared_memory_size 512m;
{temporary}  server {{
    listen {addr} {tls};
    location ~ ^/pub/(.+)$ {{
      nchan_publisher; nchan_channel_id $1; nchan_message_buffer_length 64; nchan_message_timeout 1m;
    }}
    location ~ ^/sub/(.+)$ {{
      nchan_subscriber longpoll; nchan_channel_id $1; nchan_subscriber_first_message oldest;
    }}
  }}
}}
"
    );
    let file = setting.folder.join("nginx.conf");
    std::fs::write(&file, config).map_err(|error| format!("{}: {error}", file.display()))?;
    let program = nginx().ok_or("nginx is gone")?.display().to_string();
    let arguments = ["-c", &file.display().to_string(), "-p", &folder.to_string()].map(str::to_owned);
    let process = Process::start_and_connect(pinned(setting.cpus.as_deref(), &program, &arguments), addr)?;
    Ok(Running { process, addr })
}
