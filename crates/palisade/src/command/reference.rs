//! `palisade reference`: the command line as Markdown, made of the same definition that reads it. A test holds
//! `docs/reference/cli.md` to it.

use std::fmt::Write;

use anyhow::Result;
use clap::{Arg, Command};

use crate::exit::Exit;
use crate::output;

/// Prints the reference.
pub(crate) fn run(mut command: Command) -> Result<Exit> {
    command.build();
    let mut out = String::from(
        "# Command line\n\nMade by `palisade reference`; exit codes are in the [guide](../guide/first-scan.md#exit-codes).\n",
    );
    section(&mut out, &command, "palisade", &[]);
    output::print(&out)?;
    Ok(Exit::Clean)
}

fn section(out: &mut String, command: &Command, name: &str, known: &[&str]) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(out, "\n## `{name}`\n\n{about}\n");
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|a| {
            !a.is_hide_set() && !["help", "version"].contains(&a.get_id().as_str()) && !known.contains(&a.get_id().as_str())
        })
        .collect();
    if !own.is_empty() {
        let _ = writeln!(out, "| argument | meaning |\n|---|---|");
        own.iter().for_each(|arg| row(out, arg));
    }
    let mut shared: Vec<&str> = known.to_vec();
    shared.extend(own.iter().filter(|a| a.is_global_set()).map(|a| a.get_id().as_str()));
    for sub in command.get_subcommands().filter(|s| s.get_name() != "help" && !s.is_hide_set()) {
        section(out, sub, &format!("{name} {}", sub.get_name()), &shared);
    }
}

fn row(out: &mut String, arg: &Arg) {
    let values = arg.get_value_names().map(|names| names.iter().map(|n| n.as_str()).collect::<Vec<_>>().join(" "));
    let takes = arg.get_action().takes_values();
    let value = values.filter(|_| takes).unwrap_or_default();
    let written = match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("`-{short}, --{long} {value}`"),
        (Some(long), None) => format!("`--{long} {value}`"),
        (None, Some(short)) => format!("`-{short} {value}`"),
        (None, None) => format!("`{value}`"),
    };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    let help = if help.ends_with('.') { help } else { format!("{help}.") };
    let choices: Vec<String> = arg.get_possible_values().iter().filter(|_| takes).map(|v| v.get_name().to_owned()).collect();
    let choices = if choices.is_empty() { String::new() } else { format!(" One of {}.", choices.join(", ")) };
    let defaults: Vec<String> =
        arg.get_default_values().iter().filter(|_| takes).map(|v| v.to_string_lossy().into_owned()).collect();
    let default = if defaults.is_empty() { String::new() } else { format!(" Default: {}.", defaults.join(", ")) };
    let _ =
        writeln!(out, "| {} | {}{choices}{default} |", written.replace(" `", "`").replace('|', "\\|"), help.replace('|', "\\|"));
}
