//! `palisade net`

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use model::Gap;
use net::{Exposure, Network, Outcome, Place, Ports, Verdict};
use serde_json::{Value, json};

use crate::cli::{InputArgs, NetAction, NetArgs, NetFormat};
use crate::exit::Exit;
use crate::input::{self, Content, Knowledge};
use crate::live::Wanted;
use crate::output;

/// Answers a question about reachability.
pub(crate) fn run(args: &NetArgs, knowledge: &Knowledge) -> Result<Exit> {
    drawable(&args.action)?;
    match &args.action {
        NetAction::Exposure { paths, input, format } => exposure(&load(paths, input, knowledge)?, *format),
        NetAction::Reach { from, to, ports, input, format } => reach([from, to, ports], &load(&[], input, knowledge)?, *format),
        NetAction::Assert { file, input, format } => assert(file, &load(&[], input, knowledge)?, *format),
        NetAction::Diff { old, new, input, format } => {
            let (old, new) = (one(old, input, knowledge)?, one(new, input, knowledge)?);
            diff(&old, &new, *format)
        }
        NetAction::Zones { paths, input, format } => {
            let rows = |net: &Network| net::survey::zones(net);
            let text = |r: &net::survey::Crossing| format!("{} -> {}  by {} {}", r.from, r.to, r.component, r.by);
            table("zones", &load(paths, input, knowledge)?, rows, text, *format)
        }
        NetAction::Egress { paths, input, format } => {
            let text = |r: &net::survey::EgressRow| {
                let log = r.log.as_ref().map_or_else(|| "unwatched".to_owned(), |log| format!("watched by {log}"));
                format!("{}  {} by {}  {} interfaces, {log}", r.subnet, r.destination, r.by, r.interfaces)
            };
            table("egress", &load(paths, input, knowledge)?, net::survey::egress, text, *format)
        }
        NetAction::Subnets { paths, input, format } => {
            let text = |r: &net::survey::SubnetRow| {
                let kind = format!("{:?}", r.kind).to_lowercase();
                format!("{kind}  {} ({}) in {}: {}", r.subnet, r.cidrs.join(", "), r.vpc, r.proof.join(" -> "))
            };
            table("subnets", &load(paths, input, knowledge)?, net::survey::subnets, text, *format)
        }
        NetAction::Unused { paths, flows, days, input, format } => {
            let seen = if flows.is_empty() { Vec::new() } else { super::detect::flows::seen(flows, *days, knowledge)? };
            let rows = |network: &Network| {
                let mut rows = net::unused(network);
                rows.extend(net::unseen(network, &seen));
                rows
            };
            let text = |r: &net::Unused| match (r.rule.is_empty(), r.by.is_empty()) {
                (true, _) => format!("{}  {}", r.why, r.id),
                (false, true) => format!("{}  {} of {}", r.why, r.rule, r.id),
                (false, false) => format!("{}  {} of {}, because of {}", r.why, r.rule, r.id, r.by),
            };
            table("unused", &load(paths, input, knowledge)?, rows, text, *format)
        }
        NetAction::Bastion { bastion, input, format } => bypasses(bastion, &load(&[], input, knowledge)?, *format),
    }
}

/// Refuses a form that an answer does not have.
fn drawable(action: &NetAction) -> Result<()> {
    use NetFormat::{Dot, Html, Json, Junit, Sarif, Svg, Terminal};
    let (format, forms): (NetFormat, &[NetFormat]) = match action {
        NetAction::Exposure { format, .. } | NetAction::Reach { format, .. } => (*format, &[Terminal, Json, Svg, Html, Dot]),
        NetAction::Assert { format, .. } => (*format, &[Terminal, Json, Junit, Sarif]),
        NetAction::Diff { format, .. } | NetAction::Zones { format, .. } | NetAction::Egress { format, .. } => {
            (*format, &[Terminal, Json])
        }
        NetAction::Subnets { format, .. } | NetAction::Unused { format, .. } | NetAction::Bastion { format, .. } => {
            (*format, &[Terminal, Json])
        }
    };
    if forms.contains(&format) {
        return Ok(());
    }
    let name = |form: &NetFormat| format!("{form:?}").to_lowercase();
    let names = forms.iter().map(name).collect::<Vec<_>>().join(", ");
    bail!("this answer has no form `{}`\n  help: it has {names}", name(&format))
}

