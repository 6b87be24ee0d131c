//! Asks the server's monitoring, and `/proc`, how it is.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Doing, Error, Result};
use crate::meter::Meter;

const TIMEOUT: Duration = Duration::from_secs(20);

/// Where monitoring is served.
#[derive(Clone, Copy)]
pub(super) struct Monitor {
    address: SocketAddr,
}

/// One look at the server.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Sample {
    /// Seconds since the load began.
    pub(super) at_s: f64,
    pub(super) rss_bytes: u64,
    pub(super) descriptors: u64,
    pub(super) threads: u64,
    pub(super) connections: u64,
    pub(super) subscriptions: u64,
    pub(super) slow_consumers: u64,
    pub(super) mqtt: Mqtt,
    pub(super) store_bytes: u64,
    /// CPU time so far.
    pub(super) cpu_s: f64,
}

/// What the streams of MQTT hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Mqtt {
    /// Records of sessions.
    pub(super) sessions: u64,
    /// Consumers of subscriptions with QoS 1 and 2.
    pub(super) consumers: u64,
    /// Messages: on their way, half way, retained.
    pub(super) messages: u64,
}

impl Monitor {
    pub(super) fn new(port: u16) -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, port).into(),
        }
    }

    /// The body of a document. One that is not answered with 200 is an error.
    pub(super) fn get(&self, path: &str) -> Result<String> {
        let mut socket =
            TcpStream::connect_timeout(&self.address, TIMEOUT).doing("connecting to monitoring")?;
        socket
            .set_read_timeout(Some(TIMEOUT))
            .doing("setting a read timeout")?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n");
        socket
            .write_all(request.as_bytes())
            .doing("asking monitoring")?;
        let mut answer = String::new();
        socket
            .read_to_string(&mut answer)
            .doing(format!("reading {path}"))?;
        let odd = || Error::Server(format!("monitoring answered {path} with {answer:.200}"));
        let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(odd)?;
        if head.split(' ').nth(1) != Some("200") {
            return Err(odd());
        }
        Ok(body.to_owned())
    }

    pub(super) fn varz(&self) -> Result<Value> {
        self.json("/varz")
    }

    fn json(&self, path: &str) -> Result<Value> {
        let text = self.get(path)?;
        // What is sent in chunks has their lengths around it.
        let object = text
            .find('{')
            .zip(text.rfind('}'))
            .and_then(|(from, to)| text.get(from..=to))
            .unwrap_or_default();
        serde_json::from_str(object)
            .map_err(|error| Error::Server(format!("{path} is no JSON: {error}")))
    }

    /// Nothing where there are no such streams.
    pub(super) fn mqtt(&self) -> Result<Mqtt> {
        let document = self.json("/jsz?acc=APP&streams=1")?;
        let mut found = Mqtt::default();
        let streams = document["account_details"][0]["stream_detail"].as_array();
        for stream in streams.into_iter().flatten() {
            let name = stream["name"].as_str().unwrap_or_default();
            let number = |key: &str| stream["state"][key].as_u64().unwrap_or_default();
            match name {
                "$MQTT_sess" => found.sessions += number("messages"),
                _ if name.starts_with("$MQTT_") => {
                    found.messages += number("messages");
                    found.consumers += number("consumer_count");
                }
                _ => {}
            }
        }
        Ok(found)
    }

    pub(super) fn sample(&self, pid: i32, store: &Path, at_s: f64) -> Result<Sample> {
        let varz = self.varz()?;
        let number = |key: &str| {
            varz[key]
                .as_u64()
                .ok_or_else(|| Error::Server(format!("/varz without `{key}`")))
        };
        let meter = Meter::of(pid)?;
        Ok(Sample {
            at_s,
            rss_bytes: meter.memory()?.rss,
            descriptors: entries(&format!("/proc/{pid}/fd"))?,
            threads: entries(&format!("/proc/{pid}/task"))?,
            connections: number("connections")?,
            subscriptions: number("subscriptions")?,
            slow_consumers: number("slow_consumers")?,
            mqtt: self.mqtt()?,
            store_bytes: stored(store),
            cpu_s: meter.cpu()?.as_secs_f64(),
        })
    }
}

fn entries(folder: &str) -> Result<u64> {
    let entries = fs::read_dir(folder).doing(format!("reading {folder}"))?;
    Ok(entries.count() as u64)
}

/// Bytes of the files below; files that go meanwhile count nothing.
fn stored(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(what) if what.is_dir() => stored(&entry.path()),
        Ok(what) => what.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
