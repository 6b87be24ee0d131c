//! What `recado ping` says.

super::texts! {
    about() {
        en: "Measure the way to the server: connecting, then round trips",
        es: "Medir el camino al servidor: la conexión y después idas y vueltas",
    }
    usage() { en: "recado ping [OPTIONS]", es: "recado ping [OPCIONES]" }
    count() {
        en: "How many pings; 0: until Ctrl-C [5]",
        es: "Cuántos pings; 0: hasta Ctrl-C [5]",
    }
    interval() {
        en: "From one to the next, answered or not [1s]",
        es: "De uno al siguiente, con o sin respuesta [1s]",
    }
    flood() {
        en: "The next one as soon as the last is answered, without a line for each; until Ctrl-C, --count or --duration",
        es: "El siguiente en cuanto se responde el anterior, sin una línea por cada uno; hasta Ctrl-C, --count o --duration",
    }
    duration() {
        en: "End after this time",
        es: "Terminar tras este tiempo",
    }
    connect() {
        en: "Open a new connection each time, and time its steps instead of round trips",
        es: "Abrir cada vez una conexión nueva, y medir sus pasos en lugar de idas y vueltas",
    }
    quiet() {
        en: "No line for each ping, only the summary",
        es: "Sin una línea por cada ping, solo el resumen",
    }
    examples() {
        en: "A ping without an answer within --timeout is missed: the pings go on, and the exit status is 4.\nWith --retry a connection that breaks is opened again.\n\nExamples:\n  recado ping\n  recado ping --count 100 --interval 10ms --server nats://example.org\n  recado ping --flood --duration 10s\n  recado ping --connect --count 20 --interval 100ms\n  recado ping --count 0 --timeout 500ms --retry",
        es: "Un ping sin respuesta en --timeout se da por perdido: los pings siguen, y el código de salida es 4.\nCon --retry, si se corta la conexión, se abre de nuevo.\n\nEjemplos:\n  recado ping\n  recado ping --count 100 --interval 10ms --server nats://example.org\n  recado ping --flood --duration 10s\n  recado ping --connect --count 20 --interval 100ms\n  recado ping --count 0 --timeout 500ms --retry",
    }

    connected(address: &str, program: &str, name: &str, took: &str) {
        en: "connected to {address} in {took}: {program}, named {name}",
        es: "conectado a {address} en {took}: {program}, de nombre {name}",
    }
    step_total() { en: "connecting", es: "conexión" }
    step_resolve() { en: "name", es: "nombre" }
    step_tcp() { en: "TCP", es: "TCP" }
    step_greeting() { en: "greeting", es: "saludo" }
    step_tls() { en: "TLS", es: "TLS" }
    step_authentication() { en: "authentication", es: "autenticación" }
    pong(number: u64, address: &str, took: &str) {
        en: "pong {number} from {address}: {took}",
        es: "pong {number} de {address}: {took}",
    }
    late(number: u64, address: &str, took: &str) {
        en: "pong {number} from {address}: {took}, after it was given up",
        es: "pong {number} de {address}: {took}, cuando ya se daba por perdido",
    }
    missed(number: u64, limit: &str) {
        en: "no answer to ping {number} within {limit}",
        es: "sin respuesta al ping {number} en {limit}",
    }
    connection(number: u64, address: &str, took: &str, steps: &str) {
        en: "connection {number} to {address}: {took} ({steps})",
        es: "conexión {number} con {address}: {took} ({steps})",
    }
    broke(what: &str) {
        en: "{what}; connecting again",
        es: "{what}; se vuelve a conectar",
    }
    back(gone: &str, unanswered: u64) {
        en: "Connected again after {gone}; pings that nobody will answer any more: {unanswered}.",
        es: "De nuevo conectado tras {gone}; pings que ya nadie responderá: {unanswered}.",
    }

    sent(sent: u64, address: &str, answered: u64, loss: &str, took: &str) {
        en: "{sent} sent to {address}, {answered} answered, {loss} % lost, in {took}",
        es: "{sent} enviados a {address}, {answered} respondidos, {loss} % perdidos, en {took}",
    }
    sent_late(late: u64, limit: &str) {
        en: "answered, but not within {limit}: {late}",
        es: "respondidos, pero no en {limit}: {late}",
    }
    total(rounds: u64, percentiles: &str) {
        en: "round trips: {rounds}; {percentiles}",
        es: "idas y vueltas: {rounds}; {percentiles}",
    }
    connections(number: u64) {
        en: "connections: {number}; each step in ms",
        es: "conexiones: {number}; cada paso en ms",
    }
    column_min() { en: "min", es: "mín" }
    column_mean() { en: "avg", es: "media" }
    column_max() { en: "max", es: "máx" }
    column_deviation() { en: "mdev", es: "desv" }
    spread(mean: &str, deviation: &str) {
        en: "avg {mean} · mdev {deviation} ms",
        es: "media {mean} · desv {deviation} ms",
    }

    missed_total(missed: u64, sent: u64, limit: &str) {
        en: "pings without an answer within {limit}: {missed} of {sent}",
        es: "pings sin respuesta en {limit}: {missed} de {sent}",
    }
    missed_next() {
        en: "the server was stopped or overloaded, or the network lost the way to it for a while; --timeout allows more time",
        es: "el servidor estuvo detenido o saturado, o la red perdió por un rato el camino hasta él; --timeout da más plazo",
    }
}
