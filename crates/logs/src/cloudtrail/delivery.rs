//! Which form the bytes have, found value by value, and the records in them.

use memchr::{memchr, memmem};

use super::csv::{self, Columns};
use super::event::{Event, Found};
use super::scan;
use super::{Counts, DEPTH_MAX, RECORD_BYTES_MAX, Reason, Reject};
use crate::json::{Fault, scalar_end, skip, string_end, token, unescape};
use crate::paths::{PathId, Paths};

/// What comes out of a [`Reader`], in input order.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A record.
    Event(Event<'a>),
    /// A record that could not be read.
    Reject(Reject),
}

/// Fields that only a record itself has at its top.
const RECORD_KEYS: &[&str] =
    &["eventVersion", "eventName", "eventSource", "eventTime", "eventID", "awsRegion", "userIdentity", "eventType"];

/// Fields of a wrapper that hold an array of records or of wrappers.
const ARRAY_KEYS: &[&str] = &["Records", "Events", "events", "logEvents", "QueryResultRows"];

/// Fields of a wrapper that hold a record as an object.
const OBJECT_KEYS: &[&str] = &["detail", "event", "Event"];

/// Fields of a wrapper that hold a record, or a wrapper, as a string.
const STRING_KEYS: &[&str] = &["CloudTrailEvent", "eventJson", "message", "@message", "Message", "Body", "body"];

/// Wrappers around wrappers: an SQS body around an SNS message around a record is three.
const WRAPS_MAX: usize = 5;

/// How nearly every record starts: where reading goes on after a broken one.
const MARK: &[u8] = b"{\"eventVersion\"";

#[derive(Clone, Debug)]
enum State {
    /// Between values of the input.
    Top,
    /// Between elements of an array. With `true` they are records, else wrappers; the first element may stand here.
    Array { records: bool, first: bool },
    /// After an array: the other fields of its object.
    Rest,
    /// After a broken record of an array: looking for the next.
    Lost,
    /// In a line that is too long: looking for its end.
    LongLine,
    /// Rows of a Lake export.
    Rows(Columns),
}

/// Turns bytes into records. Feed it a whole file, or pieces of one; state lasts from piece to piece.
#[derive(Clone, Debug)]
pub struct Reader<'p> {
    paths: &'p Paths,
    known: [Option<PathId>; 3],
    found: Found,
    scratch: Vec<Vec<u8>>,
    state: State,
    begun: bool,
    ordinal: u64,
    byte: u64,
    counts: Counts,
}

/// A piece of input and where its outcome goes.
struct Feed<'b, 's> {
    bytes: &'b [u8],
    last: bool,
    sink: &'s mut dyn FnMut(Item<'_>),
}

/// Not enough bytes for a step.
struct More;

