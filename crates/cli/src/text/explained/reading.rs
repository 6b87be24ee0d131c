//! Reading and removing single messages, backups and restores.

super::family! {
    en "Messages, backups, purges"
    es "Mensajes, copias de seguridad, vaciados";

    (10037 404 JSNoMessageFoundErr) "no message found"
    en "The stream has no message with that sequence, or none on that subject: never stored, gone by a limit, deleted, purged, or settled in a work queue. For key-value buckets: the key has no value."
        => "recado stream info STREAM shows the first and last sequence, recado stream subjects STREAM what is there. If messages go too early, look at max_age and the other limits."
    es "El flujo no tiene ningún mensaje con esa secuencia, o ninguno en ese asunto: nunca se guardó, lo quitó un límite, se borró, se vació, o ya se trató en una cola de trabajo. En los buckets de claves: la clave no tiene valor."
        => "recado stream info FLUJO muestra la primera y la última secuencia, recado stream subjects FLUJO lo que hay. Si los mensajes se van demasiado pronto, mira max_age y los demás límites.";

    (10043 400 JSSequenceNotFoundErrF) "sequence {seq} not found"
    en "A message was to be deleted that is not there: gone already, by a limit or by somebody, or it never was."
        => "Nothing is left to do if it only should be gone. recado stream info STREAM shows which sequences there are."
    es "Se quería borrar un mensaje que no está: ya lo quitó un límite o alguien, o nunca existió."
        => "Si solo debía desaparecer, no queda nada por hacer. recado stream info FLUJO muestra qué secuencias hay.";

    (10057 500 JSStreamMsgDeleteFailedF) "{err}" says ["message delete not permitted", "no message found", "stream store EOF"]
    en "The message was not deleted. \"message delete not permitted\": the stream has deny_delete, which can't be taken back. \"no message found\", \"stream store EOF\": the sequence lies before the first or behind the last message of the stream. Other texts come from the store."
        => "With deny_delete messages go only by the stream's limits: shorten --max-age, or purge if deny_purge is not set. For the rest, the server's log has the store's trouble."
    es "El mensaje no se borró. «message delete not permitted»: el flujo tiene deny_delete, que no se puede quitar. «no message found», «stream store EOF»: la secuencia está antes del primer mensaje del flujo o después del último. Otros textos vienen del almacén."
        => "Con deny_delete los mensajes solo se van por los límites del flujo: acorta --max-age, o vacía si no tiene deny_purge. Para lo demás, el registro del servidor dice qué le pasa al almacén.";

    (10110 500 JSStreamPurgeFailedF) "{err}" says ["stream purge not permitted"]
    en "Nothing was purged. \"stream purge not permitted\": the stream has deny_purge, which can't be taken back. Other texts come from the store."
        => "Let the messages go by limits (recado stream edit STREAM --max-age …), or delete single ones if deny_delete is not set. Else see the server's log."
    es "No se vació nada. «stream purge not permitted»: el flujo tiene deny_purge, que no se puede quitar. Otros textos vienen del almacén."
        => "Deja que los mensajes se vayan por los límites (recado stream edit FLUJO --max-age …), o borra algunos sueltos si no tiene deny_delete. Si no, mira el registro del servidor.";

    (10015 400 JSSnapshotDeliverSubjectInvalidErr) "deliver subject not valid"
    en "A backup was asked for without a usable place to send it: deliver_subject is empty, has a wildcard, or is a subject of the API."
        => "Use recado stream backup STREAM DIR, which chooses one; your own client should give an inbox."
    es "Se pidió una copia de seguridad sin un lugar válido al que enviarla: deliver_subject está vacío, tiene un comodín o es un asunto de la API."
        => "Usa recado stream backup FLUJO CARPETA, que elige uno; un cliente propio debería dar un buzón.";

    (10064 500 JSStreamSnapshotErrF) "snapshot failed: {err}"
    en "The backup could not be begun or read to its end; the text names the store's reason. The stream itself is not changed by that."
        => "Try again; if the text speaks of damage, recado-server verify DIR (server stopped) says which messages."
    es "La copia de seguridad no pudo empezar o leerse hasta el final; el texto da el motivo del almacén. El flujo no cambia por eso."
        => "Inténtalo de nuevo; si el texto habla de daños, recado-server verify CARPETA (servidor parado) dice qué mensajes.";

    (10062 500 JSStreamRestoreErrF) "restore failed: {err}"
        says ["too many restores at the same time", "every chunk needs a reply subject", "the archive's records are out of order", "the archive ends too early", "the stream is gone", "the archive's messages make no sense"]
    en "The stream was not restored, and nothing is left of the attempt; the text says why: the archive is cut off or damaged, comes from the other kind of server (recado-server and nats-server have archives of their own), its configuration is not possible here, or others are being restored just now."
        => "Restore on the kind of server that made the backup. If the file is cut off, copy it again and compare sizes. To move between the two kinds, read the stream there and publish it here."
    es "El flujo no se restauró y del intento no queda nada; el texto dice por qué: el archivo está cortado o dañado, viene de la otra clase de servidor (recado-server y nats-server tienen cada uno su formato), su configuración no es posible aquí, o se están restaurando otros ahora mismo."
        => "Restaura en la clase de servidor que hizo la copia. Si el archivo está cortado, cópialo de nuevo y compara tamaños. Para pasar de una clase a otra, lee el flujo en una y publícalo en la otra.";

    (10130 400 JSStreamNameExistRestoreFailedErr) "stream name already in use, cannot restore"
    en "There is a stream of this name; a restore never writes over one."
        => "Look at what is there (recado stream info STREAM). If the backup should take its place, remove it first: recado stream rm STREAM."
    es "Ya hay un flujo con este nombre; una restauración nunca escribe encima."
        => "Mira lo que hay (recado stream info FLUJO). Si la copia debe ocupar su lugar, elimínalo antes: recado stream rm FLUJO.";

    (10042 500 JSRestoreSubscribeFailedErrF) "JetStream unable to subscribe to restore snapshot {subject}: {err}"
    en "nats-server could not listen for the pieces of a restore, for an internal reason that the text names. recado-server never sends it."
        => "Try again, and see the server's log."
    es "nats-server no pudo escuchar los trozos de una restauración, por un motivo interno que da el texto. recado-server nunca lo envía."
        => "Inténtalo de nuevo y mira el registro del servidor.";

    (10072 500 JSTempStorageFailedErr) "JetStream unable to open temp storage for restore"
    en "nats-server could not make a temporary file for a restore: its store directory is full or may not be written to. Newer ones say it with 10062."
        => "Make room, and check the owner of the store directory."
    es "nats-server no pudo crear un archivo temporal para una restauración: su carpeta de almacén está llena o no puede escribir en ella. Los más nuevos lo dicen con 10062."
        => "Haz sitio y revisa el dueño de la carpeta del almacén.";
}
