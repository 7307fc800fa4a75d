//! Policies and rule groups of Network Firewall, in the shape that its API and CloudFormation share.
//!
//! Where a template holds something that isn't known before deploy, the shape holds [`UNKNOWN`] with the reason.

use model::Text;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::suricata::suricata;
use super::{Act, Ends, FirewallGroup, FirewallPolicy, Judgement, Match, Part, Rest, StatefulRule, StatelessRule, protocols};
use crate::addr::Cidr;
use crate::network::Link;
use crate::ports::{Ports, Spans};

/// The key of an object that stands for something not known: the reason.
pub(crate) const UNKNOWN: &str = "$unknown";

/// A rule group with more rules than this is cut off: the capacity of a group is 30,000 at most.
pub(crate) const FIREWALL_RULES_MAX: usize = 30_000;

/// Variables of a rule group.
#[derive(Default)]
pub(super) struct Variables {
    addresses: FxHashMap<String, Ends>,
    ports: FxHashMap<String, Spans>,
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn int(value: &Value, key: &str) -> Option<i64> {
    let value = value.get(key)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// Why a value is not known, if it says so itself.
fn reason(value: &Value) -> Option<Text> {
    value.get(UNKNOWN).and_then(Value::as_str).map(Text::from)
}

/// The action of a stateless rule or default; custom actions beside it only count packets.
fn act(actions: &[Value]) -> Option<Act> {
    actions.iter().filter_map(Value::as_str).find_map(|word| match word {
        "aws:pass" => Some(Act::Pass),
        "aws:drop" => Some(Act::Drop),
        "aws:forward_to_sfe" => Some(Act::Inspect),
        _ => None,
    })
}

/// Reads a `FirewallPolicy`.
pub(crate) fn policy(id: Text, value: &Value) -> FirewallPolicy {
    let mut unread = value.as_object().is_none().then(|| Text::from(format!("the policy {id} could not be read")));
    unread = unread.or_else(|| reason(value));
    let mut groups = |key: &str| -> Vec<(i64, Link)> {
        if let Some(why) = value.get(key).and_then(reason) {
            unread = Some(why);
        }
        let mut all = Vec::new();
        for (at, item) in list(value, key).iter().enumerate() {
            match text(item, "ResourceArn") {
                Some(arn) => all.push((int(item, "Priority").unwrap_or(at as i64), Link::to(arn))),
                None => unread = Some(format!("a rule group of {id} isn't known").into()),
            }
        }
        all.sort_by_key(|(priority, _)| *priority);
        all
    };
    let (stateless, stateful) = (groups("StatelessRuleGroupReferences"), groups("StatefulRuleGroupReferences"));
    let options = value.get("StatefulEngineOptions");
    let strict = options.and_then(|o| text(o, "RuleOrder")) == Some("STRICT_ORDER");
    let mut rest = Rest::Pass;
    for word in list(value, "StatefulDefaultActions").iter().filter_map(Value::as_str) {
        rest = match word {
            "aws:drop_strict" => Rest::Drop,
            "aws:drop_established" | "aws:drop_established_app_layer" if rest != Rest::Drop => Rest::DropEstablished,
            _ => rest,
        };
    }
    let variables = value.get("PolicyVariables").and_then(|v| v.get("RuleVariables")).unwrap_or(&Value::Null);
    let home = variables.get("HOME_NET").and_then(definition);
    FirewallPolicy {
        stateless,
        stateless_rest: act(list(value, "StatelessDefaultActions")),
        stateful,
        strict,
        stateful_rest: rest,
        home,
        unknown: unread,
        id,
    }
}

/// The blocks of an `IPSet`; `None` if one of them is no block.
fn definition(set: &Value) -> Option<Vec<Cidr>> {
    set.get("Definition")?.as_array()?.iter().map(|entry| Cidr::parse(entry.as_str()?)).collect()
}

/// Reads a `RuleGroup`.
pub(crate) fn group(id: Text, name: Text, value: &Value) -> FirewallGroup {
    let mut group = FirewallGroup { id, name, unknown: reason(value), ..FirewallGroup::default() };
    let source = value.get("RulesSource").unwrap_or(&Value::Null);
    let variables = variables(value);
    group.home = value.pointer("/RuleVariables/IPSets/HOME_NET").and_then(definition);
    let stateless = source.get("StatelessRulesAndCustomActions");
    let known = ["StatelessRulesAndCustomActions", "StatefulRules", "RulesString", "RulesSourceList"];
    if group.unknown.is_none() && !known.iter().any(|key| source.get(key).is_some_and(|v| !v.is_null())) {
        group.unknown = Some(format!("the rules of {} could not be read", group.name).into());
    }
    for unread in known.iter().filter_map(|key| source.get(key)).filter_map(reason).chain(reason(source)) {
        group.unknown = Some(format!("the rules of {} aren't known: {unread}", group.name).into());
    }
    for rule in stateless.map(|s| list(s, "StatelessRules")).unwrap_or_default() {
        match stateless_rule(rule) {
            Some(rule) => group.stateless.push(rule),
            None => group.unknown = Some(format!("a stateless rule of {} could not be read", group.name).into()),
        }
    }
    group.stateless.sort_by_key(|rule| rule.priority);
    for (at, rule) in list(source, "StatefulRules").iter().enumerate() {
        group.stateful.push(stateful_rule(rule, at, &variables));
    }
    if let Some(text) = text(source, "RulesString") {
        group.stateful.extend(suricata(text, &variables));
    }
    if let Some(domains) = source.get("RulesSourceList").filter(|v| v.is_object()) {
        group.stateful.extend(domain_list(domains));
    }
    for rules in [group.stateless.len(), group.stateful.len()] {
        if rules > FIREWALL_RULES_MAX {
            let reason = format!("{} has {rules} rules, more than {FIREWALL_RULES_MAX} (`firewall_rules_max`)", group.name);
            group.unknown = Some(reason.into());
        }
    }
    group.stateless.truncate(FIREWALL_RULES_MAX);
    group.stateful.truncate(FIREWALL_RULES_MAX);
    group
}

fn variables(group: &Value) -> Variables {
    let mut all = Variables::default();
    let sets = |path: &str| group.pointer(path).and_then(Value::as_object).into_iter().flatten();
    for (name, set) in sets("/RuleVariables/IPSets") {
        let mut ends = Ends::default();
        for entry in list(set, "Definition") {
            ends.parts.extend(addresses(entry.as_str().unwrap_or(""), &Variables::default()).parts);
        }
        all.addresses.insert(name.clone(), ends);
    }
    for (name, set) in sets("/RuleVariables/PortSets") {
        let parts = list(set, "Definition").iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
        all.ports.extend(ports(&format!("[{parts}]"), &Variables::default()).ok().map(|ports| (name.clone(), ports)));
    }
    for (name, set) in sets("/ReferenceSets/IPSetReferences") {
        let arn = text(set, "ReferenceArn").unwrap_or_default();
        let id = arn.rsplit('/').next().unwrap_or_default();
        let part = match id.starts_with("pl-") {
            true => Part::List(id.into()),
            false => Part::Unknown(format!("names {arn}, which isn't in the snapshot").into()),
        };
        all.addresses.insert(format!("@{name}"), Ends { parts: vec![(false, part)] });
    }
    all
}

fn stateless_rule(rule: &Value) -> Option<StatelessRule> {
    let definition = rule.get("RuleDefinition")?;
    let act = act(list(definition, "Actions"))?;
    let attributes = definition.get("MatchAttributes")?;
    let mut of = Match::default();
    let ends = |key: &str| -> Ends {
        let part = |entry: &Value| match text(entry, "AddressDefinition") {
            Some(text) => addresses(text, &Variables::default()).parts,
            None => vec![(false, Part::Unknown("an address of it isn't known".into()))],
        };
        Ends { parts: list(attributes, key).iter().flat_map(part).collect() }
    };
    of.sources = ends("Sources");
    of.destinations = ends("Destinations");
    let spans = |key: &str| -> Option<Spans> {
        let all = list(attributes, key);
        if all.is_empty() {
            return Some(Spans::full());
        }
        all.iter().try_fold(Spans::default(), |spans, range| {
            let (from, to) = (u16::try_from(int(range, "FromPort")?).ok()?, u16::try_from(int(range, "ToPort")?).ok()?);
            (from <= to).then(|| spans.or(&Spans::one(from, to)))
        })
    };
    of.source_ports = spans("SourcePorts")?;
    of.destination_ports = spans("DestinationPorts")?;
    let numbers = list(attributes, "Protocols");
    if !numbers.is_empty() {
        of.protocols = Ports::none();
        for number in numbers {
            of.protocols = of.protocols.or(&Ports::of(u8::try_from(number.as_i64()?).ok()?, None, None));
        }
    }
    if !list(attributes, "TCPFlags").is_empty() {
        of.partly = Some("TCP flags".into());
    }
    Some(StatelessRule { priority: int(rule, "Priority")?, of, act })
}

fn stateful_rule(rule: &Value, at: usize, variables: &Variables) -> StatefulRule {
    let header = rule.get("Header").unwrap_or(&Value::Null);
    let field = |key: &str| text(header, key).unwrap_or("");
    let options = list(rule, "RuleOptions");
    let sid = options.iter().find(|o| text(o, "Keyword") == Some("sid")).and_then(|o| list(o, "Settings").first());
    let id = match sid.and_then(Value::as_str) {
        Some(sid) => format!("sid {sid}"),
        None => format!("rule {}", at + 1),
    };
    let words = [field("Protocol"), field("Source"), field("SourcePort"), field("Destination"), field("DestinationPort")];
    let mut of = header_match(words, variables);
    let keywords = options.iter().filter_map(|o| text(o, "Keyword"));
    of.partly = of.partly.or_else(|| content(keywords));
    let judgement = judgement(text(rule, "Action").unwrap_or(""));
    if judgement.is_none() {
        of.partly = Some("an action that isn't known".into());
    }
    let both_ways = field("Direction").eq_ignore_ascii_case("any");
    StatefulRule { id: id.into(), of, both_ways, judgement: judgement.unwrap_or(Judgement::Drop) }
}

/// An action's word.
pub(super) fn judgement(word: &str) -> Option<Judgement> {
    match word.to_ascii_lowercase().as_str() {
        "pass" => Some(Judgement::Pass),
        "drop" | "reject" | "rejectsrc" | "rejectdst" | "rejectboth" => Some(Judgement::Drop),
        "alert" => Some(Judgement::Alert),
        _ => None,
    }
}

/// Suricata's keywords that only describe a rule.
const DESCRIBING: &[&str] = &["sid", "rev", "msg", "gid", "classtype", "reference", "priority", "metadata", "target", "noalert"];

/// What else than its header a rule asks for, if its keywords do more than describe it.
pub(super) fn content<'a>(mut keywords: impl Iterator<Item = &'a str>) -> Option<Text> {
    let word = keywords.find(|word| !DESCRIBING.contains(&word.trim().to_ascii_lowercase().as_str()))?;
    Some(format!("the keyword `{}`, which looks into the traffic", word.trim()).into())
}

/// The header of a stateful rule: protocol, source, source port, destination, destination port.
pub(super) fn header_match([protocol, source, from, destination, to]: [&str; 5], variables: &Variables) -> Match {
    let (protocols, mut partly) = protocols(protocol);
    let mut spans = |text: &str| match ports(text, variables) {
        Ok(spans) => spans,
        Err(reason) => {
            partly = Some(reason.into());
            Spans::full()
        }
    };
    let (source_ports, destination_ports) = (spans(from), spans(to));
    Match {
        sources: addresses(source, variables),
        destinations: addresses(destination, variables),
        source_ports,
        destination_ports,
        protocols,
        partly,
    }
}

/// The elements of `[a, b, [c, d]]`, lists in lists taken apart; of other text the text itself. True for what is excluded.
fn elements(text: &str) -> Vec<(bool, &str)> {
    let text = text.trim();
    let (not, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest.trim()));
    let Some(inner) = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')) else { return vec![(not, rest)] };
    let (mut depth, mut start, mut all) = (0i32, 0, Vec::new());
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if depth == 0 => {
                let part = inner.get(start..at).unwrap_or_default();
                if !part.trim().is_empty() {
                    all.extend(elements(part).into_iter().map(|(inside, word)| (inside != not, word)));
                }
                start = at + 1;
            }
            _ => {}
        }
    }
    all
}

