//! Decisions without a simulation: files, lines, what is refused, and what the program says of its engines.

use crate::support::{Folder, Said, all_exit, golden, session};
use serde_json::json;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

const ROLLING: &str = "\
replicas  = 10
max_surge = 2
new = { desired = 2 }
old = [{ desired = 10, available = 9 }]
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("rolling.toml", ROLLING);
    folder.write("canary.json", "{\n  \"replicas\": 10,\n  \"weight\": 25\n}\n");
    folder.write(
        "many.jsonl",
        "{\"clients\":6,\"renewals\":10,\"ended\":1}\n\n{\"clients\":7,\"renewals\":12,\"ended\":1}\n",
    );
    folder
}

/// What the program says to `input` on its standard input.
fn piped(folder: &Folder, line: &str, input: &[u8]) -> Said {
    let mut command = folder.command(line);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
    Said::of(child.wait_with_output().expect("it ends"))
}

#[test]
fn a_case_in_a_file_is_one_line() {
    let commands = [
        "decide kubernetes-deployment rolling.toml",
        "decide argo-canary canary.json",
        "decide eureka many.jsonl",
        "decide breaker half.toml",
    ];
    let folder = folder();
    folder.write(
        "half.toml",
        "breaker = { window = 2, min_calls = 2, open_for = \"1s\", half_open_calls = 1 }\n\
         inputs = [{ event = \"timeout\" }, { event = \"timeout\" }, { at = \"1001ms\", event = \"call\" }]\n",
    );
    golden("decide", &session(&folder, &commands));
}

#[test]
fn what_is_wrong_with_a_case_is_said_in_its_line_and_shown_in_its_file() {
    let folder = folder();
    folder.write("wrong.toml", &ROLLING.replace("available", "avaliable").replace("= 2\n", "= \"2\"\n"));
    folder.write("wrong.json", "{\n  \"replicas\": 10,\n  \"weight\": 250\n}\n");
    folder.write("broken.json", "{\n  \"replicas\": 10\n  \"weight\": 25\n}\n");
    folder.write("odd", "\u{feff}");
    let commands = [
        "decide kubernetes-deployment wrong.toml",
        "decide argo-canary wrong.json",
        "decide argo-canary broken.json",
        "decide argo-canary many.jsonl",
        "decide argo-canary odd",
        "decide argo-canary missing.toml",
        "decide",
    ];
    all_exit(2, &folder, "wrong-decide", &commands);
    // What exists is listed beside the guess, and grows with every engine.
    for line in ["decide argo-canari canary.json", "schema --decide argo-canari"] {
        let said = folder.run(line);
        let guess = "a similar value exists: 'argo-canary'";
        assert!(said.code == 2 && said.stderr.contains(guess) && said.stderr.contains("eureka"), "{said:?}");
    }
}

#[test]
fn lines_are_answered_in_order_and_a_wrong_one_costs_only_itself() {
    let folder = folder();
    let mut input = b"{\"replicas\":4,\"weight\":1}\n\n  \n{\"replicas\":4,\"weigth\":1}\n\xff\n[]\n".to_vec();
    input.extend(vec![b' '; 1 << 20]);
    input.extend(b"1\n{\"weight\":100}");
    let said = piped(&folder, "decide argo-canary", &input);
    let lines = said.json();
    assert_eq!((said.code, said.stderr.as_str(), lines.len()), (2, "", 6), "{said:?}");
    assert_eq!(lines[0]["decision"], json!({"canary": 1, "stable": 4}));
    assert!(lines[1]["error"].as_str().is_some_and(|said| said.contains("`weigth`")), "{said:?}");
    assert!(lines[2]["error"].as_str().is_some_and(|said| said.contains("UTF-8")), "{said:?}");
    assert!(lines[3]["error"].as_str().is_some_and(|said| said.contains("an array")), "{said:?}");
    assert_eq!(lines[4]["error"], "a case has at most 1 MiB");
    assert_eq!(lines[5]["decision"], json!({"canary": 1, "stable": 1}));
    let nothing = piped(&folder, "decide argo-canary", b"");
    assert_eq!((nothing.code, nothing.stdout.as_str()), (0, ""));
}

#[test]
fn standard_input_may_be_one_case_in_either_language() {
    let folder = folder();
    let toml = piped(&folder, "decide kubernetes-deployment -", ROLLING.as_bytes());
    assert_eq!((toml.code, toml.stdout), (0, folder.run("decide kubernetes-deployment rolling.toml").stdout));
    let json = piped(&folder, "decide argo-canary -", folder.read("canary.json").as_bytes());
    assert_eq!((json.code, json.json().len()), (0, 1));
    let lines = piped(&folder, "decide eureka -", folder.read("many.jsonl").as_bytes());
    assert_eq!((lines.code, lines.json().len()), (0, 2));
}

/// A program may ask, read the answer, and ask again.
#[test]
fn an_answer_comes_before_the_next_question() {
    let folder = folder();
    let mut command = folder.command("decide backoff");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
    let (mut ask, answers) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
    let mut answers = BufReader::new(answers).lines();
    for (retry, to) in [(1, "25ms"), (2, "50ms"), (3, "100ms")] {
        writeln!(ask, "{{\"retry\":{retry}}}").expect("it listens");
        let line = answers.next().expect("an answer").expect("text");
        assert!(line.contains(&format!("\"to\":\"{to}\"")), "{line}");
    }
    drop(ask);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn engines_are_listed_explained_and_have_schemas() {
    let folder = folder();
    golden("explain-engine", &session(&folder, &["explain kubernetes-deployment", "explain retry-budget"]));
    let people = folder.run("list engines").stdout;
    let listed = folder.run("list engines --format json").json();
    assert!(listed.len() >= 8 && listed.iter().all(|line| line["kind"] == "engines"), "{listed:?}");
    for line in &listed {
        let name = line["name"].as_str().expect("a name");
        assert!(people.contains(&format!("\n    {name} ")), "{people}");
        let explained = folder.run(&format!("explain {name} --format json")).json();
        assert!(explained.iter().any(|meaning| meaning["what"] == "engine of decide"), "{name}");
        let schema = folder.run(&format!("schema --decide {name}")).json_text();
        assert_eq!((&schema["type"], &schema["additionalProperties"]), (&json!("object"), &json!(false)), "{name}");
        for shell in ["bash", "zsh", "fish"] {
            assert!(folder.run(&format!("completions {shell}")).stdout.contains(name), "{name} in {shell}");
        }
    }
    assert_eq!(folder.run("schema --decide backoff --study").code, 2);
}
