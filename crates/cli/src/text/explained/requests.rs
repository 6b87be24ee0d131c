//! What is wrong with a request to the JetStream API as such.

super::family! {
    en "Requests to the JetStream API"
    es "Peticiones a la API de JetStream";

    (10003 400 JSBadRequestErr) "bad request"
    en "The call contradicts itself (a purge with both seq and keep, a get by sequence and by subject) or lacks what it is about. The system account of nats-server gets it for a subject of $JS.API that is no call, too; others get no answer to that."
        => "See what the program sends with --wire, or do the same with recado stream and recado consumer, which only send what goes together."
    es "La llamada se contradice (un vaciado con seq y keep a la vez, una lectura por secuencia y por asunto) o le falta aquello de lo que trata. La cuenta de sistema de nats-server lo recibe también por un asunto de $JS.API que no es una llamada; a las demás no se les contesta."
        => "Mira lo que envía el programa con --wire, o haz lo mismo con recado stream y recado consumer, que solo envían lo que va junto.";

    (10025 400 JSInvalidJSONErr) "invalid JSON: {err}" says ["json: unknown field \"{field}\"", "unknown field"]
    en "The request's body could not be read; the text says where. \"unknown field\": the server is strict and does not know a field, because it is misspelt or newer than the server. Otherwise a value has the wrong type: durations are numbers of nanoseconds, times RFC 3339 texts, policies certain words."
        => "Correct the field (recado stream info NAME --json shows how one looks). If a newer library sends it, update the server, or set jetstream { strict: false }: then what it does not know is ignored, and so not done."
    es "El contenido de la petición no se pudo leer; el texto dice dónde. «unknown field»: el servidor es estricto y no conoce un campo, porque está mal escrito o es más nuevo que él. Si no, un valor es del tipo equivocado: las duraciones son números de nanosegundos, los momentos textos RFC 3339, las políticas ciertas palabras."
        => "Corrige el campo (recado stream info NOMBRE --json muestra cómo es uno). Si lo envía una biblioteca más nueva, actualiza el servidor, o pon jetstream { strict: false }: entonces lo que no conoce se ignora, y por tanto no se hace.";

    (10038 400 JSNotEmptyRequestErr) "expected an empty request payload"
    en "The call takes no body (removing a stream or a consumer, say), and one came: the program probably calls another function than it means to."
        => "Send nothing. If you meant to remove single messages, that is STREAM.MSG.DELETE (recado stream rmm)."
    es "La llamada no admite contenido (eliminar un flujo o un consumidor, por ejemplo) y llegó uno: seguramente el programa llama a otra función que la que quiere."
        => "No envíes nada. Si querías eliminar mensajes sueltos, es STREAM.MSG.DELETE (recado stream rmm).";

    (10056 400 JSStreamMismatchErr) "stream name in subject does not match request"
    en "The call names two streams: one in its subject, another in its body."
        => "Send the same name in both. When a configuration is copied from another stream, change name in it, too: recado stream copy does."
    es "La llamada nombra dos flujos: uno en su asunto y otro en su contenido."
        => "Envía el mismo nombre en ambos. Si copias la configuración de otro flujo, cambia también name: recado stream copy lo hace.";

    (10157 400 JSPedanticErrF) "pedantic mode: {err}"
        says ["{field} must not be negative", "{field} must be set to -1", "first backoff value has to equal batch AckWait", "duplicate window cannot be bigger than max age", "republish source can not be empty"]
    en "The request asked to be taken literally (pedantic: true), and a value in it would have to be corrected or filled in; the text says which."
        => "Write the value that the text asks for, or leave pedantic out: then the server corrects it and shows in its answer what holds."
    es "La petición pidió que se la tomara al pie de la letra (pedantic: true), y habría que corregir o rellenar un valor suyo; el texto dice cuál."
        => "Escribe el valor que pide el texto, o quita pedantic: entonces el servidor lo corrige y muestra en su respuesta lo que vale.";

    (10185 412 JSRequiredApiLevelErr) "JetStream minimum api level required"
    en "The call, or a message of a batch, says that it needs a newer JetStream than this server has (header Nats-Required-Api-Level). recado-server has level 5, like nats-server 2.15."
        => "Update the server (recado ping shows its version), or leave out the feature for which the library asks for the level."
    es "La llamada, o un mensaje de un lote, dice que necesita un JetStream más nuevo que el de este servidor (encabezado Nats-Required-Api-Level). recado-server tiene el nivel 5, como nats-server 2.15."
        => "Actualiza el servidor (recado ping muestra su versión), o prescinde de la función por la que la biblioteca pide ese nivel.";
}
