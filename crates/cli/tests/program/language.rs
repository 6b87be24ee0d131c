//! English and Spanish: help, errors and results.

use recado_conformance::ServerProcess;

use crate::harness::recado;

const COMMANDS: [&str; 20] = [
    "stream", "consumer", "kv", "object", "pub", "sub", "request", "reply", "service", "ping",
    "latency", "bench", "chat", "top", "wait", "doctor", "errors", "explain", "trace", "help",
];

#[test]
fn the_language_comes_from_the_flag_or_else_from_the_locale() {
    let help = |args: &[&str], locale: &str| {
        recado("", args.iter().chain(&["--help"]))
            .env("LANG", locale)
            .succeed()
    };
    assert!(help(&[], "en_US.UTF-8").contains("Usage:"));
    assert!(help(&[], "es_AR.UTF-8").contains("Uso:"));
    assert!(help(&[], "de_DE.UTF-8").contains("Usage:"));
    assert!(help(&["--lang", "en"], "es_ES.UTF-8").contains("Usage:"));
    assert!(help(&["--lang=es"], "C").contains("Uso:"));
}

#[test]
fn every_help_has_examples_and_nothing_english_is_left_in_the_spanish_one() {
    let english = [
        "Usage",
        "Options",
        "Arguments",
        "Commands",
        "Examples",
        "[default",
        "[env",
        "[possible",
        "Print",
        "[OPTIONS]",
        "SUBJECT",
        "FILE",
    ];
    for command in COMMANDS {
        let in_english = recado("", [command, "--help"]).succeed();
        let in_spanish = recado("", [command, "--help", "--lang", "es"]).succeed();
        assert_eq!(
            recado("", ["help", command, "--lang", "es"]).succeed(),
            in_spanish
        );
        if command != "help" {
            assert!(in_english.contains("Examples:\n  recado "), "{in_english}");
            assert!(in_spanish.contains("Ejemplos:\n  recado "), "{in_spanish}");
        }
        // Names that are the same in every language.
        let in_spanish = in_spanish.replace("RECADO_SUBJECT", "");
        for word in english {
            assert!(
                !in_spanish.contains(word),
                "{word} in the help of {command}:\n{in_spanish}"
            );
        }
    }
    let whole = recado("", ["--help", "--lang", "es"]).succeed();
    assert!(whole.contains("Códigos de salida:") && whole.contains("  130  interrumpido"));
}

#[test]
fn a_wrong_command_line_is_explained_in_the_language() {
    for (args, english, spanish) in [
        (&["pub"][..], "missing: <SUBJECT>", "falta: <ASUNTO>"),
        (
            &["sub", "--cuont", "1", "a"],
            "did you mean --count?",
            "¿quisiste decir --count?",
        ),
        (
            &["sbu"],
            "unknown command \"sbu\"",
            "orden desconocida: «sbu»",
        ),
        (
            &["help", "sbu"],
            "unknown command \"sbu\"",
            "orden desconocida: «sbu»",
        ),
        (&["reply", "a"], "missing: <--echo", "falta: <--echo"),
        (
            &["reply", "a", "--echo", "--time"],
            "can't be used together",
            "no se pueden usar a la vez",
        ),
        (
            &["pub", "a..b", "x"],
            "has an empty part",
            "tiene una parte vacía",
        ),
        (&["pub", "a.*", "x"], "has a wildcard", "tiene un comodín"),
        (
            &["sub", "a.>.b"],
            "must be its last token",
            "debe ser lo último",
        ),
        (
            &["pub", "a", "x", "-H", "bad"],
            "is no header",
            "no es un encabezado",
        ),
        (&["pub", "a", "x", "--count", "0"], "from 1 up", "desde 1"),
        (
            &["ping", "--timeout", "soon"],
            "is no length of time",
            "no es un tiempo",
        ),
        (
            &["ping", "--lang", "fr"],
            "possible: en, es",
            "posibles: en, es",
        ),
        (
            &["ping", "-s", "http://x"],
            "is no server address",
            "no es una dirección",
        ),
    ] {
        for (locale, words) in [("C", english), ("es_ES.UTF-8", spanish)] {
            let ended = recado("127.0.0.1:1", args).env("LANG", locale).run();
            assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
            assert!(
                ended.stderr.contains(words),
                "{words:?} is not in: {}",
                ended.stderr
            );
        }
    }
    for (args, help) in [
        (&["publish", "a..b", "x"][..], "see recado pub --help"),
        (&["sub", "--cuont", "1", "a"], "see recado sub --help"),
        (&["--timeout", "1s", "request"], "see recado request --help"),
        (&["sbu"], "see recado --help, or recado COMMAND --help"),
        (&["--nmae", "pub"], "see recado "),
    ] {
        let ended = recado("127.0.0.1:1", args).run();
        assert!(ended.stderr.contains(help), "{args:?}: {}", ended.stderr);
    }
    let nothing_said = recado("", [""; 0]).succeed();
    assert_eq!(
        nothing_said,
        recado("", ["--help"]).succeed(),
        "no command at all gets the help"
    );
}

#[test]
fn a_conversation_in_spanish() {
    let server = ServerProcess::nats();
    let url = server.url();
    let spanish = |args: &[&str]| recado(&url, args).env("LANG", "es_MX.UTF-8");
    let responder = spanish(&["reply", "saludo", "--echo"]).spawn();
    responder.told("Respondiendo en saludo (grupo de cola recado)");
    let asked = spanish(&["request", "saludo", "hola"]).run();
    assert!(
        asked.stderr.starts_with("respuesta en "),
        "{}",
        asked.stderr
    );
    responder.shows(", respondido en ");
    let nobody = spanish(&["request", "nadie", "hola"]).run();
    assert!(
        nobody
            .stderr
            .contains("nadie responde en el asunto «nadie»"),
        "{}",
        nobody.stderr
    );
    let sent = spanish(&["pub", "saludo", "hola"]).succeed();
    assert!(sent.contains("confirmado por el servidor en "), "{sent}");
    let pinged = spanish(&["ping", "-c", "1"]).succeed();
    assert!(
        pinged.contains("conectado a ") && pinged.contains("idas y vueltas: 1"),
        "{pinged}"
    );
}

#[test]
fn colours_appear_only_on_a_terminal() {
    let server = ServerProcess::nats();
    let stdout = recado(&server.url(), ["ping", "-c", "1"])
        .env("TERM", "xterm")
        .succeed();
    assert!(!stdout.contains('\x1b'), "{stdout:?}");
}
