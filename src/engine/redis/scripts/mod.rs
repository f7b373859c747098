//! The Lua scripts, one for each operation, and how to call one. Each but `permissions.lua` begins with the limits and
//! what is in `shared`.

use std::sync::LazyLock;

use redis::{Cmd, ToRedisArgs};
use sha1::{Digest, Sha1};

use crate::{
    domain::{KeyedRequest, Limits, Page, Source},
    engine::redis::keys::Bucket,
};

/// A script that adds data: Redis refuses it before it begins if memory is exhausted.
const ADDING: &str = "#!lua\n";
/// A script that frees memory, or takes little for a short time.
const ALWAYS: &str = "#!lua flags=allow-oom\n";
const PRELUDE: &str = concat!(include_str!("shared/prelude.lua"), "\n", include_str!("shared/room.lua"));

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident($flags:ident, $file:literal),)*) => {
        /// Each is atomic, and one round trip.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Script {
            $($(#[$doc])* $name,)*
        }

        impl Script {
            pub const ALL: &[Script] = &[$(Script::$name,)*];

            fn source(self) -> (&'static str, &'static str) {
                match self {
                    $(Script::$name => ($flags, include_str!($file)),)*
                }
            }
        }
    };
}

scripts! {
    Create(ADDING, "create.lua"),
    Join(ADDING, "join.lua"),
    Post(ADDING, "post.lua"),
    Read(ALWAYS, "read.lua"),
    Release(ALWAYS, "release.lua"),
    Leave(ALWAYS, "leave.lua"),
    Goodbye(ALWAYS, "goodbye.lua"),
    Kick(ALWAYS, "kick.lua"),
    Lock(ALWAYS, "lock.lua"),
    Close(ALWAYS, "close.lua"),
    View(ALWAYS, "view.lua"),
    Roster(ALWAYS, "roster.lua"),
    Seated(ALWAYS, "seated.lua"),
    Sweep(ALWAYS, "sweep.lua"),
    /// It concerns no room.
    Relays(ALWAYS, "nodes/relays.lua"),
    /// A join that only returns to an existing seat.
    Resume(ALWAYS, "join.lua"),
    /// Tries what our user may do. It concerns no room.
    Permissions(ALWAYS, "../connection/permissions.lua"),
}

/// By which Redis knows each script.
static DIGESTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Script::ALL.iter().map(|script| hex(&Sha1::digest(script.text().as_bytes()))).collect()
});

impl Script {
    pub fn text(self) -> String {
        let (flags, body) = self.source();
        match self {
            Script::Permissions => format!("{flags}{body}"),
            _ => format!("{flags}{}{PRELUDE}\n{body}", limits()),
        }
    }

    pub fn digest(self) -> &'static str {
        &DIGESTS[self as usize]
    }
}

/// In one bucket, a source may have this fraction of its share: rooms of many names are in many buckets. If all of an address' rooms
/// are spread evenly, it gets four fifths of everything; the nodes, who see all buckets, stop it before.
const BUCKET_DIVISOR: usize = 64;

/// The limits that are the same for every server. Configured ones are arguments.
fn limits() -> String {
    let limits = [
        ("ADDRESS_SHARE", Limits::ADDRESS_SHARE),
        ("NETWORK_SHARE", Limits::NETWORK_SHARE),
        ("BUCKET_DIVISOR", BUCKET_DIVISOR),
        ("SMALL_POST_COST", Limits::SMALL_POST_COST),
        ("ROOM_COST", Limits::ROOM_COST),
        ("PEER_COST", Limits::PEER_COST),
        ("MESSAGE_COST", Limits::MESSAGE_COST),
        ("ANSWER_COST", Limits::ANSWER_COST),
        ("POSITION_COST", Limits::POSITION_COST),
        ("EVENT_BYTES", Limits::EVENT_BYTES),
        ("EVENT_HEADROOM", Limits::EVENT_HEADROOM),
        ("EVENT_HEADROOM_BYTES", Limits::EVENT_HEADROOM_BYTES),
        ("KICKED_REMEMBERED", Limits::KICKED_REMEMBERED),
        ("READ_BYTES", Limits::READ_BYTES),
        ("REMEMBERED_POSITIONS", Limits::REMEMBERED_POSITIONS),
    ];
    limits.iter().map(|(name, value)| format!("local {name} = {value}\n")).collect()
}

/// A call under construction.
pub struct Call {
    cmd: Cmd,
    pub bucket: Bucket,
}

impl Call {
    /// `head` has the arguments of every script: the time, the node, and the lease of an empty room.
    pub fn new(script: Script, bucket: Bucket, key: &str, head: [&str; 3], room: &str) -> Self {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(script.digest()).arg(1).arg(key).arg(&head[..]).arg(room);
        Self { cmd, bucket }
    }

    pub fn arg(&mut self, value: impl ToRedisArgs) -> &mut Self {
        self.cmd.arg(value);
        self
    }

    /// `None` is an empty argument.
    pub fn some(&mut self, value: Option<impl ToRedisArgs>) -> &mut Self {
        match value {
            Some(value) => self.arg(value),
            None => self.arg(""),
        }
    }

    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.some(value.then_some(1))
    }

    pub fn source(&mut self, source: Source) -> &mut Self {
        self.arg(&[source.address.to_be_bytes(), source.network.to_be_bytes()].concat()[..])
    }

    pub fn page(&mut self, page: Option<Page>) -> &mut Self {
        self.some(page.map(|Page(number)| number.to_be_bytes().to_vec()))
    }

    /// Two arguments: the key and the request.
    pub fn key(&mut self, keyed: Option<KeyedRequest>) -> &mut Self {
        let bytes = |number: u128| number.to_be_bytes().to_vec();
        self.some(keyed.map(|keyed| bytes(keyed.key))).some(keyed.map(|keyed| bytes(keyed.request)))
    }

    pub fn into_cmd(self) -> Cmd {
        self.cmd
    }
}
