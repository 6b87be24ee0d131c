//! The command line: the global options and the list of commands.
//!
//! All words come from the catalogue, so the language must be chosen before any of this is built.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::commands::{
    bench, chat, completions, consumer, context, doctor, errors, explain, kv, latency, login, man,
    object, ping, publish, reply, request, service, stream, sub, top, tour, trace, wait,
};
use crate::completion;
use crate::lang::Lang;
use crate::span;
use crate::text::{
    bench as bench_text, chat as chat_text, completions as completions_text,
    consumer as consumer_text, contexts as contexts_text, doctor as doctor_text,
    errors as errors_text, explain as explain_text, help as text, kv as kv_text,
    latency as latency_text, login as login_text, object as object_text, ping as ping_text,
    service as service_text, serving, stream as stream_text, top as top_text, tour as tour_text,
    trace as trace_text, waiting as waiting_text,
};

/// Everything that can be said to `recado`.
#[derive(Debug, Parser)]
#[command(
    name = "recado",
    version,
    about = text::about(),
    override_usage = text::usage(),
    after_help = text::after(&crate::exit::table()),
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    /// `-V` alone.
    #[arg(short = 'V', long, action = ArgAction::Version, help = text::version())]
    version: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = text::heading_global())]
pub(crate) struct Global {
    #[arg(short, long, global = true, value_name = "URL", help = text::server())]
    pub(crate) server: Option<String>,
    #[arg(long, global = true, value_name = text::value_name(), add = completion::contexts(),
        help = text::context())]
    pub(crate) context: Option<String>,
    #[arg(long, global = true, conflicts_with = "context", help = text::no_context())]
    pub(crate) no_context: bool,
    #[arg(long, global = true, value_name = text::value_file(), help = text::token_file())]
    pub(crate) token_file: Option<PathBuf>,
    #[arg(long, global = true, value_name = "TOKEN", conflicts_with = "token_file",
        help = text::token())]
    pub(crate) token: Option<String>,
    #[arg(long, global = true, value_name = text::value_name(),
        conflicts_with_all = ["token", "token_file"], help = text::user())]
    pub(crate) user: Option<String>,
    #[arg(long, global = true, value_name = text::value_password(), requires = "user",
        help = text::password())]
    pub(crate) password: Option<String>,
    #[arg(long, global = true, value_name = text::value_file(),
        conflicts_with_all = ["token", "token_file", "user"], help = text::creds())]
    pub(crate) creds: Option<String>,
    #[arg(long, global = true, value_name = text::value_file(),
        conflicts_with_all = ["token", "token_file", "user", "creds"], help = text::nkey())]
    pub(crate) nkey: Option<String>,
    #[arg(long, global = true, value_name = "JWT",
        conflicts_with_all = ["token", "token_file", "user", "creds", "nkey"], help = text::jwt())]
    pub(crate) jwt: Option<String>,
    #[arg(long, global = true, value_name = text::value_seed(), requires = "jwt",
        help = text::seed())]
    pub(crate) seed: Option<String>,
    #[arg(long, global = true, value_name = text::value_file(), help = text::tlsca())]
    pub(crate) tlsca: Option<PathBuf>,
    #[arg(long, global = true, value_name = text::value_file(), help = text::tlscert())]
    pub(crate) tlscert: Option<PathBuf>,
    #[arg(long, global = true, value_name = text::value_file(), help = text::tlskey())]
    pub(crate) tlskey: Option<PathBuf>,
    #[arg(long, global = true, alias = "tls-first", help = text::tlsfirst())]
    pub(crate) tlsfirst: bool,
    #[arg(long, global = true, value_name = text::value_prefix(), help = text::inbox_prefix())]
    pub(crate) inbox_prefix: Option<String>,
    #[arg(long, global = true, value_name = text::value_span(), value_parser = span::parse,
        help = text::timeout())]
    pub(crate) timeout: Option<Duration>,
    #[arg(long, global = true, help = text::retry())]
    pub(crate) retry: bool,
    #[arg(long, global = true, value_name = text::value_span(), value_parser = span::parse,
        help = text::deadline())]
    pub(crate) deadline: Option<Duration>,
    #[arg(long, global = true, alias = "connection-name", value_name = text::value_name(),
        help = text::name())]
    pub(crate) name: Option<String>,
    #[arg(long, global = true, help = text::json())]
    pub(crate) json: bool,
    /// Read before all else by [`crate::lang::choose`]; here so that it is checked and listed.
    #[arg(long, global = true, value_enum, value_name = "en|es", help = text::lang())]
    lang: Option<Lang>,
    #[arg(short, long, global = true, action = ArgAction::Help, help = text::help())]
    help: Option<bool>,
}

