//! Servers packaged by Debian, with a minimal configuration for each run, on a free port.

use std::{
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::setting::{Running, Setting};
use crate::process::{Process, pinned};

const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
const WAKING: Duration = Duration::from_millis(20);

pub fn has_nchan() -> bool {
    program("nginx").is_some() && Path::new(NCHAN).exists()
}

/// The path of a program; servers may not be on `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|path| path.exists())
}

/// A single process without a master, so that only one must be measured and stopped.
pub fn start_nchan(setting: &Setting, tls: bool) -> Result<Running, String> {
    let addr = free_place()?;
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
    let file = write(setting, "nginx.conf", &config)?;
    start(setting, "nginx", &["-c", &file, "-p", &folder.to_string()], addr)
}

/// Configured for BOSH and anonymous users only: no other protocols, no limits, archives or contacts.
pub fn start_prosody(setting: &Setting) -> Result<Running, String> {
    let addr = free_place()?;
    let data = setting.folder.join("prosody");
    fs::create_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
    let config = format!(
        "run_as_root = true
pidfile = \"{data}/prosody.pid\"; data_path = \"{data}\"; certificates = \"{data}\"
log = {{ error = \"{data}/prosody.log\" }}
modules_enabled = {{ \"saslauth\", \"bosh\" }}; modules_disabled = {{ \"c2s\", \"s2s\", \"offline\" }}
http_interfaces = {{ \"{ip}\" }}; http_ports = {{ {port} }}; https_ports = {{ }}; c2s_require_encryption = false
network_settings = {{ tcp_backlog = 4096 }}
VirtualHost \"localhost\"
  authentication = \"anonymous\"
",
        data = data.display(),
        ip = addr.ip(),
        port = addr.port(),
    );
    let file = write(setting, "prosody.cfg.lua", &config)?;
    start(setting, "prosody", &["-F", "--config", &file], addr)
}

/// The folder of Janus' plugins and transports.
pub fn janus() -> Option<PathBuf> {
    program("janus")?;
    let mut folders = fs::read_dir("/usr/lib").ok()?.flatten().map(|folder| folder.path().join("janus"));
    folders.find(|folder| folder.join("plugins/libjanus_lua.so").exists())
}

/// Only its HTTP transport and Lua plugin, and one thread for all handles.
///
/// When exactly 128 connections are readable, libmicrohttpd does not read them until another event arrives, up to two
/// minutes later. With 64 pairs this happens constantly, so spare connections wake it.
pub fn start_janus(setting: &Setting) -> Result<Running, String> {
    let addr = free_place()?;
    let libraries = janus().ok_or("janus is gone")?;
    let folder = setting.folder.join("janus");
    for (kind, library) in [("plugins", "libjanus_lua.so"), ("transports", "libjanus_http.so")] {
        let place = folder.join(kind);
        fs::create_dir_all(&place).map_err(|error| format!("{}: {error}", place.display()))?;
        // The link may remain from an earlier run.
        let _ = symlink(libraries.join(kind).join(library), place.join(library));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load/janus/relay.lua");
    let (certificates, place) = (setting.folder.display(), folder.display());
    let main = format!(
        "general: {{ configs_folder = \"{place}\" plugins_folder = \"{place}/plugins\" \
         transports_folder = \"{place}/transports\" events_folder = \"{place}/none\" loggers_folder = \"{place}/none\" \
         log_to_stdout = false debug_level = 2 event_loops = 1 }}\n\
         certificates: {{ cert_pem = \"{certificates}/cert.pem\" cert_key = \"{certificates}/key.pem\" }}\n"
    );
    let http = format!(
        "general: {{ json = \"compact\" base_path = \"/janus\" http = true https = false \
         ip = \"{}\" port = {} mhd_connection_limit = 20000 }}\n",
        addr.ip(),
        addr.port()
    );
    write(setting, "janus/janus.jcfg", &main)?;
    write(setting, "janus/janus.transport.http.jcfg", &http)?;
    write(setting, "janus/janus.plugin.lua.jcfg", &format!("general: {{ script = \"{}\" }}\n", script.display()))?;
    let running = start(setting, "janus", &["-F", &place.to_string()], addr)?;
    thread::spawn(move || {
        // Ends with the server.
        while TcpStream::connect(addr).is_ok() {
            thread::sleep(WAKING);
        }
    });
    Ok(running)
}

fn free_place() -> Result<SocketAddr, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    free.map_err(|error| error.to_string())
}

fn write(setting: &Setting, name: &str, text: &str) -> Result<String, String> {
    let file = setting.folder.join(name);
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file.display().to_string())
}

fn start(setting: &Setting, name: &str, arguments: &[&str], addr: SocketAddr) -> Result<Running, String> {
    let program = program(name).ok_or_else(|| format!("{name} is gone"))?.display().to_string();
    let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
    let process = Process::start_and_connect(pinned(setting.cpus.as_deref(), &program, &arguments), addr)?;
    Ok(Running { process, addr })
}