/// Addresses of a header: `any`, blocks, `$VARIABLE`, `@REFERENCE`, lists and `!`.
pub(super) fn addresses(text: &str, variables: &Variables) -> Ends {
    let mut ends = Ends::default();
    for (not, word) in elements(text) {
        let named = word.strip_prefix('$').unwrap_or(word);
        match (word, variables.addresses.get(named)) {
            (_, Some(set)) if !not => ends.parts.extend(set.parts.iter().cloned()),
            (_, Some(set)) if set.parts.iter().all(|(not, _)| !not) => {
                ends.parts.extend(set.parts.iter().map(|(_, part)| (true, part.clone())));
            }
            (_, Some(_)) => ends.parts.push((false, Part::Unknown(format!("excludes `{word}`, which excludes too").into()))),
            ("$HOME_NET", None) => ends.parts.push((not, Part::Home)),
            ("$EXTERNAL_NET", None) => ends.parts.push((!not, Part::Home)),
            _ if word.eq_ignore_ascii_case("any") && !not => {}
            _ => ends.parts.push((
                not,
                match Cidr::parse(word) {
                    Some(block) => Part::Block(block),
                    None => Part::Unknown(format!("names `{word}`, which isn't known").into()),
                },
            )),
        }
    }
    ends
}

/// Ports of a header: `any`, numbers, `low:high`, `$VARIABLE`, lists and `!`. The error says what isn't known.
pub(super) fn ports(text: &str, variables: &Variables) -> Result<Spans, String> {
    let (mut wanted, mut excluded, mut some) = (Spans::default(), Spans::default(), false);
    for (not, word) in elements(text) {
        let number = |text: &str, unset: u16| match text.trim() {
            "" => Ok(unset),
            text => text.parse::<u16>().map_err(|_| format!("ports `{word}`, which aren't known")),
        };
        let spans = match (word.strip_prefix('$').and_then(|name| variables.ports.get(name)), word.split_once(':')) {
            (Some(spans), _) => spans.clone(),
            (None, _) if word.is_empty() || word.eq_ignore_ascii_case("any") => Spans::full(),
            (None, Some((low, high))) => Spans::one(number(low, 0)?, number(high, u16::MAX)?),
            (None, None) => Spans::one(number(word, 0)?, number(word, 0)?),
        };
        let side = if not { &mut excluded } else { &mut wanted };
        *side = side.or(&spans);
        some |= !not;
    }
    let wanted = if some { wanted } else { Spans::full() };
    Ok(wanted.and(&excluded.not()))
}

/// A list of domains: by the name that a client's TLS or HTTP traffic asks for, lets it through or not.
fn domain_list(list_of: &Value) -> Vec<StatefulRule> {
    let allows = text(list_of, "GeneratedRulesType").is_none_or(|word| word != "DENYLIST");
    let rule = |id: &str, judgement: Judgement, what: &str| StatefulRule {
        id: id.into(),
        of: Match {
            sources: Ends { parts: vec![(false, Part::Home)] },
            protocols: protocols("tcp").0,
            partly: Some(what.into()),
            ..Match::default()
        },
        both_ways: false,
        judgement,
    };
    match allows {
        true => vec![
            rule("domain list", Judgement::Pass, "the domain that is asked for"),
            rule("domain list", Judgement::Drop, "the domain that is asked for: others than the list's are dropped"),
        ],
        false => vec![rule("domain list", Judgement::Drop, "the domain that is asked for")],
    }
}
