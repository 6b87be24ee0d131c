//! Statuses: answers without a payload, whose headers begin `NATS/1.0 404 No Messages`.

super::family! {
    en "Statuses in headers"
    es "Estados en los encabezados";

    (503) "" says ["no responders", "nats: no responders available for request", "503 No Responders", "No Responders Available For Request"]
    en "Nobody listens on the subject of the request: no responder, or, for a publish that wants an acknowledgement, no stream that stores this subject. A pull from a consumer or stream that is not there ends so, too, and so does every call of $JS.API where streams are switched off. It comes at once, and not only after the timeout."
        => "For a request: start a responder (recado reply SUBJECT --echo) or wait for one with --wait. For a stream: recado stream find --subject SUBJECT shows which stream has it, recado stream add NAME --subjects SUBJECT makes one. Both sides must use the same account."
    es "Nadie escucha en el asunto de la petición: no hay quien responda o, si se publicaba pidiendo confirmación, ningún flujo guarda este asunto. También acaba así pedir mensajes a un consumidor o a un flujo que no existe, y toda llamada a $JS.API donde los flujos están desactivados. Llega al momento, no al vencer el plazo."
        => "Para una petición: arranca quien responda (recado reply ASUNTO --echo) o espéralo con --wait. Para un flujo: recado stream find --subject ASUNTO muestra qué flujo lo tiene, recado stream add NOMBRE --subjects ASUNTO crea uno. Ambos lados deben usar la misma cuenta.";

    (100) "Idle Heartbeat"
    en "No error: a sign of life of a consumer that has nothing to deliver just now. Nats-Last-Consumer and Nats-Last-Stream say where it stands, so that a client notices what it missed."
        => "Nothing to do; libraries keep it to themselves. A client of your own should create its ordered consumer anew if two in a row stay away, or if the numbers are ahead of what it has received."
    es "No es un error: señal de vida de un consumidor que ahora no tiene nada que entregar. Nats-Last-Consumer y Nats-Last-Stream dicen por dónde va, para que el cliente note lo que se perdió."
        => "No hay nada que hacer; las bibliotecas no lo muestran. Un cliente propio debería volver a crear su consumidor ordenado si faltan dos seguidos, o si los números van por delante de lo que ha recibido.";

    (100) "FlowControl Request"
    en "No error: a push consumer asks whether the client has kept up so far. Nothing more is delivered until somebody publishes an empty message to its reply subject ($JS.FC. …)."
        => "Libraries answer by themselves. If a push consumer stands still, look whether the client reads its messages at all, and answer this subject in a client of your own."
    es "No es un error: un consumidor que entrega por su cuenta (push) pregunta si el cliente va al día. No entrega más hasta que alguien publica un mensaje vacío en su asunto de respuesta ($JS.FC. …)."
        => "Las bibliotecas contestan solas. Si un consumidor push se para, mira si el cliente llega a leer sus mensajes, y en un cliente propio contesta a ese asunto.";

    (204) "EOB"
    en "No error: the end of a direct get of many messages. Nats-Num-Pending says how many more there are behind the last one."
        => "If Nats-Num-Pending is not 0, ask again from Nats-Last-Sequence + 1."
    es "No es un error: el final de una lectura directa de varios mensajes. Nats-Num-Pending dice cuántos quedan tras el último."
        => "Si Nats-Num-Pending no es 0, pide de nuevo desde Nats-Last-Sequence + 1.";

    (400) "Bad Request - {why}" says ["Bad Request"]
    en "The pull request makes no sense to the consumer; the text says why: no JSON, a heartbeat longer than half of expires, a priority group that is missing or not the consumer's (\"Priority Group missing\", \"Invalid Priority Group\"), a pin or min_pending where the consumer's priority policy is another, a priority outside 0 to 9."
        => "Most often the heartbeat: ask for at most half of expires. For groups, recado consumer info STREAM CONSUMER --json shows priority_policy and priority_groups, which the request's group must name."
    es "La petición de mensajes no tiene sentido para el consumidor; el texto dice por qué: no es JSON, un latido (heartbeat) mayor que la mitad de expires, un grupo de prioridad que falta o no es del consumidor («Priority Group missing», «Invalid Priority Group»), un pin o un min_pending cuando la política de prioridad es otra, una prioridad que no va de 0 a 9."
        => "Casi siempre es el latido: pide como mucho la mitad de expires. Para los grupos, recado consumer info FLUJO CONSUMIDOR --json muestra priority_policy y priority_groups, y el grupo de la petición debe estar ahí.";

    (404) "No Messages"
    en "The pull did not want to wait (no_wait), and there is nothing to deliver: all is handled, waits for its acknowledgement, or the consumer is paused. Not an error of the consumer."
        => "Wait with expires in place of no_wait (recado consumer next STREAM CONSUMER --timeout 5s). If there should be messages: recado consumer info shows its filter, what is unacknowledged (max_ack_pending reached?) and whether it is paused."
    es "La petición no quería esperar (no_wait) y no hay nada que entregar: todo está tratado, espera confirmación, o el consumidor está en pausa. No es un error del consumidor."
        => "Espera con expires en vez de no_wait (recado consumer next FLUJO CONSUMIDOR --timeout 5s). Si debería haber mensajes: recado consumer info muestra su filtro, lo que está sin confirmar (¿llegó a max_ack_pending?) y si está en pausa.";

    (404) "Message Not Found"
    en "A direct get asked for a sequence or a subject's last message that the stream does not have: never stored, gone by a limit, deleted, or a key that was never set."
        => "recado stream info STREAM shows the first and last sequence, recado stream subjects STREAM what is there. For keys, read it as \"not set\"."
    es "Una lectura directa pidió una secuencia, o el último mensaje de un asunto, que el flujo no tiene: nunca se guardó, lo quitó un límite, se borró, o es una clave que nunca tuvo valor."
        => "recado stream info FLUJO muestra la primera y la última secuencia, recado stream subjects FLUJO lo que hay. En las claves, entiéndelo como «sin valor».";

    (404) "No Results"
    en "A direct get of the last messages of several subjects found none of them, or none as old as it asked for (up_to_seq, up_to_time)."
        => "See with recado stream subjects STREAM FILTER whether the filters meet anything."
    es "Una lectura directa de los últimos mensajes de varios asuntos no encontró ninguno, o ninguno tan antiguo como se pedía (up_to_seq, up_to_time)."
        => "Mira con recado stream subjects FLUJO FILTRO si los filtros encuentran algo.";

    (408) "Request Timeout"
    en "The pull's time (expires) is over. Nats-Pending-Messages says how many of those that it asked for did not come. Usual when a stream is quiet, no error."
        => "Ask again; libraries do. If messages should have come, recado consumer info STREAM CONSUMER shows what it still has to deliver and what waits for acknowledgements."
    es "Se acabó el tiempo de la petición (expires). Nats-Pending-Messages dice cuántos de los pedidos no llegaron. Es lo normal en un flujo tranquilo, no un error."
        => "Pide otra vez; las bibliotecas lo hacen. Si deberían haber llegado mensajes, recado consumer info FLUJO CONSUMIDOR muestra lo que le queda por entregar y lo que espera confirmación.";

    (408) "Requests Pending"
    en "The pull did not want to wait, and others that came before it already wait for all the messages there are."
        => "Use expires, so that the request takes its turn, or fewer workers for the same consumer."
    es "La petición no quería esperar, y otras anteriores ya esperan todos los mensajes que hay."
        => "Usa expires, para que la petición espere su turno, o menos procesos para el mismo consumidor.";

    (408) "Interest Expired"
    en "Nobody listens any more where the messages of this pull should go: the client that asked is gone, or has unsubscribed its inbox."
        => "Nothing to do: the request was taken away, its messages go to others."
    es "Ya nadie escucha donde debían llegar los mensajes de esta petición: el cliente que pidió se fue o anuló su buzón de respuesta."
        => "No hay nada que hacer: la petición se retiró y sus mensajes van a otros.";

    (408) "Empty Request" says ["Malformed Request", "Bad Request"]
    en "A direct get ($JS.API.DIRECT.GET.STREAM) says nothing, is no JSON, or asks for two things at once (a sequence and a last subject, say)."
        => "Send one of {\"seq\": N}, {\"last_by_subj\": \"SUBJECT\"}, {\"multi_last\": [ … ]}, or put the subject behind the stream's name. recado stream get STREAM N does it."
    es "Una lectura directa ($JS.API.DIRECT.GET.FLUJO) no dice nada, no es JSON, o pide dos cosas a la vez (una secuencia y el último de un asunto, por ejemplo)."
        => "Envía uno de {\"seq\": N}, {\"last_by_subj\": \"ASUNTO\"}, {\"multi_last\": [ … ]}, o pon el asunto tras el nombre del flujo. recado stream get FLUJO N lo hace.";

    (408) "No Interest" says ["No Flow Response"]
    en "A backup stopped: nobody listens where its pieces should go, or nobody acknowledged them. The one who asked for it has gone or lags."
        => "Begin again: recado stream backup STREAM DIR acknowledges each piece by itself."
    es "Una copia de seguridad se detuvo: nadie escucha donde debían llegar sus trozos, o nadie los confirmó. Quien la pidió se fue o va retrasado."
        => "Empieza de nuevo: recado stream backup FLUJO CARPETA confirma cada trozo por sí solo.";

    (409) "Consumer Deleted"
    en "The consumer was removed while the request waited: by somebody, together with its stream, or, an ephemeral one, because nobody asked it for longer than inactive_threshold (5 s unless set)."
        => "Make it anew (recado consumer add STREAM CONSUMER). If it must outlive pauses of its readers, give it a name as a durable one, or a longer --inactive-threshold."
    es "El consumidor se eliminó mientras la petición esperaba: lo hizo alguien, desapareció con su flujo o, si era efímero, nadie le pidió nada durante más de inactive_threshold (5 s si no se indica otra cosa)."
        => "Créalo de nuevo (recado consumer add FLUJO CONSUMIDOR). Si debe sobrevivir a las pausas de quien lee, dale nombre como duradero, o un --inactive-threshold mayor.";

    (409) "Leadership Change"
    en "In a cluster, another server now leads this consumer; requests that waited at the old one are over. recado-server stands alone and never sends it."
        => "Ask again; libraries do."
    es "En un clúster, ahora dirige este consumidor otro servidor; las peticiones que esperaban en el anterior se acabaron. recado-server está solo y nunca lo envía."
        => "Pide otra vez; las bibliotecas lo hacen.";

    (409) "Server Shutdown"
    en "The server that keeps the consumer is stopping; the request is over, and no message of it is lost."
        => "Clients connect again by themselves and ask again. If it happens without anybody's doing, see the server's log for who stopped it."
    es "El servidor que tiene el consumidor se está deteniendo; la petición se acabó y no se perdió ningún mensaje suyo."
        => "Los clientes se reconectan solos y piden otra vez. Si pasa sin que nadie lo haya pedido, mira en el registro del servidor quién lo detuvo.";

    (409) "Exceeded MaxWaiting"
    en "As many requests wait at this consumer as it lets wait (max_waiting, 512 unless set). Usually a program asks again and again without waiting for the answers, or leaves requests with a long expires behind."
        => "Ask for more messages at a time with fewer requests (recado consumer next STREAM CONSUMER --count 100). max_waiting can't be changed: another consumer with a larger --max-waiting if so many workers are meant."
    es "En este consumidor esperan tantas peticiones como admite (max_waiting, 512 si no se indica otro). Lo normal es que un programa pida una y otra vez sin esperar las respuestas, o deje atrás peticiones con un expires largo."
        => "Pide más mensajes de una vez con menos peticiones (recado consumer next FLUJO CONSUMIDOR --count 100). max_waiting no se puede cambiar: si de verdad hay tantos procesos, otro consumidor con un --max-waiting mayor.";

    (409) "Exceeded MaxRequestBatch of {n}"
    en "The request asks for more messages than this consumer gives at once (max_batch, or the server's limits { max_request_batch })."
        => "Ask for at most as many as it says, or raise it: recado consumer edit STREAM CONSUMER --set 'max_batch=500'."
    es "La petición pide más mensajes de los que este consumidor da de una vez (max_batch, o limits { max_request_batch } del servidor)."
        => "Pide como mucho los que dice, o súbelo: recado consumer edit FLUJO CONSUMIDOR --set 'max_batch=500'.";

    (409) "Exceeded MaxRequestExpires of {d}"
    en "The request wants to wait for longer than this consumer lets one wait (max_expires)."
        => "Ask with an expires of at most that, and again when it is over; or raise max_expires (nanoseconds) with recado consumer edit STREAM CONSUMER --set."
    es "La petición quiere esperar más de lo que este consumidor deja esperar (max_expires)."
        => "Pide con un expires de eso como mucho, y otra vez al acabar; o sube max_expires (en nanosegundos) con recado consumer edit FLUJO CONSUMIDOR --set.";

    (409) "Exceeded MaxRequestMaxBytes of {n}"
    en "The request asks for more bytes than this consumer gives at once (max_bytes of the consumer)."
        => "Ask for at most as many bytes as it says, or raise it with recado consumer edit STREAM CONSUMER --set 'max_bytes=1048576'."
    es "La petición pide más bytes de los que este consumidor da de una vez (max_bytes del consumidor)."
        => "Pide como mucho los bytes que dice, o súbelo con recado consumer edit FLUJO CONSUMIDOR --set 'max_bytes=1048576'.";

    (409) "Message Size Exceeds MaxBytes"
    en "The next message alone is larger than the bytes that the request has left (max_bytes). Such a request ends; with the same max_bytes the next one would end at the same message."
        => "Ask with a max_bytes at least as large as the largest message with its subject and headers; max_msg_size of the stream is a bound for it."
    es "El siguiente mensaje por sí solo es mayor que los bytes que le quedan a la petición (max_bytes). Esa petición acaba; con el mismo max_bytes, la próxima acabaría en el mismo mensaje."
        => "Pide con un max_bytes al menos tan grande como el mayor mensaje con su asunto y sus encabezados; max_msg_size del flujo sirve de cota.";

    (409) "Batch Completed"
    en "No error: all messages that were asked for came before max_bytes was used up."
        => "Ask for the next ones."
    es "No es un error: llegaron todos los mensajes pedidos sin agotar max_bytes."
        => "Pide los siguientes.";

    (409) "Consumer is push based"
    en "The consumer sends its messages by itself to its deliver subject; one can't ask it for them."
        => "Listen there: recado consumer info STREAM CONSUMER shows the deliver subject, recado sub SUBJECT listens. Or make a pull consumer beside it (without --push-to): the one can't become the other."
    es "El consumidor envía sus mensajes por su cuenta a su asunto de entrega; no se le pueden pedir."
        => "Escucha ahí: recado consumer info FLUJO CONSUMIDOR muestra el asunto de entrega, recado sub ASUNTO escucha. O crea a su lado uno al que se le pida (sin --push-to): uno no puede convertirse en otro.";

    (412) "Required Api Level"
    en "The request says that it needs a newer JetStream than this server has (header Nats-Required-Api-Level). recado-server has level 5, like nats-server 2.15."
        => "Update the server, or don't use the feature. recado ping shows its version."
    es "La petición dice que necesita un JetStream más nuevo que el de este servidor (encabezado Nats-Required-Api-Level). recado-server tiene el nivel 5, como nats-server 2.15."
        => "Actualiza el servidor, o no uses esa función. recado ping muestra su versión.";

    (413) "Too Many Results"
    en "A direct get of the last messages of several subjects (multi_last) met more subjects than one answer may have: 1024."
        => "Use narrower filters, several requests, or a consumer with --deliver last-per-subject, which has no such bound."
    es "Una lectura directa de los últimos mensajes de varios asuntos (multi_last) encontró más asuntos de los que caben en una respuesta: 1024."
        => "Usa filtros más estrechos, varias peticiones, o un consumidor con --deliver last-per-subject, que no tiene ese límite.";

    (423) "Nats-Wrong-Pin-Id"
    en "The consumer gives its messages to one client at a time (pinned_client), and the pin went to another: this one was silent for longer than priority_timeout, or somebody took the pin away (unpin)."
        => "Ask again without an id: the client waits its turn and gets a new Nats-Pin-Id with its first message. Handle messages faster than priority_timeout, or raise it."
    es "El consumidor da sus mensajes a un cliente cada vez (pinned_client), y el turno pasó a otro: este calló más de priority_timeout, o alguien le quitó el turno (unpin)."
        => "Pide otra vez sin id: el cliente espera su turno y recibe un Nats-Pin-Id nuevo con su primer mensaje. Trata los mensajes en menos de priority_timeout, o súbelo.";

    (423) "Nats-Pin-Id mismatch"
    en "The request names a pin that is not the current one: it was another client's, or this client's own from before it lost its turn."
        => "Forget the old id and ask without one."
    es "La petición nombra un turno que no es el actual: era de otro cliente, o de este mismo antes de perder el suyo."
        => "Olvida el id viejo y pide sin ninguno.";

    (429) "Too Many Requests"
    en "Messages come in faster than the stream can store them: more wait than max_buffered_msgs or max_buffered_size allow (100,000 messages or 128 MiB). This one was not stored; the JSON beside the status is error 10167."
        => "Publish with acknowledgements and a bounded number in flight (recado pub --ack, publish_async of the libraries), and send again what got this answer. If the disk is the bound, iostat on the server's machine shows it."
    es "Los mensajes llegan más deprisa de lo que el flujo puede guardarlos: esperan más de los que permiten max_buffered_msgs o max_buffered_size (100 000 mensajes o 128 MiB). Este no se guardó; el JSON que acompaña al estado es el error 10167."
        => "Publica con confirmaciones y un número acotado en vuelo (recado pub --ack, publish_async en las bibliotecas), y reenvía lo que recibió esta respuesta. Si el límite es el disco, iostat en la máquina del servidor lo muestra.";

    (500) "Disk Could Not Be Read"
    en "recado-server knows the message, but the disk did not give it just now (no more files, an input/output error). It is not damaged as far as is known, and not gone."
        => "Ask again. If it stays so, dmesg on the server's machine names the disk's trouble, and recado-server verify DIR (with the server stopped) checks the whole store."
    es "recado-server conoce el mensaje, pero el disco no se lo dio en este momento (no quedan archivos, un error de entrada/salida). Que se sepa, no está dañado ni se ha perdido."
        => "Pide otra vez. Si sigue igual, dmesg en la máquina del servidor nombra el problema del disco, y recado-server verify CARPETA (con el servidor parado) revisa todo el almacén.";
}
