//! What is said when something fails, what to do next, and what each exit status means.

super::texts! {
    /// The mark in front of a failure.
    error() { en: "error:", es: "error:" }

    output_closed() {
        en: "the reader of the output has gone",
        es: "quien leía la salida ya no está",
    }
    interrupted() { en: "interrupted", es: "interrumpido" }

    no_responders(subject: &str) {
        en: "nobody answers on \"{subject}\" (no responders)",
        es: "nadie responde en el asunto «{subject}»",
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
    no_answer(address: &str, limit: &str) {
        en: "no connection to {address} within {limit}",
        es: "no hubo conexión con {address} en {limit}",
    }
    unreachable(address: &str, detail: &str) {
        en: "{address} can't be reached ({detail})",
        es: "no se puede llegar a {address} ({detail})",
    }
    unreachable_next() {
        en: "check the address, and whether a firewall or the network drops the packets; --timeout allows more time",
        es: "revisa la dirección, y si un cortafuegos o la red descarta los paquetes; --timeout da más plazo",
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
        en: "check the port; if the server is right, it is stopped or overloaded, or wants TLS from the first byte",
        es: "revisa el puerto; si el servidor es ese, está detenido o saturado, o exige TLS desde el primer byte",
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
    permission(said: &str) {
        en: "the server does not permit it: {said}",
        es: "el servidor no lo permite: {said}",
    }
    permission_next() {
        en: "use a subject that this user is allowed, or ask whoever runs the server for the permission",
        es: "usa un asunto permitido a este usuario, o pide el permiso a quien administra el servidor",
    }
    too_large(size: usize, limit: usize) {
        en: "the message has {size} bytes with its headers; the server takes at most {limit} (max_payload)",
        es: "el mensaje tiene {size} bytes con sus encabezados; el servidor admite {limit} como máximo (max_payload)",
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
    tls(address: &str, detail: &str) {
        en: "no secure connection to {address}: {detail}",
        es: "no hay conexión segura con {address}: {detail}",
    }
    tls_next() {
        en: "use the name and port that the certificate was made for; SSL_CERT_FILE names a file with further authorities to trust",
        es: "usa el nombre y el puerto para los que se hizo el certificado; SSL_CERT_FILE indica un archivo con otras autoridades de confianza",
    }
    tls_unknown_issuer() {
        en: "nobody whom this machine trusts has signed its certificate",
        es: "su certificado no lo firma nadie en quien esta máquina confíe",
    }
    tls_wrong_name(host: &str) {
        en: "its certificate is not for the name {host}",
        es: "su certificado no es para el nombre {host}",
    }
    tls_expired() {
        en: "its certificate has expired",
        es: "su certificado está vencido",
    }
    tls_not_yet() {
        en: "its certificate is not valid yet",
        es: "su certificado todavía no es válido",
    }
    tls_not_spoken() {
        en: "the server does not speak TLS on that port",
        es: "el servidor no habla TLS en ese puerto",
    }
    server_said(said: &str) {
        en: "the server reports: {said}",
        es: "el servidor informa: {said}",
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
    status_interrupted() {
        en: "interrupted before the work was done",
        es: "interrumpido antes de terminar",
    }
}
