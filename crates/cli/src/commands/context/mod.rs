//! `recado context`: makes, shows and selects contexts, the named ways to connect that the `nats`
//! CLI has too. It opens no connection.

mod change;
mod show;

use clap::{Args, Subcommand};

use crate::args::Global;
use crate::completion;
use crate::contexts::Folder;
use crate::failure::Failure;
use crate::text::{contexts as text, help as text_help};

/// The command's arguments.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
enum Action {
    #[command(alias = "create", alias = "save", about = text::add_about(),
        override_usage = text::add_usage(), after_help = text::add_examples())]
    Add(change::Add),
    #[command(alias = "list", about = text::ls_about(), override_usage = text::ls_usage(),
        after_help = text::ls_examples())]
    Ls,
    #[command(alias = "info", alias = "view", about = text::show_about(),
        override_usage = text::show_usage(), after_help = text::show_examples())]
    Show {
        #[arg(value_name = text_help::value_name(), add = completion::contexts(),
            help = text::show_name())]
        name: Option<String>,
    },
    #[command(alias = "switch", alias = "set", about = text::select_about(),
        override_usage = text::select_usage(), after_help = text::select_examples())]
    Select {
        #[arg(value_name = text_help::value_name(), add = completion::contexts(),
            help = text::name())]
        name: String,
    },
    #[command(about = text::unselect_about(), override_usage = text::unselect_usage(),
        after_help = text::unselect_examples())]
    Unselect,
    #[command(about = text::previous_about(), override_usage = text::previous_usage(),
        after_help = text::previous_examples())]
    Previous,
    #[command(alias = "vi", about = text::edit_about(), override_usage = text::edit_usage(),
        after_help = text::edit_examples())]
    Edit {
        #[arg(value_name = text_help::value_name(), add = completion::contexts(),
            help = text::name())]
        name: String,
    },
    #[command(alias = "cp", about = text::copy_about(), override_usage = text::copy_usage(),
        after_help = text::copy_examples())]
    Copy {
        #[arg(value_name = text::value_source(), add = completion::contexts(),
            help = text::copy_source())]
        source: String,
        #[arg(value_name = text_help::value_name(), help = text::copy_name())]
        name: String,
    },
    #[command(alias = "remove", about = text::rm_about(), override_usage = text::rm_usage(),
        after_help = text::rm_examples())]
    Rm {
        #[arg(value_name = text_help::value_name(), add = completion::contexts(),
            help = text::name())]
        name: String,
        #[arg(short, long, help = text::rm_force())]
        force: bool,
    },
    #[command(alias = "check", about = text::validate_about(),
        override_usage = text::validate_usage(), after_help = text::validate_examples())]
    Validate {
        #[arg(value_name = text_help::value_name(), add = completion::contexts(),
            help = text::validate_name())]
        name: Option<String>,
    },
}

/// Runs the command.
pub(crate) fn run(global: &Global, arguments: &Arguments) -> Result<(), Failure> {
    let folder = Folder::demand()?;
    let as_json = global.json;
    match &arguments.action {
        Action::Add(add) => add.run(&folder, global),
        Action::Ls => show::list(&folder, as_json),
        Action::Show { name } => show::one(&folder, name.as_deref(), global),
        Action::Select { name } => change::select(&folder, Some(name), as_json),
        Action::Unselect => change::select(&folder, None, as_json),
        Action::Previous => change::previous(&folder, as_json),
        Action::Edit { name } => change::edit(&folder, name, as_json),
        Action::Copy { source, name } => change::copy(&folder, source, name, as_json),
        Action::Rm { name, force } => change::remove(&folder, name, *force, as_json),
        Action::Validate { name } => show::validate(&folder, name.as_deref(), as_json),
    }
}
