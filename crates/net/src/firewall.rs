//! AWS Network Firewall: what its stateless and stateful rules make of a connection.
//!
//! Stateless rules look at each packet by itself, both ways, in order of priority: pass, drop, or hand it to the stateful engine.
//! That one judges a connection by who begins it; replies of what it let through pass. By action order pass rules count before
//! drop rules and what no rule matches passes; by strict order the first rule decides, then the policy's default action.
//! Source: Network Firewall developer guide, "How Network Firewall filters network traffic", "Managing evaluation order".
//!
//! What only a packet's content can tell (domains, application protocols, Suricata's keywords) may match or not. A rule that takes
//! some client ports only may match or not, too. Fragments are not looked at.

pub(crate) mod read;
mod suricata;

use model::{Text, Truth};

use crate::addr::{Addr, Cidr};
use crate::carry::Packet;
use crate::fault::Fault;
use crate::filter::{Filter, holds};
use crate::network::{Link, Network, State};
use crate::ports::{CLIENT_PORTS, Ports, Spans, protocol};

/// A firewall: a policy with an endpoint in each of its subnets.
#[derive(Clone, Debug, Default)]
pub struct Firewall {
    /// Its ARN or the logical name.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Its VPC, whose ranges are `$HOME_NET` unless a policy or a group says otherwise.
    pub vpc: Link,
    /// The policy.
    pub policy: Link,
    /// The subnets it has an endpoint in, with the endpoint's id where it is known.
    pub endpoints: Vec<(Text, Text)>,
    /// Whether it works.
    pub state: State,
}

/// A firewall policy.
#[derive(Clone, Debug, Default)]
pub struct FirewallPolicy {
    /// Its ARN or the logical name.
    pub id: Text,
    /// Stateless rule groups with their priority: the lowest first.
    pub stateless: Vec<(i64, Link)>,
    /// What becomes of packets that no stateless rule matches; `None` if it isn't known.
    pub stateless_rest: Option<Act>,
    /// Stateful rule groups with their priority.
    pub stateful: Vec<(i64, Link)>,
    /// Stateful rules count in the order of groups and rules, not by their actions.
    pub strict: bool,
    /// What becomes of connections that no stateful rule matches.
    pub stateful_rest: Rest,
    /// `$HOME_NET`, if the policy sets it.
    pub home: Option<Vec<Cidr>>,
    /// Why it is not all known, if so.
    pub unknown: Option<Text>,
}

/// What a stateless rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Let it through without any further look.
    Pass,
    /// Throw it away.
    Drop,
    /// Hand it to the stateful engine.
    Inspect,
}

/// What the stateful engine does with what no rule matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rest {
    /// Let it through.
    #[default]
    Pass,
    /// Throw it away.
    Drop,
    /// Throw away what belongs to a connection once that is established: its handshake still gets through.
    DropEstablished,
}

/// A rule group: stateless or stateful.
#[derive(Clone, Debug, Default)]
pub struct FirewallGroup {
    /// Its ARN or the logical name.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Stateless rules, by priority.
    pub stateless: Vec<StatelessRule>,
    /// Stateful rules, in source order.
    pub stateful: Vec<StatefulRule>,
    /// `$HOME_NET`, if the group sets it.
    pub home: Option<Vec<Cidr>>,
    /// Why its rules are not all known, if so.
    pub unknown: Option<Text>,
}

/// One stateless rule.
#[derive(Clone, Debug)]
pub struct StatelessRule {
    /// Its priority: the lowest that matches decides.
    pub priority: i64,
    /// What it matches.
    pub of: Match,
    /// What it does.
    pub act: Act,
}

/// What a stateful rule does to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Let it through.
    Pass,
    /// Throw it away, with or without telling.
    Drop,
    /// Only note it.
    Alert,
}

/// One stateful rule.
#[derive(Clone, Debug)]
pub struct StatefulRule {
    /// `sid 5`, or `rule 3` where it has none.
    pub id: Text,
    /// What it matches, from the one who begins.
    pub of: Match,
    /// It matches as well if the other side begins.
    pub both_ways: bool,
    /// What it does.
    pub judgement: Judgement,
}

