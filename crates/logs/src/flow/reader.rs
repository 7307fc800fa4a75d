//! Text to records, line by line, whatever way the text is cut into pieces.

use std::collections::BTreeMap;

use super::field::{Field, Layout};
use super::line::{self, Draft, Line};
use super::plain;
use super::record::Record;

/// Longer lines are rejected; the longest real ones are below 3 KiB.
pub const LINE_BYTES_MAX: usize = 64 << 10;

/// Why a line is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It has more or fewer fields than the format.
    FieldCount,
    /// A source or destination is missing.
    NoAddress,
    /// A source or destination is no address.
    Address,
    /// The start is missing.
    NoTime,
    /// A time before 1980.
    Time,
    /// A time that has not come yet.
    Future,
    /// A number that is none.
    NotANumber,
    /// A number beyond what its field can hold.
    TooLarge,
    /// An action other than `ACCEPT` and `REJECT`.
    Action,
    /// A direction other than `ingress` and `egress`.
    Direction,
    /// A log status other than `OK`, `NODATA` and `SKIPDATA`.
    Status,
    /// A header that can't be used: the lines after it can't be either.
    Header,
    /// No header, no format, and not the default format.
    NoLayout,
    /// Longer than [`LINE_BYTES_MAX`].
    TooLong,
}

impl Reason {
    /// In words.
    pub fn text(self) -> &'static str {
        match self {
            Reason::FieldCount => "the number of fields is not that of the format",
            Reason::NoAddress => "no source or destination address",
            Reason::Address => "not an address",
            Reason::NoTime => "no start time",
            Reason::Time => "a time before 1980",
            Reason::Future => "a time in the future",
            Reason::NotANumber => "not a number",
            Reason::TooLarge => "a number too large for its field",
            Reason::Action => "an action other than ACCEPT and REJECT",
            Reason::Direction => "a direction other than ingress and egress",
            Reason::Status => "a log status other than OK, NODATA and SKIPDATA",
            Reason::Header => "a header that names no source or destination address",
            Reason::NoLayout => "neither a header nor the default format; give the format with --flow-format",
            Reason::TooLong => "longer than 64 KiB",
        }
    }
}

/// A line that is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Why.
    pub reason: Reason,
    /// The line's first byte in the input.
    pub byte: u64,
    /// The line, from 1.
    pub line: u64,
}

/// What a line comes out as.
#[derive(Debug)]
pub enum Item<'a> {
    /// A record, and its line's first byte in the input.
    Record(&'a Record<'a>, u64),
    /// Not a record.
    Reject(Reject),
}

/// How many lines there were of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Windows in which nothing went through an interface.
    pub no_data: u64,
    /// Windows of which AWS dropped records.
    pub skip_data: u64,
    /// Header lines.
    pub headers: u64,
    /// Empty lines.
    pub empty: u64,
    /// Rejected lines by reason.
    pub rejects: BTreeMap<Reason, u64>,
}

impl Counts {
    /// Rejected lines.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// All lines.
    pub fn lines(&self) -> u64 {
        self.records + self.no_data + self.skip_data + self.headers + self.empty + self.rejected()
    }

    /// Adds another input's counts.
    pub fn add(&mut self, other: &Counts) {
        self.records += other.records;
        self.no_data += other.no_data;
        self.skip_data += other.skip_data;
        self.headers += other.headers;
        self.empty += other.empty;
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
    }
}

/// Reads one input.
pub struct Reader {
    layout: Option<Layout>,
    /// The layout is the default one.
    default: bool,
    /// Every field that a layout of this input had.
    seen: Vec<Field>,
    unknown: Vec<String>,
    given: Option<Layout>,
    latest: i64,
    bad_header: bool,
    skipping: bool,
    byte: u64,
    counts: Counts,
}

impl Reader {
    /// A reader of one input. `given` is the format of lines that no header comes before; `latest` the newest time in Unix
    /// seconds that is believed.
    pub fn new(given: Option<Layout>, latest: i64) -> Reader {
        Reader {
            layout: given.clone(),
            default: given.as_ref().is_some_and(|layout| *layout == Layout::vpc_default()),
            seen: given.as_ref().map(|layout| layout.fields.clone()).unwrap_or_default(),
            unknown: vec![],
            given,
            latest,
            bad_header: false,
            skipping: false,
            byte: 0,
            counts: Counts::default(),
        }
    }

    /// Reads the whole lines of `text` and says how many bytes were used. With `last`, the end of the text ends a line; without,
    /// the caller keeps the rest and puts it before the next piece.
    pub fn feed(&mut self, text: &[u8], last: bool, sink: &mut dyn FnMut(Item<'_>)) -> usize {
        let mut at = 0;
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(length) = memchr::memchr(b'\n', rest) else {
                return self.end(rest, last, at, sink);
            };
            self.line(rest.get(..length).unwrap_or_default(), sink);
            at += length + 1;
            self.byte += length as u64 + 1;
        }
        at
    }

