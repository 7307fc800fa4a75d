//! What comes out of which lines.

use super::*;

const LATEST: i64 = 2_000_000_000;

fn read_in_pieces(text: &[u8], given: Option<Layout>, piece: usize) -> (Vec<String>, Counts) {
    let mut reader = Reader::new(given, LATEST);
    let mut seen = vec![];
    let mut sink = |item: Item<'_>| {
        seen.push(match item {
            Item::Record(r, byte) => format!(
                "{byte} {} {}:{}>{}:{} {} {} {} {} {:?} {:?} {:?}",
                String::from_utf8_lossy(r.interface),
                r.source,
                r.source_port,
                r.destination,
                r.destination_port,
                r.protocol,
                r.packets,
                r.bytes,
                r.start,
                r.action,
                r.direction,
                r.tcp_flags
            ),
            Item::Reject(reject) => format!("{} line {} {:?}", reject.byte, reject.line, reject.reason),
        });
    };
    let mut held: Vec<u8> = vec![];
    for part in text.chunks(piece) {
        held.extend_from_slice(part);
        let used = reader.feed(&held, false, &mut sink);
        held.drain(..used);
    }
    let used = reader.feed(&held, true, &mut sink);
    assert_eq!(used, held.len());
    (seen, reader.counts().clone())
}

/// The same whatever the pieces.
fn read(text: &str, given: Option<Layout>) -> (Vec<String>, Counts) {
    let whole = read_in_pieces(text.as_bytes(), given.clone(), usize::MAX);
    let pieces: &[usize] = if text.len() > 10_000 { &[4096, 20_011] } else { &[1, 7, 64] };
    for piece in pieces.iter().copied() {
        assert_eq!(read_in_pieces(text.as_bytes(), given.clone(), piece), whole);
    }
    whole
}

const V2: &str = "2 123456789010 eni-1a 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";

#[test]
fn the_default_format_needs_no_header() {
    let (seen, counts) = read(&format!("{V2}\n\n2 1 eni-2 - - - - - - - 1431280876 1431280934 - NODATA\n"), None);
    assert_eq!(seen, ["0 eni-1a 172.31.16.139:20641>172.31.16.21:22 6 20 4249 1418530010 Accept Unsaid None"]);
    assert_eq!((counts.records, counts.no_data, counts.empty, counts.rejected(), counts.lines()), (1, 1, 1, 0, 3));
}

#[test]
fn a_header_anywhere_sets_the_order() {
    let text = format!(
        "{V2}\nsrcaddr dstaddr flow-direction tcp-flags start protocol made-up\n2001:db8::1 2001:db8::2 egress 19 1418530010 6 x\n{V2}\n"
    );
    let (seen, counts) = read(&text, None);
    assert_eq!(counts.headers, 1);
    assert!(seen[1].ends_with(" 2001:db8::1:0>2001:db8::2:0 6 0 0 1418530010 Accept Egress Some(19)"), "{seen:?}");
    assert!(seen[2].contains("eni-1a"), "another version in the same input is read by its shape: {seen:?}");
    let mut reader = Reader::new(None, LATEST);
    reader.feed(text.as_bytes(), true, &mut |_| ());
    assert_eq!(reader.fields().1, ["made-up"]);
}

#[test]
fn a_given_format_and_transit_gateways_are_read() {
    let given = Layout::parse("${dstaddr} ${srcaddr} ${start} ${action}").unwrap();
    let (seen, _) = read("10.0.0.1 10.0.0.2 1418530010 REJECT\n", Some(given));
    assert_eq!(seen, ["0  10.0.0.2:0>10.0.0.1:0 0 0 0 1418530010 Reject Unsaid None"]);
    let transit = "6 TransitGateway 1 tgw-1 tgw-attach-1 1 2 vpc-1 vpc-2 subnet-1 subnet-2 eni-1 eni-2 az az tgw-attach-2 10.0.0.5 10.40.0.9 443 50012 6 8 900 1418530010 1418530070 OK IPv4 0 0 0 0 3 us-east-1 ingress - -\n";
    let (seen, _) = read(transit, None);
    assert_eq!(seen, ["0 tgw-attach-1 10.0.0.5:443>10.40.0.9:50012 6 8 900 1418530010 Accept Ingress Some(3)"]);
}

