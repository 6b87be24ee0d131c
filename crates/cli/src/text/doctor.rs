//! What `recado doctor` says.

super::texts! {
    about() {
        en: "Walk to a server step by step, and say where the way breaks and what to do",
        es: "Recorrer paso a paso el camino a un servidor, y decir dónde se corta y qué hacer",
    }
    usage() {
        en: "recado doctor [OPTIONS] [URL…]",
        es: "recado doctor [OPCIONES] [URL…]",
    }
    help_url() {
        en: "The servers to look at [those of --server or NATS_URL]",
        es: "Los servidores que se revisan [los de --server o NATS_URL]",
    }
    examples() {
        en: "The steps are name, TCP, greeting, TLS, authentication, round trip, clock. The exit status is that of the\nfailure that ends the way (of the first server that has one).\n\nExamples:\n  recado doctor\n  recado doctor nats://example.org tls://example.org:4443\n  recado doctor --token-file app.token --json",
        es: "Los pasos son nombre, TCP, saludo, TLS, autenticación, ida y vuelta, reloj. El código de salida es el del\nfallo que corta el camino (el del primer servidor que tenga uno).\n\nEjemplos:\n  recado doctor\n  recado doctor nats://example.org tls://example.org:4443\n  recado doctor --token-file app.token --json",
    }

    step_name() { en: "name", es: "nombre" }
    step_tcp() { en: "TCP", es: "TCP" }
    step_greeting() { en: "greeting", es: "saludo" }
    step_tls() { en: "TLS", es: "TLS" }
    step_authentication() { en: "authentication", es: "autenticación" }
    step_round_trip() { en: "round trip", es: "ida y vuelta" }
    step_clock() { en: "clock", es: "reloj" }

    is_address(address: &str) {
        en: "{address} is an address already",
        es: "{address} ya es una dirección",
    }
    resolved(host: &str, addresses: &str) {
        en: "{host} is {addresses}",
        es: "{host} es {addresses}",
    }
    connected(address: &str) {
        en: "{address} accepts connections",
        es: "{address} acepta conexiones",
    }
    program(program: &str) {
        en: "a NATS server: {program}",
        es: "un servidor NATS: {program}",
    }
    greeted(address: &str) {
        en: "{address} greets as a NATS server does",
        es: "{address} saluda como lo hace un servidor NATS",
    }
    not_secure() {
        en: "not used: whoever is on the way can read along",
        es: "no se usa: quien esté en el camino puede leerlo todo",
    }
    secure(host: &str) {
        en: "secured; the certificate is for {host} and signed by someone trusted",
        es: "asegurado; el certificado es para {host} y lo firma alguien de confianza",
    }
    let_in() {
        en: "let in without credentials",
        es: "deja entrar sin credenciales",
    }
    let_in_with(source: &str) {
        en: "the credentials from {source} are accepted",
        es: "se aceptan las credenciales de {source}",
    }
    round_trip() {
        en: "PING is answered",
        es: "contesta al PING",
    }
    clock_not_told() {
        en: "not told: this server does not say what time it is",
        es: "no se sabe: este servidor no dice la hora",
    }
    clock_ahead(apart: &str, doubt: &str) {
        en: "the server's clock is {apart} ahead of ours (± {doubt})",
        es: "el reloj del servidor va {apart} por delante del nuestro (± {doubt})",
    }
    clock_behind(apart: &str, doubt: &str) {
        en: "the server's clock is {apart} behind ours (± {doubt})",
        es: "el reloj del servidor va {apart} por detrás del nuestro (± {doubt})",
    }
    clock_wrong(difference: &str) {
        en: "{difference}; one of the two is wrong: see timedatectl on both machines",
        es: "{difference}; uno de los dos está mal: mira timedatectl en ambas máquinas",
    }
    not_tried() { en: "not come to", es: "no se llegó" }
    all_well() {
        en: "Nothing is wrong on this way.",
        es: "En este camino todo está bien.",
    }
    breaks_at(step: &str) {
        en: "The way breaks at: {step}",
        es: "El camino se corta en: {step}",
    }
}
