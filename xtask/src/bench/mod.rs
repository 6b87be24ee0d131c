//! `cargo xtask bench`: runs the rows of `recado-bench` against recado-server and nats-server.
//!
//! The sides alternate within each row, so that a machine that slows down slows all of them. Medians
//! are what counts. Nothing is measured here: that is `recado-bench`'s work, one process a run.

mod budget;
mod measure;
mod page;
mod results;
mod streams;

use std::path::PathBuf;

use crate::{Failure, cargo, root};

/// What is asked for.
struct Options {
    only: Vec<String>,
    rounds: usize,
    seconds: f64,
    connections: usize,
    /// Which part of their messages the rows store that store millions.
    volume: f64,
    server: Option<PathBuf>,
    against: Option<PathBuf>,
    quick: bool,
    render: bool,
}

/// Measures, prints, and renews the page.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let options = Options::parse(args)?;
    let mut results = results::Results::load();
    if options.render {
        return page::write(&results);
    }
    build()?;
    let nats = match &options.against {
        Some(path) => path.clone(),
        None => crate::nats::obtain()?,
    };
    let sides = measure::Sides::new(options.server.clone(), nats)?;
    let rows = sides.rows(&options.only)?;
    let mut problems = Vec::new();
    for row in &rows {
        let measured = sides.measure(row, &options);
        print!("{}", page::terminal(&measured));
        problems.extend(measured.problems());
        if !options.quick {
            results.put(measured);
            // Saved after each row: a run that is broken off keeps what it has.
            results.save()?;
        }
    }
    if options.quick {
        println!("\nA quick run is for a first look: docs/benchmarks.md stays as it was.");
    } else {
        page::write(&results)?;
        println!("\ndocs/benchmarks.md is renewed.");
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

impl Options {
    fn parse(args: &[String]) -> Result<Options, Failure> {
        let mut options = Options {
            only: Vec::new(),
            rounds: 5,
            seconds: 3.0,
            connections: 10_000,
            volume: 1.0,
            server: None,
            against: None,
            quick: false,
            render: false,
        };
        let (mut args, mut rounds) = (args.iter(), None);
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--rounds" => rounds = Some(number(arg, value()?)?),
                "--server" => options.server = Some(value()?.into()),
                "--against" => options.against = Some(value()?.into()),
                "--quick" => options.quick = true,
                "--render" => options.render = true,
                _ => return Err(format!("`cargo xtask bench` does not know {arg}")),
            }
        }
        if options.quick {
            (options.rounds, options.seconds, options.connections) = (1, 0.5, 2_000);
            options.volume = 0.05;
        }
        options.rounds = rounds.unwrap_or(options.rounds).max(1);
        Ok(options)
    }
}

fn number(flag: &str, value: &str) -> Result<usize, Failure> {
    value
        .parse()
        .map_err(|_| format!("{flag} wants a number, not `{value}`"))
}

fn build() -> Result<(), Failure> {
    let mut build = cargo();
    build
        .current_dir(root())
        .args(["build", "--release", "--locked", "--bins"]);
    build.args(["-p", "recado-server", "-p", "recado-bench"]);
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("the release build failed".to_owned()),
        Err(error) => Err(format!("starting cargo build: {error}")),
    }
}
