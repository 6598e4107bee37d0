//! How a song sounds over time: what form is read from.
