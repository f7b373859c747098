//! The servers, their requirements, and how to start them.

mod debian;
mod setting;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

pub use setting::{Running, Setting, write_certificate};

use crate::{
    drivers::{self, Driver},
    process::{Process, pinned},
    workload::Workload,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Server {
    /// The whole product: JSON, tokens, rooms, cursors, leases, metrics; rate limits are off
    Signalpost,
    /// Another build of Signalpost (--other)
    Other,
    /// A bare actix-web relay without parsing, auth or rooms: the cost of the framework
    Relay,
    /// nginx with nchan, both from Debian
    Nchan,
    /// Socket.IO over polling, from npm
    SocketIo,
    /// Prosody over BOSH, which is XMPP over long polling; from Debian
    Prosody,
    /// Janus over its HTTP transport, with a relay in its Lua plugin; from Debian
    Janus,
    /// Signalpost as a page on another origin uses it: `--cors-origin`, and an `Origin` header in every request
    CrossOrigin,
}

/// The origin of the page that uses the server.
const PAGE_ORIGIN: &str = "https://app.example.org";

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Signalpost => "Signalpost",
            Self::CrossOrigin => "Signalpost, with an `Origin` header",
            Self::Other => "Signalpost (other)",
            Self::Relay => "bare actix-web relay",
            Self::Nchan => "nginx + nchan",
            Self::SocketIo => "Socket.IO, polling",
            Self::Prosody => "Prosody, BOSH",
            Self::Janus => "Janus, HTTP and Lua",
        }
    }

    /// How to install it, if it is missing.
    pub fn missing(self, setting: &Setting) -> Option<String> {
        let there = |path: &Path| path.exists();
        match self {
            Self::Signalpost | Self::CrossOrigin | Self::Relay => None,
            Self::Other => match &setting.other {
                Some(path) if there(path) => None,
                _ => Some("Name the binary: --other FILE".into()),
            },
            Self::Nchan if debian::has_nchan() => None,
            Self::Nchan => Some("Debian, Ubuntu: apt-get install nginx-light libnginx-mod-nchan".into()),
            Self::Prosody if debian::program("prosody").is_some() => None,
            Self::Prosody => Some("Debian, Ubuntu: apt-get install prosody".into()),
            Self::Janus if debian::janus().is_some() => None,
            Self::Janus => Some("Debian, Ubuntu: apt-get install janus".into()),
            Self::SocketIo if !there(&socket_io().join("node_modules/socket.io")) => {
                Some("with Node.js 20 or newer: npm --prefix benches/load/socket-io ci".into())
            }
            Self::SocketIo => None,
        }
    }

    /// Whether this is a build of Signalpost, whose failures make the bench fail.
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Signalpost | Self::CrossOrigin | Self::Other)
    }

    /// At least ten times slower than the others.
    pub fn is_slow(self) -> bool {
        self == Self::Prosody
    }

    /// Whether this size is measured by default.
    pub fn manages(self, workload: Workload, size: usize) -> bool {
        match (self, workload) {
            (Self::CrossOrigin, Workload::Tls | Workload::PingPong | Workload::Call | Workload::ClientCall) => true,
            (Self::CrossOrigin, _) => false,
            (Self::Prosody | Self::Janus, Workload::Parked) => size <= 1000,
            (Self::Prosody | Self::Janus, Workload::JoinStorm) => true,
            (Self::Prosody, Workload::Mesh | Workload::Paced5000) => false,
            (Self::Janus, Workload::PingPong) => size <= 512,
            (Self::Prosody | Self::Janus, _) => size <= 64,
            _ => true,
        }
    }

    /// A note for readers of its figures.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Prosody => Some("Prosody is slow: smaller sizes only, no meshes, and calls for twice as long."),
            Self::Janus => Some("Janus: fewer sizes, and woken every 20 ms, as it may stand still."),
            _ => None,
        }
    }

    /// Is started with TLS, and serves HTTP/1.1 and HTTP/2 through it.
    pub fn has_tls(self) -> bool {
        !matches!(self, Self::SocketIo | Self::Prosody | Self::Janus)
    }

    pub fn driver(self, like_our_client: bool) -> Box<dyn Driver> {
        match self {
            Self::Signalpost | Self::CrossOrigin | Self::Other => {
                let origin = (self == Self::CrossOrigin).then_some(PAGE_ORIGIN);
                Box::new(drivers::Signalpost::new(like_our_client, origin))
            }
            Self::Relay => Box::new(drivers::Relay),
            Self::Nchan => Box::new(drivers::Nchan),
            Self::SocketIo => Box::new(drivers::SocketIo),
            Self::Prosody => Box::new(drivers::Prosody),
            Self::Janus => Box::new(drivers::Janus),
        }
    }

    /// Starts the server; with TLS, it uses the certificate in the setting's folder.
    pub fn start(self, setting: &Setting, tls: bool) -> Result<Running, String> {
        let cpus = setting.cpus.as_deref();
        let (process, place) = match self {
            Self::Signalpost => {
                let program = env!("CARGO_BIN_EXE_signalpost");
                Process::start_and_listen(pinned(cpus, program, &signalpost(setting, tls)))?
            }
            Self::CrossOrigin => {
                let program = env!("CARGO_BIN_EXE_signalpost");
                let mut arguments = signalpost(setting, tls);
                arguments.extend(["--cors-origin".to_owned(), PAGE_ORIGIN.to_owned()]);
                Process::start_and_listen(pinned(cpus, program, &arguments))?
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
            Self::Nchan => return debian::start_nchan(setting, tls),
            Self::Prosody => return debian::start_prosody(setting),
            Self::Janus => return debian::start_janus(setting),
            Self::SocketIo => {
                let script = socket_io().join("server.js").display().to_string();
                Process::start_and_listen(pinned(cpus, "node", &[script]))?
            }
        };
        let addr = place.rsplit('/').next().and_then(|addr| addr.parse().ok());
        Ok(Running { process, addr: addr.ok_or_else(|| format!("unexpected listener address: {place}"))? })
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
