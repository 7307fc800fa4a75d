//! The live account as an input: what the arguments ask for, progress on a terminal, Ctrl-C, and going on from a snapshot file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws::{Cancel, Collected, Config, Environment, Limits, MfaPrompt, Plan, Progress, Unit, Watch};
use catalogue::Catalogue;
use engine::Filter;
use indicatif::{ProgressBar, ProgressStyle};
use model::{Region, Snapshot, TypeName};
use store::{FileLimits, Meta, SecretPaths};

use crate::cli::LiveArgs;
use crate::output;

/// What a command needs of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    /// All that the catalogue knows.
    Everything,
    /// What these checks look at.
    Checks(&'a Filter),
    /// What decides who reaches what.
    Network,
    /// What decides who may do what.
    Access,
}

/// The part of a plan that is wanted.
pub(crate) fn wanted(plan: &Plan, catalogue: &Catalogue, wanted: Wanted<'_>) -> Plan {
    let types: BTreeSet<TypeName> = match wanted {
        Wanted::Everything => return plan.clone(),
        Wanted::Checks(filter) => return plan.narrowed(&of_checks(catalogue, filter, plan)),
        Wanted::Network => plan.type_names().filter(|t| net::concerns(t)).cloned().collect(),
        Wanted::Access => return plan.narrowed(&of_access(catalogue, plan)),
    };
    plan.only(&types)
}

/// What decides who may do what: everything of principals and of what has a policy of its own, and what keeps the public out.
fn of_access(catalogue: &Catalogue, plan: &Plan) -> BTreeMap<TypeName, BTreeSet<String>> {
    let all = |kind: &TypeName| -> BTreeSet<String> {
        let paths = catalogue.kind(kind).into_iter().flat_map(|kind| kind.file.properties.keys());
        let first = |path: &String| path.split(['.', '[']).next().unwrap_or(path).to_owned();
        paths.map(first).chain(["Tags".to_owned()]).collect()
    };
    let wanted = |kind: &TypeName| match blocker(kind) {
        Some(property) => Some(BTreeSet::from([property.to_owned()])),
        None => decides_access(catalogue, kind).then(|| all(kind)),
    };
    plan.type_names().filter_map(|kind| Some((kind.clone(), wanted(kind)?))).collect()
}

/// The property of a type that keeps the public out of what has a policy.
fn blocker(kind: &TypeName) -> Option<&'static str> {
    iam::account::BLOCKERS.iter().find(|(name, _)| *name == kind.as_str()).map(|(_, property)| *property)
}

/// True for a type of which a resource may decide who may do what.
pub(crate) fn decides_access(catalogue: &Catalogue, kind: &TypeName) -> bool {
    has_policy(catalogue, kind) || iam::account::is_grant(kind.as_str()) || blocker(kind).is_some()
}

/// True for principals, for what has a policy of its own, and for the organisation above them.
fn has_policy(catalogue: &Catalogue, type_name: &TypeName) -> bool {
    let policies = |kind: &catalogue::Kind| kind.file.properties.values().any(|form| form == "policy");
    matches!(type_name.service(), "AWS::IAM" | "AWS::Organizations") || catalogue.kind(type_name).is_some_and(policies)
}

/// Facts that look at everybody and at what is attached to them.
const PRINCIPALS: &[&str] = &["iam.administrator", "iam.escalates", "iam.privileged", "iam.escalation"];

