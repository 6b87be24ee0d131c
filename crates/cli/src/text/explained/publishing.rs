//! What a publisher into a stream is answered instead of an acknowledgement.

super::family! {
    en "Publishing into a stream"
    es "Publicar en un flujo";

    (10054 400 JSStreamMessageExceedsMaximumErr) "message size exceeds maximum allowed"
    en "The message, headers included, is larger than the stream's own max_msg_size. The server's max_payload would have let it pass."
        => "recado stream info STREAM shows the limit. Send it in pieces, or raise it: recado stream edit STREAM --max-msg-size 1MiB."
    es "El mensaje, con sus encabezados, es mayor que el max_msg_size del propio flujo. El max_payload del servidor sí lo admitía."
        => "recado stream info FLUJO muestra el límite. Envíalo en trozos, o súbelo: recado stream edit FLUJO --max-msg-size 1MiB.";

    (10060 400 JSStreamNotMatchErr) "expected stream does not match"
    en "The publisher expects this subject in another stream (header Nats-Expected-Stream) than the one that stores it: subjects were moved from one stream to another, or the program is set up for another environment. Nothing was stored."
        => "recado stream find --subject SUBJECT shows who stores it now. Correct the expectation, or the stream's subjects."
    es "Quien publica espera este asunto en otro flujo (encabezado Nats-Expected-Stream) que el que lo guarda: se movieron asuntos de un flujo a otro, o el programa está configurado para otro entorno. No se guardó nada."
        => "recado stream find --subject ASUNTO muestra quién lo guarda ahora. Corrige lo esperado, o los asuntos del flujo.";

    (10063 503 JSStreamSequenceNotMatchErr) "expected stream sequence does not match"
    en "A server of a cluster got a message with another sequence than its copy of the stream comes to next: its copy has fallen behind or apart. recado-server keeps one copy and never sends it."
        => "Publish again: the copy catches up from the others. If it comes again and again, have another server lead (nats stream cluster step-down) and look at the log of the one that complains."
    es "Un servidor de un clúster recibió un mensaje con otra secuencia que la siguiente de su copia del flujo: su copia se quedó atrás o se separó. recado-server guarda una sola copia y nunca lo envía."
        => "Publica otra vez: la copia se pone al día con las demás. Si se repite, haz que dirija otro servidor (nats stream cluster step-down) y mira el registro del que se queja.";

    (10070 400 JSStreamWrongLastMsgIDErrF) "wrong last msg ID: {id}"
    en "The publisher names the message that it believes to be the stream's last (header Nats-Expected-Last-Msg-Id), and another one was stored since: somebody else publishes there, too, or an earlier attempt of its own did arrive. The id in the text is the real last one. Nothing was stored."
        => "Read what came since (recado stream view STREAM 5 --headers) and decide again. If the id in the text is the one you just tried, it was stored the first time."
    es "Quien publica nombra el mensaje que cree que es el último del flujo (encabezado Nats-Expected-Last-Msg-Id), y desde entonces se guardó otro: allí publica alguien más, o un intento anterior suyo sí llegó. El id del texto es el del último de verdad. No se guardó nada."
        => "Lee lo que llegó desde entonces (recado stream view FLUJO 5 --headers) y decide de nuevo. Si el id del texto es el que acabas de intentar, se guardó la primera vez.";

    (10071 400 JSStreamWrongLastSequenceErrF) "wrong last sequence: {seq}"
    en "Somebody was faster: the stream, or this subject, is not at the sequence any more that the publisher expected (Nats-Expected-Last-Sequence, Nats-Expected-Last-Subject-Sequence). In key-value buckets this is how create says \"there is one already\" and update \"it has changed meanwhile\". The number is the real last sequence. Nothing was stored."
        => "Read it again (recado kv get BUCKET KEY, or recado stream get STREAM --last-for SUBJECT), decide on what is there now, and try with its revision. This is not a failure to be hidden: a blind repetition would undo the other's change."
    es "Alguien se adelantó: el flujo, o este asunto, ya no está en la secuencia que esperaba quien publica (Nats-Expected-Last-Sequence, Nats-Expected-Last-Subject-Sequence). En los buckets de claves así dice create «ya hay uno» y update «cambió entretanto». El número es la última secuencia de verdad. No se guardó nada."
        => "Vuelve a leerlo (recado kv get BUCKET CLAVE, o recado stream get FLUJO --last-for ASUNTO), decide según lo que hay ahora e inténtalo con su revisión. No es un fallo que haya que esconder: repetir a ciegas desharía el cambio del otro.";

    (10164 400 JSStreamWrongLastSequenceConstantErr) "wrong last sequence"
    en "The same as 10071, where no single number can be told: a condition inside an atomic batch does not hold, or it can't hold together with the batch's other messages (the batch itself writes that subject before, say). Nothing of the batch was stored."
        => "Read the subjects that have conditions again and send the whole batch anew. Put conditions on the whole stream (Nats-Expected-Last-Sequence) on the first message only, and one condition a subject before the batch writes to it."
    es "Lo mismo que 10071 cuando no se puede dar un solo número: una condición dentro de un lote atómico no se cumple, o no puede cumplirse junto con los demás mensajes del lote (por ejemplo, el propio lote escribe antes en ese asunto). No se guardó nada del lote."
        => "Vuelve a leer los asuntos con condiciones y envía de nuevo el lote entero. Pon las condiciones sobre todo el flujo (Nats-Expected-Last-Sequence) solo en el primer mensaje, y una por asunto antes de que el lote escriba en él.";

    (10193 400 JSStreamExpectedLastSeqPerSubjectInvalid) "missing sequence for expected last sequence per subject"
    en "The message names a subject for its condition (Nats-Expected-Last-Subject-Sequence-Subject) without the condition itself."
        => "Add Nats-Expected-Last-Subject-Sequence with the sequence that you expect there; 0 is \"nothing yet\"."
    es "El mensaje nombra un asunto para su condición (Nats-Expected-Last-Subject-Sequence-Subject) sin la condición misma."
        => "Añade Nats-Expected-Last-Subject-Sequence con la secuencia que esperas ahí; 0 es «todavía nada».";

    (10163 503 JSStreamExpectedLastSeqPerSubjectNotReady) "expected last sequence per subject temporarily unavailable"
    en "In a cluster, another message of the same subject is still on its way into the stream, so nobody can say yet whether the condition holds. recado-server decides at once and never sends it."
        => "Try again in a moment, with the revision that is there then."
    es "En un clúster, otro mensaje del mismo asunto aún está entrando en el flujo, y todavía no se puede decir si la condición se cumple. recado-server lo decide al momento y nunca lo envía."
        => "Inténtalo de nuevo en un momento, con la revisión que haya entonces.";

    (10077 503 JSStreamStoreFailedF) "{err}"
        says ["maximum messages exceeded", "maximum bytes exceeded", "maximum messages per subject exceeded", "message too large", "no space left", "the disk is full", "the log stopped after a failed write", "no sequence is left"]
    en "The message was not stored; the text says why. \"maximum messages exceeded\", \"maximum bytes exceeded\" and \"maximum messages per subject exceeded\": the stream is full and set to refuse new messages (discard: new). \"message too large\": more than 32 MiB in one message. \"no space left\" and the like: the disk of the store is full. \"stopped after a failed write\" (recado-server): the disk failed to keep what it was given, and nothing is stored until a restart."
        => "Full stream: recado stream info STREAM, then recado stream purge, or larger --max-msgs and --max-bytes, or --discard old. Full disk: make room; recado-server then stores again by itself, nats-server after a restart. Failed write: look at dmesg on the server's machine before you restart it, then recado-server verify DIR."
    es "El mensaje no se guardó; el texto dice por qué. «maximum messages exceeded», «maximum bytes exceeded» y «maximum messages per subject exceeded»: el flujo está lleno y configurado para rechazar lo nuevo (discard: new). «message too large»: más de 32 MiB en un mensaje. «no space left» y parecidos: el disco del almacén está lleno. «stopped after a failed write» (recado-server): el disco no conservó lo que se le dio, y no se guarda nada hasta reiniciar."
        => "Flujo lleno: recado stream info FLUJO, y luego recado stream purge, --max-msgs y --max-bytes mayores, o --discard old. Disco lleno: haz sitio; recado-server vuelve entonces a guardar por sí solo, nats-server tras reiniciarlo. Escritura fallida: mira dmesg en la máquina del servidor antes de reiniciarlo, y después recado-server verify CARPETA.";

    (10097 400 JSStreamHeaderExceedsMaximumErr) "header size exceeds maximum allowed of 64k"
    en "The headers of a message in a stream may have 65,535 bytes together, and these have more: usually a whole document or a token was put in one."
        => "Put what is large into the payload, and only what is needed to route or judge the message into headers."
    es "Los encabezados de un mensaje de un flujo pueden sumar 65 535 bytes, y estos pasan: normalmente alguien metió en uno un documento entero o un token."
        => "Pon lo grande en el contenido, y en los encabezados solo lo que haga falta para encaminar o juzgar el mensaje.";

    (10109 400 JSStreamSealedErr) "invalid operation on sealed stream"
    en "The stream is sealed: nothing is stored in it, deleted, purged or changed any more, for ever. That was somebody's decision (recado stream seal), and it can't be taken back."
        => "Publish into another stream: recado stream copy STREAM NEW makes one like it (move the subjects with --subjects, for the sealed one keeps its own)."
    es "El flujo está sellado: no se guarda, borra, vacía ni cambia nada en él, nunca más. Lo decidió alguien (recado stream seal) y no tiene vuelta atrás."
        => "Publica en otro flujo: recado stream copy FLUJO NUEVO crea uno igual (con otros --subjects, porque el sellado conserva los suyos).";

    (10111 500 JSStreamRollupFailedF) "{err}"
        says ["rollup not permitted", "rollup value invalid: {value}"]
    en "The message asks to replace those before it (header Nats-Rollup). \"rollup not permitted\": the stream does not allow it, or denies purges. \"rollup value invalid\": the header is neither sub (this subject) nor all (the whole stream). Nothing was stored."
        => "recado stream edit STREAM --allow-rollup (it needs deny_purge: false). Key-value and object buckets are made with it."
    es "El mensaje pide sustituir a los anteriores (encabezado Nats-Rollup). «rollup not permitted»: el flujo no lo permite, o prohíbe vaciar. «rollup value invalid»: el encabezado no es ni sub (este asunto) ni all (todo el flujo). No se guardó nada."
        => "recado stream edit FLUJO --allow-rollup (necesita deny_purge: false). Los buckets de claves y de objetos ya se crean así.";

    (10158 409 JSStreamDuplicateMessageConflict) "duplicate message id is in process"
    en "In a cluster, a message with the same Nats-Msg-Id is being stored at this very moment, so this one is neither stored nor known to be a duplicate yet. recado-server decides at once: a duplicate is acknowledged as one."
        => "Send it again in a moment with the same id: then it is acknowledged as a duplicate, or stored if the other one failed."
    es "En un clúster se está guardando en este momento otro mensaje con el mismo Nats-Msg-Id, así que este ni se guarda ni se sabe aún si es un duplicado. recado-server lo decide al momento: un duplicado se confirma como tal."
        => "Envíalo de nuevo en un momento con el mismo id: entonces se confirma como duplicado, o se guarda si el otro falló.";

    (10165 400 JSMessageTTLInvalidErr) "invalid per-message TTL"
    en "The header Nats-TTL is no lifetime: it is a duration of whole seconds from 1s up (\"90s\", \"1h30m\"), a number of seconds, or \"never\"."
        => "Write it so; less than a second can't be had."
    es "El encabezado Nats-TTL no es un tiempo de vida: es una duración en segundos enteros desde 1s («90s», «1h30m»), un número de segundos, o «never»."
        => "Escríbelo así; menos de un segundo no es posible.";

    (10166 400 JSMessageTTLDisabledErr) "per-message TTL is disabled"
    en "The message wants a lifetime of its own (Nats-TTL, or Nats-Schedule-TTL), and the stream is not set to look for one. Nothing was stored: without the lifetime it would have stayed for ever."
        => "recado stream edit STREAM --allow-msg-ttl; it can't be switched off again. For key-value buckets: recado kv edit BUCKET --marker-ttl 1h."
    es "El mensaje quiere un tiempo de vida propio (Nats-TTL, o Nats-Schedule-TTL) y el flujo no está configurado para mirarlo. No se guardó nada: sin ese tiempo se habría quedado para siempre."
        => "recado stream edit FLUJO --allow-msg-ttl; después no se puede desactivar. En los buckets de claves: recado kv edit BUCKET --marker-ttl 1h.";

    (10167 429 JSStreamTooManyRequests) "too many requests"
    en "Messages come in faster than the stream stores them, and as many wait as may (max_buffered_msgs, max_buffered_size). This one was not stored. Almost always somebody publishes without waiting for acknowledgements."
        => "Send it again after a pause, and keep a bounded number of publishes in flight from then on (some hundreds are enough; batching beats haste)."
    es "Los mensajes llegan más deprisa de lo que el flujo los guarda, y ya esperan tantos como se permite (max_buffered_msgs, max_buffered_size). Este no se guardó. Casi siempre alguien publica sin esperar confirmaciones."
        => "Envíalo de nuevo tras una pausa, y desde entonces mantén un número acotado de publicaciones en vuelo (bastan unos cientos; agrupar gana a correr).";

    (10180 412 JSStreamMinLastSeqErr) "min last sequence"
    en "A read asked for a stream that has come at least to a certain sequence (min_last_seq), and the copy that answered has not come that far: nothing newer is read here. Servers up to 2.15 do not send it yet."
        => "Ask again in a moment, or have the stream's leader answer: STREAM.MSG.GET in place of a direct get."
    es "Una lectura pedía un flujo que hubiera llegado al menos a cierta secuencia (min_last_seq), y la copia que contestó aún no llega ahí. Los servidores hasta 2.15 todavía no lo envían."
        => "Pide de nuevo en un momento, o haz que conteste quien dirige el flujo: STREAM.MSG.GET en vez de la lectura directa.";

    (10227 400 JSMessageSourceHdrNotAllowedErr) "message stream source header is not allowed"
    en "A client published a message with the header Nats-Stream-Source. That header says which stream a copy was taken from, and only the server that copies may write it. Usually a program reads messages from a stream with sources and publishes them again with all their headers."
        => "Leave that header out when you publish messages again, as all that begin with Nats-."
    es "Un cliente publicó un mensaje con el encabezado Nats-Stream-Source. Ese encabezado dice de qué flujo se tomó una copia, y solo puede escribirlo el servidor que copia. Lo normal es que un programa lea mensajes de un flujo con orígenes y los publique otra vez con todos sus encabezados."
        => "Quita ese encabezado al volver a publicar, como todos los que empiezan por Nats-.";
}
