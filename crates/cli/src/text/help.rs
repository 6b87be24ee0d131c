//! The help: what the program, its commands and their options do, with examples.

super::texts! {
    about() {
        en: "Talk between processes through a NATS server: send, listen, ask, answer, measure.",
        es: "Habla entre procesos a través de un servidor NATS: envía, escucha, pregunta, responde, mide.",
    }
    usage() {
        en: "recado [OPTIONS] COMMAND …",
        es: "recado [OPCIONES] ORDEN …",
    }
    after(statuses: &str) {
        en: "First steps, in three terminals:\n  recado-server\n  recado reply greet --text 'hello to you'\n  recado request greet hello\n\n{statuses}",
        es: "Primeros pasos, en tres terminales:\n  recado-server\n  recado reply saludo --text 'hola a ti'\n  recado request saludo hola\n\n{statuses}",
    }
    heading_global() { en: "Connection and output", es: "Conexión y salida" }

    value_file() { en: "FILE", es: "ARCHIVO" }
    value_name() { en: "NAME", es: "NOMBRE" }
    value_password() { en: "PASSWORD", es: "CONTRASEÑA" }
    value_seed() { en: "SEED", es: "SEMILLA" }
    value_prefix() { en: "PREFIX", es: "PREFIJO" }
    value_span() { en: "TIME", es: "TIEMPO" }
    value_command() { en: "COMMAND", es: "ORDEN" }
    value_subject() { en: "SUBJECT", es: "ASUNTO" }
    value_text() { en: "TEXT", es: "TEXTO" }
    value_group() { en: "GROUP", es: "GRUPO" }
    value_header() { en: "NAME:VALUE", es: "NOMBRE:VALOR" }

    version() { en: "Show the version", es: "Mostrar la versión" }
    help() { en: "Show this help", es: "Mostrar esta ayuda" }
    server() {
        en: "The server, or several separated by commas [NATS_URL; nats://127.0.0.1:4222]",
        es: "El servidor, o varios separados por comas [NATS_URL; nats://127.0.0.1:4222]",
    }
    token_file() {
        en: "Take the token from the first line of a file",
        es: "Tomar el token de la primera línea de un archivo",
    }
    token() {
        en: "The token; better in RECADO_TOKEN or NATS_TOKEN, or a file: other users see a command line",
        es: "El token; mejor en RECADO_TOKEN o NATS_TOKEN, o en un archivo: otros usuarios ven la línea de órdenes",
    }
    context() {
        en: "Use this context: a name, or a file that ends in .json [NATS_CONTEXT; the selected one]",
        es: "Usar este contexto: un nombre, o un archivo terminado en .json [NATS_CONTEXT; el elegido]",
    }
    no_context() {
        en: "Use no context, not even the selected one",
        es: "No usar ningún contexto, ni el elegido",
    }
    user() {
        en: "The user; without a password it is taken for a token [NATS_USER]",
        es: "El usuario; sin contraseña se toma como token [NATS_USER]",
    }
    creds() {
        en: "The credentials file: a user's JWT and key (.creds) [NATS_CREDS]",
        es: "El archivo de credenciales: el JWT y la clave de un usuario (.creds) [NATS_CREDS]",
    }
    nkey() {
        en: "The file with the seed of an nkey [NATS_NKEY]",
        es: "El archivo con la semilla de una nkey [NATS_NKEY]",
    }
    jwt() {
        en: "The user's JWT, or file://PATH or env://NAME where it is [NATS_JWT]",
        es: "El JWT del usuario, o file://RUTA o env://NOMBRE donde está [NATS_JWT]",
    }
    seed() {
        en: "Where the seed of the JWT's key is: file://PATH or env://NAME [NATS_SEED]",
        es: "Dónde está la semilla de la clave del JWT: file://RUTA o env://NOMBRE [NATS_SEED]",
    }
    tlsca() {
        en: "Trust the certificate authorities in this file, and no others; TLS is then a must [NATS_CA]",
        es: "Confiar solo en las autoridades de certificación de este archivo; TLS es entonces obligatorio [NATS_CA]",
    }
    tlscert() {
        en: "Our own certificate, for servers that ask for one [NATS_CERT]",
        es: "Nuestro propio certificado, para servidores que lo pidan [NATS_CERT]",
    }
    tlskey() {
        en: "The private key of --tlscert [NATS_KEY]",
        es: "La clave privada de --tlscert [NATS_KEY]",
    }
    tlsfirst() {
        en: "Begin with TLS, before the server greets (its handshake_first)",
        es: "Empezar con TLS, antes de que el servidor salude (su handshake_first)",
    }
    inbox_prefix() {
        en: "What the reply subjects of this client begin with [_INBOX]",
        es: "Con qué empiezan los asuntos de respuesta de este cliente [_INBOX]",
    }
    password() {
        en: "The user's password; better in NATS_PASSWORD",
        es: "La contraseña del usuario; mejor en NATS_PASSWORD",
    }
    timeout() {
        en: "How long an answer may take, like 500ms, 2s or 1m [5s]; for sub: how long silence may last [forever]",
        es: "Cuánto puede tardar una respuesta, como 500ms, 2s o 1m [5s]; en sub: cuánto puede durar el silencio [sin fin]",
    }
    retry() {
        en: "If the server is not there yet, wait for it instead of failing",
        es: "Si el servidor aún no está, esperarlo en vez de fallar",
    }
    deadline() {
        en: "Wait for the server (and with --wait for a responder) so long at the most; implies --retry",
        es: "Esperar al servidor (y con --wait a quien responda) este tiempo como máximo; implica --retry",
    }
    name() {
        en: "The name that the server shows for this connection [recado]; in chat: what you are called [USER]",
        es: "El nombre con que el servidor muestra esta conexión [recado]; en chat: cómo te llamas [USER]",
    }
    json() {
        en: "Results and errors as JSON, one object a line",
        es: "Resultados y errores en JSON, un objeto por línea",
    }
    lang() {
        en: "The language [from LANG]",
        es: "El idioma [según LANG]",
    }

    content_text() {
        en: "What to send; without it, or with -, standard input to its end",
        es: "Lo que se envía; si falta, o con -, la entrada estándar completa",
    }
    content_file() { en: "Send the content of a file", es: "Enviar el contenido de un archivo" }
    content_header() {
        en: "Add a header; may be repeated",
        es: "Añadir un encabezado; se puede repetir",
    }

    pub_about() {
        en: "Send messages; ends when the server has confirmed them",
        es: "Enviar mensajes; termina cuando el servidor los ha confirmado",
    }
    pub_usage() {
        en: "recado pub [OPTIONS] SUBJECT [TEXT]",
        es: "recado pub [OPCIONES] ASUNTO [TEXTO]",
    }
    pub_subject() { en: "Where to send", es: "A dónde se envía" }
    pub_lines() {
        en: "Send each line of standard input as a message, as soon as it is there",
        es: "Enviar cada línea de la entrada estándar como un mensaje, en cuanto llega",
    }
    pub_reply() {
        en: "The reply subject: where answers are wanted",
        es: "El asunto de respuesta: dónde se esperan las respuestas",
    }
    pub_count() { en: "Send it so many times [1]", es: "Enviarlo tantas veces [1]" }
    pub_ack() {
        en: "Into a stream: wait until it is stored, and show where",
        es: "A un flujo: esperar a que quede guardado, y mostrar dónde",
    }
    pub_examples() {
        en: "Examples:\n  recado pub greet 'hello, everybody'\n  recado pub orders.new 'one book' --ack\n  recado pub orders.new --file order.json -H kind:book\n  tail -f app.log | recado pub logs --lines\n  date | recado pub now",
        es: "Ejemplos:\n  recado pub saludo 'hola a todos'\n  recado pub pedidos.nuevo 'un libro' --ack\n  recado pub pedidos.nuevo --file pedido.json -H tipo:libro\n  tail -f app.log | recado pub registros --lines\n  date | recado pub ahora",
    }

    sub_about() {
        en: "Listen: show the messages of a subject as they come",
        es: "Escuchar: mostrar los mensajes de un asunto según llegan",
    }
    sub_usage() {
        en: "recado sub [OPTIONS] SUBJECT\n       recado sub [OPTIONS] --stream STREAM [SUBJECT]",
        es: "recado sub [OPCIONES] ASUNTO\n     recado sub [OPCIONES] --stream FLUJO [ASUNTO]",
    }
    sub_subject() {
        en: "Where to listen; * stands for one token, > for all that follow (quote them for the shell)",
        es: "Dónde escuchar; * representa un elemento, > todos los que siguen (entre comillas en la terminal)",
    }
    sub_queue() {
        en: "Share the messages with the other members of a queue group: each goes to one of them",
        es: "Repartir los mensajes con los demás miembros de un grupo de cola: cada uno va a uno solo",
    }
    sub_count() { en: "End after so many messages", es: "Terminar tras tantos mensajes" }
    sub_raw() {
        en: "Only the payloads, as they are, each with a line end",
        es: "Solo los contenidos, tal cual, cada uno con un fin de línea",
    }
    sub_stream() {
        en: "Read this stream: what it has kept, then what comes [what comes]",
        es: "Leer este flujo: lo que guardó y luego lo que llegue [lo que llegue]",
    }
    sub_new() {
        en: "Only what is stored from now on (the default with --stream)",
        es: "Solo lo que se guarde a partir de ahora (lo normal con --stream)",
    }
    sub_durable() {
        en: "Read as this consumer, which remembers what was shown; it is made if it is missing",
        es: "Leer como este consumidor, que recuerda lo que ya se mostró; se crea si falta",
    }
    sub_needs_stream(option: &str) {
        en: "{option} is about a stream, and none is named",
        es: "{option} se refiere a un flujo, y no se indicó ninguno",
    }
    sub_needs_stream_next() {
        en: "name it with --stream NAME; recado stream ls shows those that there are",
        es: "indícalo con --stream NOMBRE; recado stream ls muestra los que hay",
    }
    sub_headers() { en: "Show headers too", es: "Mostrar también los encabezados" }
    sub_examples() {
        en: "Examples:\n  recado sub greet\n  recado sub 'orders.>' --headers\n  recado sub jobs --queue workers\n  recado sub prices --count 1 --timeout 10s --json\n  recado sub greet --wire\n  recado sub --stream ORDERS --all --timeout 1s\n  recado sub --stream ORDERS 'orders.new' --since 1h --count 5 --timeout 1s\n  recado sub --stream ORDERS --durable billing --timeout 1s",
        es: "Ejemplos:\n  recado sub saludo\n  recado sub 'pedidos.>' --headers\n  recado sub tareas --queue obreros\n  recado sub precios --count 1 --timeout 10s --json\n  recado sub saludo --wire\n  recado sub --stream PEDIDOS --all --timeout 1s\n  recado sub --stream PEDIDOS 'pedidos.nuevo' --since 1h --count 5 --timeout 1s\n  recado sub --stream PEDIDOS --durable facturas --timeout 1s",
    }

    request_about() {
        en: "Ask, and show the reply and its latency (also: ask)",
        es: "Preguntar, y mostrar la respuesta y su latencia (también: ask)",
    }
    request_usage() {
        en: "recado request [OPTIONS] SUBJECT [TEXT]",
        es: "recado request [OPCIONES] ASUNTO [TEXTO]",
    }
    request_subject() { en: "Where to ask", es: "Dónde se pregunta" }
    request_count() {
        en: "Ask so many times, one after the other, and show percentiles [1]",
        es: "Preguntar tantas veces, una tras otra, y mostrar percentiles [1]",
    }
    request_lines() {
        en: "Ask with each line of standard input, one after the other",
        es: "Preguntar con cada línea de la entrada estándar, una tras otra",
    }
    request_replies() {
        en: "Take so many replies to a request; 0: all that come before the timeout [1]",
        es: "Aceptar tantas respuestas a una petición; 0: todas las que lleguen en el plazo [1]",
    }
    request_wait() {
        en: "If nobody answers there yet, wait for a responder",
        es: "Si aún nadie responde allí, esperar a que alguien lo haga",
    }
    request_raw() {
        en: "Only the replies' payloads, as they are",
        es: "Solo el contenido de las respuestas, tal cual",
    }
    request_examples() {
        en: "Examples:\n  recado request greet hello\n  recado ask time '' --timeout 500ms\n  recado request greet hello --count 100\n  recado request upper --lines < words.txt\n  recado request services.ping '' --replies 0 --timeout 1s\n  recado request greet hello --wait --deadline 30s",
        es: "Ejemplos:\n  recado request saludo hola\n  recado ask hora '' --timeout 500ms\n  recado request saludo hola --count 100\n  recado request mayusculas --lines < palabras.txt\n  recado request servicios.ping '' --replies 0 --timeout 1s\n  recado request saludo hola --wait --deadline 30s",
    }

    reply_about() {
        en: "Answer the requests on a subject (also: answer)",
        es: "Responder a las peticiones de un asunto (también: answer)",
    }
    reply_subject() {
        en: "Where to listen for requests; wildcards as in sub",
        es: "Dónde se esperan peticiones; comodines como en sub",
    }
    reply_echo() {
        en: "Answer with the request's own payload",
        es: "Responder con el contenido de la propia petición",
    }
    reply_text() {
        en: "Answer with this text; {{count}} stands for the number of the request",
        es: "Responder con este texto; {{count}} representa el número de la petición",
    }
    reply_time() {
        en: "Answer with the current time (UTC)",
        es: "Responder con la hora actual (UTC)",
    }
    reply_queue() {
        en: "The queue group: each request is answered by one of its members [recado]",
        es: "El grupo de cola: cada petición la responde uno de sus miembros [recado]",
    }
    reply_all() {
        en: "No queue group: answer every request, whoever else does",
        es: "Sin grupo de cola: responder a cada petición, la respondan otros o no",
    }
    reply_count() { en: "End after so many requests", es: "Terminar tras tantas peticiones" }

    help_about() { en: "Show the help of a command", es: "Mostrar la ayuda de una orden" }
    help_usage() { en: "recado help [COMMAND …]", es: "recado help [ORDEN …]" }
    help_command() {
        en: "The command; or \"failures\": every failure, with what to do next",
        es: "La orden; o «fallos»: todos los fallos y qué hacer ante cada uno",
    }
}
