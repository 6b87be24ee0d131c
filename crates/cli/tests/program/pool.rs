//! `recado reply --pool`: long-lived workers, fed with framed messages, and replaced when lost.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use recado_conformance::ServerProcess;

use crate::harness::{Running, recado};
use crate::processes::{children, responder, until, until_empty};

/// The worker that the documentation shows.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/worker.py")
}

/// A worker in Python: what it does with `request` and `payload` to make `head` and `answer`.
struct Script(tempfile::NamedTempFile);

impl Script {
    fn new(body: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let body: String = body.lines().map(|line| format!("    {line}\n")).collect();
        let script = format!(
            "import json, os, sys, time\n\
             def say(head, answer=b''):\n    \
                 head.setdefault('size', len(answer))\n    \
                 sys.stdout.buffer.write(json.dumps(head).encode() + b'\\n' + answer)\n    \
                 sys.stdout.buffer.flush()\n\
             for line in sys.stdin.buffer:\n    \
                 request = json.loads(line)\n    \
                 payload = sys.stdin.buffer.read(request['size'])\n{body}"
        );
        std::fs::write(file.path(), script).unwrap();
        Self(file)
    }

    fn pool(&self, url: &str, subject: &str, args: &[&str]) -> Running {
        let path = self.0.path().to_str().unwrap();
        let program = ["--exec", "python3", path];
        responder(url, &[&[subject], args, &program].concat())
    }
}

fn ask(url: &str, subject: &str, payload: &str) -> String {
    recado(
        url,
        ["request", subject, payload, "--raw", "--timeout", "20s"],
    )
    .succeed()
}

fn refused(url: &str, subject: &str, payload: &str, words: &str) {
    let ended = recado(url, ["request", subject, payload, "--timeout", "20s"]).run();
    assert_eq!(ended.code, Some(15), "{ended:?}");
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
}

#[test]
fn the_example_of_the_documentation_answers_and_its_processes_stay() {
    let server = ServerProcess::nats();
    let url = server.url();
    let path = example();
    let args = [
        "upper",
        "--pool",
        "2",
        "--exec",
        "python3",
        path.to_str().unwrap(),
    ];
    let responder = responder(&url, &args);
    let workers = until("two workers", || {
        Some(children(responder.pid())).filter(|workers| workers.len() == 2)
    });
    for _ in 0..4 {
        assert_eq!(
            ask(&url, "upper", "¡hola!\nb"),
            "¡hola!\nb".to_ascii_uppercase()
        );
    }
    let bytes: Vec<u8> = (0..=255).cycle().take(900_000).collect();
    let ended = recado(&url, ["request", "upper", "--raw", "--timeout", "20s"])
        .input(bytes.clone())
        .run();
    assert!(
        ended.stdout == bytes.to_ascii_uppercase(),
        "{}",
        ended.stderr
    );
    assert_eq!(children(responder.pid()), workers, "the same as before");
    for (pid, group) in workers {
        assert_eq!(pid, group);
        responder.shows(&format!("(process {pid})"));
    }
}

#[test]
fn the_pages_show_the_programs_that_are_tested() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for page in ["processes-and-threads.md", "es/procesos-e-hilos.md"] {
        let page = std::fs::read_to_string(docs.join(page)).unwrap();
        for program in ["worker.py", "once.py"] {
            let program = std::fs::read_to_string(docs.join("examples").join(program)).unwrap();
            // Its first line says where it belongs.
            let (_, program) = program.split_once('\n').unwrap();
            assert!(page.contains(program), "{page}");
        }
    }
}

#[test]
fn a_worker_is_given_subject_and_headers_and_may_answer_with_headers_or_an_error() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script = Script::new(
        "if payload == b'no':\n    \
             say({'error': {'code': 404, 'description': 'no such book'}})\n\
         else:\n    \
             say({'headers': {'Pages': ['1', '2']}}, json.dumps([request['subject'], request['headers'], os.getpid()]).encode())",
    );
    let responder = script.pool(&url, "books.*", &["--pool", "1"]);
    let answer = recado(
        &url,
        [
            "request",
            "books.new",
            "yes",
            "-H",
            "Kind:a",
            "-H",
            "Kind:b",
        ],
    )
    .succeed();
    assert!(
        answer.contains("[\"books.new\", {\"Kind\": [\"a\", \"b\"]}, "),
        "{answer}"
    );
    assert!(answer.contains("    Pages: 1\n    Pages: 2\n"), "{answer}");
    let before = children(responder.pid());
    refused(&url, "books.new", "no", "404 no such book");
    assert_eq!(
        children(responder.pid()),
        before,
        "an error is no reason to go"
    );
}