/// By type the properties that the selected checks look at: their own, their neighbours', and what the facts need.
fn of_checks(catalogue: &Catalogue, filter: &Filter, plan: &Plan) -> BTreeMap<TypeName, BTreeSet<String>> {
    let mut read: BTreeMap<TypeName, BTreeSet<String>> = BTreeMap::new();
    let mut add = |kind: &TypeName, path: &str| {
        let first = path.split(['.', '[']).next().unwrap_or(path);
        read.entry(kind.clone()).or_default().insert(first.to_owned());
    };
    let (mut network, mut access, mut principals, mut keys) = (false, false, false, false);
    for id in filter.select(catalogue) {
        let Some(check) = catalogue.check(id.as_str()) else { continue };
        let Ok(compiled) = catalogue.compiled(check) else { continue };
        let programs = compiled.programs();
        for fact in programs.iter().flat_map(|p| p.facts()) {
            network |= fact.starts_with("net.");
            access |= fact.starts_with("iam.");
            principals |= PRINCIPALS.contains(&fact);
            keys |= fact.starts_with("kms.");
        }
        programs.iter().flat_map(|p| p.reads()).chain(compiled.message.reads()).for_each(|path| add(&check.type_name, path));
        // An empty path: the type is wanted, whatever is read of it.
        add(&check.type_name, "");
        let names: BTreeSet<&str> = programs.iter().flat_map(|p| p.relations()).collect();
        let far: Vec<(&str, &str)> = programs.iter().flat_map(|p| p.reads_related()).collect();
        // A neighbour's neighbours go by the names of its own relations.
        let mut seen = BTreeSet::from([check.type_name.clone()]);
        let mut todo = vec![check.type_name.clone()];
        while let Some(kind) = todo.pop().and_then(|t| catalogue.kind(&t)) {
            for (name, relation) in kind.relations.iter().filter(|(name, _)| names.contains(name.as_str())) {
                relation.ours.iter().for_each(|path| add(&kind.type_name, path));
                add(&relation.other, relation.theirs.as_deref().unwrap_or_default());
                far.iter().filter(|(of, _)| of == name).for_each(|(_, path)| add(&relation.other, path));
                if seen.insert(relation.other.clone()) {
                    todo.push(relation.other.clone());
                }
            }
        }
    }
    let concerns = |kind: &TypeName| {
        network && net::concerns(kind)
            || access && kind.service() == "AWS::Organizations"
            || principals && has_policy(catalogue, kind)
            || keys && kind.as_str() == "AWS::KMS::Alias"
    };
    if network || access || keys {
        for kind in plan.type_names().filter(|t| concerns(t)) {
            let properties = catalogue.kind(kind).into_iter().flat_map(|k| k.file.properties.keys());
            properties.for_each(|path| add(kind, path));
            add(kind, "Tags");
        }
    }
    read
}

/// Collects what the arguments ask for. What is wrong with credentials or settings is an error with its way out; everything
/// else becomes gaps.
pub(crate) fn collect(args: &LiveArgs, plan: &Plan, secret: &SecretPaths) -> Result<Collected> {
    let regions = args.region.iter().map(|name| Region::new(name)).collect::<Result<Vec<_>, _>>();
    let regions = regions.map_err(|e| anyhow::anyhow!("{e}\n  help: --region eu-central-1"))?;
    let environment = Environment::of_process();
    let config = Config {
        limits: limits(&environment)?,
        environment,
        profile: args.profile.clone(),
        regions,
        role_arn: args.role_arn.clone(),
        external_id: args.external_id.clone(),
        mfa_serial: args.mfa_serial.clone(),
        org_role: args.org.clone(),
        mfa: std::io::stdin().is_terminal().then(prompt),
        ..Config::default()
    };
    let earlier = match &args.resume {
        Some(file) if file.exists() => Some(earlier(file, plan)?),
        _ => None,
    };
    stop_on_interrupt(config.cancel.clone())?;
    let bar = bar();
    let keep = |file: &Path, so_far: &Collected| {
        if let Err(error) = write(file, &so_far.snapshot, plan, Some(so_far), secret) {
            bar.suspend(|| output::tell(&format!("what was collected so far could not be kept: {error:#}")));
        }
    };
    let keep = args.resume.as_deref().map(|file| move |so_far: &Collected| keep(file, so_far));
    let watch = Watch { progress: &|progress| show(&bar, progress), keep: keep.as_ref().map(|keep| keep as &dyn Fn(&Collected)) };
    let collected = aws::collect(plan, &config, earlier, watch);
    bar.finish_and_clear();
    let collected = collected.map_err(|error| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n  help: {help}"),
        None => anyhow::anyhow!("{error}"),
    })?;
    if let Some(file) = &args.resume {
        write(file, &collected.snapshot, plan, Some(&collected), secret)?;
    }
    if collected.stopped {
        let how = match &args.resume {
            Some(file) => format!("go on with --resume {}", file.display()),
            None => "next time, --resume FILE keeps what was collected".to_owned(),
        };
        output::tell(&format!("stopped: what was collected until then is used; {how}"));
    }
    Ok(collected)
}

