//! One line, by its layout.

use super::Address;
use super::address::v4_bits;
use super::field::{Field, Layout};
use super::plain;
use super::reader::Reason;
use super::record::{Action, Direction, Record};

/// What a line says.
pub(crate) enum Line {
    /// It is a record.
    Record,
    /// Nothing went through the interface in the window.
    NoData,
    /// AWS dropped records of the window.
    SkipData,
}

/// Counters beyond this are damage: no flow has them.
pub(super) const COUNTER_MAX: u64 = 1 << 63;

/// 1980-01-01 in Unix seconds: nothing was logged before, also not by what was converted.
pub(super) const TIME_MIN: u64 = 315_532_800;

/// A number in decimal.
pub(crate) fn number(text: &[u8]) -> Result<u64, Reason> {
    if text.is_empty() || text.len() > 20 {
        return Err(Reason::NotANumber);
    }
    let mut value = 0u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(Reason::NotANumber);
        }
        value = value.checked_mul(10).and_then(|v| v.checked_add(u64::from(digit))).ok_or(Reason::TooLarge)?;
    }
    Ok(value)
}

fn counter(value: u64) -> Result<u64, Reason> {
    if value <= COUNTER_MAX { Ok(value) } else { Err(Reason::TooLarge) }
}

fn time(value: u64, latest: i64) -> Result<i64, Reason> {
    if value < TIME_MIN {
        return Err(Reason::Time);
    }
    i64::try_from(value).ok().filter(|value| *value <= latest).ok_or(Reason::Future)
}

fn small<T: TryFrom<u64>>(value: u64) -> Result<T, Reason> {
    T::try_from(value).map_err(|_| Reason::TooLarge)
}

/// A record on the way: what was seen of it beside its fields.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    pub(crate) record: Record<'a>,
    status: &'a [u8],
    addresses: u8,
    started: bool,
    problem: Option<Reason>,
}

impl<'a> Draft<'a> {
    fn note(&mut self, field: Field) {
        match field {
            Field::SrcAddr | Field::DstAddr => self.addresses += 1,
            Field::Start => self.started = true,
            _ => {}
        }
    }

    /// Takes a field's text in. What is wrong is told at the end, since windows without data may say anything.
    pub(crate) fn text(&mut self, field: Field, text: &'a [u8]) {
        self.note(field);
        if let Err(reason) = self.fill(field, text) {
            self.problem.get_or_insert(reason);
        }
    }

    fn set_address(&mut self, field: Field, address: Address) {
        match field {
            Field::SrcAddr => self.record.source = address,
            Field::DstAddr => self.record.destination = address,
            Field::PktSrcAddr => self.record.packet_source = Some(address),
            Field::PktDstAddr => self.record.packet_destination = Some(address),
            _ => {}
        }
    }

    /// Takes a field's number in; `None` is one that no field can hold.
    pub(crate) fn number(&mut self, field: Field, value: Option<u64>, latest: i64) {
        self.note(field);
        if let Err(reason) = value.ok_or(Reason::NotANumber).and_then(|value| self.set(field, value, latest)) {
            self.problem.get_or_insert(reason);
        }
    }

    fn wrong(&mut self, field: Field, reason: Reason) {
        self.note(field);
        self.problem.get_or_insert(reason);
    }

    /// What it is, all fields taken in.
    pub(crate) fn end(&mut self) -> Result<Line, Reason> {
        match self.status {
            b"NODATA" => return Ok(Line::NoData),
            b"SKIPDATA" => return Ok(Line::SkipData),
            b"OK" | b"" => {}
            _ => return Err(Reason::Status),
        }
        if let Some(reason) = self.problem {
            return Err(reason);
        }
        if self.addresses < 2 {
            return Err(Reason::NoAddress);
        }
        if !self.started {
            return Err(Reason::NoTime);
        }
        self.record.end = self.record.end.max(self.record.start);
        Ok(Line::Record)
    }

