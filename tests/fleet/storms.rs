//! The simulation of a fleet (`benches/fleet`), with few clients.

use std::time::Duration;

use crate::storm::{Death, Outcome, Service, Setting, Sharing, Storm};

const CLIENTS: usize = 10_000;
const STORE: Sharing = Sharing::Store { parts: 2, operation: Duration::from_micros(30) };

fn storm(sharing: Sharing, death: Death, jitter: bool) -> Outcome {
    let service = Service { join: Duration::from_micros(60), poll: Duration::from_micros(20) };
    let outcome = Storm::run(Setting { clients: CLIENTS, nodes: 5, sharing, death, jitter, service, seed: 7 }).unwrap();
    let share = CLIENTS / 5;
    assert!(outcome.lost > share / 2 && outcome.lost < share * 2, "{outcome:?}");
    assert_eq!((outcome.missing, outcome.strangers), (0, 0), "somebody is not back: {outcome:?}");
    outcome
}

#[test]
fn only_clients_of_a_dead_node_join_again_and_once() {
    for death in [Death::Killed, Death::Drained, Death::Silent] {
        for jitter in [true, false] {
            let outcome = storm(Sharing::ByPath, death, jitter);
            let joins: u32 = outcome.joins.iter().sum();
            assert_eq!((joins as usize, outcome.seated as usize), (outcome.lost, outcome.lost), "{outcome:?}");
        }
    }
}

#[test]
fn jitter_lowers_the_peak_of_joins() {
    for (death, at_most) in [(Death::Killed, 0.5), (Death::Drained, 0.25)] {
        let [with, without] = [true, false].map(|jitter| storm(Sharing::ByPath, death, jitter).peak);
        assert!(f64::from(with) < f64::from(without) * at_most, "{death:?}: {with}, {without}");
    }
}

#[test]
fn with_rooms_in_a_store_no_client_joins_again() {
    let outcome = storm(STORE, Death::Killed, true);
    assert_eq!((outcome.joins.len(), outcome.seated, outcome.refusals.len()), (0, 0, 0));
    assert_eq!(outcome.polls.iter().map(|span| *span as usize).sum::<usize>(), outcome.lost);
}

#[test]
fn after_a_possible_loss_every_client_resumes_its_seat() {
    let service = Service { join: Duration::from_micros(60), poll: Duration::from_micros(20) };
    let setting =
        Setting { clients: CLIENTS, nodes: 5, sharing: STORE, death: Death::Store, jitter: true, service, seed: 7 };
    let outcome = Storm::run(setting).unwrap();
    let joins = outcome.joins.iter().sum::<u32>() as usize;
    assert_eq!((outcome.lost, joins, outcome.seated, outcome.missing), (CLIENTS, CLIENTS, 0, 0), "{outcome:?}");
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let [first, second] = [(); 2].map(|()| storm(Sharing::ByPath, Death::Killed, true));
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}

#[test]
fn an_undersized_fleet_never_recovers() {
    let service = Service { join: Duration::from_millis(6), poll: Duration::from_millis(2) };
    let setting = Setting {
        clients: CLIENTS,
        nodes: 2,
        sharing: Sharing::ByPath,
        death: Death::Killed,
        jitter: true,
        service,
        seed: 7,
    };
    let outcome = Storm::run(setting).unwrap();
    assert!(outcome.missing > 0 && outcome.timeouts > 0, "{outcome:?}");
}
