//! What the program says about itself: its help, and what it did.

use crate::config::locale::Lang;
use crate::config::options::Personality;
use crate::config::programs::Programs;

/// Something that was done, for standard output.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// `-t` found nothing wrong.
    ConfigValid {
        /// File that was checked.
        file: String,
        /// Its digest.
        digest: String,
    },
    /// `token new` wrote a token.
    TokenMade {
        /// File that it is in.
        path: String,
        /// The same as a shell takes it.
        word: String,
        /// How to start server and client.
        programs: Programs,
    },
}

impl Notice {
    /// The words, in a language.
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::ConfigValid { file, digest }, Lang::En) => {
                format!("configuration file {file} is valid ({digest})")
            }
            (Self::ConfigValid { file, digest }, Lang::Es) => {
                format!("el archivo de configuración {file} es válido ({digest})")
            }
            (
                Self::TokenMade {
                    path,
                    word,
                    programs: Programs { server, client },
                },
                Lang::En,
            ) => format!(
                "A new token is in {path}; only you can read it.\n\
                 Start the server with it:   {server} --token-file {word}\n\
                 Then try it from a client:  {client} --token-file {word} ping"
            ),
            (
                Self::TokenMade {
                    path,
                    word,
                    programs: Programs { server, client },
                },
                Lang::Es,
            ) => format!(
                "Hay un token nuevo en {path}; solo tú puedes leerlo.\n\
                 Arranca el servidor con él:       {server} --token-file {word}\n\
                 Y pruébalo desde un cliente:      {client} --token-file {word} ping"
            ),
        }
    }
}

/// What `--help` prints.
pub fn help(personality: Personality, lang: Lang) -> String {
    let program = personality.program_name();
    let (host, format) = match (personality, lang) {
        (Personality::NatsServer, _) => ("0.0.0.0", "nats"),
        (Personality::Recado, Lang::En) => ("this machine only, without a credential", "auto"),
        (Personality::Recado, Lang::Es) => ("solo esta máquina, si no hay credencial", "auto"),
    };
    let text = match lang {
        Lang::En => HELP_EN,
        Lang::Es => HELP_ES,
    };
    let watch = match (personality, lang) {
        (Personality::NatsServer, _) => "off",
        (Personality::Recado, Lang::En) => "off; on loopback",
        (Personality::Recado, Lang::Es) => "no; en esta máquina",
    };
    let (streams, store) = match personality {
        Personality::NatsServer => ("false", "/tmp/nats"),
        Personality::Recado => ("true", "~/.local/state/recado"),
    };
    text.replace("{program}", program)
        .replace("{streams}", streams)
        .replace("{store}", store)
        .replace("{watch}", watch)
        .replace("{host}", host)
        .replace("{format}", format)
}

/// What `--help_tls` prints.
pub fn help_tls(personality: Personality, lang: Lang) -> String {
    let text = match lang {
        Lang::En => HELP_TLS_EN,
        Lang::Es => HELP_TLS_ES,
    };
    text.replace("{program}", personality.program_name())
}

const HELP_TLS_EN: &str = "\
TLS in the configuration file, with the values that hold where nothing is said:

  tls {
    cert_file: \"server.pem\"         # certificate, followed by those that vouch for it
    key_file: \"server.key\"          # its private key
    # certs: [{ cert_file: .., key_file: .. }]   several; each client is shown the one that suits it
    verify: false                   # clients must show a certificate
    verify_and_map: false           # and its names say which user they are
    # ca_file: \"ca.pem\"             authorities of clients' certificates (the system's)
    # pinned_certs: [\"3f..\"]        SHA-256 of the public keys that clients may have (any)
    handshake_first: false          # false: INFO comes in clear before the handshake; true: behind it;
                                    # auto, \"300ms\": behind it, or in clear if the client waits so long
    timeout: 2s                     # for a handshake
    min_version: \"1.2\"             # or \"1.3\"
    # ocsp_peer: true                clients' certificates must not be revoked, as their responder says
    # connection_rate_limit: 1000     handshakes a second at most (no limit)
    # cipher_suites: [..]             of those below (all)
    # curve_preferences: [..]         of those below (all)
  }
  allow_non_tls: false              # serve clients without TLS on the same port, too
  ocsp { mode: auto }               # staples: auto, for certificates that ask for one; must, always: and
                                    # the server ends when one was revoked; never
  # ocsp_cache: true                  keep what responders say of clients (in memory, until it ends)

