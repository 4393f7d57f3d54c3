//! The local cloud: everything the functions talk to, brought up together.
