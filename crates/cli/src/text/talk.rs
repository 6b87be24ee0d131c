//! What the commands say while they work.

super::texts! {
    type_message() {
        en: "Type the message; Ctrl-D sends it.",
        es: "Escribe el mensaje; Ctrl-D lo envía.",
    }

    one_byte() { en: "1 byte", es: "1 byte" }
    bytes(number: u64) { en: "{number} bytes", es: "{number} bytes" }

    sent_one(size: &str, subject: &str, took: &str) {
        en: "sent to {subject}: {size}, confirmed by the server in {took}",
        es: "enviado a {subject}: {size}, confirmado por el servidor en {took}",
    }
    sent_many(messages: u64, size: &str, subject: &str, took: &str) {
        en: "sent to {subject}: {messages} messages, {size}, confirmed by the server in {took}",
        es: "enviados a {subject}: {messages} mensajes, {size}, confirmados por el servidor en {took}",
    }

    bar_sent() { en: "sent", es: "enviados" }
    stored_one(stream: &str, sequence: u64, took: &str) {
        en: "stored in the stream {stream} as {sequence}, acknowledged in {took}",
        es: "guardado en el flujo {stream} como {sequence}, confirmado en {took}",
    }
    stored_already(stream: &str, sequence: u64, took: &str) {
        en: "the stream {stream} had it already as {sequence} (the same Nats-Msg-Id); answered in {took}",
        es: "el flujo {stream} ya lo tenía como {sequence} (el mismo Nats-Msg-Id); respondido en {took}",
    }
    stored_many(stored: u64, duplicates: u64, size: &str, took: &str) {
        en: "stored: {stored} messages ({size}) in {took}; already there: {duplicates}",
        es: "guardados: {stored} mensajes ({size}) en {took}; ya estaban: {duplicates}",
    }
    reading(stream: &str, server: &str) {
        en: "Reading the stream {stream} at {server}; Ctrl-C ends.",
        es: "Leyendo el flujo {stream}, servidor {server}; Ctrl-C termina.",
    }

    listening(subject: &str, server: &str) {
        en: "Listening on {subject} at {server}; Ctrl-C ends.",
        es: "Escuchando en {subject}, servidor {server}; Ctrl-C termina.",
    }
    received_one(size: &str, took: &str) {
        en: "received 1 message ({size}) in {took}",
        es: "se recibió 1 mensaje ({size}) en {took}",
    }
    received_many(messages: u64, size: &str, took: &str) {
        en: "received {messages} messages ({size}) in {took}",
        es: "se recibieron {messages} mensajes ({size}) en {took}",
    }
    reply_to(reply: &str) {
        en: "(reply to {reply})",
        es: "(responder a {reply})",
    }
    binary(bytes: usize, base64: &str) {
        en: "({bytes} bytes that are not text, base64) {base64}",
        es: "({bytes} bytes que no son texto, base64) {base64}",
    }

    answering(subject: &str, queue: &str, server: &str) {
        en: "Answering on {subject} (queue group {queue}) at {server}; Ctrl-C ends.",
        es: "Respondiendo en {subject} (grupo de cola {queue}), servidor {server}; Ctrl-C termina.",
    }
    answering_all(subject: &str, server: &str) {
        en: "Answering every request on {subject} at {server}; Ctrl-C ends.",
        es: "Respondiendo a cada petición en {subject}, servidor {server}; Ctrl-C termina.",
    }
    answered_in(reply: &str, took: &str) {
        en: "→ {reply}, answered in {took}",
        es: "→ {reply}, respondido en {took}",
    }
    no_reply_subject() {
        en: "(no reply subject: nothing to answer)",
        es: "(sin asunto de respuesta: no hay nada que responder)",
    }
    answered_one() {
        en: "answered 1 request",
        es: "se respondió 1 petición",
    }
    answered_many(requests: u64) {
        en: "answered {requests} requests",
        es: "se respondieron {requests} peticiones",
    }

    reply_in(took: &str) {
        en: "reply in {took}",
        es: "respuesta en {took}",
    }
    replies_total(replies: u64, percentiles: &str) {
        en: "{replies} replies; {percentiles}",
        es: "{replies} respuestas; {percentiles}",
    }
    waiting_for_responder(subject: &str) {
        en: "Nobody answers on {subject} yet; waiting for a responder.",
        es: "Todavía nadie responde en {subject}; se espera a que alguien lo haga.",
    }
    percentiles(min: &str, p50: &str, p90: &str, p99: &str, max: &str) {
        en: "min {min} · p50 {p50} · p90 {p90} · p99 {p99} · max {max} ms",
        es: "mín {min} · p50 {p50} · p90 {p90} · p99 {p99} · máx {max} ms",
    }

    token_file_open(path: &str) {
        en: "Other users can read {path}; close it with: chmod 600 {path}",
        es: "Otros usuarios pueden leer {path}; ciérralo con: chmod 600 {path}",
    }

    gone(server: &str) {
        en: "The connection to {server} broke; trying to get it back. What is sent meanwhile does not arrive here.",
        es: "Se cortó la conexión con {server}; se intenta recuperarla. Lo que se envíe mientras tanto no llega aquí.",
    }
    back(server: &str, gone: &str) {
        en: "Connected to {server} again; it was gone for {gone}. What others sent meanwhile did not arrive here and is not kept; how much it was can't be known.",
        es: "De nuevo conectado a {server}; faltó durante {gone}. Lo que otros enviaron mientras tanto no llegó aquí ni se guarda; no se puede saber cuánto fue.",
    }
    gone_for_now(server: &str) {
        en: "The connection to {server} broke; trying to get it back. What is stored meanwhile comes then.",
        es: "Se cortó la conexión con {server}; se intenta recuperarla. Lo que se guarde mientras tanto llegará entonces.",
    }
    back_to_go_on(server: &str, gone: &str) {
        en: "Connected to {server} again; it was gone for {gone}. It goes on where it was.",
        es: "De nuevo conectado a {server}; faltó durante {gone}. Se sigue donde se estaba.",
    }
    cut_off() {
        en: "The server let us in again at once, so it probably had closed the connection itself, perhaps because this program read too slowly (slow consumer); the server's log says why.",
        es: "El servidor nos dejó entrar de inmediato: es probable que él mismo cerrara la conexión, quizá porque este programa leía demasiado despacio (consumidor lento); su registro dice por qué.",
    }
    held(messages: u64) {
        en: "Messages of ours that waited here meanwhile: {messages}. They are sent now, but nobody confirms them: who wanted them may have given up.",
        es: "Mensajes nuestros que esperaron aquí mientras tanto: {messages}. Se envían ahora, pero nadie los confirma: quien los quería puede haber desistido.",
    }
    not_answered(said: &str) {
        en: "An answer was not let through: {said} (told once)",
        es: "No se dejó pasar una respuesta: {said} (se avisa una vez)",
    }
    not_discoverable(said: &str) {
        en: "recado service will not find this responder: {said}",
        es: "recado service no lo encontrará: {said}",
    }
    lame_duck(server: &str) {
        en: "{server} is about to go away (lame duck mode).",
        es: "{server} está por retirarse (modo «lame duck»).",
    }
    dropped() {
        en: "Messages come faster than they can be shown here; some were dropped.",
        es: "Los mensajes llegan más rápido de lo que se pueden mostrar; algunos se descartaron.",
    }
}
