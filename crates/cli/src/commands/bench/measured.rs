//! What one run did: of each client, of each role, and of the server's CPU.

use std::time::Duration;

use super::plan::Kind;
use crate::local_server::Hidden;
use crate::summary::Times;

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Publisher,
    Subscriber,
    Requester,
    Responder,
}

impl Role {
    /// The name in the output for machines.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Subscriber => "subscriber",
            Self::Requester => "requester",
            Self::Responder => "responder",
        }
    }
}

/// What one client did.
pub(super) struct Outcome {
    pub(super) role: Role,
    pub(super) messages: u64,
    /// Bytes of the payloads.
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
    /// What it was due and did not get.
    pub(super) lost: u64,
    /// What it got and nobody published here.
    pub(super) surplus: u64,
    /// How long its requests took.
    pub(super) times: Option<Times>,
}

/// What one run did.
pub(super) struct Measured {
    pub(super) kind: Kind,
    /// `host:port`.
    pub(super) server: String,
    /// What it says that it is.
    pub(super) program: String,
    /// Its process id and name, where it can be seen.
    pub(super) process: Result<(i32, String), Hidden>,
    /// The CPU time that it used during the run.
    pub(super) server_cpu: Option<Duration>,
    /// The CPU time that this program used.
    pub(super) own_cpu: Option<Duration>,
    pub(super) outcomes: Vec<Outcome>,
    /// Messages that a queue group was due and none of it got.
    pub(super) lost_by_group: u64,
}

/// The clients of one role together.
pub(super) struct Total {
    pub(super) role: Role,
    pub(super) clients: usize,
    pub(super) messages: u64,
    pub(super) bytes: u64,
    /// The longest of its clients' times.
    pub(super) elapsed: Duration,
    pub(super) times: Option<Times>,
    /// Messages a second of each client.
    pub(super) rates: Spread,
}

/// Several figures of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) mean: f64,
    pub(super) max: f64,
    pub(super) deviation: f64,
}

impl Outcome {
    /// Messages a second.
    pub(super) fn rate(&self) -> f64 {
        per_second(self.messages, self.elapsed)
    }

    /// Millions of payload bytes a second.
    pub(super) fn megabytes(&self) -> f64 {
        per_second(self.bytes, self.elapsed) / 1e6
    }
}

impl Total {
    /// Messages a second.
    pub(super) fn rate(&self) -> f64 {
        per_second(self.messages, self.elapsed)
    }

    /// Millions of payload bytes a second.
    pub(super) fn megabytes(&self) -> f64 {
        per_second(self.bytes, self.elapsed) / 1e6
    }
}

impl Measured {
    /// Each role that took part, in the order of the messages' way.
    pub(super) fn totals(&self) -> Vec<Total> {
        let roles = [
            Role::Publisher,
            Role::Subscriber,
            Role::Requester,
            Role::Responder,
        ];
        roles
            .into_iter()
            .filter_map(|role| self.total(role))
            .collect()
    }

    /// The role that the benchmark is about: deliveries where there are any.
    pub(super) fn main(&self) -> Option<Total> {
        self.total(match self.kind {
            Kind::Pub => Role::Publisher,
            Kind::Sub | Kind::Pubsub => Role::Subscriber,
            Kind::Request => Role::Requester,
            Kind::Reply => Role::Responder,
        })
    }

    /// Everything that was due and did not come.
    pub(super) fn lost(&self) -> u64 {
        let each: u64 = self.outcomes.iter().map(|outcome| outcome.lost).sum();
        each + self.lost_by_group
    }

    /// CPU time of the server for each message of the main role, in nanoseconds.
    pub(super) fn server_cpu_per_message(&self) -> Option<f64> {
        self.per_message(self.server_cpu?)
    }

    /// CPU time of this program for each message of the main role, in nanoseconds.
    pub(super) fn own_cpu_per_message(&self) -> Option<f64> {
        self.per_message(self.own_cpu?)
    }

    fn per_message(&self, cpu: Duration) -> Option<f64> {
        let messages = self.main()?.messages;
        (messages > 0).then(|| cpu.as_nanos() as f64 / messages as f64)
    }

    fn total(&self, role: Role) -> Option<Total> {
        let of_role: Vec<&Outcome> = self
            .outcomes
            .iter()
            .filter(|outcome| outcome.role == role)
            .collect();
        if of_role.is_empty() {
            return None;
        }
        let mut all_times: Option<Times> = None;
        for times in of_role.iter().filter_map(|outcome| outcome.times.as_ref()) {
            all_times.get_or_insert_with(Times::new).merge(times);
        }
        let rates: Vec<f64> = of_role.iter().map(|outcome| outcome.rate()).collect();
        Some(Total {
            role,
            clients: of_role.len(),
            messages: of_role.iter().map(|outcome| outcome.messages).sum(),
            bytes: of_role.iter().map(|outcome| outcome.bytes).sum(),
            elapsed: of_role
                .iter()
                .map(|outcome| outcome.elapsed)
                .max()
                .unwrap_or_default(),
            times: all_times,
            rates: Spread::of(&rates),
        })
    }
}

impl Spread {
    /// Lowest, mean, highest and standard deviation; zeros for nothing.
    pub(super) fn of(figures: &[f64]) -> Self {
        let count = figures.len().max(1) as f64;
        let mean = figures.iter().sum::<f64>() / count;
        let squares: f64 = figures.iter().map(|figure| (figure - mean).powi(2)).sum();
        Self {
            min: figures.iter().copied().reduce(f64::min).unwrap_or(0.0),
            mean,
            max: figures.iter().copied().reduce(f64::max).unwrap_or(0.0),
            deviation: (squares / count).sqrt(),
        }
    }
}

fn per_second(number: u64, time: Duration) -> f64 {
    match time.as_secs_f64() {
        0.0 => 0.0,
        seconds => number as f64 / seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_that_of_its_figures() {
        let spread = Spread::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        let expected = Spread {
            min: 2.0,
            mean: 5.0,
            max: 9.0,
            deviation: 2.0,
        };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(&[]).mean, 0.0);
    }
}
