//! What a fold does at each of its limits, and one past it.

use logs::flow::{Item, Reader};

use super::*;

const START: i64 = 1_767_225_600;

const SMALL: Limits = Limits { conversations: 8, minutes: 8, interfaces: 8, strangers: 8 };

/// A fold with small limits of lines `interface client minute source`.
fn fold(lines: impl Iterator<Item = (u64, u64, u64, u64)>) -> Fold {
    let mut text =
        "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action flow-direction pkt-srcaddr\n"
            .to_owned();
    for (interface, client, minute, source) in lines {
        let at = START + minute as i64 * 60;
        text.push_str(&format!(
            "eni-{interface} 10.0.0.{client} 203.0.113.9 40000 443 6 9 900 {at} {at} ACCEPT egress 198.51.100.{source}\n"
        ));
    }
    let mut fold = Fold { limits: SMALL, ..Fold::default() };
    let mut reader = Reader::new(None, START * 2);
    reader.feed(text.as_bytes(), true, &mut |item| match item {
        Item::Record(record, byte) => fold.see(record, Origin { input: 0, byte }),
        Item::Reject(reject) => assert_eq!(reject.line, 0, "every line can be read"),
    });
    fold
}

#[test]
fn beyond_the_most_conversations_some_clients_are_kept_whole() {
    let at = fold((0..8).map(|n| (1, n, 0, 1)));
    assert!(at.is_whole() && at.talks.len() == 8 && at.gaps().is_empty(), "{:?}", at.gaps());
    let past = fold((0..9).map(|n| (1, n, 0, 1)));
    assert!(!past.is_whole() && past.talks.len() <= 8, "{} conversations", past.talks.len());
    assert!(past.talks.iter().all(|(key, _)| kept(key.client, past.thinned)));
    assert!(past.gaps().iter().any(|gap| gap.contains("one client in")), "{:?}", past.gaps());
    let mut halves = fold((0..5).map(|n| (1, n, 0, 1)));
    halves.merge(&fold((5..9).map(|n| (1, n, 0, 1))), 0);
    let clients = |fold: &Fold| fold.talks.iter().map(|(key, _)| key.client).collect::<BTreeSet<Code>>();
    assert_eq!((halves.thinned, clients(&halves)), (past.thinned, clients(&past)), "the same in pieces");
}

#[test]
fn a_minute_past_the_most_is_not_counted_and_told() {
    let at = fold((0..8).map(|n| (1, 1, n, 1)));
    assert_eq!((at.rates.len(), at.minutes_lost, at.gaps()), (8, 0, vec![]));
    let past = fold((0..9).chain([0]).map(|n| (1, 1, n, 1)));
    assert_eq!((past.rates.len(), past.minutes_lost), (8, 1), "a minute that is held goes on counting");
    assert!(past.gaps().iter().any(|gap| gap.contains("floods may be missed")), "{:?}", past.gaps());
}

#[test]
fn an_interface_past_the_most_has_no_name_and_that_is_told() {
    let at = fold((0..8).map(|n| (n, 1, 0, 1)));
    assert!(at.interfaces.iter().all(|interface| !interface.name.is_empty()) && at.gaps().is_empty(), "{:?}", at.gaps());
    let past = fold((0..10).map(|n| (n, 1, 0, 1)));
    assert_eq!(past.interfaces.len(), 9, "the last two are one");
    assert!(past.gaps().iter().any(|gap| gap.contains("count as one")), "{:?}", past.gaps());
}

#[test]
fn a_packet_source_past_the_most_is_told() {
    let at = fold((0..8).map(|n| (1, 1, 0, n)));
    assert_eq!((at.strangers.len(), at.gaps()), (8, vec![]));
    let past = fold((0..9).map(|n| (1, 1, 0, n)));
    assert_eq!((past.strangers.len(), past.strangers_lost), (8, 1));
    assert!(past.gaps().iter().any(|gap| gap.contains("spoofing may be missed")), "{:?}", past.gaps());
}

#[test]
fn many_records_at_once_come_to_what_they_come_to_one_by_one() {
    let mut lines = vec![];
    crate::flow::synthetic::sea(6, 3000, &mut |line| lines.push(line.to_owned()));
    let text = lines.join("\n");
    let read = |sink: &mut dyn FnMut(&Record<'_>, Origin)| {
        Reader::new(None, START * 2).feed(text.as_bytes(), true, &mut |item| {
            if let Item::Record(record, byte) = item {
                sink(record, Origin { input: 0, byte });
            }
        });
    };
    let sorted = |fold: &Fold| {
        let mut talks: Vec<(Key, Tally)> = fold.talks.iter().copied().collect();
        let mut rates: Vec<((u32, u32), Rate)> = fold.rates.iter().copied().collect();
        talks.sort_unstable_by_key(|(key, _)| *key);
        rates.sort_unstable_by_key(|(key, _)| *key);
        (talks, rates, fold.records, fold.thinned)
    };
    for limit in [CONVERSATIONS_MAX, 500] {
        let limits = Limits { conversations: limit, ..Limits::default() };
        let (mut single, mut batched) = (Fold { limits, ..Fold::default() }, Fold { limits, ..Fold::default() });
        read(&mut |record, origin| single.see(record, origin));
        let mut taker = batched.taker();
        read(&mut |record, origin| taker.see(record, origin));
        drop(taker);
        assert!(sorted(&single).0.len() > 100);
        assert_eq!(sorted(&single), sorted(&batched), "{limit}");
    }
}
