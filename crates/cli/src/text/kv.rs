//! What the commands of `recado kv` say, but for what all of them have in common.

super::texts! {
    about() {
        en: "Buckets of keys and values, with their history",
        es: "Buckets de claves y valores, con su historial",
    }
    usage() { en: "recado kv [OPTIONS] COMMAND …", es: "recado kv [OPCIONES] ORDEN …" }
    examples() {
        en: "A bucket keeps the last values of each key; every change has a revision.\n\nExamples:\n  recado kv add config --history 5\n  recado kv put config theme dark\n  recado kv get config theme\n  recado kv watch config --count 1",
        es: "Un bucket guarda los últimos valores de cada clave; cada cambio tiene una revisión.\n\nEjemplos:\n  recado kv add config --history 5\n  recado kv put config tema oscuro\n  recado kv get config tema\n  recado kv watch config --count 1",
    }

    add_about() { en: "Make a bucket", es: "Crear un bucket" }
    add_usage() { en: "recado kv add [OPTIONS] BUCKET", es: "recado kv add [OPCIONES] BUCKET" }
    add_examples() {
        en: "Examples:\n  recado kv add config --history 5\n  recado kv add sessions --ttl 1h --storage memory",
        es: "Ejemplos:\n  recado kv add config --history 5\n  recado kv add sesiones --ttl 1h --storage memory",
    }

    ls_about() {
        en: "List the buckets, or the keys of one",
        es: "Listar los buckets, o las claves de uno",
    }
    ls_usage() { en: "recado kv ls [OPTIONS] [BUCKET]", es: "recado kv ls [OPCIONES] [BUCKET]" }
    ls_examples() {
        en: "Examples:\n  recado kv ls\n  recado kv ls config\n  recado kv ls --json",
        es: "Ejemplos:\n  recado kv ls\n  recado kv ls config\n  recado kv ls --json",
    }

    info_about() {
        en: "Show how a bucket is set up and what it holds",
        es: "Mostrar cómo está configurado un bucket y qué contiene",
    }
    info_usage() { en: "recado kv info [OPTIONS] BUCKET", es: "recado kv info [OPCIONES] BUCKET" }
    info_examples() {
        en: "Examples:\n  recado kv info config",
        es: "Ejemplos:\n  recado kv info config",
    }

    edit_about() {
        en: "Change how a bucket is set up; shows the difference first",
        es: "Cambiar la configuración de un bucket; antes muestra la diferencia",
    }
    edit_usage() { en: "recado kv edit [OPTIONS] BUCKET", es: "recado kv edit [OPCIONES] BUCKET" }
    edit_examples() {
        en: "Examples:\n  recado kv edit config --history 10 --yes\n  recado kv edit config --ttl 30d --dry-run",
        es: "Ejemplos:\n  recado kv edit config --history 10 --yes\n  recado kv edit config --ttl 30d --dry-run",
    }

    put_about() { en: "Give a key a value", es: "Dar un valor a una clave" }
    put_usage() {
        en: "recado kv put [OPTIONS] BUCKET KEY [TEXT]",
        es: "recado kv put [OPCIONES] BUCKET CLAVE [TEXTO]",
    }
    put_examples() {
        en: "Examples:\n  recado kv put config theme dark\n  recado kv put config logo --file logo.png\n  date | recado kv put config now",
        es: "Ejemplos:\n  recado kv put config tema oscuro\n  recado kv put config logo --file logo.png\n  date | recado kv put config ahora",
    }

    get_about() { en: "Show the value of a key", es: "Mostrar el valor de una clave" }
    get_usage() {
        en: "recado kv get [OPTIONS] BUCKET KEY",
        es: "recado kv get [OPCIONES] BUCKET CLAVE",
    }
    get_examples() {
        en: "Examples:\n  recado kv get config theme\n  recado kv get config theme --revision 3\n  recado kv get config theme --raw > theme.txt\n\nOf a revision that the bucket has kept; exit status 19 if the key has no value.",
        es: "Ejemplos:\n  recado kv get config tema\n  recado kv get config tema --revision 3\n  recado kv get config tema --raw > tema.txt\n\nDe una revisión que el bucket haya conservado; código de salida 19 si la clave no tiene valor.",
    }

    create_about() {
        en: "Give a key its first value; fails if it has one",
        es: "Dar a una clave su primer valor; falla si ya tiene uno",
    }
    create_usage() {
        en: "recado kv create [OPTIONS] BUCKET KEY [TEXT]",
        es: "recado kv create [OPCIONES] BUCKET CLAVE [TEXTO]",
    }
    create_examples() {
        en: "Examples:\n  recado kv create config leader ana\n  recado kv create config lock x --ttl 30s\n\nExit status 20 if somebody was faster: a lock in one line.",
        es: "Ejemplos:\n  recado kv create config turno ana\n  recado kv create config candado x --ttl 30s\n\nCódigo de salida 20 si alguien se adelantó: un candado en una línea.",
    }

    update_about() {
        en: "Change a value only if nobody else has changed it meanwhile",
        es: "Cambiar un valor solo si nadie más lo cambió entretanto",
    }
    update_usage() {
        en: "recado kv update [OPTIONS] BUCKET KEY --revision N [TEXT]",
        es: "recado kv update [OPCIONES] BUCKET CLAVE --revision N [TEXTO]",
    }
    update_examples() {
        en: "Examples:\n  recado kv update config theme --revision 3 light",
        es: "Ejemplos:\n  recado kv update config tema --revision 3 claro",
    }

    del_about() {
        en: "Delete a key; its history stays",
        es: "Borrar una clave; su historial se queda",
    }
    del_usage() {
        en: "recado kv del [OPTIONS] BUCKET KEY",
        es: "recado kv del [OPCIONES] BUCKET CLAVE",
    }
    del_examples() {
        en: "Examples:\n  recado kv del config theme --yes",
        es: "Ejemplos:\n  recado kv del config tema --yes",
    }

    purge_about() { en: "Delete a key with its history", es: "Borrar una clave con su historial" }
    purge_usage() {
        en: "recado kv purge [OPTIONS] BUCKET KEY",
        es: "recado kv purge [OPCIONES] BUCKET CLAVE",
    }
    purge_examples() {
        en: "Examples:\n  recado kv purge config theme --yes",
        es: "Ejemplos:\n  recado kv purge config tema --yes",
    }

    watch_about() {
        en: "Show the values and every change of them as it comes",
        es: "Mostrar los valores y cada cambio según llega",
    }
    watch_usage() {
        en: "recado kv watch [OPTIONS] BUCKET [KEYS]",
        es: "recado kv watch [OPCIONES] BUCKET [CLAVES]",
    }
    watch_examples() {
        en: "Examples:\n  recado kv watch config\n  recado kv watch config 'ui.*' --new --json",
        es: "Ejemplos:\n  recado kv watch config\n  recado kv watch config 'ui.*' --new --json",
    }

    history_about() {
        en: "Show the values that a key had",
        es: "Mostrar los valores que tuvo una clave",
    }
    history_usage() {
        en: "recado kv history [OPTIONS] BUCKET KEY",
        es: "recado kv history [OPCIONES] BUCKET CLAVE",
    }
    history_examples() {
        en: "Examples:\n  recado kv history config theme",
        es: "Ejemplos:\n  recado kv history config tema",
    }

    keys_about() { en: "List the keys", es: "Listar las claves" }
    keys_usage() {
        en: "recado kv keys [OPTIONS] BUCKET [KEYS]",
        es: "recado kv keys [OPCIONES] BUCKET [CLAVES]",
    }
    keys_examples() {
        en: "Examples:\n  recado kv keys config\n  recado kv keys config 'ui.>'",
        es: "Ejemplos:\n  recado kv keys config\n  recado kv keys config 'ui.>'",
    }

    revert_about() {
        en: "Give a key the value again that it had in an earlier revision",
        es: "Devolver a una clave el valor que tuvo en una revisión anterior",
    }
    revert_usage() {
        en: "recado kv revert [OPTIONS] BUCKET KEY REVISION",
        es: "recado kv revert [OPCIONES] BUCKET CLAVE REVISIÓN",
    }
    revert_examples() {
        en: "Examples:\n  recado kv revert config theme 3 --yes",
        es: "Ejemplos:\n  recado kv revert config tema 3 --yes",
    }

    compact_about() {
        en: "Remove the traces of keys that were deleted",
        es: "Quitar los rastros de las claves borradas",
    }
    compact_usage() {
        en: "recado kv compact [OPTIONS] BUCKET",
        es: "recado kv compact [OPCIONES] BUCKET",
    }
    compact_examples() {
        en: "Examples:\n  recado kv compact config --yes\n  recado kv compact config --older 7d --yes",
        es: "Ejemplos:\n  recado kv compact config --yes\n  recado kv compact config --older 7d --yes",
    }

    rm_about() {
        en: "Remove a bucket with all its keys",
        es: "Eliminar un bucket con todas sus claves",
    }
    rm_usage() { en: "recado kv rm [OPTIONS] BUCKET", es: "recado kv rm [OPCIONES] BUCKET" }
    rm_examples() {
        en: "Examples:\n  recado kv rm config --yes",
        es: "Ejemplos:\n  recado kv rm config --yes",
    }

    value_keys() { en: "KEYS", es: "CLAVES" }
    value_revision() { en: "REVISION", es: "REVISIÓN" }
    history() {
        en: "How many values of a key are kept, 1 to 64 [1]",
        es: "Cuántos valores de una clave se conservan, de 1 a 64 [1]",
    }
    bad_history(written: &str) {
        en: "\"{written}\": a bucket keeps 1 to 64 values of a key",
        es: "«{written}»: un bucket conserva de 1 a 64 valores de una clave",
    }
    ttl() { en: "Values are kept so long [for ever]", es: "Cuánto se guarda un valor [siempre]" }
    max_bytes() {
        en: "At most so many bytes in all, like 1GiB [unlimited]",
        es: "Tantos bytes en total como máximo, como 1GiB [sin límite]",
    }
    max_value_size() {
        en: "The largest value in bytes [unlimited]",
        es: "El valor más grande, en bytes [sin límite]",
    }
    marker_ttl() {
        en: "How long it shows that a value has expired; lets values have a --ttl of their own (server 2.11)",
        es: "Cuánto se ve que un valor caducó; permite que un valor tenga su propio --ttl (servidor 2.11)",
    }
    value_ttl() {
        en: "It is kept so long (bucket with --marker-ttl)",
        es: "Se guarda este tiempo (bucket con --marker-ttl)",
    }
    revision() { en: "The value of this revision", es: "El valor de esta revisión" }
    expected() {
        en: "Only if this is still its last revision",
        es: "Solo si esta sigue siendo su última revisión",
    }
    exact() { en: "Only the value, byte for byte", es: "Solo el valor, byte por byte" }
    filter() {
        en: "Only keys that this covers; * for a token, > for the rest [all]",
        es: "Solo las claves que esto abarque; * por un elemento, > por el resto [todas]",
    }
    with_history() {
        en: "Begin with all values that are kept",
        es: "Empezar por todos los valores guardados",
    }
    older() {
        en: "Only traces that are older than this [30m]",
        es: "Solo los rastros más viejos que esto [30m]",
    }
    revert_revision() { en: "The revision", es: "La revisión" }
    put_done(key: &str, revision: u64) {
        en: "{key}: revision {revision}",
        es: "{key}: revisión {revision}",
    }
    got(key: &str, revision: u64, ago: &str) {
        en: "{key}: revision {revision}, {ago} ago",
        es: "{key}: revisión {revision}, hace {ago}",
    }
    deleted(key: &str, revision: u64) {
        en: "deleted {key}: revision {revision}",
        es: "borrada {key}: revisión {revision}",
    }
    del_question(key: &str, bucket: &str) {
        en: "Delete {key} of the bucket {bucket}?",
        es: "¿Borrar {key} del bucket {bucket}?",
    }
    purge_question(key: &str, bucket: &str) {
        en: "Delete {key} of the bucket {bucket} with its history?",
        es: "¿Borrar {key} del bucket {bucket} con su historial?",
    }
    revert_question(key: &str, revision: u64) {
        en: "Give {key} the value of revision {revision} again?",
        es: "¿Devolver a {key} el valor de la revisión {revision}?",
    }
    bar_compact_read() { en: "looking", es: "buscando" }
    bar_compact() { en: "removing", es: "eliminando" }
    compact_question(number: usize, bucket: &str) {
        en: "Remove the traces of {number} deleted keys of the bucket {bucket}?",
        es: "¿Quitar los rastros de {number} claves borradas del bucket {bucket}?",
    }
    compacted(number: usize, bucket: &str) {
        en: "deleted keys forgotten in the bucket {bucket}: {number}",
        es: "claves borradas olvidadas en el bucket {bucket}: {number}",
    }
    rm_question(bucket: &str, values: &str) {
        en: "Remove the bucket {bucket} with {values} values?",
        es: "¿Eliminar el bucket {bucket} con {values} valores?",
    }
    exists(key: &str, revision: u64) {
        en: "{key} has a value already (revision {revision}, error 10071)",
        es: "{key} ya tiene un valor (revisión {revision}, error 10071)",
    }
    exists_next() {
        en: "recado kv get shows it; change it with put, or with update if nobody else may have changed it",
        es: "recado kv get lo muestra; cámbialo con put, o con update si nadie más debe haberlo cambiado",
    }
    no_keys() { en: "There are no keys yet.", es: "Todavía no hay claves." }
    none_yet() {
        en: "There are no buckets yet; make one: recado kv add config",
        es: "Todavía no hay buckets; crea uno: recado kv add config",
    }
    silence_next() {
        en: "allow more with --timeout; recado kv keys shows what is there",
        es: "da más plazo con --timeout; recado kv keys muestra lo que hay",
    }
    operation_put() { en: "put", es: "put" }
    operation_del() { en: "deleted", es: "borrada" }
    operation_purge() { en: "purged", es: "purgada" }
    operation_expired() { en: "expired", es: "caducada" }
    fact_history() { en: "values of a key", es: "valores por clave" }
    fact_ttl() { en: "kept for", es: "se guarda" }
    fact_markers() { en: "expiry shows for", es: "la caducidad se ve" }
    fact_values() { en: "values, with history", es: "valores, con historial" }
    fact_keys() { en: "keys, deleted ones too", es: "claves, también borradas" }
    fact_size() { en: "size", es: "tamaño" }
    fact_limit() { en: "at most", es: "como máximo" }
    fact_value_limit() { en: "largest value", es: "valor más grande" }
    fact_last() { en: "last revision", es: "última revisión" }
}
