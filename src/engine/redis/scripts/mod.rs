//! The scripts, one for each operation, and how one is called. `prelude.lua` and `room.lua` stand before each of them,
//! except `rights.lua`.

use redis::{Cmd, ToRedisArgs};
use sha1::{Digest, Sha1};

use crate::{domain::Page, engine::redis::keys::Bucket};

/// One for each operation: each is atomic, and one round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    Create,
    Join,
    Post,
    Read,
    Release,
    Leave,
    Goodbye,
    Kick,
    Lock,
    Close,
    View,
    Roster,
    Sweep,
    /// A join that lets nobody new in.
    ComeBack,
    /// What the user may not do. It is about no room.
    Rights,
}

/// Redis refuses these before they begin when it has as much as it may have.
const ADDING: &str = "#!lua\n";
/// These free memory, or take a little for a little while.
const ALWAYS: &str = "#!lua flags=allow-oom\n";
const PRELUDE: &str = concat!(include_str!("prelude.lua"), "\n", include_str!("room.lua"));

impl Script {
    pub const ALL: [Script; 15] = [
        Script::Create,
        Script::Join,
        Script::Post,
        Script::Read,
        Script::Release,
        Script::Leave,
        Script::Goodbye,
        Script::Kick,
        Script::Lock,
        Script::Close,
        Script::View,
        Script::Roster,
        Script::Sweep,
        Script::ComeBack,
        Script::Rights,
    ];

    /// Its whole text.
    pub fn text(self) -> String {
        let (flags, body) = match self {
            Script::Rights => return format!("{ALWAYS}{}", include_str!("rights.lua")),
            Script::Create => (ADDING, include_str!("create.lua")),
            Script::Join => (ADDING, include_str!("join.lua")),
            Script::Post => (ADDING, include_str!("post.lua")),
            Script::Read => (ALWAYS, include_str!("read.lua")),
            Script::Release => (ALWAYS, include_str!("release.lua")),
            Script::Leave => (ALWAYS, include_str!("leave.lua")),
            Script::Goodbye => (ALWAYS, include_str!("goodbye.lua")),
            Script::Kick => (ALWAYS, include_str!("kick.lua")),
            Script::Lock => (ALWAYS, include_str!("lock.lua")),
            Script::Close => (ALWAYS, include_str!("close.lua")),
            Script::View => (ALWAYS, include_str!("view.lua")),
            Script::Roster => (ALWAYS, include_str!("roster.lua")),
            Script::Sweep => (ALWAYS, include_str!("sweep.lua")),
            Script::ComeBack => (ALWAYS, include_str!("join.lua")),
        };
        format!("{flags}{PRELUDE}\n{body}")
    }
}

/// What Redis calls the scripts by.
#[derive(Debug)]
pub struct Digests([String; Script::ALL.len()]);

impl Digests {
    pub fn reckon() -> Self {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Self(Script::ALL.map(|script| hex(&Sha1::digest(script.text().as_bytes()))))
    }

    pub fn of(&self, script: Script) -> &str {
        &self.0[script as usize]
    }
}

/// A call as it is being written.
pub struct Call {
    cmd: Cmd,
    pub bucket: Bucket,
}

impl Call {
    /// `head` is what every script begins with: the time, the node, and the lease of an empty room.
    pub fn new(digests: &Digests, script: Script, bucket: Bucket, key: &str, head: [&str; 3], room: &str) -> Self {
        let mut cmd = redis::cmd("EVALSHA");
        cmd.arg(digests.of(script)).arg(1).arg(key).arg(&head[..]).arg(room);
        Self { cmd, bucket }
    }

    pub fn arg(&mut self, value: impl ToRedisArgs) -> &mut Self {
        self.cmd.arg(value);
        self
    }

    /// Nothing is said as an empty text.
    pub fn some(&mut self, value: Option<impl ToRedisArgs>) -> &mut Self {
        match value {
            Some(value) => self.cmd.arg(value),
            None => self.cmd.arg(""),
        };
        self
    }

    pub fn flag(&mut self, value: bool) -> &mut Self {
        self.some(value.then_some(1))
    }

    pub fn page(&mut self, page: Option<Page>) -> &mut Self {
        let bytes = page.map(|Page(number)| number.to_be_bytes());
        self.some(bytes.as_ref().map(|bytes| &bytes[..]))
    }

    pub fn into_cmd(self) -> Cmd {
        self.cmd
    }
}
