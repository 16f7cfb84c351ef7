//! Choices without a simulation: tables for people, objects for programs, what is refused.

use crate::support::{Folder, all_exit};
use serde_json::json;
use std::io::Write as _;
use std::process::Stdio;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("hosts", "# the fleet\n10.0.0.1:80\n10.0.0.2:80 2\n\n10.0.0.3:80  # new\n");
    folder.write("keys", "ada\nbob\ncyd\ndan\neve\nfay\ngus\nhal\n");
    folder.write("six", "127.0.0.1:90\n127.0.0.1:91\n127.0.0.1:92\n127.0.0.1:93\n127.0.0.1:94\n127.0.0.1:95\n");
    folder
}

#[test]
fn choices_for_people_and_for_programs() {
    let commands = [
        "route --strategy maglev --backends hosts --keys keys",
        "route --strategy ketama --backends hosts --keys keys --without 10.0.0.2:80",
        "route --strategy jump --backends six --keys keys --with 127.0.0.1:96 --format json",
        "route --strategy ring --backends hosts --min-ring 4 --max-ring 4 --dump",
        "route --strategy maglev --backends hosts --table-size 7 --dump --keys keys --format json",
        "route --strategy round_robin --backends six --picks 4 --seed 3",
        "route --strategy p2c --backends hosts --picks 6 --seed 1 --format json",
        "route --strategy ring --backends drained --keys keys --show-hash",
        "route --strategy ketama --backends hosts --keys keys --show-hash --attempt 1 --format json",
        "route --strategy static_stride --backends drained --picks 8 --start 0",
        "route --strategy haproxy_leastconn --backends busy --picks 6",
        "route --strategy maglev --backends busy --keys keys",
        "route --strategy maglev --backends busy --keys keys --balance-factor 100",
    ];
    let folder = folder();
    folder.write("drained", "10.0.0.1:80\n10.0.0.2:80 0\n10.0.0.3:80 2\n");
    folder.write("busy", "10.0.0.1:80 1 3\n10.0.0.2:80 1 0\n10.0.0.3:80 2 9\n");
    all_exit(0, &folder, "route", &commands);
}

#[test]
fn envoys_maglev_vector_comes_out() {
    // envoyproxy/envoy maglev_lb_test.cc, MaglevLoadBalancerTest.Basic.
    let folder = folder();
    folder.write("hashes", "0\n1\n2\n3\n0x4\n5\n6\n7\n");
    let said =
        folder.run("route --strategy maglev --table-size 7 --backends six --hashes hashes --dump --format json").json();
    assert_eq!(said[0]["table"], json!([2, 4, 0, 1, 5, 0, 3]));
    assert_eq!(said[0]["choices"], json!([2, 4, 0, 1, 5, 0, 3, 2]));
}

#[test]
fn envoys_ring_vector_comes_out() {
    // envoyproxy/envoy ring_hash_lb_test.cc, RingHashLoadBalancerTest.Basic.
    let folder = folder();
    folder.write("hashes", "0\n18446744073709551615\n3551244743356806947\n3551244743356806948\n16117243373044804880\n");
    let said = folder.run("route --strategy ring --min-ring 12 --backends six --hashes hashes --dump --format json");
    let said = &said.json()[0];
    assert_eq!(said["choices"], json!([4, 4, 5, 3, 0]));
    assert_eq!(said["ring"][0], json!({"hash": "833437586790550860", "backend": 4}));
    assert_eq!(said["ring"].as_array().map(Vec::len), Some(12));
}

#[test]
fn the_ring_of_another_hash_function_comes_out() {
    // envoyproxy/envoy ring_hash_lb_test.cc, RingHashLoadBalancerTest.BasicWithMurmur2.
    let folder = folder();
    folder.write("eighties", "127.0.0.1:80\n127.0.0.1:81\n127.0.0.1:82\n127.0.0.1:83\n127.0.0.1:84\n127.0.0.1:85\n");
    let said =
        folder.run("route --strategy ring --min-ring 12 --hash murmur2 --backends eighties --dump --format json");
    let said = &said.json()[0];
    assert_eq!(said["choices"], json!([]));
    let first = [("1358027074129602068", 5), ("4361834613929391114", 3), ("7224494972555149682", 4)];
    for ((hash, backend), point) in first.into_iter().zip(said["ring"].as_array().expect("a ring")) {
        assert_eq!(*point, json!({"hash": hash, "backend": backend}));
    }
}

