//! What `recado login` and `recado logout` say.

super::texts! {
    about() {
        en: "Keep a token or password in a context, asked for without showing it",
        es: "Guardar un token o una contraseña en un contexto, preguntándolos sin mostrarlos",
    }
    usage() { en: "recado login [OPTIONS] [URL]", es: "recado login [OPCIONES] [URL]" }
    url() {
        en: "The server; without it, that of the context in effect [NATS_URL; nats://127.0.0.1:4222]",
        es: "El servidor; si falta, el del contexto en uso [NATS_URL; nats://127.0.0.1:4222]",
    }
    examples() {
        en: "The server is asked first: what it does not accept is not kept. The context gets the server's name, or that of\n--context; it is selected, and its file can be read by nobody else. Scripts give the secret with --token-file,\n--creds, --nkey or RECADO_TOKEN: then nothing is asked.\n\nExamples:\n  recado login nats://nats.example.org:4222\n  recado login --user ana --context prod\n  recado login tls://nats.example.org --creds ana.creds",
        es: "Antes se pregunta al servidor: lo que no acepta no se guarda. El contexto toma el nombre del servidor, o el de\n--context; queda elegido, y nadie más puede leer su archivo. Los programas dan el secreto con --token-file,\n--creds, --nkey o RECADO_TOKEN: entonces no se pregunta nada.\n\nEjemplos:\n  recado login nats://nats.example.org:4222\n  recado login --user ana --context prod\n  recado login tls://nats.example.org --creds ana.creds",
    }
    logout_about() {
        en: "Take the credentials out of a context",
        es: "Quitar las credenciales de un contexto",
    }
    logout_usage() { en: "recado logout [OPTIONS]", es: "recado logout [OPCIONES]" }
    logout_examples() {
        en: "Files that the context only names, like those of --creds, stay where they are.\n\nExamples:\n  recado logout\n  recado logout --context prod",
        es: "Los archivos que el contexto solo nombra, como los de --creds, se quedan donde están.\n\nEjemplos:\n  recado logout\n  recado logout --context prod",
    }

    ask_user(server: &str) {
        en: "User at {server} (nothing for a token):",
        es: "Usuario en {server} (nada si es un token):",
    }
    ask_token() { en: "Token (not shown):", es: "Token (no se muestra):" }
    ask_password(user: &str) {
        en: "Password of {user} (not shown):",
        es: "Contraseña de {user} (no se muestra):",
    }
    nothing_typed() {
        en: "nothing was typed, and nothing was kept",
        es: "no se escribió nada, y no se guardó nada",
    }
    nothing_typed_next() {
        en: "ask whoever runs the server for a token or a password",
        es: "pide un token o una contraseña a quien administra el servidor",
    }
    no_terminal() {
        en: "there is nobody to ask for the secret: this is no terminal",
        es: "no hay a quién preguntar el secreto: esto no es una terminal",
    }
    no_terminal_next() {
        en: "give it with --token-file FILE, --creds FILE, --nkey FILE or RECADO_TOKEN",
        es: "dalo con --token-file ARCHIVO, --creds ARCHIVO, --nkey ARCHIVO o RECADO_TOKEN",
    }
    secret_in_url() {
        en: "the address holds credentials, where other users can see them",
        es: "la dirección lleva credenciales, donde otros usuarios las pueden ver",
    }
    secret_in_url_next() {
        en: "leave out what stands before the @: login asks for it",
        es: "deja fuera lo que va antes de la @: login lo pregunta",
    }
    kept(server: &str, name: &str, path: &str) {
        en: "{server} accepted it. It is kept in the context {name}, now selected: {path}",
        es: "{server} lo aceptó. Queda guardado en el contexto {name}, ahora elegido: {path}",
    }
    forgotten(name: &str) {
        en: "the context {name} holds no credentials any more",
        es: "el contexto {name} ya no tiene credenciales",
    }
    nothing_to_forget(name: &str) {
        en: "the context {name} held no credentials",
        es: "el contexto {name} no tenía credenciales",
    }
    logout_which() {
        en: "name one: recado logout --context NAME",
        es: "indica uno: recado logout --context NOMBRE",
    }
}
