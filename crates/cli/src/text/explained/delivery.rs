//! How a consumer delivers: push or pull, acknowledgements, work queues, limits of requests.

super::family! {
    en "Consumers: push, pull, acknowledgements, work queues"
    es "Consumidores: push, pull, confirmaciones, colas de trabajo";

    (10098 400 JSConsumerWQRequiresExplicitAckErr) "workqueue stream requires explicit ack"
    en "In a work queue an acknowledgement removes the message, so every message must be acknowledged by itself: ack none and ack all are not possible."
        => "recado consumer add STREAM CONSUMER --ack explicit. To look at a work queue without taking anything, use recado stream view STREAM."
    es "En una cola de trabajo, confirmar un mensaje lo elimina, así que cada uno se debe confirmar por separado: ack none y ack all no son posibles."
        => "recado consumer add FLUJO CONSUMIDOR --ack explicit. Para mirar una cola de trabajo sin tomar nada, usa recado stream view FLUJO.";

    (10084 400 JSConsumerPullRequiresAckErr) "consumer in pull mode requires explicit ack policy on workqueue stream"
    en "The consumer is asked for its messages, the stream is a work queue, and ack_policy is none: messages would never leave the queue."
        => "Use --ack explicit, and acknowledge each message when it is done."
    es "Al consumidor se le piden los mensajes, el flujo es una cola de trabajo y ack_policy es none: los mensajes no saldrían nunca de la cola."
        => "Usa --ack explicit, y confirma cada mensaje cuando esté hecho.";

    (10099 400 JSConsumerWQMultipleUnfilteredErr) "multiple non-filtered consumers not allowed on workqueue stream"
    en "The work queue has a consumer already, and one of the two has no filter: each message is for exactly one consumer. Several workers are not several consumers."
        => "Let all workers take from the same consumer (recado consumer next STREAM CONSUMER in each). For different kinds of work give every consumer a filter: recado consumer ls STREAM shows those that there are."
    es "La cola de trabajo ya tiene un consumidor, y uno de los dos no lleva filtro: cada mensaje es de un único consumidor. Varios trabajadores no son varios consumidores."
        => "Haz que todos los trabajadores tomen del mismo consumidor (recado consumer next FLUJO CONSUMIDOR en cada uno). Para clases distintas de trabajo, da a cada consumidor un filtro: recado consumer ls FLUJO muestra los que hay.";

    (10100 400 JSConsumerWQConsumerNotUniqueErr) "filtered consumer not unique on workqueue stream"
    en "The filter meets that of another consumer of the work queue: some messages would be for both. Often it is the same consumer under another name, left behind by an older version of the program."
        => "recado consumer ls STREAM and recado consumer info show their filters. Remove the old one (recado consumer rm STREAM CONSUMER), or make the filters disjoint."
    es "El filtro se toca con el de otro consumidor de la cola de trabajo: algunos mensajes serían de los dos. A menudo es el mismo consumidor con otro nombre, que dejó una versión anterior del programa."
        => "recado consumer ls FLUJO y recado consumer info muestran sus filtros. Elimina el viejo (recado consumer rm FLUJO CONSUMIDOR), o haz que los filtros no se toquen.";

    (10101 400 JSConsumerWQConsumerNotDeliverAllErr) "consumer must be deliver all on workqueue stream"
    en "A consumer of a work queue begins with all that is waiting: what it would skip (deliver new, last, from a sequence) nobody else would ever take."
        => "Use --deliver all. To throw away what waits, purge: recado stream purge STREAM."
    es "Un consumidor de una cola de trabajo empieza por todo lo que espera: lo que se saltara (deliver new, last, desde una secuencia) no lo tomaría nunca nadie."
        => "Usa --deliver all. Para tirar lo que espera, vacía: recado stream purge FLUJO.";

    (10079 400 JSConsumerDeliverToWildcardsErr) "consumer deliver subject has wildcards"
    en "A push consumer sends to one subject, so its deliver subject must be literal."
        => "Give --push-to a literal subject; a filter goes into --filter."
    es "Un consumidor push envía a un solo asunto, así que su asunto de entrega debe ser literal."
        => "Da a --push-to un asunto literal; un filtro va en --filter.";

    (10112 400 JSConsumerInvalidDeliverSubject) "invalid push consumer deliver subject"
    en "The deliver subject is none: it has an empty token, a blank, or a dot at its end."
        => "Mend it: --push-to billing.inbox."
    es "El asunto de entrega no lo es: lleva un elemento vacío, un espacio o un punto al final."
        => "Corrígelo: --push-to facturas.entrada.";

    (10081 400 JSConsumerDeliverCycleErr) "consumer deliver subject forms a cycle"
    en "The stream stores the subject to which the consumer delivers: each delivery would be stored, delivered and stored again."
        => "Deliver to a subject that the stream does not store, or make the stream's subjects narrower."
    es "El flujo guarda el asunto al que entrega el consumidor: cada entrega se guardaría, se entregaría y se guardaría otra vez."
        => "Entrega en un asunto que el flujo no guarde, o estrecha los asuntos del flujo.";

    (10080 400 JSConsumerPushMaxWaitingErr) "consumer in push mode can not set max waiting"
    en "max_waiting counts waiting requests, and nobody asks a push consumer."
        => "Leave --max-waiting out, or leave --push-to out for a pull consumer."
    es "max_waiting cuenta peticiones que esperan, y a un consumidor push no le pide nadie."
        => "Quita --max-waiting, o quita --push-to para uno al que se le pida.";

    (10082 400 JSConsumerMaxPendingAckPolicyRequiredErr) "consumer requires ack policy for max ack pending"
    en "max_ack_pending bounds unacknowledged messages, and this push consumer has ack none: none would be."
        => "Use --ack explicit, or leave --max-pending out. To slow a push consumer without acknowledgements, use --flow-control with --heartbeat 5s."
    es "max_ack_pending acota los mensajes sin confirmar, y este consumidor push usa ack none: no habría ninguno."
        => "Usa --ack explicit, o quita --max-pending. Para frenar un consumidor push sin confirmaciones, usa --flow-control con --heartbeat 5s.";

    (10083 400 JSConsumerSmallHeartbeatErr) "consumer idle heartbeat needs to be >= 100ms"
    en "The idle heartbeat is shorter than 100 ms. In the API it is in nanoseconds: 5000 is 5 µs, not 5 s."
        => "Give --heartbeat 5s."
    es "El latido es más corto que 100 ms. En la API va en nanosegundos: 5000 son 5 µs, no 5 s."
        => "Da --heartbeat 5s.";

    (10086 400 JSConsumerPullWithRateLimitErr) "consumer in pull mode can not have rate limit set"
    en "rate_limit_bps slows a push consumer; one that is asked gives as fast as it is asked."
        => "Leave it out, and ask for less at a time, or less often."
    es "rate_limit_bps frena un consumidor push; uno al que se le pide da tan deprisa como se le pide."
        => "Quítalo y pide menos de una vez, o con menos frecuencia.";

    (10087 400 JSConsumerMaxWaitingNegativeErr) "consumer max waiting needs to be positive"
    en "Old nats-servers: max_waiting is below 0. Current servers and recado-server take the default, 512, then."
        => "Give --max-waiting from 1 up."
    es "nats-server antiguos: max_waiting está por debajo de 0. Los servidores actuales y recado-server toman entonces el valor normal, 512."
        => "Da --max-waiting desde 1.";

    (10088 400 JSConsumerHBRequiresPushErr) "consumer idle heartbeat requires a push based consumer"
    en "idle_heartbeat in the configuration is for push consumers. A pull consumer gets its heartbeat with each request."
        => "Leave --heartbeat out; libraries ask for heartbeats in their requests by themselves."
    es "idle_heartbeat en la configuración es para consumidores push. Uno al que se le pide recibe el latido con cada petición."
        => "Quita --heartbeat; las bibliotecas ya piden latidos en sus peticiones.";

    (10089 400 JSConsumerFCRequiresPushErr) "consumer flow control requires a push based consumer"
    en "Flow control keeps a push consumer from running ahead of its reader; a pull consumer gives only what is asked for."
        => "Leave --flow-control out, or make it a push consumer with --push-to SUBJECT."
    es "El control de flujo evita que un consumidor push se adelante a quien lee; uno al que se le pide solo da lo pedido."
        => "Quita --flow-control, o hazlo push con --push-to ASUNTO.";

    (10108 400 JSConsumerWithFlowControlNeedsHeartbeats) "consumer with flow control also needs heartbeats"
    en "With flow control alone, a lost message of it would leave both sides waiting for ever; heartbeats end that."
        => "Add --heartbeat 5s to --flow-control."
    es "Solo con control de flujo, un mensaje suyo perdido dejaría a los dos lados esperando para siempre; los latidos lo evitan."
        => "Añade --heartbeat 5s a --flow-control.";

    (10090 400 JSConsumerDirectRequiresPushErr) "consumer direct requires a push based consumer"
    en "direct: true marks the internal consumers through which servers copy streams; they are push consumers. Somebody set it by hand."
        => "Leave direct out. For reading single messages without a consumer, the stream's --allow-direct is meant."
    es "direct: true marca los consumidores internos con que los servidores copian flujos; son push. Alguien lo puso a mano."
        => "Quita direct. Para leer mensajes sueltos sin consumidor se usa --allow-direct del flujo.";

    (10091 400 JSConsumerDirectRequiresEphemeralErr) "consumer direct requires an ephemeral consumer"
    en "direct: true marks the internal consumers through which servers copy streams; they have no durable name. Somebody set it by hand."
        => "Leave direct out."
    es "direct: true marca los consumidores internos con que los servidores copian flujos; no llevan nombre duradero. Alguien lo puso a mano."
        => "Quita direct.";

    (10225 400 JSConsumerStreamIdentityMismatchF) "consumer's stream identity does not match: {msg}"
    en "A server that copies a stream noticed that the origin was removed and made anew under the same name since it last read from it. It begins at the start of the new one by itself, and so does recado-server where the origin lies in another account."
        => "Nothing to do if the origin was meant to be made anew; else look at who removed it."
    es "Un servidor que copia un flujo notó que el origen se eliminó y se creó de nuevo con el mismo nombre desde la última lectura. Empieza solo por el principio del nuevo, y así lo hace recado-server cuando el origen está en otra cuenta."
        => "Si el origen se creó de nuevo a propósito, no hay nada que hacer; si no, mira quién lo eliminó.";

    (10114 400 JSConsumerMaxRequestBatchNegativeErr) "consumer max request batch needs to be > 0"
    en "max_batch is below 0. recado-server takes it for \"any number\", as nats-server does in requests that are not pedantic."
        => "Give a number from 1 up, or leave it out."
    es "max_batch está por debajo de 0. recado-server lo toma por «cualquier número», como nats-server en las peticiones que no son «pedantic»."
        => "Da un número desde 1, o quítalo.";

    (10115 400 JSConsumerMaxRequestExpiresTooSmall) "consumer max request expires needs to be >= 1ms"
    en "max_expires is below a millisecond. It is in nanoseconds: 30 is 30 ns, not 30 s."
        => "Give nanoseconds (30000000000 for 30 s), or leave it out."
    es "max_expires es menor que un milisegundo. Va en nanosegundos: 30 son 30 ns, no 30 s."
        => "Da nanosegundos (30000000000 para 30 s), o quítalo.";

    (10125 400 JSConsumerMaxRequestBatchExceededF) "consumer max request batch exceeds server limit of {limit}"
    en "The consumer's max_batch is larger than the server lets any be (jetstream { limits { max_request_batch } })."
        => "Give at most the number in the text, or raise the server's limit."
    es "El max_batch del consumidor es mayor de lo que el servidor permite a ninguno (jetstream { limits { max_request_batch } })."
        => "Da como mucho el número del texto, o sube el límite del servidor.";

    (10121 400 JSConsumerMaxPendingAckExcessErrF) "consumer max ack pending exceeds system limit of {limit}"
    en "max_ack_pending is larger than the server (limits { max_ack_pending }), the account or the stream (consumer_limits) allows; the text has that limit."
        => "Give --max-pending of at most that number, or raise the limit: recado stream edit STREAM --set 'consumer_limits={\"max_ack_pending\":5000}'."
    es "max_ack_pending es mayor de lo que permite el servidor (limits { max_ack_pending }), la cuenta o el flujo (consumer_limits); el texto da ese límite."
        => "Da --max-pending como mucho de ese número, o sube el límite: recado stream edit FLUJO --set 'consumer_limits={\"max_ack_pending\":5000}'.";

    (10153 400 JSConsumerInactiveThresholdExcess) "consumer inactive threshold exceeds system limit of {limit}"
    en "inactive_threshold is longer than the stream allows (consumer_limits { inactive_threshold }): whoever set the stream up wants consumers that nobody uses to go sooner."
        => "Give --inactive-threshold of at most that, or change the stream's consumer_limits."
    es "inactive_threshold es más largo de lo que permite el flujo (consumer_limits { inactive_threshold }): quien lo configuró quiere que los consumidores sin uso desaparezcan antes."
        => "Da --inactive-threshold como mucho de eso, o cambia consumer_limits del flujo.";

    (10218 400 JSConsumerAckFCRequiresPushErr) "flow control ack policy requires a push based consumer"
    en "ack_policy flow_control acknowledges what flow control says has arrived, so it needs a push consumer. It is meant for copying streams."
        => "For ordinary readers use --ack explicit. For copying, give --push-to SUBJECT."
    es "ack_policy flow_control confirma lo que el control de flujo dice que llegó, así que necesita un consumidor push. Está pensada para copiar flujos."
        => "Para lectores corrientes usa --ack explicit. Para copiar, da --push-to ASUNTO.";

    (10219 400 JSConsumerAckFCRequiresFCErr) "flow control ack policy requires flow control"
    en "ack_policy flow_control needs flow_control: true; it is filled in by itself unless the request is pedantic."
        => "Add --flow-control and --heartbeat 1s, the only one that it takes."
    es "ack_policy flow_control necesita flow_control: true; se rellena solo salvo que la petición sea «pedantic»."
        => "Añade --flow-control y --heartbeat 1s, el único que admite.";

    (10220 400 JSConsumerAckFCRequiresMaxAckPendingErr) "flow control ack policy requires max ack pending"
    en "ack_policy flow_control asks whether the reader keeps up each time that max_ack_pending is half used, so it needs a bound above 0."
        => "Give --max-pending 1000."
    es "ack_policy flow_control pregunta si quien lee va al día a medida que se llena max_ack_pending, así que necesita un límite mayor que 0."
        => "Da --max-pending 1000.";

    (10221 400 JSConsumerAckFCRequiresNoAckWaitErr) "flow control ack policy requires unset ack wait"
    en "With ack_policy flow_control nothing is delivered again after a time, so ack_wait and backoff mean nothing."
        => "Leave --ack-wait and --backoff out."
    es "Con ack_policy flow_control no se vuelve a entregar nada pasado un tiempo, así que ack_wait y backoff no significan nada."
        => "Quita --ack-wait y --backoff.";

    (10222 400 JSConsumerAckFCRequiresNoMaxDeliverErr) "flow control ack policy requires unset max deliver"
    en "With ack_policy flow_control no single message is delivered again, so max_deliver means nothing."
        => "Leave --max-deliver out."
    es "Con ack_policy flow_control ningún mensaje suelto se vuelve a entregar, así que max_deliver no significa nada."
        => "Quita --max-deliver.";
}
