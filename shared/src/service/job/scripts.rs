//! The Lua scripts, each after the prelude that they share.

use crate::protocol::upstash::{Script, key_locked};

macro_rules! source {
    ($($file:literal),+) => {
        concat!(
            include_str!("lua/former.lua"),
            $(include_str!(concat!("lua/", $file))),+
        )
    };
}

macro_rules! locked {
    ($($file:literal),+) => {
        key_locked!(
            include_str!("lua/former.lua"),
            $(include_str!(concat!("lua/", $file))),+
        )
    };
}

// Each has an attempt nonce, new ids, or is idempotent.
pub(super) static CREATE: Script = Script::repeatable(locked!("record.lua", "create.lua"));
// With an Idempotency-Key it reads the first job of the first request.
pub(super) static CREATE_ONCE: Script = Script::repeatable(source!("record.lua", "create.lua"));
// For the jobs of a request after the first twenty.
pub(super) static CREATE_MORE: Script =
    Script::repeatable(locked!("record.lua", "create_more.lua", "create.lua"));
pub(super) static CLAIM: Script = Script::repeatable(locked!("record.lua", "claim.lua"));
pub(super) static COMMIT: Script = Script::repeatable(locked!("record.lua", "commit.lua"));
pub(super) static PROGRESS: Script = Script::repeatable(locked!("record.lua", "progress.lua"));
pub(super) static CANCEL: Script =
    Script::repeatable(source!("record.lua", "find.lua", "cancel.lua"));
pub(super) static REDRIVE: Script =
    Script::repeatable(source!("record.lua", "find.lua", "redrive.lua"));
pub(super) static FAIL: Script = Script::repeatable(locked!("record.lua", "fail.lua"));
pub(super) static GET: Script = Script::repeatable(source!("get.lua"));
pub(super) static LIST: Script = Script::repeatable(source!("list.lua"));
pub(super) static UNCLAIMED: Script = Script::repeatable(source!("record.lua", "unclaimed.lua"));
pub(super) static REPUBLISH: Script = Script::repeatable(locked!("record.lua", "republish.lua"));
pub(super) static MATCHING: Script = Script::repeatable(source!("matching.lua"));
pub(super) static BATCH: Script = Script::repeatable(source!("batch.lua"));
