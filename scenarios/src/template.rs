//! What `windtunnel new NAME` writes: a scenario to start from, which runs as it is.

/// A commented scenario about a service and a load, with everything else one might want next in comments.
///
/// `name` becomes part of the title only; what cannot stand in a TOML text is left out of it.
pub fn template(name: &str) -> String {
    let title: String = name.chars().filter(|c| !c.is_control() && !"\"\\".contains(*c)).take(80).collect();
    TEMPLATE.replace("{title}", &title)
}

const TEMPLATE: &str = r#"# What it shows:
# What is expected:
#
# `windtunnel validate FILE` checks this file, `windtunnel run FILE --seed 1` runs it.
# `windtunnel list strategies|faults|invariants` says what exists, `windtunnel explain NAME` what it means.

title  = "{title}"
phases = { warmup = "10s", storm = "2m", calm = "1m" }   # only what comes after warm-up is measured

[topology]
zones   = ["a", "b", "c"]
network = "cross-zone"             # or ideal, lan, wan, lossy

[registry]                         # without it, every caller knows at once who is alive
kind = "consul"                    # or etcd, eureka
ttl  = "10s"                       # how long an instance may stay silent

[service.shop]
instances    = 6
concurrency  = 8                   # requests one instance works on at once
service_time = { distribution = "lognormal", p50 = "8ms", p99 = "40ms" }
version."1.1.0" = { error_rate = "2%" }   # what the next version does differently
# calls = ["stock", ["prices", "reviews"]]   # one after the other; an inner array at once

[balancer]
strategy = "p2c"                   # or round_robin, random, least_request, full_scan

[policy]
timeout = "1s"
retries = 1

[load.users]
target = "shop"
rate   = "200/s .. 300/s"          # a range is drawn from the seed and printed

[[rollout]]
service  = "shop"
to       = "1.1.0"
at       = "20s"
strategy = { kind = "canary", steps = [{ weight = "10%", hold = "30s" }, { weight = "50%", hold = "30s" }] }
analysis = { success_rate = ">= 99%", interval = "10s", failures = 3 }

[[fault]]
kind  = "crash"
what  = "one of shop"              # or "shop-3", "zone b", "30% of shop", "all but shop"
at    = "60s .. 90s"               # from the beginning of the run, within the storm
lasts = "20s"

# [[fault]]
# kind  = "partition"
# what  = "registry | zone c"      # both ways; "a -> b" one way
# at    = "40s"
# lasts = "10s"

[expect]
always     = ["every_request_ends_once", "no_route_to_the_dead"]
eventually = ["views_converge", "rollout_settles"]
sometimes  = ["instance_died"]
slo        = [{ service = "shop", success = ">= 95%" }]
"#;
