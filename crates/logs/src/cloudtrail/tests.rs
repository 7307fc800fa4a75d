use super::*;
use crate::json::Kind;
use crate::paths::Paths;

const RECORD: &str = r#"{"eventVersion":"1.08","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/a"},"eventTime":"2023-07-10T12:00:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"items":[{"port":22},{"port":443}],"policy":"{\"Effect\":\"Allow\"}"},"eventID":"e-1"}"#;

fn paths() -> Paths {
    let mut paths = Paths::new();
    for name in
        ["eventName", "eventTime", "eventID", "userIdentity.arn", "requestParameters.items.port", "requestParameters.policy"]
    {
        paths.add(name);
    }
    paths
}

/// The names of the events, and `!reason` for each reject, in order.
fn outcome(input: &[u8]) -> (Vec<String>, Counts) {
    let paths = paths();
    let mut seen = vec![];
    let counts = Reader::new(&paths).read(input, &mut |item| seen.push(label(&paths, item)));
    (seen, counts)
}

fn label(paths: &Paths, item: Item<'_>) -> String {
    match item {
        Item::Event(event) => format!("{}#{}", event.text(paths.find("eventName").unwrap()).unwrap_or("-"), event.ordinal()),
        Item::Reject(reject) => format!("!{:?}#{}", reject.reason, reject.ordinal),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

#[test]
fn every_delivery_form_gives_the_same_record() {
    let r = RECORD;
    let q = quoted(RECORD);
    let csv = RECORD.replace('"', "\"\"");
    for (name, text) in [
        ("file", format!(r#"{{"Records":[{r},{r}]}}"#)),
        ("file, spaced", format!("{{ \"Records\" : [ {r} ,\n {r} ] }}\n")),
        ("bom", format!("\u{feff}{{\"Records\":[{r},{r}]}}")),
        ("two files joined", format!(r#"{{"Records":[{r}]}}{{"Records":[{r}]}}"#)),
        ("json lines", format!("{r}\n{r}\n")),
        ("json lines, no end", format!("{r}\r\n\r\n{r}")),
        ("array", format!("[{r},{r}]")),
        (
            "lookup",
            format!(
                r#"{{"NextToken":"x","Events":[{{"EventId":"e","Resources":[],"CloudTrailEvent":{q}}},{{"CloudTrailEvent":{q},"EventName":"x"}}],"More":1}}"#
            ),
        ),
        ("lookup lines", format!("{{\"EventId\":\"e\",\"CloudTrailEvent\":{q}}}\n{{\"CloudTrailEvent\":{q}}}\n")),
        (
            "eventbridge",
            format!(
                r#"{{"version":"0","id":"1","detail-type":"AWS API Call via CloudTrail","resources":[],"detail":{r}}}{{"detail":{r}}}"#
            ),
        ),
        ("logs lines", format!("2023-07-10T12:00:00.000Z {r}\n2023-07-10T12:00:00.000Z {r}\n")),
        (
            "logs filter",
            format!(
                r#"{{"events":[{{"logStreamName":"a","message":{q},"timestamp":1}},{{"message":{q}}}],"searchedLogStreams":[]}}"#
            ),
        ),
        (
            "logs envelope",
            format!(
                r#"{{"messageType":"DATA_MESSAGE","owner":"1","logEvents":[{{"id":"1","message":{q}}},{{"id":"2","message":{q}}}]}}"#
            ),
        ),
        (
            "lake rows",
            format!(
                r#"{{"QueryStatus":"FINISHED","QueryResultRows":[[{{"eventID":"e"}},{{"eventJson":{q}}}],[{{"eventJson":{q}}}]]}}"#
            ),
        ),
        ("lake csv", format!("eventID,eventJson\ne,\"{csv}\"\ne,\"{csv}\"\n")),
        ("sqs in sns", format!(r#"[{{"Body":{}}},{{"Message":{q}}}]"#, quoted(&format!(r#"{{"Message":{q}}}"#)))),
        ("mixed", format!("{r}\n{{\"Records\":[{r}]}}\n")),
    ] {
        let (seen, counts) = outcome(text.as_bytes());
        assert_eq!(seen, ["GetObject#1", "GetObject#2"], "{name}");
        assert_eq!(counts, Counts { parsed: 2, ..Counts::default() }, "{name}");
    }
}

#[test]
fn flat_lake_rows_become_records() {
    let csv = "eventTime,eventName,userIdentity.arn\n2023-07-10 12:00:00.000,Get\"\"Object,\"arn:aws:iam::1:user/a,b\"\n";
    let rows = r#"{"QueryResultRows":[[{"eventTime":"2023-07-10 12:00:00.000"},{"eventName":"GetObject"},{"userIdentity.arn":"arn:aws:iam::1:user/a,b"}]]}"#;
    for text in [csv, rows] {
        let paths = paths();
        let mut arns = vec![];
        let counts = Reader::new(&paths).read(text.as_bytes(), &mut |item| {
            if let Item::Event(event) = item {
                arns.push(event.text(paths.find("userIdentity.arn").unwrap()).map(str::to_owned));
            }
        });
        assert_eq!((counts.parsed, counts.rejected()), (1, 0));
        assert_eq!(arns, [Some("arn:aws:iam::1:user/a,b".to_owned())]);
    }
}

#[test]
fn wanted_values_come_through_arrays_and_escapes() {
    let paths = paths();
    let mut seen = vec![];
    Reader::new(&paths).read(RECORD.as_bytes(), &mut |item| {
        let Item::Event(event) = item else { return };
        for path in ["requestParameters.items.port", "requestParameters.policy", "userIdentity.arn"] {
            for leaf in event.values(paths.find(path).unwrap()) {
                seen.push((leaf.kind, leaf.text().to_owned()));
            }
        }
        assert_eq!(event.bytes(), RECORD.as_bytes());
    });
    assert_eq!(
        seen,
        [
            (Kind::Number, "22".into()),
            (Kind::Number, "443".into()),
            (Kind::String, r#"{"Effect":"Allow"}"#.into()),
            (Kind::String, "arn:aws:iam::1:user/a".into()),
        ]
    );
}

#[test]
fn every_string_can_be_asked_for() {
    let mut paths = paths();
    paths.add_every_string();
    let mut seen = vec![];
    let text = r#"{"eventName":"A","x":{"y":["b",1,{"z":"c"}]}}"#;
    Reader::new(&paths).read(text.as_bytes(), &mut |item| {
        if let Item::Event(event) = item {
            seen.extend(event.strings().map(|leaf| leaf.text().to_owned()));
        }
    });
    assert_eq!(seen, ["A", "b", "c"]);
}

#[test]
fn bad_input_costs_the_bad_record_only() {
    let r = RECORD;
    let deep = format!("{{\"eventName\":\"Deep\",\"x\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (name, text, want) in [
        ("empty", String::new(), vec![]),
        ("space", " \n\n".into(), vec![]),
        ("no records", r#"{"Records":[]}"#.into(), vec![]),
        (
            "cut in a record",
            format!(r#"{{"Records":[{r},{}"#, r.split("s3.").next().unwrap()),
            vec!["GetObject#1", "!Truncated#2"],
        ),
        ("cut after a record", format!(r#"{{"Records":[{r}"#), vec!["GetObject#1"]),
        (
            "not an object",
            format!(r#"{{"Records":[1,{r},"x",null]}}"#),
            vec!["!NotAnObject#1", "GetObject#2", "!NotAnObject#3", "!NotAnObject#4"],
        ),
        ("broken record", format!(r#"{{"Records":[{{"eventVersion":"1",,}},{r}]}}"#), vec!["!Syntax#1", "GetObject#2"]),
        ("broken line", format!("{{\"eventName\":\"x\"\n{r}\n"), vec!["!Syntax#1", "GetObject#2"]),
        ("open quote", format!("{{\"eventName\":\"x\n{r}\n"), vec!["!Syntax#1", "GetObject#2"]),
        ("text", format!("hello\n{r}\n"), vec!["!Syntax#1", "GetObject#2"]),
        ("deep in a file", format!(r#"{{"Records":[{deep},{r}]}}"#), vec!["!TooDeep#1", "GetObject#2"]),
        ("deep in a line", format!("{deep}\n{r}"), vec!["!TooDeep#1", "GetObject#2"]),
        ("other json", format!("{{\"a\":1}}\n{r}"), vec!["!NotCloudTrail#1", "GetObject#2"]),
        (
            "wrong types",
            r#"{"eventName":5,"eventTime":[],"userIdentity":"x","requestParameters":{"items":7}}"#.into(),
            vec!["5#1"],
        ),
        (
            "broken record of another order",
            format!(r#"{{"Records":[{{"a":tru}},{{"b":[}},{r},[,],{r}]}}"#),
            vec!["!Syntax#1", "!Syntax#2", "GetObject#3", "!NotCloudTrail#4", "GetObject#5"],
        ),
        ("broken word", format!(r#"{{"Records":[nul,{r}]}}"#), vec!["!Syntax#1", "GetObject#2"]),
        (
            "open quote in a file",
            format!(r#"{{"Records":[{{"a":"b,"c":1}},{r},{r}]}}"#),
            vec!["!Syntax#1", "GetObject#2", "GetObject#3"],
        ),
        ("no comma", format!(r#"{{"Records":[{r} {r}]}}"#), vec!["GetObject#1", "GetObject#2"]),
        ("two arrays", format!(r#"{{"Records":[{r}],"x":[1],"Events":[{{"detail":{r}}}]}}"#), vec!["GetObject#1", "GetObject#2"]),
        ("broken and laid out", format!("{{\n  \"eventName\": \"x\",\n  \"y\": tru\n}}\n{r}"), vec!["!Syntax#1", "GetObject#2"]),
        (
            "deep and laid out",
            format!("{{\n\"x\": {}\n{}\n}}\n{r}", "[".repeat(200), "]".repeat(200)),
            vec!["!TooDeep#1", "GetObject#2"],
        ),
        (
            "broken in a wrapper",
            format!(r#"{{"detail":{{"Records":[{deep},{r},{{"a":1}}]}}}}"#),
            vec!["!TooDeep#1", "GetObject#2", "!NotCloudTrail#3"],
        ),
        ("message without json", r#"{"events":[{"message":"START"}]}"#.into(), vec!["!NotCloudTrail#1"]),
    ] {
        let (seen, counts) = outcome(text.as_bytes());
        assert_eq!(seen, want, "{name}");
        assert_eq!(counts.parsed + counts.rejected(), want.len() as u64, "{name}");
    }
    let lost = format!(r#"{{"Records":[{{"eventName":,{{{{{{{r}]}}"#);
    let (seen, counts) = outcome(lost.as_bytes());
    assert_eq!((seen, counts.passed_over_bytes), (vec!["!Syntax#1".to_owned(), "GetObject#2".to_owned()], 16));
    let mut invalid = format!("{{\"Records\":[{r},{r}]}}").into_bytes();
    let at = invalid.iter().position(|b| *b == b'G').unwrap();
    invalid[at] = 0xff;
    assert_eq!(outcome(&invalid).0, ["!InvalidUtf8#1", "GetObject#2"]);
}

#[test]
fn a_record_may_be_as_long_as_the_limit_and_no_longer() {
    let frame = r#"{"eventName":"Long","x":""}"#.len();
    for (extra, want) in [(0, "Long#1"), (1, "!TooLong#1")] {
        let text = format!(r#"{{"eventName":"Long","x":"{}"}}"#, "x".repeat(RECORD_BYTES_MAX - frame + extra));
        assert_eq!(outcome(text.as_bytes()).0, [want]);
        assert_eq!(outcome(format!("{{\"Records\":[{text}]}}").as_bytes()).0, [want]);
    }
}

#[test]
fn depth_is_read_up_to_the_limit() {
    for (depth, want) in [(DEPTH_MAX - 1, "D#1"), (DEPTH_MAX, "!TooDeep#1")] {
        let text = format!("{{\"eventName\":\"D\",\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(outcome(text.as_bytes()).0, [want]);
    }
}

/// As [`outcome`], in pieces of `size` bytes.
fn in_pieces(input: &[u8], size: usize) -> (Vec<String>, Counts) {
    let paths = paths();
    let mut reader = Reader::new(&paths);
    let (mut seen, mut held, mut at) = (vec![], Vec::new(), 0);
    loop {
        let next = (at + size).min(input.len());
        held.extend_from_slice(&input[at..next]);
        at = next;
        let used = reader.feed(&held, at == input.len(), &mut |item| seen.push(label(&paths, item)));
        held.drain(..used);
        if at == input.len() {
            return (seen, reader.finish());
        }
    }
}

#[test]
fn pieces_of_any_size_give_the_same_as_the_whole() {
    let q = quoted(RECORD);
    let text = format!(
        "{{\"Records\":[{RECORD},1,{RECORD}]}}\n{RECORD}\nbroken\n{{\"eventName\":\n{{\"Events\":[{{\"CloudTrailEvent\":{q}}}],\"n\":1}}\n{RECORD}"
    );
    let whole = outcome(text.as_bytes());
    for size in [1, 7, 64, 500, 4096] {
        assert_eq!(in_pieces(text.as_bytes(), size), whole, "pieces of {size}");
    }
}

#[test]
fn an_endless_line_is_dropped_in_pieces() {
    let paths = paths();
    let mut reader = Reader::new(&paths);
    let (mut seen, mut held, mut most) = (vec![], b"{\"eventName\":\"".to_vec(), 0);
    for _ in 0..5 {
        held.extend(std::iter::repeat_n(b'x', RECORD_BYTES_MAX));
        let used = reader.feed(&held, false, &mut |item| seen.push(label(&paths, item)));
        held.drain(..used);
        most = most.max(held.len());
    }
    held.extend_from_slice(format!("\n{RECORD}\n").as_bytes());
    reader.feed(&held, true, &mut |item| seen.push(label(&paths, item)));
    assert_eq!(seen, ["!TooLong#1", "GetObject#2"]);
    assert!(most <= RECORD_BYTES_MAX + 64);
}

proptest::proptest! {
    /// Whatever happens to the bytes: what was read and what was not makes up all records, also in pieces, and what no damage
    /// touched is read.
    #[test]
    fn no_bytes_break_the_reader(cuts in proptest::collection::vec((0usize..1300, 0u8..=255), 0..12), size in 1usize..900) {
        let mut bytes = format!("{{\"Records\":[{RECORD},{RECORD}]}}\n{RECORD}\n{RECORD}").into_bytes();
        let last = bytes.len() - RECORD.len() - 1;
        for (at, byte) in cuts {
            if let Some(place) = bytes.get_mut(..last).and_then(|bytes| bytes.get_mut(at)) {
                *place = byte;
            }
        }
        let (seen, counts) = outcome(&bytes);
        proptest::prop_assert_eq!(seen.len() as u64, counts.parsed + counts.rejected());
        let last = seen.last().is_some_and(|label| label.starts_with("GetObject#"));
        proptest::prop_assert!(last, "{:?}", seen);
        let (pieces, counts) = in_pieces(&bytes, size);
        proptest::prop_assert_eq!(pieces.len() as u64, counts.parsed + counts.rejected());
        proptest::prop_assert_eq!(pieces, seen);
    }
}

#[test]
fn an_endless_line_counts_once() {
    let text = format!("{RECORD}\n{{\"eventName\":\"{}\n{RECORD}\n", "x".repeat(40 << 20));
    let (seen, counts) = in_pieces(text.as_bytes(), 4 << 20);
    assert_eq!(seen, ["GetObject#1", "!TooLong#2", "GetObject#3"]);
    assert_eq!((counts.parsed, counts.rejected()), (2, 1));
    let long = RECORD.replacen("e-1", &"x".repeat(2 * RECORD_BYTES_MAX), 1);
    let file = format!("{{\"Records\":[{RECORD},{long},{RECORD}]}}");
    assert_eq!(in_pieces(file.as_bytes(), 4 << 20).0, ["GetObject#1", "!TooLong#2", "GetObject#3"]);
    let space = format!("{RECORD}{}{RECORD}", " ".repeat(RECORD_BYTES_MAX + 1));
    assert_eq!(in_pieces(space.as_bytes(), 1 << 20).0, ["GetObject#1", "GetObject#2"]);
}
