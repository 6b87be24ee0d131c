//! Atomic batches (all or nothing) and fast batches (one acknowledgement for many).

super::family! {
    en "Batches"
    es "Lotes";

    (10174 400 JSAtomicPublishDisabledErr) "atomic publish is disabled"
    en "The message belongs to an atomic batch (header Nats-Batch-Id), and the stream does not take any. Nothing of the batch is stored."
        => "recado stream edit STREAM --set 'allow_atomic=true'. It does not go together with persist_mode: async."
    es "El mensaje pertenece a un lote atómico (encabezado Nats-Batch-Id) y el flujo no los admite. No se guarda nada del lote."
        => "recado stream edit FLUJO --set 'allow_atomic=true'. No va junto con persist_mode: async.";

    (10175 400 JSAtomicPublishMissingSeqErr) "atomic publish sequence is missing"
    en "A message of an atomic batch does not say its place in it: Nats-Batch-Sequence is missing or no number."
        => "Count the messages of the batch from 1 up, without gaps, in Nats-Batch-Sequence; the last one also has Nats-Batch-Commit: 1."
    es "Un mensaje de un lote atómico no dice su lugar en él: falta Nats-Batch-Sequence o no es un número."
        => "Numera los mensajes del lote desde 1, sin huecos, en Nats-Batch-Sequence; el último lleva además Nats-Batch-Commit: 1.";

    (10176 400 JSAtomicPublishIncompleteBatchErr) "atomic publish batch is incomplete"
    en "The batch that this message belongs to is not there, or has a gap: a message of it was lost or came in another order, more than 10 s went by without one (limits { batch { timeout } }), the server was restarted meanwhile, or it was given up for an earlier error. Nothing of it was stored."
        => "Send the whole batch again with a new Nats-Batch-Id, over one connection. Prepare all its messages before you send the first."
    es "El lote al que pertenece este mensaje no existe o tiene un hueco: se perdió uno de sus mensajes o llegaron desordenados, pasaron más de 10 s sin ninguno (limits { batch { timeout } }), el servidor se reinició entretanto, o se abandonó por un error anterior. No se guardó nada de él."
        => "Envía otra vez el lote entero con un Nats-Batch-Id nuevo, por una sola conexión. Prepara todos sus mensajes antes de enviar el primero.";

    (10177 400 JSAtomicPublishUnsupportedHeaderBatchErr) "atomic publish unsupported header used: {header}"
    en "A message of an atomic batch has a header whose meaning nobody could keep inside a batch; the text names it (Nats-Expected-Last-Msg-Id, say). The batch is given up."
        => "Leave the header out; conditions on sequences (Nats-Expected-Last-Subject-Sequence) are allowed."
    es "Un mensaje de un lote atómico lleva un encabezado cuyo sentido no se podría cumplir dentro de un lote; el texto lo nombra (por ejemplo, Nats-Expected-Last-Msg-Id). El lote se abandona."
        => "Quita el encabezado; las condiciones sobre secuencias (Nats-Expected-Last-Subject-Sequence) sí se permiten.";

    (10179 400 JSAtomicPublishInvalidBatchIDErr) "atomic publish batch ID is invalid"
    en "Nats-Batch-Id has more than 64 bytes."
        => "Use a short random id (a UUID has 36 bytes), another one for each batch."
    es "Nats-Batch-Id tiene más de 64 bytes."
        => "Usa un id aleatorio corto (un UUID tiene 36 bytes), distinto en cada lote.";

    (10199 400 JSAtomicPublishTooLargeBatchErrF) "atomic publish batch is too large: {size}"
    en "The atomic batch has more messages than the number in the text (1000 unless limits { batch { max_msgs } } says otherwise), or more bytes than the server keeps for one. The batch is given up, nothing of it is stored."
        => "Make several batches of what need not be all or nothing. If it must, raise the server's limit: an open batch lies in memory until its commit."
    es "El lote atómico tiene más mensajes que el número del texto (1000 si limits { batch { max_msgs } } no dice otra cosa), o más bytes de los que el servidor reserva para uno. El lote se abandona y no se guarda nada de él."
        => "Haz varios lotes de lo que no tenga que ser todo o nada. Si tiene que serlo, sube el límite del servidor: un lote abierto está en memoria hasta que se cierra.";

    (10200 400 JSAtomicPublishInvalidBatchCommitErr) "atomic publish batch commit is invalid"
    en "Nats-Batch-Commit has a value that means nothing: 1 stores the batch with this message, eob without it."
        => "Send Nats-Batch-Commit: 1 with the last message, and no such header with the others."
    es "Nats-Batch-Commit tiene un valor que no significa nada: 1 guarda el lote con este mensaje, eob sin él."
        => "Envía Nats-Batch-Commit: 1 con el último mensaje, y ninguno con los demás.";

    (10201 400 JSAtomicPublishContainsDuplicateMessageErr) "atomic publish batch contains duplicate message id"
    en "A Nats-Msg-Id of the batch was stored within the stream's duplicate window already, or stands twice in the batch. Usually the same batch is sent a second time because the first acknowledgement was lost: then it is stored."
        => "Look whether its messages are there (recado stream view STREAM 5 --headers). If so, all is done; if not, give the ids anew."
    es "Un Nats-Msg-Id del lote ya se guardó dentro de la ventana de duplicados del flujo, o está dos veces en el lote. Lo normal es que el mismo lote se envíe otra vez porque se perdió la primera confirmación: entonces está guardado."
        => "Mira si sus mensajes están (recado stream view FLUJO 5 --headers). Si están, ya está todo hecho; si no, pon ids nuevos.";

    (10210 429 JSAtomicPublishTooManyInflight) "atomic publish too many inflight"
    en "As many atomic batches are open as may be, in this stream (50) or in the server (1000), or they hold too many bytes: somebody opens batches and does not end them."
        => "End what you open: a batch without a commit goes after 10 s by itself. Raise limits { batch { max_inflight_per_stream, max_inflight_total } } if so many are meant."
    es "Hay tantos lotes atómicos abiertos como se permite, en este flujo (50) o en el servidor (1000), u ocupan demasiados bytes: alguien abre lotes y no los cierra."
        => "Cierra lo que abras: un lote sin cerrar desaparece solo a los 10 s. Sube limits { batch { max_inflight_per_stream, max_inflight_total } } si de verdad son tantos.";

    (10205 400 JSBatchPublishDisabledErr) "batch publish is disabled"
    en "The message belongs to a fast batch (its reply subject ends in .$FI), and the stream does not take any."
        => "recado stream edit STREAM --set 'allow_batched=true'."
    es "El mensaje pertenece a un lote rápido (su asunto de respuesta acaba en .$FI) y el flujo no los admite."
        => "recado stream edit FLUJO --set 'allow_batched=true'.";

    (10206 400 JSBatchPublishInvalidPatternErr) "batch publish pattern is invalid"
    en "The reply subject of a fast batch is not of the form that it must have: INBOX.ID.FLOW.GAP.PLACE.OPERATION.$FI. Only hand-written clients meet this."
        => "Use a library that has fast batches, or see ADR-50 for what each token means."
    es "El asunto de respuesta de un lote rápido no tiene la forma debida: BUZÓN.ID.FLUJO.HUECO.LUGAR.OPERACIÓN.$FI. Solo les pasa a los clientes escritos a mano."
        => "Usa una biblioteca con lotes rápidos, o mira en ADR-50 qué significa cada elemento.";

    (10207 400 JSBatchPublishInvalidBatchIDErr) "batch publish ID is invalid"
    en "The id of the fast batch has more than 64 bytes."
        => "Use a short random id, another one for each batch."
    es "El id del lote rápido tiene más de 64 bytes."
        => "Usa un id aleatorio corto, distinto en cada lote.";

    (10208 400 JSBatchPublishUnknownBatchIDErr) "batch publish ID unknown"
    en "The server does not know this fast batch and the message is not its first: it was ended, given up after 10 s without a message, stopped at a gap, or the server was restarted. What was acknowledged before is stored; this message is not."
        => "Begin a new batch with the messages after the last acknowledged one."
    es "El servidor no conoce este lote rápido y el mensaje no es el primero: se cerró, se abandonó tras 10 s sin mensajes, se paró en un hueco, o el servidor se reinició. Lo que se confirmó antes está guardado; este mensaje no."
        => "Empieza un lote nuevo con los mensajes que siguen al último confirmado.";

    (10211 429 JSBatchPublishTooManyInflight) "batch publish too many inflight"
    en "As many fast batches are open as may be, in this stream (1000) or in the server (50,000)."
        => "End batches that are done, and share one among many publishes; or raise limits { batch { max_inflight_per_stream, max_inflight_total } }."
    es "Hay tantos lotes rápidos abiertos como se permite, en este flujo (1000) o en el servidor (50 000)."
        => "Cierra los lotes terminados y usa uno para muchas publicaciones; o sube limits { batch { max_inflight_per_stream, max_inflight_total } }.";
}
