//! Flow logs in columns: Apache Parquet, as AWS delivers them, with `_` for `-` in the names, and as other tools write them.
//!
//! Read is whatever type a column has: numbers as 32 or 64 bits, floating point or text, times also as timestamps. A column that is
//! empty in a row counts as `-`. Rows are numbered from 0, and their number stands for the line's first byte.
//!
//! The library that decodes may panic on a hostile file: that ends the file, not the run, and what came before is kept.

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use super::field::Field;
use super::line::{Draft, Line};
use super::reader::{Counts, Item, Reject};

/// A larger file is not read: AWS writes up to 75 MB.
pub const PARQUET_BYTES_MAX: usize = 512 << 20;

/// The most rows of one file that are read: a row may take next to no room in a file.
pub const PARQUET_ROWS_MAX: u64 = 100_000_000;

/// Rows that are decoded at a time.
const ROWS: usize = 4096;

/// Whether an input that starts with `head` is Parquet.
pub fn is_parquet(head: &[u8]) -> bool {
    head.starts_with(b"PAR1")
}

/// What became of a file.
#[derive(Debug, Default)]
pub struct Columns {
    /// Rows read and not read.
    pub counts: Counts,
    /// Every field that has a column.
    pub fields: Vec<Field>,
    /// Columns that are no field of AWS's.
    pub unknown: Vec<String>,
    /// Why it could not be read to its end.
    pub fault: Option<String>,
}

