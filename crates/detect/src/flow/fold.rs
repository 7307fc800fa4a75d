//! Everything that is kept of the records read: a sum that does not depend on their order.
//!
//! Two folds of two halves of the records, put together, are the fold of all of them. The detectors look at nothing else.

use std::collections::BTreeSet;

use logs::flow::{Address, Direction, Field, Record};
use rustc_hash::FxHashMap;

use super::alarm::{Alarm, Firing, Metric};
use super::conversation::{BUCKET, Code, Key, Origin, Role, Tally, has_ports, role};
use super::interface::Interface;
use super::rate::{Rate, Rates, Volume};
use super::state::STATE_CONVERSATIONS_MAX;
use super::table::{Table, mix};

/// The most conversations that are kept. Beyond it only every second client is, then every fourth, and so on, chosen by the hash
/// of its address; what is told says so.
pub const CONVERSATIONS_MAX: usize = 2_000_000;

/// The most minutes of interfaces that are kept; a minute that comes after is not counted.
pub const MINUTES_MAX: usize = 1_000_000;

/// The most interfaces that are kept apart; those that come after count as one without a name.
pub const INTERFACES_MAX: usize = 200_000;

/// The most packet sources that are kept apart for spoofing.
pub const STRANGERS_MAX: usize = 100_000;

/// A record of at least this many packets is spread over the minutes it lasted.
const SPREAD_PACKETS: u64 = 600;

/// A record is spread over at most this many minutes: AWS's longest window is ten.
const SPREAD_MINUTES_MAX: i64 = 15;

/// Packets that left an interface with a source that is not the interface's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stranger {
    pub(crate) packets: u64,
    pub(crate) flows: u64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) origin: Origin,
}

/// How much is kept.
#[derive(Clone, Copy, Debug)]
struct Limits {
    conversations: usize,
    minutes: usize,
    interfaces: usize,
    strangers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { conversations: CONVERSATIONS_MAX, minutes: MINUTES_MAX, interfaces: INTERFACES_MAX, strangers: STRANGERS_MAX }
    }
}

/// What is kept of all records.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    pub(crate) interfaces: Vec<Interface>,
    numbers: FxHashMap<Vec<u8>, u32>,
    /// IPv6 addresses by code.
    pub(crate) v6: FxHashMap<Code, Address>,
    pub(crate) talks: Table,
    pub(crate) rates: Rates,
    /// By interface and the packet's source.
    pub(crate) strangers: FxHashMap<(u32, Code), Stranger>,
    /// Which fields the formats had.
    pub(crate) fields: BTreeSet<Field>,
    /// One client in `1 << thinned` is kept.
    pub(crate) thinned: u32,
    pub(crate) records: u64,
    /// Minutes that were not counted.
    pub(crate) minutes_lost: u64,
    /// Records whose interface was not kept apart.
    interfaces_lost: u64,
    /// Records whose packet source was not kept.
    strangers_lost: u64,
    pub(crate) span: Option<(i64, i64)>,
    /// Custom alarms.
    pub(crate) metrics: Vec<Metric>,
    last_interface: u32,
    limits: Limits,
}

/// Whether a client is kept at a level of thinning.
pub(crate) fn kept(client: Code, thinned: u32) -> bool {
    thinned == 0 || mix(client, 0x7468_696e) & ((1 << thinned) - 1) == 0
}

impl Fold {
    /// One that also keeps what custom alarms ask for.
    pub fn with_alarms(alarms: &[Alarm]) -> Fold {
        Fold { metrics: alarms.iter().cloned().map(Metric::new).collect(), ..Fold::default() }
    }

    /// One that knows these interfaces, by their places in the list.
    pub(crate) fn of_interfaces(interfaces: Vec<Interface>) -> Fold {
        let numbers =
            interfaces.iter().zip(0..).map(|(interface, number)| (interface.name.clone().into_bytes(), number)).collect();
        Fold { interfaces, numbers, ..Fold::default() }
    }

    /// When each custom alarm fired: its name, and each time.
    pub fn firings(&self) -> Vec<(String, Vec<Firing>)> {
        self.metrics.iter().map(|metric| (metric.alarm.name.clone(), metric.firings())).collect()
    }

    /// The code of an address; IPv6 addresses are remembered.
    fn code(&mut self, address: Address) -> Code {
        if address.is_v4() {
            return Code::from(address.0 as u32);
        }
        let code = mix(address.0 as u64, (address.0 >> 64) as u64) | 1 << 63;
        self.v6.entry(code).or_insert(address);
        code
    }

    /// The address of a code.
    pub(crate) fn address(&self, code: Code) -> Address {
        match u32::try_from(code) {
            Ok(bits) => Address::v4(bits),
            Err(_) => self.v6.get(&code).copied().unwrap_or_default(),
        }
    }

