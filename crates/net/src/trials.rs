//! The engine against the oracle on random accounts; laws that every answer obeys; planted faults that must be noticed.

mod account;
mod balancers;
mod mirror;
mod opening;

use account::{account, addr, cidr};

use crate::addr::{Addr, Cidr, Family};
use crate::direct::Source;
use crate::exposure::Exposure;
use crate::fault::Fault;
use crate::network::{GroupRule, Joined, Link, Network, Peer, State};
use crate::oracle::{Caller, Told, talks};
use crate::ports::Ports;
use crate::trace::Exit;

/// Packets at the edges of the rules in use, and one off.
const PACKETS: &[(u8, u16)] = &[
    (6, 21),
    (6, 22),
    (6, 23),
    (6, 999),
    (6, 1000),
    (6, 2000),
    (6, 2001),
    (6, 1023),
    (6, 1024),
    (6, 65535),
    (17, 53),
    (17, 54),
    (1, 8 << 8),
    (1, 3 << 8),
    (50, 0),
];

const OUTSIDE: &[&str] = &["8.8.8.7", "8.8.8.8", "8.8.8.9", "7.255.255.255", "9.255.255.255", "3.3.0.255", "2001:4860::1"];

const PREMISES: &[&str] = &["172.16.0.9", "172.17.0.9", "172.24.0.9", "172.25.0.9"];

/// One question: as the engine and as the oracle take it.
struct Call {
    source: Source,
    caller: Caller,
    dst: Addr,
    target: Option<usize>,
}

/// Every question about one account, with the oracle's answer for each packet.
fn questions(truth: &Network) -> Vec<(Call, Vec<Told>)> {
    let mut calls: Vec<Call> = Vec::new();
    for a in 0..truth.interfaces.len() {
        for from in &truth.interfaces[a].addresses {
            let mut goals: Vec<(Addr, Option<usize>)> = OUTSIDE.iter().chain(PREMISES).map(|o| (addr(o), None)).collect();
            for (b, other) in truth.interfaces.iter().enumerate().filter(|(b, _)| *b != a) {
                goals.extend(other.addresses.iter().flat_map(|x| [Some(x.private), x.public]).flatten().map(|x| (x, Some(b))));
            }
            for (dst, target) in goals.into_iter().filter(|(dst, _)| dst.family == from.private.family) {
                let source = Source::Interface { at: a, addr: from.private };
                calls.push(Call { source, caller: Caller::Interface(a, from.private), dst, target });
            }
        }
        for outside in OUTSIDE.iter().map(|o| addr(o)) {
            for dst in truth.interfaces[a].addresses.iter().filter_map(|x| x.public).filter(|p| p.family == outside.family) {
                calls.push(Call {
                    source: Source::Internet { addr: outside },
                    caller: Caller::Internet(outside),
                    dst,
                    target: Some(a),
                });
            }
        }
    }
    for (at, attachment) in truth.attachments.iter().enumerate() {
        let from = match &attachment.joined {
            Joined::Vpn(_) => addr("172.24.0.9"),
            Joined::DirectConnect(_) => addr("172.25.0.9"),
            _ => continue,
        };
        calls.extend(from_premises(truth, Exit::Attachment { at }, Caller::Attachment(at, from), from));
    }
    for vpc in 0..truth.vpcs.len() {
        let up = |g: &crate::network::VpnGateway| g.vpcs.iter().any(|(v, s)| *v == truth.vpcs[vpc].id && *s == State::Up);
        let from = addr("172.16.0.9");
        if truth.vpn_gateways.iter().any(up) {
            calls.extend(from_premises(truth, Exit::VpnGateway { vpc }, Caller::Gateway(vpc, from), from));
        }
    }
    let answer =
        |call: &Call| PACKETS.iter().map(|(protocol, port)| talks(truth, call.caller, call.dst, *protocol, *port)).collect();
    calls.into_iter().map(|call| (answer(&call), call)).map(|(answers, call)| (call, answers)).collect()
}

fn from_premises(truth: &Network, by: Exit, caller: Caller, from: Addr) -> Vec<Call> {
    let source = Source::OnPremises { by, addr: from, learned: false };
    let call = |at: usize, dst: Addr| Call { source: source.clone(), caller, dst, target: Some(at) };
    let all = truth.interfaces.iter().enumerate();
    all.map(|(at, interface)| call(at, interface.addresses[0].private)).collect()
}

