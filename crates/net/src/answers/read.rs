//! Small readers of AWS's JSON.

use model::Text;
use serde_json::Value;

use crate::addr::Cidr;
use crate::network::State;
use crate::ports::{Ports, protocol};

/// Text at a key; empty text counts as absent.
pub(super) fn text(item: &Value, key: &str) -> Option<Text> {
    item.get(key)?.as_str().filter(|s| !s.is_empty()).map(Text::from)
}

/// Text at a key, or empty text.
pub(super) fn or_empty(item: &Value, key: &str) -> Text {
    text(item, key).unwrap_or_default()
}

/// The list at a key, or an empty one.
pub(super) fn list<'a>(item: &'a Value, key: &str) -> &'a [Value] {
    item.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A truth value, also written as text.
pub(super) fn flag(item: &Value, key: &str) -> Option<bool> {
    match item.get(key)? {
        Value::Bool(b) => Some(*b),
        Value::String(s) => match s.to_ascii_lowercase().as_str() {
            "true" | "enable" | "enabled" | "on" => Some(true),
            "false" | "disable" | "disabled" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also written as text.
pub(super) fn int(item: &Value, key: &str) -> Option<i64> {
    match item.get(key)? {
        Value::Number(n) => n.as_i64(),
        Value::String(s) => s.parse().ok(),
        _ => None,
    }
}

/// A port number.
pub(super) fn port(item: &Value, key: &str) -> Option<u16> {
    int(item, key).and_then(|n| u16::try_from(n).ok())
}

/// A CIDR block at a key: `Ok(None)` if there is none, the bad text as error.
pub(super) fn cidr(item: &Value, key: &str) -> Result<Option<Cidr>, String> {
    match text(item, key) {
        None => Ok(None),
        Some(text) => Cidr::parse(&text).map(Some).ok_or_else(|| text.to_string()),
    }
}

/// A state word: one of `good` is up, anything else is down, none is up.
pub(super) fn state(word: Option<Text>, good: &[&str]) -> State {
    match word {
        None => State::Up,
        Some(word) if good.contains(&word.as_ref()) => State::Up,
        Some(word) => State::Down(word),
    }
}

/// A protocol as EC2 writes it: a name or a number, `-1` for all. `Ok(None)` means all.
pub(super) fn protocol_number(word: &str) -> Result<Option<u8>, String> {
    match word.to_ascii_lowercase().as_str() {
        "-1" | "all" => Ok(None),
        "tcp" => Ok(Some(protocol::TCP)),
        "udp" => Ok(Some(protocol::UDP)),
        "icmp" => Ok(Some(protocol::ICMP)),
        "icmpv6" | "icmp6" => Ok(Some(protocol::ICMP6)),
        other => other.parse::<u8>().map(Some).map_err(|_| format!("`{word}` is not a protocol")),
    }
}

/// Protocol and ports of a security group rule: `FromPort` and `ToPort` are ports, or type and code for ICMP, -1 for any. The
/// error says what makes no sense.
pub(crate) fn rule_ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> Result<Ports, String> {
    let Some(number) = protocol_number(protocol)? else { return Ok(Ports::full()) };
    let narrow = |n: Option<i64>| match n {
        None | Some(-1) => Ok(None),
        Some(n) => u16::try_from(n).map(Some).map_err(|_| format!("`{n}` is not a port")),
    };
    let (low, high) = (narrow(from)?, narrow(to)?);
    match number {
        protocol::ICMP | protocol::ICMP6 => match low.max(high) {
            Some(n) if n > 255 => Err(format!("`{n}` is not an ICMP type or code")),
            _ => Ok(Ports::of(number, low, high)),
        },
        _ => match (low.unwrap_or(0), high.unwrap_or(u16::MAX)) {
            (low, high) if low > high => Err(format!("the port range {low}-{high} is reversed")),
            _ => Ok(Ports::of(number, low, high)),
        },
    }
}
