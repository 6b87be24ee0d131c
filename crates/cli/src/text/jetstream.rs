//! What the commands about streams, consumers, buckets and objects have in common.

super::texts! {
    value_stream() { en: "STREAM", es: "FLUJO" }
    value_consumer() { en: "CONSUMER", es: "CONSUMIDOR" }
    value_bucket() { en: "BUCKET", es: "BUCKET" }
    value_key() { en: "KEY", es: "CLAVE" }
    value_object() { en: "OBJECT", es: "OBJETO" }
    value_size() { en: "SIZE", es: "TAMAÑO" }
    value_filter() { en: "FILTER", es: "FILTRO" }
    value_pair() { en: "KEY=VALUE", es: "CLAVE=VALOR" }
    value_setting() { en: "FIELD=JSON", es: "CAMPO=JSON" }
    value_folder() { en: "DIR", es: "CARPETA" }
    stream() { en: "The stream", es: "El flujo" }
    consumer() { en: "The consumer", es: "El consumidor" }
    bucket() { en: "The bucket", es: "El bucket" }
    key() { en: "The key", es: "La clave" }
    object() { en: "The object", es: "El objeto" }

    yes() {
        en: "Don't ask whether that is meant; scripts need it (also: --force)",
        es: "No preguntar si es en serio; los scripts la necesitan (también: --force)",
    }
    raw() {
        en: "Only the payloads, as they are, each with a line end",
        es: "Solo los contenidos, tal cual, cada uno con un fin de línea",
    }
    headers() { en: "Show headers too", es: "Mostrar también los encabezados" }
    description() { en: "What it is for", es: "Para qué sirve" }
    metadata() {
        en: "A note that is kept with it; may be repeated",
        es: "Una nota que se guarda con él; se puede repetir",
    }
    set() {
        en: "Any other field of the configuration; may be repeated",
        es: "Cualquier otro campo de la configuración; se puede repetir",
    }
    config() {
        en: "Take the configuration from a file (JSON), the options on top of it; - is standard input",
        es: "Tomar la configuración de un archivo (JSON), y encima las opciones; - es la entrada estándar",
    }
    replicas() {
        en: "On how many servers of a cluster it is kept [1]",
        es: "En cuántos servidores de un clúster se guarda [1]",
    }
    compress() { en: "Compress what is kept [false]", es: "Comprimir lo que se guarda [false]" }
    only_new() { en: "Only changes from now on", es: "Solo los cambios a partir de ahora" }
    only_count() { en: "End after so many", es: "Terminar tras tantos" }
    watching(bucket: &str) {
        en: "Watching the bucket {bucket}; Ctrl-C ends.",
        es: "Observando el bucket {bucket}; Ctrl-C termina.",
    }
    no_change(bucket: &str, limit: &str) {
        en: "no change in the bucket {bucket} for {limit}",
        es: "ningún cambio en el bucket {bucket} en {limit}",
    }
    storage() {
        en: "Where it is kept: file or memory [file]",
        es: "Dónde se guarda: file (archivo) o memory (memoria) [file]",
    }
    dry_run() {
        en: "Only show what would change",
        es: "Mostrar solo lo que cambiaría",
    }
    from_all() {
        en: "Begin with the first message that is kept",
        es: "Empezar por el primer mensaje guardado",
    }
    from_last() {
        en: "Begin with the last message",
        es: "Empezar por el último mensaje",
    }
    from_since() {
        en: "Begin with what was stored so long ago, like 10m or 7d",
        es: "Empezar por lo guardado hace este tiempo, como 10m o 7d",
    }
    from_sequence() {
        en: "Begin with this sequence",
        es: "Empezar por este número de secuencia",
    }
    once() {
        en: "Show it once and end",
        es: "Mostrarlo una vez y terminar",
    }
    interval() {
        en: "How often it is looked at [1s]",
        es: "Cada cuánto se mira [1s]",
    }

    about_streams() { en: "the streams", es: "los flujos" }
    about_stream(name: &str) { en: "the stream {name}", es: "el flujo {name}" }
    about_consumer(stream: &str, name: &str) {
        en: "the consumer {name} of the stream {stream}",
        es: "el consumidor {name} del flujo {stream}",
    }
    about_message(stream: &str, sequence: u64) {
        en: "the message {sequence} of the stream {stream}",
        es: "el mensaje {sequence} del flujo {stream}",
    }
    about_last(stream: &str, subject: &str) {
        en: "a message on \"{subject}\" in the stream {stream}",
        es: "un mensaje en «{subject}» en el flujo {stream}",
    }
    about_bucket(name: &str) { en: "the bucket {name}", es: "el bucket {name}" }
    about_key(bucket: &str, key: &str) {
        en: "the key {key} of the bucket {bucket}",
        es: "la clave {key} del bucket {bucket}",
    }
    about_store(name: &str) {
        en: "the object bucket {name}",
        es: "el bucket de objetos {name}",
    }
    about_object(bucket: &str, name: &str) {
        en: "the object {name} of the bucket {bucket}",
        es: "el objeto {name} del bucket {bucket}",
    }
    about_subject(subject: &str) {
        en: "publishing on \"{subject}\"",
        es: "publicar en «{subject}»",
    }

    not_found(about: &str) {
        en: "not found: {about}",
        es: "no existe: {about}",
    }
    not_found_numbered(about: &str, number: u64) {
        en: "not found: {about} (error {number})",
        es: "no existe: {about} (error {number})",
    }
    offline(name: &str, why: &str) {
        en: "not shown, because the server has it and can't serve it: {name} ({why}); more: recado errors lookup 10194",
        es: "no se muestra, porque el servidor lo tiene y no lo puede servir: {name} ({why}); más: recado errors lookup 10194",
    }
    next_streams() {
        en: "recado stream ls shows the streams that there are",
        es: "recado stream ls muestra los flujos que hay",
    }
    next_stream(name: &str) {
        en: "recado stream ls -a shows those that there are; make it with: recado stream add {name}",
        es: "recado stream ls -a muestra los que hay; créalo con: recado stream add {name}",
    }
    next_consumer(stream: &str, name: &str) {
        en: "recado consumer ls {stream} shows those that there are; make it with: recado consumer add {stream} {name}",
        es: "recado consumer ls {stream} muestra los que hay; créalo con: recado consumer add {stream} {name}",
    }
    next_message(stream: &str) {
        en: "recado stream info {stream} shows its first and last sequence, recado stream subjects {stream} its subjects",
        es: "recado stream info {stream} muestra su primera y su última secuencia, recado stream subjects {stream} sus asuntos",
    }
    next_bucket(name: &str) {
        en: "recado kv ls shows those that there are; make it with: recado kv add {name}",
        es: "recado kv ls muestra los que hay; créalo con: recado kv add {name}",
    }
    next_key(bucket: &str, key: &str) {
        en: "recado kv keys {bucket} shows those that there are, recado kv history {bucket} {key} what it was before",
        es: "recado kv keys {bucket} muestra las que hay, recado kv history {bucket} {key} lo que fue antes",
    }
    next_store(name: &str) {
        en: "recado object ls shows those that there are; make it with: recado object add {name}",
        es: "recado object ls muestra los que hay; créalo con: recado object add {name}",
    }
    next_object(bucket: &str) {
        en: "recado object ls {bucket} shows those that there are",
        es: "recado object ls {bucket} muestra los que hay",
    }

    no_jetstream(server: &str) {
        en: "{server} has no streams (JetStream)",
        es: "{server} no tiene flujos (JetStream)",
    }
    no_jetstream_next() {
        en: "start a server that has them: recado-server (on by default), or nats-server -js",
        es: "inicia un servidor que los tenga: recado-server (por defecto), o nats-server -js",
    }
    not_for_account(server: &str, said: &str) {
        en: "{server}: no streams for this account (\"{said}\", error 10039)",
        es: "{server}: sin flujos para esta cuenta («{said}», error 10039)",
    }
    not_for_account_next() {
        en: "sign in as a user of an account that has JetStream, or have it enabled in the server's configuration (nats-server: -js)",
        es: "identifícate con un usuario de una cuenta que tenga JetStream, o haz que lo activen en la configuración del servidor (nats-server: -js)",
    }
    no_stream_for(subject: &str, server: &str) {
        en: "no stream at {server} stores what is published on \"{subject}\"",
        es: "ningún flujo en {server} guarda lo que se publica en «{subject}»",
    }
    no_stream_for_next(subject: &str) {
        en: "make one: recado stream add NAME --subjects {subject}\nrecado stream ls shows the subjects of those that there are",
        es: "crea uno: recado stream add NOMBRE --subjects {subject}\nrecado stream ls muestra los asuntos de los que hay",
    }
    changed(about: &str, said: &str, number: u64) {
        en: "{about} is not as it was expected to be: {said} (error {number})",
        es: "{about} no está como se esperaba: {said} (error {number})",
    }
    changed_next() {
        en: "somebody else was faster: read it again, and decide on what is there now",
        es: "alguien se adelantó: vuelve a leerlo y decide según lo que hay ahora",
    }
    exists(about: &str, said: &str, number: u64) {
        en: "{about} exists already: {said} (error {number})",
        es: "{about} ya existe: {said} (error {number})",
    }
    exists_next() {
        en: "choose another name, change it with edit, or remove it first with rm",
        es: "elige otro nombre, cámbialo con edit o elimínalo antes con rm",
    }
    refused(about: &str, said: &str, number: u64) {
        en: "the server refused it for {about}: {said} (error {number})",
        es: "el servidor lo rechazó para {about}: {said} (error {number})",
    }
    refused_unnumbered(about: &str, said: &str) {
        en: "it failed for {about}: {said}",
        es: "falló para {about}: {said}",
    }
    overlap_next() {
        en: "recado stream find --subject SUBJECT shows which stream has it; a subject belongs to one stream",
        es: "recado stream find --subject ASUNTO muestra qué flujo lo tiene; un asunto pertenece a un solo flujo",
    }
    next_resources() {
        en: "the limits of the server or of the account are reached: recado stream report shows what takes the room",
        es: "se alcanzó un límite del servidor o de la cuenta: recado stream report muestra qué ocupa el espacio",
    }
    next_full() {
        en: "see its limits with recado stream info, and make room with recado stream purge or raise them with recado stream edit",
        es: "mira sus límites con recado stream info, y haz sitio con recado stream purge o súbelos con recado stream edit",
    }
    next_disk_full() {
        en: "make room on the disk of the server's store: recado-server then stores again by itself, nats-server after a restart",
        es: "haz sitio en el disco del almacén del servidor: recado-server vuelve entonces a guardar por sí solo, nats-server tras reiniciarlo",
    }
    next_store_stopped() {
        en: "check the disk of the server's store (dmesg on its machine), then restart the server: until then it stores nothing more",
        es: "revisa el disco del almacén del servidor (dmesg en su máquina) y después reinicia el servidor: hasta entonces no guarda nada más",
    }
    next_replicas() {
        en: "a single server keeps one copy: --replicas 1",
        es: "un solo servidor guarda una copia: --replicas 1",
    }
    next_offline() {
        en: "a newer version of the server wrote it: start that one again, or remove it if it may go",
        es: "lo escribió una versión más nueva del servidor: vuelve a arrancar esa, o elimínalo si se puede perder",
    }
    next_sealed() {
        en: "a sealed stream never changes again; copy its configuration with recado stream copy",
        es: "un flujo sellado no cambia nunca más; copia su configuración con recado stream copy",
    }
    next_workqueue() {
        en: "in a work queue each message is for one consumer: give them filters that don't overlap (recado consumer ls shows them)",
        es: "en una cola de trabajo cada mensaje es de un consumidor: dales filtros que no se solapen (recado consumer ls los muestra)",
    }
    next_fields() {
        en: "a field that this server does not know, or a value it does not take: see --set, --config and the server's version (recado ping)",
        es: "un campo que este servidor no conoce, o un valor que no admite: revisa --set, --config y la versión del servidor (recado ping)",
    }
    next_later() {
        en: "the server can't do it just now: try again in a moment, and see its log",
        es: "el servidor no puede hacerlo ahora: inténtalo de nuevo en un momento y mira su registro",
    }
    next_log() {
        en: "the server's log says more about it",
        es: "el registro del servidor dice más al respecto",
    }
    next_settings() {
        en: "change what it speaks of: --help of the command lists the options, info shows what is set now",
        es: "cambia lo que menciona: --help de la orden lista las opciones, info muestra lo que hay ahora",
    }
    not_json(detail: &str) {
        en: "an answer of the JetStream API is not JSON ({detail})",
        es: "una respuesta de la API de JetStream no es JSON ({detail})",
    }
    slow_next() {
        en: "allow more with --timeout; if it happens again, the server's log says what it is busy with",
        es: "da más plazo con --timeout; si se repite, el registro del servidor dice en qué está ocupado",
    }
    too_large(subject: &str, limit: usize) {
        en: "the message for \"{subject}\" is over the {limit} bytes that the server takes (max_payload)",
        es: "el mensaje para «{subject}» pasa de los {limit} bytes que admite el servidor (max_payload)",
    }

    bad_name(written: &str) {
        en: "\"{written}\" is no name for a stream or consumer: no dots, blanks, wildcards or slashes",
        es: "«{written}» no sirve como nombre de flujo o consumidor: sin puntos, espacios, comodines ni barras",
    }
    bad_bucket(written: &str) {
        en: "\"{written}\" is no name for a bucket: letters, digits, - and _",
        es: "«{written}» no sirve como nombre de bucket: letras, cifras, - y _",
    }
    bad_key(written: &str) {
        en: "\"{written}\" is no key: letters, digits, - _ = / and dots inside",
        es: "«{written}» no sirve como clave: letras, cifras, - _ = / y puntos por dentro",
    }
    bad_pair(written: &str) {
        en: "\"{written}\": write it as NAME=VALUE",
        es: "«{written}»: escríbelo como NOMBRE=VALOR",
    }
    bad_config(path: &str, detail: &str) {
        en: "{path} holds no configuration: {detail}",
        es: "{path} no contiene una configuración: {detail}",
    }
    bad_config_next() {
        en: "it is one JSON object, as recado stream info NAME --json writes it",
        es: "es un objeto JSON, como el que escribe recado stream info NOMBRE --json",
    }
    no_object() { en: "it is no object", es: "no es un objeto" }

    consent_needed(question: &str) {
        en: "{question} Without a terminal nobody can be asked.",
        es: "{question} Sin terminal no hay a quién preguntar.",
    }
    consent_needed_next() {
        en: "if that is meant, say so with --yes",
        es: "si es en serio, dilo con --yes",
    }
    yes_or_no(question: &str) { en: "{question} [y/N]", es: "{question} [s/N]" }
    declined() { en: "nothing was changed", es: "no se cambió nada" }
    declined_next() {
        en: "answer y, or give --yes, to go on",
        es: "responde s, o da --yes, para seguir",
    }

    unlimited() { en: "unlimited", es: "sin límite" }
    yes_word() { en: "yes", es: "sí" }
    no_word() { en: "no", es: "no" }
    no_changes(about: &str) {
        en: "{about} is like that already; nothing changed",
        es: "{about} ya está así; no se cambió nada",
    }
    nothing_to_change() {
        en: "no option says what to change",
        es: "ninguna opción dice qué cambiar",
    }
    nothing_to_change_next() {
        en: "name what shall change, for instance --max-age 7d; --help lists the options",
        es: "indica qué debe cambiar, por ejemplo --max-age 7d; --help lista las opciones",
    }
    edit_question(about: &str) {
        en: "Change {about} like this?",
        es: "¿Cambiar {about} así?",
    }
    made(about: &str) { en: "made {about}", es: "creado: {about}" }
    edited(about: &str) { en: "changed {about}", es: "cambiado: {about}" }
    removed(about: &str) { en: "removed {about}", es: "eliminado: {about}" }

    column_name() { en: "NAME", es: "NOMBRE" }
    column_stream() { en: "STREAM", es: "FLUJO" }
    column_consumer() { en: "CONSUMER", es: "CONSUMIDOR" }
    column_subject() { en: "SUBJECT", es: "ASUNTO" }
    column_subjects() { en: "SUBJECTS", es: "ASUNTOS" }
    column_storage() { en: "STORAGE", es: "ALMACÉN" }
    column_messages() { en: "MESSAGES", es: "MENSAJES" }
    column_size() { en: "SIZE", es: "TAMAÑO" }
    column_consumers() { en: "CONSUMERS", es: "CONSUMIDORES" }
    column_last() { en: "LAST", es: "ÚLTIMO" }
    column_deleted() { en: "DELETED", es: "BORRADOS" }
    column_lost() { en: "LOST", es: "PERDIDOS" }
    column_rate() { en: "MSGS/S", es: "MENSAJES/S" }
    column_lag() { en: "LAG", es: "RETRASO" }
    column_pending() { en: "PENDING", es: "PENDIENTES" }
    column_unacked() { en: "UNACKED", es: "SIN CONFIRMAR" }
    column_redelivered() { en: "REDELIVERED", es: "REPETIDOS" }
    column_waiting() { en: "WAITING", es: "ESPERANDO" }
    column_kind() { en: "KIND", es: "TIPO" }
    column_policy() { en: "ACK", es: "CONFIRMACIÓN" }
    column_sequence() { en: "SEQUENCE", es: "SECUENCIA" }
    column_reason() { en: "REASON", es: "MOTIVO" }
    column_deliveries() { en: "DELIVERIES", es: "ENTREGAS" }
    column_age() { en: "AGE", es: "EDAD" }
    column_revision() { en: "REVISION", es: "REVISIÓN" }
    column_operation() { en: "OPERATION", es: "OPERACIÓN" }
    column_time() { en: "TIME", es: "HORA" }
    column_value() { en: "VALUE", es: "VALOR" }
    column_keys() { en: "VALUES", es: "VALORES" }
    column_history() { en: "HISTORY", es: "HISTORIAL" }
    column_ttl() { en: "TTL", es: "CADUCIDAD" }
    column_description() { en: "DESCRIPTION", es: "DESCRIPCIÓN" }
    column_sealed() { en: "SEALED", es: "SELLADO" }
    column_origin() { en: "ORIGIN", es: "ORIGEN" }
}

/// Whether an answer to a question means yes, in any of the languages.
pub(crate) fn is_yes(answer: &str) -> bool {
    let answer = answer.trim().to_lowercase();
    ["y", "yes", "s", "si", "sí"].contains(&answer.as_str())
}