/// The first difference between the oracle's answers and the engine's.
fn compare(truth: &[(Call, Vec<Told>)], engine: &Network) -> Option<String> {
    for (call, answers) in truth {
        let trace = engine.converse(&call.source, call.dst, call.target);
        let (sure, may) = (trace.sure(), trace.may());
        for ((protocol, port), want) in PACKETS.iter().zip(answers) {
            let got = (sure.contains(*protocol, *port), may.contains(*protocol, *port));
            if got != (*want == Told::Yes, *want != Told::No) {
                return Some(format!(
                    "{:?} -> {} {protocol}/{port}: oracle {want:?}, engine {got:?}\n{trace:#?}",
                    call.caller, call.dst
                ));
            }
        }
    }
    None
}

fn overlapping(net: &Network) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    net.interfaces.iter().flat_map(|i| &i.addresses).any(|a| !seen.insert(a.private))
}

#[test]
fn the_engine_agrees_with_the_oracle() {
    for seed in 0..24 {
        let raw = account(seed);
        if overlapping(&raw) {
            continue;
        }
        let net = raw.finish();
        if let Some(difference) = compare(&questions(&net), &net) {
            panic!("seed {seed}: {difference}");
        }
    }
}

#[test]
fn exposure_agrees_with_the_oracle() {
    for seed in 100..160 {
        let net = account(seed).finish();
        let rows = Exposure::all(&net);
        for (at, interface) in net.interfaces.iter().enumerate() {
            for dst in interface.addresses.iter().filter_map(|a| a.public) {
                for outside in OUTSIDE.iter().map(|o| addr(o)).filter(|o| o.family == dst.family) {
                    for (protocol, port) in PACKETS {
                        let want = talks(&net, Caller::Internet(outside), dst, *protocol, *port);
                        let covers =
                            |r: &&crate::Exposed| r.interface == at && r.public == Some(dst) && r.sources.contains(outside.bits);
                        let open = |r: &&crate::Exposed| r.ports.contains(*protocol, *port);
                        let met: Vec<_> = rows.iter().filter(covers).filter(open).collect();
                        let got = match met.iter().any(|r| r.unknown.is_empty()) {
                            true => Told::Yes,
                            false => {
                                if met.is_empty() {
                                    Told::No
                                } else {
                                    Told::Odd
                                }
                            }
                        };
                        assert_eq!(got, want, "seed {seed}: {outside} -> {} {dst} {protocol}/{port}", interface.id);
                    }
                }
            }
        }
    }
}

/// Faults that only show where there are load balancers.
const BALANCED: &[Fault] = &[Fault::ListenerIgnored, Fault::ClientAddressLost, Fault::CrossZoneIgnored];

