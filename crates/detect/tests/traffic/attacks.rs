//! Attacks as their tools make them. Each is of the outside address 198.51.100.7 or of a host inside, and says which rules may tell
//! of it.

use super::network::{Answer, Dice, Talk, ping, syn, tcp, udp};

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// Any of these is right.
    pub(crate) rules: &'static [&'static str],
    pub(crate) talks: Vec<Talk>,
}

const OUTSIDE: &str = "198.51.100.7";
const HOST: &str = "10.0.0.5";

/// Ports that scanners try first, and then some.
fn ports(count: u64, dice: &mut Dice) -> Vec<u16> {
    let mut ports: Vec<u16> =
        vec![80, 23, 443, 21, 22, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993, 5900];
    while (ports.len() as u64) < count {
        let port = 1 + dice.below(10_000) as u16;
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    ports.truncate(count as usize);
    ports
}

fn scan_of_ports(count: u64, gap: f64, answer: Answer, source_port: Option<u16>) -> Vec<Talk> {
    let mut dice = Dice(count);
    let list = ports(count, &mut dice);
    let mut talks = vec![];
    for (number, port) in list.iter().enumerate() {
        let from = source_port.unwrap_or(33_000 + dice.below(27_000) as u16);
        let answer = if *port == 80 && answer == Answer::Reset { Answer::Open } else { answer };
        talks.push(syn(5.0 + number as f64 * gap, (OUTSIDE, from), (HOST, *port), answer));
    }
    talks
}

fn scan_of_hosts(from: &str, network: &str, hosts: u64, port: u16, answer: fn(u64) -> Answer) -> Vec<Talk> {
    let host = |n: u64| format!("{network}.{}", 10 + n);
    (0..hosts).map(|n| syn(3.0 + n as f64 * 0.2, (from, 41_000 + n as u16), (&host(n), port), answer(n))).collect()
}

/// Attempts to sign in: `gap` seconds apart, packets and bytes each way, by how much they differ.
fn guesses(from: &str, port: u16, count: u64, gap: f64, forth: (u64, u64), back: (u64, u64)) -> Vec<Talk> {
    let mut dice = Dice(u64::from(port));
    let mut at = 7.0;
    let mut talks = vec![];
    for n in 0..count {
        at += dice.about(gap, 0.4);
        let vary = |(packets, bytes): (u64, u64), dice: &mut Dice| (packets + dice.below(2), bytes + dice.below(1 + bytes / 12));
        let (forth, back) = (vary(forth, &mut dice), vary(back, &mut dice));
        talks.push(tcp(at, 1.5, (from, 35_000 + (n * 7 % 20_000) as u16), (HOST, port), forth, back));
    }
    talks
}

/// Calls home every so many seconds, each earlier or later by a part of it.
fn beacon(from: &str, to: (&str, u16), first_port: u16, interval: f64, jitter: f64, count: u64) -> Vec<Talk> {
    let mut dice = Dice(interval as u64 + u64::from(to.1));
    let mut at = 11.0;
    let mut talks = vec![];
    for n in 0..count {
        let (sent, got) = ((9, 1100 + dice.below(60)), (8, 2100 + dice.below(200)));
        talks.push(tcp(at, 1.0, (from, first_port + (n * 3) as u16), to, sent, got));
        at += dice.about(interval, jitter);
    }
    talks
}

/// Many sources, each trying a few ports of one host.
fn scan_by_many(source: impl Fn(u64) -> String, sources: u64, each: u64) -> Vec<Talk> {
    let mut dice = Dice(sources);
    let list = ports(sources * each, &mut dice);
    let mut talks = vec![];
    for (number, port) in list.iter().enumerate() {
        let from = source(number as u64 % sources);
        let answer = if number % 3 == 0 { Answer::Reset } else { Answer::Refused };
        talks.push(syn(600.0 + number as f64 * 4.0, (&from, 42_000), (HOST, *port), answer));
    }
    talks
}

pub(crate) fn all() -> Vec<Attack> {
    let vertical = &["ports-of-host-scanned"];
    let horizontal = &["hosts-on-port-scanned"];
    let many = &["ports-of-host-scanned-by-many"];
    let brute = &["password-guessing"];
    let calls = &["steady-calls-out"];
    let out = &["scan-by-own-interface"];
    let attack = |name, rules, talks| Attack { name, rules, talks };
    let udp_scan = (0..40u16).map(|n| udp(2.0 + f64::from(n), (OUTSIDE, 61_000), (HOST, 7 + n * 11), (1, 28), (0, 0))).collect();
    let half = |n: u64| if n.is_multiple_of(2) { Answer::Reset } else { Answer::Nothing };
    vec![
        attack(
            "1000 ports, closed ones reset, one source port",
            vertical,
            scan_of_ports(1000, 0.02, Answer::Reset, Some(61_234)),
        ),
        attack("200 ports, closed ones reset, many source ports", vertical, scan_of_ports(200, 0.05, Answer::Reset, None)),
        attack("200 ports, filtered", vertical, scan_of_ports(200, 0.2, Answer::Nothing, Some(61_234))),
        attack("20 ports, refused by the group", vertical, scan_of_ports(20, 12.0, Answer::Refused, Some(61_234))),
        attack("60 open ports", vertical, scan_of_ports(60, 1.0, Answer::Open, None)),
        attack("40 UDP ports", vertical, udp_scan),
        attack("SSH of 40 hosts, half of them reset", horizontal, scan_of_hosts(OUTSIDE, "10.0.0", 40, 22, half)),
        attack("the web of 60 hosts that refuse", horizontal, scan_of_hosts(OUTSIDE, "10.0.0", 60, 80, |_| Answer::Refused)),
        attack("SMB of 45 hosts that all answer", horizontal, scan_of_hosts(OUTSIDE, "10.0.0", 45, 445, |_| Answer::Open)),
        attack("ping of 40 hosts that all answer", horizontal, sweep(40, |_| true)),
        attack("ping of 40 hosts, some answer", horizontal, sweep(40, |n| n.is_multiple_of(3))),
        attack("30 addresses of one network, 3 ports each", many, scan_by_many(|n| format!("198.51.100.{}", 20 + n), 30, 3)),
        attack("24 networks, 4 ports each", many, scan_by_many(|n| format!("198.{}.100.9", 20 + n), 24, 4)),
        attack("SSH passwords, 40 a minute", brute, guesses(OUTSIDE, 22, 400, 1.5, (16, 2400), (15, 3100))),
        attack("RDP passwords, 6 a minute", brute, guesses(OUTSIDE, 3389, 120, 10.0, (18, 2900), (14, 2200))),
        attack("FTP passwords, bare answers", brute, guesses(OUTSIDE, 21, 200, 3.0, (9, 520), (9, 560))),
        attack("telnet passwords, a byte at a time", brute, guesses(OUTSIDE, 23, 90, 5.0, (24, 1330), (22, 1270))),
        attack("SSH passwords on port 2222, 10 a minute", brute, guesses(OUTSIDE, 2222, 150, 6.0, (16, 2400), (15, 3100))),
        attack("SSH passwords on port 50022, 30 a minute", brute, guesses(OUTSIDE, 50_022, 300, 2.0, (16, 2400), (15, 3100))),
        attack(
            "SSH passwords, one in four minutes for ten hours",
            brute,
            guesses(OUTSIDE, 22, 150, 240.0, (16, 2400), (15, 3100)),
        ),
        attack("SSH passwords from a host beside it", brute, guesses("10.0.0.77", 22, 400, 1.5, (16, 2400), (15, 3100))),
        attack("a call every minute", calls, beacon(HOST, ("203.0.113.50", 443), 40_000, 60.0, 0.1, 90)),
        attack("a call every five minutes, +-30 %", calls, beacon(HOST, ("203.0.113.50", 80), 40_000, 300.0, 0.3, 60)),
        attack("a call every hour, +-30 %", calls, beacon(HOST, ("203.0.113.50", 8443), 40_000, 3600.0, 0.3, 40)),
        attack("a call every ten seconds", calls, beacon(HOST, ("203.0.113.50", 80), 40_000, 10.0, 0.1, 1300)),
        attack("calls to a high port from low ones", calls, beacon(HOST, ("203.0.113.50", 65_520), 1100, 180.0, 0.2, 60)),
        attack("telnet of 300 hosts outside", out, worm()),
        attack("60 silent hosts beside it", out, scan_of_hosts(HOST, "10.0.0", 60, 445, half)),
        attack("a port every half hour", &["slow-scan"], scan_of_ports(24, 1800.0, Answer::Refused, Some(61_234))),
    ]
}

fn sweep(hosts: u64, answers: fn(u64) -> bool) -> Vec<Talk> {
    (0..hosts).map(|n| ping(2.0 + n as f64 * 0.05, OUTSIDE, &format!("10.0.0.{}", 2 + n), 1, answers(n))).collect()
}

fn worm() -> Vec<Talk> {
    let mut dice = Dice(99);
    let mut host = || format!("{}.{}.{}.9", 60 + dice.below(30), dice.below(250), dice.below(250));
    (0..300u64).map(|n| syn(4.0 + n as f64, (HOST, 33_000 + n as u16), (&host(), 23), Answer::Nothing)).collect()
}
