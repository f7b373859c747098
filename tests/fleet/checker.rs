//! Decides whether a history is one that the product may have.
//!
//! Everything that was accepted arrives, once, in its sender's order, and mailboxes are numbered without a hole. Where the
//! store itself may forget what it has acknowledged, messages may be missing or come again, but only across a *mark*: a
//! place in the history at which the reader or the sender was told by name that something is gone.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::history::{Event, Who};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is lost, and nobody is told otherwise.
    Everything,
    /// What is lost is lost loudly.
    Loudness,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Accepted, never delivered, and nobody was told.
    LostSilently {
        from: Who,
        to: Who,
        number: u64,
    },
    /// The same where nothing may be lost, loud or not.
    Lost {
        from: Who,
        to: Who,
        number: u64,
    },
    /// Delivered again although the reader had not been told that it goes back.
    Doubled {
        from: Who,
        to: Who,
        number: u64,
    },
    OutOfOrder {
        from: Who,
        to: Who,
        number: u64,
        after: u64,
    },
    /// Nobody has posted that.
    Invented {
        from: Who,
        to: Who,
        number: u64,
    },
    /// Delivered at another place than the one that its sender was told.
    Misplaced {
        from: Who,
        to: Who,
        number: u64,
        told: u64,
        found: u64,
    },
    Hole {
        who: Who,
        after: u64,
        seq: u64,
    },
    /// Lost its seat or its cursor where that may not happen.
    Unseated {
        who: Who,
        what: String,
    },
    /// Refused where that may not happen.
    Refused {
        from: Who,
        to: Who,
        number: u64,
        why: String,
    },
    /// Posted, and never answered.
    Stuck {
        from: Who,
        to: Who,
        number: u64,
    },
}

/// What a history comes to.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub accepted: usize,
    pub delivered: usize,
    /// Missing, with a mark.
    pub lost_loudly: usize,
    /// Delivered again, across a mark.
    pub reread: usize,
    pub refused: usize,
    pub marks: BTreeMap<String, usize>,
    pub faults: Vec<Fault>,
}

/// Everything between one sender and one reader, each with its place in the history.
#[derive(Default)]
struct Stream {
    posted: HashSet<u64>,
    /// The number of each message, the place its sender was told, and when.
    accepted: Vec<(u64, u64, usize)>,
    refused: Vec<(u64, String)>,
    delivered: Vec<(u64, u64, usize)>,
}

pub fn check(events: &[Event], promise: Promise) -> Verdict {
    let mut verdict = Verdict::default();
    let mut streams: BTreeMap<(Who, Who), Stream> = BTreeMap::new();
    let mut marks: HashMap<Who, Vec<usize>> = HashMap::new();
    let mut cursors: HashMap<Who, u64> = HashMap::new();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Posted { from, to, number } => {
                streams.entry((*from, *to)).or_default().posted.insert(*number);
            }
            Event::Accepted { from, to, number, seq } => {
                streams.entry((*from, *to)).or_default().accepted.push((*number, *seq, at));
            }
            Event::Refused { from, to, number, why } => {
                streams.entry((*from, *to)).or_default().refused.push((*number, why.clone()));
            }
            Event::Delivered { to, from, number, seq } => {
                streams.entry((*from, *to)).or_default().delivered.push((*number, *seq, at));
                advance(&mut cursors, *to, *seq, &mut verdict.faults);
            }
            Event::Told { to, seq } => advance(&mut cursors, *to, *seq, &mut verdict.faults),
            Event::Seated { who, cursor } => {
                cursors.insert(*who, *cursor);
            }
            Event::Loud { who, what } => {
                marks.entry(*who).or_default().push(at);
                *verdict.marks.entry(what.clone()).or_default() += 1;
                if promise == Promise::Everything {
                    verdict.faults.push(Fault::Unseated { who: *who, what: what.clone() });
                }
            }
        }
    }
    for ((from, to), stream) in streams {
        let none = Vec::new();
        let [reader, sender] = [to, from].map(|who| marks.get(&who).unwrap_or(&none));
        stream.judge((from, to), reader, sender, promise, &mut verdict);
    }
    verdict
}

fn advance(cursors: &mut HashMap<Who, u64>, who: Who, seq: u64, faults: &mut Vec<Fault>) {
    let after = cursors.insert(who, seq).unwrap_or(0);
    if seq != after + 1 {
        faults.push(Fault::Hole { who, after, seq });
    }
}

