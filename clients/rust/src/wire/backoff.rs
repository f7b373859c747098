//! How long to wait before a failed request is sent again.

use std::time::Duration;

use crate::Error;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);
const MIN_RETRY_AFTER: Duration = Duration::from_millis(500);
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Refusals that pass with time.
const TEMPORARY: [&str; 3] = ["rate-limited", "mailbox-full", "draining"];

/// The pause after failure number `failures` (0 is the first): anything from 0 to a ceiling that doubles, so that clients which lost
/// the server together do not return together.
pub(crate) fn backoff(failures: u32) -> Duration {
    ceiling(failures).mul_f64(fastrand::f64())
}

fn ceiling(failures: u32) -> Duration {
    (FIRST * 2_u32.pow(failures.min(10))).min(LONGEST)
}

/// A requested delay that a proxy or a mistake may have set: at most two requests a second, and no silence in which a seat would
/// expire. Up to a fifth more, so that clients do not all return at once.
pub(crate) fn bounded(asked: Duration) -> Duration {
    asked.clamp(MIN_RETRY_AFTER, MAX_RETRY_AFTER).mul_f64(1.0 + 0.2 * fastrand::f64())
}

/// How long to wait before trying a failed request again. None if that is pointless.
pub(crate) fn retry_delay(error: &Error, failures: u32) -> Option<Duration> {
    let asked = match error {
        Error::Problem(problem) => {
            let passes = TEMPORARY.contains(&problem.slug.as_str())
                || (problem.status >= 500 && problem.slug != "rooms-exhausted");
            if !passes {
                return None;
            }
            problem.retry_after
        }
        Error::Unreachable(unreachable) => unreachable.retry_after,
        Error::Ended(_) | Error::Backlog | Error::Invalid(_) => return None,
    };
    Some(asked.map_or_else(|| backoff(failures), bounded))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{Problem, Silence, Unreachable};

    fn problem(slug: &str, status: u16, more: serde_json::Value) -> Error {
        let mut document = Map::from_iter([("type".to_owned(), format!("/problems/{slug}").into())]);
        document.extend(more.as_object().cloned().unwrap_or_default());
        Error::Problem(Problem::new(document, status, None))
    }

    fn limits(error: &Error) -> (Duration, Duration) {
        let delays: Vec<_> = (0..300).map(|_| retry_delay(error, 0).unwrap()).collect();
        (*delays.iter().min().unwrap(), *delays.iter().max().unwrap())
    }

    #[test]
    fn the_ceiling_doubles_from_half_a_second_to_eight() {
        let ms: Vec<_> = (0..7).map(|failures| ceiling(failures).as_millis()).collect();
        assert_eq!(ms, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
        assert_eq!(ceiling(u32::MAX), LONGEST);
        assert!((0..300).all(|_| backoff(2) <= ceiling(2)));
    }

    #[test]
    fn a_requested_delay_is_obeyed_between_half_a_second_and_thirty() {
        for (ms, least, most) in [(0, 500, 600), (10_000, 10_000, 12_000), (2_592_000_000_u64, 30_000, 36_000)] {
            let (min, max) = limits(&problem("rate-limited", 429, json!({"retry_after_ms": ms})));
            assert!(min.as_millis() >= least && max.as_millis() <= most, "{ms}: {min:?} to {max:?}");
            assert!(max > min);
        }
        let odd =
            Error::Unreachable(Unreachable { retry_after: Some(Duration::MAX), ..Unreachable::new(Silence::Gateway) });
        assert!(limits(&odd).1 <= MAX_RETRY_AFTER.mul_f64(1.2));
    }

    #[test]
    fn only_what_passes_with_time_is_tried_again() {
        for (slug, status) in [("rate-limited", 429), ("mailbox-full", 429), ("draining", 503), ("internal", 500)] {
            assert!(retry_delay(&problem(slug, status, json!({})), 0).is_some(), "{slug}");
        }
        for (slug, status) in
            [("room-full", 409), ("secret-missing", 401), ("peer-unknown", 404), ("rooms-exhausted", 503)]
        {
            assert!(retry_delay(&problem(slug, status, json!({})), 0).is_none(), "{slug}");
        }
        assert!(retry_delay(&Error::silence(Silence::Foreign), 0).is_some());
        assert!(retry_delay(&Error::invalid("x"), 0).is_none());
    }

    #[test]
    fn an_invalid_retry_after_ms_is_ignored() {
        for more in [json!({"retry_after_ms": -1}), json!({"retry_after_ms": "soon"}), json!({"retry_after_ms": null})]
        {
            let Error::Problem(problem) = problem("rate-limited", 429, more) else { unreachable!() };
            assert_eq!(problem.retry_after, None);
        }
    }
}
