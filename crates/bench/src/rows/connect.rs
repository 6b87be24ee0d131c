//! What it costs to open a connection, publish one message on it, and close it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use super::many::read_some;
use super::{CpuWatch, Setting};
use crate::client::{CONNECT, Client, IO_TIMEOUT};
use crate::error::{Doing, Error, Result};
use crate::incoming::{Event, Incoming};
use crate::outcome::Outcome;

/// Visits under way at the same time.
const VISITS: usize = 16;
/// A closed connection keeps its port for a minute: the visits come from so many addresses.
const ADDRESSES: u32 = 1000;
const SUBJECT: &str = "bench.connect";

/// Opens, publishes one message, closes; counts what arrives.
pub(super) fn publish_close(setting: &Setting) -> Result<Outcome> {
    let target = setting.start()?;
    let received = AtomicU64::new(0);
    let mut subscriber = Client::connect(target.address)?;
    subscriber.send(format!("SUB {SUBJECT} 1\r\n").as_bytes())?;
    subscriber.flush()?;
    let wake = subscriber.stream.try_clone().doing("sharing a socket")?;
    let mut visits = Visits::new(target.address)?;
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| count_messages(&mut subscriber, &received));
        let mut work = || -> Result<Outcome> {
            let warm = visits.run(setting.warm_up())?;
            let watch = CpuWatch::start(&target)?;
            let start = Instant::now();
            let count = visits.run(setting.measure)?;
            let (elapsed, used) = (start.elapsed(), watch.stop()?);
            let missing = wait_for(&received, warm + count);
            Ok(Outcome::new(
                setting.row,
                "connection",
                count,
                missing,
                elapsed,
                used,
            ))
        };
        let outcome = work();
        let _ = wake.shutdown(std::net::Shutdown::Both);
        counting
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        outcome
    })
}

/// One connection from its opening to its PONG.
struct Visit {
    stream: TcpStream,
    incoming: Incoming,
    has_spoken: bool,
}

/// Visits that come and go, all from one thread: threads that wait for each other would cost more
/// than the server.
struct Visits {
    server: SocketAddr,
    poll: Poll,
    under_way: HashMap<usize, Visit>,
    opened: usize,
    /// What each visitor says.
    speech: Vec<u8>,
}

impl Visits {
    fn new(server: SocketAddr) -> Result<Visits> {
        let poll = Poll::new().doing("making a poll")?;
        let publish = format!("PUB {SUBJECT} 16\r\n0123456789abcdef\r\nPING\r\n");
        let speech = [CONNECT.as_bytes(), publish.as_bytes()].concat();
        Ok(Visits {
            server,
            poll,
            under_way: HashMap::new(),
            opened: 0,
            speech,
        })
    }

    fn open(&mut self) -> Result<()> {
        let host = u32::from(Ipv4Addr::new(127, 0, 0, 2)) + self.opened as u32 % ADDRESSES;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).doing("opening a socket")?;
        let source = SocketAddr::from((Ipv4Addr::from(host), 0));
        socket
            .bind(&source.into())
            .doing("binding a source address")?;
        // On loopback this does not wait: the handshake happens inside the call.
        socket.connect(&self.server.into()).doing("connecting")?;
        socket
            .set_nonblocking(true)
            .doing("making a socket non-blocking")?;
        let place = self.opened;
        self.poll
            .registry()
            .register(
                &mut SourceFd(&socket.as_raw_fd()),
                Token(place),
                Interest::READABLE,
            )
            .doing("watching a socket")?;
        let visit = Visit {
            stream: socket.into(),
            incoming: Incoming::default(),
            has_spoken: false,
        };
        self.under_way.insert(place, visit);
        self.opened += 1;
        Ok(())
    }

    /// Keeps sixteen under way for this long; how many were made.
    fn run(&mut self, duration: Duration) -> Result<u64> {
        let (until, mut made) = (Instant::now() + duration, 0);
        let (mut events, mut buffer) = (Events::with_capacity(VISITS), vec![0; 16 * 1024]);
        for _ in 0..VISITS {
            self.open()?;
        }
        while !self.under_way.is_empty() {
            self.poll
                .poll(&mut events, Some(IO_TIMEOUT))
                .doing("waiting for sockets")?;
            if events.is_empty() {
                return Err(Error::Server(format!(
                    "no answer for {} s",
                    IO_TIMEOUT.as_secs()
                )));
            }
            for event in &events {
                if self.go_on(event.token().0, &mut buffer)? {
                    // Dropping it closes it.
                    self.under_way.remove(&event.token().0);
                    made += 1;
                    if Instant::now() < until {
                        self.open()?;
                    }
                }
            }
        }
        Ok(made)
    }

    /// Answers INFO with all there is to say; true when the PONG is there.
    fn go_on(&mut self, place: usize, buffer: &mut [u8]) -> Result<bool> {
        let Some(visit) = self.under_way.get_mut(&place) else {
            return Ok(false);
        };
        let (mut greeted, mut done) = (false, false);
        if let Some(n) = read_some(&visit.stream, buffer)? {
            visit.incoming.push(&buffer[..n]);
            while let Some(event) = visit.incoming.next()? {
                match event {
                    Event::Info(_) => greeted = true,
                    Event::Pong => done = true,
                    _ => {}
                }
            }
        }
        // A server may send a second INFO beside the PONG.
        if greeted && !done && !visit.has_spoken {
            visit.has_spoken = true;
            (&visit.stream)
                .write_all(&self.speech)
                .doing("writing to the server")?;
        }
        Ok(done)
    }
}

/// Counts until the socket is shut down from our side.
fn count_messages(client: &mut Client, received: &AtomicU64) -> Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let mut pong = false;
        while let Some(event) = client.incoming.next()? {
            match event {
                Event::Message(_) => _ = received.fetch_add(1, Ordering::Relaxed),
                Event::Ping => pong = true,
                _ => {}
            }
        }
        if pong {
            client.send(b"PONG\r\n")?;
        }
        let n = client
            .stream
            .read(&mut buffer)
            .doing("receiving messages")?;
        if n == 0 {
            return Ok(());
        }
        client.incoming.push(&buffer[..n]);
    }
}

/// Waits until all have arrived, three seconds at most; how many are missing then.
fn wait_for(received: &AtomicU64, due: u64) -> u64 {
    let start = Instant::now();
    loop {
        let missing = due.saturating_sub(received.load(Ordering::Relaxed));
        if missing == 0 || start.elapsed() > Duration::from_secs(3) {
            return missing;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
