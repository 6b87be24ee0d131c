//! What `recado completions` and `recado man` say.

super::texts! {
    about() {
        en: "Print the script by which a shell completes recado's command lines",
        es: "Mostrar el guion con que una shell completa las líneas de órdenes de recado",
    }
    usage() { en: "recado completions SHELL", es: "recado completions SHELL" }
    value_shell() { en: "SHELL", es: "SHELL" }
    shell() {
        en: "bash, elvish, fish, powershell or zsh",
        es: "bash, elvish, fish, powershell o zsh",
    }
    examples() {
        en: "Options, commands and the names of contexts are completed, in the language of the terminal.\n\nExamples:\n  recado completions bash > ~/.local/share/bash-completion/completions/recado\n  recado completions fish > ~/.config/fish/completions/recado.fish\n  recado completions zsh > ~/.zfunc/_recado",
        es: "Se completan opciones, órdenes y nombres de contextos, en el idioma de la terminal.\n\nEjemplos:\n  recado completions bash > ~/.local/share/bash-completion/completions/recado\n  recado completions fish > ~/.config/fish/completions/recado.fish\n  recado completions zsh > ~/.zfunc/_recado",
    }
    unknown_shell(name: &str) {
        en: "there is no script for the shell \"{name}\"",
        es: "no hay guion para la shell «{name}»",
    }
    unknown_shell_next(names: &str) {
        en: "there is one for: {names}",
        es: "lo hay para: {names}",
    }

    man_about() {
        en: "Print the manual page, or write those of all commands to a folder",
        es: "Mostrar la página de manual, o escribir las de todas las órdenes en una carpeta",
    }
    man_usage() { en: "recado man [DIR]", es: "recado man [CARPETA]" }
    value_folder() { en: "DIR", es: "CARPETA" }
    man_folder() {
        en: "Where to write the pages, below man1 (es/man1 in Spanish)",
        es: "Dónde escribir las páginas, bajo es/man1 (man1 en inglés)",
    }
    man_examples() {
        en: "Examples:\n  recado man | man -l -\n  recado man ~/.local/share/man\n  recado man ~/.local/share/man --lang es",
        es: "Ejemplos:\n  recado man | man -l -\n  recado man ~/.local/share/man\n  recado man ~/.local/share/man --lang en",
    }
    man_written(pages: usize, folder: &str) {
        en: "{pages} pages in {folder}",
        es: "{pages} páginas en {folder}",
    }
    man_unwritable_next() {
        en: "name a folder of yours",
        es: "indica una carpeta tuya",
    }
    /// The headings of a manual page, as manuals have them.
    section_name() { en: "NAME", es: "NOMBRE" }
    section_synopsis() { en: "SYNOPSIS", es: "SINOPSIS" }
    section_more() { en: "MORE", es: "MÁS" }
    section_see_also() { en: "SEE ALSO", es: "VÉASE TAMBIÉN" }
    manual() { en: "Recado manual", es: "Manual de Recado" }
}
