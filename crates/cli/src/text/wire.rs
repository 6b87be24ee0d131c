//! What `--wire` says beside the frames.

super::texts! {
    option() {
        en: "Show the bytes that cross the socket, frame by frame, with times and directions",
        es: "Mostrar los bytes que cruzan el socket, trama por trama, con tiempos y direcciones",
    }
    info() {
        en: "the server introduces itself: name, version, limits",
        es: "el servidor se presenta: nombre, versión, límites",
    }
    connect() {
        en: "who we are and what we understand; secrets are hidden here",
        es: "quiénes somos y qué entendemos; aquí se ocultan los secretos",
    }
    hidden() { en: "(hidden)", es: "(oculto)" }
    our_ping() {
        en: "have you processed everything before this?",
        es: "¿has procesado todo lo anterior?",
    }
    their_pong() {
        en: "everything before your PING is processed",
        es: "todo lo anterior a tu PING está procesado",
    }
    their_ping() {
        en: "are you still there?",
        es: "¿sigues ahí?",
    }
    our_pong() { en: "yes, we are", es: "sí, aquí estamos" }
    subscribe(sid: &str) {
        en: "send us what matches, under the number {sid}",
        es: "envíanos lo que coincida, con el número {sid}",
    }
    unsubscribe(sid: &str, max: u64) {
        en: "end number {sid} after {max} messages (0: now)",
        es: "termina el número {sid} tras {max} mensajes (0: ya)",
    }
    publish(size: &str) {
        en: "a message of ours, {size} on the next line",
        es: "un mensaje nuestro, {size} en la línea siguiente",
    }
    message(sid: &str, size: &str) {
        en: "a message for number {sid}, {size} on the next line",
        es: "un mensaje para el número {sid}, {size} en la línea siguiente",
    }
    ok() { en: "accepted", es: "aceptado" }
    error() {
        en: "the server refuses, in its own words",
        es: "el servidor se niega, con sus propias palabras",
    }
    more(size: &str) { en: "(and {size} more)", es: "(y {size} más)" }
}