#[test]
fn a_worker_that_crashes_is_replaced_and_its_request_is_answered_with_an_error() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script =
        Script::new("if payload == b'die': os._exit(7)\nsay({}, str(os.getpid()).encode())");
    let responder = script.pool(&url, "c", &["--pool", "1"]);
    let first = ask(&url, "c", "x");
    refused(&url, "c", "die", "500 the process ended with exit status 7");
    let told = responder.told("was lost");
    assert!(
        told.contains(&format!(
            "worker {first} was lost: it ended with exit status 7"
        )),
        "{told}"
    );
    let second = ask(&url, "c", "x");
    assert_ne!(first, second);
}

#[test]
fn a_worker_that_is_killed_while_idle_is_replaced() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script = Script::new("say({}, str(os.getpid()).encode())");
    let responder = script.pool(&url, "idle", &["--pool", "2"]);
    let both: BTreeSet<String> = (0..2).map(|_| ask(&url, "idle", "x")).collect();
    assert_eq!(both.len(), 2, "they take turns");
    let victim = both.first().unwrap();
    kill(Pid::from_raw(victim.parse().unwrap()), Signal::SIGKILL).unwrap();
    responder.told(&format!(
        "worker {victim} was lost: it was ended by SIGKILL"
    ));
    let now: BTreeSet<String> = (0..4).map(|_| ask(&url, "idle", "x")).collect();
    assert!(
        !now.contains(victim) && now.contains(both.last().unwrap()),
        "{now:?}"
    );
    assert_eq!(now.len(), 2, "{now:?}");
}

#[test]
fn a_worker_that_is_stuck_is_killed_and_replaced() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script =
        Script::new("if payload == b'stick': time.sleep(1000)\nsay({}, str(os.getpid()).encode())");
    let responder = script.pool(&url, "s", &["--pool", "1", "--answer-deadline", "2s"]);
    let first: u32 = ask(&url, "s", "x").parse().unwrap();
    refused(&url, "s", "stick", "504 no answer within 2 s");
    responder.told("did not answer within 2 s and was killed");
    assert_ne!(ask(&url, "s", "x"), first.to_string());
    until_empty(first);
}

#[test]
fn a_worker_that_talks_nonsense_or_too_much_is_replaced() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script = Script::new(
        "if payload == b'print': print('debugging', flush=True)\nsay({'size': 5000} if payload == b'much' else {}, b'')",
    );
    let responder = script.pool(&url, "n", &["--pool", "1", "--output-max", "1K"]);
    refused(&url, "n", "print", "502 the worker's answer is malformed");
    responder.told("its answer is malformed");
    refused(
        &url,
        "n",
        "much",
        "502 the answer is larger than 1024 bytes",
    );
    responder.told("its answer is larger than 1024 bytes");
    assert_eq!(ask(&url, "n", "x"), "");
}

#[test]
fn a_worker_that_can_not_live_is_tried_again_ever_more_slowly() {
    let server = ServerProcess::nats();
    let url = server.url();
    let args = [
        "w",
        "--pool",
        "1",
        "--answer-deadline",
        "300ms",
        "--exec",
        "exit 5",
    ];
    let responder = responder(&url, &args);
    responder.told("it ended with exit status 5; another one takes its place in 100 ms");
    responder.told("another one takes its place in 200 ms");
    responder.told("another one takes its place in 400 ms");
    // Meanwhile nobody is left without an answer.
    let ended = recado(&url, ["request", "w", "x", "--timeout", "20s"]).run();
    assert_eq!(ended.code, Some(15), "{ended:?}");
}

#[test]
fn the_end_of_the_responder_is_the_end_of_its_workers() {
    let server = ServerProcess::nats();
    let url = server.url();
    let polite = Script::new("say({}, b'')");
    let stubborn = Script::new(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nsay({}, b'')\nos.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '1000'); time.sleep(1000)",
    );
    for (script, signal) in [
        (&polite, Signal::SIGINT),
        (&stubborn, Signal::SIGTERM),
        (&stubborn, Signal::SIGINT),
    ] {
        let responder = script.pool(&url, "e", &["--pool", "2"]);
        ask(&url, "e", "x");
        let workers = children(responder.pid());
        assert_eq!(workers.len(), 2);
        responder.signal(signal);
        let ended = responder.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        for (_, group) in workers {
            until_empty(group);
        }
    }
}

#[test]
fn workers_see_the_end_of_their_input_when_the_responder_is_killed() {
    let server = ServerProcess::nats();
    let url = server.url();
    let script = Script::new("say({}, b'')");
    let responder = script.pool(&url, "k", &["--pool", "2"]);
    ask(&url, "k", "x");
    let workers = children(responder.pid());
    assert_eq!(workers.len(), 2);
    responder.signal(Signal::SIGKILL);
    assert_eq!(responder.end().code, Some(137));
    for (_, group) in workers {
        until_empty(group);
    }
}
