//! What a server tells about itself (`/varz`, `/connz`), and what two of its reports tell together:
//! rates. Pure: reports and times go in, figures come out.

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// `/varz`, as far as it is shown. What a server leaves out counts as zero.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Varz {
    pub(super) server_id: String,
    pub(super) uptime: String,
    pub(super) mem: u64,
    pub(super) cores: u64,
    pub(super) cpu: f64,
    pub(super) connections: u64,
    pub(super) total_connections: u64,
    pub(super) subscriptions: u64,
    pub(super) slow_consumers: u64,
    #[serde(flatten)]
    pub(super) traffic: Traffic,
}

/// Counters of messages and bytes, as seen from the server: in is what it received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Traffic {
    pub(super) in_msgs: u64,
    pub(super) out_msgs: u64,
    pub(super) in_bytes: u64,
    pub(super) out_bytes: u64,
}

/// `/connz`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Connz {
    /// How many there are in all; the list may be cut.
    pub(super) total: u64,
    pub(super) connections: Vec<Connection>,
}

/// One connection, as the server reports it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Connection {
    pub(super) cid: u64,
    pub(super) ip: String,
    pub(super) port: u16,
    /// As the server writes it: `117µs`.
    pub(super) rtt: String,
    pub(super) uptime: String,
    pub(super) idle: String,
    pub(super) pending_bytes: u64,
    pub(super) subscriptions: u64,
    pub(super) name: String,
    pub(super) lang: String,
    pub(super) version: String,
    #[serde(flatten)]
    pub(super) traffic: Traffic,
}

/// One look at the server.
#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) taken: Instant,
    pub(super) varz: Varz,
    pub(super) connz: Connz,
}

/// Per second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(super) struct Rates {
    pub(super) in_msgs: f64,
    pub(super) out_msgs: f64,
    pub(super) in_bytes: f64,
    pub(super) out_bytes: f64,
}

/// A connection with its rates.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) connection: Connection,
    pub(super) rates: Rates,
}

/// What is shown: the newest report, and the rates since the one before.
#[derive(Debug, Clone)]
pub(super) struct Figures {
    pub(super) varz: Varz,
    /// All connections, of which `rows` may be a part.
    pub(super) total: u64,
    pub(super) rates: Rates,
    pub(super) rows: Vec<Row>,
}

/// By what the rows are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Sort {
    /// Messages per second, both ways.
    Msgs,
    /// Bytes per second, both ways.
    Bytes,
    /// Bytes that wait to be sent to it.
    Pending,
    /// Subscriptions.
    Subs,
    /// The number of the connection: the oldest first.
    Cid,
    /// The name.
    Name,
}

impl Traffic {
    /// Counters that went back belong to a server that was started anew: no rate, rather than a
    /// wrong one.
    fn rates_since(self, before: Self, seconds: f64) -> Rates {
        let rate = |now: u64, before: u64| match seconds > 0.0 {
            true => now.saturating_sub(before) as f64 / seconds,
            false => 0.0,
        };
        Rates {
            in_msgs: rate(self.in_msgs, before.in_msgs),
            out_msgs: rate(self.out_msgs, before.out_msgs),
            in_bytes: rate(self.in_bytes, before.in_bytes),
            out_bytes: rate(self.out_bytes, before.out_bytes),
        }
    }
}

impl Figures {
    /// The newest report beside the one before it, if there is one.
    pub(super) fn between(before: Option<&Report>, now: &Report) -> Self {
        // Another server took its place: nothing to compare with.
        let before = before.filter(|before| before.varz.server_id == now.varz.server_id);
        let seconds = before.map_or(0.0, |before| {
            now.taken.duration_since(before.taken).as_secs_f64()
        });
        let earlier: HashMap<u64, Traffic> = before.map_or_else(HashMap::new, |before| {
            let connections = before.connz.connections.iter();
            connections.map(|one| (one.cid, one.traffic)).collect()
        });
        let rows = now.connz.connections.iter().map(|connection| Row {
            rates: match earlier.get(&connection.cid) {
                Some(&earlier) => connection.traffic.rates_since(earlier, seconds),
                // New since then: all that it did, it did in this time.
                None => connection.traffic.rates_since(Traffic::default(), seconds),
            },
            connection: connection.clone(),
        });
        let earlier = before.map_or(now.varz.traffic, |before| before.varz.traffic);
        Self {
            rates: now.varz.traffic.rates_since(earlier, seconds),
            rows: rows.collect(),
            total: now.connz.total.max(now.connz.connections.len() as u64),
            varz: now.varz.clone(),
        }
    }