#[test]
fn keys_are_hashed_as_the_originals_hash_them() {
    // CRC-32 of `123456789` is the check value of its definition; RFC 1321 has MD5 of `abc` begin with 90 01 50 98.
    let folder = folder();
    // Among so many, a wrong hash does not find the same host by chance.
    folder.write("many", &(0..500).map(|i| format!("host-{i}\n")).collect::<String>());
    for (strategy, key, hash) in [("nginx", "123456789", "0xcbf43926"), ("ketama", "abc", "0x98500190")] {
        folder.write("key", key);
        folder.write("hash", hash);
        let said =
            |flag: &str| folder.run(&format!("route --strategy {strategy} --backends many --format json {flag}"));
        assert_eq!(said("--keys key").stdout, said("--hashes hash").stdout, "{strategy}");
        assert_eq!(said("--keys key").json()[0]["choices"].as_array().map(Vec::len), Some(1), "{strategy}");
    }
}

#[test]
fn haproxys_own_tests_come_out() {
    // haproxy/haproxy reg-tests/balance/balance-uri.vtc and balance-hash-maxconn.vtc: servers 2, 3, 4, 1 by the map,
    // and the first of two by the ring.
    let folder = folder();
    folder.write("four", "srv1\nsrv2\nsrv3\nsrv4\n");
    folder.write("urls", "/url1\n/url2\n/url3\n/url4\n");
    let said = folder.run("route --strategy haproxy_map --backends four --keys urls --dump --format json").json();
    assert_eq!(said[0]["choices"], json!([1, 2, 3, 0]));
    assert_eq!(said[0]["table"], json!([0, 1, 2, 3]));
    folder.write("two", "srv0\nsrv1\n");
    folder.write("url", "/test-url\n");
    let said = folder.run("route --strategy haproxy --backends two --keys url --dump --format json").json();
    assert_eq!(said[0]["choices"], json!([0]));
    assert_eq!(said[0]["ring"].as_array().map(Vec::len), Some(32));
}

#[test]
fn clients_of_one_network_go_to_one_server_as_in_nginx() {
    let folder = folder();
    folder.write("clients", "10.0.1.77\n10.0.1.200\n");
    // By hand: 89, three times · 113 + octet modulo 6271, is 2566; of six, the fifth.
    let said = folder.run("route --strategy nginx_ip_hash --backends six --keys clients --format json").json();
    assert_eq!(said[0]["choices"], json!([4, 4]));
}

#[test]
fn points_below_all_hashes_are_pointed_out() {
    let folder = folder();
    folder.write("hashes", "7\n4294967296\n0xffffffffffffffff\n");
    for strategy in ["ring", "karger"] {
        folder.write("key", "user\n");
        let said = folder.run(&format!("route --strategy {strategy} --hash md5 --backends six --keys key"));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "keys are hashed to 32 bits themselves");
    }
    // A hash function goes with keys; a study or a script may have its own hashes and ask for such points still.
    let said = folder.run("route --strategy karger --points 4 --hash crc32 --backends six --hashes hashes");
    assert!(
        said.code == 0 && said.stderr.contains("points of crc32 have 32 bits, and 2 of 3 hashes are above"),
        "{said:?}"
    );
}

#[test]
fn who_comes_may_have_a_weight() {
    let folder = folder();
    let mut command = folder.command("route --strategy modulo --backends six --keys keys --format json");
    let output = command.args(["--with", "127.0.0.1:96 2"]).output().expect("the program starts");
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(said["ideal"], 2.0, "a quarter of eight keys: {said}");
}

