//! Who may enter a room: by ticket, where the server requires one, and by the room's secret.

use std::sync::Arc;

use crate::{
    api::{
        Api, Problem,
        auth::{caller::Joiner, failures::Guess, rate_limit::RateLimiters, ticket::Ticket, token::SeatClaim},
    },
    domain::{Joined, Refusal, Rights, RoomName, Secret, Subject},
    transport::client_address::AddressKey,
};

/// What a client's ticket and secret amount to.
#[derive(Debug)]
pub struct Admission {
    pub rights: Rights,
    /// The peer's name according to the ticket.
    pub name: Option<String>,
    /// The one given, or that of the room for which a returning peer's token was issued.
    pub secret: Option<Secret>,
    /// The bearer of the ticket.
    pub subject: Option<Subject>,
    /// The given secret, unless a token proves it.
    unproven: Option<Secret>,
    /// Why the ticket of a returning peer is not valid. As long as it has its seat it needs none.
    ticket_problem: Option<Problem>,
}

/// A secret that counts as a wrong guess until its outcome is known, also if the client does not wait for it.
#[derive(Debug)]
pub struct Attempt {
    rates: Arc<RateLimiters>,
    guess: Option<Guess>,
}

impl Admission {
    /// Verifies the ticket. The domain compares the secret with the room's.
    pub fn check(
        api: &Api,
        address: AddressKey,
        room: &RoomName,
        returning: Option<SeatClaim>,
        ticket: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Self, Problem> {
        secret.map(check_secret).transpose()?;
        let given = secret.map(|secret| api.tokens.digest_secret(room, secret));
        let known = returning.and_then(|claim| claim.secret);
        let mut ticket_problem = None;
        let (rights, ticket) = match (&api.tickets, ticket) {
            (None, _) => (Rights::OPEN, Ticket::default()),
            (Some(_), None) => (Rights::NONE, Ticket::default()),
            (Some(keys), Some(ticket)) => match keys.verify(ticket, room, api.clock.wall_seconds()) {
                Ok(ticket) => (rights_of(&ticket), ticket),
                Err(problem) if returning.is_some() => {
                    ticket_problem = Some(problem);
                    (Rights::NONE, Ticket::default())
                }
                // A signature cannot be guessed, so this only bounds the work of verifying them.
                Err(problem) => return Err(api.rates.anonymous.check(address).err().unwrap_or(problem)),
            },
        };
        let subject = ticket.subject.map(|subject| api.tokens.digest_subject(&subject));
        let unproven = given.filter(|_| given != known);
        Ok(Self { rights, name: ticket.name, secret: given.or(known), subject, unproven, ticket_problem })
    }

    /// To be called right before the room is asked.
    pub fn attempt(&self, api: &Api, joiner: &Joiner) -> Result<Attempt, Problem> {
        let begin = |secret| api.rates.begin_guess(&joiner.room, joiner.address, secret);
        Ok(Attempt { guess: self.unproven.map(begin).transpose()?, rates: api.rates.clone() })
    }

    pub fn problem(self, refusal: Refusal) -> Problem {
        match (refusal, self.ticket_problem) {
            (Refusal::TicketMissing, Some(problem)) => problem,
            (refusal, _) => refusal.into(),
        }
    }
}

impl Attempt {
    pub fn conclude(mut self, joined: &Result<Joined, Refusal>) {
        let Some(guess) = self.guess.take_if(|_| !matches!(joined, Err(Refusal::SecretWrong))) else { return };
        self.rates.forgive_guess(guess, joined.is_ok());
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if let Some(guess) = self.guess.take() {
            self.rates.record_failure(guess.address);
        }
    }
}

fn rights_of(ticket: &Ticket) -> Rights {
    Rights { enter: true, create: ticket.create, own: ticket.admin, administer: ticket.admin }
}

/// Four digits are guessed within hours, however slowly they are tried.
const SECRET_MIN_CHARS: usize = 8;
const SECRET_MAX_CHARS: usize = 256;

pub fn check_secret(secret: &str) -> Result<(), Problem> {
    if (SECRET_MIN_CHARS..=SECRET_MAX_CHARS).contains(&secret.chars().count()) {
        return Ok(());
    }
    let detail = format!("`secret` must have {SECRET_MIN_CHARS} to {SECRET_MAX_CHARS} characters.");
    Err(Problem::invalid(detail).with("secret_chars_min", SECRET_MIN_CHARS))
}
