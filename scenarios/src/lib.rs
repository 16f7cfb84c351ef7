//! TOML in, world::Spec out; the library of scenario files.