    fn interface(&mut self, name: &[u8]) -> u32 {
        if let Some(last) = self.interfaces.get(self.last_interface as usize)
            && last.name.as_bytes() == name
        {
            return self.last_interface;
        }
        let name = name.get(..128).unwrap_or(name);
        let lost = self.interfaces.len() >= self.limits.interfaces && !self.numbers.contains_key(name);
        self.interfaces_lost += u64::from(lost);
        let name = if lost { b"" } else { name };
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = self.interfaces.len() as u32;
                self.numbers.insert(name.to_vec(), number);
                self.interfaces.push(Interface::named(name));
                number
            }
        };
        self.last_interface = number;
        number
    }

    /// Notes the fields that an input's format has.
    pub fn has_fields(&mut self, fields: &[Field]) {
        self.fields.extend(fields.iter().copied());
    }

    /// Takes a record in.
    pub fn see(&mut self, record: &Record<'_>, origin: Origin) {
        if let Some((key, tally)) = self.note(record, origin) {
            self.talks.add(&key, &tally);
            self.thin();
        }
    }

    /// Takes many records in, quicker than one by one: what they come to is the same.
    pub fn taker(&mut self) -> Taker<'_> {
        Taker { fold: self, held: Vec::with_capacity(BATCH) }
    }

    /// Counts a record, all but its conversation.
    fn note(&mut self, record: &Record<'_>, origin: Origin) -> Option<(Key, Tally)> {
        let (source, destination) = (self.code(record.source), self.code(record.destination));
        let interface = self.interface(record.interface);
        if let Some(held) = self.interfaces.get_mut(interface as usize) {
            held.see(record, source, destination);
        }
        self.records += 1;
        let (start, end) = (record.start, record.end);
        self.span = Some(self.span.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
        let role = role(record);
        let (client, server, port) = match role {
            Role::Destination => (destination, source, record.source_port),
            _ => (source, destination, record.destination_port),
        };
        // Other sources than AWS write ICMP's type and code as ports, each way its own.
        let port = if has_ports(record.protocol) { port } else { 0 };
        let bucket = (start.max(0) / BUCKET) as u32;
        let key = Key { client, server, interface, bucket, port, protocol: record.protocol, twin: role == Role::Twin };
        self.rate(record, interface, source, destination);
        self.metrics.iter_mut().for_each(|metric| metric.see(record, origin));
        if let Some(stranger) = record.packet_source.filter(|s| record.direction == Direction::Egress && *s != record.source) {
            let code = self.code(stranger);
            let seen = Stranger { packets: record.packets, flows: 1, first: start, last: end, origin };
            self.stranger((interface, code), seen);
        }
        kept(client, self.thinned).then(|| (key, Tally::of(record, role != Role::Destination, origin)))
    }

    fn thin(&mut self) {
        while self.talks.len() > self.limits.conversations && self.thinned < 32 {
            self.thinned += 1;
            let thinned = self.thinned;
            self.talks.retain(|key| kept(key.client, thinned));
        }
    }

    fn rate(&mut self, record: &Record<'_>, interface: u32, source: Code, destination: Code) {
        let volume = Volume { packets: record.packets, bytes: record.bytes, flows: 1 };
        let minute = record.start.max(0) / 60;
        let minutes = (record.end.max(0) / 60 - minute + 1).min(SPREAD_MINUTES_MAX);
        if record.packets < SPREAD_PACKETS || minutes < 2 {
            return self.see_rate((interface, minute as u32), (source, destination), &volume);
        }
        let parts = minutes as u64;
        let part = Volume { packets: volume.packets / parts, bytes: volume.bytes / parts, flows: 0 };
        let head = Volume { packets: volume.packets % parts, bytes: volume.bytes % parts, flows: 1 };
        self.see_rate((interface, minute as u32), (source, destination), &head);
        for minute in minute..minute + minutes {
            self.see_rate((interface, minute as u32), (source, destination), &part);
        }
    }

    fn see_rate(&mut self, key: (u32, u32), (source, destination): (Code, Code), volume: &Volume) {
        match self.rates.get_mut(key) {
            Some(held) => held.see(source, destination, volume),
            None => self.add_rate(key, &Rate::of(source, destination, *volume)),
        }
    }

    fn add_rate(&mut self, key: (u32, u32), rate: &Rate) {
        if let Some(held) = self.rates.get_mut(key) {
            held.add(rate);
        } else if self.rates.len() < self.limits.minutes {
            self.rates.insert(key, *rate);
        } else {
            self.minutes_lost += 1;
        }
    }

    fn stranger(&mut self, key: (u32, Code), seen: Stranger) {
        if let Some(held) = self.strangers.get_mut(&key) {
            held.origin = if (seen.first, seen.origin) < (held.first, held.origin) { seen.origin } else { held.origin };
            held.packets = held.packets.saturating_add(seen.packets);
            held.flows += seen.flows;
            held.first = held.first.min(seen.first);
            held.last = held.last.max(seen.last);
        } else if self.strangers.len() < self.limits.strangers {
            self.strangers.insert(key, seen);
        } else {
            self.strangers_lost += seen.flows;
        }
    }

    /// Takes over what another fold has, without copying it if nothing is held yet and no number is to be moved.
    pub fn absorb(&mut self, other: Fold, shift: u32) {
        if self.records == 0
            && self.talks.len() == 0
            && shift == 0
            && self.fields.is_empty()
            && self.metrics.len() == other.metrics.len()
        {
            *self = other;
        } else {
            self.merge(&other, shift);
        }
    }

    /// Adds what another fold has. Its inputs' numbers are moved up by `shift`.
    pub fn merge(&mut self, other: &Fold, shift: u32) {
        let numbers: Vec<u32> = other.interfaces.iter().map(|theirs| self.interface(theirs.name.as_bytes())).collect();
        for (theirs, number) in other.interfaces.iter().zip(&numbers) {
            if let Some(ours) = self.interfaces.get_mut(*number as usize) {
                ours.add(theirs);
            }
        }
        let number = |theirs: u32| numbers.get(theirs as usize).copied().unwrap_or_default();
        self.v6.extend(&other.v6);
        if other.thinned > self.thinned {
            self.thinned = other.thinned;
            self.talks.retain(|key| kept(key.client, other.thinned));
        }
        for (key, tally) in other.talks.iter().filter(|(key, _)| kept(key.client, self.thinned)) {
            let mut tally = *tally;
            tally.shift_input(shift);
            self.talks.add(&Key { interface: number(key.interface), ..*key }, &tally);
        }
        self.thin();
        for ((interface, minute), rate) in other.rates.iter() {
            self.add_rate((number(*interface), *minute), rate);
        }
        for ((interface, code), seen) in &other.strangers {
            let origin = Origin { input: seen.origin.input.saturating_add(shift), ..seen.origin };
            self.stranger((number(*interface), *code), Stranger { origin, ..*seen });
        }
        for theirs in &other.metrics {
            if let Some(ours) = self.metrics.iter_mut().find(|ours| ours.alarm == theirs.alarm) {
                ours.merge(theirs, shift);
            }
        }
        self.fields.extend(&other.fields);
        self.records += other.records;
        self.minutes_lost += other.minutes_lost;
        self.interfaces_lost += other.interfaces_lost;
        self.strangers_lost += other.strangers_lost;
        if let Some((start, end)) = other.span {
            self.span = Some(self.span.map_or((start, end), |(first, last)| (first.min(start), last.max(end))));
        }
    }

    /// Whether an input's format has the field.
    pub fn has_field(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// What did not fit, one line each.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = vec![];
        if self.thinned > 0 {
            gaps.push(format!(
                "more conversations than are kept ({CONVERSATIONS_MAX}, of them {STATE_CONVERSATIONS_MAX} from run to run): one client in \
                 {} was judged; read fewer days at a time",
                1u64 << self.thinned
            ));
        }
        if self.minutes_lost > 0 {
            gaps.push(format!(
                "{} records came after {MINUTES_MAX} minutes of interfaces: floods may be missed",
                self.minutes_lost
            ));
        }
        if self.interfaces_lost > 0 {
            gaps.push(format!("more than {INTERFACES_MAX} interfaces: those that came after count as one"));
        }
        if self.strangers_lost > 0 {
            let lost = self.strangers_lost;
            gaps.push(format!("{lost} records came after {STRANGERS_MAX} packet sources: spoofing may be missed"));
        }
        gaps
    }

    /// Whether every conversation is kept.
    pub fn is_whole(&self) -> bool {
        self.thinned == 0
    }

    /// The first start and the last end of the records, Unix seconds.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// The conversations that were let through since a time in Unix seconds: client, server, protocol and server port, each once, in
    /// order.
    pub fn let_through(&self, since: i64) -> BTreeSet<(Address, Address, u8, u16)> {
        let through = |tally: &Tally| tally.forth.flows > tally.forth.rejected && i64::from(tally.last) >= since;
        let passed = self.talks.iter().filter(|(_, tally)| through(tally));
        passed.map(|(key, _)| (self.address(key.client), self.address(key.server), key.protocol, key.port)).collect()
    }

    /// How many records were taken in.
    pub fn records(&self) -> u64 {
        self.records
    }
}

/// How many conversations are looked up together: their places in memory are then fetched at the same time.
pub(crate) const BATCH: usize = 32;

/// Takes records into a fold; the last of them when it is dropped.
pub struct Taker<'f> {
    fold: &'f mut Fold,
    held: Vec<(Key, Tally)>,
}

impl Taker<'_> {
    /// Takes a record in.
    pub fn see(&mut self, record: &Record<'_>, origin: Origin) {
        self.held.extend(self.fold.note(record, origin));
        if self.held.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.fold.talks.add_all(&self.held);
        self.held.clear();
        self.fold.thin();
    }
}

impl Drop for Taker<'_> {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests;
