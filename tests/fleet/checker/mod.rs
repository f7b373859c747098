//! Decides whether a history is allowed.
//!
//! Every accepted message arrives once, in its sender's order, and mailboxes are numbered without gaps. Where the store may forget
//! acknowledged writes, messages may be missing or repeated, but only across a *mark*: a point in the history at which the reader or
//! the sender was explicitly told that something is gone.

mod bad_histories;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::history::{Event, Who};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// Nothing is lost, and there are no marks.
    Everything,
    /// Losses are reported.
    Loudness,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Accepted and never delivered, without a mark.
    LostSilently {
        from: Who,
        to: Who,
        number: u64,
    },
    /// Lost with a mark, where nothing may be lost.
    Lost {
        from: Who,
        to: Who,
        number: u64,
    },
    /// Delivered again without a mark.
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
    /// Never posted.
    Invented {
        from: Who,
        to: Who,
        number: u64,
    },
    /// Delivered with a different `seq` than its sender was told.
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
    /// Lost a seat or cursor where that may not happen.
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

/// The result of a check.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub accepted: usize,
    pub delivered: usize,
    /// Missing, with a mark.
    pub lost_loudly: usize,
    /// Repeated across a mark.
    pub reread: usize,
    pub refused: usize,
    pub marks: BTreeMap<String, usize>,
    pub faults: Vec<Fault>,
}

/// Everything between one sender and one reader, with positions in the history.
#[derive(Default)]
struct Stream {
    posted: HashSet<u64>,
    /// The number of each message, the `seq` its sender was told, and when.
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
        // A message delivered before a mark may have been accepted again after it.
        for (number, (found, at)) in latest {
            if let Some(told) = places.get(&number).copied().filter(|told| *told != found)
                && !any_within(reader, at, usize::MAX)
            {
                verdict.faults.push(Fault::Misplaced { from, to, number, told, found });
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

    /// For accepted messages that never arrived: is there a mark between their neighbors?
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
