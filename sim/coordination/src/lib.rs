//! Core: sessions, locks with fencing.
