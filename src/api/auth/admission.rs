//! Who may enter a room: by ticket, where the server requires one, and by the room's secret.

use crate::{
    api::{Api, Code, Problem, auth::ticket::Ticket},
    domain::{Joined, Refusal, Rights, RoomName, Secret, Subject},
    transport::client_address::AddressKey,
};

/// What a client's ticket and secret amount to.
#[derive(Debug)]
pub struct Admission {
    address: AddressKey,
    pub rights: Rights,
    /// The peer's name according to the ticket.
    pub name: Option<String>,
    pub secret: Option<Secret>,
    /// The bearer of the ticket.
    pub subject: Option<Subject>,
    /// The secret counts as a guess until the room has accepted it.
    is_guess: bool,
}

impl Admission {
    /// Verifies the ticket. The domain compares the secret with the room's.
    pub fn check(
        api: &Api,
        address: AddressKey,
        room: &RoomName,
        ticket: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Self, Problem> {
        if ticket.is_some() || secret.is_some() {
            api.rates.check_lockout(address)?;
        }
        secret.map(check_secret).transpose()?;
        let secret = secret.map(|secret| api.tokens.digest_secret(room, secret));
        let (rights, ticket) = match (&api.tickets, ticket) {
            (None, _) => (Rights::OPEN, Ticket::default()),
            (Some(_), None) => (Rights::NONE, Ticket::default()),
            (Some(keys), Some(ticket)) => {
                let ticket = keys.verify(ticket, room, api.clock.wall_seconds()).inspect_err(|problem| {
                    // A forged ticket is an attempt; one that has expired or is for another room is a mistake.
                    let forgery = [Code::TicketMalformed, Code::TicketAlgorithm, Code::TicketSignature];
                    if forgery.contains(&problem.code) {
                        api.rates.record_failure(address);
                    }
                })?;
                let Ticket { create, admin, .. } = ticket;
                (Rights { enter: true, create, own: admin, administer: admin }, ticket)
            }
        };
        let is_guess = secret.is_some() && api.rates.begin_guess(room, address)?;
        let subject = ticket.subject.map(|subject| api.tokens.digest_subject(&subject));
        Ok(Self { address, rights, name: ticket.name, secret, subject, is_guess })
    }

    /// Counts a wrong secret as a failed attempt.
    pub fn conclude(&self, api: &Api, room: &RoomName, joined: Result<Joined, Refusal>) -> Result<Joined, Problem> {
        let was_wrong = matches!(joined, Err(Refusal::SecretWrong)) && self.secret.is_some();
        if was_wrong {
            api.rates.record_failure(self.address);
        } else if self.is_guess {
            api.rates.forgive_guess(room);
        }
        if joined.is_ok() && self.secret.is_some() {
            api.rates.remember_guest(room, self.address);
        }
        Ok(joined?)
    }
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
