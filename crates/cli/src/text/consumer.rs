//! What the commands of `recado consumer` say, but for what all of them have in common.

super::texts! {
    about() {
        en: "Consumers: who reads a stream, from where, and how far it has got (also: con)",
        es: "Consumidores: quién lee un flujo, desde dónde y hasta dónde llegó (también: con)",
    }
    usage() { en: "recado consumer [OPTIONS] COMMAND …", es: "recado consumer [OPCIONES] ORDEN …" }
    examples() {
        en: "A consumer remembers what was handled (acknowledged); what was not comes again.\n\nExamples:\n  recado consumer add ORDERS shipping\n  recado consumer next ORDERS shipping --count 10\n  recado consumer report ORDERS",
        es: "Un consumidor recuerda lo que ya se trató (se confirmó); lo demás vuelve a llegar.\n\nEjemplos:\n  recado consumer add PEDIDOS envios\n  recado consumer next PEDIDOS envios --count 10\n  recado consumer report PEDIDOS",
    }

    add_about() { en: "Make a consumer", es: "Crear un consumidor" }
    add_usage() {
        en: "recado consumer add [OPTIONS] STREAM [CONSUMER]",
        es: "recado consumer add [OPCIONES] FLUJO [CONSUMIDOR]",
    }
    add_examples() {
        en: "Examples:\n  recado consumer add ORDERS shipping\n  recado consumer add ORDERS books --filter orders.books --deliver new --max-deliver 5\n  recado consumer add ORDERS --ephemeral --ack none\n  recado consumer add ORDERS mails --push-to mails --ack-wait 1m --backoff 1s,10s,1m\n\nWithout --push-to it is pulled from: next and sub of recado consumer do, and every NATS client.",
        es: "Ejemplos:\n  recado consumer add PEDIDOS envios\n  recado consumer add PEDIDOS libros --filter pedidos.libros --deliver new --max-deliver 5\n  recado consumer add PEDIDOS --ephemeral --ack none\n  recado consumer add PEDIDOS correos --push-to correos --ack-wait 1m --backoff 1s,10s,1m\n\nSin --push-to se le piden los mensajes: lo hacen next y sub de recado consumer, y todo cliente NATS.",
    }

    ls_about() { en: "List the consumers of a stream", es: "Listar los consumidores de un flujo" }
    ls_usage() {
        en: "recado consumer ls [OPTIONS] STREAM",
        es: "recado consumer ls [OPCIONES] FLUJO",
    }
    ls_examples() {
        en: "Examples:\n  recado consumer ls ORDERS\n  recado consumer ls ORDERS --json",
        es: "Ejemplos:\n  recado consumer ls PEDIDOS\n  recado consumer ls PEDIDOS --json",
    }

    info_about() {
        en: "Show how a consumer is set up and how far it has got",
        es: "Mostrar cómo está configurado un consumidor y hasta dónde llegó",
    }
    info_usage() {
        en: "recado consumer info [OPTIONS] STREAM CONSUMER",
        es: "recado consumer info [OPCIONES] FLUJO CONSUMIDOR",
    }
    info_examples() {
        en: "Examples:\n  recado consumer info ORDERS shipping",
        es: "Ejemplos:\n  recado consumer info PEDIDOS envios",
    }

    next_about() {
        en: "Take the next messages and acknowledge them",
        es: "Tomar los siguientes mensajes y confirmarlos",
    }
    next_usage() {
        en: "recado consumer next [OPTIONS] STREAM CONSUMER",
        es: "recado consumer next [OPCIONES] FLUJO CONSUMIDOR",
    }
    next_examples() {
        en: "Examples:\n  recado consumer next ORDERS shipping\n  recado consumer next ORDERS shipping --count 10 --timeout 2s\n  recado consumer next ORDERS shipping --nak --raw\n  recado consumer next ORDERS shipping --term \"broken order\"\n\nIf nothing comes within --timeout [5s] that is the end; with --count, a failure if it was fewer.",
        es: "Ejemplos:\n  recado consumer next PEDIDOS envios\n  recado consumer next PEDIDOS envios --count 10 --timeout 2s\n  recado consumer next PEDIDOS envios --nak --raw\n  recado consumer next PEDIDOS envios --term \"broken order\"\n\nSi no llega nada en --timeout [5s] se termina; con --count es un fallo si fueron menos.",
    }

    rm_about() {
        en: "Remove a consumer; what it had handled is forgotten",
        es: "Eliminar un consumidor; se olvida lo que había tratado",
    }
    rm_usage() {
        en: "recado consumer rm [OPTIONS] STREAM CONSUMER",
        es: "recado consumer rm [OPCIONES] FLUJO CONSUMIDOR",
    }
    rm_examples() {
        en: "Examples:\n  recado consumer rm ORDERS shipping --yes",
        es: "Ejemplos:\n  recado consumer rm PEDIDOS envios --yes",
    }

    edit_about() {
        en: "Change how a consumer is set up; shows the difference first",
        es: "Cambiar la configuración de un consumidor; antes muestra la diferencia",
    }
    edit_usage() {
        en: "recado consumer edit [OPTIONS] STREAM CONSUMER",
        es: "recado consumer edit [OPCIONES] FLUJO CONSUMIDOR",
    }
    edit_examples() {
        en: "Examples:\n  recado consumer edit ORDERS shipping --max-deliver 5 --yes\n  recado consumer edit ORDERS shipping --ack-wait 1m --dry-run",
        es: "Ejemplos:\n  recado consumer edit PEDIDOS envios --max-deliver 5 --yes\n  recado consumer edit PEDIDOS envios --ack-wait 1m --dry-run",
    }

    copy_about() {
        en: "Make a consumer set up like another of the same stream",
        es: "Crear un consumidor configurado como otro del mismo flujo",
    }
    copy_usage() {
        en: "recado consumer copy [OPTIONS] STREAM SOURCE CONSUMER",
        es: "recado consumer copy [OPCIONES] FLUJO ORIGEN CONSUMIDOR",
    }
    copy_examples() {
        en: "Examples:\n  recado consumer copy ORDERS shipping returns --filter orders.returns",
        es: "Ejemplos:\n  recado consumer copy PEDIDOS envios devoluciones --filter pedidos.devoluciones",
    }

    report_about() {
        en: "A table of the consumers: how far behind, what waits for its acknowledgement",
        es: "Una tabla de los consumidores: cuánto se atrasan, qué espera confirmación",
    }
    report_usage() {
        en: "recado consumer report [OPTIONS] [STREAM]",
        es: "recado consumer report [OPCIONES] [FLUJO]",
    }
    report_examples() {
        en: "Examples:\n  recado consumer report\n  recado consumer report ORDERS --json",
        es: "Ejemplos:\n  recado consumer report\n  recado consumer report PEDIDOS --json",
    }

    find_about() { en: "Find consumers by what they are like", es: "Buscar consumidores por cómo son" }
    find_usage() {
        en: "recado consumer find [OPTIONS] [STREAM]",
        es: "recado consumer find [OPCIONES] [FLUJO]",
    }
    find_examples() {
        en: "What is asked for must hold all together; what asks for nothing finds all of them.\n\nExamples:\n  recado consumer find ORDERS --pull --idle 7d\n  recado consumer find --ack-pending 100 --invert\n  recado consumer find ORDERS --bound --names",
        es: "Lo que se pide debe cumplirse todo a la vez; si no se pide nada, los encuentra todos.\n\nEjemplos:\n  recado consumer find PEDIDOS --pull --idle 7d\n  recado consumer find --ack-pending 100 --invert\n  recado consumer find PEDIDOS --bound --names",
    }
    find_stream() {
        en: "The stream [all of them]",
        es: "El flujo [todos]",
    }
    find_pull() { en: "Those that are asked for messages", es: "Aquellos a los que se piden los mensajes" }
    find_push() { en: "Those that deliver by themselves", es: "Los que entregan por sí mismos" }
    find_bound() {
        en: "Those that somebody listens to: a subscription, or a request that waits",
        es: "Aquellos a los que alguien escucha: una suscripción, o una petición en espera",
    }
    find_pinned() {
        en: "Those of which each priority group is pinned to a client",
        es: "Aquellos en los que cada grupo de prioridad está fijado a un cliente",
    }
    find_waiting() {
        en: "Those with fewer requests that wait",
        es: "Los que tienen menos peticiones en espera",
    }
    find_ack_pending() {
        en: "Those with fewer messages that wait for an ack",
        es: "Los que tienen menos mensajes sin confirmar",
    }
    find_pending() {
        en: "Those with fewer messages to deliver",
        es: "Los que tienen menos mensajes por entregar",
    }
    find_idle() {
        en: "Those that delivered nothing for so long",
        es: "Los que no entregaron nada en este tiempo",
    }
    find_created() {
        en: "Those that were made so long ago or before",
        es: "Los que se crearon hace este tiempo o más",
    }
    find_invert() {
        en: "Those for which it does not hold",
        es: "Aquellos para los que no se cumple",
    }
    find_names() {
        en: "Only the names; with their streams in front, where none was given",
        es: "Solo los nombres; precedidos de sus flujos, si no se indicó ninguno",
    }
    find_none() { en: "No consumer is like that.", es: "Ningún consumidor es así." }

    graph_about() {
        en: "Draw what a consumer has to do and how fast it does it",
        es: "Dibujar lo que un consumidor tiene pendiente y a qué ritmo lo hace",
    }
    graph_usage() {
        en: "recado consumer graph [OPTIONS] STREAM CONSUMER",
        es: "recado consumer graph [OPCIONES] FLUJO CONSUMIDOR",
    }
    graph_examples() {
        en: "Without a terminal, and with --once, it shows the figures of one interval and ends. With --json and without\n--once, an object at each interval.\n\nExamples:\n  recado consumer graph ORDERS shipping\n  recado consumer graph ORDERS shipping --json --interval 10s >> figures.jsonl",
        es: "Sin terminal, y con --once, muestra las cifras de un intervalo y termina. Con --json y sin --once, un\nobjeto por intervalo.\n\nEjemplos:\n  recado consumer graph PEDIDOS envios\n  recado consumer graph PEDIDOS envios --json --interval 10s >> cifras.jsonl",
    }
    graph_looking(name: &str) { en: "{name} · looking …", es: "{name} · mirando …" }
    graph_pending(now: &str, most: &str) {
        en: "to deliver: {now} · highest {most}",
        es: "por entregar: {now} · máximo {most}",
    }
    graph_unacked(now: &str, most: &str) {
        en: "waiting for an ack: {now} · highest {most}",
        es: "sin confirmar: {now} · máximo {most}",
    }
    graph_delivered(now: &str, most: &str) {
        en: "delivered a second: {now} · highest {most}",
        es: "entregados por segundo: {now} · máximo {most}",
    }
    graph_acknowledged(now: &str, most: &str) {
        en: "acknowledged a second: {now} · highest {most}",
        es: "confirmados por segundo: {now} · máximo {most}",
    }
    graph_keys() { en: " q quit ", es: " q salir " }
    column_delivered_rate() { en: "DELIVERED/S", es: "ENTREGADOS/S" }
    column_acknowledged_rate() { en: "ACKNOWLEDGED/S", es: "CONFIRMADOS/S" }

    pause_about() {
        en: "Have a consumer deliver nothing for a while",
        es: "Hacer que un consumidor no entregue nada durante un tiempo",
    }
    pause_usage() {
        en: "recado consumer pause [OPTIONS] STREAM CONSUMER TIME",
        es: "recado consumer pause [OPCIONES] FLUJO CONSUMIDOR TIEMPO",
    }
    pause_examples() {
        en: "Examples:\n  recado consumer pause ORDERS shipping 1h --yes",
        es: "Ejemplos:\n  recado consumer pause PEDIDOS envios 1h --yes",
    }

    resume_about() { en: "End the pause of a consumer", es: "Terminar la pausa de un consumidor" }
    resume_usage() {
        en: "recado consumer resume [OPTIONS] STREAM CONSUMER",
        es: "recado consumer resume [OPCIONES] FLUJO CONSUMIDOR",
    }
    resume_examples() {
        en: "Examples:\n  recado consumer resume ORDERS shipping",
        es: "Ejemplos:\n  recado consumer resume PEDIDOS envios",
    }

    sub_about() {
        en: "Take messages as they come, and acknowledge them",
        es: "Tomar los mensajes según llegan, y confirmarlos",
    }
    sub_usage() {
        en: "recado consumer sub [OPTIONS] STREAM CONSUMER",
        es: "recado consumer sub [OPCIONES] FLUJO CONSUMIDOR",
    }
    sub_examples() {
        en: "Examples:\n  recado consumer sub ORDERS shipping\n  recado consumer sub ORDERS shipping --count 100 --raw\n  recado consumer sub ORDERS shipping --no-ack --timeout 10s",
        es: "Ejemplos:\n  recado consumer sub PEDIDOS envios\n  recado consumer sub PEDIDOS envios --count 100 --raw\n  recado consumer sub PEDIDOS envios --no-ack --timeout 10s",
    }

    value_source() { en: "SOURCE", es: "ORIGEN" }
    value_reason() { en: "REASON", es: "MOTIVO" }
    filter() {
        en: "Only messages on subjects that this covers; several with commas [all]",
        es: "Solo los mensajes de asuntos que esto abarque; varios con comas [todos]",
    }
    deliver() {
        en: "Where it begins: all, new, last, last-per-subject, a sequence, or a time ago like 1h [all]",
        es: "Por dónde empieza: all (todo), new (lo nuevo), last (el último), last-per-subject, una secuencia, o hace un tiempo como 1h [all]",
    }
    bad_deliver(written: &str) {
        en: "\"{written}\" is no beginning; write all, new, last, last-per-subject, a sequence like 17 or a time ago like 1h",
        es: "«{written}» no es un comienzo; escribe all, new, last, last-per-subject, una secuencia como 17 o hace un tiempo como 1h",
    }
    ack() {
        en: "explicit: each message is acknowledged; all: one stands for those before it; none [explicit]",
        es: "explicit: se confirma cada mensaje; all: uno vale por los anteriores; none: ninguno [explicit]",
    }
    ack_wait() {
        en: "A message that is not acknowledged within this time comes again [30s]",
        es: "Un mensaje que no se confirma en este tiempo vuelve a llegar [30s]",
    }
    max_deliver() {
        en: "It comes so often at the most [unlimited]",
        es: "Llega tantas veces como máximo [sin límite]",
    }
    max_pending() {
        en: "So many may wait for their acknowledgement [1000]",
        es: "Cuántos pueden esperar confirmación [1000]",
    }
    max_waiting() {
        en: "So many requests may wait [512]",
        es: "Cuántas peticiones pueden esperar [512]",
    }
    backoff() {
        en: "How long until it comes again, the first time, the second, …, with commas",
        es: "Cuánto tarda en volver a llegar la primera vez, la segunda, …, con comas",
    }
    replay() {
        en: "instant: as fast as possible; original: as it was stored [instant]",
        es: "instant: lo más rápido posible; original: al ritmo en que se guardó [instant]",
    }
    headers_only() {
        en: "Headers without payloads [false]",
        es: "Encabezados sin contenidos [false]",
    }
    inactive() {
        en: "It is removed when nobody asks it for so long [durable: never]",
        es: "Se elimina cuando nadie le pide nada en este tiempo [duradero: nunca]",
    }
    ephemeral() {
        en: "Not kept: it goes when nobody uses it",
        es: "No se conserva: desaparece cuando nadie lo usa",
    }
    memory() {
        en: "Keep how far it has got in memory only [false]",
        es: "Guardar hasta dónde llegó solo en memoria [false]",
    }
    push_to() {
        en: "Deliver to this subject, unasked",
        es: "Entregar en este asunto, sin que lo pidan",
    }
    push_group() { en: "Share them in this queue group", es: "Repartirlos en este grupo de cola" }
    heartbeat() {
        en: "A sign of life when nothing else is sent for so long",
        es: "Una señal de vida cuando no se envía otra cosa en este tiempo",
    }
    flow_control() {
        en: "Wait for those who receive [false]",
        es: "Esperar a quienes reciben [false]",
    }
    name_needed() {
        en: "a consumer that is kept needs a name",
        es: "un consumidor que se conserva necesita un nombre",
    }
    name_needed_next() {
        en: "give it one behind the stream, or say --ephemeral",
        es: "dáselo detrás del flujo, o indica --ephemeral",
    }
    ask_name() {
        en: "Name, or nothing for one that goes when nobody uses it:",
        es: "Nombre, o nada para uno que desaparece cuando nadie lo usa:",
    }
    ask_filter() {
        en: "Only messages on this subject, like orders.eu.> [all]:",
        es: "Solo mensajes de este asunto, como pedidos.eu.> [todos]:",
    }
    ask_deliver() {
        en: "Where to begin: all, new, last, a sequence, or a time ago like 1h [all]:",
        es: "Desde dónde: all (todos), new (nuevos), last (último), una secuencia o hace cuánto, como 1h [all]:",
    }
    ask_ack() {
        en: "Acknowledging: explicit, all or none [explicit]:",
        es: "Confirmación: explicit (cada uno), all (hasta uno) o none (ninguna) [explicit]:",
    }
    ask_max_deliver() {
        en: "Deliveries before a message is given up [unlimited]:",
        es: "Entregas antes de dar por perdido un mensaje [sin límite]:",
    }
    bad_max_deliver(written: &str) {
        en: "{written} is no number of deliveries",
        es: "{written} no es un número de entregas",
    }
    count_next() { en: "So many [1]", es: "Tantos [1]" }
    count_sub() { en: "End after so many", es: "Terminar tras tantos" }
    no_ack() { en: "Don't acknowledge; they come again", es: "No confirmar; vuelven a llegar" }
    nak() {
        en: "Refuse them, so that they come again at once",
        es: "Rechazarlos, para que vuelvan a llegar enseguida",
    }
    term() {
        en: "Give them up with a reason: they don't come again",
        es: "Descartarlos con un motivo: no vuelven a llegar",
    }
    push_not_pulled(name: &str, subject: &str) {
        en: "{name} delivers by itself to the subject {subject}; it can't be asked",
        es: "{name} entrega por sí mismo en el asunto {subject}; no se le puede pedir",
    }
    push_not_pulled_next(subject: &str) {
        en: "listen there: recado sub {subject}",
        es: "escucha allí: recado sub {subject}",
    }
    nothing(name: &str, limit: &str) {
        en: "nothing came from the consumer {name} within {limit}",
        es: "no llegó nada del consumidor {name} en {limit}",
    }
    too_few(name: &str, received: u64, wanted: u64, limit: &str) {
        en: "{received} of {wanted} messages from the consumer {name} within {limit}",
        es: "{received} de {wanted} mensajes del consumidor {name} en {limit}",
    }
    nothing_next(stream: &str, name: &str) {
        en: "recado consumer info {stream} {name} shows what is pending, and whether it is paused",
        es: "recado consumer info {stream} {name} muestra qué hay pendiente y si está en pausa",
    }
    status(name: &str, status: &str) {
        en: "the consumer {name} ended the request: {status}",
        es: "el consumidor {name} terminó la petición: {status}",
    }
    taking(stream: &str, name: &str) {
        en: "Taking messages of {stream} as {name}; Ctrl-C ends.",
        es: "Tomando mensajes de {stream} como {name}; Ctrl-C termina.",
    }
    rm_question(stream: &str, name: &str) {
        en: "Remove the consumer {name} of the stream {stream}?",
        es: "¿Eliminar el consumidor {name} del flujo {stream}?",
    }
    pause_question(name: &str, span: &str) {
        en: "Have {name} deliver nothing for {span}?",
        es: "¿Que {name} no entregue nada durante {span}?",
    }
    pause_span() { en: "For how long", es: "Durante cuánto" }
    paused(name: &str, until: &str) {
        en: "{name} pauses until {until}",
        es: "{name} está en pausa hasta {until}",
    }
    resumed(name: &str) { en: "{name} goes on", es: "{name} sigue" }
    none_yet(stream: &str) {
        en: "The stream {stream} has no consumers; make one: recado consumer add {stream} NAME",
        es: "El flujo {stream} no tiene consumidores; crea uno: recado consumer add {stream} NOMBRE",
    }
    pull() { en: "pull", es: "a petición" }
    push() { en: "push", es: "por sí mismo" }
    fact_filter() { en: "subjects", es: "asuntos" }
    fact_kind() { en: "kind", es: "tipo" }
    fact_deliver() { en: "begins with", es: "empieza por" }
    fact_ack() { en: "acknowledgement", es: "confirmación" }
    fact_limits() { en: "limits", es: "límites" }
    fact_created() { en: "created", es: "creado" }
    fact_delivered() { en: "delivered", es: "entregado" }
    fact_floor() { en: "acknowledged up to", es: "confirmado hasta" }
    fact_pending() { en: "pending", es: "pendientes" }
    fact_unacked() { en: "waiting for an ack", es: "esperan confirmación" }
    fact_redelivered() { en: "redelivered", es: "repetidos" }
    fact_waiting() { en: "requests waiting", es: "peticiones en espera" }
    fact_paused() { en: "paused until", es: "en pausa hasta" }
    fact_inactive() { en: "removed when unused for", es: "se elimina sin uso tras" }
    acked(policy: &str, wait: &str, most: &str) {
        en: "{policy}; comes again after {wait}; deliveries: {most}",
        es: "{policy}; vuelve tras {wait}; entregas: {most}",
    }
    at_most(pending: &str, waiting: &str) {
        en: "unacknowledged: {pending}; requests: {waiting}",
        es: "sin confirmar: {pending}; peticiones: {waiting}",
    }
    reached(consumer: u64, stream: u64, ago: &str) {
        en: "{consumer} deliveries, up to #{stream}, {ago} ago",
        es: "{consumer} entregas, hasta #{stream}, hace {ago}",
    }
    floor(stream: u64) { en: "#{stream}", es: "#{stream}" }
    durable() { en: "durable", es: "duradero" }
    passing() { en: "ephemeral", es: "efímero" }
}