/// The usual limits, with as many tries as `AWS_MAX_ATTEMPTS` says.
fn limits(environment: &Environment) -> Result<Limits> {
    let Some(written) = environment.var("AWS_MAX_ATTEMPTS") else { return Ok(Limits::default()) };
    match written.parse() {
        Ok(tries @ 1..) => Ok(Limits { tries_max: tries, throttled_tries_max: tries, ..Limits::default() }),
        _ => bail!("`AWS_MAX_ATTEMPTS` is `{written}`\n  help: set it to 1 or more"),
    }
}

/// Writes a snapshot file of what `plan` asked for; `collected` is the collection that it comes from, if it does.
pub(crate) fn write(
    file: &Path,
    snapshot: &Snapshot,
    plan: &Plan,
    collected: Option<&Collected>,
    secret: &SecretPaths,
) -> Result<()> {
    let done = collected.into_iter().flat_map(|c| &c.done).map(serde_json::to_value).collect::<Result<_, _>>()?;
    let meta = Meta {
        created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        tool: concat!("palisade ", env!("CARGO_PKG_VERSION")).to_owned(),
        stopped: collected.is_some_and(|c| c.stopped),
        done,
        asked: plan.tells(),
    };
    store::write(file, snapshot, &meta, secret).map_err(|e| anyhow::anyhow!("{e}\n  help: {}", e.help()))
}

/// What an earlier collection gave, if it asked for the same.
fn earlier(file: &Path, plan: &Plan) -> Result<Collected> {
    let (snapshot, meta) = store::read(file, FileLimits::default())
        .map_err(|e| anyhow::anyhow!("`{}`: {e}\n  help: {}", file.display(), e.help()))?;
    let done: Result<BTreeSet<Unit>, _> = meta.done.into_iter().map(serde_json::from_value).collect();
    let done = done.with_context(|| format!("`{}` does not say how far its collection went", file.display()))?;
    if done.is_empty() && !meta.stopped {
        bail!("`{}` is no collection that could go on", file.display());
    }
    if meta.asked != plan.tells() {
        bail!(
            "`{}` is a collection that asks for something else: by another version, or for other checks\n  help: go on with what it \
             was begun by, or begin anew with another file",
            file.display()
        );
    }
    Ok(Collected { snapshot, done, ..Collected::default() })
}

/// The properties whose text never leaves the account, by type.
pub(crate) fn secret_paths(catalogue: &Catalogue) -> SecretPaths {
    let of = |kind: &catalogue::Kind| (kind.type_name.clone(), kind.file.secret.clone());
    catalogue.kinds().filter(|k| !k.file.secret.is_empty()).map(of).collect()
}

/// The first Ctrl-C stops the collection and keeps what it has; the second ends the program.
fn stop_on_interrupt(cancel: Cancel) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::spawn(move || {
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                cancel.cancel();
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
    });
    Ok(())
}

/// Asks at the terminal for the code of an MFA device.
fn prompt() -> MfaPrompt {
    Arc::new(|serial| {
        let mut error = std::io::stderr();
        let asked = write!(error, "MFA code for {}: ", report::printable(serial)).and_then(|()| error.flush());
        asked.map_err(|e| e.to_string())?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|e| e.to_string())?;
        let code = line.trim();
        if code.is_empty() { Err("nothing was entered".to_owned()) } else { Ok(code.to_owned()) }
    })
}

/// Progress on a terminal, and none elsewhere.
fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} listings, {msg}, {eta} left") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.units as u64);
    bar.set_position(progress.done as u64);
    let accounts = match progress.accounts {
        0 | 1 => String::new(),
        all => format!("{} of {all} accounts, ", progress.accounts_done),
    };
    let (calls, resources, gaps) = (progress.calls, progress.resources, progress.gaps);
    bar.set_message(format!("{accounts}{calls} calls, {resources} resources, {gaps} gaps, {}", progress.last));
}