#[test]
fn only_the_keys_of_who_leaves_or_comes_move_where_that_is_promised() {
    let folder = folder();
    let keys: Vec<String> = (0..600).map(|i| format!("user-{i}\n")).collect();
    folder.write("many", &keys.concat());
    for strategy in [
        "rendezvous",
        "multi_probe",
        "anchor",
        "dx",
        "memento",
        "nginx",
        "ketama",
        "karger",
        "haproxy",
        "dubbo_consistent_hash",
    ] {
        let json = |change: &str| {
            let said =
                folder.run(&format!("route --strategy {strategy} --backends six --keys many --format json {change}"));
            assert_eq!(said.code, 0, "{strategy}: {}", said.stderr);
            said.json().remove(0)
        };
        let without = json("--without 127.0.0.1:92");
        let held = without["choices"].as_array().expect("choices").iter().filter(|choice| **choice == 2).count();
        assert_eq!((&without["moved"], &without["keys"]), (&json!(held), &json!(600)), "{strategy}");
        assert_eq!(without["ideal"], 100.0, "{strategy}");
        let with = json("--with 127.0.0.1:96");
        let moved = with["moved"].as_u64().expect("a number");
        assert!((20..200).contains(&moved), "{strategy} moves {moved} keys where a seventh is 86");
    }
}

#[test]
fn a_dash_reads_standard_input() {
    let folder = folder();
    let mut command = folder.command("route --strategy nginx --backends six --keys - --format json");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(&folder.read("keys").into_bytes()).expect("the keys are taken");
    let piped = String::from_utf8(child.wait_with_output().expect("it ends").stdout).expect("text");
    assert_eq!(piped, folder.run("route --strategy nginx --backends six --keys keys --format json").stdout);
}

#[test]
fn schedules_begin_where_they_are_told_to() {
    let folder = folder();
    let choices =
        |flags: &str| folder.run(&format!("route --backends six --format json {flags}")).json()[0]["choices"].clone();
    assert_eq!(choices("--strategy round_robin --picks 8 --start 4"), json!([4, 5, 0, 1, 2, 3, 4, 5]));
    assert_eq!(
        choices("--strategy static_stride --picks 4 --start 4294967295"),
        json!([3, 0, 1, 2]),
        "the sequence wraps"
    );
    // grpc/grpc static_stride_scheduler_test.cc: of weights 1, 2 and 3 every second, third and first round.
    folder.write("weighted", "a 1\nb 2\nc 3\n");
    let said = folder.run("route --strategy edf --backends weighted --picks 6 --start 0 --format json").json();
    // Nobody was picked before: the heaviest is due first.
    assert_eq!(said[0]["choices"], json!([2, 1, 2, 0, 1, 2]));
    for strategy in ["weighted_least_request", "grpc_weighted_round_robin", "envoy_weighted_round_robin", "c3"] {
        assert_eq!(
            folder.run(&format!("route --strategy {strategy} --backends six --picks 2 --start 3")).code,
            0,
            "{strategy}"
        );
    }
    let said = folder.run("route --strategy p2c --backends six --picks 2 --start 3");
    assert!(said.code == 2 && said.stderr.contains("--start means nothing to p2c"), "{said:?}");
    assert!(said.stderr.contains("round_robin, edf, static_stride"), "{said:?}");
}

#[test]
fn a_retry_goes_to_the_next_point() {
    // envoyproxy/envoy ring_hash_lb_test.cc, RingHashLoadBalancerTest.Basic: BasicWithRetryHostPredicate.
    let folder = folder();
    folder.write("zero", "0\n");
    for (attempt, host) in [(0, 4), (1, 2), (2, 0), (13, 2)] {
        let said = folder.run(&format!(
            "route --strategy ring --min-ring 12 --backends six --hashes zero --attempt {attempt} --format json"
        ));
        assert_eq!(said.json()[0]["choices"], json!([host]), "attempt {attempt}");
    }
}

#[test]
fn hashes_are_shown_as_they_are() {
    let folder = folder();
    folder.write("user", "user-42\n");
    // The CRC-32 of user-42 as zlib has it.
    let said = folder.run("route --strategy nginx --backends six --keys user --show-hash --format json");
    assert_eq!(said.json()[0]["hashes"], json!(["2097592435"]));
    // What is shown is what is looked up.
    let said = folder.run("route --strategy ring --backends six --keys keys --show-hash --format json").json();
    let hashes: Vec<String> =
        said[0]["hashes"].as_array().unwrap().iter().map(|h| h.as_str().unwrap().into()).collect();
    folder.write("shown", &(hashes.join("\n") + "\n"));
    let again = folder.run("route --strategy ring --backends six --hashes shown --format json").json();
    assert_eq!(again[0]["choices"], said[0]["choices"]);
}