impl Global {
    /// The same options for another server.
    pub(crate) fn at(&self, server: String) -> Self {
        Self {
            server: Some(server),
            ..self.clone()
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(about = chat_text::about(), override_usage = chat_text::usage(),
        after_help = chat_text::examples())]
    Chat(chat::Arguments),
    #[command(about = tour_text::about(), override_usage = tour_text::usage(),
        after_help = tour_text::examples())]
    Tour(tour::Arguments),
    #[command(name = "pub", alias = "publish", about = text::pub_about(),
        override_usage = text::pub_usage(), after_help = text::pub_examples())]
    Publish(publish::Arguments),
    #[command(alias = "subscribe", about = text::sub_about(), override_usage = text::sub_usage(),
        after_help = text::sub_examples())]
    Sub(sub::Arguments),
    #[command(alias = "ask", alias = "req", about = text::request_about(),
        override_usage = text::request_usage(), after_help = text::request_examples())]
    Request(request::Arguments),
    #[command(alias = "answer", about = text::reply_about(), override_usage = serving::usage(),
        after_help = serving::examples())]
    Reply(reply::Arguments),
    #[command(alias = "services", about = service_text::about(),
        override_usage = service_text::usage(), after_help = service_text::examples())]
    Service(service::Arguments),
    #[command(alias = "str", about = stream_text::about(),
        override_usage = stream_text::usage(), after_help = stream_text::examples())]
    Stream(stream::Arguments),
    #[command(alias = "con", about = consumer_text::about(),
        override_usage = consumer_text::usage(), after_help = consumer_text::examples())]
    Consumer(consumer::Arguments),
    #[command(about = kv_text::about(), override_usage = kv_text::usage(),
        after_help = kv_text::examples())]
    Kv(kv::Arguments),
    #[command(alias = "obj", about = object_text::about(), override_usage = object_text::usage(),
        after_help = object_text::examples())]
    Object(object::Arguments),
    #[command(about = ping_text::about(), override_usage = ping_text::usage(),
        after_help = ping_text::examples())]
    Ping(ping::Arguments),
    #[command(about = latency_text::about(), override_usage = latency_text::usage(),
        after_help = latency_text::examples())]
    Latency(latency::Arguments),
    #[command(about = bench_text::about(), override_usage = bench_text::usage(),
        after_help = bench_text::examples())]
    Bench(bench::Arguments),
    #[command(alias = "ctx", about = contexts_text::about(),
        override_usage = contexts_text::usage(), after_help = contexts_text::examples())]
    Context(context::Arguments),
    #[command(about = login_text::about(), override_usage = login_text::usage(),
        after_help = login_text::examples())]
    Login(login::Arguments),
    #[command(about = login_text::logout_about(), override_usage = login_text::logout_usage(),
        after_help = login_text::logout_examples())]
    Logout,
    #[command(about = completions_text::about(), override_usage = completions_text::usage(),
        after_help = completions_text::examples())]
    Completions(completions::Arguments),
    #[command(about = completions_text::man_about(), override_usage = completions_text::man_usage(),
        after_help = completions_text::man_examples())]
    Man(man::Arguments),
    #[command(about = top_text::about(), override_usage = top_text::usage(),
        after_help = top_text::examples())]
    Top(top::Arguments),
    #[command(about = waiting_text::about(), override_usage = waiting_text::usage(),
        after_help = waiting_text::examples())]
    Wait(wait::Arguments),
    #[command(about = doctor_text::about(), override_usage = doctor_text::usage(),
        after_help = doctor_text::examples())]
    Doctor(doctor::Arguments),
    #[command(alias = "error", alias = "err", about = errors_text::about(),
        override_usage = errors_text::usage(), after_help = errors_text::examples())]
    Errors(errors::Arguments),
    #[command(about = explain_text::about(), override_usage = explain_text::usage(),
        after_help = explain_text::examples())]
    Explain(explain::Arguments),
    #[command(about = trace_text::about(), override_usage = trace_text::usage(),
        after_help = trace_text::examples())]
    Trace(trace::Arguments),
    #[command(about = text::help_about(), override_usage = text::help_usage())]
    Help {
        #[arg(value_name = text::value_command(), help = text::help_command())]
        command: Vec<String>,
    },
}
