//! What `recado top` says.

super::texts! {
    about() {
        en: "Watch a server: its connections, rates and round trips, live",
        es: "Observar un servidor: sus conexiones, tasas e idas y vueltas, en vivo",
    }
    usage() { en: "recado top [OPTIONS]", es: "recado top [OPCIONES]" }
    monitor() {
        en: "The server's monitoring port, like http://HOST:8222 [port 8222 of the server's host]",
        es: "El puerto de monitorización del servidor, como http://HOST:8222 [puerto 8222 de la máquina del servidor]",
    }
    interval() {
        en: "How often to look [1s]",
        es: "Cada cuánto mirar [1s]",
    }
    sort() {
        en: "By what the connections are sorted: msgs, bytes, pending, subs, cid, name [msgs]",
        es: "Por qué se ordenan las conexiones: msgs, bytes, pending, subs, cid, name [msgs]",
    }
    once() {
        en: "Print it once, as text or with --json, and end; so it is too where there is no terminal",
        es: "Mostrarlo una vez, como texto o con --json, y terminar; así es también donde no hay terminal",
    }
    examples() {
        en: "The round trip is measured over a connection of its own and works with every server. The rest comes from\nthe monitoring port of nats-server (nats-server -m 8222); recado-server has none yet. With --json and\nwithout --once, an object at each interval.\n\nExamples:\n  recado top\n  recado top --server nats://host:4222 --monitor http://host:8222\n  recado top --once --sort pending\n  recado top --json --interval 10s >> figures.jsonl",
        es: "La ida y vuelta se mide con una conexión propia y funciona con cualquier servidor. El resto viene del\npuerto de monitorización de nats-server (nats-server -m 8222); recado-server todavía no tiene. Con --json y\nsin --once, un objeto por intervalo.\n\nEjemplos:\n  recado top\n  recado top --server nats://host:4222 --monitor http://host:8222\n  recado top --once --sort pending\n  recado top --json --interval 10s >> cifras.jsonl",
    }
    bad_monitor(written: &str) {
        en: "\"{written}\" is no monitoring address; it looks like http://127.0.0.1:8222 (without TLS)",
        es: "«{written}» no es una dirección de monitorización; es como http://127.0.0.1:8222 (sin TLS)",
    }
    nothing_there() {
        en: "nothing is listening there",
        es: "nada escucha allí",
    }
    no_answer_there() {
        en: "no answer in time",
        es: "no respondió a tiempo",
    }
    not_monitoring(path: &str) {
        en: "what {path} answers is no report of a NATS server",
        es: "lo que responde {path} no es un informe de un servidor NATS",
    }
    another_server(id: &str) {
        en: "another server answers there ({id})",
        es: "allí responde otro servidor ({id})",
    }
    no_monitor(url: &str, why: &str) {
        en: "No monitoring port at {url}: {why}. So connections, rates, CPU and memory can't be shown.",
        es: "Sin puerto de monitorización en {url}: {why}. Por eso no se ven conexiones, tasas, CPU ni memoria.",
    }
    no_monitor_next() {
        en: "A nats-server has one when started with -m 8222; if it is elsewhere, say where: --monitor http://HOST:PORT. recado-server has none yet.",
        es: "Un nats-server lo tiene si se inicia con -m 8222; si está en otro sitio, di dónde: --monitor http://HOST:PUERTO. recado-server todavía no tiene.",
    }
    looking(address: &str) {
        en: "{address} · looking …",
        es: "{address} · mirando …",
    }
    paused() { en: "paused", es: "en pausa" }
    round_trip(last: &str, p50: &str, p99: &str, max: &str) {
        en: "round trip {last} (p50 {p50} · p99 {p99} · max {max} ms)",
        es: "ida y vuelta {last} (p50 {p50} · p99 {p99} · máx {max} ms)",
    }
    load(cpu: &str, cores: u64, mem: &str, uptime: &str) {
        en: "CPU {cpu} % ({cores} cores) · memory {mem} · up {uptime}",
        es: "CPU {cpu} % ({cores} núcleos) · memoria {mem} · activo {uptime}",
    }
    counts(connections: u64, total: u64, subscriptions: u64, slow: u64) {
        en: "{connections} connections ({total} since the start) · {subscriptions} subscriptions · {slow} slow consumers",
        es: "{connections} conexiones ({total} desde el inicio) · {subscriptions} suscripciones · {slow} consumidores lentos",
    }
    rates(in_msgs: &str, in_bytes: &str, out_msgs: &str, out_bytes: &str) {
        en: "in {in_msgs} msgs/s, {in_bytes}/s · out {out_msgs} msgs/s, {out_bytes}/s",
        es: "entran {in_msgs} mensajes/s, {in_bytes}/s · salen {out_msgs} mensajes/s, {out_bytes}/s",
    }
    rates_to_come() {
        en: "rates with the next look …",
        es: "las tasas, con la próxima mirada …",
    }
    cut(listed: u64, total: u64) {
        en: "{listed} of {total} connections are listed",
        es: "se muestran {listed} de {total} conexiones",
    }
    column_name() { en: "name", es: "nombre" }
    column_address() { en: "address", es: "dirección" }
    column_in_msgs() { en: "in/s", es: "entran/s" }
    column_out_msgs() { en: "out/s", es: "salen/s" }
    column_in_bytes() { en: "in B/s", es: "entran B/s" }
    column_out_bytes() { en: "out B/s", es: "salen B/s" }
    column_pending() { en: "pending", es: "pendiente" }
    column_subs() { en: "subs", es: "suscr." }
    column_idle() { en: "idle", es: "inactivo" }
    column_client() { en: "client", es: "cliente" }
    keys() {
        en: " q quit · sort: m msgs, b bytes, p pending, s subs, c cid, n name · ↑↓ scroll · space pause",
        es: " q salir · orden: m mensajes, b bytes, p pendiente, s suscr., c cid, n nombre · ↑↓ mover · espacio pausa",
    }
    screen_failed(detail: &str) {
        en: "the terminal can't be used: {detail}",
        es: "la terminal no se puede usar: {detail}",
    }
}
