//! Flow logs of a network that behaves: for tests of false alarms, and to measure on.
//!
//! Visitors of web servers behind balancers, health checks, pooled database connections, calls to outside services, name and time
//! service, agents that report every minute, nightly backups, and the internet's background noise of refused attempts.

/// 2026-01-01T00:00:00Z, when the traffic begins.
pub const START: i64 = 1_767_225_600;

/// A generator of numbers that is the same everywhere (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// One side of a flow.
#[derive(Clone)]
struct End {
    address: String,
    port: u64,
}

fn end(address: &str, port: u64) -> End {
    End { address: address.to_owned(), port }
}

struct Sea<'w> {
    dice: Dice,
    hosts: u64,
    left: u64,
    write: &'w mut dyn FnMut(&str),
}

impl Sea<'_> {
    /// A line of an interface: from one end to the other.
    fn line(&mut self, host: u64, [from, to]: [&End; 2], (protocol, packets, bytes): (u8, u64, u64), at: i64, action: &str) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let last = at + 5 + (packets % 50) as i64;
        (self.write)(&format!(
            "2 111122223333 eni-{:017x} {} {} {} {} {protocol} {packets} {bytes} {at} {last} {action} OK",
            0x0a1b_2c3d_4e00 + host,
            from.address,
            to.address,
            from.port,
            to.port
        ));
    }

    /// Both ways of a conversation at the client's or the server's interface.
    fn talk(&mut self, host: u64, ends: [&End; 2], (protocol, packets, sent, got): (u8, u64, u64, u64), at: i64) {
        self.line(host, ends, (protocol, packets, sent), at, "ACCEPT");
        self.line(host, [ends[1], ends[0]], (protocol, packets.max(2) - 1, got), at, "ACCEPT");
    }

    fn ephemeral(&mut self) -> u64 {
        32_768 + self.dice.below(28_000)
    }

    fn minute(&mut self, minute: i64) {
        let base = START + minute * 60;
        for host in 0..self.hosts {
            match host % 6 {
                0 => self.balancer(host, base),
                5 => self.database(host, base),
                _ => self.application(host, base),
            }
            self.every_host(host, base, minute);
        }
    }

    /// Visitors, and health checks of four targets every ten seconds.
    fn balancer(&mut self, host: u64, base: i64) {
        let own = own(host);
        for _ in 0..40 {
            let visitor = self.dice.below(3000);
            let from = end(&format!("81.{}.{}.{}", 2 + visitor / 256, visitor % 256, visitor % 250), self.ephemeral());
            let (at, packets) = (base + self.dice.below(60) as i64, 8 + self.dice.below(40));
            let (sent, got) = (packets * 90 + self.dice.below(900), packets * 700 + self.dice.below(20_000));
            self.talk(host, [&from, &end(&own, 443)], (6, packets, sent, got), at);
        }
        for beat in 0..6 {
            for target in 1..5 {
                let from = end(&own, self.ephemeral());
                let to = end(&self::own(host + target), 8080);
                let at = base + beat * 10 + host as i64 % 10;
                self.talk(host, [&from, &to], (6, 6, 480, 700), at);
                self.talk(host + target, [&from, &to], (6, 6, 480, 700), at);
            }
        }
    }

    /// Pooled connections to the database, and calls of services outside.
    fn application(&mut self, host: u64, base: i64) {
        let own = own(host);
        let database = self::own(host / 6 * 6 + 5);
        for pool in 0..4 {
            let from = end(&own, 40_000 + pool);
            let packets = 200 + self.dice.below(900);
            self.talk(host, [&from, &end(&database, 5432)], (6, packets, packets * 120, packets * 600), base);
        }
        for _ in 0..6 {
            let site = self.dice.below(400);
            let to = end(&format!("151.101.{}.{}", site % 200, 1 + site / 200), 443);
            let from = end(&own, self.ephemeral());
            let (at, packets) = (base + self.dice.below(60) as i64, 9 + self.dice.below(60));
            let (sent, got) = (packets * 80 + self.dice.below(4000), packets * 400 + self.dice.below(9000));
            self.talk(host, [&from, &to], (6, packets, sent, got), at);
        }
    }

    /// The other side of the pools.
    fn database(&mut self, host: u64, base: i64) {
        let own = end(&own(host), 5432);
        for client in 1..5 {
            for pool in 0..4 {
                let from = end(&self::own(host / 6 * 6 + client), 40_000 + pool);
                let packets = 200 + self.dice.below(900);
                self.talk(host, [&from, &own], (6, packets, packets * 120, packets * 600), base);
            }
        }
    }

    /// Names, time, an agent that reports, a backup at night, and noise.
    fn every_host(&mut self, host: u64, base: i64, minute: i64) {
        let own = own(host);
        for _ in 0..3 {
            let (from, at) = (end(&own, self.ephemeral()), base + self.dice.below(60) as i64);
            let (sent, got) = (60 + self.dice.below(30), 110 + self.dice.below(200));
            self.talk(host, [&from, &end("10.20.0.2", 53)], (17, 1, sent, got), at);
        }
        if minute % 17 == host as i64 % 17 {
            self.talk(host, [&end(&own, 123), &end("169.254.169.123", 123)], (17, 1, 76, 76), base + 3);
        }
        let agent = end(&own, self.ephemeral());
        self.talk(host, [&agent, &end("52.94.5.10", 443)], (6, 14, 3200 + host, 5400), base + host as i64 % 60);
        if (120..150).contains(&(minute % 1440)) && host % 6 == 5 {
            let from = end(&own, 50_001);
            self.line(host, [&from, &end("52.216.10.9", 443)], (6, 3_000_000, 4_200_000_000), base, "ACCEPT");
            self.line(host, [&end("52.216.10.9", 443), &from], (6, 400_000, 21_000_000), base, "ACCEPT");
        }
        if self.dice.below(4) == 0 {
            let noise = self.dice.next();
            let from =
                end(&format!("{}.{}.{}.{}", 60 + noise % 38, noise >> 8 & 255, noise >> 16 & 255, noise >> 24 & 255), 51_000);
            let port = *[22, 23, 445, 3389, 8080, 5900, 1433, 6379].get((noise >> 32) as usize % 8).unwrap_or(&23);
            let at = base + self.dice.below(60) as i64;
            self.line(host, [&from, &end(&own, port)], (6, 1, 44), at, "REJECT");
        }
    }
}

fn own(host: u64) -> String {
    format!("10.20.{}.{}", 1 + host / 200, 10 + host % 200)
}

/// Writes so many lines of version 2 about so many hosts, without line ends, in the order of their minutes: about 40 lines a host
/// and minute. The same each time.
pub fn sea(hosts: u64, lines: u64, write: &mut dyn FnMut(&str)) {
    let mut sea = Sea { dice: Dice(7), hosts, left: lines, write };
    let mut minute = 0;
    while sea.left > 0 {
        sea.minute(minute);
        minute += 1;
    }
}
