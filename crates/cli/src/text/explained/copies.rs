//! Streams that copy from others: mirrors and sources.

super::family! {
    en "Mirrors and sources"
    es "Espejos y orígenes";

    (10029 500 JSMirrorConsumerSetupFailedErrF) "{err}"
    en "The mirror can't read the stream that it copies; the text says why. It stands in the mirror's info as its error while the server tries again by itself. With recado-server it also says so when nothing answers on the subjects by which another account is reached (external)."
        => "recado stream info MIRROR shows the error, recado stream info ORIGIN whether the other one is there."
    es "El espejo no puede leer el flujo que copia; el texto dice por qué. Está en la información del espejo como su error mientras el servidor lo reintenta solo. En recado-server también lo dice si nada responde en los asuntos por los que se llega a otra cuenta (external)."
        => "recado stream info ESPEJO muestra el error, recado stream info ORIGEN si el otro existe.";

    (10045 500 JSSourceConsumerSetupFailedErrF) "{err}"
    en "The stream can't read one of those that it takes in; the text says why, and the server tries again by itself. With recado-server it also says so when nothing answers on the subjects by which another account is reached (external)."
        => "recado stream info STREAM shows each source with its lag and its error, recado stream info ORIGIN whether that one is there."
    es "El flujo no puede leer uno de los que incorpora; el texto dice por qué, y el servidor lo reintenta solo. En recado-server también lo dice si nada responde en los asuntos por los que se llega a otra cuenta (external)."
        => "recado stream info FLUJO muestra cada origen con su retraso y su error, recado stream info ORIGEN si ese existe.";

    (10030 400 JSMirrorMaxMessageSizeTooBigErr) "stream mirror must have max message size >= source"
    en "The mirror's max_msg_size is smaller than that of the stream that it copies: some messages could not be copied."
        => "Leave --max-msg-size out, or give at least that of the origin (recado stream info ORIGIN)."
    es "El max_msg_size del espejo es menor que el del flujo que copia: algunos mensajes no se podrían copiar."
        => "Quita --max-msg-size, o da al menos el del origen (recado stream info ORIGEN).";

    (10046 400 JSSourceMaxMessageSizeTooBigErr) "stream source must have max message size >= target"
    en "The stream's max_msg_size is smaller than that of a stream that it takes in: some messages could not be taken."
        => "Leave --max-msg-size out, or give at least that of each source."
    es "El max_msg_size del flujo es menor que el de un flujo que incorpora: algunos mensajes no se podrían tomar."
        => "Quita --max-msg-size, o da al menos el de cada origen.";

    (10031 400 JSMirrorWithSourcesErr) "stream mirrors can not also contain other sources"
    en "A mirror is an exact copy of one stream, so it can't take in others besides."
        => "Take --source for each of them in place of --mirror: sequences are then the stream's own."
    es "Un espejo es una copia exacta de un flujo, así que no puede incorporar además otros."
        => "Usa --source para cada uno en vez de --mirror: las secuencias son entonces las del propio flujo.";

    (10034 400 JSMirrorWithSubjectsErr) "stream mirrors can not contain subjects"
    en "A mirror gets its messages from the stream that it copies, and from nobody else; it can't store subjects of its own. A library that fills in the name as the subject causes it, too."
        => "Leave --subjects out. If others should publish into it as well, use --source in place of --mirror."
    es "Un espejo recibe sus mensajes del flujo que copia, y de nadie más; no puede guardar asuntos propios. También lo causa una biblioteca que pone el nombre como asunto."
        => "Quita --subjects. Si otros también deben publicar en él, usa --source en vez de --mirror.";

    (10032 400 JSMirrorWithStartSeqAndTimeErr) "stream mirrors can not have both start seq and start time configured"
    en "The mirror should begin at a sequence and at a time: only one can be meant. Current servers take one of them silently or say it otherwise."
        => "Give opt_start_seq or opt_start_time."
    es "El espejo debería empezar en una secuencia y también en un momento: solo puede ser una cosa. Los servidores actuales toman una sin decirlo o lo dicen de otra manera."
        => "Da opt_start_seq u opt_start_time.";

    (10033 400 JSMirrorWithSubjectFiltersErr) "stream mirrors can not contain filtered subjects"
    en "Before nats-server 2.10 a mirror copied all or nothing. Current servers and recado-server let a mirror have a filter."
        => "Update the server, or use a source, which may have a filter there too."
    es "Antes de nats-server 2.10 un espejo copiaba todo o nada. Los servidores actuales y recado-server permiten que un espejo tenga filtro."
        => "Actualiza el servidor, o usa un origen, que allí también puede tener filtro.";

    (10055 400 JSStreamMirrorNotUpdatableErr) "stream mirror configuration can not be updated"
    en "What a mirror copies is fixed when it is made. The one change that is possible is to take the mirror away: then it is a stream of its own, with all that it has."
        => "Make a new mirror. To turn it into a stream that takes messages itself: recado stream edit STREAM --set 'mirror=null' --subjects …."
    es "Lo que copia un espejo queda fijado al crearlo. El único cambio posible es quitarle el espejo: entonces es un flujo independiente, con todo lo que tiene."
        => "Crea un espejo nuevo. Para convertirlo en un flujo que reciba mensajes por sí mismo: recado stream edit FLUJO --set 'mirror=null' --subjects ….";

    (10142 400 JSMirrorInvalidStreamName) "mirrored stream name is invalid"
    en "The name of the stream to copy is none: empty, or with dots, blanks, wildcards or slashes. A subject was given in its place, perhaps."
        => "Name the stream: recado stream add COPY --mirror ORDERS."
    es "El nombre del flujo que copiar no lo es: está vacío o lleva puntos, espacios, comodines o barras. Quizá se dio un asunto en su lugar."
        => "Nombra el flujo: recado stream add COPIA --mirror PEDIDOS.";

    (10141 400 JSSourceInvalidStreamName) "sourced stream name is invalid"
    en "The name of a stream to take in is none: empty, or with dots, blanks, wildcards or slashes. A subject was given in its place, perhaps."
        => "Name the stream: --source ORDERS; which of its subjects are meant is said by filter_subject."
    es "El nombre de un flujo que incorporar no lo es: está vacío o lleva puntos, espacios, comodines o barras. Quizá se dio un asunto en su lugar."
        => "Nombra el flujo: --source PEDIDOS; cuáles de sus asuntos, lo dice filter_subject.";

    (10143 400 JSMirrorWithFirstSeqErr) "stream mirrors can not have first sequence configured"
    en "A mirror has the sequences of the stream that it copies, so it can't begin at a number of its own."
        => "Leave first_seq out; opt_start_seq inside mirror says from where to copy."
    es "Un espejo tiene las secuencias del flujo que copia, así que no puede empezar en un número propio."
        => "Quita first_seq; opt_start_seq dentro de mirror dice desde dónde copiar.";

    (10140 400 JSSourceDuplicateDetected) "duplicate source configuration detected"
    en "The same stream with the same filter and renaming is named twice as a source: its messages would come twice."
        => "Name it once, or give the two different filters."
    es "El mismo flujo con el mismo filtro y el mismo cambio de nombre figura dos veces como origen: sus mensajes llegarían dos veces."
        => "Nómbralo una vez, o dales filtros distintos.";

    (10144 400 JSSourceMultipleFiltersNotAllowed) "source with multiple subject transforms cannot also have a single subject filter"
    en "A source says which subjects it takes twice: by filter_subject, and by the src of its subject_transforms."
        => "Move the filter into subject_transforms as a src (with an empty dest to leave the subject as it is), and leave filter_subject out."
    es "Un origen dice dos veces qué asuntos toma: con filter_subject y con los src de sus subject_transforms."
        => "Pasa el filtro a subject_transforms como un src (con dest vacío para dejar el asunto como está) y quita filter_subject.";

    (10150 400 JSMirrorMultipleFiltersNotAllowed) "mirror with multiple subject transforms cannot also have a single subject filter"
    en "The mirror says which subjects it copies twice: by filter_subject, and by the src of its subject_transforms."
        => "Keep one of the two; a src with an empty dest is a filter."
    es "El espejo dice dos veces qué asuntos copia: con filter_subject y con los src de sus subject_transforms."
        => "Deja uno de los dos; un src con dest vacío es un filtro.";

    (10145 400 JSSourceInvalidSubjectFilter) "source transform source: {err}"
    en "The src of one of a source's subject_transforms is no subject."
        => "Give a subject with * and > as in a subscription."
    es "El src de uno de los subject_transforms de un origen no es un asunto."
        => "Da un asunto con * y > como en una suscripción.";

    (10151 400 JSMirrorInvalidSubjectFilter) "mirror transform source: {err}"
    en "The src of one of the mirror's subject_transforms is no subject."
        => "Give a subject with * and > as in a subscription."
    es "El src de uno de los subject_transforms del espejo no es un asunto."
        => "Da un asunto con * y > como en una suscripción.";

    (10146 400 JSSourceInvalidTransformDestination) "source transform: {err}"
    en "The dest of one of a source's subject_transforms is not possible: an unknown function, wrong arguments, or a {{wildcard(N)}} that src has no * for."
        => "Count the * in src from 1 up, as in {\"src\":\"orders.*\",\"dest\":\"all.{{wildcard(1)}}\"}."
    es "El dest de uno de los subject_transforms de un origen no es posible: una función desconocida, argumentos equivocados, o un {{wildcard(N)}} para el que src no tiene un *."
        => "Numera los * de src desde 1, como en {\"src\":\"pedidos.*\",\"dest\":\"todo.{{wildcard(1)}}\"}.";

    (10154 400 JSMirrorInvalidTransformDestination) "mirror transform: {err}"
    en "The dest of one of the mirror's subject_transforms is not possible: an unknown function, wrong arguments, or a {{wildcard(N)}} that src has no * for."
        => "Count the * in src from 1 up, as in {\"src\":\"orders.*\",\"dest\":\"all.{{wildcard(1)}}\"}."
    es "El dest de uno de los subject_transforms del espejo no es posible: una función desconocida, argumentos equivocados, o un {{wildcard(N)}} para el que src no tiene un *."
        => "Numera los * de src desde 1, como en {\"src\":\"pedidos.*\",\"dest\":\"todo.{{wildcard(1)}}\"}.";

    (10147 400 JSSourceOverlappingSubjectFilters) "source filters can not overlap"
    en "Two subject_transforms of one source are for the same subjects: a message would have to be renamed in two ways."
        => "Make their src disjoint: orders.new and orders.old, not orders.* and orders.new."
    es "Dos subject_transforms de un mismo origen valen para los mismos asuntos: habría que cambiar el nombre de un mensaje de dos maneras."
        => "Haz que sus src no se toquen: pedidos.nuevo y pedidos.viejo, no pedidos.* y pedidos.nuevo.";

    (10152 400 JSMirrorOverlappingSubjectFilters) "mirror subject filters can not overlap"
    en "Two subject_transforms of the mirror are for the same subjects: a message would have to be renamed in two ways."
        => "Make their src disjoint: orders.new and orders.old, not orders.* and orders.new."
    es "Dos subject_transforms del espejo valen para los mismos asuntos: habría que cambiar el nombre de un mensaje de dos maneras."
        => "Haz que sus src no se toquen: pedidos.nuevo y pedidos.viejo, no pedidos.* y pedidos.nuevo.";

    (10021 400 JSStreamExternalApiOverlapErrF) "stream external api prefix {prefix} must not overlap with {subject}"
    en "The prefix under which the API of another account or domain is imported (external.api) covers a subject of the stream, so its own requests would be stored."
        => "Choose a prefix of its own for the import, like JS.other.API."
    es "El prefijo con que se importa la API de otra cuenta o de otro dominio (external.api) abarca un asunto del flujo, así que se guardarían sus propias peticiones."
        => "Elige un prefijo aparte para la importación, como JS.otra.API.";

    (10022 400 JSStreamExternalDelPrefixOverlapsErrF) "stream external delivery prefix {prefix} overlaps with stream subject {subject}"
    en "The prefix on which messages of another account are delivered (external.deliver) makes a subject of the stream: what is delivered would be stored a second time."
        => "Choose a prefix that no stream stores, like deliver.other."
    es "El prefijo en que se entregan los mensajes de otra cuenta (external.deliver) da un asunto del flujo: lo entregado se guardaría otra vez."
        => "Elige un prefijo que no guarde ningún flujo, como entrega.otra.";

    (10024 400 JSStreamInvalidExternalDeliverySubjErrF) "stream external delivery prefix {prefix} must not contain wildcards"
    en "The prefix on which messages of another account are delivered (external.deliver) has a wildcard or is no subject."
        => "Give a literal prefix, like deliver.other."
    es "El prefijo en que se entregan los mensajes de otra cuenta (external.deliver) lleva un comodín o no es un asunto."
        => "Da un prefijo literal, como entrega.otra.";

    (10173 400 JSMirrorWithCountersErr) "stream mirrors can not also calculate counters"
    en "A mirror is an exact copy: it copies counters with the values that they have and can't count itself."
        => "Leave allow_msg_counter out of the mirror. To add up the counters of several streams, make a counter stream with --source for each."
    es "Un espejo es una copia exacta: copia los contadores con el valor que tienen y no puede contar por sí mismo."
        => "Quita allow_msg_counter del espejo. Para sumar los contadores de varios flujos, crea un flujo de contadores con --source para cada uno.";

    (10186 400 JSMirrorWithMsgSchedulesErr) "stream mirrors can not also schedule messages"
    en "A mirror only copies: were it to act on the schedules that it copies, their messages would be made twice."
        => "Leave allow_msg_schedules out of the mirror; the origin acts on them, and what they make is copied."
    es "Un espejo solo copia: si ejecutara las programaciones que copia, sus mensajes se crearían dos veces."
        => "Quita allow_msg_schedules del espejo; las ejecuta el origen, y lo que crean se copia.";

    (10187 400 JSSourceWithMsgSchedulesErr) "stream source can not also schedule messages"
    en "A stream that takes in others can't act on schedules: those that it takes in would run in both streams."
        => "Keep schedules in a stream without sources, and let this one take in that stream's messages."
    es "Un flujo que incorpora otros no puede ejecutar programaciones: las que incorpora se ejecutarían en los dos."
        => "Ten las programaciones en un flujo sin orígenes, y que este incorpore los mensajes de aquel.";

    (10198 400 JSMirrorWithAtomicPublishErr) "stream mirrors can not also use atomic publishing"
    en "Nobody publishes into a mirror, so it takes no atomic batches either."
        => "Leave allow_atomic out of the mirror, and publish into its origin."
    es "En un espejo no publica nadie, así que tampoco admite lotes atómicos."
        => "Quita allow_atomic del espejo y publica en su origen.";

    (10209 400 JSMirrorWithBatchPublishErr) "stream mirrors can not also use batch publishing"
    en "Nobody publishes into a mirror, so it takes no fast batches either."
        => "Leave allow_batched out of the mirror, and publish into its origin."
    es "En un espejo no publica nadie, así que tampoco admite lotes rápidos."
        => "Quita allow_batched del espejo y publica en su origen.";

    (10213 400 JSMirrorDurableConsumerCfgInvalid) "stream mirror consumer config is invalid"
    en "The consumer that the mirror should read through (mirror.consumer) needs a name and a literal deliver subject, and then nothing beside it may say where to begin or what to filter: the consumer says that."
        => "Give consumer { name, deliver_subject } and leave opt_start_seq, opt_start_time and filter_subject out."
    es "El consumidor por el que el espejo debe leer (mirror.consumer) necesita un nombre y un asunto de entrega literal, y entonces nada más puede decir dónde empezar o qué filtrar: lo dice el consumidor."
        => "Da consumer { name, deliver_subject } y quita opt_start_seq, opt_start_time y filter_subject.";

    (10215 400 JSSourceDurableConsumerCfgInvalid) "stream source consumer config is invalid"
    en "The consumer that a source should be read through (sources[].consumer) needs a name and a literal deliver subject, and nothing beside it may say where to begin or what to filter."
        => "Give consumer { name, deliver_subject } and leave opt_start_seq, opt_start_time and filter_subject out."
    es "El consumidor por el que se debe leer un origen (sources[].consumer) necesita un nombre y un asunto de entrega literal, y nada más puede decir dónde empezar o qué filtrar."
        => "Da consumer { name, deliver_subject } y quita opt_start_seq, opt_start_time y filter_subject.";

    (10216 400 JSSourceDurableConsumerDuplicateDetected) "duplicate stream source consumer detected"
    en "Two sources are to be read through the same consumer of the same stream: each would get a part of the messages."
        => "Give each source a consumer of its own, or make one source of the two."
    es "Dos orígenes deberían leerse por el mismo consumidor del mismo flujo: cada uno recibiría una parte de los mensajes."
        => "Da a cada origen su propio consumidor, o haz de los dos uno solo.";

    (10214 400 JSMirrorConsumerRequiresAckFCErr) "stream mirror consumer requires flow control ack policy"
    en "The consumer that the mirror is told to read through is there, but acknowledges in another way than by flow control; then the origin (a work queue, say) would let go messages before the copy has them."
        => "Make that consumer anew with --set 'ack_policy=\"flow_control\"', or leave mirror.consumer out."
    es "El consumidor por el que se le dijo al espejo que leyera existe, pero no confirma por control de flujo; entonces el origen (una cola de trabajo, por ejemplo) soltaría mensajes antes de que los tenga la copia."
        => "Crea de nuevo ese consumidor con --set 'ack_policy=\"flow_control\"', o quita mirror.consumer.";

    (10217 400 JSSourceConsumerRequiresAckFCErr) "stream source consumer requires flow control ack policy"
    en "The consumer that a source is told to be read through is there, but acknowledges in another way than by flow control; then the origin would let go messages before this stream has them."
        => "Make that consumer anew with --set 'ack_policy=\"flow_control\"', or leave consumer out of the source."
    es "El consumidor por el que se debe leer un origen existe, pero no confirma por control de flujo; entonces el origen soltaría mensajes antes de que los tenga este flujo."
        => "Crea de nuevo ese consumidor con --set 'ack_policy=\"flow_control\"', o quita consumer del origen.";
}
