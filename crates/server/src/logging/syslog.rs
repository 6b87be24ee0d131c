//! Lines to the system's log daemon, here or elsewhere: one message each, in the form of RFC 3164.
//!
//! Whoever writes a line puts its priority in front (`<30>`); time, name and process come in here.

use std::io::{self, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Zoned;

use crate::config::SyslogTarget;

/// Where the daemon of this machine listens.
const LOCAL: &str = "/dev/log";
/// Bytes of one message; what is longer is cut. Receivers need not take more than 2048, and most do.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// Time to reach a daemon elsewhere.
const CONNECT_MAX: Duration = Duration::from_secs(2);
/// Time for it to take a message.
const WRITE_MAX: Duration = Duration::from_secs(2);

/// A way to a daemon.
pub(super) struct Syslog {
    target: SyslogTarget,
    /// What the daemon knows the program by.
    tag: &'static str,
    /// Of this machine, for daemons elsewhere.
    host: String,
    connection: Connection,
}

enum Connection {
    Unix(UnixDatagram),
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Syslog {
    /// Connects.
    pub(super) fn open(target: &SyslogTarget, tag: &'static str) -> io::Result<Self> {
        Ok(Self {
            connection: connect(target)?,
            host: host(),
            target: target.clone(),
            tag,
        })
    }

    /// Sends lines; says how many were lost.
    pub(super) fn write(&mut self, lines: &[u8]) -> u64 {
        let now = Zoned::now();
        let lines = lines.split(|byte| *byte == b'\n');
        let mut lost = 0;
        let mut is_gone = false;
        for line in lines.filter(|line| !line.is_empty()) {
            // Each failure may take seconds: the next batch tries again.
            is_gone = is_gone || self.send(&now, line).is_err();
            lost += u64::from(is_gone);
        }
        lost
    }

    /// A daemon that was started again has to be found again, once for each message.
    fn send(&mut self, now: &Zoned, line: &[u8]) -> io::Result<()> {
        let message = self.message(now, line);
        if self.connection.send(&message).is_ok() {
            return Ok(());
        }
        self.connection = connect(&self.target)?;
        self.connection.send(&message)
    }

    fn message(&self, now: &Zoned, line: &[u8]) -> Vec<u8> {
        let end = line.iter().position(|byte| *byte == b'>');
        let (priority, text) = line.split_at(end.map_or(0, |end| end + 1));
        let time = now.strftime("%b %e %H:%M:%S");
        let (tag, process) = (self.tag, std::process::id());
        let mut message = priority.to_vec();
        let head = match self.target {
            // The daemon here knows the machine's name.
            SyslogTarget::Local | SyslogTarget::Unix(_) => format!("{time} {tag}[{process}]: "),
            SyslogTarget::Udp(_) | SyslogTarget::Tcp(_) => {
                format!("{time} {} {tag}[{process}]: ", self.host)
            }
        };
        message.extend_from_slice(head.as_bytes());
        message.extend_from_slice(text);
        message.truncate(MESSAGE_BYTES_MAX);
        message
    }
}

impl Connection {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Unix(socket) => socket.send(message).map(drop),
            Self::Udp(socket) => socket.send(message).map(drop),
            // A stream has no messages: a line's end is one's end.
            Self::Tcp(stream) => stream.write_all(&[message, b"\n"].concat()),
        }
    }
}

fn connect(target: &SyslogTarget) -> io::Result<Connection> {
    match target {
        SyslogTarget::Local => connect_unix(Path::new(LOCAL)),
        SyslogTarget::Unix(path) => connect_unix(path),
        SyslogTarget::Udp(address) => {
            let address = resolve(address)?;
            let any = match address.is_ipv4() {
                true => "0.0.0.0:0",
                false => "[::]:0",
            };
            let socket = UdpSocket::bind(any)?;
            socket.connect(address)?;
            Ok(Connection::Udp(socket))
        }
        SyslogTarget::Tcp(address) => {
            let stream = TcpStream::connect_timeout(&resolve(address)?, CONNECT_MAX)?;
            stream.set_write_timeout(Some(WRITE_MAX))?;
            Ok(Connection::Tcp(stream))
        }
    }
}

fn connect_unix(path: &Path) -> io::Result<Connection> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    socket.set_write_timeout(Some(WRITE_MAX))?;
    Ok(Connection::Unix(socket))
}

fn resolve(address: &str) -> io::Result<std::net::SocketAddr> {
    let mut found = address.to_socket_addrs()?;
    found
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

/// The machine's name, without its domain.
fn host() -> String {
    let name = rustix::system::uname();
    let name = name.nodename().to_string_lossy();
    let short = name.split('.').next().unwrap_or_default();
    match short {
        "" => "localhost".to_owned(),
        short => short.to_owned(),
    }
}

/// What is told to be opened, where that fails.
pub(super) fn place(target: &SyslogTarget) -> PathBuf {
    match target {
        SyslogTarget::Local => LOCAL.into(),
        SyslogTarget::Unix(path) => path.clone(),
        SyslogTarget::Udp(address) => format!("udp://{address}").into(),
        SyslogTarget::Tcp(address) => format!("tcp://{address}").into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;

    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn each_line_is_a_message_with_priority_time_name_and_process() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let daemon = UnixDatagram::bind(&path).unwrap();
        let target = SyslogTarget::Unix(path.clone());
        let mut syslog = Syslog::open(&target, "recado-server").unwrap();
        let long = format!("<27>{}\n", "x".repeat(2 * MESSAGE_BYTES_MAX));
        let lines = [b"<29>one a=1\n<28>two > three\n", long.as_bytes()].concat();
        assert_eq!(syslog.write(&lines), 0);
        let mut buffer = vec![0; 4 * MESSAGE_BYTES_MAX];
        let mut next = || {
            let count = daemon.recv(&mut buffer).unwrap();
            text(&buffer[..count])
        };
        let process = std::process::id();
        let one = next();
        assert!(one.starts_with("<29>"), "{one}");
        assert!(
            one.ends_with(&format!(" recado-server[{process}]: one a=1")),
            "{one}"
        );
        assert!(next().ends_with(": two > three"));
        assert_eq!(next().len(), MESSAGE_BYTES_MAX);
        // The daemon is started again.
        drop(daemon);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(syslog.write(b"<29>lost\n"), 1);
        let daemon = UnixDatagram::bind(&path).unwrap();
        assert_eq!(syslog.write(b"<29>found\n"), 0);
        let mut buffer = [0; 200];
        let count = daemon.recv(&mut buffer).unwrap();
        assert!(text(&buffer[..count]).ends_with(": found"));
    }

    #[test]
    fn daemons_elsewhere_are_told_which_machine_it_is() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        let target = SyslogTarget::Udp(daemon.local_addr().unwrap().to_string());
        let mut syslog = Syslog::open(&target, "nats-server").unwrap();
        assert_eq!(syslog.write(b"<30>hello\n"), 0);
        let mut buffer = [0; 300];
        let count = daemon.recv(&mut buffer).unwrap();
        let told = text(&buffer[..count]);
        assert!(
            told.contains(&format!(" {} nats-server[", host())),
            "{told}"
        );
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = SyslogTarget::Tcp(listener.local_addr().unwrap().to_string());
        let mut syslog = Syslog::open(&target, "nats-server").unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        assert_eq!(syslog.write(b"<30>one\n<30>two\n"), 0);
        drop(syslog);
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        assert_eq!(told.lines().count(), 2, "{told}");
    }
}
