//! Threat lists: the user's files of addresses, as sorted spans.

use logs::flow::Address;

use super::detector::parse_block;

/// The most spans of all lists together.
pub const THREATS_MAX: usize = 5_000_000;

/// Spans of listed addresses in order.
#[derive(Clone, Debug, Default)]
pub struct Threats {
    spans: Vec<(u128, u128, u32)>,
    names: Vec<String>,
}

impl Threats {
    /// Whether there is no list.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Adds a list: one address, block (`192.0.2.0/24`) or range (`192.0.2.1-192.0.2.9`) a line, at its start; `#` and `;` begin
    /// comments. Gives the numbers of the lines that are none of these.
    pub fn add(&mut self, name: &str, text: &str) -> Vec<usize> {
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        let mut wrong = vec![];
        for (at, line) in text.lines().enumerate() {
            let line = line.split(['#', ';']).next().unwrap_or_default().trim();
            let word = line.split([',', ' ', '\t']).next().unwrap_or_default();
            if word.is_empty() {
                continue;
            }
            match span(word).filter(|_| self.spans.len() < THREATS_MAX) {
                Some((low, high)) => self.spans.push((low, high, number)),
                None => wrong.push(at + 1),
            }
        }
        self.spans.sort_unstable();
        let mut reach = 0;
        for span in &mut self.spans {
            // Each span ends at least where those before it do, so that the last one that begins in time tells.
            reach = reach.max(span.1);
            if span.1 < reach && span.0 <= reach {
                span.1 = reach;
            }
        }
        wrong
    }

    /// The list that has the address.
    pub(crate) fn find(&self, address: Address) -> Option<&str> {
        let at = self.spans.partition_point(|span| span.0 <= address.0).checked_sub(1)?;
        let (_, high, list) = self.spans.get(at)?;
        if address.0 <= *high { self.names.get(*list as usize).map(String::as_str) } else { None }
    }
}

fn span(word: &str) -> Option<(u128, u128)> {
    if let Some((low, high)) = word.split_once('-') {
        let (low, high) = (Address::parse(low.as_bytes())?, Address::parse(high.as_bytes())?);
        return (low <= high && low.is_v4() == high.is_v4()).then_some((low.0, high.0));
    }
    let (block, bits) = parse_block(word)?;
    let width = if block.is_v4() { 32 } else { 128 };
    let size = 1u128.checked_shl(width - u32::from(bits)).map_or(u128::MAX, |size| size - 1);
    Some((block.0, block.0 | size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_ranges_and_addresses_are_found() {
        let mut threats = Threats::default();
        let wrong = threats.add("a", "# list\n192.0.2.0/24 ; x\n198.51.100.1-198.51.100.9\nnonsense\n2001:db8::/32\n192.0.2.7\n");
        assert_eq!(wrong, [4]);
        for (text, want) in [
            ("192.0.2.255", true),
            ("192.0.2.8", true),
            ("192.0.3.0", false),
            ("198.51.100.9", true),
            ("198.51.100.10", false),
            ("2001:db8:ffff::1", true),
            ("2001:db9::", false),
            ("0.0.0.1", false),
        ] {
            assert_eq!(threats.find(Address::parse(text.as_bytes()).unwrap()).is_some(), want, "{text}");
        }
    }
}
