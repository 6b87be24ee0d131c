//! The server as it is watched: what `/varz`, `/connz` and their like tell, and the HTTP that they are told over
//! (B50 to B66). It runs on a thread of its own beside the engine, and only reads there.
//!
//! [`figures`] makes documents of what is seen, whoever asks: [`Observed::document`] answers HTTP and
//! requests on `$SYS` alike. [`parameters`] reads what they ask for. [`site`] says which path leads to which; [`http`]
//! serves them: GET and HEAD, with bounds on everything that a stranger could make large or slow.

mod access;
mod figures;
mod http;
mod observed;
mod parameters;
mod patience;
mod process;
mod site;

pub(crate) use access::Access as Watchers;
pub(crate) use figures::{AccstatzOptions, Document, Endpoint, Problem, Request, name_tag};
pub(crate) use http::{HTML, Keys, Pages, Reply, Served, TEXT};
pub(crate) use observed::{Facts, Listening, Observed};
pub(crate) use parameters::Query;
pub(crate) use site::{Watched, open};
