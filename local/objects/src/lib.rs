//! An object store on loopback, over a folder: of S3's REST API the four calls that the functions make, signed in their
//! headers or in the query (presigned), and refused as S3 refuses them.
//!
//! `PUT`, `GET`, `HEAD` and `DELETE`, of `/{bucket}/{key}` or, with the bucket in the host's name, of `/{key}`. An object is written whole, whatever dies meanwhile; what is deleted
//! twice is deleted. There are no versions, no parts and no lists: the folder is the list.

mod bucket_dir;
mod place;
mod refusal;
mod server;
mod signature;

pub use server::{Error, Server, Settings, start};
pub use signature::Keys;
