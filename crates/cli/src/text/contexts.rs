//! What is said about contexts: the files of the `nats` CLI that name ways to connect.

super::texts! {
    unknown(name: &str) {
        en: "there is no context \"{name}\"",
        es: "no hay ningún contexto «{name}»",
    }
    unknown_next() {
        en: "see which there are with: recado context ls",
        es: "mira cuáles hay con: recado context ls",
    }
    selected_is_gone(name: &str) {
        en: "the selected context \"{name}\" does not exist any more",
        es: "el contexto elegido «{name}» ya no existe",
    }
    selected_is_gone_next() {
        en: "select another (recado context ls, recado context select NAME) or none (recado context unselect)",
        es: "elige otro (recado context ls, recado context select NOMBRE) o ninguno (recado context unselect)",
    }
    bad_name(name: &str) {
        en: "\"{name}\" is no name for a context",
        es: "«{name}» no sirve como nombre de un contexto",
    }
    bad_name_next() {
        en: "a name becomes a file's name: without /, \\ and ..",
        es: "el nombre será el de un archivo: sin /, \\ ni ..",
    }
    no_home() {
        en: "there is no place for contexts: neither XDG_CONFIG_HOME nor HOME is set",
        es: "no hay dónde guardar contextos: no están definidas XDG_CONFIG_HOME ni HOME",
    }
    no_home_next() {
        en: "set HOME, or XDG_CONFIG_HOME to a folder of yours",
        es: "define HOME, o XDG_CONFIG_HOME con una carpeta tuya",
    }
    broken(path: &str, detail: &str) {
        en: "{path} is no proper context: {detail}",
        es: "{path} no es un contexto correcto: {detail}",
    }
    broken_next(name: &str) {
        en: "mend it with: recado context edit {name}\nor leave contexts out of it with --no-context",
        es: "corrígelo con: recado context edit {name}\no prescinde de contextos con --no-context",
    }
    too_large() {
        en: "it is larger than 1 MiB",
        es: "ocupa más de 1 MiB",
    }
    no_object() {
        en: "it must be one JSON object",
        es: "debe ser un solo objeto JSON",
    }
    no_text(key: &str) {
        en: "\"{key}\" must be a text in quotes",
        es: "«{key}» debe ser un texto entre comillas",
    }
    no_flag(key: &str) {
        en: "\"{key}\" must be true or false",
        es: "«{key}» debe ser true o false",
    }
    unwritable(path: &str, detail: &str) {
        en: "can't write {path}: {detail}",
        es: "no se puede escribir {path}: {detail}",
    }
    unwritable_next() {
        en: "check the folder's permissions and the room on the disk; nothing was changed",
        es: "revisa los permisos de la carpeta y el espacio en el disco; no se cambió nada",
    }
    astray(name: &str, server: &str) {
        en: "The credentials of the selected context {name} go to {server}, which it does not name; --no-context keeps them.",
        es: "Las credenciales del contexto elegido {name} van a {server}, que no es el suyo; --no-context las retiene.",
    }

    about() {
        en: "Keep named ways to connect, shared with the nats CLI (also: ctx)",
        es: "Guardar con nombre formas de conectarse, compartidas con la herramienta nats (también: ctx)",
    }
    usage() { en: "recado context COMMAND …", es: "recado context ORDEN …" }
    examples() {
        en: "A context is a file: ~/.config/nats/context/NAME.json. Flags count before variables, and these before the context.\n\nExamples:\n  recado context add home --server nats://127.0.0.1:4222 --select\n  recado context add prod --server tls://nats.example.org --creds ~/ana.creds\n  recado context ls\n  recado --context prod ping",
        es: "Un contexto es un archivo: ~/.config/nats/context/NOMBRE.json. Las opciones cuentan antes que las variables, y estas antes que el contexto.\n\nEjemplos:\n  recado context add casa --server nats://127.0.0.1:4222 --select\n  recado context add prod --server tls://nats.example.org --creds ~/ana.creds\n  recado context ls\n  recado --context prod ping",
    }
    name() { en: "The context's name", es: "El nombre del contexto" }
    value_source() { en: "SOURCE", es: "ORIGEN" }

    add_about() {
        en: "Make a context from the options for connecting, or change one",
        es: "Crear un contexto con las opciones de conexión, o cambiar uno",
    }
    add_usage() {
        en: "recado context add [OPTIONS] NAME",
        es: "recado context add [OPCIONES] NOMBRE",
    }
    add_name() {
        en: "Its name; of one that exists, only what is given changes",
        es: "Su nombre; si ya existe, solo cambia lo que se indica",
    }
    add_description() { en: "What it is for", es: "Para qué sirve" }
    add_select() { en: "Select it too", es: "Elegirlo además" }
    add_examples() {
        en: "To keep a token or password without writing it on a command line, use recado login.\n\nExamples:\n  recado context add home --server nats://127.0.0.1:4222 --select\n  recado context add prod --server tls://a,tls://b --creds ana.creds -d 'the real one'\n  recado context add lab --server nats://lab:4222 --token-file lab.token",
        es: "Para guardar un token o una contraseña sin escribirlos en una línea de órdenes, usa recado login.\n\nEjemplos:\n  recado context add casa --server nats://127.0.0.1:4222 --select\n  recado context add prod --server tls://a,tls://b --creds ana.creds -d 'el de verdad'\n  recado context add lab --server nats://lab:4222 --token-file lab.token",
    }
    ls_about() {
        en: "List the contexts; * marks the selected one",
        es: "Listar los contextos; * marca el elegido",
    }
    ls_usage() { en: "recado context ls", es: "recado context ls" }
    ls_examples() {
        en: "Examples:\n  recado context ls\n  recado context ls --json",
        es: "Ejemplos:\n  recado context ls\n  recado context ls --json",
    }
    show_about() {
        en: "Show a context, without its secrets",
        es: "Mostrar un contexto, sin sus secretos",
    }
    show_usage() {
        en: "recado context show [NAME]",
        es: "recado context show [NOMBRE]",
    }
    show_name() {
        en: "The context; without it, the one in effect",
        es: "El contexto; si falta, el que está en uso",
    }
    show_examples() {
        en: "Examples:\n  recado context show\n  recado context show prod --json",
        es: "Ejemplos:\n  recado context show\n  recado context show prod --json",
    }
    select_about() {
        en: "Use this context from now on",
        es: "Usar este contexto de aquí en adelante",
    }
    select_usage() {
        en: "recado context select NAME",
        es: "recado context select NOMBRE",
    }
    select_examples() {
        en: "Examples:\n  recado context select prod",
        es: "Ejemplos:\n  recado context select prod",
    }
    unselect_about() {
        en: "Use no context from now on",
        es: "No usar ningún contexto de aquí en adelante",
    }
    unselect_usage() { en: "recado context unselect", es: "recado context unselect" }
    unselect_examples() {
        en: "Examples:\n  recado context unselect",
        es: "Ejemplos:\n  recado context unselect",
    }
    previous_about() {
        en: "Go back to the context that was selected before",
        es: "Volver al contexto que estaba elegido antes",
    }
    previous_usage() { en: "recado context previous", es: "recado context previous" }
    previous_examples() {
        en: "Examples:\n  recado context previous",
        es: "Ejemplos:\n  recado context previous",
    }
    edit_about() {
        en: "Edit a context's file in VISUAL or EDITOR; what is wrong is not saved",
        es: "Editar el archivo de un contexto con VISUAL o EDITOR; lo incorrecto no se guarda",
    }
    edit_usage() {
        en: "recado context edit NAME",
        es: "recado context edit NOMBRE",
    }
    edit_examples() {
        en: "Examples:\n  recado context edit prod\n  EDITOR=nano recado context edit prod",
        es: "Ejemplos:\n  recado context edit prod\n  EDITOR=nano recado context edit prod",
    }
    copy_about() {
        en: "Copy a context under a new name",
        es: "Copiar un contexto con otro nombre",
    }
    copy_usage() {
        en: "recado context copy SOURCE NAME",
        es: "recado context copy ORIGEN NOMBRE",
    }
    copy_source() { en: "The context to copy", es: "El contexto que se copia" }
    copy_name() { en: "The new name", es: "El nombre nuevo" }
    copy_examples() {
        en: "Examples:\n  recado context copy prod test\n  recado context add test --server nats://127.0.0.1:4222",
        es: "Ejemplos:\n  recado context copy prod prueba\n  recado context add prueba --server nats://127.0.0.1:4222",
    }
    rm_about() { en: "Remove a context", es: "Quitar un contexto" }
    rm_usage() {
        en: "recado context rm [OPTIONS] NAME",
        es: "recado context rm [OPCIONES] NOMBRE",
    }
    rm_force() {
        en: "Even if it is the selected one",
        es: "Aunque sea el elegido",
    }
    rm_examples() {
        en: "Examples:\n  recado context rm test\n  recado context rm prod --force",
        es: "Ejemplos:\n  recado context rm prueba\n  recado context rm prod --force",
    }
    validate_about() {
        en: "Check contexts, and the files that they name, without connecting",
        es: "Comprobar contextos, y los archivos que indican, sin conectarse",
    }
    validate_usage() {
        en: "recado context validate [NAME]",
        es: "recado context validate [NOMBRE]",
    }
    validate_name() {
        en: "The context; without it, all of them",
        es: "El contexto; si falta, todos",
    }
    validate_examples() {
        en: "Examples:\n  recado context validate\n  recado --context prod ping --count 1",
        es: "Ejemplos:\n  recado context validate\n  recado --context prod ping --count 1",
    }

    none_yet() {
        en: "There are no contexts yet. Make one: recado context add NAME --server URL",
        es: "Todavía no hay contextos. Crea uno: recado context add NOMBRE --server URL",
    }
    none_selected() {
        en: "no context is selected",
        es: "no hay ningún contexto elegido",
    }
    none_selected_next() {
        en: "name one: recado context show NAME; see which there are with: recado context ls",
        es: "indica uno: recado context show NOMBRE; mira cuáles hay con: recado context ls",
    }
    no_previous() {
        en: "no other context was selected before",
        es: "antes no hubo otro contexto elegido",
    }
    mark_selected() { en: " (selected)", es: " (elegido)" }
    is_broken(what: &str) { en: "broken: {what}", es: "con errores: {what}" }
    in_order(name: &str) { en: "{name}: in order", es: "{name}: en orden" }
    not_in_order(name: &str, what: &str) { en: "{name}: {what}", es: "{name}: {what}" }
    some_are_bad(names: &str) {
        en: "not in order: {names}",
        es: "con errores: {names}",
    }
    some_are_bad_next() {
        en: "mend them with: recado context edit NAME",
        es: "corrígelos con: recado context edit NOMBRE",
    }
    saved(name: &str, path: &str) {
        en: "saved the context {name}: {path}",
        es: "se guardó el contexto {name}: {path}",
    }
    saved_next(name: &str) {
        en: "Use it with --context {name}, or always: recado context select {name}",
        es: "Úsalo con --context {name}, o siempre: recado context select {name}",
    }
    unchanged(name: &str) {
        en: "the context {name} was not changed",
        es: "el contexto {name} no cambió",
    }
    selected(name: &str) {
        en: "the context {name} is selected",
        es: "el contexto {name} queda elegido",
    }
    unselected() {
        en: "no context is selected any more",
        es: "ya no hay ningún contexto elegido",
    }
    removed(name: &str) {
        en: "removed the context {name}",
        es: "se quitó el contexto {name}",
    }
    exists(name: &str) {
        en: "there is a context \"{name}\" already",
        es: "ya hay un contexto «{name}»",
    }
    exists_next(name: &str) {
        en: "take another name, or remove it first: recado context rm {name}",
        es: "toma otro nombre, o quítalo antes: recado context rm {name}",
    }
    is_selected(name: &str) {
        en: "\"{name}\" is the selected context",
        es: "«{name}» es el contexto elegido",
    }
    is_selected_next() {
        en: "select another one first, or add --force",
        es: "elige antes otro, o añade --force",
    }
    no_editor() {
        en: "no editor is known: neither VISUAL nor EDITOR is set, and this is no terminal",
        es: "no se sabe qué editor usar: no están definidas VISUAL ni EDITOR, y esto no es una terminal",
    }
    no_editor_next(path: &str) {
        en: "set EDITOR, or change the file itself: {path}",
        es: "define EDITOR, o cambia el propio archivo: {path}",
    }
    editor_failed(editor: &str, detail: &str) {
        en: "the editor ({editor}) did not end well: {detail}",
        es: "el editor ({editor}) no terminó bien: {detail}",
    }
    editor_failed_next() {
        en: "check VISUAL or EDITOR; the context was not changed",
        es: "revisa VISUAL o EDITOR; el contexto no cambió",
    }
    draft_kept(path: &str) {
        en: "Not saved. What you wrote is in {path}",
        es: "No se guardó. Lo que escribiste está en {path}",
    }
}
