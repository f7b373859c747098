//! Made-up histories: the checker must find their faults.

use super::{Fault, Promise, check};
use crate::history::Event;

fn posted(number: u64) -> Event {
    Event::Posted { from: 0, to: 1, number }
}

fn accepted(number: u64, seq: u64) -> Event {
    Event::Accepted { from: 0, to: 1, number, seq }
}

fn delivered(number: u64, seq: u64) -> Event {
    Event::Delivered { to: 1, from: 0, number, seq }
}

fn seated(cursor: u64) -> Event {
    Event::Seated { who: 1, cursor }
}

fn loud() -> Event {
    Event::Loud { who: 1, what: "cursor-ahead".into() }
}

/// Three messages delivered correctly.
fn good() -> Vec<Event> {
    let message = |number| [posted(number), accepted(number, number + 1), delivered(number, number + 1)];
    std::iter::once(seated(0)).chain((0..3).flat_map(message)).collect()
}

fn faults(events: &[Event], promise: Promise) -> Vec<Fault> {
    check(events, promise).faults
}

#[test]
fn a_good_history_has_no_faults() {
    for promise in [Promise::Everything, Promise::Loudness] {
        let verdict = check(&good(), promise);
        assert_eq!((verdict.accepted, verdict.delivered, verdict.faults), (3, 3, vec![]));
    }
}

#[test]
fn a_lost_message_is_a_fault() {
    let mut events = good();
    events.extend([posted(3), accepted(3, 4)]);
    let (from, to, number) = (0, 1, 3);
    assert_eq!(faults(&events, Promise::Everything), [Fault::Lost { from, to, number }]);
    assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from, to, number }]);
}

#[test]
fn a_mark_long_before_or_after_excuses_nothing() {
    let lost = [posted(3), accepted(3, 4)];
    let early: Vec<Event> = [loud(), seated(0)].into_iter().chain(good()).chain(lost.clone()).collect();
    let late: Vec<Event> =
        good().into_iter().chain(lost).chain([posted(4), accepted(4, 4), delivered(4, 4), loud()]).collect();
    for events in [early, late] {
        assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
    }
}

#[test]
fn a_loss_at_a_restart_must_be_reported() {
    let again = [posted(4), accepted(4, 901), delivered(4, 901)];
    let lost = [posted(3), accepted(3, 4)];
    let silent: Vec<Event> = good().into_iter().chain(lost.clone()).chain([seated(900)]).chain(again.clone()).collect();
    assert_eq!(faults(&silent, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
    let told: Vec<Event> = good().into_iter().chain(lost).chain([loud(), seated(900)]).chain(again).collect();
    let verdict = check(&told, Promise::Loudness);
    assert_eq!((verdict.lost_loudly, verdict.faults), (1, vec![]));
    assert!(!faults(&told, Promise::Everything).is_empty());
}

#[test]
fn a_rollback_hidden_by_the_cursor_is_a_fault() {
    // The store forgets number 2, which was read, and gives its `seq` to number 3, which the reader never requests.
    let mut events = good();
    events.extend([posted(3), accepted(3, 3), posted(4), accepted(4, 4), delivered(4, 4)]);
    assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
}

#[test]
fn a_keyed_post_with_two_effects_is_a_fault() {
    let mut events = good();
    events.push(delivered(2, 4));
    assert!(faults(&events, Promise::Loudness).contains(&Fault::Doubled { from: 0, to: 1, number: 2 }));
    // Messages repeated because the reader was sent back are no fault.
    let mut reread = good();
    reread.extend([loud(), seated(1), delivered(1, 2), delivered(2, 3)]);
    let verdict = check(&reread, Promise::Loudness);
    assert_eq!((verdict.reread, verdict.faults), (2, vec![]));
}

#[test]
fn a_batch_read_twice_is_a_gap_and_a_duplicate() {
    let mut events = good();
    events.push(delivered(2, 3));
    let found = faults(&events, Promise::Everything);
    assert!(found.contains(&Fault::Hole { who: 1, after: 3, seq: 3 }), "{found:?}");
    assert!(found.contains(&Fault::Doubled { from: 0, to: 1, number: 2 }), "{found:?}");
}

#[test]
fn reordering_is_a_fault() {
    let mut events = vec![seated(0), posted(0), posted(1), accepted(0, 1), accepted(1, 2)];
    events.extend([delivered(1, 1), delivered(0, 2)]);
    let found = faults(&events, Promise::Loudness);
    assert!(found.contains(&Fault::OutOfOrder { from: 0, to: 1, number: 0, after: 1 }), "{found:?}");
    assert!(found.contains(&Fault::Misplaced { from: 0, to: 1, number: 1, told: 2, found: 1 }), "{found:?}");
}

#[test]
fn a_post_whose_key_was_lost_may_be_repeated_across_a_mark() {
    let first = [seated(0), posted(0), delivered(0, 1)];
    let again = [accepted(0, 901), delivered(0, 901)];
    let told: Vec<Event> = first.iter().cloned().chain([loud(), seated(900)]).chain(again.clone()).collect();
    let verdict = check(&told, Promise::Loudness);
    assert_eq!((verdict.reread, verdict.faults), (1, vec![]));
    let untold: Vec<Event> = first.into_iter().chain([seated(900)]).chain(again).collect();
    assert_eq!(faults(&untold, Promise::Loudness), [Fault::Doubled { from: 0, to: 1, number: 0 }]);
}

#[test]
fn a_gap_in_the_numbers_is_a_fault() {
    let mut events = good();
    events.push(Event::Told { to: 1, seq: 5 });
    assert_eq!(faults(&events, Promise::Loudness), [Fault::Hole { who: 1, after: 3, seq: 5 }]);
}

#[test]
fn invented_refused_and_unanswered_messages_are_faults() {
    let mut events = good();
    events.push(delivered(7, 4));
    assert_eq!(faults(&events, Promise::Loudness), [Fault::Invented { from: 0, to: 1, number: 7 }]);
    let mut events = good();
    events.push(posted(3));
    assert_eq!(faults(&events, Promise::Loudness), [Fault::Stuck { from: 0, to: 1, number: 3 }]);
    events.push(Event::Refused { from: 0, to: 1, number: 3, why: "peer-unknown".into() });
    assert_eq!(faults(&events, Promise::Loudness), []);
    assert!(matches!(faults(&events, Promise::Everything)[..], [Fault::Refused { .. }]));
    events.push(loud());
    assert_eq!(faults(&events, Promise::Everything).len(), 2);
}