Cipher suites
  TLS_AES_128_GCM_SHA256                         TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
  TLS_AES_256_GCM_SHA384                         TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  TLS_CHACHA20_POLY1305_SHA256                   TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256          TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
                                                 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
Curves
  X25519  CurveP256  CurveP384

A certificate of your own to try it with (openssl):
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \\
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \\
    -keyout server.key -out server.pem
  {program} --tlscert server.pem --tlskey server.key
Clients then need server.pem as their CA file.
";

const HELP_TLS_ES: &str = "\
TLS en el archivo de configuración, con los valores que rigen si no se dice nada:

  tls {
    cert_file: \"server.pem\"         # certificado, seguido de los que lo avalan
    key_file: \"server.key\"          # su clave privada
    # certs: [{ cert_file: .., key_file: .. }]   varios; a cada cliente se le enseña el que le va
    verify: false                   # los clientes deben enseñar un certificado
    verify_and_map: false           # y sus nombres dicen qué usuario son
    # ca_file: \"ca.pem\"             autoridades de los certificados de clientes (las del sistema)
    # pinned_certs: [\"3f..\"]        SHA-256 de las claves públicas que pueden tener los clientes (todas)
    handshake_first: false          # false: INFO va sin cifrar antes del saludo; true: después;
                                    # auto, \"300ms\": después, o sin cifrar si el cliente calla ese tiempo
    timeout: 2s                     # para un saludo
    min_version: \"1.2\"             # o \"1.3\"
    # ocsp_peer: true                sin certificados revocados de clientes, según su servidor OCSP
    # connection_rate_limit: 1000     saludos por segundo como mucho (sin límite)
    # cipher_suites: [..]             de los de abajo (todos)
    # curve_preferences: [..]         de las de abajo (todas)
  }
  allow_non_tls: false              # atender también a clientes sin TLS en el mismo puerto
  ocsp { mode: auto }               # grapas OCSP: auto, para certificados que la pidan; must, always: y
                                    # el servidor termina si uno fue revocado; never, nunca
  # ocsp_cache: true                  guardar lo que se sabe de los clientes (en memoria, hasta el final)

Cifrados
  TLS_AES_128_GCM_SHA256                         TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
  TLS_AES_256_GCM_SHA384                         TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
  TLS_CHACHA20_POLY1305_SHA256                   TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256          TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
                                                 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
Curvas
  X25519  CurveP256  CurveP384

Un certificado propio para probarlo (openssl):
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \\
    -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \\
    -keyout server.key -out server.pem
  {program} --tlscert server.pem --tlskey server.key
Los clientes necesitan entonces server.pem como archivo de CA.
";

const HELP_EN: &str = "\
Usage: {program} [FLAGS]
       {program} [FLAGS] explain-config [FILE] [--json]
       {program} init [DIR] [--users A,B] [--host NAMES] [--no-tls]
       {program} token new [FILE] [--force] [--print]
       {program} verify DIR [--salvage NEW] [--key-file FILE] [--json]
       {program} completions bash|zsh|fish
       {program} man [DIR]

A messaging server for every NATS client. Flags take one dash or two, and their value after a
space or \"=\". What a flag says goes over what the configuration file says.

Where clients connect
  -a, --addr, --net HOST        Address to listen on ({host})
  -p, --port PORT               Port (4222); -1 takes a free one
  -n, --name, --server_name N   Name that clients see (made up)
      --client_advertise H:P    Address to tell clients instead of the one listened on
      --plain PORT[:SUBJECT]    Also listen for bare TCP sockets; may be given several times

