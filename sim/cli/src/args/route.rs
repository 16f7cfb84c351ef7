//! What `windtunnel route` takes: the strategy and its parameters, the hosts, and what is to be chosen for.

use super::parse_table_size;
use crate::seeds;
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use world::balancer::hashing::{HashFunction, Ring};

/// What `windtunnel route` takes.
#[derive(Args, Debug, Default)]
#[command(after_long_help = ROUTE_EXAMPLES)]
pub(crate) struct RouteArgs {
    /// How to choose: by key (ring, maglev, ketama, …) or by pick (round_robin, p2c, …)
    #[arg(long, value_name = "NAME")]
    pub(crate) strategy: String,
    /// The hosts: a file of one `HOST [WEIGHT [ACTIVE]]` a line; `-` reads standard input
    ///
    /// A line is HOST, HOST WEIGHT, or HOST WEIGHT ACTIVE, which is how many requests it has under way already. Blank
    /// lines do not count, nor does what follows a # at the beginning of a word. Weights are whole numbers, 1 by
    /// default; a host of weight 0 is in the list and gets nothing, but with static_stride, to which that is a weight
    /// not known. A host is hashed exactly as it stands there.
    #[arg(long, value_name = "FILE")]
    pub(crate) backends: PathBuf,
    /// The keys: a file of one a line, hashed by --hash; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hashes", "picks"])]
    pub(crate) keys: Option<PathBuf>,
    /// Instead of keys, their hashes: a file of one number of 64 bits a line; `-` reads standard input
    ///
    /// Decimal, or hexadecimal as 0x…. Of a hash, ketama and the strategies of nginx, HAProxy and Dubbo take the lower
    /// 32 bits.
    #[arg(long, value_name = "FILE", conflicts_with = "picks")]
    pub(crate) hashes: Option<PathBuf>,
    /// The hash function of keys, and of the points of `ring`, `karger` and `multi_probe` [default: the strategy's own]
    ///
    /// xxh64, murmur2, siphash, md5, crc32, sdbm, djb2, wt6, the last four also as crc32-avalanche and so on, and ipv4.
    /// A strategy's own is that of the system it follows: md5 for ketama and dubbo_consistent_hash, crc32 for nginx and
    /// nginx_hash, ipv4 for nginx_ip_hash, sdbm for haproxy_map, sdbm-avalanche for haproxy, and xxh64 for all others.
    /// Hashes of xxh64, murmur2 and siphash have 64 bits, all others 32.
    #[arg(long, value_enum, value_name = "FUNCTION", hide_possible_values = true)]
    pub(crate) hash: Option<KeyHash>,
    /// Print the hash of each key beside it
    #[arg(long, conflicts_with = "picks")]
    pub(crate) show_hash: bool,
    /// Print where each key's retry goes: 1 is the first retry; 0 is the first attempt, the default
    #[arg(long, value_name = "N", conflicts_with_all = ["picks", "with", "without"], value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub(crate) attempt: Option<u32>,
    /// How often to pick, where there are no keys; every request picked for stays outstanding
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) picks: Option<u32>,
    /// What chance follows from, of strategies that pick [default: 0]
    #[arg(long, value_name = "N", value_parser = seeds::parse_seed)]
    pub(crate) seed: Option<u64>,
    /// Where a schedule begins that begins at random: round_robin, edf, static_stride and others
    ///
    /// The counter of round_robin, the picks already made of edf and what is built on it, the sequence number of
    /// static_stride.
    #[arg(long, value_name = "N")]
    pub(crate) start: Option<u64>,
    /// Print the table (maglev, haproxy_map) or the ring (ring, karger, ketama, nginx, …) itself
    ///
    /// Keys may be given as well, or left out.
    #[arg(long, conflicts_with_all = ["picks", "without", "with"])]
    pub(crate) dump: bool,
    /// Say which keys would move if this host left
    #[arg(long, value_name = "HOST", conflicts_with_all = ["with", "picks"])]
    pub(crate) without: Option<String>,
    /// Say which keys would move if this host came, as the last of the list
    #[arg(long, value_name = "HOST[ WEIGHT]", conflicts_with = "picks")]
    pub(crate) with: Option<String>,
    /// Least number of points of `ring` [default: 1024]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u64).range(1..=RING_MAX))]
    pub(crate) min_ring: Option<u64>,
    /// Greatest number of points of `ring` [default: 8388608]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u64).range(1..=RING_MAX))]
    pub(crate) max_ring: Option<u64>,
    /// Number of points of `karger` for each unit of weight, of `dubbo_consistent_hash` a host [default: 160]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u32).range(1..=65_536))]
    pub(crate) points: Option<u32>,
    /// Number of entries of `maglev`, a prime [default: 65537]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = parse_table_size)]
    pub(crate) table_size: Option<u32>,
    /// Number of probes of `multi_probe` [default: 21]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) probes: Option<u32>,
    /// Percent of its share of requests under way that a host may have before others get some [default: no bound]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) balance_factor: Option<u32>,
    /// Number of places of `anchor` and `dx`, rounded up to a power of two for dx [default: twice the hosts]
    #[arg(long, value_name = "N", help_heading = "Parameters", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) capacity: Option<u32>,
}

