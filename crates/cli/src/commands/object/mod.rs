//! `recado object`: buckets of objects, kept in streams as ADR-20 has it (E200).

mod bucket;
mod content;
mod meta;
mod show;

use clap::{Args, Subcommand};

use crate::completion;
use crate::connect;
use crate::failure::Failure;
use crate::jetstream::names;
use crate::settings::Settings;
use crate::text::{jetstream as common, object as text};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Action {
    #[command(about = text::add_about(), override_usage = text::add_usage(),
        after_help = text::add_examples())]
    Add(bucket::Add),
    #[command(about = text::put_about(), override_usage = text::put_usage(),
        after_help = text::put_examples())]
    Put(content::Put),
    #[command(about = text::get_about(), override_usage = text::get_usage(),
        after_help = text::get_examples())]
    Get(content::Get),
    #[command(alias = "delete", about = text::del_about(), override_usage = text::del_usage(),
        after_help = text::del_examples())]
    Del(content::Delete),
    #[command(alias = "show", about = text::info_about(), override_usage = text::info_usage(),
        after_help = text::info_examples())]
    Info(show::Info),
    #[command(alias = "list", about = text::ls_about(), override_usage = text::ls_usage(),
        after_help = text::ls_examples())]
    Ls(show::Ls),
    #[command(about = text::edit_about(), override_usage = text::edit_usage(),
        after_help = text::edit_examples())]
    Edit(bucket::Edit),
    #[command(about = text::seal_about(), override_usage = text::seal_usage(),
        after_help = text::seal_examples())]
    Seal(bucket::Change),
    #[command(about = text::watch_about(), override_usage = text::watch_usage(),
        after_help = text::watch_examples())]
    Watch(show::Watch),
    #[command(alias = "remove", about = text::rm_about(), override_usage = text::rm_usage(),
        after_help = text::rm_examples())]
    Rm(bucket::Change),
}

/// A bucket by name.
#[derive(Debug, Args)]
pub(super) struct Bucket {
    #[arg(value_name = common::value_bucket(), value_parser = names::bucket,
        add = completion::stores(), help = common::bucket())]
    bucket: String,
}

/// An object of a bucket.
#[derive(Debug, Args)]
pub(super) struct Named {
    #[command(flatten)]
    of: Bucket,
    #[arg(value_name = common::value_object(), value_parser = meta::name, help = common::object())]
    name: String,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    // What can't be read is told before anything is connected.
    let source = match &arguments.action {
        Action::Put(put) => Some(put.open()?),
        _ => None,
    };
    let mut session = connect::session(settings).await?;
    let session = &mut session;
    match &arguments.action {
        Action::Add(add) => add.run(session, as_json).await,
        Action::Put(put) => match source {
            Some(source) => put.run(session, source, as_json).await,
            None => Ok(()),
        },
        Action::Get(get) => get.run(session, as_json).await,
        Action::Del(delete) => delete.run(session, as_json).await,
        Action::Info(info) => info.run(session, as_json).await,
        Action::Ls(ls) => ls.run(session, as_json).await,
        Action::Edit(edit) => edit.run(session, as_json).await,
        Action::Seal(change) => change.seal(session, as_json).await,
        Action::Watch(watch) => watch.run(session, settings.timeout, as_json).await,
        Action::Rm(change) => change.remove(session, as_json).await,
    }
}
