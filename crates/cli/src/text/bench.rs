//! What `recado bench` says.

super::texts! {
    about() {
        en: "Measure how much goes through: publish, subscribe, both, request, reply",
        es: "Medir cuánto pasa: publicar, suscribirse, ambas cosas, preguntar, responder",
    }
    usage() {
        en: "recado bench [OPTIONS] <pub|sub|pubsub|request|reply> [SUBJECT]…",
        es: "recado bench [OPCIONES] <pub|sub|pubsub|request|reply> [ASUNTO]…",
    }
    value_kind() { en: "WHAT", es: "QUÉ" }
    kind() {
        en: "pub: publish; sub: receive what others publish; pubsub: both, and whether all arrives; request: ask and be answered, one request at a time and client; reply: answer",
        es: "pub: publicar; sub: recibir lo que otros publican; pubsub: ambas cosas, y si llega todo; request: preguntar y recibir respuesta, de a una por cliente; reply: responder",
    }
    subject() {
        en: "Where; several are used in turn [recado.bench; for pubsub and request one of its own]",
        es: "Dónde; si son varios, por turno [recado.bench; en pubsub y request, uno propio]",
    }
    clients() {
        en: "How many publishers, subscribers, requesters or responders, each with a connection of its own [1]",
        es: "Cuántos publican, reciben, preguntan o responden, cada uno con su conexión [1]",
    }
    subscribers() {
        en: "For pubsub: how many subscribers [1]",
        es: "En pubsub: cuántos reciben [1]",
    }
    responders() {
        en: "For request: how many responders of its own [without SUBJECT 1, else 0]",
        es: "En request: cuántos responden desde este mismo programa [sin ASUNTO 1; con él, 0]",
    }
    msgs() {
        en: "How many messages or requests in all, like 1000, 10k or 2.5M; for sub: how many each subscriber is due",
        es: "Cuántos mensajes o peticiones en total, como 1000, 10k o 2.5M; en sub: cuántos le tocan a cada uno",
    }
    size() {
        en: "Bytes of each message, like 128, 4KB or 1MiB [128]",
        es: "Bytes de cada mensaje, como 128, 4KB o 1MiB [128]",
    }
    duration() {
        en: "How long; for sub and reply from the first message on [3s without --msgs]",
        es: "Cuánto tiempo; en sub y reply desde el primer mensaje [3s sin --msgs]",
    }
    each() {
        en: "Use so many subjects: SUBJECT.1, SUBJECT.2, …",
        es: "Usar tantos asuntos: ASUNTO.1, ASUNTO.2, …",
    }
    queue() {
        en: "Subscribers or responders share the messages as members of this queue group",
        es: "Quienes reciben o responden se reparten los mensajes en este grupo de cola",
    }
    versus() {
        en: "Compare with this server: runs alternate between the two",
        es: "Comparar con este servidor: las pruebas se alternan entre los dos",
    }
    rounds() {
        en: "How often it runs, each server so often [1; with --vs 3]",
        es: "Cuántas veces se prueba, tantas por servidor [1; con --vs 3]",
    }
    csv() {
        en: "Results as CSV, a line for each client and each role",
        es: "Resultados en CSV, una línea por cliente y por función",
    }
    examples() {
        en: "Messages are counted where they arrive; if some are missing, it says how many and the exit status is 4.\n\nExamples:\n  recado bench pubsub\n  recado bench pubsub --clients 4 --subscribers 4 --size 1KiB --duration 10s\n  recado bench pub orders --msgs 1M        # in one terminal, and in another:\n  recado bench sub orders --msgs 1M\n  recado bench request --clients 16\n  recado bench pubsub --size 16 --vs nats://127.0.0.1:4223 --rounds 5\n  recado bench request greet --json",
        es: "Los mensajes se cuentan donde llegan; si faltan, se dice cuántos y el código de salida es 4.\n\nEjemplos:\n  recado bench pubsub\n  recado bench pubsub --clients 4 --subscribers 4 --size 1KiB --duration 10s\n  recado bench pub pedidos --msgs 1M       # en una terminal, y en otra:\n  recado bench sub pedidos --msgs 1M\n  recado bench request --clients 16\n  recado bench pubsub --size 16 --vs nats://127.0.0.1:4223 --rounds 5\n  recado bench request saludo --json",
    }

    title_pub() { en: "Publishing", es: "Publicar" }
    title_sub() { en: "Subscribing", es: "Recibir" }
    title_pubsub() { en: "Publishing and subscribing", es: "Publicar y recibir" }
    title_request() { en: "Asking", es: "Preguntar" }
    title_reply() { en: "Answering", es: "Responder" }
    begins(title: &str, subjects: &str, size: &str, server: &str, length: &str) {
        en: "{title} on {subjects} at {server}: {size}, {length}; Ctrl-C ends.",
        es: "{title} en {subjects}, servidor {server}: {size}, {length}; Ctrl-C termina.",
    }
    begins_listening(title: &str, subjects: &str, server: &str, length: &str) {
        en: "{title} on {subjects} at {server}: {length}; waiting for the first message, Ctrl-C ends.",
        es: "{title} en {subjects}, servidor {server}: {length}; se espera el primer mensaje, Ctrl-C termina.",
    }
    length_messages(messages: &str) { en: "{messages} messages", es: "{messages} mensajes" }
    length_none() { en: "until Ctrl-C", es: "hasta Ctrl-C" }
    subjects(first: &str, last: &str, number: usize) {
        en: "{first} … {last} ({number} subjects)",
        es: "{first} … {last} ({number} asuntos)",
    }
    so_far(messages: &str, rate: &str) { en: "{messages}, {rate}/s", es: "{messages}, {rate}/s" }

    at(server: &str, program: &str) { en: "{server}: {program}", es: "{server}: {program}" }
    process(name: &str, pid: i32) { en: "{name}, process {pid}", es: "{name}, proceso {pid}" }
    column_messages() { en: "messages", es: "mensajes" }
    column_seconds() { en: "seconds", es: "segundos" }
    column_rate() { en: "messages/s", es: "mensajes/s" }
    column_megabytes() { en: "MB/s", es: "MB/s" }
    column_min() { en: "min", es: "mín" }
    column_mean() { en: "avg", es: "media" }
    column_max() { en: "max", es: "máx" }
    column_deviation() { en: "stddev", es: "desv" }
    published() { en: "published", es: "publicados" }
    delivered() { en: "delivered", es: "entregados" }
    asked() { en: "answered", es: "respondidas" }
    answered() { en: "answered", es: "respondidas" }
    publisher() { en: "publisher", es: "publica" }
    subscriber() { en: "subscriber", es: "recibe" }
    requester() { en: "requester", es: "pregunta" }
    responder() { en: "responder", es: "responde" }
    per_client(clients: usize) {
        en: "messages/s of each of {clients}",
        es: "mensajes/s de cada uno ({clients})",
    }
    latency(percentiles: &str) {
        en: "latency of the requests, one at a time: {percentiles}",
        es: "latencia de las peticiones, de a una: {percentiles}",
    }
    server_cpu(per: &str, cores: &str, process: &str) {
        en: "CPU of the server ({process}): {per} a message, {cores} cores busy",
        es: "CPU del servidor ({process}): {per} por mensaje, {cores} núcleos ocupados",
    }
    own_cpu(per: &str, cores: &str) {
        en: "CPU of this program: {per} a message, {cores} cores busy",
        es: "CPU de este programa: {per} por mensaje, {cores} núcleos ocupados",
    }
    cpu_elsewhere() {
        en: "CPU of the server: not to be seen, it does not run on this machine (or in another network namespace)",
        es: "CPU del servidor: no se puede ver, no corre en esta máquina (o está en otro espacio de red)",
    }
    cpu_not_ours() {
        en: "CPU of the server: not to be seen, its process belongs to another user; run this as that user or root",
        es: "CPU del servidor: no se puede ver, su proceso es de otro usuario; ejecuta esto como ese usuario o root",
    }
    lost(lost: &str, due: &str, who: &str) {
        en: "lost: {lost} of {due} ({who})",
        es: "perdidos: {lost} de {due} ({who})",
    }
    lost_by_group() { en: "the queue group", es: "el grupo de cola" }
    surplus(surplus: &str, who: &str) {
        en: "{who} got {surplus} more than were published here: somebody else publishes there too",
        es: "{who} recibió {surplus} de más: alguien más publica en ese asunto",
    }

    round(number: u64, rounds: u64) {
        en: "Round {number} of {rounds}",
        es: "Vuelta {number} de {rounds}",
    }
    medians(rounds: u64) {
        en: "Medians of {rounds} rounds, alternating",
        es: "Medianas de {rounds} vueltas, alternando",
    }
    medians_alone(rounds: u64) {
        en: "Medians of {rounds} rounds",
        es: "Medianas de {rounds} vueltas",
    }
    ratio() { en: "ratio", es: "razón" }
    figure_rate() { en: "messages/s", es: "mensajes/s" }
    figure_megabytes() { en: "MB/s", es: "MB/s" }
    figure_p50() { en: "latency p50", es: "latencia p50" }
    figure_p99() { en: "latency p99", es: "latencia p99" }
    figure_cpu() { en: "CPU a message", es: "CPU por mensaje" }

    too_many(flag: &str, most: u64) {
        en: "{flag}: at most {most} are possible",
        es: "{flag}: como máximo {most}",
    }
    only_for(flag: &str, kind: &str) {
        en: "{flag} is only for bench {kind}",
        es: "{flag} es solo para bench {kind}",
    }
    lost_some(lost: &str) {
        en: "messages or answers that did not arrive: {lost}",
        es: "mensajes o respuestas que no llegaron: {lost}",
    }
    lost_some_next() {
        en: "see the server's log: a subscriber that was too slow is cut off there; --timeout waits longer for what is missing",
        es: "mira el registro del servidor: allí se corta a quien recibe demasiado lento; --timeout espera más por lo que falta",
    }
    not_the_protocol() {
        en: "something that is not the protocol's",
        es: "algo que no es del protocolo",
    }
}