#[test]
fn go_mpchashs_vector_comes_out() {
    // dgryski/go-mpchash compat_test.go: hosts shard-1 to shard-6000, and keys of the same names.
    let folder = folder();
    let shards: String = (1..=6000).map(|i| format!("shard-{i}\n")).collect();
    folder.write("shards", &shards);
    folder.write("names", "shard-1\nshard-2\nshard-3\nshard-100\n");
    let said =
        folder.run("route --strategy multi_probe --hash siphash --backends shards --keys names --format json").json();
    assert_eq!(said[0]["choices"], json!([1388, 4256, 4743, 4547]));
}

#[test]
fn a_host_of_weight_zero_is_there_and_gets_nothing() {
    let folder = folder();
    let all: String = (0..6).map(|i| format!("10.0.0.{i}:80 {}\n", u8::from(i != 2))).collect();
    folder.write("drained", &all);
    let keys: String = (0..500).map(|i| format!("key-{i}\n")).collect();
    folder.write("many", &keys);
    for strategy in ["ring", "ketama", "maglev", "jump", "anchor", "haproxy", "haproxy_map", "rendezvous", "nginx"] {
        let said =
            folder.run(&format!("route --strategy {strategy} --backends drained --keys many --format json")).json();
        let choices: Vec<u64> = said[0]["choices"].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).collect();
        assert!(!choices.contains(&2) && choices.contains(&5), "{strategy}: {choices:?}");
    }
    for strategy in ["round_robin", "smooth_weighted_round_robin", "p2c", "haproxy_roundrobin"] {
        let said =
            folder.run(&format!("route --strategy {strategy} --backends drained --picks 60 --format json")).json();
        let choices: Vec<u64> = said[0]["choices"].as_array().unwrap().iter().map(|c| c.as_u64().unwrap()).collect();
        assert!(!choices.contains(&2) && choices.contains(&5), "{strategy}: {choices:?}");
    }
    // HAProxy numbers its servers: one that is drained gives its keys away, and moves no other.
    folder.write("all", &all.replace(" 0", " 1"));
    let whole = folder.run("route --strategy haproxy --backends all --keys many --format json").json();
    let rest = folder.run("route --strategy haproxy --backends drained --keys many --format json").json();
    let mut pairs = whole[0]["choices"].as_array().unwrap().iter().zip(rest[0]["choices"].as_array().unwrap());
    assert!(pairs.all(|(whole, rest)| whole == rest || *whole == json!(2)));
    folder.write("nobody", "a 0\nb 0\n");
    let said = folder.run("route --strategy ring --backends nobody --keys many");
    assert!(said.code == 2 && said.stderr.contains("all hosts have weight 0"), "{said:?}");
}

#[test]
fn more_than_a_hundred_thousand_hosts_are_as_good_as_six() {
    let folder = folder();
    let many: String = (0..100_001).map(|i| format!("10.{}.{}.{}:80\n", i >> 16, i >> 8 & 255, i & 255)).collect();
    folder.write("many", &many);
    let said = folder.run("route --strategy modulo --backends many --keys keys --format json");
    assert_eq!(said.json()[0]["backends"].as_array().map(Vec::len), Some(100_001), "{:?}", said.stderr);
    let said = folder.run("route --strategy round_robin --backends many --picks 3 --start 99999 --format json");
    assert_eq!(said.json()[0]["choices"], json!([99_999, 100_000, 0]));
}

#[test]
fn sizes_are_refused_before_they_are_built() {
    let folder = folder();
    for (strategy, flags) in [("karger", ""), ("nginx", ""), ("haproxy", ""), ("haproxy_map", "")] {
        let mut command = folder.command(&format!("route --strategy {strategy} --backends six --keys keys {flags}"));
        let said = command.args(["--with", "d 4294967295"]).output().expect("it runs");
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.code() == Some(2) && stderr.contains("weigh"), "{strategy}: {stderr}");
    }
    let many: String = (0..200_000).map(|i| format!("host-{i}\n")).collect();
    folder.write("many", &many);
    for (strategy, flags) in [("ketama", ""), ("dubbo_consistent_hash", ""), ("karger", "--points 65536")] {
        let said = folder.run(&format!("route --strategy {strategy} --backends many --keys keys {flags}"));
        assert!(said.code == 2 && said.stderr.contains("200000 hosts"), "{strategy}: {}", said.stderr);
    }
}

