//! The machine room: event queue, node life, network, disk, clocks, faults, trace.
