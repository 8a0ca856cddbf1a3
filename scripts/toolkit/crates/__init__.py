"""Rust: the crates that the build of a source tree compiles, known from its files and the index of a registry."""
