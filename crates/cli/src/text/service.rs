//! Words of `recado service`.

super::texts! {
    about() {
        en: "Find the services that answer, and what they have done",
        es: "Encontrar los servicios que responden y ver lo que han hecho",
    }
    usage() {
        en: "recado service [OPTIONS] <ls|info|stats|ping> [NAME [ID]]",
        es: "recado service [OPCIONES] <ls|info|stats|ping> [NOMBRE [ID]]",
    }
    examples() {
        en: "Examples:\n  recado service ls\n  recado service stats greet\n  recado service info recado --json\n  recado service ping greet --timeout 500ms\n\nEvery recado reply is a service, and so are the server's own answers (recado.echo, …) and those\nof the service libraries of NATS in any language.",
        es: "Ejemplos:\n  recado service ls\n  recado service stats saludo\n  recado service info recado --json\n  recado service ping saludo --timeout 500ms\n\nCada recado reply es un servicio, y también lo son las respuestas del propio servidor\n(recado.echo, …) y los servicios hechos con las bibliotecas de NATS en cualquier lenguaje.",
    }
    question() {
        en: "ls: a table of them; info: what each is; stats: what each has done; ping: who is there",
        es: "ls: una tabla de todos; info: qué es cada uno; stats: qué ha hecho; ping: quién está",
    }
    name() {
        en: "Only services of this name",
        es: "Solo los servicios de este nombre",
    }
    id() {
        en: "Only the one with this id",
        es: "Solo el que tiene este id",
    }
    bad_id(written: &str) {
        en: "\"{written}\" is no id of a service: it has no dots",
        es: "«{written}» no es el id de un servicio: no lleva puntos",
    }
    not_understood() {
        en: "An answer was left out: it is not what a service says about itself.",
        es: "Se omitió una respuesta: no es lo que un servicio dice de sí mismo.",
    }

    column_name() { en: "NAME", es: "NOMBRE" }
    column_version() { en: "VERSION", es: "VERSIÓN" }
    column_subjects() { en: "SUBJECTS", es: "ASUNTOS" }
    column_subject() { en: "SUBJECT", es: "ASUNTO" }
    column_description() { en: "DESCRIPTION", es: "DESCRIPCIÓN" }
    column_requests() { en: "REQUESTS", es: "PETICIONES" }
    column_errors() { en: "ERRORS", es: "ERRORES" }
    column_average() { en: "AVERAGE", es: "PROMEDIO" }
    column_total() { en: "TOTAL", es: "TOTAL" }
    column_latency() { en: "LATENCY", es: "LATENCIA" }
    endpoint(name: &str, subject: &str, queue: &str) {
        en: "endpoint {name}: subject {subject}, queue group {queue}",
        es: "punto de acceso {name}: asunto {subject}, grupo de cola {queue}",
    }
    endpoint_alone(name: &str, subject: &str) {
        en: "endpoint {name}: subject {subject}, no queue group",
        es: "punto de acceso {name}: asunto {subject}, sin grupo de cola",
    }
    last_error(name: &str, id: &str, subject: &str, error: &str) {
        en: "last error of {name} {id} on {subject}: {error}",
        es: "último error de {name} {id} en {subject}: {error}",
    }

    none() {
        en: "no service answers",
        es: "ningún servicio responde",
    }
    none_named(name: &str) {
        en: "no service named \"{name}\" answers",
        es: "ningún servicio de nombre «{name}» responde",
    }
    none_next() {
        en: "recado service ls shows those that are there; start one in another terminal: recado reply greet --echo",
        es: "recado service ls muestra los que hay; pon uno en otra terminal: recado reply saludo --echo",
    }
}
