//! The Lua scripts, each behind the prelude that they share.

use crate::protocol::upstash::Script;

macro_rules! source {
    ($($file:literal),+) => {
        concat!(
            include_str!("lua/record.lua"),
            $(include_str!(concat!("lua/", $file))),+
        )
    };
}

// Each carries an attempt nonce, fresh ids, or nothing that a repetition would change.
pub(super) static CREATE: Script = Script::repeatable(source!("create.lua"));
pub(super) static CLAIM: Script = Script::repeatable(source!("claim.lua"));
pub(super) static COMMIT: Script = Script::repeatable(source!("commit.lua"));
pub(super) static PROGRESS: Script = Script::repeatable(source!("progress.lua"));
pub(super) static CANCEL: Script = Script::repeatable(source!("find.lua", "cancel.lua"));
pub(super) static REDRIVE: Script = Script::repeatable(source!("find.lua", "redrive.lua"));
pub(super) static FAIL: Script = Script::repeatable(source!("fail.lua"));
pub(super) static GET: Script = Script::repeatable(source!("get.lua"));
pub(super) static LIST: Script = Script::repeatable(source!("list.lua"));
