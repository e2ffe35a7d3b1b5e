//! Compressed records: gzip and Zstandard, known by their first bytes.

use std::borrow::Cow;
use std::io::{Error, Read, Result};

const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTANDARD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Returns `bytes` decompressed, or as they are if they are not compressed. The result has at most `most` bytes.
///
/// # Errors
/// Returns an error if the compressed data is damaged.
pub(super) fn decompressed(bytes: &[u8], most: u64) -> Result<Cow<'_, [u8]>> {
    let mut plain = Vec::new();
    if bytes.starts_with(&GZIP) {
        flate2::read::MultiGzDecoder::new(bytes).take(most).read_to_end(&mut plain)?;
    } else if bytes.starts_with(&ZSTANDARD) {
        let decoder = ruzstd::decoding::StreamingDecoder::new(bytes).map_err(Error::other)?;
        decoder.take(most).read_to_end(&mut plain)?;
    } else {
        return Ok(Cow::Borrowed(bytes));
    }
    Ok(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("written to memory");
        encoder.finish().expect("written to memory")
    }

    fn zstandard(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn both_formats_are_known_by_their_first_bytes() {
        let text = b"{\"schema\": {}}".repeat(1000);
        for packed in [text.clone(), gzip(&text), zstandard(&text)] {
            assert_eq!(decompressed(&packed, 1 << 20).expect("valid data"), text);
        }
    }

    #[test]
    fn a_bomb_is_cut_and_damaged_data_is_an_error() {
        let zeros = vec![0; 1 << 20];
        for pack in [gzip, zstandard] {
            assert_eq!(decompressed(&pack(&zeros), 1000).expect("valid data").len(), 1000);
            let mut packed = pack(b"some text that is long enough to damage in its middle");
            packed.truncate(packed.len() / 2);
            assert!(decompressed(&packed, 1000).is_err());
        }
    }
}
