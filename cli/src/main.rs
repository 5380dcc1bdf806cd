//! The command `hotpart`.

use anyhow::{Context, Result};
use clap::{CommandFactory, Parser};
use hotpart_cli::args::{Cli, Command};
use hotpart_cli::readable::shown;
use hotpart_cli::{backtest, heatmap, report, top};
use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

/// The exit code of a command line that is none, as clap has it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match Cli::try_parse() {
        Ok(cli) => run(&cli.command),
        Err(usage) if usage.use_stderr() => {
            // Nobody can be told that there is nobody to tell it to.
            let _ = usage.print();
            return USAGE.into();
        }
        // Help, or the version, was asked for.
        Err(text) => text.print().map_err(Into::into),
    };
    match done.and_then(|()| Ok(stdout().flush()?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // It may have names in it.
            let _ = writeln!(stderr(), "hotpart: {}", shown(format!("{error:#}").as_bytes()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Report(args) => report::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Heatmap(args) => heatmap::run(args),
        Command::Top(args) => top::run(args),
        Command::Completions { shell } => {
            // By way of memory: the generator panics where the output is closed early.
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "hotpart", &mut script);
            Ok(stdout().write_all(&script)?)
        }
        Command::Inputs => Ok(write!(stdout(), "{}", hotpart_cli::input::format::HELP)?),
        Command::Man { command } => man(command.as_deref()),
    }
}

/// Prints the manual page of a subcommand, or of this command.
fn man(name: Option<&str>) -> Result<()> {
    let mut all = Cli::command();
    // So that a command is called by both its names.
    all.build();
    let command = match name {
        None => &all,
        Some(name) => all.find_subcommand(name).with_context(|| {
            let names: Vec<_> = all.get_subcommands().map(clap::Command::get_name).collect();
            format!("{name} is none of the commands: {}", names.join(", "))
        })?,
    };
    let source = concat!("hotpart ", env!("CARGO_PKG_VERSION"));
    Ok(clap_mangen::Man::new(command.clone()).source(source).render(&mut stdout())?)
}

/// Returns whether the reader of the output has closed it, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
