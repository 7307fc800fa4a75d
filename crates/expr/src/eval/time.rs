//! Times and durations.

use jiff::{SignedDuration, Timestamp};

/// A time from RFC 3339 text; a day alone is its midnight in UTC.
pub(crate) fn timestamp(text: &str) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
    Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// A time from seconds since 1970.
pub(super) fn seconds(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

/// A duration from text such as `90d`, `1h30m`, `1.5s`, `-10m`: CEL's units (h, m, s, ms, us, ns) and days of 24 hours.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(SignedDuration::ZERO);
    }
    let mut nanos: i128 = 0;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(unit_end)?;
        let unit: i128 = match unit {
            "d" => 86_400_000_000_000,
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "us" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        nanos = nanos.checked_add(decimal(number, unit)?)?;
        rest = tail;
        parts += 1;
    }
    if parts == 0 {
        return None;
    }
    let nanos = if negative { -nanos } else { nanos };
    let seconds = i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?;
    // Whole seconds beyond this are further apart than any two timestamps.
    if seconds.unsigned_abs() > 1 << 40 {
        return None;
    }
    Some(SignedDuration::new(seconds, nanos.rem_euclid(1_000_000_000) as i32))
}

/// `1.5` times a unit, exactly to the nanosecond.
fn decimal(number: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || whole.len() > 18 || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let mut nanos = if whole.is_empty() { 0 } else { whole.parse::<i128>().ok()? * unit };
    if !fraction.is_empty() {
        nanos += fraction.parse::<i128>().ok()? * unit / 10i128.pow(fraction.len() as u32);
    }
    Some(nanos)
}

/// Whole days between two times, rounded down.
pub(super) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_secs().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in
            [("90d", 7_776_000), ("1h30m", 5_400), ("1.5m", 90), ("-10m", -600), ("0", 0), ("0s", 0), ("1000ms", 1)]
        {
            assert_eq!(duration(text), Some(SignedDuration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("-1.5s"), Some(SignedDuration::from_millis(-1_500)));
        for text in ["", "d", "5", "5x", "1..5s", "99999999999999999d", "1h 30m", "-", "9999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        let midnight: Timestamp = "2026-01-31T00:00:00Z".parse().unwrap();
        for text in ["2026-01-31T00:00:00Z", "2026-01-31", "2026-01-31T01:00:00+01:00", "2026-01-31T00:00:00.000000+00:00"] {
            assert_eq!(timestamp(text), Some(midnight), "{text}");
        }
        for text in ["", "yesterday", "2026-13-01", "20260131x"] {
            assert_eq!(timestamp(text), None, "{text}");
        }
        assert_eq!(days_between(midnight, "2026-02-01T23:00:00Z".parse().unwrap()), 1);
        assert_eq!(days_between(midnight, "2026-01-30T23:00:00Z".parse().unwrap()), -1);
    }
}
