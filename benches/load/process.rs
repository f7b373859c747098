//! Servers as processes: pinned to processors, measured from outside, and never left running.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

/// No server needs longer to start, not even under callgrind.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it stops it.
pub struct Process {
    child: Child,
    errors: Receiver<String>,
}

/// What a process has used so far.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub nanos: u64,
    user_ticks: u64,
    kernel_ticks: u64,
}

/// Runs a command on some processors. `setpriv` ensures that it does not outlive this process.
pub fn pinned(cpus: Option<&str>, program: &str, arguments: &[String]) -> Command {
    let mut command = match cpus {
        Some(cpus) => {
            let mut command = Command::new("taskset");
            command.args(["-c", cpus, "setpriv"]);
            command
        }
        None => Command::new("setpriv"),
    };
    command.args(["--pdeathsig", "KILL", program]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Pins this process, the generator, to some processors.
pub fn pin_self(cpus: &str) -> Result<(), String> {
    let pid = std::process::id().to_string();
    let output = Command::new("taskset").args(["-a", "-c", "-p", cpus, &pid]).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("taskset: {error} (Debian: apt-get install util-linux)")),
    }
}

impl Process {
    fn start(mut command: Command) -> Result<Self, String> {
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let errors = lines(child.stderr.take());
        Ok(Self { child, errors })
    }

    /// Starts a server and waits for its line `listening on …`, whose address it returns.
    pub fn start_and_listen(command: Command) -> Result<(Self, String), String> {
        let mut process = Self::start(command)?;
        let output = lines(process.child.stdout.take());
        while let Ok(line) = output.recv_timeout(START_PATIENCE) {
            if let Some((_, place)) = line.split_once("listening on ") {
                return Ok((process, place.trim().to_owned()));
            }
        }
        Err(process.last_words())
    }

    /// Starts a server that prints nothing, and waits until it accepts connections.
    pub fn start_and_connect(command: Command, addr: std::net::SocketAddr) -> Result<Self, String> {
        let mut process = Self::start(command)?;
        drop(lines(process.child.stdout.take()));
        for _ in 0..START_PATIENCE.as_millis() / 20 {
            if std::net::TcpStream::connect(addr).is_ok() {
                return Ok(process);
            }
            if process.child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(process.last_words())
    }

    /// The last lines of its output, for errors.
    pub fn last_words(&mut self) -> String {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let words: Vec<String> = self.errors.iter().collect();
        format!("it did not start: {}", words[words.len().saturating_sub(3)..].join(" / "))
    }

    /// Stops it and waits.
    pub fn stop(&mut self) -> Result<(), String> {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        asked.and_then(|_| self.child.wait()).map(drop).map_err(|error| error.to_string())
    }

    pub fn usage(&self) -> Result<Usage, String> {
        Usage::of(&self.child.id().to_string())
    }

    /// Bytes of private and deliberately shared memory, without mapped files.
    pub fn memory(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let kilobytes = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
        };
        let private = kilobytes("Pss_Anon:").or_else(|| kilobytes("Anonymous:")).ok_or(path)?;
        Ok((private + kilobytes("Pss_Shmem:").unwrap_or(0)) * 1024)
    }
}

/// The lines of a server's output, read to the end so that a verbose server never blocks.
fn lines(output: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok)) {
            let _ = sender.send(line);
        }
    });
    receiver
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Usage {
    /// The sum over several processes.
    pub fn of_all(processes: &[Process]) -> Result<Self, String> {
        let mut sum = Self { nanos: 0, user_ticks: 0, kernel_ticks: 0 };
        for process in processes {
            let Self { nanos, user_ticks, kernel_ticks } = process.usage()?;
            sum.nanos += nanos;
            sum.user_ticks += user_ticks;
            sum.kernel_ticks += kernel_ticks;
        }
        Ok(sum)
    }

    /// The usage of all threads of a process, by its id or `self`.
    pub fn of(process: &str) -> Result<Self, String> {
        let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let mut nanos = 0;
        let folder = format!("/proc/{process}/task");
        for thread in fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?.flatten() {
            let text = read(&thread.path().join("schedstat").to_string_lossy()).unwrap_or_default();
            nanos += text.split_ascii_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        }
        let stat = read(&format!("/proc/{process}/stat"))?;
        // The name, in parentheses, may contain spaces. User and kernel time are the fields 14 and 15 (proc(5)).
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace().collect();
        let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse().ok()).unwrap_or(0);
        Ok(Self { nanos, user_ticks: ticks(14), kernel_ticks: ticks(15) })
    }

    pub fn seconds_since(&self, earlier: &Self) -> f64 {
        self.nanos.saturating_sub(earlier.nanos) as f64 / 1e9
    }

    /// The share spent in the kernel, if the total is long enough to tell.
    pub fn kernel_share_since(&self, earlier: &Self) -> Option<f64> {
        let (user, kernel) = (self.user_ticks - earlier.user_ticks, self.kernel_ticks - earlier.kernel_ticks);
        (user + kernel >= 10).then(|| kernel as f64 / (user + kernel) as f64)
    }
}
