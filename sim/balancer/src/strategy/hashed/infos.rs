//! The strategies that hash, described: their names, their parameters, and what each is good and bad at.

use super::super::State;
use super::super::catalogue::{Needs, StrategyInfo};
use super::super::parameter::{Kind as Takes, Parameter, Value, Values};
use super::Hashed;
use crate::hashing::{DubboConsistentHash, HashFunction, Kind, Maglev, MultiProbe, Ring};

/// All of them: those that move nearly everything, the rings, the table, and those without points.
pub(in super::super) static ALL: [&StrategyInfo; 18] = [
    &MODULO,
    &NGINX_HASH,
    &NGINX_IP_HASH,
    &HAPROXY_MAP,
    &RING,
    &KARGER,
    &KETAMA,
    &NGINX,
    &HAPROXY,
    &DUBBO,
    &MAGLEV,
    &JUMP,
    &BINOMIAL,
    &RENDEZVOUS,
    &MULTI_PROBE,
    &ANCHOR,
    &DX,
    &MEMENTO,
];

/// The structure of the strategy called `name`; none of one that does not hash.
pub(in super::super) fn kind_of(name: &str, values: &Values) -> Option<Kind> {
    Some(match name {
        "modulo" => Kind::Modulo,
        "nginx_hash" => Kind::NginxHash,
        "nginx_ip_hash" => Kind::NginxIpHash,
        "haproxy_map" => Kind::HaproxyMap,
        "ring" => {
            let least = values.count("min_ring_size");
            let most = values.count("max_ring_size").max(least);
            Kind::Ring { least, most, function: function(values) }
        }
        "karger" => Kind::Karger { points: values.count("points") as u32, function: function(values) },
        "ketama" => Kind::Ketama,
        "nginx" => Kind::Nginx,
        "haproxy" => Kind::Haproxy,
        "dubbo_consistent_hash" => Kind::Dubbo { replicas: values.count("points") as u32 },
        "maglev" => Kind::Maglev { size: Maglev::next_size(values.count("table_size") as u32) },
        "jump" => Kind::Jump,
        "binomial" => Kind::Binomial,
        "rendezvous" => Kind::Rendezvous,
        "multi_probe" => Kind::MultiProbe {
            probes: values.count("probes") as u32,
            function: match values.word("hash_function") {
                "sip_hash" => HashFunction::SipHash,
                _ => HashFunction::Xxh64,
            },
        },
        "anchor" => Kind::Anchor { capacity: values.count("capacity") as u32 },
        "dx" => Kind::Dx { capacity: values.count("capacity") as u32 },
        "memento" => Kind::Memento,
        _ => return None,
    })
}

fn function(values: &Values) -> HashFunction {
    match values.word("hash_function") {
        "xx_hash" => HashFunction::Xxh64,
        _ => HashFunction::Murmur2,
    }
}

const KEYS: Needs = Needs { keys: true, ..Needs::NOTHING };

const FAILOVER: Parameter = Parameter {
    name: "failover",
    kind: Takes::Word(&["next", "elsewhere", "same"]),
    default: Value::Word("next"),
    summary: "where a retry goes: to the next place of the structure, to the host of another key, to the same host",
};

const BALANCE_FACTOR: Parameter = Parameter {
    name: "balance_factor",
    kind: Takes::Count { min: 0, max: 10_000 },
    default: Value::Count(0),
    summary: "percent of its share of requests in flight that a host may have before others get some; 0 is no bound",
};

const HASH_FUNCTION: Parameter = Parameter {
    name: "hash_function",
    kind: Takes::Word(&["xx_hash", "murmur_hash_2"]),
    default: Value::Word("xx_hash"),
    summary: "what hashes the points",
};

const CAPACITY: Parameter = Parameter {
    name: "capacity",
    kind: Takes::Count { min: 0, max: 1_000_000 },
    default: Value::Count(0),
    summary: "for how many hosts there is room; 0 is twice as many as there are at first",
};

