//! What the program says about itself: help, lists, explanations, completions, the manual page, colours.

use crate::support::{Folder, golden, session};

#[test]
fn help_in_short_and_at_length() {
    let folder = Folder::new();
    golden("help", &session(&folder, &["-h", "--help"]));
    golden("help-run", &session(&folder, &["run -h", "run --help"]));
    golden("help-replay", &session(&folder, &["replay --help"]));
    golden("help-route", &session(&folder, &["route -h", "route --help"]));
    golden("help-decide", &session(&folder, &["decide -h", "decide --help", "schema --help"]));
    let rest = ["validate --help", "list --help", "explain --help", "new --help", "completions --help", "man --help"];
    golden("help-rest", &session(&folder, &rest));
}

#[test]
fn help_mentions_nothing_that_is_not_there() {
    let folder = Folder::new();
    let commands = folder.run("--help").stdout;
    let listed: Vec<&str> = commands
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let there = [
        "run",
        "replay",
        "compare",
        "validate",
        "list",
        "explain",
        "decide",
        "route",
        "new",
        "schema",
        "completions",
        "man",
    ];
    assert_eq!(listed, there);
    for command in listed {
        assert_eq!(folder.run(&format!("{command} --help")).code, 0, "{command}");
        assert!(folder.run(&format!("man {command}")).stdout.contains(&format!("windtunnel\\-{command}")), "{command}");
    }
}

#[test]
fn lists_show_what_exists() {
    let folder = Folder::new();
    let lists = ["list strategies", "list faults", "list invariants"];
    golden("list", &session(&folder, &lists));
    let studies = folder.run("list studies");
    let is_listed =
        |line: &str| line.trim().starts_with("two-hosts ") && line.contains(" Two choices between two hosts");
    assert!(studies.code == 0 && studies.stdout.lines().any(is_listed), "{studies:?}");
    let schema = folder.run("schema --study").json_text();
    assert!(schema["properties"]["axis"].is_object(), "{schema}");
    let scenarios = folder.run("list scenarios");
    assert_eq!(scenarios.code, 0);
    assert!(
        scenarios.stdout.contains("weather") && scenarios.stdout.contains("A canary with a 2 % bug"),
        "{scenarios:?}"
    );
    let all = folder.run("list").stdout;
    for list in lists {
        let body = folder.run(list).stdout;
        let first =
            body.lines().nth(1).expect("a line of the list").trim().split("  ").next().expect("a name").to_string();
        assert!(all.contains(&first), "`list` leaves out {first}");
    }
    let lines = folder.run("list --format json").json();
    assert!(lines.iter().any(|line| line["kind"] == "strategies" && line["name"] == "p2c"));
    assert!(lines.iter().any(|line| line["kind"] == "invariants" && line["class"] == "eventually"));
}

#[test]
fn names_are_explained() {
    let folder = Folder::new();
    let known =
        ["explain p2c", "explain partition", "explain wan", "explain 13", "explain safety", "explain controller"];
    golden("explain", &session(&folder, &known));
    golden("explain-unknown", &session(&folder, &["explain p2d", "explain frobnicate"]));
    for (measure, said) in [("mean", "Counts every call"), ("p99_success", "and succeeded"), ("errors", "breaker")] {
        let text = folder.run(&format!("explain {measure}")).stdout;
        assert!(text.contains("measure of a study") && text.contains(said), "{text}");
    }
    let promise = folder.run("explain views_converge").stdout;
    assert!(promise.contains("liveness, 11") && promise.contains("eventually = [\"views_converge\"]"), "{promise}");
    let weather = folder.run("explain weather");
    assert_eq!(weather.code, 0);
    assert!(weather.stdout.contains("windtunnel run weather"), "{}", weather.stdout);
    let crash = folder.run("explain crash --format json").json();
    let kinds: Vec<&str> = crash.iter().filter_map(|meaning| meaning["what"].as_str()).collect();
    assert_eq!(kinds, ["kind of fault", "exit code"], "a name with two meanings has both");
}

#[test]
fn shells_and_editors_get_what_they_need() {
    let folder = Folder::new();
    for (shell, sign) in [("bash", "_windtunnel()"), ("zsh", "#compdef windtunnel"), ("fish", "complete -c windtunnel")]
    {
        let said = folder.run(&format!("completions {shell}"));
        assert!(said.code == 0 && said.stdout.contains(sign), "{shell}");
    }
    let man = folder.run("man");
    assert!(man.code == 0 && man.stdout.contains(".TH windtunnel 1"), "{}", man.stdout);
    let schema: serde_json::Value = serde_json::from_str(&folder.run("schema").stdout).expect("the schema is JSON");
    assert_eq!(schema["title"], "Windtunnel scenario");
    assert!(folder.run("--version").stdout.starts_with("windtunnel 0."));
}

#[test]
fn colour_is_for_terminals_and_for_those_who_insist() {
    let folder = Folder::new();
    let coloured = |line: &str, no_color: Option<&str>| {
        let mut command = folder.command(line);
        no_color.map(|value| command.env("NO_COLOR", value));
        let output = command.output().expect("the program starts");
        output.stdout.contains(&0x1b) || output.stderr.contains(&0x1b)
    };
    for command in ["list strategies", "run missing", "--help"] {
        assert!(!coloured(command, None), "a pipe gets no colour: {command}");
        assert!(coloured(&format!("{command} --color always"), None), "{command}");
        assert!(
            coloured(&format!("{command} --color always"), Some("1")),
            "a flag outranks the environment: {command}"
        );
        assert!(!coloured(&format!("{command} --color never"), None), "{command}");
    }
    assert!(!coloured("list --format json --color always", None), "JSON has no colour");
}
