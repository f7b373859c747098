//! How long to ask the server to hold a poll. Each proxy has its own idle time-out; this finds it.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_secs(5);
/// The strictest common proxies time out after 30 s.
const USUAL: Duration = Duration::from_secs(25);
/// A poll that ended sooner was not cut because it was idle.
pub(crate) const OPEN: Duration = Duration::from_secs(4);
/// Full holds after which the hold grows again.
const GROWS_AFTER: u32 = 12;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hold {
    /// What to ask for.
    pub(crate) wait: Duration,
    longest: Duration,
    /// Consecutive full holds.
    quiet: u32,
    /// Age at which the last poll was cut, if one was.
    cut_at: Option<Duration>,
}

impl Hold {
    pub(crate) fn new(wait_max: Duration) -> Self {
        let longest = USUAL.min(wait_max);
        Self { wait: longest, longest, quiet: 0, cut_at: None }
    }

    /// A poll was answered, `age` after it was sent.
    pub(crate) fn answered(&mut self, age: Duration) {
        self.cut_at = self.cut_at.filter(|cut_at| age <= *cut_at);
        // The server shortens holds by up to a tenth.
        if age < self.wait.mul_f64(0.85) {
            return;
        }
        self.quiet += 1;
        if self.quiet == GROWS_AFTER {
            self.quiet = 0;
            self.wait = self.wait.mul_f64(1.25).min(self.longest);
        }
    }

    /// A gateway timed out and responded with an error.
    pub(crate) fn timed_out(&mut self, age: Duration) {
        let shorter = (self.wait / 2).min(age.mul_f64(0.8));
        *self = Self { wait: shorter.max(SHORTEST).min(self.longest), quiet: 0, cut_at: None, ..*self };
    }

    /// The connection was cut. Once is an accident; twice at about the same age is a time-out.
    pub(crate) fn cut(&mut self, age: Duration) {
        if age < OPEN {
            return;
        }
        let near = age.mul_f64(0.15).max(Duration::from_secs(1));
        if self.cut_at.is_some_and(|cut_at| cut_at.abs_diff(age) <= near) {
            return self.timed_out(age);
        }
        self.quiet = 0;
        self.cut_at = Some(age);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_what_the_server_and_usual_proxies_allow() {
        assert_eq!(Hold::new(s(55)).wait, s(25));
        assert_eq!(Hold::new(s(10)).wait, s(10));
    }

    #[test]
    fn a_gateway_that_times_out_halves_it_down_to_five_seconds() {
        let mut hold = Hold::new(s(55));
        hold.timed_out(s(20));
        assert_eq!(hold.wait, s(25) / 2);
        hold.timed_out(s(7));
        assert_eq!(hold.wait, s(7).mul_f64(0.8));
        hold.timed_out(s(5));
        assert_eq!(hold.wait, s(5));
        let mut short = Hold::new(s(2));
        short.timed_out(s(2));
        assert_eq!(short.wait, s(2));
    }

    #[test]
    fn it_takes_two_cuts_at_about_the_same_age() {
        let mut hold = Hold::new(s(55));
        hold.cut(s(3));
        hold.cut(s(3));
        hold.cut(s(10));
        hold.cut(s(20));
        assert_eq!(hold.wait, s(25));
        hold.cut(s(19));
        assert!(hold.wait < s(13));
    }

    #[test]
    fn an_answer_after_more_time_than_a_cut_shows_that_there_is_no_limit() {
        let mut hold = Hold::new(s(55));
        hold.cut(s(10));
        hold.answered(s(11));
        hold.cut(s(10));
        assert_eq!(hold.wait, s(25));
    }

    #[test]
    fn twelve_full_holds_make_it_a_quarter_longer() {
        let mut hold = Hold::new(s(55));
        hold.timed_out(s(20));
        let before = hold.wait;
        for _ in 0..11 {
            hold.answered(before);
            hold.answered(s(1));
        }
        assert_eq!(hold.wait, before);
        hold.answered(before);
        assert_eq!(hold.wait, before.mul_f64(1.25));
        for _ in 0..200 {
            hold.answered(hold.wait);
        }
        assert_eq!(hold.wait, s(25));
    }
}