/// The strategy called `name`, without bounds on loads.
fn plain(name: &str, values: &Values) -> State {
    hashed(name, values, 0)
}

/// The same with the bound that it has as a parameter.
fn bounded(name: &str, values: &Values) -> State {
    hashed(name, values, values.count("balance_factor"))
}

fn hashed(name: &str, values: &Values, factor: u64) -> State {
    let kind = kind_of(name, values).expect("it is one of those above");
    State::Hashed(Hashed::new(kind, values.word("failover"), factor))
}

static MODULO: StrategyInfo = StrategyInfo {
    name: "modulo",
    summary: "the hash modulo the sum of weights",
    explanation: "Exact shares and no memory, but a host more or less moves nearly every key: after a deployment every \
                  cache is cold. What consistent hashing was invented against.",
    source: "textbooks; nginx and HAProxy do it with fewer bits, see nginx_hash and haproxy_map",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("modulo", values),
};

static NGINX_HASH: StrategyInfo = StrategyInfo {
    name: "nginx_hash",
    summary: "15 bits of a CRC-32 modulo the sum of weights, as nginx hash without consistent",
    explanation: "As modulo, with the few bits that Cache::Memcached uses. A retry adds the hash of the key with a number \
                  before it.",
    source: "nginx hash KEY (ngx_http_upstream_hash_module.c)",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("nginx_hash", values),
};

static NGINX_IP_HASH: StrategyInfo = StrategyInfo {
    name: "nginx_ip_hash",
    summary: "by the first three bytes of the client's address, as nginx ip_hash",
    explanation: "All clients of a /24 go to the same host, so that a few large networks decide who is busy; and a host \
                  more or less moves nearly all of them.",
    source: "nginx ip_hash (ngx_http_upstream_ip_hash_module.c), IPv4",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("nginx_ip_hash", values),
};

static HAPROXY_MAP: StrategyInfo = StrategyInfo {
    name: "haproxy_map",
    summary: "a table with an entry a unit of weight, the hash modulo its length, as HAProxy map-based",
    explanation: "HAProxy's default for balance uri, source and the like. Exact shares while the hash is good, and nearly \
                  every key moves when a host comes or goes.",
    source: "HAProxy hash-type map-based (src/lb_map.c)",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("haproxy_map", values),
};

static RING: StrategyInfo = StrategyInfo {
    name: "ring",
    summary: "a hash ring whose size follows the number of hosts, as Envoy",
    explanation: "Hosts are points on a circle and a key goes to the next point. With the default of at least 1,024 \
                  points in all, 100 hosts have some ten each and the busiest has twice its share; raise \
                  min_ring_size for large fleets. The number of points per host changes with the number of hosts, \
                  so more keys move than must. balance_factor lets other hosts help with hot keys.",
    source: "Envoy ring_hash (ring_hash_lb.cc); gRPC A42 with max_ring_size = 4096",
    weighted: true,
    parameters: &[
        Parameter {
            name: "min_ring_size",
            kind: Takes::Count { min: 1, max: 8_388_608 },
            default: Value::Count(*Ring::ENVOY_SIZE.start()),
            summary: "the least number of points",
        },
        Parameter {
            name: "max_ring_size",
            kind: Takes::Count { min: 1, max: 8_388_608 },
            default: Value::Count(*Ring::ENVOY_SIZE.end()),
            summary: "the most; below min_ring_size it counts as that",
        },
        HASH_FUNCTION,
        BALANCE_FACTOR,
        FAILOVER,
    ],
    needs: KEYS,
    make: |values, _| bounded("ring", values),
};

static KARGER: StrategyInfo = StrategyInfo {
    name: "karger",
    summary: "a hash ring with a fixed number of points a unit of weight",
    explanation: "Consistent hashing as it was first written down: a host's points depend on nobody else, so only its own \
                  keys move when it leaves. The busiest host's share falls with the root of the number of points.",
    source: "Karger and others, STOC 1997; points hashed as Envoy's ring",
    weighted: true,
    parameters: &[
        Parameter {
            name: "points",
            kind: Takes::Count { min: 1, max: 65_536 },
            default: Value::Count(160),
            summary: "points for each unit of weight",
        },
        HASH_FUNCTION,
        BALANCE_FACTOR,
        FAILOVER,
    ],
    needs: KEYS,
    make: |values, _| bounded("karger", values),
};

