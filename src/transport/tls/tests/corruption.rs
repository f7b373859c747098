//! Sessions whose input is damaged and cut at random. No damage may cause a panic, or plaintext that was not sent.

use fastrand::Rng;

use super::*;

/// More by the variable of this name.
const SESSIONS: u64 = 200;

/// What the network does to the client's bytes.
struct Network {
    rng: Rng,
    /// The chance of damage to a flight, in percent.
    damage: u32,
    damaged: bool,
    last: Vec<u8>,
}

impl Network {
    fn deliver(&mut self, mut bytes: Vec<u8>, pipe: &Pipe) {
        if bytes.is_empty() {
            return;
        }
        let original = bytes.clone();
        if self.rng.u32(0..100) < self.damage {
            self.harm(&mut bytes);
            self.damaged |= bytes != original;
        }
        self.last = original;
        while !bytes.is_empty() {
            let longest = if self.rng.bool() { 30 } else { bytes.len() };
            let rest = bytes.split_off(self.rng.usize(1..=longest.min(bytes.len())));
            pipe.push(bytes);
            bytes = rest;
        }
    }

    fn harm(&mut self, bytes: &mut Vec<u8>) {
        let rng = &mut self.rng;
        let at = rng.usize(0..bytes.len());
        match rng.u32(0..7) {
            0 => bytes[at] ^= 1 << rng.u32(0..8),
            // Types, versions and lengths are in the head.
            1 => bytes[at.min(5)] = rng.u8(..),
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(..at)),
            4 => {
                let noise: Vec<u8> = (0..rng.usize(1..50)).map(|_| rng.u8(..)).collect();
                drop(bytes.splice(at..at, noise));
            }
            5 => bytes.extend_from_slice(&self.last),
            _ => drop(bytes.splice(at..at, [rng.u8(20..25), 3, 3, 0, rng.u8(0..4), 1, 0, 0])),
        }
    }
}

fn accept(client: &mut ClientConnection, network: &mut Network) -> Option<(Pipe, TlsStream<Pipe>)> {
    let pipe = Pipe::default();
    let mut accepting = pin!(TlsStream::accept(pipe.clone(), Arc::new(server_config())));
    for _ in 0..5 {
        network.deliver(flight(client), &pipe);
        if let Poll::Ready(accepted) = pipe.poll(|context| accepting.as_mut().poll(context)) {
            return accepted.ok().map(|stream| (pipe, stream));
        }
        let _ = feed(client, &pipe.take_output());
    }
    None
}

/// Does something at random; the plaintext read.
fn step(
    connected: &mut Connected,
    network: &mut Network,
    sent: &mut Vec<u8>,
    written: &mut Vec<u8>,
) -> Option<Vec<u8>> {
    let rng = &mut network.rng;
    match rng.u32(0..12) {
        0..=2 => {
            let plaintext: Vec<u8> = (0..rng.usize(0..3000)).map(|_| rng.u8(..)).collect();
            // Not after an alert.
            if connected.client.writer().write_all(&plaintext).is_ok() {
                sent.extend_from_slice(&plaintext);
                network.deliver(flight(&mut connected.client), &connected.pipe);
            }
        }
        3 => drop(connected.client.refresh_traffic_keys()),
        4 => connected.pipe.set_room(rng.usize(0..5000)),
        5 | 6 => {
            let plaintext: Vec<u8> = (0..rng.usize(1..40_000)).map(|_| rng.u8(..)).collect();
            if let Poll::Ready(Ok(length)) = connected.write(&plaintext) {
                written.extend_from_slice(&plaintext[..length]);
            }
        }
        7 => drop(connected.flush()),
        8 if rng.u32(0..30) == 0 => drop(connected.shutdown()),
        8 if rng.u32(0..30) == 0 => connected.pipe.end_input(),
        _ => {
            if let Poll::Ready(Ok(read)) = connected.read(network.rng.usize(1..5000)) {
                return Some(read);
            }
        }
    }
    None
}

fn run(seed: u64) -> bool {
    let mut rng = Rng::with_seed(seed);
    let version = VERSIONS[rng.usize(0..2)];
    let damage = [0, 3, 50][rng.usize(0..3)];
    let mut network = Network { rng, damage, damaged: false, last: Vec::new() };
    let mut client = client(&Arc::new(client_config(version)));
    let accepted = accept(&mut client, &mut network);
    let Some((pipe, stream)) = accepted else {
        assert!(network.damaged, "seed {seed}: an intact handshake failed");
        return false;
    };
    let mut connected = Connected { stream, pipe, client };
    let (mut sent, mut read, mut written, mut received) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..200 {
        read.extend(step(&mut connected, &mut network, &mut sent, &mut written).unwrap_or_default());
        assert!(sent.starts_with(&read), "seed {seed}: plaintext that was not sent");
        received.extend(connected.client_receives().unwrap_or_default());
        assert!(written.starts_with(&received), "seed {seed}: output that was not written");
        let [incomplete, plaintext, unsent] = connected.stream.session().buffer_capacities();
        assert!(incomplete < 65_536 && plaintext < 65_536 && unsent < 65_536, "seed {seed}");
    }
    let closed = connected.stream.session().is_output_closed() || connected.pipe.0.borrow().input_ended;
    if !network.damaged && !closed {
        connected.pipe.set_room(usize::MAX);
        assert!(connected.flush().is_ready());
        read.extend(connected.read_all(5000));
        received.extend(connected.client_receives().unwrap());
        assert_eq!((read == sent, received == written), (true, true), "seed {seed}: not all has arrived");
        connected.assert_no_buffers();
    }
    true
}

#[test]
fn damaged_input_yields_no_plaintext_that_was_not_sent() {
    let sessions = std::env::var("SESSIONS").map_or(SESSIONS, |sessions| sessions.parse().unwrap());
    let connected = (0..sessions).filter(|&seed| run(seed)).count();
    println!("{connected} of {sessions} handshakes succeeded");
    assert!(connected as u64 > sessions / 4);
}

#[test]
fn noise_instead_of_a_handshake_is_an_error() {
    for seed in 0..2000 {
        let mut rng = Rng::with_seed(seed);
        let pipe = Pipe::default();
        let mut noise: Vec<u8> = (0..rng.usize(1..2000)).map(|_| rng.u8(..)).collect();
        if rng.bool() {
            noise.splice(..0, [22, 3, 1, 0, rng.u8(..), 1, 0]);
        }
        pipe.push(noise);
        pipe.end_input();
        let mut accepting = pin!(TlsStream::accept(pipe.clone(), Arc::new(server_config())));
        assert!(matches!(pipe.poll(|context| accepting.as_mut().poll(context)), Poll::Ready(Err(_))));
    }
}
