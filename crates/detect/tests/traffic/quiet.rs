//! Traffic that behaves, also where it looks odd. Nothing of it is told at medium or above.

use super::network::{Answer, Dice, Sent, Talk, ping, syn, tcp, udp};

pub(crate) struct Quiet {
    pub(crate) name: &'static str,
    pub(crate) talks: Vec<Talk>,
}

const HOST: &str = "10.0.0.5";

fn ephemeral(dice: &mut Dice, from: u16, to: u16) -> u16 {
    from + dice.below(u64::from(to - from)) as u16
}

/// Somebody at work for eight hours: names, pages, updates, time.
fn desk(host: &str, seed: u64, low: u16, high: u16) -> Vec<Talk> {
    let mut dice = Dice(seed);
    let mut talks = vec![];
    let mut at = 5.0;
    while at < 8.0 * 3600.0 {
        at += -dice.part().max(1e-9).ln() * 90.0;
        for _ in 0..1 + dice.below(8) {
            let site = format!("151.101.{}.{}", dice.below(60), 1 + dice.below(200));
            let from = ephemeral(&mut dice, low, high);
            let port = if dice.below(6) == 0 { 80 } else { 443 };
            let packets = 8 + dice.below(60);
            let (sent, got) = ((packets, packets * 90 + dice.below(4000)), (packets * 2, packets * 900 + dice.below(90_000)));
            talks.push(udp(at, (host, from), ("10.0.0.2", 53), (1, 70), (1, 150 + dice.below(90))));
            talks.push(tcp(at + dice.part() * 4.0, dice.part() * 40.0, (host, from), (&site, port), sent, got));
            if dice.below(30) == 0 {
                talks.push(syn(at, (host, from + 1), (&site, port), Answer::Nothing));
            }
        }
    }
    for n in 0..28 {
        talks.push(udp(n as f64 * 1024.0, (host, 123), ("162.159.200.1", 123), (1, 76), (1, 76)));
    }
    talks
}

/// A domain controller and its members: many short alike connections, also to ports given out on the fly.
fn domain() -> Vec<Talk> {
    let mut dice = Dice(4);
    let mut talks = vec![];
    for member in 0..12 {
        let host = format!("10.0.0.{}", 40 + member);
        let mut at = 20.0 + member as f64;
        while at < 3.0 * 3600.0 {
            at += dice.about(240.0, 0.9);
            for (port, count) in [(88, 3), (389, 4), (445, 1), (135, 1), (49_668, 5)] {
                for _ in 0..1 + dice.below(count) {
                    let from = ephemeral(&mut dice, 49_152, 65_535);
                    let (sent, got) = ((7 + dice.below(6), 1500 + dice.below(900)), (6 + dice.below(6), 1600 + dice.below(2500)));
                    talks.push(tcp(at + dice.part() * 3.0, 0.3, (&host, from), ("10.0.0.10", port), sent, got));
                }
            }
        }
    }
    talks
}

/// A service on a port that a client may have as well.
fn high_service() -> Vec<Talk> {
    let mut dice = Dice(5);
    (0..4000)
        .map(|n| {
            let from = ephemeral(&mut dice, 32_768, 60_999);
            let (sent, got) = ((6 + dice.below(9), 900 + dice.below(3000)), (6 + dice.below(9), 1200 + dice.below(9000)));
            tcp(f64::from(n) * 0.9, 0.5, ("10.0.0.6", from), (HOST, 50_051), sent, got)
        })
        .collect()
}

/// The same, while nothing listens: resets for an hour, once a minute.
fn high_service_down() -> Vec<Talk> {
    let mut dice = Dice(6);
    let talk = |n: u32| {
        let from = ephemeral(&mut dice, 32_768, 60_999);
        let mut talk = syn(f64::from(n) * 60.0, ("10.0.0.6", from), (HOST, 50_051), Answer::Reset);
        talk.forth.1 = 60;
        talk
    };
    (0..60).map(talk).collect()
}

/// Mail asked for every five minutes; a phone that keeps its push connections up.
fn mail() -> Vec<Talk> {
    let mut dice = Dice(7);
    let mut talks = vec![];
    for n in 0..96 {
        let at = f64::from(n) * 300.0 + dice.part() * 3.0;
        let from = ephemeral(&mut dice, 49_152, 65_535);
        talks.push(tcp(at, 1.0, (HOST, from), ("203.0.113.25", 993), (12, 1500 + dice.below(90)), (14, 5200 + dice.below(300))));
    }
    talks.push(tcp(3.0, 28_000.0, (HOST, 50_100), ("203.0.113.90", 5228), (300, 22_000), (300, 24_000)));
    talks
}

