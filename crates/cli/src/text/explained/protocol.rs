//! What a server tells on the connection itself: `-ERR '…'`.

super::family! {
    en "The connection: -ERR"
    es "La conexión: -ERR";

    (-ERR closes) "Unknown Protocol Operation"
    en "The server read something that is no command of the protocol, or a payload that was longer or shorter than its PUB said. Usually another program talks to the port (a browser, a health check, TLS where none is expected), or a hand-written client counts characters instead of bytes."
        => "See what goes over the line with recado pub SUBJECT TEXT --wire. Point health checks at the monitoring port. In a client of your own, the number in PUB is the payload's length in bytes, without the closing CR LF."
    es "El servidor leyó algo que no es una orden del protocolo, o un contenido más largo o más corto de lo que decía su PUB. Casi siempre habla otro programa en ese puerto (un navegador, una comprobación de salud, TLS donde no se espera), o un cliente escrito a mano cuenta caracteres en vez de bytes."
        => "Mira lo que pasa por la línea con recado pub ASUNTO TEXTO --wire. Dirige las comprobaciones de salud al puerto de monitorización. En un cliente propio, el número de PUB es la longitud del contenido en bytes, sin el CR LF final.";

    (-ERR closes) "Authorization Violation"
    en "The server asks for credentials and got none, or those that came are not among its own: a wrong password or token, a user that it does not have, a key that did not sign this connection's nonce, a JWT whose account the server does not know, or a user who may not connect from here, now or in this way (allowed_connection_types, times, source addresses)."
        => "recado doctor says which credentials were used and where they came from. Give others with --token-file, --user, --creds or --nkey, or keep them with recado login. On the server, compare with authorization or accounts in its configuration; its log names the reason, which clients are not told."
    es "El servidor pide credenciales y no recibió ninguna, o las que llegaron no son de las suyas: una contraseña o un token equivocados, un usuario que no tiene, una clave que no firmó el nonce de esta conexión, un JWT de una cuenta que el servidor no conoce, o un usuario que no puede conectarse desde aquí, ahora o de esta manera (allowed_connection_types, horarios, direcciones de origen)."
        => "recado doctor dice qué credenciales se usaron y de dónde salieron. Da otras con --token-file, --user, --creds o --nkey, o guárdalas con recado login. En el servidor, compara con authorization o accounts de su configuración; su registro nombra el motivo, que a los clientes no se les dice.";

    (-ERR closes) "Authentication Timeout"
    en "The client was connected but did not present itself (CONNECT) within the server's authorization timeout, 2 s unless configured. It hangs before it answers the greeting, the machine or the network is very slow, or a program that is no NATS client opened the connection."
        => "recado ping --connect shows how long each step takes. If they are slow for a good reason (a TLS handshake far away, an auth callout that asks others), raise authorization { timeout } in the server's configuration."
    es "El cliente se conectó pero no se presentó (CONNECT) en el plazo de autorización del servidor, 2 s si no se configura otro. Se queda parado antes de contestar al saludo, la máquina o la red son muy lentas, o abrió la conexión un programa que no es un cliente NATS."
        => "recado ping --connect muestra cuánto tarda cada paso. Si son lentos con razón (un TLS lejano, un «auth callout» que pregunta a otros), sube authorization { timeout } en la configuración del servidor.";

    (-ERR closes) "User Authentication Expired"
    en "The user's JWT has a last day, and that passed while the connection was open."
        => "Have the account's owner issue a new JWT (nsc edit user, then nsc generate creds) and connect with the new .creds file. Clients that read the file at each reconnect go on by themselves once it is replaced."
    es "El JWT del usuario tiene una fecha de caducidad, y pasó mientras la conexión estaba abierta."
        => "Pide a quien lleva la cuenta un JWT nuevo (nsc edit user y luego nsc generate creds) y conéctate con el archivo .creds nuevo. Los clientes que leen el archivo al reconectar siguen solos en cuanto se sustituye.";

    (-ERR closes) "Account Authentication Expired"
    en "The account's JWT passed its last day: all connections of the account are closed, whoever the user is, and no new one is let in."
        => "The operator issues the account's JWT anew (nsc edit account) and gives it to the server: nsc push, or the file of the resolver, or resolver_preload and a reload (recado-server --signal reload). The users' credentials stay as they are."
    es "El JWT de la cuenta caducó: se cierran todas las conexiones de la cuenta, sea quien sea el usuario, y no entra ninguna nueva."
        => "El operador emite de nuevo el JWT de la cuenta (nsc edit account) y se lo da al servidor: nsc push, el archivo del resolver, o resolver_preload y una recarga (recado-server --signal reload). Las credenciales de los usuarios siguen como están.";

    (-ERR closes) "User Authentication Revoked"
    en "The account's JWT revokes this user, or every JWT that was issued to it before a certain moment."
        => "If the user should come back, issue it a new JWT: one issued after the revocation counts again. nsc revocations list-users shows what is revoked."
    es "El JWT de la cuenta revoca a este usuario, o todos los JWT que se le emitieron antes de cierto momento."
        => "Si el usuario debe volver, emítele un JWT nuevo: uno posterior a la revocación vale otra vez. nsc revocations list-users muestra lo que está revocado.";

    (-ERR) "Permissions Violation for Publish to \"{subject}\""
    en "This user may not publish on this subject; the message was thrown away, and the connection stays. In requests the subject may be one that the library chose: a reply to an inbox needs allow_responses or permission for the inbox, streams need $JS.API.>."
        => "Publish on a subject that is allowed, or have it added to permissions { publish } of the user in the server's configuration or JWT, then reload it. For one who only answers requests, allow_responses: true is the narrow way."
    es "Este usuario no puede publicar en este asunto; el mensaje se descartó y la conexión sigue. En las peticiones el asunto puede ser uno que eligió la biblioteca: contestar a un buzón de respuesta pide allow_responses o permiso para ese buzón, y los flujos piden $JS.API.>."
        => "Publica en un asunto permitido, o haz que lo añadan a permissions { publish } del usuario en la configuración del servidor o en su JWT, y recárgalo. Para quien solo contesta peticiones, allow_responses: true es lo más estrecho.";

    (-ERR) "Permissions Violation for Subscription to \"{subject}\""
        says ["Permissions Violation for Subscription to \"{subject}\" using queue \"{queue}\"", "Permissions Violation for Subscription to \"{subject}\" (sid \"{sid}\")", "Permissions Violation for Subscription to \"{subject}\", too many tokens"]
    en "This user may not listen on this subject, or not in this queue group; the subscription was not made, and nothing will ever come of it. With (sid \"…\") at its end, a reload took the permission away from a subscription that there was. If the subject begins with _INBOX, it is the client's own reply inbox that is not permitted. \", too many tokens\" is max_sub_tokens."
        => "Listen on what is allowed, or have the subject added to permissions { subscribe } of the user, with the queue group behind a blank if only that is meant (\"orders.* workers\"). If inboxes are kept apart, tell the client its own with --inbox-prefix."
    es "Este usuario no puede escuchar en este asunto, o no en este grupo de cola; la suscripción no se creó y de ella no llegará nada. Con (sid \"…\") al final, una recarga quitó el permiso a una suscripción que existía. Si el asunto empieza por _INBOX, es el buzón de respuesta del propio cliente el que no está permitido. «, too many tokens» es max_sub_tokens."
        => "Escucha en lo permitido, o haz que añadan el asunto a permissions { subscribe } del usuario, con el grupo de cola tras un espacio si solo se quiere ese («pedidos.* obreros»). Si los buzones están separados, indica al cliente el suyo con --inbox-prefix.";

    (-ERR) "Permissions Violation for Publish with Reply of \"{subject}\""
    en "The reply subject of the message is one that only servers may use: that of an acknowledgement ($JS.ACK. …), or one that stands for a request which crosses accounts or clusters (_R_. …, _GR_. …). The message was thrown away. Usually a program publishes a message again that it was delivered, together with its reply subject."
        => "Leave the reply subject out when you pass a message on, or give an inbox of your own. Acknowledge a message before you pass it on."
    es "El asunto de respuesta del mensaje es uno que solo pueden usar los servidores: el de una confirmación ($JS.ACK. …), o el que representa una petición que cruza cuentas o clústeres (_R_. …, _GR_. …). El mensaje se descartó. Lo normal es que un programa publique otra vez un mensaje que le entregaron, con su asunto de respuesta."
        => "Quita el asunto de respuesta al reenviar un mensaje, o da un buzón propio. Confirma el mensaje antes de reenviarlo.";

    (-ERR closes) "Maximum Payload Violation"
    en "The message, headers included, is larger than the server's max_payload (1 MiB unless configured). The library did not hold it against the limit that the server tells in its greeting, or the server lowered it meanwhile."
        => "recado ping shows the limit. Send it in pieces, keep large things in an object bucket (recado object put) and send its name, or raise max_payload: 8 MiB is a sensible most, for every copy of such a message takes its room in memory."
    es "El mensaje, con sus encabezados, es mayor que el max_payload del servidor (1 MiB si no se configura otro). La biblioteca no lo comparó con el límite que el servidor dice al saludar, o el servidor lo bajó entretanto."
        => "recado ping muestra el límite. Envíalo en trozos, guarda lo grande en un bucket de objetos (recado object put) y envía su nombre, o sube max_payload: 8 MiB es un máximo sensato, porque cada copia de un mensaje así ocupa su sitio en memoria.";

    (-ERR closes) "maximum control line exceeded"
    en "A line of the protocol (PUB, SUB, CONNECT …) is longer than max_control_line, 4096 bytes unless configured: a very long subject or reply subject, or a CONNECT with a large JWT."
        => "Shorten the subject (what is data belongs in the payload or in headers). If it is a JWT with very many permissions, raise max_control_line, or let the permissions come from the account's default."
    es "Una línea del protocolo (PUB, SUB, CONNECT…) es más larga que max_control_line, 4096 bytes si no se configura otro: un asunto o un asunto de respuesta larguísimo, o un CONNECT con un JWT grande."
        => "Acorta el asunto (los datos van en el contenido o en los encabezados). Si es un JWT con muchísimos permisos, sube max_control_line o deja que los permisos vengan de los que la cuenta da por defecto.";

    (-ERR closes) "maximum connections exceeded"
    en "The server has as many clients as max_connections allows (65,536 unless configured; fewer if the system lets it open fewer files). Often it is one program that opens a connection for each task and never closes it."
        => "recado top shows who is connected, where the server has a monitoring port. Share one connection within a program, or raise max_connections and the limit of open files (ulimit -n, LimitNOFILE in systemd)."
    es "El servidor tiene tantos clientes como permite max_connections (65 536 si no se configura otro; menos si el sistema le deja abrir menos archivos). A menudo es un solo programa que abre una conexión por tarea y no la cierra."
        => "recado top muestra quién está conectado, si el servidor tiene puerto de monitorización. Comparte una conexión dentro del programa, o sube max_connections y el límite de archivos abiertos (ulimit -n, LimitNOFILE en systemd).";

    (-ERR closes) "maximum account active connections exceeded"
    en "The account has all the connections that its limits allow. Other accounts are not touched by it."
        => "Close connections that nobody needs, or raise the account's limit: conn in the limits of its JWT (nsc edit account --conns N), or accounts { NAME { limits { max_connections } } }."
    es "La cuenta tiene todas las conexiones que permiten sus límites. A las otras cuentas no les afecta."
        => "Cierra conexiones que nadie necesite, o sube el límite de la cuenta: conn en los límites de su JWT (nsc edit account --conns N), o accounts { NOMBRE { limits { max_connections } } }.";

    (-ERR) "maximum subscriptions exceeded"
    en "This connection, or its account, has as many subscriptions as it may (max_subscriptions; in JWTs subs). The new one was not made: nothing will come of it."
        => "Listen with wildcards (orders.*) in place of one subscription for each subject, and unsubscribe what is done. Else raise max_subscriptions, or the limit in the JWT."
    es "Esta conexión, o su cuenta, tiene tantas suscripciones como puede (max_subscriptions; en los JWT, subs). La nueva no se creó: de ella no llegará nada."
        => "Escucha con comodines (pedidos.*) en vez de una suscripción por asunto, y anula las que ya no sirvan. Si no, sube max_subscriptions, o el límite en el JWT.";

    (-ERR) "Invalid Subject"
    en "A SUB has a subject that is none: an empty token (a..b, or a dot at either end), a blank, or > before the end. The subscription was not made."
        => "Mend the subject; recado sub says what is wrong with it before it asks a server. Names that come from elsewhere must have dots and blanks replaced before they become a token."
    es "Un SUB lleva un asunto que no lo es: un elemento vacío (a..b, o un punto en un extremo), un espacio, o > antes del final. La suscripción no se creó."
        => "Corrige el asunto; recado sub dice qué le pasa antes de preguntar a un servidor. Los nombres que vienen de fuera deben perder sus puntos y espacios antes de ser un elemento.";

    (-ERR) "Invalid Publish Subject"
    en "A message was published on a subject with a wildcard or an empty token. Only clients that connect with pedantic: true are told; for others it is delivered to nobody who would expect it."
        => "Publish on a literal subject: wildcards are for listening."
    es "Se publicó un mensaje en un asunto con un comodín o un elemento vacío. Solo se les dice a los clientes que se conectan con pedantic: true; en los demás casos no le llega a nadie que lo espere."
        => "Publica en un asunto literal: los comodines son para escuchar.";

    (-ERR closes) "Stale Connection"
    en "The client left ping_max PINGs of the server unanswered (2, one every two minutes unless configured): its process hung or was stopped, or the network lost the way without closing anything."
        => "Clients of the usual libraries connect again by themselves. If it happens often: does the program block its own event loop, does the machine sleep, does a firewall forget idle connections? A ping_interval shorter than the firewall's patience (30s) keeps them known."
    es "El cliente dejó sin contestar ping_max PING del servidor (2, uno cada dos minutos si no se configura otra cosa): su proceso se colgó o está detenido, o la red perdió el camino sin cerrar nada."
        => "Los clientes de las bibliotecas habituales se reconectan solos. Si pasa a menudo: ¿bloquea el programa su propio bucle de eventos, duerme la máquina, olvida un cortafuegos las conexiones quietas? Un ping_interval más corto que la paciencia del cortafuegos (30s) las mantiene conocidas.";

    (-ERR closes) "Secure Connection - TLS Required"
    en "The server takes clients only over TLS, and the handshake did not come or did not end within tls { timeout }."
        => "Connect with tls:// in place of nats://, and --tlsca FILE if the certificate is your own. If the server is set to handshake_first, add --tlsfirst. If it is only slow, raise tls { timeout }."
    es "El servidor solo admite clientes con TLS, y el saludo TLS no llegó o no terminó en tls { timeout }."
        => "Conéctate con tls:// en vez de nats://, y --tlsca ARCHIVO si el certificado es vuestro. Si el servidor usa handshake_first, añade --tlsfirst. Si solo es lento, sube tls { timeout }.";

    (-ERR closes) "invalid client protocol"
    en "The client's CONNECT asks for a version of the protocol that is none (0 and 1 are). Only a hand-written client does."
        => "Send \"protocol\": 1 in CONNECT."
    es "El CONNECT del cliente pide una versión del protocolo que no existe (las hay 0 y 1). Solo lo hace un cliente escrito a mano."
        => "Envía \"protocol\": 1 en CONNECT.";

    (-ERR closes) "no responders requires headers support"
    en "The client's CONNECT asks for no_responders without headers, or the server has headers switched off (no_header_support): the answer \"nobody is there\" comes as a header."
        => "Send \"headers\": true together with \"no_responders\": true, or take no_header_support out of the server's configuration."
    es "El CONNECT del cliente pide no_responders sin headers, o el servidor tiene los encabezados desactivados (no_header_support): la respuesta «no hay nadie» viaja como encabezado."
        => "Envía \"headers\": true junto con \"no_responders\": true, o quita no_header_support de la configuración del servidor.";

    (-ERR closes) "attempted to connect to route port"
    en "This is the port over which the servers of a cluster talk to each other (6222 usually), not the one for clients. recado-server has no such port: it stands alone."
        => "Use the server's client port, 4222 usually."
    es "Este es el puerto por el que hablan entre sí los servidores de un clúster (normalmente 6222), no el de los clientes. recado-server no tiene ese puerto: está solo."
        => "Usa el puerto de clientes del servidor, normalmente el 4222.";

    (-ERR closes) "attempted to connect to leaf node port"
    en "This is the port for leaf nodes (7422 usually), not the one for clients. recado-server has none."
        => "Use the server's client port, 4222 usually."
    es "Este es el puerto para nodos hoja (normalmente 7422), no el de los clientes. recado-server no lo tiene."
        => "Usa el puerto de clientes del servidor, normalmente el 4222.";

    (-ERR closes) "attempted to connect to gateway port"
    en "This is the port over which clusters talk to each other (7222 usually), not the one for clients. recado-server has none."
        => "Use the server's client port, 4222 usually."
    es "Este es el puerto por el que hablan los clústeres entre sí (normalmente 7222), no el de los clientes. recado-server no lo tiene."
        => "Usa el puerto de clientes del servidor, normalmente el 4222.";

    (-ERR) "Failed Account Registration"
    en "The credentials were good, but the server could not put the connection into its account: usually the account's JWT could not be fetched or is not valid any more."
        => "See the server's log for the account's id, and whether its resolver has that JWT (nsc push, resolver { dir })."
    es "Las credenciales valían, pero el servidor no pudo poner la conexión en su cuenta: normalmente no se pudo obtener el JWT de la cuenta o ya no es válido."
        => "Busca en el registro del servidor el id de la cuenta, y comprueba que su resolver tiene ese JWT (nsc push, resolver { dir }).";

    (-ERR closes) "Connection throttling is active. Please try again later."
    en "More TLS connections are opened at the same moment than tls { connection_rate_limit } allows for a second: usually all clients come back at once after a restart."
        => "Wait: clients of the usual libraries try again by themselves, a little later each time. If it does not end, raise the limit; handshakes cost the server's processor, and that is what the limit is for."
    es "Se abren a la vez más conexiones TLS por segundo de las que permite tls { connection_rate_limit }: lo normal es que vuelvan todos los clientes de golpe tras un reinicio."
        => "Espera: los clientes de las bibliotecas habituales lo intentan solos otra vez, cada vez un poco más tarde. Si no acaba, sube el límite; los saludos TLS cuestan procesador al servidor, y para eso está.";
}
