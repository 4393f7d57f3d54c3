//! An object store on loopback, over a folder. It has the four calls of S3's REST API that the functions use, signed in
//! headers or in the query (presigned), with S3's errors.
//!
//! The calls are `PUT`, `GET`, `HEAD` and `DELETE` of `/{bucket}/{key}` or, with the bucket in the host's name, of
//! `/{key}`. Writing an object is atomic, and deleting it is idempotent. There are no versions, no parts and no lists:
//! the folder is the list.

mod bucket_dir;
mod place;
mod refusal;
mod server;
mod signature;

pub use server::{Error, Server, Settings, start};
pub use signature::Keys;
