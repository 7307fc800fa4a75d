//! OCSF events as Parquet, in the layout that Amazon Security Lake asks of custom sources: one class a file, a folder for each
//! Region, account and day, Zstandard, nested columns as OCSF nests them.
//!
//! Source: <https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources-best-practices.html>; how nested values are
//! cut into columns: Dremel's record shredding, <https://parquet.apache.org/docs/file-format/nestedencoding/>.

use std::collections::BTreeMap;
use std::sync::Arc;

use logs::time;
use parquet::basic::{Compression, ConvertedType, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::Type;
use serde_json::Value;

/// The columns of each class, as far as we fill them. Nothing is required: a missing value is null.
const CLASSES: &[(u64, &str, &str)] = &[
    (2004, "detection_finding", include_str!("parquet/detection_finding.schema")),
    (3002, "authentication", include_str!("parquet/authentication.schema")),
    (6003, "api_activity", include_str!("parquet/api_activity.schema")),
];

/// The most events of a file; more make another.
pub const FILE_EVENTS_MAX: usize = 100_000;

/// A file: where it belongs below the root, and its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct LakeFile {
    /// `detection_finding/region=eu-west-1/accountId=111122223333/eventDay=20260302/<hash>.parquet`
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Events of the classes 2004, 3002 and 6003 as files. The same events make the same files.
///
/// # Errors
/// In one line, if a file can't be made.
pub fn lake(events: &[Value]) -> Result<Vec<LakeFile>, String> {
    let mut parts: BTreeMap<(u64, String), Vec<&Value>> = BTreeMap::new();
    for event in events {
        let class = event.get("class_uid").and_then(Value::as_u64).unwrap_or_default();
        parts.entry((class, partition(event))).or_default().push(event);
    }
    let mut files = vec![];
    for ((class, partition), events) in parts {
        let Some((_, name, columns)) = CLASSES.iter().find(|(known, ..)| *known == class) else {
            return Err(format!("OCSF class {class} has no columns"));
        };
        for some in events.chunks(FILE_EVENTS_MAX) {
            let bytes = file(columns, some).map_err(|error| format!("cannot make a Parquet file: {error}"))?;
            let hash = bytes
                .iter()
                .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
            files.push(LakeFile { path: format!("{name}/{partition}/{hash:016x}.parquet"), bytes });
        }
    }
    Ok(files)
}

/// The folder of an event. Nothing of a log but letters, digits and dashes gets into it.
fn partition(event: &Value) -> String {
    let text = |pointer: &str| {
        let text = event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let plain: String = text.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect();
        if plain.is_empty() { "unknown".to_owned() } else { plain }
    };
    let (year, month, day) = time::date(event.get("time").and_then(Value::as_i64).unwrap_or_default() / 1000);
    let (region, account) = (text("/cloud/region"), text("/cloud/account/uid"));
    format!("region={region}/accountId={account}/eventDay={year:04}{month:02}{day:02}")
}

/// The values of one leaf with their levels.
#[derive(Default)]
struct Column {
    numbers: Vec<i64>,
    texts: Vec<ByteArray>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

/// How deep a value lies: how many optional things around it are there, and at which list it repeats.
#[derive(Clone, Copy)]
struct Levels {
    definition: i16,
    repetition: i16,
    /// Lists around it.
    lists: i16,
}

fn file(columns: &str, events: &[&Value]) -> Result<Vec<u8>, ParquetError> {
    let schema = Arc::new(parse_message_type(columns)?);
    let mut leaves: Vec<Column> = (0..count(&schema)).map(|_| Column::default()).collect();
    for event in events {
        let mut rest = leaves.as_mut_slice();
        for field in schema.get_fields() {
            let value = event.get(field.name());
            rest = shred(field, value, Levels { definition: 0, repetition: 0, lists: 0 }, rest);
        }
    }
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for leaf in &leaves {
        let Some(mut column) = group.next_column()? else { break };
        write(&mut column, leaf)?;
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}

fn write(column: &mut SerializedColumnWriter<'_>, leaf: &Column) -> Result<(), ParquetError> {
    let (definition, repetition) = (Some(leaf.definition.as_slice()), Some(leaf.repetition.as_slice()));
    match column.untyped() {
        ColumnWriter::Int32ColumnWriter(typed) => {
            let numbers: Vec<i32> = leaf.numbers.iter().map(|number| i32::try_from(*number).unwrap_or(i32::MAX)).collect();
            typed.write_batch(&numbers, definition, repetition)?;
        }
        ColumnWriter::Int64ColumnWriter(typed) => _ = typed.write_batch(&leaf.numbers, definition, repetition)?,
        ColumnWriter::ByteArrayColumnWriter(typed) => _ = typed.write_batch(&leaf.texts, definition, repetition)?,
        _ => return Err(ParquetError::General("a column of a type that no class has".to_owned())),
    }
    Ok(())
}

fn is_list(node: &Type) -> bool {
    node.is_group() && node.get_basic_info().converted_type() == ConvertedType::LIST
}

/// How many leaves lie below.
fn count(node: &Type) -> usize {
    if node.is_group() { node.get_fields().iter().map(|field| count(field)).sum() } else { 1 }
}

/// Puts a value into the leaves of its node, which are the first of `leaves`; gives the others back.
fn shred<'c>(node: &Type, value: Option<&Value>, levels: Levels, leaves: &'c mut [Column]) -> &'c mut [Column] {
    let value = value.filter(|value| !value.is_null());
    let there = Levels { definition: levels.definition + 1, ..levels };
    if !node.is_group() {
        let Some((leaf, rest)) = leaves.split_first_mut() else { return &mut [] };
        put(leaf, node.get_physical_type(), value, levels);
        return rest;
    }
    if is_list(node) {
        let element = node.get_fields().first().and_then(|list| list.get_fields().first());
        let Some(element) = element else { return leaves };
        let size = count(element).min(leaves.len());
        let (own, rest) = leaves.split_at_mut(size);
        match value.and_then(Value::as_array) {
            None => _ = shred(element, None, levels, own),
            Some(items) if items.is_empty() => _ = shred(element, None, there, own),
            Some(items) => {
                for (number, item) in items.iter().enumerate() {
                    let lists = levels.lists + 1;
                    let repetition = if number == 0 { levels.repetition } else { lists };
                    _ = shred(element, Some(item), Levels { definition: levels.definition + 2, repetition, lists }, own);
                }
            }
        }
        return rest;
    }
    let map = value.and_then(Value::as_object);
    let inner = if map.is_some() { there } else { levels };
    node.get_fields().iter().fold(leaves, |rest, field| shred(field, map.and_then(|map| map.get(field.name())), inner, rest))
}

fn put(leaf: &mut Column, physical: Physical, value: Option<&Value>, levels: Levels) {
    leaf.repetition.push(levels.repetition);
    let held = match (physical, value) {
        (Physical::BYTE_ARRAY, Some(Value::String(text))) => {
            leaf.texts.push(ByteArray::from(text.as_bytes().to_vec()));
            true
        }
        (Physical::BYTE_ARRAY, Some(other)) => {
            leaf.texts.push(ByteArray::from(other.to_string().into_bytes()));
            true
        }
        (_, Some(number)) if number.is_i64() || number.is_u64() => {
            leaf.numbers.push(number.as_i64().unwrap_or(i64::MAX));
            true
        }
        _ => false,
    };
    leaf.definition.push(levels.definition + i16::from(held));
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    use serde_json::json;

    fn rows(bytes: Vec<u8>) -> Vec<Value> {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        reader.get_row_iter(None).unwrap().map(|row| json(Field::Group(row.unwrap()))).collect()
    }

    fn json(field: Field) -> Value {
        match field {
            Field::Null => Value::Null,
            Field::Int(number) => json!(number),
            Field::Long(number) => json!(number),
            Field::Str(text) => json!(text),
            Field::Group(row) => row.into_columns().into_iter().map(|(name, field)| (name, json(field))).collect(),
            Field::ListInternal(list) => list.elements().iter().cloned().map(json).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nested_values_come_out_as_they_went_in() {
        let columns = "message m { optional int32 a; optional binary t (UTF8); optional group g { optional int64 b;
            optional group l (LIST) { repeated group list { optional group element { optional binary x (UTF8);
            optional group n (LIST) { repeated group list { optional binary element (UTF8); } } } } } } }";
        let events = [
            json!({"a": 1, "t": "é", "g": {"b": 2, "l": [{"x": "p", "n": ["q", "r"]}, {"x": "s", "n": []}, {"n": ["t"]}]}}),
            json!({"a": null, "t": null, "g": null}),
            json!({"a": 3, "t": "", "g": {"b": null, "l": []}}),
            json!({"a": 4, "t": "u", "g": {"b": 5, "l": [{"x": "v", "n": null}]}}),
        ];
        let bytes = file(columns, &events.iter().collect::<Vec<_>>()).unwrap();
        let mut want = events.to_vec();
        want[0]["g"]["l"][2]["x"] = Value::Null;
        assert_eq!(rows(bytes), want);
    }

    #[test]
    fn files_lie_where_the_lake_looks_for_them() {
        let event = |region: &str, time: i64| json!({"class_uid": 6003, "time": time, "cloud": {"region": region, "account": {"uid": "111122223333"}}});
        let events = [event("eu-west-1", 1_772_452_800_000), event("../x", 0), event("eu-west-1", 1_772_452_801_000)];
        let files = lake(&events).unwrap();
        let folders: Vec<&str> = files.iter().map(|file| file.path.rsplit_once('/').unwrap().0).collect();
        assert_eq!(
            folders,
            [
                "api_activity/region=eu-west-1/accountId=111122223333/eventDay=20260302",
                "api_activity/region=x/accountId=111122223333/eventDay=19700101"
            ]
        );
        assert_eq!(rows(files[0].bytes.clone()).len(), 2);
        assert_eq!(lake(&events).unwrap(), files);
        assert!(lake(&[json!({"class_uid": 1})]).is_err());
    }

    #[test]
    fn every_class_has_columns_that_can_be_read() {
        for (_, name, columns) in CLASSES {
            assert!(parse_message_type(columns).is_ok_and(|schema| count(&schema) > 20), "{name}");
        }
    }
}
