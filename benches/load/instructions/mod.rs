//! Instructions per operation: the same on a busy and an idle machine, so a test may compare them.
//!
//! The whole server runs under callgrind and gets scripted HTTP requests; the cost of a run without the operations is subtracted.
//! `expected.txt` has the accepted counts, `expected-unoptimised.txt` those of an unoptimised build, which the tests use
//! (`tests/run.sh`).

mod http2;

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::{
    drivers::{Driver, Seat},
    process::Process,
    servers::{Server, write_certificate},
    signal::{self, Kind, Stamp},
    wire::{Answer, Request, Wire},
};

/// Whether this is an unoptimised build, judged by its debug assertions.
const UNOPTIMISED: bool = cfg!(debug_assertions);
/// How often each operation is repeated.
const TIMES: u32 = if UNOPTIMISED { 400 } else { 2000 };
/// The bench fails if an operation exceeds its expected count by more than this share.
const TOLERANCE: f64 = 0.05;
/// Callgrind slows everything down about fifty times.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Nothing,
    /// A join that creates its room.
    Join,
    /// A send of 200 bytes.
    Send,
    /// The same, followed by a poll that returns the message.
    SendAndReceive,
    /// A poll that parks, and a send that wakes it.
    WaitAndWake,
}

/// A peer with one connection for posts and another for polls.
struct Peer {
    seat: Seat,
    line: usize,
    /// Opened when needed, because the server limits the wait for a connection's first request.
    poll: Option<usize>,
}

struct Script {
    wire: Wire,
    driver: Box<dyn Driver>,
    request: Request,
    sent: u32,
}

/// Measures, and compares with the expected counts or records them.
pub fn run(record: bool, out: &Path) -> Result<bool, String> {
    if Command::new("valgrind").arg("--version").output().is_err() {
        return Err("valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)".into());
    }
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let found = per_operation(Server::Signalpost, out)?;
    let name = if UNOPTIMISED { "expected-unoptimised.txt" } else { "expected.txt" };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load").join(name);
    if record {
        return write(&file, &found).map(|()| true);
    }
    compare(&file, &found)
}

/// The same for the bare relay: the cost of the framework.
pub fn run_relay(out: &Path) -> Result<bool, String> {
    for (name, count) in per_operation(Server::Relay, out)? {
        println!("{name:<14} {count:>8} instructions, the bare relay");
    }
    Ok(true)
}

