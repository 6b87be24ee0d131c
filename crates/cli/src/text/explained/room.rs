//! Whether an account has JetStream at all, and how much of it.

super::family! {
    en "Accounts, limits and room"
    es "Cuentas, límites y espacio";

    (10039 503 JSNotEnabledForAccountErr) "JetStream not enabled for account"
    en "The server keeps streams, but not for the account that you are signed in to: it has no jetstream in the configuration, its JWT has no JetStream limits, or it is the system account, which never has. Often one simply is signed in as another user than thought."
        => "recado context show says as whom. In the configuration: accounts { NAME { jetstream: enabled, … } }, then a reload; with JWTs: nsc edit account --js-enable 1, then nsc push."
    es "El servidor guarda flujos, pero no para la cuenta con la que entraste: no lleva jetstream en la configuración, su JWT no tiene límites de JetStream, o es la cuenta de sistema, que nunca los tiene. A menudo uno entró simplemente con otro usuario del que creía."
        => "recado context show dice con cuál. En la configuración: accounts { NOMBRE { jetstream: enabled, … } } y una recarga; con JWT: nsc edit account --js-enable 1 y nsc push.";

    (10076 503 JSNotEnabledErr) "JetStream not enabled"
    en "This server keeps no streams: nats-server was started without -js, or JetStream was switched off after an error of its store (its log says so). recado-server keeps streams unless it is told --no-streams, and then nobody answers the call: 503 without a number."
        => "Start nats-server with -js, or jetstream { store_dir: … } in its configuration. For recado-server, leave --no-streams and jetstream: false out; called nats-server, it wants -js too."
    es "Este servidor no guarda flujos: nats-server arrancó sin -js, o JetStream se desactivó por un error de su almacén (lo dice su registro). recado-server guarda flujos salvo que se le diga --no-streams, y entonces nadie contesta la llamada: 503 sin número."
        => "Arranca nats-server con -js, o con jetstream { store_dir: … } en su configuración. En recado-server, quita --no-streams y jetstream: false; llamado nats-server, también pide -js.";

    (10035 503 JSNoAccountErr) "account not found"
    en "The account that the call is about is not known to the server: it was removed, or its JWT can't be had from the resolver just now."
        => "Check the account's id and that the resolver has its JWT (nsc push); the server's log names what it looked for."
    es "El servidor no conoce la cuenta de la que trata la llamada: se eliminó, o su JWT no se puede obtener ahora del resolver."
        => "Revisa el id de la cuenta y que el resolver tenga su JWT (nsc push); el registro del servidor nombra lo que buscó.";

    (10120 400 JSNoLimitsErr) "no JetStream default or applicable tiered limit present"
    en "The account's JWT gives JetStream by number of copies (R1, R3), and this stream asks for a number that has no tier. recado-server knows no tiers and never sends it."
        => "Use --replicas for which there is a tier (nsc describe account), or add one: nsc edit account --js-tier N."
    es "El JWT de la cuenta da JetStream según el número de copias (R1, R3), y este flujo pide un número sin nivel asignado. recado-server no tiene niveles y nunca lo envía."
        => "Usa un --replicas que tenga nivel (nsc describe account), o añádelo: nsc edit account --js-tier N.";

    (10002 400 JSAccountResourcesExceededErr) "resource limits exceeded for account"
    en "All streams of the account together have the bytes that the account may have, in files or in memory; the message or stream was refused. Other accounts go on."
        => "recado stream report shows which stream takes the room: purge it, give it --max-age or --max-bytes, or raise the account's max_file or max_memory."
    es "Todos los flujos de la cuenta juntos ocupan los bytes que la cuenta puede tener, en archivos o en memoria; el mensaje o el flujo se rechazó. Las demás cuentas siguen."
        => "recado stream report muestra qué flujo ocupa el espacio: vacíalo, ponle --max-age o --max-bytes, o sube max_file o max_memory de la cuenta.";

    (10023 503 JSInsufficientResourcesErr) "insufficient resources"
    en "All streams of the server together have the bytes that it may take (max_file_store, max_memory_store; unless set three quarters of the disk or of memory). The message or the restored stream was refused."
        => "recado stream report shows who takes the room. Purge or limit it (--max-bytes, --max-age), or raise jetstream { max_file_store } if the disk has more."
    es "Todos los flujos del servidor juntos ocupan los bytes que puede tomar (max_file_store, max_memory_store; si no se indican, tres cuartos del disco o de la memoria). El mensaje o el flujo restaurado se rechazó."
        => "recado stream report muestra quién ocupa el espacio. Vacíalo o acótalo (--max-bytes, --max-age), o sube jetstream { max_file_store } si el disco tiene más.";

    (10028 500 JSMemoryResourcesExceededErr) "insufficient memory resources available"
    en "The stream in memory reserves max_bytes, and together with what others reserve that is more than the server (max_memory_store) or the account may take, whether it is used or not."
        => "Give smaller --max-bytes, use --storage file, or raise max_memory_store (for the account: max_memory)."
    es "El flujo en memoria reserva max_bytes, y con lo que reservan otros es más de lo que puede tomar el servidor (max_memory_store) o la cuenta, se use o no."
        => "Da un --max-bytes menor, usa --storage file, o sube max_memory_store (en la cuenta: max_memory).";

    (10047 500 JSStorageResourcesExceededErr) "insufficient storage resources available"
    en "The stream reserves max_bytes, and together with what others reserve that is more than the server (max_file_store, unless set three quarters of the disk) or the account may take, whether it is used or not."
        => "Give smaller --max-bytes, lower those of others (recado stream report), or raise max_file_store (for the account: max_file). Without --max-bytes nothing is reserved."
    es "El flujo reserva max_bytes, y con lo que reservan otros es más de lo que puede tomar el servidor (max_file_store; si no se indica, tres cuartos del disco) o la cuenta, se use o no."
        => "Da un --max-bytes menor, baja el de otros (recado stream report), o sube max_file_store (en la cuenta: max_file). Sin --max-bytes no se reserva nada.";

    (10053 500 JSStreamLimitsErrF) "{err}"
    en "The stream does not fit into the limits of its account or server; the text says which (streams, bytes in files or memory). recado-server says 10027, 10028 or 10047 itself."
        => "recado stream report shows what takes the room; ask for less, or have the limit raised."
    es "El flujo no cabe en los límites de su cuenta o de su servidor; el texto dice cuál (flujos, bytes en archivos o en memoria). recado-server da directamente 10027, 10028 o 10047."
        => "recado stream report muestra qué ocupa el espacio; pide menos, o haz que suban el límite.";

    (10026 400 JSMaximumConsumersLimitErr) "maximum consumers limit reached"
    en "The stream has as many consumers as it (--max-consumers) or its account allows. Very often programs make a new durable consumer at each start and leave the old ones behind."
        => "recado consumer report STREAM shows those that nobody uses; remove them (recado consumer rm), and let programs use one name, or ephemeral ones with an --inactive-threshold."
    es "El flujo tiene tantos consumidores como permite él (--max-consumers) o su cuenta. Muy a menudo los programas crean un consumidor duradero en cada arranque y dejan atrás los viejos."
        => "recado consumer report FLUJO muestra los que nadie usa; elimínalos (recado consumer rm), y que los programas usen un solo nombre, o efímeros con un --inactive-threshold.";

    (10027 400 JSMaximumStreamsLimitErr) "maximum number of streams reached"
    en "The account has as many streams as it may. Each key-value and each object bucket is one, too."
        => "recado stream find --empty --idle 30d shows those that nobody misses. One stream with a wildcard (orders.*) does the work of many; else have the account's max_streams raised."
    es "La cuenta tiene tantos flujos como puede. Cada bucket de claves o de objetos es también uno."
        => "recado stream find --empty --idle 30d muestra los que nadie echa de menos. Un flujo con comodín (pedidos.*) hace el trabajo de muchos; si no, que suban max_streams de la cuenta.";

    (10113 400 JSStreamMaxBytesRequired) "account requires a stream config to have max bytes set"
    en "The account is set up so that every stream must say how many bytes it may take at the most (max_bytes_required)."
        => "Add --max-bytes 1GiB; for buckets, --max-bytes of recado kv add or object add."
    es "La cuenta exige que cada flujo diga cuántos bytes puede ocupar como máximo (max_bytes_required)."
        => "Añade --max-bytes 1GiB; en los buckets, --max-bytes de recado kv add u object add.";

    (10122 400 JSStreamMaxStreamBytesExceeded) "stream max bytes exceeds account limit max stream bytes"
    en "The stream's max_bytes is larger than the account allows a single stream to have."
        => "Give smaller --max-bytes, several streams, or have the account's limit for one stream raised."
    es "El max_bytes del flujo es mayor de lo que la cuenta permite a un solo flujo."
        => "Da un --max-bytes menor, varios flujos, o que suban el límite por flujo de la cuenta.";
}
