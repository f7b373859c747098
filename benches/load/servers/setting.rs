//! The settings that all servers of a run share.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use crate::process::Process;

/// How servers are started in this run.
#[derive(Clone, Debug)]
pub struct Setting {
    pub cpus: Option<String>,
    pub workers: usize,
    pub other: Option<PathBuf>,
    /// For configuration files of servers.
    pub folder: PathBuf,
}

/// A freshly started server.
pub struct Running {
    pub process: Process,
    pub addr: SocketAddr,
}

/// Creates the certificate that all servers present.
pub fn write_certificate(folder: &Path) -> Result<(), String> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).map_err(|error| error.to_string())?;
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text).map_err(|error| error.to_string());
    write("cert.pem", made.cert.pem())?;
    write("key.pem", made.signing_key.serialize_pem())
}
