//! Core: counters, histograms, windows.