/// Networks with the name of what they were read from.
pub(crate) type Networks = Vec<(String, Network)>;

/// Reads all paths: saved answers become one network, of however many accounts, and so does every template, plan, state or
/// snapshot.
pub(crate) fn load(paths: &[PathBuf], args: &InputArgs, knowledge: &Knowledge) -> Result<Networks> {
    let networks = load_any(paths, args, knowledge)?;
    if networks.is_empty() {
        let named = paths.iter().chain(&args.input).map(|p| p.display().to_string()).collect::<Vec<_>>();
        let named = if named.is_empty() { ".".to_owned() } else { named.join("`, `") };
        bail!("there is nothing about networks in `{named}`");
    }
    Ok(networks)
}

/// The same, also if there are none.
pub(crate) fn load_any(paths: &[PathBuf], args: &InputArgs, knowledge: &Knowledge) -> Result<Networks> {
    let mut paths: Vec<PathBuf> = paths.iter().chain(&args.input).cloned().collect();
    if paths.is_empty() && !args.live.asked() {
        paths.push(PathBuf::from("."));
    }
    if let Some(path) = paths.iter().find(|p| !p.exists()) {
        bail!("`{}` does not exist", path.display());
    }
    let input::Reading { snapshot, answers } = input::read_apart(&paths, args, knowledge, Wanted::Network)?;
    let mut networks = Networks::new();
    let name = answers.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>().join(", ");
    let documents = answers.into_iter().flat_map(|folder| folder.files).flat_map(|file| {
        let found = if let Content::Documents(found) = file.content { found } else { Vec::new() };
        found.into_iter().filter(net::is_answer).map(move |document| (file.path.clone(), document))
    });
    let mut documents = documents.peekable();
    if documents.peek().is_some() {
        let mut network = net::from_aws_answers(documents);
        network.gaps.extend(snapshot.gaps.iter().filter(|gap| net::concerns_gap(gap)).cloned());
        networks.push((name, network));
    }
    for (scopes, network) in net::from_snapshot(&snapshot) {
        let names: Vec<&str> = scopes.iter().filter_map(|scope| snapshot.scope(*scope)).map(|s| s.name.as_ref()).collect();
        networks.push((names.join(", "), network));
    }
    let told = |gap: &Gap| networks.iter().any(|(_, network)| network.gaps.contains(gap));
    output::tell_gaps(snapshot.gaps.iter().filter(|gap| net::concerns_gap(gap) && !told(gap)));
    Ok(networks)
}

fn one(path: &Path, input: &InputArgs, knowledge: &Knowledge) -> Result<Network> {
    if input.live.asked() {
        bail!("`diff` compares two files\n  help: palisade snapshot -o FILE makes one of the live account");
    }
    let networks = load(&[path.to_owned()], input, knowledge)?;
    match <[(String, Network); 1]>::try_from(networks) {
        Ok([(_, network)]) => Ok(network),
        Err(several) => bail!("`{}` holds {} networks; name one template or folder", path.display(), several.len()),
    }
}

fn print_json(value: &Value) -> Result<()> {
    output::print(&format!("{}\n", serde_json::to_string_pretty(value)?))
}

fn gaps(out: &mut String, network: &Network) {
    for line in output::unread(&network.gaps) {
        let _ = writeln!(out, "{line}");
    }
}

