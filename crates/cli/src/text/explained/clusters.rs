//! Clusters, copies, leaders. recado-server stands alone: it refuses what needs a cluster, and never sends the rest.

super::family! {
    en "Clusters"
    es "Clústeres";

    (10074 500 JSStreamReplicasNotSupportedErr) "replicas > 1 not supported in non-clustered mode"
    en "The stream or consumer asks for several copies, and this server stands alone. Configurations that were written for a cluster meet it at once on a single machine."
        => "Use --replicas 1. What one disk's loss must not cost needs backups here (recado stream backup STREAM DIR), or a nats-server cluster."
    es "El flujo o el consumidor pide varias copias y este servidor está solo. Las configuraciones escritas para un clúster se topan con esto en cuanto se usan en una sola máquina."
        => "Usa --replicas 1. Lo que no deba perderse con un disco necesita aquí copias de seguridad (recado stream backup FLUJO CARPETA), o un clúster de nats-server.";

    (10126 400 JSConsumerReplicasExceedsStream) "consumer config replica count exceeds parent stream"
    en "The consumer asks for more copies than its stream has; its progress can't be safer than the messages are."
        => "Leave --replicas out: the consumer then has as many as the stream."
    es "El consumidor pide más copias de las que tiene su flujo; su avance no puede estar más seguro que los mensajes."
        => "Quita --replicas: el consumidor tendrá entonces tantas como el flujo.";

    (10134 400 JSConsumerReplicasShouldMatchStream) "consumer config replicas must match interest retention stream's replicas"
    en "In a stream with interest or workqueue retention, messages go by what consumers acknowledged, so both need the same number of copies."
        => "Leave --replicas out of the consumer."
    es "En un flujo con retención interest o workqueue, los mensajes se van según lo que confirman los consumidores, así que ambos necesitan el mismo número de copias."
        => "Quita --replicas del consumidor.";

    (10133 400 JSReplicasCountCannotBeNegative) "replicas count cannot be negative"
    en "num_replicas is below 0."
        => "Use 1, or 3 or 5 in a cluster."
    es "num_replicas está por debajo de 0."
        => "Usa 1, o 3 o 5 en un clúster.";

    (10010 503 JSClusterRequiredErr) "JetStream clustering support required"
    en "The call is about leaders, peers or moving streams between servers, and this server stands alone: recado-server always does, nats-server without a cluster block."
        => "There is nothing to lead or move on one machine; leave the call out of the script, or send it to a cluster."
    es "La llamada trata de líderes, miembros o de mover flujos entre servidores, y este servidor está solo: recado-server siempre, nats-server si no lleva bloque cluster."
        => "En una sola máquina no hay nada que dirigir ni mover; quita la llamada del script, o envíala a un clúster.";

    (10006 500 JSClusterNotActiveErr) "JetStream not in clustered mode"
    en "A program that embeds nats-server asked it for something of a cluster, and it is in none. Over the API it is 10010."
        => "Add a cluster to its configuration, or leave the call out."
    es "Un programa que incrusta nats-server le pidió algo propio de un clúster, y no está en ninguno. Por la API es 10010."
        => "Añade un clúster a su configuración, o quita la llamada.";

    (10004 503 JSClusterIncompleteErr) "incomplete results"
    en "In a cluster, a list could not be completed because some servers did not answer. Current servers name what is missing inside the list (missing, offline) in place of this."
        => "nats server report jetstream shows which servers are away; ask again when they are back."
    es "En un clúster no se pudo completar una lista porque algunos servidores no contestaron. Los actuales nombran lo que falta dentro de la lista (missing, offline) en vez de esto."
        => "nats server report jetstream muestra qué servidores faltan; pide de nuevo cuando vuelvan.";

    (10005 400 JSClusterNoPeersErrF) "{err}" says ["no suitable peers for placement"]
    en "The cluster found too few servers for the stream's copies: fewer servers with JetStream than replicas, none with the tags or cluster name that placement asks for, or none with that much room left. The text counts the reasons."
        => "Ask for fewer --replicas or a less narrow placement; nats server report jetstream shows servers and their room."
    es "El clúster encontró demasiado pocos servidores para las copias del flujo: menos servidores con JetStream que réplicas, ninguno con las etiquetas o el clúster que pide placement, o ninguno con tanto espacio libre. El texto cuenta los motivos."
        => "Pide menos --replicas o un placement menos estrecho; nats server report jetstream muestra los servidores y su espacio.";

    (10007 500 JSClusterNotAssignedErr) "JetStream cluster not assigned to this server"
    en "In a cluster, the server that was asked is not one of those that keep this stream or consumer; usually it is being moved just now, or one of them rejected it."
        => "Try again in a moment; if it stays so, nats stream info STREAM shows the group, and the servers' logs why one rejected it."
    es "En un clúster, el servidor al que se preguntó no es de los que guardan este flujo o consumidor; lo normal es que se esté moviendo ahora mismo, o que uno de ellos lo rechazara."
        => "Inténtalo de nuevo en un momento; si sigue igual, nats stream info FLUJO muestra el grupo, y los registros de los servidores por qué lo rechazó uno.";

    (10008 503 JSClusterNotAvailErr) "JetStream system temporarily unavailable"
    en "The cluster has no leader for its streams at the moment: it just starts, is electing one, or more than half of its servers are away or can't reach each other. Nothing was done."
        => "Try again in some seconds. If it stays so: nats server report jetstream shows the meta group; more than half of its servers must be up and connected."
    es "El clúster no tiene líder para sus flujos en este momento: está arrancando, lo está eligiendo, o falta más de la mitad de sus servidores o no se alcanzan entre sí. No se hizo nada."
        => "Inténtalo en unos segundos. Si sigue igual: nats server report jetstream muestra el grupo meta; debe estar en marcha y conectada más de la mitad de sus servidores.";

    (10009 500 JSClusterNotLeaderErr) "JetStream cluster can not handle request"
    en "In a cluster, the message or call came to a server that does not lead this stream any more: the leader changed at that moment. It was not stored."
        => "Send it again, with the same Nats-Msg-Id if it has one; it then goes to the new leader."
    es "En un clúster, el mensaje o la llamada llegó a un servidor que ya no dirige este flujo: el líder cambió en ese momento. No se guardó."
        => "Envíalo de nuevo, con el mismo Nats-Msg-Id si lo lleva; irá al nuevo líder.";

    (10011 400 JSClusterTagsErr) "tags placement not supported for operation"
    en "Older nats-servers: placement by tags was asked for where it was not possible yet."
        => "Leave the tags out, or update the servers."
    es "nats-server antiguos: se pidió ubicación por etiquetas donde aún no era posible."
        => "Quita las etiquetas, o actualiza los servidores.";

    (10036 503 JSClusterUnSupportFeatureErr) "not currently supported in clustered mode"
    en "Older nats-servers: something was asked of a cluster that only a server alone could do then."
        => "Update the servers."
    es "nats-server antiguos: se pidió a un clúster algo que entonces solo podía hacer un servidor suelto."
        => "Actualiza los servidores.";

    (10040 400 JSClusterPeerNotMemberErr) "peer not a member"
    en "A server should be taken out of a stream's group, or moved away from, that is not in it."
        => "nats stream info STREAM shows its servers by name."
    es "Se quiso quitar del grupo de un flujo, o mover de él, un servidor que no está en ese grupo."
        => "nats stream info FLUJO muestra sus servidores por nombre.";

    (10041 500 JSRaftGeneralErrF) "{err}"
    en "The agreement of the cluster (Raft) refused something, usually that the leader steps down: no other server can take over, or the one that was wished for is not up to date."
        => "Wait until the others have caught up (nats stream info STREAM shows their lag), then try again."
    es "El acuerdo del clúster (Raft) rechazó algo, normalmente que el líder ceda: ningún otro servidor puede tomar el relevo, o el deseado no está al día."
        => "Espera a que los demás se pongan al día (nats stream info FLUJO muestra su retraso) e inténtalo de nuevo.";

    (10044 400 JSClusterServerNotMemberErr) "server is not a member of the cluster"
    en "A server should be removed or a stream moved from it, and the cluster knows none of this name or id: misspelt, or gone already."
        => "nats server report jetstream lists the members with their ids."
    es "Se quiso quitar un servidor, o mover de él un flujo, y el clúster no conoce ninguno con ese nombre o id: está mal escrito o ya se fue."
        => "nats server report jetstream lista los miembros con sus id.";

    (10048 500 JSStreamAssignmentErrF) "{err}"
    en "In a cluster, a server that should keep the stream could not begin with it; the text has its reason."
        => "See that server's log and disk; then try again, or have another one take it (placement)."
    es "En un clúster, un servidor que debía guardar el flujo no pudo empezar; el texto da su motivo."
        => "Mira el registro y el disco de ese servidor; después inténtalo de nuevo, o que lo tome otro (placement).";

    (10061 400 JSStreamReplicasNotUpdatableErr) "Replicas configuration can not be updated"
    en "Older nats-servers: the number of copies was fixed when the stream was made. Current clusters change it."
        => "Update the servers, or make a new stream that copies this one (--source)."
    es "nats-server antiguos: el número de copias quedaba fijado al crear el flujo. Los clústeres actuales lo cambian."
        => "Actualiza los servidores, o crea un flujo nuevo que copie este (--source).";

    (10075 503 JSPeerRemapErr) "peer remap failed"
    en "A server should be taken out of a stream's group, and no other one can take its place: none is left, or none has room or fits its placement."
        => "Add a server, or ask for fewer --replicas first."
    es "Se quiso quitar un servidor del grupo de un flujo y ningún otro puede ocupar su lugar: no queda ninguno, o ninguno tiene sitio o encaja en su placement."
        => "Añade un servidor, o pide antes menos --replicas.";

    (10118 500 JSStreamOfflineErr) "stream is offline"
    en "In a cluster, none of the servers that keep the stream can be reached."
        => "Bring them back: nats server report jetstream shows which are away. Its messages are on their disks."
    es "En un clúster no se alcanza ninguno de los servidores que guardan el flujo."
        => "Haz que vuelvan: nats server report jetstream muestra cuáles faltan. Sus mensajes están en sus discos.";

    (10119 500 JSConsumerOfflineErr) "consumer is offline"
    en "In a cluster, none of the servers that keep the consumer can be reached."
        => "Bring them back: nats server report jetstream shows which are away. Its progress is on their disks."
    es "En un clúster no se alcanza ninguno de los servidores que guardan el consumidor."
        => "Haz que vuelvan: nats server report jetstream muestra cuáles faltan. Su avance está en sus discos.";

    (10123 400 JSStreamMoveAndScaleErr) "can not move and scale a stream in a single update"
    en "In a cluster, one change asked for other servers (placement) and another number of copies at once."
        => "First the one, and when nats stream info STREAM shows it is done, the other."
    es "En un clúster, un mismo cambio pedía otros servidores (placement) y otro número de copias a la vez."
        => "Primero una cosa y, cuando nats stream info FLUJO muestre que acabó, la otra.";

    (10124 400 JSStreamMoveInProgressErr) "stream move already in progress"
    en "In a cluster, the stream is being moved to other servers; until it is there, nothing else about its place can be changed."
        => "Wait (nats stream info STREAM shows how far the new ones are), or cancel the move."
    es "En un clúster, el flujo se está moviendo a otros servidores; hasta que llegue no se puede cambiar nada más de su ubicación."
        => "Espera (nats stream info FLUJO muestra cuánto les falta a los nuevos), o cancela el traslado.";

    (10129 400 JSStreamReconfigureNotInProgressErr) "stream reconfiguration not in progress"
    en "In a cluster, a move or change of copies should be cancelled that is not going on: it is done already, or never began."
        => "nats stream info STREAM shows what is so now; move it back with another change if that is wanted."
    es "En un clúster se quiso cancelar un traslado o un cambio de copias que no está en marcha: ya acabó, o no empezó."
        => "nats stream info FLUJO muestra cómo está ahora; si se quiere, deshazlo con otro cambio.";

    (10226 400 JSStreamReconfigureInProgressErr) "stream reconfiguration already in progress"
    en "In a cluster, the stream's number of copies or its retention is being changed; a second change must wait."
        => "Wait until nats stream info STREAM shows all copies as current, then try again."
    es "En un clúster se está cambiando el número de copias o la retención del flujo; un segundo cambio debe esperar."
        => "Espera a que nats stream info FLUJO muestre todas las copias al día, e inténtalo de nuevo.";

    (10202 400 JSClusterServerMemberChangeInflightErr) "cluster member change is in progress"
    en "Another server is being removed from the cluster at this moment; they go one after the other."
        => "Wait until it is gone from nats server report jetstream, then try again."
    es "En este momento se está quitando otro servidor del clúster; van de uno en uno."
        => "Espera a que desaparezca de nats server report jetstream, e inténtalo de nuevo.";

    (10224 400 JSClusterRescueErr) "JetStream system rescue not applied: {err}"
    en "A cluster that lost most of its servers for good should go on with fewer (META.RESCUE), and this one refused; the text says why: it has a leader, so it needs no rescue, or the number asked for makes no sense."
        => "Ask only if the lost servers will never come back, with a number that the ones left can reach."
    es "Un clúster que perdió para siempre la mayoría de sus servidores debía seguir con menos (META.RESCUE), y este se negó; el texto dice por qué: tiene líder y no necesita rescate, o el número pedido no tiene sentido."
        => "Pídelo solo si los servidores perdidos no volverán nunca, con un número que los que quedan puedan alcanzar.";
}
