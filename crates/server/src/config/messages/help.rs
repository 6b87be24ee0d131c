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

const HELP_EN: &str = "\
Usage: {program} [FLAGS]
       {program} token new [FILE] [--force] [--print]
       {program} verify DIR [--salvage NEW] [--json]
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

Log
  -l, --log FILE                Write to a file instead of standard error
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

token new makes a token of 256 random bits and writes it to FILE (recado.token), which only you
can read. verify checks what is stored in DIR while no server uses it, and tells of every damaged
record; --salvage copies what is whole into NEW, --json writes one JSON object a line. It leaves
with 0 when all is whole, 1 when something is damaged, 3 when DIR can't be read. completions prints
the script by which a shell completes these command lines. man prints the manual page, or writes all
pages below DIR.
";

const HELP_ES: &str = "\
Uso: {program} [OPCIONES]
     {program} token new [ARCHIVO] [--force] [--print]
     {program} verify DIR [--salvage NUEVO] [--json]
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

Registro
  -l, --log ARCHIVO             Escribir en un archivo en vez de la salida de errores
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

token new crea un token de 256 bits al azar y lo escribe en ARCHIVO (recado.token), que solo tú
puedes leer. verify comprueba lo guardado en DIR mientras ningún servidor lo usa, y nombra cada
registro dañado; --salvage copia lo que está entero a NUEVO, --json escribe un objeto JSON por línea.
Termina con 0 si todo está entero, 1 si hay daños, 3 si DIR no se puede leer. completions muestra el
guion con que una shell completa estas líneas de órdenes. man muestra la página de manual, o escribe
todas las páginas debajo de DIR.
";
