//! The way to one server, step by step. It goes as far as it can; what it could not come to is told too.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_nats::ServerAddr;
use tokio::net::TcpStream;

use super::clock;
use crate::failure::Failure;
use crate::line::{self, Line, Stage, Steps};
use crate::settings::{Settings, host_port};
use crate::text::doctor as text;

/// A step of the way, in the order in which they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Step {
    Name,
    Tcp,
    Greeting,
    Tls,
    Authentication,
    RoundTrip,
    Clock,
}

impl Step {
    const ALL: [Self; 7] = [
        Self::Name,
        Self::Tcp,
        Self::Greeting,
        Self::Tls,
        Self::Authentication,
        Self::RoundTrip,
        Self::Clock,
    ];

    /// The name in `--json`: never translated, never changed.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Tcp => "tcp",
            Self::Greeting => "greeting",
            Self::Tls => "tls",
            Self::Authentication => "authentication",
            Self::RoundTrip => "round_trip",
            Self::Clock => "clock",
        }
    }

    /// The name for people.
    pub(super) fn shown(self) -> &'static str {
        match self {
            Self::Name => text::step_name(),
            Self::Tcp => text::step_tcp(),
            Self::Greeting => text::step_greeting(),
            Self::Tls => text::step_tls(),
            Self::Authentication => text::step_authentication(),
            Self::RoundTrip => text::step_round_trip(),
            Self::Clock => text::step_clock(),
        }
    }
}

/// What came of a step.
pub(super) enum Verdict {
    /// It is as it should be.
    Fine(String),
    /// Worth knowing, and no failure.
    Note(String),
    /// It failed. Of several addresses one may fail while another does not.
    Failed(Failure),
    /// It was not come to.
    Skipped,
}

/// A step and what came of it.
pub(super) struct Finding {
    pub(super) step: Step,
    pub(super) verdict: Verdict,
    pub(super) took: Option<Duration>,
    /// How far the server's clock is ahead.
    pub(super) offset_ms: Option<f64>,
    /// Whether the way ends here.
    ends: bool,
}

impl Finding {
    pub(super) fn new(step: Step, verdict: Verdict, took: Option<Duration>) -> Self {
        Self {
            step,
            verdict,
            took,
            offset_ms: None,
            ends: false,
        }
    }

    /// The failure that ends the way, if it ends here.
    pub(super) fn breaks(&self) -> Option<(Step, &Failure)> {
        match &self.verdict {
            Verdict::Failed(failure) if self.ends => Some((self.step, failure)),
            _ => None,
        }
    }
}

/// How far the walk has come.
enum At {
    Start,
    /// These addresses are still to be tried.
    Resolved(VecDeque<SocketAddr>),
    Connected(TcpStream),
    Entered(Box<Line>),
    TimeToCompare,
    End,
}

