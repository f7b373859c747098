//! Whether somebody may come in: by ticket, where tickets are asked for, and by the room's secret.

use sha2::{Digest, Sha256};

use crate::{
    api::{
        Api,
        problem::{Code, Problem},
    },
    domain::{Refusal, Rights, RoomName, Secret},
    transport::client_address::AddressKey,
};

/// What a visitor has shown at the door.
#[derive(Debug)]
pub struct Admission {
    from: AddressKey,
    pub rights: Rights,
    /// The name that the ticket gives.
    pub name: Option<String>,
    pub secret: Option<Secret>,
}

impl Admission {
    /// Checks the ticket; the secret is only digested here, and compared with the room's by the domain.
    pub fn of(
        api: &Api,
        from: AddressKey,
        room: &RoomName,
        ticket: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Self, Problem> {
        if ticket.is_some() || secret.is_some() {
            api.rates.check_lockout(from)?;
        }
        let secret = secret.map(hash_secret).transpose()?;
        let (rights, name) = match (&api.tickets, ticket) {
            (None, _) => (Rights::OPEN, None),
            (Some(_), None) => (Rights::NONE, None),
            (Some(keys), Some(ticket)) => {
                let verified = keys.verify(ticket, room);
                let ticket = verified.map_err(|problem| Self::note(api, from, problem))?;
                (Rights { enter: true, create: ticket.create, administer: ticket.admin }, ticket.name)
            }
        };
        Ok(Self { from, rights, name, secret })
    }

    /// The problem that a refusal of the domain is; a wrong secret counts as a failed attempt.
    pub fn refused(&self, api: &Api, refusal: Refusal) -> Problem {
        let guessed = refusal == Refusal::SecretWrong && self.secret.is_some();
        if guessed {
            api.rates.record_failure(self.from);
        }
        refusal.into()
    }

    /// A forged ticket is an attempt; one that is merely old or for another room is a mistake.
    fn note(api: &Api, from: AddressKey, problem: Problem) -> Problem {
        let forged = matches!(problem.code, Code::TicketMalformed | Code::TicketAlgorithm | Code::TicketSignature);
        if forged {
            api.rates.record_failure(from);
        }
        problem
    }
}

/// The longest secret of a room, in characters.
const SECRET_MAX: usize = 256;

/// A secret as the domain keeps it.
pub fn hash_secret(secret: &str) -> Result<Secret, Problem> {
    if !(1..=SECRET_MAX).contains(&secret.chars().count()) {
        return Err(Problem::invalid(format!("`secret` must have 1 to {SECRET_MAX} characters.")));
    }
    Ok(Secret::from_digest(Sha256::digest(secret.as_bytes()).into()))
}
