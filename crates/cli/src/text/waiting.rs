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
}