#[test]
fn planted_faults_are_noticed() {
    let accounts: Vec<Network> = (0..60).map(account).filter(|raw| !overlapping(raw)).collect();
    let mut missed: Vec<Fault> =
        Fault::ALL.iter().copied().filter(|f| !BALANCED.contains(f) && *f != Fault::DanglingBlocks).collect();
    for raw in accounts {
        let truth = questions(&raw.clone().finish());
        missed.retain(|fault| {
            let faulty = Network { fault: Some(*fault), ..raw.clone() };
            compare(&truth, &faulty.finish()).is_none()
        });
        if missed.is_empty() {
            break;
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_dangling_reference_taken_for_a_block_is_noticed() {
    let mut raw = account(0);
    raw.interfaces.iter_mut().for_each(|i| i.groups = vec![Link::to("sg-gone")]);
    let mut faulty = raw.clone();
    faulty.fault = Some(Fault::DanglingBlocks);
    let may = |net: Network| {
        let side = crate::filter::Side { addr: addr("8.8.8.8"), within: None, members: Vec::new(), grouped: model::Truth::False };
        net.finish().group_filter(0, crate::filter::Way::In, &side).may.is_full()
    };
    assert!(may(raw) && !may(faulty));
}

/// What every pair of an account reaches: the total of what is open, one by one.
fn opened(net: &Network) -> Vec<Ports> {
    let mut all = Vec::new();
    for a in 0..net.interfaces.len() {
        for b in 0..net.interfaces.len() {
            let (from, to) = (net.interfaces[a].addresses[0].private, net.interfaces[b].addresses[0].private);
            all.push(net.converse(&Source::Interface { at: a, addr: from }, to, Some(b)).sure());
        }
    }
    all
}

fn grows(less: &[Ports], more: &[Ports]) -> bool {
    less.iter().zip(more).all(|(less, more)| more.covers(less))
}

#[test]
fn adding_an_allow_or_taking_a_deny_away_never_closes_anything() {
    for seed in 200..230 {
        let raw = account(seed);
        let before = opened(&raw.clone().finish());
        let mut wider = raw.clone();
        let rule =
            GroupRule { id: "new".into(), ports: Ports::tcp(80, 90), ports_unknown: None, peer: Peer::Block(cidr("10.0.0.0/8")) };
        wider.groups.iter_mut().for_each(|g| g.inbound.push(rule.clone()));
        assert!(grows(&before, &opened(&wider.finish())), "seed {seed}: an allow closed something");
        let mut milder = raw.clone();
        milder.acls.iter_mut().for_each(|a| a.inbound.retain(|e| e.allow));
        assert!(grows(&before, &opened(&milder.finish())), "seed {seed}: a deny less closed something");
    }
}

#[test]
fn splitting_rules_changes_nothing() {
    let halves = |block: Cidr| {
        let len = block.len + 1;
        let high = block.low | (1u128 << (block.family.bits() - len));
        [Cidr { len, ..block }, Cidr { len, low: high, ..block }]
    };
    for seed in 300..330 {
        let raw = account(seed);
        let before = opened(&raw.clone().finish());
        let mut split = raw;
        for group in &mut split.groups {
            for rules in [&mut group.inbound, &mut group.outbound] {
                let mut all = Vec::new();
                for rule in rules.drain(..) {
                    let low = rule.ports.and(&Ports::tcp(0, 1500));
                    let parts = [rule.ports.minus(&low), low];
                    let peers = match &rule.peer {
                        Peer::Block(block) if block.len < block.family.bits() => halves(*block).map(Peer::Block).to_vec(),
                        other => vec![other.clone()],
                    };
                    for (ports, peer) in parts.iter().flat_map(|p| peers.iter().map(move |q| (p, q))) {
                        all.push(GroupRule { ports: ports.clone(), peer: peer.clone(), ..rule.clone() });
                    }
                }
                *rules = all;
            }
        }
        assert_eq!(before, opened(&split.finish()), "seed {seed}");
    }
}

#[test]
fn all_pairs_agree_with_one_question_at_a_time() {
    for seed in 400..430 {
        let net = account(seed).finish();
        let pairs = crate::pairs::Pairs::new(&net, Family::V4);
        pairs.each_tcp(&mut |to, spans| {
            for from in 0..net.interfaces.len() {
                let ends = [from, to].map(|at| net.interfaces[at].addresses[0].private);
                if from == to || net.interfaces[from].vpc == net.interfaces[to].vpc && ends[0] == ends[1] {
                    continue;
                }
                let want = net.converse(&Source::Interface { at: from, addr: ends[0] }, ends[1], Some(to)).sure().tcp;
                for port in [0, 21, 22, 23, 999, 1000, 1023, 1024, 2000, 2001, 65535] {
                    let got = spans.iter().any(|(low, high, sources)| *low <= port && port <= *high && sources.contains(from));
                    assert_eq!(got, want.contains(port), "seed {seed}: {from} -> {to} tcp/{port}");
                }
            }
        });
    }
}

#[test]
fn many_ends_answer_as_their_pairs_do() {
    for seed in 600..640 {
        let net = account(seed).finish();
        let half = net.interfaces.len() / 2;
        let (left, right): (Vec<usize>, Vec<usize>) = (0..net.interfaces.len()).partition(|at| *at < half);
        for asked in [Ports::tcp(22, 22), Ports::udp(53, 53), Ports::tcp(1001, 1001)] {
            let place = |list: &[usize]| crate::Place::Interfaces(list.to_vec());
            let one = |a: usize, b: usize| crate::reach(&net, &place(&[a]), &place(&[b]), &asked).answer;
            let pairs = left.iter().flat_map(|a| right.iter().map(|b| (*a, *b)));
            let any = pairs.into_iter().any(|(a, b)| one(a, b) == crate::Verdict::Reachable);
            let limits = crate::reach::Limits { pairs: 1_000_000, ruled_out: 1_000_000, in_full: 0 };
            let all = crate::reach::reach_within(&net, (&place(&left), &place(&right)), &asked, limits);
            assert_eq!(all.answer == crate::Verdict::Reachable, any, "seed {seed} {asked}: {all:#?}");
        }
    }
}
