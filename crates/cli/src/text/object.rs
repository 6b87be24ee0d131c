//! What the commands of `recado object` say, but for what all of them have in common.

super::texts! {
    about() {
        en: "Buckets of objects: files of any size, by name (also: obj)",
        es: "Buckets de objetos: archivos de cualquier tamaño, por nombre (también: obj)",
    }
    usage() { en: "recado object [OPTIONS] COMMAND …", es: "recado object [OPCIONES] ORDEN …" }
    examples() {
        en: "A file is cut into pieces, and checked when it is got (SHA-256).\n\nExamples:\n  recado object add files\n  recado object put files photo.jpg\n  recado object ls files\n  recado object get files photo.jpg --output copy.jpg",
        es: "Un archivo se corta en trozos, y se comprueba al obtenerlo (SHA-256).\n\nEjemplos:\n  recado object add archivos\n  recado object put archivos foto.jpg\n  recado object ls archivos\n  recado object get archivos foto.jpg --output copia.jpg",
    }

    add_about() { en: "Make a bucket for objects", es: "Crear un bucket de objetos" }
    add_usage() {
        en: "recado object add [OPTIONS] BUCKET",
        es: "recado object add [OPCIONES] BUCKET",
    }
    add_examples() {
        en: "Examples:\n  recado object add files\n  recado object add builds --ttl 30d --max-bytes 10GiB",
        es: "Ejemplos:\n  recado object add archivos\n  recado object add compilaciones --ttl 30d --max-bytes 10GiB",
    }

    put_about() { en: "Put a file into a bucket", es: "Poner un archivo en un bucket" }
    put_usage() {
        en: "recado object put [OPTIONS] BUCKET FILE",
        es: "recado object put [OPCIONES] BUCKET ARCHIVO",
    }
    put_examples() {
        en: "Examples:\n  recado object put files photo.jpg\n  recado object put files photo.jpg --as 2026/photo.jpg\n  date | recado object put files - --as now",
        es: "Ejemplos:\n  recado object put archivos foto.jpg\n  recado object put archivos foto.jpg --as 2026/foto.jpg\n  date | recado object put archivos - --as ahora",
    }

    get_about() {
        en: "Get an object, checked byte for byte",
        es: "Obtener un objeto, comprobado byte por byte",
    }
    get_usage() {
        en: "recado object get [OPTIONS] BUCKET OBJECT",
        es: "recado object get [OPCIONES] BUCKET OBJETO",
    }
    get_examples() {
        en: "Examples:\n  recado object get files photo.jpg\n  recado object get files photo.jpg --output - > copy.jpg\n\nIt is written to a file of its name, or to --output; a file that is there is not overwritten without --yes.",
        es: "Ejemplos:\n  recado object get archivos foto.jpg\n  recado object get archivos foto.jpg --output - > copia.jpg\n\nSe escribe en un archivo con su nombre, o en --output; uno que ya existe no se sobrescribe sin --yes.",
    }

    del_about() { en: "Delete an object", es: "Borrar un objeto" }
    del_usage() {
        en: "recado object del [OPTIONS] BUCKET OBJECT",
        es: "recado object del [OPCIONES] BUCKET OBJETO",
    }
    del_examples() {
        en: "Examples:\n  recado object del files photo.jpg --yes",
        es: "Ejemplos:\n  recado object del archivos foto.jpg --yes",
    }

    info_about() {
        en: "Show what is known about a bucket, or an object",
        es: "Mostrar lo que se sabe de un bucket, o de un objeto",
    }
    info_usage() {
        en: "recado object info [OPTIONS] BUCKET [OBJECT]",
        es: "recado object info [OPCIONES] BUCKET [OBJETO]",
    }
    info_examples() {
        en: "Examples:\n  recado object info files\n  recado object info files photo.jpg",
        es: "Ejemplos:\n  recado object info archivos\n  recado object info archivos foto.jpg",
    }

    ls_about() {
        en: "List the buckets, or the objects of one",
        es: "Listar los buckets, o los objetos de uno",
    }
    ls_usage() {
        en: "recado object ls [OPTIONS] [BUCKET]",
        es: "recado object ls [OPCIONES] [BUCKET]",
    }
    ls_examples() {
        en: "Examples:\n  recado object ls\n  recado object ls files",
        es: "Ejemplos:\n  recado object ls\n  recado object ls archivos",
    }

    edit_about() {
        en: "Change how a bucket is set up; shows the difference first",
        es: "Cambiar la configuración de un bucket; antes muestra la diferencia",
    }
    edit_usage() {
        en: "recado object edit [OPTIONS] BUCKET",
        es: "recado object edit [OPCIONES] BUCKET",
    }
    edit_examples() {
        en: "Examples:\n  recado object edit files --ttl 30d --yes",
        es: "Ejemplos:\n  recado object edit archivos --ttl 30d --yes",
    }

    seal_about() {
        en: "Seal a bucket: nothing in it changes any more, for ever",
        es: "Sellar un bucket: nada cambia más en él, para siempre",
    }
    seal_usage() {
        en: "recado object seal [OPTIONS] BUCKET",
        es: "recado object seal [OPCIONES] BUCKET",
    }
    seal_examples() {
        en: "Examples:\n  recado object seal files --yes",
        es: "Ejemplos:\n  recado object seal archivos --yes",
    }

    watch_about() {
        en: "Show the objects and every change as it comes",
        es: "Mostrar los objetos y cada cambio según llega",
    }
    watch_usage() {
        en: "recado object watch [OPTIONS] BUCKET",
        es: "recado object watch [OPCIONES] BUCKET",
    }
    watch_examples() {
        en: "Examples:\n  recado object watch files\n  recado object watch files --new --json",
        es: "Ejemplos:\n  recado object watch archivos\n  recado object watch archivos --new --json",
    }

    rm_about() {
        en: "Remove a bucket with all its objects",
        es: "Eliminar un bucket con todos sus objetos",
    }
    rm_usage() { en: "recado object rm [OPTIONS] BUCKET", es: "recado object rm [OPCIONES] BUCKET" }
    rm_examples() {
        en: "Examples:\n  recado object rm files --yes",
        es: "Ejemplos:\n  recado object rm archivos --yes",
    }

    ttl() { en: "Objects are kept so long [for ever]", es: "Cuánto se guarda un objeto [siempre]" }
    max_bytes() {
        en: "At most so many bytes in all, like 10GiB [unlimited]",
        es: "Tantos bytes en total como máximo, como 10GiB [sin límite]",
    }
    put_file() { en: "The file; - is standard input", es: "El archivo; - es la entrada estándar" }
    put_as() {
        en: "The name it gets [that of the file]",
        es: "El nombre que recibe [el del archivo]",
    }
    name_needed() {
        en: "what comes from standard input has no name",
        es: "lo que viene de la entrada estándar no tiene nombre",
    }
    name_needed_next() { en: "give it one with --as", es: "dale uno con --as" }
    output() {
        en: "Where to write it; - is standard output [its name]",
        es: "Dónde escribirlo; - es la salida estándar [su nombre]",
    }
    exists(path: &str) {
        en: "{path} exists. Overwrite it?",
        es: "{path} ya existe. ¿Sobrescribirlo?",
    }
    put_done(name: &str, size: &str, took: &str) {
        en: "put {name}: {size} in {took}",
        es: "puesto {name}: {size} en {took}",
    }
    got(name: &str, size: &str, path: &str) {
        en: "got {name}: {size}, checked, in {path}",
        es: "obtenido {name}: {size}, comprobado, en {path}",
    }
    damaged(name: &str) {
        en: "what came of {name} is not what was put there: the digest is another one",
        es: "lo que llegó de {name} no es lo que se puso: el resumen SHA-256 es otro",
    }
    cut_short(name: &str) {
        en: "{name} is not whole: pieces of it are missing in the bucket",
        es: "{name} no está completo: faltan trozos en el bucket",
    }
    damaged_next() {
        en: "nothing was kept; put it there once more, and have a look at the server's log and disk",
        es: "no se conservó nada; vuelve a ponerlo, y mira el registro y el disco del servidor",
    }
    is_link(name: &str, target: &str) {
        en: "{name} is a link to {target}",
        es: "{name} es un enlace a {target}",
    }
    is_link_next() { en: "get that one instead", es: "obtén ese otro" }
    del_question(name: &str, bucket: &str) {
        en: "Delete {name} of the bucket {bucket}?",
        es: "¿Borrar {name} del bucket {bucket}?",
    }
    seal_question(bucket: &str) {
        en: "Seal the bucket {bucket}? Nothing in it can be changed afterwards, not even this.",
        es: "¿Sellar el bucket {bucket}? Después no se podrá cambiar nada en él, ni siquiera esto.",
    }
    sealed(bucket: &str) { en: "sealed the bucket {bucket}", es: "sellado el bucket {bucket}" }
    rm_question(bucket: &str, size: &str) {
        en: "Remove the bucket {bucket} with {size}?",
        es: "¿Eliminar el bucket {bucket} con {size}?",
    }
    none_yet() {
        en: "There are no buckets for objects yet; make one: recado object add files",
        es: "Todavía no hay buckets de objetos; crea uno: recado object add archivos",
    }
    empty() { en: "There are no objects yet.", es: "Todavía no hay objetos." }
    silence_next() {
        en: "allow more with --timeout; recado object ls shows what is there",
        es: "da más plazo con --timeout; recado object ls muestra lo que hay",
    }
    gone() { en: "deleted", es: "borrado" }
    bar_put() { en: "putting", es: "poniendo" }
    bar_get() { en: "getting", es: "obteniendo" }
    fact_size() { en: "size", es: "tamaño" }
    fact_limit() { en: "at most", es: "como máximo" }
    fact_ttl() { en: "kept for", es: "se guarda" }
    fact_sealed() { en: "sealed", es: "sellado" }
    fact_chunks() { en: "pieces", es: "trozos" }
    fact_digest() { en: "digest", es: "resumen" }
    fact_modified() { en: "modified", es: "modificado" }
}
