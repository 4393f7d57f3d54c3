//! The RESP2 side: replies, one connection, and the pool of them.
//!
//! The codec is our own because the front must forward Redis's exact replies: status or bulk, null string or null
//! array, and error lines with any bytes. Client crates decode into their users' types. They merge the two nulls, and
//! an error line that is not UTF-8 makes them drop the connection with all its requests.

mod connection;
mod pool;
mod reply;

pub(crate) use connection::Connection;
pub(crate) use pool::Pool;
pub(crate) use reply::Reply;