fn table<T: serde::Serialize>(
    name: &str,
    networks: &Networks,
    rows: impl Fn(&Network) -> Vec<T>,
    text: impl Fn(&T) -> String,
    format: NetFormat,
) -> Result<Exit> {
    let mut out = String::new();
    let mut all = Vec::new();
    for (source, network) in networks {
        let rows = rows(network);
        if networks.len() > 1 {
            let world = if network.world.is_empty() { String::new() } else { format!(" ({})", network.world) };
            let _ = writeln!(out, "{source}{world}");
        }
        let mut told = std::collections::HashSet::new();
        for line in rows.iter().map(&text) {
            // Two nodes of a balancer, or two subnets of a fleet, read alike.
            if told.insert(line.clone()) {
                let _ = writeln!(out, "{line}");
            }
        }
        gaps(&mut out, network);
        all.push(json!({ "source": source, name: rows, "gaps": network.gaps }));
    }
    match format {
        NetFormat::Json => print_json(&json!({ "schema": format!("palisade/net.{name}/1"), "networks": all }))?,
        _ => output::print(&out)?,
    }
    Ok(Exit::Clean)
}

fn exposure(networks: &Networks, format: NetFormat) -> Result<Exit> {
    let row = |network: &Network, row: &net::Exposed| {
        let interface = network.interfaces.get(row.interface);
        json!({
            "interface": interface.map(|i| i.id.to_string()),
            "owner": interface.map(|i| i.owner.id.to_string()),
            "service": interface.map(|i| i.owner.service.to_string()),
            "public": row.public.map(|a| a.to_string()),
            "ports": row.ports.to_string(),
            "sources": row.sources.cidrs(row.family, 100).iter().map(ToString::to_string).collect::<Vec<_>>(),
            "group": row.group,
            "rule": row.rule,
            "balancer": row.via.as_ref().and_then(|(at, _)| network.balancers.get(*at)).map(|b| b.id.to_string()),
            "path": net::facts::path_text(network, row),
            "unknown": row.unknown,
        })
    };
    let rows = |network: &Network| Exposure::all(network).iter().map(|r| row(network, r)).collect::<Vec<_>>();
    let text = |row: &Value| {
        let words = |key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let list = |key: &str| {
            let all = row.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            all.map(str::to_owned).collect::<Vec<_>>()
        };
        let sources = list("sources");
        let from = if sources.len() > 8 { String::new() } else { format!("  from {}", sources.join(", ")) };
        let unknown = list("unknown");
        let sure = if unknown.is_empty() { String::new() } else { format!("\n  not certain: {}", unknown.join("; ")) };
        format!("{}{from}{sure}", words("path"))
    };
    if matches!(format, NetFormat::Svg | NetFormat::Html | NetFormat::Dot) {
        return draw_exposure(networks, format);
    }
    if format != NetFormat::Json {
        table("exposure", networks, rows, text, format)?;
        return output::print(&planes(networks)).map(|()| Exit::Clean);
    }
    let one = |(source, network): &(String, Network)| json!({ "source": source, "exposure": rows(network), "endpoints": network.planes, "gaps": network.gaps });
    print_json(&json!({ "schema": "palisade/net.exposure/1", "networks": networks.iter().map(one).collect::<Vec<_>>() }))?;
    Ok(Exit::Clean)
}

/// The ways as a picture; of several networks one below the other, but for SVG, which is one picture.
fn draw_exposure(networks: &Networks, format: NetFormat) -> Result<Exit> {
    if let (NetFormat::Svg, [_, _, ..]) = (format, networks.as_slice()) {
        bail!(
            "there are {} networks, and an SVG is one picture\n  help: name one of them, or take --format html",
            networks.len()
        );
    }
    for (source, network) in networks {
        let rows = Exposure::all(network);
        output::print(&match format {
            NetFormat::Dot => net::draw::exposure_dot(network, &rows),
            NetFormat::Svg => net::draw::exposure_svg(network, &rows),
            _ => {
                let mut words = String::new();
                rows.iter().for_each(|row| {
                    let _ = writeln!(words, "{}", net::facts::path_text(network, row));
                });
                gaps(&mut words, network);
                net::draw::html(
                    &format!("What the internet reaches in {source}"),
                    &words,
                    &net::draw::exposure_svg(network, &rows),
                )
            }
        })?;
    }
    Ok(Exit::Clean)
}