impl<'p> Reader<'p> {
    /// A reader that hands out the values at `paths`.
    pub fn new(paths: &'p Paths) -> Reader<'p> {
        let known = ["eventName", "eventTime", "eventID"].map(|name| paths.find(name));
        Reader {
            paths,
            known,
            found: Found::default(),
            scratch: vec![],
            state: State::Top,
            begun: false,
            ordinal: 0,
            byte: 0,
            counts: Counts::default(),
        }
    }

    /// Reads a whole input. Records in = events + rejects.
    pub fn read(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Item<'_>)) -> Counts {
        let used = self.feed(bytes, true, sink);
        debug_assert_eq!(used, bytes.len());
        self.finish()
    }

    /// What became of the input so far; the reader is ready for another input afterwards.
    pub fn finish(&mut self) -> Counts {
        self.state = State::Top;
        self.begun = false;
        self.ordinal = 0;
        self.byte = 0;
        std::mem::take(&mut self.counts)
    }

    /// Reads the next piece and says how much of it is done with; give the rest again at the front of the next piece.
    /// A piece of more than [`RECORD_BYTES_MAX`] always makes progress. `last`: nothing comes after it.
    pub fn feed(&mut self, bytes: &[u8], last: bool, sink: &mut dyn FnMut(Item<'_>)) -> usize {
        let mut feed = Feed { bytes, last, sink };
        let mut at = 0;
        let origin = self.byte;
        while at < bytes.len() {
            self.byte = origin + at as u64;
            match self.step(&mut feed, at) {
                Ok(next) => at = next,
                Err(More) if last => at = self.cut_off(&mut feed, at),
                Err(More) if bytes.len() - at > RECORD_BYTES_MAX => {
                    self.reject(&mut feed, Reason::TooLong);
                    if let State::Top = self.state {
                        self.state = State::LongLine;
                    } else {
                        self.state = State::Lost;
                        at = inside(bytes, at);
                    }
                }
                Err(More) => break,
            }
        }
        self.byte = origin + at as u64;
        at
    }

    /// The input ends inside something that begins at `at`; says where reading goes on: at the next record, if one begins in what
    /// is left because a quote is missing.
    fn cut_off(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> usize {
        match self.state {
            State::Lost | State::LongLine | State::Rest => return feed.bytes.len(),
            _ => self.reject(feed, Reason::Truncated),
        }
        let next = inside(feed.bytes, at);
        let left = feed.bytes.get(next..).unwrap_or_default();
        match self.state {
            State::Array { .. } if memmem::find(left, MARK).is_some() => {
                self.state = State::Lost;
                next
            }
            _ => feed.bytes.len(),
        }
    }

    fn step(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> Result<usize, More> {
        match self.state {
            State::Top => self.top(feed, at),
            State::Array { records, first } => self.element(feed, at, records, first),
            State::Rest => self.rest(feed, at),
            State::Lost => self.lost(feed, at),
            State::LongLine => {
                let next = match memchr(b'\n', feed.bytes.get(at..).unwrap_or_default()) {
                    Some(end) => {
                        self.state = State::Top;
                        at + end + 1
                    }
                    None => feed.bytes.len(),
                };
                self.counts.passed_over_bytes += (next - at) as u64;
                Ok(next)
            }
            State::Rows(_) => self.csv_row(feed, at),
        }
    }

    fn top(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> Result<usize, More> {
        let start = if !self.begun && feed.bytes.get(at..).is_some_and(|b| b.starts_with(b"\xef\xbb\xbf")) { at + 3 } else { at };
        // Space belongs to no record, however much of it there is.
        let Ok((byte, place)) = token(feed.bytes, start) else { return Ok(feed.bytes.len()) };
        if place > at {
            return Ok(place);
        }
        let begun = std::mem::replace(&mut self.begun, true);
        match byte {
            b'{' => self.value(feed, place),
            b'[' => {
                self.state = State::Array { records: false, first: true };
                Ok(place + 1)
            }
            _ => {
                let next = self.line(feed, place, begun);
                if next.is_err() {
                    self.begun = begun;
                }
                next
            }
        }
    }

    /// A line that doesn't start as JSON: a Lake header, or text before a record.
    fn line(&mut self, feed: &mut Feed<'_, '_>, start: usize, begun: bool) -> Result<usize, More> {
        let rest = feed.bytes.get(start..).unwrap_or_default();
        let (line, next) = match memchr(b'\n', rest) {
            Some(end) => (rest.get(..end).unwrap_or_default(), start + end + 1),
            None if feed.last => (rest, feed.bytes.len()),
            None => return Err(More),
        };
        if !begun && let Some(columns) = csv::header(line) {
            self.state = State::Rows(columns);
            return Ok(next);
        }
        match memchr(b'{', line).and_then(|open| line.get(open..)) {
            Some(text) => self.whole(feed, text, 0),
            None => self.reject(feed, Reason::Syntax),
        }
        Ok(next)
    }

    /// An object between values: a record, or a wrapper.
    fn value(&mut self, feed: &mut Feed<'_, '_>, start: usize) -> Result<usize, More> {
        let bytes = feed.bytes.get(start..).unwrap_or_default();
        match form(bytes) {
            Ok(Form::Array(open)) => {
                let records = bytes.starts_with(b"{\"Records\"") || matches!(key_before(bytes, open), Some(b"Records"));
                self.state = State::Array { records, first: true };
                Ok(start + open + 1)
            }
            Ok(Form::Record) => match scan::record(bytes, self.paths, &mut self.found) {
                Ok(end) => {
                    self.emit(feed, bytes.get(..end).unwrap_or_default());
                    Ok(start + end)
                }
                Err(fault) => self.broken_value(feed, start, fault),
            },
            // How deep a record lies is judged where it is read.
            Ok(_) => match skip(bytes, 0, 0, usize::MAX) {
                Ok(end) => {
                    self.whole(feed, bytes.get(..end).unwrap_or_default(), 0);
                    Ok(start + end)
                }
                Err(fault) => self.broken_value(feed, start, fault),
            },
            Err(fault) => self.broken_value(feed, start, fault),
        }
    }

    /// One bad value never costs the next. Where it ends is told by its brackets if it stands on one line or is laid out over
    /// several, else by its line.
    fn broken_value(&mut self, feed: &mut Feed<'_, '_>, start: usize, fault: Fault) -> Result<usize, More> {
        if fault == Fault::End && !feed.last {
            return Err(More);
        }
        let rest = feed.bytes.get(start..).unwrap_or_default();
        let line = memchr(b'\n', rest).map(|end| end + 1).or(feed.last.then_some(rest.len()));
        let laid_out = line.and_then(|line| rest.get(1..line)).is_some_and(|head| head.iter().all(u8::is_ascii_whitespace));
        let next = match (skip(rest, 0, 0, usize::MAX), line) {
            (Ok(end), Some(line)) if end <= line || laid_out || fault == Fault::Deep => end,
            (Ok(end), None) => end,
            (Err(_), Some(_)) if !feed.last && (laid_out || fault == Fault::Deep) => return Err(More),
            (Err(_), None) => return Err(More),
            (_, Some(line)) => line,
        };
        self.reject(feed, reason(fault));
        Ok(start + next)
    }

    fn element(&mut self, feed: &mut Feed<'_, '_>, at: usize, records: bool, first: bool) -> Result<usize, More> {
        let (mut byte, mut place) = token(feed.bytes, at).map_err(|_| More)?;
        match byte {
            b']' => {
                self.state = State::Rest;
                return Ok(place + 1);
            }
            b',' if !first => (byte, place) = token(feed.bytes, place + 1).map_err(|_| More)?,
            // A comma that is missing costs nothing.
            b'{' => {}
            _ if first => {}
            _ => return Ok(self.lose(feed, place, Reason::Syntax)),
        }
        let bytes = feed.bytes.get(place..).unwrap_or_default();
        let outcome = match byte {
            b'{' if records => scan::record(bytes, self.paths, &mut self.found),
            _ => skip(bytes, 0, 0, DEPTH_MAX),
        };
        match outcome {
            Ok(end) => {
                let element = bytes.get(..end).unwrap_or_default();
                match byte {
                    b'{' if records => self.emit(feed, element),
                    b'{' => self.whole(feed, element, 0),
                    b'[' => self.lake_row(feed, element),
                    _ => self.reject(feed, Reason::NotAnObject),
                }
                self.state = State::Array { records, first: false };
                Ok(place + end)
            }
            Err(Fault::End) => Err(More),
            Err(Fault::Deep) => match skip(bytes, 0, 0, usize::MAX) {
                Ok(end) => {
                    self.reject(feed, Reason::TooDeep);
                    self.state = State::Array { records, first: false };
                    Ok(place + end)
                }
                Err(_) => Err(More),
            },
            Err(Fault::Syntax) => self.broken_element(feed, place, records),
        }
    }

    /// An element that isn't JSON ends where its brackets say, unless another record begins before.
    fn broken_element(&mut self, feed: &mut Feed<'_, '_>, place: usize, records: bool) -> Result<usize, More> {
        let bytes = feed.bytes.get(place..).unwrap_or_default();
        let end = match bytes.first() {
            Some(b'{' | b'[' | b'"') => skip(bytes, 0, 0, usize::MAX),
            _ => Ok(scalar_end(bytes, 0)),
        };
        let holds_another = |end: usize| bytes.get(1..end).is_some_and(|inner| memmem::find(inner, MARK).is_some());
        match end {
            Ok(end) if end > 0 && !holds_another(end) => {
                self.reject(feed, Reason::Syntax);
                self.state = State::Array { records, first: false };
                Ok(place + end)
            }
            Err(Fault::End) if !feed.last && !holds_another(bytes.len()) => Err(More),
            _ => Ok(self.lose(feed, place, Reason::Syntax)),
        }
    }

    fn lose(&mut self, feed: &mut Feed<'_, '_>, at: usize, reason: Reason) -> usize {
        self.reject(feed, reason);
        self.state = State::Lost;
        at + 1
    }

    fn lost(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> Result<usize, More> {
        let rest = feed.bytes.get(at..).unwrap_or_default();
        let next = match memmem::find(rest, MARK) {
            Some(found) => {
                self.state = State::Array { records: true, first: true };
                at + found
            }
            None if feed.last => feed.bytes.len(),
            None => {
                let kept = feed.bytes.len().saturating_sub(MARK.len()).max(at);
                if kept == at {
                    return Err(More);
                }
                kept
            }
        };
        self.counts.passed_over_bytes += (next - at) as u64;
        Ok(next)
    }

    /// The other fields of an object whose array has been read, or the end of a bare array.
    fn rest(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> Result<usize, More> {
        let (byte, place) = token(feed.bytes, at).map_err(|_| More)?;
        match byte {
            b',' => {
                let (quote, key) = token(feed.bytes, place + 1).map_err(|_| More)?;
                if quote != b'"' {
                    self.state = State::Top;
                    return Ok(key);
                }
                let (end, _) = string_end(feed.bytes, key + 1).map_err(|_| More)?;
                let (_, colon) = token(feed.bytes, end + 1).map_err(|_| More)?;
                let (first, value) = token(feed.bytes, colon + 1).map_err(|_| More)?;
                let name = feed.bytes.get(key + 1..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
                if first == b'[' && ARRAY_KEYS.contains(&name) {
                    self.state = State::Array { records: name == "Records", first: true };
                    return Ok(value + 1);
                }
                match skip(feed.bytes, value, 0, usize::MAX) {
                    Ok(next) => Ok(next),
                    Err(Fault::End) => Err(More),
                    Err(_) => {
                        self.state = State::Top;
                        Ok(value)
                    }
                }
            }
            b'}' => {
                self.state = State::Top;
                Ok(place + 1)
            }
            _ => {
                self.state = State::Top;
                Ok(place)
            }
        }
    }

    /// One complete object, which may be a wrapper of one record or of an array.
    fn whole(&mut self, feed: &mut Feed<'_, '_>, text: &[u8], wraps: usize) {
        if wraps > WRAPS_MAX {
            return self.reject(feed, Reason::TooDeep);
        }
        match form(text) {
            Ok(Form::Record) => match scan::record(text, self.paths, &mut self.found) {
                Ok(end) => self.emit(feed, text.get(..end).unwrap_or_default()),
                Err(fault) => self.reject(feed, reason(fault)),
            },
            Ok(Form::Object(open)) => self.whole(feed, text.get(open..).unwrap_or_default(), wraps + 1),
            Ok(Form::Text(open)) => {
                let mut plain = self.scratch.pop().unwrap_or_default();
                plain.clear();
                match string_end(text, open + 1) {
                    Ok((end, _)) => {
                        unescape(text.get(open + 1..end).unwrap_or_default(), &mut plain);
                        match memchr(b'{', &plain) {
                            Some(start) => self.whole(feed, plain.get(start..).unwrap_or_default(), wraps + 1),
                            None => self.reject(feed, Reason::NotCloudTrail),
                        }
                    }
                    Err(fault) => self.reject(feed, reason(fault)),
                }
                self.scratch.push(plain);
            }
            Ok(Form::Array(open)) => self.inner_array(feed, text, open, wraps),
            Ok(Form::Other) => self.reject(feed, Reason::NotCloudTrail),
            Err(fault) => self.reject(feed, reason(fault)),
        }
    }

    fn inner_array(&mut self, feed: &mut Feed<'_, '_>, text: &[u8], open: usize, wraps: usize) {
        let mut at = open + 1;
        loop {
            let Ok((byte, place)) = token(text, at) else { return self.reject(feed, Reason::Truncated) };
            match byte {
                b']' => return,
                b',' => at = place + 1,
                _ => match skip(text, place, 0, DEPTH_MAX + WRAPS_MAX) {
                    Ok(end) => {
                        let element = text.get(place..end).unwrap_or_default();
                        match byte {
                            b'{' => self.whole(feed, element, wraps + 1),
                            _ => self.reject(feed, Reason::NotAnObject),
                        }
                        at = end;
                    }
                    Err(fault) => {
                        self.reject(feed, reason(fault));
                        match skip(text, place, 0, usize::MAX) {
                            Ok(end) => at = end,
                            Err(_) => {
                                self.counts.passed_over_bytes += (text.len() - place) as u64;
                                return;
                            }
                        }
                    }
                },
            }
        }
    }

    /// A row of GetQueryResults: `[{"eventName": "X"}, {"eventTime": "Y"}]`.
    fn lake_row(&mut self, feed: &mut Feed<'_, '_>, row: &[u8]) {
        let mut cells: Vec<(Vec<u8>, Vec<u8>)> = vec![];
        let mut at = 0;
        while let Some(quote) = memchr(b'"', row.get(at..).unwrap_or_default()) {
            let Ok((key_end, _)) = string_end(row, at + quote + 1) else { break };
            let Ok((b':', colon)) = token(row, key_end + 1) else { break };
            let Ok((b'"', value)) = token(row, colon + 1) else { break };
            let Ok((value_end, _)) = string_end(row, value + 1) else { break };
            let (mut key, mut cell) = (vec![], vec![]);
            unescape(row.get(at + quote + 1..key_end).unwrap_or_default(), &mut key);
            unescape(row.get(value + 1..value_end).unwrap_or_default(), &mut cell);
            cells.push((key, cell));
            at = value_end + 1;
        }
        let mut json = self.scratch.pop().unwrap_or_default();
        json.clear();
        match cells.iter().find(|(key, _)| key.eq_ignore_ascii_case(b"eventJson")) {
            Some((_, whole)) => json.extend_from_slice(whole),
            None => csv::flat(cells.iter().map(|(key, cell)| (key.as_slice(), cell.as_slice())), &mut json),
        }
        self.whole(feed, &json, 1);
        self.scratch.push(json);
    }

    fn csv_row(&mut self, feed: &mut Feed<'_, '_>, at: usize) -> Result<usize, More> {
        let rest = feed.bytes.get(at..).unwrap_or_default();
        if !feed.last && memchr(b'\n', rest).is_none() {
            return Err(More);
        }
        if let Some(b'\n' | b'\r') = rest.first() {
            return Ok(at + 1);
        }
        let State::Rows(columns) = &self.state else { return Err(More) };
        let mut json = self.scratch.pop().unwrap_or_default();
        let used = columns.next(rest, &mut json);
        match used {
            Some(_) if json.is_empty() => self.reject(feed, Reason::Syntax),
            Some(_) => self.whole(feed, &json, 1),
            None => {}
        }
        self.scratch.push(json);
        used.map(|used| at + used).ok_or(More)
    }

    /// Hands out the record that has just been scanned.
    fn emit(&mut self, feed: &mut Feed<'_, '_>, record: &[u8]) {
        if record.len() > RECORD_BYTES_MAX {
            return self.reject(feed, Reason::TooLong);
        }
        // Nearly every record is ASCII, which is told several times as quickly.
        if !record.is_ascii() && std::str::from_utf8(record).is_err() {
            return self.reject(feed, Reason::InvalidUtf8);
        }
        self.ordinal += 1;
        let event = Event { bytes: record, found: &self.found, paths: self.paths, ordinal: self.ordinal };
        let checkable = self.known.iter().all(Option::is_some);
        if checkable && self.known.iter().flatten().all(|path| event.first(*path).is_none()) {
            self.ordinal -= 1;
            return self.reject(feed, Reason::NotCloudTrail);
        }
        self.counts.parsed += 1;
        (feed.sink)(Item::Event(event));
    }

    fn reject(&mut self, feed: &mut Feed<'_, '_>, reason: Reason) {
        self.ordinal += 1;
        *self.counts.rejects.entry(reason).or_default() += 1;
        (feed.sink)(Item::Reject(Reject { reason, ordinal: self.ordinal, byte: self.byte }));
    }
}

/// The place just inside the element that begins at `at`, or at the comma before it.
fn inside(bytes: &[u8], at: usize) -> usize {
    let comma = token(bytes, at).ok().filter(|(byte, _)| *byte == b',').map_or(at, |(_, place)| place + 1);
    token(bytes, comma).map_or(comma, |(_, place)| place) + 1
}

fn reason(fault: Fault) -> Reason {
    match fault {
        Fault::End => Reason::Truncated,
        Fault::Syntax => Reason::Syntax,
        Fault::Deep => Reason::TooDeep,
    }
}

/// What an object is, and where the wrapped thing opens.
enum Form {
    Record,
    Array(usize),
    Object(usize),
    Text(usize),
    Other,
}

fn form(bytes: &[u8]) -> Result<Form, Fault> {
    let mut at = 1;
    let mut fallback = Form::Other;
    loop {
        let (byte, quote) = token(bytes, at)?;
        match byte {
            b'}' => return Ok(fallback),
            b',' => {
                at = quote + 1;
                continue;
            }
            b'"' => {}
            _ => return Err(Fault::Syntax),
        }
        let (end, _) = string_end(bytes, quote + 1)?;
        let (colon, place) = token(bytes, end + 1)?;
        if colon != b':' {
            return Err(Fault::Syntax);
        }
        let (first, value) = token(bytes, place + 1)?;
        let key = std::str::from_utf8(bytes.get(quote + 1..end).unwrap_or_default()).unwrap_or_default();
        let field = key.split('.').next().unwrap_or_default();
        if RECORD_KEYS.contains(&field) {
            return Ok(Form::Record);
        }
        match first {
            b'[' if ARRAY_KEYS.contains(&key) => return Ok(Form::Array(value)),
            b'{' if OBJECT_KEYS.contains(&key) => return Ok(Form::Object(value)),
            b'"' if key == "CloudTrailEvent" || key == "eventJson" => return Ok(Form::Text(value)),
            b'"' if STRING_KEYS.contains(&key) => fallback = Form::Text(value),
            _ => {}
        }
        at = skip(bytes, value, 0, DEPTH_MAX + WRAPS_MAX)?;
    }
}

/// The key in front of the array that opens at `open`.
fn key_before(bytes: &[u8], open: usize) -> Option<&[u8]> {
    let head = bytes.get(..open)?;
    let end = memchr::memrchr(b'"', head)?;
    let start = memchr::memrchr(b'"', head.get(..end)?)?;
    head.get(start + 1..end)
}