/// Routes traced to one host again and again.
fn traces() -> Vec<Talk> {
    let mut talks = vec![];
    for round in 0..40 {
        for hop in 0..14u16 {
            let at = f64::from(round) * 700.0 + f64::from(hop);
            talks.push(udp(at, (HOST, 40_000 + hop), ("198.51.100.9", 33_434 + hop), (1, 60), (0, 0)));
        }
    }
    talks
}

/// A monitor that pings all hosts, and all hosts that ping a public address.
fn pings() -> Vec<Talk> {
    let mut talks = vec![];
    for round in 0..40 {
        for n in 0..30 {
            let host = format!("10.0.0.{}", 40 + n);
            talks.push(ping(f64::from(round) * 300.0 + f64::from(n) * 0.1, "10.0.0.9", &host, 4, true));
            talks.push(ping(f64::from(round) * 600.0 + f64::from(n) * 0.1, &host, "203.0.113.8", 1, true));
        }
    }
    talks
}

/// Noise of the internet: each source once, to this port or that, refused.
fn noise() -> Vec<Talk> {
    let mut dice = Dice(8);
    (0..1200)
        .map(|n| {
            let source = format!("{}.{}.{}.{}", 60 + dice.below(30), dice.below(250), dice.below(250), 1 + dice.below(250));
            let port = [22, 23, 445, 3389, 8080, 5900, 1433, 6379, 80, 443, 2323, 8443][dice.below(12) as usize];
            let host = format!("10.0.0.{}", 5 + dice.below(4));
            syn(f64::from(n) * 24.0, (&source, ephemeral(&mut dice, 20_000, 60_000)), (&host, port), Answer::Refused)
        })
        .collect()
}

/// A web server behind a public address, with visitors, some of whom give up.
fn server() -> Vec<Talk> {
    let mut dice = Dice(9);
    let mut talks = vec![];
    for n in 0..6000 {
        let visitor = format!("81.{}.{}.{}", 2 + dice.below(30), dice.below(250), 1 + dice.below(250));
        let from = ephemeral(&mut dice, 1025, 65_000);
        let at = f64::from(n) * 4.0;
        let packets = 8 + dice.below(40);
        talks.push(tcp(at, 3.0, (&visitor, from), (HOST, 443), (packets, packets * 90), (packets, packets * 900)));
        if n % 20 == 0 {
            talks.push(Talk { back: Sent(1, 44, 18), ..syn(at, (&visitor, from + 1), (HOST, 443), Answer::Nothing) });
        }
    }
    talks
}

/// One administrator at work over SSH, and a deployment that comes every quarter of an hour.
fn administration() -> Vec<Talk> {
    let mut dice = Dice(10);
    let mut talks = vec![];
    for n in 0..8 {
        let packets = 400 + dice.below(3000);
        let at = f64::from(n) * 3000.0;
        talks.push(tcp(
            at,
            1500.0,
            ("198.51.100.40", 52_000 + n as u16),
            (HOST, 22),
            (packets, packets * 90),
            (packets, packets * 200),
        ));
    }
    for n in 0..40 {
        let packets = 300 + dice.below(900);
        let at = f64::from(n) * 900.0;
        talks.push(tcp(
            at,
            20.0,
            ("198.51.100.41", 40_000 + n as u16),
            (HOST, 22),
            (packets, packets * 700),
            (packets, packets * 80),
        ));
    }
    talks
}

/// Peers that share files: high ports on both sides, many of them silent.
fn peers() -> Vec<Talk> {
    let mut dice = Dice(11);
    (0..3000)
        .map(|n| {
            let peer = format!("{}.{}.{}.{}", 80 + dice.below(30), dice.below(250), dice.below(250), 1 + dice.below(250));
            let port = ephemeral(&mut dice, 10_000, 65_000);
            let back = if dice.below(3) == 0 { (0, 0) } else { (2, 600) };
            udp(f64::from(n) * 2.0, (HOST, 51_413), (&peer, port), (2, 260), back)
        })
        .collect()
}

pub(crate) fn all() -> Vec<Quiet> {
    let quiet = |name, talks| Quiet { name, talks };
    vec![
        quiet("a desk", desk(HOST, 1, 49_152, 65_535)),
        quiet("a desk with low ports", desk(HOST, 2, 1025, 5000)),
        quiet("five desks", (0..5).flat_map(|n| desk(&format!("10.0.0.{}", 20 + n), 30 + n, 32_768, 60_999)).collect()),
        quiet("a domain", domain()),
        quiet("a service on a high port", high_service()),
        quiet("a service on a high port that is down", high_service_down()),
        quiet("mail", mail()),
        quiet("routes traced", traces()),
        quiet("pings", pings()),
        quiet("noise", noise()),
        quiet("a web server", server()),
        quiet("administration", administration()),
        quiet("peers", peers()),
    ]
}
