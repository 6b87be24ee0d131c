//! What the commands of `recado stream` say, but for what all of them have in common.

super::texts! {
    about() {
        en: "Streams: messages that are kept, made, looked at and changed (also: str)",
        es: "Flujos: los mensajes que se guardan; crearlos, mirarlos, cambiarlos (también: str)",
    }
    usage() { en: "recado stream [OPTIONS] COMMAND …", es: "recado stream [OPCIONES] ORDEN …" }
    examples() {
        en: "A stream keeps what is published on its subjects, and gives it to whoever asks, whenever.\n\nExamples:\n  recado stream add ORDERS --subjects 'orders.>' --max-age 7d\n  recado pub orders.new 'one book' --ack\n  recado stream view ORDERS\n  recado sub --stream ORDERS --all --timeout 1s\n  recado stream watch --once",
        es: "Un flujo guarda lo que se publica en sus asuntos, y lo da a quien lo pida, cuando lo pida.\n\nEjemplos:\n  recado stream add PEDIDOS --subjects 'pedidos.>' --max-age 7d\n  recado pub pedidos.nuevo 'un libro' --ack\n  recado stream view PEDIDOS\n  recado sub --stream PEDIDOS --all --timeout 1s\n  recado stream watch --once",
    }

    add_about() { en: "Make a stream", es: "Crear un flujo" }
    add_usage() {
        en: "recado stream add [OPTIONS] STREAM",
        es: "recado stream add [OPCIONES] FLUJO",
    }
    add_examples() {
        en: "Examples:\n  recado stream add ORDERS --subjects 'orders.>'\n  recado stream add JOBS --subjects 'jobs.*' --retention workqueue --dead-letter FAILED\n  recado stream add COPY --mirror ORDERS --set 'mirror_direct=true'\n\nOn a terminal, without options, it asks. The same stream again is no error; another one of that name is.",
        es: "Ejemplos:\n  recado stream add PEDIDOS --subjects 'pedidos.>'\n  recado stream add TAREAS --subjects 'tareas.*' --retention workqueue --dead-letter FALLIDAS\n  recado stream add COPIA --mirror PEDIDOS --set 'mirror_direct=true'\n\nEn una terminal, sin opciones, pregunta. El mismo flujo otra vez no es un error; otro con ese nombre sí.",
    }

    ls_about() { en: "List the streams", es: "Listar los flujos" }
    ls_usage() { en: "recado stream ls [OPTIONS]", es: "recado stream ls [OPCIONES]" }
    ls_examples() {
        en: "Examples:\n  recado stream ls\n  recado stream ls --subject orders.new\n  recado stream ls -a --json",
        es: "Ejemplos:\n  recado stream ls\n  recado stream ls --subject pedidos.nuevo\n  recado stream ls -a --json",
    }

    info_about() {
        en: "Show how a stream is set up and what it holds",
        es: "Mostrar cómo está configurado un flujo y qué contiene",
    }
    info_usage() {
        en: "recado stream info [OPTIONS] STREAM",
        es: "recado stream info [OPCIONES] FLUJO",
    }
    info_examples() {
        en: "Examples:\n  recado stream info ORDERS\n  recado stream info ORDERS --json",
        es: "Ejemplos:\n  recado stream info PEDIDOS\n  recado stream info PEDIDOS --json",
    }

    view_about() {
        en: "Show messages of a stream: the newest, or from where you say",
        es: "Mostrar mensajes de un flujo: los más nuevos, o desde donde digas",
    }
    view_usage() {
        en: "recado stream view [OPTIONS] STREAM [N]",
        es: "recado stream view [OPCIONES] FLUJO [N]",
    }
    view_examples() {
        en: "Examples:\n  recado stream view ORDERS\n  recado stream view ORDERS 100 --since 1h\n  recado stream view ORDERS --subject 'orders.new' --headers",
        es: "Ejemplos:\n  recado stream view PEDIDOS\n  recado stream view PEDIDOS 100 --since 1h\n  recado stream view PEDIDOS --subject 'pedidos.nuevo' --headers",
    }

    get_about() {
        en: "Get one message: by its sequence, or the last one on a subject",
        es: "Obtener un mensaje: por su secuencia, o el último de un asunto",
    }
    get_usage() {
        en: "recado stream get [OPTIONS] STREAM [SEQUENCE]",
        es: "recado stream get [OPCIONES] FLUJO [SECUENCIA]",
    }
    get_examples() {
        en: "Examples:\n  recado stream get ORDERS 17\n  recado stream get ORDERS --last-for orders.new --raw",
        es: "Ejemplos:\n  recado stream get PEDIDOS 17\n  recado stream get PEDIDOS --last-for pedidos.nuevo --raw",
    }

    rm_about() {
        en: "Remove a stream with all its messages",
        es: "Eliminar un flujo con todos sus mensajes",
    }
    rm_usage() { en: "recado stream rm [OPTIONS] STREAM", es: "recado stream rm [OPCIONES] FLUJO" }
    rm_examples() {
        en: "Examples:\n  recado stream rm ORDERS --yes",
        es: "Ejemplos:\n  recado stream rm PEDIDOS --yes",
    }

    purge_about() {
        en: "Remove messages of a stream: all, those on a subject, all but the newest",
        es: "Eliminar mensajes de un flujo: todos, los de un asunto, todos menos los más nuevos",
    }
    purge_usage() {
        en: "recado stream purge [OPTIONS] STREAM",
        es: "recado stream purge [OPCIONES] FLUJO",
    }
    purge_examples() {
        en: "Examples:\n  recado stream purge ORDERS --yes\n  recado stream purge ORDERS --subject orders.old --keep 10 --yes\n  recado stream purge ORDERS --before 1000 --yes",
        es: "Ejemplos:\n  recado stream purge PEDIDOS --yes\n  recado stream purge PEDIDOS --subject pedidos.viejos --keep 10 --yes\n  recado stream purge PEDIDOS --before 1000 --yes",
    }

    edit_about() {
        en: "Change how a stream is set up; shows the difference first",
        es: "Cambiar la configuración de un flujo; antes muestra la diferencia",
    }
    edit_usage() {
        en: "recado stream edit [OPTIONS] STREAM",
        es: "recado stream edit [OPCIONES] FLUJO",
    }
    edit_examples() {
        en: "Examples:\n  recado stream edit ORDERS --max-age 30d --yes\n  recado stream edit ORDERS --subjects 'orders.>,returns.>' --dry-run\n  recado stream edit ORDERS --config orders.json --yes",
        es: "Ejemplos:\n  recado stream edit PEDIDOS --max-age 30d --yes\n  recado stream edit PEDIDOS --subjects 'pedidos.>,devoluciones.>' --dry-run\n  recado stream edit PEDIDOS --config pedidos.json --yes",
    }

    copy_about() {
        en: "Make a stream set up like another; the messages stay where they are",
        es: "Crear un flujo configurado como otro; los mensajes se quedan donde están",
    }
    copy_usage() {
        en: "recado stream copy [OPTIONS] SOURCE STREAM",
        es: "recado stream copy [OPCIONES] ORIGEN FLUJO",
    }
    copy_examples() {
        en: "Examples:\n  recado stream copy ORDERS TEST --subjects 'test.>'",
        es: "Ejemplos:\n  recado stream copy PEDIDOS PRUEBA --subjects 'prueba.>'",
    }

    subjects_about() {
        en: "List the subjects of a stream, with how many messages each has",
        es: "Listar los asuntos de un flujo, con cuántos mensajes tiene cada uno",
    }
    subjects_usage() {
        en: "recado stream subjects [OPTIONS] STREAM [FILTER]",
        es: "recado stream subjects [OPCIONES] FLUJO [FILTRO]",
    }
    subjects_examples() {
        en: "Examples:\n  recado stream subjects ORDERS\n  recado stream subjects ORDERS 'orders.*' --json",
        es: "Ejemplos:\n  recado stream subjects PEDIDOS\n  recado stream subjects PEDIDOS 'pedidos.*' --json",
    }

    rmm_about() {
        en: "Remove single messages: nobody can read them from then on",
        es: "Eliminar mensajes sueltos: desde entonces nadie puede leerlos",
    }
    rmm_usage() {
        en: "recado stream rmm [OPTIONS] STREAM SEQUENCE …",
        es: "recado stream rmm [OPCIONES] FLUJO SECUENCIA …",
    }
    rmm_examples() {
        en: "Examples:\n  recado stream rmm ORDERS 17 --yes\n  recado stream rmm ORDERS 17 18 --no-erase --yes\n\nTheir bytes are overwritten on the disk too, unless --no-erase is given.",
        es: "Ejemplos:\n  recado stream rmm PEDIDOS 17 --yes\n  recado stream rmm PEDIDOS 17 18 --no-erase --yes\n\nAdemás se sobrescriben sus bytes en el disco, salvo con --no-erase.",
    }

    report_about() {
        en: "A table of all streams: what they hold, what is lost, who copies whom",
        es: "Una tabla de todos los flujos: qué guardan, qué se perdió, quién copia a quién",
    }
    report_usage() { en: "recado stream report [OPTIONS]", es: "recado stream report [OPCIONES]" }
    report_examples() {
        en: "Examples:\n  recado stream report\n  recado stream report --json",
        es: "Ejemplos:\n  recado stream report\n  recado stream report --json",
    }

    find_about() { en: "Find streams by what they are like", es: "Buscar flujos por cómo son" }
    find_usage() { en: "recado stream find [OPTIONS]", es: "recado stream find [OPCIONES]" }
    find_examples() {
        en: "Examples:\n  recado stream find --subject orders.new\n  recado stream find --empty --idle 7d\n  recado stream find --no-consumers --names",
        es: "Ejemplos:\n  recado stream find --subject pedidos.nuevo\n  recado stream find --empty --idle 7d\n  recado stream find --no-consumers --names",
    }

    seal_about() {
        en: "Seal a stream: from then on nothing in it changes, for ever",
        es: "Sellar un flujo: desde entonces nada cambia en él, para siempre",
    }
    seal_usage() {
        en: "recado stream seal [OPTIONS] STREAM",
        es: "recado stream seal [OPCIONES] FLUJO",
    }
    seal_examples() {
        en: "Examples:\n  recado stream seal ARCHIVE --yes",
        es: "Ejemplos:\n  recado stream seal ARCHIVO_2026 --yes",
    }

    backup_about() {
        en: "Save a stream with its messages and consumers in a folder",
        es: "Guardar un flujo con sus mensajes y consumidores en una carpeta",
    }
    backup_usage() {
        en: "recado stream backup [OPTIONS] STREAM DIR",
        es: "recado stream backup [OPCIONES] FLUJO CARPETA",
    }
    backup_examples() {
        en: "Examples:\n  recado stream backup ORDERS backup/orders\n  recado stream backup ORDERS backup/orders --no-consumers --check\n\nThe folder gets backup.json and stream.tar.s2, named as the nats CLI names them. The second is in the server's own format: a stream of a recado-server can be restored on a recado-server, one of a nats-server on a nats-server.",
        es: "Ejemplos:\n  recado stream backup PEDIDOS copias/pedidos\n  recado stream backup PEDIDOS copias/pedidos --no-consumers --check\n\nLa carpeta recibe backup.json y stream.tar.s2, con los nombres que usa la CLI nats. El segundo está en el formato propio del servidor: un flujo de un recado-server se restaura en un recado-server, y uno de un nats-server en un nats-server.",
    }

    restore_about() {
        en: "Make a stream of what backup saved",
        es: "Crear un flujo con lo que guardó backup",
    }
    restore_usage() {
        en: "recado stream restore [OPTIONS] DIR",
        es: "recado stream restore [OPCIONES] CARPETA",
    }
    restore_examples() {
        en: "Examples:\n  recado stream restore backup/orders\n\nThe server must be of the kind that the backup came from: recado-server or nats-server.",
        es: "Ejemplos:\n  recado stream restore copias/pedidos\n\nEl servidor debe ser de la clase de donde viene la copia: recado-server o nats-server.",
    }

    watch_about() {
        en: "Live: how much streams and consumers hold, how fast it grows, how far behind they are",
        es: "En vivo: cuánto guardan flujos y consumidores, a qué ritmo crece y cuánto se atrasan",
    }
    watch_usage() {
        en: "recado stream watch [OPTIONS] [STREAM …]",
        es: "recado stream watch [OPCIONES] [FLUJO …]",
    }
    watch_examples() {
        en: "Examples:\n  recado stream watch\n  recado stream watch ORDERS --interval 500ms\n  recado stream watch --once --json",
        es: "Ejemplos:\n  recado stream watch\n  recado stream watch PEDIDOS --interval 500ms\n  recado stream watch --once --json",
    }

    dead_letters_about() {
        en: "List the messages that no consumer could handle",
        es: "Listar los mensajes que ningún consumidor pudo tratar",
    }
    dead_letters_usage() {
        en: "recado stream dead-letters [OPTIONS] STREAM",
        es: "recado stream dead-letters [OPCIONES] FLUJO",
    }
    dead_letters_examples() {
        en: "Examples:\n  recado stream dead-letters JOBS\n  recado stream dead-letters FAILED --json\n\nSTREAM is the stream itself, or the one that keeps its dead letters (recado stream add --dead-letter).",
        es: "Ejemplos:\n  recado stream dead-letters TAREAS\n  recado stream dead-letters FALLIDAS --json\n\nFLUJO es el propio flujo, o el que guarda sus mensajes fallidos (recado stream add --dead-letter).",
    }

    replay_about() {
        en: "Send dead letters once more, and take them off the list",
        es: "Enviar de nuevo los mensajes fallidos y quitarlos de la lista",
    }
    replay_usage() {
        en: "recado stream replay [OPTIONS] STREAM",
        es: "recado stream replay [OPCIONES] FLUJO",
    }
    replay_examples() {
        en: "Examples:\n  recado stream replay FAILED --seq 3\n  recado stream replay FAILED --all --yes\n  recado stream replay FAILED --all --to jobs.retry --yes\n\nEach is removed only when the stream of its subject has stored it; with the same id, so that a second\nattempt does not double it.",
        es: "Ejemplos:\n  recado stream replay FALLIDAS --seq 3\n  recado stream replay FALLIDAS --all --yes\n  recado stream replay FALLIDAS --all --to tareas.otra_vez --yes\n\nCada uno se quita solo cuando el flujo de su asunto lo ha guardado; con el mismo id, para que un segundo\nintento no lo duplique.",
    }

    value_source() { en: "SOURCE", es: "ORIGEN" }
    value_sequence() { en: "SEQUENCE", es: "SECUENCIA" }
    value_kept() { en: "STREAM", es: "FLUJO" }
    subjects() {
        en: "What it keeps: subjects, separated by commas [the name]",
        es: "Lo que guarda: asuntos, separados por comas [el nombre]",
    }
    retention() {
        en: "limits: until a limit is met; interest: until all consumers have it; workqueue: until one has it [limits]",
        es: "limits: hasta llegar a un límite; interest: hasta que lo tengan todos los consumidores; workqueue: hasta que lo tenga uno [limits]",
    }
    discard() {
        en: "When it is full: old goes, or new is refused [old]",
        es: "Cuando está lleno: sale lo viejo (old) o se rechaza lo nuevo (new) [old]",
    }
    max_msgs() {
        en: "At most so many messages [unlimited]",
        es: "Tantos mensajes como máximo [sin límite]",
    }
    max_bytes() {
        en: "At most so many bytes, like 1GiB [unlimited]",
        es: "Tantos bytes como máximo, como 1GiB [sin límite]",
    }
    max_age() {
        en: "Messages are kept so long, like 12h or 7d [for ever]",
        es: "Cuánto se guarda un mensaje, como 12h o 7d [siempre]",
    }
    max_msgs_per_subject() {
        en: "At most so many messages on each subject [unlimited]",
        es: "Tantos mensajes como máximo en cada asunto [sin límite]",
    }
    max_msg_size() {
        en: "The largest message in bytes [unlimited]",
        es: "El mensaje más grande, en bytes [sin límite]",
    }
    max_consumers() {
        en: "At most so many consumers [unlimited]",
        es: "Tantos consumidores como máximo [sin límite]",
    }
    dupe_window() {
        en: "How long the id of a message is remembered (Nats-Msg-Id) [2m]",
        es: "Cuánto se recuerda el id de un mensaje (Nats-Msg-Id) [2m]",
    }
    compression() { en: "none or s2 [none]", es: "none (ninguna) o s2 [none]" }
    allow_direct() {
        en: "Single messages may be got without a consumer [true]",
        es: "Se pueden obtener mensajes sueltos sin consumidor [true]",
    }
    allow_rollup() {
        en: "A message may replace the ones before it (Nats-Rollup) [false]",
        es: "Un mensaje puede sustituir a los anteriores (Nats-Rollup) [false]",
    }
    allow_msg_ttl() {
        en: "A message may say how long it is kept (Nats-TTL) [false]",
        es: "Un mensaje puede decir cuánto se guarda (Nats-TTL) [false]",
    }
    deny_delete() {
        en: "Single messages can't be removed [false]",
        es: "No se pueden eliminar mensajes sueltos [false]",
    }
    deny_purge() { en: "It can't be purged [false]", es: "No se puede vaciar [false]" }
    no_ack() {
        en: "Publishers get no acknowledgement [false]",
        es: "Quien publica no recibe confirmación [false]",
    }
    mirror() {
        en: "A copy of another stream, that nobody else writes to",
        es: "Una copia de otro flujo, en la que nadie más escribe",
    }
    source() {
        en: "Take in what another stream has; may be repeated",
        es: "Incorporar lo que tiene otro flujo; se puede repetir",
    }
    dead_letter() {
        en: "Messages that no consumer could handle go to this stream (recado-server); it is made if it is missing",
        es: "Los mensajes que ningún consumidor pudo tratar van a este flujo (recado-server); se crea si falta",
    }
    bad_limit(written: &str) {
        en: "\"{written}\" is no limit; write a number like 10k, or -1 for none",
        es: "«{written}» no es un límite; escribe un número como 10k, o -1 si no lo hay",
    }
    ask_subjects(name: &str) {
        en: "Subjects, separated by commas [{name}]:",
        es: "Asuntos, separados por comas [{name}]:",
    }
    ask_storage() { en: "Storage, file or memory [file]:", es: "Almacén, file o memory [file]:" }
    ask_retention() {
        en: "Retention, limits, interest or workqueue [limits]:",
        es: "Retención, limits, interest o workqueue [limits]:",
    }
    ask_max_age() {
        en: "How long a message is kept, like 7d [for ever]:",
        es: "Cuánto se guarda un mensaje, como 7d [siempre]:",
    }
    ask_max_bytes() {
        en: "Most bytes, like 1GiB [unlimited]:",
        es: "Máximo de bytes, como 1GiB [sin límite]:",
    }
    made_dead_letter(name: &str) {
        en: "made the stream {name} for dead letters",
        es: "creado el flujo {name} para los mensajes fallidos",
    }
    names() { en: "Only the names", es: "Solo los nombres" }
    ls_subject() { en: "Only those that keep this subject", es: "Solo los que guardan este asunto" }
    ls_all() {
        en: "Also the streams of buckets (KV_…, OBJ_…)",
        es: "También los flujos de los buckets (KV_…, OBJ_…)",
    }
    none_yet() {
        en: "There are no streams yet; make one: recado stream add ORDERS --subjects 'orders.>'",
        es: "Todavía no hay flujos; crea uno: recado stream add PEDIDOS --subjects 'pedidos.>'",
    }
    some_hidden(number: usize) {
        en: "Streams of buckets that are not shown: {number} (-a shows them)",
        es: "Flujos de buckets que no se muestran: {number} (-a los muestra)",
    }
    view_number() { en: "At most so many [10]", es: "Tantos como máximo [10]" }
    view_subject() {
        en: "Only those on subjects that this covers",
        es: "Solo los de asuntos que esto abarque",
    }
    get_sequence() { en: "Its sequence", es: "Su secuencia" }
    get_last() { en: "The last message on this subject", es: "El último mensaje de este asunto" }
    rm_question(name: &str, messages: &str) {
        en: "Remove the stream {name} with {messages} messages?",
        es: "¿Eliminar el flujo {name} con {messages} mensajes?",
    }
    rm_offline_question(name: &str) {
        en: "Remove the stream {name}, which this server can't serve, with all its messages?",
        es: "¿Eliminar el flujo {name}, que este servidor no puede servir, con todos sus mensajes?",
    }
    purge_subject() {
        en: "Only those on subjects that this covers",
        es: "Solo los de asuntos que esto abarque",
    }
    purge_before() {
        en: "Only those before this sequence",
        es: "Solo los anteriores a esta secuencia",
    }
    purge_keep() { en: "All but the newest so many", es: "Todos menos tantos de los más nuevos" }
    purge_question(name: &str) {
        en: "Remove messages of the stream {name}?",
        es: "¿Eliminar mensajes del flujo {name}?",
    }
    purged(name: &str, messages: &str) {
        en: "messages removed from the stream {name}: {messages}",
        es: "mensajes eliminados del flujo {name}: {messages}",
    }
    subjects_filter() {
        en: "Only subjects that this covers",
        es: "Solo los asuntos que esto abarque",
    }
    rmm_sequences() { en: "Their sequences", es: "Sus secuencias" }
    rmm_no_erase() {
        en: "Don't overwrite their bytes on the disk, which is faster",
        es: "No sobrescribir sus bytes en el disco, que es más rápido",
    }
    rmm_question(name: &str, number: usize) {
        en: "Remove {number} messages of the stream {name} for good?",
        es: "¿Eliminar definitivamente {number} mensajes del flujo {name}?",
    }
    rmm_done(name: &str, sequence: u64) {
        en: "removed the message {sequence} of the stream {name}",
        es: "eliminado el mensaje {sequence} del flujo {name}",
    }
    find_subject() { en: "Those that keep this subject", es: "Los que guardan este asunto" }
    find_empty() { en: "Those without messages", es: "Los que no tienen mensajes" }
    find_idle() {
        en: "Those that got nothing for so long",
        es: "Los que no recibieron nada en este tiempo",
    }
    find_no_consumers() { en: "Those without consumers", es: "Los que no tienen consumidores" }
    find_larger() { en: "Those of more than so many bytes", es: "Los de más de tantos bytes" }
    find_invert() {
        en: "Those for which it does not hold",
        es: "Aquellos para los que no se cumple",
    }
    find_none() { en: "No stream is like that.", es: "Ningún flujo es así." }
    seal_question(name: &str) {
        en: "Seal the stream {name}? Nothing in it can be changed afterwards, not even this.",
        es: "¿Sellar el flujo {name}? Después no se podrá cambiar nada en él, ni siquiera esto.",
    }
    sealed(name: &str) { en: "sealed the stream {name}", es: "sellado el flujo {name}" }
    folder() { en: "The folder", es: "La carpeta" }
    backup_no_consumers() { en: "Without its consumers", es: "Sin sus consumidores" }
    backup_check() {
        en: "Have the server check every message first",
        es: "Pedir al servidor que antes revise cada mensaje",
    }
    backup_exists(path: &str) {
        en: "{path} holds a backup already",
        es: "{path} ya contiene una copia",
    }
    backup_exists_next() {
        en: "name another folder, or remove that one first",
        es: "indica otra carpeta, o elimina antes esa",
    }
    backed_up(name: &str, messages: &str, size: &str, folder: &str) {
        en: "saved the stream {name}: {messages} messages, {size} in {folder}",
        es: "guardado el flujo {name}: {messages} mensajes, {size} en {folder}",
    }
    backup_broken(name: &str, detail: &str) {
        en: "the backup of the stream {name} broke off: {detail}",
        es: "se interrumpió la copia del flujo {name}: {detail}",
    }
    backup_broken_next() {
        en: "what was written is not whole and was removed; try again, and see the server's log",
        es: "lo escrito no está completo y se eliminó; inténtalo de nuevo y mira el registro del servidor",
    }
    no_backup(path: &str, detail: &str) {
        en: "{path} holds no backup: {detail}",
        es: "{path} no contiene una copia: {detail}",
    }
    no_backup_next() {
        en: "name the folder that recado stream backup wrote, with backup.json and stream.tar.s2",
        es: "indica la carpeta que escribió recado stream backup, con backup.json y stream.tar.s2",
    }
    restored(name: &str, messages: &str, took: &str) {
        en: "restored the stream {name}: {messages} messages in {took}",
        es: "restaurado el flujo {name}: {messages} mensajes en {took}",
    }
    bar_backup() { en: "saving", es: "guardando" }
    bar_restore() { en: "restoring", es: "restaurando" }
    bar_replay() { en: "replaying", es: "reenviando" }
    watch_streams() { en: "Only these", es: "Solo estos" }
    watch_head(server: &str, time: &str) {
        en: "{server} · {time} · Ctrl-C ends",
        es: "{server} · {time} · Ctrl-C termina",
    }
    watch_more(number: usize) { en: "… and {number} more", es: "… y {number} más" }
    not_dead(name: &str) {
        en: "The stream {name} keeps no dead letters and names no stream that does.",
        es: "El flujo {name} no guarda mensajes fallidos ni nombra un flujo que lo haga.",
    }
    not_dead_next(name: &str) {
        en: "recado stream edit {name} --dead-letter FAILED",
        es: "recado stream edit {name} --dead-letter FALLIDAS",
    }
    no_dead() { en: "There are no dead letters.", es: "No hay mensajes fallidos." }
    reason_max_deliver() { en: "delivered too often", es: "entregado demasiadas veces" }
    reason_terminated() { en: "given up", es: "descartado" }
    reason_detail(reason: &str, detail: &str) { en: "{reason}: {detail}", es: "{reason}: {detail}" }
    replay_stream() {
        en: "The stream with the dead letters",
        es: "El flujo con los mensajes fallidos",
    }
    replay_seq() {
        en: "Only this one, by its sequence there; may be repeated",
        es: "Solo este, por su secuencia allí; se puede repetir",
    }
    replay_all() { en: "All of them", es: "Todos" }
    replay_to() {
        en: "To this subject, instead of the one where each was published",
        es: "A este asunto, en vez de aquel donde se publicó cada uno",
    }
    replay_question(name: &str) {
        en: "Send all dead letters of the stream {name} once more?",
        es: "¿Enviar de nuevo todos los mensajes fallidos del flujo {name}?",
    }
    replay_no_letter(sequence: u64, name: &str) {
        en: "the message {sequence} of the stream {name} is no dead letter: it has no Recado-Dead-Subject",
        es: "el mensaje {sequence} del flujo {name} no es un mensaje fallido: no tiene Recado-Dead-Subject",
    }
    replay_no_letter_next() {
        en: "recado stream dead-letters lists those that are",
        es: "recado stream dead-letters lista los que lo son",
    }
    replayed_one(sequence: u64, subject: &str, stream: &str, stored: u64) {
        en: "{sequence} → {subject}, stored in the stream {stream} as {stored}",
        es: "{sequence} → {subject}, guardado en el flujo {stream} como {stored}",
    }
    replayed(number: u64) {
        en: "dead letters sent once more: {number}",
        es: "mensajes fallidos reenviados: {number}",
    }
    fact_subjects() { en: "subjects", es: "asuntos" }
    fact_description() { en: "description", es: "descripción" }
    fact_created() { en: "created", es: "creado" }
    fact_storage() { en: "storage", es: "almacén" }
    fact_retention() { en: "retention", es: "retención" }
    fact_limits() { en: "limits", es: "límites" }
    fact_age() { en: "kept for", es: "se guarda" }
    fact_window() { en: "duplicates known for", es: "duplicados durante" }
    fact_options() { en: "options", es: "opciones" }
    fact_mirror() { en: "mirror of", es: "copia de" }
    fact_sources() { en: "sources", es: "fuentes" }
    fact_dead_letter() { en: "dead letters go to", es: "los fallidos van a" }
    fact_metadata() { en: "metadata", es: "metadatos" }
    fact_messages() { en: "messages", es: "mensajes" }
    fact_first() { en: "first", es: "primero" }
    fact_last() { en: "last", es: "último" }
    fact_deleted() { en: "deleted inside", es: "borrados por dentro" }
    fact_lost() { en: "LOST by damage", es: "PERDIDOS por daños" }
    fact_subject_count() { en: "different subjects", es: "asuntos distintos" }
    fact_consumers() { en: "consumers", es: "consumidores" }
    limit_messages(number: &str) { en: "{number} messages", es: "{number} mensajes" }
    limit_bytes(size: &str) { en: "{size} in all", es: "{size} en total" }
    limit_per_subject(number: &str) { en: "{number} a subject", es: "{number} por asunto" }
    limit_size(size: &str) { en: "{size} a message", es: "{size} por mensaje" }
    limit_consumers(number: &str) { en: "{number} consumers", es: "{number} consumidores" }
    full(retention: &str, discard: &str) {
        en: "{retention}; when full, {discard} goes",
        es: "{retention}; si se llena, sale: {discard}",
    }
    held(messages: &str, size: &str) { en: "{messages}, {size}", es: "{messages}, {size}" }
    place(sequence: u64, moment: &str, ago: &str) {
        en: "#{sequence} · {moment} · {ago} ago",
        es: "#{sequence} · {moment} · hace {ago}",
    }
}
