//! Those who do not read: they are slowed for, then cut off, and hurt nobody else.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use recado_server::Server;
use recado_server::config::WriteTimeout;

use crate::peer::{Frame, Peer};

const MAX_PENDING: usize = 4 * 1024 * 1024;

fn server() -> Server {
    Server::builder()
        .configure(|options| options.limits.max_pending = MAX_PENDING)
        .start()
        .unwrap()
}

/// Publishes so many messages of 1000 bytes on `s`, from a thread of its own.
fn publish(server: &Server, messages: usize) -> JoinHandle<()> {
    let mut publisher = Peer::connect(server.client_addr(), "");
    let message = format!("PUB s 1000\r\n{}\r\n", "x".repeat(1000));
    std::thread::spawn(move || {
        for _ in 0..messages / 100 {
            publisher.send(&message.repeat(100));
        }
        publisher.settle();
    })
}

#[test]
fn a_subscriber_that_stopped_reading_is_cut_off_and_the_others_get_everything() {
    let server = server();
    let mut stopped = Peer::connect(server.client_addr(), "\"name\":\"stopped\"");
    stopped.send("SUB s 1\r\n");
    stopped.settle();
    let mut healthy = Peer::connect(server.client_addr(), "");
    healthy.send("SUB s 1\r\n");
    healthy.settle();
    const MESSAGES: usize = 40_000;
    let publishing = publish(&server, MESSAGES);
    let mut count = 0;
    while count < MESSAGES {
        match healthy.next() {
            Some(Frame::Message(_)) => count += 1,
            Some(_) => {}
            None => panic!("the healthy one was cut off after {count}"),
        }
    }
    publishing.join().unwrap();
    assert_eq!(server.handle().slow_consumers(), 1);
    // It reads what the socket still held, then the end.
    let mut got = 0;
    while let Some(frame) = stopped.next() {
        got += usize::from(matches!(frame, Frame::Message(_)));
    }
    assert!(got < MESSAGES, "it cannot have got everything");
}

#[test]
fn a_subscriber_that_reads_slowly_slows_its_publisher_and_loses_nothing() {
    let server = server();
    let mut slow = Peer::connect(server.client_addr(), "");
    slow.send("SUB s 1\r\n");
    slow.settle();
    const MESSAGES: usize = 60_000;
    let publishing = publish(&server, MESSAGES);
    let mut count = 0;
    let mut pause = Instant::now();
    while count < MESSAGES {
        match slow.next() {
            Some(Frame::Message(_)) => count += 1,
            Some(_) => {}
            None => panic!("cut off after {count}"),
        }
        // A tenth of the time reading, nine tenths elsewhere.
        if pause.elapsed() > Duration::from_millis(2) {
            std::thread::sleep(Duration::from_millis(18));
            pause = Instant::now();
        }
    }
    publishing.join().unwrap();
    assert_eq!(server.handle().slow_consumers(), 0);
}

#[test]
fn two_clients_that_publish_to_each_other_without_reading_do_not_stop_the_server() {
    let server = server();
    let mut peers = Vec::new();
    for (own, _) in [("a", "b"), ("b", "a")] {
        let mut peer = Peer::connect(server.client_addr(), "");
        peer.send(&format!("SUB {own} 1\r\n"));
        peer.settle();
        peers.push(peer);
    }
    let threads: Vec<_> = peers
        .into_iter()
        .zip(["b", "a"])
        .map(|(mut peer, other)| {
            std::thread::spawn(move || {
                use std::io::Write;
                let message = format!("PUB {other} 1000\r\n{}\r\n", "x".repeat(1000)).repeat(100);
                // Until it is cut off: 60 MB can't fit anywhere on the way.
                (0..600).any(|_| peer.socket.write_all(message.as_bytes()).is_err())
            })
        })
        .collect();
    let mut other = Peer::connect(server.client_addr(), "");
    other.send("SUB x 1\r\nPUB x 2\r\nhi\r\n");
    assert_eq!(other.settle().len(), 1, "others are served meanwhile");
    let cut_off = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .filter(|cut| *cut);
    assert!(cut_off.count() >= 1);
}

#[test]
fn one_message_for_very_many_subscriptions_stays_within_bounds() {
    let server = server();
    let mut many = Peer::connect(server.client_addr(), "");
    let lines: String = (0..60_000).map(|sid| format!("SUB s {sid}\r\n")).collect();
    many.send(&lines);
    many.settle();
    let mut publisher = Peer::connect(server.client_addr(), "");
    // 60,000 copies are 420 MB: a hundred times max_pending, and nobody reads.
    publisher.send(&format!("PUB s 7000\r\n{}\r\n", "x".repeat(7000)));
    publisher.settle();
    assert_eq!(server.handle().slow_consumers(), 1);
    let peak = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 250_000, "{kilobytes} KB at the peak");
}

#[test]
fn where_writes_are_retried_a_slow_reader_is_counted_and_stays_and_one_that_reads_nothing_goes() {
    const DEADLINE: Duration = Duration::from_secs(2);
    const MESSAGES: usize = 40_000;
    let server = Server::builder()
        .configure(|options| {
            options.limits.no_fast_producer_stall = true;
            options.limits.write_deadline = DEADLINE;
            options.limits.write_timeout = WriteTimeout::Retry;
        })
        .start()
        .unwrap();
    let mut slow = Peer::connect(server.client_addr(), "");
    slow.send("SUB s 1\r\n");
    slow.settle();
    // All of it waits: it is less than max_pending, and more than the sockets hold.
    publish(&server, MESSAGES).join().unwrap();
    let mut count = 0;
    let start = Instant::now();
    while server.handle().slow_consumers() == 0 {
        assert!(count < MESSAGES, "it was never late");
        match slow.next() {
            Some(Frame::Message(_)) => count += 1,
            Some(_) => {}
            None => panic!("cut off after {count}"),
        }
        // Half of what waits in each deadline.
        while count as u128 * DEADLINE.as_millis() * 2
            > MESSAGES as u128 * start.elapsed().as_millis()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    assert!(count < MESSAGES);
    while count < MESSAGES {
        match slow.next() {
            Some(Frame::Message(_)) => count += 1,
            Some(_) => {}
            None => panic!("cut off after {count}"),
        }
    }
    let before = server.handle().slow_consumers();
    publish(&server, MESSAGES).join().unwrap();
    // Nobody reads on.
    let mut other = Peer::connect(server.client_addr(), "");
    let end = Instant::now() + 20 * DEADLINE;
    while server.handle().connections() > 1 {
        assert!(Instant::now() < end, "it is still there");
        other.settle();
    }
    assert!(server.handle().slow_consumers() > before);
}
