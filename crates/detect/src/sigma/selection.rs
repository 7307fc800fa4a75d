//! Search identifiers: maps, lists, modifiers, values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::pattern::{Pattern, Piece, build};
use super::{Atom, Compare, Expr, Place, Placeholders, Test, TimePart};

/// How many values the expansions (`windash`, `expand`) of one item may make.
pub(super) const VALUES_MAX: usize = 10_000;

/// A mistake, and a piece of the file's text by which its line is found.
pub(super) struct Wrong {
    pub(super) needle: String,
    pub(super) message: String,
}

fn wrong<T>(needle: &str, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { needle: needle.to_owned(), message: message.into() })
}

/// One search identifier: a map (all of it), a list of maps (one of them), or keywords.
pub(super) fn selection(name: &str, value: &Value, placeholders: &Placeholders) -> Result<Expr, Wrong> {
    match value {
        Value::Object(map) => {
            let items = map.iter().map(|(key, value)| item(key, value, placeholders));
            let items = items.collect::<Result<Vec<Expr>, Wrong>>()?;
            if items.is_empty() { wrong(name, format!("search identifier `{name}` is empty")) } else { Ok(Expr::And(items)) }
        }
        Value::Array(list) if list.is_empty() => wrong(name, format!("search identifier `{name}` is empty")),
        Value::Array(list) if list.iter().any(|v| v.is_object() || v.is_array()) => {
            list.iter().map(|value| selection(name, value, placeholders)).collect::<Result<_, _>>().map(Expr::Or)
        }
        Value::Null => wrong(name, format!("search identifier `{name}` is empty")),
        keywords => item("", keywords, placeholders),
    }
}

/// What the modifiers of one item say.
#[derive(Default)]
struct Modifiers {
    place: Option<Place>,
    all: bool,
    cased: bool,
    exists: bool,
    fieldref: bool,
    cidr: bool,
    regex: bool,
    flags: [bool; 3],
    compare: Option<Compare>,
    part: Option<TimePart>,
    windash: bool,
    expand: bool,
    utf16: Option<Utf16>,
    base64: bool,
    base64offset: bool,
}

#[derive(Clone, Copy)]
enum Utf16 {
    Little,
    Big,
    Marked,
}

fn modifiers(key: &str, names: std::str::Split<'_, char>) -> Result<Modifiers, Wrong> {
    let mut m = Modifiers::default();
    for name in names {
        match name {
            "contains" => m.place = Some(Place::Inside),
            "startswith" => m.place = Some(Place::Start),
            "endswith" => m.place = Some(Place::End),
            "all" => m.all = true,
            "cased" => m.cased = true,
            "exists" => m.exists = true,
            "fieldref" => m.fieldref = true,
            "cidr" => m.cidr = true,
            "re" => m.regex = true,
            "i" if m.regex => m.flags[0] = true,
            "m" if m.regex => m.flags[1] = true,
            "s" if m.regex => m.flags[2] = true,
            "gt" | "gte" | "lt" | "lte" | "neq" => m.compare = Compare::from_name(name),
            "minute" => m.part = Some(TimePart::Minute),
            "hour" => m.part = Some(TimePart::Hour),
            "day" => m.part = Some(TimePart::Day),
            "week" => m.part = Some(TimePart::Week),
            "month" => m.part = Some(TimePart::Month),
            "year" => m.part = Some(TimePart::Year),
            "windash" => m.windash = true,
            "expand" => m.expand = true,
            "wide" | "utf16le" => m.utf16 = Some(Utf16::Little),
            "utf16be" => m.utf16 = Some(Utf16::Big),
            "utf16" => m.utf16 = Some(Utf16::Marked),
            "base64" => m.base64 = true,
            "base64offset" => m.base64offset = true,
            "i" | "m" | "s" => return wrong(key, format!("modifier `{name}` needs `re` before it")),
            _ => return wrong(key, format!("unknown modifier `{name}`")),
        }
    }
    Ok(m)
}