/// The endpoints that AWS itself puts on the internet.
fn planes(networks: &Networks) -> String {
    let mut out = String::new();
    let mut told = std::collections::HashSet::new();
    for plane in networks.iter().flat_map(|(_, network)| &network.planes).filter(|plane| told.insert((&plane.id, &plane.what))) {
        let from = if plane.sources.is_empty() { String::new() } else { format!("  from {}", plane.sources.join(", ")) };
        let sure = if plane.unknown.is_empty() { String::new() } else { format!("\n  not certain: {}", plane.unknown) };
        let _ = writeln!(out, "AWS endpoint of {} {}: {}{from}{sure}", plane.service, plane.id, plane.what);
    }
    out
}

/// The answer of the network that knows both ends; of several the one that reaches.
fn reach([from, to, ports]: [&String; 3], networks: &Networks, format: NetFormat) -> Result<Exit> {
    let ports = Ports::parse(ports).map_err(anyhow::Error::msg)?;
    let rank = |v: Verdict| match v {
        Verdict::Reachable => 0,
        Verdict::Blocked => 1,
        Verdict::Unknown => 2,
    };
    let mut best: Option<net::Answer> = None;
    for (_, network) in networks {
        let ends = [Place::parse(network, from)?, Place::parse(network, to)?];
        let mut answer = net::reach(network, &ends[0], &ends[1], &ports);
        answer.from = from.clone();
        answer.to = to.clone();
        if best.as_ref().is_none_or(|b| rank(answer.answer) < rank(b.answer)) {
            best = Some(answer);
        }
    }
    let Some(answer) = best else { bail!("there is nothing about networks in the input") };
    match format {
        NetFormat::Json => print_json(&serde_json::to_value(&answer)?)?,
        NetFormat::Svg => output::print(&net::draw::svg(&answer))?,
        NetFormat::Dot => output::print(&net::draw::dot(&answer))?,
        NetFormat::Html => {
            let title = format!("{} -> {} {}", answer.from, answer.to, answer.ports);
            output::print(&net::draw::html(&title, &net::draw::page(&answer), &net::draw::svg(&answer)))?;
        }
        _ => output::print(&net::draw::page(&answer))?,
    }
    Ok(match answer.answer {
        Verdict::Reachable => Exit::Clean,
        Verdict::Blocked => Exit::Findings,
        Verdict::Unknown => Exit::Incomplete,
    })
}

fn assert(file: &Path, networks: &Networks, format: NetFormat) -> Result<Exit> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let rules = match net::parse_rules(&text) {
        Ok(rules) => rules,
        Err(errors) => {
            let told =
                errors.iter().map(|e| format!("{}:{}:{}: {}\n  help: {}", file.display(), e.line, e.column, e.message, e.help));
            bail!("{}", told.collect::<Vec<_>>().join("\n"));
        }
    };
    let mut all = Vec::new();
    for (source, network) in networks {
        all.extend(net::check_rules(network, &rules).into_iter().map(|c| (source.clone(), c)));
    }
    match format {
        NetFormat::Json => {
            let rows = all.iter().map(|(source, c)| json!({ "source": source, "line": c.line, "rule": c.rule, "outcome": c.outcome, "answer": c.answer }));
            print_json(&json!({ "schema": "palisade/net.assert/1", "rules": rows.collect::<Vec<_>>() }))?;
        }
        NetFormat::Junit => output::print(&junit(file, &all))?,
        NetFormat::Sarif => print_json(&sarif(file, &all))?,
        _ => {
            let mut out = String::new();
            for (_, checked) in &all {
                let _ = writeln!(out, "{}  {}:{}  {}", word(checked.outcome), file.display(), checked.line, checked.rule);
                if let (true, Some(answer)) = (checked.outcome != Outcome::Pass, &checked.answer) {
                    net::draw::page(answer).lines().for_each(|line| {
                        let _ = writeln!(out, "    {line}");
                    });
                }
            }
            output::print(&out)?;
        }
    }
    let any = |outcome: Outcome| all.iter().any(|(_, c)| c.outcome == outcome);
    Ok(if any(Outcome::Fail) {
        Exit::Findings
    } else if any(Outcome::Unknown) {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Unknown => "unknown",
    }
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn told(checked: &net::Checked) -> String {
    checked.answer.as_ref().map(net::draw::page).unwrap_or_default()
}

fn junit(file: &Path, all: &[(String, net::Checked)]) -> String {
    let failures = all.iter().filter(|(_, c)| c.outcome == Outcome::Fail).count();
    let skipped = all.iter().filter(|(_, c)| c.outcome == Outcome::Unknown).count();
    let name = xml(&file.display().to_string());
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuite name=\"{name}\" tests=\"{}\" failures=\"{failures}\" errors=\"{skipped}\">", all.len());
    for (source, checked) in all {
        let _ = writeln!(out, "  <testcase classname=\"{}\" name=\"{}\">", xml(source), xml(&checked.rule));
        let tag = match checked.outcome {
            Outcome::Pass => "",
            Outcome::Fail => "failure",
            Outcome::Unknown => "error",
        };
        if !tag.is_empty() {
            let _ = writeln!(
                out,
                "    <{tag} message=\"{} at line {}\">{}</{tag}>",
                word(checked.outcome),
                checked.line,
                xml(&told(checked))
            );
        }
        let _ = writeln!(out, "  </testcase>");
    }
    out.push_str("</testsuite>\n");
    out
}

