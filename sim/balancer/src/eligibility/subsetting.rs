//! Random subsetting: each client talks to a few of the hosts, chosen so that all clients together cover them evenly.
//!
//! gRPC's `random_subsetting` (grpc/proposal A68): a client hashes the address of every host with a seed of its own and
//! keeps the `size` hosts with the smallest hashes, by xxHash64. It is rendezvous hashing with the client as the key: a
//! host that comes or goes changes at most one place in each client's subset. With few clients some hosts may be in
//! nobody's subset; that is the price of not knowing each other.

use crate::hashing::xxh64;
use crate::hosts::Host;

/// The indexes of the `size` hosts with the smallest hashes under the client's `seed`, ascending. O(n log n).
pub fn subset(seed: u64, size: usize, hosts: &[Host]) -> Vec<u32> {
    let mut hashed: Vec<(u64, u32)> =
        hosts.iter().zip(0..).map(|(host, index)| (xxh64(host.address().as_bytes(), seed), index)).collect();
    if hashed.len() > size {
        hashed.sort_unstable();
        hashed.truncate(size);
    }
    let mut kept: Vec<u32> = hashed.into_iter().map(|(_, index)| index).collect();
    kept.sort_unstable();
    kept
}
