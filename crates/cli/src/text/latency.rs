//! What `recado latency` says, also in the charts that it saves.

super::texts! {
    about() {
        en: "Measure request and reply at a fixed rate: percentiles, a histogram, a chart",
        es: "Medir petición y respuesta a ritmo fijo: percentiles, histograma, gráfico",
    }
    usage() {
        en: "recado latency [OPTIONS] [SUBJECT]",
        es: "recado latency [OPCIONES] [ASUNTO]",
    }
    subject() {
        en: "Whom to ask; without it, a responder of its own on a subject of its own",
        es: "A quién preguntar; si falta, a uno propio, en un asunto propio",
    }
    responder() {
        en: "Answer on SUBJECT itself, over a second connection",
        es: "Responder por sí mismo en ASUNTO, por una segunda conexión",
    }
    rate() {
        en: "Requests a second [1000]",
        es: "Peticiones por segundo [1000]",
    }
    duration() { en: "How long to measure [10s]", es: "Cuánto tiempo medir [10s]" }
    warm_up() {
        en: "How long to ask before it counts [1s]",
        es: "Cuánto tiempo preguntar antes de que cuente [1s]",
    }
    size() {
        en: "Bytes of each request, like 128, 4KB or 1MiB [128]",
        es: "Bytes de cada petición, como 128, 4KB o 1MiB [128]",
    }
    outstanding() {
        en: "How many may be without an answer at once; beyond that they count as lost without being sent [65536]",
        es: "Cuántas pueden estar sin respuesta a la vez; las que pasen de ahí se dan por perdidas sin enviarse [65536]",
    }
    save() {
        en: "Save a chart (.svg, or .html with the figures) or the figures (.json, .hgrm); may be repeated",
        es: "Guardar un gráfico (.svg, o .html con las cifras) o las cifras (.json, .hgrm); se puede repetir",
    }
    examples() {
        en: "Each latency counts from when the request was due, not from when it could be sent: a server that\nstands still for a second shows up as the thousand requests that were due meanwhile (no\ncoordinated omission). A request without an answer within --timeout is lost, counts as slower than all\nothers, and gives the exit status 4.\n\nExamples:\n  recado latency\n  recado latency --rate 10k --duration 30s --save latency.html\n  recado latency greet --rate 100 --size 4KiB\n  recado latency my.subject --responder --save before.svg --save before.hgrm",
        es: "Cada latencia cuenta desde que tocaba la petición, no desde que se pudo enviar: un servidor que se\ndetiene un segundo se ve como las mil peticiones que tocaban mientras tanto (sin omisión coordinada).\nUna petición sin respuesta en --timeout se da por perdida, cuenta como más lenta que todas las demás\ny da el código de salida 4.\n\nEjemplos:\n  recado latency\n  recado latency --rate 10k --duration 30s --save latencia.html\n  recado latency saludo --rate 100 --size 4KiB\n  recado latency mi.asunto --responder --save antes.svg --save antes.hgrm",
    }

    value_rate() { en: "N", es: "N" }
    value_size() { en: "SIZE", es: "TAMAÑO" }

    begins(subject: &str, server: &str, rate: &str, length: &str) {
        en: "Asking on {subject} at {server}, {rate} times a second for {length}; Ctrl-C ends.",
        es: "Preguntando en {subject}, servidor {server}, {rate} veces por segundo durante {length}; Ctrl-C termina.",
    }
    progress() { en: "requests", es: "peticiones" }

    title(subject: &str, server: &str) {
        en: "Latency of {subject} at {server}",
        es: "Latencia de {subject} en {server}",
    }
    title_own(server: &str) {
        en: "Request/reply latency at {server}",
        es: "Latencia de petición y respuesta en {server}",
    }
    setting(rate: &str, length: &str, size: &str, responder: &str, program: &str) {
        en: "{rate} requests/s for {length}, {size}, {responder}; server {program}",
        es: "{rate} peticiones/s durante {length}, {size}, {responder}; servidor {program}",
    }
    own_responder() { en: "own responder", es: "responde este programa" }
    other_responder() { en: "answered by others", es: "responden otros" }
    counts(due: &str, answered: &str, lost: &str, loss: &str) {
        en: "{due} requests, {answered} answered, {lost} lost ({loss} %)",
        es: "{due} peticiones, {answered} respondidas, {lost} perdidas ({loss} %)",
    }
    unsent(unsent: &str, most: &str) {
        en: "of the lost, {unsent} were not even sent: {most} others were without an answer (--outstanding)",
        es: "de las perdidas, {unsent} ni se enviaron: había {most} sin respuesta (--outstanding)",
    }
    nobody(nobody: &str) {
        en: "of the lost, {nobody} found nobody listening",
        es: "de las perdidas, {nobody} no encontraron a nadie escuchando",
    }
    spread(mean: &str, deviation: &str) {
        en: "mean {mean}, standard deviation {deviation}",
        es: "media {mean}, desviación estándar {deviation}",
    }
    late(p99: &str, max: &str) {
        en: "this program sent 99 % within {p99} of when they were due, all within {max}; that is part of the latencies",
        es: "este programa envió el 99 % en los {p99} siguientes a cuando tocaban, todas en {max}; es parte de las latencias",
    }
    nothing() {
        en: "Nothing was measured.",
        es: "No se midió nada.",
    }
    is_lost() { en: "lost", es: "perdida" }
    lowest() { en: "min", es: "mín" }
    highest() { en: "max", es: "máx" }
    column_percentile() { en: "percentile", es: "percentil" }
    column_latency() { en: "latency", es: "latencia" }
    column_requests() { en: "requests", es: "peticiones" }

    chart_spectrum() { en: "Percentiles", es: "Percentiles" }
    chart_spectrum_note() {
        en: "the latency that this part of the requests did not exceed",
        es: "la latencia que esta parte de las peticiones no superó",
    }
    chart_time() { en: "Over time", es: "A lo largo del tiempo" }
    chart_time_note() {
        en: "by when the request was due",
        es: "según cuándo tocaba la petición",
    }
    chart_distribution() { en: "Distribution", es: "Distribución" }
    chart_distribution_note() {
        en: "how many requests took how long",
        es: "cuántas peticiones tardaron cuánto",
    }
    axis_percentile() { en: "percentile of all requests", es: "percentil de todas las peticiones" }
    axis_latency() { en: "latency", es: "latencia" }
    axis_time() { en: "time since the start (s)", es: "tiempo desde el inicio (s)" }
    axis_requests() { en: "requests", es: "peticiones" }
    page_method() {
        en: "Requests leave at a fixed rate, whatever became of those before (an open loop), and each latency counts from when its request was due. Lost requests count as slower than all answered ones.",
        es: "Las peticiones salen a ritmo fijo, pase lo que pase con las anteriores (lazo abierto), y cada latencia cuenta desde que tocaba la petición. Las perdidas cuentan como más lentas que todas las respondidas.",
    }
    page_made(program: &str, time: &str) {
        en: "Measured with {program} on {time}",
        es: "Medido con {program} el {time}",
    }

    lost_some(lost: &str, due: &str, limit: &str) {
        en: "requests without an answer within {limit}: {lost} of {due}",
        es: "peticiones sin respuesta en {limit}: {lost} de {due}",
    }
    lost_next() {
        en: "the responder or the server did not keep up, or stood still: lower --rate, or look at them",
        es: "quien responde o el servidor no dieron abasto, o se detuvieron: baja --rate, o míralos",
    }
    bad_rate(written: &str, most: &str) {
        en: "\"{written}\" is no rate; write a whole number from 1 to {most}",
        es: "«{written}» no es un ritmo; escribe un número entero de 1 a {most}",
    }
    too_many(requests: &str, most: &str) {
        en: "{requests} requests are too many for one measurement; the most is {most}",
        es: "{requests} peticiones son demasiadas para una medición; como máximo {most}",
    }
    too_many_next() {
        en: "lower --rate, --duration or --warm-up",
        es: "baja --rate, --duration o --warm-up",
    }
    too_short() {
        en: "at this rate not a single request is due in that time",
        es: "a este ritmo no toca ni una petición en ese tiempo",
    }
    too_short_next() {
        en: "raise --rate or --duration",
        es: "sube --rate o --duration",
    }
    bad_save(written: &str) {
        en: "\"{written}\" has no ending that says what to save; use .svg, .html, .json or .hgrm",
        es: "«{written}» no termina de un modo que diga qué guardar; usa .svg, .html, .json o .hgrm",
    }
    saved(path: &str) { en: "saved {path}", es: "guardado {path}" }
    unsaved(path: &str, detail: &str) {
        en: "can't write {path}: {detail}",
        es: "no se puede escribir {path}: {detail}",
    }
    unsaved_next() {
        en: "check the directory, its permissions and the space on the disk",
        es: "revisa el directorio, sus permisos y el espacio en disco",
    }
}
