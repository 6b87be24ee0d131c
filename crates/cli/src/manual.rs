//! The manual pages (man(7)), made of the same texts as the help.

use clap::{Arg, Command};

use crate::text::completions as text;

/// One page.
pub(crate) struct Page {
    /// `recado-context-add`.
    pub(crate) name: String,
    /// What man(1) formats.
    pub(crate) source: String,
}

/// The pages of a command and of all below it. `path` is how it is called: `recado context`.
pub(crate) fn pages(command: &Command, path: &str) -> Vec<Page> {
    let mut pages = vec![Page {
        name: path.replace(' ', "-"),
        source: page(command, path),
    }];
    for below in command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
    {
        pages.extend(pages_below(below, path));
    }
    pages
}

fn pages_below(command: &Command, path: &str) -> Vec<Page> {
    pages(command, &format!("{path} {}", command.get_name()))
}

fn page(command: &Command, path: &str) -> String {
    let name = path.replace(' ', "-");
    let version = env!("CARGO_PKG_VERSION");
    let mut page = Roff::default();
    page.request(&format!(
        ".TH \"{}\" 1 \"\" \"recado {version}\" \"{}\"",
        escape(&name.to_uppercase()),
        escape(text::manual())
    ));
    page.section(text::section_name());
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    page.line(&format!("{name} - {about}"));
    page.section(text::section_synopsis());
    let usage = command.clone().render_usage().to_string();
    // "Usage: " in whatever language the parser speaks; the catalogue's own line follows it.
    let usage = usage
        .find("recado")
        .map_or(usage.as_str(), |at| &usage[at..]);
    page.line(usage.trim());
    commands(&mut page, command, path);
    options(&mut page, command);
    if let Some(more) = command.get_after_help() {
        page.section(text::section_more());
        page.verbatim(&more.to_string());
    }
    if path != "recado" {
        page.section(text::section_see_also());
        page.line("recado(1)");
    }
    page.0
}

fn commands(page: &mut Roff, command: &Command, path: &str) {
    let mut below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set())
        .peekable();
    if below.peek().is_none() {
        return;
    }
    page.section(&crate::text::usage::heading_commands().to_uppercase());
    for below in below {
        let name = format!("{path} {}", below.get_name()).replace(' ', "-");
        page.item(&format!("{name}(1)"));
        page.line(
            &below
                .get_about()
                .map(ToString::to_string)
                .unwrap_or_default(),
        );
    }
}

/// The arguments and options under their headings, in the order of the help.
fn options(page: &mut Roff, command: &Command) {
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set())
        .collect();
    let mut headings: Vec<&str> = Vec::new();
    for argument in &arguments {
        let heading = argument.get_help_heading().unwrap_or_default();
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        page.section(&heading.to_uppercase());
        let belongs = |arg: &&&Arg| arg.get_help_heading().unwrap_or_default() == heading;
        for argument in arguments.iter().filter(belongs) {
            page.item(&spelled(argument));
            page.line(
                &argument
                    .get_help()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            );
        }
    }
}

/// `-s, --server URL`.
fn spelled(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let values = if argument.get_action().takes_values() {
        values
    } else {
        &[]
    };
    let values: Vec<&str> = values.iter().map(|name| name.as_str()).collect();
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let spelled = [names.join(", "), values.join(" ")];
    spelled.join(" ").trim().to_owned()
}

/// The source of a page, as it grows.
#[derive(Default)]
struct Roff(String);

impl Roff {
    fn request(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn section(&mut self, heading: &str) {
        self.request(&format!(".SH \"{}\"", escape(heading)));
    }

    fn item(&mut self, words: &str) {
        self.request(".TP");
        self.request(&format!("\\fB{}\\fR", escape(words)));
    }

    fn line(&mut self, words: &str) {
        for line in words.lines() {
            self.request(&escape(line));
        }
    }

    fn verbatim(&mut self, words: &str) {
        self.request(".nf");
        self.line(words);
        self.request(".fi");
    }
}

/// Text that man(1) shows as it is.
fn escape(words: &str) -> String {
    let escaped = words
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq");
    match escaped.starts_with(['.', '\'']) {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_become_a_request() {
        assert_eq!(escape(".SH x"), "\\&.SH x");
        assert_eq!(escape("a\\b --c \"d\""), "a\\eb \\-\\-c \\(dqd\\(dq");
    }
}
