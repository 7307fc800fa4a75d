//! Flow logs in Parquet: a file with AWS's names and types, written by DuckDB with gzip, and what damage does to it.

use logs::flow::{Columns, Field, Item, Layout, Reader, is_parquet, read_columns};

/// 38 refused attempts, one in five over IPv6, one window without data and one whose records were dropped.
const SAMPLE: &[u8] = include_bytes!("data/flow.parquet");

const LATEST: i64 = 1_893_456_000;

fn read(bytes: &[u8]) -> (Vec<String>, Columns) {
    let mut seen = vec![];
    let columns = read_columns(bytes.to_vec(), LATEST, &mut |item| match item {
        Item::Record(record, row) => seen.push(format!("{row} {record:?}")),
        Item::Reject(reject) => seen.push(format!("{reject:?}")),
    });
    (seen, columns)
}

#[test]
fn columns_are_what_lines_are() {
    let (seen, columns) = read(SAMPLE);
    assert!(is_parquet(SAMPLE) && columns.fault.is_none() && columns.unknown.is_empty(), "{columns:?}");
    assert_eq!((columns.counts.records, columns.counts.no_data, columns.counts.skip_data), (38, 1, 1));
    let mut text = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags\n".to_owned();
    for n in (0..40).filter(|n| ![7, 9].contains(n)) {
        let (from, to) = if n % 5 == 0 { ("2001:db8::7", "2001:db8::5") } else { ("198.51.100.7", "10.0.0.5") };
        let at = 1_767_225_600 + n;
        text += &format!("2 111122223333 eni-a {from} {to} 40000 {} 6 1 44 {at} {at} REJECT OK 2\n", 20 + n);
    }
    let mut lines = vec![];
    Reader::new(None, LATEST).feed(text.as_bytes(), true, &mut |item| {
        if let Item::Record(record, _) = item {
            lines.push(format!("{record:?}"));
        }
    });
    let bare: Vec<&str> = seen.iter().filter_map(|line| line.split_once(' ').map(|(_, record)| record)).collect();
    assert_eq!(bare, lines);
    assert!(seen[38 - 1].starts_with("39 "), "rows are numbered from 0: {}", seen[37]);
    let header = Layout::parse(text.lines().next().unwrap_or_default()).map(|layout| layout.fields);
    let sorted = |mut fields: Vec<Field>| {
        fields.retain(|field| *field != Field::Other);
        fields.sort();
        fields
    };
    assert_eq!(header.map(sorted), Ok(sorted(columns.fields)));
}

#[test]
fn what_was_cut_or_is_no_flow_log_is_told() {
    for length in [4, 12, SAMPLE.len() / 2, SAMPLE.len() - 1] {
        let (seen, columns) = read(&SAMPLE[..length]);
        assert!(seen.is_empty() && columns.fault.is_some_and(|fault| fault.contains("damaged")), "{length}");
    }
    let renamed: Vec<u8> = String::from_utf8_lossy(SAMPLE).into_owned().into_bytes();
    assert!(read(&renamed).1.fault.is_some(), "bytes that were taken for text");
}

/// Every second byte of the file in turn is changed: whatever comes of it, it ends, and no panic leaves the reader.
#[test]
fn damage_anywhere_costs_at_most_the_file() {
    std::panic::set_hook(Box::new(|_| ()));
    let mut faults = 0;
    for at in (0..SAMPLE.len()).step_by(2) {
        let mut bytes = SAMPLE.to_vec();
        bytes[at] ^= [0x01, 0x80, 0xff][at / 2 % 3];
        let (_, columns) = read(&bytes);
        assert!(columns.counts.lines() <= 1_000_000, "{at}");
        faults += usize::from(columns.fault.is_some());
    }
    let _ = std::panic::take_hook();
    assert!(faults > SAMPLE.len() / 8, "much damage is noticed: {faults}");
}