    /// What comes after the last line end.
    fn end(&mut self, rest: &[u8], last: bool, at: usize, sink: &mut dyn FnMut(Item<'_>)) -> usize {
        if last {
            self.line(rest, sink);
        } else if rest.len() <= LINE_BYTES_MAX {
            return at;
        } else if !self.skipping {
            self.reject(Reason::TooLong, sink);
            self.skipping = true;
        }
        self.byte += rest.len() as u64;
        at + rest.len()
    }

    /// The counts so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Every field that the lines so far had, and names in headers that are no field of AWS's.
    pub fn fields(&self) -> (&[Field], &[String]) {
        (&self.seen, &self.unknown)
    }

    fn line(&mut self, text: &[u8], sink: &mut dyn FnMut(Item<'_>)) {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if std::mem::take(&mut self.skipping) {
            return;
        }
        if text.is_empty() {
            self.counts.empty += 1;
            return;
        }
        if text.len() > LINE_BYTES_MAX {
            return self.reject(Reason::TooLong, sink);
        }
        if text.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'$') && is_header(text) {
            return self.header(text, sink);
        }
        if self.bad_header {
            return self.reject(Reason::Header, sink);
        }
        if self.layout.is_none() {
            match guess(text) {
                Some(layout) => self.adopt(layout),
                None => return self.reject(Reason::NoLayout, sink),
            }
        }
        let Some(layout) = &self.layout else { return };
        let mut draft = Draft::default();
        if self.default && plain::read(text, self.latest, &mut draft.record).is_some() {
            self.counts.records += 1;
            return sink(Item::Record(&draft.record, self.byte));
        }
        let read = match line::read(text, layout, self.latest, &mut draft) {
            Err(Reason::FieldCount) => self.again(text, &mut draft),
            read => read,
        };
        match read {
            Ok(Line::Record) => {
                self.counts.records += 1;
                sink(Item::Record(&draft.record, self.byte));
            }
            Ok(Line::NoData) => self.counts.no_data += 1,
            Ok(Line::SkipData) => self.counts.skip_data += 1,
            Err(reason) => self.reject(reason, sink),
        }
    }

    /// A line of another number of fields: with CloudWatch's time in front of it, or of another version in the same input.
    fn again<'a>(&self, text: &'a [u8], draft: &mut Draft<'a>) -> Result<Line, Reason> {
        let bare = without_time(text);
        let Some(layout) = &self.layout else { return Err(Reason::NoLayout) };
        *draft = Draft::default();
        let read = line::read(bare, layout, self.latest, draft);
        if !matches!(read, Err(Reason::FieldCount)) || self.given.is_some() {
            return read;
        }
        match guess(bare) {
            Some(other) if other != *layout => {
                *draft = Draft::default();
                line::read(bare, &other, self.latest, draft)
            }
            _ => Err(Reason::FieldCount),
        }
    }

    fn header(&mut self, text: &[u8], sink: &mut dyn FnMut(Item<'_>)) {
        match Layout::parse(&String::from_utf8_lossy(text)) {
            Ok(layout) => {
                self.counts.headers += 1;
                self.bad_header = false;
                self.adopt(layout);
            }
            Err(_) => {
                self.bad_header = true;
                self.reject(Reason::Header, sink);
            }
        }
    }

    fn adopt(&mut self, layout: Layout) {
        for field in &layout.fields {
            if !self.seen.contains(field) {
                self.seen.push(*field);
            }
        }
        for name in &layout.unknown {
            if !self.unknown.contains(name) {
                self.unknown.push(name.clone());
            }
        }
        self.default = layout == Layout::vpc_default();
        self.layout = Some(layout);
    }

    fn reject(&mut self, reason: Reason, sink: &mut dyn FnMut(Item<'_>)) {
        *self.counts.rejects.entry(reason).or_default() += 1;
        sink(Item::Reject(Reject { reason, byte: self.byte, line: self.counts.lines() }));
    }
}

/// The names of a header: all words are names of fields or look like them, and most are.
fn is_header(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let mut names = text.split([' ', ',', '\t']).map(|name| name.trim_start_matches("${").trim_end_matches('}'));
    let Some(first) = names.next() else { return false };
    if Field::from_name(first).is_none() && !text.contains("srcaddr") {
        return false;
    }
    let (mut known, mut all) = (1, 1);
    for name in names {
        all += 1;
        known += usize::from(Field::from_name(name).is_some());
    }
    all >= 2 && known * 2 >= all
}

/// The default format that a line without a header is in.
fn guess(text: &[u8]) -> Option<Layout> {
    let text = without_time(text);
    let words: Vec<&[u8]> = text.split(|byte| *byte == b' ').take(super::field::FIELDS_MAX).collect();
    let starts_transit = words.get(1).is_some_and(|word| word.starts_with(b"TransitGateway"));
    let layout = if starts_transit { Layout::transit_default() } else { Layout::vpc_default() };
    let version = words.first().is_some_and(|word| word.len() == 1 && word.iter().all(u8::is_ascii_digit));
    let status = [b"OK".as_slice(), b"NODATA", b"SKIPDATA"];
    let shaped = starts_transit || words.last().is_some_and(|word| status.contains(word));
    (version && shaped && words.len() == layout.fields.len()).then_some(layout)
}

/// CloudWatch exports put the time of the event before each line.
fn without_time(text: &[u8]) -> &[u8] {
    let stamp = text.iter().position(|byte| *byte == b' ').unwrap_or(0);
    match text.split_at_checked(stamp) {
        Some(([year @ .., b'Z'], [b' ', rest @ ..])) if year.len() >= 19 && year.get(10) == Some(&b'T') => rest,
        _ => text,
    }
}

/// Whether an input that starts with `head` is a flow log: its first line is a header or of the default format. Pass as much of
/// the start as is at hand; 4 KiB suffice.
pub fn looks_like(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let Some(first) = lines.find(|line| !line.is_empty()) else { return false };
    let named = is_header(first) && Layout::parse(&String::from_utf8_lossy(first)).is_ok();
    named || guess(first).is_some()
}