fn sarif(file: &Path, all: &[(String, net::Checked)]) -> Value {
    let results: Vec<Value> = all
        .iter()
        .filter(|(_, c)| c.outcome != Outcome::Pass)
        .map(|(_, c)| {
            json!({
                "ruleId": "net-assert",
                "level": if c.outcome == Outcome::Fail { "error" } else { "warning" },
                "message": { "text": format!("{}: {}\n{}", word(c.outcome), c.rule, told(c)) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": { "uri": file.display().to_string() },
                    "region": { "startLine": c.line },
                }}],
            })
        })
        .collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "palisade",
                "rules": [{ "id": "net-assert", "shortDescription": { "text": "a segmentation rule does not hold" } }],
            }},
            "results": results,
        }],
    })
}

fn diff(old: &Network, new: &Network, format: NetFormat) -> Result<Exit> {
    let (changes, pairs) = net::diff(old, new);
    if format == NetFormat::Json {
        print_json(&json!({ "schema": "palisade/net.diff/1", "pairs_compared": pairs, "changes": changes }))?;
    } else {
        let mut out = String::new();
        for change in &changes {
            let rule = if change.rule.is_empty() { String::new() } else { format!("  by {}", change.rule) };
            let _ = writeln!(out, "{}  {} -> {} {}{rule}", change.change, change.from, change.to, change.ports);
        }
        if !pairs {
            out.push_str("only what the internet reaches was compared: there are too many pairs of interfaces\n");
        }
        output::print(&out)?;
    }
    let opened = changes.iter().any(|c| c.change == "opened");
    Ok(if opened { Exit::Findings } else { Exit::Clean })
}

fn bypasses(bastion: &str, networks: &Networks, format: NetFormat) -> Result<Exit> {
    let mut found = false;
    let mut problem = None;
    let rows = |network: &Network| match Place::parse(network, bastion) {
        Ok(place) => net::survey::bastion(network, &place),
        Err(_) => Vec::new(),
    };
    for (_, network) in networks {
        match Place::parse(network, bastion) {
            Ok(Place::Missing(id)) => problem = Some(format!("the bastion {id} isn't in the input")),
            Ok(_) => {}
            Err(error) => bail!("{error}"),
        }
        found |= !rows(network).is_empty();
    }
    if let Some(problem) = problem.filter(|_| networks.len() == 1) {
        bail!("{problem}");
    }
    let text = |r: &net::survey::Bypass| {
        let sure = if r.unknown.is_empty() { String::new() } else { format!("\n  not certain: {}", r.unknown.join("; ")) };
        format!("{} -> {} {}: {}{sure}", r.from, r.target, r.ports, r.path)
    };
    table("bastion", networks, rows, text, format)?;
    Ok(if found { Exit::Findings } else { Exit::Clean })
}
