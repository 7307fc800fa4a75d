//! A line of the default format with nothing odd in it, read field after field without a look at the layout: most lines of most
//! logs. What has anything odd is left to [`super::line`], which knows why.

use super::Address;
use super::line::{COUNTER_MAX, TIME_MIN};
use super::record::{Action, Record};

/// Fills a fresh record from a line in the default format; `None`, and nothing filled, if there is anything odd about it. `latest`
/// is the newest time that is believed.
pub(super) fn read<'a>(text: &'a [u8], latest: i64, record: &mut Record<'a>) -> Option<()> {
    let mut rest = Rest(text);
    rest.token()?;
    let (account, interface) = (rest.token()?, rest.token()?);
    let (source, destination) = (rest.address()?, rest.address()?);
    let (source_port, destination_port) = (u16::try_from(rest.number()?).ok()?, u16::try_from(rest.number()?).ok()?);
    let protocol = u8::try_from(rest.number()?).ok()?;
    let (packets, bytes) = (rest.number()?, rest.number()?);
    let (start, end) = (rest.number()?, rest.number()?);
    let action = match rest.token()? {
        b"ACCEPT" => Action::Accept,
        b"REJECT" => Action::Reject,
        _ => return None,
    };
    let believed = TIME_MIN..=u64::try_from(latest).ok()?;
    let fine = rest.0 == b"OK"
        && account != b"-"
        && interface != b"-"
        && packets.max(bytes) <= COUNTER_MAX
        && believed.contains(&start)
        && believed.contains(&end);
    if !fine {
        return None;
    }
    (record.account, record.interface) = (account, interface);
    (record.source, record.destination) = (source, destination);
    (record.source_port, record.destination_port, record.protocol) = (source_port, destination_port, protocol);
    (record.packets, record.bytes) = (packets, bytes);
    (record.start, record.end) = (start as i64, end.max(start) as i64);
    record.action = action;
    Some(())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// What is left of a line. Each field but the last ends at a space.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// Goes on behind a field of this length; `None` if no space ends it.
    fn pass(&mut self, length: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(length)?;
        let (space, rest) = rest.split_first()?;
        self.0 = rest;
        (*space == b' ').then_some(field)
    }

    fn token(&mut self) -> Option<&'a [u8]> {
        let length = memchr::memchr(b' ', self.0)?;
        self.pass(length)
    }

    fn number(&mut self) -> Option<u64> {
        let (value, digits) = number(self.0)?;
        self.pass(digits)?;
        Some(value)
    }

    fn address(&mut self) -> Option<Address> {
        let (bits, length) = super::address::v4_bits(self.0)?;
        self.pass(length)?;
        Some(Address::v4(bits))
    }
}

/// The number that a text begins with and how many digits it has; at most nineteen, which always fit in 64 bits.
pub(super) fn number(text: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut digits) = match text.first_chunk::<8>() {
        Some(bytes) => leading(u64::from_le_bytes(*bytes)),
        None => (0, 0),
    };
    if digits == 0 || digits == 8 {
        let more = text.get(digits..)?.iter().map(|byte| byte.wrapping_sub(b'0')).take_while(|digit| *digit < 10);
        for digit in more.take(12) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        }
    }
    (1..=19).contains(&digits).then_some((value, digits))
}

/// The number that the digits at the start of eight bytes make, the first byte lowest, and how many there are.
///
/// Three multiplications join neighbours: digits to pairs, pairs to fours, fours to eight.
fn leading(bytes: u64) -> (u64, usize) {
    let values = bytes ^ (ONES * u64::from(b'0'));
    // A byte above 9 carries into its highest bit.
    let others = (values.wrapping_add(ONES * 0x76) | values) & HIGHS;
    let digits = (others.trailing_zeros() / 8) as usize;
    if digits == 0 {
        return (0, 0);
    }
    let digits_only = values << (64 - 8 * digits);
    let pairs = digits_only.wrapping_mul(10).wrapping_add(digits_only >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::field::Layout;
    use super::super::line::{self, Draft};
    use super::*;

    const LATEST: i64 = 2_000_000_000;

    #[test]
    fn a_whole_line() {
        let text =
            b"2 123456789010 eni-1235b8ca123456789 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
        let mut record = Record::default();
        read(text, LATEST, &mut record).unwrap();
        assert_eq!((record.source_port, record.destination_port, record.protocol), (20641, 22, 6));
        assert_eq!((record.packets, record.bytes, record.start, record.end), (20, 4249, 1_418_530_010, 1_418_530_070));
        assert_eq!((record.account, record.interface), (&b"123456789010"[..], &b"eni-1235b8ca123456789"[..]));
    }

    proptest! {
        #[test]
        fn digits_make_their_number(value in 0u64..100_000_000, behind in "[ -~]{8}") {
            let text = format!("{value} {behind}");
            let bytes = text.as_bytes().first_chunk::<8>().unwrap();
            prop_assert_eq!(leading(u64::from_le_bytes(*bytes)), (value, value.to_string().len()));
        }

        #[test]
        fn what_it_reads_is_what_the_layout_says(
            address in "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
            port in "([0-9]{1,6}|-)", number in "([0-9]{1,21}|-|[0-9]{3}x)",
            time in prop::sample::select(vec!["1418530010", "1", "3000000000", "-"]),
            action in prop::sample::select(vec!["ACCEPT", "REJECT", "-", "accept"]),
            status in prop::sample::select(vec!["OK", "NODATA", "SKIPDATA", "OK ", "OK more", ""]),
            account in prop::sample::select(vec!["123456789010", "-", "unknown"]),
        ) {
            let text = format!("2 {account} eni-1 {address} 10.0.0.1 {port} 22 6 {number} 7 {time} 1418530070 {action} {status}");
            let mut draft = Draft::default();
            let slow = line::read(text.as_bytes(), &Layout::vpc_default(), LATEST, &mut draft);
            let mut record = Record::default();
            if read(text.as_bytes(), LATEST, &mut record).is_some() {
                prop_assert!(matches!(slow, Ok(line::Line::Record)));
                prop_assert_eq!(format!("{record:?}"), format!("{:?}", draft.record));
            }
        }
    }
}