fn item(key: &str, value: &Value, placeholders: &Placeholders) -> Result<Expr, Wrong> {
    let mut parts = key.split('|');
    let field = parts.next().filter(|name| !name.is_empty()).map(str::to_owned);
    let m = modifiers(key, parts)?;
    let values: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        one => vec![one],
    };
    let negated = m.compare == Some(Compare::Ne) && m.part.is_none();
    let mut each: Vec<Vec<Test>> = vec![];
    let mut count = 0;
    for value in values {
        let mut tests = vec![];
        for value in expanded(key, value, &m, placeholders)? {
            tests.extend(test(key, &value, &m, field.is_none())?);
        }
        count += tests.len();
        if count > VALUES_MAX {
            return wrong(key, format!("`{key}` has more than {VALUES_MAX} values"));
        }
        each.push(tests);
    }
    let atom = |tests: Vec<Test>, all: bool| Expr::Atom(Atom { field: field.clone(), tests, all, negated });
    // A value that a modifier made into several is still one value: `all` wants one of what it became.
    if m.all && each.iter().any(|tests| tests.len() > 1) {
        return Ok(Expr::And(each.into_iter().map(|tests| atom(tests, false)).collect()));
    }
    Ok(atom(each.into_iter().flatten().collect(), m.all))
}

/// `expand` puts values in for `%names%`; `\%` is the character.
fn expanded(key: &str, value: &Value, m: &Modifiers, placeholders: &Placeholders) -> Result<Vec<Value>, Wrong> {
    let Value::String(text) = value else { return Ok(vec![value.clone()]) };
    if !m.expand {
        return Ok(vec![value.clone()]);
    }
    let mut done: Vec<String> = vec![String::new()];
    let mut rest = text.as_str();
    while let Some(at) = rest.find('%') {
        let (before, after) = (rest.get(..at).unwrap_or_default(), rest.get(at + 1..).unwrap_or_default());
        let plain = before.strip_suffix('\\').map(|before| (format!("{before}%"), after));
        let (values, more): (Vec<String>, &str) = match (plain, after.split_once('%')) {
            (Some((plain, after)), _) => (vec![plain], after),
            (None, Some((name, after))) => match placeholders.get(name) {
                Some(values) => (values.iter().map(|value| format!("{before}{value}")).collect(), after),
                None => return wrong(key, format!("placeholder `%{name}%` has no value")),
            },
            (None, None) => (vec![format!("{before}%")], after),
        };
        if done.len() * values.len() > VALUES_MAX {
            return wrong(key, format!("`{key}` has more than {VALUES_MAX} values"));
        }
        done = done.iter().flat_map(|done| values.iter().map(move |value| format!("{done}{value}"))).collect();
        rest = more;
    }
    Ok(done.into_iter().map(|text| Value::String(text + rest)).collect())
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
}

/// YAML 1.1 has more words for `true` than YAML 1.2.
fn truth(value: &Value) -> Option<bool> {
    let word = value.as_str().map(str::to_ascii_lowercase);
    match word.as_deref() {
        Some("true" | "yes" | "on") => Some(true),
        Some("false" | "no" | "off") => Some(false),
        _ => value.as_bool(),
    }
}

fn test(key: &str, value: &Value, m: &Modifiers, keyword: bool) -> Result<Vec<Test>, Wrong> {
    if value.is_object() || value.is_array() {
        return wrong(key, format!("`{key}` wants a plain value"));
    }
    if m.exists {
        let Some(expected) = truth(value) else { return wrong(key, "`exists` wants true or false") };
        return Ok(vec![Test::Exists(expected)]);
    }
    if let Some(part) = m.part {
        let Some(wanted) = number(value) else { return wrong(key, format!("`{key}` wants a number")) };
        return Ok(vec![Test::TimePart(part, m.compare.unwrap_or(Compare::Eq), wanted)]);
    }
    if let Some(compare) = m.compare.filter(|compare| *compare != Compare::Ne) {
        let Some(wanted) = number(value) else { return wrong(key, format!("`{key}` wants a number")) };
        return Ok(vec![Test::Number(compare, wanted)]);
    }
    match value {
        Value::Null => Ok(vec![Test::Null]),
        Value::String(text) => text_test(key, text, m, keyword),
        plain if m.place.is_some() || m.regex || keyword => text_test(key, &plain.to_string(), m, keyword),
        Value::Bool(expected) => Ok(vec![Test::Bool(*expected)]),
        other => Ok(vec![Test::Number(Compare::Eq, other.as_f64().unwrap_or(f64::NAN))]),
    }
}

