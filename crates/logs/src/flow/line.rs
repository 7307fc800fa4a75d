//! One line, by its layout.

use super::Address;
use super::field::{Field, Layout};
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
const COUNTER_MAX: u64 = 1 << 63;

/// 1980-01-01 in Unix seconds: nothing was logged before, also not by what was converted.
const TIME_MIN: u64 = 315_532_800;

/// A number in decimal.
fn number(text: &[u8]) -> Result<u64, Reason> {
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

fn counter(text: &[u8]) -> Result<u64, Reason> {
    match number(text)? {
        value if value <= COUNTER_MAX => Ok(value),
        _ => Err(Reason::TooLarge),
    }
}

fn time(text: &[u8], latest: i64) -> Result<i64, Reason> {
    match number(text)? {
        value if value < TIME_MIN => Err(Reason::Time),
        value => i64::try_from(value).ok().filter(|value| *value <= latest).ok_or(Reason::Future),
    }
}

fn small<T: TryFrom<u64>>(text: &[u8]) -> Result<T, Reason> {
    T::try_from(number(text)?).map_err(|_| Reason::TooLarge)
}

fn address(text: &[u8]) -> Result<Address, Reason> {
    Address::parse(text).ok_or(Reason::Address)
}

/// Reads a line into `record`. `latest` is the newest time that is believed.
pub(crate) fn read<'a>(text: &'a [u8], layout: &Layout, latest: i64, record: &mut Record<'a>) -> Result<Line, Reason> {
    *record = Record::default();
    let mut status: &[u8] = b"OK";
    let (mut addresses, mut started) = (0, false);
    let mut fields = layout.fields.iter();
    let mut problem = None;
    let mut rest = text;
    loop {
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let (token, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        let Some(field) = fields.next() else { return Err(Reason::FieldCount) };
        if token != b"-" {
            match field {
                Field::LogStatus => status = token,
                Field::SrcAddr | Field::DstAddr => addresses += 1,
                Field::Start => started = true,
                _ => {}
            }
            if let Err(reason) = fill(record, *field, token, latest) {
                problem.get_or_insert(reason);
            }
        }
        match tail.split_first() {
            Some((_, after)) => rest = after,
            None => break,
        }
    }
    if fields.next().is_some() {
        return Err(Reason::FieldCount);
    }
    match status {
        b"NODATA" => return Ok(Line::NoData),
        b"SKIPDATA" => return Ok(Line::SkipData),
        b"OK" => {}
        _ => return Err(Reason::Status),
    }
    if let Some(reason) = problem {
        return Err(reason);
    }
    if addresses < 2 {
        return Err(Reason::NoAddress);
    }
    if !started {
        return Err(Reason::NoTime);
    }
    record.end = record.end.max(record.start);
    Ok(Line::Record)
}

fn fill<'a>(record: &mut Record<'a>, field: Field, token: &'a [u8], latest: i64) -> Result<(), Reason> {
    match field {
        Field::AccountId => record.account = token,
        Field::InterfaceId | Field::AttachmentId => record.interface = token,
        Field::SrcAddr => record.source = address(token)?,
        Field::DstAddr => record.destination = address(token)?,
        Field::SrcPort => record.source_port = small(token)?,
        Field::DstPort => record.destination_port = small(token)?,
        Field::Protocol => record.protocol = small(token)?,
        Field::Packets => record.packets = counter(token)?,
        Field::Bytes => record.bytes = counter(token)?,
        Field::Start => record.start = time(token, latest)?,
        Field::End => record.end = time(token, latest)?,
        Field::Action => {
            record.action = match token {
                b"ACCEPT" => Action::Accept,
                b"REJECT" => Action::Reject,
                _ => return Err(Reason::Action),
            }
        }
        Field::TcpFlags => record.tcp_flags = Some(small(token)?),
        Field::FlowDirection => {
            record.direction = match token {
                b"ingress" => Direction::Ingress,
                b"egress" => Direction::Egress,
                _ => return Err(Reason::Direction),
            }
        }
        Field::PktSrcAddr => record.packet_source = Some(address(token)?),
        Field::PktDstAddr => record.packet_destination = Some(address(token)?),
        Field::VpcId => record.vpc = token,
        Field::SubnetId => record.subnet = token,
        Field::InstanceId => record.instance = token,
        Field::PktSrcAwsService => record.source_service = token,
        Field::PktDstAwsService => record.destination_service = token,
        Field::TrafficPath => record.traffic_path = small(token)?,
        Field::RejectReason => record.reject_reason = token,
        Field::Version | Field::ResourceType | Field::LogStatus | Field::Other => {}
    }
    Ok(())
}
