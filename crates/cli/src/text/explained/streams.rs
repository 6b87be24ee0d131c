//! Making, changing and finding streams.

super::family! {
    en "Streams"
    es "Flujos";

    (10059 404 JSStreamNotFoundErr) "stream not found"
    en "There is no stream of this name in the account that you are connected with. Names know upper and lower case; a key-value bucket B is the stream KV_B, an object bucket the stream OBJ_B. Often the name is right and the server, the account or the domain is another."
        => "recado stream ls -a shows those that there are, recado context show which server and user are meant. Make it with recado stream add NAME --subjects SUBJECT."
    es "No hay ningún flujo con ese nombre en la cuenta con la que estás conectado. Los nombres distinguen mayúsculas; un bucket de claves B es el flujo KV_B, uno de objetos el flujo OBJ_B. A menudo el nombre está bien y es otro el servidor, la cuenta o el dominio."
        => "recado stream ls -a muestra los que hay, recado context show de qué servidor y usuario se trata. Créalo con recado stream add NOMBRE --subjects ASUNTO.";

    (10058 400 JSStreamNameExistErr) "stream name already in use with a different configuration"
    en "There is a stream of this name already, set up otherwise. The very same configuration again would be no error: programs may create their stream at each start, as long as all of them ask for the same."
        => "recado stream info NAME shows the one that is there. Change it with recado stream edit NAME, or take another name. If two programs create it differently, let one of them own it."
    es "Ya hay un flujo con este nombre, configurado de otra manera. Pedir exactamente la misma configuración no sería un error: los programas pueden crear su flujo en cada arranque, siempre que todos pidan lo mismo."
        => "recado stream info NOMBRE muestra el que hay. Cámbialo con recado stream edit NOMBRE, o elige otro nombre. Si dos programas lo crean distinto, deja que lo gestione uno solo.";

    (10065 400 JSStreamSubjectOverlapErr) "subjects overlap with an existing stream"
    en "Another stream stores one of these subjects already, perhaps by a wildcard (orders.> holds orders.new). A message is stored once, so a subject belongs to one stream."
        => "recado stream find --subject SUBJECT shows which stream has it. Take narrower subjects, or let the new stream copy from the other one (--source STREAM, --mirror STREAM) without subjects of its own."
    es "Otro flujo ya guarda alguno de estos asuntos, quizá por un comodín (pedidos.> incluye pedidos.nuevo). Un mensaje se guarda una vez, así que un asunto pertenece a un solo flujo."
        => "recado stream find --subject ASUNTO muestra qué flujo lo tiene. Usa asuntos más estrechos, o haz que el flujo nuevo copie del otro (--source FLUJO, --mirror FLUJO) sin asuntos propios.";

    (10052 500 JSStreamInvalidConfigF) "{err}"
        says [
            "stream name is required and can not contain '.', '*', '>', '\\', '/'",
            "stream name is too long, maximum allowed is {n}",
            "invalid subject",
            "subject {a} overlaps with {b}",
            "subjects that overlap with jetstream api require no-ack to be true",
            "subjects that overlap with system api require no-ack to be true",
            "capturing all subjects requires no-ack to be true",
            "max age needs to be >= 100ms",
            "duplicates window can not be larger then max age",
            "roll-ups require the purge permission",
            "counter stream cannot use discard new",
            "counter stream cannot use message TTLs",
            "discard new per subject requires discard new policy to be set",
            "message scheduling cannot use discard new",
            "async persist mode is only supported on file storage",
            "stream configuration for republish destination forms a cycle",
            "detected cycle",
            "stream configuration update can not change storage type",
            "stream configuration update can not change retention policy to/from workqueue",
            "stream configuration update can not cancel deny message deletes",
            "stream configuration update can not cancel deny purge",
            "stream configuration update can not unseal a sealed stream",
            "stream configuration update can not change message counter setting",
            "stream configuration update can not change persist mode",
            "message TTL status can not be disabled",
            "message schedules can not be disabled",
            "consumer name can not contain '.', '*', '>', '\\', '/'",
            "consumer durable name can not contain '.', '*', '>', '\\', '/'",
            "consumer has too many filters, maximum allowed is {n}",
        ]
    en "A setting of a stream, or a name, filter or placement of a consumer, can't be had, or not together with another; the text says which. \"can not change\", \"can not cancel\", \"can not be disabled\": it was decided when the stream was made, and holds as long as it lives (storage, work queue or not, deny_delete, deny_purge, counters, TTLs once allowed)."
        => "Change what the text speaks of: recado stream add --help lists the options. For what can't be changed, make a new stream, have it copy the old one (--source STREAM), and move the programs over."
    es "Una opción de un flujo, o el nombre, el filtro o la ubicación de un consumidor, no es posible, o no junto con otra; el texto dice cuál. «can not change», «can not cancel», «can not be disabled»: se decidió al crear el flujo y vale mientras exista (almacén, cola de trabajo o no, deny_delete, deny_purge, contadores, los TTL una vez permitidos)."
        => "Cambia lo que menciona el texto: recado stream add --help lista las opciones. Para lo que no se puede cambiar, crea un flujo nuevo, haz que copie el viejo (--source FLUJO) y pasa los programas a él.";

    (10049 500 JSStreamCreateErrF) "{err}"
    en "The stream could not be made, for a reason that the text tells: usually its place on the disk (full, not to be written to), or a mirror's or source's filter that is no subject. Nothing is left of the attempt."
        => "See the server's log and the disk of its store (df, and the owner of the store directory); then try again."
    es "El flujo no se pudo crear, por el motivo que da el texto: normalmente su sitio en el disco (lleno, sin permiso de escritura), o un filtro de un espejo o de un origen que no es un asunto. Del intento no queda nada."
        => "Mira el registro del servidor y el disco de su almacén (df, y el dueño de la carpeta del almacén); después inténtalo de nuevo.";

    (10069 500 JSStreamUpdateErrF) "{err}" says ["change to limits violates consumers: {names}"]
    en "The stream was not changed. \"change to limits violates consumers\": consumers that are there have a larger max_ack_pending or inactive_threshold than the new consumer limits allow; the text names them. Other texts come from the store or from a source's filter."
        => "Change those consumers first (recado consumer edit STREAM CONSUMER --max-pending N), then the stream."
    es "El flujo no se cambió. «change to limits violates consumers»: hay consumidores con un max_ack_pending o un inactive_threshold mayor de lo que permiten los nuevos límites; el texto los nombra. Otros textos vienen del almacén o del filtro de un origen."
        => "Cambia antes esos consumidores (recado consumer edit FLUJO CONSUMIDOR --max-pending N), y después el flujo.";

    (10050 500 JSStreamDeleteErrF) "{err}"
    en "nats-server could not remove the stream wholly, mostly because its files on the disk could not be removed. recado-server never sends it: a removal is one record of its log."
        => "See the server's log and the rights in its store directory, then remove it again."
    es "nats-server no pudo eliminar el flujo del todo, casi siempre porque no pudo borrar sus archivos del disco. recado-server nunca lo envía: una eliminación es una anotación de su registro de datos."
        => "Mira el registro del servidor y los permisos de la carpeta de su almacén, y elimínalo otra vez.";

    (10051 500 JSStreamGeneralErrorF) "{err}"
    en "An older nats-server failed at something about a stream that has no number of its own; the text and its log say what."
        => "See the server's log; a newer server says it more exactly."
    es "Un nats-server antiguo falló en algo de un flujo que no tiene número propio; el texto y su registro dicen qué."
        => "Mira el registro del servidor; uno más nuevo lo dice con más precisión.";

    (10096 500 JSStreamInvalidErr) "stream not valid"
    en "nats-server was asked for something of a stream that it is just closing or removing. recado-server answers 10059 then."
        => "If you did not mean to remove it, see whether it is there: recado stream info STREAM. Then try again."
    es "A nats-server se le pidió algo de un flujo que está cerrando o eliminando en ese momento. recado-server contesta entonces 10059."
        => "Si no querías eliminarlo, mira si sigue ahí: recado stream info FLUJO. Después inténtalo de nuevo.";

    (10128 400 JSStreamNameContainsPathSeparatorsErr) "Stream name can not contain path separators"
    en "The name has a slash or a backslash: names of streams become names of folders in nats-server's store."
        => "Use letters, digits, - and _: ORDERS_2026."
    es "El nombre lleva una barra o una barra invertida: en el almacén de nats-server los nombres de flujos son nombres de carpetas."
        => "Usa letras, cifras, - y _: PEDIDOS_2026.";

    (10155 400 JSStreamTransformInvalidSource) "stream transform source: {err}"
    en "The part of the stream's subject_transform that says which subjects it is for (src) is no subject."
        => "Give a subject with * and > as in a subscription: --set 'subject_transform={\"src\":\"orders.*\",\"dest\":\"all.{{wildcard(1)}}\"}'."
    es "La parte del subject_transform del flujo que dice para qué asuntos vale (src) no es un asunto."
        => "Da un asunto con * y > como en una suscripción: --set 'subject_transform={\"src\":\"pedidos.*\",\"dest\":\"todo.{{wildcard(1)}}\"}'.";

    (10156 400 JSStreamTransformInvalidDestination) "stream transform: {err}"
    en "What the stream's subject_transform should make of a subject (dest) is not possible: a function that there is none of, wrong arguments, or a {{wildcard(N)}} that src has no * for."
        => "Count the * in src from 1 up, and use each in dest. Functions: wildcard, partition, random, split, splitFromLeft, splitFromRight, sliceFromLeft, sliceFromRight."
    es "Lo que el subject_transform del flujo debería hacer con un asunto (dest) no es posible: una función que no existe, argumentos equivocados, o un {{wildcard(N)}} para el que src no tiene un *."
        => "Numera los * de src desde 1 y usa cada uno en dest. Funciones: wildcard, partition, random, split, splitFromLeft, splitFromRight, sliceFromLeft, sliceFromRight.";

    (10117 500 JSStreamInfoMaxSubjectsErr) "subject details would exceed maximum allowed"
    en "Older nats-servers refuse to list the subjects of a stream that has more than 100,000 of them. Newer ones and recado-server give them page by page."
        => "Ask with a filter: recado stream subjects STREAM 'orders.eu.>'."
    es "Los nats-server antiguos se niegan a listar los asuntos de un flujo que tiene más de 100 000. Los nuevos y recado-server los dan por páginas."
        => "Pide con un filtro: recado stream subjects FLUJO 'pedidos.eu.>'.";

    (10066 500 JSStreamTemplateCreateErrF) "{err}"
    en "Stream templates were a function of nats-server before 2.9; there are none any more, nor in recado-server."
        => "Make one stream with a wildcard (--subjects 'orders.*') in place of a stream for each subject."
    es "Las plantillas de flujos eran una función de nats-server antes de la 2.9; ya no existen, y en recado-server tampoco."
        => "Crea un flujo con comodín (--subjects 'pedidos.*') en vez de un flujo por asunto.";

    (10067 500 JSStreamTemplateDeleteErrF) "{err}"
    en "A stream template could not be removed; templates are gone since nats-server 2.9, and recado-server has none."
        => "Update the server: what a template had made stays as ordinary streams."
    es "No se pudo eliminar una plantilla de flujos; las plantillas desaparecieron con nats-server 2.9, y recado-server no las tiene."
        => "Actualiza el servidor: lo que creó una plantilla queda como flujos corrientes.";

    (10068 404 JSStreamTemplateNotFoundErr) "template not found"
    en "There is no stream template of this name; templates are gone since nats-server 2.9, and recado-server has none."
        => "Use streams: recado stream ls -a."
    es "No hay ninguna plantilla de flujos con ese nombre; las plantillas desaparecieron con nats-server 2.9, y recado-server no las tiene."
        => "Usa flujos: recado stream ls -a.";

    (10073 400 JSTemplateNameNotMatchSubjectErr) "template name in subject does not match request"
    en "A call for a stream template named two different ones; templates are gone since nats-server 2.9, and recado-server has none."
        => "Use streams; the program that asks for templates is years old."
    es "Una llamada sobre una plantilla de flujos nombraba dos distintas; las plantillas desaparecieron con nats-server 2.9, y recado-server no las tiene."
        => "Usa flujos; el programa que pide plantillas tiene años.";

    (10194 500 JSStreamOfflineReasonErrF) "stream is offline: {err}"
        says [
            "unsupported - required API level: {n}, current API level: {m}",
            "unsupported - config error: {err}",
            "decoding error: {err}",
            "stopped - unsupported consumer {name}",
        ]
    en "The stream is in the store, but this version of the server can't serve it: a newer one made or changed it, or the consumer that the text names, with something that this one does not know. Usually the server was set back to an older version. Nothing of the stream is touched: no limit takes anything away, and the newer version finds all of it."
        => "Start at least the version that made it. Or, if it may go: recado stream rm STREAM (the room on disk is free after the next start), or recado consumer rm STREAM CONSUMER for the one that is named, and start the server again."
    es "El flujo está en el almacén, pero esta versión del servidor no lo puede servir: una más nueva lo creó o lo cambió, a él o al consumidor que nombra el texto, con algo que esta no conoce. Lo normal es que se haya vuelto a una versión anterior del servidor. No se toca nada del flujo: ningún límite quita nada, y la versión nueva lo encuentra todo."
        => "Arranca al menos la versión que lo creó. O, si puede perderse: recado stream rm FLUJO (el sitio en disco queda libre tras el siguiente arranque), o recado consumer rm FLUJO CONSUMIDOR para el que se nombra, y vuelve a arrancar el servidor.";
}
