//! Schedules (ADR-51): messages that the server publishes later, once or again and again.

super::family! {
    en "Scheduled messages"
    es "Mensajes programados";

    (10188 400 JSMessageSchedulesDisabledErr) "message schedules is disabled"
    en "The message is a schedule (header Nats-Schedule), or ends one, and the stream does not act on them. Nothing was stored: it would have looked like a schedule and never run."
        => "recado stream edit STREAM --set 'allow_msg_schedules=true'. It can't be switched off again and does not go together with discard: new."
    es "El mensaje es una programación (encabezado Nats-Schedule), o termina una, y el flujo no las atiende. No se guardó nada: parecería una programación y no se ejecutaría nunca."
        => "recado stream edit FLUJO --set 'allow_msg_schedules=true'. Después no se puede desactivar, y no va junto con discard: new.";

    (10189 400 JSMessageSchedulesPatternInvalidErr) "message schedules pattern is invalid"
    en "Nats-Schedule can't be read, or there is no moment at which it would run again: @at with a time that is no RFC 3339 one, @every below 1s, a cron line without six fields (the first is seconds), or a date that never comes (30 February)."
        => "Write \"@at 2027-01-31T08:00:00Z\", \"@every 5m\", \"@daily\", or six fields as in \"0 30 8 * * 1-5\". A time zone only goes with the latter two."
    es "Nats-Schedule no se entiende, o no hay momento en que volviera a ejecutarse: @at con una hora que no es RFC 3339, @every por debajo de 1s, una línea cron sin seis campos (el primero son los segundos), o una fecha que nunca llega (30 de febrero)."
        => "Escribe «@at 2027-01-31T08:00:00Z», «@every 5m», «@daily», o seis campos como en «0 30 8 * * 1-5». La zona horaria solo va con los dos últimos.";

    (10190 400 JSMessageSchedulesTargetInvalidErr) "message schedules target is invalid"
    en "Nats-Schedule-Target is missing, is no literal subject, is the schedule's own subject, or is not a subject of the same stream."
        => "Name a literal subject that this stream stores; add it to the stream's subjects first if need be (recado stream edit STREAM --subjects …)."
    es "Nats-Schedule-Target falta, no es un asunto literal, es el propio asunto de la programación, o no es un asunto del mismo flujo."
        => "Nombra un asunto literal que este flujo guarde; si hace falta, añádelo antes a sus asuntos (recado stream edit FLUJO --subjects …).";

    (10203 400 JSMessageSchedulesSourceInvalidErr) "message schedules source is invalid"
    en "Nats-Schedule-Source, the subject whose last message is to be sent, is no literal subject of this stream, or is the schedule itself or its target."
        => "Name another literal subject of the same stream, or leave it out: then the schedule's own payload is sent."
    es "Nats-Schedule-Source, el asunto cuyo último mensaje se debe enviar, no es un asunto literal de este flujo, o es la propia programación o su destino."
        => "Nombra otro asunto literal del mismo flujo, o quítalo: entonces se envía el contenido de la programación.";

    (10191 400 JSMessageSchedulesTTLInvalidErr) "message schedules invalid per-message TTL"
    en "Nats-Schedule-TTL, how long the messages that the schedule makes are kept, is no duration of whole seconds from 1s up."
        => "Write it like \"90s\" or \"1h\"; the stream also needs allow_msg_ttl."
    es "Nats-Schedule-TTL, cuánto se guardan los mensajes que crea la programación, no es una duración en segundos enteros desde 1s."
        => "Escríbelo como «90s» o «1h»; el flujo necesita además allow_msg_ttl.";

    (10192 400 JSMessageSchedulesRollupInvalidErr) "message schedules invalid rollup"
    en "A schedule replaces the one before it on its subject, so its Nats-Rollup can only be sub; and so can only be Nats-Schedule-Rollup, for the messages that it makes."
        => "Leave Nats-Rollup out, or write sub."
    es "Una programación sustituye a la anterior de su asunto, así que su Nats-Rollup solo puede ser sub; igual que Nats-Schedule-Rollup para los mensajes que crea."
        => "Quita Nats-Rollup, o escribe sub.";

    (10212 400 JSMessageSchedulesSchedulerInvalidErr) "message schedules invalid scheduler"
    en "A message that ends a schedule (Nats-Schedule-Next: purge) must name it in Nats-Scheduler: a literal subject, not the message's own, whose last message is a schedule. Here one of that is not so, or only one of the two headers is there. Messages that a schedule made and that are published again meet it as well."
        => "Name the schedule's subject, or leave both headers out."
    es "Un mensaje que termina una programación (Nats-Schedule-Next: purge) debe nombrarla en Nats-Scheduler: un asunto literal, que no sea el suyo, cuyo último mensaje sea una programación. Aquí algo de eso falla, o solo está uno de los dos encabezados. También pasa al publicar de nuevo un mensaje que creó una programación."
        => "Nombra el asunto de la programación, o quita los dos encabezados.";

    (10223 400 JSMessageSchedulesTimeZoneInvalidErr) "message schedules time zone is invalid"
    en "Nats-Schedule-Time-Zone is no name of the IANA database (Europe/Madrid, America/Argentina/Buenos_Aires). Abbreviations like CST mislead, and most are not known; a time zone goes with cron lines and @daily and the like only."
        => "Write the region and city, or leave it out for UTC."
    es "Nats-Schedule-Time-Zone no es un nombre de la base de datos de IANA (Europe/Madrid, America/Argentina/Buenos_Aires). Las abreviaturas como CST engañan, y casi ninguna se reconoce; la zona solo va con líneas cron y con @daily y parecidos."
        => "Escribe la región y la ciudad, o quítala para usar UTC.";
}