static KETAMA: StrategyInfo = StrategyInfo {
    name: "ketama",
    summary: "a hash ring with 160 points a host on average, as libketama",
    explanation: "The ring of memcached clients: 40 MD5 digests of four points each, scaled by weight. With equal \
                  weights only the keys of whoever leaves move; with unequal ones, every host's points follow the total.",
    source: "libketama (ketama.c)",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("ketama", values),
};

static NGINX: StrategyInfo = StrategyInfo {
    name: "nginx",
    summary: "a hash ring with 160 points a unit of weight, as nginx",
    explanation: "Points are chained CRC-32 sums of host and port. Fixed points per host: only the keys of whoever leaves \
                  move. The busiest of 100 hosts has some 20 % above its share.",
    source: "nginx hash … consistent (ngx_http_upstream_hash_module.c); pingora-ketama",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("nginx", values),
};

static HAPROXY: StrategyInfo = StrategyInfo {
    name: "haproxy",
    summary: "a hash ring with 16 points a unit of weight, the nearest on either side, as HAProxy consistent",
    explanation: "Points are hashed from a server's number, so they stay when its address changes, and a server that comes \
                  takes the lowest number that is free. With weight one a host has only 16 points: of 100 hosts the busiest \
                  has some two thirds above its share, so raise the weights of all. balance_factor sends a hot key's \
                  overflow to the next server on the ring; unlike in Envoy, a server at its bound gets no more.",
    source: "HAProxy hash-type consistent, hash-balance-factor (src/lb_chash.c)",
    weighted: true,
    parameters: &[BALANCE_FACTOR, FAILOVER],
    needs: KEYS,
    make: |values, _| bounded("haproxy", values),
};

static DUBBO: StrategyInfo = StrategyInfo {
    name: "dubbo_consistent_hash",
    summary: "a hash ring with 160 points a host, as Dubbo consistenthash",
    explanation: "MD5 points as libketama has them, of other texts. Weights play no part, not even while a host warms up.",
    source: "Dubbo consistenthash (ConsistentHashLoadBalance.java), hash.nodes",
    weighted: false,
    parameters: &[
        Parameter {
            name: "points",
            kind: Takes::Count { min: 4, max: 65_536 },
            default: Value::Count(DubboConsistentHash::REPLICAS as u64),
            summary: "points a host, rounded down to a multiple of four",
        },
        FAILOVER,
    ],
    needs: KEYS,
    make: |values, _| plain("dubbo_consistent_hash", values),
};

static MAGLEV: StrategyInfo = StrategyInfo {
    name: "maglev",
    summary: "a table that hosts fill in turn, one look a lookup",
    explanation: "Shares are even to one entry of the table. A host that leaves moves its own keys and about as many \
                  others again; with as many hosts as the table has hundreds of entries, several times as many. A change \
                  rewrites the whole table. balance_factor lets other hosts help with hot keys.",
    source: "Envoy maglev (maglev_lb.cc); Eisenbud and others, NSDI 2016",
    weighted: true,
    parameters: &[
        Parameter {
            name: "table_size",
            kind: Takes::Count { min: 2, max: Maglev::TABLE_SIZE_MAX as u64 },
            default: Value::Count(Maglev::TABLE_SIZE as u64),
            summary: "entries of the table; a number that is no prime counts as the next one",
        },
        BALANCE_FACTOR,
        FAILOVER,
    ],
    needs: KEYS,
    make: |values, _| bounded("maglev", values),
};

