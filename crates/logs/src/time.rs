//! CloudTrail's timestamps as seconds, without a time zone database.

/// Seconds since 1970-01-01T00:00:00Z of an RFC 3339 time such as `2023-07-10T12:00:00Z` (a fraction is cut off, an
/// offset is taken into account), or of a bare number of seconds or milliseconds.
pub fn seconds(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        let number = text.split('.').next()?.parse::<i64>().ok()?;
        return Some(if number > 100_000_000_000 { number / 1000 } else { number });
    }
    let number = |from: usize, to: usize| text.get(from..to).and_then(digits);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let marks = text.as_bytes();
    let shaped = marks.get(4) == Some(&b'-')
        && marks.get(7) == Some(&b'-')
        && matches!(marks.get(10), Some(b'T' | b't' | b' '))
        && marks.get(13) == Some(&b':')
        && marks.get(16) == Some(&b':');
    let ranged = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if !shaped || !ranged {
        return None;
    }
    let zone = text.get(19..)?.trim_start_matches('.').trim_start_matches(|c: char| c.is_ascii_digit());
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?)
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// `Z`, nothing, or `+01:00`, in seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let zone = zone.trim();
    if matches!(zone, "" | "Z" | "z" | "UTC") {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let hours = zone.get(1..3).and_then(digits)?;
    let minutes =
        zone.get(3..).map(|rest| rest.trim_start_matches(':')).filter(|rest| !rest.is_empty()).map_or(Some(0), digits)?;
    Some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of seconds since 1970.
pub fn date(seconds: i64) -> (i64, i64, i64) {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days - era * 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// RFC 3339 in UTC: `2023-07-10T12:00:00Z`.
pub fn text(seconds: i64) -> String {
    let (year, month, day) = date(seconds);
    let of_day = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// The ISO 8601 week, 1..=53: the week that holds the year's first Thursday is the first.
pub fn week(seconds: i64) -> i64 {
    let day = seconds.div_euclid(86_400);
    let thursday = day - (day + 3).rem_euclid(7) + 3;
    let (year, ..) = date(thursday * 86_400);
    (thursday - days(year, 1, 1)) / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2023-07-10T12:00:00Z", Some(1_688_990_400)),
            ("2024-02-29T23:59:59.123Z", Some(1_709_251_199)),
            ("2023-07-10T14:00:00+02:00", Some(1_688_990_400)),
            ("2023-07-10 12:00:00.000", Some(1_688_990_400)),
            ("1688990400", Some(1_688_990_400)),
            ("1688990400000", Some(1_688_990_400)),
            ("2023-13-10T12:00:00Z", None),
            ("2023-07-10", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(seconds(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn weeks_are_iso_weeks() {
        for (text, want) in [
            ("2021-01-03T12:00:00Z", 53),
            ("2021-01-04T00:00:00Z", 1),
            ("2024-12-30T00:00:00Z", 1),
            ("2023-07-10T12:00:00Z", 28),
            ("1970-01-01T00:00:00Z", 1),
        ] {
            assert_eq!(seconds(text.as_bytes()).map(week), Some(want), "{text}");
        }
    }

    #[test]
    fn writing_undoes_reading() {
        for n in (-2_000_000_000i64..4_000_000_000).step_by(86_399 * 31) {
            assert_eq!(seconds(text(n).as_bytes()), Some(n));
        }
    }
}
