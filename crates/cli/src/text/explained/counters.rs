//! Counters (ADR-49): streams whose messages are added up.

super::family! {
    en "Counters"
    es "Contadores";

    (10168 400 JSMessageIncrDisabledErr) "message counters is disabled"
    en "The message is an increment (header Nats-Incr), and the stream keeps ordinary messages. Nothing was stored."
        => "Make a stream with --set 'allow_msg_counter=true'. That can be said only when a stream is made; it does not go together with discard: new, message TTLs, schedules or other retention than limits."
    es "El mensaje es un incremento (encabezado Nats-Incr) y el flujo guarda mensajes corrientes. No se guardó nada."
        => "Crea un flujo con --set 'allow_msg_counter=true'. Solo se puede decir al crearlo; no va junto con discard: new, TTL por mensaje, programaciones ni otra retención que limits.";

    (10169 400 JSMessageIncrMissingErr) "message counter increment is missing"
    en "The stream keeps counters, and this message has no Nats-Incr: an ordinary publish can't be added to anything. Nothing was stored."
        => "Publish an empty message with -H 'Nats-Incr:+1' (recado pub SUBJECT '' -H 'Nats-Incr:+1' --ack). What is not a counter goes into another stream."
    es "El flujo guarda contadores y este mensaje no lleva Nats-Incr: una publicación corriente no se puede sumar a nada. No se guardó nada."
        => "Publica un mensaje vacío con -H 'Nats-Incr:+1' (recado pub ASUNTO '' -H 'Nats-Incr:+1' --ack). Lo que no sea un contador va a otro flujo.";

    (10170 400 JSMessageIncrPayloadErr) "message counter has payload"
    en "An increment must have no payload: the server itself writes the new value there."
        => "Send an empty message, and what else you want to say in headers of your own."
    es "Un incremento no puede llevar contenido: ahí escribe el propio servidor el nuevo valor."
        => "Envía un mensaje vacío, y lo demás que quieras decir, en encabezados tuyos.";

    (10171 400 JSMessageIncrInvalidErr) "message counter increment is invalid"
    en "Nats-Incr is no whole number (+1, -20, 300), or the message has a rollup or an expectation beside it (Nats-Rollup, Nats-Expected-…): an increment holds whatever the value was before."
        => "Send a whole number, of any size, and none of those headers."
    es "Nats-Incr no es un número entero (+1, -20, 300), o el mensaje lleva además un rollup o una condición (Nats-Rollup, Nats-Expected-…): un incremento vale fuera cual fuera el valor anterior."
        => "Envía un número entero, del tamaño que sea, y ninguno de esos encabezados.";

    (10172 400 JSMessageCounterBrokenErr) "message counter is broken"
    en "The last message on this subject is no counter: its payload is not {\"val\":\"N\"}. It came into the stream in another way, for instance from a source whose messages are no counters."
        => "See it with recado stream get STREAM --last-for SUBJECT, and remove it (recado stream rmm STREAM N), or purge the subject to begin at 0."
    es "El último mensaje de este asunto no es un contador: su contenido no es {\"val\":\"N\"}. Llegó al flujo de otra manera, por ejemplo de un origen cuyos mensajes no son contadores."
        => "Míralo con recado stream get FLUJO --last-for ASUNTO, y elimínalo (recado stream rmm FLUJO N), o vacía el asunto para empezar en 0.";
}