static JUMP: StrategyInfo = StrategyInfo {
    name: "jump",
    summary: "jump consistent hash: even shares without memory",
    explanation: "Perfectly even and nothing to store, but only the last host can leave cheaply: when one in the middle \
                  goes, all behind it move up, and half the keys with them on average.",
    source: "Lamping and Veach 2014 (arXiv:1406.2294); Guava Hashing.consistentHash",
    weighted: false,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("jump", values),
};

static BINOMIAL: StrategyInfo = StrategyInfo {
    name: "binomial",
    summary: "BinomialHash: jump's promises in constant time",
    explanation: "Even shares to a few percent and nothing to store, and five tries at most where jump takes ln n steps. As \
                  with jump, only the last host can leave cheaply.",
    source: "Coluzzi and others 2024 (arXiv:2406.19836)",
    weighted: false,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("binomial", values),
};

static RENDEZVOUS: StrategyInfo = StrategyInfo {
    name: "rendezvous",
    summary: "the host with the highest score for the key",
    explanation: "Every host is scored for every key; the best wins, and when it leaves, the second best. Exactly its own \
                  keys move. Costs time in proportion to the number of hosts for every request.",
    source: "Thaler and Ravishankar 1998; weights by −w / ln u",
    weighted: true,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("rendezvous", values),
};

static MULTI_PROBE: StrategyInfo = StrategyInfo {
    name: "multi_probe",
    summary: "one point a host, several looks a key",
    explanation: "Instead of many points per host, a key is hashed several times and goes to the nearest point any of \
                  them finds. Bounds the busiest host; light hosts stay light. With hash_function = \"sip_hash\" hosts are where \
                  go-mpchash's tests put them; in a run, a key is known by its hash alone, which is what is hashed twice.",
    source: "Appleton and O'Reilly 2015 (arXiv:1505.00062); probes as dgryski/go-mpchash, whose tests hash with SipHash",
    weighted: false,
    parameters: &[
        Parameter {
            name: "probes",
            kind: Takes::Count { min: 1, max: 1_000 },
            default: Value::Count(MultiProbe::PROBES as u64),
            summary: "looks a key",
        },
        Parameter {
            name: "hash_function",
            kind: Takes::Word(&["xx_hash", "sip_hash"]),
            default: Value::Word("xx_hash"),
            summary: "what hosts, and the second hash of a key, are hashed by",
        },
        FAILOVER,
    ],
    needs: KEYS,
    make: |values, _| plain("multi_probe", values),
};

static ANCHOR: StrategyInfo = StrategyInfo {
    name: "anchor",
    summary: "AnchorHash: minimal moves, changed in place, within a capacity",
    explanation: "Remembers in which order hosts left, and walks back along it. Even shares, only the keys of whoever \
                  leaves move, and a change writes one entry. When the table is full it is built anew, twice as large.",
    source: "Mendelson and others 2020 (arXiv:1812.09674)",
    weighted: false,
    parameters: &[CAPACITY, FAILOVER],
    needs: KEYS,
    make: |values, _| plain("anchor", values),
};

static DX: StrategyInfo = StrategyInfo {
    name: "dx",
    summary: "DxHash: a key tries places until one is taken",
    explanation: "A sequence of places that belongs to the key is tried until a host is there. Even shares, minimal moves, \
                  one bit a change; the fewer places are taken, the longer a lookup.",
    source: "Dong and Wang 2021 (arXiv:2107.07930)",
    weighted: false,
    parameters: &[CAPACITY, FAILOVER],
    needs: KEYS,
    make: |values, _| plain("dx", values),
};

static MEMENTO: StrategyInfo = StrategyInfo {
    name: "memento",
    summary: "MementoHash: jump, and a memory of who left",
    explanation: "A jump hash that remembers only the hosts which left from the middle. Even shares, minimal moves, no \
                  capacity; memory in proportion to how many are gone.",
    source: "Coluzzi and others 2023 (arXiv:2306.09783)",
    weighted: false,
    parameters: &[FAILOVER],
    needs: KEYS,
    make: |values, _| plain("memento", values),
};
