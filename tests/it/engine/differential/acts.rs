//! One operation, and its response as text.

use std::time::Duration;

use signalpost::{
    domain::{
        Batch, Content, CreatorId, KeyedRequest, PeerId, Post, Refusal, Rights, RoomName, RoomPlan, Secret, Source,
        Visitor,
    },
    engine::{Engine, PollRequest},
};

#[derive(Clone, Debug)]
pub enum Act {
    Create(RoomName, RoomPlan, CreatorId),
    Join(RoomName, Visitor),
    Post(RoomName, PeerId, Post),
    Poll(RoomName, PeerId, PollRequest),
    Leave(RoomName, PeerId),
    Goodbye(RoomName, PeerId),
    Kick(RoomName, CreatorId, PeerId),
    Lock(RoomName, CreatorId, bool),
    Close(RoomName, CreatorId),
    View(RoomName),
    Roster(RoomName, PeerId),
}

/// The outcome, as far as later steps need it.
#[derive(Debug, Default)]
pub struct Outcome {
    pub seated: Option<PeerId>,
    pub cursor: Option<u64>,
}

/// The response to compare, and the outcome.
pub async fn perform(engine: &Engine, act: &Act) -> (String, Outcome) {
    let mut outcome = Outcome::default();
    let answer = match act {
        Act::Create(name, plan, creator) => format!("{:?}", engine.create(name, plan.clone(), *creator).await),
        Act::Join(name, visitor) => {
            let joined = engine.join(name, visitor.clone()).await;
            let joined = joined.inspect(|joined| {
                outcome = Outcome { seated: Some(joined.card.id), cursor: Some(joined.cursor.get()) };
            });
            format!("{joined:?}")
        }
        Act::Post(name, from, post) => format!("{:?}", engine.post(name, *from, post.clone()).await),
        Act::Poll(name, peer, asked) => {
            let batch = engine.receive(name, *peer, *asked, Duration::ZERO).await;
            outcome.cursor = batch.as_ref().ok().map(|batch| batch.cursor.get());
            shown(&batch)
        }
        Act::Leave(name, peer) => format!("{:?}", engine.leave(name, *peer).await),
        Act::Goodbye(name, peer) => format!("{:?}", engine.say_goodbye(name, *peer).await),
        Act::Kick(name, creator, peer) => format!("{:?}", engine.kick(name, *creator, *peer).await),
        Act::Lock(name, creator, locked) => format!("{:?}", engine.lock(name, *creator, *locked).await),
        Act::Close(name, creator) => format!("{:?}", engine.close(name, *creator).await),
        Act::View(name) => format!("{:?}", engine.view(name).await),
        Act::Roster(name, peer) => format!("{:?}", engine.roster(name, *peer).await),
    };
    (answer, outcome)
}

/// A batch with its payloads, shortened: `Debug` does not print them.
pub fn shown(batch: &Result<Batch, Refusal>) -> String {
    let payloads = batch.iter().flat_map(|batch| &batch.messages).filter_map(|message| match &message.content {
        Content::Relayed { payload, .. } => Some(payload.as_str().chars().take(16).collect::<String>()),
        _ => None,
    });
    let payloads: Vec<String> = payloads.collect();
    format!("{batch:?} {payloads:?}")
}

/// One of three addresses, two of which are neighbors.
pub fn source(dice: u8) -> Source {
    let address = u64::from(dice % 3);
    Source { address, network: address / 2 }
}

pub fn rights(dice: u8, administer: u8) -> Rights {
    Rights { enter: dice < 240, create: dice < 220, own: administer % 4 < 2, administer: administer.is_multiple_of(8) }
}

/// A random room creation, using every option.
pub fn plan(keyed: bool, dice: [u8; 4]) -> RoomPlan {
    let [capacity, secret, key, request] = dice;
    let made_by = KeyedRequest { key: u128::from(key % 2), request: u128::from(request % 2) };
    RoomPlan {
        capacity: (capacity < 128).then_some(usize::from(capacity % 8)),
        secret: (secret < 40).then(|| Secret::from_digest([secret % 2 + 1; Secret::LEN])),
        made_by: keyed.then_some(made_by),
        source: source(key),
        ..RoomPlan::default()
    }
}
