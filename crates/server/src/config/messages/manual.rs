//! What the manual pages say beyond the help. Written as the help is: a heading, then rows of a term, two blanks or
//! more, and words; paragraphs; and what begins with a tab stands as it is.

use crate::config::locale::Lang;

/// What follows the help on the page of the program.
pub(in crate::config) fn program_page(lang: Lang) -> &'static str {
    match lang {
        Lang::En => PROGRAM_EN,
        Lang::Es => PROGRAM_ES,
    }
}

/// The page of the configuration file.
pub(in crate::config) fn file_page(lang: Lang) -> &'static str {
    match lang {
        Lang::En => FILE_EN,
        Lang::Es => FILE_ES,
    }
}

/// The headings that every page has.
pub(in crate::config) struct Headings {
    pub(in crate::config) manual: &'static str,
    pub(in crate::config) name: &'static str,
    pub(in crate::config) synopsis: &'static str,
    pub(in crate::config) description: &'static str,
    pub(in crate::config) commands: &'static str,
    pub(in crate::config) other: &'static str,
    pub(in crate::config) program_is: &'static str,
    pub(in crate::config) file_is: &'static str,
}

pub(in crate::config) fn headings(lang: Lang) -> Headings {
    match lang {
        Lang::En => Headings {
            manual: "Recado Manual",
            name: "NAME",
            synopsis: "SYNOPSIS",
            description: "DESCRIPTION",
            commands: "COMMANDS",
            other: "OTHER OPTIONS",
            program_is: "messaging server for every NATS client",
            file_is: "configuration of recado-server",
        },
        Lang::Es => Headings {
            manual: "Manual de Recado",
            name: "NOMBRE",
            synopsis: "SINOPSIS",
            description: "DESCRIPCIÓN",
            commands: "ÓRDENES",
            other: "OTRAS OPCIONES",
            program_is: "servidor de mensajes para cualquier cliente de NATS",
            file_is: "configuración de recado-server",
        },
    }
}

const PROGRAM_EN: &str = "\
SIGNALS
  SIGTERM  Finish what is under way, flush, end with 0. Ignored in lame duck mode.
  SIGINT  The same; a second one ends the server at once, with 1.
  SIGUSR2  Lame duck: no new clients, those that are there are sent away one by one, then the end.
  SIGUSR1  Close the log file and open it by its name.
  SIGHUP  Read the configuration again: all of it, or nothing if something in it is wrong or can't change while the server runs; the log tells.

ENVIRONMENT
  STATE_DIRECTORY, XDG_STATE_HOME, HOME  Where streams are stored, the first of them that is set, unless --store_dir or the configuration says where.
  LC_ALL, LC_MESSAGES, LANG  The language of what the server says to people: en or es.
  NOTIFY_SOCKET, WATCHDOG_USEC  Set by systemd: where to report that the server is ready, reloads, goes, and how often that it is alive.
  LISTEN_FDS, LISTEN_PID  Set by systemd: the clients' socket is open already.
  NO_COLOR  No colours in the log.

FILES
  /etc/recado/recado-server.conf  The configuration of the service, see recado-server.conf(5).
  /var/lib/recado  The streams of the service.
  /lib/systemd/system/recado-server.service  The service.
  /lib/systemd/system/recado-server.socket  The clients' socket, for those who want systemd to hold it.

EXIT STATUS
  0  It was told to go and finished what was under way, or what was asked for was done.
  1  It could not start, or was told to hurry; verify: something is damaged.
  2  The command line is wrong.
  3  verify: the directory can't be read.

EXAMPLES
A server for this machine alone, and one that asks others for a token:
\trecado-server
\trecado-server token new ~/recado.token
\trecado-server --token-file ~/recado.token

SEE ALSO
recado(1), recado-server.conf(5), systemd.service(5)
";

const PROGRAM_ES: &str = "\
SEÑALES
  SIGTERM  Acabar lo que está en curso, vaciar lo pendiente y terminar con 0. Se ignora en modo lame duck.
  SIGINT  Lo mismo; una segunda termina el servidor en el acto, con 1.
  SIGUSR2  Lame duck: no se admiten clientes nuevos, los que hay se despiden uno a uno, y el servidor termina.
  SIGUSR1  Cerrar el archivo de registro y abrirlo de nuevo por su nombre.
  SIGHUP  Volver a leer la configuración: toda, o nada si algo está mal o no puede cambiar en marcha; lo cuenta el registro.

