//! `recado kv`: buckets of keys and values, kept in streams as ADR-8 has it (E195, E196).

mod bucket;
mod entry;
mod read;
mod write;

use clap::{Args, Subcommand};

use crate::completion;
use crate::connect;
use crate::failure::Failure;
use crate::jetstream::names;
use crate::settings::Settings;
use crate::text::{jetstream as common, kv as text};

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
    #[command(alias = "list", about = text::ls_about(), override_usage = text::ls_usage(),
        after_help = text::ls_examples())]
    Ls(read::Ls),
    #[command(alias = "status", about = text::info_about(), override_usage = text::info_usage(),
        after_help = text::info_examples())]
    Info(Named),
    #[command(about = text::edit_about(), override_usage = text::edit_usage(),
        after_help = text::edit_examples())]
    Edit(bucket::Edit),
    #[command(about = text::put_about(), override_usage = text::put_usage(),
        after_help = text::put_examples())]
    Put(write::Put),
    #[command(about = text::get_about(), override_usage = text::get_usage(),
        after_help = text::get_examples())]
    Get(read::Get),
    #[command(about = text::create_about(), override_usage = text::create_usage(),
        after_help = text::create_examples())]
    Create(write::Put),
    #[command(about = text::update_about(), override_usage = text::update_usage(),
        after_help = text::update_examples())]
    Update(write::Update),
    #[command(alias = "delete", about = text::del_about(), override_usage = text::del_usage(),
        after_help = text::del_examples())]
    Del(write::Delete),
    #[command(about = text::purge_about(), override_usage = text::purge_usage(),
        after_help = text::purge_examples())]
    Purge(write::Delete),
    #[command(about = text::watch_about(), override_usage = text::watch_usage(),
        after_help = text::watch_examples())]
    Watch(read::Watch),
    #[command(about = text::history_about(), override_usage = text::history_usage(),
        after_help = text::history_examples())]
    History(Key),
    #[command(about = text::keys_about(), override_usage = text::keys_usage(),
        after_help = text::keys_examples())]
    Keys(read::Keys),
    #[command(about = text::revert_about(), override_usage = text::revert_usage(),
        after_help = text::revert_examples())]
    Revert(write::Revert),
    #[command(about = text::compact_about(), override_usage = text::compact_usage(),
        after_help = text::compact_examples())]
    Compact(bucket::Compact),
    #[command(alias = "remove", about = text::rm_about(), override_usage = text::rm_usage(),
        after_help = text::rm_examples())]
    Rm(bucket::Remove),
}

/// A bucket by name.
#[derive(Debug, Args)]
pub(super) struct Named {
    #[arg(value_name = common::value_bucket(), value_parser = names::bucket,
        add = completion::buckets(), help = common::bucket())]
    bucket: String,
}

/// A key of a bucket.
#[derive(Debug, Args)]
pub(super) struct Key {
    #[arg(value_name = common::value_bucket(), value_parser = names::bucket,
        add = completion::buckets(), help = common::bucket())]
    bucket: String,
    #[arg(value_name = common::value_key(), value_parser = names::key, help = common::key())]
    key: String,
}

/// Runs the command.
pub(crate) async fn run(
    settings: &Settings,
    arguments: &Arguments,
    as_json: bool,
) -> Result<(), Failure> {
    // Read before connecting: a connection must not wait idle for someone who is typing.
    let value = match &arguments.action {
        Action::Put(put) | Action::Create(put) => put.content.payload()?,
        Action::Update(update) => update.put.content.payload()?,
        _ => Vec::new(),
    };
    let mut session = connect::session(settings).await?;
    let session = &mut session;
    match &arguments.action {
        Action::Add(add) => add.run(session, as_json).await,
        Action::Ls(ls) => ls.run(session, as_json).await,
        Action::Info(named) => bucket::info(session, &named.bucket, as_json).await,
        Action::Edit(edit) => edit.run(session, as_json).await,
        Action::Put(put) => put.put(session, value, as_json).await,
        Action::Get(get) => get.run(session, as_json).await,
        Action::Create(put) => put.create(session, value, as_json).await,
        Action::Update(update) => update.run(session, value, as_json).await,
        Action::Del(delete) => delete.run(session, false, as_json).await,
        Action::Purge(delete) => delete.run(session, true, as_json).await,
        Action::Watch(watch) => watch.run(session, settings.timeout, as_json).await,
        Action::History(key) => read::history(session, key, as_json).await,
        Action::Keys(keys) => keys.run(session, as_json).await,
        Action::Revert(revert) => revert.run(session, as_json).await,
        Action::Compact(compact) => compact.run(session, as_json).await,
        Action::Rm(remove) => remove.run(session, as_json).await,
    }
}
