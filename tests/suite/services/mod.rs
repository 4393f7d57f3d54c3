//! The services and the edge as a whole: events, counters, health, routes, and what is logged and measured.

mod analytics;
mod health;
mod log;
mod logs;
mod metrics;
mod realtime;
mod routes;
