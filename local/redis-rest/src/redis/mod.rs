//! The RESP2 side: replies, one connection, and the pool of them.
//!
//! The codec is our own because the front must pass on exactly what Redis said: status or bulk, null string or null
//! array, and error lines that hold any bytes. Client crates decode into their users' types: they fold the two
//! nulls into one and drop the connection (with everybody's requests on it) over an error line that is no UTF-8.

mod connection;
mod pool;
mod reply;

pub(crate) use connection::Connection;
pub(crate) use pool::Pool;
pub(crate) use reply::Reply;
