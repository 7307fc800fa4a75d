//! Conversations of a made-up network, and the flow logs that would tell of them.

use std::collections::BTreeMap;

/// 2026-01-01T00:00:00Z.
pub(crate) const START: f64 = 1_767_225_600.0;

/// What one side sent: packets, bytes, and its TCP flags or-ed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent(pub u64, pub u64, pub u8);

/// One connection, exchange or attempt.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    /// Seconds after [`START`].
    pub(crate) at: f64,
    pub(crate) lasts: f64,
    pub(crate) client: (String, u16),
    pub(crate) server: (String, u16),
    pub(crate) protocol: u8,
    pub(crate) forth: Sent,
    pub(crate) back: Sent,
    /// A security group of the server's refuses it: the server sees nothing and says nothing.
    pub(crate) refused: bool,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// AWS's default format, one interface for each inside host, windows of so many seconds.
    Default(i64),
    /// The fields up to version 5, TCP flags and direction among them.
    Five(i64),
    /// Converted from another source: a record each way for each connection, one interface for all, nothing is refused.
    Converted,
}

pub(crate) const FORMS: [Form; 5] = [Form::Default(60), Form::Default(600), Form::Five(60), Form::Five(600), Form::Converted];

/// Numbers that are the same everywhere (SplitMix64).
pub(crate) struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below the limit.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// From 0 to below 1.
    pub(crate) fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The value, more or less by up to this part of it.
    pub(crate) fn about(&mut self, value: f64, part: f64) -> f64 {
        value * (1.0 - part + 2.0 * part * self.part())
    }
}

type Tuple = (String, String, String, u16, u16, u8, bool);

#[derive(Default)]
struct Sum {
    packets: u64,
    bytes: u64,
    flags: u8,
    first: i64,
    last: i64,
    egress: bool,
}

/// The lines that a log of the talks has, its header first. `inside` says which addresses have an interface that is logged.
pub(crate) fn log(talks: &[Talk], form: Form, inside: fn(&str) -> bool) -> Vec<String> {
    let window = match form {
        Form::Default(window) | Form::Five(window) => window,
        Form::Converted => 0,
    };
    let mut sums: BTreeMap<(i64, usize, Tuple), Sum> = BTreeMap::new();
    for (number, talk) in talks.iter().enumerate() {
        let icmp = talk.protocol == 1;
        let ports = |a: u16, b: u16| if icmp && form != Form::Converted { (0, 0) } else { (a, b) };
        let refused = talk.refused && form != Form::Converted;
        let back = if talk.refused { Sent::default() } else { talk.back };
        let ways = [(&talk.client, &talk.server, talk.forth), (&talk.server, &talk.client, back)];
        for (from, to, sent) in ways.into_iter().filter(|(_, _, sent)| sent.0 > 0) {
            let logged: Vec<(String, bool)> = if form == Form::Converted {
                vec![("eni-all".to_owned(), false)]
            } else {
                let ends = [(&from.0, true), (&to.0, false)];
                ends.into_iter()
                    .filter(|(a, _)| inside(a))
                    .map(|(a, out)| (format!("eni-{}", a.replace('.', "-")), out))
                    .collect()
            };
            for (interface, egress) in logged {
                // What a group refuses on the way in went out of its source's interface.
                let refused = refused && !egress;
                let (source, destination) = ports(from.1, to.1);
                let tuple = (interface, from.0.clone(), to.0.clone(), source, destination, talk.protocol, refused);
                parts(talk, sent, window, &mut |slot, first, last, packets, bytes| {
                    let number = if form == Form::Converted { number } else { 0 };
                    let sum = sums.entry((slot, number, tuple.clone())).or_insert(Sum { first, last, ..Sum::default() });
                    sum.packets += packets;
                    sum.bytes += bytes;
                    sum.flags |= sent.2;
                    sum.egress = egress;
                    sum.first = sum.first.min(first);
                    sum.last = sum.last.max(last);
                });
            }
        }
    }
    let five = matches!(form, Form::Five(_));
    let head =
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";
    let mut lines = vec![if five { format!("{head} tcp-flags flow-direction pkt-srcaddr pkt-dstaddr") } else { head.to_owned() }];
    for ((_, _, (interface, from, to, source, destination, protocol, refused)), sum) in sums {
        let action = if refused { "REJECT" } else { "ACCEPT" };
        let more = if five {
            format!(" {} {} {from} {to}", sum.flags, if sum.egress { "egress" } else { "ingress" })
        } else {
            String::new()
        };
        lines.push(format!(
            "2 111122223333 {interface} {from} {to} {source} {destination} {protocol} {} {} {} {} {action} OK{more}",
            sum.packets, sum.bytes, sum.first, sum.last
        ));
    }
    lines
}

