//! What `recado chat` says.

super::texts! {
    about() {
        en: "Talk in a room with whoever is there, from any number of terminals",
        es: "Conversar en una sala con quienes estén, desde cualquier número de terminales",
    }
    usage() { en: "recado chat [OPTIONS] [ROOM]", es: "recado chat [OPCIONES] [SALA]" }
    value_room() { en: "ROOM", es: "SALA" }
    room() {
        en: "The room, one word [lobby]",
        es: "La sala, una palabra [lobby]",
    }
    history() {
        en: "First show the last so many messages, if a stream keeps the room (see below)",
        es: "Mostrar antes los últimos tantos mensajes, si un flujo guarda la sala (ver abajo)",
    }
    no_stream(subject: &str) {
        en: "No stream keeps this room; this makes one: recado stream add CHAT --subjects {subject}",
        es: "Ningún flujo guarda esta sala; así se crea uno: recado stream add CHAT --subjects {subject}",
    }
    examples() {
        en: "On a terminal, /help shows what else can be typed. In a pipe each line is a message; at its end chat\nwaits until those who are there have confirmed it, and leaves. Your name is --name, or else USER.\nThe latency that is shown is there and back: until the confirmation of each listener was here.\n\nExamples:\n  recado chat\n  recado chat team --name ana\n  echo 'the build is green' | recado chat team --name ci\n  recado chat team --json\nBy hand, from any NATS client:\n  recado pub chat.team.say 'hello'\n  recado sub 'chat.team.>'\nWith a memory:\n  recado stream add CHAT --subjects 'chat.*.say'\n  recado chat team --name eva --history 20",
        es: "En una terminal, /help muestra qué más se puede escribir. Con una tubería cada línea es un mensaje; al\nterminar, chat espera la confirmación de quienes estén y sale. Tu nombre es --name o, si falta, USER.\nLa latencia que se muestra es de ida y vuelta: hasta que llegó la confirmación de cada oyente.\n\nEjemplos:\n  recado chat\n  recado chat equipo --name ana\n  echo 'todo compila' | recado chat equipo --name ci\n  recado chat equipo --json\nA mano, desde cualquier cliente NATS:\n  recado pub chat.equipo.say 'hola'\n  recado sub 'chat.equipo.>'\nCon memoria:\n  recado stream add CHAT --subjects 'chat.*.say'\n  recado chat equipo --name eva --history 20",
    }

    bad_room(room: &str, limit: usize) {
        en: "\"{room}\" can't be a room: one word of at most {limit} bytes, without dots, blanks or wildcards",
        es: "«{room}» no puede ser una sala: una palabra de {limit} bytes como máximo, sin puntos, espacios ni comodines",
    }
    bad_name(name: &str) {
        en: "\"{name}\" can't be a name in a chat: letters, digits, - and _, at most 32 bytes",
        es: "«{name}» no puede ser un nombre en una conversación: letras, cifras, - y _, 32 bytes como máximo",
    }
    bad_name_next() {
        en: "choose another one, for instance --name ana",
        es: "elige otro, por ejemplo --name ana",
    }
    somebody() { en: "somebody", es: "alguien" }

    entered(room: &str, name: &str, server: &str) {
        en: "You are {name} in the room {room} at {server}.",
        es: "Eres {name} en la sala {room}, servidor {server}.",
    }
    how_to() {
        en: "Type, and Enter sends it; /help shows more, Ctrl-D leaves.",
        es: "Escribe, y Entrar lo envía; /help muestra más, Ctrl-D sale.",
    }
    alone() {
        en: "Nobody else is here yet.",
        es: "Todavía no hay nadie más.",
    }
    others(names: &str) {
        en: "Here too: {names}",
        es: "También están: {names}",
    }
    joined(name: &str) { en: "→ {name} joined", es: "→ {name} entró" }
    found(name: &str) { en: "→ {name} is here", es: "→ {name} está aquí" }
    left(name: &str) { en: "← {name} left", es: "← {name} salió" }
    vanished(name: &str, silence: &str) {
        en: "← {name} vanished: nothing heard for {silence}",
        es: "← {name} desapareció: sin señales desde hace {silence}",
    }
    renamed(before: &str, name: &str) {
        en: "{before} is now called {name}",
        es: "{before} ahora se llama {name}",
    }
    renamed_self(name: &str) {
        en: "You are now called {name}.",
        es: "Ahora te llamas {name}.",
    }
    name_taken(taken: &str, name: &str) {
        en: "Somebody here is called {taken} already; you are {name}.",
        es: "Aquí alguien ya se llama {taken}; eres {name}.",
    }
    delivered(listing: &str) {
        en: "✓ there and back: {listing}",
        es: "✓ ida y vuelta: {listing}",
    }
    delivered_nobody(took: &str) {
        en: "✓ back from the server in {took}; nobody else is here",
        es: "✓ de vuelta del servidor en {took}; no hay nadie más",
    }
    delivered_echo(took: &str) {
        en: "✓ back from the server in {took}",
        es: "✓ de vuelta del servidor en {took}",
    }
    no_echo(limit: &str) {
        en: "✗ the server has not sent it on within {limit}",
        es: "✗ el servidor no lo ha transmitido en {limit}",
    }
    unconfirmed(names: &str, limit: &str) {
        en: "✗ no confirmation within {limit} from {names}",
        es: "✗ sin confirmación en {limit} de {names}",
    }
    and_more(names: &str, more: usize) {
        en: "{names} and {more} more",
        es: "{names} y {more} más",
    }
    too_long(size: usize, limit: usize) {
        en: "not sent: the message has {size} bytes; at most {limit} go into one",
        es: "no se envió: el mensaje tiene {size} bytes; en uno caben {limit} como máximo",
    }
    not_sent() {
        en: "Not sent: the server is away. The up arrow brings the line back once it is there again.",
        es: "No se envió: el servidor no está. Cuando vuelva, la flecha arriba recupera la línea.",
    }
    commands() {
        en: "/who        who is here, and how far away\n/name NAME  change your name\n/quit       leave (also Ctrl-D or Ctrl-C)\n//…         a message that begins with a slash\nArrows move and go through what you typed before; Ctrl-R searches it.",
        es: "/who          quién está, y a qué distancia\n/name NOMBRE  cambiar tu nombre\n/quit         salir (también Ctrl-D o Ctrl-C)\n//…           un mensaje que empieza con una barra\nLas flechas mueven y recorren lo que escribiste antes; Ctrl-R lo busca.",
    }
    unknown_command(command: &str) {
        en: "There is no {command}; /help shows what there is. With two slashes it is a message.",
        es: "No existe {command}; /help muestra lo que hay. Con dos barras es un mensaje.",
    }
    skipped(lines: u64) {
        en: "… {lines} lines skipped: the terminal did not take them in time",
        es: "… se omitieron {lines} líneas: la terminal no las aceptó a tiempo",
    }
    history_failed(path: &str, detail: &str) {
        en: "What you type is not kept for next time: {path}: {detail}",
        es: "Lo que escribes no se guarda para la próxima vez: {path}: {detail}",
    }
}
