//! What `recado errors` says around the explanations, which stand in [`super::explained`].

super::texts! {
    about() {
        en: "Errors of a server explained: why one comes, and what to do then",
        es: "Los errores de un servidor, explicados: por qué llega uno y qué hacer",
    }
    usage() { en: "recado errors [OPTIONS] COMMAND …", es: "recado errors [OPCIONES] ORDEN …" }
    examples() {
        en: "No server is asked. The same in one page: docs/errors.md.\n\nExamples:\n  recado errors lookup 10059\n  recado errors lookup 'nats: wrong last sequence: 17'\n  recado errors list consumer",
        es: "No se pregunta a ningún servidor. Lo mismo en una página: docs/es/errores.md.\n\nEjemplos:\n  recado errors lookup 10059\n  recado errors lookup 'nats: wrong last sequence: 17'\n  recado errors list consumer",
    }
    lookup_about() {
        en: "Explain an error: by its number, its code, or any part of its text",
        es: "Explicar un error: por su número, su código o cualquier parte de su texto",
    }
    lookup_usage() {
        en: "recado errors lookup [OPTIONS] CODE|TEXT …",
        es: "recado errors lookup [OPCIONES] CÓDIGO|TEXTO …",
    }
    lookup_examples() {
        en: "A whole line will do, as a program printed it. Exit status 19 if no error is like that.\n\nExamples:\n  recado errors lookup 10059\n  recado errors lookup 409 consumer deleted\n  recado errors lookup \"-ERR 'Stale Connection'\"\n  recado errors lookup 'nats: stream not found (10059)' --json",
        es: "Vale una línea entera, tal como la mostró un programa. Código de salida 19 si no hay ningún error así.\n\nEjemplos:\n  recado errors lookup 10059\n  recado errors lookup 409 consumer deleted\n  recado errors lookup \"-ERR 'Stale Connection'\"\n  recado errors lookup 'nats: stream not found (10059)' --json",
    }
    list_about() {
        en: "List all errors, or those that a text or code fits",
        es: "Listar todos los errores, o aquellos que encajan con un texto o código",
    }
    list_usage() {
        en: "recado errors list [OPTIONS] [CODE|TEXT …]",
        es: "recado errors list [OPCIONES] [CÓDIGO|TEXTO …]",
    }
    list_examples() {
        en: "With --json one object a line, explanations included.\n\nExamples:\n  recado errors list\n  recado errors list mirror\n  recado errors list ttl --json\n  recado errors list --markdown > errors.md",
        es: "Con --json, un objeto por línea, con las explicaciones.\n\nEjemplos:\n  recado errors list\n  recado errors list mirror\n  recado errors list ttl --json\n  recado errors list --markdown > errores.md",
    }
    value_asked() { en: "CODE|TEXT", es: "CÓDIGO|TEXTO" }
    asked() {
        en: "The number, the code, or what was printed; several words are one text",
        es: "El número, el código o lo que se mostró; varias palabras son un solo texto",
    }
    as_markdown() {
        en: "The page of all errors, as in docs/errors.md",
        es: "La página de todos los errores, como en docs/es/errores.md",
    }

    fact_code() { en: "code", es: "código" }
    fact_name() { en: "name", es: "nombre" }
    fact_says() { en: "also said as", es: "también dice" }
    fact_connection() { en: "connection", es: "conexión" }
    fact_server() { en: "server", es: "servidor" }
    code(number: u16) { en: "code {number}", es: "código {number}" }
    status() { en: "a status in a message's headers", es: "un estado en los encabezados de un mensaje" }
    closes() { en: "the server closes the connection", es: "el servidor cierra la conexión" }
    stays() { en: "the connection stays open", es: "la conexión sigue abierta" }
    elsewhere() {
        en: "only nats-server sends it, recado-server never",
        es: "solo lo envía nats-server, recado-server nunca",
    }
    cause() { en: "Why", es: "Por qué" }
    remedy() { en: "What to do", es: "Qué hacer" }
    others() { en: "Others that fit", es: "También encajan" }
    more(count: usize, asked: &str) {
        en: "and {count} more: recado errors list {asked}",
        es: "y {count} más: recado errors list {asked}",
    }
    column_error() { en: "ERROR", es: "ERROR" }
    column_code() { en: "CODE", es: "CÓDIGO" }
    column_text() { en: "TEXT", es: "TEXTO" }

    unknown(asked: &str) {
        en: "no error of a server is like \"{asked}\"",
        es: "ningún error de un servidor es como «{asked}»",
    }
    unknown_near(key: &str, title: &str, lookup: &str) {
        en: "did you mean {key} {title}? recado errors lookup {lookup}",
        es: "¿quisiste decir {key} {title}? recado errors lookup {lookup}",
    }
    unknown_next() {
        en: "recado errors list shows all that there are; a shorter part of the text finds more",
        es: "recado errors list muestra todos los que hay; con una parte más corta del texto se encuentra más",
    }
    explains(asked: &str) {
        en: "recado errors lookup {asked} explains it",
        es: "recado errors lookup {asked} lo explica",
    }

    /// Above the page of all errors.
    page_head() {
        en: "# Every error explained\n\nThe errors that a server tells its clients: why each comes, and what to do then. `recado errors lookup CODE|TEXT` shows\none of them, and finds it in a line that any program printed; `recado errors list --markdown` prints this page. What\n`recado` itself can say, with its exit statuses, is in [failures.md](failures.md). In Spanish: [es/errores.md](es/errores.md).\n\nNumbers, codes, names and texts are those of nats-server 2.15, which clients match; where recado-server never sends an\nerror, that is said with it.",
        es: "# Todos los errores, explicados\n\nLos errores que un servidor cuenta a sus clientes: por qué llega cada uno y qué hacer. `recado errors lookup\nCÓDIGO|TEXTO` muestra uno, y lo encuentra en una línea que haya mostrado cualquier programa; `recado errors list\n--markdown --lang es` muestra esta página. Lo que puede decir el propio `recado`, con sus códigos de salida, está en\n[fallos.md](fallos.md). En inglés: [../errors.md](../errors.md).\n\nNúmeros, códigos, nombres y textos son los de nats-server 2.15, que los clientes comparan; donde recado-server no envía\nnunca un error, se dice con él.",
    }
    page_says() { en: "Seen as:", es: "Se ve como:" }
    page_cause() { en: "Why.", es: "Por qué." }
    page_remedy() { en: "What to do.", es: "Qué hacer." }
}
