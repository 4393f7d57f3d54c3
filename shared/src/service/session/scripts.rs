//! The Lua scripts, each after the parts that they share.

use crate::protocol::upstash::{Script, key_locked};

macro_rules! source {
    ($($file:literal),+) => {
        concat!(
            include_str!("lua/session.lua"),
            $(include_str!(concat!("lua/", $file))),+
        )
    };
}

macro_rules! locked {
    ($($file:literal),+) => {
        key_locked!(
            include_str!("lua/session.lua"),
            $(include_str!(concat!("lua/", $file))),+
        )
    };
}

/// The script that reads a session, as the web app runs it: `clients/session.lua`.
pub const DIRECT_READ: &str = locked!("read.lua");

// Each script reads, has an attempt nonce, or is idempotent.
pub(super) static READ: Script = Script::repeatable(DIRECT_READ);
pub(super) static FIELDS: Script =
    Script::repeatable(key_locked!("return redis.call('HGETALL', KEYS[1])"));
pub(super) static CREATE: Script = Script::repeatable(source!("user.lua", "create.lua"));
pub(super) static DISCARD: Script = Script::repeatable(locked!("discard.lua"));
pub(super) static FILL: Script = Script::repeatable(source!("user.lua", "fill.lua"));
pub(super) static REFRESH: Script = Script::repeatable(locked!("user.lua", "refresh.lua"));
pub(super) static TOTP: Script = Script::repeatable(locked!("totp.lua"));
pub(super) static REVOKE: Script = Script::repeatable(source!("user.lua", "revoke.lua"));
pub(super) static REVOKE_ALL: Script = Script::repeatable(source!("user.lua", "revoke_all.lua"));
pub(super) static LIST: Script = Script::repeatable(source!("user.lua", "list.lua"));