fn per_operation(server: Server, out: &Path) -> Result<[(&'static str, u64); 6], String> {
    let each = |count: u64, nothing: u64| count.saturating_sub(nothing) / u64::from(TIMES);
    let counted = |operation: Operation| {
        count(server, &out.join(format!("callgrind-{operation:?}.out")), None, |driver, addr| {
            let wire = Wire::to(addr).map_err(|error| error.to_string())?;
            Script { wire, driver, request: Request::default(), sent: 0 }.play(operation)
        })
    };
    let nothing = counted(Operation::Nothing)?;
    let join = each(counted(Operation::Join)?, nothing);
    let send = each(counted(Operation::Send)?, nothing);
    let receive = each(counted(Operation::SendAndReceive)?, nothing).saturating_sub(send);
    let wake = each(counted(Operation::WaitAndWake)?, nothing);

    write_certificate(out)?;
    let counted = |name: &str, messages, receives| {
        let file = out.join(format!("callgrind-Http2{name}.out"));
        count(server, &file, Some(out), |driver, addr| http2::play(driver, addr, out, messages, receives))
    };
    // Has the same handshakes.
    let nothing = counted("Nothing", 0, false)?;
    let http2_send = each(counted("Send", TIMES, false)?, nothing);
    let http2_receive = each(counted("SendAndReceive", TIMES, true)?, nothing).saturating_sub(http2_send);
    Ok([
        ("join", join),
        ("send", send),
        ("receive", receive),
        ("wait-and-wake", wake),
        ("http2-send", http2_send),
        ("http2-receive", http2_receive),
    ])
}

fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(|_| "?".into(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn write(file: &PathBuf, found: &[(&str, u64)]) -> Result<(), String> {
    let profile = if UNOPTIMISED { " --profile dev" } else { "" };
    let mut text =
        format!("# Instructions; cargo bench{profile} --bench load -- instructions --record\n# {}\n", compiler());
    for (name, count) in found {
        text.push_str(&format!("{name} {count}\n"));
        println!("{name} {count}");
    }
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn compare(file: &PathBuf, found: &[(&str, u64)]) -> Result<bool, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    let expected: BTreeMap<&str, f64> = pairs.filter_map(|(name, count)| Some((name, count.parse().ok()?))).collect();
    let mut fine = true;
    for (name, count) in found {
        let Some(before) = expected.get(name) else {
            println!("{name:<14} {count:>8} instructions, NOT YET RECORDED: record it with --record");
            fine = false;
            continue;
        };
        let change = *count as f64 / before - 1.0;
        let verdict = match change {
            _ if change > TOLERANCE => "MORE EXPENSIVE",
            _ if change < -TOLERANCE => "cheaper: record it with --record",
            _ => "as expected",
        };
        fine &= change <= TOLERANCE;
        println!("{name:<14} {count:>8} instructions, {:>+6.1} %  {verdict}", change * 100.0);
    }
    if !fine && !text.contains(&compiler()) {
        println!("Recorded with a different compiler than {}. If that is the cause, use --record.", compiler());
    }
    Ok(fine)
}

/// The instructions of a whole server run, which callgrind writes to a file.
fn count(
    server: Server,
    file: &Path,
    certificate: Option<&Path>,
    play: impl FnOnce(Box<dyn Driver>, SocketAddr) -> Result<(), String>,
) -> Result<u64, String> {
    let _ = fs::remove_file(file);
    let (mut process, addr) = start(server, file, certificate)?;
    play(server.driver(false), addr)?;
    process.stop()?;
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let summary = text.lines().find_map(|line| line.strip_prefix("summary: ")?.trim().parse().ok());
    summary.ok_or_else(|| format!("{} has no summary", file.display()))
}

/// Starts a server under callgrind, which writes a file at its end. With TLS if there is a folder with a certificate.
fn start(server: Server, file: &Path, certificate: Option<&Path>) -> Result<(Process, SocketAddr), String> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "valgrind", "--tool=callgrind"]);
    command.arg(format!("--callgrind-out-file={}", file.display()));
    if server == Server::Relay {
        command.arg(std::env::current_exe().map_err(|error| error.to_string())?).arg("relay");
        command.args(certificate.iter().flat_map(|folder| [Path::new("--certificate"), *folder]));
    } else {
        command.args([env!("CARGO_BIN_EXE_signalpost"), "--listen", "127.0.0.1:0", "--workers", "1", "--log", "warn"]);
        command.args(["--rate-join", "0", "--rate-send", "0", "--rate-poll", "0", "--memory-bytes", "4000000000"]);
        command.args(["--mailbox-messages", "1000000", "--mailbox-bytes", "1000000000"]);
        // So that no lease and no idle connection ends, however slow callgrind is.
        command.args(["--lease-ms", "3600000", "--keep-alive-ms", "3600000"]);
        if let Some(folder) = certificate {
            command.arg("--tls-cert").arg(folder.join("cert.pem")).arg("--tls-key").arg(folder.join("key.pem"));
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (process, place) = Process::start_and_listen(command)?;
    let addr = place.rsplit('/').next().and_then(|addr| addr.parse().ok()).ok_or("no address")?;
    Ok((process, addr))
}

impl Script {
    fn play(&mut self, operation: Operation) -> Result<(), String> {
        let (one, mut other) = (self.enter("room", "one")?, self.enter("room", "other")?);
        for number in 0..TIMES {
            match operation {
                Operation::Nothing => {}
                Operation::Join => {
                    let room = format!("room-{number}");
                    self.join(one.line, &room, &format!("new-{number}"))?;
                }
                Operation::Send => {
                    self.send(&one, &other)?;
                    self.answer()?;
                }
                Operation::SendAndReceive => {
                    self.send(&one, &other)?;
                    self.answer()?;
                    self.poll(&mut other)?;
                    self.hear(&mut other)?;
                }
                Operation::WaitAndWake => {
                    self.poll(&mut other)?;
                    self.send(&one, &other)?;
                    let answers = [self.answer()?, self.answer()?];
                    let polled = answers.into_iter().find(|answer| Some(answer.connection) == other.poll);
                    self.driver.polled(&mut other.seat, &polled.ok_or("no answer to the poll")?, &mut self.request)?;
                }
            }
        }
        Ok(())
    }

    fn enter(&mut self, room: &str, name: &str) -> Result<Peer, String> {
        let line = self.connect()?;
        Ok(Peer { seat: self.join(line, room, name)?, line, poll: None })
    }

    fn connect(&mut self) -> Result<usize, String> {
        self.wire.connect().map_err(|error| error.to_string())
    }

    fn join(&mut self, line: usize, room: &str, name: &str) -> Result<Seat, String> {
        let mut seat = Seat { room: room.into(), name: name.into(), capacity: 2, ..Seat::default() };
        self.driver.enter(&mut seat, None, &mut self.request)?;
        self.ask(line)?;
        let joined = self.answer()?;
        self.driver.enter(&mut seat, Some(&joined), &mut self.request)?;
        self.wire.done_with(joined);
        Ok(seat)
    }

    fn send(&mut self, from: &Peer, to: &Peer) -> Result<(), String> {
        let mut text = Vec::new();
        self.sent += 1;
        signal::write(&mut text, Kind::Data, Stamp { from: 1, to: 2, number: self.sent, sent: 0 });
        self.driver.post(&from.seat, &[(&to.seat, &text)], &mut self.request);
        self.ask(from.line)
    }

    fn poll(&mut self, peer: &mut Peer) -> Result<(), String> {
        let connection = match peer.poll {
            Some(connection) => connection,
            None => *peer.poll.insert(self.connect()?),
        };
        self.driver.poll(&peer.seat, &mut self.request);
        self.ask(connection)
    }

    fn hear(&mut self, peer: &mut Peer) -> Result<(), String> {
        let polled = self.answer()?;
        self.driver.polled(&mut peer.seat, &polled, &mut self.request)?;
        self.wire.done_with(polled);
        Ok(())
    }

    fn ask(&mut self, connection: usize) -> Result<(), String> {
        self.wire.ask(connection, &self.request).map_err(|error| error.to_string())
    }

    fn answer(&mut self) -> Result<Answer, String> {
        let answer = self.wire.next(Instant::now() + PATIENCE)?.ok_or("no answer")?;
        if answer.is_success() { Ok(answer) } else { Err(format!("refused: {}", answer.glance())) }
    }
}
