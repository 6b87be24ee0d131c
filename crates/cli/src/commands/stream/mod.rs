//! `recado stream`: makes, shows, changes, saves and watches streams.

mod backup;
mod change;
mod dead;
mod list;
mod messages;
mod replay;
mod shape;
mod show;
mod watch;

use clap::{Args, Subcommand};

use crate::completion;
use crate::connect;
use crate::failure::Failure;
use crate::jetstream::names;
use crate::settings::Settings;
use crate::text::{jetstream as common, stream as text};

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
    Ls(list::Ls),
    #[command(alias = "state", about = text::info_about(), override_usage = text::info_usage(),
        after_help = text::info_examples())]
    Info(Named),
    #[command(about = text::view_about(), override_usage = text::view_usage(),
        after_help = text::view_examples())]
    View(messages::View),
    #[command(about = text::get_about(), override_usage = text::get_usage(),
        after_help = text::get_examples())]
    Get(messages::Get),
    #[command(alias = "remove", about = text::rm_about(), override_usage = text::rm_usage(),
        after_help = text::rm_examples())]
    Rm(change::Remove),
    #[command(about = text::purge_about(), override_usage = text::purge_usage(),
        after_help = text::purge_examples())]
    Purge(change::Purge),
    #[command(alias = "update", about = text::edit_about(), override_usage = text::edit_usage(),
        after_help = text::edit_examples())]
    Edit(Box<change::Edit>),
    #[command(alias = "cp", about = text::copy_about(), override_usage = text::copy_usage(),
        after_help = text::copy_examples())]
    Copy(Box<change::Copy>),
    #[command(about = text::subjects_about(), override_usage = text::subjects_usage(),
        after_help = text::subjects_examples())]
    Subjects(list::Subjects),
    #[command(about = text::rmm_about(), override_usage = text::rmm_usage(),
        after_help = text::rmm_examples())]
    Rmm(messages::RemoveMessages),
    #[command(about = text::report_about(), override_usage = text::report_usage(),
        after_help = text::report_examples())]
    Report,
    #[command(about = text::find_about(), override_usage = text::find_usage(),
        after_help = text::find_examples())]
    Find(list::Find),
    #[command(about = text::seal_about(), override_usage = text::seal_usage(),
        after_help = text::seal_examples())]
    Seal(change::Seal),
    #[command(about = text::backup_about(), override_usage = text::backup_usage(),
        after_help = text::backup_examples())]
    Backup(backup::Backup),
    #[command(about = text::restore_about(), override_usage = text::restore_usage(),
        after_help = text::restore_examples())]
    Restore(backup::Restore),
    #[command(about = text::watch_about(), override_usage = text::watch_usage(),
        after_help = text::watch_examples())]
    Watch(watch::Watch),
    #[command(alias = "dead", about = text::dead_letters_about(),
        override_usage = text::dead_letters_usage(), after_help = text::dead_letters_examples())]
    DeadLetters(Named),
    #[command(about = text::replay_about(), override_usage = text::replay_usage(),
        after_help = text::replay_examples())]
    Replay(replay::Replay),
}

/// A stream by name.
#[derive(Debug, Args)]
pub(super) struct Named {
    #[arg(value_name = common::value_stream(), value_parser = names::name,
        add = completion::streams(), help = common::stream())]
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
        Action::Info(named) => show::info(session, &named.name, as_json).await,
        Action::View(view) => view.run(session, as_json).await,
        Action::Get(get) => get.run(session, as_json).await,
        Action::Rm(remove) => remove.run(session, as_json).await,
        Action::Purge(purge) => purge.run(session, as_json).await,
        Action::Edit(edit) => edit.run(session, as_json).await,
        Action::Copy(copy) => copy.run(session, as_json).await,
        Action::Subjects(subjects) => subjects.run(session, as_json).await,
        Action::Rmm(remove) => remove.run(session, as_json).await,
        Action::Report => list::report(session, as_json).await,
        Action::Find(find) => find.run(session, as_json).await,
        Action::Seal(seal) => seal.run(session, as_json).await,
        Action::Backup(backup) => backup.run(session, as_json).await,
        Action::Restore(restore) => restore.run(session, as_json).await,
        Action::Watch(watch) => watch.run(session, as_json).await,
        Action::DeadLetters(named) => dead::list(session, &named.name, as_json).await,
        Action::Replay(replay) => replay.run(session, as_json).await,
    }
}
