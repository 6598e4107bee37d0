//! The server as its clients see it: a real one, on a port of its own.
#![allow(clippy::print_stderr, reason = "what is skipped is said aloud")]

mod accounts;
mod acting;
mod attacks;
mod cues;
#[path = "../desk/mod.rs"]
mod desk;
mod files;
mod house;
mod imports;
mod journal;
mod legacy;
mod live;
mod mail;
mod oidc;
mod once;
mod openapi;
#[cfg(unix)]
mod operation;
mod packages;
mod phoenix;
mod post;
mod provider;
mod resumable;
mod rights;
mod traces;
mod tracks;
mod users;
mod vault;
#[cfg(unix)]
mod walkthrough;
#[path = "../../../sfa-core/tests/models/server.rs"]
mod web;
