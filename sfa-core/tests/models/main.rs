//! The model store: what it finds, takes in, checks, fetches and removes.

mod desk;
mod local;
mod pull;
mod server;