ENTORNO
  STATE_DIRECTORY, XDG_STATE_HOME, HOME  Dónde se guardan los flujos, la primera que exista, si no lo dicen --store_dir ni la configuración.
  LC_ALL, LC_MESSAGES, LANG  El idioma en que el servidor habla a las personas: en o es.
  NOTIFY_SOCKET, WATCHDOG_USEC  Las pone systemd: dónde avisar de que el servidor está listo, recarga o se va, y cada cuánto de que sigue vivo.
  LISTEN_FDS, LISTEN_PID  Las pone systemd: el socket de los clientes ya está abierto.
  NO_COLOR  Sin colores en el registro.

ARCHIVOS
  /etc/recado/recado-server.conf  La configuración del servicio, véase recado-server.conf(5).
  /var/lib/recado  Los flujos del servicio.
  /lib/systemd/system/recado-server.service  El servicio.
  /lib/systemd/system/recado-server.socket  El socket de los clientes, para quien quiera que lo tenga systemd.

ESTADO DE SALIDA
  0  Se le pidió que terminara y acabó lo que estaba en curso, o se hizo lo que se pedía.
  1  No pudo arrancar, o se le pidió que se diera prisa; verify: hay algo dañado.
  2  La línea de órdenes está mal.
  3  verify: no se puede leer el directorio.

EJEMPLOS
Un servidor solo para esta máquina, y otro que pide un token a los demás:
\trecado-server
\trecado-server token new ~/recado.token
\trecado-server --token-file ~/recado.token

VÉASE TAMBIÉN
recado(1), recado-server.conf(5), systemd.service(5)
";

const FILE_EN: &str = "\
The file is written in nats-server's configuration language, and its keys are nats-server's and some of our own. A file that nats-server takes can be checked with:
\trecado-server -c FILE -t

Mistakes are reported all together, with file, line and column; a key that is not known is refused, and so is one of a feature that is not there. What a flag says goes over what the file says.

LANGUAGE
  # or //  The rest of the line is a comment.
  key: value, key = value, key value, key { ... }  A setting. Keys know no upper and lower case. Line ends, commas and semicolons separate.
  \"text\", 'text', text  Text; with escapes in double quotes.
  4222, 2MB, 1GiB  Numbers; K, M, G and T are powers of 1000, KB and KiB, MB and MiB and so on powers of 1024.
  \"1m30s\"  A time, in ns, us, ms, s, m and h.
  $NAME  A variable: of this file, else of the environment.
  include \"FILE\"  Another file, relative to this one, in this place.

EXAMPLE
\tlisten: \"0.0.0.0:4222\"
\ttoken_file: \"recado.token\"
\tmax_payload: 2MiB
\tjetstream {
\t    store_dir: \"/var/lib/recado\"
\t    max_file_store: 50GiB
\t}

FILES
  /etc/recado/recado-server.conf  What the service reads. It may hold secrets: the group recado reads it, others do not.
  /usr/share/doc/recado-server/configuration.md.gz  Every key with its default.

SEE ALSO
recado-server(8)
";

const FILE_ES: &str = "\
El archivo se escribe en el lenguaje de configuración de nats-server, con sus claves y algunas nuestras. Un archivo que acepta nats-server se comprueba con:
\trecado-server -c ARCHIVO -t

Los errores se cuentan todos a la vez, con archivo, línea y columna; una clave desconocida se rechaza, y también la de algo que no existe aquí. Lo que dice una opción prevalece sobre el archivo.

LENGUAJE
  # o //  El resto de la línea es un comentario.
  clave: valor, clave = valor, clave valor, clave { ... }  Un ajuste. Las claves no distinguen mayúsculas. Separan los finales de línea, las comas y los puntos y coma.
  \"texto\", 'texto', texto  Texto; con secuencias de escape entre comillas dobles.
  4222, 2MB, 1GiB  Números; K, M, G y T son potencias de 1000; KB y KiB, MB y MiB, etcétera, potencias de 1024.
  \"1m30s\"  Un tiempo, en ns, us, ms, s, m y h.
  $NOMBRE  Una variable: de este archivo o, si no, del entorno.
  include \"ARCHIVO\"  Otro archivo, relativo a este, en este lugar.

EJEMPLO
\tlisten: \"0.0.0.0:4222\"
\ttoken_file: \"recado.token\"
\tmax_payload: 2MiB
\tjetstream {
\t    store_dir: \"/var/lib/recado\"
\t    max_file_store: 50GiB
\t}

ARCHIVOS
  /etc/recado/recado-server.conf  Lo que lee el servicio. Puede contener secretos: lo lee el grupo recado y nadie más.
  /usr/share/doc/recado-server/configuration.md.gz  Cada clave con su valor por omisión.

VÉASE TAMBIÉN
recado-server(8)
";