const ROUTE_EXAMPLES: &str = "\
Strategies by key: modulo, nginx_hash, nginx_ip_hash, haproxy_map, ring, karger, ketama, nginx, \
haproxy, dubbo_consistent_hash, maglev, jump, binomial, rendezvous, multi_probe, anchor, dx, memento.
Strategies by pick: all others of `windtunnel list strategies`.

Examples:
  windtunnel route --strategy maglev --backends hosts.txt --keys users.txt
  windtunnel route --strategy ring --backends hosts.txt --keys users.txt --without 10.0.0.3:80
  windtunnel route --strategy ring --backends hosts.txt --min-ring 12 --dump --format json
  windtunnel route --strategy p2c --backends hosts.txt --picks 1000 --seed 1
  windtunnel route --strategy static_stride --backends hosts.txt --picks 20 --start 0
  windtunnel route --strategy ring --backends hosts.txt --keys users.txt --show-hash --attempt 1
  seq 1000 | windtunnel route --strategy nginx --backends hosts.txt --keys -

Of a change, `moved` is how many keys get another host, and `ideal` how many would if every host had its part by \
weight and only the keys of the host that leaves or comes moved.";

/// The hash functions by the names of the command line.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyHash {
    /// Envoy's default.
    Xxh64,
    /// Envoy's MURMUR_HASH_2.
    Murmur2,
    /// That of go-mpchash's tests.
    #[value(name = "siphash")]
    SipHash,
    /// That of libketama.
    Md5,
    /// That of nginx.
    Crc32,
    /// HAProxy's default of the map.
    Sdbm,
    /// HAProxy's default of the ring.
    SdbmAvalanche,
    /// Of HAProxy.
    Djb2,
    /// Of HAProxy.
    Djb2Avalanche,
    /// Of HAProxy.
    Wt6,
    /// Of HAProxy.
    Wt6Avalanche,
    /// Of HAProxy.
    Crc32Avalanche,
    /// The address itself, as nginx's `ip_hash` takes it.
    Ipv4,
}

impl KeyHash {
    /// The function.
    pub(crate) fn function(self) -> HashFunction {
        match self {
            KeyHash::Xxh64 => HashFunction::Xxh64,
            KeyHash::Murmur2 => HashFunction::Murmur2,
            KeyHash::SipHash => HashFunction::SipHash,
            KeyHash::Md5 => HashFunction::Md5,
            KeyHash::Crc32 => HashFunction::Crc32,
            KeyHash::Sdbm => HashFunction::Sdbm,
            KeyHash::SdbmAvalanche => HashFunction::SdbmAvalanche,
            KeyHash::Djb2 => HashFunction::Djb2,
            KeyHash::Djb2Avalanche => HashFunction::Djb2Avalanche,
            KeyHash::Wt6 => HashFunction::Wt6,
            KeyHash::Wt6Avalanche => HashFunction::Wt6Avalanche,
            KeyHash::Crc32Avalanche => HashFunction::Crc32Avalanche,
            KeyHash::Ipv4 => HashFunction::Ipv4,
        }
    }
}

/// The largest ring that Envoy's configuration admits.
const RING_MAX: u64 = *Ring::ENVOY_SIZE.end();
