//! CloudTrail Lake's CSV results: a header row, then one record a row.
//!
//! A column `eventJson` holds the record whole. Else the columns become a flat record: dotted column names are paths.

/// Column names of a Lake export, as found in its header.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    names: Vec<String>,
    whole: Option<usize>,
}

/// The columns, if this line is the header of a Lake result.
pub(super) fn header(line: &[u8]) -> Option<Columns> {
    let (mut fields, _) = row(line)?;
    let names: Vec<String> = fields.drain(..).map(|f| String::from_utf8_lossy(&f).trim().to_owned()).collect();
    let known = |name: &String| ["eventjson", "eventname", "eventid", "eventtime"].contains(&name.to_ascii_lowercase().as_str());
    if !names.iter().any(known) {
        return None;
    }
    let whole = names.iter().position(|name| name.eq_ignore_ascii_case("eventJson"));
    Some(Columns { names, whole })
}

/// One row and the bytes it took, line end included; nothing if a quote isn't closed.
fn row(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let mut fields = vec![];
    let mut field = vec![];
    let mut quoted = false;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' if quoted && bytes.get(at) == Some(&b'"') => {
                field.push(b'"');
                at += 1;
            }
            b'"' => quoted = !quoted,
            b',' if !quoted => fields.push(std::mem::take(&mut field)),
            b'\n' if !quoted => {
                fields.push(field);
                return Some((fields, at));
            }
            b'\r' if !quoted => {}
            _ => field.push(byte),
        }
    }
    if quoted {
        return None;
    }
    fields.push(field);
    Some((fields, at))
}

impl Columns {
    /// The next row as JSON text in `json` (emptied first) and the bytes it took; nothing if the row isn't complete. A row with
    /// other than one cell a column leaves `json` empty.
    pub(super) fn next(&self, bytes: &[u8], json: &mut Vec<u8>) -> Option<usize> {
        let (fields, used) = row(bytes)?;
        json.clear();
        if fields.len() != self.names.len() {
            return Some(used);
        }
        if let Some(field) = self.whole.and_then(|at| fields.get(at)) {
            json.extend_from_slice(field);
            return Some(used);
        }
        let cells: Vec<(&[u8], &[u8])> = self.names.iter().map(String::as_bytes).zip(fields.iter().map(Vec::as_slice)).collect();
        flat(cells.into_iter(), json);
        Some(used)
    }
}

/// A flat object of strings; empty cells are absent fields.
pub(super) fn flat<'a>(cells: impl Iterator<Item = (&'a [u8], &'a [u8])>, json: &mut Vec<u8>) {
    json.push(b'{');
    for (name, cell) in cells.filter(|(name, cell)| !cell.is_empty() && !name.is_empty()) {
        if json.len() > 1 {
            json.push(b',');
        }
        quote(name, json);
        json.push(b':');
        quote(cell, json);
    }
    json.push(b'}');
}

fn quote(text: &[u8], json: &mut Vec<u8>) {
    json.push(b'"');
    for &byte in text {
        match byte {
            b'"' | b'\\' => json.extend_from_slice(&[b'\\', byte]),
            b'\n' => json.extend_from_slice(b"\\n"),
            b'\r' => json.extend_from_slice(b"\\r"),
            b'\t' => json.extend_from_slice(b"\\t"),
            0..=0x1f => json.extend_from_slice(b" "),
            _ => json.push(byte),
        }
    }
    json.push(b'"');
}
