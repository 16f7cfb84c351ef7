//! Core: rolling update, canary, analysis, rollback.
