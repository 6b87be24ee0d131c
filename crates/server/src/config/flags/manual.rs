//! `man [DIR]`: the manual pages (man(7)), made of the text of `--help` and what the catalogue adds to it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::arguments::{Flaglike, read_flag};
use crate::config::fault::Fault;
use crate::config::locale::Lang;
use crate::config::messages::{FlagProblem, Headings, file_page, headings, help, program_page};
use crate::config::options::Personality;
use crate::version::VERSION;

/// Where the pages go, and in which language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manual {
    /// A directory of manuals; `None`: the program's page to standard output.
    pub directory: Option<PathBuf>,
    /// Language of the pages.
    pub lang: Lang,
}

/// Reads what follows the word.
pub(super) fn read(words: &[OsString], lang: Lang) -> Result<Manual, Box<Fault>> {
    let directory = match words {
        [] => None,
        [word] if matches!(read_flag(word), Flaglike::Word) && !word.is_empty() => {
            Some(PathBuf::from(word))
        }
        _ => return Err(Box::new(Fault::anywhere(FlagProblem::ManualDirectory))),
    };
    Ok(Manual { directory, lang })
}

impl Manual {
    /// The program's page.
    pub fn page(&self) -> String {
        program(self.lang)
    }

    /// Writes the pages below the directory, and returns where they are.
    pub fn write(&self, directory: &Path) -> Result<Vec<PathBuf>, Box<Fault>> {
        let of_language = match self.lang {
            Lang::En => directory.to_owned(),
            Lang::Es => directory.join("es"),
        };
        let pages = [
            ("man8", "recado-server.8", program(self.lang)),
            ("man5", "recado-server.conf.5", file(self.lang)),
        ];
        let mut written = Vec::new();
        for (section, name, source) in pages {
            let path = of_language.join(section).join(name);
            std::fs::create_dir_all(of_language.join(section))
                .and_then(|()| std::fs::write(&path, source))
                .map_err(|error| {
                    Box::new(Fault::anywhere(FlagProblem::FileFailed {
                        path: path.display().to_string(),
                        error: error.to_string(),
                    }))
                })?;
            written.push(path);
        }
        Ok(written)
    }
}

fn program(lang: Lang) -> String {
    let words = headings(lang);
    let help = help(Personality::Recado, lang);
    let mut page = Roff::new("recado-server", 8, words.program_is, &words);
    let (usage, rest) = help.split_once("\n\n").unwrap_or((&help, ""));
    page.section(words.synopsis);
    for line in usage.lines() {
        let line = line.trim();
        let synopsis = line.find("recado-server").map_or(line, |at| &line[at..]);
        page.bold_line(synopsis);
    }
    page.section(words.description);
    page.text(rest, &words);
    page.text(program_page(lang), &words);
    page.source
}

fn file(lang: Lang) -> String {
    let words = headings(lang);
    let mut page = Roff::new("recado-server.conf", 5, words.file_is, &words);
    page.section(words.description);
    page.text(file_page(lang), &words);
    page.source
}

/// The source of a page, as it grows.
struct Roff {
    source: String,
}

impl Roff {
    fn new(name: &str, section: u8, what: &str, words: &Headings) -> Self {
        let mut page = Self {
            source: String::new(),
        };
        page.request(&format!(
            ".TH \"{}\" {section} \"\" \"recado {VERSION}\" \"{}\"",
            escape(&name.to_uppercase()),
            escape(words.manual)
        ));
        page.section(words.name);
        page.request(&format!("{} \\- {}", escape(name), escape(what)));
        page
    }

    fn request(&mut self, line: &str) {
        self.source.push_str(line);
        self.source.push('\n');
    }

    fn section(&mut self, heading: &str) {
        self.request(&format!(".SH \"{}\"", escape(&heading.to_uppercase())));
    }

    fn bold_line(&mut self, line: &str) {
        self.request(&format!("\\fB{}\\fR", escape(line)));
        self.request(".br");
    }