/// What a rule matches.
#[derive(Clone, Debug)]
pub struct Match {
    /// Source addresses.
    pub sources: Ends,
    /// Destination addresses.
    pub destinations: Ends,
    /// Source ports of TCP and UDP.
    pub source_ports: Spans,
    /// Destination ports of TCP and UDP.
    pub destination_ports: Spans,
    /// Protocols, whatever the port.
    pub protocols: Ports,
    /// Something more that the rule asks for and only the packet can tell, or what isn't known about it.
    pub partly: Option<Text>,
}

impl Default for Match {
    fn default() -> Match {
        Match {
            sources: Ends::default(),
            destinations: Ends::default(),
            source_ports: Spans::full(),
            destination_ports: Spans::full(),
            protocols: Ports::full(),
            partly: None,
        }
    }
}

/// Addresses as a rule names them: one of the named ones (any, if none is named), and none of the excluded ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The parts; true for an excluded one.
    pub parts: Vec<(bool, Part)>,
}

/// A part of [`Ends`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A block.
    Block(Cidr),
    /// `$HOME_NET`.
    Home,
    /// A prefix list, by id.
    List(Text),
    /// Not known: the reason.
    Unknown(Text),
}

/// Protocols and ports in the terms of who is called: what matches for every client port, and what may.
#[derive(Clone, Debug, Default, PartialEq)]
struct Hit {
    sure: Ports,
    may: Ports,
}

/// What becomes of packets.
#[derive(Clone, Debug, Default)]
struct Fates {
    pass: Hit,
    drop: Hit,
    inspect: Hit,
    reasons: Vec<Text>,
}

/// A connection that the stateful engine of an endpoint saw begin.
#[derive(Clone, Debug)]
pub(crate) struct Inspected {
    endpoint: usize,
    packet: Packet,
    sure: Ports,
    may: Ports,
    answered: bool,
}

/// A named step of the search for the rule that decides.
#[derive(Clone, Copy)]
enum Judge<'a> {
    Rule(&'a FirewallGroup, &'a StatefulRule),
    Missing(&'a Text),
}

impl Network {
    /// The firewall behind an endpoint.
    pub(crate) fn firewall_of(&self, endpoint: usize) -> Option<&Firewall> {
        let endpoint = self.endpoints.get(endpoint)?;
        let named = |f: &&Firewall| {
            let tagged = endpoint.firewall.as_ref().is_some_and(|name| *name == f.id || *name == f.name);
            tagged || f.endpoints.iter().any(|(_, id)| *id == endpoint.id)
        };
        self.firewalls.iter().find(named)
    }

