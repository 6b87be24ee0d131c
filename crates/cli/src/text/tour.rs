//! What `recado tour` says.

super::texts! {
    about() {
        en: "The first minute: a server and clients, started for real, talk, measure, fail and recover",
        es: "El primer minuto: un servidor y clientes de verdad hablan, miden, fallan y se recuperan",
    }
    usage() { en: "recado tour [OPTIONS]", es: "recado tour [OPCIONES]" }
    value_path() { en: "PATH", es: "RUTA" }
    server_program() {
        en: "The server program to start: recado-server or nats-server [recado-server beside this program, or in PATH]",
        es: "El programa servidor que se pone en marcha: recado-server o nats-server [recado-server junto a este programa, o en PATH]",
    }
    fast() {
        en: "Without pauses for reading",
        es: "Sin pausas para leer",
    }
    examples() {
        en: "It uses a server of its own on a free port of this machine, and ends all that it started.\nThe exit status is 0 only if every step did what it says; half a minute is the limit, or --timeout.\n\nExamples:\n  recado tour\n  recado tour --fast\n  recado tour --server-program /usr/local/bin/nats-server\n  recado tour --json | jq -c 'select(.event == \"latency\")'",
        es: "Usa un servidor propio en un puerto libre de esta máquina, y termina todo lo que puso en marcha.\nEl código de salida es 0 solo si cada paso hizo lo que dice; el límite es medio minuto, o --timeout.\n\nEjemplos:\n  recado tour\n  recado tour --fast\n  recado tour --server-program /usr/local/bin/nats-server\n  recado tour --json | jq -c 'select(.event == \"latency\")'",
    }

    subject() { en: "greet", es: "saludo" }
    hello() { en: "hello", es: "hola" }
    hello_to_you() { en: "hello to you", es: "hola a ti" }
    still_there() { en: "still there?", es: "¿sigues ahí?" }
    nobody() { en: "nobody.home", es: "nadie.en.casa" }

    opening(pid: u32) {
        en: "A server and its clients: each an independent process with a memory of its own. They share nothing but TCP connections. Behind $ stands what you could type; a line with a number was written by the process of that number. The narrator is process {pid}.",
        es: "Un servidor y sus clientes: cada uno es un proceso independiente, con su propia memoria. Solo comparten conexiones TCP. Tras $ está lo que podrías escribir tú; una línea con un número la escribió el proceso de ese número. Quien narra es el proceso {pid}.",
    }
    process(pid: u32) { en: "(process {pid})", es: "(proceso {pid})" }
    exit_status(code: u8, meaning: &str) {
        en: "exit status {code}: {meaning}",
        es: "código de salida {code}: {meaning}",
    }

    title_nobody() { en: "A client without a server", es: "Un cliente sin servidor" }
    why_refused() {
        en: "No process listens on that port, so the kernel refused the connection at once: nothing was lost, nothing is in doubt. With --retry and --wait the same client waits instead, and the order of starting no longer matters:",
        es: "Ningún proceso escucha en ese puerto, así que el núcleo rechazó la conexión al instante: nada se perdió, nada queda en duda. Con --retry y --wait el mismo cliente espera, y deja de importar el orden de arranque:",
    }

    title_server() { en: "The server starts", es: "Arranca el servidor" }
    why_waiting() {
        en: "The waiting client found the server by itself. But a server only carries messages: on this subject nobody answers yet, and it says so instead of leaving the client in the dark.",
        es: "El cliente que esperaba encontró el servidor por sí solo. Pero un servidor solo reparte mensajes: en este asunto aún no responde nadie, y lo dice en vez de dejar al cliente a oscuras.",
    }

    title_responder() { en: "Somebody answers", es: "Alguien responde" }
    why_processes() {
        en: "Two clients have talked without knowing of each other: both know only the subject and the server. This is what the kernel sees of those that are still running:",
        es: "Dos clientes han hablado sin conocerse: ambos conocen solo el asunto y el servidor. Esto es lo que el núcleo ve de los que siguen en marcha:",
    }
    column_process() { en: "process", es: "proceso" }
    column_parent() { en: "parent", es: "padre" }
    column_threads() { en: "threads", es: "hilos" }
    column_memory() { en: "memory", es: "memoria" }
    column_program() { en: "program", es: "programa" }
    listens(address: &str) { en: "{address} (listens)", es: "{address} (escucha)" }
    see_processes(server: u32, client: u32) {
        en: "See it yourself: ps -o pid,ppid,nlwp,rss,args -p {server},{client} and ss -tnp",
        es: "Compruébalo: ps -o pid,ppid,nlwp,rss,args -p {server},{client} y ss -tnp",
    }

    title_latency() { en: "How long does it take?", es: "¿Cuánto tarda?" }
    why_latency() {
        en: "Each request went through TCP four times (to the server, to the responder, and back) and woke three processes. Half took no longer than p50; one in a hundred took longer than p99: then the machine was busy with something else. An average would hide that.",
        es: "Cada petición pasó cuatro veces por TCP (al servidor, a quien responde, y de vuelta) y despertó a tres procesos. La mitad no tardó más que p50; una de cada cien tardó más que p99: la máquina estaba ocupada en otra cosa. Una media lo ocultaría.",
    }
    expected_replies(wanted: usize, got: usize) {
        en: "expected were {wanted} replies with their latency; there were {got}",
        es: "se esperaban {wanted} respuestas con su latencia; hubo {got}",
    }

    title_crash() { en: "The server is killed", es: "Matan al servidor" }
    why_crash() {
        en: "SIGKILL leaves no time for a goodbye, but the kernel closes the sockets of a dead process: both connected clients noticed at once. All three wait.",
        es: "SIGKILL no da tiempo a despedirse, pero el núcleo cierra los sockets de un proceso muerto: los dos clientes conectados lo notaron al instante. Los tres esperan.",
    }
    why_recovered() {
        en: "A new process on the same port, and everybody went on: the responder listens again, the waiting request was answered, the pings continue. Nobody had to be restarted.",
        es: "Un proceso nuevo en el mismo puerto, y todos siguieron: quien responde escucha de nuevo, la petición que esperaba tuvo respuesta, los pings continúan. No hubo que reiniciar a nadie.",
    }

    title_deadline() { en: "A deadline passes", es: "Vence un plazo" }
    why_deadline() {
        en: "SIGSTOP froze the responder: it is still there and its connection still open, but it does not run. Only a deadline tells the client to stop waiting. It goes on with SIGCONT:",
        es: "SIGSTOP congeló a quien responde: sigue ahí, con su conexión abierta, pero no se ejecuta. Solo un plazo le dice al cliente que deje de esperar. Continúa con SIGCONT:",
    }
    why_nobody() {
        en: "Silence is not absence: where nobody listens at all, the server says so at once.",
        es: "Silencio no es ausencia: donde nadie escucha, el servidor lo dice al instante.",
    }

    title_token() { en: "A wrong token", es: "Un token equivocado" }
    old_token() { en: "old.token", es: "viejo.token" }
    token_config(config: &str, file: &str) {
        en: "{config} names a random token for the server; {file} holds the same one for clients. Only you can read either.",
        es: "{config} le da al servidor un token al azar; {file} contiene el mismo para los clientes. Solo tú puedes leerlos.",
    }
    why_token() {
        en: "A second server lets in only who brings its token: random letters in a file that only you can read, which nobody has to remember or type, and which never stands on a command line.",
        es: "Un segundo servidor solo deja entrar a quien trae su token: letras al azar en un archivo que solo tú puedes leer, que nadie tiene que recordar ni teclear y que nunca aparece en una línea de órdenes.",
    }

    title_end() { en: "The end", es: "El final" }
    why_end() {
        en: "SIGINT is what Ctrl-C sends: everybody finished what was under way and ended by itself, with status 0.",
        es: "SIGINT es lo que envía Ctrl-C: cada uno acabó lo que tenía entre manos y terminó por sí mismo, con código 0.",
    }
    closing(processes: u64, took: &str) {
        en: "Every step did what it says: {processes} processes in {took}, none left behind.\nNow you, in two terminals: recado-server, and then recado request recado.echo hello\nrecado help shows the rest; docs/workshop.md goes through all this by hand.",
        es: "Cada paso hizo lo que dice: {processes} procesos en {took}, y no queda ninguno.\nAhora tú, en dos terminales: recado-server, y después recado request recado.echo hola\nrecado help muestra lo demás; docs/es/taller.md recorre todo esto a mano.",
    }

    broken(step: usize, title: &str, expected: &str) {
        en: "step {step} of the tour (\"{title}\") did not do what it says: {expected}",
        es: "el paso {step} del recorrido («{title}») no hizo lo que dice: {expected}",
    }
    expected_words(words: &str) {
        en: "expected was a line with \"{words}\"",
        es: "se esperaba una línea con «{words}»",
    }
    expected_but(expected: &str, got: &str) {
        en: "expected was {expected}; {got}",
        es: "se esperaba {expected}; {got}",
    }
    got_status(code: i32) { en: "it was {code}", es: "fue {code}" }
    got_no_end() { en: "the process did not end", es: "el proceso no terminó" }
    wrote_last(pid: u32, words: &str) {
        en: "the last that process {pid} ({words}) wrote:",
        es: "lo último que escribió el proceso {pid} ({words}):",
    }
    wrote_nothing(pid: u32, words: &str) {
        en: "process {pid} ({words}) wrote nothing",
        es: "el proceso {pid} ({words}) no escribió nada",
    }
    out_of_time() {
        en: "the tour's time was over; on a machine under load, --timeout allows more",
        es: "se acabó el tiempo del recorrido; en una máquina cargada, --timeout da más plazo",
    }
    not_started(words: &str, detail: &str) {
        en: "can't start \"{words}\": {detail}",
        es: "no se puede poner en marcha «{words}»: {detail}",
    }
    not_started_next(path: &str) {
        en: "check that {path} is there and may be executed",
        es: "comprueba que {path} existe y se puede ejecutar",
    }
    no_server(folder: &str) {
        en: "the tour starts a server, but recado-server is neither in {folder} nor in PATH",
        es: "el recorrido pone en marcha un servidor, pero recado-server no está ni en {folder} ni en PATH",
    }
    no_server_next(profile: &str) {
        en: "build it: cargo build {profile}--bin recado-server\nor let cargo build both and run the tour: cargo tour\nor name a server: recado tour --server-program PATH",
        es: "compílalo: cargo build {profile}--bin recado-server\no deja que cargo compile los dos y empiece el recorrido: cargo tour\no nombra un servidor: recado tour --server-program RUTA",
    }
    server_unusable(path: &str, detail: &str) {
        en: "{path} can't be used as the server: {detail}",
        es: "{path} no sirve como servidor: {detail}",
    }
    server_unusable_next() {
        en: "--server-program takes the path of recado-server or nats-server",
        es: "--server-program espera la ruta de recado-server o de nats-server",
    }
    no_version() {
        en: "it does not say its version",
        es: "no dice su versión",
    }
}
