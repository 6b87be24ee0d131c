//! What is said while something is waited for, and by `recado wait`.

super::texts! {
    waiting(cause: &str) {
        en: "Waiting: {cause}",
        es: "En espera: {cause}",
    }
    /// The same on a terminal, where the line renews itself; a narrow one cuts off its end.
    waiting_since(cause: &str, since: &str) {
        en: "Waiting {since}: {cause}",
        es: "En espera {since}: {cause}",
    }
    for_server(server: &str) {
        en: "for an answer from {server}",
        es: "a que {server} conteste",
    }
    connected(took: &str) {
        en: "Connected after {took}.",
        es: "Conectado tras {took}.",
    }
    gave_up(limit: &str) {
        en: "Gave up after {limit}.",
        es: "Se desistió tras {limit}.",
    }
    responder_missing(subject: &str) {
        en: "nobody answers on {subject} yet",
        es: "todavía nadie responde en {subject}",
    }
    service_missing(subject: &str) {
        en: "no service answers on {subject} yet (one that is no NATS service shows only with --probe)",
        es: "todavía ningún servicio responde en {subject} (si no es un servicio NATS, solo se ve con --probe)",
    }
    server_ready(server: &str, took: &str) {
        en: "{server} is ready, after {took}.",
        es: "{server} está listo, tras {took}.",
    }
    responder_ready(subjects: &str, server: &str, took: &str) {
        en: "Somebody answers on {subjects} at {server}, after {took}.",
        es: "Ya hay quien responde en {subjects}, servidor {server}, tras {took}.",
    }
    command_failed(program: &str, detail: &str) {
        en: "can't run {program}: {detail}",
        es: "no se puede ejecutar {program}: {detail}",
    }
    command_failed_next() {
        en: "check its name, that it is in PATH and that it may be executed",
        es: "revisa su nombre, que esté en PATH y que se pueda ejecutar",
    }

    about() {
        en: "Wait until a server answers or a responder is there, then run a command",
        es: "Esperar a que un servidor conteste o alguien responda, y ejecutar una orden",
    }
    usage() {
        en: "recado wait [OPTIONS] [-- COMMAND…]",
        es: "recado wait [OPCIONES] [-- ORDEN…]",
    }
    help_server_ready() {
        en: "Wait until the server lets us in and answers; what happens if nothing else is said",
        es: "Esperar a que el servidor deje entrar y conteste; es lo que pasa si no se dice otra cosa",
    }
    help_responder() {
        en: "Wait until a service answers on this subject; it is asked for its description, not made to work; may be repeated",
        es: "Esperar a que un servicio responda en este asunto; se le pide su descripción, no se le hace trabajar; se puede repetir",
    }
    help_probe() {
        en: "Find responders that are no services too: the first one gets an empty request with the header Recado-Probe: 1",
        es: "Encontrar también a quien responde sin ser un servicio: el primero recibe una petición vacía con el encabezado Recado-Probe: 1",
    }
    help_quiet() {
        en: "Say nothing when the wait is over",
        es: "No decir nada al terminar la espera",
    }
    help_command() {
        en: "What to become then: the same process, so signals reach it and its exit status counts",
        es: "En qué convertirse después: el mismo proceso, así que le llegan las señales y cuenta su código de salida",
    }
    examples() {
        en: "--timeout (or --deadline) limits the whole wait; without it, it has no end. The exit status is then that of\nthe cause: 5 nothing listens, 6 unknown name, 7 no answer, 3 no responder. What no waiting mends ends it\nat once: a wrong token, something else on that port.\n\nExamples:\n  recado wait\n  recado wait --timeout 30s -- ./migrate.sh\n  recado wait --responder orders.check --timeout 1m -- ./shop\n  recado wait --responder legacy.echo --probe -s nats://broker:4222",
        es: "--timeout (o --deadline) limita la espera entera; sin él, no tiene fin. El código de salida es entonces el de\nla causa: 5 no hay nada escuchando, 6 nombre desconocido, 7 sin respuesta, 3 nadie responde. Lo que esperando\nno se arregla la termina enseguida: un token equivocado, otra cosa en ese puerto.\n\nEjemplos:\n  recado wait\n  recado wait --timeout 30s -- ./migrar.sh\n  recado wait --responder pedidos.revisar --timeout 1m -- ./tienda\n  recado wait --responder viejo.eco --probe -s nats://broker:4222",
    }
}