    /// Blocks that the rules of firewalls name: at their edges an answer may change.
    pub(crate) fn firewall_blocks(&self) -> impl Iterator<Item = Cidr> + '_ {
        let stateless = self.firewall_groups.iter().flat_map(|g| &g.stateless).map(|r| &r.of);
        let stateful = self.firewall_groups.iter().flat_map(|g| &g.stateful).map(|r| &r.of);
        let ends = stateless.chain(stateful).flat_map(|m| [&m.sources, &m.destinations]).flat_map(|e| &e.parts);
        let blocks = ends.filter_map(|(_, part)| if let Part::Block(block) = part { Some(*block) } else { None });
        let homes = self.firewall_groups.iter().flat_map(|g| &g.home).chain(self.firewall_policies.iter().flat_map(|p| &p.home));
        blocks.chain(homes.flatten().copied())
    }

    /// Blocks at whose edges inspection may treat traffic with a VPC differently: of firewalls' rules, and of the ACLs and route
    /// tables of the endpoints' subnets there.
    pub(crate) fn inspection_blocks(&self, vpc: Option<usize>) -> Vec<Cidr> {
        let endpoints = self.endpoints.iter().filter(|e| e.kind.eq_ignore_ascii_case("GatewayLoadBalancer") && e.vpc.at == vpc);
        let homes: Vec<usize> = endpoints.flat_map(|e| &e.subnets).filter_map(|s| s.at).collect();
        if homes.is_empty() {
            return Vec::new();
        }
        let mut blocks: Vec<Cidr> = self.firewall_blocks().collect();
        for subnet in homes.into_iter().map(|at| self.subnet(at)) {
            let acl = subnet.acl.at.map(|at| self.acl(at));
            blocks.extend(acl.into_iter().flat_map(|a| a.inbound.iter().chain(&a.outbound)).filter_map(|e| e.cidr));
            blocks.extend(subnet.table.at.into_iter().flat_map(|at| self.table(at).lpm.blocks()));
        }
        blocks
    }

    /// What a firewall lets through of the packet that begins a connection, and what its stateful engine then knows.
    pub(crate) fn firewall_call(&self, endpoint: usize, packet: Packet) -> (Filter, Option<Inspected>) {
        let (firewall, policy) = match self.policy_of(endpoint) {
            Ok(found) => found,
            Err(filter) => return (*filter, None),
        };
        let mut fates = self.stateless(firewall, policy, packet, true);
        let judged = self.stateful(firewall, policy, packet);
        let filter = Filter {
            sure: fates.pass.sure.or(&fates.inspect.sure.and(&judged.pass.sure)),
            may: fates.pass.may.or(&fates.inspect.may.and(&judged.pass.may)),
            reasons: std::mem::take(&mut fates.reasons),
        };
        let inspected = Inspected { endpoint, packet, sure: fates.inspect.sure, may: fates.inspect.may, answered: false };
        let any = !inspected.may.is_empty();
        (because(filter, judged.reasons), any.then_some(inspected))
    }

    /// What a firewall lets through of the packets that answer.
    pub(crate) fn firewall_reply(&self, endpoint: usize, packet: Packet, seen: &mut [Inspected]) -> Filter {
        let (firewall, policy) = match self.policy_of(endpoint) {
            Ok(policy) => policy,
            Err(filter) => return *filter,
        };
        let call = seen.iter_mut().rev().find(|i| i.answers(endpoint, packet));
        let (sure, may) = match call {
            Some(call) => {
                call.answered = true;
                (call.sure.clone(), call.may.clone())
            }
            None => (Ports::none(), Ports::none()),
        };
        if self.faulty(Fault::FirewallReplyIgnored) {
            return Filter::open();
        }
        let mut fates = self.stateless(firewall, policy, packet, false);
        let half =
            format!("{} sees one direction of the connection only: rules that pass packets there and back differ", firewall.name);
        let through = Filter {
            sure: fates.pass.sure.minus(&may).or(&fates.inspect.sure.and(&sure)),
            may: fates.pass.may.or(&fates.inspect.may),
            reasons: std::mem::take(&mut fates.reasons),
        };
        let through = Filter { sure: through.sure.or(&silent()), may: through.may.or(&silent()), ..through };
        let halves = !fates.inspect.may.minus(&sure).is_empty() || fates.pass.may.meets(&may);
        because(through, halves.then(|| half.into()).into_iter().collect())
    }

    /// The rule that decides for one protocol and port.
    pub(crate) fn firewall_rule(&self, endpoint: usize, packet: Packet, reply: bool, port: (u8, u16)) -> Text {
        let Ok((firewall, policy)) = self.policy_of(endpoint) else { return "".into() };
        let (number, port) = port;
        let mut act = (policy.stateless_rest, Text::from("stateless default action"));
        for (group, rule) in self.stateless_rules(policy) {
            if self.hit(firewall, policy, group, &rule.of, packet, !reply).may.contains(number, port) {
                act = (Some(rule.act), format!("{} priority {}", group.name, rule.priority).into());
                break;
            }
        }
        if act.0 != Some(Act::Inspect) || reply {
            return act.1;
        }
        for judge in self.judges(policy) {
            match judge {
                Judge::Missing(reason) => return reason.clone(),
                Judge::Rule(group, rule) => {
                    if self.connection_hit(firewall, policy, group, rule, packet).may.contains(number, port) {
                        return format!("{} {}", group.name, rule.id).into();
                    }
                }
            }
        }
        "stateful default action".into()
    }

    /// The firewall and its policy, or what to make of traffic if something about them isn't known.
    fn policy_of(&self, endpoint: usize) -> Result<(&Firewall, &FirewallPolicy), Box<Filter>> {
        let Some(firewall) = self.firewall_of(endpoint) else {
            return Err(Box::new(Filter::unknown("the firewall isn't in the snapshot")));
        };
        match &firewall.state {
            State::Up => {}
            State::Down(_) => return Err(Box::default()),
            State::Unknown(reason) => return Err(Box::new(Filter::unknown(reason.clone()))),
        }
        let Some(policy) = firewall.policy.at.and_then(|at| self.firewall_policies.get(at)) else {
            let reason = format!(
                "inspected by {}, whose policy {} isn't in the snapshot",
                firewall.name,
                if firewall.policy.is_none() { "(not named)" } else { &firewall.policy.id }
            );
            return Err(Box::new(Filter::unknown(reason)));
        };
        match &policy.unknown {
            Some(reason) => Err(Box::new(Filter::unknown(format!("inspected by {}: {reason}", firewall.name)))),
            None => Ok((firewall, policy)),
        }
    }

    /// Stateless rules in the order in which they are asked. Groups that aren't there are left out.
    fn stateless_rules<'a>(&'a self, policy: &'a FirewallPolicy) -> Vec<(&'a FirewallGroup, &'a StatelessRule)> {
        let groups = policy.stateless.iter().filter_map(|(_, link)| self.firewall_groups.get(link.at?));
        groups.flat_map(|group| group.stateless.iter().map(move |rule| (group, rule))).collect()
    }

    fn stateless(&self, firewall: &Firewall, policy: &FirewallPolicy, packet: Packet, call: bool) -> Fates {
        let mut fates = Fates::default();
        let (mut left_sure, mut left_may) = (Ports::full(), Ports::full());
        for (_, link) in &policy.stateless {
            let group = link.at.and_then(|at| self.firewall_groups.get(at));
            let unread = match group {
                None => Some(format!("rule group {} of {} isn't in the snapshot", link.id, firewall.name).into()),
                Some(group) => group.unknown.clone(),
            };
            if let Some(reason) = unread {
                left_sure = Ports::none();
                for fate in [&mut fates.pass, &mut fates.drop, &mut fates.inspect] {
                    fate.may = fate.may.or(&left_may);
                }
                fates.reasons.push(reason);
            }
            for (group, rule) in group.into_iter().flat_map(|g| g.stateless.iter().map(move |rule| (g, rule))) {
                let hit = self.hit(firewall, policy, group, &rule.of, packet, call);
                fates.take(rule.act, &hit, (&mut left_sure, &mut left_may));
                if hit.sure != hit.may {
                    let why = rule.of.why(packet);
                    fates.reasons.push(format!("{} priority {} of {} {why}", group.name, rule.priority, firewall.name).into());
                }
            }
        }
        match policy.stateless_rest {
            Some(act) => {
                let hit = Hit { sure: Ports::full(), may: Ports::full() };
                fates.take(act, &hit, (&mut left_sure, &mut left_may));
            }
            None => {
                for fate in [&mut fates.pass, &mut fates.drop, &mut fates.inspect] {
                    fate.may = fate.may.or(&left_may);
                }
                fates.reasons.push(format!("the default action of {} for packets isn't known", policy.id).into());
            }
        }
        fates
    }

    /// Stateful rules in the order in which they count.
    fn judges<'a>(&'a self, policy: &'a FirewallPolicy) -> Vec<Judge<'a>> {
        let mut all: Vec<(u8, Judge<'a>)> = Vec::new();
        for (_, link) in &policy.stateful {
            let group = link.at.and_then(|at| self.firewall_groups.get(at));
            match group {
                None => all.push((1, Judge::Missing(&link.id))),
                Some(group) => {
                    all.extend(group.unknown.iter().map(|reason| (1, Judge::Missing(reason))));
                    all.extend(group.stateful.iter().map(|rule| {
                        let order = match rule.judgement {
                            Judgement::Pass => 0,
                            Judgement::Drop => 2,
                            Judgement::Alert => 3,
                        };
                        (order, Judge::Rule(group, rule))
                    }));
                }
            }
        }
        if !policy.strict && !self.faulty(Fault::FirewallActionOrderIgnored) {
            all.sort_by_key(|(order, _)| *order);
        }
        all.retain(|(order, _)| *order < 3);
        all.into_iter().map(|(_, judge)| judge).collect()
    }

    fn stateful(&self, firewall: &Firewall, policy: &FirewallPolicy, packet: Packet) -> Fates {
        let mut fates = Fates::default();
        let (mut left_sure, mut left_may) = (Ports::full(), Ports::full());
        for judge in self.judges(policy) {
            match judge {
                Judge::Missing(what) => {
                    left_sure = Ports::none();
                    fates.pass.may = fates.pass.may.or(&left_may);
                    fates.reasons.push(format!("inspected by {}: rules of {what} aren't in the snapshot", firewall.name).into());
                }
                Judge::Rule(group, rule) => {
                    let hit = self.connection_hit(firewall, policy, group, rule, packet);
                    let act = if rule.judgement == Judgement::Pass { Act::Pass } else { Act::Drop };
                    fates.take(act, &hit, (&mut left_sure, &mut left_may));
                    if hit.sure != hit.may {
                        let why = rule.of.why(packet);
                        let reason = format!("inspected by {}: {} {} {why}", firewall.name, group.name, rule.id);
                        fates.reasons.push(reason.into());
                    }
                }
            }
        }
        let rest = if policy.strict { policy.stateful_rest } else { Rest::Pass };
        match rest {
            Rest::Drop if !self.faulty(Fault::FirewallDefaultIgnored) => {}
            Rest::DropEstablished => {
                fates.pass.may = fates.pass.may.or(&left_may);
                let what = "lets the handshakes of other connections through and drops what follows";
                fates.reasons.push(format!("inspected by {}: its policy {what}", firewall.name).into());
            }
            Rest::Pass | Rest::Drop => {
                let hit = Hit { sure: Ports::full(), may: Ports::full() };
                fates.take(Act::Pass, &hit, (&mut left_sure, &mut left_may));
            }
        }
        fates
    }

    /// What of a connection a stateful rule matches. A drop rule that names the way back may stop the answers.
    fn connection_hit(
        &self,
        firewall: &Firewall,
        policy: &FirewallPolicy,
        group: &FirewallGroup,
        rule: &StatefulRule,
        packet: Packet,
    ) -> Hit {
        let mut hit = self.hit(firewall, policy, group, &rule.of, packet, true);
        let back = self.hit(firewall, policy, group, &rule.of, packet.back(), false);
        if rule.both_ways {
            hit.sure = hit.sure.or(&back.sure);
        }
        if rule.both_ways || rule.judgement == Judgement::Drop {
            hit.may = hit.may.or(&back.may);
        }
        hit
    }

    /// What a rule matches of a packet to (`call`) or from the one who is called.
    fn hit(
        &self,
        firewall: &Firewall,
        policy: &FirewallPolicy,
        group: &FirewallGroup,
        of: &Match,
        packet: Packet,
        call: bool,
    ) -> Hit {
        let home = || -> &[Cidr] {
            let vpc = firewall.vpc.at.and_then(|at| self.vpcs.get(at));
            let set = group.home.as_ref().or(policy.home.as_ref());
            set.map(Vec::as_slice).or(vpc.map(|v| v.cidrs.as_slice())).unwrap_or_default()
        };
        let source = self.named(&of.sources, home(), packet.src, packet.src_within);
        let addresses = source.and(self.named(&of.destinations, home(), packet.dst, packet.dst_within));
        if addresses == Truth::False {
            return Hit::default();
        }
        let (service, client) = match call {
            true => (&of.destination_ports, &of.source_ports),
            false => (&of.source_ports, &of.destination_ports),
        };
        let clients = Spans::one(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let met = client.and(&clients);
        let ports = |open: bool| {
            let both = if open { service.clone() } else { Spans::default() };
            Ports { tcp: both.clone(), udp: both, ..Ports::full() }
        };
        let may = of.protocols.and(&ports(!met.is_empty()));
        let certain = addresses == Truth::True && of.partly.is_none();
        let sure = if certain { of.protocols.and(&ports(met == clients)) } else { Ports::none() };
        Hit { sure, may }
    }

    /// Whether an address is one that a rule names.
    fn named(&self, ends: &Ends, home: &[Cidr], addr: Addr, within: Option<Cidr>) -> Truth {
        let any = |blocks: &[Cidr]| blocks.iter().fold(Truth::False, |any, block| any.or(holds(*block, addr, within)));
        let one = |part: &Part| match part {
            Part::Block(block) => holds(*block, addr, within),
            // IPv6 is not part of a default `$HOME_NET`, which only IPv4 ranges make up.
            Part::Home => any(home),
            Part::List(id) => match self.prefix_lists.iter().find(|list| list.id == *id && list.known) {
                Some(list) => any(&list.cidrs),
                None => Truth::Unknown,
            },
            Part::Unknown(_) => Truth::Unknown,
        };
        let mut wanted = ends.parts.iter().filter(|(not, _)| !not).peekable();
        let inside = match wanted.peek() {
            None => Truth::True,
            Some(_) => wanted.fold(Truth::False, |any, (_, part)| any.or(one(part))),
        };
        ends.parts.iter().filter(|(not, _)| *not).fold(inside, |all, (_, part)| all.and(!one(part)))
    }
}

impl Inspected {
    fn answers(&self, endpoint: usize, reply: Packet) -> bool {
        self.endpoint == endpoint && self.packet.src == reply.dst && self.packet.dst == reply.src
    }

    /// Where the stateful engine saw a call but no answer came back to it: the endpoint, and what the answer is worth there.
    pub(crate) fn unanswered(&self, net: &Network) -> Option<(usize, Filter)> {
        let name = net.firewall_of(self.endpoint).map(|f| f.name.clone()).unwrap_or_default();
        let reason = format!("answers do not come back through the endpoint of {name} that saw the call");
        let filter =
            Filter { sure: Ports::full().minus(&self.may).or(&silent()), may: Ports::full(), reasons: vec![reason.into()] };
        (!self.answered).then_some((self.endpoint, filter))
    }
}

impl Fates {
    /// First match: what is left of earlier rules goes by this one.
    fn take(&mut self, act: Act, hit: &Hit, (left_sure, left_may): (&mut Ports, &mut Ports)) {
        let fate = match act {
            Act::Pass => &mut self.pass,
            Act::Drop => &mut self.drop,
            Act::Inspect => &mut self.inspect,
        };
        fate.sure = fate.sure.or(&left_sure.and(&hit.sure));
        fate.may = fate.may.or(&left_may.and(&hit.may));
        *left_sure = left_sure.minus(&hit.may);
        *left_may = left_may.minus(&hit.sure);
    }
}

impl Match {
    /// Why it may match or not.
    fn why(&self, packet: Packet) -> String {
        let unread = self.sources.parts.iter().chain(&self.destinations.parts).find_map(|(_, part)| match part {
            Part::Unknown(reason) => Some(reason.to_string()),
            Part::List(id) => Some(format!("names prefix list {id}")),
            Part::Block(_) | Part::Home => None,
        });
        match (&self.partly, unread) {
            (Some(partly), _) => format!("decides by {partly}"),
            (None, Some(reason)) => reason,
            (None, None) if packet.src_within.is_some() || packet.dst_within.is_some() => {
                "names part of the range from which an address is chosen at deploy time".to_owned()
            }
            (None, None) => "depends on the client's port".to_owned(),
        }
    }
}

/// What asks for no answer: ICMP other than an echo request.
fn silent() -> Ports {
    let echo = Ports::of(protocol::ICMP, Some(8), None).or(&Ports::of(protocol::ICMP6, Some(128), None));
    Ports::of(protocol::ICMP, None, None).or(&Ports::of(protocol::ICMP6, None, None)).minus(&echo)
}

/// Adds reasons, and keeps them only where they matter.
fn because(mut filter: Filter, more: Vec<Text>) -> Filter {
    filter.reasons.extend(more);
    filter.reasons.sort();
    filter.reasons.dedup();
    if filter.sure == filter.may {
        filter.reasons.clear();
    }
    filter
}

/// The protocols that a Suricata or stateful rule names, and what about them only the content tells.
pub(crate) fn protocols(word: &str) -> (Ports, Option<Text>) {
    let whole = |numbers: &[u8]| numbers.iter().fold(Ports::none(), |all, n| all.or(&Ports::of(*n, None, None)));
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "ip" | "any" => (Ports::full(), None),
        "tcp" | "tcp-pkt" | "tcp-stream" => (whole(&[6]), None),
        "udp" => (whole(&[17]), None),
        "icmp" => (whole(&[1, 58]), None),
        "http" | "tls" | "ssh" | "smtp" | "imap" | "ftp" | "smb" | "msn" | "http2" | "dcerpc" => {
            (whole(&[6]), Some(format!("whether it is {lower}").into()))
        }
        "quic" | "tftp" | "ntp" | "dhcp" | "ikev2" => (whole(&[17]), Some(format!("whether it is {lower}").into())),
        _ => match lower.parse::<u8>() {
            Ok(number) => (whole(&[number]), None),
            Err(_) => (whole(&[6, 17]), Some(format!("whether it is {lower}").into())),
        },
    }
}
