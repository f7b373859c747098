//! The Redis server that the nodes share, and its statistics.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use crate::{
    process::{Process, pinned},
    report::number,
    servers::Setting,
};

pub struct Redis {
    pub process: Process,
    pub addr: SocketAddr,
}

/// The relevant part of `INFO`.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Commands from clients, not from scripts.
    pub round_trips: f64,
    pub bytes_in: f64,
    pub bytes_out: f64,
    pub memory: f64,
    /// For each command, the number of calls and their microseconds.
    commands: BTreeMap<String, (f64, f64)>,
}

/// The commands that nodes send. All others run within scripts, except four `exists` a second.
const FROM_OUTSIDE: [&str; 4] = ["evalsha", "eval", "ping", "script|load"];

impl Redis {
    pub fn start(setting: &Setting) -> Result<Self, String> {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let addr = free.map_err(|error| error.to_string())?;
        let folder = setting.folder.join(format!("redis-{}", addr.port()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let (port, folder) = (addr.port().to_string(), folder.display().to_string());
        let arguments = ["--port", &port, "--bind", "127.0.0.1", "--dir", &folder, "--save", ""];
        let log = ["--appendonly", "yes", "--appendfsync", "everysec"];
        let arguments: Vec<String> = arguments.iter().chain(&log).map(|text| (*text).to_owned()).collect();
        let command = pinned(setting.cpus.as_deref(), "redis-server", &arguments);
        let process = Process::start_and_connect(command, addr)
            .map_err(|error| format!("{error} (Debian: apt-get install redis-server)"))?;
        let redis = Self { process, addr };
        // Redis accepts connections before it has loaded its log, and answers LOADING.
        for _ in 0..200 {
            if redis.info().is_ok_and(|text| text.contains("\nloading:0")) {
                return Ok(redis);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("Redis did not finish loading its log".into())
    }

    pub fn ask(&self) -> Result<Said, String> {
        self.info().map(|text| Said::read(&text)).map_err(|error| format!("INFO: {error}"))
    }

    fn info(&self) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.addr)?;
        stream.write_all(b"INFO everything\r\n")?;
        let mut reader = BufReader::new(stream);
        let mut length = String::new();
        reader.read_line(&mut length)?;
        let length = length.trim().trim_start_matches('$').parse().map_err(std::io::Error::other)?;
        let mut text = vec![0; length];
        reader.read_exact(&mut text)?;
        String::from_utf8(text).map_err(std::io::Error::other)
    }
}

impl Said {
    fn read(text: &str) -> Self {
        let mut said = Self::default();
        for (name, value) in text.lines().filter_map(|line| line.trim().split_once(':')) {
            let plain = || value.parse().unwrap_or(0.0);
            match name {
                "total_net_input_bytes" => said.bytes_in = plain(),
                "total_net_output_bytes" => said.bytes_out = plain(),
                "used_memory" => said.memory = plain(),
                _ => {
                    let Some(command) = name.strip_prefix("cmdstat_") else { continue };
                    let part = |name: &str| {
                        let found = value.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
                        found.and_then(|number| number.parse().ok()).unwrap_or(0.0)
                    };
                    if FROM_OUTSIDE.contains(&command) {
                        said.round_trips += part("calls");
                    }
                    said.commands.insert(command.to_owned(), (part("calls"), part("usec")));
                }
            }
        }
        said
    }

    pub fn since(&self, earlier: &Self) -> Self {
        let less = |(name, (calls, micros)): (&String, &(f64, f64))| {
            let (before, took) = earlier.commands.get(name).copied().unwrap_or_default();
            (name.clone(), (calls - before, micros - took))
        };
        Self {
            round_trips: self.round_trips - earlier.round_trips,
            bytes_in: self.bytes_in - earlier.bytes_in,
            bytes_out: self.bytes_out - earlier.bytes_out,
            memory: self.memory,
            commands: self.commands.iter().map(less).collect(),
        }
    }

    /// The most frequent commands: calls for each of `count` units, and microseconds for each call.
    pub fn each(&self, count: f64) -> String {
        let mut commands: Vec<_> = self.commands.iter().filter(|(_, (calls, _))| calls / count > 0.05).collect();
        commands.sort_by(|(_, (one, _)), (_, (other, _))| other.total_cmp(one));
        let told = commands.into_iter().map(|(name, (calls, micros))| {
            format!("{} `{name}` ({} µs each)", number(calls / count), number(micros / calls))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}
