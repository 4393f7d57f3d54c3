//! Sessions and tokens, through the real functions and against the real stores.

mod defects;
mod direct;
mod former;
mod lives;
mod migrations;
mod outages;
mod races;
mod refresh;
mod stage;
mod tokens;
mod who;
