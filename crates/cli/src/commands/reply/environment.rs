//! A request's subject and headers as variables in the environment of the process that answers it.
//!
//! All names begin with `RECADO_`, so that no header can set `PATH` or `LD_PRELOAD`; nothing of a
//! request ever stands on a command line. `docs/processes-and-threads.md` lists the variables.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::job::Job;
use super::refusal::Refusal;

const SUBJECT: &str = "RECADO_SUBJECT";
const REPLY: &str = "RECADO_REPLY";
const NUMBER: &str = "RECADO_REQUEST";
/// All headers, as JSON: whatever their names and values, nothing is lost.
const HEADERS: &str = "RECADO_HEADERS";
/// One header, under a name that a shell can write.
const HEADER: &str = "RECADO_HEADER_";

/// How large the headers may be as JSON. The kernel takes 128 KiB for one variable.
const HEADERS_BYTES_MAX: usize = 64 * 1024;

/// Removes what this program itself may have been given by another one of its kind.
pub(crate) fn forget(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let known = [SUBJECT, REPLY, NUMBER, HEADERS];
        if let Some(written) = name.to_str()
            && (known.contains(&written) || written.starts_with(HEADER))
        {
            command.env_remove(name);
        }
    }
}

/// The variables of a request.
pub(crate) fn of(job: &Job) -> Result<BTreeMap<String, String>, Refusal> {
    let request = &job.request;
    let reply = request.reply.as_ref().map_or("", |reply| reply.as_str());
    let mut variables = request
        .headers
        .as_ref()
        .map_or_else(|| Ok(BTreeMap::new()), of_headers)?;
    for (name, value) in [(SUBJECT, request.subject.as_str()), (REPLY, reply)] {
        if value.contains('\0') {
            return Err(Refusal::bad_request("the subject holds a NUL"));
        }
        variables.insert(name.to_owned(), value.to_owned());
    }
    variables.insert(NUMBER.to_owned(), job.number.to_string());
    Ok(variables)
}

/// Headers as JSON: each name with the list of its values.
pub(crate) fn as_json(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for (name, values) in headers.iter() {
        let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
        object.insert(name.to_string(), json!(values));
    }
    object.into()
}

fn of_headers(headers: &HeaderMap) -> Result<BTreeMap<String, String>, Refusal> {
    let all = as_json(headers).to_string();
    if all.len() > HEADERS_BYTES_MAX {
        return Err(Refusal::headers_too_large(HEADERS_BYTES_MAX));
    }
    let mut variables = BTreeMap::from([(HEADERS.to_owned(), all)]);
    for (name, values) in headers.iter() {
        // A variable can't hold a NUL; the JSON does.
        let fits = |value: &&str| !value.contains('\0');
        let first = values
            .iter()
            .next()
            .map(|value| value.as_str())
            .filter(fits);
        if let Some(value) = first {
            let name = format!("{HEADER}{}", shell_name(name.as_ref()));
            variables.entry(name).or_insert_with(|| value.to_owned());
        }
    }
    Ok(variables)
}

/// `Content-Type` as `CONTENT_TYPE`.
fn shell_name(name: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
        _ => '_',
    };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(headers: &[(&str, &str)]) -> Result<BTreeMap<String, String>, Refusal> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, *value);
        }
        of_headers(&map)
    }

    #[test]
    fn headers_get_names_that_a_shell_can_write_and_lose_nothing_in_json() {
        let found = variables(&[
            ("Content-Type", "a"),
            ("content.type", "b"),
            ("X", "1"),
            ("X", "2\t\""),
        ]);
        let found = found.unwrap();
        assert_eq!(found["RECADO_HEADER_X"], "1");
        assert!(["a", "b"].contains(&found["RECADO_HEADER_CONTENT_TYPE"].as_str()));
        let json: Value = serde_json::from_str(&found["RECADO_HEADERS"]).unwrap();
        assert_eq!(json["X"], json!(["1", "2\t\""]));
        assert_eq!(json["content.type"], json!(["b"]));
    }

    #[test]
    fn what_no_variable_can_hold_stays_in_json_or_is_refused() {
        let found = variables(&[("Nul", "a\0b")]).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["RECADO_HEADERS"]);
        assert!(!found["RECADO_HEADERS"].contains('\0'));
        let large = variables(&[("Large", &"x".repeat(HEADERS_BYTES_MAX))]);
        assert_eq!(large.unwrap_err().code, 431);
    }
}