fn any_within(marks: &[usize], from: usize, to: usize) -> bool {
    marks.iter().any(|mark| (from..to).contains(mark))
}

impl Stream {
    fn judge(
        &self,
        (from, to): (Who, Who),
        reader: &[usize],
        sender: &[usize],
        promise: Promise,
        verdict: &mut Verdict,
    ) {
        let places: HashMap<u64, u64> = self.accepted.iter().map(|(number, seq, _)| (*number, *seq)).collect();
        verdict.accepted += places.len();
        verdict.refused += self.refused.len();
        let mut first: BTreeMap<u64, usize> = BTreeMap::new();
        let mut latest: BTreeMap<u64, (u64, usize)> = BTreeMap::new();
        let mut last: Option<(u64, usize)> = None;
        for (number, seq, at) in self.delivered.iter().copied() {
            if !self.posted.contains(&number) {
                verdict.faults.push(Fault::Invented { from, to, number });
            }
            let goes_back = last.is_some_and(|(_, before)| any_within(reader, before, at));
            if let Some(before) = first.get(&number) {
                if any_within(reader, *before, at) {
                    verdict.reread += 1;
                } else {
                    verdict.faults.push(Fault::Doubled { from, to, number });
                }
            } else {
                verdict.delivered += 1;
                first.insert(number, at);
            }
            if let Some((after, _)) = last.filter(|(after, _)| *after > number && !goes_back) {
                verdict.faults.push(Fault::OutOfOrder { from, to, number, after });
            }
            latest.insert(number, (seq, at));
            last = Some((number, at));
        }
        // What was delivered before a mark may have been accepted once more after it.
        for (number, (found, at)) in latest {
            if let Some(told) = places.get(&number).copied().filter(|told| *told != found) {
                if !any_within(reader, at, usize::MAX) {
                    verdict.faults.push(Fault::Misplaced { from, to, number, told, found });
                }
            }
        }
        self.judge_missing((from, to), &first, reader, sender, promise, verdict);
        for (number, why) in &self.refused {
            if promise == Promise::Everything {
                verdict.faults.push(Fault::Refused { from, to, number: *number, why: why.clone() });
            }
        }
        let answered: HashSet<u64> =
            places.keys().copied().chain(self.refused.iter().map(|(number, _)| *number)).collect();
        let stuck = self.posted.difference(&answered).map(|number| Fault::Stuck { from, to, number: *number });
        verdict.faults.extend(stuck);
    }

