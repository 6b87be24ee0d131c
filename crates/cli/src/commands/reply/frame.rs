//! The framing between this program and its workers: a line of JSON with the length of what
//! follows, then so many bytes. `docs/processes-and-threads.md` describes it for those who write a
//! worker; what stands there never changes its meaning.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

use super::environment;
use super::job::{Answer, Job};
use super::refusal::Refusal;

/// How long the line of an answer may be.
pub(crate) const LINE_BYTES_MAX: u64 = 64 * 1024;

/// How much of a line that makes no sense is shown.
const SHOWN_CHARS: usize = 60;

/// The codes that a worker may give.
const CODES: std::ops::RangeInclusive<u64> = 400..=599;

/// A request for a worker.
pub(crate) fn request(job: &Job) -> Vec<u8> {
    let request = &job.request;
    let headers = request.headers.as_ref();
    let line = json!({
        "request": job.number,
        "subject": request.subject.as_str(),
        "reply": request.reply.as_ref().map(|reply| reply.as_str()),
        "headers": headers.map_or_else(|| json!({}), environment::as_json),
        "size": request.payload.len(),
    });
    let mut frame = line.to_string().into_bytes();
    frame.push(b'\n');
    frame.extend_from_slice(&request.payload);
    frame
}

/// Why no answer could be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The output ended.
    Ended,
    /// It is no answer.
    Malformed(String),
    /// It is larger than allowed.
    TooLarge,
}

/// The line in front of an answer.
#[derive(Debug, Deserialize)]
struct Line {
    size: usize,
    #[serde(default)]
    headers: BTreeMap<String, Values>,
    error: Option<WorkerError>,
}

/// One value or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct WorkerError {
    code: u64,
    description: String,
}

/// Reads a worker's answer: good, or an error that the worker itself reports.
pub(crate) async fn answer(
    input: &mut (impl AsyncBufRead + Unpin),
    size_max: usize,
) -> Result<Result<Answer, Refusal>, Broken> {
    let mut line = Vec::new();
    let mut limited = (&mut *input).take(LINE_BYTES_MAX);
    match limited.read_until(b'\n', &mut line).await {
        Ok(0) | Err(_) => return Err(Broken::Ended),
        Ok(_) => {}
    }
    let Line {
        size,
        headers,
        error,
    } = parse(&line)?;
    if size > size_max {
        return Err(Broken::TooLarge);
    }
    let headers = checked(headers)?;
    // Grows with what really comes.
    let mut payload = Vec::new();
    let wanted = u64::try_from(size).unwrap_or(u64::MAX);
    match input.take(wanted).read_to_end(&mut payload).await {
        Ok(read) if read == size => {}
        _ => return Err(Broken::Ended),
    }
    Ok(match error {
        Some(WorkerError { code, description }) => Err(Refusal::new(code, description)),
        None => Ok(Answer {
            payload: Bytes::from(payload),
            headers,
        }),
    })
}

fn parse(line: &[u8]) -> Result<Line, Broken> {
    let parsed: Line = serde_json::from_slice(line).map_err(|error| {
        let words = String::from_utf8_lossy(line);
        let words: String = words.trim_end().chars().take(SHOWN_CHARS).collect();
        Broken::Malformed(format!("{error}, in {words:?}"))
    })?;
    if let Some(WorkerError { code, description }) = &parsed.error
        && (!CODES.contains(code) || description.contains(['\r', '\n']))
    {
        let why = "an error needs a code from 400 to 599 and a description of one line";
        return Err(Broken::Malformed(why.to_owned()));
    }
    Ok(parsed)
}

/// The headers as the library takes them: a line end in one would be another header.
fn checked(headers: BTreeMap<String, Values>) -> Result<HeaderMap, Broken> {
    let mut map = HeaderMap::new();
    for (name, values) in headers {
        let bad = || Broken::Malformed(format!("the header {name:?} can't be sent"));
        if name.is_empty() {
            return Err(bad());
        }
        let parsed: HeaderName = name.parse().map_err(|_| bad())?;
        let values = match values {
            Values::One(value) => vec![value],
            Values::Many(values) => values,
        };
        for value in values {
            let value: HeaderValue = value.parse().map_err(|_| bad())?;
            map.append(parsed.clone(), value);
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(mut bytes: &[u8]) -> Result<Result<Answer, Refusal>, Broken> {
        answer(&mut bytes, 100).await
    }

    #[tokio::test]
    async fn an_answer_is_a_line_and_its_bytes() {
        let both = b"{\"size\": 5, \"headers\": {\"A\": \"1\", \"B\": [\"2\", \"3\"]}}\nhello{\"size\":0}\n";
        let mut input = both.as_slice();
        let first = answer(&mut input, 100).await.unwrap().unwrap();
        assert_eq!(first.payload, "hello");
        assert_eq!(first.headers.get("A").unwrap().as_str(), "1");
        assert_eq!(first.headers.get_all("B").count(), 2);
        let second = answer(&mut input, 100).await.unwrap().unwrap();
        assert!(second.payload.is_empty() && input.is_empty());
    }

    #[tokio::test]
    async fn a_worker_may_report_an_error_of_its_own() {
        let said = b"{\"size\":0,\"error\":{\"code\":404,\"description\":\"no such book\"}}\n";
        let refusal = read(said).await.unwrap().unwrap_err();
        assert_eq!(refusal, Refusal::new(404, "no such book".into()));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_told_apart_from_none() {
        assert_eq!(read(b"").await.unwrap_err(), Broken::Ended);
        assert_eq!(
            read(b"{\"size\":9}\nshort").await.unwrap_err(),
            Broken::Ended
        );
        assert_eq!(
            read(b"{\"size\":101}\n").await.unwrap_err(),
            Broken::TooLarge
        );
        for bad in [
            "hello\n",
            "{}\n",
            "{\"size\":-1}\n",
            "{\"size\":0,\"headers\":{\"A\":\"x\\r\\nB: y\"}}\n",
            "{\"size\":0,\"headers\":{\"A b\":\"x\"}}\n",
            "{\"size\":0,\"error\":{\"code\":200,\"description\":\"fine\"}}\n",
            "{\"size\":0,\"error\":{\"code\":500,\"description\":\"a\\nb\"}}\n",
        ] {
            let broken = read(bad.as_bytes()).await.unwrap_err();
            assert!(matches!(broken, Broken::Malformed(_)), "{bad}: {broken:?}");
        }
    }

    #[tokio::test]
    async fn a_line_without_end_does_not_fill_the_memory() {
        let endless = vec![b'x'; 1024 * 1024];
        assert!(matches!(read(&endless).await, Err(Broken::Malformed(_))));
    }
}
