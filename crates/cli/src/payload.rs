//! Where a message's content comes from (an argument, a file, standard input) and its headers.

use std::io::{BufRead, IsTerminal, Read};
use std::path::{Path, PathBuf};

use async_nats::HeaderMap;
use clap::Args;
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::settings::unreadable;
use crate::terminal;
use crate::text::{failures, help as text, talk, usage};

/// How many lines of standard input are read ahead.
const LINES_AHEAD: usize = 1024;

/// The options that say what to send.
#[derive(Debug, Args)]
pub(crate) struct Content {
    #[arg(value_name = text::value_text(), conflicts_with = "file", help = text::content_text())]
    text: Option<String>,
    #[arg(short, long, value_name = text::value_file(), help = text::content_file())]
    file: Option<PathBuf>,
    #[arg(short = 'H', long = "header", value_name = text::value_header(), value_parser = header,
        help = text::content_header())]
    headers: Vec<Header>,
}

/// One header, as `NAME:VALUE` on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    name: String,
    value: String,
}

impl Content {
    /// The payload. Without text or file it is standard input to its end, byte for byte.
    pub(crate) fn payload(&self) -> Result<Vec<u8>, Failure> {
        match (&self.file, &self.text) {
            (Some(path), _) => content_of(path),
            (None, Some(text)) if text != "-" => Ok(text.clone().into_bytes()),
            (None, _) => standard_input(),
        }
    }

    /// The headers as the protocol writes them; empty if there are none.
    pub(crate) fn header_block(&self) -> Vec<u8> {
        if self.headers.is_empty() {
            return Vec::new();
        }
        let mut block = String::from("NATS/1.0\r\n");
        for Header { name, value } in &self.headers {
            block.push_str(&format!("{name}: {value}\r\n"));
        }
        block.push_str("\r\n");
        block.into_bytes()
    }

    /// The headers as the library takes them, if there are any.
    pub(crate) fn header_map(&self) -> Option<HeaderMap> {
        let map = header_map(&self.headers);
        (!map.is_empty()).then_some(map)
    }
}

/// Headers as the library takes them.
pub(crate) fn header_map(headers: &[Header]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for Header { name, value } in headers {
        map.append(name.as_str(), value.as_str());
    }
    map
}

/// The content of a file; `-` is standard input.
pub(crate) fn content_of(path: &Path) -> Result<Vec<u8>, Failure> {
    if path.as_os_str() == "-" {
        return standard_input();
    }
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// Standard input to its end, byte for byte.
fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        terminal::notice(talk::type_message());
    }
    let mut content = Vec::new();
    stdin
        .read_to_end(&mut content)
        .map_err(|error| stdin_failed(&error))?;
    Ok(content)
}

/// Standard input, line by line without the line ends, read by a thread of its own.
pub(crate) fn lines() -> mpsc::Receiver<Result<Vec<u8>, Failure>> {
    let (sender, receiver) = mpsc::channel(LINES_AHEAD);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().split(b'\n') {
            let line = line.map_err(|error| stdin_failed(&error)).map(|mut line| {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                line
            });
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn stdin_failed(error: &std::io::Error) -> Failure {
    Failure::Local {
        what: failures::file_unreadable("stdin", &error.to_string()),
        next: failures::file_unreadable_next().to_owned(),
    }
}

/// Reads a header as it is written on the command line.
pub(crate) fn header(written: &str) -> Result<Header, String> {
    let bad = || usage::bad_header(written);
    let (name, value) = written.split_once(':').ok_or_else(bad)?;
    let name_is_token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !name_is_token || value.contains(['\r', '\n']) {
        return Err(bad());
    }
    Ok(Header {
        name: name.to_owned(),
        value: value.trim().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_split_at_the_first_colon() {
        let parsed = header("Url: nats://a:1").unwrap();
        assert_eq!(
            parsed,
            Header {
                name: "Url".into(),
                value: "nats://a:1".into()
            }
        );
    }

    #[test]
    fn a_header_can_not_smuggle_another_line() {
        for written in ["novalue", ":x", "a b:c", "a:b\r\nc:d", "ñ:x"] {
            assert!(header(written).is_err(), "{written:?}");
        }
    }
}
