//! What a program publishes before it exits is never lost, however many do so.
//!
//! A test binary of its own: it keeps two cores busy for half a minute, and test binaries run one
//! after the other.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use recado_conformance::{Peer, ServerProcess};

const PROGRAMS: usize = 10_000;
/// Programs that publish at the same time; more would only wait for a processor.
const AT_ONCE: usize = 4;

fn publish(url: &str, number: usize) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_recado"))
        .env_clear()
        .env("NATS_URL", url)
        .args(["pub", "run"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("recado starts");
    let mut stdin = program.stdin.take().expect("it is piped");
    stdin
        .write_all(number.to_string().as_bytes())
        .expect("it reads");
    drop(stdin);
    let ended = program.wait().expect("it ends");
    assert!(ended.success(), "program {number}: {ended}");
}

#[test]
fn ten_thousand_programs_that_publish_and_exit_lose_no_message() {
    let server = ServerProcess::nats();
    let mut subscriber = Peer::plain(&server);
    subscriber.until_pong("SUB run 1\r\n");
    let next = AtomicUsize::new(0);
    let publish_the_rest = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= PROGRAMS {
            break;
        }
        publish(&server.url(), number);
    };
    let mut times_heard = vec![0; PROGRAMS];
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(publish_the_rest);
        }
        for _ in 0..PROGRAMS {
            let message = subscriber.message();
            let number = std::str::from_utf8(&message.payload).expect("it was a number");
            times_heard[number.parse::<usize>().expect("it was a number")] += 1;
        }
    });
    assert!(times_heard.iter().all(|&times| times == 1));
}
