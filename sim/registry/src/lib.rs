//! Core: who is alive and where.
