//! The services and the edge as a whole: events, counters, health, routes, logs and metrics.

mod analytics;
mod health;
mod log;
mod logs;
mod metrics;
mod realtime;
mod routes;
