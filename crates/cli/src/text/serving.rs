//! Words of `recado reply` about processes and threads that answer.

super::texts! {
    usage() {
        en: "recado reply [OPTIONS] SUBJECT <--echo|--text TEXT|--file FILE|--time|--exec CMD…>",
        es: "recado reply [OPCIONES] ASUNTO <--echo|--text TEXTO|--file ARCHIVO|--time|--exec PROGRAMA…>",
    }
    examples() {
        en: "Examples:\n  recado reply greet --echo\n  recado reply greet --text 'hello, number {{count}}'\n  recado reply time --time --count 10\n  recado reply upper --exec tr a-z A-Z\n  recado reply upper --exec 'tr a-z A-Z | rev'\n  recado reply upper --pool 4 --exec python3 worker.py\n  recado reply greet --threads 4 --echo\n\n--exec takes the rest of the line, so it stands last. The process finds the payload on its\nstandard input and the subject in RECADO_SUBJECT; a header Kind in RECADO_HEADER_KIND, all of\nthem as JSON in RECADO_HEADERS. See docs/processes-and-threads.md, also for workers.",
        es: "Ejemplos:\n  recado reply saludo --echo\n  recado reply saludo --text 'hola, número {{count}}'\n  recado reply hora --time --count 10\n  recado reply mayusculas --exec tr a-z A-Z\n  recado reply mayusculas --exec 'tr a-z A-Z | rev'\n  recado reply mayusculas --pool 4 --exec python3 worker.py\n  recado reply saludo --threads 4 --echo\n\n--exec toma el resto de la línea, así que va al final. El proceso recibe el contenido por su\nentrada estándar y el asunto en RECADO_SUBJECT; un encabezado Tipo en RECADO_HEADER_TIPO, y\ntodos en JSON en RECADO_HEADERS. Consulta docs/es/procesos-e-hilos.md, también para la reserva.",
    }

    heading_work() { en: "Processes and threads", es: "Procesos e hilos" }
    heading_service() { en: "As a service", es: "Como servicio" }
    value_program() { en: "CMD", es: "PROGRAMA" }
    value_bytes() { en: "BYTES", es: "BYTES" }

    reply_file() {
        en: "Answer with the content of a file, read once; - is standard input",
        es: "Responder con el contenido de un archivo, leído una vez; - es la entrada estándar",
    }
    reply_exec() {
        en: "Answer with the output of a program, started anew for each request; a single argument with blanks is a line for sh. Takes the rest of the line",
        es: "Responder con la salida de un programa, que se inicia para cada petición; un solo argumento con espacios es una línea para sh. Toma el resto de la línea",
    }
    reply_header() {
        en: "Add a header to each answer; may be repeated",
        es: "Añadir un encabezado a cada respuesta; se puede repetir",
    }
    reply_raw() {
        en: "Show only the requests' payloads, as they are",
        es: "Mostrar solo el contenido de las peticiones, tal cual",
    }
    reply_pool() {
        en: "Start the program of --exec N times, keep it running, and feed it framed messages instead",
        es: "Iniciar N veces el programa de --exec, mantenerlo en marcha y pasarle los mensajes uno tras otro",
    }
    reply_threads() {
        en: "Answer on N threads of the operating system",
        es: "Responder en N hilos del sistema operativo",
    }
    reply_concurrency() {
        en: "How many programs of --exec may run at a time [8]",
        es: "Cuántos programas de --exec pueden correr a la vez [8]",
    }
    reply_waiting() {
        en: "How many requests may wait when all are busy; more get an error reply [128]",
        es: "Cuántas peticiones pueden esperar cuando todos están ocupados; las demás reciben un error [128]",
    }
    reply_deadline() {
        en: "How long a program may take to answer, waiting included; then it is killed [4s]",
        es: "Cuánto puede tardar un programa en responder, incluida la espera; después se lo mata [4s]",
    }
    reply_output_max() {
        en: "How large an answer may be, like 64K or 1M [what the server takes]",
        es: "Qué tamaño puede tener una respuesta, como 64K o 1M [lo que admite el servidor]",
    }
    reply_service() {
        en: "The name that recado service finds it by [made of the subject]",
        es: "El nombre con que lo encuentra recado service [según el asunto]",
    }
    reply_description() {
        en: "What it says about itself there",
        es: "Lo que dice allí de sí mismo",
    }

    bad_seats(written: &str, max: usize) {
        en: "\"{written}\" is no whole number from 1 to {max}",
        es: "«{written}» no es un número entero de 1 a {max}",
    }
    bad_bytes(written: &str) {
        en: "\"{written}\" is no size; write 4096, 64K or 1M",
        es: "«{written}» no es un tamaño; escribe 4096, 64K o 1M",
    }
    bad_service_name(written: &str) {
        en: "\"{written}\" is no name for a service: letters, digits, - and _ only",
        es: "«{written}» no sirve como nombre de servicio: solo letras sin tilde, dígitos, - y _",
    }
    program_not_found(program: &str) {
        en: "there is no program \"{program}\" that could be started",
        es: "no hay ningún programa «{program}» que se pueda iniciar",
    }
    program_is_line(program: &str) {
        en: "\"{program}\" looks like a line for sh, but more follows it",
        es: "«{program}» parece una línea para sh, pero le sigue algo más",
    }
    program_is_line_next() {
        en: "--exec takes the rest of the line: put recado's own options before it",
        es: "--exec toma el resto de la línea: pon antes las opciones de recado",
    }
    program_not_found_next() {
        en: "check the spelling, PATH, and that the file may be executed (chmod +x)",
        es: "revisa cómo está escrito, el PATH y que el archivo sea ejecutable (chmod +x)",
    }

    refused_in(reply: &str, error: &str, took: &str) {
        en: "→ {reply}, answered with error {error} in {took}",
        es: "→ {reply}, respondido con el error {error} en {took}",
    }
    by_process(pid: u32) { en: "(process {pid})", es: "(proceso {pid})" }
    by_thread(id: i32) { en: "(thread {id})", es: "(hilo {id})" }
    and_refused(answered: &str, refused: u64) {
        en: "{answered}, and {refused} with an error",
        es: "{answered}, y {refused} con un error",
    }

    /// A line that a process wrote to its standard error.
    process_says(pid: u32, words: &str) {
        en: "process {pid}: {words}",
        es: "proceso {pid}: {words}",
    }
    not_started(detail: &str) {
        en: "the program can't be started: {detail}",
        es: "no se puede iniciar el programa: {detail}",
    }
    output_held() {
        en: "the process ended, but something that it started still holds its output; only what it wrote by then was sent",
        es: "el proceso terminó, pero algo que inició aún retiene su salida; solo se envió lo escrito hasta entonces",
    }
    ended_with(code: i32) {
        en: "it ended with exit status {code}",
        es: "terminó con el código de salida {code}",
    }
    ended_by(signal: &str) {
        en: "it was ended by {signal}",
        es: "lo terminó {signal}",
    }
    worker_lost(pid: u32, how: &str) {
        en: "worker {pid} was lost: {how}",
        es: "se perdió el proceso {pid} de la reserva: {how}",
    }
    worker_ended_well() {
        en: "it ended by itself (exit status 0); a worker goes on until its input ends",
        es: "terminó por sí mismo (código de salida 0); debe seguir hasta que termine su entrada",
    }
    worker_late(limit: &str) {
        en: "it did not answer within {limit} and was killed",
        es: "no respondió en {limit} y se lo mató",
    }
    worker_malformed(why: &str) {
        en: "its answer is malformed: {why}",
        es: "su respuesta está mal formada: {why}",
    }
    worker_too_large(max: usize) {
        en: "its answer is larger than {max} bytes",
        es: "su respuesta tiene más de {max} bytes",
    }
    worker_silent() {
        en: "it closed its output",
        es: "cerró su salida",
    }
    replaced_now(lost: &str) {
        en: "{lost}; another one takes its place",
        es: "{lost}; otro ocupa su lugar",
    }
    replaced_in(lost: &str, pause: &str) {
        en: "{lost}; another one takes its place in {pause}",
        es: "{lost}; otro ocupará su lugar en {pause}",
    }
}
