//! gzip and zstd into bytes, within a bound: a bomb costs no more than the bound.

use std::io::Read;

/// How a file is packed, by its first bytes; names are not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As it is.
    Plain,
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl Packing {
    /// The packing of a file that starts with `head` (4 bytes suffice).
    pub fn of(head: &[u8]) -> Packing {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::Plain,
        }
    }
}

/// Why a file could not be unpacked to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The packed data ends early; what came out before is in the buffer.
    Truncated,
    /// The packed data is damaged; what came out before is in the buffer.
    Damaged,
    /// More came out than `bytes_max`; the buffer holds that much.
    TooLong,
}

/// A reusable whole-file unpacker: one per thread.
pub struct Inflater {
    quick: libdeflater::Decompressor,
}

impl Default for Inflater {
    fn default() -> Inflater {
        Inflater::new()
    }
}

/// Deflate can't do better than 1032:1, so a larger size hint lies.
const RATIO_MAX: usize = 1032;

/// The largest buffer that is set up on the word of a size hint. What is larger is unpacked as a stream.
pub const HINT_BYTES_MAX: usize = 64 << 20;

/// Whether `packed` may unpack to at most `bytes_max`, by the size that stands at the end of a gzip file (RFC 1952, `ISIZE`:
/// that of its last member). `false` is certain, unless the end is missing; `true` is only hope.
pub fn may_fit(packed: &[u8], bytes_max: usize) -> bool {
    match (Packing::of(packed), packed.last_chunk::<4>()) {
        (Packing::Gzip, Some(trailer)) => u32::from_le_bytes(*trailer) as usize <= bytes_max,
        _ => true,
    }
}

impl Inflater {
    /// A fresh one.
    pub fn new() -> Inflater {
        Inflater { quick: libdeflater::Decompressor::new() }
    }

    /// Unpacks `packed` into `out` (cleared first), up to `bytes_max` bytes. On a fault, `out` holds what could be read.
    pub fn unpack(&mut self, packed: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), Fault> {
        match Packing::of(packed) {
            Packing::Plain => {
                out.clear();
                out.extend_from_slice(packed.get(..packed.len().min(bytes_max)).unwrap_or_default());
                if packed.len() > bytes_max { Err(Fault::TooLong) } else { Ok(()) }
            }
            Packing::Gzip => {
                if self.at_once(packed, out, bytes_max) {
                    return Ok(());
                }
                drain(&mut flate2::bufread::MultiGzDecoder::new(packed), out, bytes_max)
            }
            Packing::Zstd => match zstd::stream::read::Decoder::with_buffer(packed) {
                Ok(mut decoder) => drain(&mut decoder, out, bytes_max),
                Err(_) => Err(Fault::Damaged),
            },
        }
    }

    /// The quick way: one member, size as the trailer says. Says whether it worked; else the stream decides.
    fn at_once(&mut self, packed: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> bool {
        let Some(trailer) = packed.last_chunk::<4>() else { return false };
        let hint = u32::from_le_bytes(*trailer) as usize;
        if hint > bytes_max || hint > HINT_BYTES_MAX || hint > packed.len().saturating_mul(RATIO_MAX) {
            return false;
        }
        if out.len() < hint {
            out.resize(hint, 0);
        }
        out.truncate(hint);
        match self.quick.gzip_decompress(packed, out) {
            Ok(written) if written == hint => true,
            _ => {
                out.clear();
                false
            }
        }
    }
}

fn drain(from: &mut impl Read, out: &mut Vec<u8>, bytes_max: usize) -> Result<(), Fault> {
    out.clear();
    match from.take(bytes_max as u64 + 1).read_to_end(out) {
        Ok(_) if out.len() > bytes_max => {
            out.truncate(bytes_max);
            Err(Fault::TooLong)
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::Truncated),
        Err(_) => Err(Fault::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn text() -> Vec<u8> {
        (0..5000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_string().into_bytes()).collect()
    }

    #[test]
    fn every_packing_comes_out_as_it_went_in() {
        let data = text();
        let two_members = [gzip(&data), gzip(b"tail")].concat();
        let zstd = zstd::stream::encode_all(data.as_slice(), 1).unwrap();
        let mut out = vec![7; 3];
        let mut inflater = Inflater::new();
        for (packed, want) in [
            (data.clone(), data.clone()),
            (gzip(&data), data.clone()),
            (zstd, data.clone()),
            (two_members, [data.as_slice(), b"tail"].concat()),
        ] {
            assert_eq!(inflater.unpack(&packed, &mut out, 1 << 20), Ok(()));
            assert!(out == want);
        }
    }

    #[test]
    fn the_size_at_the_end_is_asked_first() {
        let packed = gzip(&[7; 1000]);
        assert!(may_fit(&packed, 1000) && !may_fit(&packed, 999));
        assert!(may_fit(b"plain text", 1) && may_fit(b"\x1f\x8b", 1));
    }

    #[test]
    fn faults_keep_what_was_read() {
        let data = text();
        let packed = gzip(&data);
        let mut out = Vec::new();
        let mut inflater = Inflater::new();
        assert_eq!(inflater.unpack(&packed[..packed.len() / 2], &mut out, 1 << 20), Err(Fault::Truncated));
        assert!(!out.is_empty() && data.starts_with(&out));
        let mut damaged = packed.clone();
        for byte in damaged.iter_mut().skip(10).step_by(7) {
            *byte ^= 0x55;
        }
        assert!(inflater.unpack(&damaged, &mut out, 1 << 20).is_err());
    }

    #[test]
    fn the_bound_holds_at_the_limit_and_one_past_it() {
        let zeros = vec![0u8; 3 << 20];
        for packed in [gzip(&zeros), zstd::stream::encode_all(zeros.as_slice(), 1).unwrap()] {
            let mut out = Vec::new();
            let mut inflater = Inflater::new();
            assert_eq!(inflater.unpack(&packed, &mut out, zeros.len()), Ok(()));
            assert_eq!(inflater.unpack(&packed, &mut out, zeros.len() - 1), Err(Fault::TooLong));
            assert_eq!(out.len(), zeros.len() - 1);
        }
    }
}
