//! Training-free separation: quick preview quality, no model needed.