    /// Sorts the rows, the greatest first; what begins with a letter or is a number in itself, the
    /// smallest first.
    pub(super) fn sort(&mut self, by: Sort) {
        let both = |rates: &Rates| {
            (
                rates.in_msgs + rates.out_msgs,
                rates.in_bytes + rates.out_bytes,
            )
        };
        let greatest = |one: f64, other: f64| other.total_cmp(&one);
        self.rows.sort_by(|one, other| {
            let (a, b) = (&one.connection, &other.connection);
            let order = match by {
                Sort::Msgs => greatest(both(&one.rates).0, both(&other.rates).0),
                Sort::Bytes => greatest(both(&one.rates).1, both(&other.rates).1),
                Sort::Pending => Reverse(a.pending_bytes).cmp(&Reverse(b.pending_bytes)),
                Sort::Subs => Reverse(a.subscriptions).cmp(&Reverse(b.subscriptions)),
                Sort::Name => a.name.to_lowercase().cmp(&b.name.to_lowercase()),
                Sort::Cid => Ordering::Equal,
            };
            // Rows that are equal must not dance.
            order.then(a.cid.cmp(&b.cid))
        });
    }

    /// For machines.
    pub(super) fn json(&self) -> Value {
        let rows: Vec<Value> = self
            .rows
            .iter()
            .map(|Row { connection, rates }| {
                json!({
                    "cid": connection.cid, "name": connection.name,
                    "address": connection.address(), "client": connection.client(),
                    "rates": rates, "pending_bytes": connection.pending_bytes,
                    "subscriptions": connection.subscriptions, "rtt": connection.rtt,
                    "uptime": connection.uptime, "idle": connection.idle,
                })
            })
            .collect();
        json!({
            "uptime": self.varz.uptime, "cpu_percent": self.varz.cpu, "mem_bytes": self.varz.mem,
            "cores": self.varz.cores, "connections": self.varz.connections,
            "total_connections": self.varz.total_connections,
            "subscriptions": self.varz.subscriptions,
            "slow_consumers": self.varz.slow_consumers, "rates": self.rates,
            "connections_listed": rows,
        })
    }
}

impl Connection {
    /// `ip:port`.
    pub(super) fn address(&self) -> String {
        match self.ip.contains(':') {
            true => format!("[{}]:{}", self.ip, self.port),
            false => format!("{}:{}", self.ip, self.port),
        }
    }

    /// The library and its version.
    pub(super) fn client(&self) -> String {
        format!("{} {}", self.lang, self.version).trim().to_owned()
    }
}

/// A number per second, in few letters: `0`, `0.5`, `85`, `1.2k`, `3.4M`.
pub(super) fn brief(number: f64) -> String {
    let (scaled, unit) = match number {
        n if n >= 1e9 => (n / 1e9, "G"),
        n if n >= 1e6 => (n / 1e6, "M"),
        n if n >= 1e4 => (n / 1e3, "k"),
        n => (n, ""),
    };
    match scaled {
        n if n == 0.0 || n >= 100.0 || (unit.is_empty() && n >= 10.0) => format!("{n:.0}{unit}"),
        n => format!("{n:.1}{unit}"),
    }
}

