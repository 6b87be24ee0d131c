//! What is said about the command line itself: headings of the help, and what is wrong with it.

super::texts! {
    heading_usage() { en: "Usage:", es: "Uso:" }
    heading_commands() { en: "Commands", es: "Órdenes" }
    heading_arguments() { en: "Arguments", es: "Argumentos" }
    heading_options() { en: "Options", es: "Opciones" }

    see_help() {
        en: "see recado --help, or recado COMMAND --help",
        es: "consulta recado --help, o recado ORDEN --help",
    }
    see_help_of(command: &str) {
        en: "see recado {command} --help",
        es: "consulta recado {command} --help",
    }
    did_you_mean(suggestion: &str) {
        en: "did you mean {suggestion}?",
        es: "¿quisiste decir {suggestion}?",
    }
    unknown_argument(argument: &str) {
        en: "unknown argument \"{argument}\"",
        es: "argumento desconocido: «{argument}»",
    }
    unknown_command(name: &str) {
        en: "unknown command \"{name}\"",
        es: "orden desconocida: «{name}»",
    }
    missing_argument(argument: &str) {
        en: "missing: {argument}",
        es: "falta: {argument}",
    }
    missing_value(argument: &str) {
        en: "{argument} needs a value",
        es: "{argument} necesita un valor",
    }
    value_not_among(value: &str, argument: &str, possible: &str) {
        en: "\"{value}\" is no value for {argument}; possible: {possible}",
        es: "«{value}» no es un valor para {argument}; posibles: {possible}",
    }
    bad_value(value: &str, argument: &str) {
        en: "\"{value}\" is no value for {argument}",
        es: "«{value}» no es un valor para {argument}",
    }
    bad_value_because(argument: &str, reason: &str) {
        en: "{argument}: {reason}",
        es: "{argument}: {reason}",
    }
    conflict(argument: &str, other: &str) {
        en: "{argument} and {other} can't be used together",
        es: "{argument} y {other} no se pueden usar a la vez",
    }
    not_utf8() {
        en: "an argument is not valid UTF-8",
        es: "un argumento no es UTF-8 válido",
    }
    bad_command_line() {
        en: "the command line makes no sense",
        es: "la línea de órdenes no tiene sentido",
    }

    bad_span(written: &str) {
        en: "\"{written}\" is no length of time; write 500ms, 2s, 1.5m, 1h or 7d",
        es: "«{written}» no es un tiempo; escribe 500ms, 2s, 1.5m, 1h o 7d",
    }
    bad_number(written: &str) {
        en: "\"{written}\" is no whole number from 1 up",
        es: "«{written}» no es un número entero desde 1",
    }
    bad_count(written: &str) {
        en: "\"{written}\" is no whole number from 0 up",
        es: "«{written}» no es un número entero desde 0",
    }
    bad_amount(written: &str) {
        en: "\"{written}\" is no number from 1 up; write 1000, 10k or 2.5M",
        es: "«{written}» no es un número desde 1; escribe 1000, 10k o 2.5M",
    }
    bad_size(written: &str) {
        en: "\"{written}\" is no size; write 128, 4KB or 1MiB",
        es: "«{written}» no es un tamaño; escribe 128, 4KB o 1MiB",
    }
    bad_header(written: &str) {
        en: "\"{written}\" is no header; write NAME:VALUE",
        es: "«{written}» no es un encabezado; escribe NOMBRE:VALOR",
    }
    bad_queue(written: &str) {
        en: "\"{written}\" is no name for a queue group: it must not be empty or hold blanks",
        es: "«{written}» no sirve como grupo de cola: no puede estar vacío ni tener espacios",
    }
    bad_url(written: &str) {
        en: "\"{written}\" is no server address",
        es: "«{written}» no es una dirección de servidor",
    }
    bad_url_next() {
        en: "write nats://HOST:PORT or tls://HOST:PORT; several are separated by commas",
        es: "escribe nats://HOST:PUERTO o tls://HOST:PUERTO; si son varias, separadas por comas",
    }

    websocket(address: &str) {
        en: "{address} is a WebSocket address, and Recado speaks NATS over plain TCP and TLS only",
        es: "{address} es una dirección WebSocket, y Recado solo habla NATS sobre TCP y TLS",
    }
    websocket_next() {
        en: "use the server's client port: nats://HOST:4222 or tls://HOST:4222",
        es: "usa el puerto de clientes del servidor: nats://HOST:4222 o tls://HOST:4222",
    }
    socks_proxy(address: &str, source: &str) {
        en: "{source} asks for the SOCKS proxy {address}, and Recado can't go through one; it does not go round it either",
        es: "{source} pide el proxy SOCKS {address}, y Recado no puede pasar por uno; tampoco lo rodea",
    }
    socks_proxy_next() {
        en: "make a tunnel (ssh -L 4222:SERVER:4222 HOST) and connect to its end, or take the proxy out",
        es: "haz un túnel (ssh -L 4222:SERVIDOR:4222 HOST) y conéctate a su extremo, o quita el proxy",
    }
    bad_inbox_prefix(detail: &str) {
        en: "the prefix of reply subjects: {detail}",
        es: "el prefijo de los asuntos de respuesta: {detail}",
    }
    bad_inbox_prefix_next() {
        en: "write words between dots, like _INBOX or my.inbox",
        es: "escribe palabras entre puntos, como _INBOX o mi.buzon",
    }

    subject_has_wildcard(written: &str) {
        en: "\"{written}\" has a wildcard; messages go to one subject, wildcards are for listening",
        es: "«{written}» tiene un comodín; los mensajes van a un solo asunto, los comodines son para escuchar",
    }
    subject_tail_inside(written: &str) {
        en: "\"{written}\": > stands for the rest of the subject and must be its last token",
        es: "«{written}»: > representa el resto del asunto y debe ser lo último",
    }
    subject_has_blank(written: &str) {
        en: "\"{written}\" has blanks; a subject is words between dots, like orders.new",
        es: "«{written}» tiene espacios; un asunto son palabras entre puntos, como pedidos.nuevo",
    }
    subject_has_empty_token(written: &str) {
        en: "\"{written}\" has an empty part; a subject is words between dots, like orders.new",
        es: "«{written}» tiene una parte vacía; un asunto son palabras entre puntos, como pedidos.nuevo",
    }
}
