//! Making, changing and finding consumers: names, filters, where they begin.

super::family! {
    en "Consumers"
    es "Consumidores";

    (10014 404 JSConsumerNotFoundErr) "consumer not found"
    en "The stream has no consumer of this name. An ephemeral one goes by itself when nobody asks it for longer than its inactive_threshold (5 s unless set), and every consumer goes with its stream."
        => "recado consumer ls STREAM shows those that there are; make it with recado consumer add STREAM CONSUMER. If it keeps disappearing, make it durable, or give it a longer --inactive-threshold."
    es "El flujo no tiene ningún consumidor con ese nombre. Uno efímero desaparece solo cuando nadie le pide nada durante más de su inactive_threshold (5 s si no se indica otro), y todo consumidor desaparece con su flujo."
        => "recado consumer ls FLUJO muestra los que hay; créalo con recado consumer add FLUJO CONSUMIDOR. Si desaparece una y otra vez, hazlo duradero, o dale un --inactive-threshold mayor.";

    (10012 500 JSConsumerCreateErrF) "{err}"
        says [
            "deliver policy can not be updated",
            "ack policy can not be updated",
            "replay policy can not be updated",
            "start sequence can not be updated",
            "start time can not be updated",
            "storage type can not be updated",
            "heart beats can not be updated",
            "flow control can not be updated",
            "max waiting can not be updated",
            "direct can not be updated",
            "can not update pull consumer to push based",
            "can not update push consumer to pull based",
        ]
    en "The consumer could not be made or changed; the text says why. \"… can not be updated\": there is one of this name, and this part of it is fixed for its life (where it begins, how it acknowledges and replays, push or pull, heartbeat, flow control, max_waiting). Usually a program creates its consumer at each start, and its settings were changed since."
        => "recado consumer info STREAM CONSUMER shows what there is. To change it all the same, make a new one from where the old one stands (recado consumer add STREAM NEW --deliver SEQUENCE), then recado consumer rm STREAM CONSUMER."
    es "El consumidor no se pudo crear o cambiar; el texto dice por qué. «… can not be updated»: hay uno con este nombre y esa parte queda fija de por vida (dónde empieza, cómo confirma y reproduce, si entrega o se le pide, latido, control de flujo, max_waiting). Lo normal es que un programa cree su consumidor en cada arranque y sus ajustes hayan cambiado."
        => "recado consumer info FLUJO CONSUMIDOR muestra lo que hay. Para cambiarlo de todos modos, crea uno nuevo desde donde va el viejo (recado consumer add FLUJO NUEVO --deliver SECUENCIA), y luego recado consumer rm FLUJO CONSUMIDOR.";

    (10013 400 JSConsumerNameExistErr) "consumer name already in use"
    en "A push consumer of this name delivers to somebody just now, so its deliver subject can't be changed: the one who listens would get nothing more. Often two copies of a program use the same consumer without a queue group."
        => "End the other one, give each copy its own name, or let them share: --push-group (deliver_group), or a pull consumer, from which any number can take."
    es "Un consumidor push de este nombre está entregando a alguien ahora mismo, así que no se puede cambiar su asunto de entrega: quien escucha dejaría de recibir. A menudo dos copias de un programa usan el mismo consumidor sin grupo de cola."
        => "Termina la otra, da a cada copia un nombre propio, o deja que compartan: --push-group (deliver_group), o un consumidor al que se le pida, del que pueden tomar cuantos quieran.";

    (10105 400 JSConsumerExistingActiveErr) "consumer already exists and is still active"
    en "nats-server found two that want the same durable push consumer while somebody listens to it. recado-server says 10013 then."
        => "End the other one, or let them share it with a queue group (--push-group)."
    es "nats-server encontró a dos que quieren el mismo consumidor push duradero mientras alguien lo escucha. recado-server dice entonces 10013."
        => "Termina el otro, o que lo compartan con un grupo de cola (--push-group).";

    (10106 400 JSConsumerReplacementWithDifferentNameErr) "consumer replacement durable config not the same"
    en "nats-server would put a new durable push consumer in the place of an idle one of the same name, but their configurations differ in more than where they deliver. recado-server says 10012 and what differs."
        => "recado consumer info STREAM CONSUMER shows what is set; ask for the same, or remove it first."
    es "nats-server pondría un consumidor push duradero nuevo en lugar de otro inactivo del mismo nombre, pero sus configuraciones difieren en algo más que en dónde entregan. recado-server dice 10012 y qué difiere."
        => "recado consumer info FLUJO CONSUMIDOR muestra lo que hay; pide lo mismo, o elimínalo antes.";

    (10148 400 JSConsumerAlreadyExists) "consumer already exists"
    en "The request says \"only if there is none\" (action: create), and there is one of this name with other settings."
        => "recado consumer info STREAM CONSUMER shows it. Change it with recado consumer edit, take another name, or call the library's create-or-update."
    es "La petición dice «solo si no existe» (action: create) y hay uno con este nombre y otros ajustes."
        => "recado consumer info FLUJO CONSUMIDOR lo muestra. Cámbialo con recado consumer edit, usa otro nombre, o llama a la función «crear o actualizar» de la biblioteca.";

    (10149 400 JSConsumerDoesNotExist) "consumer does not exist"
    en "The request says \"only if there is one\" (action: update), and there is none of this name."
        => "recado consumer ls STREAM shows those that there are; make it with recado consumer add STREAM CONSUMER."
    es "La petición dice «solo si existe» (action: update) y no hay ninguno con ese nombre."
        => "recado consumer ls FLUJO muestra los que hay; créalo con recado consumer add FLUJO CONSUMIDOR.";

    (10016 400 JSConsumerDurableNameNotInSubjectErr) "consumer expected to be durable but no durable name set in subject"
    en "The old call for durable consumers (CONSUMER.DURABLE.CREATE) came without a name in its subject. recado-server does not take such a subject for a call at all: nobody answers."
        => "Use a current library, or put the name behind the stream's: $JS.API.CONSUMER.DURABLE.CREATE.STREAM.CONSUMER."
    es "La llamada antigua para consumidores duraderos (CONSUMER.DURABLE.CREATE) llegó sin nombre en su asunto. recado-server ni siquiera toma ese asunto por una llamada: no contesta nadie."
        => "Usa una biblioteca actual, o pon el nombre tras el del flujo: $JS.API.CONSUMER.DURABLE.CREATE.FLUJO.CONSUMIDOR.";

    (10017 400 JSConsumerDurableNameNotMatchSubjectErr) "consumer name in subject does not match durable name in request"
    en "The request names two consumers: one in its subject, another in its body."
        => "Send the same name in both; a library that does it is at fault, or a proxy that rewrites subjects."
    es "La petición nombra dos consumidores: uno en su asunto y otro en su contenido."
        => "Envía el mismo nombre en ambos; si lo hace una biblioteca, el fallo es suyo, o de un intermediario que reescribe asuntos.";

    (10018 400 JSConsumerDurableNameNotSetErr) "consumer expected to be durable but a durable name was not set"
    en "The old call for durable consumers (CONSUMER.DURABLE.CREATE) has a name in its subject and no durable_name in its body."
        => "Put durable_name into the configuration, or use the current call, CONSUMER.CREATE.STREAM.CONSUMER."
    es "La llamada antigua para consumidores duraderos (CONSUMER.DURABLE.CREATE) lleva un nombre en el asunto y ningún durable_name en el contenido."
        => "Pon durable_name en la configuración, o usa la llamada actual, CONSUMER.CREATE.FLUJO.CONSUMIDOR.";

    (10019 400 JSConsumerEphemeralWithDurableInSubjectErr) "consumer expected to be ephemeral but detected a durable name set in subject"
    en "Old nats-servers: a consumer without a durable name was asked for under a subject with one. Current servers take the name from the subject."
        => "Update the server or the library: they disagree about the call's form."
    es "nats-server antiguos: se pidió un consumidor sin nombre duradero con un asunto que llevaba uno. Los servidores actuales toman el nombre del asunto."
        => "Actualiza el servidor o la biblioteca: no coinciden en la forma de la llamada.";

    (10020 400 JSConsumerEphemeralWithDurableNameErr) "consumer expected to be ephemeral but a durable name was set in request"
    en "The call for consumers without a name (CONSUMER.CREATE.STREAM) has a durable_name in its body."
        => "Put the name into the subject as well (CONSUMER.CREATE.STREAM.CONSUMER), or leave durable_name out for an ephemeral one."
    es "La llamada para consumidores sin nombre (CONSUMER.CREATE.FLUJO) lleva un durable_name en su contenido."
        => "Pon el nombre también en el asunto (CONSUMER.CREATE.FLUJO.CONSUMIDOR), o quita durable_name si debe ser efímero.";

    (10078 400 JSConsumerConfigRequiredErr) "consumer config required"
    en "A consumer was to be made without any configuration. Over the API of current servers that does not happen; programs that embed nats-server can."
        => "Send config, at least {\"ack_policy\": \"explicit\"}."
    es "Se quiso crear un consumidor sin ninguna configuración. Por la API de los servidores actuales no pasa; a los programas que incrustan nats-server, sí."
        => "Envía config, como mínimo {\"ack_policy\": \"explicit\"}.";

    (10085 400 JSConsumerPullNotDurableErr) "consumer in pull mode requires a durable name"
    en "Before nats-server 2.7 a consumer that is asked for its messages had to be durable. Current servers and recado-server have ephemeral ones too."
        => "Update the server, or give the consumer a durable name."
    es "Antes de nats-server 2.7, un consumidor al que se le pide tenía que ser duradero. Los servidores actuales y recado-server también los tienen efímeros."
        => "Actualiza el servidor, o da al consumidor un nombre duradero.";

    (10102 400 JSConsumerNameTooLongErrF) "consumer name is too long, maximum allowed is {max}"
    en "The consumer's name has more than 255 bytes. Perhaps a filter or a whole description was used as its name."
        => "Use a short name; what it is for goes into --description."
    es "El nombre del consumidor tiene más de 255 bytes. Quizá se usó como nombre un filtro o una descripción entera."
        => "Usa un nombre corto; para qué sirve va en --description.";

    (10103 400 JSConsumerBadDurableNameErr) "durable name can not contain '.', '*', '>'"
    en "The durable name has a dot or a wildcard: it becomes one token of subjects. recado-server says the same with 10052."
        => "Use letters, digits, - and _; replace the dots of names that come from elsewhere."
    es "El nombre duradero lleva un punto o un comodín: se convierte en un elemento de asuntos. recado-server dice lo mismo con 10052."
        => "Usa letras, cifras, - y _; cambia los puntos en los nombres que vengan de fuera.";

    (10127 400 JSConsumerNameContainsPathSeparatorsErr) "Consumer name can not contain path separators"
    en "The name has a slash or a backslash: names of consumers become names of folders in nats-server's store."
        => "Use letters, digits, - and _."
    es "El nombre lleva una barra o una barra invertida: en el almacén de nats-server los nombres de consumidores son nombres de carpetas."
        => "Usa letras, cifras, - y _.";

    (10132 400 JSConsumerCreateDurableAndNameMismatch) "Consumer Durable and Name have to be equal if both are provided"
    en "The configuration has a name and a durable_name that differ."
        => "Give durable_name only, or name only; name with an inactive_threshold is the current way."
    es "La configuración lleva un name y un durable_name distintos."
        => "Da solo durable_name, o solo name; name con un inactive_threshold es la forma actual.";

    (10107 400 JSConsumerDescriptionTooLongErrF) "consumer description is too long, maximum allowed is {max}"
    en "The description has more than 4096 bytes."
        => "Shorten it, and put the rest where people read it; --metadata keeps notes for programs (128 KB in all)."
    es "La descripción tiene más de 4096 bytes."
        => "Acórtala y pon el resto donde la gente lo lea; --metadata guarda notas para programas (128 KB en total).";

    (10135 400 JSConsumerMetadataLengthErrF) "consumer metadata exceeds maximum size of {limit}"
    en "The metadata, keys and values together, has more than 128 KB."
        => "Keep a reference there, and what it refers to in a bucket (recado kv put, recado object put)."
    es "Los metadatos, claves y valores juntos, pasan de 128 KB."
        => "Guarda ahí una referencia, y lo referido en un bucket (recado kv put, recado object put).";

    (10093 400 JSConsumerFilterNotSubsetErr) "consumer filter subject is not a valid subset of the interest subjects"
    en "Before nats-server 2.10, a consumer's filter had to lie within its stream's subjects. Current servers and recado-server take any filter; one that meets nothing gives nothing."
        => "Compare the filter with recado stream info STREAM: a consumer that gets nothing mostly has a filter for subjects that the stream does not store."
    es "Antes de nats-server 2.10, el filtro de un consumidor debía quedar dentro de los asuntos del flujo. Los servidores actuales y recado-server admiten cualquier filtro; uno que no coincide con nada no da nada."
        => "Compara el filtro con recado stream info FLUJO: un consumidor que no recibe nada suele tener un filtro de asuntos que el flujo no guarda.";

    (10131 400 JSConsumerCreateFilterSubjectMismatchErr) "Consumer create request did not match filtered subject from create subject"
    en "The call has a filter at the end of its subject (CONSUMER.CREATE.STREAM.CONSUMER.FILTER) and another filter_subject in its body. The one in the subject is there for permissions, so both must agree."
        => "Send the same filter in both. If a library does it, a subject mapping on the way may have changed one of them."
    es "La llamada lleva un filtro al final de su asunto (CONSUMER.CREATE.FLUJO.CONSUMIDOR.FILTRO) y otro filter_subject en su contenido. El del asunto está para los permisos, así que deben coincidir."
        => "Envía el mismo filtro en ambos. Si lo hace una biblioteca, quizá una reescritura de asuntos cambió uno por el camino.";

    (10137 400 JSConsumerMultipleFiltersNotAllowed) "consumer with multiple subject filters cannot use subject based API"
    en "A filter at the end of the call's subject goes together with one filter only, and the body has several (filter_subjects)."
        => "Call CONSUMER.CREATE.STREAM.CONSUMER without a filter behind it. Permissions must then allow that subject."
    es "Un filtro al final del asunto de la llamada solo va con un único filtro, y el contenido lleva varios (filter_subjects)."
        => "Llama a CONSUMER.CREATE.FLUJO.CONSUMIDOR sin filtro detrás. Los permisos deben admitir entonces ese asunto.";

    (10136 400 JSConsumerDuplicateFilterSubjects) "consumer cannot have both FilterSubject and FilterSubjects specified"
    en "The configuration has filter_subject and filter_subjects. When an edit changes from one filter to several, the old field stays if it is not emptied."
        => "Give one of the two: recado consumer edit STREAM CONSUMER --filter a,b sets the right one and empties the other."
    es "La configuración lleva filter_subject y filter_subjects. Al pasar de un filtro a varios, el campo viejo se queda si no se vacía."
        => "Da uno de los dos: recado consumer edit FLUJO CONSUMIDOR --filter a,b pone el correcto y vacía el otro.";

    (10138 400 JSConsumerOverlappingSubjectFilters) "consumer subject filters cannot overlap"
    en "One of the filters covers another (orders.* and orders.new): a message would come twice."
        => "Leave the narrower one out, or make them disjoint."
    es "Uno de los filtros abarca otro (pedidos.* y pedidos.nuevo): un mensaje llegaría dos veces."
        => "Quita el más estrecho, o haz que no se toquen.";

    (10139 400 JSConsumerEmptyFilter) "consumer filter in FilterSubjects cannot be empty"
    en "The list of filters has an empty entry: usually a list that was split at commas and ended in one, or a variable that was not set."
        => "Take it out. A consumer of everything has no filter at all."
    es "La lista de filtros lleva una entrada vacía: normalmente una lista partida por comas que acababa en una, o una variable sin valor."
        => "Quítala. Un consumidor de todo no lleva ningún filtro.";

    (10094 400 JSConsumerInvalidPolicyErrF) "{err}"
        says [
            "consumer delivery policy is deliver {policy}, but optional start sequence is also set",
            "consumer delivery policy is deliver {policy}, but optional start time is also set",
            "consumer delivery policy is deliver {policy}, but optional start sequence is not set",
            "consumer delivery policy is deliver {policy}, but optional start time is not set",
            "consumer delivery policy is deliver {policy}, but optional filter subject is not set",
        ]
    en "Where the consumer begins is said twice, or not wholly: opt_start_seq goes with deliver_policy by_start_sequence only, opt_start_time with by_start_time only, each must be there for it, and last_per_subject needs a filter."
        => "recado consumer add STREAM CONSUMER --deliver 17 (or 1h, all, new, last, last-per-subject with --filter '>') sets both parts."
    es "Se dice dos veces, o a medias, dónde empieza el consumidor: opt_start_seq va solo con deliver_policy by_start_sequence, opt_start_time solo con by_start_time, cada uno hace falta en el suyo, y last_per_subject necesita un filtro."
        => "recado consumer add FLUJO CONSUMIDOR --deliver 17 (o 1h, all, new, last, last-per-subject con --filter '>') pone ambas partes.";

    (10095 400 JSConsumerInvalidSamplingErrF) "failed to parse consumer sampling configuration: {err}"
    en "sample_freq, how many of a hundred acknowledgements are reported, is no number."
        => "Write \"30%\" or \"30\"; leave it out for none."
    es "sample_freq, cuántas confirmaciones de cada cien se notifican, no es un número."
        => "Escribe «30%» o «30»; quítalo si no quieres ninguna.";

    (10092 400 JSConsumerOnMappedErr) "consumer direct on a mapped consumer"
    en "Old nats-servers: an internal consumer of a mirror or source met a subject mapping. No current server sends it."
        => "Update the server."
    es "nats-server antiguos: un consumidor interno de un espejo u origen se topó con una reescritura de asuntos. Ningún servidor actual lo envía."
        => "Actualiza el servidor.";

    (10104 500 JSConsumerStoreFailedErrF) "error creating store for consumer: {err}"
    en "nats-server could not make the files of the consumer; the text has the system's reason (no space left, no rights, too many open files). recado-server keeps consumers in its log and says 10077."
        => "Make room, check the rights of the store directory and the limit of open files (ulimit -n)."
    es "nats-server no pudo crear los archivos del consumidor; el texto da el motivo del sistema (sin espacio, sin permisos, demasiados archivos abiertos). recado-server guarda los consumidores en su registro de datos y dice 10077."
        => "Haz sitio, revisa los permisos de la carpeta del almacén y el límite de archivos abiertos (ulimit -n).";

    (10116 400 JSConsumerMaxDeliverBackoffErr) "max deliver is required to be > length of backoff values"
    en "backoff has more steps than max_deliver lets a message be delivered, so the last of them would never be used."
        => "Give at most as many steps as deliveries: --max-deliver 5 --backoff 1s,10s,1m; after the last step its time is kept."
    es "backoff tiene más pasos que entregas permite max_deliver, así que los últimos no se usarían nunca."
        => "Da como mucho tantos pasos como entregas: --max-deliver 5 --backoff 1s,10s,1m; tras el último paso se mantiene su tiempo.";

    (10181 400 JSConsumerAckPolicyInvalidErr) "consumer ack policy invalid"
    en "ack_policy is a number that means nothing, from a program that embeds nats-server. Over the API a wrong word is refused as JSON (10025)."
        => "Use none, all, explicit or flow_control."
    es "ack_policy es un número sin significado, puesto por un programa que incrusta nats-server. Por la API, una palabra equivocada se rechaza como JSON (10025)."
        => "Usa none, all, explicit o flow_control.";

    (10182 400 JSConsumerReplayPolicyInvalidErr) "consumer replay policy invalid"
    en "replay_policy is a number that means nothing, from a program that embeds nats-server. Over the API a wrong word is refused as JSON (10025)."
        => "Use instant or original."
    es "replay_policy es un número sin significado, puesto por un programa que incrusta nats-server. Por la API, una palabra equivocada se rechaza como JSON (10025)."
        => "Usa instant u original.";

    (10183 400 JSConsumerAckWaitNegativeErr) "consumer ack wait needs to be positive"
    en "ack_wait is below 0: usually two times were subtracted, or a number overflowed (it is in nanoseconds)."
        => "Give --ack-wait 30s; 0 or nothing means 30 s."
    es "ack_wait está por debajo de 0: normalmente se restaron dos tiempos o se desbordó un número (va en nanosegundos)."
        => "Da --ack-wait 30s; 0 o nada significa 30 s.";

    (10184 400 JSConsumerBackOffNegativeErr) "consumer backoff needs to be positive"
    en "A step of backoff is below 0: usually a number that overflowed (they are in nanoseconds)."
        => "Give steps that grow: --backoff 1s,10s,1m."
    es "Un paso de backoff está por debajo de 0: normalmente un número que se desbordó (van en nanosegundos)."
        => "Da pasos crecientes: --backoff 1s,10s,1m.";

    (10204 400 JSConsumerInvalidResetErr) "invalid reset: {err}"
        says ["invalid reset: below start seq", "invalid reset: below start time", "invalid reset: not allowed"]
    en "The consumer could not be set to that sequence. \"below start seq\", \"below start time\": it lies before the point at which the consumer was made to begin. \"not allowed\": a consumer that did not begin with everything (deliver new, last) can only be reset as it is, without a sequence."
        => "Ask for a sequence that the consumer would have delivered itself, or make a new consumer with --deliver SEQUENCE."
    es "El consumidor no se pudo llevar a esa secuencia. «below start seq», «below start time»: es anterior al punto en que se le mandó empezar. «not allowed»: un consumidor que no empezó por todo (deliver new, last) solo se puede reiniciar tal cual, sin secuencia."
        => "Pide una secuencia que el propio consumidor habría entregado, o crea un consumidor nuevo con --deliver SECUENCIA.";

    (10195 500 JSConsumerOfflineReasonErrF) "consumer is offline: {err}"
        says [
            "unsupported - required API level: {n}, current API level: {m}",
            "unsupported - config error: {err}",
            "decoding error: {err}",
        ]
    en "The consumer is in the store, but this version of the server can't serve it: a newer one made or changed it with something that this one does not know. As long as it is there its stream is not served either (10194), for the consumer might have to see each message before it goes."
        => "Start at least the version that made it. Or recado consumer rm STREAM CONSUMER, start the server again, and make a consumer that this version knows."
    es "El consumidor está en el almacén, pero esta versión del servidor no lo puede servir: una más nueva lo creó o lo cambió con algo que esta no conoce. Mientras esté, tampoco se sirve su flujo (10194), porque el consumidor podría tener que ver cada mensaje antes de que se vaya."
        => "Arranca al menos la versión que lo creó. O recado consumer rm FLUJO CONSUMIDOR, vuelve a arrancar el servidor y crea un consumidor que esta versión conozca.";
}
