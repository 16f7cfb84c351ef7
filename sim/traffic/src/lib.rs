//! Core: one request's life: routes, timeouts, retries, budgets, breakers.
