//! Who may have how many allocations.

use std::time::Duration;

use super::{allocate, allocations, member, request};
use crate::{
    domain::Timestamp,
    turn::{
        allocations::{AllocateError, DropReason},
        limits::{LIFETIME, Limits},
    },
};

const START: Timestamp = Timestamp::from_millis(1000);

#[test]
fn a_member_has_a_quota_and_gets_it_back() {
    let mut all = allocations(Limits { allocations_per_member: 3, ..Limits::default() });
    for client in 0..3 {
        allocate(&mut all, client, member(1, 1, "192.0.2.1"), START);
    }
    let another = request(3, member(1, 1, "192.0.2.1"), START);
    assert_eq!(all.allocate(3, another.clone(), START).map(|_| ()), Err(AllocateError::Quota));
    allocate(&mut all, 4, member(1, 2, "192.0.2.1"), START);
    all.remove(&0, START).unwrap();
    assert!(all.allocate(3, another, START).is_ok());
    assert_eq!(all.len(), 4);
}

/// Addresses that have nothing get something until the last is in use, however many one address asks for.
#[test]
fn no_address_takes_all_allocations() {
    let mut all = allocations(Limits { allocations: 1000, allocations_per_member: 1000, ..Limits::default() });
    let greedy = |client| request(client, member(1, 1, "192.0.2.1"), START);
    let taken = (0..2000).filter(|client| all.allocate(*client, greedy(*client), START).is_ok()).count();
    assert_eq!(taken, 500);
    let modest = |client| request(client, member(2, 2, "198.18.0.1"), START);
    assert!((2000..2100).all(|client| all.allocate(client, modest(client), START).is_ok()));
}

#[test]
fn expired_allocations_make_room() {
    let mut all = allocations(Limits { allocations: 2, ..Limits::default() });
    let first = allocate(&mut all, 0, member(1, 1, "192.0.2.1"), START);
    allocate(&mut all, 1, member(1, 2, "192.0.2.2"), START);
    let third = |now| request(2, member(1, 3, "192.0.2.3"), now);
    assert_eq!(all.allocate(2, third(START), START).map(|_| ()), Err(AllocateError::Capacity));
    let later = START + LIFETIME;
    assert!(all.of(&0, later).is_none());
    assert_eq!(all.remove_expired(later).len(), 2);
    let relayed = all.allocate(2, third(later), later).unwrap().relayed;
    assert_ne!(relayed, first, "an address is not used again at once");
    assert_eq!(all.len(), 1);
    assert_eq!(all.total_time(later), LIFETIME * 2);
}

#[test]
fn an_allocation_sends_no_more_than_its_rate() {
    let mut all = allocations(Limits { allocation_bytes_per_second: 10_000, ..Limits::default() });
    let addresses = [0, 1].map(|client| allocate(&mut all, client, member(1, client as u8, "192.0.2.1"), START));
    for client in [0, 1] {
        assert!(all.of(&client, START).unwrap().permit(&addresses.map(|address| address.ip()), START));
    }
    let mut passed = |now| (0..50).filter(|_| all.route_to(&0, addresses[1], 1000, now).is_ok()).count();
    assert_eq!(passed(START), 10);
    assert_eq!(passed(START + Duration::from_millis(500)), 5);
    assert_eq!(all.route_to(&0, addresses[1], 1000, START + Duration::from_millis(500)), Err(DropReason::OverRate));
}