#[test]
fn a_name_of_seventy_thousand_bytes_is_hashed_whole_and_shown_by_its_beginning() {
    let folder = folder();
    let long = "x".repeat(70_000);
    folder.write("long", &format!("{long} 300\nb\n"));
    folder.write("key", &format!("{long}\n"));
    for strategy in ["ring", "ketama", "nginx", "maglev", "rendezvous", "dubbo_consistent_hash"] {
        let said = folder.run(&format!("route --strategy {strategy} --backends long --keys key"));
        assert!(
            said.code == 0 && said.stdout.len() < 3_000 && said.stdout.contains('…'),
            "{strategy}: {}",
            said.stderr
        );
    }
    let said = folder.run("route --strategy haproxy --backends long --keys key");
    assert!(said.code == 2 && said.stderr.len() < 1_000, "{}", said.stderr.len());
}

#[test]
fn a_table_that_would_take_minutes_is_refused() {
    let folder = folder();
    let light: String = (0..2_000).map(|i| format!("host-{i}\n")).collect();
    folder.write("uneven", &format!("{light}heavy 4000000000\n"));
    let said = folder.run("route --strategy maglev --backends uneven --table-size 5000011 --keys keys");
    assert!(said.code == 2 && said.stderr.contains("2001 hosts of such uneven weights take too long"), "{said:?}");
    assert_eq!(folder.run("route --strategy maglev --backends uneven --keys keys").code, 0, "a smaller one is made");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = folder();
    folder.write("twice", "a\nb\n\na 2\n");
    folder.write("zero", "a 0\nb 0\n");
    folder.write("active", "a 1 -1\n");
    folder.write("more", "a 1 2 3\n");
    folder.write("none", "# nobody\n");
    folder.write("one", "a\n");
    folder.write("hashes", "1\n\n3\n");
    folder.write("large", "1\n18446744073709551616\n");
    folder.write("heavy", "a 4294967295\n");
    let commands = [
        "route",
        "route --strategy maglv --backends six --keys keys",
        "route --strategy frobnicate --backends six --keys keys",
        "route --strategy maglev --backends missing --keys keys",
        "route --strategy maglev --backends twice --keys keys",
        "route --strategy maglev --backends zero --keys keys",
        "route --strategy maglev --backends six --picks 3 --start 1",
        "route --strategy maglev --backends six --keys keys --start 1",
        "route --strategy random --backends six --picks 3 --start 1",
        "route --strategy random --backends six --picks 3 --attempt 1",
        "route --strategy jump --backends six --keys keys --balance-factor 120",
        "route --strategy ketama --backends active --keys keys",
        "route --strategy maglev --backends more --keys keys",
        "route --strategy maglev --backends none --keys keys",
        "route --strategy maglev --backends six --hashes hashes",
        "route --strategy maglev --backends six --hashes large",
        "route --strategy maglev --backends six",
        "route --strategy maglev --backends six --keys keys --hashes hashes",
        "route --strategy maglev --backends six --picks 3",
        "route --strategy maglev --backends six --keys keys --seed 1",
        "route --strategy maglev --backends six --keys keys --table-size 8",
        "route --strategy maglev --backends six --keys keys --table-size 5000023",
        "route --strategy maglev --backends - --keys -",
        "route --strategy ring --backends six --keys keys --table-size 7",
        "route --strategy ring --backends six --keys keys --min-ring 20 --max-ring 10",
        "route --strategy jump --backends six --dump",
        "route --strategy nginx --backends heavy --keys keys",
        "route --strategy anchor --backends six --keys keys --capacity 6 --with x",
        "route --strategy random --backends six",
        "route --strategy random --backends six --picks 0",
        "route --strategy random --backends six --keys keys",
        "route --strategy modulo --backends six --keys keys --without 127.0.0.1:9",
        "route --strategy modulo --backends one --keys keys --without a",
        "route --strategy modulo --backends six --keys keys --with 127.0.0.1:90",
        "route --strategy modulo --backends six --keys keys --with a --without 127.0.0.1:90",
        "route --strategy modulo --backends six --hashes large --hash crc32",
    ];
    all_exit(2, &folder, "wrong-route", &commands);
}