Who may connect
      --token-file FILE         Clients must present the token in this file
      --auth TOKEN              The same, for all to see in the list of processes
      --user NAME --pass WORD   Clients must present this user and password
      --allow-anonymous         Let everybody in, also from other machines

TLS
      --tlscert FILE            Certificate of the server, followed by those that vouch for it
      --tlskey FILE             Its private key
      --tlsverify               Clients must show a certificate
      --tlscacert FILE          Authorities that clients' certificates must come from
      --tls=BOOL                false: in clear, whatever the file says
      --help_tls                Show what the file can say of it

Streams
  -js, --jetstream=BOOL         Keep streams ({streams})
  -sd, --store_dir DIR          Store them here ({store})
      --no-streams              Keep none

Running
  -c, --config FILE             Configuration file
  -t                            Check the configuration file and leave
  -P, --pid FILE                Write the process id here
      --ports_file_dir DIR      Write <program>_<pid>.ports here
      --no-service              Do not answer on recado.echo, recado.time, recado.whoami
  -sl, --signal CMD[=PID]       Signal a running server: ldm, stop, quit, term, reopen;
                                PID is a number or a pid file

Watching
  -m, --http_port PORT          Serve /varz, /connz, /jsz, /healthz, /metrics over HTTP ({watch})
  -ms, --https_port PORT        The same over HTTPS
      --profile PORT            Serve CPU profiles over HTTP ({watch})