fn text_test(key: &str, text: &str, m: &Modifiers, keyword: bool) -> Result<Vec<Test>, Wrong> {
    if m.regex {
        let [ignore_case, multi_line, dot_all] = m.flags;
        return match build(text, ignore_case, multi_line, dot_all) {
            Ok(regex) => Ok(vec![Test::Regex(regex)]),
            Err(message) => wrong(key, message),
        };
    }
    if m.cidr {
        let network = text.parse::<ipnet::IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(ipnet::IpNet::from));
        return match network {
            Ok(network) => Ok(vec![Test::Cidr(network.trunc())]),
            Err(_) => wrong(key, format!("`{text}` isn't an address range")),
        };
    }
    if m.fieldref {
        return Ok(vec![Test::FieldRef { field: text.to_owned(), place: m.place.unwrap_or(Place::Whole), cased: m.cased }]);
    }
    let mut patterns = vec![Pattern::parse(text)];
    if m.utf16.is_some() || m.base64 || m.base64offset {
        let Some(plain) = patterns.first().and_then(Pattern::as_plain) else {
            return wrong(key, "an encoded value can't hold wildcards");
        };
        patterns = encoded(plain, m).iter().filter(|text| !text.is_empty()).map(|text| Pattern::plain(text)).collect();
        if patterns.is_empty() {
            return wrong(key, "an encoded value can't be empty");
        }
    }
    if m.windash {
        patterns = patterns.into_iter().flat_map(dashes).collect();
        if patterns.len() > VALUES_MAX {
            return wrong(key, format!("`windash` makes more than {VALUES_MAX} values of `{text}`"));
        }
    }
    let place = match (m.base64offset || keyword, m.place) {
        (true, None) => Some(Place::Inside),
        (_, place) => place,
    };
    Ok(patterns.into_iter().map(|pattern| Test::Text { pattern: placed(pattern, place), cased: m.cased }).collect())
}

fn placed(pattern: Pattern, place: Option<Place>) -> Pattern {
    match place {
        None | Some(Place::Whole) => pattern,
        Some(Place::Inside) => pattern.open_start().open_end(),
        Some(Place::Start) => pattern.open_end(),
        Some(Place::End) => pattern.open_start(),
    }
}

fn encoded(plain: &str, m: &Modifiers) -> Vec<String> {
    let bytes: Vec<u8> = match m.utf16 {
        None => plain.as_bytes().to_vec(),
        Some(Utf16::Little) => plain.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        Some(Utf16::Big) => plain.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Some(Utf16::Marked) => [0xFF, 0xFE].into_iter().chain(plain.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
    };
    if m.base64offset {
        return (0..3).map(|shift| offset_part(&bytes, shift)).collect();
    }
    if m.base64 {
        return vec![STANDARD.encode(&bytes)];
    }
    vec![String::from_utf8_lossy(&bytes).into_owned()]
}

/// The letters of the encoding that don't depend on what stands around the value, when `shift` bytes precede it.
fn offset_part(bytes: &[u8], shift: usize) -> String {
    let shifted: Vec<u8> = std::iter::repeat_n(0, shift).chain(bytes.iter().copied()).collect();
    let encoded = STANDARD.encode(&shifted);
    let start = [0, 2, 3].get(shift).copied().unwrap_or(0);
    let end = match shifted.len() % 3 {
        0 => encoded.len(),
        1 => encoded.len() - 3,
        _ => encoded.len() - 2,
    };
    encoded.get(start..end.max(start)).unwrap_or_default().to_owned()
}

const DASHES: [char; 5] = ['-', '/', '–', '—', '―'];

/// Every way to write the dashes that begin a word.
fn dashes(pattern: Pattern) -> Vec<Pattern> {
    let mut done = vec![Pattern::default()];
    for piece in pattern.pieces {
        let Piece::Text(text) = piece else {
            done.iter_mut().for_each(|pattern| pattern.pieces.push(piece.clone()));
            continue;
        };
        let mut texts = vec![String::new()];
        for letter in text.chars() {
            if DASHES.contains(&letter) && texts.len() * done.len() < VALUES_MAX {
                texts = texts.iter().flat_map(|text| DASHES.map(|dash| format!("{text}{dash}"))).collect();
            } else {
                texts.iter_mut().for_each(|text| text.push(letter));
            }
        }
        done = done
            .iter()
            .flat_map(|pattern| {
                texts.iter().map(move |text| {
                    let mut pattern = pattern.clone();
                    pattern.pieces.push(Piece::Text(text.clone()));
                    pattern
                })
            })
            .collect();
    }
    done
}
