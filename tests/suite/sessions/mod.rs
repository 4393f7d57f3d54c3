//! Sessions and tokens, through the real functions and against the real stores.

mod access;
mod defects;
mod direct;
mod former;
mod lifetime;
mod migrations;
mod outages;
mod races;
mod refresh;
mod stage;
mod tokens;