/// Reads a file. `latest` is the newest time in Unix seconds that is believed.
pub fn read_columns(bytes: Vec<u8>, latest: i64, sink: &mut dyn FnMut(Item<'_>)) -> Columns {
    let mut columns = Columns::default();
    if bytes.len() > PARQUET_BYTES_MAX {
        columns.fault = Some(format!("a Parquet file larger than {} MiB is not read: split it", PARQUET_BYTES_MAX >> 20));
        return columns;
    }
    // What a panic leaves behind are sums of whole rows.
    let ended = model::contain(|| file(Bytes::from(bytes), latest, &mut columns, sink));
    let rows = columns.counts.lines();
    columns.fault = match ended {
        Some(Ok(())) => None,
        Some(Err(wrong)) => Some(format!("{wrong}; {rows} rows before that are read")),
        None => Some(format!("the Parquet file is damaged; {rows} rows before that are read")),
    };
    columns
}

fn damaged(error: &parquet::errors::ParquetError) -> String {
    let text: String = error.to_string().chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("the Parquet file is damaged ({text})")
}

fn file(bytes: Bytes, latest: i64, columns: &mut Columns, sink: &mut dyn FnMut(Item<'_>)) -> Result<(), String> {
    let reader = SerializedFileReader::new(bytes).map_err(|error| damaged(&error))?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut wanted: Vec<(usize, Field)> = vec![];
    for (number, column) in schema.columns().iter().enumerate() {
        let flat = column.max_rep_level() == 0 && column.path().parts().len() == 1;
        match Field::from_name(column.name()) {
            Some(Field::Other) => {}
            Some(field) if flat && !columns.fields.contains(&field) => {
                columns.fields.push(field);
                wanted.push((number, field));
            }
            _ => columns.unknown.push(column.name().chars().filter(|c| !c.is_control()).take(64).collect()),
        }
    }
    for needed in [Field::SrcAddr, Field::DstAddr, Field::Start] {
        if !columns.fields.contains(&needed) {
            return Err(format!("a Parquet file without a column `{}` is no flow log", needed.name()));
        }
    }
    for group in 0..reader.num_row_groups() {
        let group = reader.get_row_group(group).map_err(|error| damaged(&error))?;
        let mut held: Vec<Held> = vec![];
        for (number, field) in &wanted {
            let descriptor = schema.column(*number);
            let column = group.get_column_reader(*number).map_err(|error| damaged(&error))?;
            held.push(Held::new(*field, &descriptor, column));
        }
        while batch(&mut held, latest, columns, sink)? {}
    }
    Ok(())
}

/// Hands some rows on; whether there were any.
fn batch(held: &mut [Held], latest: i64, columns: &mut Columns, sink: &mut dyn FnMut(Item<'_>)) -> Result<bool, String> {
    let mut rows: Option<usize> = None;
    for column in held.iter_mut() {
        let read = column.fill().map_err(|error| damaged(&error))?;
        if rows.is_some_and(|rows| rows != read) {
            return Err("the Parquet file is damaged (columns of different lengths)".to_owned());
        }
        rows = Some(read);
    }
    let rows = rows.unwrap_or(0);
    if columns.counts.lines() + rows as u64 > PARQUET_ROWS_MAX {
        return Err(format!("more than {PARQUET_ROWS_MAX} rows in one Parquet file: split it"));
    }
    for row in 0..rows {
        let mut draft = Draft::default();
        for column in held.iter_mut() {
            column.place(row);
        }
        for column in held.iter() {
            column.take(latest, &mut draft);
        }
        let number = columns.counts.lines();
        match draft.end() {
            Ok(Line::Record) => {
                columns.counts.records += 1;
                sink(Item::Record(&draft.record, number));
            }
            Ok(Line::NoData) => columns.counts.no_data += 1,
            Ok(Line::SkipData) => columns.counts.skip_data += 1,
            Err(reason) => {
                *columns.counts.rejects.entry(reason).or_default() += 1;
                sink(Item::Reject(Reject { reason, byte: number, line: number + 1 }));
            }
        }
    }
    Ok(rows > 0)
}

/// A column's decoded values, those that are there one after the other.
enum Values {
    /// Numbers; `None` is one that no field can hold.
    Numbers(Vec<Option<u64>>),
    Texts(Vec<Bytes>),
}

/// A column of the rows at hand.
struct Held {
    field: Field,
    reader: ColumnReader,
    /// The level of a value that is there; 0 if all are.
    full: i16,
    levels: Vec<i16>,
    values: Values,
    /// Divides times to seconds.
    unit: i64,
    unsigned: bool,
    /// The value that comes next.
    next: usize,
    /// The value of the row at hand.
    now: Option<usize>,
}

impl Held {
    fn new(field: Field, column: &ColumnDescriptor, reader: ColumnReader) -> Held {
        let text = matches!(column.physical_type(), Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY);
        let converted = column.converted_type();
        let unit = match (column.logical_type_ref(), converted) {
            (Some(LogicalType::Timestamp(of)), _) => match of.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            },
            (_, ConvertedType::TIMESTAMP_MILLIS) => 1_000,
            (_, ConvertedType::TIMESTAMP_MICROS) => 1_000_000,
            _ => 1,
        };
        Held {
            field,
            reader,
            full: column.max_def_level(),
            levels: vec![],
            values: if text { Values::Texts(vec![]) } else { Values::Numbers(vec![]) },
            unit,
            unsigned: matches!(converted, ConvertedType::UINT_32 | ConvertedType::UINT_64),
            next: 0,
            now: None,
        }
    }

    /// Decodes the next rows, and says how many there are.
    fn fill(&mut self) -> parquet::errors::Result<usize> {
        self.levels.clear();
        self.next = 0;
        let (levels, unit, unsigned) = (&mut self.levels, self.unit, self.unsigned);
        let whole = |value: f64| ((0.0..1.9e19).contains(&value) && value.fract() == 0.0).then_some(value as u64);
        let bits32 = |value: i32| if unsigned { Some(u64::from(value as u32)) } else { u64::try_from(value).ok() };
        let bits64 = |value: i64| if unsigned { Some(value as u64) } else { u64::try_from(value.div_euclid(unit)).ok() };
        let (rows, values) = match &mut self.reader {
            ColumnReader::Int32ColumnReader(reader) => numbers(reader, levels, bits32)?,
            ColumnReader::Int64ColumnReader(reader) => numbers(reader, levels, bits64)?,
            ColumnReader::FloatColumnReader(reader) => numbers(reader, levels, |value| whole(f64::from(value)))?,
            ColumnReader::DoubleColumnReader(reader) => numbers(reader, levels, whole)?,
            ColumnReader::BoolColumnReader(reader) => numbers(reader, levels, |_| None)?,
            ColumnReader::Int96ColumnReader(reader) => numbers(reader, levels, |_| None)?,
            ColumnReader::ByteArrayColumnReader(reader) => {
                texts(reader, levels, |value: &ByteArray| value.data().to_vec().into())?
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                texts(reader, levels, |value: &FixedLenByteArray| value.data().to_vec().into())?
            }
        };
        self.values = values;
        Ok(rows)
    }

    /// Turns to a row.
    fn place(&mut self, row: usize) {
        let there = self.full == 0 || self.levels.get(row).is_some_and(|level| *level == self.full);
        self.now = there.then_some(self.next);
        self.next += usize::from(there);
    }

    /// Hands the row's value on.
    fn take<'a>(&'a self, latest: i64, draft: &mut Draft<'a>) {
        let Some(at) = self.now else { return };
        match &self.values {
            Values::Numbers(values) if self.field.is_number() => {
                draft.number(self.field, values.get(at).copied().flatten(), latest);
            }
            Values::Numbers(_) => draft.text(self.field, b"?"),
            Values::Texts(values) => match values.get(at).map_or(&b""[..], |text| text.as_ref()) {
                b"-" | b"" => {}
                text if self.field.is_number() => draft.number(self.field, super::line::number(text).ok(), latest),
                text => draft.text(self.field, text),
            },
        }
    }
}

type Batch = parquet::errors::Result<(usize, Values)>;

fn numbers<T: DataType>(reader: &mut ColumnReaderImpl<T>, levels: &mut Vec<i16>, number: impl Fn(T::T) -> Option<u64>) -> Batch {
    let mut values: Vec<T::T> = vec![];
    let (rows, _, _) = reader.read_records(ROWS, Some(levels), None, &mut values)?;
    Ok((rows, Values::Numbers(values.into_iter().map(number).collect())))
}

fn texts<T: DataType>(reader: &mut ColumnReaderImpl<T>, levels: &mut Vec<i16>, text: impl Fn(&T::T) -> Bytes) -> Batch {
    let mut values: Vec<T::T> = vec![];
    let (rows, _, _) = reader.read_records(ROWS, Some(levels), None, &mut values)?;
    Ok((rows, Values::Texts(values.iter().map(text).collect())))
}
