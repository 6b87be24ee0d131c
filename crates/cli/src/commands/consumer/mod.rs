//! `recado consumer`: makes, shows, changes and tries the consumers of streams.

mod change;
mod find;
mod graph;
mod shape;
mod show;
mod take;

use clap::{Args, Subcommand};

use crate::completion;
use crate::connect;
use crate::failure::Failure;
use crate::jetstream::names;
use crate::settings::Settings;
use crate::text::{consumer as text, jetstream as common};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Action {
    #[command(alias = "create", about = text::add_about(), override_usage = text::add_usage(),
        after_help = text::add_examples())]
    Add(Box<change::Add>),
    #[command(alias = "list", about = text::ls_about(), override_usage = text::ls_usage(),
        after_help = text::ls_examples())]
    Ls(show::Ls),
    #[command(alias = "state", about = text::info_about(), override_usage = text::info_usage(),
        after_help = text::info_examples())]
    Info(Named),
    #[command(about = text::next_about(), override_usage = text::next_usage(),
        after_help = text::next_examples())]
    Next(take::Next),
    #[command(alias = "remove", about = text::rm_about(), override_usage = text::rm_usage(),
        after_help = text::rm_examples())]
    Rm(change::Remove),
    #[command(alias = "update", about = text::edit_about(), override_usage = text::edit_usage(),
        after_help = text::edit_examples())]
    Edit(Box<change::Edit>),
    #[command(alias = "cp", about = text::copy_about(), override_usage = text::copy_usage(),
        after_help = text::copy_examples())]
    Copy(Box<change::Copy>),
    #[command(about = text::report_about(), override_usage = text::report_usage(),
        after_help = text::report_examples())]
    Report(show::Report),
    #[command(alias = "query", about = text::find_about(), override_usage = text::find_usage(),
        after_help = text::find_examples())]
    Find(find::Find),
    #[command(about = text::graph_about(), override_usage = text::graph_usage(),
        after_help = text::graph_examples())]
    Graph(graph::Graph),
    #[command(about = text::pause_about(), override_usage = text::pause_usage(),
        after_help = text::pause_examples())]
    Pause(change::Pause),
    #[command(about = text::resume_about(), override_usage = text::resume_usage(),
        after_help = text::resume_examples())]
    Resume(Named),
    #[command(about = text::sub_about(), override_usage = text::sub_usage(),
        after_help = text::sub_examples())]
    Sub(take::Sub),
}

/// A consumer by its stream and name.
#[derive(Debug, Args)]
pub(super) struct Named {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
    stream: String,
    #[arg(value_name = common::value_consumer(), value_parser = names::name,
        help = common::consumer())]
    name: String,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    let mut session = connect::session(settings).await?;
    let session = &mut session;
    match &arguments.action {
        Action::Add(add) => add.run(session, as_json).await,
        Action::Ls(ls) => ls.run(session, as_json).await,
        Action::Info(named) => show::info(session, named, as_json).await,
        Action::Next(next) => next.run(session, settings.timeout, as_json).await,
        Action::Rm(remove) => remove.run(session, as_json).await,
        Action::Edit(edit) => edit.run(session, as_json).await,
        Action::Copy(copy) => copy.run(session, as_json).await,
        Action::Report(report) => report.run(session, as_json).await,
        Action::Find(find) => find.run(session, as_json).await,
        Action::Graph(graph) => graph.run(session, as_json).await,
        Action::Pause(pause) => pause.run(session, as_json).await,
        Action::Resume(named) => change::resume(session, named, as_json).await,
        Action::Sub(sub) => sub.run(session, settings.timeout, as_json).await,
    }
}
