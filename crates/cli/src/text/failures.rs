//! What is said when something fails, what to do next, and what each exit status means.

super::texts! {
    /// The mark in front of a failure.
    error() { en: "error:", es: "error:" }

    output_closed() {
        en: "the reader of the output has gone",
        es: "quien leía la salida ya no está",
    }
    interrupted() { en: "interrupted", es: "interrumpido" }

    no_responders(subject: &str, server: &str) {
        en: "nobody answers on \"{subject}\" at {server} (no responders)",
        es: "nadie responde en el asunto «{subject}» en {server}",
    }
    no_responders_next(subject: &str) {
        en: "start a responder in another terminal: recado reply {subject} --echo\nor wait for one with --wait",
        es: "en otra terminal, pon a alguien a responder: recado reply {subject} --echo\no espera a que haya quien responda, con --wait",
    }

    refused(address: &str) {
        en: "nothing is listening on {address} (connection refused)",
        es: "no hay nada escuchando en {address} (conexión rechazada)",
    }
    refused_next() {
        en: "start a server there (recado-server), name another one with --server or NATS_URL, or wait for it with --retry",
        es: "inicia allí un servidor (recado-server), indica otro con --server o NATS_URL, o espéralo con --retry",
    }
    unknown_host(host: &str, detail: &str) {
        en: "the name \"{host}\" is not known ({detail})",
        es: "no se conoce el nombre «{host}» ({detail})",
    }
    unknown_host_next() {
        en: "check the spelling of --server or NATS_URL, and that this machine can resolve names",
        es: "revisa cómo está escrito en --server o NATS_URL, y que esta máquina pueda resolver nombres",
    }
    /// What the system's resolver says, in words of ours.
    no_such_name() { en: "there is no such name", es: "no existe ese nombre" }
    no_name_server() {
        en: "no name server answers this machine",
        es: "ningún servidor de nombres le contesta a esta máquina",
    }
    name_without_address() {
        en: "the name exists, but has no address",
        es: "el nombre existe, pero no tiene dirección",
    }
    name_too_late(limit: &str) {
        en: "no answer to the question for its address within {limit}",
        es: "la pregunta por su dirección no tuvo respuesta en {limit}",
    }
    no_answer(address: &str, limit: &str) {
        en: "{address} did not answer within {limit} (timed out)",
        es: "{address} no contestó en {limit} (venció el plazo)",
    }
    no_answer_next() {
        en: "check the address: usually the machine is off, or a firewall drops the packets; --timeout allows more time",
        es: "revisa la dirección: lo usual es que la máquina esté apagada o un cortafuegos descarte los paquetes; --timeout da más plazo",
    }
    unreachable(address: &str, detail: &str) {
        en: "{address} can't be reached ({detail})",
        es: "no se puede llegar a {address} ({detail})",
    }
    network_unreachable() {
        en: "this machine has no way into that network",
        es: "esta máquina no tiene camino hacia esa red",
    }
    host_unreachable() {
        en: "the network finds no such machine",
        es: "la red no encuentra esa máquina",
    }
    unreachable_next() {
        en: "check the address and this machine's network (ip route get ADDRESS); a VPN may be missing",
        es: "revisa la dirección y la red de esta máquina (ip route get DIRECCIÓN); puede faltar una VPN",
    }

    found_http(address: &str) {
        en: "{address} speaks HTTP, not the NATS protocol",
        es: "{address} habla HTTP, no el protocolo NATS",
    }
    found_http_next() {
        en: "if that is the server's monitoring port, use its client port instead (usually 4222)",
        es: "si ese es el puerto de monitoreo del servidor, usa el de clientes (normalmente el 4222)",
    }
    found_ssh(address: &str, banner: &str) {
        en: "{address} is an SSH server ({banner}), not a NATS server",
        es: "{address} es un servidor SSH ({banner}), no un servidor NATS",
    }
    found_silence(address: &str, limit: &str) {
        en: "{address} accepted the connection but did not greet within {limit}, as a NATS server does",
        es: "{address} aceptó la conexión pero no saludó en {limit}, como lo hace un servidor NATS",
    }
    found_closed(address: &str) {
        en: "{address} accepted the connection and closed it without a greeting",
        es: "{address} aceptó la conexión y la cerró sin saludar",
    }
    found_silence_next() {
        en: "check the port; if a NATS server is there, it is stopped or overloaded (look at its process and its log)",
        es: "revisa el puerto; si allí hay un servidor NATS, está detenido o saturado (mira su proceso y su registro)",
    }
    found_closed_next() {
        en: "check the port; a proxy does this when the server behind it is not up: then --retry waits for it",
        es: "revisa el puerto; un proxy hace esto cuando el servidor que tiene detrás no está: entonces --retry lo espera",
    }
    found_tls(address: &str) {
        en: "{address} talks TLS only, from the first byte on; a NATS server usually greets before that",
        es: "{address} habla solo TLS, desde el primer byte; un servidor NATS suele saludar antes",
    }
    found_tls_next() {
        en: "if it is a NATS server with handshake_first, add --tlsfirst; if it is a web server (HTTPS), check the port",
        es: "si es un servidor NATS con handshake_first, añade --tlsfirst; si es un servidor web (HTTPS), revisa el puerto",
    }
    found_program(address: &str, name: &str, words: &str) {
        en: "{address} answers as {name} does, not as a NATS server; its first bytes: {words}",
        es: "{address} contesta como {name}, no como un servidor NATS; sus primeros bytes: {words}",
    }
    found_other_port(address: &str, said: &str) {
        en: "{address} is a NATS server's port, but not the one for clients (\"{said}\")",
        es: "{address} es un puerto de un servidor NATS, pero no el de clientes («{said}»)",
    }
    found_other_port_next() {
        en: "use the server's client port (usually 4222); 6222, 7422 and the like are for other servers",
        es: "usa el puerto de clientes del servidor (normalmente el 4222); 6222, 7422 y similares son para otros servidores",
    }
    found_other(address: &str, bytes: &str) {
        en: "{address} does not speak the NATS protocol; its first bytes: {bytes}",
        es: "{address} no habla el protocolo NATS; sus primeros bytes: {bytes}",
    }
    found_other_next() {
        en: "check the port in --server or NATS_URL: NATS servers usually listen on 4222",
        es: "revisa el puerto en --server o NATS_URL: los servidores NATS suelen escuchar en el 4222",
    }

    credentials_missing(address: &str, said: &str) {
        en: "{address} asks for credentials and none were given (\"{said}\")",
        es: "{address} pide credenciales y no se dio ninguna («{said}»)",
    }
    credentials_missing_next() {
        en: "give a token with --token-file FILE or RECADO_TOKEN, or a user with --user and NATS_PASSWORD;\nrecado login asks for either and keeps it",
        es: "da un token con --token-file ARCHIVO o RECADO_TOKEN, o un usuario con --user y NATS_PASSWORD;\nrecado login pregunta por cualquiera de los dos y lo guarda",
    }
    credentials_refused(address: &str, source: &str, said: &str) {
        en: "{address} did not accept the credentials from {source} (\"{said}\")",
        es: "{address} no aceptó las credenciales de {source} («{said}»)",
    }
    credentials_refused_next() {
        en: "check that they are the ones of this server, and whole: no missing character, not expired",
        es: "comprueba que sean las de este servidor y que estén completas: sin caracteres de menos y sin vencer",
    }
    permission(address: &str, said: &str) {
        en: "{address} does not permit it: {said}",
        es: "{address} no lo permite: {said}",
    }
    permission_next() {
        en: "use a subject that this user is allowed, or ask whoever runs the server for the permission",
        es: "usa un asunto permitido a este usuario, o pide el permiso a quien administra el servidor",
    }
    too_large(address: &str, size: usize, limit: usize) {
        en: "the message has {size} bytes with its headers; {address} takes at most {limit} (max_payload)",
        es: "el mensaje tiene {size} bytes con sus encabezados; {address} admite {limit} como máximo (max_payload)",
    }
    too_large_next() {
        en: "send it in pieces (--lines), or raise max_payload in the server's configuration",
        es: "envíalo en partes (--lines), o sube max_payload en la configuración del servidor",
    }
    lost(address: &str, detail: &str) {
        en: "the connection to {address} broke: {detail}",
        es: "se cortó la conexión con {address}: {detail}",
    }
    lost_next() {
        en: "see the server's log for the reason; what was not confirmed may or may not have arrived",
        es: "mira el motivo en el registro del servidor; lo no confirmado puede haber llegado o no",
    }
    unconfirmed(messages: u64) {
        en: "messages not confirmed: {messages}",
        es: "mensajes sin confirmar: {messages}",
    }
    lost_closed() {
        en: "the server closed it",
        es: "la cerró el servidor",
    }
    reset(address: &str, detail: &str) {
        en: "the connection to {address} was reset by the other side: {detail}",
        es: "el otro extremo cortó de golpe la conexión con {address}: {detail}",
    }
    reset_thrown_away() {
        en: "it was thrown away, not closed",
        es: "la desechó en lugar de cerrarla",
    }
    reset_next() {
        en: "a server that was killed, a proxy that lost its server, or a firewall does this: see their logs; --retry tries again",
        es: "lo hace un servidor al que mataron, un proxy que perdió su servidor o un cortafuegos: mira sus registros; --retry lo intenta de nuevo",
    }
    slow_consumer(address: &str, detail: &str) {
        en: "{address} cut this client off because it read too slowly (slow consumer): {detail}",
        es: "{address} desconectó a este cliente porque leía demasiado despacio (consumidor lento): {detail}",
    }
    slow_consumer_next() {
        en: "messages were lost; listen to fewer subjects, share the work with --queue, write to a file instead of a screen, or raise max_pending in the server",
        es: "se perdieron mensajes; escucha menos asuntos, reparte el trabajo con --queue, escribe en un archivo y no en pantalla, o sube max_pending en el servidor",
    }
    server_words(said: &str) {
        en: "the server said \"{said}\"",
        es: "el servidor dijo «{said}»",
    }
    going_away(address: &str, detail: &str) {
        en: "{address} went away on purpose, as it had announced (lame duck mode): {detail}",
        es: "{address} se retiró a propósito, como lo había anunciado (modo «lame duck»): {detail}",
    }
    going_away_next() {
        en: "name a second server (--server one,two), or wait until it is back with --retry",
        es: "indica un segundo servidor (--server uno,dos), o espera a que vuelva con --retry",
    }
    tls(address: &str, detail: &str) {
        en: "no secure connection to {address}: {detail}",
        es: "no hay conexión segura con {address}: {detail}",
    }
    tls_next() {
        en: "see the server's log for its side of it; recado doctor shows each step of the way",
        es: "mira en el registro del servidor qué vio él; recado doctor muestra cada paso del camino",
    }
    tls_unknown_issuer() {
        en: "nobody whom this machine trusts has signed its certificate (unknown authority)",
        es: "su certificado no lo firma nadie en quien esta máquina confíe (autoridad desconocida)",
    }
    tls_unknown_issuer_next() {
        en: "if the authority is your own, name its certificate with --tlsca FILE, or SSL_CERT_FILE; if not, don't trust this server",
        es: "si la autoridad es tuya, indica su certificado con --tlsca ARCHIVO, o SSL_CERT_FILE; si no lo es, no confíes en este servidor",
    }
    tls_wrong_name(host: &str) {
        en: "its certificate is not for the name {host}",
        es: "su certificado no es para el nombre {host}",
    }
    tls_wrong_name_of(host: &str, names: &str) {
        en: "its certificate is not for the name {host}, but for {names}",
        es: "su certificado no es para el nombre {host}, sino para {names}",
    }
    tls_wrong_name_next() {
        en: "use a name that the certificate is for in --server or NATS_URL, or have the certificate made for this one too",
        es: "usa en --server o NATS_URL un nombre para el que sirva el certificado, o haz que lo emitan también para este",
    }
    tls_expired() {
        en: "its certificate has expired",
        es: "su certificado está vencido",
    }
    tls_expired_next() {
        en: "have the server's certificate renewed; first see whether this machine's clock is right (date)",
        es: "pide que renueven el certificado del servidor; antes mira si el reloj de esta máquina está bien (date)",
    }
    tls_not_yet() {
        en: "its certificate is not valid yet",
        es: "su certificado todavía no es válido",
    }
    tls_not_spoken() {
        en: "TLS was asked for, but the server does not speak it on that port",
        es: "se pidió TLS, pero el servidor no lo habla en ese puerto",
    }
    tls_not_offered() {
        en: "TLS was asked for, but the server offers none",
        es: "se pidió TLS, pero el servidor no lo ofrece",
    }
    tls_not_spoken_next() {
        en: "switch TLS on in the server, or connect without it (nats:// instead of tls://) if nobody in between can listen",
        es: "activa TLS en el servidor, o conéctate sin él (nats:// en vez de tls://) si nadie en medio puede escuchar",
    }
    tls_ours_refused(detail: &str) {
        en: "the server wants a certificate of this client, or does not accept the one it got ({detail})",
        es: "el servidor quiere un certificado de este cliente, o no acepta el que recibió ({detail})",
    }
    tls_ours_refused_next() {
        en: "give a certificate and its key that the server trusts with --tlscert FILE and --tlskey FILE",
        es: "da un certificado y su clave en los que el servidor confíe con --tlscert ARCHIVO y --tlskey ARCHIVO",
    }
    server_said(address: &str, said: &str) {
        en: "{address} reports: {said}",
        es: "{address} informa: {said}",
    }
    server_said_next() {
        en: "the server's log says more about it",
        es: "el registro del servidor dice más al respecto",
    }
    service_said(code: &str, said: &str) {
        en: "the responder answered with an error: {code} {said}",
        es: "quien responde contestó con un error: {code} {said}",
    }
    service_said_next() {
        en: "the request arrived; see the responder's own output for the cause",
        es: "la petición llegó; mira la causa en la salida de quien responde",
    }

    deadline_reply(subject: &str, limit: &str) {
        en: "no reply from \"{subject}\" within {limit}",
        es: "no hubo respuesta de «{subject}» en {limit}",
    }
    deadline_reply_next() {
        en: "somebody listens there but did not answer in time: allow more with --timeout, or look at the responder",
        es: "alguien escucha allí pero no contestó a tiempo: da más plazo con --timeout, o mira a quien responde",
    }
    deadline_replies(received: u64, wanted: u64, limit: &str) {
        en: "{received} of {wanted} replies within {limit}",
        es: "{received} de {wanted} respuestas en {limit}",
    }
    deadline_messages(received: u64, wanted: u64, limit: &str) {
        en: "no message for {limit}: {received} of {wanted} received",
        es: "ningún mensaje en {limit}: se recibieron {received} de {wanted}",
    }
    deadline_silence(subject: &str, limit: &str) {
        en: "no message on \"{subject}\" for {limit}",
        es: "ningún mensaje en «{subject}» en {limit}",
    }
    deadline_messages_next() {
        en: "check the subject and that the publisher uses the same server and account",
        es: "revisa el asunto y que quien publica use el mismo servidor y la misma cuenta",
    }
    deadline_pong(address: &str, limit: &str) {
        en: "{address} did not answer the PING within {limit}",
        es: "{address} no contestó al PING en {limit}",
    }
    deadline_pong_next() {
        en: "the server is stopped, overloaded, or the network lost the way to it",
        es: "el servidor está detenido o saturado, o la red perdió el camino hasta él",
    }

    file_unreadable(path: &str, detail: &str) {
        en: "can't read {path}: {detail}",
        es: "no se puede leer {path}: {detail}",
    }
    file_unreadable_next() {
        en: "check the path and its permissions",
        es: "revisa la ruta y sus permisos",
    }
    token_file_empty(path: &str) {
        en: "{path} holds no token",
        es: "{path} no contiene ningún token",
    }
    token_file_empty_next() {
        en: "write the token on its first line",
        es: "escribe el token en su primera línea",
    }
    output_failed(detail: &str) {
        en: "can't write the output: {detail}",
        es: "no se puede escribir la salida: {detail}",
    }
    output_failed_next() {
        en: "check the disk or the program that reads it",
        es: "revisa el disco o el programa que la lee",
    }
    machine_failed(detail: &str) {
        en: "this machine refused something that is needed: {detail}",
        es: "esta máquina negó algo necesario: {detail}",
    }
    machine_failed_next() {
        en: "check the limits on files, threads and memory (ulimit -a)",
        es: "revisa los límites de archivos, hilos y memoria (ulimit -a)",
    }

    /// Above the table of failures (`recado help failures`).
    table_head() {
        en: "# What can fail, and what to do next\n\nEvery failure of `recado`, with an example of its message: `recado help failures` prints this page. Scripts can\nrely on the exit status, and on its name in the `--json` output; the words may get better.",
        es: "# Qué puede fallar y qué hacer entonces\n\nTodos los fallos de `recado`, cada uno con un mensaje de ejemplo: `recado help fallos --lang es` muestra esta\npágina. Los scripts pueden contar con el código de salida y con su nombre en la salida de `--json`; las palabras\npueden mejorar.",
    }
    table_columns() {
        en: "| Exit status | Name | What happened | What to do next |\n| ---: | --- | --- | --- |",
        es: "| Código de salida | Nombre | Qué pasó | Qué hacer |\n| ---: | --- | --- | --- |",
    }

    /// Above the table of exit statuses.
    status_heading() { en: "Exit statuses:", es: "Códigos de salida:" }
    status_done() { en: "done", es: "hecho" }
    status_local() {
        en: "a file, the output or this machine failed",
        es: "falló un archivo, la salida o esta máquina",
    }
    status_usage() {
        en: "the command line is wrong",
        es: "la línea de órdenes es incorrecta",
    }
    status_no_responders() {
        en: "nobody answers on that subject",
        es: "nadie responde en ese asunto",
    }
    status_deadline() {
        en: "a deadline passed",
        es: "venció un plazo",
    }
    status_refused() {
        en: "nothing listens on the server's port",
        es: "no hay nada escuchando en el puerto del servidor",
    }
    status_unknown_host() {
        en: "the server's name is unknown",
        es: "no se conoce el nombre del servidor",
    }
    status_unreachable() {
        en: "the server can't be reached or does not answer",
        es: "no se llega al servidor o este no contesta",
    }
    status_not_nats() {
        en: "something else than a NATS server is on that port",
        es: "en ese puerto hay algo que no es un servidor NATS",
    }
    status_authentication() {
        en: "credentials missing or not accepted",
        es: "faltan credenciales o no fueron aceptadas",
    }
    status_permission() {
        en: "no permission for that subject",
        es: "sin permiso para ese asunto",
    }
    status_too_large() {
        en: "message larger than the server takes",
        es: "mensaje más grande de lo que admite el servidor",
    }
    status_lost() {
        en: "the connection broke",
        es: "se cortó la conexión",
    }
    status_tls() {
        en: "no secure connection (TLS)",
        es: "no hubo conexión segura (TLS)",
    }
    status_server() {
        en: "another error reported by the server",
        es: "otro error que informó el servidor",
    }
    status_service() {
        en: "the responder answered with an error",
        es: "quien responde contestó con un error",
    }
    status_reset() {
        en: "the connection was reset",
        es: "el otro extremo cortó de golpe la conexión",
    }
    status_slow_consumer() {
        en: "the server cut us off: we read too slowly",
        es: "el servidor nos desconectó por leer despacio",
    }
    status_going_away() {
        en: "the server goes away (lame duck mode)",
        es: "el servidor se retira (modo «lame duck»)",
    }
    status_not_found() {
        en: "no such stream, consumer, bucket, key, object, message or error",
        es: "no existe ese flujo, consumidor, bucket, clave, objeto, mensaje o error",
    }
    status_conflict() {
        en: "it exists already, or has changed meanwhile",
        es: "ya existe, o cambió entretanto",
    }
    status_no_jetstream() {
        en: "the server has no streams (JetStream)",
        es: "el servidor no tiene flujos (JetStream)",
    }
    status_interrupted() {
        en: "interrupted before the work was done",
        es: "interrumpido antes de terminar",
    }
}
