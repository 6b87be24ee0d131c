//! One subscriber is stopped by a signal: what do the others lose?

use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::flow::Flow;
use super::watched::{rate, watched};
use super::{CpuWatch, Setting};
use crate::client::Client;
use crate::error::{Doing, Error, Result};
use crate::frames::{Numbered, Traffic, Verifier};
use crate::outcome::{Outcome, Used};

const SUBJECT: &str = "bench.stopped";
const PAYLOAD: usize = 128;
const HEALTHY: usize = 4;
const PAIRS: usize = 5;
/// More than the sockets between server and subscriber hold: published before measuring begins.
const FILL_BYTES: usize = 8 * 1024 * 1024;
/// How a subscriber process begins its last line when the server has closed its connection.
const CUT_OFF: &str = "was cut off";

/// Alternates windows without and with a stopped subscriber beside four healthy ones.
pub(super) fn beside_a_stopped_one(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let traffic = Arc::new(Traffic::one_subject(SUBJECT, PAYLOAD, Numbered::Yes));
    let mut flow = Flow::open(&target, SUBJECT, &traffic, 1, HEALTHY)?;
    flow.run(setting.warm_up())?;
    let (mut ratios, mut worst, mut stalled) = (Vec::new(), f64::INFINITY, 0.0);
    let (mut cut_off, mut note) = (0.0, None);
    let (mut count, mut lost, mut elapsed) = (0, 0, Duration::ZERO);
    let mut used = Used::default();
    for _ in 0..PAIRS {
        let (alone, _) = watched(&mut flow, setting.measure / 2, || false)?;
        let stopped = Stopped::start(target.address)?;
        fill(&mut flow, &traffic)?;
        let watch = CpuWatch::start(&target)?;
        let (beside, slices) = watched(&mut flow, setting.measure / 2, || stopped.is_connected())?;
        used.add(watch.stop()?);
        ratios.push(rate(&beside) / rate(&alone));
        worst = f64::min(worst, slices.slowest / rate(&alone));
        stalled += slices.held / PAIRS as f64;
        count += beside.delivered;
        lost += beside.lost + alone.lost;
        elapsed += beside.elapsed;
        let end = stopped.wake()?;
        cut_off += f64::from(u8::from(end.starts_with(CUT_OFF))) / PAIRS as f64;
        note.get_or_insert(format!("the stopped one {end}"));
    }
    ratios.sort_by(f64::total_cmp);
    let mut outcome = Outcome::new(setting.row, "delivery", count, lost, elapsed, used)
        .figure("healthy_ratio", ratios[PAIRS / 2])
        .figure("worst_100_ms_ratio", worst)
        .figure("stalled_part", stalled)
        .figure("cut_off", cut_off);
    outcome.notes.extend(note);
    Ok(outcome)
}

/// Publishes until the stopped subscriber's sockets are full, ten seconds at most.
fn fill(flow: &mut Flow, traffic: &Traffic) -> Result<()> {
    let (start, mut bytes) = (Instant::now(), 0);
    while bytes < FILL_BYTES && start.elapsed() < Duration::from_secs(10) {
        let phase = flow.run(Duration::from_millis(5))?;
        let messages = phase.delivered as usize / HEALTHY;
        bytes += messages * (traffic.publish.len() / traffic.messages as usize);
    }
    Ok(())
}

/// A subscriber in a process of its own, which has been stopped.
struct Stopped {
    child: Child,
    /// Its end of the connection, as `/proc/net/tcp` writes it.
    port: String,
    output: BufReader<ChildStdout>,
}

impl Stopped {
    fn start(server: SocketAddr) -> Result<Stopped> {
        let own = std::env::current_exe().doing("finding our own program")?;
        let mut command = Command::new(own);
        command.args(["subscriber", "--connect", &server.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().doing("starting a subscriber process")?;
        let missing = || Error::Server("a subscriber process has no output".into());
        let mut output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let mut line = String::new();
        output
            .read_line(&mut line)
            .doing("waiting for a subscriber process")?;
        let Some::<u16>(port) = line
            .trim_end()
            .strip_prefix("ready ")
            .and_then(|p| p.parse().ok())
        else {
            return Err(Error::Server(format!("a subscriber process says {line:?}")));
        };
        let port = format!(":{:04X}", port);
        let stopped = Stopped {
            child,
            port,
            output,
        };
        stopped.signal(Signal::SIGSTOP)?;
        stopped.wait_until_stopped()?;
        Ok(stopped)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        kill(Pid::from_raw(self.child.id() as i32), signal).doing(format!("sending {signal}"))
    }

    fn wait_until_stopped(&self) -> Result<()> {
        let path = format!("/proc/{}/stat", self.child.id());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) {
            let stat = std::fs::read_to_string(&path).doing(&path)?;
            if stat
                .rsplit(") ")
                .next()
                .is_some_and(|rest| rest.starts_with('T'))
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(Error::Server(
            "a subscriber process can't be stopped".into(),
        ))
    }

    /// Whether the server has not closed its connection yet.
    fn is_connected(&self) -> bool {
        const ESTABLISHED: &str = "01";
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        // The server's end tells; ours learns nothing while its buffers are full.
        connections.lines().any(|line| {
            let mut words = line.split_ascii_whitespace().skip(2);
            let peer_is_ours = words.next().is_some_and(|peer| peer.ends_with(&self.port));
            peer_is_ours && words.next() == Some(ESTABLISHED)
        })
    }

    /// Lets it go on, and returns what it says when it has read all there is.
    fn wake(mut self) -> Result<String> {
        self.signal(Signal::SIGCONT)?;
        drop(self.child.stdin.take());
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .doing("waiting for a subscriber process")?;
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process: subscribes, says `ready PORT`, reads until its standard input ends and the
/// server has nothing more for it (or has cut it off), and says what it got.
pub fn subscriber(server: SocketAddr) -> Result<()> {
    let traffic = Traffic::one_subject(SUBJECT, PAYLOAD, Numbered::Yes);
    let subscribe = format!("SUB {SUBJECT} 1\r\n");
    let mut client = Client::connect_and(server, subscribe.as_bytes())?;
    let own = client.stream.local_addr().doing("finding our own port")?;
    println!("ready {}", own.port());
    let mut pinger = client.stream.try_clone().doing("sharing a socket")?;
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        // Where the server has closed the connection, the reader finds out and says so.
        let _ = pinger.write_all(b"PING\r\n");
    });
    let mut verifier = Verifier::new(&traffic.deliver);
    let ended = read_to_the_end(&mut client, &mut verifier);
    let messages = verifier.messages();
    match ended {
        Ok(()) => println!("was kept, and got {messages} messages once it went on"),
        Err(error) => println!("{CUT_OFF}: it got {messages} messages, then: {error}"),
    }
    Ok(())
}

fn read_to_the_end(client: &mut Client, verifier: &mut Verifier) -> Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    verifier.feed(&client.incoming.take_rest())?;
    client
        .stream
        .set_read_timeout(None)
        .doing("setting a read timeout")?;
    while !verifier.take_pong() {
        let n = client
            .stream
            .read(&mut buffer)
            .doing("receiving messages")?;
        if n == 0 {
            return Err(Error::Closed("receiving messages"));
        }
        verifier.feed(&buffer[..n])?;
        if verifier.take_ping() {
            client.send(b"PONG\r\n")?;
        }
    }
    Ok(())
}