/// A number of bytes, in few letters: `512 B`, `1.5 KiB`.
pub(super) fn brief_bytes(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut scaled = bytes;
    let mut unit = 0;
    while scaled >= 1024.0 && unit + 1 < units.len() {
        scaled /= 1024.0;
        unit += 1;
    }
    match unit == 0 || scaled >= 100.0 {
        true => format!("{scaled:.0} {}", units[unit]),
        false => format!("{scaled:.1} {}", units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report(taken: Instant, id: &str, in_msgs: u64, connections: &[(u64, u64)]) -> Report {
        let one = |&(cid, out_msgs): &(u64, u64)| Connection {
            cid,
            name: format!("n{}", 10 - cid),
            traffic: Traffic {
                out_msgs,
                ..Traffic::default()
            },
            ..Connection::default()
        };
        Report {
            taken,
            varz: Varz {
                server_id: id.into(),
                traffic: Traffic {
                    in_msgs,
                    ..Traffic::default()
                },
                ..Varz::default()
            },
            connz: Connz {
                total: 0,
                connections: connections.iter().map(one).collect(),
            },
        }
    }

    #[test]
    fn rates_are_differences_per_second() {
        let start = Instant::now();
        let before = report(start, "A", 100, &[(1, 10)]);
        let now = report(start + Duration::from_secs(2), "A", 300, &[(1, 30), (2, 8)]);
        let figures = Figures::between(Some(&before), &now);
        assert_eq!(figures.rates.in_msgs, 100.0);
        assert_eq!(figures.rows[0].rates.out_msgs, 10.0);
        assert_eq!(figures.rows[1].rates.out_msgs, 4.0, "a new connection");
        assert_eq!(figures.total, 2);
    }

    #[test]
    fn a_first_report_and_a_server_that_began_anew_have_no_rates() {
        let start = Instant::now();
        let old = report(start, "A", 1000, &[(1, 10)]);
        assert_eq!(Figures::between(None, &old).rates, Rates::default());
        let later = start + Duration::from_secs(1);
        for anew in [
            report(later, "B", 5000, &[]),
            report(later, "A", 5, &[(1, 2)]),
        ] {
            let figures = Figures::between(Some(&old), &anew);
            assert_eq!(figures.rates, Rates::default());
            assert!(figures.rows.iter().all(|row| row.rates == Rates::default()));
        }
    }

    #[test]
    fn rows_are_sorted_by_each_key() {
        let start = Instant::now();
        let before = report(start, "A", 0, &[(1, 0), (2, 0), (3, 0)]);
        let now = report(
            start + Duration::from_secs(1),
            "A",
            0,
            &[(1, 5), (2, 9), (3, 7)],
        );
        let mut figures = Figures::between(Some(&before), &now);
        let mut by = |sort| {
            figures.sort(sort);
            figures
                .rows
                .iter()
                .map(|row| row.connection.cid)
                .collect::<Vec<_>>()
        };
        assert_eq!(by(Sort::Msgs), [2, 3, 1]);
        assert_eq!(by(Sort::Name), [3, 2, 1]);
        assert_eq!(by(Sort::Cid), [1, 2, 3]);
        assert_eq!(by(Sort::Pending), [1, 2, 3]);
    }

    #[test]
    fn what_nats_server_reports_is_read_and_what_is_missing_is_zero() {
        let varz: Varz = serde_json::from_str(
            r#"{"server_id":"N","mem":13254656,"cpu":1.5,"in_msgs":7,"uptime":"1s","other":{}}"#,
        )
        .unwrap();
        assert_eq!(
            (varz.traffic.in_msgs, varz.mem, varz.connections),
            (7, 13_254_656, 0)
        );
        let connz: Connz = serde_json::from_str(
            r#"{"total":1,"connections":[{"cid":6,"ip":"::1","port":5,"out_bytes":9}]}"#,
        )
        .unwrap();
        assert_eq!(connz.connections[0].traffic.out_bytes, 9);
        assert_eq!(connz.connections[0].address(), "[::1]:5");
    }

    #[test]
    fn numbers_take_few_letters() {
        let shown = [0.0, 0.5, 85.2, 9999.0, 12_345.0, 3.4e6, 2e9].map(brief);
        assert_eq!(shown, ["0", "0.5", "85", "9999", "12.3k", "3.4M", "2.0G"]);
        let shown = [0.0, 1023.0, 1536.0, 1e12].map(brief_bytes);
        assert_eq!(shown, ["0 B", "1023 B", "1.5 KiB", "931 GiB"]);
    }
}