Log
  -l, --log FILE                Write to a file instead of standard error
  -s, --syslog                  Write to this machine's log daemon
  -r, --remote_syslog URL       To a log daemon: udp://HOST:PORT, tcp://… or unix:///PATH
      --log-format FORMAT       auto, text, json or nats ({format})
      --log_size_limit BYTES    Start a new file at this size (never)
      --max_traced_msg_len N    Bytes to show of each traced message (all)
  -T, --logtime=BOOL            Say when (true)
      --logtime_utc             In UTC
  -D, --debug                   Say more
  -V, --trace                   Show the protocol as it passes
  -DV, -VV, -DVV                Both; -VV and -DVV are -V and -DV
      --lang LANG               en or es (the environment's)

  -h, --help                    Show this
  -v, --version                 Show the version

explain-config shows every setting as it would hold, and where it came from: the default, a line of a
file, a flag, the environment; secrets are left out. init writes a configuration that is safe as it stands into DIR: TLS with a certificate authority made
on the spot, for this machine's names and those of --host; a token, or a password for each of --users.
token new makes a token of 256 random bits and writes it to FILE (recado.token), which only you
can read. verify checks what is stored in DIR while no server uses it, and tells of every damaged
record; --salvage copies what is whole into NEW, --key-file names a file with the key of an encrypted
store (without it only checksums are looked at), --json writes one JSON object a line. It leaves
with 0 when all is whole, 1 when something is damaged, 3 when DIR can't be read. completions prints
the script by which a shell completes these command lines. man prints the manual page, or writes all
pages below DIR.
";

const HELP_ES: &str = "\
Uso: {program} [OPCIONES]
     {program} [OPCIONES] explain-config [ARCHIVO] [--json]
     {program} init [DIR] [--users A,B] [--host NOMBRES] [--no-tls]
     {program} token new [ARCHIVO] [--force] [--print]
     {program} verify DIR [--salvage NUEVO] [--key-file ARCHIVO] [--json]
     {program} completions bash|zsh|fish
     {program} man [DIR]

Un servidor de mensajes para cualquier cliente de NATS. Las opciones llevan uno o dos guiones, y
su valor tras un espacio o \"=\". Lo que dice una opción prevalece sobre el archivo de configuración.

Dónde se conectan los clientes
  -a, --addr, --net HOST        Dirección en la que escuchar ({host})
  -p, --port PUERTO             Puerto (4222); -1 toma uno libre
  -n, --name, --server_name N   Nombre que ven los clientes (se inventa uno)
      --client_advertise H:P    Dirección que se anuncia en lugar de la de escucha
      --plain PUERTO[:ASUNTO]   Escuchar también sockets TCP sin protocolo; se puede repetir

Quién puede conectarse
      --token-file ARCHIVO      Los clientes deben presentar el token de este archivo
      --auth TOKEN              Lo mismo, a la vista de todos en la lista de procesos
      --user NOMBRE --pass C    Los clientes deben presentar este usuario y contraseña
      --allow-anonymous         Dejar entrar a cualquiera, también desde otras máquinas

TLS
      --tlscert ARCHIVO         Certificado del servidor, seguido de los que lo avalan
      --tlskey ARCHIVO          Su clave privada
      --tlsverify               Los clientes deben enseñar un certificado
      --tlscacert ARCHIVO       Autoridades de las que deben venir esos certificados
      --tls=BOOL                false: sin cifrar, diga lo que diga el archivo
      --help_tls                Mostrar lo que el archivo puede decir de ello

Flujos
  -js, --jetstream=BOOL         Guardar flujos ({streams})
  -sd, --store_dir DIR          Guardarlos aquí ({store})
      --no-streams              No guardar ninguno

Funcionamiento
  -c, --config ARCHIVO          Archivo de configuración
  -t                            Comprobar el archivo de configuración y salir
  -P, --pid ARCHIVO             Escribir aquí el identificador del proceso
      --ports_file_dir DIR      Escribir aquí <programa>_<pid>.ports
      --no-service              No responder en recado.echo, recado.time, recado.whoami
  -sl, --signal ORDEN[=PID]     Señal a un servidor en marcha: ldm, stop, quit, term, reopen;
                                PID es un número o un archivo de pid

Supervisión
  -m, --http_port PUERTO        Servir /varz, /connz, /jsz, /healthz y /metrics por HTTP ({watch})
  -ms, --https_port PUERTO      Lo mismo por HTTPS
      --profile PUERTO          Servir perfiles de la CPU por HTTP ({watch})

Registro
  -l, --log ARCHIVO             Escribir en un archivo en vez de la salida de errores
  -s, --syslog                  Escribir en el registro de este sistema (syslog)
  -r, --remote_syslog URL       En un servidor syslog: udp://SERVIDOR:PUERTO, tcp://… o unix:///RUTA
      --log-format FORMATO      auto, text, json o nats ({format})
      --log_size_limit BYTES    Empezar otro archivo a partir de este tamaño (nunca)
      --max_traced_msg_len N    Bytes que se muestran de cada mensaje trazado (todos)
  -T, --logtime=BOOL            Decir cuándo (true)
      --logtime_utc             En UTC
  -D, --debug                   Decir más
  -V, --trace                   Mostrar el protocolo según pasa
  -DV, -VV, -DVV                Ambas; -VV y -DVV equivalen a -V y -DV
      --lang IDIOMA             en o es (el del entorno)

  -h, --help                    Mostrar esto
  -v, --version                 Mostrar la versión

explain-config muestra cada ajuste tal como valdría y de dónde viene: por omisión, una línea de un
archivo, una opción, el entorno; los secretos no se muestran. init escribe en DIR una configuración segura tal como está: TLS con una autoridad de certificación
creada en el momento, para los nombres de esta máquina y los de --host; un token, o una contraseña para
cada uno de --users. token new crea un token de 256 bits al azar y lo escribe en ARCHIVO (recado.token), que solo tú
puedes leer. verify comprueba lo guardado en DIR mientras ningún servidor lo usa, y nombra cada
registro dañado; --salvage copia lo que está entero a NUEVO, --key-file nombra un archivo con la clave
de un almacén cifrado (sin ella solo se miran las sumas), --json escribe un objeto JSON por línea.
Termina con 0 si todo está entero, 1 si hay daños, 3 si DIR no se puede leer. completions muestra el
guion con que una shell completa estas líneas de órdenes. man muestra la página de manual, o escribe
todas las páginas debajo de DIR.
";