    fn fill(&mut self, field: Field, token: &'a [u8]) -> Result<(), Reason> {
        if field.is_address() {
            self.set_address(field, Address::parse(token).ok_or(Reason::Address)?);
            return Ok(());
        }
        let record = &mut self.record;
        match field {
            Field::AccountId => record.account = token,
            Field::InterfaceId | Field::AttachmentId => record.interface = token,
            Field::Action => {
                record.action = match token {
                    b"ACCEPT" => Action::Accept,
                    b"REJECT" => Action::Reject,
                    _ => return Err(Reason::Action),
                }
            }
            Field::FlowDirection => {
                record.direction = match token {
                    b"ingress" => Direction::Ingress,
                    b"egress" => Direction::Egress,
                    _ => return Err(Reason::Direction),
                }
            }
            Field::VpcId => record.vpc = token,
            Field::SubnetId => record.subnet = token,
            Field::InstanceId => record.instance = token,
            Field::PktSrcAwsService => record.source_service = token,
            Field::PktDstAwsService => record.destination_service = token,
            Field::RejectReason => record.reject_reason = token,
            Field::LogStatus => self.status = token,
            _ => {}
        }
        Ok(())
    }

    fn set(&mut self, field: Field, value: u64, latest: i64) -> Result<(), Reason> {
        let record = &mut self.record;
        match field {
            Field::SrcPort => record.source_port = small(value)?,
            Field::DstPort => record.destination_port = small(value)?,
            Field::Protocol => record.protocol = small(value)?,
            Field::Packets => record.packets = counter(value)?,
            Field::Bytes => record.bytes = counter(value)?,
            Field::Start => record.start = time(value, latest)?,
            Field::End => record.end = time(value, latest)?,
            Field::TcpFlags => record.tcp_flags = Some(small(value)?),
            Field::TrafficPath => record.traffic_path = small(value)?,
            _ => {}
        }
        Ok(())
    }
}

impl Field {
    /// Whether its values are addresses.
    fn is_address(self) -> bool {
        matches!(self, Field::SrcAddr | Field::DstAddr | Field::PktSrcAddr | Field::PktDstAddr)
    }

    /// Whether its values are numbers that mean something here.
    pub(crate) fn is_number(self) -> bool {
        use Field::{Bytes, DstPort, End, Packets, Protocol, SrcPort, Start, TcpFlags, TrafficPath};
        matches!(self, SrcPort | DstPort | Protocol | Packets | Bytes | Start | End | TcpFlags | TrafficPath)
    }
}

/// A number that ends at a space or the end, and what comes after the space; `None` if it is anything else or may not fit.
fn quick_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    let (value, digits) = plain::number(text)?;
    Some((value, behind(text, digits)?))
}

/// An IPv4 address that ends at a space or the end, and what comes after the space.
fn quick_address(text: &[u8]) -> Option<(Address, Option<&[u8]>)> {
    let (bits, used) = v4_bits(text)?;
    Some((Address::v4(bits), behind(text, used)?))
}

/// What comes after a field of this length: `None` after the last, nothing at all if no space ends it.
fn behind(text: &[u8], length: usize) -> Option<Option<&[u8]>> {
    match text.get(length..)?.split_first() {
        None => Some(None),
        Some((b' ', rest)) => Some(Some(rest)),
        Some(_) => None,
    }
}

/// Reads a line into a fresh draft. `latest` is the newest time that is believed.
pub(crate) fn read<'a>(text: &'a [u8], layout: &Layout, latest: i64, draft: &mut Draft<'a>) -> Result<Line, Reason> {
    let mut fields = layout.fields.iter();
    let mut next = Some(text);
    while let Some(rest) = next {
        let Some(field) = fields.next() else { return Err(Reason::FieldCount) };
        let is_number = field.is_number();
        if is_number && let Some((value, after)) = quick_number(rest) {
            draft.number(*field, Some(value), latest);
            next = after;
            continue;
        }
        if field.is_address()
            && let Some((address, after)) = quick_address(rest)
        {
            draft.note(*field);
            draft.set_address(*field, address);
            next = after;
            continue;
        }
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (token, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        next = tail.split_first().map(|(_, after)| after);
        if token == b"-" {
            continue;
        }
        if is_number {
            match number(token) {
                Ok(value) => draft.number(*field, Some(value), latest),
                Err(reason) => draft.wrong(*field, reason),
            }
        } else {
            draft.text(*field, token);
        }
    }
    if fields.next().is_some() {
        return Err(Reason::FieldCount);
    }
    draft.end()
}
