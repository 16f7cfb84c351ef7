//! Outcomes become console tables, JSON, CSV, SVG and one HTML page.