    /// What was accepted and never came: is there a mark between what came before it and what came after?
    fn judge_missing(
        &self,
        (from, to): (Who, Who),
        first: &BTreeMap<u64, usize>,
        reader: &[usize],
        sender: &[usize],
        promise: Promise,
        verdict: &mut Verdict,
    ) {
        for (number, _, _) in self.accepted.iter().copied().filter(|(number, _, _)| !first.contains_key(number)) {
            let start = first.range(..number).map(|(_, at)| *at).max().unwrap_or(0);
            let end = first.range(number + 1..).map(|(_, at)| *at).min().unwrap_or(usize::MAX);
            let told = any_within(reader, start, end) || any_within(sender, start, end);
            match promise {
                Promise::Everything => verdict.faults.push(Fault::Lost { from, to, number }),
                Promise::Loudness if told => verdict.lost_loudly += 1,
                Promise::Loudness => verdict.faults.push(Fault::LostSilently { from, to, number }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// Three messages that came as they should.
    fn good() -> Vec<Event> {
        let message = |number| [posted(number), accepted(number, number + 1), delivered(number, number + 1)];
        std::iter::once(seated(0)).chain((0..3).flat_map(message)).collect()
    }

    fn faults(events: &[Event], promise: Promise) -> Vec<Fault> {
        check(events, promise).faults
    }

    #[test]
    fn a_good_history_has_no_fault() {
        for promise in [Promise::Everything, Promise::Loudness] {
            let verdict = check(&good(), promise);
            assert_eq!((verdict.accepted, verdict.delivered, verdict.faults), (3, 3, vec![]));
        }
    }

    #[test]
    fn a_message_that_is_lost_is_found_out() {
        let mut events = good();
        events.extend([posted(3), accepted(3, 4)]);
        let (from, to, number) = (0, 1, 3);
        assert_eq!(faults(&events, Promise::Everything), [Fault::Lost { from, to, number }]);
        assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from, to, number }]);
    }

    #[test]
    fn what_the_reader_was_told_before_or_long_after_excuses_nothing() {
        let lost = [posted(3), accepted(3, 4)];
        let early: Vec<Event> = [loud(), seated(0)].into_iter().chain(good()).chain(lost.clone()).collect();
        let late: Vec<Event> =
            good().into_iter().chain(lost).chain([posted(4), accepted(4, 4), delivered(4, 4), loud()]).collect();
        for events in [early, late] {
            assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
        }
    }

    #[test]
    fn a_message_that_is_lost_with_a_restart_must_be_lost_loudly() {
        let again = [posted(4), accepted(4, 901), delivered(4, 901)];
        let lost = [posted(3), accepted(3, 4)];
        let silent: Vec<Event> =
            good().into_iter().chain(lost.clone()).chain([seated(900)]).chain(again.clone()).collect();
        assert_eq!(faults(&silent, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
        let told: Vec<Event> = good().into_iter().chain(lost).chain([loud(), seated(900)]).chain(again).collect();
        let verdict = check(&told, Promise::Loudness);
        assert_eq!((verdict.lost_loudly, verdict.faults), (1, vec![]));
        assert!(!faults(&told, Promise::Everything).is_empty());
    }

    #[test]
    fn a_rollback_that_the_cursor_hides_is_found_out() {
        // The store forgets number 2, which was read, and gives its place to number 3, which the reader never asks for.
        let mut events = good();
        events.extend([posted(3), accepted(3, 3), posted(4), accepted(4, 4), delivered(4, 4)]);
        assert_eq!(faults(&events, Promise::Loudness), [Fault::LostSilently { from: 0, to: 1, number: 3 }]);
    }

    #[test]
    fn a_keyed_post_with_two_effects_is_found_out() {
        let mut events = good();
        events.push(delivered(2, 4));
        assert!(faults(&events, Promise::Loudness).contains(&Fault::Doubled { from: 0, to: 1, number: 2 }));
        // What comes again because the reader was sent back is another matter.
        let mut reread = good();
        reread.extend([loud(), seated(1), delivered(1, 2), delivered(2, 3)]);
        let verdict = check(&reread, Promise::Loudness);
        assert_eq!((verdict.reread, verdict.faults), (2, vec![]));
    }

    #[test]
    fn an_answer_that_is_read_twice_is_a_hole_and_a_double() {
        let mut events = good();
        events.push(delivered(2, 3));
        let found = faults(&events, Promise::Everything);
        assert!(found.contains(&Fault::Hole { who: 1, after: 3, seq: 3 }), "{found:?}");
        assert!(found.contains(&Fault::Doubled { from: 0, to: 1, number: 2 }), "{found:?}");
    }

    #[test]
    fn a_wrong_order_is_found_out() {
        let mut events = vec![seated(0), posted(0), posted(1), accepted(0, 1), accepted(1, 2)];
        events.extend([delivered(1, 1), delivered(0, 2)]);
        let found = faults(&events, Promise::Loudness);
        assert!(found.contains(&Fault::OutOfOrder { from: 0, to: 1, number: 0, after: 1 }), "{found:?}");
        assert!(found.contains(&Fault::Misplaced { from: 0, to: 1, number: 1, told: 2, found: 1 }), "{found:?}");
    }

    #[test]
    fn a_post_whose_answer_was_lost_together_with_its_key_may_come_again_across_a_mark() {
        let first = [seated(0), posted(0), delivered(0, 1)];
        let again = [accepted(0, 901), delivered(0, 901)];
        let told: Vec<Event> = first.iter().cloned().chain([loud(), seated(900)]).chain(again.clone()).collect();
        let verdict = check(&told, Promise::Loudness);
        assert_eq!((verdict.reread, verdict.faults), (1, vec![]));
        let untold: Vec<Event> = first.into_iter().chain([seated(900)]).chain(again).collect();
        assert_eq!(faults(&untold, Promise::Loudness), [Fault::Doubled { from: 0, to: 1, number: 0 }]);
    }

    #[test]
    fn a_hole_in_the_numbers_is_found_out() {
        let mut events = good();
        events.push(Event::Told { to: 1, seq: 5 });
        assert_eq!(faults(&events, Promise::Loudness), [Fault::Hole { who: 1, after: 3, seq: 5 }]);
    }

    #[test]
    fn what_was_invented_refused_or_never_answered_is_found_out() {
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
}
