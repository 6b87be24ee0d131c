//! What `recado trace` says.

super::texts! {
    about() {
        en: "Follow one message: where it is renamed, who gets it, what stores it, what stops it; it is not delivered",
        es: "Seguir un mensaje: dónde se renombra, quién lo recibe, qué lo guarda, qué lo detiene; no se entrega",
    }
    usage() {
        en: "recado trace [OPTIONS] SUBJECT [TEXT]",
        es: "recado trace [OPCIONES] ASUNTO [TEXTO]",
    }
    examples() {
        en: "Servers since 2.11 tell it, recado-server among them. Behind the border of an account they do so only where\nthat allows it (allow_trace). The exit status is 0 when somebody gets the message or a stream stores it, 3 when\nnobody does, 10 when it may not be published.\n\nExamples:\n  recado trace orders.new hello\n  recado trace orders.new hello --deliver\n  recado trace orders.new --file order.json -H Kind:test --json",
        es: "Lo cuentan los servidores desde la versión 2.11, entre ellos recado-server. Al otro lado de la frontera de una\ncuenta solo lo hacen donde esta lo autoriza (allow_trace). El código de salida es 0 si alguien recibe el mensaje\no un flujo lo guarda, 3 si nadie lo hace, 10 si no se puede publicar.\n\nEjemplos:\n  recado trace pedidos.nuevo hola\n  recado trace pedidos.nuevo hola --deliver\n  recado trace pedidos.nuevo --file pedido.json -H Clase:prueba --json",
    }
    help_subject() {
        en: "The message's subject, without wildcards",
        es: "El asunto del mensaje, sin comodines",
    }
    help_deliver() {
        en: "Deliver and store the message, too",
        es: "Entregar y guardar también el mensaje",
    }
    only(subject: &str) {
        en: "{subject}, only followed: nobody gets it, and nothing is stored",
        es: "{subject}, solo seguido: no lo recibe nadie y no se guarda nada",
    }
    delivered(subject: &str) {
        en: "{subject}, delivered",
        es: "{subject}, entregado",
    }
    server(name: &str) { en: "Server {name}", es: "Servidor {name}" }
    came_in(who: &str) { en: "published by {who}", es: "publicado por {who}" }
    as_subject(account: &str, subject: &str) {
        en: "account {account}, as {subject}",
        es: "cuenta {account}, como {subject}",
    }
    renamed(subject: &str) {
        en: "a mapping calls it {subject}",
        es: "una asignación lo llama {subject}",
    }
    stream_export(account: &str, subject: &str) {
        en: "account {account} imports it, as {subject}",
        es: "la cuenta {account} lo importa, como {subject}",
    }
    service_import(account: &str, subject: &str) {
        en: "goes on in account {account}, as {subject}",
        es: "sigue en la cuenta {account}, como {subject}",
    }
    in_account(account: &str) { en: "account {account}", es: "cuenta {account}" }
    client(cid: u64) { en: "client {cid}", es: "cliente {cid}" }
    route(cid: u64) { en: "route {cid}", es: "ruta {cid}" }
    gateway(cid: u64) { en: "gateway {cid}", es: "pasarela {cid}" }
    leaf(cid: u64) { en: "leaf node {cid}", es: "nodo hoja {cid}" }
    part(cid: u64) { en: "the server itself ({cid})", es: "el propio servidor ({cid})" }
    subscribed(filter: &str) { en: "subscribed to {filter}", es: "suscrito a {filter}" }
    queue(name: &str) { en: "queue group {name}", es: "grupo de cola {name}" }
    stream(name: &str) { en: "stream {name}", es: "flujo {name}" }
    stored_as(subject: &str) { en: "stored as {subject}", es: "guardado como {subject}" }
    no_interest() {
        en: "not stored: no consumer is interested",
        es: "no se guarda: no le interesa a ningún consumidor",
    }
    error(said: &str) { en: "the server says: {said}", es: "el servidor dice: {said}" }
    nobody() {
        en: "Nobody gets it now, and no stream stores it.",
        es: "Ahora no lo recibe nadie, y ningún flujo lo guarda.",
    }
    refused() {
        en: "It goes nowhere: it was refused.",
        es: "No va a ninguna parte: se rechazó.",
    }
    silent(server: &str, limit: &str) {
        en: "{server} told nothing of the message within {limit}",
        es: "{server} no contó nada del mensaje en {limit}",
    }
    silent_next() {
        en: "give it more time with --timeout; a subject's way is told without a message by recado explain",
        es: "dale más plazo con --timeout; recado explain cuenta el camino de un asunto sin enviar nada",
    }
    too_old(server: &str, version: &str) {
        en: "{server} is of version {version}, which traces no messages: it would deliver this one",
        es: "{server} es de la versión {version}, que no sigue mensajes: entregaría este",
    }
    too_old_next() {
        en: "nothing was sent; servers trace messages since version 2.11",
        es: "no se envió nada; los servidores siguen mensajes desde la versión 2.11",
    }
}
