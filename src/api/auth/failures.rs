//! Failed attempts with secrets: by address, by site, and by room.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    api::{Code, Problem, auth::lockout::Lockout},
    domain::{RoomName, Secret, Timestamp},
    transport::client_address::AddressKey,
};

#[derive(Debug)]
pub struct Failures {
    by_address: Lockout<AddressKey>,
    /// An IPv6 /48 contains 65,536 networks that count as different addresses.
    by_site: Lockout<AddressKey>,
    /// An attacker with many addresses is still guessing one room's secret.
    by_room: Lockout<RoomName>,
    /// Who has given which secret of which room, as hashes.
    guests: Mutex<HashMap<u64, Timestamp>>,
    hasher: RandomState,
}

/// An attempt on a room's secret.
#[derive(Debug)]
pub struct Guess {
    pub address: AddressKey,
    room: RoomName,
    guest: u64,
    is_known: bool,
}

const PER_ADDRESS: (u32, Duration) = (10, Duration::from_secs(60));
const PER_SITE: (u32, Duration) = (40, Duration::from_secs(60));
/// No more than four seconds, so that guests who come for the first time get in between an attacker's attempts. A year of
/// attempts is then less than 10^7.
const PER_ROOM: (u32, Duration) = (20, Duration::from_secs(4));
/// About 2 MB. Beyond it, the older half is forgotten.
const GUESTS_MAX: usize = 65_536;

impl Default for Failures {
    fn default() -> Self {
        Self {
            by_address: Lockout::new(PER_ADDRESS.0, PER_ADDRESS.1),
            by_site: Lockout::new(PER_SITE.0, PER_SITE.1),
            by_room: Lockout::new(PER_ROOM.0, PER_ROOM.1),
            guests: Mutex::default(),
            hasher: RandomState::new(),
        }
    }
}

impl Failures {
    pub fn check_address(&self, address: AddressKey, now: Timestamp) -> Result<(), Problem> {
        let by_site = || address.site().and_then(|site| self.by_site.wait(&site, now));
        let Some(wait) = self.by_address.wait(&address, now).or_else(by_site) else { return Ok(()) };
        Err(refusal("Secrets from this address or its network were wrong too often.", wait))
    }

    pub fn record(&self, address: AddressKey, now: Timestamp) {
        self.by_address.record(address, now);
        if let Some(site) = address.site() {
            self.by_site.record(site, now);
        }
    }

    /// Counts an attempt before its outcome is known, unless this address has given this secret before.
    pub fn begin(
        &self,
        room: &RoomName,
        address: AddressKey,
        secret: Secret,
        now: Timestamp,
    ) -> Result<Guess, Problem> {
        self.check_address(address, now)?;
        let guest = self.hasher.hash_one((room, address, secret.as_digest()));
        let is_known = self.guests.lock().contains_key(&guest);
        if !is_known {
            let begun = self.by_room.begin(room.clone(), now);
            begun.map_err(|wait| refusal("Secrets for this room were wrong too often.", wait))?;
        }
        Ok(Guess { room: room.clone(), address, guest, is_known })
    }

    /// The secret was not wrong, or not compared. If the room accepted it, the failures of others do not delay this address.
    pub fn forgive(&self, guess: Guess, is_accepted: bool, now: Timestamp) {
        if !guess.is_known {
            self.by_room.forgive(&guess.room, now);
        }
        if is_accepted {
            self.remember(guess.guest, now);
        }
    }

    fn remember(&self, guest: u64, now: Timestamp) {
        let mut guests = self.guests.lock();
        if guests.len() >= GUESTS_MAX {
            let mut times: Vec<Timestamp> = guests.values().copied().collect();
            let median = *times.select_nth_unstable(GUESTS_MAX / 2).1;
            guests.retain(|_, time| *time > median);
        }
        guests.insert(guest, now);
    }
}

fn refusal(detail: &str, wait: Duration) -> Problem {
    Problem::new(Code::TooManyFailures, detail).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn address(text: &str) -> AddressKey {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn the_networks_of_a_site_fail_together() {
        let (failures, now) = (Failures::default(), Timestamp::from_millis(5000));
        for network in 0..40 {
            failures.record(address(&format!("2001:db8:7:{network:x}::1")), now);
        }
        assert!(failures.check_address(address("2001:db8:7:ffff::1"), now).is_err());
        assert!(failures.check_address(address("2001:db8:8::1"), now).is_ok());
    }

    #[test]
    fn many_addresses_together_guess_a_room_only_every_four_seconds_and_guests_are_not_delayed() {
        let (failures, tea) = (Failures::default(), RoomName::parse("tea").unwrap());
        let at = Timestamp::from_millis;
        let [right, wrong] = [1, 2].map(|number| Secret::from_digest([number; Secret::LEN]));
        let guest = address("192.0.2.1");
        failures.forgive(failures.begin(&tea, guest, right, at(0)).unwrap(), true, at(0));
        let guess = |number: u64, now| {
            failures.begin(&tea, address(&format!("198.51.{}.{}", number / 250, number % 250)), wrong, now).is_ok()
        };
        assert_eq!((0..1000).filter(|number| guess(*number, at(0))).count(), 20);
        let minute = (0..60_000).step_by(10).filter(|millis| guess(*millis, at(*millis))).count();
        assert!((14..20).contains(&minute), "{minute}");
        assert!(failures.begin(&tea, guest, right, at(60_000)).is_ok());
        // Knowing one secret gives no extra guesses at another.
        assert!(failures.begin(&tea, guest, wrong, at(60_000)).is_err());
        assert!(failures.begin(&RoomName::parse("coffee").unwrap(), guest, wrong, at(0)).is_ok());
    }
}
