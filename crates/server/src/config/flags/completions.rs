//! `completions SHELL`: the script by which a shell completes the server's command lines.
//!
//! It is made from the text of `--help`, so that a flag that is explained is completed, and the other
//! way round; the language is the help's.

/// The shells there is a script for.
pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What stands in the place of a flag.
pub(super) const WORDS: [&str; 8] = [
    "init",
    "explain-config",
    "token",
    "verify",
    "completions",
    "man",
    "help",
    "version",
];

/// A flag as the help has it.
#[derive(Debug, PartialEq, Eq)]
struct Explained<'a> {
    /// With its dashes.
    name: &'a str,
    takes_value: bool,
    words: &'a str,
}

/// The script for a shell, if there is one.
pub(super) fn script(shell: &str, program: &str, help: &str) -> Option<String> {
    let flags = explained(help);
    match shell {
        "bash" => Some(bash(program, &flags)),
        "zsh" => Some(zsh(program, &flags)),
        "fish" => Some(fish(program, &flags)),
        _ => None,
    }
}

/// The flags in the lines of a help: names, perhaps a value, two blanks or more, what it does.
fn explained(help: &str) -> Vec<Explained<'_>> {
    let lines = help.lines().filter(|line| line.starts_with(' '));
    let rows = lines.map(str::trim).filter(|line| line.starts_with('-'));
    let mut found = Vec::new();
    for (spelled, words) in rows.filter_map(|row| row.split_once("  ")) {
        let parts: Vec<&str> = spelled.split_whitespace().collect();
        for (at, part) in parts.iter().enumerate() {
            let name = part.trim_end_matches(',').split(['=', '[']).next();
            let Some(name) = name.filter(|name| name.starts_with('-')) else {
                continue;
            };
            // All names of a flag share the value behind the last of them.
            let mut rest = parts[at..].iter();
            let last = rest.find(|part| !part.ends_with(','));
            let takes_value = last.is_some_and(|part| part.contains('='))
                || rest.next().is_some_and(|next| !next.starts_with('-'));
            found.push(Explained {
                name,
                takes_value,
                words: words.trim(),
            });
        }
    }
    found
}

fn bash(program: &str, flags: &[Explained<'_>]) -> String {
    let names: Vec<&str> = flags.iter().map(|flag| flag.name).collect();
    let function = program.replace('-', "_");
    format!(
        "_{function}() {{\n\
         \x20   local typed=\"${{COMP_WORDS[COMP_CWORD]}}\"\n\
         \x20   if [[ $typed == -* ]]; then\n\
         \x20       COMPREPLY=( $(compgen -W \"{}\" -- \"$typed\") )\n\
         \x20   elif [[ $COMP_CWORD == 1 ]]; then\n\
         \x20       COMPREPLY=( $(compgen -W \"{}\" -- \"$typed\") )\n\
         \x20   else\n\
         \x20       COMPREPLY=( $(compgen -f -- \"$typed\") )\n\
         \x20   fi\n\
         }}\n\
         complete -o filenames -F _{function} {program}\n",
        names.join(" "),
        WORDS.join(" "),
    )
}

fn zsh(program: &str, flags: &[Explained<'_>]) -> String {
    let mut script = format!("#compdef {program}\n_arguments -S \\\n");
    for flag in flags {
        let words = flag.words.replace('\'', "'\\''").replace(['[', ']'], "");
        let words = words.replace(':', "\\:");
        let value = if flag.takes_value { ": :_files" } else { "" };
        script.push_str(&format!("  '{}[{words}]{value}' \\\n", flag.name));
    }
    script.push_str(&format!("  '1: :({})' '*: :_files'\n", WORDS.join(" ")));
    script
}

fn fish(program: &str, flags: &[Explained<'_>]) -> String {
    let mut script = format!(
        "complete -c {program} -n __fish_use_subcommand -f -a '{}'\n",
        WORDS.join(" ")
    );
    for flag in flags {
        let kind = match flag.name.strip_prefix("--") {
            Some(long) => format!("-l {long}"),
            None => match flag.name.trim_start_matches('-') {
                short if short.len() == 1 => format!("-s {short}"),
                old => format!("-o {old}"),
            },
        };
        let words = flag.words.replace('\\', "\\\\").replace('\'', "\\'");
        let value = if flag.takes_value { " -r" } else { "" };
        script.push_str(&format!(
            "complete -c {program} {kind}{value} -d '{words}'\n"
        ));
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::flags::table::names;
    use crate::config::messages::help;
    use crate::config::{Lang, Personality};

    #[test]
    fn flags_are_read_out_of_a_help_with_all_their_names() {
        let flag = |name, takes_value, words| Explained {
            name,
            takes_value,
            words,
        };
        let help = "Who\n  -a, --addr HOST     Where\n      --user N --pass P  Who\n  -T, --time=BOOL  When\n  -D, --debug    More\n";
        assert_eq!(
            explained(help),
            [
                flag("-a", true, "Where"),
                flag("--addr", true, "Where"),
                flag("--user", true, "Who"),
                flag("--pass", true, "Who"),
                flag("-T", true, "When"),
                flag("--time", true, "When"),
                flag("-D", false, "More"),
                flag("--debug", false, "More"),
            ]
        );
    }

    #[test]
    fn every_flag_of_the_help_is_one_of_the_table_and_every_shell_knows_it() {
        for lang in [Lang::En, Lang::Es] {
            let help = help(Personality::Recado, lang);
            let flags = explained(&help);
            assert!(flags.len() > 30, "{flags:?}");
            for flag in &flags {
                let bare = flag.name.trim_start_matches('-');
                assert!(
                    bare.len() <= 3 || names().any(|name| name == bare),
                    "{bare}"
                );
            }
            for shell in SHELLS {
                let script = script(shell, "recado-server", &help).unwrap();
                for name in ["token-file", "store_dir", "verify", "completions"] {
                    assert!(script.contains(name), "{name} for {shell}:\n{script}");
                }
            }
        }
        assert_eq!(script("tcsh", "recado-server", ""), None);
    }
}