    /// Text as the help has it: headings, rows and paragraphs.
    fn text(&mut self, text: &str, words: &Headings) {
        let mut lines = text.lines().peekable();
        let mut in_rows = false;
        while let Some(line) = lines.next() {
            let next_is_row = lines.peek().is_some_and(|next| next.starts_with("  "));
            if line.is_empty() {
                // Rows that follow without a heading, and a paragraph that follows rows, have one of ours.
                match lines.peek().copied() {
                    Some(next) if in_rows && next.starts_with("  ") => self.section(words.other),
                    Some(next) if is_heading(next) || heads(&lines) => {}
                    Some(_) if in_rows => self.section(words.commands),
                    Some(_) => self.request(".PP"),
                    None => {}
                }
                continue;
            }
            if let Some(verbatim) = line.strip_prefix('\t') {
                self.request(".nf");
                self.request(&format!(".RS 4\n{}\n.RE", escape(verbatim)));
                self.request(".fi");
            } else if line.starts_with("  ") {
                self.row(line.trim());
                in_rows = true;
            } else if is_heading(line) || next_is_row {
                self.section(line);
                in_rows = false;
            } else {
                self.request(&escape(line));
                in_rows = false;
            }
        }
    }

    /// A term with its words, or more words for the term before.
    fn row(&mut self, row: &str) {
        match row.split_once("  ") {
            Some((term, words)) => {
                self.request(".TP");
                self.request(&format!("\\fB{}\\fR", escape(term)));
                self.request(&escape(words.trim()));
            }
            None => self.request(&escape(row)),
        }
    }
}

/// Whether what comes next is a heading: the line after it is a row.
fn heads<'a>(lines: &(impl Iterator<Item = &'a str> + Clone)) -> bool {
    lines
        .clone()
        .nth(1)
        .is_some_and(|line| line.starts_with("  "))
}

/// Headings of the catalogue are in capitals.
fn is_heading(line: &str) -> bool {
    line.chars().any(char::is_alphabetic) && !line.chars().any(char::is_lowercase)
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
    use crate::config::flags::table::names;

    #[test]
    fn the_page_of_the_program_explains_every_flag_and_command_in_both_languages() {
        for lang in [Lang::En, Lang::Es] {
            let manual = Manual {
                directory: None,
                lang,
            };
            let page = manual.page();
            let help = help(Personality::Recado, lang);
            for name in names().filter(|name| help.contains(&format!("--{name}"))) {
                let name = escape(&format!("--{name}"));
                assert!(page.contains(&name), "{name}");
            }
            for word in ["token new", "verify", "completions", "SIGUSR2"] {
                assert!(page.contains(word), "{word}");
            }
            // Every line that begins with a dot is a request that there is.
            for line in page.lines().filter(|line| line.starts_with('.')) {
                let request = line.split(' ').next().unwrap();
                let known = [
                    ".TH", ".SH", ".PP", ".TP", ".br", ".nf", ".fi", ".RS", ".RE",
                ];
                assert!(known.contains(&request), "{line}");
            }
        }
    }

    #[test]
    fn the_pages_are_written_where_man_looks_for_them() {
        let directory = tempfile::tempdir().unwrap();
        for (lang, place) in [(Lang::En, ""), (Lang::Es, "es/")] {
            let manual = Manual {
                directory: Some(directory.path().to_owned()),
                lang,
            };
            manual.write(directory.path()).unwrap();
            for page in ["man8/recado-server.8", "man5/recado-server.conf.5"] {
                let path = directory.path().join(format!("{place}{page}"));
                let text = std::fs::read_to_string(path).unwrap();
                assert!(text.starts_with(".TH \"RECADO\\-SERVER"), "{text}");
            }
        }
    }

    #[test]
    fn rows_paragraphs_and_headings_are_told_apart() {
        let mut page = Roff {
            source: String::new(),
        };
        let text = "First.\n\nWho\n  -a X  One\n        more\n\n  -b  Two\n\nlast words\n";
        page.text(text, &headings(Lang::En));
        assert_eq!(
            page.source,
            "First.\n.SH \"WHO\"\n.TP\n\\fB\\-a X\\fR\nOne\nmore\n.SH \"OTHER OPTIONS\"\n\
             .TP\n\\fB\\-b\\fR\nTwo\n.SH \"COMMANDS\"\nlast words\n"
        );
    }
}
