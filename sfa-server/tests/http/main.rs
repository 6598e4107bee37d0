//! The server as its clients see it: a real one, on a port of its own.

mod accounts;
mod attacks;
#[path = "../desk/mod.rs"]
mod desk;
mod files;
mod house;
mod live;
mod openapi;
mod rights;
mod tracks;
mod users;
mod walkthrough;