/// The windows of a way: slot, first and last second, packets, bytes.
fn parts(talk: &Talk, sent: Sent, window: i64, each: &mut dyn FnMut(i64, i64, i64, u64, u64)) {
    let first = (START + talk.at).floor() as i64;
    let last = (START + talk.at + talk.lasts).floor() as i64;
    if window == 0 {
        return each(first, first, last, sent.0, sent.1);
    }
    let slots: Vec<i64> = (first.div_euclid(window)..=last.div_euclid(window)).take(sent.0 as usize).collect();
    let many = slots.len() as u64;
    for (number, slot) in slots.iter().enumerate() {
        let share = |all: u64| all / many + u64::from((number as u64) < all % many);
        let from = first.max(slot * window);
        each(*slot, from, last.min(slot * window + window - 1).max(from), share(sent.0), share(sent.1));
    }
}

/// TCP flags: SYN, SYN and ACK, RST, and all of a whole connection's.
pub(crate) const SYN: u8 = 2;
pub(crate) const SYN_ACK: u8 = 18;
pub(crate) const RST: u8 = 4;
pub(crate) const WHOLE_CLIENT: u8 = 3;
pub(crate) const WHOLE_SERVER: u8 = 19;

/// A whole TCP connection with payload both ways.
pub(crate) fn tcp(at: f64, lasts: f64, client: (&str, u16), server: (&str, u16), forth: (u64, u64), back: (u64, u64)) -> Talk {
    Talk {
        at,
        lasts,
        client: (client.0.to_owned(), client.1),
        server: (server.0.to_owned(), server.1),
        protocol: 6,
        forth: Sent(forth.0, forth.1, WHOLE_CLIENT),
        back: Sent(back.0, back.1, WHOLE_SERVER),
        refused: false,
    }
}

/// What answers a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A reset: the port is closed.
    Reset,
    /// Nothing.
    Nothing,
    /// The group refuses it.
    Refused,
    /// The port is open: SYN and ACK, then the scanner's reset.
    Open,
}

/// One SYN of 44 bytes and its answer.
pub(crate) fn syn(at: f64, client: (&str, u16), server: (&str, u16), answer: Answer) -> Talk {
    let (forth, back) = match answer {
        Answer::Reset => (Sent(1, 44, SYN), Sent(1, 40, RST)),
        Answer::Nothing | Answer::Refused => (Sent(1, 44, SYN), Sent::default()),
        Answer::Open => (Sent(2, 84, SYN | RST), Sent(1, 44, SYN_ACK)),
    };
    Talk { forth, back, refused: answer == Answer::Refused, ..tcp(at, 0.0, client, server, (0, 0), (0, 0)) }
}

/// Datagrams each way.
pub(crate) fn udp(at: f64, client: (&str, u16), server: (&str, u16), forth: (u64, u64), back: (u64, u64)) -> Talk {
    Talk {
        protocol: 17,
        forth: Sent(forth.0, forth.1, 0),
        back: Sent(back.0, back.1, 0),
        ..tcp(at, 0.1, client, server, (0, 0), (0, 0))
    }
}

/// Echo requests and as many answers, or none. Converted logs write the message's type and code as ports.
pub(crate) fn ping(at: f64, client: &str, server: &str, packets: u64, answered: bool) -> Talk {
    let size = packets * 84;
    let back = if answered { (packets, size) } else { (0, 0) };
    Talk { protocol: 1, ..udp(at, (client, 8), (server, 0), (packets, size), back) }
}