#[test]
fn bad_lines_are_counted_and_named() {
    let changed = |from: &str, to: &str| V2.replace(from, to);
    for (line, reason) in [
        (changed(" OK", ""), Reason::FieldCount),
        (format!("{V2} 1"), Reason::FieldCount),
        (changed("172.31.16.139", "-"), Reason::NoAddress),
        (changed("172.31.16.139", "172.31.16.256"), Reason::Address),
        (changed("1418530010", "-"), Reason::NoTime),
        (changed("1418530010", "12"), Reason::Time),
        (changed("1418530010", "2000000001"), Reason::Future),
        (changed(" 20 ", " x "), Reason::NotANumber),
        (changed(" 20 ", " 9223372036854775809 "), Reason::TooLarge),
        (changed(" 20 ", " 99999999999999999999 "), Reason::TooLarge),
        (changed(" 22 ", " 65536 "), Reason::TooLarge),
        (changed("ACCEPT", "DENY"), Reason::Action),
        (changed("OK", "MAYBE"), Reason::Status),
        ("x".repeat(LINE_BYTES_MAX + 1), Reason::TooLong),
    ] {
        let (seen, counts) = read(&format!("{V2}\n{line}\n{V2}\n"), None);
        assert_eq!(counts.rejects.get(&reason), Some(&1), "{line:.80}: {seen:?}");
        assert_eq!((counts.records, counts.lines()), (2, 3), "{line:.80}");
    }
    let (_, counts) = read(&format!("{V2}\n{}\n", changed(" 20 ", " 9223372036854775808 ")), None);
    assert_eq!(counts.records, 2);
    let (_, counts) = read("hello world\n", None);
    assert_eq!(counts.rejects.get(&Reason::NoLayout), Some(&1));
}

#[test]
fn dashes_are_allowed_where_nothing_hangs_on_them() {
    let line = "2 - - 10.0.0.1 10.0.0.2 - - - - - 1418530010 - - OK";
    let (seen, _) = read(line, None);
    assert_eq!(seen, ["0  10.0.0.1:0>10.0.0.2:0 0 0 0 1418530010 Accept Unsaid None"]);
}

#[test]
fn exports_of_cloudwatch_have_a_time_in_front() {
    let (seen, _) = read(&format!("2014-12-14T04:06:50.000Z {V2}\n"), None);
    assert!(seen[0].contains("eni-1a"), "{seen:?}");
}

#[test]
fn flow_logs_are_told_from_other_files() {
    for (text, want) in [
        (V2, true),
        ("\n2 1 eni-2 - - - - - - - 1431280876 1431280934 - NODATA\n", true),
        ("version vpc-id srcaddr dstaddr\n3 vpc-1 1.2.3.4 1.2.3.5\n", true),
        ("interface_id,srcaddr,dstaddr\n", true),
        ("{\"Records\":[]}", false),
        ("version 2\n", false),
        ("hello\n", false),
        ("", false),
    ] {
        assert_eq!(looks_like(text.as_bytes()), want, "{text}");
    }
}

#[test]
fn addresses_read_as_the_standard_library_reads_them() {
    for text in [
        "0.0.0.0",
        "255.255.255.255",
        "1.2.3",
        "1.2.3.4.5",
        "1..2.3",
        "1.2.3.999",
        "a.b.c.d",
        "::1",
        "::ffff:1.2.3.4",
        "fe80::1%eth0",
        "",
        "1.2.3.4 ",
    ] {
        let ours = Address::parse(text.as_bytes()).map(Address::ip);
        assert_eq!(ours.map(|ip| ip.to_canonical()), text.parse::<std::net::IpAddr>().ok().map(|ip| ip.to_canonical()), "{text}");
    }
    let net = Address::parse(b"10.1.2.3").unwrap();
    assert!(net.within(Address::parse(b"10.1.0.0").unwrap(), 16) && !net.within(Address::parse(b"10.2.0.0").unwrap(), 16));
    assert!(net.within(Address::parse(b"0.0.0.0").unwrap(), 0) && !net.within(Address::parse(b"::").unwrap(), 0));
}