/// A walk to a server.
pub(super) struct Walk<'a> {
    settings: &'a Settings,
    server: &'a ServerAddr,
    at: At,
    /// The first address that can be reached; the others are tried nevertheless.
    socket: Option<TcpStream>,
    /// Findings that were made together with another one.
    ready: VecDeque<Finding>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(settings: &'a Settings, server: &'a ServerAddr) -> Self {
        Self {
            settings,
            server,
            at: At::Start,
            socket: None,
            ready: VecDeque::new(),
        }
    }

    /// The next finding; none at the end.
    pub(super) async fn next(&mut self) -> Option<Finding> {
        loop {
            if let Some(finding) = self.ready.pop_front() {
                return Some(finding);
            }
            match std::mem::replace(&mut self.at, At::End) {
                At::Start => self.look_up().await,
                At::Resolved(addresses) => self.reach(addresses).await,
                At::Connected(socket) => self.enter(socket).await,
                At::Entered(line) => self.go_round(line).await,
                At::TimeToCompare => {
                    let finding = clock::compare(self.settings).await;
                    self.ready.push_back(finding);
                }
                At::End => return None,
            }
        }
    }

    fn fine(&mut self, step: Step, words: String, took: Duration) {
        let finding = Finding::new(step, Verdict::Fine(words), Some(took));
        self.ready.push_back(finding);
    }

    /// The way ends with this failure.
    fn fail(&mut self, step: Step, failure: Failure, took: Duration) {
        let mut finding = Finding::new(step, Verdict::Failed(failure), Some(took));
        finding.ends = true;
        self.ready.push_back(finding);
        self.skip_after(step);
    }

    fn skip_after(&mut self, step: Step) {
        let rest = Step::ALL.into_iter().filter(|later| *later > step);
        let skipped = rest.map(|step| Finding::new(step, Verdict::Skipped, None));
        self.ready.extend(skipped);
        self.at = At::End;
    }

    async fn look_up(&mut self) {
        let start = Instant::now();
        let found = line::resolve(self.server, self.settings.connect_limit()).await;
        let took = start.elapsed();
        match found {
            Ok(addresses) => {
                let host = self.server.host();
                let shown: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
                let is_literal = host.parse::<std::net::IpAddr>().is_ok();
                let words = match is_literal {
                    true => text::is_address(host),
                    false => text::resolved(host, &shown.join(", ")),
                };
                self.fine(Step::Name, words, took);
                self.at = At::Resolved(addresses.into());
            }
            Err(failure) => self.fail(Step::Name, failure, took),
        }
    }

    /// Tries the next address, also when another one has been reached: a name whose IPv6 address
    /// is dead makes every client slow.
    async fn reach(&mut self, mut addresses: VecDeque<SocketAddr>) {
        let Some(address) = addresses.pop_front() else {
            if let Some(socket) = self.socket.take() {
                self.at = At::Connected(socket);
            }
            return;
        };
        let start = Instant::now();
        let limit = self.settings.connect_limit();
        let reached = line::reach(address, &address.to_string(), limit).await;
        let took = start.elapsed();
        match reached {
            Ok(socket) => {
                self.fine(Step::Tcp, text::connected(&address.to_string()), took);
                self.socket.get_or_insert(socket);
            }
            Err(failure) if addresses.is_empty() && self.socket.is_none() => {
                return self.fail(Step::Tcp, failure, took);
            }
            Err(failure) => {
                let finding = Finding::new(Step::Tcp, Verdict::Failed(failure), Some(took));
                self.ready.push_back(finding);
            }
        }
        self.at = At::Resolved(addresses);
    }

    async fn enter(&mut self, socket: TcpStream) {
        let mut steps = Steps::default();
        let start = Instant::now();
        let entering = line::enter(self.settings, self.server, socket, &mut steps);
        let entered = Box::pin(entering).await;
        let took = start.elapsed();
        match entered {
            Ok(line) => {
                self.greeted(&line.info.program(), steps.greeting);
                self.secured(steps.tls);
                self.fine(
                    Step::Authentication,
                    self.identified(),
                    steps.authentication,
                );
                self.at = At::Entered(Box::new(line));
            }
            Err(failure) => {
                let rest = took.saturating_sub(steps.greeting + steps.tls);
                let greeted = || text::greeted(&host_port(self.server));
                match steps.stage {
                    Stage::Greeting => self.fail(Step::Greeting, failure, rest),
                    Stage::Tls => {
                        // Where TLS comes first, the server has not greeted yet.
                        if !steps.greeting.is_zero() {
                            self.fine(Step::Greeting, greeted(), steps.greeting);
                        }
                        self.fail(Step::Tls, failure, rest);
                    }
                    Stage::Authentication => {
                        self.fine(Step::Greeting, greeted(), steps.greeting);
                        self.secured(steps.tls);
                        self.fail(Step::Authentication, failure, rest);
                    }
                }
            }
        }
    }

    fn greeted(&mut self, program: &str, took: Duration) {
        self.fine(Step::Greeting, text::program(program), took);
    }

    fn secured(&mut self, took: Duration) {
        if took.is_zero() {
            let words = text::not_secure().to_owned();
            let finding = Finding::new(Step::Tls, Verdict::Note(words), None);
            self.ready.push_back(finding);
        } else {
            self.fine(Step::Tls, text::secure(self.server.host()), took);
        }
    }

    fn identified(&self) -> String {
        match &self.settings.credentials.source {
            Some(source) => text::let_in_with(source),
            None => text::let_in().to_owned(),
        }
    }

    async fn go_round(&mut self, mut line: Box<Line>) {
        let start = Instant::now();
        let answered = line.confirm(self.settings.reply_limit()).await;
        let took = start.elapsed();
        match answered {
            Ok(()) => {
                self.fine(Step::RoundTrip, text::round_trip().to_owned(), took);
                self.at = At::TimeToCompare;
            }
            Err(failure) => self.fail(Step::RoundTrip, failure, took),
        }
    }
}
