//! What is served under `/debug/pprof/`.

use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode, Uri};

use super::command_line::command_line;
use super::{cpu, threads};
use crate::config::Options;
use crate::error::StartError;
use crate::listener::{Listener, open_at, resolve};
use crate::monitoring::{HTML, Pages, Query, Reply, TEXT};
use crate::version::VERSION;

/// How long is sampled where nothing is said of it, as in Go.
const SECONDS: usize = 30;
/// How long may be sampled.
const SECONDS_MAX: usize = 300;
/// Time to make a profile of the samples.
const MAKING_MAX: Duration = Duration::from_secs(60);

const BYTES: &str = "application/octet-stream";

/// Under which everything is.
const ROOT: &str = "/debug/pprof/";

/// What Go shows there of its runtime.
const OF_GO: [&str; 8] = [
    "allocs",
    "block",
    "goroutine",
    "heap",
    "mutex",
    "symbol",
    "threadcreate",
    "trace",
];

/// Opens the socket for profiles, if they are to be served.
///
/// # Errors
/// When the host has no address, or nothing can listen there.
pub(crate) fn open(options: &Options) -> Result<Option<Listener>, StartError> {
    let monitoring = &options.monitoring;
    let Some(port) = monitoring.profile_port else {
        return Ok(None);
    };
    let host = monitoring.host_for(options.personality, options.host.as_deref());
    let addr = resolve(&host, port)?;
    open_at(addr, host).map(Some)
}

/// The server's profiles, as pages.
pub(crate) struct Profiles;

impl Pages for Profiles {
    const NAME: &'static str = "profiling";
    const THREAD: &'static str = "recado-profiles";
    const ANSWER_TIME_MAX: Duration =
        MAKING_MAX.saturating_add(Duration::from_secs(SECONDS_MAX as u64));
    const IS_FOR_ALL_ORIGINS: bool = false;

    fn are_open(&self, _: &Uri) -> bool {
        false
    }

    async fn answer(&self, request: &Request<Incoming>) -> Reply {
        let path = request.uri().path();
        if path == ROOT.trim_end_matches('/') {
            return index();
        }
        let Some(name) = path.strip_prefix(ROOT) else {
            return nothing_there();
        };
        match name {
            "" => index(),
            "cmdline" => content(TEXT, command_line(std::env::args_os()).into_bytes()),
            "threads" => match threads::threads() {
                Ok(table) => content(TEXT, table.into_bytes()),
                Err(error) => Reply::text(
                    StatusCode::SERVICE_UNAVAILABLE,
                    &format!("/proc cannot be read: {error}"),
                ),
            },
            "profile" if request.method() == Method::HEAD => Reply::text(
                StatusCode::BAD_REQUEST,
                "a profile is made for who takes it: GET",
            ),
            "profile" => profile(request.uri().query().unwrap_or_default()).await,
            of_go if OF_GO.contains(&of_go) => Reply::text(
                StatusCode::NOT_FOUND,
                &format!(
                    "{of_go} is of Go's runtime, which this server does not have; {ROOT} lists what there is"
                ),
            ),
            _ => nothing_there(),
        }
    }
}

async fn profile(query: &str) -> Reply {
    let seconds = match Query::new(query).count("seconds") {
        Ok(0) => SECONDS,
        Ok(seconds) => seconds,
        Err(problem) => return Reply::text(StatusCode::BAD_REQUEST, problem.text()),
    };
    if seconds > SECONDS_MAX {
        let text = format!("seconds={seconds} is too long; at most {SECONDS_MAX}");
        return Reply::text(StatusCode::BAD_REQUEST, &text);
    }
    match cpu::profile(Duration::from_secs(seconds as u64)).await {
        Ok(profile) => content(BYTES, profile),
        Err(trouble) => Reply::text(trouble.status(), &trouble.text()),
    }
}

fn nothing_there() -> Reply {
    let text = format!("404 page not found; {ROOT} lists what there is");
    Reply::text(StatusCode::NOT_FOUND, &text)
}

fn content(content_type: &'static str, content: Vec<u8>) -> Reply {
    Reply {
        status: StatusCode::OK,
        content_type,
        content,
    }
}

/// A page of links, for people. Nothing in it comes from outside.
fn index() -> Reply {
    let links: String = [
        (
            "profile",
            "CPU: where time goes, for <code>go tool pprof</code>; <code>?seconds=N</code>, or 30",
        ),
        ("threads", "Threads: what each has had of the processors"),
        ("cmdline", "How the program was called"),
    ]
    .iter()
    .map(|(name, tells)| format!("<a href=\"{ROOT}{name}\">{name}</a><p>{tells}</p>\n"))
    .collect();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>recado-server: profiles</title>\n\
         <style>body{{font-family:system-ui,sans-serif;margin:2rem}}</style></head>\n\
         <body>\n<h1>recado-server {VERSION}</h1>\n{links}\
         <p>What Go's runtime tells ({}) is not there.</p>\n</body>\n</html>\n",
        OF_GO.join(", ")
    );
    content(HTML, page.into_bytes())
}
