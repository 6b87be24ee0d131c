//! The least work that any server of this protocol must do, as a yardstick.
//!
//! One blocking thread per connection; it finds the line ends, rewrites each `PUB` as a `MSG` and
//! writes the batch, always with sid 1, to every other connection that has subscribed. No routing, no checks, no limits: it is no server, and must never be used as one.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Doing, Result};

const READ_BYTES: usize = 128 * 1024;
const INFO: &[u8] =
    b"INFO {\"server_id\":\"floor\",\"version\":\"0.0.0\",\"proto\":1,\"max_payload\":1048576}\r\n";

/// A connection that has subscribed.
struct Destination {
    connection: usize,
    stream: TcpStream,
}

type Destinations = Arc<Mutex<Vec<Destination>>>;

/// Serves until the process ends.
pub fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).doing("listening")?;
    let destinations = Destinations::default();
    for (connection, stream) in listener.incoming().enumerate() {
        let stream = stream.doing("accepting")?;
        let destinations = Arc::clone(&destinations);
        std::thread::spawn(move || {
            // A connection that breaks is over; there is nobody to tell.
            let _ = Connection {
                number: connection,
                stream,
                destinations: destinations.clone(),
            }
            .run();
            lock(&destinations).retain(|destination| destination.connection != connection);
        });
    }
    Ok(())
}

fn lock(destinations: &Destinations) -> std::sync::MutexGuard<'_, Vec<Destination>> {
    destinations.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Connection {
    number: usize,
    stream: TcpStream,
    destinations: Destinations,
}

impl Connection {
    fn run(mut self) -> std::io::Result<()> {
        self.stream.set_nodelay(true)?;
        self.stream.write_all(INFO)?;
        let mut input = vec![0; READ_BYTES];
        let (mut filled, mut staged) = (0, Vec::with_capacity(READ_BYTES * 2));
        loop {
            let n = self.stream.read(&mut input[filled..])?;
            if n == 0 {
                return Ok(());
            }
            filled += n;
            let used = self.batch(&input[..filled], &mut staged)?;
            self.deliver(&mut staged)?;
            input.copy_within(used..filled, 0);
            filled -= used;
        }
    }

    /// Rewrites every whole frame of the batch; returns how many bytes it used up.
    fn batch(&mut self, input: &[u8], staged: &mut Vec<u8>) -> std::io::Result<usize> {
        let mut at = 0;
        while let Some(end) = memchr::memchr(b'\n', &input[at..]) {
            let line = &input[at..at + end + 1];
            if !line.starts_with(b"PUB ") {
                self.control(line, staged)?;
                at += end + 1;
                continue;
            }
            let size = size_of(line);
            let next = at + end + 1 + size + 2;
            if next > input.len() {
                break;
            }
            let subject = memchr::memchr(b' ', &line[4..]).map_or(line.len(), |n| n + 4);
            staged.extend_from_slice(b"MSG ");
            staged.extend_from_slice(&line[4..subject]);
            staged.extend_from_slice(b" 1");
            staged.extend_from_slice(&input[at + subject..next]);
            at = next;
        }
        Ok(at)
    }

    fn control(&mut self, line: &[u8], staged: &mut Vec<u8>) -> std::io::Result<()> {
        if line.starts_with(b"PING") {
            self.deliver(staged)?;
            let _order = lock(&self.destinations);
            self.stream.write_all(b"PONG\r\n")?;
        } else if line.starts_with(b"SUB ") {
            let stream = self.stream.try_clone()?;
            lock(&self.destinations).push(Destination {
                connection: self.number,
                stream,
            });
        }
        Ok(())
    }

    fn deliver(&mut self, staged: &mut Vec<u8>) -> std::io::Result<()> {
        if !staged.is_empty() {
            let destinations = lock(&self.destinations);
            for to in destinations
                .iter()
                .filter(|to| to.connection != self.number)
            {
                (&to.stream).write_all(staged)?;
            }
            staged.clear();
        }
        Ok(())
    }
}

/// The number at the end of a `PUB` line.
fn size_of(line: &[u8]) -> usize {
    let (mut size, mut weight) = (0, 1);
    for &byte in line.iter().rev().skip_while(|byte| !byte.is_ascii_digit()) {
        if !byte.is_ascii_digit() {
            break;
        }
        size += usize::from(byte - b'0') * weight;
        weight *= 10;
    }
    size
}
