//! Core: which instance gets this request.
