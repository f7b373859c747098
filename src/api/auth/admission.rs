//! Who may enter a room: by ticket, where the server requires one, and by the room's secret.

use sha2::{Digest, Sha256};

use crate::{
    api::{Api, Code, Problem},
    domain::{Refusal, Rights, RoomName, Secret},
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
}

impl Admission {
    /// Verifies the ticket. The secret is only hashed; the domain compares it with the room's.
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
        let secret = secret.map(hash_secret).transpose()?;
        let (rights, name) = match (&api.tickets, ticket) {
            (None, _) => (Rights::OPEN, None),
            (Some(_), None) => (Rights::NONE, None),
            (Some(keys), Some(ticket)) => {
                let ticket = keys.verify(ticket, room).inspect_err(|problem| {
                    // A forged ticket is an attempt; one that has expired or is for another room is a mistake.
                    let forgery = [Code::TicketMalformed, Code::TicketAlgorithm, Code::TicketSignature];
                    if forgery.contains(&problem.code) {
                        api.rates.record_failure(address);
                    }
                })?;
                (Rights { enter: true, create: ticket.create, administer: ticket.admin }, ticket.name)
            }
        };
        Ok(Self { address, rights, name, secret })
    }

    /// The problem for a refusal by the domain. A wrong secret counts as a failed attempt.
    pub fn problem(&self, api: &Api, refusal: Refusal) -> Problem {
        if refusal == Refusal::SecretWrong && self.secret.is_some() {
            api.rates.record_failure(self.address);
        }
        refusal.into()
    }
}

const SECRET_MAX_CHARS: usize = 256;

pub fn hash_secret(secret: &str) -> Result<Secret, Problem> {
    if !(1..=SECRET_MAX_CHARS).contains(&secret.chars().count()) {
        return Err(Problem::invalid(format!("`secret` must have 1 to {SECRET_MAX_CHARS} characters.")));
    }
    Ok(Secret::from_digest(Sha256::digest(secret.as_bytes()).into()))
}
