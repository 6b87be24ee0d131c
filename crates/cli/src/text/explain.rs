//! What `recado explain` says.

super::texts! {
    about() {
        en: "Say where a message on a subject would go now: who gets it, what stores it, what stops it, what was lost",
        es: "Decir adónde iría ahora un mensaje de un asunto: quién lo recibe, qué lo guarda, qué lo detiene, qué se perdió",
    }
    usage() {
        en: "recado explain [OPTIONS] SUBJECT",
        es: "recado explain [OPCIONES] ASUNTO",
    }
    examples() {
        en: "Nothing is sent. The exit status is 0 when somebody gets the message or a stream stores it, 3 when nobody\ndoes, 10 when it may not be published. Only a recado-server answers.\n\nExamples:\n  recado explain orders.new\n  recado explain orders.new --json\n  recado --creds system.creds explain orders.new --account SHOP --as ana",
        es: "No se envía nada. El código de salida es 0 si alguien recibe el mensaje o un flujo lo guarda, 3 si nadie\nlo hace, 10 si no se puede publicar. Solo responde un recado-server.\n\nEjemplos:\n  recado explain pedidos.nuevo\n  recado explain pedidos.nuevo --json\n  recado --creds sistema.creds explain pedidos.nuevo --account TIENDA --as ana",
    }
    help_subject() {
        en: "The message's subject, without wildcards",
        es: "El asunto del mensaje, sin comodines",
    }
    value_account() { en: "ACCOUNT", es: "CUENTA" }
    help_account() {
        en: "Ask about this account, as a user of the system account [your own account]",
        es: "Preguntar por esta cuenta, como usuario de la cuenta del sistema [tu propia cuenta]",
    }
    help_as() {
        en: "As if this user published it, who must be connected [you]",
        es: "Como si lo publicara este usuario, que debe estar conectado [tú]",
    }
    title(subject: &str, account: &str) {
        en: "{subject} in account {account}",
        es: "{subject} en la cuenta {account}",
    }
    title_as(subject: &str, account: &str, user: &str) {
        en: "{subject} in account {account}, published by {user}",
        es: "{subject} en la cuenta {account}, publicado por {user}",
    }
    renamed(source: &str) {
        en: "The mapping {source} decides what it is called:",
        es: "La asignación {source} decide cómo se llama:",
    }
    share(percent: u64, subject: &str) {
        en: "{percent} % of the messages go to {subject}",
        es: "el {percent} % de los mensajes va a {subject}",
    }
    heading(subject: &str, percent: u64) {
        en: "As {subject} ({percent} %)",
        es: "Como {subject} ({percent} %)",
    }
    may_by_rule(rule: &str) {
        en: "May be published: the permission {rule} allows it",
        es: "Se puede publicar: lo autoriza el permiso {rule}",
    }
    may_open() {
        en: "May be published",
        es: "Se puede publicar",
    }
    denied(rule: &str) {
        en: "May not be published: the permission {rule} denies it",
        es: "No se puede publicar: lo deniega el permiso {rule}",
    }
    not_allowed() {
        en: "May not be published: none of the permissions that allow something names it",
        es: "No se puede publicar: ninguno de los permisos que autorizan algo lo nombra",
    }
    as_answer() {
        en: "It may be published as the answer to a message that was received",
        es: "Sí se puede publicar como respuesta a un mensaje recibido",
    }
    otherwise() { en: "If it could be published:", es: "Si se pudiera publicar:" }
    subscribers() { en: "Subscribers: each gets it", es: "Suscriptores: cada uno lo recibe" }
    more(count: u64) { en: "… and {count} more", es: "… y {count} más" }
    group(name: &str) {
        en: "Queue group {name}: one member gets it",
        es: "Grupo de cola {name}: lo recibe un miembro",
    }
    in_account(account: &str, subject: &str) {
        en: "account {account}, as {subject}",
        es: "cuenta {account}, como {subject}",
    }
    server_part() { en: "the server itself", es: "el propio servidor" }
    as_user(user: &str) { en: "user {user}", es: "usuario {user}" }
    on_filter(filter: &str) { en: "subscribed to {filter}", es: "suscrito a {filter}" }
    waiting(size: &str) { en: "{size} waiting", es: "{size} en espera" }
    kept_out(rule: &str) {
        en: "does NOT get it: its permission {rule} denies it",
        es: "NO lo recibe: lo deniega su permiso {rule}",
    }
    kept_out_somehow() {
        en: "does NOT get it: its permissions deny it",
        es: "NO lo recibe: lo deniegan sus permisos",
    }
    no_headers() { en: "without headers", es: "sin encabezados" }
    services() { en: "Services of other accounts", es: "Servicios de otras cuentas" }
    responders(count: u64) {
        en: "{count} listening there",
        es: "{count} a la escucha allí",
    }
    elsewhere() { en: "In other accounts", es: "En otras cuentas" }
    crossing_stream(account: &str, subject: &str) {
        en: "{account} exports the stream {subject}",
        es: "{account} exporta el flujo {subject}",
    }
    crossing_service(account: &str, subject: &str) {
        en: "{account} exports the service {subject}",
        es: "{account} exporta el servicio {subject}",
    }
    import_stream(subject: &str, account: &str) {
        en: "the import of the stream {subject} from {account} has NO effect",
        es: "la importación del flujo {subject} de {account} NO tiene efecto",
    }
    import_service(subject: &str, account: &str) {
        en: "the import of the service {subject} from {account} has NO effect",
        es: "la importación del servicio {subject} de {account} NO tiene efecto",
    }
    imported_by(account: &str) { en: "in account {account}", es: "en la cuenta {account}" }
    called_here(subject: &str) { en: "called {subject} here", es: "aquí se llama {subject}" }
    not_imported() {
        en: "this account does not import it: add it to its imports",
        es: "esta cuenta no lo importa: añádelo a sus importaciones",
    }
    not_granted() {
        en: "it is not for this account: its owner must name the account, or give it an activation token",
        es: "no es para esta cuenta: su dueño debe nombrarla, o darle un token de activación",
    }
    not_exported() {
        en: "the exporter does not export it to this account: ask its owner",
        es: "el exportador no se lo exporta a esta cuenta: pregunta a su dueño",
    }
    exporter_unknown() {
        en: "the exporter's claims are not known here: push its JWT",
        es: "aquí no se conocen las declaraciones del exportador: sube su JWT",
    }
    no_activation() {
        en: "it needs an activation token, and has none that fits: ask the exporter for one",
        es: "necesita un token de activación y no tiene ninguno que valga: pide uno al exportador",
    }
    activation_revoked() {
        en: "its activation token was revoked: ask the exporter for a new one",
        es: "su token de activación fue revocado: pide uno nuevo al exportador",
    }
    activation_over() {
        en: "its activation token has expired: ask the exporter for a new one",
        es: "su token de activación ha caducado: pide uno nuevo al exportador",
    }
    activation_not_yet() {
        en: "its activation token is not valid yet",
        es: "su token de activación aún no es válido",
    }
    misnamed() {
        en: "its names on both sides do not fit: every wildcard must be used, once",
        es: "sus nombres en ambos lados no encajan: cada comodín debe usarse, una vez",
    }
    streams() { en: "Streams", es: "Flujos" }
    stores(stream: &str) { en: "{stream} stores it", es: "{stream} lo guarda" }
    stores_as(stream: &str, subject: &str) {
        en: "{stream} stores it as {subject}",
        es: "{stream} lo guarda como {subject}",
    }
    is_sealed(stream: &str) {
        en: "{stream} does NOT store it: it is sealed",
        es: "{stream} NO lo guarda: está sellado",
    }
    is_full(stream: &str) {
        en: "{stream} does NOT store it: it is full, and refuses what is new",
        es: "{stream} NO lo guarda: está lleno, y rechaza lo nuevo",
    }
    at_most(size: &str) { en: "at most {size} a message", es: "mensajes de {size} como máximo" }
    consumer(name: &str) { en: "consumer {name}", es: "consumidor {name}" }
    paused() { en: "paused", es: "en pausa" }
    pending(count: u64) { en: "{count} to be delivered", es: "{count} por entregar" }
    unacked(count: u64) { en: "{count} not acknowledged", es: "{count} sin confirmar" }
    streams_unknown(why: &str) {
        en: "Streams are not known: {why}",
        es: "No se conocen los flujos: {why}",
    }
    drops() { en: "Lost in the last minutes", es: "Perdidos en los últimos minutos" }
    just_now() { en: "just now", es: "hace un momento" }
    ago(span: &str) { en: "{span} ago", es: "hace {span}" }
    times(count: u64) { en: "{count} times", es: "{count} veces" }
    by_client(cid: u64) { en: "client {cid}", es: "cliente {cid}" }
    lost_denied() {
        en: "its publisher's permissions deny it",
        es: "lo deniegan los permisos de quien lo publica",
    }
    lost_answer() {
        en: "not allowed, and no answer that was asked for (or one too many, or too late)",
        es: "sin permiso, y tampoco era una respuesta pedida (o era una de más, o tardía)",
    }
    lost_slow(size: &str) {
        en: "a subscriber that read too slowly was cut off with {size} unsent",
        es: "se cortó a un suscriptor que leía muy despacio, con {size} sin enviar",
    }
    lost_nobody() {
        en: "a request, and nobody was listening",
        es: "una petición, y nadie escuchaba",
    }
    lost_refused(stream: &str, code: u64) {
        en: "stream {stream} refused it: see recado errors lookup {code}",
        es: "el flujo {stream} lo rechazó: mira recado errors lookup {code}",
    }
    lost_unanswered() {
        en: "a service of another account did not answer in time",
        es: "un servicio de otra cuenta no respondió a tiempo",
    }
    lost_too_large(size: &str, most: &str) {
        en: "it had {size}, and its publisher, who was closed for it, may send {most}",
        es: "tenía {size}, y quien lo publicó, a quien se cerró por ello, puede enviar {most}",
    }
    lost_reserved() {
        en: "its subject or reply subject is the server's own",
        es: "su asunto o su asunto de respuesta es del propio servidor",
    }
    lost_kept_out() {
        en: "a subscriber's permissions keep it from that one (others may have got it)",
        es: "los permisos de un suscriptor se lo impiden a este (otros pueden haberlo recibido)",
    }
    lost_in_circle() {
        en: "it crossed from account to account too often: imports lead in a circle",
        es: "cruzó de cuenta en cuenta demasiadas veces: las importaciones forman un círculo",
    }
    nobody() {
        en: "Nobody gets it now, and no stream stores it.",
        es: "Ahora no lo recibe nadie, y ningún flujo lo guarda.",
    }
    stopped() {
        en: "It goes nowhere: it may not be published.",
        es: "No va a ninguna parte: no se puede publicar.",
    }
    not_ours(server: &str) {
        en: "{server} does not explain where messages go: only a recado-server of this version or a later one does",
        es: "{server} no explica adónde van los mensajes: solo lo hace un recado-server de esta versión o posterior",
    }
    not_ours_next() {
        en: "see who listens with recado service ls, what is stored with recado stream ls, and what arrives with recado sub",
        es: "mira quién escucha con recado service ls, qué se guarda con recado stream ls y qué llega con recado sub",
    }
    refused(server: &str, said: &str) {
        en: "{server} does not explain that: {said}",
        es: "{server} no explica eso: {said}",
    }
    refused_next() {
        en: "leave --account and --as out to ask about your own account, or log in as a user of the system account",
        es: "quita --account y --as para preguntar por tu propia cuenta, o entra como usuario de la cuenta del sistema",
    }
}
